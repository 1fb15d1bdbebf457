"""Benchmark of coverage: views among random footprints, k-coverage and blind ground of grids."""

from __future__ import annotations

import tracemalloc
from time import process_time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis_service.demo.chance import chance
from gis_service.demo.city import CITY, QINGLAN
from gis_service.demo.grids import parting
from gis_service.demo.plan import laid_out
from gis_service.demo.sites import hamlet_lanes, houses
from layers.coverage.ground import blind_ground, k_coverage
from layers.coverage.visibility import certain_areas, possible_areas, visible_areas

SIDE_M = 6_000.0
BUILDINGS = 20_000
CRS = 4545
CORNER_M = np.array([500_000.0, 3_700_000.0])


def figures() -> dict[str, float]:
    """Return CPU seconds, peak megabytes and shares; names say the scene and the unit."""
    found: dict[str, float] = {}
    buildings = footprints(np.random.default_rng(1))
    for count in (2_000, 20_000):
        cameras = camera_scene(np.random.default_rng(2), count)
        start = process_time()
        views = visible_areas(cameras, buildings)
        found[f"visible_areas_{count}_cpu_s"] = process_time() - start
        found[f"visible_areas_{count}_invalid"] = float((~views.is_valid).sum())
        found[f"visible_areas_{count}_peak_mb"] = _peak_mb(cameras, buildings)
        if count == 2_000:
            found |= ground_figures(views, buildings)
            found |= unsure_figures(cameras, buildings)
    return found | city_figures()


def city_figures() -> dict[str, float]:
    """Return CPU seconds of the views of 50,000 cameras among the houses of the demo city."""
    houses_m = city_houses()
    cameras = cameras_near(np.random.default_rng(3), houses_m, 50_000)
    start = process_time()
    views = visible_areas(cameras, houses_m)
    return {
        "city_houses": float(len(houses_m)),
        "visible_areas_city_50000_cpu_s": process_time() - start,
        "visible_areas_city_50000_invalid": float((~views.is_valid).sum()),
    }


def city_houses() -> gpd.GeoSeries:
    """Return the footprints of the demo city as they are made, before anybody lives in them."""
    units = QINGLAN.units()
    plan = laid_out(1, units, CITY, QINGLAN)
    parts = parting(plan, CITY, chance(1, "grids"))
    lanes = hamlet_lanes(plan, chance(1, "lanes"))
    streets = pd.concat([plan.streets, lanes], ignore_index=True)
    built = houses(plan, parts, streets, chance(1, "houses"))
    return gpd.GeoSeries(built["geom"].to_numpy(), crs=CRS)


def cameras_near(
    rng: np.random.Generator, buildings: gpd.GeoSeries, count: int
) -> gpd.GeoDataFrame:
    """Return cameras within some metres of house walls, a fifth of them all-round."""
    ring = shapely.boundary(rng.choice(buildings.to_numpy(), count))
    at = shapely.get_coordinates(shapely.line_interpolate_point(ring, rng.random(count), True))
    columns = {
        "azimuth_deg": rng.uniform(0, 360, count),
        "view_angle_deg": rng.choice([55.0, 70.0, 90.0, 90.0, 360.0], count),
        "range_m": rng.choice([60.0, 80.0, 100.0, 120.0], count),
    }
    points = shapely.points(at + rng.normal(0, 3, (count, 2)))
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS)


def unsure_figures(cameras: gpd.GeoDataFrame, buildings: gpd.GeoSeries) -> dict[str, float]:
    """Return CPU seconds a camera of certain and possible views, bearing or place unsure."""
    some = cameras.iloc[:100]
    found: dict[str, float] = {}
    for name, column, error in (
        ("azimuth", "azimuth_error_deg", 22.5),
        ("position", "position_error_m", 10.0),
    ):
        for kind, areas_of in (("certain", certain_areas), ("possible", possible_areas)):
            start = process_time()
            areas_of(some.assign(**{column: error}), buildings)
            found[f"{kind}_{name}_100_cpu_s"] = process_time() - start
    return found


def ground_figures(views: gpd.GeoSeries, buildings: gpd.GeoSeries) -> dict[str, float]:
    """Return CPU seconds of k-coverage and of the blind ground of 702 grids."""
    start = process_time()
    k_coverage(views)
    middle = process_time()
    blind_ground(square_grids(26, 27), views, buildings)
    return {
        "k_coverage_2000_cpu_s": middle - start,
        "blind_ground_702_cpu_s": process_time() - middle,
    }


def footprints(rng: np.random.Generator) -> gpd.GeoSeries:
    """Return rectangles of 8 to 24 m, turned at random over 36 km²; many overlap."""
    middle = rng.uniform(0, SIDE_M, (BUILDINGS, 2))
    half = rng.uniform(4, 12, (BUILDINGS, 2))
    turn = rng.uniform(0, np.pi, BUILDINGS)
    along = np.column_stack([np.cos(turn), np.sin(turn)]) * half[:, :1]
    across = np.column_stack([-np.sin(turn), np.cos(turn)]) * half[:, 1:]
    corners = [middle + a * along + b * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return gpd.GeoSeries(shapely.polygons(np.stack(corners, axis=1) + CORNER_M), crs=CRS)


def camera_scene(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    """Return cameras of 50 to 150 m, half of them all-round and half of 60 to 90 degrees."""
    half = np.arange(count) % 2 == 0
    columns = {
        "azimuth_deg": rng.uniform(0, 360, count),
        "view_angle_deg": np.where(half, 360.0, rng.uniform(60, 90, count)),
        "range_m": rng.uniform(50, 150, count),
    }
    points = shapely.points(rng.uniform(0, SIDE_M, (count, 2)) + CORNER_M)
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS)


def square_grids(columns: int, rows: int) -> gpd.GeoSeries:
    """Return equal rectangles that tile the scene."""
    x = CORNER_M[0] + np.repeat(np.arange(columns), rows) * SIDE_M / columns
    y = CORNER_M[1] + np.tile(np.arange(rows), columns) * SIDE_M / rows
    return gpd.GeoSeries(shapely.box(x, y, x + SIDE_M / columns, y + SIDE_M / rows), crs=CRS)


def _peak_mb(cameras: gpd.GeoDataFrame, buildings: gpd.GeoSeries) -> float:
    # apart from the timed run, because tracing slows it; GEOS's own memory is not in it
    tracemalloc.start()
    visible_areas(cameras, buildings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
