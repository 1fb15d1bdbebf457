"""Speed of the hotspot methods on large maps, with what else there is measured beside them.

Peers that are not among the locked libraries are measured where installed, else "left out".
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

import numpy as np
from esda.getisord import G_Local
from libpysal.weights import WSP
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree
from scipy.stats import gaussian_kde, kendalltau
from sklearn.cluster import DBSCAN
from sklearn.neighbors import KernelDensity

from bench._own_memory import hamlets, st_dbscan_mb
from bench.calibration import square_of_hexes
from layers.hotspots.clusters import dbscan, st_dbscan
from layers.hotspots.density import kde
from layers.hotspots.gi_star import gi_star
from layers.hotspots.near_repeat import knox_table
from layers.hotspots.scan import scan
from layers.hotspots.trend import emerging, mann_kendall

Figures = dict[str, float | str]

LEFT_OUT = "left out: not installed"


def figures() -> Figures:
    """Return CPU seconds and the ratios to peers as one flat dict."""
    return {
        **speed(),
        **trend_speed(),
        **knox_speed(),
        **cluster_speed(),
        **kde_speed(),
        **fresh_speed(),
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


def trend_speed(cells: int = 20_000, weeks: int = 104) -> Figures:
    """CPU seconds of the categories and of Mann-Kendall over `weeks` of about `cells` hexes."""
    neighbours = square_of_hexes(cells)
    counts = np.random.default_rng(104).poisson(1.0, (neighbours.shape[0], weeks))
    return {
        "emerging_cpu_s": _cpu_s(lambda: emerging(counts, neighbours), repeats=2),
        "mann_kendall_with_slopes_cpu_s": _cpu_s(lambda: mann_kendall(counts), repeats=1),
        "scipy_kendalltau_scaled_up_cpu_s": _cpu_s(lambda: _kendalltau(counts[:200]), repeats=1)
        * (len(counts) / 200),
        "pymannkendall_scaled_up_cpu_s": _peer_cpu_s(
            "pymannkendall",
            lambda peer: [peer.original_test(one) for one in counts[:200]],
            times=len(counts) / 200,
        ),
    }


def knox_speed(events: int = 100_000) -> Figures:
    """CPU seconds of a Knox table of a year over 60 km x 60 km with 999 repeats."""
    rng = np.random.default_rng(999)
    xy_m, days = rng.uniform(0.0, 60_000.0, (events, 2)), rng.integers(0, 365, events)
    edges: dict[str, Any] = {"distances_m": [0, 100, 200, 400], "days_edges": [0, 7, 14]}
    knox_table(xy_m[:100], days[:100], **edges, repeats=1, seed=0)  # compiles the loop
    task = partial(knox_table, xy_m, days, **edges, repeats=999, seed=0)
    some = _cpu_s(lambda: _knox_in_numpy(xy_m, days, repeats=20), repeats=1)
    few_m, when = xy_m[: events // 10] / 10**0.5, days[: events // 10]
    one_cell = partial(knox_table, few_m, when, [0, 400], [0, 14], repeats=99, seed=0)
    return {
        "knox_999_repeats_cpu_s": _cpu_s(task, repeats=1),
        "numpy_knox_999_repeats_scaled_up_cpu_s": some * 999 / 20,
        "knox_10k_one_band_99_repeats_cpu_s": _cpu_s(one_cell),
        "pointpats_knox_10k_one_band_99_repeats_cpu_s": _peer_cpu_s(
            "pointpats.spacetime",
            lambda peer: peer.Knox(few_m, when[:, None], 400.0, 14.0, permutations=99),
        ),
    }


def cluster_speed(points: int = 1_000_000) -> Figures:
    """CPU seconds of DBSCAN and ST-DBSCAN, half of the points in 2,000 hamlets, half anywhere."""
    xy_m, days = hamlets(points)
    st_dbscan(xy_m[:100], days[:100], 50.0, 7.0, 10)  # compiles the loops
    return {
        "dbscan_million_cpu_s": _cpu_s(lambda: dbscan(xy_m, 50.0, 10), repeats=2),
        "st_dbscan_million_cpu_s": _cpu_s(lambda: st_dbscan(xy_m, days, 50.0, 7.0, 10), repeats=2),
        "st_dbscan_million_process_mb": _in_a_fresh_process(st_dbscan_mb, points),
        "st_dbscan_peer": "left out: none with an index is kept",
        **_beside_sklearn(xy_m[:: points // 100_000]),
    }


def kde_speed(points: int = 1_000_000) -> Figures:
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
        "scipy_gaussian_kde_10k_points_64x64_cpu_s": _cpu_s(
            lambda: gaussian_kde(few.T, 500.0 / few.std())(_middles(60_000.0, 64).T), repeats=1
        ),
    }


def fresh_speed() -> Figures:
    """CPU seconds that the first run of each method takes over a later one, code from the cache."""
    over: Figures = _in_a_fresh_process(_first_over_later_s)
    return over


def _first_over_later_s() -> Figures:
    """Run each method twice on a small map, and all together as one analysis."""
    rng = np.random.default_rng(3)
    xy_m, days = rng.uniform(1_000.0, 9_000.0, (2_000, 2)), rng.integers(0, 90, 2_000)
    neighbours = square_of_hexes(400)
    counts = rng.poisson(1.0, (neighbours.shape[0], 12))
    box_m = (0.0, 0.0, 10_000.0, 10_000.0)
    people, places = rng.uniform(50, 90, len(counts)), rng.uniform(0, 9_000, (len(counts), 2))
    tasks: dict[str, Callable[[], object]] = {
        "gi_star": lambda: gi_star(counts[:, 0], neighbours),
        "emerging": lambda: emerging(counts, neighbours),
        "scan": lambda: scan(counts, people, places, model="poisson", repeats=99, seed=1),
        "knox": lambda: knox_table(xy_m, days, [0, 200], [0, 7], repeats=9, seed=0),
        "kde": lambda: kde(xy_m, bounds=box_m, shape=(64, 64), bandwidth_m=400.0),
        "st_dbscan": lambda: st_dbscan(xy_m, days, 200.0, 7.0, 5),
    }
    over = {}
    for name, task in tasks.items():
        first = _cpu_s(task, repeats=1)
        over[f"fresh_{name}_over_warm_cpu_s"] = first - _cpu_s(task, repeats=2)
    return {**over, "fresh_all_over_warm_cpu_s": sum(over.values())}


def _in_a_fresh_process(task: Callable[..., Any], *given: object) -> Any:
    """Return what a task gives in a process of its own, with nothing loaded before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return fresh.submit(task, *given).result()


def _peer_cpu_s(name: str, run: Callable[[Any], object], *, times: float = 1.0) -> float | str:
    """CPU seconds of a peer, so many times; words where it is not installed."""
    if find_spec(name.partition(".")[0]) is None:
        return LEFT_OUT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = importlib.import_module(name)
        return _cpu_s(lambda: run(peer), repeats=1) * times


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
    return (
        KernelDensity(bandwidth=500.0, rtol=1e-3).fit(xy_m).score_samples(_middles(side_m, cells))
    )


def _middles(side_m: float, cells: int) -> NDArray[np.float64]:
    """Middles of a square's cells."""
    middles = (np.arange(cells) + 0.5) * side_m / cells
    return np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)


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
