"""Shifts of batches: what is told of streets alone, and when nothing is told."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.crs import (
    bd09_from_wgs84,
    gcj02_from_wgs84,
    lonlat_from_metres,
    metres_from_lonlat,
)
from layers.coverage.batch_shifts import FEWEST, PLAIN, Shift, batch_shift, undone, votes_of
from layers.coverage.camera_ground import CameraGround, distance_m
from layers.coverage.camera_shifts import least_odds
from layers.coverage.standing import is_in, position_class, standing
from tests.layers.coverage.bad_cameras import (
    COUNTY,
    SRID,
    Floats,
    good_cameras,
    made_up_place,
    points_m,
)


@cache
def town(count: int = 240, seed: int = 2) -> Floats:
    """Where good cameras stand, metres."""
    cameras = good_cameras(made_up_place(), count, np.random.default_rng(seed))
    return points_m(cameras)


def by(east_m: float, north_m: float) -> Floats:
    return np.array([east_m, north_m])


def shift_of(at_m: Floats, ground: CameraGround | None = None) -> Shift | None:
    return batch_shift(lonlat_from_metres(at_m, SRID), ground or made_up_place().ground)


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.floats(0, 6.28), st.floats(15, 600), st.integers(0, 1_000))
def test_whatever_a_batch_is_moved_by_is_measured_within_5_m(
    turn_rad: float, length_m: float, seed: int
) -> None:
    vector_m = length_m * np.array([np.cos(turn_rad), np.sin(turn_rad)])
    found = shift_of(town(240, seed % 5) + vector_m)
    assert found is not None
    assert np.hypot(found.east_m - vector_m[0], found.north_m - vector_m[1]) < 5.0
    assert found.near_then > found.near_now


@pytest.mark.parametrize("shift", [gcj02_from_wgs84, bd09_from_wgs84])
def test_a_known_datum_is_called_by_its_name_and_undone_exactly(shift: object) -> None:
    assert callable(shift)
    true = lonlat_from_metres(town(), SRID)
    wrong = shift(true)
    found = batch_shift(wrong, made_up_place().ground)
    assert found is not None
    assert found.datum == {gcj02_from_wgs84: "GCJ-02", bd09_from_wgs84: "BD-09"}[shift]
    assert undone(wrong, found, SRID) == pytest.approx(town(), abs=1e-3)


def test_a_plain_offset_is_undone_by_its_vector() -> None:
    shift = Shift(PLAIN, 30.0, -40.0, 1.0, 0.1, 0.9, 0.9, 50)
    lonlat = lonlat_from_metres(town(), SRID)
    assert undone(lonlat, shift, SRID) == pytest.approx(town() - [30.0, -40.0], abs=1e-6)


def test_cameras_that_stand_right_are_in_no_shift() -> None:
    for seed in range(5):
        assert shift_of(town(240, seed)) is None


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(FEWEST, 250))
def test_cameras_that_stand_anywhere_are_in_no_shift(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = town().min(axis=0), town().max(axis=0)
    assert shift_of(rng.uniform(low, high, (count, 2))) is None


def test_few_cameras_tell_nothing() -> None:
    assert shift_of(town()[: FEWEST - 1] + by(200.0, 100.0)) is None
    assert shift_of(town()[:0]) is None


def test_many_cameras_on_few_poles_tell_no_more_than_the_poles() -> None:
    poles = np.repeat(town()[: FEWEST - 5], 20, axis=0)
    assert shift_of(poles + by(200.0, 100.0)) is None


def test_without_streets_nothing_is_told() -> None:
    whole = made_up_place().ground
    bare = CameraGround(COUNTY, SRID, whole.outline_m, whole.buildings_m)
    assert shift_of(town() + by(200.0, 100.0), bare) is None


def test_streets_in_one_direction_only_leave_a_shift_untold() -> None:
    lines = [shapely.LineString([(0, y), (9_000, y)]) for y in (0.0, 730.0, 1_990.0)]
    street = np.array(
        [shapely.transform(line, lambda xy: xy + by(520_000, 3_690_000)) for line in lines]
    )
    ground = CameraGround(COUNTY, SRID, shapely.box(5e5, 36e5, 6e5, 37e5), streets_m=street)
    rng = np.random.default_rng(1)
    at = np.column_stack([rng.uniform(2_000, 7_000, 120), rng.choice([0.0, 730.0, 1_990.0], 120)])
    at_m = at + by(520_000, 3_690_000) + rng.normal(0, 3, (120, 2))
    found = shift_of(at_m + by(0.0, 60.0), ground)
    assert found is None or found.datum == PLAIN
    assert found is None or abs(found.north_m - 60.0) < 5.0


def test_a_point_drawn_twice_in_a_street_does_no_harm() -> None:
    twice = shapely.LineString([(0, 0), (0, 0), (100, 0), (100, 0)])
    ground = CameraGround(COUNTY, SRID, shapely.box(0, 0, 1, 1), streets_m=np.array([twice]))
    assert shapely.length(ground.lines_m).tolist() == [100.0]
    assert len(ground.samples_m) == 26


def test_a_street_of_several_parts_is_known_by_each() -> None:
    parts = shapely.MultiLineString([[(0, 0), (9, 0)], [(0, 50), (9, 50)]])
    ground = CameraGround(COUNTY, SRID, shapely.box(0, 0, 1, 1), streets_m=np.array([parts]))
    assert len(ground.lines_m) == 2
    points = np.array([[4.0, 3.0], [4.0, 45.0], [4.0, 25.0]])
    assert distance_m(points, ground.lines, 10.0).tolist() == [3.0, 5.0, np.inf]


def test_votes_are_most_for_standing_still_where_cameras_stand_right() -> None:
    ground = made_up_place().ground
    votes = votes_of(town()[:80], np.full(80, 0.3), ground)
    middle = votes.image.shape[0] // 2
    best = np.unravel_index(int(votes.image.argmax()), votes.image.shape)
    assert np.hypot(best[0] - middle, best[1] - middle) <= 1.5


def test_the_same_batch_gives_the_same_shift() -> None:
    at_m = town() + by(90.0, 70.0)
    assert shift_of(at_m) == shift_of(at_m)


# ------------------------------------------------------------------ evidence


def test_log_odds_favour_the_street_and_the_stated_area() -> None:
    place = made_up_place()
    usual = standing(town(2_000), place.ground)
    here, moved = (
        town()[:60],
        metres_from_lonlat(gcj02_from_wgs84(lonlat_from_metres(town()[:60], SRID)), SRID),
    )
    stated = place.stated(here)
    areas = np.array([place.ground.areas_m[code] for code in stated], dtype=object)
    none = np.full(60, None, dtype=object)
    back, away = usual.log_odds(moved, here, areas), usual.log_odds(here, moved, areas)
    assert (back > 0).mean() > 0.95
    assert (away < 0).mean() > 0.95
    assert usual.log_odds(moved, here, none).mean() < back.mean()


def test_a_position_is_classed_by_street_and_wall() -> None:
    house = shapely.box(0, 0, 10, 10)
    street = shapely.LineString([(-100, -5), (100, -5)])
    ground = CameraGround(COUNTY, SRID, house, np.array([house]), np.array([street]))
    points = np.array([[5.0, 5.0], [5.0, -0.5], [5.0, -6.0], [500.0, 500.0]])
    classes = position_class(points, ground)
    assert len(set(classes.tolist())) == 4
    assert position_class(points, ground).max() < 42


def test_what_lies_just_outside_an_area_counts_as_in_it() -> None:
    area = np.array([shapely.box(0, 0, 10, 10)] * 3, dtype=object)
    area[2] = None
    assert is_in(np.array([[30.0, 5.0], [90.0, 5.0], [5.0, 5.0]]), area).tolist() == [
        True, False, False,
    ]  # fmt: skip


def test_decoys_that_fit_as_well_as_a_datum_leave_nobody_suspected() -> None:
    rng = np.random.default_rng(1)
    rows = np.arange(500)
    odds, decoys = rng.normal(-1, 2, 500), rng.normal(-1, 2, (3, 500))
    least = least_odds(odds, rows, decoys)
    assert (odds >= least).sum() <= 5


def test_without_decoys_that_fit_every_gain_counts() -> None:
    odds = np.array([-4.0, 3.0, 5.0, -2.0])
    decoys = np.full((3, 4), -9.0)
    assert least_odds(odds, np.arange(4), decoys) == 3.0
    assert least_odds(np.array([-1.0]), np.arange(1), decoys[:, :1]) == np.inf
    assert least_odds(np.empty(0), np.arange(0), decoys[:, :0]) == np.inf
