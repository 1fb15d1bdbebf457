"""Bounds of figures: certain ≤ stated ≤ possible, equal where nothing is unsure, right by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.bounds import (
    BoundViews,
    bound_views,
    ground_bounds,
    people_bounds,
    place_bounds,
)
from layers.coverage.figures import ground_figures
from tests.layers.coverage.scenes import CRS, areas, camera_frame, random_cameras, turned_boxes

SIDE_M = 300.0


def grids(side: int = 3) -> GeoSeries:
    step = SIDE_M / side
    shapes = {
        f"g{x}{y}": shapely.box(x * step, y * step, (x + 1) * step, (y + 1) * step)
        for x in range(side)
        for y in range(side)
    }
    return GeoSeries(shapes, crs=CRS)


def one_camera(**columns: float) -> GeoDataFrame:
    told = {
        "azimuth_deg": 90.0, "view_angle_deg": 90.0, "range_m": 50.0, "azimuth_error_deg": 0.0,
        "position_error_m": 0.0,
    } | columns  # fmt: skip
    return GeoDataFrame(pd.DataFrame([told]), geometry=[shapely.Point(50, 50)], crs=CRS)


def scene(seed: int, azimuth_deg: float, error_m: float) -> tuple[GeoDataFrame, GeoSeries]:
    """Ten cameras among thirty houses; every second one is unsure."""
    rng = np.random.default_rng([seed, 9])
    cameras = camera_frame(random_cameras(rng, 10, SIDE_M))
    odd = np.arange(10) % 2 == 1
    cameras["azimuth_error_deg"] = np.where(odd, azimuth_deg, 0.0)
    cameras["position_error_m"] = np.where(odd, error_m, 0.0)
    return cameras, areas(*turned_boxes(rng, 30, SIDE_M))


def bounds_m2(views: BoundViews, houses: GeoSeries) -> tuple[pd.DataFrame, pd.DataFrame]:
    stated = ground_figures(grids(), GeoSeries(views.stated), houses)
    return stated, ground_bounds(grids(), views, stated)


@settings(derandomize=True, deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 50),
    azimuth_deg=st.sampled_from([0.0, 5.0, 22.5]),
    error_m=st.sampled_from([0.0, 4.0, 12.0]),
)
def test_certain_stated_and_possible_ascend(seed: int, azimuth_deg: float, error_m: float) -> None:
    cameras, houses = scene(seed, azimuth_deg, error_m)
    views = bound_views(cameras, houses)
    stated, bounds = bounds_m2(views, houses)
    assert list(bounds.index) == list(grids().index)
    assert (bounds["certain_m2"] <= stated["seen_m2"]).all()
    assert (stated["seen_m2"] <= bounds["possible_m2"]).all()
    assert (bounds["possible_m2"] <= stated["open_m2"]).all()
    assert (bounds >= 0).all().all()


@pytest.mark.parametrize("seed", range(3))
def test_ground_bounds_are_those_of_all_views_together(seed: int) -> None:
    cameras, houses = scene(seed, 15.0, 0.0)
    views = bound_views(cameras, houses)
    _, bounds = bounds_m2(views, houses)
    for name, sights in (("certain_m2", views.certain), ("possible_m2", views.possible)):
        whole = ground_figures(grids(), GeoSeries(sights), houses)["seen_m2"]
        # drawn arcs may stand out into a house just beyond the range
        assert bounds[name].to_numpy() == pytest.approx(whole.to_numpy(), rel=2e-3, abs=1e-3)


def test_where_nothing_is_unsure_all_three_are_one() -> None:
    cameras, houses = scene(1, 0.0, 0.0)
    views = bound_views(cameras, houses)
    stated, bounds = bounds_m2(views, houses)
    assert not views.unsure.any()
    assert (bounds["certain_m2"] == stated["seen_m2"]).all()
    assert (bounds["possible_m2"] == stated["seen_m2"]).all()


def test_a_grid_that_no_unsure_camera_reaches_keeps_what_is_stated_to_the_bit() -> None:
    cameras = pd.concat([one_camera(azimuth_error_deg=10.0), one_camera()], ignore_index=True)
    cameras.geometry = GeoSeries([shapely.Point(50, 50), shapely.Point(250, 250)], crs=CRS)
    views = bound_views(cameras, areas())
    stated, bounds = bounds_m2(views, areas())
    assert views.unsure.tolist() == [True, False]
    certain_m2, seen_m2 = bounds["certain_m2"].to_dict(), stated["seen_m2"].to_dict()
    assert certain_m2["g22"] == seen_m2["g22"] > 0
    assert certain_m2["g00"] < seen_m2["g00"]


def test_an_azimuth_error_takes_and_adds_its_share_of_the_sector() -> None:
    views = bound_views(one_camera(azimuth_error_deg=22.5), areas())
    stated, bounds = bounds_m2(views, areas())
    ratio = bounds.sum() / stated["seen_m2"].sum()
    # 45 and 135 degrees of 90; arcs are drawn inside and outside
    assert ratio["certain_m2"] == pytest.approx(0.5, rel=0.005)
    assert ratio["possible_m2"] == pytest.approx(1.5, rel=0.005)


def test_an_all_round_camera_is_sure_of_its_bearing_whatever_is_written() -> None:
    cameras = one_camera(view_angle_deg=360.0, azimuth_error_deg=22.5)
    assert not bound_views(cameras, areas()).unsure.any()
    assert bound_views(cameras.assign(position_error_m=1.0), areas()).unsure.all()


def test_missing_errors_count_as_none() -> None:
    cameras = one_camera().assign(azimuth_error_deg=np.nan, position_error_m=None)
    assert not bound_views(cameras, areas()).unsure.any()


def test_no_camera_and_no_grid_give_nothing() -> None:
    views = bound_views(one_camera().iloc[:0], areas())
    stated, bounds = bounds_m2(views, areas())
    assert bounds.sum().sum() == 0
    nowhere = GeoSeries([], index=pd.Index([], dtype=object), crs=CRS)
    assert len(ground_bounds(nowhere, views, stated.iloc[:0])) == 0


def homes(*x_m: float) -> GeoDataFrame:
    columns = {"grid_code": "g00", "people": 3, "households": 1}
    shapes = [shapely.box(x, 49, x + 4, 51) for x in x_m]
    return GeoDataFrame(columns, geometry=shapes, index=range(len(x_m)), crs=CRS)


def test_people_seen_for_certain_and_at_most() -> None:
    # the camera looks east 50 m and may stand 10 m either way: 40 m are certain, 60 m possible
    views = bound_views(one_camera(position_error_m=10.0), areas())
    found = people_bounds(homes(70, 93, 104, 130), homes(), views, ["g00", "g11"])
    assert found.to_numpy().tolist() == [[3.0, 9.0], [0.0, 0.0]]


def test_people_of_blocks_are_spread_evenly() -> None:
    views = bound_views(one_camera(azimuth_error_deg=22.5), areas())
    columns = {"grid_code": ["g00"], "people": [100.0], "households": [30.0]}
    block = GeoDataFrame(columns, geometry=[shapely.box(0, 0, 100, 100)], crs=CRS)
    found = people_bounds(homes(), block, views, ["g00"]).loc["g00"]
    eighth = 100 * np.pi * 50**2 / 8 / 1e4
    assert found["people_certain"] == pytest.approx(eighth, rel=0.01)
    assert found["people_possible"] == pytest.approx(3 * eighth, rel=0.03)


def places(*rows: tuple[float, float, str]) -> GeoDataFrame:
    columns = {"kind": [kind for *_, kind in rows], "grid_code": "g00"}
    points: list[Any] = [shapely.Point(x, y) for x, y, _ in rows]
    return GeoDataFrame(columns, geometry=points, index=range(len(rows)), crs=CRS)


def test_a_place_counts_only_where_it_is_shown_as_its_kind_needs() -> None:
    # 960 px/m at 1 m: a bank (80) as far as 12 m, a square (20) as far as 48 m
    views = bound_views(one_camera(), areas())
    near, far = (61.0, 50.0, "bank"), (63.0, 50.0, "bank")
    square, too_far = (97.0, 50.0, "square"), (99.0, 50.0, "square")
    found = place_bounds(places(near, far, square, too_far), views, ["g00", "g11"])
    assert found.to_numpy().tolist() == [[2, 2, 2], [0, 0, 0]]


def test_a_place_at_the_edge_of_a_task_is_possible_and_not_certain() -> None:
    views = bound_views(one_camera(position_error_m=3.0), areas())
    bank = places((61.0, 50.0, "bank"), (64.0, 50.0, "bank"), (66.0, 50.0, "bank"))
    assert place_bounds(bank, views, ["g00"]).to_numpy().tolist() == [[0, 1, 2]]


def test_a_camera_drawn_inside_a_house_shows_no_place_for_certain() -> None:
    # a façade of the house cuts the disc: all positions left are in front of it
    cameras, house = one_camera(position_error_m=3.0), areas(shapely.box(20, 20, 50.5, 80))
    views = bound_views(cameras, house)
    assert views.stated.iloc[0].is_empty
    found = place_bounds(places((60.0, 50.0, "square")), views, ["g00"])
    assert found.to_numpy().tolist() == [[0, 0, 1]]


def test_without_key_places_every_grid_has_none() -> None:
    views = bound_views(one_camera(), areas())
    assert place_bounds(places(), views, ["g00"]).to_numpy().tolist() == [[0, 0, 0]]
