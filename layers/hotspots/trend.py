"""Trends: whether a series rises or falls, and how the hotspots of a map come and go."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from grid_boundaries.errors import Refused
from layers.hotspots.chance import (
    Chance,
    chance_by_base,
    chance_of_placement,
    lower_tails_by_base,
    usable_base,
    whole_counts,
)
from layers.hotspots.fdr import benjamini_hochberg, discoveries
from layers.hotspots.neighbourhood import Neighbourhoods, neighbourhoods

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

LONGEST_EXACT = 10
"""Series up to this length without ties get the exact p."""

PAIRS_AT_ONCE = 4_000_000
"""Slopes held in memory at a time."""


def mann_kendall(series: ArrayLike) -> pd.DataFrame:
    """Return the Mann-Kendall test for a rise or fall in each series, and its Sen slope.

    Mann (1945), Kendall (1975), Sen (1968). p is two-sided: exact for series of up to 10 steps
    without ties, else from the normal with the variance corrected for ties and S moved one
    towards zero (continuity).

    Parameters
    ----------
    series
        Shape (n, t), t at least 2, steps of equal length in order, finite.

    Returns
    -------
    DataFrame
        Row i for series i: ``s`` (later-higher less later-lower pairs), ``variance`` of S under
        no trend, ``z``, ``p``, ``slope`` (median change per step). A level series has z 0, p 1.

    Raises
    ------
    Refused
        ``series-shape`` for another shape or under two steps, ``series-value`` for NaN or
        infinite values.
    """
    values = _readable(series)
    trend = _trend(values)
    trend["slope"] = _slopes(values)
    return trend


def emerging(
    counts: ArrayLike,
    neighbours: sparse.csr_array[Any, tuple[int, int]],
    *,
    window: int = 1,
    alpha: float = 0.05,
    base: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return how each cell's neighbourhood became, stayed or stopped being hot or cold.

    At every step Gi* is tested exactly on both sides within that step, each side held at the
    false discovery rate `alpha` over the cells; Mann-Kendall then looks at the z of the steps.
    Categories after Esri's Emerging Hot Spot Analysis, each with " hot" or " cold":

    - ``new``: the last step and none before;
    - ``consecutive``: the last steps in a row and none before, under 90 % of all;
    - ``intensifying``, ``persistent``, ``diminishing``: the last and at least 90 % of steps, z
      moving away from zero, neither, or towards it;
    - ``oscillating``: the last and some others, and the opposite before;
    - ``sporadic``: the last and some others, never the opposite;
    - ``historical``: at least 90 % but not the last; any other cell is ``none``.

    Parameters
    ----------
    counts
        Whole incidents per cell and step, shape (n, t), t at least 2.
    neighbours
        As for `layers.hotspots.gi_star.gi_star`.
    window
        Steps added up for each test: the step and the ``window - 1`` before it.
    alpha
        False discovery rate at each step and level of the trend test.
    base
        What incidents are compared with at every step, as for `gi_star`; None compares places
        as if all were alike.

    Returns
    -------
    DataFrame
        ``category``, ``hot_steps``, ``cold_steps``, ``steps`` (t - window + 1); of the last step
        ``observed``, ``expected``, ``z``, and ``p`` and ``p_adjusted`` of the category's side
        (of the hot one without); ``trend_z`` and ``trend_p``.

    Raises
    ------
    Refused
        ``series-shape``, ``counts-not-whole``, ``window-steps`` unless at least two windows fit;
        as `gi_star` for the base.
    """
    table = _windowed(counts, window)
    around = neighbourhoods(neighbours, len(table))
    weights = None if base is None else usable_base(base, len(table))
    z, hot, cold = _tests_by_step(table, around, weights, alpha)
    trend = _trend(z)
    rising = np.where(trend["p"] <= alpha, np.sign(trend["s"]), 0.0)
    category = np.where(
        hot[:, -1] | (_mostly(hot) & ~cold[:, -1]),
        _categories(hot, cold, rising, " hot"),
        _categories(cold, hot, -rising, " cold"),
    )
    last, low = _both_sides(np.ascontiguousarray(table[:, -1]), around, weights)
    is_cold = np.char.endswith(category, " cold")
    both = [(last.p, low), (benjamini_hochberg(last.p), benjamini_hochberg(low))]
    p, p_adjusted = (np.where(is_cold, below, above) for above, below in both)
    return pd.DataFrame(
        {
            "category": category,
            "hot_steps": hot.sum(axis=1),
            "cold_steps": cold.sum(axis=1),
            "steps": z.shape[1],
            "observed": last.observed,
            "expected": last.expected,
            "z": z[:, -1],
            "p": p,
            "p_adjusted": p_adjusted,
            "trend_z": trend["z"],
            "trend_p": trend["p"],
        }
    )


def _readable(series: ArrayLike) -> Floats:
    """Read series of one length, finite, at least two steps."""
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise Refused(
            "series-shape",
            "序列应为每行一个单元、至少两个时段的表",
            "series must be a table with one row per cell and at least two steps",
            shape=list(values.shape),
        )
    fine = np.isfinite(values).all(axis=1)
    if not fine.all():
        raise Refused(
            "series-value",
            f"第 {int(np.argmin(fine))} 行序列有缺失值；请先补齐",
            f"series {int(np.argmin(fine))} has missing values; fill them in first",
            row=int(np.argmin(fine)),
        )
    return values


