"""Near repeat: whether incidents close in space are close in time more often than chance."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from grid_boundaries.errors import Refused, TooLarge

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_PAIRS = 100_000_000
"""Pairs within the farthest distance that are still gone through."""


def knox_table(
    xy_m: ArrayLike,
    days: ArrayLike,
    distances_m: ArrayLike,
    days_edges: ArrayLike,
    *,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Return the Knox table: pairs of incidents by how far apart they are in space and in time.

    Knox (1964), Applied Statistics 13:25-29. Chance is the dates dealt anew to the places
    (`repeats` times): `expected` is exact under it, `p` is one-sided from the repeats. One seed
    gives the same table on any number of threads.

    Parameters
    ----------
    xy_m
        Places in a metric CRS, shape (n, 2), finite.
    days
        Day of each incident, shape (n,), finite.
    distances_m, days_edges
        Ascending edges, at least two each, from 0 up. Bands hold their upper edge, and the first
        also its lower: edges 0, 100, 200 make 0-100 and 101-200 as labelled in whole metres.
    repeats
        How often the dates are dealt anew; the smallest p is 1 / (repeats + 1).
    seed
        Of the dealing.

    Returns
    -------
    DataFrame
        One row per distance band and day band, days varying fastest: ``from_m``, ``to_m``,
        ``from_days``, ``to_days``, ``observed`` and ``expected`` pairs, ``ratio`` (NaN where
        none are expected), ``p``.

    Raises
    ------
    Refused
        ``knox-points``, ``knox-edges``, ``knox-repeats``; `TooLarge` past `MOST_PAIRS` pairs.
    """
    points, when = _readable(xy_m, days)
    far, long = _edges(distances_m), _edges(days_edges)
    if repeats < 1:
        raise Refused("knox-repeats", "重复次数至少为 1", "at least one repeat is needed")
    pairs, space_band = _close_pairs(points, far)
    shape = (far.size - 1, long.size - 1)
    observed = _count(when, pairs, space_band, long, *shape)
    as_many = np.zeros(shape, dtype=np.int64)
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        as_many += _count(rng.permutation(when), pairs, space_band, long, *shape) >= observed
    expected = _expected(np.bincount(space_band, minlength=shape[0]), when, long)
    return _table(far, long, observed, expected, (1 + as_many) / (repeats + 1))


def _table(far: Floats, long: Floats, observed: Whole, expected: Floats, p: Floats) -> pd.DataFrame:
    """Lay the bands out as rows."""
    times = long.size - 1
    some = expected > 0.0
    return pd.DataFrame(
        {
            "from_m": np.repeat(far[:-1], times),
            "to_m": np.repeat(far[1:], times),
            "from_days": np.tile(long[:-1], far.size - 1),
            "to_days": np.tile(long[1:], far.size - 1),
            "observed": observed.ravel(),
            "expected": expected.ravel(),
            "ratio": np.where(some, observed / np.where(some, expected, 1.0), np.nan).ravel(),
            "p": p.ravel(),
        }
    )


def _close_pairs(points: Floats, far: Floats) -> tuple[NDArray[np.int32], Whole]:
    """Return the pairs within the distance bands, shape (pairs, 2), and the band of each.

    Pairs are ordered by place in the tree, so that counting walks through memory in order.
    """
    tree = KDTree(points)
    if (int(tree.count_neighbors(tree, far[-1])) - len(points)) // 2 > MOST_PAIRS:
        raise TooLarge(
            "knox-pairs",
            "距离范围内的事件对过多；请缩小距离或时间范围",
            "too many pairs within the farthest distance; use shorter distances or fewer days",
            largest_distance_m=float(far[-1]),
        )
    pairs = tree.query_pairs(far[-1], output_type="ndarray")
    step = points[pairs[:, 0]] - points[pairs[:, 1]]
    band = _bands(np.sum(step * step, axis=1), far * far)
    kept = (band >= 0) & (band < far.size - 1)
    pairs, band = pairs[kept], band[kept]
    order = np.argsort(np.argsort(tree.indices)[pairs[:, 0]], kind="stable")
    return pairs[order].astype(np.int32), band[order]


def _bands(values: Floats, edges: Floats) -> Whole:
    """Return the band of each value; -1 under the first edge, one too many past the last."""
    band = np.searchsorted(edges, values, side="left") - 1
    return np.where(values == edges[0], 0, band)


def _count_plain(
    when: Floats,
    pairs: NDArray[np.int32],
    space_band: Whole,
    long: Floats,
    distances: int,
    times: int,
) -> Whole:
    """Count the pairs by distance band and day band."""
    table = np.zeros((distances, times), dtype=np.int64)
    for pair in range(pairs.shape[0]):
        apart = abs(when[pairs[pair, 0]] - when[pairs[pair, 1]])
        if long[0] <= apart <= long[times]:
            band = 0
            while apart > long[band + 1]:
                band += 1
            table[space_band[pair], band] += 1
    return table


_count: Callable[[Floats, NDArray[np.int32], Whole, Floats, int, int], Whole] = numba.njit(
    cache=True
)(_count_plain)


def _expected(space_pairs: Whole, when: Floats, long: Floats) -> Floats:
    """Return the mean of each band over all ways to deal the dates to the places."""
    ordered = np.sort(when)
    within = [_pairs_within(ordered, float(edge)) for edge in long[1:]]
    nearer = _pairs_within(ordered, float(np.nextafter(long[0], -1.0)))
    time_pairs = np.diff(np.array([nearer, *within]))
    every = max(when.size * (when.size - 1) / 2.0, 1.0)
    return np.asarray(np.outer(space_pairs, time_pairs) / every, dtype=np.float64)


def _pairs_within(ordered: Floats, gap_days: float) -> float:
    """Return how many pairs of ascending days lie no more than `gap_days` apart."""
    if gap_days < 0.0:
        return 0.0
    last = np.searchsorted(ordered, ordered + gap_days, side="right")
    return float(np.sum(last - np.arange(ordered.size) - 1))


def _readable(xy_m: ArrayLike, days: ArrayLike) -> tuple[Floats, Floats]:
    """Read places and days of the same incidents."""
    points = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    when = np.asarray(days, dtype=np.float64)
    if when.shape != (len(points),) or not (np.isfinite(points).all() and np.isfinite(when).all()):
        raise Refused(
            "knox-points",
            "每起事件需要一个坐标和一个日期，且不得缺失",
            "every incident needs a place and a day, none missing",
        )
    return points, when


def _edges(edges: ArrayLike) -> Floats:
    """Read the edges of bands."""
    values = np.asarray(edges, dtype=np.float64)
    fine = values.ndim == 1 and values.size >= 2 and bool(np.isfinite(values).all())
    if not (fine and values[0] >= 0.0 and bool((np.diff(values) > 0.0).all())):
        raise Refused(
            "knox-edges",
            "分段界限应从 0 起递增，至少两个",
            "edges of bands must ascend from 0 or more, at least two",
        )
    return values
