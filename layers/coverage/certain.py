"""Certain views: the ground that a camera sees from every place where it may stand.

A wall w hides from some point of a convex piece K of the positions just the ground
``w + cone(w - K)``: behind w, between the two lines that part w from K (its penumbra). What is left
of the worn sector beyond all these is seen from every position.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.coverage.outlines import inscribed
from layers.coverage.positions import (
    NODING_M,
    built_area,
    corners_round,
    polygon_of,
    standing_room,
)
from layers.coverage.sectors import worn_sectors
from layers.coverage.sweep import nearby, swept_views
from layers.coverage.walls import Floats, Ints, Walls, cross, spread, walls_of
from layers.coverage.wedges import CONTACT_M, TURN_RAD, Sight

# directions drawn across a penumbra, which turns half a circle at most
FAN = 5
# a region that its convex hull outgrows by less is convex, m²
CONVEX_M2 = 1e-9


def certain_views(sight: Sight, error_m: Floats, shapes: NDArray[Any]) -> NDArray[Any]:
    """Return what each camera sees from every position within `error_m`, inscribed.

    Parameters
    ----------
    sight
        The cameras at the middle of their discs, with the field that is certain at one place.
    error_m
        Radii of the discs, over 0.
    shapes
        Footprints, metres.
    """
    walls = walls_of(shapes)
    pairs = nearby(replace(sight, range_m=sight.range_m + error_m), shapes)
    worn, discs = worn_sectors(sight, error_m), corners_round(sight.xy, error_m)
    views = np.full(len(worn), shapely.Polygon(), dtype=object)
    # one overlay a camera is the cost, whatever the loop
    for camera in np.flatnonzero(sight.range_m > 0):
        near = pairs[1][slice(*np.searchsorted(pairs[0], [camera, camera + 1]))]
        around = shapes[near]
        built = built_area(around[shapely.intersects(around, shapely.polygons(discs[camera]))])
        room = standing_room(discs[camera], built)
        field = sight.some(slice(camera, camera + 1))
        left = worn[camera] if built is None else _seen_from_corners(room, field, around)
        if built is not None and np.pi < field.turn_rad[0] < TURN_RAD:
            left = polygon_of(shapely.intersection(left, worn[camera], grid_size=NODING_M))
        if not left.is_empty:
            views[camera] = _seen_from_all(room, left, _walls_near(walls, near))
    return views


def _walls_near(walls: Walls, building: Ints) -> Floats:
    """Return ``[n, 2, 2]`` the walls of some buildings."""
    first = np.searchsorted(walls.building, building, side="left")
    pair, rank = spread(np.searchsorted(walls.building, building, side="right") - first)
    row = first[pair] + rank
    return np.stack([walls.start[row], walls.end[row]], axis=1)


def _seen_from_corners(room: Any, field: Sight, shapes: NDArray[Any]) -> Any:
    """Return what every corner of the room sees: too much by what hides between two corners.

    A field of view over half a turn, which edges narrow more than their ends, counts as all round.
    """
    xy = np.unique(shapely.get_coordinates(room), axis=0)
    turn_rad = field.turn_rad[0] if field.turn_rad[0] <= np.pi else TURN_RAD
    corners = [
        np.full(len(xy), value) for value in (field.start_rad[0], turn_rad, field.range_m[0])
    ]
    left: Any = shapely.Polygon()
    for number, view in enumerate(swept_views(Sight(xy, *corners), shapes, inscribed)):
        both = shapely.intersection(left, view, grid_size=NODING_M) if number else view
        left = polygon_of(both)
        if left.is_empty:
            break
    return left


def _seen_from_all(room: Any, left: Any, walls: Floats) -> Any:
    """Return what of `left` no wall hides from any point of the room."""
    hull = shapely.convex_hull(room)
    pieces = _edges(room)
    if shapely.area(hull) - shapely.area(room) < CONVEX_M2:
        corners = shapely.get_coordinates(hull)[:-1]
        to_start, to_end = (walls[None, :, end] - corners[:, None] for end in (0, 1))
        pieces, walls = corners[None], walls[(cross(to_start, to_end) < 0).any(axis=0)]
    return _less(left, penumbras(pieces, walls, _far_m(left, room)))


def _edges(room: Any) -> Floats:
    rings = shapely.get_rings(shapely.get_parts(room))
    edges = [np.stack([xy[:-1], xy[1:]], axis=1) for xy in map(shapely.get_coordinates, rings)]
    return np.concatenate(edges)


def _far_m(worn: Any, room: Any) -> float:
    """Return a length longer than any line between the two regions."""
    west, south, east, north = shapely.total_bounds([worn, room])
    return float(np.hypot(east - west, north - south)) + 1.0


def penumbras(pieces: Floats, walls: Floats, far_m: float) -> NDArray[Any]:
    """Return the ground that a wall hides from some point of a piece, to at least `far_m`.

    Parameters
    ----------
    pieces
        ``[g, k, 2]`` corners of convex pieces, or the ends of edges; they may touch walls.
    walls
        ``[n, 2, 2]`` ends of walls, none of which crosses a piece.
    far_m
        Length of the shadows.

    Returns
    -------
    ndarray
        Convex polygons, one a pair; pairs in one line are left out.
    """
    piece, wall = (axis.ravel() for axis in np.indices((len(pieces), len(walls))))
    to_ends = walls[wall][:, None] - pieces[piece][:, :, None]
    parted = np.abs(cross(to_ends[:, :, 0], to_ends[:, :, 1])).max(axis=1) > CONTACT_M * np.hypot(
        *(walls[wall, 1] - walls[wall, 0]).T
    )
    to_ends, wall = to_ends[parted].reshape(int(parted.sum()), 2 * pieces.shape[1], 2), wall[parted]
    middle = to_ends.mean(axis=1)
    ahead = np.arctan2(middle[:, 1], middle[:, 0])
    turn = np.arctan2(to_ends[..., 1], to_ends[..., 0]) - ahead[:, None]
    turn = np.mod(turn + np.pi, TURN_RAD) - np.pi
    # a shared corner has no direction
    turn[np.hypot(to_ends[..., 0], to_ends[..., 1]) < CONTACT_M] = np.nan
    low, high = np.nanmin(turn, axis=1), np.nanmax(turn, axis=1)
    return _hulls(walls[wall], ahead + low, high - low, far_m)


def _hulls(walls: Floats, low_rad: Floats, width_rad: Floats, far_m: float) -> NDArray[Any]:
    angle = low_rad[:, None] + width_rad[:, None] * np.linspace(0, 1, FAN)
    # chords of 45 degrees come as near as 0.92 of their radius
    ray = far_m / 0.9 * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    tips = (walls[:, :, None] + ray[:, None]).reshape(len(walls), 2 * FAN, 2)
    hulls: NDArray[Any] = np.asarray(
        shapely.convex_hull(shapely.linestrings(np.concatenate([walls, tips], axis=1)))
    )
    return hulls


def _less(ground: Any, hidden: NDArray[Any]) -> Any:
    shapely.prepare(ground)
    hiding = hidden[shapely.intersects(ground, hidden)]
    left = shapely.difference(ground, shapely.union_all(hiding, grid_size=NODING_M))
    # overlays leave what noding leaves
    return shapely.buffer(polygon_of(left), -2 * NODING_M, join_style="mitre")
