"""Plans as rows: read and written in the caller's transaction, states replayed from the log."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grid_boundaries.errors import Conflict, NotFound
from grid_boundaries.outbox import outbox
from grid_boundaries.plan_state import Grid, State, state_bytes, state_from, state_of
from grid_boundaries.plan_store import grid_lock, plan, plan_base, plan_comment, stroke
from grid_boundaries.plans import replayed
from grid_boundaries.store import block, grid, grid_block
from grid_boundaries.strokes import Stroke, is_cutting, stroke_from, touched, wire_of, word_of
from grid_boundaries.view import View, narrowed

Record = Row[Any, Any, Any]
STATES_KEPT = 64
PUBLISHING = 7_310_925  # advisory lock: publications come one after the other


class States:
    """The states that were asked for last, so that a stroke need not replay its plan."""

    def __init__(self, most: int = STATES_KEPT) -> None:
        self._kept: OrderedDict[str, State] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def get(self, key: str) -> State | None:
        """Return a state by its key, if it is still kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: str, state: State) -> State:
        """Keep a state and return it."""
        with self._lock:
            self._kept[key] = state
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return state


def await_publication(connection: Connection) -> None:
    """Wait until nobody publishes, and let nobody begin to before this transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(PUBLISHING)))


def in_force(connection: Connection, view: View, unit_path: str) -> State:
    """Return the blocks and grids in force in a unit, as the base of a plan."""
    blocks = (
        select(block.c.id, grid_block.c.grid_code)
        .outerjoin(
            grid_block,
            (grid_block.c.block_id == block.c.id) & grid_block.c.valid_to.is_(None),
        )
        .where(block.c.valid_to.is_(None), block.c.unit_path.startswith(unit_path))
        .order_by(block.c.id)
    )
    rows = connection.execute(narrowed(blocks, view, block.c.unit_path)).all()
    grid_of = {row.id: row.grid_code for row in rows}
    names = tuple(Grid.__dataclass_fields__)
    grids = (
        select(*(grid.c[name] for name in names))
        .where(grid.c.valid_to.is_(None), grid.c.unit_path.startswith(unit_path))
        .order_by(grid.c.code)
    )
    found = [Grid(*row) for row in connection.execute(narrowed(grids, view, grid.c.unit_path))]
    known = {one.code for one in found}
    # a block that a grid of another unit holds is that unit's plan's business
    return state_of({b: code for b, code in grid_of.items() if code in known or not code}, found)


def keep_base(connection: Connection, state: State, unit_path: str) -> str:
    """Store what a plan starts from, once for all of its unit that do; return its hash."""
    digest = state.digest()
    row = {"hash": digest, "unit_path": unit_path, "body": zlib.compress(state_bytes(state), 6)}
    connection.execute(upsert(plan_base).values(row).on_conflict_do_nothing())
    return digest


def plan_row(
    connection: Connection, view: View, plan_id: int, *, for_update: bool = False
) -> Record:
    """Return a plan's row; for update, nobody else changes the plan until the transaction ends.

    Raises
    ------
    NotFound
        There is no such plan in the view's scope.
    """
    statement = narrowed(select(plan).where(plan.c.id == plan_id), view, plan.c.unit_path)
    row = connection.execute(statement.with_for_update() if for_update else statement)
    found = row.one_or_none()
    if found is None:
        raise NotFound(
            "no-such-plan",
            f"在您的辖区内没有方案 {plan_id}",
            f"There is no plan {plan_id} within your area",
            plan=plan_id,
        )
    return found


def plan_rows(connection: Connection, view: View) -> list[Record]:
    """Return the plans of the view's scope, the newest first."""
    statement = narrowed(select(plan), view, plan.c.unit_path).order_by(plan.c.id.desc())
    return list(connection.execute(statement))


def new_plan(connection: Connection, state: State, values: Mapping[str, Any]) -> int:
    """Store a draft that starts from a state, and return its number."""
    base = keep_base(connection, state, values["unit_path"])
    statement = insert(plan).values(base_hash=base, **values).returning(plan.c.id)
    return int(connection.execute(statement).scalar_one())


