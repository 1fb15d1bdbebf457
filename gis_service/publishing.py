"""Plans put in force and taken back, each in one transaction: all of it or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Engine, func, select, text

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.plan_review import refuse_hard
from gis_service.planning import Desk, refuse_status
from gis_service.published_ground import Ground, Points, published_ground
from grid_boundaries import plan_records as records
from grid_boundaries import publish_rows as rows
from grid_boundaries.codes import profile
from grid_boundaries.cutting import chosen
from grid_boundaries.errors import Conflict, Refused
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State, state_of
from grid_boundaries.plan_store import plan as plan_table
from grid_boundaries.publication import Facts, Publication, publication, restoration
from grid_boundaries.refinement import finest, refined
from grid_boundaries.store import county
from layers.block_sums import PEOPLE, residents
from layers.grids_at import keep_residents
from layers.plan_ground import sums_in
from layers.reassign import carry_postings, reassign, relocate, reopen_postings


def publish(desk: Desk, plan_id: int, base_version: int, on: date | None) -> None:
    """Put an approved plan in force on a day; a later day is noted and done then.

    Raises
    ------
    Conflict
        The plan is not approved, was changed, or other grids are in force than it started from.
    Refused
        The day is past; a hard fault lies in what the plan changes.
    """
    row = desk.row(plan_id, for_update=True)
    refuse_status(row, "approved", "scheduled")
    records.refuse_other_version(row, base_version)
    today = desk.now.date()
    day = on or today
    if day < today:
        raise Refused(
            "day-is-past",
            f"{day} 已过；方案只能从今天或以后生效",
            f"{day} is past; a plan can come in force today or later",
            on=day.isoformat(),
        )
    if day > today:
        records.change_plan(
            desk.connection, row, desk.view.actor, desk.now, "scheduled",
            status="scheduled", publish_on=day, floor_version=row.version + 1,
        )  # fmt: skip
        return
    publish_on(desk, row, day)


def publish_on(desk: Desk, row: Record, day: date) -> None:
    """Put a plan in force from a day, in the transaction of the desk.

    Raises
    ------
    Conflict
        Other grids are in force than the plan started from.
    Refused
        A hard fault lies in what the plan changes.
    """
    with as_service(desk) as own:
        before, after = _in_force(own, row), own.state(row)
        _refuse_other_base(own, row, before)
        ground = published_ground(own, after)
        refuse_hard(own, row, before, after, ground.metric)
        _put_in_force(own, row, day, before, ground)


def put_in_force(desk: Desk, row: Record, day: date) -> None:
    """Put a plan in force as `publish_on` does, whatever its faults."""
    with as_service(desk) as own:
        before = _in_force(own, row)
        _refuse_other_base(own, row, before)
        _put_in_force(own, row, day, before, published_ground(own, own.state(row)))


def _put_in_force(desk: Desk, row: Record, day: date, before: State, ground: Ground) -> None:
    after = desk.state(row)
    change = publication(before, after, _facts(desk, before, after, ground))
    carried = {old: new for old, new in change.codes.items()
               if old in before.grids and old != new}  # fmt: skip
    outcome = _written(desk, after, change, ground, carried, day)
    _noted(desk, row, "published", outcome, day)


def roll_back(desk: Desk, plan_id: int, base_version: int) -> None:
    """Put what a published plan replaced back in force, from today.

    Blocks that the plan cut stay cut; the grids lie where they lay and have the codes they had.

    Raises
    ------
    Conflict
        The plan is not published, or another plan came after it.
    """
    row = desk.row(plan_id, for_update=True)
    refuse_status(row, "published")
    records.refuse_other_version(row, base_version)
    with as_service(desk) as own:
        before = _in_force(own, row)
        if before.digest() != row.outcome["hash"]:
            raise Conflict(
                "not-the-latest",
                "此后又有方案生效；请从最新方案开始逐个回退",
                "Another plan has come in force since; roll back the latest one first",
                plan=row.id,
            )
        past = records.base_of(own.connection, own.view, _root(own, row), own.states)
        after = state_of(refined(past.grid_of, before.grid_of), past.grids.values())
        change = restoration(before, after)
        back = {new: old for old, new in row.outcome["carried"].items()}
        day = own.now.date()
        outcome = _written(own, after, change, published_ground(own, after), back, day)
        reopen_postings(own.connection, row.outcome["postings_ended"])
        _noted(own, row, "rolled_back", {**row.outcome, "rolled_back": outcome}, day)


def publish_due(engine: Engine, now: datetime) -> list[int]:
    """Publish the plans whose day has come; one that cannot be goes back to approved, and says why.

    Returns
    -------
    list
        The plans published.
    """
    view = system_view()
    due = select(plan_table.c.id).where(
        plan_table.c.status == "scheduled", plan_table.c.publish_on <= now.date()
    )
    with engine.begin() as connection:
        enter_scope(connection, view)
        ids = list(connection.scalars(due.order_by(plan_table.c.publish_on, plan_table.c.id)))
    done = []
    for plan_id in ids:
        with engine.begin() as connection:
            enter_scope(connection, view)
            desk = Desk(connection, view, now)
            row = desk.row(plan_id, for_update=True)
            if row.status == "scheduled" and _published_or_noted(desk, row):
                done.append(plan_id)
    return done


def _published_or_noted(desk: Desk, row: Record) -> bool:
    try:
        with desk.connection.begin_nested():
            publish_on(desk, row, max(row.publish_on, desk.now.date()))
    except Refused as refused:
        records.change_plan(
            desk.connection, row, desk.view.actor, desk.now, refused.code,
            status="approved", publish_on=None, floor_version=row.version + 1,
            outcome={"refused": {"zh": refused.zh, "en": refused.en}},
        )  # fmt: skip
        return False
    return True


@contextmanager
def as_service(desk: Desk) -> Iterator[Desk]:
    """Give a desk of the whole county: what an approved plan does, the service does for it."""
    own = replace(desk, view=system_view(desk.view.actor), sums=None)  # counts of this moment
    own.connection.execute(select(func.pg_advisory_xact_lock(records.PUBLISHING)))
    # a whole county may take longer than a request is allowed to; Core cannot say SET LOCAL
    own.connection.execute(text("set local statement_timeout = 0"))
    enter_scope(own.connection, own.view)
    yield own
    enter_scope(desk.connection, desk.view)


def _in_force(desk: Desk, row: Record) -> State:
    return records.in_force(desk.connection, desk.view, row.unit_path)


def _root(desk: Desk, row: Record) -> Record:
    """Return the plan that a plan was forked from, and that one, and so on."""
    return row if row.parent_id is None else _root(desk, desk.row(row.parent_id))


def _refuse_other_base(desk: Desk, row: Record, before: State) -> None:
    known = {row.base_hash, _root(desk, row).base_hash}
    if before.digest() not in known:
        raise Conflict(
            "base-not-in-force",
            "方案起草后现行网格已变；请从现行网格新建方案，再把本方案合并进去",
            "Other grids are in force than this plan started from; start one from those in force"
            " and merge this one into it",
            plan=row.id,
        )


def _facts(desk: Desk, before: State, after: State, ground: Ground) -> Facts:
    """Return people and area of every block of the common refinement, and what codes there are."""
    blocks = finest((before, after))
    people = _people(desk, after, blocks)
    kind = desk.connection.execute(select(county.c.profile)).scalar_one()
    given = rows.given_codes(desk.connection)
    return Facts(people, ground.area_m2, Points(ground, after), given, profile(kind))


def _people(desk: Desk, after: State, blocks: Collection[str]) -> dict[str, int]:
    """Return the people present in stored blocks, and in pieces that the plan has cut."""
    counting = desk.counting("present")
    stored = residents(desk.connection, counting)["people"].fillna(0)
    people = dict.fromkeys(blocks, 0)
    people |= {name: int(n) for name, n in stored.items() if name in people}
    pieces = [name for name in blocks if name in after.shapes and "." in name]
    if pieces:
        _, sums = sums_in(desk.connection, counting, after, pieces, desk.srid)
        people |= {str(name): int(n) for name, n in sums["people"].items()}
    return people


def _written(
    desk: Desk,
    after: State,
    change: Publication,
    ground: Ground,
    carried: Mapping[str, str],
    day: date,
) -> dict[str, Any]:
    """Write a publication and return what it did."""
    keep_residents(desk.connection, desk.view, day)
    _write_ground(desk, after, change, ground, day)
    relocate(desk.connection, change.cut, chosen(ground.metric, _pieces(change)))
    features = reassign(desk.connection, change.grid_of)
    gone = dict.fromkeys(code for code in change.retired if code not in carried)
    ended = carry_postings(desk.connection, carried, gone, day)
    return {
        "on": day.isoformat(), "blocks": len(change.grid_of), "features": features,
        "opened": [one.code for one in change.opened], "retired": list(change.retired),
        "codes": {old: new for old, new in change.codes.items() if old != new},
        "carried": dict(carried), "postings_ended": ended,
        "lineage": [list(line) for line in change.lineage],
    }  # fmt: skip


def _write_ground(desk: Desk, after: State, change: Publication, ground: Ground, day: date) -> None:
    """Write blocks, their grids, the grids' polygons and who came from whom."""
    connection = desk.connection
    reshaped = chosen(ground.shapes, (n for n in ground.shapes.index if n in after.shapes))
    rows.write_blocks(connection, change.cut, reshaped, ground.area_m2, day)
    if change.cut:
        rows.write_counts(connection, change.cut, _counts(desk, after, change))
    rows.write_assignment(connection, change, day)
    polygons = ground.polygons(after, _to_draw(after, change))
    areas_m2 = {code: ground.grid_m2(after, old) for old, code in change.codes.items()}
    rows.write_grids(connection, change, polygons, areas_m2, day)
    rows.write_lineage(connection, change.lineage, day)


def _pieces(change: Publication) -> list[str]:
    return [piece for own in change.cut.values() for piece in own]


def _noted(desk: Desk, row: Record, status: str, outcome: Mapping[str, Any], day: date) -> None:
    digest = _in_force(desk, row).digest()
    records.change_plan(
        desk.connection, row, desk.view.actor, desk.now, status,
        status=status, publish_on=day, published_at=desk.now, floor_version=row.version + 1,
        outcome={**outcome, "hash": digest} if status == "published" else dict(outcome),
    )  # fmt: skip


def _to_draw(after: State, change: Publication) -> dict[str, str]:
    """Return the grids whose polygons change: those opened, and those of reshaped blocks."""
    opened = {one.code for one in change.opened}
    reshaped = {after.grid_of[name] for name in after.shapes}
    return {old: code for old, code in change.codes.items() if code in opened or old in reshaped}


def _counts(desk: Desk, after: State, change: Publication) -> pd.DataFrame:
    pieces = _pieces(change)
    columns = {}
    for basis, column in PEOPLE.items():
        _, sums = sums_in(desk.connection, desk.counting(basis), after, pieces, desk.srid)
        columns[column.name] = sums["people"]
        columns["households"] = sums["households"]
    return pd.DataFrame(columns)
