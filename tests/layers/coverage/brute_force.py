"""An oracle for views: every wall against every direction interval, one camera at a time.

It shares no step with the product's sweep: no wall is dropped for its side or its distance,
all pairs of walls are tried for crossings, directions are plain sorted angles, and each interval
is closed by the nearest hit of a ray against all walls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import acos, atan2, hypot, pi, radians
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# walls nearer than this carry the camera
ON_WALL_M = 1e-7
# from a wall, a look this far ahead tells whether a direction leads into the building
AHEAD_M = 0.01


@dataclass(frozen=True)
class Camera:
    """One camera of a test scene: metres and degrees as in `visible_areas`."""

    x_m: float
    y_m: float
    azimuth_deg: float = 0.0
    view_angle_deg: float = 360.0
    range_m: float = 100.0


def seen_area_m2(camera: Camera, footprints: Iterable[shapely.Geometry]) -> float:
    """Return ½∫r(θ)²dθ over the field of view, each piece in closed form."""
    # seen from the camera, because a county's coordinates leave half a nanometre of rounding
    here = np.array([camera.x_m, camera.y_m])
    shapes = shapely.transform(list(footprints), lambda xy: xy - here)
    touched = shapely.distance(shapely.boundary(shapes), shapely.Point(0, 0)) < ON_WALL_M
    if (shapely.contains_xy(shapes, 0.0, 0.0) & ~touched).any():
        return 0.0
    walls = wall_ends(shapes)
    apart = np.array([_distance_m(p, q) > ON_WALL_M for p, q in walls], dtype=bool)
    cuts = _directions(camera, walls)
    low, high = cuts[:-1], cuts[1:]
    ahead = AHEAD_M * np.column_stack([np.cos((low + high) / 2), np.sin((low + high) / 2)])
    shut = shapely.contains_xy(shapes[touched][:, None], *ahead.T).any(axis=0)
    looks = (high - low > 1e-13) & ~shut
    return _total_area_m2(walls[apart], low[looks], high[looks], camera.range_m)


def wall_ends(shapes: NDArray[Any]) -> Floats:
    """Return ``[n, 2, 2]`` the two ends of each edge of the rings of polygons."""
    rings = shapely.get_rings(shapely.get_parts(shapes))
    edges = [np.stack([xy[:-1], xy[1:]], axis=1) for xy in map(shapely.get_coordinates, rings)]
    return np.concatenate([np.empty((0, 2, 2)), *edges])


def _crossings(walls: Floats) -> Floats:
    """Return ``[n, 2]`` where two walls cross, tried for every pair."""
    p, u = walls[:, None, 0], walls[:, None, 1] - walls[:, None, 0]
    q, v = walls[None, :, 0], walls[None, :, 1] - walls[None, :, 0]
    turn = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    w = q - p
    turn = np.where(turn == 0, np.inf, turn)
    s = (w[..., 0] * v[..., 1] - w[..., 1] * v[..., 0]) / turn
    t = (w[..., 0] * u[..., 1] - w[..., 1] * u[..., 0]) / turn
    met = (s > 0) & (s < 1) & (t > 0) & (t < 1)
    points: Floats = (p + s[..., None] * u)[met]
    return points


def _distance_m(p: Floats, q: Floats) -> float:
    return float(shapely.LineString([p, q]).distance(shapely.Point(0, 0)))


def _directions(camera: Camera, walls: Floats) -> Floats:
    middle = radians(90.0 - camera.azimuth_deg)
    half = radians(camera.view_angle_deg) / 2
    start, end = middle - half, middle + half
    angles = [atan2(y, x) for x, y in (*walls.reshape(-1, 2), *_crossings(walls))]
    for p, q in walls:
        angles += _circle_crossings(p, q, camera.range_m)
    turned = (start + (angle - start) % (2 * pi) for angle in angles)
    return np.array(sorted([start, end, *(angle for angle in turned if angle < end)]))


def _circle_crossings(p: Floats, q: Floats, range_m: float) -> list[float]:
    length = hypot(q[0] - p[0], q[1] - p[1])
    if length == 0.0:
        return []
    # the line's normal form: n·x = d
    n = ((q[1] - p[1]) / length, -(q[0] - p[0]) / length)
    d = n[0] * p[0] + n[1] * p[1]
    if abs(d) >= range_m:
        return []
    toward, spread = atan2(n[1], n[0]), acos(d / range_m)
    return [toward - spread, toward + spread]


def _total_area_m2(walls: Floats, low: Floats, high: Floats, range_m: float) -> float:
    """Close each interval of directions by the wall that its middle ray meets first."""
    along_ray, along_wall = _hits_m(walls, (low + high) / 2)
    met = (along_ray > 0) & (along_wall >= 0) & (along_wall <= 1) & (along_ray < range_m)
    reach = np.where(met, along_ray, np.inf)
    open_ground = ~met.any(axis=1)
    total = float((0.5 * range_m**2 * (high - low))[open_ground].sum())
    for row in np.flatnonzero(~open_ground):
        wall = walls[[reach[row].argmin()]]
        (first, last), _ = _hits_m(wall, np.array([low[row], high[row]]))
        total += float(0.5 * first[0] * last[0] * np.sin(high[row] - low[row]))
    return total


def _hits_m(walls: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Return, for each angle (row) and wall, how far along the ray and the wall they meet."""
    dx, dy = np.cos(angles)[:, None], np.sin(angles)[:, None]
    (px, py), (ux, uy) = walls[:, 0].T, (walls[:, 1] - walls[:, 0]).T
    turn = dx * uy - dy * ux
    turn = np.where(turn == 0, np.nan, turn)
    return (px * uy - py * ux) / turn, (px * dy - py * dx) / turn
