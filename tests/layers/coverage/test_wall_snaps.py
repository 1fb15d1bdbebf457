"""Cameras at walls: told from those beside them, and moved to the nearest place outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.camera_ground import CameraGround
from layers.coverage.device_codes import (
    is_malformed,
    is_of_another_county,
    repeated_after,
    texts_of,
)
from layers.coverage.wall_snaps import OFF_WALL_M, is_inside, is_on_wall, snapped
from tests.layers.coverage.scenes import turned_boxes

NARROW = 0.01  # a rounded corner is drawn by chords


def among(*houses: Any) -> CameraGround:
    return CameraGround("610999", 4545, shapely.box(-1e4, -1e4, 1e4, 1e4), np.array(houses))


def snap(x: float, y: float, *houses: Any) -> tuple[float, float]:
    place = snapped(np.array([[x, y]]), among(*houses))[0]
    return float(place[0]), float(place[1])


HOUSE = shapely.box(0, 0, 20, 10)


@pytest.mark.parametrize(
    "x, y, inside, on_wall",
    [
        (10, 5, True, False),
        (10, 0.2, True, False),
        (10, 0.05, False, True),
        (10, 0, False, True),
        (10, -0.05, False, True),
        (10, -0.2, False, False),
        (0, 0, False, True),
        (-50, -50, False, False),
    ],
)
def test_inside_on_the_wall_and_beside_it(x: float, y: float, inside: bool, on_wall: bool) -> None:
    at = np.array([[x, y]])
    assert (is_inside(at, among(HOUSE))[0], is_on_wall(at, among(HOUSE))[0]) == (inside, on_wall)


def test_a_camera_in_a_courtyard_is_not_inside() -> None:
    ring = HOUSE - shapely.box(5, 3, 15, 7)
    at = np.array([[10.0, 5.0], [2.0, 5.0]])
    assert is_inside(at, among(ring)).tolist() == [False, True]


def test_the_nearest_wall_is_taken() -> None:
    assert snap(18, 5, HOUSE) == pytest.approx((20.5, 5))
    assert snap(10, 2, HOUSE) == pytest.approx((10, -0.5))
    assert snap(10, 0, HOUSE) == pytest.approx((10, -0.5))


def test_the_courtyard_counts_as_outside() -> None:
    ring = HOUSE - shapely.box(5, 2, 15, 8)
    assert snap(4, 5, ring) == pytest.approx((5.5, 5))


def test_out_of_houses_wall_to_wall_the_way_leads_to_the_street() -> None:
    row = [shapely.box(20 * n, 0, 20 * n + 20, 10) for n in range(5)]
    assert snap(41, 4, *row) == pytest.approx((41, -0.5))


def test_a_passage_narrower_than_two_brackets_is_passed_over() -> None:
    assert snap(9.9, 5, shapely.box(0, 0, 10, 10), shapely.box(10.6, 0, 20, 10))[1] != 5.0


def test_a_very_large_hall_is_left_as_well() -> None:
    hall = shapely.box(-300, -300, 300, 300)
    assert snap(100, 0, hall) == pytest.approx((300.5, 0), abs=1e-6)


def test_what_stands_clear_stays() -> None:
    assert snap(100, 100, HOUSE) == (100, 100)
    assert snapped(np.empty((0, 2)), among(HOUSE)).shape == (0, 2)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_no_place_outside_is_nearer_than_the_one_proposed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 12, 60.0)
    ground, at = among(*houses), rng.uniform(0, 60, (6, 2))
    put = snapped(at, ground)
    moved_m = np.hypot(*(put - at).T)
    whole = shapely.union_all(houses)
    away_m = shapely.distance(shapely.points(put), whole)
    assert (np.asarray(away_m) >= OFF_WALL_M - NARROW).all()
    for point, own_m in zip(at, moved_m, strict=True):
        # places all round, a little nearer than the one proposed: none of them is clear
        turn_rad = rng.uniform(0, 2 * np.pi, 400)
        far_m = (own_m - 0.05) * np.sqrt(rng.random(400))
        tried = point + far_m[:, None] * np.column_stack([np.cos(turn_rad), np.sin(turn_rad)])
        clear = np.asarray(shapely.distance(shapely.points(tried), whole)) > OFF_WALL_M
        assert own_m <= 0.05 or not clear.any()


# ------------------------------------------------------------------ device codes

CODE = "61092300001320000001"


@pytest.mark.parametrize(
    "code, malformed, foreign",
    [
        (CODE, False, False),
        (f"  {CODE} ", False, False),
        ("61092400001320000001", False, True),
        ("", False, False),
        (None, False, False),
        (float("nan"), False, False),
        (CODE[:-1], True, False),
        (CODE + "1", True, False),
        ("6109230000132000000X", True, False),
        ("٦" * 20, True, False),
        (int(CODE), False, False),
        (6.1092300001320001e19, True, False),
    ],
)  # fmt: skip
def test_a_code_is_twenty_digits_and_of_this_county(
    code: Any, malformed: bool, foreign: bool
) -> None:
    codes = pd.Series([code], dtype=object)
    assert is_malformed(codes).tolist() == [malformed]
    assert is_of_another_county(codes, "610923").tolist() == [foreign]


@pytest.mark.parametrize("county", ["63000", "", "61092X", "610923000"])
def test_a_county_without_six_digits_holds_nothing_against_a_code(county: str) -> None:
    assert not is_of_another_county(pd.Series([CODE]), county).any()


def test_codes_given_twice_point_to_the_first() -> None:
    codes = pd.Series([CODE, None, " " + CODE, "", "", CODE, "1"], index=list("abcdefg"))
    first = repeated_after(codes)
    assert first.dropna().to_dict() == {"c": "a", "f": "a"}


def test_texts_of_a_column_of_any_kind() -> None:
    assert texts_of(pd.Series([1, None, " x "], dtype=object)).tolist() == ["1", "", "x"]
    assert texts_of(pd.Series([np.nan, 2.0])).tolist() == ["", "2.0"]
    assert texts_of(pd.Series([], dtype=float)).tolist() == []
