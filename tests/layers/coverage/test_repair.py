"""Repair order and losses equal leaving out, or adding, one camera at a time by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from layers.coverage.checks import CoverageRefused
from layers.coverage.figures import is_seen
from layers.coverage.ground import k_coverage
from layers.coverage.repair import PEOPLE_PER_PLACE, dearest, repair_order, shared_views
from layers.coverage.sightings import sightings, weight_seen
from tests.layers.coverage.scenes import CRS, areas

Rng = np.random.Generator


def scene(rng: Rng, cameras: int) -> tuple[GeoSeries, GeoSeries, GeoSeries]:
    """Round views, some empty, and places and homes among them."""
    at = rng.uniform(0, 300, (cameras, 2))
    views = shapely.buffer(shapely.points(at), rng.uniform(0, 60, cameras))
    places = shapely.points(rng.uniform(0, 300, (15, 2)))
    corner = rng.uniform(0, 300, (40, 2))
    homes = shapely.box(*corner.T, *(corner + 12).T)
    return GeoSeries(views, crs=CRS), GeoSeries(places, crs=CRS), GeoSeries(homes, crs=CRS)


def seen_weight(views: GeoSeries, shapes: GeoSeries, weights: Any, active: Any) -> float:
    """By the function that the figures use, from the views themselves."""
    seen = is_seen(shapes, GeoSeries(views[active]))
    return float(weights[seen.to_numpy()].sum())


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_repair_order_and_losses_equal_brute_force(seed: int, cameras: int) -> None:
    rng = np.random.default_rng(seed)
    views, places, homes = scene(rng, cameras)
    state = rng.choice(3, cameras)
    working, off_line = state == 0, state == 1
    people = rng.integers(0, 9, len(homes)).astype(np.float64)
    ones = np.ones(len(places))
    sees = (sightings(views, homes), people), (sightings(views, places), ones)
    repairs, losses = repair_order(*sees, off_line, working), dearest(*sees, working)
    assert sorted(repairs.index) == np.flatnonzero(off_line).tolist()
    assert sorted(losses.index) == np.flatnonzero(working).tolist()
    for table, sign in ((repairs, 1.0), (losses, -1.0)):
        for camera in table.index:
            other = working.copy()
            other[camera] = not other[camera]
            for name, shapes, weights in (("people", homes, people), ("key_places", places, ones)):
                now = seen_weight(views, shapes, weights, working)
                then = seen_weight(views, shapes, weights, other)
                assert table.loc[camera, name] == pytest.approx(sign * (then - now), abs=1e-9)
        worth = table["people"] + PEOPLE_PER_PLACE * table["key_places"]
        assert table["worth"].to_numpy() == pytest.approx(worth.to_numpy())
        assert table["worth"].is_monotonic_decreasing


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_what_is_added_in_turn_adds_up_to_all_repaired(seed: int, cameras: int) -> None:
    rng = np.random.default_rng(seed)
    views, places, homes = scene(rng, cameras)
    working = rng.random(cameras) < 0.4
    people = rng.integers(0, 9, len(homes)).astype(np.float64)
    sees = (sightings(views, homes), people), (sightings(views, places), np.ones(len(places)))
    repairs = repair_order(*sees, ~working, working)
    active = working.copy()
    for camera in repairs.index:
        before = weight_seen(*_of(sees[0], active))
        active[camera] = True
        gained = weight_seen(*_of(sees[0], active)) - before
        assert repairs.loc[camera, "people_in_turn"] == pytest.approx(gained)
    assert (repairs["people_in_turn"] <= repairs["people"] + 1e-9).all()
    assert (repairs["key_places_in_turn"] <= repairs["key_places"] + 1e-9).all()


def _of(sees: tuple[csr_array[Any], Any], active: Any) -> tuple[csr_array[Any], Any, Any]:
    return sees[0], active, sees[1]


def test_a_camera_that_sees_what_a_working_one_sees_adds_nothing() -> None:
    views = areas(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10))
    home = areas(shapely.box(2, 2, 4, 4))
    sees = sightings(views, home), np.array([7.0])
    none = csr_array((2, 0)), np.empty(0)
    off_line = np.array([False, True])
    assert repair_order(sees, none, off_line, ~off_line)["people"].tolist() == [0.0]
    assert dearest(sees, none, ~off_line)["people"].tolist() == [7.0]
    both = np.array([True, True])
    assert dearest(sees, none, both)["people"].tolist() == [0.0, 0.0]


def test_a_key_place_outweighs_people_as_told() -> None:
    people = csr_array(np.array([[1.0], [0.0]])), np.array([60.0])
    places = csr_array(np.array([[0.0], [1.0]])), np.array([1.0])
    off_line = np.array([True, True])
    ranked = repair_order(people, places, off_line, ~off_line)
    assert ranked.index.tolist() == [1, 0]
    cheap = repair_order(people, places, off_line, ~off_line, people_per_place=50.0)
    assert cheap.index.tolist() == [0, 1]


def test_equals_keep_the_order_of_the_ledger() -> None:
    people = csr_array(np.ones((4, 1))), np.array([3.0])
    none = csr_array((4, 0)), np.empty(0)
    off_line = np.ones(4, dtype=bool)
    ranked = repair_order(people, none, off_line, ~off_line)
    assert ranked.index.tolist() == [0, 1, 2, 3]
    assert ranked["people_in_turn"].tolist() == [3.0, 0.0, 0.0, 0.0]


def test_without_cameras_off_line_nothing_is_to_be_mended() -> None:
    none = csr_array((2, 0)), np.empty(0)
    working = np.ones(2, dtype=bool)
    assert repair_order(none, none, ~working, working).empty
    nobody = csr_array((0, 3)), np.ones(3)
    assert dearest(nobody, nobody, np.empty(0, dtype=bool)).empty


def test_sightings_are_those_of_the_figures() -> None:
    rng = np.random.default_rng(3)
    views, places, homes = scene(rng, 20)
    for shapes in (places, homes):
        seen = np.asarray(sightings(views, shapes).sum(axis=0)).ravel() > 0
        assert seen.tolist() == is_seen(shapes, views).tolist()


def test_sightings_refuse_degrees() -> None:
    degrees = GeoSeries([shapely.box(108, 33, 109, 34)], crs=4490)
    with pytest.raises(CoverageRefused):
        sightings(degrees, degrees)


# ------------------------------------------------------------------ shared views


def test_shares_and_pairs_worked_out_by_hand() -> None:
    views = areas(
        shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(8, 0, 9, 10),
        shapely.box(100, 0, 110, 10), shapely.Polygon(),
    )  # fmt: skip
    views.index = pd.Index(["a", "b", "c", "d", "e"])
    shares, pairs = shared_views(views)
    assert shares.to_dict() == pytest.approx({"a": 0.5, "b": 0.5, "c": 1.0, "d": 0.0, "e": 0.0})
    assert pairs["one"].tolist() == ["a", "a", "b"]
    assert pairs["other"].tolist() == ["b", "c", "c"]
    assert pairs["area_m2"].tolist() == pytest.approx([50.0, 10.0, 10.0])


def test_views_that_touch_share_nothing() -> None:
    shares, pairs = shared_views(areas(shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)))
    assert shares.tolist() == [0.0, 0.0]
    assert pairs.empty


def test_a_view_in_the_hole_of_another_shares_nothing() -> None:
    ring = shapely.box(0, 0, 9, 9) - shapely.box(3, 3, 6, 6)
    shares, _ = shared_views(areas(ring, shapely.box(4, 4, 5, 5)))
    assert shares.tolist() == [0.0, 0.0]


def test_no_views_share_nothing() -> None:
    shares, pairs = shared_views(areas())
    assert (len(shares), len(pairs)) == (0, 0)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_what_is_not_shared_is_the_ground_seen_just_once(seed: int, cameras: int) -> None:
    views, _, _ = scene(np.random.default_rng(seed), cameras)
    views = GeoSeries(views[~views.is_empty])
    shares, pairs = shared_views(views)
    alone_m2 = float((views.area * (1.0 - shares)).sum())
    exact = k_coverage(views).set_index("k")["area_m2"]
    assert alone_m2 == pytest.approx(float(exact.get(1, 0.0)), abs=1e-3)
    assert (pairs["area_m2"] > 0).all()
    times = exact.index.to_numpy()
    twice = float((times * (times - 1) / 2 * exact.to_numpy()).sum())
    assert pairs["area_m2"].sum() <= twice + 1e-3
    assert pairs["area_m2"].sum() >= twice - 1.0 * cameras * cameras
