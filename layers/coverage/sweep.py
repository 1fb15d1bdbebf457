"""Sweep: the views of many cameras at once, from where they stand and which walls are near."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.coverage.outlines import Arcs, equal_area, outlines
from layers.coverage.walls import Bools, Ints, Walls, walls_of
from layers.coverage.wedges import (
    Sight,
    candidates,
    facing_pieces,
    shut_directions,
    touching,
    wedges,
)

# pairs of a camera and a wall held at once: some 40 MB
PAIRS_AT_ONCE = 100_000


def nearby(sight: Sight, shapes: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return pairs of a camera and a building whose box meets the camera's range, sorted."""
    x, y = sight.xy.T
    reach = sight.range_m
    squares = shapely.box(x - reach, y - reach, x + reach, y + reach)
    camera, building = shapely.STRtree(shapes).query(squares)
    order = np.lexsort((building, camera))
    return camera[order], building[order]


def swept_views(sight: Sight, shapes: NDArray[Any], arcs: Arcs = equal_area) -> NDArray[Any]:
    """Return what each camera sees among buildings: one valid polygon a camera, or an empty one.

    Parameters
    ----------
    sight
        The cameras, metres.
    shapes
        Valid polygons or multipolygons, metres; None and empty ones are passed over.
    arcs
        How arcs of the range are drawn.
    """
    walls = walls_of(shapes)
    camera, building = nearby(sight, shapes)
    x, y = sight.xy.T
    inside = shapely.contains_xy(shapes[building], x[camera], y[camera])
    views = np.full(len(x), shapely.Polygon(), dtype=object)
    for batch in batches(camera, building, walls, len(x)):
        mine = slice(*np.searchsorted(camera, [batch.start, batch.stop]))
        views[batch] = _batch_views(
            sight.some(batch),
            walls,
            camera[mine] - batch.start,
            building[mine],
            inside[mine],
            arcs,
        )
    return views


def batches(camera: Ints, building: Ints, walls: Walls, cameras: int) -> list[slice]:
    """Cut the cameras into batches of about `PAIRS_AT_ONCE` pairs of a camera and a wall."""
    size = np.bincount(walls.building, minlength=int(building.max(initial=0)) + 1)
    pairs = np.bincount(camera, size[building], minlength=cameras) + 1
    batch = np.cumsum(pairs) // PAIRS_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), cameras]
    return [slice(a, b) for a, b in pairwise(cuts) if a < b]


def _batch_views(
    sight: Sight, walls: Walls, camera: Ints, building: Ints, inside: Bools, arcs: Arcs
) -> NDArray[Any]:
    near = candidates(sight, walls, camera, building)
    touch = touching(near)
    shut = shut_directions(near, touch, walls, sight)
    pieces = facing_pieces(near.without(touch), sight)
    views = outlines(sight, wedges(sight, pieces, shut), pieces, arcs)
    # rounding may put a camera on a wall a hair inside it; that is no reason to blind it
    key, touched = camera * len(walls.ring) + building, near.camera * len(walls.ring)
    on_wall = np.isin(key, (touched + walls.building[near.wall])[touch])
    views[camera[inside & ~on_wall]] = shapely.Polygon()
    views[sight.range_m == 0] = shapely.Polygon()
    return views
