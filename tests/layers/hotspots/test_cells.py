"""Cells: hexes fill the outline, arithmetic agrees with geometry, neighbours touch."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import Queen
from shapely import Point, Polygon, box
from shapely.affinity import rotate, translate

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.cells import (
    contiguity,
    count_in_hexes,
    hex_cells,
    hex_neighbours,
    hex_of,
    hex_polygons,
)

COUNTY = Polygon([(500_000, 3_690_000), (504_300, 3_690_700), (503_000, 3_694_100)]).difference(
    Point(502_500, 3_691_500).buffer(400)
)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    width_m=st.floats(40.0, 900.0),
    angle_deg=st.floats(0.0, 360.0),
    east_m=st.floats(-9_000.0, 9_000.0),
)
def test_hexes_cover_the_outline_and_none_lies_outside(
    width_m: float, angle_deg: float, east_m: float
) -> None:
    outline = translate(rotate(box(0, 0, 2_000, 700), angle_deg), east_m, -3_000.0)
    hexes = hex_cells(outline, width_m=width_m)
    covered = shapely.union_all(hexes.geometry.to_numpy())
    assert outline.difference(covered).area < 1e-3
    assert (hexes.geometry.intersection(outline).area > 0.0).all()


def test_hexes_do_not_overlap_and_have_the_area_of_their_width() -> None:
    hexes = hex_cells(COUNTY, width_m=250.0)
    area_m2 = 250.0**2 * 3**0.5 / 2
    np.testing.assert_allclose(hexes.area, area_m2, rtol=1e-8)
    assert shapely.coverage_is_valid(hexes.geometry.to_numpy())
    assert shapely.union_all(hexes.geometry.to_numpy()).area == pytest.approx(
        area_m2 * len(hexes), rel=1e-9
    )


def test_opposite_sides_are_as_far_apart_as_the_width_says() -> None:
    corners = shapely.get_coordinates(hex_polygons(np.array([[0, 0]]), width_m=10.0))[:6]
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    np.testing.assert_allclose(np.hypot(*middles.T), 5.0)
    assert np.ptp(corners[:, 0]) == pytest.approx(10.0)


def test_a_hex_keeps_its_name_and_shape_when_the_outline_grows() -> None:
    small = hex_cells(COUNTY, width_m=300.0).set_index(["column", "row"])
    large = hex_cells(COUNTY.buffer(1_000), width_m=300.0).set_index(["column", "row"])
    assert small.index.isin(large.index).all()
    same = shapely.equals_exact(
        large.loc[small.index].geometry.to_numpy(), small.geometry.to_numpy()
    )
    assert same.all()


def test_a_hole_of_the_outline_wider_than_a_hex_has_no_hexes() -> None:
    middle = hex_of([[502_500, 3_691_500]], width_m=200.0)[0].tolist()
    places = hex_cells(COUNTY, width_m=200.0)[["column", "row"]].to_numpy().tolist()
    assert middle not in places
    assert (
        middle
        in hex_cells(COUNTY.convex_hull, width_m=200.0)[["column", "row"]].to_numpy().tolist()
    )


def test_the_result_carries_the_crs_it_was_given() -> None:
    assert hex_cells(COUNTY, width_m=500.0, crs=4545).crs == "EPSG:4545"
    assert hex_cells(COUNTY, width_m=500.0).crs is None


def test_an_empty_outline_has_no_hexes_and_counts_every_point_outside() -> None:
    none = hex_cells(Polygon(), width_m=100.0)
    assert len(none) == 0
    assert hex_neighbours(none).shape == (0, 0)
    counted = count_in_hexes([[1.0, 2.0]], none, width_m=100.0)
    assert counted.outside == 1
    assert counted.counts.size == 0


@pytest.mark.parametrize("width_m", [0.0, -5.0, np.nan, np.inf])
def test_a_width_that_is_no_length_is_refused(width_m: float) -> None:
    with pytest.raises(Refused) as refusal:
        hex_cells(COUNTY, width_m=width_m)
    assert refusal.value.code == "hex-width"


def test_hexes_too_small_to_read_are_refused_before_any_is_made() -> None:
    with pytest.raises(TooLarge):
        hex_cells(COUNTY, width_m=0.01)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), width_m=st.floats(0.5, 5_000.0))
def test_arithmetic_puts_a_point_into_the_hex_that_holds_it(seed: int, width_m: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-30.0, 30.0, (200, 2)) * width_m
    hexes = hex_polygons(hex_of(points, width_m=width_m), width_m=width_m)
    apart = shapely.distance(hexes, shapely.points(points))
    assert apart.max() <= 1e-9 * width_m


def test_the_middle_of_every_hex_is_in_it() -> None:
    hexes = hex_cells(COUNTY, width_m=120.0)
    middles = shapely.get_coordinates(hexes.centroid.to_numpy())
    places = hexes[["column", "row"]].to_numpy()
    np.testing.assert_array_equal(hex_of(middles, width_m=120.0), places)


def test_points_on_a_corner_are_counted_once() -> None:
    hexes = hex_cells(COUNTY, width_m=400.0)
    corners = np.unique(shapely.get_coordinates(hexes.geometry.to_numpy()), axis=0)
    counted = count_in_hexes(corners, hexes, width_m=400.0)
    assert counted.counts.sum() + counted.outside == len(corners)


def test_hex_neighbours_are_the_hexes_that_touch() -> None:
    hexes = hex_cells(COUNTY, width_m=300.0)
    by_geometry = contiguity(hexes.geometry, tolerance_m=0.01)
    np.testing.assert_array_equal(hex_neighbours(hexes).toarray(), by_geometry.toarray())


def test_hex_neighbours_follow_the_order_of_the_rows() -> None:
    hexes = hex_cells(COUNTY, width_m=300.0)
    order = np.random.default_rng(3).permutation(len(hexes))
    shuffled = hex_neighbours(hexes.iloc[order]).toarray()
    np.testing.assert_array_equal(shuffled, hex_neighbours(hexes).toarray()[np.ix_(order, order)])


def test_a_hex_alone_has_no_neighbour_and_one_in_the_middle_has_six() -> None:
    alone = hex_cells(Point(0, 0).buffer(1.0), width_m=100.0)
    assert hex_neighbours(alone).toarray().tolist() == [[0.0]]
    degrees = hex_neighbours(hex_cells(Point(0, 0).buffer(60.0), width_m=100.0)).sum(axis=1)
    assert sorted(degrees.tolist()) == [3.0] * 6 + [6.0]


def test_contiguity_is_that_of_libpysal() -> None:
    squares = [box(i, j, i + 1, j + 1) for i in range(6) for j in range(6) if (i, j) != (2, 3)]
    polygons = gpd.GeoSeries([*squares, box(50, 50, 51, 51)])
    oracle = Queen.from_dataframe(
        gpd.GeoDataFrame(geometry=polygons), use_index=False, silence_warnings=True
    )
    np.testing.assert_array_equal(contiguity(polygons).toarray(), oracle.full()[0])


def test_touching_corners_are_neighbours_and_a_gap_is_one_within_the_tolerance() -> None:
    polygons = gpd.GeoSeries([box(0, 0, 1, 1), box(1, 1, 2, 2), box(2.3, 0, 3, 1), Polygon()])
    assert contiguity(polygons).toarray().tolist() == [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
    assert contiguity(polygons, tolerance_m=0.5).toarray()[1].tolist() == [1, 0, 1, 0]


def test_no_polygons_have_no_neighbours() -> None:
    assert contiguity(gpd.GeoSeries([])).shape == (0, 0)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), width_m=st.floats(100.0, 900.0))
def test_counts_are_those_of_looking_into_every_hex(seed: int, width_m: float) -> None:
    rng = np.random.default_rng(seed)
    hexes = hex_cells(COUNTY, width_m=width_m)
    points = rng.uniform([499_000, 3_689_000], [505_000, 3_695_000], (300, 2))
    counted = count_in_hexes(points, hexes, width_m=width_m)
    inside = [
        int(shapely.contains_xy(h, points[:, 0], points[:, 1]).sum())
        for h in hexes.geometry.to_numpy()
    ]
    assert counted.counts.tolist() == inside
    assert counted.counts.sum() + counted.outside == 300


def test_every_row_is_counted_or_missing_or_outside_or_a_duplicate() -> None:
    hexes = hex_cells(box(0, 0, 500, 500), width_m=100.0)
    here, far = [10.0, 10.0], [1e200, -1e300]
    xy_m = [here, here, [np.nan, 4.0], [1.0, np.inf], [9e9, 0.0], far, [20.0, 20.0], here]
    identity = ["a", "b", "c", "d", "e", "f", "b", "g"]
    counted = count_in_hexes(xy_m, hexes, width_m=100.0, identity=identity)
    assert (counted.missing, counted.outside, counted.duplicate) == (2, 2, 1)
    assert counted.counts.sum() == 3
    assert counted.coincident == 2
    assert counted.cell.tolist()[2:7] == [-1] * 5
    assert len(set(counted.cell[[0, 1, 7]])) == 1


def test_a_missing_duplicate_is_one_thing_only() -> None:
    hexes = hex_cells(box(0, 0, 500, 500), width_m=100.0)
    xy_m = [[np.nan, 1.0], [np.nan, 1.0], [-0.0, 5.0], [0.0, 5.0]]
    counted = count_in_hexes(xy_m, hexes, width_m=100.0, identity=[1, 1, 2, 3])
    assert (counted.missing, counted.duplicate, counted.coincident) == (1, 1, 1)


def test_no_points_leave_every_hex_at_zero() -> None:
    hexes = hex_cells(box(0, 0, 500, 500), width_m=100.0)
    counted = count_in_hexes(np.empty((0, 2)), hexes, width_m=100.0)
    assert counted.counts.tolist() == [0] * len(hexes)
    assert (counted.missing, counted.outside, counted.coincident) == (0, 0, 0)
