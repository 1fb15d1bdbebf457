"""Reads what changed from the outbox, in one order for every process, and passes it on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from psycopg import sql

from gis_service.row_rules import CHANNEL
from layers.tiles import REDRAWN

POLL_S = 1.0  # a lost notification costs this much
PAUSE_S = 0.2  # changes that come together are passed on together
RETRY_S = 1.0
BATCH = 2000
log = structlog.get_logger(__name__)

Box = tuple[float, float, float, float]
Position = tuple[int, int]  # (xid, id) of an outbox row

# Settled rows only: every transaction that began before theirs has ended, so none can still come
# in before them. Core has no row comparison with xid8, hence text.
_READ = """
    select xid::text::bigint, id, layer, st_xmin(touched), st_ymin(touched), st_xmax(touched),
           st_ymax(touched)
    from outbox
    where (xid, id) > (%s::text::xid8, %s) and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by outbox.xid, outbox.id limit %s
"""
_SINCE = """
    select xid::text::bigint, id from outbox
    where xid < pg_snapshot_xmin(pg_current_snapshot()) and at < now() - make_interval(mins => %s)
    order by outbox.xid desc, outbox.id desc limit 1
"""
_LISTEN = sql.SQL("listen {}").format(sql.Identifier(CHANNEL))


@dataclass(frozen=True)
class Change:
    """One settled row of the outbox.

    Parameters
    ----------
    layer
        Name of the layer; where `redrawn`, only its tiles changed (coarser outlines, counts).
    box
        West, south, east, north in degrees of what was touched; None for everything.
    """

    xid: int
    id: int
    layer: str
    redrawn: bool
    box: Box | None

    @property
    def position(self) -> Position:
        """Its place in the order of changes."""
        return (self.xid, self.id)


def change_of(row: Sequence[Any]) -> Change:
    """Return an outbox row as a change."""
    xid, number, name, *corners = row
    box = None if corners[0] is None else (corners[0], corners[1], corners[2], corners[3])
    return Change(xid, number, name.removeprefix(REDRAWN), name.startswith(REDRAWN), box)


class OutboxReader:
    """Follows the outbox over a connection of its own and hands each batch to `take`.

    Parameters
    ----------
    url
        The database as the service's role.
    take
        Called with every batch, in order, never twice at once.
    replay_minutes
        How far back the first reading starts.
    """

    def __init__(
        self,
        url: str,
        take: Callable[[Sequence[Change]], Awaitable[None]],
        *,
        replay_minutes: int,
    ) -> None:
        self._url = url
        self._take = take
        self._replay_minutes = replay_minutes
        self._position: Position | None = None
        self._alive_at = float("-inf")
        self.caught_up = asyncio.Event()  # set when the outbox was first read to its end

    @property
    def is_current(self) -> bool:
        """Say whether the outbox was read to its end a moment ago."""
        return time.monotonic() - self._alive_at < 3 * POLL_S

    async def run(self) -> None:
        """Follow the outbox until cancelled; a lost connection is opened again."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, application_name="gis-outbox"
                ) as connection:
                    await self._follow(connection)
            except psycopg.Error as error:
                log.warning("outbox connection lost", reason=str(error))
                await asyncio.sleep(RETRY_S)

    async def _follow(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(_LISTEN)
        if self._position is None:
            self._position = await self._start(connection)
        while True:
            await self._read_to_end(connection)
            with contextlib.suppress(TimeoutError):
                async for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                    await asyncio.sleep(PAUSE_S)

    async def _start(self, connection: psycopg.AsyncConnection[Any]) -> Position:
        cursor = await connection.execute(_SINCE, [self._replay_minutes])
        row = await cursor.fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    async def _read_to_end(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while await self._read_some(connection) == BATCH:
            pass
        self._alive_at = time.monotonic()
        self.caught_up.set()

    async def _read_some(self, connection: psycopg.AsyncConnection[Any]) -> int:
        """Pass on the next changes, and return how many there were."""
        assert self._position is not None
        xid, number = self._position
        cursor = await connection.execute(_READ, [str(xid), number, BATCH])
        changes = [change_of(row) for row in await cursor.fetchall()]
        if changes:
            await self._take(changes)
            self._position = changes[-1].position
        return len(changes)
