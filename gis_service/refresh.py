"""What is done behind the requests: derived layers anew, due plans, one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from threading import Event
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Text,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from gis_service.access import system_view
from gis_service.alert_limit import refresh_alerts
from gis_service.database import enter_scope
from gis_service.metrics import Metrics
from gis_service.publishing import publish_due
from gis_service.retention import Pruned, Retention, prune
from grid_boundaries.errors import Refused
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.coverage.refresh import refresh as refresh_coverage
from layers.coverage.refresh_bounds import JOB as BOUNDS
from layers.coverage.refresh_bounds import refresh_bounds
from layers.coverage.results import SWAP
from layers.hotspots.refresh import refresh as refresh_hotspots
from layers.reference_time import reference_time
from layers.refreshed import answered, refreshed, unanswered
from layers.registry import LAYERS
from layers.tile_counts import refresh_counts
from layers.tile_shapes import SHAPED, refresh_shapes
from layers.tiles import REDRAWN

LOCK = 7_310_924  # advisory lock of the one refresher of a deployment
PRUNE_PAUSE = timedelta(hours=1)
Run = Callable[[Connection, View, datetime], Any]
Work = Callable[[Engine, "Job", datetime], None]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """One thing to compute anew.

    Parameters
    ----------
    sources
        The layers whose changes make it stale.
    run
        Does it, inside a transaction whose scope is the whole county.
    """

    name: str
    sources: frozenset[str]
    run: Run


def jobs() -> tuple[Job, ...]:
    """Return every job, those that others are computed from first."""
    counted = [layer for layer in LAYERS.values() if layer.counts_below_zoom]
    return (
        *(
            Job(f"shapes:{name}", frozenset({name}), partial(_shapes, name))
            for name in sorted(set(SHAPED.values()))
        ),
        *(
            Job(f"counts:{layer.name}", frozenset({layer.name}), partial(_counts, layer.name))
            for layer in counted
        ),
        Job("coverage", frozenset(LAYERS["coverage"].refreshed_from), refresh_coverage),
        Job(BOUNDS, frozenset(LAYERS["coverage"].refreshed_from), refresh_bounds),
        Job("hotspots", frozenset(LAYERS["hotspots"].refreshed_from), refresh_hotspots),
        Job("alerts", frozenset(LAYERS["alerts"].refreshed_from), refresh_alerts),
    )


def job_named(name: str) -> Job:
    """Return one job."""
    return next(job for job in jobs() if job.name == name)


def refresh_all(engine: Engine, now: datetime, *, names: frozenset[str] | None = None) -> list[str]:
    """Run every job (or those named) whatever its state, and return their names."""
    done = []
    for job in jobs():
        if names is None or job.name in names or job.name.partition(":")[0] in names:
            run_job(engine, job, now)
            done.append(job.name)
    return done


def refresh_stale(
    engine: Engine, now: datetime, metrics: Metrics, work: Work | None = None
) -> list[str]:
    """Run the jobs whose sources have changed since they last ran, and return their names.

    Only one process at a time does it; another one returns at once with nothing done. Any
    number of changes before a run is one run. A job that fails is logged and stays stale.

    Parameters
    ----------
    work
        Does one job; `run_job`, in this process, where it is not given.
    """
    does = work or run_job
    with _elected(engine) as guard:
        if guard is None:
            return []
        position = _newest(guard)  # before the question: what comes in between is asked once more
        stale = [job for job in jobs() if is_stale(guard, job)]
        guard.rollback()
        _settle(guard, [job.name for job in jobs() if job not in stale], position)
        runs = [(job, partial(does, engine, job, now)) for job in stale]
        return [job.name for job, run in runs if _is_done(run, job, metrics)]


def _is_done(run: Callable[[], None], job: Job, metrics: Metrics) -> bool:
    """Run a job and say whether it went well; one that fails must not keep the others waiting."""
    with metrics.refreshes.labels(job.name.partition(":")[0]).time():
        try:
            run()
        except (DBAPIError, Refused) as error:
            log.warning("job failed", job=job.name, reason=str(error).splitlines()[0])
            return False
    return True


@contextmanager
def _elected(engine: Engine) -> Iterator[Connection | None]:
    """Give a connection to the one process that is to refresh now; None to any other."""
    with engine.connect() as guard:
        if not guard.scalar(select(func.pg_try_advisory_lock(LOCK))):
            yield None
            return
        try:
            yield guard
        finally:
            guard.scalar(select(func.pg_advisory_unlock(LOCK)))
            guard.commit()


def is_stale(connection: Connection, job: Job) -> bool:
    """Say whether a source has a settled change that the job's results do not hold."""
    return bool(connection.scalar(select(stale(job.name, job.sources))))


@lru_cache(maxsize=64)
def stale(name: str, sources: frozenset[str]) -> ColumnElement[bool]:
    """Say in a statement what `is_stale` says of a job."""
    noted = refreshed.c.name == name
    # a job that never ran has seen nothing
    xid = func.coalesce(select(refreshed.c.xid).where(noted).scalar_subquery(), _xid(0))
    number = func.coalesce(select(refreshed.c.outbox_id).where(noted).scalar_subquery(), 0)
    newer = tuple_(outbox.c.xid, outbox.c.id) > tuple_(xid, number)
    changes = select(outbox.c.id).where(outbox.c.layer.in_(sorted(sources)), _SETTLED, newer)
    return exists(changes.where(unanswered(name)))


