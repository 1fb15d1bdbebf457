"""Clusters of incidents that lie densely in space, or in space and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.days import day_numbers

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Near = tuple[float, float]

SAFELY_UNDER = 1.0 - 1e-9
"""Keeps rounding from putting two points of one cell farther apart than the distance."""

LARGEST_KEY = 2.0**62


def dbscan(xy_m: ArrayLike, eps_m: float, at_least: int) -> Whole:
    """Return the cluster of each point by density, -1 for points in none.

    DBSCAN (Ester, Kriegel, Sander and Xu 1996). A point with `at_least` points within `eps_m`,
    itself included, is a core; cores within `eps_m` of each other share a cluster. Any other
    point within `eps_m` of a core joins the nearest one (the original takes the first it meets),
    so the clusters do not depend on the order of the rows. Clusters are numbered from south to
    north, then from west to east, by the strip of their first cell.

    Parameters
    ----------
    xy_m
        Places in a metric CRS, shape (n, 2), finite.
    eps_m
        Distance, metres, that still counts as near; over 0.
    at_least
        Points that make a place dense, at least 1.

    Returns
    -------
    ndarray
        Cluster numbers from 0 up, -1 for noise, shape (n,).

    Raises
    ------
    Refused
        ``cluster-points``, ``cluster-settings``; `TooLarge` where the points lie too far apart
        for so short a distance.

    Examples
    --------
    >>> dbscan([[0, 0], [1, 0], [9, 9]], 2.0, 2).tolist()
    [0, 0, -1]
    """
    points = _readable_points(xy_m)
    return _clusters(points, np.zeros(len(points)), eps_m, 0.0, at_least)


def st_dbscan(
    xy_m: ArrayLike, days: ArrayLike, eps_m: float, eps_days: float, at_least: int
) -> Whole:
    """Return the cluster of each incident by density in space and time, -1 for those in none.

    ST-DBSCAN (Birant and Kut 2007) on place and day: as `dbscan`, where near means within
    `eps_m` and at the same time within `eps_days`. A point that is no core joins the core
    nearest in space, then in time.

    Parameters
    ----------
    xy_m
        Places in a metric CRS, shape (n, 2), finite.
    days
        Day of each incident, shape (n,): finite numbers, or dates.
    eps_m, eps_days
        Metres (over 0) and days (0 or more) that still count as near.
    at_least
        Incidents that make a place and time dense, itself included, at least 1.

    Returns
    -------
    ndarray
        Cluster numbers from 0 up, the earliest first, -1 for noise, shape (n,).

    Raises
    ------
    Refused
        As `dbscan`.
    """
    points = _readable_points(xy_m)
    when = day_numbers(days)
    if when.shape != (len(points),) or not np.isfinite(when).all():
        raise Refused(
            "cluster-points",
            "每个点需要一个日期，且不得缺失",
            "every point needs a day, none missing",
        )
    return _clusters(points, when, eps_m, eps_days, at_least)


def _clusters(points: Floats, when: Floats, eps_m: float, eps_days: float, at_least: int) -> Whole:
    """Return the cluster of each point; cells are so small that all within one are near."""
    _refuse_settings(eps_m, eps_days, at_least)
    if len(points) == 0:
        return np.empty(0, dtype=np.int64)
    keys, offsets = _cell_keys(points, when, eps_m, eps_days)
    order = np.argsort(keys, kind="stable")
    spots = np.column_stack([points[order], when[order]])
    # one type of number, so that the loops are compiled once
    near = (float(eps_m) * float(eps_m), float(eps_days))
    labels = _labels(spots, *_cells(keys[order]), offsets, near, int(at_least))
    result = np.empty(len(points), dtype=np.int64)
    result[order] = labels
    return result


def _cells(keys: Whole) -> tuple[Whole, Whole]:
    """Return the cells that ascending keys name, and where the points of each start and end."""
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    return keys[firsts], np.append(firsts, keys.size)


def _labels(
    spots: Floats, cells: Whole, starts: Whole, offsets: Whole, near: Near, at_least: int
) -> Whole:
    """Return the cluster of each of the spots, which lie cell after cell."""
    core = _core_flags(spots, cells, starts, offsets, near, at_least)
    root = _joined_cells(spots, cells, starts, offsets, near, core)
    chosen = _chosen_cells(spots, cells, starts, offsets, near, core)
    labels = np.where(chosen >= 0, root[chosen], -1)
    # only cells that are first of their cluster and hold a core are named
    first = np.zeros(root.size, dtype=np.bool_)
    first[labels[labels >= 0]] = True
    return np.where(labels >= 0, (np.cumsum(first) - 1)[labels], -1)


def _cell_keys(points: Floats, when: Floats, eps_m: float, eps_days: float) -> tuple[Whole, Whole]:
    """Return the cell of each point as one number, and the offsets to the rows of near cells.

    A cell is eps/√2 wide and `eps_days` long: near points are at most two columns, two rows and
    one layer away.
    """
    side_m = eps_m / 2.0**0.5 * SAFELY_UNDER
    column, row = np.floor((points - points.min(axis=0)) / side_m).T
    if eps_days > 0.0:
        layer = np.floor((when - when.min()) / eps_days)
    else:
        layer = np.unique(when, return_inverse=True)[1].astype(np.float64)
    columns, rows = column.max() + 5.0, row.max() + 5.0
    if not (layer.max() + 3.0) * rows * columns < LARGEST_KEY:
        raise TooLarge(
            "cluster-extent",
            "点的范围相对聚类距离过大；请检查坐标或加大距离",
            "the points lie too far apart for this distance; check coordinates or raise it",
        )
    keys = ((layer + 1) * rows + row + 2).astype(np.int64) * int(columns)
    layers = (-1, 0, 1) if layer.max() > 0 else (0,)
    offsets = [(t * int(rows) + r) * int(columns) for t in layers for r in (-2, -1, 0, 1, 2)]
    return keys + column.astype(np.int64) + 2, np.array(offsets, dtype=np.int64)


def _walk_on_plain(cells: Whole, offsets: Whole, cell: int, walk: Whole) -> None:
    """Set which cells lie in each row near a cell, from and to, in `walk` of shape (rows, 2).

    Cells ascend, so the ends only move forward from where the cell before has left them. Kept for
    all cells, they would take more memory than all else.
    """
    for row in range(offsets.size):
        target, low = cells[cell] + offsets[row], walk[row, 0]
        while low < cells.size and cells[low] < target - 2:
            low += 1
        high = max(low, walk[row, 1])
        while high < cells.size and cells[high] <= target + 2:
            high += 1
        walk[row, 0], walk[row, 1] = low, high


def _is_near_plain(spots: Floats, a: int, b: int, near: Near) -> bool:
    """Say whether two points are near in space and time."""
    x, y = spots[a, 0] - spots[b, 0], spots[a, 1] - spots[b, 1]
    return bool(x * x + y * y <= near[0] and abs(spots[a, 2] - spots[b, 2]) <= near[1])


def _near_count_plain(
    spots: Floats, starts: Whole, rows: Whole, near: Near, point: int, enough: int
) -> int:
    """Count the points near one point, itself included; stop at `enough`."""
    count = 0
    for row in range(rows.shape[0]):
        for other in range(starts[rows[row, 0]], starts[rows[row, 1]]):
            count += _is_near(spots, point, other, near)
            if count >= enough:
                return count
    return count


def _core_flags_plain(
    spots: Floats, cells: Whole, starts: Whole, offsets: Whole, near: Near, at_least: int
) -> Flags:
    """Say which points are cores."""
    core = np.zeros(len(spots), dtype=np.bool_)
    walk = np.zeros((offsets.size, 2), dtype=np.int64)
    for cell in range(cells.size):
        _walk_on(cells, offsets, cell, walk)
        full = starts[cell + 1] - starts[cell] >= at_least
        for point in range(starts[cell], starts[cell + 1]):
            core[point] = full or (
                _near_count(spots, starts, walk, near, point, at_least) >= at_least
            )
    return core


def _meets_plain(spots: Floats, starts: Whole, near: Near, core: Flags, a: int, b: int) -> bool:
    """Say whether a core of cell a is near a core of cell b."""
    for point in range(starts[a], starts[a + 1]):
        if core[point]:
            for other in range(starts[b], starts[b + 1]):
                if core[other] and _is_near(spots, point, other, near):
                    return True
    return False


def _top_plain(root: Whole, cell: int) -> int:
    """Return the first cell of the cluster so far, shortening the way for the next asker."""
    while root[cell] != cell:
        root[cell] = root[root[cell]]
        cell = root[cell]
    return cell


def _joined_cells_plain(
    spots: Floats, cells: Whole, starts: Whole, offsets: Whole, near: Near, core: Flags
) -> Whole:
    """Return for each cell the first cell of the cluster its cores belong to."""
    root = np.arange(cells.size)
    # of two cells the later asks; offsets ascend evenly about 0, so half of them lead back
    back = offsets[: offsets.size // 2 + 1]
    walk = np.zeros((back.size, 2), dtype=np.int64)
    for cell in range(cells.size):
        if not core[starts[cell] : starts[cell + 1]].any():
            continue
        _walk_on(cells, back, cell, walk)
        for row in range(back.size):
            for other in range(walk[row, 0], min(walk[row, 1], cell)):
                a, b = _top(root, cell), _top(root, other)
                if a != b and _meets(spots, starts, near, core, cell, other):
                    root[max(a, b)] = min(a, b)
    for cell in range(root.size):
        root[cell] = _top(root, cell)
    return root


def _closer_plain(spots: Floats, point: int, a: int, b: int) -> bool:
    """Say whether a is closer to the point than b: in space, in time, then by its place."""
    xa, ya = spots[point, 0] - spots[a, 0], spots[point, 1] - spots[a, 1]
    xb, yb = spots[point, 0] - spots[b, 0], spots[point, 1] - spots[b, 1]
    by_space = (xa * xa + ya * ya) - (xb * xb + yb * yb)
    by_time = abs(spots[point, 2] - spots[a, 2]) - abs(spots[point, 2] - spots[b, 2])
    for difference in (by_space, by_time, xb - xa, yb - ya, spots[a, 2] - spots[b, 2]):
        if difference != 0.0:
            return bool(difference < 0.0)
    return False


def _nearest_plain(
    spots: Floats, starts: Whole, near: Near, core: Flags, point: int, cell: int, best: int
) -> int:
    """Return the core of the cell that is near and closer than the best so far, else the best."""
    for other in range(starts[cell], starts[cell + 1]):
        usable = core[other] and _is_near(spots, point, other, near)
        if usable and (best < 0 or _closer(spots, point, other, best)):
            best = other
    return best


def _chosen_cells_plain(
    spots: Floats, cells: Whole, starts: Whole, offsets: Whole, near: Near, core: Flags
) -> Whole:
    """Return the cell each point goes with: its own, that of its nearest core, or -1."""
    chosen = np.full(len(spots), -1)
    walk = np.zeros((offsets.size, 2), dtype=np.int64)
    for cell in range(cells.size):
        _walk_on(cells, offsets, cell, walk)
        for point in range(starts[cell], starts[cell + 1]):
            if core[point]:
                chosen[point] = cell
                continue
            best = -1
            for row in range(offsets.size):
                for there in range(walk[row, 0], walk[row, 1]):
                    nearest = _nearest(spots, starts, near, core, point, there, best)
                    if nearest != best:
                        best, chosen[point] = nearest, there
    return chosen


_compiled = numba.njit(cache=True)
_is_near: Callable[..., bool] = _compiled(_is_near_plain)
_near_count: Callable[..., int] = _compiled(_near_count_plain)
_meets: Callable[..., bool] = _compiled(_meets_plain)
_top: Callable[..., int] = _compiled(_top_plain)
_closer: Callable[..., bool] = _compiled(_closer_plain)
_nearest: Callable[..., int] = _compiled(_nearest_plain)
_walk_on: Callable[..., None] = _compiled(_walk_on_plain)
_core_flags: Callable[..., Flags] = _compiled(_core_flags_plain)
_joined_cells: Callable[..., Whole] = _compiled(_joined_cells_plain)
_chosen_cells: Callable[..., Whole] = _compiled(_chosen_cells_plain)


def _readable_points(xy_m: ArrayLike) -> Floats:
    """Read finite points."""
    points: NDArray[Any] = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise Refused(
            "cluster-points",
            "每个点需要完整的坐标",
            "every point needs both coordinates",
            row=int(np.argmin(np.isfinite(points).all(axis=1))),
        )
    return points


def _refuse_settings(eps_m: float, eps_days: float, at_least: int) -> None:
    """Refuse distances and numbers that describe no density."""
    if not (0.0 < eps_m < np.inf and 0.0 <= eps_days < np.inf and at_least >= 1):
        raise Refused(
            "cluster-settings",
            "聚类距离必须大于 0，天数不得为负，最少点数至少为 1",
            "the distance must be over 0, days not negative, and at least one point asked for",
            eps_m=str(eps_m),
            eps_days=str(eps_days),
            at_least=at_least,
        )
