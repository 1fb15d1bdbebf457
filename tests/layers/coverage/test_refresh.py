"""Coverage computed from the database: sums hold, and what cannot be drawn is counted."""

from __future__ import annotations

from typing import Any

import pytest
from shapely import MultiPolygon, box
from sqlalchemy import Connection, delete, func, select, update

from grid_boundaries.view import View
from layers.buildings import building
from layers.cameras import camera
from layers.coverage.refresh import refresh
from layers.coverage.tables import EVEN, TERRAIN, blind_ground, camera_view, grid_coverage
from layers.people import household, person
from tests.county import COUNTY_PATH, NOW, add, blocks, build

COUNTY = View(actor="tester", scope=(COUNTY_PATH,))


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def total(connection: Connection, column: Any) -> float:
    return float(connection.execute(select(func.sum(column))).scalar_one())


def test_every_grid_has_figures_and_ground_adds_up(county: Connection) -> None:
    done = refresh(county, COUNTY, NOW)
    assert done["grids"] == len({block.grid for block in blocks()})
    seen = grid_coverage.c.seen_m2
    assert total(county, grid_coverage.c.open_m2) == pytest.approx(
        total(county, seen) + total(county, blind_ground.c.area_m2), rel=1e-9
    )


def test_only_working_cameras_see(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    works = camera.c.online & camera.c.state.in_(["built", "networked"])
    working = set(county.execute(select(camera.c.id).where(works)).scalars())
    assert working
    assert set(county.execute(select(camera_view.c.id)).scalars()) == working


def test_a_camera_that_goes_off_line_sees_nothing_any_more(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    before = total(county, grid_coverage.c.seen_m2)
    county.execute(update(camera).values(online=False))
    refresh(county, COUNTY, NOW)
    assert before > 0
    assert total(county, grid_coverage.c.seen_m2) == pytest.approx(0, abs=1e-3)
    assert county.execute(select(func.count()).select_from(camera_view)).scalar_one() == 0


def test_a_camera_without_a_bearing_is_counted_as_left_out(county: Connection) -> None:
    before = refresh(county, COUNTY, NOW)
    county.execute(update(camera).where(camera.c.online).values(azimuth_deg=None))
    after = refresh(county, COUNTY, NOW)
    assert after["left_out"] == before["views"]
    assert total(county, grid_coverage.c.cameras_left_out) == after["left_out"]


def test_a_wall_in_front_of_a_camera_hides_what_is_behind(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    key, before = county.execute(select(camera_view.c.id, camera_view.c.area_m2)).first() or ("", 0)
    watched = blocks()[int(key[1:]) - 1]
    low, high = watched.at(0.65, 0.5), watched.at(0.66, 0.7)
    wall = box(low.x, low.y, high.x, high.y)
    row = {"id": "wall", "kind": "other", "area_m2": 1.0, "geom": MultiPolygon([wall])}
    add(county, building, [watched.placed(**row)])
    refresh(county, COUNTY, NOW)
    after = county.execute(select(camera_view.c.area_m2).where(camera_view.c.id == key))
    assert after.scalar_one() < 0.5 * before


def test_assumptions_stand_beside_the_figures(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    assumed = county.execute(select(grid_coverage.c.assumed)).scalars().first()
    assert assumed is not None
    assert TERRAIN in assumed
    assert "range_m" in assumed
    assert EVEN not in assumed


def test_where_only_counts_are_known_people_are_spread_over_their_block(
    county: Connection,
) -> None:
    county.execute(delete(person))
    county.execute(delete(household))
    refresh(county, COUNTY, NOW)
    figures = grid_coverage.c
    assert EVEN in (county.execute(select(figures.assumed)).scalars().first() or [])
    assert total(county, figures.people) == 4 * 16
    unseen = total(county, figures.people_unseen)
    assert 0 < unseen < total(county, figures.people)


def test_a_county_without_cameras_is_all_blind(county: Connection) -> None:
    county.execute(delete(camera))
    refresh(county, COUNTY, NOW)
    figures = grid_coverage.c
    assert total(county, figures.key_places_unseen) == total(county, figures.key_places)
    assert total(county, figures.people_unseen) == total(county, figures.people)
