"""Plans looked at and agreed on: checks, differences, merges, submission, approval, comments."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

import pandas as pd
import shapely
from sqlalchemy import insert, select

from gis_service.plan_requests import Merging, Remark, Submission
from gis_service.planning import Desk, draw_all, refuse_status, told
from grid_boundaries import plan_records as records
from grid_boundaries.checks import Fault, Standards, checks
from grid_boundaries.codes import profile
from grid_boundaries.cutting import cut
from grid_boundaries.errors import Conflict, NotAllowed, Refused
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State
from grid_boundaries.plan_store import plan_comment
from grid_boundaries.reconcile import reconciled
from grid_boundaries.rules import rules_from
from grid_boundaries.store import county
from layers.block_sums import KeptSums
from layers.plan_ground import (
    KeptShapes,
    ground_under,
    shapes_of,
    shapes_round,
    touching_of,
)
from layers.plan_ground import villages_of as village_codes

MOST_TOUCHING = 4


@dataclass(frozen=True)
class Neighbourhoods:
    """Who borders whom, kept for the grounds that were asked for last: a plan's moves keep it."""

    kept: OrderedDict[tuple[Any, ...], pd.DataFrame] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def of(self, desk: Desk, row: Record, state: State) -> pd.DataFrame:
        """Return the neighbours of all blocks of a plan."""
        key = (row.base_hash, *sorted(state.shapes.items()))
        with self.lock:
            found = self.kept.get(key)
        if found is None:
            found = touching_of(shapes_of(desk.connection, desk.view, state), desk.srid)
            with self.lock:
                self.kept[key] = found
                while len(self.kept) > MOST_TOUCHING:
                    self.kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class PlanCaches:
    """What one process remembers of plans; all of it can be had anew from the database."""

    states: records.States = field(default_factory=records.States)
    near: Neighbourhoods = field(default_factory=Neighbourhoods)
    sums: KeptSums = field(default_factory=KeptSums)
    shapes: KeptShapes = field(default_factory=KeptShapes)


def faults(desk: Desk, row: Record, near: Neighbourhoods, state: State) -> list[Fault]:
    """Return what is wrong with a state of a plan."""
    counting, base = desk.counting(row.basis), desk.base(row)
    touching = near.of(desk, row, state)
    ground = ground_under(desk.connection, counting, state, touching, desk.srid)
    kind = desk.connection.execute(select(county.c.profile)).scalar_one()
    standards = Standards(
        rules_from(row.rules),
        row.basis,
        profile(kind),
        village_codes(desk.connection, desk.view, row.unit_path),
        frozenset(state.grids.keys() - base.grids.keys()),
    )
    return checks(state, ground, standards)


def checked(desk: Desk, row: Record, near: Neighbourhoods) -> dict[str, Any]:
    """Return the faults of a plan; those that its base had already are marked as inherited."""
    found = faults(desk, row, near, desk.state(row))
    before = {fault.key for fault in faults(desk, row, near, desk.base(row))}
    rules = {name: rule.says(row.basis) for name, rule in rules_from(row.rules).items()}
    return {
        "plan": row.id,
        "version": row.version,
        "basis": row.basis,
        "rules": {name: {"zh": zh, "en": en} for name, (zh, en) in rules.items()},
        "faults": [
            {
                **fault.wire,
                "inherited": fault.key in before,
                "accepted_by": row.accepted.get(fault.key),
            }
            for fault in found
        ],
    }


def refuse_faulty(desk: Desk, row: Record, near: Neighbourhoods, accepted: Collection[str]) -> None:
    """Refuse a plan that makes something worse, unless it is soft and accepted by name.

    Raises
    ------
    Refused
        The faults, in words and by key.
    """
    found = [fault for fault in checked(desk, row, near)["faults"] if not fault["inherited"]]
    hard = [fault for fault in found if fault["severity"] == "hard"]
    soft = [fault for fault in found if fault["severity"] == "soft"]
    open_ones = hard or [fault for fault in soft if fault["key"] not in accepted]
    if open_ones:
        first, code = open_ones[0], "plan-faulty" if hard else "faults-not-accepted"
        keys = [fault["key"] for fault in open_ones]
        raise Refused(
            code,
            f"方案有 {len(keys)} 个问题待处理，例如：{first['zh']}",
            f"The plan has {len(keys)} faults to be dealt with, such as: {first['en']}",
            faults=keys[:500],
        )


