"""Benchmark of coverage figures of 708 grids from cold, and of their bounds after them."""

from __future__ import annotations

from time import process_time
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from bench.coverage import CORNER_M, CRS, SIDE_M, camera_scene, footprints, square_grids
from layers.coverage.bounds import bound_views, ground_bounds, people_bounds, place_bounds
from layers.coverage.figures import ground_figures, home_figures, place_figures
from layers.coverage.ground import open_ground
from layers.coverage.roads import road_figures, road_pieces
from layers.coverage.times import seen_ground
from layers.coverage.visibility import visible_areas


def figures() -> dict[str, float]:
    """Return CPU seconds of the figures of 708 grids, and how far areas are from adding up."""
    buildings = footprints(np.random.default_rng(1))
    cameras = camera_scene(np.random.default_rng(2), 2_000)
    views = visible_areas(cameras, buildings)
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
        **bounds_figures(cameras, buildings, grids, homes),
    }


def bounds_figures(
    cameras: gpd.GeoDataFrame,
    buildings: gpd.GeoSeries,
    grids: gpd.GeoSeries,
    homes: gpd.GeoDataFrame,
) -> dict[str, float]:
    """Return CPU seconds of the bounds where half of the cameras have one of eight bearings."""
    coarse = cameras["view_angle_deg"].to_numpy() < 360
    unsure = cameras.assign(azimuth_error_deg=22.5 * coarse, position_error_m=0.0)
    stated = ground_figures(grids, visible_areas(cameras, buildings), buildings)
    places = gpd.GeoDataFrame(homes.iloc[:2_000]).assign(kind="school")
    places.geometry = places.geometry.representative_point()
    start = process_time()
    views = bound_views(unsure, buildings)
    looked = process_time()
    bounds = ground_bounds(grids, views, stated)
    grounded = process_time()
    people_bounds(homes, homes, views, list(grids.index))
    place_bounds(places, views, list(grids.index))
    end = process_time()
    open_m2 = float(stated["open_m2"].sum())
    return {
        "bound_views_of_2000_cpu_s": looked - start,
        "bounds_of_ground_cpu_s": grounded - looked,
        "bounds_of_708_grids_cpu_s": end - start,
        "certain_share": float(bounds["certain_m2"].sum()) / open_m2,
        "stated_share": float(stated["seen_m2"].sum()) / open_m2,
        "possible_share": float(bounds["possible_m2"].sum()) / open_m2,
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
