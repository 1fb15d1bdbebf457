"""Plans as planners work on them: started, drawn, undone; every answer has the live numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import shapely
from geopandas import GeoSeries
from sqlalchemy import Connection

from gis_service.plan_area import unit_path_of
from gis_service.plan_requests import Drawing, NewPlan, StrokeAsked
from gis_service.plan_strokes import Board, stroke_of
from grid_boundaries import plan_records as records
from grid_boundaries.crs import in_metres
from grid_boundaries.errors import Conflict
from grid_boundaries.numbers import Change, Gauge, changes, rule_for
from grid_boundaries.plan_records import Record, States
from grid_boundaries.plan_state import Grid, State, known_grid
from grid_boundaries.plans import nothing_to
from grid_boundaries.rules import rules_from
from grid_boundaries.strokes import Stroke, touched
from grid_boundaries.view import View
from layers.block_sums import Counting, KeptSums, plan_sums
from layers.plan_ground import KeptShapes, shapes_of, sums_in
from layers.plan_lines import KeptLines
from layers.read import the_county


@dataclass(frozen=True)
class Desk:
    """What one request on plans works with.

    Parameters
    ----------
    connection
        In a transaction in the view's scope.
    """

    connection: Connection
    view: View
    now: datetime
    states: States = field(default_factory=States)
    sums: KeptSums | None = None
    shapes: KeptShapes | None = None
    lines: KeptLines = field(default_factory=KeptLines)

    def row(self, plan_id: int, *, for_update: bool = False) -> Record:
        """Return a plan's row."""
        return records.plan_row(self.connection, self.view, plan_id, for_update=for_update)

    def draft(self, plan_id: int) -> Record:
        """Return the row of a plan to be changed; nobody else changes it meanwhile."""
        row = self.row(plan_id, for_update=True)
        refuse_status(row, "draft")
        return row

    def state(self, row: Record) -> State:
        """Return what a plan says now."""
        return records.state_at(self.connection, self.view, row, self.states)

    def base(self, row: Record) -> State:
        """Return what a plan started from."""
        return records.base_of(self.connection, self.view, row, self.states)

    def counting(self, basis: str) -> Counting:
        """Return what is counted in blocks."""
        return Counting(self.view, basis, self.now, self.sums)

    @property
    def srid(self) -> int:
        """The county's metric CRS."""
        return the_county(self.connection).metric_srid


def refuse_status(row: Record, *wanted: str) -> None:
    """Refuse what cannot be done to a plan at the point where it is.

    Raises
    ------
    Conflict
        The plan's status is none of those wanted.
    """
    if row.status not in wanted:
        raise Conflict(
            "plan-status",
            f"方案 {row.id} 处于“{row.status}”状态，不能这样做；请另起草案",
            f"Plan {row.id} is {row.status}, so this cannot be done; fork it",
            plan=row.id,
            status=row.status,
            by=row.changed_by,
            at=row.changed_at.isoformat(),
        )


def start(desk: Desk, asked: NewPlan) -> dict[str, Any]:
    """Start a plan and return it."""
    parent = None if asked.from_plan is None else desk.row(asked.from_plan)
    if parent is None:
        path = unit_path_of(desk.connection, desk.view, asked.unit)
        # blocks and grids are two statements: a publication between them would tear the plan
        records.await_publication(desk.connection)
        state = records.in_force(desk.connection, desk.view, path)
    else:
        path, state = parent.unit_path, desk.state(parent)
    rules = {} if parent is None else dict(parent.rules)
    rules |= {name: _plain(rule) for name, rule in asked.rules.items()}
    values = {
        "title": asked.title,
        "unit_path": path,
        "basis": asked.basis or _basis(desk, parent),
        "rules": {name: rule.wire for name, rule in rules_from(rules).items()},
        "parent_id": asked.from_plan,
        "created_by": desk.view.actor, "changed_by": desk.view.actor,
        "created_at": desk.now, "changed_at": desk.now, "changed_what": "created",
    }  # fmt: skip
    return described(desk, desk.row(records.new_plan(desk.connection, state, values)))


