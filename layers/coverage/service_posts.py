"""Service posts: where a police room or an AED goes, by walking times along the streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from geopandas import GeoSeries
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from grid_boundaries.errors import Refused, TooLarge
from layers.coverage.along_streets import Spots, reach_from, seconds_at, spots
from layers.coverage.reach import ways_of
from layers.coverage.siting import Sites, cover_all, p_center, p_median
from layers.coverage.spreading import times_from
from layers.coverage.street_graph import StreetGraph

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Goal = Literal["nearest", "worst", "all"]
MOST_STRETCHES, MOST_CANDIDATES, MOST_HOMES = 4_000, 2_000, 100_000
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Asked:
    """Who is to be served, from where, and by what that stands already.

    Parameters
    ----------
    homes, people
        Places in the graph's CRS and how many live there.
    candidates
        Nodes of the graph.
    standing
        Posts that stand; they serve for nothing.
    """

    graph: StreetGraph
    homes: GeoSeries
    people: Floats
    candidates: Whole
    standing: GeoSeries


@dataclass(frozen=True)
class Served:
    """Homes gathered by the stretch they are beside, and what each way takes.

    Parameters
    ----------
    people
        Of each stretch.
    ways_s
        Stretches by candidates: people's mean seconds, or those of the farthest home, from a
        candidate or from a post that stands, whichever is nearer.
    now_s
        The same from posts that stand alone, infinity where there are none.
    homes
        The stretch of each home, -1 for one that nobody reaches.
    """

    people: Floats
    ways_s: Floats
    now_s: Floats
    homes: Whole


def served(asked: Asked, *, farthest: bool) -> Served:
    """Return the ways to the homes of each stretch; homes that nobody reaches are left out.

    Homes of one stretch are served by one post, so what is found holds for them all.

    Parameters
    ----------
    farthest
        Take the farthest home of a stretch, not the mean of its people.

    Raises
    ------
    TooLarge
        More homes, stretches or candidates than can be weighed.
    """
    _require_at_most(len(asked.homes), MOST_HOMES, "住户", "homes")
    _require_at_most(len(asked.candidates), MOST_CANDIDATES, "候选路口", "candidate junctions")
    beside = spots(asked.graph, asked.homes)
    now_s = seconds_at(reach_from(asked.graph, spots(asked.graph, asked.standing)), beside)
    reached = np.flatnonzero(beside.is_beside & (np.isfinite(now_s) | _is_joined(asked, beside)))
    order = reached[np.argsort(beside.stretch[reached], kind="stable")]
    stretches, first = np.unique(beside.stretch[order], return_index=True)
    _require_at_most(len(stretches), MOST_STRETCHES, "有人居住的街段", "stretches with homes")
    gather = _Gather(first, asked.people[order], farthest)
    ways = np.empty((len(stretches), len(asked.candidates)))
    network = ways_of(asked.graph.network)
    for column, node in enumerate(asked.candidates):  # all homes by all candidates are too many
        node_s, _ = times_from(network, np.array([node], dtype=np.int32), np.zeros(1))
        seconds = _seconds_to(asked.graph, node_s, beside, order)
        ways[:, column] = gather.of(np.minimum(seconds, now_s[order]))
    homes = np.full(len(asked.homes), -1, dtype=np.int64)
    homes[order] = np.repeat(np.arange(len(first)), np.diff([*first, len(order)]))
    return Served(gather.people, ways, gather.of(now_s[order]), homes)


@dataclass(frozen=True)
class _Gather:
    """Homes in the order of their stretches, made one number a stretch."""

    first: Whole
    weights: Floats
    farthest: bool

    @property
    def people(self) -> Floats:
        return self._sum(self.weights)

    def of(self, seconds: Floats) -> Floats:
        if not len(self.first):
            return np.zeros(0)
        if self.farthest:
            return np.asarray(np.maximum.reduceat(seconds, self.first), dtype=np.float64)
        return self._sum(seconds * self.weights) / self.people

    def _sum(self, values: Floats) -> Floats:
        if not len(self.first):
            return np.zeros(0)
        return np.asarray(np.add.reduceat(values, self.first), dtype=np.float64)


def chosen_posts(
    found: Served, goal: Goal, sites: int, *, limit_s: float, within_s: float
) -> Sites | None:
    """Return which candidates to take; None where there is nobody left to serve.

    Parameters
    ----------
    goal
        ``nearest``: people's ways together shortest (p-median), ``value`` and ``bound`` in
        seconds of all people; ``worst``: the longest way shortest (p-center), in seconds;
        ``all``: as few posts as bring everybody within the limit, in posts.
    limit_s
        For ``all``: how long a way may take.

    Raises
    ------
    Refused
        ``too-few-posts``: the streets fall into more parts than posts are asked for;
        ``out-of-reach``: no candidate is within the limit of some people.
    """
    if goal == "all":
        return _fewest(found, limit_s, within_s)
    if not found.ways_s.size:
        return None
    _require_parts(found, sites)
    count = min(sites, found.ways_s.shape[1])
    if goal == "nearest":
        return p_median(found.ways_s, found.people, count, within_s=within_s)
    return p_center(found.ways_s, count, within_s=within_s)


def people_late(found: Served, chosen: Whole, limit_s: float) -> float:
    """Return how many people live on stretches whose way takes longer than a limit."""
    return float(found.people[times_to(found, chosen) > limit_s].sum())


def people_served(found: Served, chosen: Whole) -> Floats:
    """Return for each chosen post the people to whom it is nearer than those that stand."""
    if not len(chosen):
        return np.zeros(0)
    ways = found.ways_s[:, chosen]
    is_nearer = ways.min(axis=1, initial=np.inf) < found.now_s
    nearest = ways[is_nearer].argmin(axis=1)
    served_by = np.bincount(nearest, found.people[is_nearer], minlength=len(chosen))
    return np.asarray(served_by, dtype=np.float64)


def times_to(found: Served, chosen: Whole) -> Floats:
    """Return the seconds to each stretch from the nearest of the chosen or standing posts."""
    if not len(chosen):
        return found.now_s
    return np.asarray(found.ways_s[:, chosen].min(axis=1), dtype=np.float64)


def _fewest(found: Served, limit_s: float, within_s: float) -> Sites | None:
    late = np.flatnonzero(found.now_s > limit_s)
    if not len(late):
        return None
    within = found.ways_s[late] <= limit_s
    lost = late[~within.any(axis=1)]
    if len(lost):
        people = int(found.people[lost].sum())
        raise Refused(
            "out-of-reach",
            f"有 {people} 人离所有候选路口都超过 {limit_s / 60:g} 分钟；请放宽时限",
            f"{people} people are over {limit_s / 60:g} minutes from every candidate junction;"
            " allow more minutes",
            people=people,
        )
    return cover_all(csr_array(within.T.astype(np.float64)), within_s=within_s)


def _require_parts(found: Served, sites: int) -> None:
    """Refuse fewer posts than there are parts of the streets without any."""
    open_ways = np.isfinite(found.ways_s[~np.isfinite(found.now_s)])
    parts = len(np.unique(open_ways, axis=0))
    if parts > sites:
        raise Refused(
            "too-few-posts",
            f"街道分为互不相通的 {parts} 片，{sites} 个点不够；至少需要 {parts} 个",
            f"The streets fall into {parts} parts without a way between them; {sites} posts do"
            f" not do, ask for {parts} at least",
            parts=parts,
        )


def _is_joined(asked: Asked, beside: Spots) -> Flags:
    """Return which homes have a way to some candidate."""
    joined = np.zeros(len(beside.stretch), dtype=np.bool_)
    on = np.flatnonzero(beside.is_beside)
    if not on.size or not len(asked.candidates):
        return joined
    network = asked.graph.network
    ones = csr_array((np.ones(network.nnz), network.indices, network.indptr), network.shape)
    label = connected_components(ones, directed=False)[1]
    joined[on] = np.isin(label[asked.graph.ends[beside.stretch[on], 0]], label[asked.candidates])
    return joined


def _seconds_to(graph: StreetGraph, node_s: Floats, beside: Spots, homes: Whole) -> Floats:
    """Return the seconds to some homes by way of the nodes, that off the street among them."""
    stretch, share = beside.stretch[homes], beside.share[homes]
    there_s, back_s = graph.seconds[stretch].T
    low, high = graph.ends[stretch].T
    along = np.minimum(node_s[low] + share * there_s, node_s[high] + (1.0 - share) * back_s)
    return np.asarray(along + beside.off_s[homes], dtype=np.float64)


def _require_at_most(number: int, most: int, zh: str, en: str) -> None:
    if number > most:
        raise TooLarge(
            "too-many-to-weigh",
            f"{zh}有 {number} 个，最多 {most} 个；请选更小的单位",
            f"There are {number} {en}, and {most} at most can be weighed; take a smaller unit",
            number=number,
            limit=most,
        )
