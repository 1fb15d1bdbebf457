"""Task levels: densities of the standards, distances, and views cut to them."""

from __future__ import annotations

from itertools import pairwise
from math import pi, radians, tan

import numpy as np
import pytest
import shapely

from layers.coverage.checks import CoverageRefused
from layers.coverage.tasks import (
    DORI,
    IEC_2025,
    TASKS,
    task_areas,
    task_cameras,
    task_distance_m,
    task_named,
)
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import areas, camera_frame, random_cameras, turned_boxes

ONE = [Camera(0.0, 0.0, 0.0, 60.0, 100.0)]
FRAME = camera_frame(ONE).assign(pixels=1920.0)


def distance_m(pixels: float, angle_deg: float, name: str) -> float:
    return float(task_distance_m(np.array([pixels]), np.array([angle_deg]), TASKS[name])[0])


def test_the_densities_are_those_of_the_standards() -> None:
    found = {
        standard: [t.pixels_per_m for t in TASKS.values() if t.standard == standard]
        for standard in (IEC_2025, DORI)
    }
    assert found == {IEC_2025: [20, 40, 80, 125, 250, 500, 1500], DORI: [25, 62.5, 125, 250]}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_name_in_both_languages(name: str) -> None:
    assert task_named(name).name == name
    assert TASKS[name].zh


def test_a_picture_1920_wide_identifies_at_the_distance_a_pencil_gives() -> None:
    # 1920 px over 2·d·tan(30°) metres are 250 px/m at 6.651 m
    assert distance_m(1920, 60.0, "dori-identify") == pytest.approx(6.6510, abs=1e-4)
    assert distance_m(1920, 60.0, "overview") == pytest.approx(83.138, abs=1e-3)


@pytest.mark.parametrize("angle_deg", [5.0, 30.0, 60.0, 90.0, 119.0])
def test_at_its_distance_a_metre_has_just_the_pixels(angle_deg: float) -> None:
    for task in TASKS.values():
        reach_m = distance_m(4000, angle_deg, task.name)
        width_m = 2 * reach_m * tan(radians(angle_deg / 2))
        assert 4000 / width_m == pytest.approx(task.pixels_per_m, rel=1e-6)


def test_beyond_straight_lenses_pixels_lie_even_in_angle() -> None:
    reach_m = distance_m(8000, 360.0, "discern")
    assert 8000 / (2 * pi * reach_m) == pytest.approx(80.0)
    assert distance_m(4000, 180.0, "discern") == pytest.approx(4000 / (pi * 80))


def test_harder_tasks_and_fewer_pixels_and_wider_angles_reach_less_far() -> None:
    order = ["overview", "outline", "discern", "perceive", "characterise", "validate"]
    reaches = [distance_m(2000, 60.0, name) for name in order]
    assert reaches == sorted(reaches, reverse=True)
    assert distance_m(1000, 60.0, "discern") == pytest.approx(distance_m(2000, 60, "discern") / 2)
    assert distance_m(2000, 90.0, "discern") < distance_m(2000, 60.0, "discern")


def test_a_task_never_reaches_beyond_the_range() -> None:
    near = FRAME.assign(range_m=10.0)
    assert task_cameras(near, TASKS["overview"])["range_m"].tolist() == [10.0]
    assert task_cameras(FRAME, TASKS["overview"])["range_m"].iloc[0] < 100.0


def test_a_task_view_is_the_view_cut_to_its_distance() -> None:
    rng = np.random.default_rng(1)
    shapes = areas(*turned_boxes(rng, 40, 150))
    frame = camera_frame(random_cameras(rng, 12, 150)).assign(pixels=1920.0)
    whole, cut = visible_areas(frame, shapes), task_areas(frame, shapes, TASKS["discern"])
    reach_m = task_cameras(frame, TASKS["discern"])["range_m"].to_numpy()
    discs = shapely.buffer(frame.geometry.to_numpy(), reach_m, quad_segs=256)
    expected = shapely.area(shapely.intersection(whole.to_numpy(), discs))
    assert cut.area.to_numpy() == pytest.approx(expected, rel=2e-3, abs=1e-3)


def test_what_is_covered_bears_the_name_of_its_task() -> None:
    assert task_areas(FRAME, areas(), TASKS["validate"]).name == "validate"
    assert task_cameras(FRAME, TASKS["validate"])["task"].tolist() == ["validate"]


def test_harder_tasks_are_covered_within_easier_ones() -> None:
    shapes = areas(shapely.box(-5, 20, 5, 25))
    views = [
        task_areas(FRAME, shapes, TASKS[name]).iloc[0]
        for name in ("overview", "outline", "discern", "perceive")
    ]
    for wide, narrow in pairwise(views):
        assert narrow.difference(wide.buffer(0.05)).area < 1e-9


def test_missing_pixels_are_refused_unless_a_value_is_assumed_and_marked() -> None:
    frame = camera_frame(ONE * 3).assign(pixels=[1920.0, np.nan, np.nan])
    with pytest.raises(CoverageRefused, match="1, 2") as refused:
        task_cameras(frame, TASKS["discern"])
    assert refused.value.code == "pixels-missing"
    found = task_cameras(frame, TASKS["discern"], assumed_pixels=1280)
    assert found["pixels_assumed"].tolist() == [False, True, True]
    assert found["range_m"].iloc[1] == pytest.approx(found["range_m"].iloc[0] * 1280 / 1920)
    bare = task_cameras(camera_frame(ONE), TASKS["discern"], assumed_pixels=1280)
    assert bare["pixels_assumed"].all()


@pytest.mark.parametrize("pixels", [0.0, -5.0, np.inf])
def test_pixels_out_of_bounds_are_refused(pixels: float) -> None:
    with pytest.raises(CoverageRefused, match="pixels"):
        task_cameras(FRAME.assign(pixels=pixels), TASKS["discern"], assumed_pixels=1280)


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CoverageRefused, match="dori-identify"):
        task_named("watch")


def test_nobody_has_no_task() -> None:
    assert len(task_cameras(FRAME.iloc[:0], TASKS["discern"])) == 0
