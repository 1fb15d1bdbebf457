"""Clusters: equal to scikit-learn and brute force, whatever the order of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.clusters import dbscan, st_dbscan


def near_table(
    xy_m: NDArray[Any], days: NDArray[Any], eps_m: float, eps_days: float
) -> NDArray[np.bool_]:
    """Who is near whom, by going through all pairs."""
    step = xy_m[:, None] - xy_m[None]
    close = (step**2).sum(axis=2) <= eps_m**2
    return np.asarray(close & (np.abs(days[:, None] - days[None]) <= eps_days), dtype=np.bool_)


def assert_is_the_clustering(
    labels: NDArray[np.int64], near: NDArray[np.bool_], at_least: int
) -> None:
    """Cores cluster as the connected parts of the full table; others go with a near core."""
    core = near.sum(axis=1) >= at_least
    _, part = sparse.csgraph.connected_components(near[np.ix_(core, core)])
    pairs = set(zip(part.tolist(), labels[core].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert -1 not in labels[core]
    for point in np.flatnonzero(~core):
        around = set(labels[core & near[point]].tolist())
        assert labels[point] in (around or {-1})


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    points=st.integers(1, 150),
    at_least=st.integers(1, 8),
    lattice=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_clusters_in_space_are_those_of_brute_force(
    points: int, at_least: int, lattice: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # on a lattice many pairs are at exactly the distance and many at one place
    places: list[NDArray[Any]] = [
        rng.uniform(499_950, 500_050, (points, 2)),
        rng.integers(0, 12, (points, 2)) * 10.0,
    ]
    xy_m = places[lattice]
    near = near_table(xy_m, np.zeros(points), 10.0, 0.0)
    assert_is_the_clustering(dbscan(xy_m, 10.0, at_least), near, at_least)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    points=st.integers(1, 150),
    at_least=st.integers(1, 6),
    eps_days=st.sampled_from([0.0, 1.0, 3.0, 2.5, 100.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_clusters_in_space_and_time_are_those_of_brute_force(
    points: int, at_least: int, eps_days: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    xy_m, days = rng.integers(0, 9, (points, 2)) * 10.0, rng.integers(0, 12, points)
    near = near_table(xy_m, days, 20.0, eps_days)
    assert_is_the_clustering(st_dbscan(xy_m, days, 20.0, eps_days, at_least), near, at_least)


def test_the_order_of_the_rows_changes_no_label() -> None:
    rng = np.random.default_rng(1)
    xy_m, days = rng.integers(0, 40, (400, 2)) * 5.0, rng.integers(0, 30, 400)
    in_space, in_time = dbscan(xy_m, 9.0, 4), st_dbscan(xy_m, days, 25.0, 4.0, 4)
    assert len(set(in_space.tolist())) > 10
    assert len(set(in_time.tolist())) > 2
    for _ in range(100):
        order = rng.permutation(400)
        np.testing.assert_array_equal(dbscan(xy_m[order], 9.0, 4), in_space[order])
        again = st_dbscan(xy_m[order], days[order], 25.0, 4.0, 4)
        np.testing.assert_array_equal(again, in_time[order])


@pytest.mark.parametrize(("between_m", "cluster"), [(9.4, 0), (9.6, 1)])
def test_a_point_near_the_cores_of_two_clusters_joins_the_nearer(
    between_m: float, cluster: int
) -> None:
    # only the points at 0 and 19 are dense, each with three behind and the one between
    xs = [-9.0] * 3 + [0.0, 19.0] + [28.0] * 3 + [between_m]
    labels = dbscan(np.column_stack([xs, np.zeros(9)]), 10.0, 5)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [cluster]


def test_clusters_are_numbered_from_south_to_north_and_in_time_from_the_earliest() -> None:
    xy_m = [[0, 500], [1, 500], [0, 0], [1, 0]]
    assert dbscan(xy_m, 5.0, 2).tolist() == [1, 1, 0, 0]
    assert st_dbscan([[0, 0]] * 4, [90, 91, 3, 3], 5.0, 7.0, 2).tolist() == [1, 1, 0, 0]


def test_one_place_far_apart_in_time_is_two_clusters() -> None:
    days = [1, 2, 3, 60, 61, 62]
    assert st_dbscan([[7, 7]] * 6, days, 50.0, 5.0, 3).tolist() == [0, 0, 0, 1, 1, 1]
    assert dbscan([[7, 7]] * 6, 50.0, 3).tolist() == [0] * 6


def test_points_exactly_at_the_distance_and_the_days_are_near() -> None:
    assert st_dbscan([[0, 0], [3, 4]], [0, 7], 5.0, 7.0, 2).tolist() == [0, 0]
    assert st_dbscan([[0, 0], [3, 4]], [0, 8], 5.0, 7.0, 2).tolist() == [-1, -1]
    assert dbscan([[0.0, 0.0], [3.0, 4.0]], 4.999, 2).tolist() == [-1, -1]


def test_clusters_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(8)
    towns = rng.uniform(0, 9_000, (12, 2))
    xy_m = towns[rng.integers(0, 12, 1500)] + rng.normal(0, 60, (1500, 2))
    xy_m = np.concatenate([xy_m, rng.uniform(0, 9_000, (500, 2))])
    oracle = DBSCAN(eps=40.0, min_samples=8).fit(xy_m)
    core = oracle.core_sample_indices_
    labels = dbscan(xy_m, 40.0, 8)
    assert len(core) > 500
    assert adjusted_rand_score(oracle.labels_[core], labels[core]) == 1.0
    np.testing.assert_array_equal(labels == -1, oracle.labels_ == -1)


def test_one_point_alone_and_no_point_at_all() -> None:
    assert dbscan([[1, 1]], 5.0, 1).tolist() == [0]
    assert dbscan([[1, 1]], 5.0, 2).tolist() == [-1]
    assert dbscan(np.empty((0, 2)), 5.0, 2).tolist() == []


@pytest.mark.parametrize(
    ("eps_m", "eps_days", "at_least"),
    [(0.0, 1.0, 2), (-1.0, 1.0, 2), (np.nan, 1.0, 2), (np.inf, 1.0, 2), (1.0, -1.0, 2), (1, 1, 0)],
)
def test_settings_that_describe_no_density_are_refused(
    eps_m: float, eps_days: float, at_least: int
) -> None:
    with pytest.raises(Refused) as refusal:
        st_dbscan([[0, 0]], [0], eps_m, eps_days, at_least)
    assert refusal.value.code == "cluster-settings"


def test_points_without_a_coordinate_or_day_are_refused() -> None:
    with pytest.raises(Refused) as refusal:
        dbscan([[0.0, 0.0], [np.nan, 1.0]], 1.0, 1)
    assert refusal.value.where == {"row": 1}
    for days in ([1], [1, np.nan]):
        with pytest.raises(Refused):
            st_dbscan([[0, 0], [1, 1]], days, 1.0, 1.0, 1)


def test_a_coordinate_of_another_world_is_refused_in_words() -> None:
    with pytest.raises(TooLarge):
        dbscan([[0.0, 0.0], [1e12, 1e12]], 1.0, 2)
