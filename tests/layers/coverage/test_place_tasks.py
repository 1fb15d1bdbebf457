"""Key places by task: what each kind needs, and with how many pixels a metre it is shown."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gis_service.demo.places import KEY_WORDS
from layers.coverage.place_tasks import (
    ASSUMED_PIXELS,
    NEAREST_M,
    NEEDED,
    OTHERWISE,
    best_densities,
    needed_densities,
    needed_task,
)
from layers.coverage.tasks import TASKS, pixels_per_m, task_distance_m
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.scenes import CRS, areas


def frame(*cameras: tuple[float, float, float], angle_deg: float = 90.0) -> GeoDataFrame:
    """Cameras at x, y that look in a direction as far as 200 m."""
    columns = {
        "azimuth_deg": [azimuth for _, _, azimuth in cameras],
        "view_angle_deg": [angle_deg] * len(cameras),
        "range_m": [200.0] * len(cameras),
    }
    points = [shapely.Point(x, y) for x, y, _ in cameras]
    return GeoDataFrame(columns, geometry=points, crs=CRS)


def densities(
    cameras: GeoDataFrame, *places: tuple[float, float], houses: GeoSeries | None = None
) -> NDArray[np.float64]:
    views = visible_areas(cameras, areas() if houses is None else houses)
    points = GeoSeries([shapely.Point(place) for place in places], crs=CRS)
    return best_densities(points, views, cameras)


def test_every_kind_that_the_demo_knows_has_a_task_of_its_own() -> None:
    assert set(NEEDED) >= KEY_WORDS
    assert all(task.name in TASKS for task in NEEDED.values())


def test_a_bank_needs_more_than_a_square_and_an_unknown_kind_something_between() -> None:
    bank, other, square = needed_densities(["bank", "of another county", "square"])
    assert bank > other > square
    assert needed_task("of another county") == OTHERWISE
    assert needed_densities([]).shape == (0,)


def test_density_worked_out_by_hand() -> None:
    # 1920 pixels over 2 · 24 m · tan 45°
    assert densities(frame((0, 0, 0)), (0, 24)).tolist() == [40.0]


@settings(derandomize=True, deadline=None)
@given(
    pixels=st.floats(100, 10_000),
    angle_deg=st.floats(1, 360),
    task=st.sampled_from(sorted(TASKS)),
)
def test_density_and_distance_are_inverse(pixels: float, angle_deg: float, task: str) -> None:
    have, angle = np.array([pixels]), np.array([angle_deg])
    away_m = task_distance_m(have, angle, TASKS[task])
    if away_m[0] > 1e-3:
        shown = pixels_per_m(have, angle, away_m)[0]
        assert shown == pytest.approx(TASKS[task].pixels_per_m, rel=1e-5)


def test_the_nearest_camera_that_sees_a_place_decides() -> None:
    near_but_turned_away, far = (0, 10, 0), (0, -40, 0)
    assert densities(frame(near_but_turned_away, far), (0, 0)).tolist() == [24.0]
    assert densities(frame((0, -10, 0), far), (0, 0)).tolist() == [96.0]


def test_a_place_behind_a_house_is_not_shown_at_all() -> None:
    house = areas(shapely.box(-5, 5, 5, 9))
    assert densities(frame((0, 0, 0)), (0, 24), houses=house).tolist() == [0.0]
    assert densities(frame((0, 0, 0)), (0, 4.9), houses=house)[0] > 190


def test_a_narrow_lens_shows_more_of_less() -> None:
    wide, narrow = (
        densities(frame((0, 0, 0), angle_deg=angle), (0, 30), (20, 30)) for angle in (90.0, 20.0)
    )
    assert narrow[0] > 4 * wide[0]
    assert wide[1] > 0
    assert narrow[1] == 0


def test_a_place_at_the_lens_is_shown_as_from_the_nearest_distance() -> None:
    cameras = frame((0, 0, 0))
    assert densities(cameras, (0, 0.01))[0] == pytest.approx(ASSUMED_PIXELS / (2 * NEAREST_M))


def test_told_pixels_count_and_missing_ones_are_assumed() -> None:
    cameras = frame((0, 0, 0), (1000, 0, 0)).assign(pixels=[3840.0, np.nan])
    assert densities(cameras, (0, 24), (1000, 24)).tolist() == [80.0, 40.0]


def test_a_camera_that_may_stand_farther_shows_less_and_one_nearer_more() -> None:
    cameras = frame((0, 0, 0))
    views = visible_areas(cameras, areas())
    place = GeoSeries([shapely.Point(0, 24)], crs=CRS)
    for farther_m, expected in ((24.0, 20.0), (0.0, 40.0), (-12.0, 80.0), (-99.0, 1920.0)):
        found = best_densities(place, views, cameras, farther_m=np.array([farther_m]))
        assert found.tolist() == [expected]


def test_no_camera_and_no_place_give_nothing() -> None:
    nobody = frame((0, 0, 0)).iloc[:0]
    assert densities(nobody, (0, 0)).tolist() == [0.0]
    assert densities(frame((0, 0, 0))).shape == (0,)
    assert best_densities(
        GeoSeries([shapely.Point(0, 5)], crs=CRS), areas(shapely.Polygon()), frame((0, 0, 0))
    ).tolist() == [0.0]
