"""The work behind the requests: one job's fault is not another's, and a fault is tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic, sleep

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, insert, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from gis_service import refresh
from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.metrics import Metrics
from gis_service.refresh import Job, Refresher, refresh_all, refresh_stale
from gis_service.retention import Retention
from grid_boundaries.errors import Refused, Unavailable
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.cameras import camera
from tests.county import NOW
from tests.serving import sqlalchemy_url

FOREVER = Retention(timedelta(days=10_000), timedelta(days=10_000))


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


class Doing:
    """Jobs of a test's own, which note what they do and fail when they are told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.faults: dict[str, Exception] = {}

    def job(self, name: str, *sources: str) -> Job:
        def run(connection: Connection, view: View, now: datetime) -> None:
            self.done.append(name)
            assert view.scope == ("/",)
            assert now.tzinfo is not None
            connection.execute(insert(outbox).values(layer=f"did {name}"))
            if name in self.faults:
                raise self.faults[name]

        return Job(name, frozenset(sources), run)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Doing:
    """Three jobs in place of the service's own: two on cameras, one on incidents."""
    own = Doing()
    three = (own.job("one", "cameras"), own.job("two", "cameras"), own.job("three", "incidents"))
    monkeypatch.setattr(refresh, "jobs", lambda: three)
    return own


def announce(engine: Engine, layer: str) -> None:
    with engine.begin() as connection:
        connection.execute(insert(outbox).values(layer=layer))


def announced(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return list(
            connection.scalars(
                text("select layer from outbox where layer like 'did %' order by id")
            )
        )


def settle(engine: Engine) -> None:
    """Let everything be fresh."""
    refresh_stale(engine, NOW, Metrics())


FAULTS = [
    Refused("bad", "坏", "bad"), Unavailable("away", "不在", "away"),
    DBAPIError("select 1", {}, Exception("broken")),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_job_that_fails_does_not_keep_the_next_waiting(
    engine: Engine, doing: Doing, fault: Exception
) -> None:
    settle(engine)
    doing.faults["one"] = fault
    announce(engine, "cameras")
    with capture_logs() as log:
        assert refresh_stale(engine, NOW, Metrics()) == ["two"]
    assert [(line["event"], line["job"]) for line in log] == [("job failed", "one")]
    # what the failed one had written went with it
    assert announced(engine)[-1] == "did two"
    assert announced(engine).count("did one") == 1


def test_a_job_that_failed_is_tried_again_and_then_content(engine: Engine, doing: Doing) -> None:
    settle(engine)
    doing.faults["one"] = FAULTS[0]
    announce(engine, "cameras")
    for _ in range(3):
        refresh_stale(engine, NOW, Metrics())
    assert doing.done[3:] == ["one", "two", "one", "one"]
    doing.faults.clear()
    assert refresh_stale(engine, NOW, Metrics()) == ["one"]
    assert refresh_stale(engine, NOW, Metrics()) == []


def test_a_fault_that_nobody_expected_gives_the_lock_back(engine: Engine, doing: Doing) -> None:
    settle(engine)
    doing.faults["one"] = LookupError("ours")
    announce(engine, "cameras")
    with pytest.raises(LookupError):
        refresh_stale(engine, NOW, Metrics())
    doing.faults.clear()
    assert refresh_stale(engine, NOW, Metrics()) == ["one", "two"]


@pytest.mark.parametrize(
    ("layer", "jobs"),
    [("cameras", ["one", "two"]), ("incidents", ["three"]), ("streets", []), ("did one", [])],
)
def test_a_change_wakes_the_jobs_that_come_from_it(
    engine: Engine, doing: Doing, layer: str, jobs: list[str]
) -> None:
    settle(engine)
    announce(engine, layer)
    assert refresh_stale(engine, NOW, Metrics()) == jobs


def test_a_job_that_never_ran_is_stale_where_there_is_anything(
    engine: Engine, doing: Doing
) -> None:
    assert refresh_stale(engine, NOW, Metrics()) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("names", "done"),
    [
        (None, ["one", "two", "three"]),
        (frozenset({"two"}), ["two"]),
        (frozenset(), []),
        (frozenset({"x"}), []),
    ],
)
def test_by_hand_jobs_are_done_whatever_their_state(
    engine: Engine, doing: Doing, names: frozenset[str] | None, done: list[str]
) -> None:
    settle(engine)
    assert refresh_all(engine, NOW, names=names) == done


def test_the_time_of_a_job_is_counted_even_when_it_fails(engine: Engine, doing: Doing) -> None:
    metrics = Metrics()
    doing.faults["one"] = FAULTS[0]
    refresh_stale(engine, NOW, metrics)
    told = metrics.text().decode()
    for name in ("one", "two", "three"):
        assert f'gis_refresh_seconds_count{{job="{name}"}} 1.0' in told


def until(condition: Callable[[], bool]) -> None:
    ends_at = monotonic() + 60
    while not condition():
        assert monotonic() < ends_at
        sleep(0.02)


@contextmanager
def working(engine: Engine) -> Iterator[Thread]:
    """Let a refresher work in a thread for a while, then tell it to stop and wait for its end."""
    refresher = Refresher(engine, Metrics(), 0.05, lambda: NOW, FOREVER)
    thread = Thread(target=refresher.run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        refresher.stop()
        thread.join(60)


def test_it_works_on_until_it_is_told_to_stop(engine: Engine, doing: Doing) -> None:
    with working(engine) as thread:
        until(lambda: len(doing.done) == 3)
        announce(engine, "incidents")
        until(lambda: doing.done[3:] == ["three"])
    assert not thread.is_alive()


def test_told_to_stop_before_it_begins_it_does_nothing(engine: Engine, doing: Doing) -> None:
    refresher = Refresher(engine, Metrics(), 0.01, lambda: NOW, FOREVER)
    refresher.stop()
    refresher.run()
    assert doing.done == []


def remove(engine: Engine, keys: list[str]) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(delete(camera).where(camera.c.id.in_(keys)))


@pytest.mark.parametrize("removed", [1, 5, 16])
def test_counts_follow_whatever_was_taken_away(engine: Engine, removed: int) -> None:
    keys = [f"K{number}" for number in range(1, removed + 1)]
    refresh_all(engine, NOW, names=frozenset({"counts"}))
    remove(engine, keys)
    assert "counts:cameras" in refresh_stale(engine, NOW, Metrics())
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        sums = connection.execute(
            text("select zoom, sum(n) from tile_count where layer = 'cameras' group by zoom")
        ).all()
    assert {total for _, total in sums} == ({16 - removed} if removed < 16 else set())
