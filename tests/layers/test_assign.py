from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from grid_boundaries.errors import Refused
from grid_boundaries.locate import BlockIndex
from layers.assign import assign_flagged, assign_frame, assign_xy
from tests.ground import METRIC_SRID, Points, by_brute_force, crooked_tiles, trying_points

RING = Polygon(box(0, 0, 100, 100).exterior, [box(30, 30, 70, 70).exterior])
COORDINATE = st.integers(0, 12).map(float)
QUARTERS = st.integers(-12, 60).map(lambda quarter: quarter / 4)


def codes_of(*codes: Any) -> npt.NDArray[Any]:
    return np.array(codes, dtype=object)


def series(*shapes: Polygon | MultiPolygon) -> GeoSeries:
    return GeoSeries(list(shapes), crs=METRIC_SRID)


def agrees_with_brute_force(points: Points, tiles: GeoSeries, codes: list[str]) -> None:
    found, how = assign_flagged(points, tiles, codes_of(*codes))
    expected = [by_brute_force(point, tiles, codes) for point in points]
    assert list(zip(found, how, strict=True)) == expected


def test_points_of_a_county_go_where_brute_force_puts_them() -> None:
    tiles = crooked_tiles(9, 7)
    agrees_with_brute_force(trying_points(tiles, 400), tiles, list(tiles.index))


def test_gaps_and_missing_tiles_change_nothing_about_the_law() -> None:
    tiles = GeoSeries(crooked_tiles(8, 8, seed=4).iloc[::3])
    agrees_with_brute_force(trying_points(tiles, 300), tiles, list(tiles.index))


def test_many_points_use_a_finer_lattice_with_the_same_answers() -> None:
    tiles = crooked_tiles(6, 5, side_m=400.0)
    points = np.random.default_rng(6).uniform(-50, 2500, (200_000, 2))
    codes = codes_of(*tiles.index)
    all_at_once = assign_flagged(points, tiles, codes)
    for start in (0, 70_000, 199_000):
        some = slice(start, start + 1000)
        few = assign_flagged(points[some], tiles, codes)
        assert (few[0] == all_at_once[0][some]).all()
        assert (few[1] == all_at_once[1][some]).all()
    agrees_with_brute_force(points[:300], tiles, list(tiles.index))


@given(
    boxes=st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE), max_size=6),
    places=st.lists(st.tuples(QUARTERS, QUARTERS), max_size=12),
)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_overlapping_boxes_and_points_on_their_corners_follow_the_law(
    boxes: list[tuple[float, float, float, float]], places: list[tuple[float, float]]
) -> None:
    tiles = GeoSeries(
        [box(x, y, x + width + 1, y + height + 1) for x, y, width, height in boxes],
        crs=METRIC_SRID,
    )
    codes = [f"G{(7 * number) % 11:02d}" for number in range(len(tiles))]
    agrees_with_brute_force(np.array(places).reshape(-1, 2), tiles, codes)


def test_the_answers_are_those_of_the_block_index() -> None:
    tiles = crooked_tiles(10, 10, seed=8)
    points = trying_points(tiles, 1000)
    found, how = assign_flagged(points, tiles, codes_of(*tiles.index))
    index = BlockIndex(tiles)
    places = [index.place(*point) for point in points]
    assert [(place.block_id, place.how) for place in places] == list(zip(found, how, strict=True))


def test_neither_the_order_of_polygons_nor_of_points_matters() -> None:
    tiles = crooked_tiles(6, 6)
    points = trying_points(tiles, 200)
    found = assign_xy(points, tiles, codes_of(*tiles.index))
    rng = np.random.default_rng(9)
    shuffled = GeoSeries(tiles.iloc[rng.permutation(len(tiles))])
    order = rng.permutation(len(points))
    again = assign_xy(points[order], shuffled, codes_of(*shuffled.index))
    assert (again == found[order]).all()


def test_every_point_of_a_tiling_has_exactly_one_owner() -> None:
    tiles = crooked_tiles(5, 5)
    corners = np.unique(shapely.get_coordinates(list(tiles)), axis=0)
    assert not pd.isna(assign_xy(corners, tiles, codes_of(*tiles.index))).any()