def draw(desk: Desk, plan_id: int, asked: Drawing) -> dict[str, Any]:
    """Make a stroke on a plan and return what it changed."""
    row = desk.draft(plan_id)
    before = desk.state(row)
    stroke = _stroke(desk, row, before, asked.stroke)
    after = stroke.on(before)
    blocks, grids = touched(stroke, before)
    view, connection = desk.view, desk.connection
    records.refuse_stale(connection, view, row, asked.base_version, blocks | grids)
    if not asked.over_locks:
        held = records.locks(connection, view, row.id, desk.now)
        records.refuse_locked(held, grids, view.actor)
    if after.is_as(before):
        return told(desk, row, before, before)  # no row in the log that undo would step over
    number, changed = records.add_stroke(connection, row, stroke, before, view.actor, desk.now)
    desk.states.keep(f"stroke {number}", after)
    return told(desk, changed, before, after)


def draw_all(desk: Desk, plan_id: int, strokes: Collection[Stroke]) -> State:
    """Make strokes that are known to fit, one after another, and return the state after them."""
    row = desk.row(plan_id)
    state = desk.state(row)
    for stroke in strokes:
        before, state = state, stroke.on(state)
        number, row = records.add_stroke(
            desk.connection, row, stroke, before, desk.view.actor, desk.now
        )
        desk.states.keep(f"stroke {number}", state)
    return state


def step(desk: Desk, plan_id: int, base_version: int, *, back: bool) -> dict[str, Any]:
    """Undo the last stroke of a plan, or make the last one undone again."""
    row = desk.draft(plan_id)
    records.refuse_other_version(row, base_version)
    log = records.log_rows(desk.connection, desk.view, row)
    cursor = row.cursor + (-1 if back else 1)
    if not 0 <= cursor <= len(log):
        raise nothing_to("undo" if back else "redo")
    before = desk.state(row)
    what = "undo" if back else "redo"
    changed = records.change_plan(
        desk.connection, row, desk.view.actor, desk.now, what,
        cursor=cursor, floor_version=row.version + 1,
    )  # fmt: skip
    return told(desk, changed, before, desk.state(changed))


def told(desk: Desk, row: Record, before: State, after: State) -> dict[str, Any]:
    """Return what a change did: blocks that changed, and the grids' numbers before and after."""
    changed = after.since(before)
    gone = sorted(name for name in before.since(after) if name not in after.grid_of)
    codes = {*changed.values(), *(before.grid_of[name] for name in gone),
             *(before.grid_of.get(name) for name in changed)}  # fmt: skip
    remade = dict(before.grids.items() ^ after.grids.items())  # made, taken away, declared anew
    known = {code for code in (*codes, *remade) if code is not None}
    rules = rules_from(row.rules)
    return {
        "plan": row.id, "version": row.version, "cursor": row.cursor,
        "changed": changed, "gone": gone, "shapes": _new_shapes(before, after),
        "basis": row.basis,
        "grids": [asdict(after.grids[code]) for code in sorted(remade) if code in after.grids],
        "numbers": [
            change.against(rule_for(_grid(before, after, change.grid), rules), row.basis)
            for change in live(desk, row, before, after, known)
        ],
    }  # fmt: skip


def _grid(before: State, after: State, code: str) -> Grid | None:
    return after.grids.get(code) or before.grids.get(code)


def live(
    desk: Desk, row: Record, before: State, after: State, codes: Collection[str]
) -> list[Change]:
    """Return the numbers of grids before and after."""
    counting = desk.counting(row.basis)
    if before.shapes == after.shapes:
        blocks = {*_held(before, codes), *_held(after, codes)}
        if desk.shapes is not None and not after.shapes:
            return changes(before, after, _kept_gauge(desk, row, counting, after, blocks), codes)
        return changes(before, after, _gauge(desk, counting, after, blocks, desk.srid), codes)
    srid = desk.srid
    first = _gauge(desk, counting, before, _held(before, codes), srid)
    then = _gauge(desk, counting, after, _held(after, codes), srid)
    return changes(before, after, first, codes, then=then)


