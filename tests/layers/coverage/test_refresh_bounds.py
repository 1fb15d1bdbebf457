"""Bounds computed from the database: they hold what is stated, per grid and in every sum."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, select, update

from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.cameras import camera
from layers.coverage.bound_sums import BOUNDS
from layers.coverage.gaps import gaps_by
from layers.coverage.refresh import refresh
from layers.coverage.refresh_bounds import refresh_bounds
from layers.coverage.tables import coverage_bounds, grid_coverage
from layers.duty import wall
from layers.people import household, person
from layers.places import place
from tests.county import COUNTY_PATH, NOW, TOWNS, blocks, build

COUNTY = View(actor="tester", scope=(COUNTY_PATH,))
GRIDS = {block.grid for block in blocks()}
COARSE = {"azimuth_error_deg": 22.5}


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def computed(connection: Connection, **columns: Any) -> dict[str, int]:
    """Change every camera and compute both."""
    if columns:
        connection.execute(update(camera).values(**columns))
    refresh(connection, COUNTY, NOW)
    return refresh_bounds(connection, COUNTY, NOW)


def total(connection: Connection, column: Any) -> float:
    return float(connection.execute(select(func.sum(column))).scalar_one())


def rows(connection: Connection, level: Any = "grid") -> list[dict[str, Any]]:
    return gaps_by(connection, COUNTY, level)


def test_every_grid_has_bounds_of_one_version(county: Connection) -> None:
    done = computed(county)
    assert done["grids"] == len(GRIDS)
    assert set(county.scalars(select(coverage_bounds.c.grid_code))) == GRIDS
    newest = county.scalar(select(func.max(outbox.c.id)))
    versions = set(county.scalars(select(coverage_bounds.c.input_version)))
    assert len(versions) == 1
    assert versions <= set(range((newest or 0) + 1))


def test_where_every_camera_is_sure_the_bounds_are_what_is_stated(county: Connection) -> None:
    assert computed(county, azimuth_error_deg=0, position_error_m=0)["unsure"] == 0
    for row in rows(county):
        assert row["certain_m2"] == row["seen_m2"] == row["possible_m2"]
        seen = row["people"] - row["people_unseen"]
        assert row["people_certain"] == row["people_possible"] == seen
        assert row["places_certain"] == row["places_at_task"] == row["places_possible"]
        assert row["cameras_unsure"] == 0


@pytest.mark.parametrize("level", ["grid", "village", "town", "county"])
def test_unsure_bearings_part_what_is_certain_from_what_is_possible(
    county: Connection, level: str
) -> None:
    done = computed(county, **COARSE)
    assert done["unsure"] > 0
    found = [row for row in rows(county, level) if row["cameras_unsure"]]
    assert found
    assert sum(row["cameras_unsure"] for row in found) == done["unsure"]
    for row in found:
        assert row["certain_m2"] < row["seen_m2"] < row["possible_m2"] <= row["open_m2"]
        seen = row["people"] - row["people_unseen"]
        assert row["people_certain"] <= seen <= row["people_possible"] <= row["people"]
        assert row["places_certain"] <= row["places_at_task"] <= row["places_possible"]


def test_units_are_the_sums_of_their_grids(county: Connection) -> None:
    computed(county, position_error_m=12.0, **COARSE)
    grids = rows(county)
    for unit in rows(county, "town"):
        own = [row for row in grids if row["code"].startswith(unit["code"])]
        for name in BOUNDS:
            assert unit[name] == pytest.approx(sum(row[name] for row in own)), name


def test_before_they_are_computed_bounds_are_unknown_and_figures_stand(county: Connection) -> None:
    county.execute(delete(coverage_bounds))
    refresh(county, COUNTY, NOW)
    for row in [*rows(county), *rows(county, "county"), wall.coverage(county, COUNTY)]:
        assert {row[name] for name in BOUNDS} == {None}
        assert row["open_m2"] > 0


def test_figures_newer_than_their_bounds_are_never_outside_them(county: Connection) -> None:
    computed(county, **COARSE)
    # as one changed camera leaves it: what is stated is followed at once
    for seen_m2 in (0.0, 1e9):
        county.execute(update(grid_coverage).values(seen_m2=seen_m2, people_unseen=0))
        for row in rows(county):
            assert row["certain_m2"] <= seen_m2 <= row["possible_m2"]
            assert row["people_certain"] <= row["people"] <= row["people_possible"]


def test_computing_again_replaces_what_was_stored(county: Connection) -> None:
    computed(county, **COARSE)
    wide = total(county, coverage_bounds.c.possible_m2)
    computed(county, azimuth_error_deg=0)
    assert total(county, coverage_bounds.c.possible_m2) < wide
    assert county.scalar(select(func.count()).select_from(coverage_bounds)) == len(GRIDS)


def test_only_working_cameras_are_unsure(county: Connection) -> None:
    assert computed(county, online=False, **COARSE)["unsure"] == 0
    assert total(county, coverage_bounds.c.possible_m2) == pytest.approx(0, abs=1e-3)


def test_without_people_places_or_cameras_bounds_are_nought(county: Connection) -> None:
    for table in (person, household, place, camera):
        county.execute(delete(table))
    assert computed(county) == {"grids": len(GRIDS), "unsure": 0}
    assert total(county, coverage_bounds.c.possible_m2) == pytest.approx(0, abs=1e-3)
    assert total(county, coverage_bounds.c.places_possible) == 0


def test_a_walls_bounds_are_those_of_its_own_grids(county: Connection) -> None:
    computed(county, **COARSE)
    town = View(actor="tester", scope=(f"{COUNTY_PATH}{TOWNS[0]}/",))
    own, whole = wall.coverage(county, town), wall.coverage(county, COUNTY)
    by_town = {row["code"]: row for row in rows(county, "town")}
    for name in BOUNDS:
        assert own[name] == pytest.approx(by_town[TOWNS[0]][name])
        assert own[name] <= whole[name]


def test_who_sees_nothing_has_no_bounds(county: Connection) -> None:
    computed(county)
    nobody = View(actor="tester", scope=())
    assert {wall.coverage(county, nobody)[name] for name in BOUNDS} == {None}
    assert gaps_by(county, nobody, "county") == []
