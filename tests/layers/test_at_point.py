"""What is at a point: worked out by hand on the made-up county, and never more than one may see."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point
from sqlalchemy import Connection

from gis_service.database import enter_scope
from grid_boundaries.view import View
from layers.at_point import at_point
from tests.county import (
    COUNTY,
    COUNTY_PATH,
    HEIGHT_DEG,
    SOUTH,
    TOWNS,
    VILLAGES,
    WEST,
    WIDTH_DEG,
    blocks,
    path_of,
)

ALL = frozenset({"counts", "cameras"})
EVERYBODY = View("tester", (COUNTY_PATH,), ALL)
VILLAGE = View("tester", (path_of(VILLAGES[0]),), ALL)
NOBODY = View("tester", (), ALL)
MODEST = View("tester", (COUNTY_PATH,))


@pytest.fixture
def here(county_connection: Connection) -> Connection:
    enter_scope(county_connection, EVERYBODY)
    return county_connection


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.id)
def test_the_middle_of_each_block_is_in_it_and_in_all_above_it(
    here: Connection, block: object
) -> None:
    one = next(known for known in blocks() if known is block or known == block)
    at = one.at()
    facts = at_point(here, EVERYBODY, at.x, at.y)
    assert facts["block"] == {"id": one.id, "kind": "hamlet"}
    assert facts["grid"]["code"] == one.grid
    assert (facts["village"]["code"], facts["town"]["code"]) == (one.village, one.village[:9])
    assert facts["county"] == {"code": COUNTY, "name": "试县"}
    # two blocks of four residents and two households each
    assert (facts["grid"]["people"], facts["grid"]["households"]) == (8, 4)


def test_a_camera_is_told_where_its_view_holds_the_point(here: Connection) -> None:
    block = blocks()[0]
    seen, unseen = block.at(0.6, 0.6), block.at(0.1, 0.1)
    assert at_point(here, EVERYBODY, seen.x, seen.y)["cameras"] == [{"id": "K1", "name": "camera1"}]
    assert at_point(here, EVERYBODY, unseen.x, unseen.y)["cameras"] == []


def test_a_border_belongs_to_the_lowest_code_on_every_level(here: Connection) -> None:
    lowest = {"village": min(VILLAGES), "town": min(TOWNS)}
    _, south, east, _ = blocks()[3].shape.bounds
    middle = (east, south)  # where both towns and all four villages meet
    facts = at_point(here, EVERYBODY, *middle)
    assert facts["village"]["code"] == lowest["village"]
    assert facts["town"]["code"] == lowest["town"]
    touching = [block.id for block in blocks() if block.shape.intersects(Point(middle))]
    assert len(touching) == 4
    assert facts["block"]["id"] == min(touching)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0, 0), (WEST - 1e-6, SOUTH), (180, 90), (-180, -90), (SOUTH, WEST - 80), (1e300, 0)],
)
def test_outside_everything_there_is_nothing(here: Connection, lon: float, lat: float) -> None:
    facts = at_point(here, EVERYBODY, lon, lat)
    for key in ("block", "grid", "village", "town", "county"):
        assert facts[key] is None
    assert facts["cameras"] == []


def test_the_corner_of_the_county_is_in_it(here: Connection) -> None:
    facts = at_point(here, EVERYBODY, WEST, SOUTH)
    assert facts["county"]["code"] == COUNTY
    assert facts["block"] is not None


def test_without_the_rights_neither_residents_nor_cameras_are_told(here: Connection) -> None:
    at = blocks()[0].at(0.6, 0.6)
    facts = at_point(here, MODEST, at.x, at.y)
    assert "cameras" not in facts
    assert facts["grid"].keys() == {"code", "name", "kind"}


def test_a_village_is_told_of_its_own_ground_only(county_connection: Connection) -> None:
    enter_scope(county_connection, VILLAGE)
    inside = next(block for block in blocks() if block.village == VILLAGES[0])
    outside = next(block for block in blocks() if block.village == VILLAGES[3])
    own = at_point(county_connection, VILLAGE, *inside.at(0.6, 0.6).coords[0])
    assert own["block"] == {"id": inside.id, "kind": "hamlet"}
    assert own["grid"]["people"] == 8
    other = at_point(county_connection, VILLAGE, *outside.at(0.6, 0.6).coords[0])
    assert (other["block"], other["grid"], other["cameras"]) == (None, None, [])


def test_nobody_is_told_of_any_block(county_connection: Connection) -> None:
    enter_scope(county_connection, NOBODY)
    at = blocks()[0].at(0.6, 0.6)
    facts = at_point(county_connection, NOBODY, at.x, at.y)
    assert (facts["block"], facts["grid"], facts["cameras"]) == (None, None, [])


@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(east=st.floats(-0.5, 8.5), north=st.floats(-0.5, 2.5))
def test_any_point_is_in_the_lowest_block_that_shapely_finds(
    here: Connection, east: float, north: float
) -> None:
    lon, lat = WEST + east * WIDTH_DEG, SOUTH + north * HEIGHT_DEG
    holding = [block.id for block in blocks() if block.shape.intersects(Point(lon, lat))]
    found = at_point(here, EVERYBODY, lon, lat)["block"]
    assert (found and found["id"]) == (min(holding) if holding else None)
    assert math.isfinite(lon)
