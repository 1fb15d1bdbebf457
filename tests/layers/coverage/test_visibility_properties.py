"""What must hold between views of changed scenes, whatever the scene."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry.base import BaseGeometry

import layers.coverage.sweep as sweep
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import (
    CRS,
    area_seen_inside_m2,
    areas,
    camera_frame,
    random_cameras,
    turned_boxes,
    view,
)

seeds = st.integers(0, 10_000)
calmly = settings(derandomize=True, deadline=None, max_examples=25)
SIDE_M = 200.0


def scene(seed: int) -> tuple[Camera, list[BaseGeometry]]:
    rng = np.random.default_rng(seed)
    return random_cameras(rng, 2, SIDE_M)[seed % 2], turned_boxes(rng, 30, SIDE_M)


def turned(camera: Camera, more_deg: float) -> Camera:
    azimuth_deg = camera.azimuth_deg + more_deg
    return Camera(camera.x_m, camera.y_m, azimuth_deg, camera.view_angle_deg, camera.range_m)


@calmly
@given(seeds)
def test_another_building_never_widens_a_view(seed: int) -> None:
    camera, shapes = scene(seed)
    less, more = view(camera, *shapes[:-5]), view(camera, *shapes)
    # chords of an arc that a wall cuts short lie a little otherwise than those of the whole arc
    assert more.difference(less.buffer(0.002 * camera.range_m)).area < 1e-6
    assert more.area <= less.area + 1e-6


@calmly
@given(seeds)
def test_a_view_lies_in_its_sector_and_outside_every_building(seed: int) -> None:
    camera, shapes = scene(seed)
    seen, sector = view(camera, *shapes), view(camera)
    assert seen.difference(sector.buffer(0.002 * camera.range_m)).area < 1e-6
    assert all(area_seen_inside_m2(seen, camera, shape) < 1e-6 for shape in shapes)


@calmly
@given(seeds, st.floats(-180, 180), st.floats(0.01, 50))
def test_turning_and_scaling_the_scene_turns_and_scales_the_view(
    seed: int, turn_deg: float, factor: float
) -> None:
    camera, shapes = scene(seed)

    def moved(shape: BaseGeometry) -> BaseGeometry:
        around = affinity.rotate(shape, turn_deg, origin=(0, 0))
        return affinity.scale(around, factor, factor, origin=(0, 0))

    place = moved(shapely.Point(camera.x_m, camera.y_m))
    after = Camera(
        float(shapely.get_x(place)),
        float(shapely.get_y(place)),
        camera.azimuth_deg - turn_deg,
        camera.view_angle_deg,
        camera.range_m * factor,
    )
    before_m2 = view(camera, *shapes).area
    after_m2 = view(after, *map(moved, shapes)).area
    assert after_m2 / factor**2 == pytest.approx(before_m2, rel=1e-7, abs=1e-6)


@calmly
@given(seeds, st.sampled_from([-36_000_000.0, -1e4, 4e5, 3.7e6]))
def test_shifting_the_scene_shifts_the_view(seed: int, shift_m: float) -> None:
    camera, shapes = scene(seed)
    after = Camera(
        camera.x_m + shift_m,
        camera.y_m - shift_m,
        camera.azimuth_deg,
        camera.view_angle_deg,
        camera.range_m,
    )
    moved = [affinity.translate(shape, shift_m, -shift_m) for shape in shapes]
    there, here = view(after, *moved), view(camera, *shapes)
    assert there.area == pytest.approx(here.area, rel=1e-6, abs=1e-5)


@calmly
@given(seeds, st.sampled_from([-720.0, -360.0, 360.0, 3600.0]))
def test_a_bearing_counts_modulo_a_turn(seed: int, more_deg: float) -> None:
    camera, shapes = scene(seed)
    once, again = view(camera, *shapes), view(turned(camera, more_deg), *shapes)
    assert again.area == pytest.approx(once.area, rel=1e-9, abs=1e-9)


@calmly
@given(seeds)
def test_sectors_side_by_side_add_up_to_the_turn(seed: int) -> None:
    camera, shapes = scene(seed)
    whole = Camera(camera.x_m, camera.y_m, 0.0, 360.0, camera.range_m)
    parts = [
        Camera(camera.x_m, camera.y_m, azimuth_deg, 90.0, camera.range_m)
        for azimuth_deg in (-180.0, -90.0, 0.0, 90.0)
    ]
    total = sum(view(part, *shapes).area for part in parts)
    assert total == pytest.approx(view(whole, *shapes).area, rel=1e-8, abs=1e-6)


@calmly
@given(seeds)
def test_the_order_of_walls_and_buildings_does_not_matter(seed: int) -> None:
    camera, shapes = scene(seed)
    other = [shape.reverse() for shape in reversed(shapes)]
    assert view(camera, *other).area == pytest.approx(
        view(camera, *shapes).area, rel=1e-9, abs=1e-9
    )


def test_each_camera_is_computed_as_if_alone() -> None:
    rng = np.random.default_rng(11)
    cameras, shapes = random_cameras(rng, 40, SIDE_M), turned_boxes(rng, 40, SIDE_M)
    together = visible_areas(camera_frame(cameras), areas(*shapes))
    for camera, seen in zip(cameras, together, strict=True):
        assert seen.equals_exact(view(camera, *shapes), tolerance=1e-9)


def test_batches_do_not_change_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(12)
    frame = camera_frame(random_cameras(rng, 60, SIDE_M))
    shapes = areas(*turned_boxes(rng, 40, SIDE_M))
    whole = visible_areas(frame, shapes)
    monkeypatch.setattr(sweep, "PAIRS_AT_ONCE", 50)
    assert [s.wkb for s in visible_areas(frame, shapes)] == [s.wkb for s in whole]


def test_repeated_cameras_and_any_index_keep_their_order() -> None:
    frame = camera_frame([Camera(0, 0, 10, 90, 50), Camera(5, 5), Camera(0, 0, 10, 90, 50)])
    frame.index = pd.Index(["c", "a", "c"])
    views = visible_areas(frame, areas(shapely.box(2, 10, 4, 12)))
    assert views.index.tolist() == ["c", "a", "c"]
    assert views.crs == frame.crs
    assert views.iloc[0].equals(views.iloc[2])


def test_empty_frames_give_empty_series() -> None:
    nobody = visible_areas(camera_frame([]), areas(shapely.box(0, 0, 1, 1)))
    assert isinstance(camera_frame([]), GeoDataFrame)
    assert len(nobody) == 0
    assert nobody.crs == CRS
    assert view(Camera(0, 0)).area == pytest.approx(np.pi * 1e4)


def test_missing_and_empty_footprints_hide_nothing() -> None:
    shapes = areas(None, shapely.Polygon(), shapely.MultiPolygon(), shapely.box(500, 0, 501, 1))
    seen = visible_areas(camera_frame([Camera(0, 0)]), shapes)
    assert seen.area.iloc[0] == pytest.approx(np.pi * 1e4)


def test_heights_are_ignored() -> None:
    flat = shapely.box(-20, 40, 20, 41)
    tall = shapely.force_3d(flat, 7.0)
    assert view(Camera(0, 0), tall).equals(view(Camera(0, 0), flat))
