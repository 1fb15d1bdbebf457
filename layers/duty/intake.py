"""Reports written once: by client id, so that what is sent again is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from layers.workers import worker

Row = Mapping[str, Any]


def store(connection: Connection, table: Table, rows: Sequence[Row]) -> set[str]:
    """Insert the rows whose `id` is not there yet and return those ids.

    Of two rows with one id in one call the first is taken. A row that a transaction still
    under way is writing is waited for.
    """
    if not rows:
        return set()
    statement = insert(table).on_conflict_do_nothing(index_elements=[table.c.id])
    stored = connection.execute(statement.values(list(rows)).returning(table.c.id))
    return set(stored.scalars())


def digests(connection: Connection, table: Table, ids: Sequence[str]) -> Mapping[str, str]:
    """Return the digest of the body that each id came with first."""
    statement = select(table.c.id, table.c.body_digest).where(table.c.id.in_(ids))
    return {row.id: row.body_digest for row in connection.execute(statement)}


def move_workers(connection: Connection, places: Sequence[Row]) -> None:
    """Put workers where they were last: rows with the columns of `worker`, keyed ``worker_id``.

    A place older than the one known (a phone that was off-line) changes nothing.
    """
    columns = ("geom", "located_at", "unit_path", "block_id", "grid_code", "placed", "on_duty")
    is_newer = or_(worker.c.located_at.is_(None), worker.c.located_at < bindparam("new_located_at"))
    statement = (
        update(worker)
        .where(worker.c.id == bindparam("key"), is_newer)
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    for place in _latest(places):
        row = {f"new_{name}": place[name] for name in columns}
        connection.execute(statement, {"key": place["worker_id"], **row})


def _latest(places: Sequence[Row]) -> list[Row]:
    """Return the newest place of each worker; of two at one moment the first."""
    newest_first = sorted(places, key=lambda place: place["located_at"], reverse=True)
    # the oldest is written first and the newest last; a stable sort keeps the first of equals
    latest = {place["worker_id"]: place for place in reversed(newest_first)}
    # one order for every transaction, so that no two wait for each other
    return [latest[key] for key in sorted(latest)]


def known_workers(connection: Connection, ids: Sequence[str]) -> Mapping[str, str]:
    """Return the home path of each worker of these ids that exists."""
    statement = select(worker.c.id, worker.c.home_path).where(worker.c.id.in_(ids))
    return {row.id: row.home_path for row in connection.execute(statement)}
