"""Slivers: no circle of the stated diameter fits in them, or they are small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import Point, Polygon, box

from grid_boundaries.errors import Refused
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers

TWO_METRES = Tolerance(narrower_than_m=2.0, smaller_than_m2=1.0)


def array(*shapes: Any) -> NDArray[Any]:
    return np.array(shapes, dtype=object)


def slivers(*shapes: Any, bounds: Tolerance = TWO_METRES) -> list[bool]:
    found: list[bool] = are_slivers(array(*shapes), bounds).tolist()
    return found


def test_a_strip_narrower_than_the_tolerance_is_a_sliver_however_long() -> None:
    assert slivers(box(0, 0, 5000, 1.9), box(0, 0, 5000, 2.2)) == [True, False]


def test_a_small_square_is_a_sliver() -> None:
    assert slivers(box(0, 0, 0.9, 0.9), box(0, 0, 3, 3)) == [True, False]


def test_a_square_with_a_long_thin_tail_is_no_sliver() -> None:
    # its mean width is 0.2 m, and a circle of 10 m fits into its head
    tailed = shapely.union_all([box(0, 0, 10, 10), box(10, 0, 3000, 0.1)])
    assert slivers(tailed) == [False]


def test_an_l_of_two_thin_strips_is_a_sliver() -> None:
    bent = shapely.union_all([box(0, 0, 100, 1), box(0, 0, 1, 100)])
    assert slivers(bent) == [True]


def test_a_frame_round_a_hole_counts_its_own_width() -> None:
    frame = box(0, 0, 100, 100).difference(box(1.5, 1.5, 98.5, 98.5))
    assert slivers(frame) == [True]


def test_nothing_is_a_sliver_at_zero_tolerance() -> None:
    nothing = Tolerance(0.0, 0.0, 0.0)
    assert slivers(box(0, 0, 1000, 0.001), bounds=nothing) == [False]


def test_no_polygon_gives_no_answer() -> None:
    assert slivers() == []


@pytest.mark.parametrize("wrong", [(-1.0, 1.0), (51.0, 1.0), (2.0, -1.0), (float("nan"), 1.0)])
def test_a_tolerance_that_makes_no_sense_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(Refused) as refused:
        Tolerance(*wrong)
    assert refused.value.code == "bad-tolerance"


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), min_size=3, max_size=9))
def test_slivers_agree_with_the_largest_inscribed_circle(points: list[tuple[float, float]]) -> None:
    shape = shapely.convex_hull(shapely.MultiPoint(points))
    if not isinstance(shape, Polygon) or shape.area < 1.5:
        return
    radius_m = shapely.maximum_inscribed_circle(shape, tolerance=1e-4).length
    if abs(2 * radius_m - 2.0) > 0.01:  # too close to call by another method
        fits_area = shape.area >= np.pi
        assert slivers(shape) == [2 * radius_m < 2.0 or not fits_area]


def test_a_disk_just_over_the_diameter_is_no_sliver() -> None:
    assert slivers(Point(0, 0).buffer(1.01), Point(0, 0).buffer(0.99)) == [False, True]
