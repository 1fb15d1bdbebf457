"""Walls: the edges of building footprints as arrays, turned and cut so that a view can be swept.

Every wall has the inside of its building on the left. Where footprints overlap, their walls are
cut at the crossings; the part of a wall that lies inside another building then needs no removal,
because whoever stands outside both never sees it first. So footprints need no polygon union.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Walls:
    """The walls of n edges, in ring order, building by building; metres.

    Parameters
    ----------
    start, end
        ``[n, 2]``; walking from start to end has the building on the left.
    ring
        ``[n]`` number of the closed ring that the wall belongs to, ascending.
    building
        ``[n]`` position of the building, ascending.
    """

    start: Floats
    end: Floats
    ring: Ints
    building: Ints

    def next_in_ring(self, walls: Ints) -> Ints:
        """Return the wall that begins where each of `walls` ends."""
        rings = self.ring[walls]
        first = np.searchsorted(self.ring, rings, side="left")
        past = np.searchsorted(self.ring, rings, side="right")
        following = walls + 1
        return np.where(following == past, first, following)


def cross(a: Floats, b: Floats) -> Floats:
    """Return the z part of the cross product of plane vectors ``[..., 2]``: left turns are > 0."""
    product: Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def spread(counts: Ints) -> tuple[Ints, Ints]:
    """Return each item's group and its rank in it, for groups of the given sizes end to end."""
    group = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    return group, rank


def walls_of(buildings: NDArray[Any]) -> Walls:
    """Return the walls of valid polygons or multipolygons; None and empty ones have none.

    Parameters
    ----------
    buildings
        shapely geometries, metres; heights are ignored.

    Returns
    -------
    Walls
        Courtyard rings included; walls of different buildings meet only at their ends,
        or lie on each other.
    """
    whole = _rings(buildings)
    return _cut_at_crossings(whole, shapely.bounds(buildings))


def _rings(buildings: NDArray[Any]) -> Walls:
    parts, building_of_part = shapely.get_parts(buildings, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    moved = (xy[joined] != xy[joined + 1]).any(axis=1)
    start, end, ring = xy[joined][moved], xy[joined + 1][moved], ring[joined][moved]
    is_shell = np.r_[True, part_of_ring[1:] != part_of_ring[:-1]][: len(rings)]
    swap = (_signed_area_m2(start, end, ring, len(rings)) > 0) != is_shell
    return _turned(Walls(start, end, ring, building_of_part[part_of_ring[ring]]), swap[ring])


def _signed_area_m2(start: Floats, end: Floats, ring: Ints, rings: int) -> Floats:
    # from each ring's own corner, because a county's coordinates are too large to multiply
    corner = np.zeros((rings, 2))
    corner[ring[::-1]] = start[::-1]
    twice = cross(start - corner[ring], end - corner[ring])
    return np.bincount(ring, twice, minlength=rings) / 2


def _turned(walls: Walls, backward: Bools) -> Walls:
    """Walk the rings marked `backward` (one flag a wall) the other way round."""
    place = np.arange(len(walls.ring))
    first = np.searchsorted(walls.ring, walls.ring, side="left")
    past = np.searchsorted(walls.ring, walls.ring, side="right")
    order = np.where(backward, first + past - 1 - place, place)
    start, end = walls.start[order], walls.end[order]
    flip = backward[:, None]
    return Walls(np.where(flip, end, start), np.where(flip, start, end), walls.ring, walls.building)


def _cut_at_crossings(walls: Walls, boxes: Floats) -> Walls:
    one, other = _near_pairs(walls, _near_other_buildings(walls, boxes))
    p, u = walls.start[one], walls.end[one] - walls.start[one]
    q, v = walls.start[other], walls.end[other] - walls.start[other]
    side_p, side_pu = cross(v, p - q), cross(v, p + u - q)
    side_q, side_qv = cross(u, q - p), cross(u, q + v - p)
    met = (side_p * side_pu < 0) & (side_q * side_qv < 0)
    along_one = (side_p / np.where(met, side_p - side_pu, 1.0))[met]
    along_other = (side_q / np.where(met, side_q - side_qv, 1.0))[met]
    point = p[met] + along_one[:, None] * u[met]
    wall = np.concatenate([np.arange(len(walls.ring)), one[met], other[met]])
    along = np.concatenate([np.zeros(len(walls.ring)), along_one, along_other])
    order = np.lexsort((along, wall))
    wall, start = wall[order], np.concatenate([walls.start, point, point])[order]
    last_of_wall = np.r_[wall[1:] != wall[:-1], True][: len(wall)]
    end = np.where(last_of_wall[:, None], walls.end[wall], np.roll(start, -1, axis=0))
    moved = (start != end).any(axis=1)
    return Walls(start[moved], end[moved], walls.ring[wall[moved]], walls.building[wall[moved]])


def _near_other_buildings(walls: Walls, boxes: Floats) -> Ints:
    """Return the walls whose box touches the box of another building."""
    standing = np.flatnonzero(~np.isnan(boxes[:, 0]))
    outlines: NDArray[Any] = np.asarray(shapely.box(*boxes[standing].T))
    one, other = standing[shapely.STRtree(outlines).query(outlines)]
    one, other = one[one != other], other[one != other]
    first = np.searchsorted(walls.building, one, side="left")
    past = np.searchsorted(walls.building, one, side="right")
    pair, rank = spread(past - first)
    wall, box = first[pair] + rank, boxes[other[pair]]
    low = np.minimum(walls.start[wall], walls.end[wall])
    high = np.maximum(walls.start[wall], walls.end[wall])
    touches = ((low <= box[:, 2:]) & (high >= box[:, :2])).all(axis=1)
    return np.unique(wall[touches])


def _near_pairs(walls: Walls, chosen: Ints) -> tuple[Ints, Ints]:
    """Return pairs of `chosen` walls of different buildings whose boxes touch, each pair once."""
    ends = np.stack([walls.start[chosen], walls.end[chosen]], axis=1)
    lines: NDArray[Any] = np.asarray(shapely.linestrings(ends))
    one, other = chosen[shapely.STRtree(lines).query(lines)]
    apart = (one < other) & (walls.building[one] != walls.building[other])
    return one[apart], other[apart]