def merge(desk: Desk, plan_id: int, asked: Merging) -> dict[str, Any]:
    """Take another plan's changes into a plan, and return what changed and what conflicts."""
    row = desk.draft(plan_id)
    records.refuse_other_version(row, asked.base_version)
    other = desk.row(asked.from_plan)
    _refuse_other_unit(row, other)
    # a plan knows its own past: what it was forked from is the base of both
    base = desk.base(row if row.parent_id == other.id else other)
    before = desk.state(row)
    found = reconciled(base, before, desk.state(other), prefer=asked.prefer)
    for block, line in found.cuts:
        state = desk.state(desk.row(plan_id))
        near = shapes_round(desk.connection, desk.view, state, block)
        draw_all(desk, plan_id, [cut(near, block, shapely.from_wkb(line))])
    after = draw_all(desk, plan_id, found.strokes)
    return {
        **told(desk, desk.row(plan_id), before, after),
        "conflicts": [asdict(conflict) for conflict in found.conflicts],
    }


def submit(desk: Desk, plan_id: int, asked: Submission, near: Neighbourhoods) -> Record:
    """Hand a plan in for approval, with the soft faults that its planner accepts by name."""
    row = desk.draft(plan_id)
    records.refuse_other_version(row, asked.base_version)
    refuse_faulty(desk, row, near, asked.accept)
    accepted = {**row.accepted, **dict.fromkeys(asked.accept, desk.view.actor)}
    return _changed(desk, row, "submitted", accepted=accepted, submitted_by=desk.view.actor)


def approve(desk: Desk, plan_id: int, base_version: int) -> Record:
    """Approve a plan that somebody else has handed in.

    Raises
    ------
    NotAllowed
        The asker handed it in, or drew it.
    """
    row = desk.row(plan_id, for_update=True)
    refuse_status(row, "submitted")
    records.refuse_other_version(row, base_version)
    drew = {one.actor for one in records.log_rows(desk.connection, desk.view, row)}
    if desk.view.actor in drew | {row.submitted_by, row.created_by}:
        raise NotAllowed(
            "own-plan",
            "方案须由另一人审批；您参与了编制",
            "Another person approves a plan; you have worked on this one",
            plan=plan_id,
        )
    return _changed(desk, row, "approved", approved_by=desk.view.actor)


def withdraw(desk: Desk, plan_id: int, base_version: int) -> Record:
    """Take a plan that is handed in, approved or scheduled back to a draft."""
    row = desk.row(plan_id, for_update=True)
    refuse_status(row, "submitted", "approved", "scheduled")
    records.refuse_other_version(row, base_version)
    nobody: Mapping[str, Any] = {"submitted_by": None, "approved_by": None, "publish_on": None}
    return _changed(desk, row, "draft", **nobody)


def comment(desk: Desk, row: Record, asked: Remark) -> None:
    """Put a comment to a plan."""
    values = {
        "plan_id": row.id, "actor": desk.view.actor, "at": desk.now, "text": asked.text,
        "about": asked.about, "unit_path": row.unit_path,
    }  # fmt: skip
    desk.connection.execute(insert(plan_comment).values(values))


def _changed(desk: Desk, row: Record, status: str, **values: Any) -> Record:
    records.change_plan(
        desk.connection, row, desk.view.actor, desk.now, status,
        status=status, floor_version=row.version + 1, **values,
    )  # fmt: skip
    return desk.row(row.id)


def _refuse_other_unit(row: Record, other: Record) -> None:
    if row.unit_path != other.unit_path:
        raise Conflict(
            "other-unit",
            f"方案 {row.id} 与 {other.id} 不是同一单位的方案，不能合并",
            f"Plans {row.id} and {other.id} are of two units and cannot be merged",
            plan=row.id,
            other=other.id,
        )
