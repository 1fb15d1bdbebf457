"""Plans looked at and agreed on: checks, differences, merges, submission, approval, comments."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import shapely
from geopandas import GeoSeries
from sqlalchemy import insert, select

from gis_service.plan_requests import Merging, Remark, Submission
from gis_service.planning import Desk, draw_all, refuse_status, told
from grid_boundaries import plan_records as records
from grid_boundaries.blocks import neighbours
from grid_boundaries.checks import Fault, Standards, checks, hard_faults
from grid_boundaries.codes import profile
from grid_boundaries.errors import Conflict, NotAllowed, Refused
from grid_boundaries.landmarks import Landmarks
from grid_boundaries.merging import merged
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State
from grid_boundaries.plan_store import plan_comment
from grid_boundaries.plans import changed
from grid_boundaries.rules import rules_from
from grid_boundaries.store import county
from layers.block_sums import KeptSums
from layers.plan_ground import SHORTEST_BORDER_M, KeptShapes, shapes_of, shapes_within
from layers.plan_ground import villages_of as village_codes
from layers.plan_lie import Lie, ground_under, lie_of, refined_lie
from layers.plan_lines import KeptLines

MOST_LIES = 4
INHERITED_FOR = timedelta(minutes=1)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Lies:
    """How blocks lie, kept for the grounds that were asked for last: a plan's moves keep it."""

    kept: OrderedDict[tuple[Any, ...], Lie] = field(default_factory=OrderedDict)
    faulty: dict[tuple[Any, ...], tuple[datetime, frozenset[str]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def inherited(self, desk: Desk, row: Record) -> frozenset[str]:
        """Return the keys of the faults that a plan's base has, as they were a minute ago."""
        rules = tuple(sorted((name, str(rule)) for name, rule in row.rules.items()))
        key = (row.base_hash, *desk.view.scope, row.basis, rules)
        found_at, keys = self.faulty.get(key, (NEVER, frozenset[str]()))
        if desk.now - found_at > INHERITED_FOR:
            keys = frozenset(fault.key for fault in faults(desk, row, self, desk.base(row)))
            if len(self.faulty) >= MOST_LIES:
                self.faulty.clear()
            self.faulty[key] = (desk.now, keys)
        return keys

    def of(self, desk: Desk, row: Record, state: State) -> Lie:
        """Return how the blocks of a plan lie; after cuts only what is round them is looked at."""
        base = desk.base(row)
        scope = (row.base_hash, *desk.view.scope)
        known = self._kept(scope, lambda: lie_of(desk.connection, desk.view, base, desk.srid))
        if base.shapes == state.shapes:
            return known
        key = (*scope, *sorted(state.shapes.items()))
        return self._kept(
            key,
            lambda: refined_lie(desk.connection, desk.view, known, base, state, desk.srid),
        )

    def _kept(self, key: tuple[Any, ...], find: Callable[[], Lie]) -> Lie:
        with self.lock:
            found = self.kept.get(key)
        if found is None:
            found = find()
            with self.lock:
                self.kept[key] = found
                while len(self.kept) > MOST_LIES:
                    self.kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class PlanCaches:
    """What one process remembers of plans; all of it can be had anew from the database."""

    states: records.States = field(default_factory=records.States)
    near: Lies = field(default_factory=Lies)
    sums: KeptSums = field(default_factory=KeptSums)
    shapes: KeptShapes = field(default_factory=KeptShapes)
    lines: KeptLines = field(default_factory=KeptLines)


def faults(desk: Desk, row: Record, near: Lies, state: State) -> list[Fault]:
    """Return what is wrong with a state of a plan."""
    counting = desk.counting(row.basis)
    ground = ground_under(desk.connection, counting, state, near.of(desk, row, state), desk.srid)
    return checks(state, ground, standards(desk, row, state))


def standards(desk: Desk, row: Record, state: State) -> Standards:
    """Return what a plan's grids are held to."""
    kind = desk.connection.execute(select(county.c.profile)).scalar_one()
    return Standards(
        rules_from(row.rules),
        row.basis,
        profile(kind),
        village_codes(desk.connection, desk.view, row.unit_path),
        frozenset(state.grids.keys() - desk.base(row).grids.keys()),
    )


def checked(desk: Desk, row: Record, near: Lies) -> dict[str, Any]:
    """Return the faults of a plan; those that its base had already are marked as inherited.

    A hard fault that the plan makes, or that lies in a block or grid that it changes, stops its
    publication.
    """
    state, base = desk.state(row), desk.base(row)
    found, lie = faults(desk, row, near, state), near.of(desk, row, state)
    before = near.inherited(desk, row)
    blocks, grids = changed(base, state)
    return {
        "plan": row.id,
        "version": row.version,
        "basis": row.basis,
        "rules": _rules_said(row),
        "faults": [
            {
                **fault.wire,
                "box": lie.box(fault.blocks or state.blocks_of(fault.grid)),
                "inherited": fault.key in before,
                "stops": fault.severity == "hard" and fault.concerns(blocks, grids),
                "accepted_by": row.accepted.get(fault.key),
            }
            for fault in found
        ],
    }


def _rules_said(row: Record) -> dict[str, dict[str, str]]:
    said = {name: rule.says(row.basis) for name, rule in rules_from(row.rules).items()}
    return {name: {"zh": zh, "en": en} for name, (zh, en) in said.items()}


def refuse_faulty(desk: Desk, row: Record, near: Lies, accepted: Collection[str]) -> frozenset[str]:
    """Refuse a plan that makes something worse, unless it is soft and accepted by name.

    Returns
    -------
    frozenset
        The keys accepted that are faults of the plan; others are no news of it.

    Raises
    ------
    Refused
        The faults, in words and by key.
    """
    found = checked(desk, row, near)["faults"]
    new = [fault for fault in found if not fault["inherited"]]
    hard = [fault for fault in new if fault["severity"] == "hard"]
    if hard:
        raise faulty("plan-faulty", hard)
    left = [fault for fault in new if fault["key"] not in accepted]
    if left:
        raise faulty("faults-not-accepted", left)
    return frozenset(accepted) & {fault["key"] for fault in found}


def refuse_hard(desk: Desk, row: Record, before: State, after: State, shapes: GeoSeries) -> None:
    """Refuse to put a plan in force with a hard fault in what it changes.

    Parameters
    ----------
    before
        What is in force.
    shapes
        Of all blocks of the plan, by id, metres.

    Raises
    ------
    Refused
        The faults, in words and by key.
    """
    touching = neighbours(shapes, shortest_m=SHORTEST_BORDER_M)
    lie = Lie(touching, {}, Landmarks())
    ground = ground_under(desk.connection, desk.counting(row.basis), after, lie, desk.srid)
    blocks, grids = changed(before, after)
    found = hard_faults(after, ground, standards(desk, row, after))
    stopping = [fault.wire for fault in found if fault.concerns(blocks, grids)]
    if stopping:
        raise faulty("plan-faulty", stopping)


def faulty(code: str, found: list[dict[str, Any]]) -> Refused:
    """Return the refusal of a plan for some faults."""
    keys, first = [fault["key"] for fault in found], found[0]
    return Refused(
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
    refuse_other_unit(row, other)
    # a plan knows its own past: what it was forked from is the base of both
    base = desk.base(row if row.parent_id == other.id else other)
    before = desk.state(row)

    def near(state: State, blocks: list[str]) -> GeoSeries:
        own = shapes_of(desk.connection, desk.view, state, blocks)
        return shapes_within(desk.connection, desk.view, state, shapely.union_all(own))

    found = merged(base, before, desk.state(other), near, prefer=asked.prefer)
    after = draw_all(desk, plan_id, found.strokes)
    return {
        **told(desk, desk.row(plan_id), before, after),
        "conflicts": [asdict(conflict) for conflict in found.conflicts],
    }


def submit(desk: Desk, plan_id: int, asked: Submission, near: Lies) -> Record:
    """Hand a plan in for approval, with the soft faults that its planner accepts by name."""
    row = desk.draft(plan_id)
    records.refuse_other_version(row, asked.base_version)
    mine = refuse_faulty(desk, row, near, asked.accept)
    accepted = {**row.accepted, **dict.fromkeys(sorted(mine), desk.view.actor)}
    return _changed(
        desk, row, "submitted", accepted=accepted,
        submitted_by=desk.view.actor, submitted_at=desk.now,
    )  # fmt: skip


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
    return _changed(desk, row, "approved", approved_by=desk.view.actor, approved_at=desk.now)


def withdraw(desk: Desk, plan_id: int, base_version: int) -> Record:
    """Take a plan that is handed in, approved or scheduled back to a draft."""
    row = desk.row(plan_id, for_update=True)
    refuse_status(row, "submitted", "approved", "scheduled")
    records.refuse_other_version(row, base_version)
    steps = ("submitted_by", "submitted_at", "approved_by", "approved_at", "publish_on")
    nobody: Mapping[str, Any] = dict.fromkeys(steps)
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


def refuse_other_unit(row: Record, other: Record) -> None:
    """Refuse what needs two plans of one unit.

    Raises
    ------
    Conflict
        They are of two units.
    """
    if row.unit_path != other.unit_path:
        raise Conflict(
            "other-unit",
            f"方案 {row.id} 与 {other.id} 不是同一单位的方案，不能合并或比较",
            f"Plans {row.id} and {other.id} are of two units and cannot be merged or compared",
            plan=row.id,
            other=other.id,
        )
