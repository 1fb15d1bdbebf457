"""Surfaces: equal to adding up every kernel, no mass lost, no point beyond an edge forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import MultiPolygon, Point, Polygon, box

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.density import kde

BOUNDS = (500_000.0, 3_690_000.0, 503_000.0, 3_692_000.0)


def added_up(
    xy_m: NDArray[Any], bounds: Any, shape: tuple[int, int], bandwidth_m: float, weights: Any
) -> NDArray[Any]:
    """Every kernel at the middle of every cell."""
    west, south, east, north = bounds
    x = west + (np.arange(shape[1]) + 0.5) * (east - west) / shape[1]
    y = south + (np.arange(shape[0]) + 0.5) * (north - south) / shape[0]
    by_x = np.exp(-((x[None] - xy_m[:, :1]) ** 2) / (2 * bandwidth_m**2))
    by_y = np.exp(-((y[None] - xy_m[:, 1:]) ** 2) / (2 * bandwidth_m**2))
    surface: NDArray[Any] = (by_y * weights[:, None]).T @ by_x
    return surface / (2 * np.pi * bandwidth_m**2)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    points=st.integers(1, 60),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    bandwidth_m=st.floats(15.0, 1_500.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_surface_is_that_of_adding_up_every_kernel(
    points: int, rows: int, columns: int, bandwidth_m: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # a third of the points lies outside, some of them in reach
    xy_m = rng.uniform([499_500, 3_689_500], [503_500, 3_692_500], (points, 2))
    weights = rng.uniform(0.5, 2.0, points)
    surface = kde(
        xy_m, bounds=BOUNDS, shape=(rows, columns), bandwidth_m=bandwidth_m, weights=weights
    )
    exact = added_up(xy_m, BOUNDS, (rows, columns), bandwidth_m, weights)
    peak = max(exact.max(), weights.max() / (2 * np.pi * bandwidth_m**2))
    assert np.abs(surface - exact).max() <= 1e-3 * peak


@pytest.mark.parametrize("bandwidth_m", [30.0, 100.0, 150.0])
def test_the_mass_is_the_total_weight(bandwidth_m: float) -> None:
    rng = np.random.default_rng(1)
    xy_m = rng.uniform([501_000, 3_690_900], [502_000, 3_691_100], (500, 2))
    weights = rng.uniform(0.0, 3.0, 500)
    surface = kde(xy_m, bounds=BOUNDS, shape=(200, 300), bandwidth_m=bandwidth_m, weights=weights)
    assert surface.sum() * 100.0 == pytest.approx(weights.sum(), rel=1e-6)


def test_one_point_has_the_peak_worked_out_by_hand() -> None:
    surface = kde([[501_505, 3_691_005]], bounds=BOUNDS, shape=(200, 300), bandwidth_m=100.0)
    assert surface[100, 150] == pytest.approx(1 / (2 * np.pi * 1e4), rel=1e-3)
    assert int(surface.argmax()) == 100 * 300 + 150


def test_row_nought_is_in_the_south_and_column_nought_in_the_west() -> None:
    surface = kde([[500_001, 3_690_001]], bounds=BOUNDS, shape=(20, 30), bandwidth_m=200.0)
    assert int(surface.argmax()) == 0


def test_a_point_over_one_edge_does_not_come_in_at_the_opposite_one() -> None:
    surface = kde([[499_900, 3_691_000]], bounds=BOUNDS, shape=(20, 30), bandwidth_m=200.0)
    assert surface[:, 0].max() > 1e-6
    assert np.abs(surface[:, -1]).max() < 1e-12


def test_a_point_too_far_to_be_seen_changes_nothing() -> None:
    near = kde([[501_000, 3_691_000]], bounds=BOUNDS, shape=(20, 30), bandwidth_m=50.0)
    both = kde(
        [[501_000.0, 3_691_000.0], [1e7, 3_691_000.0], [-1e300, 1e300]],
        bounds=BOUNDS,
        shape=(20, 30),
        bandwidth_m=50.0,
    )
    np.testing.assert_array_equal(near, both)


def test_weights_count_as_so_many_points() -> None:
    place = [[501_234, 3_690_777]]
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (40, 60), "bandwidth_m": 120.0}
    np.testing.assert_allclose(
        kde(place, weights=[3.0], **options), kde(place * 3, **options), atol=1e-18
    )


COUNTY = Polygon(
    [(500_400, 3_690_300), (502_700, 3_690_200), (502_600, 3_691_800), (500_500, 3_691_500)],
    [[(501_000, 3_690_700), (501_000, 3_691_100), (501_500, 3_690_700)]],
)
"""Slanting sides and a hole, all inside the bounds."""


def points_in(shape: Polygon | MultiPolygon, number: int, seed: int) -> NDArray[Any]:
    """Points evenly over a shape."""
    drawn = np.random.default_rng(seed).uniform(
        [500_000, 3_690_000], [503_000, 3_692_000], (number * 9, 2)
    )
    return np.array([spot for spot in drawn if shape.covers(Point(spot))][:number])


@pytest.mark.parametrize("bandwidth_m", [60.0, 150.0, 900.0])
def test_inside_a_boundary_no_mass_is_lost_whatever_the_bandwidth(bandwidth_m: float) -> None:
    xy_m = points_in(COUNTY, 300, 2)
    weights = np.random.default_rng(3).uniform(0.5, 2.0, len(xy_m))
    surface = kde(
        xy_m,
        bounds=BOUNDS,
        shape=(200, 300),
        bandwidth_m=bandwidth_m,
        weights=weights,
        within=COUNTY,
    )
    assert surface.sum() * 100.0 == pytest.approx(weights.sum(), rel=1e-6)


def test_each_kernel_is_raised_by_its_share_inside() -> None:
    xy_m = points_in(COUNTY, 12, 4)
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (200, 300), "bandwidth_m": 200.0}
    surface = kde(xy_m, within=COUNTY, **options)
    x, y = np.meshgrid(500_005.0 + 10.0 * np.arange(300), 3_690_005.0 + 10.0 * np.arange(200))
    ground = np.array([COUNTY.covers(Point(spot)) for spot in zip(x.flat, y.flat, strict=True)])
    ground = ground.reshape(x.shape)
    exact = np.zeros(x.shape)
    for spot in xy_m:
        kernel = added_up(spot[None], BOUNDS, (200, 300), 200.0, np.ones(1)) * ground
        exact += kernel / (kernel.sum() * 100.0)
    assert np.abs(surface - exact).max() <= 1e-3 * exact.max()
    assert (surface[~ground] == 0.0).all()


def test_an_even_spread_loses_less_than_half_as_much_at_the_rim() -> None:
    square = box(501_000, 3_690_500, 502_000, 3_691_500)
    xy_m = points_in(square, 20_000, 5)
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (40, 60), "bandwidth_m": 150.0}
    plain, aware = kde(xy_m, **options), kde(xy_m, within=square, **options)
    # the row of cells along the southern side, corners left out
    rim, middle = (slice(10, 11), slice(24, 36)), (slice(18, 22), slice(28, 32))
    assert plain[rim].mean() < 0.6 * plain[middle].mean()
    # on a straight rim itself the share is ln 2, for half of each kernel there is spread inwards
    assert aware[rim].mean() == pytest.approx(0.78 * aware[middle].mean(), rel=0.05)


def test_points_outside_the_boundary_are_left_out() -> None:
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (40, 60), "bandwidth_m": 150.0}
    inside = [[501_800.0, 3_691_000.0]]
    alone = kde(inside, within=COUNTY, **options)
    both = kde([*inside, [501_100.0, 3_690_800.0], [1e9, 0.0]], within=COUNTY, **options)
    np.testing.assert_array_equal(alone, both)


def test_a_boundary_far_from_the_box_changes_no_kernel() -> None:
    xy_m = points_in(COUNTY, 40, 6)
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (40, 60), "bandwidth_m": 150.0}
    wide = MultiPolygon([box(400_000, 3_600_000, 600_000, 3_800_000)])
    np.testing.assert_allclose(kde(xy_m, within=wide, **options), kde(xy_m, **options), rtol=1e-7)


def test_a_point_in_a_sliver_is_raised_a_hundredfold_at_most() -> None:
    sliver = box(501_000, 3_691_000.1, 501_000.2, 3_691_000.3)
    surface = kde(
        [[501_000.1, 3_691_000.2]],
        bounds=BOUNDS,
        shape=(40, 60),
        bandwidth_m=150.0,
        within=sliver,
    )
    assert surface.tolist() == np.zeros((40, 60)).tolist()
    assert not np.isnan(surface).any()


def test_no_points_make_a_level_surface() -> None:
    surface = kde(np.empty((0, 2)), bounds=BOUNDS, shape=(4, 5), bandwidth_m=100.0)
    assert surface.tolist() == [[0.0] * 5] * 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bounds": (108.0, 33.0, 108.9, 33.8)}, "kde-degrees"),
        ({"bounds": (3.0, 0.0, 3.0, 1e5)}, "kde-settings"),
        ({"bounds": (0.0, 1e5, 1e5, 0.0)}, "kde-settings"),
        ({"bounds": (0.0, 0.0, np.nan, 1e5)}, "kde-settings"),
        ({"shape": (0, 5)}, "kde-settings"),
        ({"bandwidth_m": 0.0}, "kde-settings"),
        ({"bandwidth_m": np.inf}, "kde-settings"),
        ({"xy_m": [[np.nan, 1.0]]}, "kde-points"),
        ({"weights": [1.0, 2.0]}, "kde-points"),
        ({"weights": [np.inf]}, "kde-points"),
    ],
)
def test_what_makes_no_surface_is_refused(change: dict[str, Any], code: str) -> None:
    options: dict[str, Any] = {"bounds": BOUNDS, "shape": (4, 5), "bandwidth_m": 100.0}
    options |= {"xy_m": [[501_000, 3_691_000]], **change}
    with pytest.raises(Refused) as refusal:
        kde(options.pop("xy_m"), **options)
    assert refusal.value.code == code


@pytest.mark.parametrize("bandwidth_m", [0.01, 1e-9, 1e9])
def test_a_bandwidth_that_would_fill_the_memory_is_refused(bandwidth_m: float) -> None:
    with pytest.raises(TooLarge):
        kde([[501_000, 3_691_000]], bounds=BOUNDS, shape=(400, 500), bandwidth_m=bandwidth_m)
