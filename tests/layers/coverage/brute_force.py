"""An oracle for views: every wall against every direction interval, one camera at a time.

It shares no step with the product's sweep: no wall is dropped for its side or its distance,
all pairs of walls are tried for crossings, directions are plain sorted angles, and each interval
is closed by the nearest hit of a ray against all walls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import acos, atan2, cos, hypot, pi, radians, sin
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Point = tuple[float, float]
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
    total = 0.0
    for low, high in pairwise(cuts):
        middle = (low + high) / 2
        ahead = AHEAD_M * cos(middle), AHEAD_M * sin(middle)
        if high - low < 1e-13 or shapely.contains_xy(shapes[touched], *ahead).any():
            continue
        total += _interval_area_m2(walls[apart], low, high, camera.range_m)
    return total


def wall_ends(shapes: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``[n, 2, 2]`` the two ends of each edge of the rings of polygons."""
    rings = shapely.get_rings(shapely.get_parts(shapes))
    edges = [np.stack([xy[:-1], xy[1:]], axis=1) for xy in map(shapely.get_coordinates, rings)]
    return np.concatenate([np.empty((0, 2, 2)), *edges])


def _crossings(walls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``[n, 2]`` where two walls cross, tried for every pair."""
    p, u = walls[:, None, 0], walls[:, None, 1] - walls[:, None, 0]
    q, v = walls[None, :, 0], walls[None, :, 1] - walls[None, :, 0]
    turn = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    w = q - p
    turn = np.where(turn == 0, np.inf, turn)
    s = (w[..., 0] * v[..., 1] - w[..., 1] * v[..., 0]) / turn
    t = (w[..., 0] * u[..., 1] - w[..., 1] * u[..., 0]) / turn
    met = (s > 0) & (s < 1) & (t > 0) & (t < 1)
    points: NDArray[np.float64] = (p + s[..., None] * u)[met]
    return points


def _distance_m(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(shapely.LineString([p, q]).distance(shapely.Point(0, 0)))


def _directions(camera: Camera, walls: NDArray[np.float64]) -> list[float]:
    middle = radians(90.0 - camera.azimuth_deg)
    half = radians(camera.view_angle_deg) / 2
    start, end = middle - half, middle + half
    angles = [atan2(y, x) for x, y in (*walls.reshape(-1, 2), *_crossings(walls))]
    for p, q in walls:
        angles += _circle_crossings(p, q, camera.range_m)
    turned = (start + (angle - start) % (2 * pi) for angle in angles)
    return sorted([start, end, *(angle for angle in turned if angle < end)])


def _circle_crossings(
    p: NDArray[np.float64], q: NDArray[np.float64], range_m: float
) -> list[float]:
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


def _interval_area_m2(walls: NDArray[np.float64], low: float, high: float, range_m: float) -> float:
    middle = (low + high) / 2
    nearest, chosen = range_m, -1
    for number, (p, q) in enumerate(walls):
        hit = _hit_m(p, q, middle, within=True)
        if hit is not None and hit < nearest:
            nearest, chosen = hit, number
    if chosen < 0:
        return 0.5 * range_m**2 * (high - low)
    p, q = walls[chosen]
    first, last = _hit_m(p, q, low, within=False), _hit_m(p, q, high, within=False)
    assert first is not None
    assert last is not None
    return 0.5 * first * last * sin(high - low)


def _hit_m(
    p: NDArray[np.float64], q: NDArray[np.float64], angle: float, *, within: bool
) -> float | None:
    """Return how far a ray from the origin meets the wall (or its line, when not `within`)."""
    dx, dy = cos(angle), sin(angle)
    ux, uy = q[0] - p[0], q[1] - p[1]
    turn = dx * uy - dy * ux
    if turn == 0.0:
        return None
    along_ray = float((p[0] * uy - p[1] * ux) / turn)
    along_wall = float((p[0] * dy - p[1] * dx) / turn)
    if within and (along_ray <= 0 or not 0 <= along_wall <= 1):
        return None
    return along_ray
