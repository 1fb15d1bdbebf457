"""New ground: cells of open ground, and what each view adds, by areas that are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from layers.coverage.new_ground import ground_added_m2, ground_points
from tests.layers.coverage.scenes import areas

FIELD = shapely.box(0, 0, 100, 100)


def cells(outline: BaseGeometry, *houses: BaseGeometry, cell_m: float = 10.0) -> GeoSeries:
    return ground_points(outline, areas(*houses), cell_m=cell_m)


def added(
    views: Sequence[BaseGeometry], old: Sequence[BaseGeometry], outline: BaseGeometry
) -> list[float]:
    return [float(one) for one in ground_added_m2(areas(*views), areas(*old), outline)]


# ------------------------------------------------------------------ cells


def test_a_field_has_a_cell_for_each_of_its_squares() -> None:
    found = cells(FIELD)
    assert (len(found), found.crs) == (100, areas().crs)
    assert found.iloc[0].wkt == "POINT (5 5)"


def test_a_cell_under_a_house_is_no_ground() -> None:
    assert len(cells(FIELD, shapely.box(0, 0, 20, 10))) == 98


def test_a_house_that_touches_the_middle_of_a_cell_takes_it() -> None:
    assert len(cells(FIELD, shapely.box(-5, -5, 5, 5))) == 99


def test_a_hole_and_a_second_part_count_as_they_are() -> None:
    ring = FIELD.difference(shapely.box(20, 20, 80, 80))
    assert len(cells(ring)) == 100 - 36
    two = shapely.MultiPolygon([FIELD, shapely.box(200, 0, 210, 10)])
    assert len(cells(two)) == 101


def test_two_squares_that_touch_at_a_corner_are_counted_once_each() -> None:
    two = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(10, 10, 20, 20)])
    assert sorted(cells(two).to_wkt()) == ["POINT (15 15)", "POINT (5 5)"]


@pytest.mark.parametrize("outline", [shapely.Polygon(), shapely.MultiPolygon()])
def test_no_outline_has_no_ground(outline: BaseGeometry) -> None:
    assert len(cells(outline)) == 0


def test_an_outline_between_the_middles_has_no_cell() -> None:
    assert len(cells(shapely.box(6, 6, 14, 14))) == 0
    assert len(cells(shapely.box(6, 6, 14, 14), cell_m=2.0)) == 16


def test_cells_stand_on_one_lattice_wherever_the_outline_begins() -> None:
    whole = set(cells(FIELD).to_wkt())
    assert set(cells(shapely.box(33.3, 41.7, 77.7, 88.1)).to_wkt()) <= whole


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(2.0, 9.0))
def test_cells_are_those_whose_middle_is_open(seed: int, cell_m: float) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-30, 30, (4, 2))
    houses = [shapely.box(x, y, x + 7, y + 9) for x, y in corners]
    outline = shapely.Point(*rng.uniform(-9, 9, 2)).buffer(25)
    steps = range(-30, 31)
    middles = [((i + 0.5) * cell_m, (j + 0.5) * cell_m) for i in steps for j in steps]
    expected = [
        xy
        for xy in middles
        if outline.contains(shapely.Point(xy))
        and not any(house.intersects(shapely.Point(xy)) for house in houses)
    ]
    found = cells(outline, *houses, cell_m=cell_m)
    told = sorted(map(tuple, shapely.get_coordinates(found).tolist()))
    assert len(told) == len(expected)
    assert np.allclose(told, sorted(expected))


# ------------------------------------------------------------------ what each adds


def test_the_first_adds_what_it_sees_and_the_next_what_is_left() -> None:
    views = [shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(0, 0, 15, 10)]
    assert added(views, [], FIELD) == [100, 50, 0]


def test_what_stands_and_what_lies_outside_adds_nothing() -> None:
    assert added([shapely.box(-10, 0, 10, 10)], [shapely.box(0, 0, 10, 4)], FIELD) == [60]


def test_views_that_only_touch_take_nothing_from_each_other() -> None:
    views = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(20, 10, 30, 20)]
    assert added(views, [], FIELD) == [100, 100, 100]


def test_an_empty_view_adds_nothing_and_takes_nothing() -> None:
    assert added([shapely.Polygon(), FIELD], [shapely.Polygon()], FIELD) == [0, 10_000]
    assert added([], [FIELD], FIELD) == []
    assert added([FIELD], [], shapely.Polygon()) == [0]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 4))
def test_the_parts_add_up_to_the_whole(seed: int, new: int, old: int) -> None:
    rng = np.random.default_rng(seed)
    discs = [shapely.Point(*rng.uniform(0, 100, 2)).buffer(25) for _ in range(new + old)]
    before = shapely.union_all(discs[new:]).intersection(FIELD).area
    after = shapely.union_all(discs).intersection(FIELD).area
    found = added(discs[:new], discs[new:], FIELD)
    assert sum(found) == pytest.approx(after - before, abs=1e-6)
    assert all(one >= 0 for one in found)
