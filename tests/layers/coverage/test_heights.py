"""Views over roofs: shadows by hand, and rays against prisms."""

from __future__ import annotations

from itertools import pairwise
from math import pi, radians, tan

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.coverage.checks import CoverageRefused
from layers.coverage.heights import far_m, near_blind_m, raised_areas
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import CRS, areas, camera_frame, random_cameras, turned_boxes

WALL = shapely.box(-200, 20, 200, 22)
HERE = Camera(0.0, 0.0, 0.0, 360.0, 100.0)


def at_height(height_m: float, *cameras: Camera, **columns: float) -> GeoDataFrame:
    return camera_frame(cameras or [HERE]).assign(height_m=height_m, **columns)


def houses(*pairs: tuple[BaseGeometry, float]) -> GeoDataFrame:
    columns = {"height_m": np.array([height for _, height in pairs], dtype=np.float64)}
    return GeoDataFrame(columns, geometry=[shape for shape, _ in pairs], crs=CRS)


def seen(height_m: float, *pairs: tuple[BaseGeometry, float], **columns: float) -> BaseGeometry:
    found: BaseGeometry = raised_areas(at_height(height_m, **columns), houses(*pairs)).iloc[0]
    return found


@pytest.mark.parametrize(("height_m", "roof_m"), [(6.0, 3.0), (10.0, 2.0), (30.0, 20.0)])
def test_the_shadow_behind_a_wall_is_as_long_as_similar_triangles_say(
    height_m: float, roof_m: float
) -> None:
    view = seen(height_m, (WALL, roof_m))
    length_m = roof_m * 22 / (height_m - roof_m)
    assert not view.contains(shapely.Point(0, 22 + length_m - 0.01))
    assert view.contains(shapely.Point(0, min(22 + length_m + 0.01, 99)))
    assert view.contains(shapely.Point(0, 19.9))


@pytest.mark.parametrize("roof_m", [6.0, 6.1, 100.0, np.nan])
def test_a_roof_as_high_as_the_camera_or_of_unknown_height_hides_all_behind(roof_m: float) -> None:
    view = seen(6.0, (WALL, roof_m))
    flat = visible_areas(at_height(6.0), areas(WALL)).iloc[0]
    assert view.symmetric_difference(flat).area < 1e-6


def test_without_heights_it_is_the_flat_view() -> None:
    rng = np.random.default_rng(1)
    shapes, frame = turned_boxes(rng, 40, 150), camera_frame(random_cameras(rng, 10, 150))
    bare = GeoDataFrame(geometry=shapes, crs=CRS)
    flat = visible_areas(frame, areas(*shapes))
    for cameras in (frame, frame.assign(height_m=50.0)):
        assert raised_areas(cameras, bare).area.tolist() == pytest.approx(flat.area.tolist())
    walls = bare.assign(height_m=3.0)
    assert raised_areas(frame, walls).area.tolist() == pytest.approx(flat.area.tolist())


def test_a_roof_is_not_ground() -> None:
    assert not seen(50.0, (WALL, 1.0)).intersects(WALL.buffer(-1e-3))


def test_the_nearer_ground_in_a_court_is_hidden_by_its_own_wall() -> None:
    ring = shapely.box(-20, 20, 20, 60).difference(shapely.box(-10, 30, 10, 50))
    view = seen(12.0, (ring, 4.0))
    # the near wing ends at 30 m and throws 15 m of shadow
    assert not view.contains(shapely.Point(0, 44.9))
    assert view.contains(shapely.Point(0, 45.1))


def test_a_camera_on_a_roof_looks_over_its_edge() -> None:
    house = shapely.box(-5, -5, 5, 5)
    view = seen(12.0, (house, 9.0))
    # the edge is 5 m away and 3 m below: the ground begins at 5 · 12 / 3 = 20 m
    assert not view.contains(shapely.Point(0, 19.9))
    assert view.contains(shapely.Point(0, 20.1))
    assert seen(8.0, (house, 9.0)).is_empty


def test_of_two_overlapping_houses_each_throws_its_own_shadow() -> None:
    low, high = shapely.box(-8, 20, 8, 24), shapely.box(-2, 22, 2, 26)
    view = seen(10.0, (low, 2.0), (high, 7.0))
    assert not view.contains(shapely.Point(0, 80))
    assert view.contains(shapely.Point(14, 50))
    assert not view.contains(shapely.Point(6, 28))