def base_of(connection: Connection, view: View, row: Record, states: States) -> State:
    """Return what a plan started from."""
    kept = states.get(row.base_hash)
    if kept is not None:
        return kept
    own = (plan_base.c.unit_path == row.unit_path, plan_base.c.hash == row.base_hash)
    statement = select(plan_base.c.body).where(*own)
    body = connection.execute(narrowed(statement, view, plan_base.c.unit_path)).scalar_one()
    return states.keep(row.base_hash, state_from(zlib.decompress(body)))


def state_at(connection: Connection, view: View, row: Record, states: States) -> State:
    """Return what a plan says at its cursor, replayed from the nearest state that is kept."""
    newest = _log(view, row).where(stroke.c.position == row.cursor)
    last = connection.scalar(newest.with_only_columns(stroke.c.id))
    known = None if last is None else states.get(f"stroke {last}")
    if known is not None:
        return known
    ids = log_ids(connection, view, row)
    start = len(ids)
    while start and states.get(f"stroke {ids[start - 1]}") is None:
        start -= 1
    kept = states.get(f"stroke {ids[start - 1]}") if start else None
    state = base_of(connection, view, row, states) if kept is None else kept
    if start == len(ids):
        return state
    bodies = select(stroke.c.body).where(stroke.c.id.in_(ids[start:])).order_by(stroke.c.position)
    rows = connection.scalars(narrowed(bodies, view, stroke.c.unit_path))
    state = replayed(state, tuple(map(stroke_from, rows)))
    return states.keep(f"stroke {ids[-1]}", state)


def log_ids(connection: Connection, view: View, row: Record) -> list[int]:
    """Return the strokes in force of a plan, the first one first."""
    in_force = _log(view, row).where(stroke.c.position <= row.cursor)
    return list(connection.scalars(in_force.with_only_columns(stroke.c.id)))


def log_rows(connection: Connection, view: View, row: Record) -> list[Record]:
    """Return the strokes of a plan, those that were undone too, the first one first."""
    return list(connection.execute(_log(view, row)))


def refuse_stale(
    connection: Connection, view: View, row: Record, base_version: int, names: Collection[str]
) -> None:
    """Refuse a change that was made without knowing of another one to the same ground.

    Parameters
    ----------
    base_version
        The plan's version that the planner saw.
    names
        Blocks and grids to be changed.

    Raises
    ------
    Conflict
        Since that version somebody changed one of them, or the plan as a whole.
    """
    if base_version == row.version:
        return
    if not row.floor_version <= base_version <= row.version:
        raise _changed(row.id, row.version, row.changed_by, row.changed_at, row.changed_what, [])
    since = _log(view, row).where(
        stroke.c.version > base_version, stroke.c.touched.overlap(sorted(names))
    )
    found = connection.execute(since).first()
    if found is not None:
        both = sorted(set(found.touched) & set(names))
        what = word_of(stroke_from(found.body))
        raise _changed(row.id, row.version, found.actor, found.at, what, both)


def refuse_other_version(row: Record, base_version: int) -> None:
    """Refuse a change of the whole plan that was made without knowing of its last change.

    Raises
    ------
    Conflict
        The plan is at another version.
    """
    if base_version != row.version:
        raise _changed(row.id, row.version, row.changed_by, row.changed_at, row.changed_what, [])


def add_stroke(
    connection: Connection, row: Record, one: Stroke, before: State, actor: str, now: datetime
) -> tuple[int, Record]:
    """Write a stroke at the cursor; what had been undone can not come back.

    Returns
    -------
    tuple
        The stroke's id, and the plan's row as it is now.
    """
    later = (stroke.c.plan_id == row.id, stroke.c.position > row.cursor)
    connection.execute(update(stroke).where(*later).values(dropped=True))
    blocks, grids = touched(one, before)
    body = wire_of(one)
    values = {
        "plan_id": row.id, "position": row.cursor + 1, "version": row.version + 1,
        "body": body, "touched": sorted(blocks | grids), "actor": actor, "at": now,
        "unit_path": row.unit_path,
    }  # fmt: skip
    written = connection.execute(insert(stroke).values(values).returning(stroke.c.id))
    # a cut renames ground, so a planner who has not seen it must look again
    floor = {"floor_version": row.version + 1} if is_cutting(one) else {}
    number = int(written.scalar_one())
    changed = change_plan(connection, row, actor, now, word_of(one), cursor=row.cursor + 1, **floor)
    return number, changed


