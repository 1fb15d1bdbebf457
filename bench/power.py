"""How often a planted cluster is found: by the scan, and by the best one told its size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from layers.hotspots.scan import scan

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

GRIDS, PLANTED, INCIDENTS, LEVEL = 700, 5, 5_000, 0.05

RISKS = (2.0, 2.5, 3.0)
"""Relative risks of the planted clusters."""


@dataclass(frozen=True)
class Power:
    """How a planted cluster is found.

    Parameters
    ----------
    risk
        Relative risk that was planted.
    found
        Share of data sets whose most likely cluster has p <= 0.05.
    sensitivity, precision
        Mean share of the planted grids in that cluster, and of its grids that were planted.
    """

    risk: float
    found: float
    sensitivity: float
    precision: float


def figures() -> dict[str, float]:
    """Return power, sensitivity and precision at relative risk 2, and the power of a known size."""
    seen = power(2.0, 200)
    return {
        "scan_power": seen.found,
        "scan_sensitivity": seen.sensitivity,
        "scan_precision": seen.precision,
        "known_size_power": known_size(2.0, 200),
    }


def power(risk: float, data_sets: int, *, repeats: int = 999, seed: int = 9) -> Power:
    """Return how often and how well a cluster of one relative risk in 5 of 700 grids is found.

    5,000 incidents; about 1,000 residents a grid.
    """
    rng = np.random.default_rng(seed)
    found, met, right = [], [], []
    for number in range(data_sets):
        xy, people = rng.uniform(0.0, 26_000.0, (GRIDS, 2)), rng.gamma(20.0, 50.0, GRIDS)
        planted = np.argsort(np.hypot(*(xy - xy[rng.integers(GRIDS)]).T))[:PLANTED]
        cases = _planted(rng, people, planted, risk)
        top = scan(cases, people, xy, model="poisson", repeats=repeats, seed=number)[0]
        both = np.intersect1d(top.members, planted).size
        found.append(top.p <= LEVEL)
        met.append(both / planted.size)
        right.append(both / len(top.members))
    return Power(risk, float(np.mean(found)), float(np.mean(met)), float(np.mean(right)))


def known_size(risk: float, data_sets: int, *, repeats: int = 399, seed: int = 9) -> float:
    """Return the power of a scan that looks at the five nearest grids round each, nothing else.

    What no scan over all places and sizes can be expected to exceed: it has every circle of the
    planted size and none of those that chance would make use of. The same data as `power`.
    """
    rng = np.random.default_rng(seed)
    found: list[bool] = []
    for _ in range(data_sets):
        xy, people = rng.uniform(0.0, 26_000.0, (GRIDS, 2)), rng.gamma(20.0, 50.0, GRIDS)
        nearest = np.asarray(KDTree(xy).query(xy, PLANTED)[1])
        cases = _planted(rng, people, nearest[rng.integers(GRIDS)], risk)
        share = people / people.sum()
        expected = INCIDENTS * share[nearest].sum(axis=1)
        chance = np.random.default_rng(len(found)).multinomial(INCIDENTS, share, size=repeats)
        reached = [_highest(one[nearest].sum(axis=1), expected) for one in chance]
        highest = _highest(cases[nearest].sum(axis=1), expected)
        as_high = int(np.count_nonzero(np.array(reached) >= highest))
        found.append(1 + as_high <= LEVEL * (repeats + 1))
    return float(np.mean(found))


def _planted(rng: np.random.Generator, people: Floats, planted: Whole, risk: float) -> Whole:
    """Deal the incidents to the residents, those planted being hit so many times as often."""
    weights = people.copy()
    weights[planted] *= risk
    return rng.multinomial(INCIDENTS, weights / weights.sum())


def _highest(seen: Whole, expected: Floats) -> float:
    """Return the highest Poisson logarithm of windows with more than expected."""
    rest = INCIDENTS - seen
    value = seen * np.log(np.maximum(seen, 1) / expected)
    value += rest * np.log(rest / (INCIDENTS - expected))
    return float(np.where(seen > expected, value, 0.0).max())
