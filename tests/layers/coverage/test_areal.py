"""Shares of areas inside a union of views, against sums by hand and points counted one by one."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.crs import in_metres
from layers.coverage.areal import seen_shares, share_of
from layers.coverage.checks import CoverageRefused
from layers.coverage.visibility import visible_areas
from tests.taipei import taipei

CRS = "EPSG:4545"
PERCENT_IN_DISCS = [(30, 21.0), (50, 44.9), (100, 83.4)]
VILLAGES = ("63000060005", "63000070004", "63000110006")  # many buildings and cameras each


def series(*shapes: BaseGeometry) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs=CRS)


def test_ground_seen_twice_counts_once() -> None:
    shares = seen_shares(series(box(0, 0, 10, 10)), series(box(0, 0, 6, 10), box(4, 0, 8, 10)))
    assert shares.tolist() == pytest.approx([0.8])


def test_an_area_that_no_view_reaches_has_none() -> None:
    assert seen_shares(series(box(0, 0, 1, 1)), series(box(5, 5, 6, 6))).tolist() == [0.0]


def test_no_views_see_nothing_and_no_areas_give_nothing() -> None:
    nothing = gpd.GeoSeries([], crs=CRS)
    assert seen_shares(series(box(0, 0, 1, 1)), nothing).tolist() == [0.0]
    assert seen_shares(nothing, series(box(0, 0, 1, 1))).tolist() == []


def test_an_empty_view_sees_nothing() -> None:
    views = series(Polygon(), box(0, 0, 1, 5))
    assert seen_shares(series(box(0, 0, 10, 10)), views).tolist() == pytest.approx([0.05])


def test_touching_is_not_seeing() -> None:
    assert seen_shares(series(box(0, 0, 1, 1)), series(box(1, 0, 2, 1))).tolist() == [0.0]


def test_shares_keep_the_index_of_the_areas() -> None:
    areas = gpd.GeoSeries([box(0, 0, 1, 1), box(1, 0, 2, 1)], index=["b", "a"], crs=CRS)
    shares = seen_shares(areas, series(box(0, 0, 1, 1)))
    assert shares.to_dict() == {"b": 1.0, "a": 0.0}


def test_degrees_are_refused() -> None:
    degrees = gpd.GeoSeries([box(0, 0, 1, 1)], crs=4490)
    with pytest.raises(CoverageRefused):
        seen_shares(degrees, degrees)


def test_an_invalid_view_is_refused() -> None:
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(CoverageRefused):
        seen_shares(series(box(0, 0, 1, 1)), series(bow_tie))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_shares_are_those_of_one_union_of_all_views(seed: int, count: int) -> None:
    # whole numbers, so that views run along the areas' frames, touch them and end on their corners
    rng = np.random.default_rng(seed)
    areas = [
        box(0, 0, 10, 10), box(10, 0, 20, 10), Polygon([(0, 10), (20, 10), (10, 25)]),
        box(0, 0, 20, 25).difference(box(4, 4, 16, 16)), Polygon(), box(90, 90, 91, 91),
    ]  # fmt: skip
    views = []
    for west, south, wide, high in rng.integers((-4, -4, 4, 4), (20, 24, 14, 14), (count, 4)):
        whole = box(west, south, west + wide, south + high)
        kind = int(rng.integers(3))
        hole = box(west + 1, south + 1, west + wide - 1, south + high - 1)
        comb = shapely.union_all([box(west + x, south, west + x + 1, south + high)
                                  for x in range(0, wide, 2)])  # fmt: skip
        views.append((whole, whole.difference(hole), comb)[kind])
    union = shapely.union_all(views, grid_size=1e-6)
    oracle = [one.intersection(union).area / one.area if one.area else 0.0 for one in areas]
    assert seen_shares(series(*areas), series(*views)).tolist() == pytest.approx(oracle, abs=1e-9)


def test_a_view_that_clipping_leaves_unclean_counts_in_full() -> None:
    # its hole touches the frame of the area along a whole side
    ring = box(-5, -5, 15, 15).difference(box(0, 2, 10, 8))
    shares = seen_shares(series(box(0, 0, 10, 10), box(0, 2, 10, 8)), series(ring))
    assert shares.tolist() == pytest.approx([0.4, 0.0])


def test_uncounted_areas_are_left_out_of_both_sums() -> None:
    counts = pd.Series([10.0, np.nan, 30.0])
    assert share_of(counts, pd.Series([1.0, 1.0, 0.0])) == pytest.approx(0.25)
    assert np.isnan(share_of(pd.Series([np.nan]), pd.Series([1.0])))


cells = st.tuples(*[st.integers(0, 7)] * 2, *[st.integers(1, 4)] * 2)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(cells, min_size=1, max_size=4), st.lists(cells, max_size=8))
def test_whole_metre_boxes_are_seen_as_their_squares_are_counted(
    area_boxes: list[tuple[int, int, int, int]], view_boxes: list[tuple[int, int, int, int]]
) -> None:
    def squares(x: int, y: int, width: int, height: int) -> set[tuple[int, int]]:
        return {(x + i, y + j) for i in range(width) for j in range(height)}

    seen = set[tuple[int, int]]().union(*(squares(*view) for view in view_boxes))
    expected = [len(squares(*a) & seen) / len(squares(*a)) for a in area_boxes]
    areas, views = (
        gpd.GeoSeries([box(x, y, x + w, y + h) for x, y, w, h in boxes], crs=CRS)
        for boxes in (area_boxes, view_boxes)
    )
    assert seen_shares(areas, views).tolist() == pytest.approx(expected, abs=1e-12)


class City:
    """What the cover of a real city's households is computed from, metres."""

    def __init__(self) -> None:
        frames = taipei().frames
        self.blocks = frames["block"].merge(
            frames["block_count"][["block_id", "households"]], left_on="id", right_on="block_id"
        )
        self.areas = metres(self.blocks["geom"])
        self.buildings = metres(frames["building"]["geom"])
        cameras = frames["camera"]
        watching = cameras[cameras["id"].str.startswith(("police-", "traffic-"))]
        lonlat = np.column_stack([shapely.get_x(watching["geom"]), shapely.get_y(watching["geom"])])
        places = metres(pd.Series(shapely.points(np.unique(lonlat, axis=0))))
        self.places = places.get_coordinates().to_numpy()

    def views(self, range_m: float, places: npt.NDArray[np.float64]) -> gpd.GeoSeries:
        """Ground seen all round, among the buildings."""
        columns = {"azimuth_deg": 0.0, "view_angle_deg": 360.0, "range_m": float(range_m)}
        points = gpd.points_from_xy(*places.T)
        frame = gpd.GeoDataFrame(columns, index=range(len(points)), geometry=points, crs=3826)
        return visible_areas(frame, self.buildings)

    def discs(self, range_m: float) -> gpd.GeoSeries:
        """The same without buildings."""
        points = gpd.GeoSeries(gpd.points_from_xy(*self.places.T), crs=3826)
        return points.buffer(range_m, quad_segs=32)