def run_job(engine: Engine, job: Job, now: datetime) -> None:
    """Run one job in one transaction, with a note of the changes that it has seen."""
    with engine.begin() as connection:
        # a whole county may take longer than a request is allowed to
        connection.execute(text("set local statement_timeout = 0"))
        # read before the job reads its sources: what comes in between is done once more
        position = _newest(connection)
        enter_scope(connection, system_view())
        job.run(connection, system_view(), reference_time(connection, now))
        _note(connection, job, position, now)


class Refresher:
    """Looks for stale jobs, due plans and what is past its days; runs in a thread of its own.

    Parameters
    ----------
    interval_s
        Seconds between two looks.
    clock
        Gives the time in the county's zone.
    kept
        How long things are kept; looked at once an hour, first at the start.
    work
        Does one job; `run_job`, in the thread itself, where it is not given.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        interval_s: float,
        clock: Callable[[], datetime],
        kept: Retention,
        work: Work | None = None,
    ) -> None:
        self._engine = engine
        self._work = work
        self._metrics = metrics
        self._interval_s = interval_s
        self._clock = clock
        self._kept = kept
        self._prune_at: datetime | None = None
        self._stopped = Event()

    def run(self) -> None:
        """Refresh until `stop` is called; what fails is logged and tried again."""
        while not self._stopped.wait(self._interval_s):
            try:
                self.look(self._clock())
            except (DBAPIError, NoConnectionFree, Refused) as error:
                log.warning("refresh failed", reason=str(error).splitlines()[0])

    def look(self, now: datetime) -> None:
        """Do once what is to be done at a time."""
        for plan in publish_due(self._engine, now):
            log.info("published", plan=plan)
        done = refresh_stale(self._engine, now, self._metrics, self._work)
        if done:
            log.info("refreshed", jobs=",".join(done))
        if self._prune_at is None or now >= self._prune_at:
            self._prune(now)

    def stop(self) -> None:
        """Let `run` end after the job it is at."""
        self._stopped.set()

    def _prune(self, now: datetime) -> None:
        gone = prune(self._engine, self._kept, now)
        self._prune_at = now + PRUNE_PAUSE
        self._metrics.pruned.labels("positions").inc(gone.positions)
        self._metrics.pruned.labels("changes").inc(gone.changes)
        if gone != Pruned():
            log.info("pruned", positions=gone.positions, changes=gone.changes)


_SETTLED = outbox.c.xid < func.pg_snapshot_xmin(func.pg_current_snapshot())


def _settle(guard: Connection, names: Sequence[str], position: tuple[int, int]) -> None:
    """Note that the results of jobs that are not stale hold every change up to a position.

    What answered changes have left behind would else be looked through at each question.
    """
    # a run by hand that takes the notes away has said by its end from where to ask anew
    guard.execute(select(func.pg_advisory_xact_lock_shared(SWAP)))
    xid, number = _xid(position[0]), position[1]
    kept = select(answered.c.name).where(answered.c.name.in_(names), answered.c.xid <= xid)
    held = refreshed.c.name.in_(kept)
    guard.execute(update(refreshed).where(held).values(xid=xid, outbox_id=number))
    gone = answered.c.name.in_(names) & (answered.c.xid <= xid)
    guard.execute(delete(answered).where(gone, answered.c.name.in_(select(refreshed.c.name))))
    guard.commit()


def _xid(number: int | str) -> ColumnElement[Any]:
    return cast(cast(str(number), Text), outbox.c.xid.type)


def _newest(connection: Connection) -> tuple[int, int]:
    number = cast(cast(outbox.c.xid, Text), BigInteger)
    statement = select(number, outbox.c.id).where(_SETTLED)
    order = (outbox.c.xid.desc(), outbox.c.id.desc())
    row = connection.execute(statement.order_by(*order).limit(1)).one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


def _note(connection: Connection, job: Job, position: tuple[int, int], now: datetime) -> None:
    xid, number = position
    values: Mapping[str, Any] = {
        "xid": _xid(xid),
        "outbox_id": number,
        "refreshed_at": now,
    }
    statement = upsert(refreshed).values(name=job.name, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[refreshed.c.name], set_=values)
    )


def _shapes(name: str, connection: Connection, view: View, _now: datetime) -> None:
    refresh_shapes(connection, LAYERS[name], view)
    for shown in (shown for shown, source in SHAPED.items() if source == name):
        _redrawn(connection, shown)


def _counts(name: str, connection: Connection, view: View, _now: datetime) -> None:
    refresh_counts(connection, LAYERS[name], view)
    _redrawn(connection, name)


def _redrawn(connection: Connection, name: str) -> None:
    connection.execute(insert(outbox).values(layer=REDRAWN + name))
    connection.execute(select(func.pg_notify("gis_outbox", REDRAWN + name)))
