"""Outlines of sets of faces against the unions that they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from grid_boundaries.measures import compactness, outline_ratios
from grid_boundaries.patchwork import Patchwork
from tests.ground import crooked_tiles

SIDE = 5
TILES = crooked_tiles(SIDE, SIDE).to_numpy()


def rows(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sets(st.integers(0, len(TILES) - 1), min_size=1))
def test_an_outline_is_that_of_the_union(chosen: set[int]) -> None:
    found = Patchwork(TILES).outline(rows(*sorted(chosen)))
    union = shapely.coverage_union_all(TILES[sorted(chosen)])
    assert found.area_m2 == pytest.approx(union.area)
    assert found.perimeter_m == pytest.approx(union.length)
    assert found.parts == shapely.get_num_geometries(union)
    assert found.hull.symmetric_difference(union.convex_hull).area == pytest.approx(0, abs=1e-6)
    ratios = outline_ratios(found.area_m2, found.perimeter_m, found.hull)
    assert ratios == pytest.approx(compactness(np.array([union], dtype=object))[0].tolist())


def test_a_square_worked_out_by_hand() -> None:
    found = Patchwork(np.array([box(0, 0, 10, 10), box(10, 0, 20, 10)])).outline(rows(0, 1))
    assert (found.area_m2, found.perimeter_m, found.parts) == (200.0, 60.0, 1)
    polsby, reock, hull = outline_ratios(found.area_m2, found.perimeter_m, found.hull)
    assert polsby == pytest.approx(4 * math.pi * 200 / 3600)
    assert reock == pytest.approx(200 / (math.pi * 125))
    assert hull == 1.0


def test_faces_that_meet_in_a_point_are_two_parts() -> None:
    corner = Patchwork(np.array([box(0, 0, 10, 10), box(10, 10, 20, 20)]))
    assert corner.outline(rows(0, 1)).parts == 2
    assert corner.outline(rows(1)).parts == 1


def test_a_hole_counts_in_the_perimeter_and_not_in_the_area() -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    found = Patchwork(np.array([ring])).outline(rows(0))
    assert (found.area_m2, found.perimeter_m, found.parts) == (800.0, 160.0, 1)


def test_a_hole_that_is_filled_is_gone() -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    found = Patchwork(np.array([ring, box(10, 10, 20, 20)])).outline(rows(0, 1))
    assert (found.area_m2, found.perimeter_m, found.parts) == (900.0, 120.0, 1)


def test_a_multipolygon_brings_all_its_parts() -> None:
    two = MultiPolygon([box(0, 0, 10, 10), box(40, 0, 50, 10)])
    between = box(10, 0, 40, 10)
    patchwork = Patchwork(np.array([two, between], dtype=object))
    assert patchwork.outline(rows(0)).parts == 2
    assert patchwork.outline(rows(0, 1)).parts == 1
    assert patchwork.outline(rows(0, 1)).perimeter_m == 120.0


def test_no_set_disturbs_another() -> None:
    patchwork = Patchwork(TILES)
    first = patchwork.outline(rows(0, 1, 2))
    patchwork.outline(rows(*range(len(TILES))))
    assert patchwork.outline(rows(0, 1, 2)) == first


def test_a_side_that_runs_the_same_way_round_twice_is_still_shared() -> None:
    """Which way round a ring runs says nothing: stored polygons run both ways."""
    one, other = box(0, 0, 10, 10), box(10, 0, 20, 10)
    turned = Polygon(list(other.exterior.coords)[::-1])
    for second in (other, turned):
        assert Patchwork(np.array([one, second])).outline(rows(0, 1)).perimeter_m == 60.0


def test_the_smallest_circle_of_a_hull_is_that_of_the_shape() -> None:
    dented = Point(0, 0).buffer(10).difference(box(0, -1, 20, 1))
    found = Patchwork(np.array([dented])).outline(rows(0))
    _, reock, _ = outline_ratios(found.area_m2, found.perimeter_m, found.hull)
    radius_m = shapely.minimum_bounding_radius(dented)
    assert reock == pytest.approx(dented.area / (math.pi * radius_m**2))
