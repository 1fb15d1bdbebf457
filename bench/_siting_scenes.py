"""Made-up places for the siting figures: towns under cameras, towns of nodes, graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
AZIMUTHS = 8


def town(rng: np.random.Generator, points: int, hamlets: int, side_m: float) -> Floats:
    """Return points in clusters of unequal size, metres."""
    middles = rng.uniform(0.0, side_m, (hamlets, 2))
    share = rng.pareto(1.5, hamlets) + 0.2
    of = rng.choice(hamlets, points, p=share / share.sum())
    spread = 120.0 + 60.0 * np.sqrt(share / share.mean())
    return middles[of] + rng.normal(size=(points, 2)) * spread[of, None]


def camera_views(seed: int, posts: int, points: int) -> tuple[csr_array, Floats, Whole]:
    """Return who sees what, the weight of each point and the post of each view.

    Posts stand in the town; each has eight azimuths, a range of 30 to 100 m and 70 degrees.
    """
    rng = np.random.default_rng(seed)
    side_m = 60.0 * np.sqrt(posts)
    xy_m = town(rng, points, max(4, posts // 40), side_m)
    stand = xy_m[rng.choice(points, posts, replace=False)] + rng.normal(size=(posts, 2)) * 8.0
    range_m = rng.uniform(30.0, 100.0, posts)
    near = cKDTree(xy_m).query_ball_point(stand, range_m)
    row = np.repeat(np.arange(posts), [len(each) for each in near])
    col = np.concatenate([np.asarray(each, dtype=np.int64) for each in near])
    off = xy_m[col] - stand[row]
    bearing = np.degrees(np.arctan2(off[:, 0], off[:, 1]))
    parts = []
    for turn in range(AZIMUTHS):
        apart = np.abs((bearing - 45.0 * turn + 180.0) % 360.0 - 180.0)
        seen = (apart <= 35.0) & (rng.random(len(row)) < 0.8)
        parts.append((row[seen] * AZIMUTHS + turn, col[seen]))
    view = np.concatenate([a for a, _ in parts])
    point = np.concatenate([b for _, b in parts])
    ones = np.ones(len(view))
    covers = csr_array(coo_array((ones, (view, point)), shape=(posts * AZIMUTHS, points)))
    weights = np.round(rng.gamma(2.0, 2.0, points) + 1.0)
    return covers, weights, np.repeat(np.arange(posts), AZIMUTHS)


def nodes_cover(seed: int, nodes: int, radius_m: float) -> tuple[csr_array, Floats]:
    """Return covers among the nodes of a town and their whole-number weights."""
    rng = np.random.default_rng(seed)
    xy_m = town(rng, nodes, max(4, nodes // 60), 8_000.0)
    pairs = cKDTree(xy_m).sparse_distance_matrix(cKDTree(xy_m), radius_m, output_type="coo_matrix")
    ones = np.ones(pairs.nnz)
    covers = csr_array(coo_array((ones, (pairs.row, pairs.col)), shape=(nodes, nodes)))
    return covers, rng.integers(1, 200, nodes).astype(np.float64)


def graph_lengths(seed: int, nodes: int) -> Floats:
    """Return lengths of shortest paths in a random graph with nodes²/50 edges of 1 to 100."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(nodes)
    extra = rng.integers(0, nodes, (nodes * nodes // 50, 2))
    ends = np.vstack([np.column_stack([order[:-1], order[1:]]), extra])
    ends = ends[ends[:, 0] != ends[:, 1]]
    length = rng.integers(1, 101, len(ends)).astype(np.float64)
    dense: NDArray[Any] = np.full((nodes, nodes), np.inf)
    np.minimum.at(dense, (ends[:, 0], ends[:, 1]), length)
    dense = np.minimum(dense, dense.T)
    found: Floats = shortest_path(np.where(np.isinf(dense), 0.0, dense), directed=False)
    return found