def metres(shapes: pd.Series[Any]) -> gpd.GeoSeries:
    return in_metres(gpd.GeoSeries(shapes.to_numpy(), crs=4490), 3826)


@pytest.fixture(scope="module")
def city() -> City:
    return City()


def test_the_city_has_6721_distinct_camera_positions(city: City) -> None:
    assert len(city.places) == 6_721


@pytest.mark.parametrize(("range_m", "percent"), PERCENT_IN_DISCS)
def test_plain_discs_cover_the_known_share_of_households_and_views_less(
    city: City, range_m: float, percent: float
) -> None:
    households = city.blocks["households"]
    discs = share_of(households, seen_shares(city.areas, city.discs(range_m)))
    seen = share_of(households, seen_shares(city.areas, city.views(range_m, city.places)))
    assert round(100 * discs, 1) == percent
    assert 0 < seen < discs


@pytest.mark.parametrize("village", VILLAGES)
def test_a_village_is_covered_as_points_a_metre_apart_are(city: City, village: str) -> None:
    range_m = 50.0
    here = city.blocks["village_code"] == village
    areas, households = gpd.GeoSeries(city.areas[here]), city.blocks.loc[here, "households"]
    outline = areas.union_all()
    near = shapely.dwithin(shapely.points(city.places), outline, range_m)
    places = city.places[near]
    computed = share_of(households, seen_shares(areas, city.views(range_m, places)))
    sampled = share_of(households, sampled_shares(areas, places, city.buildings, range_m))
    assert near.sum() >= 3
    assert 0.02 < computed < 0.98
    assert computed == pytest.approx(sampled, abs=0.005)


def sampled_shares(
    areas: gpd.GeoSeries,
    places: npt.NDArray[np.float64],
    buildings: gpd.GeoSeries,
    range_m: float,
) -> pd.Series[float]:
    """Shares by points a metre apart, each seen if a straight line to a camera meets no building.

    Independent of the polygons: nothing but distance and line-of-sight tests of single points.
    """
    west, south, east, north = areas.total_bounds
    x, y = np.meshgrid(np.arange(west + 0.5, east), np.arange(south + 0.5, north))
    points = np.column_stack([x.ravel(), y.ravel()])
    seen = np.zeros(len(points), dtype=bool)
    shapes = buildings.to_numpy()
    for place in places:
        reached = np.flatnonzero(~seen & (np.hypot(*(points - place).T) <= range_m))
        near = shapely.union_all(shapes[shapely.dwithin(shapes, Point(place), range_m)])
        if shapely.contains_xy(near, *place):
            continue
        shapely.prepare(near)
        lines = np.stack([np.broadcast_to(place, (len(reached), 2)), points[reached]], axis=1)
        seen[reached] = ~shapely.intersects(near, shapely.linestrings(lines))
    shares = []
    for area in areas:
        inside = shapely.contains_xy(area, *points.T)
        shares.append(seen[inside].mean() if inside.any() else 0.0)
    return pd.Series(shares, index=areas.index)
