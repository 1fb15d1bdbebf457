"""One wall's stream of server-sent events, narrowed to who asks and to the unit shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gis_service.access import Asker
from gis_service.events import Event, Hub, Subscription, position_of
from gis_service.hearing import Hearing, message
from gis_service.outbox_reader import Box
from grid_boundaries.errors import NotSignedIn
from grid_boundaries.view import View

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
        self._hearing = Hearing(view, None)
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
            box = await asyncio.to_thread(self._sources.box, self._view)
            self._hearing = Hearing(self._view, box)
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
            yield message("snap", {"workers": await self._workers()})
        for line in map(self._hearing.line, missed or ()):
            if line is not None:
                yield line
        yield await self._kpi_line()

    async def _workers(self) -> Any:
        if "workers" not in self._view.rights:
            return {}
        return await asyncio.to_thread(self._sources.snapshot, self._view)

    async def _next(self, own: Subscription) -> AsyncIterator[bytes]:
        line = self._told(await self._heard(own))
        if line is not None:
            yield line
        if self._kpi_due and time.monotonic() - self._kpi_at >= KPI_PAUSE_S:
            yield await self._kpi_line()

    async def _heard(self, own: Subscription) -> Event | None:
        """Return the next event; None where it was silent for long enough."""
        wait_s = KPI_PAUSE_S if self._kpi_due else self._silence_s
        try:
            return await asyncio.wait_for(own.queue.get(), wait_s)
        except TimeoutError:
            return None

    def _told(self, event: Event | None) -> bytes | None:
        if event is None:
            return None if self._kpi_due else BEAT
        self._kpi_due = self._kpi_due or event.layer in KPI_LAYERS
        return self._hearing.line(event)

    async def _kpi_line(self) -> bytes:
        self._kpi_due, self._kpi_at = False, time.monotonic()
        return message("kpi", await asyncio.to_thread(self._sources.kpis, self._view))
