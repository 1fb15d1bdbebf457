"""What is past its days goes, and no tile gets back a name that it had before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, func, insert, select, text, update
from structlog.testing import capture_logs

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.metrics import Metrics
from gis_service.refresh import PRUNE_PAUSE, Refresher, refresh_stale
from gis_service.retention import LOCK, Pruned, Retention, prune, retention_of
from gis_service.settings import Settings
from grid_boundaries.outbox import outbox
from layers.cameras import camera
from layers.postings import position
from layers.registry import LAYERS
from layers.tiles import newest_changes, version_statement
from tests.county import COUNTY_PATH, SOUTH, WEST, blocks, path_of
from tests.serving import sqlalchemy_url

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
KEPT = Retention(timedelta(days=30), timedelta(days=30))
BOX = {"west": WEST, "south": SOUTH, "east": WEST + 0.001, "north": SOUTH + 0.001}


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


def a_position(key: str, days: float, path: str = path_of(blocks()[0].village)) -> dict[str, Any]:
    return {
        "id": key, "worker_id": "W000009", "located_at": NOW - timedelta(days=days),
        "geom": f"SRID=4490;POINT({WEST} {SOUTH})", "unit_path": path, "body_digest": key,
    }  # fmt: skip


def put(engine: Engine, rows: list[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(insert(position), rows)


def kept(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        return set(connection.scalars(select(position.c.id)))


def age(owner: Engine, days: float) -> None:
    """Make everything that was announced so far that old."""
    with owner.begin() as connection:
        connection.execute(update(outbox).values(at=NOW - timedelta(days=days)))


def rows_of(connection: Connection, layer: str) -> list[Any]:
    own = select(outbox).where(outbox.c.layer == layer).order_by(outbox.c.xid, outbox.c.id)
    return list(connection.execute(own))


def versions(engine: Engine) -> dict[str, str | None]:
    """Return the version of every layer's tile over a corner of the county."""
    with engine.begin() as connection:
        rows = connection.execute(version_statement(list(LAYERS.values())), BOX)
        return {row.name: row.version for row in rows}


def touch(engine: Engine, key: str) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(delete(camera).where(camera.c.id == key))


def order_of(version: str | None) -> tuple[int, ...]:
    return tuple(map(int, (version or "0.0").split(".")))


@pytest.mark.parametrize(
    ("days", "stays"),
    [(-1, True), (0, True), (29.9, True), (30, True), (30.001, False), (400, False)],
)
def test_a_position_is_kept_for_thirty_days(engine: Engine, days: float, stays: bool) -> None:
    put(engine, [a_position("one", days)])
    assert prune(engine, KEPT, NOW).positions == (not stays)
    assert kept(engine) == ({"one"} if stays else set())


def test_positions_of_every_unit_go(engine: Engine) -> None:
    paths = [COUNTY_PATH, *{path_of(block.village) for block in blocks()}]
    put(engine, [a_position(f"p{n}", 31, path) for n, path in enumerate(paths)])
    assert prune(engine, KEPT, NOW).positions == len(paths)


def test_an_empty_table_is_no_fault(engine: Engine) -> None:
    assert prune(engine, KEPT, NOW - timedelta(days=10_000)) == Pruned(0, 0)


def test_changes_of_today_stay(engine: Engine) -> None:
    with engine.begin() as connection:
        before = connection.scalar(select(func.count()).select_from(outbox))
    now = datetime.now(UTC)
    assert prune(engine, KEPT, now).changes == 0
    with engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == before


def test_of_old_changes_one_a_layer_stays_and_touches_everything(
    engine: Engine, owner: Engine
) -> None:
    touch(engine, "K1")
    touch(engine, "K2")
    age(owner, 31)
    with engine.begin() as connection:
        before = rows_of(connection, "cameras")
    gone = prune(engine, KEPT, NOW)
    with engine.begin() as connection:
        (last,) = rows_of(connection, "cameras")
        counted = connection.execute(
            select(outbox.c.layer, func.count()).group_by(outbox.c.layer)
        ).all()
    assert (last.id, last.xid, last.touched) == (before[-1].id, before[-1].xid, None)
    assert before[-1].touched is not None
    assert {count for _, count in counted} == {1}
    assert gone.changes > len(before) - 1


