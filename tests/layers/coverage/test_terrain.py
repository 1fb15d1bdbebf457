"""Ground that ridges hide: planes, ridges by hand, and a walk along every line of sight."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from layers.coverage.checks import CoverageRefused
from layers.coverage.terrain import Elevations, masked_ground
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import CRS, camera_frame

CELL_M = 5.0
SIDE = 61  # corners; 300 m


def lattice(height: NDArray[np.float64] | float, west_m: float = 0.0) -> Elevations:
    return Elevations(west_m, 0.0, CELL_M, np.broadcast_to(np.asarray(height), (SIDE, SIDE)) * 1.0)


def by_x(*points: tuple[float, float]) -> NDArray[np.float64]:
    """Heights that depend on x alone, straight between the given (x, height)."""
    x_m = np.arange(SIDE) * CELL_M
    row: NDArray[np.float64] = np.interp(x_m, *np.array(points).T)
    return np.tile(row, (SIDE, 1))


def camera_at(
    x_m: float, y_m: float, height_m: float = 5.0, range_m: float = 100.0
) -> GeoDataFrame:
    return camera_frame([Camera(x_m, y_m, range_m=range_m)]).assign(height_m=height_m)


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.7])
def test_an_even_slope_hides_nothing(slope: float) -> None:
    ground = lattice(by_x((0, 500), (300, 500 + 300 * slope)))
    assert masked_ground(camera_at(150, 150), ground).iloc[0].is_empty


def test_even_a_lens_on_the_ground_of_a_plane_sees_all_of_it() -> None:
    assert masked_ground(camera_at(152, 149, 0.0), lattice(812.3)).iloc[0].is_empty


def test_a_ridge_hides_the_ground_behind_it_as_far_as_triangles_say() -> None:
    # a ridge 2 m high at x = 180, seen from 5 m up and 30 m away: dark to 180 + 2·30/3 = 200
    ground = lattice(by_x((0, 0), (175, 0), (180, 2), (185, 0), (300, 0)))
    hidden = masked_ground(camera_at(150, 152.5), ground).iloc[0]
    assert hidden.contains(shapely.Point(190, 152.5))
    assert not hidden.intersects(shapely.Point(206, 152.5))
    assert not hidden.intersects(shapely.Point(170, 152.5))
    assert not hidden.intersects(shapely.Point(110, 152.5))


def test_behind_a_hilltop_all_is_hidden_and_from_the_top_nothing() -> None:
    ground = lattice(by_x((0, 0), (150, 60), (300, 0)))
    hidden = masked_ground(camera_at(100, 150, 2.0), ground).iloc[0]
    assert hidden.contains(shapely.Point(180, 150))
    assert not hidden.intersects(shapely.Point(140, 150))
    assert masked_ground(camera_at(150, 150, 2.0), ground).iloc[0].is_empty


def test_nothing_beyond_the_range_is_named() -> None:
    ground = lattice(by_x((0, 0), (150, 60), (300, 0)))
    hidden = masked_ground(camera_at(120, 150, 2.0, 60.0), ground).iloc[0]
    assert hidden.difference(shapely.Point(120, 150).buffer(60.0, quad_segs=32)).area < 1e-9
    assert hidden.area > 0


def test_unknown_ground_hides_nothing_and_neither_does_ground_off_the_lattice() -> None:
    height = by_x((0, 0), (150, 60), (300, 0))
    height[:, 25:35] = np.nan
    blank = lattice(np.full((SIDE, SIDE), np.nan))
    assert masked_ground(camera_at(100, 150), blank).iloc[0].is_empty
    assert masked_ground(camera_at(-500, 150), lattice(height)).iloc[0].is_empty
    assert (
        not masked_ground(camera_at(100, 150), lattice(height))
        .iloc[0]
        .contains(shapely.Point(150, 150))
    )


@pytest.mark.parametrize("seed", range(3))
def test_cells_are_hidden_just_when_a_fine_walk_meets_the_ground(seed: int) -> None:
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 1, (6, 4))
    x_m, y_m = np.meshgrid(np.arange(SIDE) * CELL_M, np.arange(SIDE) * CELL_M)
    height = sum(6 * a * np.sin(b * x_m / 40 + c * y_m / 40 + d) for a, b, c, d in waves)
    ground = lattice(np.asarray(height))
    frame = camera_at(152.0, 147.0, 3.0, 90.0)
    hidden = masked_ground(frame, ground).iloc[0]
    eye = np.array([152.0, 147.0])
    eye_m = float(ground.at(eye)) + 3.0
    wrong = 0
    middles = np.stack(np.meshgrid(*2 * [np.arange(72.5, 230, 5)]), axis=-1).reshape(-1, 2)
    middles = middles[np.hypot(*(middles - eye).T) < 80]
    for there in middles:
        share = np.linspace(0, 1, 400)[1:-1, None]
        walk_m = ground.at(eye + (there - eye) * share)
        line_m = eye_m + (float(ground.at(there)) - eye_m) * share[:, 0]
        wrong += bool((walk_m > line_m + 1e-6).any()) != hidden.contains(shapely.Point(there))
    # grazing lines may differ by the length of a step
    assert wrong <= 0.03 * len(middles)


def test_bilinear_heights_are_those_of_the_corners_and_even_between() -> None:
    ground = Elevations(10.0, 20.0, 2.0, np.array([[1.0, 3.0], [5.0, 7.0]]))
    at = np.array([[10.0, 20.0], [12.0, 20.0], [10.0, 22.0], [12.0, 22.0], [11.0, 21.0]])
    assert ground.at(at).tolist() == [1.0, 3.0, 5.0, 7.0, 4.0]
    assert np.isnan(ground.at(np.array([[9.9, 21.0], [11.0, 22.1]]))).all()


def test_index_and_crs_stay_and_nobody_is_nothing() -> None:
    frame = camera_at(150, 150)
    frame.index = frame.index + 3
    found = masked_ground(frame, lattice(0.0))
    assert found.index.tolist() == [3]
    assert found.crs == CRS
    assert len(masked_ground(frame.iloc[:0], lattice(0.0))) == 0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(CoverageRefused, match="lattice"):
        masked_ground(camera_at(1, 1), Elevations(0.0, 0.0, 5.0, np.zeros((1, 5))))
    for bad in ({"height_m": -1.0}, {"range_m": np.inf}):
        with pytest.raises(CoverageRefused, match=next(iter(bad))):
            masked_ground(camera_at(1, 1).assign(**bad), lattice(0.0))
    with pytest.raises(CoverageRefused, match="CRS"):
        masked_ground(camera_at(1, 1).set_crs(4490, allow_override=True), lattice(0.0))
