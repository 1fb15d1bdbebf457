"""Cameras inside a footprint or on a wall, and the nearest place outside where they would see."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from layers.coverage.camera_ground import Bools, CameraGround, Floats, points_of

ON_WALL_M = 0.1  # nearer than this, rounding decides on which side of the wall a camera stands
OFF_WALL_M = 0.5  # where a bracket holds it
MOST_ROUNDS = 9


def is_inside(points_m: Floats, ground: CameraGround) -> Bools:
    """Return which points lie in a footprint, deeper than a wall is thick."""
    return _hit(points_m, ground.buildings, 0.0) & ~is_on_wall(points_m, ground)


def is_on_wall(points_m: Floats, ground: CameraGround) -> Bools:
    """Return which points lie within `ON_WALL_M` of a wall, on whichever side."""
    return _hit(points_m, ground.walls, ON_WALL_M)


def snapped(points_m: Floats, ground: CameraGround) -> Floats:
    """Return for each point the nearest place `OFF_WALL_M` outside every footprint.

    The nearest façade is taken, out of a block of houses wall to wall as well; courtyards count as
    outside. A point that is clear already stays. NaN where no such place is found.
    """
    # a point at a time: each has its own few footprints, and few points are at fault
    places = [_snap(point, ground) for point in points_of(points_m)]
    return np.asarray(places, dtype=np.float64).reshape(-1, 2)


def _hit(points_m: Floats, tree: shapely.STRtree, distance_m: float) -> Bools:
    hit = np.zeros(len(points_m), dtype=bool)
    found = tree.query(points_of(points_m), predicate="dwithin", distance=distance_m)
    hit[found[0]] = True
    return hit


def _snap(point: shapely.Point, ground: CameraGround) -> tuple[float, float]:
    reach_m = 4 * OFF_WALL_M
    for _ in range(MOST_ROUNDS):
        place = _out_of(point, _keep_clear(point, reach_m, ground))
        away_m = float(shapely.distance(point, place))
        # footprints as far away as the place found may stand in its way
        if away_m + OFF_WALL_M <= reach_m:
            return float(place.x), float(place.y)
        reach_m = max(away_m + 2 * OFF_WALL_M, 2 * reach_m)
    return float("nan"), float("nan")


def _keep_clear(point: shapely.Point, reach_m: float, ground: CameraGround) -> BaseGeometry:
    near = ground.buildings.query(point, predicate="dwithin", distance=reach_m)
    return shapely.union_all(shapely.buffer(ground.buildings_m[near], OFF_WALL_M))


def _out_of(point: shapely.Point, clear: BaseGeometry) -> shapely.Point:
    if not shapely.intersects(point, clear):
        return point
    line = shapely.shortest_line(point, shapely.boundary(clear))
    return shapely.Point(shapely.get_coordinates(line)[-1])
