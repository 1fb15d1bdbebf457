"""Benchmark of coverage figures: ground, times seen, roads, homes and places of 708 grids, cold."""

from __future__ import annotations

from time import process_time
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from bench.coverage import CORNER_M, CRS, SIDE_M, camera_scene, footprints, square_grids
from layers.coverage.figures import home_figures, place_figures
from layers.coverage.ground import open_ground
from layers.coverage.roads import road_figures, road_pieces
from layers.coverage.times import seen_ground
from layers.coverage.visibility import visible_areas


def figures() -> dict[str, float]:
    """Return CPU seconds of the figures of 708 grids, and how far areas are from adding up."""
    buildings = footprints(np.random.default_rng(1))
    views = visible_areas(camera_scene(np.random.default_rng(2), 2_000), buildings)
    grids = square_grids(59, 12)
    grids.index = [f"{place:04d}" for place in range(len(grids))]
    homes = _homes(buildings, grids.index.to_numpy())
    start = process_time()
    ground = open_ground(grids, buildings)
    opened = process_time()
    seen, times = seen_ground(grids, views)
    counted = process_time()
    shapely.difference(ground.to_numpy(), seen.to_numpy())
    middle = process_time()
    road_figures(road_pieces(_lattice(), grids), seen)
    home_figures(homes, views, list(grids.index))
    place_figures(homes.iloc[:2_000], views, list(grids.index))
    end = process_time()
    inside = shapely.intersection(views.to_numpy(), shapely.box(*grids.total_bounds))
    weighed_m2 = float((times.to_numpy() * times.columns.to_numpy()).sum())
    return {
        "open_ground_cpu_s": opened - start,
        "times_seen_cpu_s": counted - opened,
        "blind_ground_cpu_s": middle - counted,
        "roads_homes_places_cpu_s": end - middle,
        "all_figures_of_708_grids_cpu_s": end - start,
        "times_off_views_share": abs(weighed_m2 / float(shapely.area(inside).sum()) - 1),
    }


def _homes(buildings: gpd.GeoSeries, codes: NDArray[Any]) -> gpd.GeoDataFrame:
    held = np.random.default_rng(3).choice(codes, len(buildings))
    columns = {"grid_code": held, "people": 9, "households": 3}
    return gpd.GeoDataFrame(columns, geometry=buildings)


def _lattice() -> gpd.GeoSeries:
    """Return streets 60 m apart, both ways."""
    at = np.arange(0, SIDE_M, 60.0)
    far = np.full_like(at, SIDE_M)
    up = np.stack([np.column_stack([at, 0 * at]), np.column_stack([at, far])], axis=1)
    lines = np.concatenate([up, up[:, :, ::-1]]) + CORNER_M
    return gpd.GeoSeries(shapely.linestrings(lines), crs=CRS)
