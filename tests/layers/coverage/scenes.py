"""Scenes for coverage tests: frames from plain lists, in metres of EPSG:4545."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry

from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera

CRS = 4545


def camera_frame(cameras: Sequence[Camera], *, crs: int | None = CRS) -> GeoDataFrame:
    columns = {
        "azimuth_deg": np.array([c.azimuth_deg for c in cameras], dtype=np.float64),
        "view_angle_deg": np.array([c.view_angle_deg for c in cameras], dtype=np.float64),
        "range_m": np.array([c.range_m for c in cameras], dtype=np.float64),
    }
    points = [shapely.Point(c.x_m, c.y_m) for c in cameras]
    return GeoDataFrame(columns, geometry=points, crs=crs)


def areas(*shapes: BaseGeometry | None) -> GeoSeries:
    return GeoSeries(np.array([*shapes, None], dtype=object)[:-1], crs=CRS)


def view(camera: Camera, *footprints: BaseGeometry) -> BaseGeometry:
    """The view of one camera."""
    found: BaseGeometry = visible_areas(camera_frame([camera]), areas(*footprints)).iloc[0]
    return found


def turned_boxes(
    rng: np.random.Generator, count: int, side_m: float, sizes_m: tuple[float, float] = (8.0, 24.0)
) -> list[BaseGeometry]:
    """Rectangles turned at random within a square; they may overlap."""
    found: list[BaseGeometry] = []
    for _ in range(count):
        x, y = rng.uniform(0, side_m, 2)
        width, depth = rng.uniform(*sizes_m, 2)
        flat = shapely.box(x - width / 2, y - depth / 2, x + width / 2, y + depth / 2)
        found.append(shapely.affinity.rotate(flat, float(rng.uniform(0, 180))))
    return found


def random_cameras(rng: np.random.Generator, count: int, side_m: float) -> list[Camera]:
    """Every other one all-round, the rest of 60 to 90 degrees; ranges of 50 to 150 m."""
    return [
        Camera(
            x_m=float(rng.uniform(0, side_m)),
            y_m=float(rng.uniform(0, side_m)),
            azimuth_deg=float(rng.uniform(-360, 720)),
            view_angle_deg=360.0 if number % 2 else float(rng.uniform(60, 90)),
            range_m=float(rng.uniform(50, 150)),
        )
        for number in range(count)
    ]


def area_seen_inside_m2(seen: BaseGeometry, camera: Camera, footprint: BaseGeometry) -> float:
    """Area of a view within a footprint and within the range, to judge that they are disjoint."""
    # arcs are chords a little outside the circle: what lies beyond the range is no sight
    disc = shapely.Point(camera.x_m, camera.y_m).buffer(camera.range_m, quad_segs=64)
    return float(seen.intersection(footprint).intersection(disc).area)
