"""Many strokes written to a new plan at once, as one change of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from grid_boundaries.plan_records import Record, change_plan
from grid_boundaries.plan_state import State
from grid_boundaries.plan_store import stroke
from grid_boundaries.strokes import Stroke, touched, wire_of


def log_strokes(
    connection: Connection,
    row: Record,
    base: State,
    strokes: Sequence[Stroke],
    actor: str,
    now: datetime,
    what: str,
) -> None:
    """Write strokes to a plan that has none yet; each can be undone like any other.

    Parameters
    ----------
    base
        What the plan starts from; the strokes fit on it one after another.
    what
        Word that the plan's row keeps of the change.
    """
    rows = [
        {"plan_id": row.id, "position": number, "version": row.version + number,
         "actor": actor, "at": now, "unit_path": row.unit_path, **what_is_said}
        for number, what_is_said in enumerate(_said(base, strokes), start=1)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(stroke), rows)
        last = row.version + len(rows)
        change_plan(connection, row, actor, now, what,
                    cursor=len(rows), version=last, floor_version=last)  # fmt: skip


def _said(base: State, strokes: Sequence[Stroke]) -> Iterator[dict[str, Any]]:
    """Yield what each stroke does and what it touches, one after another."""
    state = base
    for one in strokes:
        blocks, grids = touched(one, state)
        yield {"body": wire_of(one), "touched": sorted(blocks | grids)}
        state = one.on(state)
