"""Drafts of another division into grids: ``/api/plans``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from gis_service import block_recutting, plan_changes, planning, publishing
from gis_service import plan_requests as requests
from gis_service import plan_review as review
from gis_service.access import Asker
from gis_service.block_requests import Recut
from gis_service.errors import problem_answers
from gis_service.plan_coverage import coverage_of
from gis_service.planning import Desk
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes
from gis_service.running import Running
from gis_service.what_if_requests import WhatIf, placed_frame
from grid_boundaries import plan_records as records

REFUSALS = problem_answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
router = APIRouter(prefix="/api/plans", tags=["plans"], responses=REFUSALS)
Plan = Annotated[int, Path(ge=1, le=2**53)]
Answer = dict[str, Any]


@contextmanager
def desk_of(service: Running, who: Asker, right: str = "plans") -> Iterator[Desk]:
    """Give a desk in the asker's scope, to those who may work on plans."""
    who.needs(right)
    with scoped(service, who.view) as connection:
        own = service.plans
        kept = (own.states, own.sums, own.shapes, own.lines)
        yield Desk(connection, who.view, service.now(), *kept)


@router.post("", status_code=201, openapi_extra=takes(requests.NewPlan))
def start(service: Service, who: Who, body: JsonBody) -> Answer:
    """Start a plan from the grids in force or from another plan."""
    asked = requests.read(requests.NewPlan, body)
    with desk_of(service, who) as desk:
        return planning.start(desk, asked)


@router.post("/recut", status_code=201, openapi_extra=takes(Recut))
def recut(service: Service, who: Who, body: JsonBody) -> Answer:
    """Start a plan in which the blocks of a unit are cut along all lines that there are now."""
    asked = requests.read(Recut, body)
    with desk_of(service, who) as desk:
        return block_recutting.recut(desk, asked)


@router.get("")
def plans(service: Service, who: Who) -> list[Answer]:
    """List the plans of the asker's area, the newest first."""
    with desk_of(service, who) as desk:
        rows = records.plan_rows(desk.connection, desk.view)
        return [planning.described(desk, row) for row in rows]


@router.get("/{plan}")
def plan(service: Service, who: Who, plan: Plan) -> Answer:
    """Give a plan with its log, locks and hash."""
    with desk_of(service, who) as desk:
        return planning.whole(desk, desk.row(plan))


@router.get("/{plan}/assignment")
def assignment(service: Service, who: Who, plan: Plan) -> Answer:
    """Give the grid of each block, the grids, and the shapes that the plan has changed."""
    with desk_of(service, who) as desk:
        return planning.assignment(desk, desk.row(plan))