def test_higher_cameras_see_more_and_higher_roofs_hide_more() -> None:
    rng = np.random.default_rng(3)
    shapes = turned_boxes(rng, 30, 150)
    frame = camera_frame(random_cameras(rng, 6, 150))
    roofs = GeoDataFrame({"height_m": rng.uniform(2, 9, 30)}, geometry=shapes, crs=CRS)
    by_height = [raised_areas(frame.assign(height_m=h), roofs) for h in (3.0, 6.0, 12.0, 40.0)]
    for lower, higher in pairwise(by_height):
        # drawn arcs overshoot walls near the range by a hair
        assert (lower.area <= higher.area * 1.0001).all()
    taller = roofs.assign(height_m=roofs["height_m"] * 1.5)
    lower = raised_areas(frame.assign(height_m=12.0), taller)
    assert (lower.area <= by_height[2].area * 1.0001).all()


def is_seen_by_ray(
    camera: Camera, height_m: float, roofs: GeoDataFrame, xy: NDArray[np.float64]
) -> bool:
    """Whether the straight line from the lens to a point of the ground meets no prism."""
    here, there = shapely.Point(camera.x_m, camera.y_m), shapely.Point(xy)
    line, length_m = shapely.LineString([here, there]), here.distance(there)
    for shape, roof_m in zip(roofs.geometry, roofs["height_m"], strict=True):
        within = line.intersection(shape)
        if within.is_empty:
            continue
        # of the line within the footprint, its far end is lowest
        farthest_m = max(here.distance(shapely.Point(at)) for at in shapely.get_coordinates(within))
        if height_m * (1 - farthest_m / length_m) < roof_m:
            return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_a_point_is_seen_just_when_its_ray_meets_no_building(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = turned_boxes(rng, 40, 150, (4.0, 20.0))
    shapes[::4] = [shape.difference(shape.buffer(-3)) for shape in shapes[::4]]
    roofs = GeoDataFrame({"height_m": rng.uniform(1, 12, 40)}, geometry=shapes, crs=CRS)
    height_m = float(rng.uniform(3, 10))
    camera = Camera(75.0, 75.0, 0.0, 360.0, 70.0)
    view = raised_areas(at_height(height_m, camera), roofs).iloc[0]
    for xy in rng.uniform(10, 140, (120, 2)):
        there = shapely.Point(xy)
        away_m = there.distance(shapely.Point(75, 75))
        if view.boundary.distance(there) < 0.05 or abs(away_m - 70) < 0.2:
            continue
        clear = away_m < 70 and is_seen_by_ray(camera, height_m, roofs, xy)
        assert view.contains(there) == clear, (seed, xy)


def one(value: float) -> NDArray[np.float64]:
    return np.array([value])


@pytest.mark.parametrize(
    ("tilt_deg", "vertical_deg", "near_m", "reach_m"),
    [
        (30, 30, 5.0, 5 / tan(radians(15))),
        (0, 40, 5 / tan(radians(20)), np.inf),
        (80, 40, 0.0, 5 / tan(radians(60))),
    ],
)
def test_the_lens_leaves_out_what_lies_below_and_beyond_its_rays(
    tilt_deg: float, vertical_deg: float, near_m: float, reach_m: float
) -> None:
    lens = one(5.0), one(tilt_deg), one(vertical_deg)
    assert near_blind_m(*lens)[0] == pytest.approx(near_m)
    assert far_m(*lens)[0] == pytest.approx(reach_m, rel=1e-3)


def test_the_near_blind_zone_is_cut_out_of_the_view() -> None:
    view = seen(5.0, (shapely.box(500, 0, 501, 1), 3.0), tilt_deg=30.0, vertical_angle_deg=30.0)
    reach_m = 5 / tan(radians(15))
    assert view.area == pytest.approx(pi * (reach_m**2 - 25), rel=2e-3)
    assert not view.contains(shapely.Point(0, 4.9))


def test_a_lens_that_looks_up_sees_no_ground_and_one_untold_is_not_cut() -> None:
    house = (shapely.box(500, 0, 501, 1), 3.0)
    assert seen(5.0, house, tilt_deg=-30.0, vertical_angle_deg=30.0).is_empty
    whole = seen(5.0, house)
    assert seen(5.0, house, tilt_deg=np.nan, vertical_angle_deg=30.0).equals(whole)


@pytest.mark.parametrize("height_m", [-1.0, np.inf])
def test_a_height_out_of_bounds_is_refused(height_m: float) -> None:
    for cameras, roofs in (
        (at_height(height_m), houses((WALL, 3.0))),
        (at_height(5.0), houses((WALL, height_m))),
    ):
        with pytest.raises(CoverageRefused) as refused:
            raised_areas(cameras, roofs)
        assert refused.value.code == "height-out-of-bounds"


def test_nobody_and_no_house() -> None:
    assert len(raised_areas(at_height(5.0).iloc[:0], houses((WALL, 3.0)))) == 0
    bare = houses((WALL, 3.0)).iloc[:0]
    assert raised_areas(at_height(5.0), bare).area.iloc[0] == pytest.approx(pi * 1e4)