def described(desk: Desk, row: Record) -> dict[str, Any]:
    """Return a plan as it is answered."""
    names = (
        "id", "title", "status", "unit_path", "basis", "rules", "base_hash", "parent_id", "cursor",
        "version", "created_by", "created_at", "changed_by", "changed_at", "changed_what",
        "submitted_by", "submitted_at", "approved_by", "approved_at", "publish_on",
        "published_at", "accepted", "outcome",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def whole(desk: Desk, row: Record) -> dict[str, Any]:
    """Return a plan with its log, locks and hash."""
    log = records.log_rows(desk.connection, desk.view, row)
    held = records.locks(desk.connection, desk.view, row.id, desk.now)
    return {
        **described(desk, row),
        "hash": desk.state(row).digest(),
        "strokes": [
            {"position": one.position, "actor": one.actor, "at": one.at,
             "kind": one.body.get("what", one.body["kind"]),
             "in_force": one.position <= row.cursor} for one in log
        ],
        "locks": [
            {"grid": lock.grid_code, "by": lock.actor, "until": lock.until} for lock in held
        ],
    }  # fmt: skip


def assignment(desk: Desk, row: Record) -> dict[str, Any]:
    """Return which grid holds each block of a plan, its grids, and the shapes it has changed."""
    state = desk.state(row)
    return {
        "version": row.version,
        "blocks": state.grid_of,
        "grids": [asdict(grid) for grid in state.grids.values()],
        "shapes": {name: _geojson(wkb) for name, wkb in state.shapes.items()},
    }


def lock(desk: Desk, plan_id: int, codes: Collection[str], minutes: int) -> dict[str, Any]:
    """Let the others know who is at some grids; somebody else's locks are not taken."""
    row = desk.draft(plan_id)
    state = desk.state(row)
    for code in codes:
        known_grid(state, code)
    held = records.locks(desk.connection, desk.view, row.id, desk.now)
    records.refuse_locked(held, codes, desk.view.actor)
    until = desk.now + timedelta(minutes=minutes)
    records.lock_grids(desk.connection, row, codes, desk.view.actor, until)
    return {"grids": sorted(codes), "by": desk.view.actor, "until": until}


def _stroke(desk: Desk, row: Record, state: State, asked: StrokeAsked) -> Stroke:
    # the plan's number keeps new grids of the plans of one base apart
    new_code = f"{row.id}.{row.version + 1}"
    return stroke_of(
        Board(desk.connection, desk.view, state, new_code, desk.srid, row.unit_path), asked
    )


def _gauge(
    desk: Desk, counting: Counting, state: State, blocks: Collection[str], srid: int
) -> Gauge:
    shapes, sums = sums_in(desk.connection, counting, state, blocks, srid)
    return Gauge(sums, shapes, desk.lines.of(desk.connection, desk.view, srid))


def _kept_gauge(
    desk: Desk, row: Record, counting: Counting, state: State, blocks: Collection[str]
) -> Gauge:
    def read() -> GeoSeries:
        every = shapes_of(desk.connection, desk.view, state, within=row.unit_path)
        return in_metres(every, desk.srid)

    kept = desk.shapes or KeptShapes()
    shapes = kept.of(row.base_hash, blocks, read)
    return Gauge(plan_sums(desk.connection, counting, blocks, shapes), shapes)


def _held(state: State, codes: Collection[str]) -> set[str]:
    return {name for code in codes for name in state.blocks_of(code)}


def _new_shapes(before: State, after: State) -> Mapping[str, Any]:
    """Return the shapes that a change gave blocks, as GeoJSON."""
    if before.shapes is after.shapes:
        return {}
    return {
        name: _geojson(wkb) for name, wkb in after.shapes.items() if before.shapes.get(name) != wkb
    }


def _geojson(wkb: bytes) -> Any:
    return shapely.geometry.mapping(shapely.from_wkb(wkb))


def _basis(desk: Desk, parent: Record | None) -> str:
    return the_county(desk.connection).population_basis if parent is None else parent.basis


def _plain(rule: Any) -> Any:
    return rule if isinstance(rule, str) else rule.model_dump()
