"""Near repeat: whether incidents close in space are close in time more often than chance."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.days import day_numbers

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int32]
Pairs = tuple[Places, Places, Whole]

MOST_PAIRS = 100_000_000
"""Pairs within the farthest distance that are still gone through."""

PAIRS_AT_ONCE = 1024


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
        Day of each incident, shape (n,): finite numbers, or dates.
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
    tree = KDTree(points)
    pairs = _close_pairs(tree, far)
    # neighbours in the tree stand near each other in memory: counting then finds them in cache
    when = when[tree.indices]
    # the first band holds its lower edge too: what is under it ends just before
    limits = np.append(np.nextafter(long[0], -1.0), long[1:])
    observed = _by_band(when, pairs, limits)
    rng = np.random.default_rng(seed)
    dealt, chances = when.copy(), np.empty(when.size)
    as_many = np.zeros(observed.shape, dtype=np.int64)
    for _ in range(repeats):
        _deal(dealt, rng.random(out=chances))
        as_many += _by_band(dealt, pairs, limits) >= observed
    expected = _expected(np.diff(pairs[2]), when, limits)
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


def _close_pairs(tree: KDTree, far: Floats) -> Pairs:
    """Return the pairs within the distance bands, points named by their place in the tree.

    First and second point of each pair, ordered by band and then by place, and where the pairs
    of each band start, shape (bands + 1,).
    """
    points = np.asarray(tree.data, dtype=np.float64)
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
    place = np.empty(len(points), dtype=np.int32)
    place[tree.indices] = np.arange(len(points), dtype=np.int32)
    named = np.sort(place[pairs[kept]], axis=1)
    order = np.lexsort((named[:, 1], named[:, 0], band[kept]))
    first, second = np.ascontiguousarray(named[order].T)
    return first, second, np.searchsorted(band[kept][order], np.arange(far.size))


def _bands(values: Floats, edges: Floats) -> Whole:
    """Return the band of each value; -1 under the first edge, one too many past the last."""
    band = np.searchsorted(edges, values, side="left") - 1
    return np.where(values == edges[0], 0, band)


def _by_band(when: Floats, pairs: Pairs, limits: Floats) -> Whole:
    """Count the pairs by distance band and day band."""
    return np.diff(_count(when, *pairs, limits, np.empty(PAIRS_AT_ONCE)), axis=1)


def _deal_plain(dates: Floats, chances: Floats) -> None:
    """Deal the dates anew in place: Fisher and Yates, each step by one number within [0, 1)."""
    for last in range(dates.size - 1, 0, -1):
        other = int(chances[last] * (last + 1))
        dates[last], dates[other] = dates[other], dates[last]


_deal: Callable[[Floats, Floats], None] = numba.njit(cache=True)(_deal_plain)


def _count_plain(
    when: Floats,
    first: Places,
    second: Places,
    starts: Whole,
    limits: Floats,
    apart: Floats,
) -> Whole:
    """Count the pairs of each distance band that are no more than each limit of days apart.

    Differences of a few hundred pairs stay in the buffer `apart` while every limit is counted:
    plain loops without branches, which the compiler turns into vector instructions.
    """
    table = np.zeros((starts.size - 1, limits.size), dtype=np.int64)
    for band in range(starts.size - 1):
        for start in range(starts[band], starts[band + 1], apart.size):
            some = min(apart.size, starts[band + 1] - start)
            for i in range(some):
                apart[i] = abs(when[first[start + i]] - when[second[start + i]])
            for limit in range(limits.size):
                within = 0
                for i in range(some):
                    within += apart[i] <= limits[limit]
                table[band, limit] += within
    return table


_count: Callable[..., Whole] = numba.njit(cache=True)(_count_plain)


def _expected(space_pairs: Whole, when: Floats, limits: Floats) -> Floats:
    """Return the mean of each band over all ways to deal the dates to the places."""
    ordered = np.sort(when)
    time_pairs = np.diff([_pairs_within(ordered, float(limit)) for limit in limits])
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
    when = day_numbers(days)
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
