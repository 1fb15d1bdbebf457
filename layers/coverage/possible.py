"""Possible views: the ground that a camera sees from some place where it may stand.

Every line of sight that leaves the polygon of positions leaves it through an edge, so the views
from the edges and the polygon itself are all. A wall hides from a whole edge what it hides from
both ends of it. Seen from the middle of the edge it is therefore narrowed to the directions in
which it hides from both ends too; then one sweep from the middle gives all that any point of the
edge sees, and more by strips along shadow lines, about as wide as half the edge. Edges are halved
until that changes little.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.topology import polygons_only
from layers.coverage.outlines import WIDEST, circumscribed, outlines
from layers.coverage.positions import (
    NODING_M,
    built_area,
    corners_round,
    polygon_of,
    standing_room,
)
from layers.coverage.sectors import grown_sectors
from layers.coverage.sweep import nearby
from layers.coverage.walls import Floats, Ints, Walls, cross, walls_of
from layers.coverage.wedges import (
    TURN_RAD,
    Candidates,
    Pieces,
    Sight,
    candidates,
    pieces_within,
    wedges,
)

# edges are halved so many times at most, and until halving takes less than this share of the view
HALVINGS = 3
SETTLED = 0.03


def possible_views(sight: Sight, error_m: Floats, shapes: NDArray[Any]) -> NDArray[Any]:
    """Return what each camera sees from some position within `error_m`, circumscribed.

    Parameters
    ----------
    sight
        The cameras at the middle of their discs, with the field that is possible at one place.
    error_m
        Radii of the discs, over 0.
    shapes
        Footprints, metres.
    """
    walls = walls_of(shapes)
    reach = replace(sight, range_m=sight.range_m + 2 * error_m)
    camera, building = nearby(reach, shapes)
    fields = grown_sectors(sight, error_m)
    corners = corners_round(sight.xy, error_m)
    views = np.full(len(fields), shapely.Polygon(), dtype=object)
    # one union a camera is the cost, whatever the loop
    for one in range(len(fields)):
        near = building[slice(*np.searchsorted(camera, [one, one + 1]))]
        views[one] = _seen_from_some(
            sight.some(slice(one, one + 1)), corners[one], fields[one], shapes, near, walls
        )
    return views


def _seen_from_some(
    sight: Sight, corners: Floats, field: Any, shapes: NDArray[Any], near: Ints, walls: Walls
) -> Any:
    # lines of sight stay in the field, and a building left out only widens the view
    near = near[shapely.intersects(shapes[near], field)]
    built = built_area(shapes[near])
    room = standing_room(corners, built)
    if shapely.is_empty(room):
        return room
    start, end = corners, np.roll(corners, -1, axis=0)
    if built is not None:
        shapely.prepare(built)
        edges = shapely.linestrings(np.stack([start, end], axis=1))
        free = ~shapely.covers(built, edges)
        start, end = start[free], end[free]
    found = _seen_from_edges(sight, start, end, walls, near)
    whole = shapely.union_all([*found, room], grid_size=NODING_M)
    whole = polygon_of(shapely.intersection(whole, field))
    seen = whole if built is None else shapely.difference(whole, built)
    # arcs of views are drawn farther out by so much, overlays leave what noding leaves
    rim_m = float(sight.range_m[0]) * (WIDEST - 1) + 2 * NODING_M
    # round, because mitres of the slivers that overlays leave along walls take longest of all
    return shapely.buffer(seen, rim_m, quad_segs=4)


def _seen_from_edges(
    sight: Sight, start: Floats, end: Floats, walls: Walls, near: Ints
) -> NDArray[Any]:
    """Return views that hold all that points of edges see, edges halved where that takes much."""
    found = _views_ahead(sight, start, end, walls, near)
    settled: list[NDArray[Any]] = []
    for _ in range(HALVINGS if len(near) else 0):
        middle, was_m2 = (start + end) / 2, shapely.area(found)
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
        found = _views_ahead(sight, start, end, walls, near)
        first, second = np.split(found, 2)
        open_still = np.tile(shapely.area(shapely.union(first, second)) < (1 - SETTLED) * was_m2, 2)
        settled.append(found[~open_still])
        start, end, found = start[open_still], end[open_still], found[open_still]
    return np.concatenate([*settled, found])


def _views_ahead(
    sight: Sight, start: Floats, end: Floats, walls: Walls, near: Ints
) -> NDArray[Any]:
    found = edge_views(start, end, float(sight.range_m[0]), walls, near)
    if sight.turn_rad[0] <= np.pi:
        found = polygons_only(shapely.intersection(found, _ahead(start, end, sight)))
    return found


def _ahead(start: Floats, end: Floats, sight: Sight) -> NDArray[Any]:
    """Return the ground ahead of each edge in a field of view of up to half a turn."""
    angle = sight.start_rad + sight.turn_rad * np.linspace(0, 1, 5)
    ray = 4 * sight.range_m * np.column_stack([np.cos(angle), np.sin(angle)])
    tips = np.concatenate(
        [start[:, None], start[:, None] + ray, end[:, None], end[:, None] + ray], axis=1
    )
    hulls: NDArray[Any] = np.asarray(shapely.convex_hull(shapely.linestrings(tips)))
    return hulls


def edge_views(
    start: Floats, end: Floats, range_m: float, walls: Walls, building: Ints
) -> NDArray[Any]:
    """Return, for each edge, the ground on its right that some point of it sees within the range.

    Parameters
    ----------
    start, end
        ``[n, 2]`` ends of edges.
    range_m
        Metres.
    walls, building
        All walls, and the buildings whose walls count.
    """
    half = (end - start) / 2
    begin = np.arctan2(-half[:, 1], -half[:, 0])
    middles = Sight(start + half, begin, np.full(len(half), np.pi), range_m + np.hypot(*half.T))
    edge = np.repeat(np.arange(len(half)), len(building))
    near = candidates(middles, walls, edge, np.tile(building, len(half)))
    pieces = narrowed_pieces(near, middles, half)
    nothing: tuple[Ints, Floats, Floats] = (np.empty(0, np.int64), np.empty(0), np.empty(0))
    return outlines(middles, wedges(middles, pieces, nothing), pieces, circumscribed)


def narrowed_pieces(near: Candidates, middles: Sight, half: Floats) -> Pieces:
    """Return the directions from each edge's middle in which walls hide from the whole edge."""
    low, width = _directions(near.p, near.q)
    ahead = low + width / 2
    first, last = -width / 2, width / 2
    for to_end in (half[near.camera], -half[near.camera]):
        low, width = _directions(near.p - to_end, near.q - to_end)
        low = np.mod(low - ahead + np.pi, TURN_RAD) - np.pi
        first, last = np.maximum(first, low), np.minimum(last, low + width)
    hides = first < last
    p, u = near.p[hides], (near.q - near.p)[hides]
    return pieces_within(
        near.camera[hides], (ahead + first)[hides], (last - first)[hides], p, u, middles
    )


def _directions(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Return where a wall from p to q begins, turning left, and how wide it is; rad."""
    turn = cross(p, q)
    first = np.where((turn > 0)[:, None], p, q)
    return np.arctan2(first[:, 1], first[:, 0]), np.arctan2(np.abs(turn), (p * q).sum(axis=1))
