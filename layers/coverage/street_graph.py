"""The street graph: street lines joined where they meet, with the time along every stretch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import ArrayLike, NDArray
from pandas import Series
from scipy.sparse import csr_array

from layers.coverage.checks import CoverageRefused, refuse_rows, require_one_plane
from layers.coverage.spreading import Floats

Ints = NDArray[np.int64]
Shapes = NDArray[Any]

JOINED_M = 0.1
"""Line ends that miss each other by up to about this are one junction."""
WALKING_M_PER_S = 1.25
"""4.5 km/h, a moderate walk."""
ON_FOOT: Mapping[str, float] = MappingProxyType({"railway": 0.0})
"""Classes that are not walked at the common pace: along a railway nobody walks."""
LINE, MULTILINE = 1, 5
TOBLER_STEEPNESS, TOBLER_EASIEST = 3.5, -0.05


@dataclass(frozen=True)
class StreetGraph:
    """Junctions and the stretches of street between them.

    Parameters
    ----------
    node_xy
        Junctions and dead ends, metres, shape (nodes, 2).
    ends
        The two nodes of each stretch, in its line's direction, shape (stretches, 2); the same
        twice for a loop.
    lines
        A LineString a stretch.
    seconds
        Time along the line and back, shape (stretches, 2).
    crs
        Of the lines; None for plain metres.
    """

    node_xy: Floats
    ends: Ints
    lines: Shapes
    seconds: Floats
    crs: Any = None

    @cached_property
    def length_m(self) -> Floats:
        """The length of each stretch."""
        return np.asarray(shapely.length(self.lines), dtype=np.float64)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The stretches by where they lie."""
        return shapely.STRtree(self.lines)

    @cached_property
    def network(self) -> csr_array[Any, Any]:
        """Seconds from node to node for `reach.nearest_staff_s`, both ways of every stretch.

        Stretches beside each other are both kept, and so is one that takes no time.
        """
        start = np.concatenate([self.ends[:, 0], self.ends[:, 1]])
        end = np.concatenate([self.ends[:, 1], self.ends[:, 0]])
        order = np.argsort(start, kind="stable")
        nodes = len(self.node_xy)
        first = np.concatenate([[0], np.cumsum(np.bincount(start, minlength=nodes))])
        seconds = self.seconds.T.ravel()[order]
        # given as rows: a matrix made of pairs would add up stretches between the same nodes
        return csr_array((seconds, end[order], first), shape=(nodes, nodes))


def street_graph(
    streets: GeoSeries,
    kinds: ArrayLike | None = None,
    *,
    speeds_m_per_s: Mapping[str, float] = ON_FOOT,
    other_m_per_s: float = WALKING_M_PER_S,
    joined_m: float = JOINED_M,
) -> StreetGraph:
    """Return the graph of streets, joined at their ends and wherever they touch or cross.

    Nothing tells a bridge from a crossing, so that a street over another joins it, too. Where
    streets lie on each other, the quickest counts.

    Parameters
    ----------
    streets
        Lines in metres; empty ones are left out.
    kinds
        The class of each street, shape (streets,); None where they are all of no class.
    speeds_m_per_s
        Speed by class; 0 for a class that is not used at all.
    other_m_per_s
        Speed along streets of any other class.
    joined_m
        Coordinates are rounded to this, which joins ends that miss each other by less.

    Raises
    ------
    CoverageRefused
        ``crs-not-metric``, ``not-a-line``, ``street-kinds`` (as many as streets),
        ``street-speeds``, ``joined-not-positive``.

    Examples
    --------
    >>> cross = GeoSeries.from_wkt(["LINESTRING (0 5, 10 5)", "LINESTRING (5 0, 5 10)"])
    >>> street_graph(cross, other_m_per_s=1.0).seconds.tolist()
    [[5.0, 5.0], [5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]
    """
    speed = _speeds(streets, kinds, speeds_m_per_s, other_m_per_s)
    if not 0 < joined_m < np.inf:
        raise CoverageRefused(
            "joined-not-positive", "合并距离须大于 0 米", "Ends are joined over more than 0 metres"
        )
    used = _used(streets, speed)
    if not used.any():
        return StreetGraph(np.empty((0, 2)), np.empty((0, 2), np.int64), np.empty(0, object),
                           np.empty((0, 2)), streets.crs)  # fmt: skip
    lines, at = shapely.get_parts(streets.to_numpy()[used], return_index=True)
    stretches = _stretches(shapely.force_2d(lines), joined_m)
    pace = _quickest(stretches, lines, speed[used][at], joined_m)
    node_xy, ends = _nodes(stretches)
    seconds = shapely.length(stretches) / pace
    return StreetGraph(node_xy, ends, stretches, np.column_stack([seconds, seconds]), streets.crs)


