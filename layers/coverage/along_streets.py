"""Places on the street graph: people and workers beside a stretch, and how far a reach goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from shapely.ops import substring

from layers.coverage.checks import CoverageRefused, is_placed, require_one_plane
from layers.coverage.reach import ways_of
from layers.coverage.spreading import Floats, times_from
from layers.coverage.street_graph import WALKING_M_PER_S, Ints, StreetGraph

Flags = NDArray[np.bool_]

OFF_STREET_M = 300.0
"""Who is farther from every street is not taken to live beside one."""


@dataclass(frozen=True)
class Spots:
    """Points beside the streets, each at the nearest place of the nearest stretch.

    Parameters
    ----------
    stretch
        Which one, -1 for a point that is beside none.
    share
        How far along its line, 0 … 1.
    off_s
        Seconds between the point and the street, straight across; infinity beside none.
    """

    stretch: Ints
    share: Floats
    off_s: Floats

    @property
    def is_beside(self) -> Flags:
        """Which points are beside a street."""
        return self.stretch >= 0


def spots(
    graph: StreetGraph,
    points: GeoSeries,
    *,
    off_street_m: float = OFF_STREET_M,
    off_street_m_per_s: float = WALKING_M_PER_S,
) -> Spots:
    """Return where points are beside the streets.

    Parameters
    ----------
    points
        In the graph's CRS; one without a place is beside no street.
    off_street_m
        How far a point may be from its street.
    off_street_m_per_s
        Speed between the point and the street; infinity where that walk is not to count.

    Raises
    ------
    CoverageRefused
        ``crs-differs``; ``off-street`` where the distance is negative or the speed not over 0.
    """
    require_one_plane(points, GeoSeries(graph.lines, crs=graph.crs))
    if not (off_street_m >= 0 and off_street_m_per_s > 0):
        raise CoverageRefused(
            "off-street",
            "离街距离须不小于 0 米，步行速度须大于 0",
            "The distance off the street must be 0 m or more and the speed over 0",
        )
    stretch = np.full(len(points), -1, dtype=np.int64)
    share, off_s = np.zeros(len(points)), np.full(len(points), np.inf)
    placed = np.flatnonzero(is_placed(points.to_numpy()))
    if not placed.size or not len(graph.lines):
        return Spots(stretch, share, off_s)
    shapes = points.to_numpy()[placed]
    (point, line), apart_m = graph.tree.query_nearest(
        shapes, max_distance=off_street_m or None, return_distance=True, all_matches=True
    )
    # of stretches equally near, at a corner, the first
    order = np.lexsort((line, point))
    first = order[np.unique(point[order], return_index=True)[1]]
    first = first[apart_m[first] <= off_street_m]
    at, line = placed[point[first]], line[first]
    along = shapely.line_locate_point(graph.lines[line], shapes[point[first]], normalized=True)
    stretch[at], share[at] = line, np.clip(along, 0.0, 1.0)
    off_s[at] = apart_m[first] / off_street_m_per_s
    return Spots(stretch, share, off_s)


@dataclass(frozen=True)
class Reach:
    """What spreads from workers along the streets.

    Parameters
    ----------
    node_s
        Least seconds to each node, infinity beyond the limit.
    workers
        Where they started.
    limit_s
        How long they go at most.
    """

    graph: StreetGraph
    node_s: Floats
    workers: Spots
    limit_s: float


def reach_from(graph: StreetGraph, workers: Spots, *, limit_s: float = np.inf) -> Reach:
    """Return how soon the nearest worker is at each node; who is beside no street goes nowhere.

    Raises
    ------
    CoverageRefused
        ``limit-not-positive``.
    """
    if not limit_s >= 0:
        raise CoverageRefused(
            "limit-not-positive",
            f"时限须为不小于 0 的秒数，现为 {limit_s}",
            f"The limit must be 0 seconds or more; it is {limit_s}",
        )
    on = np.flatnonzero(workers.is_beside)
    stretch, share, off_s = workers.stretch[on], workers.share[on], workers.off_s[on]
    there_s, back_s = graph.seconds[stretch].T
    nodes = graph.ends[stretch].T.ravel().astype(np.int32)
    start_s = np.concatenate([off_s + share * back_s, off_s + (1.0 - share) * there_s])
    node_s, _ = times_from(ways_of(graph.network), nodes, start_s, limit_s=limit_s)
    return Reach(graph, node_s, workers, limit_s)


def seconds_at(reach: Reach, people: Spots) -> Floats:
    """Return how soon the nearest worker is at each point, infinity beyond the limit.

    The walk from the worker to the street and from the street to the point are both counted.
    """
    found = np.full(len(people.stretch), np.inf)
    on = np.flatnonzero(people.is_beside)
    stretch, share = people.stretch[on], people.share[on]
    there_s, back_s = reach.graph.seconds[stretch].T
    start, end = reach.graph.ends[stretch].T
    by_nodes = np.minimum(
        reach.node_s[start] + share * there_s, reach.node_s[end] + (1.0 - share) * back_s
    )
    found[on] = np.minimum(by_nodes, _on_one_stretch(reach, stretch, share)) + people.off_s[on]
    found[found > reach.limit_s] = np.inf
    return found


def _on_one_stretch(reach: Reach, stretch: Ints, share: Floats) -> Floats:
    """Return how soon a worker of the same stretch is at places, infinity where there is none."""
    found = np.full(len(stretch), np.inf)
    on = np.flatnonzero(reach.workers.is_beside)
    on = on[np.argsort(reach.workers.stretch[on], kind="stable")]
    posted = reach.workers.stretch[on]
    low, high = (np.searchsorted(posted, stretch, side=side) for side in ("left", "right"))
    place = np.repeat(np.arange(len(stretch)), high - low)
    step = np.arange(len(place)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
    worker = on[low[place] + step]
    ahead = share[place] - reach.workers.share[worker]
    seconds = reach.graph.seconds[stretch[place]]
    apart_s = np.where(ahead >= 0, ahead * seconds[:, 0], -ahead * seconds[:, 1])
    np.minimum.at(found, place, apart_s + reach.workers.off_s[worker])
    return found


def reached_streets(reach: Reach) -> GeoDataFrame:
    """Return the streets, and the parts of streets, where somebody is within the limit.

    Returns
    -------
    GeoDataFrame
        ``stretch``, ``from_share``, ``to_share`` and the line, by stretch and along it; parts
        that meet are one. Points off the streets are nowhere drawn: what lies between them is
        not known to be reached.
    """
    pieces = _merged(np.concatenate([_from_nodes(reach), _from_workers(reach)]))
    stretch = pieces[:, 0].astype(np.int64)
    lines = reach.graph.lines[stretch]
    partial = np.flatnonzero((pieces[:, 1] > 0) | (pieces[:, 2] < 1))
    for row in partial:  # only stretches at the rim of a reach are cut, and one by one
        lines[row] = substring(lines[row], pieces[row, 1], pieces[row, 2], normalized=True)
    columns = {"stretch": stretch, "from_share": pieces[:, 1], "to_share": pieces[:, 2]}
    return GeoDataFrame(columns, geometry=lines, crs=reach.graph.crs)


def _from_nodes(reach: Reach) -> Floats:
    """Return stretch, from and to of what is reached from the ends of stretches."""
    seconds = reach.graph.seconds
    left_s = np.maximum(reach.limit_s - reach.node_s, 0.0)[reach.graph.ends]
    is_reached = np.isfinite(reach.node_s)[reach.graph.ends]
    share = np.where(is_reached, _share_of(left_s, seconds), 0.0)
    number = np.arange(len(seconds))
    heads = np.column_stack([number, np.zeros(len(number)), share[:, 0]])
    tails = np.column_stack([number, 1.0 - share[:, 1], np.ones(len(number))])
    return np.concatenate([heads[is_reached[:, 0]], tails[is_reached[:, 1]]])


def _from_workers(reach: Reach) -> Floats:
    """Return stretch, from and to of what workers reach on their own stretch."""
    workers, seconds = reach.workers, reach.graph.seconds
    on = np.flatnonzero(workers.is_beside & (workers.off_s <= reach.limit_s))
    left_s = np.maximum(reach.limit_s - workers.off_s[on], 0.0)
    ahead, behind = (_share_of(left_s, seconds[workers.stretch[on], way]) for way in (0, 1))
    share = workers.share[on]
    low, high = np.maximum(share - behind, 0.0), np.minimum(share + ahead, 1.0)
    return np.column_stack([workers.stretch[on], low, high])


def _share_of(left_s: Floats, needed_s: Floats) -> Floats:
    """Return what share of a stretch can be gone; all of one that takes no time."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(needed_s > 0, left_s / needed_s, 1.0)
    return np.minimum(np.where(np.isnan(share), 1.0, share), 1.0)


def _merged(pieces: Floats) -> Floats:
    """Return pieces of stretches with those that meet as one, without any of no length."""
    kept = pieces[pieces[:, 2] > pieces[:, 1]]
    kept = kept[np.lexsort((kept[:, 1], kept[:, 0]))]
    if not len(kept):
        return kept
    # how far the pieces of a stretch so far go: two apart from one stretch to the next
    reached = np.maximum.accumulate(kept[:, 0] * 2.0 + kept[:, 2])
    is_new = np.concatenate([[True], kept[1:, 0] * 2.0 + kept[1:, 1] > reached[:-1]])
    first = np.flatnonzero(is_new)
    last = np.concatenate([first[1:], [len(kept)]]) - 1
    ends = reached[last] - kept[first, 0] * 2.0
    return np.column_stack([kept[first, 0], kept[first, 1], np.minimum(ends, 1.0)])
