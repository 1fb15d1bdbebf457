"""The demo county alive: workers walk and people report, through the same door as real reports."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from gis_service.access import Asker, system_view
from gis_service.database import enter_scope
from gis_service.demo.incidents import CATEGORIES, SOURCES
from gis_service.ingest import Ingest
from gis_service.intakes import Kind
from gis_service.verdicts import Verdict
from grid_boundaries.errors import Unavailable
from grid_boundaries.view import narrowed
from layers.people import household
from layers.workers import worker

WALKERS = 60  # how many workers take a step at a time
STEP_M = 40.0
TURN_RAD = 0.5  # standard deviation of a step's change of direction
REPORTS_PER_STEP = 0.08
DEGREE_M = 111_320.0
log = structlog.get_logger(__name__)


class DemoLife:
    """Moves workers on duty and reports incidents until stopped; runs in a thread of its own.

    Parameters
    ----------
    interval_s
        Seconds between two steps.
    clock
        Gives the time in the county's zone.
    rng
        Where chance comes from.
    """

    def __init__(
        self,
        engine: Engine,
        ingest: Ingest,
        interval_s: float,
        clock: Callable[[], datetime],
        rng: np.random.Generator,
    ) -> None:
        self._engine = engine
        self._ingest = ingest
        self._interval_s = interval_s
        self._clock = clock
        self._rng = rng
        self._heading: dict[str, float] = {}
        self._stopped = Event()

    def run(self) -> None:
        """Take a step each interval until `stop` is called; a failed one is logged."""
        while not self._stopped.wait(self._interval_s):
            try:
                self.step()
            except (DBAPIError, Unavailable) as error:
                log.warning("demo step failed", reason=str(error).splitlines()[0])

    def stop(self) -> None:
        """Let `run` end after the step it is at."""
        self._stopped.set()

    def step(self) -> list[Verdict]:
        """Move some workers, and now and then report an incident where somebody lives."""
        now = self._clock()
        asker = Asker("integration", None, system_view("demo"), now + timedelta(hours=1))
        with self._engine.connect() as connection:
            enter_scope(connection, system_view("demo"))
            walkers, homes = self._walkers(connection), self._homes(connection)
        steps = [self._step(key, lon, lat, now) for key, lon, lat in walkers]
        reports = [self._report(lon, lat, now) for lon, lat in homes]
        moves = self._sent("positions", steps, asker, now)
        self._turn_back(steps, moves)
        return [*moves, *self._sent("incidents", reports, asker, now)]

    def _sent(
        self, kind: Kind, items: list[dict[str, Any]], asker: Asker, now: datetime
    ) -> list[Verdict]:
        # nobody on duty, or no county at all, is nothing to send
        return self._ingest.take(kind, {"items": items}, asker, now) if items else []

    def _turn_back(self, steps: Sequence[dict[str, Any]], moves: Sequence[Verdict]) -> None:
        """Turn those round who walked over the county's border."""
        for step, verdict in zip(steps, moves, strict=True):
            if verdict.status == "rejected":
                self._heading[step["worker_id"]] += math.pi

    def _walkers(self, connection: Connection) -> list[Any]:
        place = (worker.c.id, func.st_x(worker.c.geom), func.st_y(worker.c.geom))
        # those who have not moved for longest come first, so that everybody walks
        on_duty = select(*place).where(worker.c.on_duty).order_by(worker.c.located_at)
        statement = narrowed(on_duty.limit(WALKERS), system_view(), worker.c.unit_path)
        return list(connection.execute(statement).all())

    def _homes(self, connection: Connection) -> list[Any]:
        if self._rng.random() >= REPORTS_PER_STEP:
            return []
        place = select(func.st_x(household.c.geom), func.st_y(household.c.geom))
        statement = narrowed(place, system_view(), household.c.unit_path)
        counted = narrowed(select(func.count()), system_view(), household.c.unit_path)
        homes = connection.execute(counted).scalar_one()
        chosen = int(self._rng.integers(max(homes, 1)))
        return list(connection.execute(statement.order_by(household.c.id).offset(chosen).limit(1)))

    def _step(self, key: str, lon: float, lat: float, now: datetime) -> dict[str, Any]:
        before = self._heading.setdefault(key, float(self._rng.uniform(0, 2 * math.pi)))
        heading = self._heading[key] = before + float(self._rng.normal(0, TURN_RAD))
        east_m, north_m = STEP_M * math.sin(heading), STEP_M * math.cos(heading)
        return {
            "id": self._new_id(),
            "worker_id": key,
            "located_at": now.isoformat(),
            "lon": lon + east_m / (DEGREE_M * math.cos(math.radians(lat))),
            "lat": lat + north_m / DEGREE_M,
        }

    def _report(self, lon: float, lat: float, now: datetime) -> dict[str, Any]:
        shares = np.array([share for *_, share, _ in CATEGORIES])
        chosen = int(self._rng.choice(len(CATEGORIES), p=shares / shares.sum()))
        kind, category, title, _, urgencies = CATEGORIES[chosen]
        urgency = self._rng.choice(["red", "yellow", "blue"], p=np.array(urgencies))
        return {
            "id": self._new_id(),
            "title": title,
            "kind": kind,
            "category": category,
            "source": str(self._rng.choice(SOURCES)),
            "urgency": str(urgency),
            "occurred_at": now.isoformat(),
            "lon": lon,
            "lat": lat,
        }

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._rng.bytes(16), version=4))