def on_slopes(graph: StreetGraph, height_m: ArrayLike) -> StreetGraph:
    """Return the graph with its times as they are where the ground rises and falls.

    Tobler's hiking function (Tobler 1993, "Three presentations on geographical analysis and
    modeling", NCGIA 93-1): a walker goes 6 exp(-3.5 |rise / run + 0.05|) km/h. What is taken of
    it is its ratio to level ground, so that a stretch's own speed holds where it is level.

    Parameters
    ----------
    height_m
        Of each node, shape (nodes,); between them a stretch is taken to rise evenly. Where one of
        its ends has none (not a number), a stretch is taken as level.

    Raises
    ------
    CoverageRefused
        ``heights-per-node``: as many as nodes.
    """
    heights = np.asarray(height_m, dtype=np.float64)
    if heights.shape != (len(graph.node_xy),):
        raise CoverageRefused(
            "heights-per-node",
            f"高程须与 {len(graph.node_xy)} 个节点一一对应",
            f"There must be a height for each of the {len(graph.node_xy)} nodes",
        )
    rise_m = heights[graph.ends[:, 1]] - heights[graph.ends[:, 0]]
    slope = np.where(np.isfinite(rise_m), rise_m, 0.0) / graph.length_m
    shares = np.column_stack([tobler_share(slope), tobler_share(-slope)])
    return replace(graph, seconds=graph.seconds / shares)


def tobler_share(slope: ArrayLike) -> Floats:
    """Return a walker's speed on a slope as a share of that on level ground (Tobler 1993).

    Parameters
    ----------
    slope
        Rise over run in the direction of walking, any shape; 1 / 20 downhill is the quickest.
    """
    # however steep, one gets there: beyond this a double would say never
    steep = np.clip(np.asarray(slope, dtype=np.float64), -100.0, 100.0)
    level = np.abs(0.0 - TOBLER_EASIEST)
    share: Floats = np.exp(-TOBLER_STEEPNESS * (np.abs(steep - TOBLER_EASIEST) - level))
    return share


def _speeds(
    streets: GeoSeries,
    kinds: ArrayLike | None,
    speeds_m_per_s: Mapping[str, float],
    other_m_per_s: float,
) -> Floats:
    """Return the speed along each street, checked."""
    wrong = {
        kind: speed for kind, speed in {**speeds_m_per_s, "*": other_m_per_s}.items()
        if not 0 <= speed < np.inf
    }  # fmt: skip
    if wrong:
        raise CoverageRefused(
            "street-speeds",
            f"道路等级的速度须为不小于 0 的米每秒：{'、'.join(wrong)}",
            f"Speeds must be 0 m/s or more: {', '.join(wrong)}",
            kinds=sorted(wrong),
        )
    if kinds is None:
        return np.asarray(np.full(len(streets), other_m_per_s), dtype=np.float64)
    named = Series(np.asarray(kinds, dtype=object))
    if len(named) != len(streets):
        raise CoverageRefused(
            "street-kinds",
            f"道路等级有 {len(named)} 个，道路有 {len(streets)} 条；须一一对应",
            f"There are {len(named)} classes for {len(streets)} streets; give one for each",
        )
    known = named.map(dict(speeds_m_per_s)).fillna(other_m_per_s)
    return np.asarray(known.to_numpy(), dtype=np.float64)


def _used(streets: GeoSeries, speed_m_per_s: Floats) -> NDArray[np.bool_]:
    require_one_plane(streets)
    shapes = streets.to_numpy()
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    is_line = np.isin(shapely.get_type_id(shapes), [LINE, MULTILINE])
    is_line &= absent | np.isfinite(shapely.bounds(shapes)).all(axis=1)
    refuse_rows(
        ~absent & ~is_line, streets, "not-a-line", "道路不是线，或坐标非数；请改正",
        "streets must be lines with finite coordinates",
    )  # fmt: skip
    used: NDArray[np.bool_] = ~absent & (shapely.length(shapes) > 0) & (speed_m_per_s > 0)
    return used


def _stretches(lines: Shapes, joined_m: float) -> Shapes:
    """Return the lines between any two junctions, each ground once."""
    noded = shapely.union_all(lines, grid_size=joined_m)
    parts: Shapes = shapely.get_parts(noded)
    return parts[shapely.length(parts) > 0]


def _quickest(stretches: Shapes, lines: Shapes, speed: Floats, joined_m: float) -> Floats:
    """Return the highest speed of the streets that a stretch was made of."""
    middles = shapely.line_interpolate_point(stretches, 0.5, normalized=True)
    tree = shapely.STRtree(lines)
    # rounding moves a line by no more than the diagonal of a cell
    stretch, line = tree.query(middles, predicate="dwithin", distance=joined_m)
    found = np.zeros(len(stretches))
    np.maximum.at(found, stretch, speed[line])
    lost = np.flatnonzero(found == 0)
    if lost.size:
        near = tree.query_nearest(middles[lost], all_matches=False)
        found[lost[near[0]]] = speed[near[1]]
    return found


def _nodes(stretches: Shapes) -> tuple[Floats, Ints]:
    """Return the places of the nodes, by x then y, and the two that each stretch has."""
    tips = np.array([shapely.get_point(stretches, end) for end in (0, -1)])
    xy = shapely.get_coordinates(tips.T.ravel())
    node_xy, number = np.unique(xy, axis=0, return_inverse=True)
    return node_xy, number.reshape(-1, 2).astype(np.int64)
