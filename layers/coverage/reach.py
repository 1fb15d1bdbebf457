"""Reach: how soon the nearest worker is at each node of a network, and who is there in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from layers.coverage.checks import CoverageRefused
from layers.coverage.spreading import Flags, Floats, Nodes, Ways, reached_rows, times_from


def nearest_staff_s(network: csr_array[Any, Any], staff: NDArray[np.integer[Any]]) -> Floats:
    """Return how many seconds the nearest worker needs to each node.

    All workers start at once (multi-source Dijkstra, 1959), so the cost does not grow with
    their number.

    Parameters
    ----------
    network
        Shape (n, n): seconds from the row's node to the column's, over every way there is. What is
        stored counts: a stored 0 is a way that takes no time, infinity is none, and of entries
        stored twice the quicker counts. A street that is walked both ways is stored twice.
    staff
        The nodes where workers stand, each 0 … n - 1; several may stand at one.

    Returns
    -------
    ndarray
        Seconds of shape (n,); infinity where no worker comes.

    Raises
    ------
    CoverageRefused
        ``network-not-sparse``, ``network-not-square``, ``network-seconds`` (negative or no
        number), ``staff-not-nodes``, ``staff-outside``.

    Examples
    --------
    >>> line = csr_array(([60.0, 60.0], ([0, 1], [1, 2])), shape=(4, 4))
    >>> nearest_staff_s(line, np.array([0])).tolist()
    [0.0, 60.0, 120.0, inf]
    """
    ways = ways_of(network)
    nodes = _checked_staff(staff, ways.nodes)
    return times_from(ways, nodes, np.zeros(len(nodes)))[0]


def reached_within(
    network: csr_array[Any, Any], staff: NDArray[np.integer[Any]], *, limit_s: float
) -> Flags:
    """Return which nodes each worker reaches in time.

    Parameters
    ----------
    network, staff
        As for `nearest_staff_s`.
    limit_s
        The longest time, seconds, which still counts; infinity for any time at all.

    Returns
    -------
    ndarray
        Booleans of shape (n, staff), a column a worker in the order given.

    Raises
    ------
    CoverageRefused
        As `nearest_staff_s`; ``limit-not-positive`` where the limit is negative or no number.

    Examples
    --------
    >>> line = csr_array(([60.0, 60.0], ([0, 1], [1, 2])), shape=(4, 4))
    >>> reached_within(line, np.array([0, 2]), limit_s=60.0).tolist()
    [[True, False], [True, False], [False, True], [False, False]]
    """
    ways = ways_of(network)
    nodes = _checked_staff(staff, ways.nodes)
    _check_limit(limit_s)
    # a worker's row is written at one stretch; the caller's columns are a view of it
    return reached_rows(ways, nodes, limit_s=float(limit_s)).T


def ways_of(network: csr_array[Any, Any]) -> Ways:
    """Return a network as it is searched.

    Raises
    ------
    CoverageRefused
        As `nearest_staff_s` about the network.
    """
    if not issparse(network):
        # of a full matrix nobody could tell a way of no time from no way
        raise CoverageRefused(
            "network-not-sparse",
            "路网须为稀疏矩阵（csr_array），行、列为节点，值为秒",
            "The network must be a sparse matrix (csr_array) of seconds from node to node",
        )
    rows = csr_array(network) if network.ndim == 2 else None
    if rows is None or rows.shape[0] != rows.shape[1]:
        raise CoverageRefused(
            "network-not-square",
            f"路网须为方阵，现为 {network.shape}",
            f"The network must be square; it is {network.shape}",
            shape=list(network.shape),
        )
    seconds = _checked_seconds(rows)
    return Ways(rows.indptr.astype(np.int32), rows.indices.astype(np.int32), seconds)


def _checked_seconds(rows: csr_array[Any, Any]) -> Floats:
    stored = rows.data
    is_real = stored.dtype.kind in "biuf"
    wrong = ~(stored >= 0) if is_real else np.ones(len(stored), dtype=bool)
    if wrong.any():
        way = int(np.argmax(wrong))
        start = int(np.searchsorted(rows.indptr, way, side="right")) - 1
        end, several = int(rows.indices[way]), int(wrong.sum())
        raise CoverageRefused(
            "network-seconds",
            f"有 {several} 条路的秒数为负或非数，第一条从节点 {start} 到节点 {end}；请修正",
            f"{several} ways take a negative time or none at all, the first from node {start}"
            f" to node {end}; mend them",
            start=start,
            end=end,
        )
    return np.ascontiguousarray(stored, dtype=np.float64)


def _checked_staff(staff: NDArray[np.integer[Any]], nodes: int) -> Nodes:
    given = np.asarray(staff)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise CoverageRefused(
            "staff-not-nodes",
            "网格员位置须为一维的节点编号（整数）",
            "Staff must be a flat array of node numbers",
        )
    outside = (given < 0) | (given >= nodes)
    if outside.any():
        place = int(np.argmax(outside))
        raise CoverageRefused(
            "staff-outside",
            f"第 {place} 名网格员的节点 {given[place]} 不在路网内（0–{nodes - 1}）",
            f"Worker {place} stands at node {given[place]}, outside 0–{nodes - 1}",
            index=place,
        )
    return given.astype(np.int32)


def _check_limit(limit_s: float) -> None:
    if not limit_s >= 0:
        raise CoverageRefused(
            "limit-not-positive",
            f"时限须为不小于 0 的秒数，现为 {limit_s}",
            f"The limit must be 0 seconds or more; it is {limit_s}",
            limit_s=str(limit_s),
        )