def change_plan(
    connection: Connection, row: Record, actor: str, now: datetime, what: str, **values: Any
) -> Record:
    """Change a plan's row, with who, when and what, and announce it as the layer ``plan:{id}``.

    Returns
    -------
    Row
        The row as it is now.
    """
    changed = {"version": row.version + 1, "changed_by": actor, "changed_at": now,
               "changed_what": what, **values}  # fmt: skip
    statement = update(plan).where(plan.c.id == row.id).values(changed).returning(plan)
    written = connection.execute(statement).one()
    told = func.pg_notify("gis_outbox", f"plan:{row.id}")
    connection.execute(insert(outbox).values(layer=f"plan:{row.id}").returning(told))
    return written


def comments(connection: Connection, view: View, plan_id: int) -> list[Record]:
    """Return the comments on a plan, the oldest first."""
    statement = select(plan_comment).where(plan_comment.c.plan_id == plan_id)
    ordered = narrowed(statement, view, plan_comment.c.unit_path).order_by(plan_comment.c.id)
    return list(connection.execute(ordered))


def lock_grids(
    connection: Connection, row: Record, codes: Collection[str], actor: str, until: datetime
) -> None:
    """Let the others know that an actor is at some grids; a lock of one's own is prolonged."""
    for code in sorted(codes):
        values = {"plan_id": row.id, "grid_code": code, "actor": actor, "until": until,
                  "unit_path": row.unit_path}  # fmt: skip
        statement = upsert(grid_lock).values(values)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["plan_id", "grid_code"], set_={"actor": actor, "until": until}
            )
        )


def unlock_grids(connection: Connection, plan_id: int, actor: str) -> None:
    """Take away an actor's locks on a plan's grids."""
    mine = (grid_lock.c.plan_id == plan_id, grid_lock.c.actor == actor)
    connection.execute(delete(grid_lock).where(*mine))


def locks(connection: Connection, view: View, plan_id: int, now: datetime) -> list[Record]:
    """Return the locks in force on a plan's grids."""
    statement = select(grid_lock).where(grid_lock.c.plan_id == plan_id, grid_lock.c.until > now)
    ordered = narrowed(statement, view, grid_lock.c.unit_path).order_by(grid_lock.c.grid_code)
    return list(connection.execute(ordered))


def refuse_locked(found: Collection[Record], codes: Collection[str], actor: str) -> None:
    """Refuse a change to a grid that somebody else is at.

    Raises
    ------
    Conflict
        Who is at which grid, and until when.
    """
    for lock in found:
        if lock.grid_code in codes and lock.actor != actor:
            raise Conflict(
                "grid-locked",
                f"{lock.actor} 正在修改网格 {lock.grid_code}；请稍候，或明确选择仍要修改",
                f"{lock.actor} is at grid {lock.grid_code}; wait, or go over the lock knowingly",
                grid=lock.grid_code,
                by=lock.actor,
                until=lock.until.isoformat(),
            )


def _log(view: View, row: Record) -> Select[Any]:
    mine = (stroke.c.plan_id == row.id, stroke.c.dropped.is_(False))
    strokes = select(stroke).where(*mine).order_by(stroke.c.position)
    return narrowed(strokes, view, stroke.c.unit_path)


def _changed(
    plan_id: int, version: int, who: str, when: datetime, what: str, both: list[str]
) -> Conflict:
    return Conflict(
        "plan-changed",
        f"{who} 已于 {when:%Y-%m-%d %H:%M:%S} 修改了方案（{what}）；请刷新后再决定",
        f"{who} changed the plan ({what}) at {when:%Y-%m-%d %H:%M:%S}; look at it and decide",
        plan=plan_id,
        version=version,
        by=who,
        at=when.isoformat(),
        what=what,
        both=both,
        choices=["keep", "take", "fork"],
    )
