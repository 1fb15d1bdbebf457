"""Oracles of siting: every choice tried, and scenes small enough for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from layers.coverage.sites.net import Net, net_of

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
ENOUGH_S = 300.0  # compiling for the first time on a slow machine counts, too


def weight_covered(covers: Flags, weights: Floats, chosen: Whole | list[int]) -> float:
    """The weight of demands that some chosen site covers."""
    return float(weights[covers[np.asarray(chosen, dtype=int)].any(axis=0)].sum())


def choices(sites: int, most: int) -> Iterator[list[int]]:
    """All choices of so many sites at most."""
    for size in range(most + 1):
        for choice in combinations(range(sites), size):
            yield list(choice)


def most_weight(
    covers: Flags,
    weights: Floats,
    sites: int,
    fixed: list[int] | None = None,
    per_post: tuple[Whole, int] | None = None,
) -> float:
    """The greatest weight that any allowed choice covers, beside the fixed sites."""
    old = fixed or []
    free = [site for site in range(len(covers)) if site not in old]
    best = 0.0
    for choice in choices(len(free), sites):
        new = [free[at] for at in choice]
        if per_post is None or fits_posts(new, old, *per_post):
            best = max(best, weight_covered(covers, weights, old + new))
    return best


def fits_posts(new: list[int], old: list[int], post: Whole, at_most: int) -> bool:
    """Whether each post that gets a new site carries no more than it may."""
    load = np.bincount(post[old + new], minlength=int(post.max()) + 1)
    return bool((load[post[new]] <= at_most).all())


def least_over_choices(cost: Floats, sites: int, measure: Callable[[Floats], float]) -> float:
    """The least measure of nearest ways over all choices of so many sites."""
    return min(
        measure(cost[:, list(choice)].min(axis=1))
        for choice in combinations(range(cost.shape[1]), sites)
    )


def fewest(covers: Flags) -> int:
    """The size of the smallest choice that covers everything."""
    return min(len(choice) for choice in choices(len(covers), len(covers)) if _all(covers, choice))


def _all(covers: Flags, choice: list[int]) -> bool:
    return bool(covers[choice].any(axis=0).all())


def random_covers(rng: np.random.Generator, sites: int, demands: int, share: float) -> Flags:
    """Who covers what, by lot."""
    flags: Flags = rng.random((sites, demands)) < share
    return flags


def near_covers(rng: np.random.Generator, sites: int, demands: int, reach: float) -> Flags:
    """Who covers what by distance in a unit square: overlaps as towns have them."""
    a, b = rng.random((sites, 2)), rng.random((demands, 2))
    flags: Flags = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) < reach
    return flags


def matrix(covers: Flags) -> csr_array:
    """The same as a sparse matrix."""
    return csr_array(covers.astype(np.float64))


def whole_net(
    covers: Flags, weights: Floats, post: Whole | None = None, room: int | None = None
) -> Net:
    """The net of the flags."""
    number = len(covers)
    posts = np.zeros(number, dtype=np.int64) if post is None else post
    rooms = np.full(int(posts.max(initial=0)) + 1, number if room is None else room)
    return net_of(matrix(covers), weights, posts, rooms)


def graph_ways(seed: int, nodes: int) -> Floats:
    """Shortest ways in a random connected graph with nodes²/50 edges of 1 to 100."""
    rng = np.random.default_rng(seed)
    graph = nx.Graph()
    order = rng.permutation(nodes).tolist()
    for a, b in pairwise(order):
        graph.add_edge(a, b, weight=int(rng.integers(1, 101)))
    for _ in range(max(0, nodes * nodes // 50 - nodes)):
        a, b = rng.integers(0, nodes, 2).tolist()
        graph.add_edge(a, b, weight=int(rng.integers(1, 101)))
    ways = nx.floyd_warshall_numpy(graph, nodelist=range(nodes))
    return np.asarray(ways, dtype=np.float64)
