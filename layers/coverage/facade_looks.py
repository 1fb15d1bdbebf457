"""Looks: free lines of sight right in front of façades and points."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.coverage.checks import is_placed
from layers.coverage.walls import Floats, Ints

# a look from so far in front of a façade, to so near it, proves that it may be seen
AHEAD_M, SHORT_M = 0.5, 0.02
# along a façade such looks are tried at every so many metres, on open ground from so many sides
STEP_M, SIDES = 3.0, 16


def free_looks(shapes: NDArray[Any], buildings: NDArray[Any]) -> tuple[Ints, Floats, Floats]:
    """Return free looks at shapes: which shape, from where ``[n, 2]``, at which bearing in rad."""
    areas = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    spots = np.flatnonzero(is_placed(shapes))
    wall, at, out_rad = _wall_points(shapes[areas])
    turn = np.arange(SIDES) * 2 * np.pi / SIDES
    owner = np.concatenate([areas[wall], np.repeat(spots, SIDES)])
    middle = np.repeat(shapely.get_coordinates(shapes[spots]), SIDES, axis=0)
    at = np.concatenate([at, middle])
    out_rad = np.concatenate([out_rad, np.tile(turn, len(spots))])
    way = np.column_stack([np.sin(out_rad), np.cos(out_rad)])
    ends = np.stack([at + AHEAD_M * way, at + SHORT_M * way], axis=1)
    lines = np.asarray(shapely.linestrings(ends))
    shut = np.unique(shapely.STRtree(buildings).query(lines, predicate="intersects")[0])
    free = np.delete(np.arange(len(lines)), shut)
    return owner[free], ends[free, 0], out_rad[free] + np.pi


def _wall_points(areas: NDArray[Any]) -> tuple[Ints, Floats, Floats]:
    """Return points along the edges of areas: which area, where, and the bearing outward."""
    parts, owner = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(shapely.normalize(parts), return_index=True)
    start, end, ring = _edges(rings)
    length_m = np.hypot(*(end - start).T)
    number = np.maximum(1, np.ceil(length_m / STEP_M)).astype(np.int64)
    edge = np.repeat(np.arange(len(start)), number)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number)
    share = ((rank + 0.5) / number[edge])[:, None]
    along = end - start
    # normalised shells turn clockwise and holes against it: outside is on the left
    out_rad = np.arctan2(-along[:, 1], along[:, 0])
    return owner[part[ring[edge]]], start[edge] + share * along[edge], out_rad[edge]


def _edges(rings: NDArray[Any]) -> tuple[Floats, Floats, Ints]:
    """Return starts, ends and ring of every edge that has a length."""
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    return xy[:-1][same], xy[1:][same], ring[1:][same]
