"""Speed of Gi* on a large map beside esda, and how often pure chance is called a hotspot."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from esda.getisord import G_Local
from libpysal.weights import WSP
from numpy.typing import NDArray
from scipy import sparse
from shapely.geometry import box

from layers.hotspots.cells import hex_cells, hex_neighbours
from layers.hotspots.clusters import dbscan, st_dbscan
from layers.hotspots.density import kde
from layers.hotspots.gi_star import gi_star
from layers.hotspots.near_repeat import knox_table
from layers.hotspots.trend import emerging, mann_kendall

RATES = (0.05, 0.2, 1.0, 5.0, 50.0)
"""Mean incidents a cell of the random maps."""

LEVEL = 0.05


def figures(maps: int = 400) -> dict[str, float]:
    """Return CPU seconds, the ratio to esda and the calibration table as one flat dict."""
    return {
        **speed(),
        **trend_speed(),
        **knox_speed(),
        **cluster_speed(),
        **kde_speed(),
        **calibration(maps),
    }


def speed(cells: int = 20_000) -> dict[str, float]:
    """CPU seconds of Gi* with adjusted p on about `cells` hexes, and of esda's 999 permutations."""
    neighbours = _square_of_hexes(cells)
    rng = np.random.default_rng(20_000)
    counts = rng.poisson(1.0, neighbours.shape[0])
    residents = rng.gamma(1.0, 60.0, counts.size)
    ours = _cpu_s(lambda: gi_star(counts, neighbours))
    small = _square_of_hexes(100)
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
    neighbours = _square_of_hexes(cells)
    counts = np.random.default_rng(104).poisson(1.0, (neighbours.shape[0], weeks))
    return {
        "emerging_cpu_s": _cpu_s(lambda: emerging(counts, neighbours), repeats=2),
        "mann_kendall_with_slopes_cpu_s": _cpu_s(lambda: mann_kendall(counts), repeats=1),
    }


def knox_speed(events: int = 100_000) -> dict[str, float]:
    """CPU seconds of a Knox table of a year over 60 km x 60 km with 999 repeats."""
    rng = np.random.default_rng(999)
    xy_m, days = rng.uniform(0.0, 60_000.0, (events, 2)), rng.integers(0, 365, events)
    edges: dict[str, Any] = {"distances_m": [0, 100, 200, 400], "days_edges": [0, 7, 14]}
    knox_table(xy_m[:100], days[:100], **edges, repeats=1, seed=0)  # compiles the loop
    task = partial(knox_table, xy_m, days, **edges, repeats=999, seed=0)
    return {"knox_999_repeats_cpu_s": _cpu_s(task, repeats=1)}


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
    }


def kde_speed(points: int = 1_000_000) -> dict[str, float]:
    """CPU seconds of a 512 x 512 surface over 60 km x 60 km with a bandwidth of 500 m."""
    xy_m = np.random.default_rng(512).uniform(0.0, 60_000.0, (points, 2))
    box_m = (0.0, 0.0, 60_000.0, 60_000.0)
    task = partial(kde, xy_m, bounds=box_m, shape=(512, 512), bandwidth_m=500.0)
    return {"kde_million_cpu_s": _cpu_s(task)}


def calibration(maps: int = 400, cells: int = 700, *, seed: int = 5) -> dict[str, float]:
    """Share of p <= 0.05 (mean, standard error over maps) and of maps with a discovery.

    Three kinds of random map at each rate: even chances tested without a base; incidents
    proportional to residents, who gather in towns, tested against them; and the same incidents
    tested without them, which finds the towns and not the incidents.
    """
    neighbours = _square_of_hexes(cells)
    result: dict[str, float] = {}
    for rate in RATES:
        for name, tests in _tests(neighbours, rate, maps, seed):
            small = np.array([np.mean(t["p"] <= LEVEL) for t in tests])
            found = [bool((t["p_adjusted"] <= LEVEL).any()) for t in tests]
            result[f"{name}_at_{rate}_share_small_p"] = float(small.mean())
            result[f"{name}_at_{rate}_standard_error"] = float(small.std(ddof=1) / maps**0.5)
            result[f"{name}_at_{rate}_maps_with_discovery"] = float(np.mean(found))
    return result


def _tests(
    neighbours: sparse.csr_array[Any, tuple[int, int]], rate: float, maps: int, seed: int
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the tests of many random maps of one rate, by kind of map."""
    rng = np.random.default_rng([seed, int(rate * 100)])
    cells = neighbours.shape[0]
    even = [rng.multinomial(int(rate * cells), np.full(cells, 1 / cells)) for _ in range(maps)]
    yield "even", [gi_star(counts, neighbours) for counts in even]
    residents = _towns(cells)
    peopled = [rng.multinomial(int(rate * cells), residents / residents.sum()) for _ in even]
    yield "by_residents", [gi_star(counts, neighbours, base=residents) for counts in peopled]
    yield "residents_ignored", [gi_star(counts, neighbours) for counts in peopled]


def _towns(cells: int) -> NDArray[np.float64]:
    """Residents per cell that rise and fall over some dozens of cells, as towns and valleys do."""
    place = np.arange(cells)
    side = round(cells**0.5)
    residents: NDArray[np.float64] = np.exp(
        2.0 + 1.5 * np.sin(place % side / 4.0) + 1.5 * np.sin(place // side / 4.0)
    )
    return residents


def _square_of_hexes(cells: int) -> sparse.csr_array[Any, tuple[int, int]]:
    """Neighbours of about `cells` hexes of one square metre over a square."""
    side_m = cells**0.5
    return hex_neighbours(hex_cells(box(0.0, 0.0, side_m, side_m), width_m=(4 / 3) ** 0.25))


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
