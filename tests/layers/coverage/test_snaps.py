"""Cameras inside footprints and on walls, and where they are proposed to be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.checks import CoverageRefused
from layers.coverage.snaps import CLEAR_M, WALL_M, proposed_snap
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.scenes import CRS, areas, turned_boxes

HOUSE = shapely.box(0, 0, 20, 10)


def cameras_at(*places: tuple[float, float] | None, crs: int = CRS) -> GeoDataFrame:
    points = [shapely.Point() if place is None else shapely.Point(place) for place in places]
    return GeoDataFrame(geometry=points, crs=crs)


def snap(place: tuple[float, float], *shapes: Any) -> tuple[str, float, float, float]:
    found = proposed_snap(cameras_at(place), areas(*shapes))
    x_m, y_m = shapely.get_coordinates(found.geometry.to_numpy())[0].tolist()
    return str(found["reason"].iloc[0]), x_m, y_m, float(found["moved_m"].iloc[0])


def test_a_camera_inside_goes_out_by_the_nearest_wall() -> None:
    reason, x_m, y_m, moved_m = snap((9.0, 8.0), HOUSE)
    assert (reason, x_m) == ("inside", 9.0)
    assert y_m == pytest.approx(10 + CLEAR_M)
    assert moved_m == pytest.approx(2 + CLEAR_M)


@pytest.mark.parametrize("depth_m", [-0.09, 0.0, 0.09])
def test_a_camera_on_a_wall_is_moved_off_it(depth_m: float) -> None:
    reason, _, y_m, moved_m = snap((9.0, 10 - depth_m), HOUSE)
    assert reason == "on-wall"
    assert y_m == pytest.approx(10 + CLEAR_M)
    assert moved_m == pytest.approx(CLEAR_M + depth_m)


@pytest.mark.parametrize("away_m", [0.11, 0.5, 1000.0])
def test_a_camera_clear_of_every_wall_is_not_named(away_m: float) -> None:
    assert proposed_snap(cameras_at((9.0, 10 + away_m)), areas(HOUSE)).empty


def test_a_corner_is_a_wall() -> None:
    reason, x_m, y_m, moved_m = snap((20.0, 10.0), HOUSE)
    assert reason == "on-wall"
    assert moved_m == pytest.approx(CLEAR_M, rel=0.02)
    assert min(x_m - 20, y_m - 10) >= -1e-9


def test_out_of_one_house_it_does_not_step_into_the_next() -> None:
    row = [shapely.box(x, 0, x + 6, 30) for x in range(0, 60, 6)]
    _, _, y_m, moved_m = snap((27.0, 27.0), *row)
    assert y_m == pytest.approx(30 + CLEAR_M)
    assert moved_m == pytest.approx(3 + CLEAR_M)


def test_a_gap_too_narrow_for_a_lens_is_no_place() -> None:
    left, right = shapely.box(0, 0, 10, 40), shapely.box(10.4, 0, 20, 40)
    _, x_m, _, _ = snap((9.0, 20.0), left, right)
    assert x_m == pytest.approx(-CLEAR_M)


def test_a_wide_court_is_a_place_and_a_shaft_is_none() -> None:
    for side_m, is_place in ((6.0, True), (0.5, False)):
        hole = shapely.box(30 - side_m / 2, 30 - side_m / 2, 30 + side_m / 2, 30 + side_m / 2)
        block = shapely.box(0, 0, 60, 60).difference(hole)
        _, x_m, y_m, _ = snap((30.0, 34.0), block)
        assert hole.contains(shapely.Point(x_m, y_m)) == is_place


def test_a_camera_deep_in_a_large_hall_finds_its_way_out() -> None:
    hall = shapely.box(0, 0, 900, 900)
    _, _, _, moved_m = snap((450.0, 460.0), hall)
    assert moved_m == pytest.approx(440 + CLEAR_M)


def test_a_camera_in_two_overlapping_houses_is_inside() -> None:
    other = shapely.box(5, -5, 15, 5.05)
    reason, x_m, y_m, _ = snap((10.0, 5.0), HOUSE, other)
    assert reason == "inside"
    assert shapely.union(HOUSE, other).distance(shapely.Point(x_m, y_m)) >= 0.99 * CLEAR_M


def test_index_order_and_crs_stay_and_unplaced_cameras_are_passed_over() -> None:
    frame = cameras_at((50.0, 5.0), (5.0, 5.0), None, (0.0, 5.0))
    frame.index = frame.index + 70
    found = proposed_snap(frame, areas(None, HOUSE, shapely.Polygon()))
    assert found.index.tolist() == [71, 73]
    assert found["reason"].tolist() == ["inside", "on-wall"]
    assert found.crs == CRS


def test_nobody_and_no_house_give_an_empty_frame() -> None:
    for frame, shapes in ((cameras_at(), areas(HOUSE)), (cameras_at((0, 0)), areas())):
        found = proposed_snap(frame, shapes)
        assert found.empty
        assert {"reason", "geometry", "moved_m"} <= set(found.columns)


def test_degrees_and_broken_footprints_are_refused() -> None:
    with pytest.raises(CoverageRefused):
        proposed_snap(
            cameras_at((108.3, 33.3), crs=4490), areas(HOUSE).set_crs(4490, allow_override=True)
        )
    with pytest.raises(CoverageRefused):
        bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
        proposed_snap(cameras_at((0, 0)), areas(bow_tie))


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.integers(0, 10_000))
def test_no_free_place_on_a_fine_lattice_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = turned_boxes(rng, 40, 80)
    blocks = shapely.union_all(shapes)
    frame = cameras_at(*rng.uniform(0, 80, (15, 2)).tolist())
    found = proposed_snap(frame, areas(*shapes))
    lattice = shapely.points(np.stack(np.meshgrid(*2 * [np.linspace(-20, 100, 120)]), axis=2))
    free = np.asarray(lattice)[shapely.distance(blocks, lattice) >= CLEAR_M]
    faulty = shapely.contains(blocks, frame.geometry) | (
        shapely.distance([s.boundary for s in shapes], frame.geometry.to_numpy()[:, None]).min(
            axis=1
        )
        <= WALL_M
    )
    assert found.index.tolist() == np.flatnonzero(faulty).tolist()
    before = frame.geometry.to_numpy()[found.index]
    for here, place, moved_m in zip(before, found.geometry, found["moved_m"], strict=True):
        assert blocks.distance(place) >= 0.98 * CLEAR_M
        assert moved_m == pytest.approx(here.distance(place))
        assert here.distance(place) <= shapely.distance(free, here).min() + 0.01


def test_from_where_it_is_snapped_a_camera_sees() -> None:
    rng = np.random.default_rng(8)
    shapes = areas(*turned_boxes(rng, 60, 120))
    frame = cameras_at(*rng.uniform(0, 120, (40, 2)).tolist())
    frame = frame.assign(azimuth_deg=0.0, view_angle_deg=360.0, range_m=50.0)
    found = proposed_snap(frame, shapes)
    moved = frame.loc[found.index].set_geometry(found.geometry)
    assert len(found)
    assert (visible_areas(moved, shapes).area > 1).all()
