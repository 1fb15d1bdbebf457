"""What a serving process holds while it runs: connections, keys, caches, the refresher."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from numpy.random import default_rng
from sqlalchemy import Engine

from gis_service.access import Access
from gis_service.auth import Signer, sign_in_key
from gis_service.database import async_pool, engine_of, opened
from gis_service.demo_life import DemoLife
from gis_service.events import REPLAY_MINUTES, Hub
from gis_service.hotspot_answers import KeptAnswers
from gis_service.ingest import Ingest
from gis_service.metrics import Metrics
from gis_service.outbox_reader import OutboxReader
from gis_service.plan_review import PlanCaches
from gis_service.refresh import Refresher
from gis_service.refresh_process import RefreshProcess
from gis_service.retention import retention_of
from gis_service.settings import Settings
from gis_service.side_process import SideProcess
from gis_service.tile_path import Tiles
from layers.coverage.reach_figures import KeptStreets
from map_ui.paper.pdf import Printer

CATCH_UP_S = 10.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running:
    """One process's share of the service; handlers reach it as ``app.state.running``."""

    settings: Settings
    engine: Engine
    access: Access
    tiles: Tiles
    hub: Hub
    ingest: Ingest
    metrics: Metrics
    plans: PlanCaches = field(default_factory=PlanCaches)
    printer: Printer = field(default_factory=Printer)
    hotspots: KeptAnswers = field(default_factory=KeptAnswers)
    # what is kept of cameras is large, and two kinds of it are asked for
    cameras: KeptAnswers = field(
        default_factory=lambda: KeptAnswers(kept=2, about=("监控点位", "cameras"))
    )
    # an answer about sites may take the seconds that its asker allows
    sites: KeptAnswers = field(
        default_factory=lambda: KeptAnswers(kept=16, wait_s=30.0, about=("选点", "sites"))
    )
    streets: KeptStreets = field(default_factory=KeptStreets)
    beside: SideProcess = field(default_factory=SideProcess)

    def now(self) -> datetime:
        """Return the time in the county's zone."""
        return datetime.now(ZoneInfo(self.settings.time_zone))


@asynccontextmanager
async def running(settings: Settings, metrics: Metrics) -> AsyncIterator[Running]:
    """Give everything a process needs to serve, and put it down again at the end."""
    async with AsyncExitStack() as stack:
        # off the event loop: an embedded database may have to be started
        database = await asyncio.to_thread(stack.enter_context, opened(settings))
        engine = engine_of(database.url, settings)
        stack.callback(engine.dispose)
        pool = async_pool(database.url, settings)
        await pool.open()
        stack.push_async_callback(pool.close)
        hub = Hub(pool)
        reader = OutboxReader(database.url, hub.take, replay_minutes=REPLAY_MINUTES)
        one = _put_together(settings, engine, Tiles(settings, pool, reader, metrics), hub, metrics)
        _before_stop(stack, hub.end)
        await _follow(stack, reader)
        process = RefreshProcess(database.url, settings)
        for work in _works(one, process):
            _in_thread(stack, work)
        stack.callback(process.close)
        stack.callback(one.beside.close)
        yield one


def _put_together(
    settings: Settings, engine: Engine, tiles: Tiles, hub: Hub, metrics: Metrics
) -> Running:
    hub.cache = tiles.cache
    metrics.streams.set_function(lambda: hub.streams)
    signer = Signer(sign_in_key(settings.data_dir), settings.session_hours)
    access = Access(engine, signer)
    return Running(settings, engine, access, tiles, hub, Ingest(engine, metrics), metrics)


async def _follow(stack: AsyncExitStack, reader: OutboxReader) -> None:
    """Read the outbox from now on, and wait until what stands in it has been read."""
    following = asyncio.create_task(reader.run())
    stack.push_async_callback(_ended, following)
    # no stream is open yet, so what happened before is kept for replay and told to nobody as news
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.caught_up.wait(), CATCH_UP_S)


def _works(one: Running, process: RefreshProcess) -> Iterator[Refresher | DemoLife]:
    """Yield what runs beside the requests."""
    settings, engine = one.settings, one.engine
    kept = retention_of(settings)
    pause_s = settings.refresh_interval_s
    yield Refresher(engine, one.metrics, pause_s, one.now, kept, process.run)
    if settings.demo:
        yield DemoLife(engine, one.ingest, settings.demo_interval_s, one.now, default_rng())


def _before_stop(stack: AsyncExitStack, act: Callable[[], None]) -> None:
    """Act as soon as a signal asks the process to stop, before the server waits for its answers.

    An open stream would else be waited for until patience ends, and be cut off.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals are the main thread's
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        known = signal.getsignal(number)

        def told(number: int, frame: FrameType | None, known: Any = known) -> None:
            loop.call_soon_threadsafe(act)
            if callable(known):
                known(number, frame)

        signal.signal(number, told)
        stack.callback(signal.signal, number, known)


def _in_thread(stack: AsyncExitStack, work: Refresher | DemoLife) -> None:
    """Run work in a thread of its own, and let it end before what it uses is put down."""
    thread = Thread(target=work.run, name=type(work).__name__, daemon=True)
    thread.start()
    stack.push_async_callback(asyncio.to_thread, thread.join)
    stack.callback(work.stop)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
