"""Compactness ratios against closed forms and an independent smallest circle."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPoint, MultiPolygon, Point, Polygon, box

from grid_boundaries.errors import Refused
from grid_boundaries.measures import hull_ratio, polsby_popper, reock


def smallest_circle_area(points: list[tuple[float, float]]) -> float:
    """Brute force: the smallest circle is fixed by two or three of the points."""
    best = math.inf
    for pair in itertools.combinations(points, 2):
        centre = ((pair[0][0] + pair[1][0]) / 2, (pair[0][1] + pair[1][1]) / 2)
        best = min(best, _enclosing(centre, math.dist(centre, pair[0]), points))
    for triple in itertools.combinations(points, 3):
        circle = _circumcircle(*triple)
        if circle is not None:
            best = min(best, _enclosing(circle, math.dist(circle, triple[0]), points))
    return best


def _enclosing(
    centre: tuple[float, float], radius_m: float, points: list[tuple[float, float]]
) -> float:
    slack = 1 + 1e-9
    inside = all(math.dist(centre, point) <= radius_m * slack for point in points)
    return math.pi * radius_m**2 if inside else math.inf


def _circumcircle(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> tuple[float, float] | None:
    d = 2 * (a[0] * (b[1] - c[1]) + b[0] * (c[1] - a[1]) + c[0] * (a[1] - b[1]))
    if abs(d) < 1e-9:
        return None
    squares = [x * x + y * y for x, y in (a, b, c)]
    x = squares[0] * (b[1] - c[1]) + squares[1] * (c[1] - a[1]) + squares[2] * (a[1] - b[1])
    y = squares[0] * (c[0] - b[0]) + squares[1] * (a[0] - c[0]) + squares[2] * (b[0] - a[0])
    return (x / d, y / d)


def test_a_square_has_the_ratios_worked_out_by_hand() -> None:
    square = GeoSeries([box(0, 0, 10, 10)], index=["a"], crs=4545)
    assert polsby_popper(square)["a"] == pytest.approx(math.pi / 4, abs=1e-12)
    assert reock(square)["a"] == pytest.approx(2 / math.pi, abs=1e-12)
    assert hull_ratio(square)["a"] == pytest.approx(1, abs=1e-12)


def test_a_fine_circle_is_nearly_one_in_all_three() -> None:
    circle = GeoSeries([Point(0, 0).buffer(100, quad_segs=256)], crs=4545)
    for ratio in (polsby_popper, reock, hull_ratio):
        assert ratio(circle)[0] == pytest.approx(1, abs=1e-4)


def test_an_l_shape_is_three_quarters_of_its_square_and_six_sevenths_of_its_hull() -> None:
    shape = Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    assert hull_ratio(GeoSeries([shape]))[0] == pytest.approx(3 / 3.5)
    assert polsby_popper(GeoSeries([shape]))[0] == pytest.approx(4 * math.pi * 3 / 64)


def test_a_hole_counts_in_the_perimeter_but_not_in_the_hull() -> None:
    holed = box(0, 0, 10, 10).difference(box(4, 4, 6, 6))
    assert polsby_popper(GeoSeries([holed]))[0] == pytest.approx(4 * math.pi * 96 / 48**2)
    assert hull_ratio(GeoSeries([holed]))[0] == pytest.approx(0.96)


def test_two_parts_are_measured_together() -> None:
    parts = MultiPolygon([box(0, 0, 1, 1), box(9, 0, 10, 1)])
    assert hull_ratio(GeoSeries([parts]))[0] == pytest.approx(0.2)
    assert reock(GeoSeries([parts]))[0] == pytest.approx(2 / (math.pi * 25.25))


def test_an_empty_grid_is_unknown_and_an_empty_county_is_empty() -> None:
    for ratio in (polsby_popper, reock, hull_ratio):
        assert np.isnan(ratio(GeoSeries([Polygon()]))[0])
        assert ratio(GeoSeries([], crs=4545)).empty


@pytest.mark.parametrize("ratio", [polsby_popper, reock, hull_ratio])
def test_degrees_are_refused(ratio: Callable[[GeoSeries], object]) -> None:
    with pytest.raises(Refused, match="metres"):
        ratio(GeoSeries([box(108, 33, 108.1, 33.1)], crs=4490))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=8, unique=True)
)
def test_reock_equals_the_brute_force_circle(points: list[tuple[int, int]]) -> None:
    hull = GeoSeries([MultiPoint(points).convex_hull])
    shape = hull[0]
    if not isinstance(shape, Polygon):
        return
    corners = [(float(x), float(y)) for x, y in shape.exterior.coords[:-1]]
    assert reock(hull)[0] == pytest.approx(shape.area / smallest_circle_area(corners), rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.2, 5), st.floats(-1000, 1000), st.floats(0, 6.28))
def test_ratios_do_not_change_when_a_grid_is_moved_turned_or_scaled(
    scale: float, shift_m: float, turn: float
) -> None:
    shape = Polygon([(0, 0), (20, 0), (20, 5), (7, 9), (3, 30)])
    moved = (
        GeoSeries([shape])
        .scale(scale, scale, origin=(0, 0))
        .rotate(turn, origin=(0, 0), use_radians=True)
        .translate(shift_m, -shift_m)
    )
    for ratio in (polsby_popper, reock, hull_ratio):
        assert ratio(moved)[0] == pytest.approx(ratio(GeoSeries([shape]))[0], rel=1e-6)
