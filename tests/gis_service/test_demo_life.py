"""The demo's movements go through the ingest door and stay inside the county."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, Executable, create_engine, func, select

from gis_service import demo_life
from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.demo_life import STEP_M, DemoLife
from gis_service.ingest import Ingest
from gis_service.metrics import Metrics
from layers.incidents import incident
from layers.postings import position
from layers.workers import worker
from tests.county import NOW
from tests.serving import sqlalchemy_url


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


def life_on(engine: Engine, seed: int = 1) -> DemoLife:
    return DemoLife(
        engine, Ingest(engine, Metrics()), 1.0, lambda: NOW, np.random.default_rng(seed)
    )


def answer(engine: Engine, statement: Executable) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        enter_scope(connection, system_view())
        return [tuple(row) for row in connection.execute(statement)]


def places(engine: Engine) -> dict[str, str]:
    on_duty = select(worker.c.id, func.st_astext(worker.c.geom)).where(worker.c.on_duty)
    return {row[0]: row[1] for row in answer(engine, on_duty)}


def test_a_step_moves_every_worker_on_duty_a_few_metres(engine: Engine) -> None:
    before = places(engine)
    verdicts = life_on(engine).step()
    after = places(engine)
    assert [verdict.status for verdict in verdicts] == ["stored"] * len(before)
    assert all(before[key] != after[key] for key in before)
    moved = select(func.count()).select_from(position)
    assert answer(engine, moved) == [(len(before),)]
    assert STEP_M < 100


def test_reports_come_from_homes_and_have_a_grid(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_life, "REPORTS_PER_STEP", 1.0)
    count = select(func.count()).select_from(incident)
    before = answer(engine, count)
    verdicts = life_on(engine).step()
    assert verdicts[-1].status == "stored"
    assert answer(engine, count)[0][0] == 1 + before[0][0]
    newest = select(incident.c.grid_code).where(incident.c.id == verdicts[-1].id)
    assert answer(engine, newest)[0][0] is not None


def test_a_worker_who_leaves_the_county_turns_back(engine: Engine) -> None:
    life = life_on(engine)
    for _ in range(60):
        life.step()
    outside = select(func.count()).where(worker.c.on_duty, worker.c.placed == "outside")
    assert answer(engine, outside) == [(0,)]


def test_a_stopped_life_ends_at_once(engine: Engine) -> None:
    life = life_on(engine)
    life.stop()
    life.run()
    assert answer(engine, select(func.count()).select_from(position)) == [(0,)]
