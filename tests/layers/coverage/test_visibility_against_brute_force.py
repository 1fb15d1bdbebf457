"""Views against the brute-force oracle, in random scenes and in scenes made of degenerate cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera, seen_area_m2
from tests.layers.coverage.scenes import areas, camera_frame, random_cameras, turned_boxes


def check(cameras: list[Camera], footprints: list[BaseGeometry], *, relative: float) -> None:
    views = visible_areas(camera_frame(cameras), areas(*footprints))
    assert views.is_valid.all()
    tree = shapely.STRtree(footprints)
    for camera, seen in zip(cameras, views, strict=True):
        disc = shapely.Point(camera.x_m, camera.y_m).buffer(1.1 * camera.range_m)
        near = [footprints[row] for row in tree.query(disc)]
        expected = seen_area_m2(camera, near)
        assert seen.area == pytest.approx(expected, rel=relative, abs=1e-7), camera


@pytest.mark.parametrize("corner_m", [0.0, 500_000.0])
def test_random_views_equal_brute_force(corner_m: float) -> None:
    rng = np.random.default_rng(3)
    shapes = [
        shapely.affinity.translate(s, corner_m, corner_m) for s in turned_boxes(rng, 220, 600)
    ]
    cameras = [
        Camera(c.x_m + corner_m, c.y_m + corner_m, c.azimuth_deg, c.view_angle_deg, c.range_m)
        for c in random_cameras(rng, 60, 600.0)
    ]
    check(cameras, shapes, relative=1e-8)


@pytest.mark.parametrize("at", ["corner", "wall"])
def test_views_from_walls_and_corners_equal_brute_force(at: str) -> None:
    rng = np.random.default_rng(4)
    shapes = turned_boxes(rng, 100, 500)
    cameras = []
    for shape, camera in zip(shapes[:40], random_cameras(rng, 40, 1.0), strict=True):
        along = 0.0 if at == "corner" else float(rng.uniform(0, 1))
        place = shapely.boundary(shape).interpolate(along, normalized=True)
        x_m, y_m = shapely.get_coordinates(place)[0].tolist()
        cameras.append(replace(camera, x_m=x_m, y_m=y_m))
    check(cameras, shapes, relative=1e-7)


@pytest.mark.parametrize("turn_deg", [0.0, 45.0, 17.3])
@pytest.mark.parametrize("corner_m", [0.0, 500_000.3, 36_500_000.0])
def test_lattices_of_touching_walls_equal_brute_force(turn_deg: float, corner_m: float) -> None:
    rng = np.random.default_rng(5)

    def placed(shape: BaseGeometry) -> BaseGeometry:
        around = shapely.affinity.rotate(shape, turn_deg, origin=(0, 0))
        return shapely.affinity.translate(around, corner_m, corner_m / 10)

    corners = rng.integers(-12, 12, (60, 2))
    shapes = [
        placed(shapely.box(x, y, x + rng.integers(1, 4), y + rng.integers(1, 4)))
        for x, y in corners
    ]
    cameras = []
    for xy in rng.integers(-24, 24, (40, 2)) / 2:
        x_m, y_m = shapely.get_coordinates(placed(shapely.Point(xy)))[0].tolist()
        azimuth_deg, angle_deg = rng.choice([0, 45, 90, 270, 17.3]), rng.choice([360, 90, 180, 60])
        range_m = float(rng.choice([5, 10, 30]))
        cameras.append(Camera(x_m, y_m, float(azimuth_deg), float(angle_deg), range_m))
    check(cameras, shapes, relative=1e-6)


def test_courts_spikes_and_rings_in_rings_equal_brute_force() -> None:
    court = shapely.get_coordinates(shapely.Point(3, 2).buffer(30, 16))
    ring = shapely.Polygon(shapely.get_coordinates(shapely.Point(0, 0).buffer(40, 16)), [court])
    star = shapely.Polygon([(0, 9), (1, 1), (9, 0), (1, -1), (0, -9), (-1, -1), (-9, 0), (-1, 1)])
    shapes: list[BaseGeometry] = [
        shapely.MultiPolygon([ring, shapely.box(50, 0, 60, 80)]),
        star,
        shapely.Polygon([(12, 12), (14, 12.001), (12, 12.002)]),
    ]
    rng = np.random.default_rng(6)
    cameras = [
        Camera(x_m, y_m, azimuth_deg, angle_deg, 80.0)
        for angle_deg in (360.0, 200.0, 75.0)
        for x_m, y_m, azimuth_deg in rng.uniform((-70, -70, 0), (70, 70, 360), (15, 3)).tolist()
    ]
    check(cameras, shapes, relative=1e-8)


def test_a_point_is_in_the_view_just_when_no_building_stands_between() -> None:
    rng = np.random.default_rng(7)
    shapes = turned_boxes(rng, 60, 250)
    camera = Camera(125.0, 125.0, 0.0, 360.0, 110.0)
    seen = visible_areas(camera_frame([camera]), areas(*shapes)).iloc[0]
    blocks = shapely.union_all(shapes)
    here = shapely.Point(125, 125)
    shapely.prepare(blocks)
    for xy in rng.uniform(20, 230, (600, 2)):
        there = shapely.Point(xy)
        if abs(seen.boundary.distance(there)) < 0.1 or abs(here.distance(there) - 110) < 0.2:
            continue
        line = shapely.LineString([here, there])
        clear = here.distance(there) < 110 and not blocks.intersects(line)
        assert seen.contains(there) == clear, xy
