"""Lines along which a county is cut into blocks: what it has, and cells round its hamlets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.landmarks import NEAR_M, hamlets

RURAL_M2 = 250_000.0  # a face smaller than this is a block of a town
OVER_M = 0.001  # a cut that only just reaches a border might not be noded with it

Points = NDArray[np.float64]


def county_lines(
    *,
    streets: GeoSeries,
    rivers: GeoSeries,
    railways: GeoSeries,
    unit_limits: GeoSeries,
    special_areas: GeoSeries,
) -> GeoSeries:
    """Return all lines that a county's blocks end at, as `blocks_from_lines` takes them.

    Parameters
    ----------
    streets, rivers, railways
        Lines, or surfaces such as reservoirs, whose shores count; one metric CRS.
    unit_limits, special_areas
        Polygons, whose outlines count.

    Returns
    -------
    GeoSeries
        Lines, each part its own row; missing and empty ones are left out.
    """
    every = pd.concat([streets, rivers, railways, unit_limits, special_areas]).to_numpy()
    parts = shapely.get_parts(every[~(shapely.is_missing(every) | shapely.is_empty(every))])
    is_surface = shapely.get_dimensions(parts) == 2
    lines = np.where(is_surface, shapely.boundary(parts), parts)
    kept = shapely.get_parts(lines[shapely.get_dimensions(lines) == 1])
    return GeoSeries(kept, crs=streets.crs)


def hamlet_lines(
    faces: GeoSeries, houses_xy: Points, *, near_m: float = NEAR_M, rural_m2: float = RURAL_M2
) -> GeoSeries:
    """Return lines that part large faces between their hamlets.

    In every face larger than `rural_m2` that holds houses of several hamlets, ground belongs to
    the hamlet of the nearest house (Voronoi 1908); the lines are the borders between hamlets.

    Parameters
    ----------
    faces
        Polygons, metres.
    houses_xy
        Shape (n, 2), metres; houses in no large face are passed over.
    near_m
        See `landmarks.hamlets`.

    Returns
    -------
    GeoSeries
        Each reaches a millimetre over the face's border; empty where nothing is parted.
    """
    large = GeoSeries(faces[faces.area > rural_m2])
    houses = GeoSeries.from_xy(*houses_xy.T)
    face, house = houses.sindex.query(large.to_numpy(), predicate="intersects")
    found: list[BaseGeometry] = []
    for position in np.unique(face):  # each face has hamlets of its own
        own = np.unique(houses_xy[house[face == position]], axis=0)
        found += _between(large.iloc[position], own, hamlets(own, near_m=near_m))
    return GeoSeries(found, crs=faces.crs)


def _between(
    face: BaseGeometry, houses_xy: Points, hamlet: NDArray[np.int64]
) -> list[BaseGeometry]:
    if hamlet.max() == 0:
        return []
    reach = face.buffer(OVER_M, join_style="mitre")
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(houses_xy), extend_to=reach, ordered=True)
    )
    grounds = [shapely.coverage_union_all(cells[hamlet == one]) for one in range(hamlet.max() + 1)]
    borders = shapely.union_all([ground.boundary for ground in grounds])
    inside = borders.intersection(reach).difference(reach.boundary.buffer(OVER_M / 10))
    return [part for part in shapely.get_parts(shapely.line_merge(inside)) if part.length > 0]
