"""What is stale is computed anew, once for any number of changes, by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, func, select, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.metrics import Metrics
from gis_service.refresh import LOCK, jobs, refresh_all, refresh_stale
from grid_boundaries.outbox import outbox
from layers.cameras import camera
from layers.registry import LAYERS
from layers.tile_counts import tile_count
from layers.tile_shapes import tile_shape
from layers.tiles import REDRAWN
from tests.county import NOW
from tests.serving import sqlalchemy_url


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    refresh_stale(engine, NOW, Metrics())
    yield engine
    engine.dispose()


def remove_camera(connection: Connection, key: str) -> None:
    enter_scope(connection, system_view())
    connection.execute(delete(camera).where(camera.c.id == key))


def counted(engine: Engine) -> int:
    own = (tile_count.c.layer == "cameras") & (tile_count.c.zoom == 0)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        return int(connection.scalar(select(func.sum(tile_count.c.n)).where(own)) or 0)


def test_what_is_fresh_is_left_alone(engine: Engine) -> None:
    assert refresh_stale(engine, NOW, Metrics()) == []


def test_a_change_makes_stale_what_comes_from_it(engine: Engine) -> None:
    with engine.begin() as connection:
        remove_camera(connection, "K1")
    done = refresh_stale(engine, NOW, Metrics())
    assert "counts:cameras" in done
    assert "counts:incidents" not in done
    assert counted(engine) == 15


def test_many_changes_are_one_run(engine: Engine) -> None:
    for key in ("K1", "K2", "K3"):
        with engine.begin() as connection:
            remove_camera(connection, key)
    assert refresh_stale(engine, NOW, Metrics()).count("counts:cameras") == 1
    assert refresh_stale(engine, NOW, Metrics()) == []
    assert counted(engine) == 13


def test_its_own_announcement_makes_nothing_stale(engine: Engine) -> None:
    refresh_all(engine, NOW)
    with engine.begin() as connection:
        announced = set(connection.scalars(select(outbox.c.layer)))
    assert {REDRAWN + "units", REDRAWN + "grids", REDRAWN + "coverage"} <= announced
    refresh_stale(engine, NOW, Metrics())
    assert refresh_stale(engine, NOW, Metrics()) == []


def test_while_one_refreshes_another_does_nothing(engine: Engine) -> None:
    with engine.connect() as other:
        other.execute(select(func.pg_advisory_lock(LOCK)))
        with engine.begin() as connection:
            remove_camera(connection, "K1")
        assert refresh_stale(engine, NOW, Metrics()) == []
    engine.dispose()  # the lock goes with its connection, as soon as the server has seen its end
    with engine.connect() as connection:
        connection.execute(select(func.pg_advisory_lock(LOCK)))
        connection.execute(select(func.pg_advisory_unlock(LOCK)))
    assert "counts:cameras" in refresh_stale(engine, NOW, Metrics())


def test_what_has_not_committed_is_not_seen_and_not_lost(engine: Engine) -> None:
    with engine.connect() as slow, slow.begin() as transaction:
        remove_camera(slow, "K1")
        with engine.begin() as quick:
            remove_camera(quick, "K2")
        # K2 committed after K1 began: its row is not settled yet
        assert refresh_stale(engine, NOW, Metrics()) == []
        transaction.commit()
    assert "counts:cameras" in refresh_stale(engine, NOW, Metrics())
    assert counted(engine) == 14


def test_every_job_names_layers_that_are_there() -> None:
    for job in jobs():
        assert job.sources <= set(LAYERS)


def test_every_counted_layer_has_a_job() -> None:
    names = {job.name for job in jobs()}
    counting = {f"counts:{layer.name}" for layer in LAYERS.values() if layer.counts_below_zoom}
    assert counting <= names


def test_outlines_are_made_for_every_band(engine: Engine) -> None:
    with engine.begin() as connection:
        rows = connection.execute(
            select(tile_shape.c.layer, tile_shape.c.band, func.count()).group_by(
                tile_shape.c.layer, tile_shape.c.band
            )
        ).all()
    assert {(row[0], row[1]) for row in rows} >= {("grids", 2), ("units", 2)}


def test_a_job_that_fails_leaves_what_was(engine: Engine) -> None:
    before = counted(engine)
    with engine.begin() as connection:
        connection.execute(text("select 1"))
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(delete(tile_count))
        raise ZeroDivisionError
    assert counted(engine) == before
