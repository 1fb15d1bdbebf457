"""Speed of the scan statistic beside plain NumPy, and of its first run in a fresh process."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.hotspots.circles import circles
from layers.hotspots.scan import scan

PLACES, CASES, STEPS = 700, 20_000, 52


def figures() -> dict[str, float]:
    """Return CPU seconds of 999 replicas by kind of scan, on all cores of the machine."""
    people, xy, cases, weekly = study()
    rng = np.random.default_rng(2)
    controls = rng.multinomial(3 * CASES, people / people.sum())
    kinds: dict[str, Callable[[], Any]] = {
        "scan_space": lambda: scan(cases, people, xy, model="poisson", seed=1),
        "scan_prospective_52_weeks": lambda: scan(
            weekly, people, xy, model="poisson", prospective=True, seed=1
        ),
        "scan_permutation_prospective_52_weeks": lambda: scan(
            weekly, None, xy, model="permutation", prospective=True, seed=1
        ),
        "scan_bernoulli_space": lambda: scan(
            cases, None, xy, model="bernoulli", controls=controls, seed=1
        ),
    }
    found = {}
    for name, task in kinds.items():
        task()  # compiles the loops
        found[f"{name}_cpu_s"] = min(timed_s(task) for _ in range(3))
    some = timed_s(lambda: _maxima_in_numpy(cases, people, xy, repeats=20))
    found["numpy_scan_space_scaled_up_cpu_s"] = some * 999 / 20
    found["scan_fresh_process_over_warm_cpu_s"] = _fresh_s()
    return found


def study() -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]
]:
    """Return residents, places, cases and cases by week of 700 grids with no cluster."""
    rng = np.random.default_rng(1)
    xy, people = rng.uniform(0.0, 60_000.0, (PLACES, 2)), rng.gamma(2.0, 500.0, PLACES)
    chances = np.repeat(people / people.sum() / STEPS, STEPS)
    weekly = rng.multinomial(CASES, chances).reshape(PLACES, STEPS)
    return people, xy, weekly.sum(axis=1), weekly


def timed_s(task: Callable[[], object]) -> float:
    """Return the CPU seconds of one run."""
    start = time.process_time()
    task()
    return time.process_time() - start


def _maxima_in_numpy(
    cases: NDArray[np.int64], people: NDArray[np.float64], xy: NDArray[np.float64], *, repeats: int
) -> list[float]:
    """Highest logarithm of each replica with whole arrays: running sums over all circles."""
    around = circles(xy, people, largest_share=0.5)
    rng, total, share = np.random.default_rng(0), int(cases.sum()), people / people.sum()
    firsts = around.starts[:-1]
    lengths = np.diff(around.starts)

    def inside(values: NDArray[Any]) -> NDArray[np.float64]:
        running = np.cumsum(values[around.order])
        before = np.where(firsts > 0, running[firsts - 1], 0.0)
        return np.asarray(running - np.repeat(before, lengths))[around.closed]

    expected, highest = inside(share) * total, []
    for _ in range(repeats):
        seen = inside(rng.multinomial(total, share))
        more = seen > expected
        c, e = seen[more], expected[more]
        rest = np.maximum(total - c, 1e-300)
        llr = c * np.log(c / e) + rest * np.log(rest / (total - e))
        highest.append(float(llr.max(initial=0.0)))
    return highest


def _fresh_s() -> float:
    """CPU seconds that the first scan of a process takes over a later one, code from the cache."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return fresh.submit(_first_over_later_s).result()


def _first_over_later_s() -> float:
    people, xy, cases, _ = study()
    runs = [timed_s(lambda: scan(cases, people, xy, model="poisson", seed=1)) for _ in range(3)]
    return runs[0] - min(runs[1:])