def test_pruning_again_takes_nothing(engine: Engine, owner: Engine) -> None:
    age(owner, 31)
    assert prune(engine, KEPT, NOW).changes > 0
    assert prune(engine, KEPT, NOW) == Pruned(0, 0)


def test_no_tile_gets_a_name_that_it_had_before(engine: Engine, owner: Engine) -> None:
    touch(engine, "K1")
    early = versions(engine)
    age(owner, 31)
    touch(engine, "K16")
    before = versions(engine)
    prune(engine, KEPT, NOW)
    after = versions(engine)
    for name in LAYERS:
        assert order_of(early[name]) <= order_of(before[name]) <= order_of(after[name]), name
    # a layer that ever changed here never goes back to "nothing has changed"
    assert {name for name in before if before[name]} <= {name for name in after if after[name]}


def test_the_versions_that_pages_hold_are_the_same(engine: Engine, owner: Engine) -> None:
    age(owner, 31)
    with engine.begin() as connection:
        before = newest_changes(connection, list(LAYERS.values()))
    prune(engine, KEPT, NOW)
    with engine.begin() as connection:
        assert newest_changes(connection, list(LAYERS.values())) == before


def test_what_is_fresh_is_not_made_stale_by_it(engine: Engine, owner: Engine) -> None:
    refresh_stale(engine, NOW, Metrics())
    age(owner, 31)
    prune(engine, KEPT, NOW)
    assert refresh_stale(engine, NOW, Metrics()) == []


def test_what_is_stale_stays_so(engine: Engine, owner: Engine) -> None:
    refresh_stale(engine, NOW, Metrics())
    touch(engine, "K1")
    age(owner, 31)
    prune(engine, KEPT, NOW)
    assert "counts:cameras" in refresh_stale(engine, NOW, Metrics())


def test_a_change_that_may_still_be_overtaken_stays(engine: Engine, owner: Engine) -> None:
    with owner.connect() as slow, slow.begin() as transaction:
        slow.execute(text("select pg_current_xact_id()"))  # a writer that began before
        touch(engine, "K1")
        age(owner, 31)
        prune(engine, KEPT, NOW)
        with engine.begin() as connection:
            assert any(row.touched is not None for row in rows_of(connection, "cameras"))
        transaction.rollback()
    assert prune(engine, KEPT, NOW).changes > 0


def test_while_another_prunes_nothing_is_done(engine: Engine) -> None:
    put(engine, [a_position("one", 31)])
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(LOCK)))
        assert prune(engine, KEPT, NOW) == Pruned(0, 0)
    assert prune(engine, KEPT, NOW).positions == 1


def test_the_two_are_kept_each_for_its_own_days(engine: Engine, owner: Engine) -> None:
    put(engine, [a_position("one", 8)])
    age(owner, 8)
    assert prune(engine, Retention(timedelta(days=7), timedelta(days=9)), NOW) == Pruned(1, 0)
    assert prune(engine, Retention(timedelta(days=9), timedelta(days=7)), NOW).changes > 0


def test_the_settings_say_how_long() -> None:
    assert retention_of(Settings()) == KEPT
    shorter = Settings(position_days=7, change_days=90)
    assert retention_of(shorter) == Retention(timedelta(days=7), timedelta(days=90))


def test_the_refresher_prunes_once_an_hour_and_says_so(engine: Engine) -> None:
    metrics = Metrics()
    refresher = Refresher(engine, metrics, 1.0, lambda: NOW, KEPT)
    with capture_logs() as log:
        for minutes, key in ((0, "one"), (30, "two"), (60, "three")):
            put(engine, [a_position(key, 31)])
            refresher.look(NOW + timedelta(minutes=minutes))
            assert (key in kept(engine)) == (minutes == 30)
    said = [line for line in log if line["event"] == "pruned"]
    assert [line["positions"] for line in said] == [1, 2]
    assert timedelta(hours=1) == PRUNE_PAUSE
    assert b'gis_pruned_total{what="positions"} 3.0' in metrics.text()
