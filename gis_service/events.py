"""What happened, as events for the walls: kept for a while, passed to every open stream."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg_pool import AsyncConnectionPool

from gis_service.access import system_view
from gis_service.database import enter_scope_async
from gis_service.outbox_reader import Box, Change, Position
from gis_service.tile_cache import TileCache

REPLAY_MINUTES = 20
EVENTS_KEPT = 20_000
QUEUE_LIMIT = 1000
XID_32 = 1 << 32  # a row's xmin is the lower half of the 64-bit transaction id
ROWS_LIMIT = 500  # workers whose places are passed on at once
NEWS_LIMIT = 50  # more incidents at once are a load and no news: only the layer's version is told

Kind = Literal["pos", "inc", "ver"]

WORKER_COLUMNS = ("id", "lon", "lat", "at", "post")
_WORKERS = """
    select unit_path, id, st_x(geom), st_y(geom), located_at, post, on_duty
    from worker where geom && st_makeenvelope(%s, %s, %s, %s, 4490)
    and xmin::text::bigint = any(%s) limit %s
"""
INCIDENT_COLUMNS = (
    "id", "number", "kind", "category", "title", "urgency", "state", "lon", "lat", "occurred_at",
    "grid_code", "grid_name",
)  # fmt: skip
# one row a moment ago is found by who wrote it (xmin), and quickly by where it is
_INCIDENTS = """
    select i.unit_path, i.id, i.number, i.kind, i.category, i.name, i.urgency, i.state,
           st_x(i.geom), st_y(i.geom), i.occurred_at, i.grid_code, g.name
    from incident i left join grid g on g.code = i.grid_code and g.valid_to is null
    where i.geom && st_makeenvelope(%s, %s, %s, %s, 4490)
    and i.xmin::text::bigint = any(%s) order by i.number limit %s
"""


@dataclass(frozen=True)
class Event:
    """One thing to tell.

    Parameters
    ----------
    position
        The change it came from; its text is the event's id.
    rows
        ``pos`` and ``inc``: (unit path, values in the order of the kind's columns) for each row.
    layer, box
        ``ver``: which layer changed and where; a box of None means everywhere.
    """

    position: Position
    kind: Kind
    rows: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    layer: str = ""
    box: Box | None = None

    @property
    def id(self) -> str:
        """The event's id on the wire."""
        return "{}.{}".format(*self.position)


@dataclass(eq=False)
class Subscription:
    """One open stream's queue; `lost` when it was too slow to be served."""

    queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    lost: bool = False


_NOTHING = Event((0, 0), "ver")  # of no layer, so nobody is told


class Hub:
    """Turns changes into events, keeps the latest and hands them to the streams."""

    def __init__(self, pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]]) -> None:
        self._pool = pool
        self.cache: TileCache | None = None  # told of every change
        self._kept: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._streams: set[Subscription] = set()
        self._is_over = False
        self.versions: dict[str, str] = {}  # newest change of each layer that was seen

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    async def take(self, changes: Sequence[Change]) -> None:
        """Take a batch of changes: forget touched tiles, tell the streams."""
        if self.cache is not None:
            self.cache.note(changes)
        for change in changes:
            self.versions[change.layer] = "{}.{}".format(*change.position)
        for event in await self._events(changes):
            self._kept.append(event)
            for stream in self._streams:
                _hand(stream, event)

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """Give a stream's queue for as long as the block lasts."""
        stream = Subscription(lost=self._is_over)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def end(self) -> None:
        """End every stream, and each that is still to come: the service is about to stop."""
        self._is_over = True
        for stream in self._streams:
            stream.lost = True
            # whoever waits is woken; a full queue wakes by itself
            with suppress(asyncio.QueueFull):
                stream.queue.put_nowait(_NOTHING)

    def since(self, position: Position) -> list[Event] | None:
        """Return the events after a position; None where they are not all kept any more.

        None, too, for a position that is still to come: it is of another database.
        """
        if not self._kept or not self._kept[0].position <= position <= self._kept[-1].position:
            return None
        return [event for event in self._kept if event.position > position]

    async def _events(self, changes: Sequence[Change]) -> list[Event]:
        moves, news = await self._moves(changes), await self._news(changes)
        return sorted([*_versions(changes), *moves, *news], key=lambda event: event.position)

    async def _moves(self, changes: Sequence[Change]) -> list[Event]:
        own = _changes_of("workers", changes)
        rows = await self._rows(_WORKERS, own)
        return [Event(own[-1].position, "pos", tuple(map(_moved, rows)))] if rows else []

    async def _news(self, changes: Sequence[Change]) -> list[Event]:
        own = _changes_of("incidents", changes)
        rows = await self._rows(_INCIDENTS, own)
        if len(rows) > NEWS_LIMIT:
            return []
        return [Event(own[-1].position, "inc", (row,)) for row in rows]

    async def _rows(
        self, statement: str, changes: Sequence[Change]
    ) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the rows that the changes wrote, each with its unit path before it."""
        if not changes:
            return []
        box = _hull([change.box for change in changes])
        writers = [change.xid % XID_32 for change in changes]
        values = [*box, writers, ROWS_LIMIT]
        async with self._pool.connection() as connection, connection.transaction():
            await enter_scope_async(connection, system_view())
            cursor = await connection.execute(statement.encode(), values, prepare=True)
            return [(row[0], tuple(row[1:])) for row in await cursor.fetchall()]


def _changes_of(layer: str, changes: Sequence[Change]) -> list[Change]:
    """Return the changes of a layer's rows, without those that only redrew its tiles."""
    return [change for change in changes if change.layer == layer and not change.redrawn]


def position_of(text: str) -> Position | None:
    """Return the position that an event id names; None for anything else."""
    xid, dot, number = text.partition(".")
    if not (dot and xid.isdecimal() and number.isdecimal() and len(text) < 40):
        return None
    return (int(xid), int(number))


def _moved(row: tuple[str, tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    """Return a worker's row for the wire; who went off duty has no place."""
    path, (key, lon, lat, at, post, on_duty) = row
    return path, (key, lon if on_duty else None, lat if on_duty else None, at, post)


def _versions(changes: Sequence[Change]) -> Iterator[Event]:
    by_layer: dict[str, list[Change]] = {}
    for change in changes:
        by_layer.setdefault(change.layer, []).append(change)
    for layer, own in by_layer.items():
        boxes = [change.box for change in own]
        box = None if None in boxes else _hull(boxes)
        yield Event(own[-1].position, "ver", layer=layer, box=box)


def _hull(boxes: Sequence[Box | None]) -> Box:
    known = [box for box in boxes if box is not None]
    if len(known) < len(boxes):
        return (-180.0, -90.0, 180.0, 90.0)
    wests, souths, easts, norths = zip(*known, strict=True)
    return (min(wests), min(souths), max(easts), max(norths))


def _hand(stream: Subscription, event: Event) -> None:
    try:
        stream.queue.put_nowait(event)
    except asyncio.QueueFull:
        stream.lost = True  # it is closed; the page comes back with its Last-Event-ID


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Mapping[str, list[Any]]:
    """Return rows as one list a column."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
