"""Which shapes are seen for certain, as assumed, possibly, beside the views themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.checks import CoverageRefused
from layers.coverage.cover_levels import (
    LEVELS,
    is_stated,
    may_be_certain,
    may_be_seen,
    seen_levels,
    walled_in,
)
from layers.coverage.figures import TOLERANCE_M
from layers.coverage.visibility import certain_areas, possible_areas, visible_areas
from tests.layers.coverage.scenes import CRS, areas, turned_boxes
from tests.layers.coverage.unsure import unsure_case

NOTHING = GeoSeries([], crs=CRS)


def camera(**told: Any) -> GeoDataFrame:
    """One camera that looks north, 60 degrees wide, 40 m far."""
    x_m, y_m = told.pop("at", (0.0, 0.0))
    row = {
        "azimuth_deg": 0.0,
        "view_angle_deg": 60.0,
        "range_m": 40.0,
        "azimuth_error_deg": 0.0,
        "position_error_m": 0.0,
    } | told
    columns = {name: [float(value)] for name, value in row.items()}
    return GeoDataFrame(columns, geometry=[shapely.Point(x_m, y_m)], crs=CRS)


def crowd(rng: np.random.Generator, count: int, side_m: float = 200.0) -> GeoDataFrame:
    """Cameras of all kinds of doubt: sure, unsure of bearing, of place, of both, of all."""
    bearing = rng.uniform(0, 360, count)
    error_deg = rng.choice([0.0, 10.0, 22.5, 180.0], count)
    columns = {
        "azimuth_deg": np.where(error_deg == 180.0, np.nan, bearing),
        "view_angle_deg": rng.choice([60.0, 120.0, 200.0, 360.0], count),
        "range_m": rng.uniform(20, 90, count),
        "azimuth_error_deg": error_deg,
        "position_error_m": rng.choice([0.0, 0.5, 3.0, 12.0, 40.0], count),
    }
    xy = rng.uniform(0, side_m, (count, 2))
    return GeoDataFrame(columns, geometry=np.asarray(shapely.points(xy)), crs=CRS)


def mixed_shapes(rng: np.random.Generator, houses: list[Any], side_m: float = 200.0) -> GeoSeries:
    """Footprints, points on the ground, points on façades and one point in a house."""
    points = np.asarray(shapely.points(rng.uniform(0, side_m, (25, 2))))
    walls = [shapely.get_point(shapely.get_exterior_ring(house), 0) for house in houses[:5]]
    inside = [house.centroid for house in houses[:1]]
    return GeoSeries([*houses, *points, *walls, *inside], crs=CRS)


def near_any(shapes: GeoSeries, views: GeoSeries) -> list[bool]:
    """Pair by pair, without an index: whether some view comes near enough to each shape."""
    return [
        any(not view.is_empty and view.distance(shape) <= TOLERANCE_M for view in views)
        for shape in shapes
    ]


def levels(shape: Any, cameras: GeoDataFrame, *houses: Any) -> tuple[bool, bool, bool]:
    """Certain, assumed, possible of one shape."""
    found = seen_levels(GeoSeries([shape], crs=CRS), cameras, areas(*houses)).iloc[0]
    return bool(found["certain"]), bool(found["assumed"]), bool(found["possible"])


# ------------------------------------------------------------------ against the exact views


@settings(derandomize=True, deadline=None, max_examples=12)
@given(seed=st.integers(0, 2**32 - 1))
def test_levels_are_what_the_exact_views_say_pair_by_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 14, 200.0)
    cameras, shapes = crowd(rng, 8), mixed_shapes(rng, houses)
    buildings = areas(*houses)
    found = seen_levels(shapes, cameras, buildings)
    certain = np.array(near_any(shapes, certain_areas(cameras, buildings)))
    stated = cameras[(cameras["azimuth_error_deg"] < 180) | (cameras["view_angle_deg"] == 360)]
    assumed = certain | near_any(shapes, visible_areas(stated, buildings))
    possible = assumed | near_any(shapes, possible_areas(cameras, buildings))
    assert found["certain"].tolist() == certain.tolist()
    assert found["assumed"].tolist() == assumed.tolist()
    assert not (found["possible"] & ~possible).any()
    # sight back from a shape now and then rules out what a bound drawn from the camera leaves open
    assert (found["possible"] != possible).mean() <= 0.05


@settings(derandomize=True, deadline=None, max_examples=12)
@given(seed=st.integers(0, 10**6), position=st.booleans())
def test_every_truth_lies_between_certain_and_possible(seed: int, position: bool) -> None:
    case = unsure_case(seed, azimuth=True, position=position)
    rng = np.random.default_rng(seed)
    shapes = mixed_shapes(rng, case.buildings.to_list())
    found = seen_levels(shapes, case.frame(), case.buildings)
    for truth in case.truths(rng, 12):
        seen = np.array(near_any(shapes, GeoSeries([truth], crs=CRS)))
        assert not (found["certain"].to_numpy() & ~seen).any()
        assert not (seen & ~found["possible"].to_numpy()).any()


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_camera_that_sees_anything_for_certain_is_passed_over(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cameras, buildings = crowd(rng, 12), areas(*turned_boxes(rng, 12, 200.0))
    views = certain_areas(cameras, buildings)
    assert not (~views.is_empty & ~may_be_certain(cameras, buildings)).any()


def test_cameras_that_cannot_be_certain_are_found_before_any_view_is_drawn() -> None:
    # with 15 degrees left of the field, a disc of 40 m wants an apex 300 m away
    unsure = camera(azimuth_error_deg=22.5, position_error_m=40.0, range_m=80.0)
    assert not may_be_certain(unsure, NOTHING).any()
    blurred = camera(azimuth_error_deg=30.0)
    assert not may_be_certain(blurred, NOTHING).any()
    assert not may_be_certain(camera(range_m=0.0), NOTHING).any()


@pytest.mark.parametrize(
    ("error_m", "may"), [(0.0, True), (1.0, True), (4.5, True), (5.5, False), (10.0, False)]
)
def test_the_last_error_that_leaves_certain_ground_is_worked_out_by_hand(
    error_m: float, may: bool
) -> None:
    # a field of 15 degrees, 40 m far: apex at e / sin 7.5 deg, range 40 - e; they meet at 4.62 m
    unsure = camera(azimuth_error_deg=22.5, position_error_m=error_m)
    assert may_be_certain(unsure, NOTHING).tolist() == [may]
    assert certain_areas(unsure, NOTHING).is_empty.tolist() == [not may]


def test_houses_in_the_disc_narrow_where_a_camera_may_stand() -> None:
    lane = [shapely.box(-60, -60, -2, 60), shapely.box(2, -60, 60, 60)]
    unsure = camera(azimuth_error_deg=10.0, position_error_m=12.0, range_m=80.0)
    assert may_be_certain(unsure, areas(*lane)).all()
    assert certain_areas(unsure, areas(*lane)).iloc[0].area > 10.0


def test_without_any_free_place_nothing_is_decided_and_nothing_is_seen() -> None:
    block = shapely.box(-100, -100, 100, 100)
    unsure = camera(position_error_m=5.0, azimuth_error_deg=10.0)
    assert may_be_certain(unsure, areas(block)).all()
    assert levels(shapely.box(150, 0, 160, 10), unsure, block) == (False, False, False)


# ------------------------------------------------------------------ cases by hand

HOUSE = shapely.box(-5, 20, 5, 30)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, (True, True, True)),
        ({"range_m": 20.0}, (True, True, True)),
        ({"range_m": 19.0}, (False, False, False)),
        ({"azimuth_deg": 180.0}, (False, False, False)),
        ({"azimuth_deg": 180.0, "azimuth_error_deg": 130.0}, (False, False, False)),
        ({"azimuth_deg": 180.0, "azimuth_error_deg": 140.0}, (False, False, True)),
        ({"azimuth_deg": 180.0, "azimuth_error_deg": 160.0}, (False, False, True)),
        ({"azimuth_deg": 41.0}, (True, True, True)),
        ({"azimuth_deg": 41.0, "azimuth_error_deg": 10.0}, (False, True, True)),
        ({"azimuth_deg": 50.0, "azimuth_error_deg": 10.0}, (False, False, True)),
        ({"azimuth_deg": np.nan, "azimuth_error_deg": 180.0}, (False, False, True)),
        ({"azimuth_deg": np.nan, "view_angle_deg": 360.0}, (True, True, True)),
        ({"position_error_m": 2.0}, (True, True, True)),
        ({"position_error_m": 25.0}, (False, True, True)),
        ({"range_m": 10.0, "position_error_m": 9.0}, (False, False, False)),
        ({"range_m": 10.0, "position_error_m": 11.0}, (False, False, True)),
    ],
)
def test_a_house_north_of_a_camera(told: Any, expected: tuple[bool, bool, bool]) -> None:
    assert levels(HOUSE, camera(**told), HOUSE) == expected


def test_a_wall_between_hides_at_every_level() -> None:
    wall = shapely.box(-60, 10, 60, 12)
    sure = camera(azimuth_error_deg=5.0, position_error_m=1.0)
    assert levels(HOUSE, sure, HOUSE, wall) == (False, False, False)
    # a camera that may stand behind the wall may see the house
    unsure = camera(azimuth_error_deg=5.0, position_error_m=16.0)
    assert levels(HOUSE, unsure, HOUSE, wall) == (False, False, True)


def test_a_front_that_looks_away_is_not_taken_for_seen() -> None:
    # the disc reaches just the house's north front, which a camera that looks north sees never
    house = shapely.box(-40, -30, 40, -10)
    north = camera(position_error_m=9.0, azimuth_error_deg=5.0, range_m=15.0)
    assert levels(house, north, house) == (False, False, False)
    south = camera(position_error_m=9.0, azimuth_error_deg=5.0, range_m=15.0, azimuth_deg=180.0)
    assert levels(house, south, house) == (False, True, True)


def test_a_shape_walled_in_on_all_sides_is_seen_by_nobody() -> None:
    ring = shapely.box(-30, -30, 30, 30).difference(shapely.box(-5, -5, 5, 5))
    core = shapely.box(-5, -5, 5, 5)
    unsure = camera(at=(0, -60), position_error_m=50.0, azimuth_error_deg=30.0)
    assert levels(core, unsure, ring, core) == (False, False, False)
    assert levels(shapely.Point(0, 0), unsure, ring, core) == (False, False, False)


def test_a_courtyard_is_a_place_where_an_unsure_camera_may_stand() -> None:
    ring = shapely.box(-30, -30, 30, 30).difference(shapely.box(-10, -10, 10, 10))
    unsure = camera(at=(0, -60), position_error_m=60.0, azimuth_error_deg=10.0, range_m=15.0)
    assert levels(shapely.Point(0, 5), unsure, ring) == (False, False, True)


@pytest.mark.parametrize("shape", [shapely.Polygon(), shapely.Point(), None])
def test_what_has_no_shape_is_not_seen(shape: Any) -> None:
    found = seen_levels(GeoSeries([shape, HOUSE], crs=CRS), camera(), areas(HOUSE))
    assert found.to_numpy().tolist() == [[False] * 3, [True] * 3]


def test_a_house_of_two_parts_is_seen_when_one_of_them_is() -> None:
    both = shapely.MultiPolygon([HOUSE, shapely.box(500, 500, 510, 510)])
    unsure = camera(position_error_m=12.0, range_m=12.0)
    assert levels(both, camera(), both) == (True, True, True)
    assert levels(both, unsure, both)[2]


def test_the_lightwell_of_a_house_may_be_seen_from_within_it() -> None:
    well = shapely.box(-20, -20, 20, 20).difference(shapely.box(-4, -4, 4, 4))
    unsure = camera(at=(0, 0), position_error_m=3.0, range_m=8.0)
    # all positions share ground from 6 m ahead on only, and the wall is at 4 m
    assert levels(well, unsure, well) == (False, True, True)
    assert levels(well, camera(range_m=8.0), well) == (True, True, True)


# ------------------------------------------------------------------ no cameras, no shapes, known


def test_without_cameras_nothing_is_seen() -> None:
    found = seen_levels(GeoSeries([HOUSE], crs=CRS), camera().iloc[:0], areas(HOUSE))
    assert found.to_numpy().tolist() == [[False] * 3]


def test_without_shapes_the_answer_is_empty() -> None:
    found = seen_levels(NOTHING, camera(), areas(HOUSE))
    assert list(found.columns) == list(LEVELS)
    assert len(found) == 0


def test_without_buildings_only_range_and_bearing_count() -> None:
    shapes = GeoSeries(shapely.points([(0, 39), (0, 41), (30, 0)]), crs=CRS)
    found = seen_levels(shapes, camera(), NOTHING)
    assert found["certain"].tolist() == [True, False, False]
    assert found["possible"].tolist() == [True, False, False]


def test_the_index_of_the_shapes_is_kept() -> None:
    shapes = GeoSeries([HOUSE, shapely.Point(0, -10)], index=["b", "a"], crs=CRS)
    found = seen_levels(shapes, camera(), areas(HOUSE))
    assert found.index.tolist() == ["b", "a"]
    assert found["assumed"].to_dict() == {"b": True, "a": False}


@settings(derandomize=True, deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_shorter_ranges_saw_changes_nothing_but_the_work(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 10, 200.0)
    cameras, shapes = crowd(rng, 6), mixed_shapes(rng, houses)
    short = seen_levels(shapes, cameras.assign(range_m=25.0), areas(*houses))
    far = seen_levels(shapes, cameras.assign(range_m=60.0), areas(*houses))
    again = seen_levels(shapes, cameras.assign(range_m=60.0), areas(*houses), known=short)
    pd.testing.assert_frame_equal(again, far)
    assert not (short.to_numpy() & ~far.to_numpy()).any()


def test_only_a_bearing_unknown_by_intent_may_be_missing() -> None:
    assert is_stated(camera()).tolist() == [True]
    assert is_stated(camera(azimuth_deg=np.nan, azimuth_error_deg=180.0)).tolist() == [False]
    assert is_stated(camera(azimuth_deg=np.nan, view_angle_deg=360.0)).tolist() == [True]
    with pytest.raises(CoverageRefused) as caught:
        levels(HOUSE, camera(azimuth_deg=np.nan, azimuth_error_deg=90.0), HOUSE)
    assert caught.value.code == "azimuth-missing"


def test_a_camera_that_stands_where_it_is_said_is_not_looked_for_elsewhere() -> None:
    """A disc without a radius is a place: a front near it is not in front of it."""
    sure = camera(at=(0.0, 20.0), azimuth_deg=180.0)
    shapes = GeoSeries([HOUSE.buffer(-1), shapely.Point(0, 20.5)], crs=CRS)
    assert may_be_seen(shapes, sure, areas(HOUSE)).tolist() == [False, False]


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"range_m": -1.0}, "range-out-of-bounds"),
        ({"view_angle_deg": 0.0}, "view-angle-out-of-bounds"),
        ({"position_error_m": -1.0}, "error-out-of-bounds"),
        ({"azimuth_error_deg": np.inf}, "error-out-of-bounds"),
        ({"at": (np.nan, 0.0)}, "camera-unplaced"),
    ],
)
def test_cameras_that_cannot_be_are_refused(told: Any, code: str) -> None:
    with pytest.raises(CoverageRefused) as caught:
        levels(HOUSE, camera(**told), HOUSE)
    assert caught.value.code == code


def test_shapes_in_another_crs_and_invalid_footprints_are_refused() -> None:
    with pytest.raises(CoverageRefused) as caught:
        seen_levels(GeoSeries([HOUSE], crs=4546), camera(), areas(HOUSE))
    assert caught.value.code == "crs-differs"
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(CoverageRefused) as caught:
        levels(HOUSE, camera(), bow_tie)
    assert caught.value.code == "invalid-polygon"


@settings(derandomize=True, deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_without_exact_bounds_possible_is_a_ceiling_and_nothing_else_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 14, 200.0)
    cameras, shapes = crowd(rng, 6), mixed_shapes(rng, houses)
    exact = seen_levels(shapes, cameras, areas(*houses))
    ceiling = seen_levels(shapes, cameras, areas(*houses), settled=False)
    pd.testing.assert_frame_equal(ceiling[["certain", "assumed"]], exact[["certain", "assumed"]])
    assert not (exact["possible"] & ~ceiling["possible"]).any()


def test_a_ceiling_still_rules_out_what_is_behind_or_too_far_or_walled_in() -> None:
    core = shapely.box(-5, -5, 5, 5)
    ring = shapely.box(-30, -30, 30, 30).difference(core)
    shapes = GeoSeries([core, shapely.box(0, 90, 10, 99), shapely.Point(0, -95)], crs=CRS)
    unsure = camera(at=(0, -60), position_error_m=30.0, azimuth_error_deg=10.0)
    found = seen_levels(shapes, unsure, areas(ring, core), settled=False)
    assert not found.to_numpy().any()


@pytest.mark.parametrize(
    ("shape", "shut"),
    [
        (shapely.box(-5, -5, 5, 5), True),
        (shapely.Point(0, 0), True),
        (shapely.Point(29.9, 0), False),
        (shapely.box(-30, -30, -10, -10), False),
        (shapely.box(50, 50, 60, 60), False),
        (shapely.Polygon(), False),
        (None, False),
    ],
)
def test_walled_in_is_what_has_houses_all_round(shape: Any, shut: bool) -> None:
    block = shapely.box(-30, -30, 30, 30)
    assert walled_in(GeoSeries([shape], crs=CRS), areas(block)).tolist() == [shut]


def test_walls_of_several_houses_wall_in_together() -> None:
    halves = areas(shapely.box(-30, -30, 0, 30), shapely.box(0, -30, 30, 30))
    middle = GeoSeries([shapely.box(-5, -5, 5, 5)], crs=CRS)
    assert walled_in(middle, halves).tolist() == [True]
    assert walled_in(middle, GeoSeries(halves.iloc[:1])).tolist() == [False]
    assert walled_in(middle, GeoSeries(halves.iloc[:0])).tolist() == [False]
