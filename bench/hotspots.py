"""Speed of the hotspot methods on large maps, with what else there is measured beside them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from esda.getisord import G_Local
from libpysal.weights import WSP
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree
from scipy.stats import kendalltau
from sklearn.cluster import DBSCAN
from sklearn.neighbors import KernelDensity

from bench.calibration import square_of_hexes
from layers.hotspots.clusters import dbscan, st_dbscan
from layers.hotspots.density import kde
from layers.hotspots.gi_star import gi_star
from layers.hotspots.near_repeat import knox_table
from layers.hotspots.trend import emerging, mann_kendall


def figures() -> dict[str, float]:
    """Return CPU seconds and the ratios to peers as one flat dict."""
    return {
        **speed(),
        **trend_speed(),
        **knox_speed(),
        **cluster_speed(),
        **kde_speed(),
    }


def speed(cells: int = 20_000) -> dict[str, float]:
    """CPU seconds of Gi* with adjusted p on about `cells` hexes, and of esda's 999 permutations."""
    neighbours = square_of_hexes(cells)
    rng = np.random.default_rng(20_000)
    counts = rng.poisson(1.0, neighbours.shape[0])
    residents = rng.gamma(1.0, 60.0, counts.size)
    ours = _cpu_s(lambda: gi_star(counts, neighbours))
    small = square_of_hexes(100)
    _esda(counts[: small.shape[0]], small)()  # compiles esda's loops
    peer = _cpu_s(_esda(counts, neighbours), repeats=1)
    return {
        "gi_star_hexes": float(counts.size),
        "gi_star_cpu_s": ours,
        "gi_star_by_base_cpu_s": _cpu_s(lambda: gi_star(counts, neighbours, base=residents)),
        "esda_999_permutations_cpu_s": peer,
        "esda_to_gi_star_ratio": peer / ours,
    }


def trend_speed(cells: int = 20_000, weeks: int = 104) -> dict[str, float]:
    """CPU seconds of the categories and of Mann-Kendall over `weeks` of about `cells` hexes."""
    neighbours = square_of_hexes(cells)
    counts = np.random.default_rng(104).poisson(1.0, (neighbours.shape[0], weeks))
    return {
        "emerging_cpu_s": _cpu_s(lambda: emerging(counts, neighbours), repeats=2),
        "mann_kendall_with_slopes_cpu_s": _cpu_s(lambda: mann_kendall(counts), repeats=1),
        "scipy_kendalltau_scaled_up_cpu_s": _cpu_s(lambda: _kendalltau(counts[:200]), repeats=1)
        * (len(counts) / 200),
    }


def knox_speed(events: int = 100_000) -> dict[str, float]:
    """CPU seconds of a Knox table of a year over 60 km x 60 km with 999 repeats."""
    rng = np.random.default_rng(999)
    xy_m, days = rng.uniform(0.0, 60_000.0, (events, 2)), rng.integers(0, 365, events)
    edges: dict[str, Any] = {"distances_m": [0, 100, 200, 400], "days_edges": [0, 7, 14]}
    knox_table(xy_m[:100], days[:100], **edges, repeats=1, seed=0)  # compiles the loop
    task = partial(knox_table, xy_m, days, **edges, repeats=999, seed=0)
    some = _cpu_s(lambda: _knox_in_numpy(xy_m, days, repeats=20), repeats=1)
    return {
        "knox_999_repeats_cpu_s": _cpu_s(task, repeats=1),
        "numpy_knox_999_repeats_scaled_up_cpu_s": some * 999 / 20,
    }


