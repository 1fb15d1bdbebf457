"""Proposed cameras over HTTP: what they would change is what they change once they hang."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.database import Database, enter_scope
from gis_service.refresh import refresh_all
from layers.cameras import camera
from layers.coverage.tables import grid_coverage
from tests.county import NOW, ROLES, VILLAGES, add, blocks
from tests.serving import Client, serving, sqlalchemy_url

NAMES = ("key_places_unseen", "people_unseen", "households_unseen", "seen_m2", "road_unseen_m")


@pytest.fixture
def engine(computed_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(computed_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def calm(engine: Engine, computed_database: Database, tmp_path: Any) -> Iterator[Client]:
    assert engine is not None
    with serving(computed_database, tmp_path, refresh_interval_s=3600) as client:
        yield client


def proposed() -> list[dict[str, float]]:
    """Two that see the same ground in part, at the border of grids, and one far away."""
    west, far = blocks()[1], blocks()[14]
    spots = [west.at(0.95, 0.03), west.at(0.99, 0.05), far.at(0.42, 0.38)]
    return [{"lon": at.x, "lat": at.y, "range_m": 120.0 + n} for n, at in enumerate(spots)]


def figures(engine: Engine) -> dict[str, dict[str, float]]:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        rows = connection.execute(select(grid_coverage)).mappings()
        return {row["grid_code"]: {name: float(row[name]) for name in NAMES} for row in rows}


def asked(client: Client, cameras: Any, role: str = "planner") -> Any:
    body = {"cameras": cameras}
    return client.post("/api/coverage/what-if", json=body, headers=client.by(role))


def test_what_would_be_is_what_is_once_they_hang(calm: Client, engine: Engine) -> None:
    before = figures(engine)
    answer = asked(calm, proposed())
    assert answer.status_code == 200, answer.text
    assert figures(engine) == before
    rows = [
        blocks()[1].placed(
            id=f"new{n}", geom=f"SRID=4490;POINT({one['lon']!r} {one['lat']!r})", kind="dome",
            azimuth_deg=0.0, view_angle_deg=360.0, range_m=one["range_m"], state="networked",
            online=True,
        )
        for n, one in enumerate(proposed())
    ]  # fmt: skip
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        add(connection, camera, rows)
    refresh_all(engine, NOW, names=frozenset({"coverage"}))
    after = figures(engine)
    told = {one["grid_code"]: one for one in answer.json()["grids"]}
    changed = {c for c in after if abs(after[c]["seen_m2"] - before[c]["seen_m2"]) > 1e-3}
    assert set(told) == changed
    assert len(changed) >= 2
    for code in changed:
        assert told[code]["before"] == pytest.approx(before[code])
        assert told[code]["after"] == pytest.approx(after[code], rel=1e-6, abs=1e-3)


@pytest.mark.parametrize(
    "cameras",
    [[], {}, "x", [{}], [{"lon": 108.31, "lat": 33.31}], [{"lon": 0, "lat": 0, "range_m": 50}],
     [{"lon": 33.31, "lat": 108.31, "range_m": 50}], [{"lon": 108.31, "lat": 33.31, "range_m": 0}],
     [{"lon": "108.31", "lat": 33.31, "range_m": 50}],
     [{"lon": 108.31, "lat": 33.31, "range_m": 1e12}], [proposed()[0]] * 101],
)  # fmt: skip
def test_what_cannot_hang_is_refused(calm: Client, cameras: Any) -> None:
    assert asked(calm, cameras).status_code == 422


@pytest.mark.parametrize("role", ROLES)
def test_only_grids_of_the_askers_area_are_told(calm: Client, role: str) -> None:
    answer = asked(calm, proposed(), role)
    if "cameras" not in RIGHTS_OF_ROLE[role]:
        assert answer.status_code == 403
        return
    codes = {one["grid_code"] for one in answer.json()["grids"]}
    if role in {"village_centre", "chief", "worker"}:
        assert all(code.startswith(VILLAGES[0]) for code in codes)