def test_a_border_belongs_to_the_lowest_code_texts_as_text_and_numbers_by_value() -> None:
    tiles = series(box(0, 0, 10, 10), box(10, 0, 20, 10))
    border = np.array([[10.0, 5.0]])
    assert assign_xy(border, tiles, codes_of("B2", "B1")).tolist() == ["B1"]
    assert assign_xy(border, tiles, codes_of("B10", "B9")).tolist() == ["B10"]
    assert assign_xy(border, tiles, codes_of(9, 10)).tolist() == [9]
    assert assign_xy(border, tiles, np.array([10, 9])).tolist() == [9]
    assert assign_xy(border, tiles, np.array(["b", "a"])).tolist() == ["a"]


def test_one_metre_is_near_and_more_is_outside() -> None:
    points = np.array([[11.0, 5.0], [11.0000001, 5.0], [10.5, 10.5], [10.9, 10.9]])
    found, how = assign_flagged(points, series(box(0, 0, 10, 10)), codes_of("g"))
    assert found.tolist() == ["g", None, "g", None]
    assert how.tolist() == ["near", "outside", "near", "outside"]


def test_near_goes_to_the_nearest_and_ties_to_the_lowest_code() -> None:
    tiles = series(box(0, 0, 10, 10), box(11, 0, 20, 10))
    points = np.array([[10.4, 5.0], [10.6, 5.0], [10.5, 5.0]])
    assert assign_xy(points, tiles, codes_of("b", "a")).tolist() == ["b", "a", "a"]


def test_holes_belong_to_nobody_but_their_rim() -> None:
    points = np.array([[50.0, 50.0], [30.0, 50.0], [30.5, 50.0], [10.0, 10.0]])
    found, how = assign_flagged(points, series(RING), codes_of("ring"))
    assert found.tolist() == [None, "ring", "ring", "ring"]
    assert how.tolist() == ["outside", "inside", "near", "inside"]


def test_parts_of_a_multipolygon_and_codes_that_come_twice_are_one_owner() -> None:
    islands = MultiPolygon([box(0, 0, 5, 5), box(500, 0, 505, 5)])
    tiles = series(islands, box(50, 50, 60, 60))
    points = np.array([[1.0, 1.0], [502.0, 1.0], [250.0, 1.0], [55.0, 55.0]])
    assert assign_xy(points, tiles, codes_of("g", "g")).tolist() == ["g", "g", None, "g"]


def test_points_that_are_no_numbers_belong_to_nothing() -> None:
    points = np.array([[math.nan, 5.0], [5.0, math.inf], [-math.inf, math.nan], [5.0, 5.0]])
    found, how = assign_flagged(points, series(box(0, 0, 10, 10)), codes_of("g"))
    assert found.tolist() == [None, None, None, "g"]
    assert how.tolist() == ["outside"] * 3 + ["inside"]


def test_points_far_beyond_every_lattice_are_outside() -> None:
    points = np.array([[1e300, 5.0], [5.0, -1e300], [1e12, 1e12], [-2.0, -2.0]])
    assert assign_xy(points, series(box(0, 0, 10, 10)), codes_of("g")).tolist() == [None] * 4


def test_polygons_at_the_ends_of_the_world_are_still_told_apart() -> None:
    tiles = series(box(0, 0, 10, 10), box(1e7, 1e7, 1e7 + 10, 1e7 + 10), box(10, 0, 20, 10))
    points = np.array([[5.0, 5.0], [10.0, 5.0], [15.0, 5.0], [1e7 + 5, 1e7 + 5], [5e6, 5e6]])
    assert assign_xy(points, tiles, codes_of("c", "b", "a")).tolist() == ["c", "a", "a", "b", None]


@pytest.mark.parametrize("tiles", [series(), series(Polygon()), series(Polygon(), MultiPolygon())])
def test_without_ground_nothing_is_claimed(tiles: GeoSeries) -> None:
    codes = codes_of(*"abc"[: len(tiles)])
    assert assign_xy(np.zeros((2, 2)), tiles, codes).tolist() == [None, None]


