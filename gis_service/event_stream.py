"""One wall's stream of server-sent events, narrowed to who asks and to the unit shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from gis_service.access import Asker, may_see
from gis_service.events import (
    INCIDENT_COLUMNS,
    WORKER_COLUMNS,
    Event,
    Hub,
    Subscription,
    columns,
    position_of,
)
from gis_service.outbox_reader import Box
from grid_boundaries.errors import NotSignedIn
from grid_boundaries.view import View
from layers.registry import LAYERS

LONGEST_SILENCE_S = 10.0
# a comment keeps proxies awake; a page's script hears only events
BEAT = b": still here\nevent: beat\ndata: {}\n\n"
KPI_PAUSE_S = 5.0
KPI_LAYERS = frozenset({"incidents", "visits", "workers", "cameras", "coverage", "grids"})

Figures = Callable[[View], Any]


@dataclass(frozen=True)
class Sources:
    """Where a stream takes what the hub does not tell; each may block.

    Parameters
    ----------
    snapshot
        Gives the workers on duty, as columns.
    kpis
        Gives the figures.
    box
        Gives the bounds of the view's scope in degrees.
    asker
        Gives who asks, as they are by now; NotSignedIn where they are no longer let in.
    """

    snapshot: Figures
    kpis: Figures
    box: Callable[[View], Box | None]
    asker: Callable[[], Awaitable[Asker]]


PLAN_LAYER = "plan:"  # strokes on a plan are announced as the layer plan:{id}


class EventStream:
    """One stream; iterate over `lines` and send what comes."""

    def __init__(
        self, hub: Hub, asker: Asker, view: View, sources: Sources, silence_s: float
    ) -> None:
        self._hub = hub
        self._asker = asker
        self._view = view
        self._sources = sources
        self._silence_s = min(silence_s, LONGEST_SILENCE_S)
        self._box: Box | None = None
        self._kpi_due = False
        self._kpi_at = float("-inf")

    async def lines(self, last_id: str) -> AsyncIterator[bytes]:
        """Yield the stream: a replay or a snapshot, then events; a comment in each silence.

        It ends when the sign-in runs out, the asker is blocked or given another role or scope,
        or the stream could not keep up.
        """
        with self._hub.subscribed() as own:
            position = position_of(last_id)
            # before anything is awaited: what comes later is in the queue, once
            missed = None if position is None else self._hub.since(position)
            self._box = await asyncio.to_thread(self._sources.box, self._view)
            yield b"retry: 2000\n\n"
            async for line in self._opening(missed):
                yield line
            while not own.lost and await self._is_welcome():
                async for line in self._next(own):
                    yield line

    async def _is_welcome(self) -> bool:
        if datetime.now(UTC) >= self._asker.until:
            return False
        try:
            return (await self._sources.asker()).view == self._asker.view
        except NotSignedIn:
            return False

    async def _opening(self, missed: Sequence[Event] | None) -> AsyncIterator[bytes]:
        if missed is None:
            workers = {}
            if "workers" in self._view.rights:
                workers = await asyncio.to_thread(self._sources.snapshot, self._view)
            yield message("snap", {"workers": workers})
        for event in missed or ():
            line = self._line(event)
            if line is not None:
                yield line
        yield await self._kpi_line()

    async def _next(self, own: Subscription) -> AsyncIterator[bytes]:
        try:
            wait_s = KPI_PAUSE_S if self._kpi_due else self._silence_s
            event = await asyncio.wait_for(own.queue.get(), wait_s)
        except TimeoutError:
            if not self._kpi_due:
                yield BEAT
        else:
            self._kpi_due = self._kpi_due or event.layer in KPI_LAYERS
            line = self._line(event)
            if line is not None:
                yield line
        if self._kpi_due and time.monotonic() - self._kpi_at >= KPI_PAUSE_S:
            yield await self._kpi_line()

    async def _kpi_line(self) -> bytes:
        self._kpi_due, self._kpi_at = False, time.monotonic()
        return message("kpi", await asyncio.to_thread(self._sources.kpis, self._view))

    def _line(self, event: Event) -> bytes | None:
        """Return what of an event this asker may know; None for nothing."""
        if event.kind == "ver":
            return self._version_line(event)
        if {"pos": "workers", "inc": "incidents"}[event.kind] not in self._view.rights:
            return None
        rows = [row for path, row in event.rows if path.startswith(self._view.scope)]
        if not rows:
            return None
        if event.kind == "pos":
            return message("pos", columns(WORKER_COLUMNS, rows), event.id)
        incident = dict(zip(INCIDENT_COLUMNS, rows[0], strict=True))
        return message("inc", incident, event.id)

    def _version_line(self, event: Event) -> bytes | None:
        layer = LAYERS.get(event.layer)
        if event.layer.startswith(PLAN_LAYER) and "plans" in self._view.rights:
            return message(
                "ver", {"layer": event.layer, "version": event.id, "box": None}, event.id
            )
        if layer is None or not may_see(self._view, layer):
            return None
        box = event.box
        if not layer.shared and box is not None:
            box = _common(box, self._box)
            if box is None:
                return None  # elsewhere: no business of this asker's
        return message("ver", {"layer": event.layer, "version": event.id, "box": box}, event.id)


def message(kind: str, data: Any, number: str | None = None) -> bytes:
    """Return one event as it is sent; the data are one line of JSON."""
    head = b"" if number is None else b"id: " + number.encode() + b"\n"
    return head + b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _common(one: Box, other: Box | None) -> Box | None:
    """Return the part of a box that lies in another; None for nothing."""
    if other is None:
        return None
    west, south = max(one[0], other[0]), max(one[1], other[1])
    east, north = min(one[2], other[2]), min(one[3], other[3])
    return (west, south, east, north) if west <= east and south <= north else None