def cluster_speed(points: int = 1_000_000) -> dict[str, float]:
    """CPU seconds of DBSCAN and ST-DBSCAN, half of the points in 2,000 hamlets, half anywhere."""
    rng = np.random.default_rng(1_000)
    hamlets = rng.uniform(0.0, 60_000.0, (2_000, 2))
    gathered = hamlets[rng.integers(0, 2_000, points // 2)] + rng.normal(0, 60, (points // 2, 2))
    xy_m = np.concatenate([gathered, rng.uniform(0.0, 60_000.0, (points - points // 2, 2))])
    days = rng.integers(0, 365, points)
    st_dbscan(xy_m[:100], days[:100], 50.0, 7.0, 10)  # compiles the loops
    return {
        "dbscan_million_cpu_s": _cpu_s(lambda: dbscan(xy_m, 50.0, 10), repeats=2),
        "st_dbscan_million_cpu_s": _cpu_s(lambda: st_dbscan(xy_m, days, 50.0, 7.0, 10), repeats=2),
        **_beside_sklearn(xy_m[:: points // 100_000]),
    }


def kde_speed(points: int = 1_000_000) -> dict[str, float]:
    """CPU seconds of a 512 x 512 surface over 60 km x 60 km with a bandwidth of 500 m."""
    xy_m = np.random.default_rng(512).uniform(0.0, 60_000.0, (points, 2))
    box_m = (0.0, 0.0, 60_000.0, 60_000.0)
    task = partial(kde, xy_m, bounds=box_m, shape=(512, 512), bandwidth_m=500.0)
    few = xy_m[: points // 100]
    smaller: dict[str, Any] = {"bounds": box_m, "shape": (64, 64), "bandwidth_m": 500.0}
    peer = _cpu_s(lambda: _kde_in_sklearn(few, side_m=60_000.0, cells=64), repeats=1)
    return {
        "kde_million_cpu_s": _cpu_s(task),
        "kde_10k_points_64x64_cpu_s": _cpu_s(lambda: kde(few, **smaller)),
        "sklearn_kde_10k_points_64x64_cpu_s": peer,
    }


def _beside_sklearn(xy_m: NDArray[np.float64]) -> dict[str, float]:
    """CPU seconds of DBSCAN and of scikit-learn's on the same points."""
    peer = DBSCAN(eps=50.0, min_samples=10)
    return {
        "dbscan_100k_cpu_s": _cpu_s(lambda: dbscan(xy_m, 50.0, 10)),
        "sklearn_dbscan_100k_cpu_s": _cpu_s(lambda: peer.fit(xy_m), repeats=1),
    }


def _kendalltau(series: NDArray[np.int64]) -> list[Any]:
    """Scipy's rank correlation of each series with time."""
    return [kendalltau(np.arange(one.size), one) for one in series]


def _kde_in_sklearn(xy_m: NDArray[np.float64], *, side_m: float, cells: int) -> object:
    """A surface by scikit-learn's trees, to 0.1 %."""
    middles = (np.arange(cells) + 0.5) * side_m / cells
    places = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
    return KernelDensity(bandwidth=500.0, rtol=1e-3).fit(xy_m).score_samples(places)


def _knox_in_numpy(xy_m: NDArray[np.float64], days: NDArray[np.int64], *, repeats: int) -> object:
    """A Knox table with whole arrays: pairs from a tree, bands by binning."""
    pairs = KDTree(xy_m).query_pairs(400.0, output_type="ndarray")
    apart_m = np.hypot(*(xy_m[pairs[:, 0]] - xy_m[pairs[:, 1]]).T)
    far, rng = np.digitize(apart_m, [100, 200], right=True), np.random.default_rng(0)
    tables = []
    for _ in range(repeats):
        when = rng.permutation(days)
        long = np.digitize(np.abs(when[pairs[:, 0]] - when[pairs[:, 1]]), [7, 14], right=True)
        tables.append(np.bincount(far * 3 + long, minlength=9))
    return tables


def _esda(
    counts: NDArray[np.int64], neighbours: sparse.csr_array[Any, tuple[int, int]]
) -> Callable[[], object]:
    """A run of esda's G star with 999 permutations on one thread, its weights made before."""
    weights = WSP(neighbours + sparse.eye_array(counts.size)).to_W(silence_warnings=True)

    def run() -> object:
        # esda warns of its own choices; they are not under test
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return G_Local(counts * 1.0, weights, transform="B", star=True, n_jobs=1)

    return run


def _cpu_s(task: Callable[[], object], *, repeats: int = 5) -> float:
    """Least CPU seconds of several runs of `task`."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        taken.append(time.process_time() - start)
    return min(taken)