def test_an_empty_polygon_beside_others_claims_nothing() -> None:
    tiles = series(Polygon(), box(0, 0, 1, 1))
    assert assign_xy(np.array([[0.0, 0.0]]), tiles, codes_of("a", "b")).tolist() == ["b"]


def test_no_points_give_no_codes() -> None:
    found, how = assign_flagged(np.empty((0, 2)), series(box(0, 0, 1, 1)), codes_of("g"))
    assert found.shape == how.shape == (0,)
    assert found.dtype == how.dtype == object


def test_the_input_is_left_as_it_was() -> None:
    tiles = crooked_tiles(3, 3)
    points, codes = trying_points(tiles, 20), codes_of(*tiles.index)
    before = points.copy(), codes.copy(), tiles.copy()
    assign_xy(points, tiles, codes)
    np.testing.assert_array_equal(points, before[0])
    np.testing.assert_array_equal(codes, before[1])
    assert tiles.geom_equals_exact(before[2], 0.0).all()


@pytest.mark.parametrize(
    ("points", "tiles", "codes", "sentence"),
    [
        (np.zeros(2), series(RING), codes_of("a"), "shape"),
        (np.zeros((1, 3)), series(RING), codes_of("a"), "shape"),
        (np.zeros((1, 2)), series(RING), codes_of("a", "b"), "do not fit 1"),
        (np.zeros((1, 2)), series(RING), codes_of(None), "polygon 0 has no code"),
        (np.zeros((1, 2)), series(RING), codes_of(math.nan), "polygon 0 has no code"),
        (np.zeros((1, 2)), series(RING, RING), codes_of("a", None), "polygon 1 has no code"),
        (np.zeros((1, 2)), series(RING, RING), codes_of(7, "a"), "polygon 0 has no code"),
        (np.zeros((1, 2)), GeoSeries([RING], crs=4490), codes_of("a"), "degrees"),
        (np.zeros((1, 2)), GeoSeries([Point(0, 0)]), codes_of("a"), "0 is a Point"),
        (
            np.zeros((1, 2)),
            series(RING, Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])),
            codes_of("a", "b"),
            "1 is invalid",
        ),
    ],
)
def test_what_cannot_be_assigned_is_refused(
    points: Points, tiles: GeoSeries, codes: npt.NDArray[Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        assign_xy(points, tiles, codes)


def block_table() -> GeoDataFrame:
    return GeoDataFrame(
        {
            "id": ["B000002", "B000001"],
            "grid_code": ["610923100201001", None],
            "unit_path": ["/610923/610923100/610923100201/", "/610923/610923100/610923100202/"],
        },
        geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)],
        crs=METRIC_SRID,
    )


def test_a_frame_of_points_gets_block_grid_and_unit() -> None:
    points = GeoDataFrame(
        index=list("abcdef"),
        geometry=np.array(
            [Point(5, 5), Point(10, 5), Point(20.5, 5), Point(99, 9), None, Point()], dtype=object
        ),
        crs=METRIC_SRID,
    )
    placed = assign_frame(points, block_table())
    assert placed.index.tolist() == list("abcdef")
    assert placed["block_id"].tolist() == ["B000002", "B000001", "B000001", None, None, None]
    assert placed["grid_code"].tolist() == ["610923100201001", None, None, None, None, None]
    assert placed["unit_path"].tolist()[:2] == [
        "/610923/610923100/610923100201/",
        "/610923/610923100/610923100202/",
    ]
    assert placed["placed"].tolist() == ["inside", "inside", "near"] + ["outside"] * 3


def test_an_empty_frame_keeps_its_columns() -> None:
    placed = assign_frame(GeoDataFrame(geometry=[], crs=METRIC_SRID), block_table())
    assert list(placed.columns) == ["block_id", "grid_code", "unit_path", "placed"]
    assert placed.empty


def test_points_and_blocks_in_two_crs_are_refused() -> None:
    with pytest.raises(Refused, match="two CRS"):
        assign_frame(GeoDataFrame(geometry=[Point(0, 0)], crs=4490), block_table())
