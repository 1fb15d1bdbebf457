"""Scenes that rounding makes hard: hairlines, needles, walls in line with the camera."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, radians, sin

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera, seen_area_m2
from tests.layers.coverage.scenes import areas, camera_frame, view

DISC_M2 = pi * 100**2
HERE = Camera(0.0, 0.0)


@pytest.mark.parametrize("gap_m", [1e-12, 1e-9, 1e-6, 1e-4, 1e-2])
def test_a_hairline_between_two_buildings_keeps_the_view_valid(gap_m: float) -> None:
    shapes = shapely.box(-30, 10, -gap_m / 2, 20), shapely.box(gap_m / 2, 10, 30, 20)
    seen = view(HERE, *shapes)
    assert seen.is_valid
    assert seen.area == pytest.approx(seen_area_m2(HERE, shapes), rel=1e-8)


@pytest.mark.parametrize("distance_m", [0.0, 1e-9, 9e-7, 2e-6, 1e-4, 1e-2])
def test_a_camera_before_a_wall_tends_to_the_half_disc(distance_m: float) -> None:
    camera = Camera(0.0, distance_m)
    seen = view(camera, shapely.box(-500, -10, 500, 0))
    assert seen.is_valid
    assert seen.area == pytest.approx(DISC_M2 / 2 + 200 * distance_m, rel=1e-6)


@pytest.mark.parametrize("depth_m", [1e-12, 1e-9, 9e-7])
def test_rounding_that_puts_a_camera_into_its_wall_does_not_blind_it(depth_m: float) -> None:
    seen = view(Camera(0.0, -depth_m), shapely.box(-500, -10, 500, 0))
    assert seen.area == pytest.approx(DISC_M2 / 2, rel=1e-6)


def test_many_walls_in_line_with_the_camera_hide_only_the_first() -> None:
    row = [shapely.box(x, -1, x + 3, 1) for x in range(10, 95, 5)]
    assert view(HERE, *row).area == pytest.approx(view(HERE, row[0]).area, rel=1e-9)


def test_walls_end_to_end_along_a_line_of_sight_are_valid() -> None:
    row = [shapely.box(x, 0, x + 5, 3) for x in range(5, 95, 5)]
    seen = view(HERE, *row)
    assert seen.is_valid
    assert seen.area == pytest.approx(seen_area_m2(HERE, row), rel=1e-9)


def test_a_needle_thinner_than_rounding_hides_nothing_but_its_line() -> None:
    needle = shapely.Polygon([(1, 0), (99, 1e-9), (99, -1e-9)])
    seen = view(HERE, needle)
    assert seen.is_valid
    assert seen.area == pytest.approx(DISC_M2, rel=1e-9)


def test_a_building_that_touches_the_circle_hides_nothing() -> None:
    seen = view(HERE, shapely.box(-50, 100, 50, 120), shapely.box(100, -1, 110, 1))
    assert seen.area == pytest.approx(DISC_M2, rel=1e-9)


def test_a_closed_ring_of_touching_buildings_lets_no_light_through() -> None:
    corners = [(20 * cos(2 * pi * i / 40), 20 * sin(2 * pi * i / 40)) for i in range(41)]
    ring = [
        shapely.Polygon([a, b, (1.4 * b[0], 1.4 * b[1]), (1.4 * a[0], 1.4 * a[1])])
        for a, b in pairwise(corners)
    ]
    seen = view(HERE, *ring)
    assert seen.area == pytest.approx(shapely.Polygon(corners).area, rel=1e-9)


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 180.0, 270.0, 359.999999, -180.0, 45.0])
@pytest.mark.parametrize("view_angle_deg", [60.0, 180.0, 270.0, 360.0])
def test_walls_across_the_seam_and_the_edges_of_view_are_cut_there(
    azimuth_deg: float, view_angle_deg: float
) -> None:
    ring = shapely.Point(0, 0).buffer(60, 8).difference(shapely.Point(0, 0).buffer(40, 8))
    half = ring.intersection(shapely.box(-100, -5, 100, 100))
    camera = Camera(0.0, 0.0, azimuth_deg, view_angle_deg)
    seen = view(camera, half)
    assert seen.is_valid
    assert seen.area == pytest.approx(seen_area_m2(camera, [half]), rel=1e-9)


def test_a_star_shaped_yard_of_many_thousand_walls_is_seen_whole() -> None:
    turn = np.linspace(0, 2 * pi, 20_001)[:-1]
    radius_m = 60 + 5 * np.sin(40 * turn)
    gear = np.column_stack([radius_m * np.cos(turn), radius_m * np.sin(turn)])
    yard = shapely.Polygon(gear)
    seen = view(HERE, shapely.box(-500, -500, 500, 500).difference(yard))
    assert seen.is_valid
    assert seen.area == pytest.approx(yard.area, rel=1e-9)


def test_a_lamp_post_hides_its_thin_shadow() -> None:
    post = shapely.box(-0.05, 50, 0.05, 50.1)
    lost_m2 = DISC_M2 - view(HERE, post).area
    assert lost_m2 == pytest.approx(DISC_M2 - seen_area_m2(HERE, [post]), rel=1e-6)
    assert 7 < lost_m2 < 8


def test_thousands_of_cameras_on_a_lattice_of_touching_squares_have_valid_views() -> None:
    rng = np.random.default_rng(41)
    shapes: list[BaseGeometry] = [
        shapely.box(x, y, x + 1, y + 1) for x, y in rng.integers(0, 60, (900, 2)).tolist()
    ]
    cameras = [
        Camera(x / 2, y / 2, 45.0 * (x % 8), 90.0 if y % 2 else 360.0, 12.0)
        for x, y in rng.integers(0, 120, (2_000, 2)).tolist()
    ]
    views = visible_areas(camera_frame(cameras), areas(*shapes))
    assert views.is_valid.all()
    assert views.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    # no view reaches into a building
    tree = shapely.STRtree(shapes)
    view_row, shape_row = tree.query(views.to_numpy(), predicate="intersects")
    squares = np.array(shapes, dtype=object)
    within = views.to_numpy()[view_row]
    reach_m = 12.0 / cos(radians(3))
    inside_m2 = shapely.area(shapely.intersection(within, squares[shape_row]))
    centre = shapely.points([(cameras[row].x_m, cameras[row].y_m) for row in view_row])
    # what chords of an arc reach beyond the range is at most a strip of 1 cm
    near = shapely.distance(shapely.centroid(squares[shape_row]), centre) < reach_m - 2
    assert inside_m2[near].max() < 1e-6
    assert inside_m2.max() < 0.02