@router.post("/{plan}/strokes", openapi_extra=takes(requests.Drawing))
def draw(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Make one stroke."""
    asked = requests.read(requests.Drawing, body)
    with desk_of(service, who) as desk:
        return planning.draw(desk, plan, asked)


@router.post("/{plan}/undo", openapi_extra=takes(requests.Change))
def undo(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Undo the last stroke."""
    asked = requests.read(requests.Change, body)
    with desk_of(service, who) as desk:
        return planning.step(desk, plan, asked.base_version, back=True)


@router.post("/{plan}/redo", openapi_extra=takes(requests.Change))
def redo(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Make the last stroke that was undone again."""
    asked = requests.read(requests.Change, body)
    with desk_of(service, who) as desk:
        return planning.step(desk, plan, asked.base_version, back=False)


@router.get("/{plan}/checks")
def checks(service: Service, who: Who, plan: Plan) -> Answer:
    """Give what is wrong with a plan, with remedies."""
    with desk_of(service, who) as desk:
        return review.checked(desk, desk.row(plan), service.plans.near)


@router.get("/{plan}/diff")
def diff(
    service: Service,
    who: Who,
    plan: Plan,
    against: Annotated[str, Query(pattern=r"^(base|[1-9][0-9]{0,15})$")] = "base",
) -> Answer:
    """Give what changes hands between a plan and its base, or another plan."""
    with desk_of(service, who) as desk:
        row = desk.row(plan)
        other = desk.base(row)
        if against != "base":
            their = desk.row(int(against))
            review.refuse_other_unit(row, their)
            other = desk.state(their)
        return plan_changes.difference(desk, row, other, against)


@router.get("/{plan}/coverage")
def coverage(service: Service, who: Who, plan: Plan) -> Answer:
    """Give what cameras see of the grids that a plan touches, before it and under it."""
    with desk_of(service, who) as desk:
        return coverage_of(desk, desk.row(plan))


@router.post("/{plan}/coverage", openapi_extra=takes(WhatIf))
def coverage_with(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Give the same with cameras that might be hung; nothing is stored."""
    asked = requests.read(WhatIf, body)
    with desk_of(service, who) as desk:
        proposed = placed_frame(desk.connection, who, service.ingest, asked)
        return coverage_of(desk, desk.row(plan), proposed)


@router.post("/{plan}/merge", openapi_extra=takes(requests.Merging))
def merge(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Take another plan's changes in, and list the conflicts."""
    asked = requests.read(requests.Merging, body)
    with desk_of(service, who) as desk:
        return review.merge(desk, plan, asked)


@router.post("/{plan}/submit", openapi_extra=takes(requests.Submission))
def submit(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Hand a plan in for approval."""
    asked = requests.read(requests.Submission, body)
    with desk_of(service, who) as desk:
        return planning.described(desk, review.submit(desk, plan, asked, service.plans.near))


@router.post("/{plan}/approve", openapi_extra=takes(requests.Change))
def approve(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Approve a plan that another person has handed in."""
    asked = requests.read(requests.Change, body)
    with desk_of(service, who, "approve") as desk:
        return planning.described(desk, review.approve(desk, plan, asked.base_version))


@router.post("/{plan}/withdraw", openapi_extra=takes(requests.Change))
def withdraw(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Take a plan back to a draft."""
    asked = requests.read(requests.Change, body)
    with desk_of(service, who) as desk:
        return planning.described(desk, review.withdraw(desk, plan, asked.base_version))


@router.post("/{plan}/publish", openapi_extra=takes(requests.Publishing))
def publish(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Put an approved plan in force, now or at a date."""
    asked = requests.read(requests.Publishing, body)
    with desk_of(service, who) as desk:
        publishing.publish(desk, plan, asked.base_version, asked.on)
        return planning.described(desk, desk.row(plan))


@router.post("/{plan}/rollback", openapi_extra=takes(requests.Change))
def rollback(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Put back in force what a published plan replaced."""
    asked = requests.read(requests.Change, body)
    with desk_of(service, who, "approve") as desk:
        publishing.roll_back(desk, plan, asked.base_version)
        return planning.described(desk, desk.row(plan))


@router.get("/{plan}/comments")
def comments(service: Service, who: Who, plan: Plan) -> list[Answer]:
    """Give the comments on a plan, the oldest first."""
    with desk_of(service, who) as desk:
        found = records.comments(desk.connection, desk.view, desk.row(plan).id)
        return [
            {name: getattr(one, name) for name in ("id", "actor", "at", "text", "about")}
            for one in found
        ]


@router.post("/{plan}/comments", status_code=201, openapi_extra=takes(requests.Remark))
def comment(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Put a comment to a plan."""
    asked = requests.read(requests.Remark, body)
    with desk_of(service, who) as desk:
        review.comment(desk, desk.row(plan), asked)
    return {"plan": plan, "text": asked.text, "about": asked.about}


@router.post("/{plan}/locks", openapi_extra=takes(requests.Locking))
def lock(service: Service, who: Who, plan: Plan, body: JsonBody) -> Answer:
    """Let the others know that the asker is at some grids."""
    asked = requests.read(requests.Locking, body)
    with desk_of(service, who) as desk:
        return planning.lock(desk, plan, asked.grids, asked.minutes)


@router.delete("/{plan}/locks", status_code=204)
def unlock(service: Service, who: Who, plan: Plan) -> None:
    """Take away the asker's own locks."""
    with desk_of(service, who) as desk:
        records.unlock_grids(desk.connection, desk.row(plan).id, who.view.actor)