def _trend(values: Floats) -> pd.DataFrame:
    """Return s, variance, z and p of each row."""
    steps = values.shape[1]
    s = np.zeros(len(values), dtype=np.int64)
    for lag in range(1, steps):
        later, earlier = values[:, lag:], values[:, :-lag]
        s += np.count_nonzero(later > earlier, axis=1) - np.count_nonzero(later < earlier, axis=1)
    ties = _tie_sums(values)
    variance = (steps * (steps - 1) * (2 * steps + 5) - ties) / 18.0
    spread = np.sqrt(np.where(variance > 0.0, variance, 1.0))
    z = (s - np.sign(s)) / spread
    p = special.erfc(np.abs(z) / np.sqrt(2.0))
    if steps <= LONGEST_EXACT:
        p = np.where(ties == 0, _exact_p(steps)[np.abs(s)], p)
    return pd.DataFrame({"s": s, "variance": variance, "z": z, "p": p})


def _tie_sums(values: Floats) -> Whole:
    """Return the sum of m (m - 1) (2 m + 5) over the runs of m equal values of each row."""
    ordered = np.sort(values, axis=1)
    sums = np.zeros(len(values), dtype=np.int64)
    run = np.ones(len(values), dtype=np.int64)
    for step in range(1, values.shape[1]):
        same = ordered[:, step] == ordered[:, step - 1]
        # a run growing from m to m + 1 adds (m + 1) m (2 m + 7) - m (m - 1) (2 m + 5)
        sums += np.where(same, 6 * run * (run + 2), 0)
        run = np.where(same, run + 1, 1)
    return sums


def _exact_p(steps: int) -> Floats:
    """Return P(|S| >= s) over all orders of `steps` different values, for s from 0 up.

    The number of orders with a given count of inversions is the coefficient of
    (1)(1 + x)(1 + x + x²)… (Kendall 1975); S = pairs - 2 x inversions.
    """
    orders = np.ones(1)
    for size in range(2, steps + 1):
        orders = np.convolve(orders, np.ones(size))
    pairs = orders.size - 1
    s = np.abs(pairs - 2 * np.arange(pairs + 1))
    at = np.bincount(s, weights=orders)
    return np.asarray(np.cumsum(at[::-1])[::-1] / orders.sum(), dtype=np.float64)


def _slopes(values: Floats) -> Floats:
    """Return the median change per step over all pairs of steps of each row."""
    first, second = np.triu_indices(values.shape[1], k=1)
    gaps = (second - first).astype(np.float64)
    rows = max(PAIRS_AT_ONCE // gaps.size, 1)
    starts = [*range(0, len(values), rows), len(values)]
    parts = [
        np.median((values[a:b, second] - values[a:b, first]) / gaps, axis=1)
        for a, b in pairwise(starts)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _windowed(counts: ArrayLike, window: int) -> Whole:
    """Read whole counts and add up each run of `window` steps, shape (n, t - window + 1)."""
    table = _readable(counts)
    if not 1 <= window < table.shape[1]:
        raise Refused(
            "window-steps",
            f"时间窗应为 1 至 {table.shape[1] - 1} 个时段",
            f"the window must be 1 to {table.shape[1] - 1} steps",
            window=window,
        )
    whole = whole_counts(table.ravel()).reshape(table.shape)
    run = np.concatenate([np.zeros((len(whole), 1), np.int64), np.cumsum(whole, axis=1)], axis=1)
    return np.asarray(run[:, window:] - run[:, :-window], dtype=np.int64)


def _tests_by_step(
    counts: Whole, around: Neighbourhoods, base: Floats | None, alpha: float
) -> tuple[Floats, Flags, Flags]:
    """Return z, hot and cold, each of the shape of `counts`."""
    z = np.zeros(counts.shape)
    hot, cold = np.zeros(counts.shape, np.bool_), np.zeros(counts.shape, np.bool_)
    # each step is a map of its own with its own multiset of counts
    for step in range(counts.shape[1]):
        high, low_p = _both_sides(np.ascontiguousarray(counts[:, step]), around, base)
        z[:, step] = high.z
        hot[:, step] = discoveries(high.p, level=alpha)
        cold[:, step] = discoveries(low_p, level=alpha)
    return z, hot, cold


def _both_sides(here: Whole, around: Neighbourhoods, base: Floats | None) -> tuple[Chance, Floats]:
    """Return the chance of as many in each neighbourhood, and p of as few."""
    if base is not None:
        compared = np.where(base > 0.0, here, 0)
        return chance_by_base(compared, around, base), lower_tails_by_base(compared, around, base)
    # few incidents are many of what is lacking to the fullest cell
    return chance_of_placement(here, around), chance_of_placement(here.max() - here, around).p


def _categories(those: Flags, opposite: Flags, away: Floats, suffix: str) -> NDArray[np.str_]:
    """Return the category of each row for one side; `away` is the trend away from zero."""
    last, steps = those[:, -1], those.shape[1]
    number = those.sum(axis=1)
    final_run = np.where(those.all(axis=1), steps, np.argmin(those[:, ::-1], axis=1))
    mostly = _mostly(those)
    rules = {
        "new": last & (number == 1),
        "consecutive": last & (number == final_run) & ~mostly,
        "intensifying": last & mostly & (away > 0),
        "diminishing": last & mostly & (away < 0),
        "persistent": last & mostly,
        "oscillating": last & opposite.any(axis=1),
        "sporadic": last,
        "historical": mostly,
    }
    names = [name + suffix for name in rules]
    return np.select(list(rules.values()), names, default="none")


def _mostly(those: Flags) -> Flags:
    """Say which rows are set in nearly all steps; in whole numbers, 9 of 10 steps are enough."""
    return np.asarray(10 * those.sum(axis=1) >= 9 * those.shape[1], dtype=np.bool_)
