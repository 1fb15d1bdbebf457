"""Snaps: where a camera that is drawn inside a building or on a wall should rather be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import is_placed, require_areas, require_one_metric_crs
from layers.coverage.positions import built_area

# nearer than this a camera hangs on the wall: bracket and drawing together
WALL_M = 0.1
# the lens stands off its wall by so much
CLEAR_M = 0.3
# houses within this are looked at first; twice as many each time none of them leaves room
SEARCH_M = 40.0


def proposed_snap(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoDataFrame:
    """Return the cameras inside a footprint or on a wall, each with the nearest free place.

    The place is the nearest point that keeps `CLEAR_M` from every building, so it never lies in a
    neighbour or in a gap too narrow to look out of.

    Parameters
    ----------
    cameras
        Points in a metric CRS; those without a place are passed over.
    buildings
        Polygons or multipolygons in the same CRS; they may overlap.

    Returns
    -------
    GeoDataFrame
        A row for each camera at fault, in order and by index: ``reason`` (``inside``, deeper than
        `WALL_M`, or ``on-wall``), ``geometry`` (the place proposed) and ``moved_m``.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same; a footprint invalid or not a polygon.

    Examples
    --------
    >>> house = GeoSeries([shapely.box(0, 0, 10, 10)], crs=4545)
    >>> camera = GeoDataFrame(geometry=[shapely.Point(9, 5), shapely.Point(20, 5)], crs=4545)
    >>> found = proposed_snap(camera, house)
    >>> found["reason"].tolist(), found["moved_m"].round(3).tolist()
    (['inside'], [1.3])
    """
    require_one_metric_crs(cameras, buildings)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    points, shapes = cameras.geometry.to_numpy(), buildings.geometry.to_numpy()
    inside, near = _faults(points, shapes)
    rows = np.flatnonzero(inside | near)
    tree = shapely.STRtree(shapes)
    # few cameras are at fault, and each wants the union of its own surroundings
    places = [_free_place(points[row], shapes, tree) for row in rows]
    columns = {
        "reason": pd.Series(np.where(near, "on-wall", "inside")[rows], index=cameras.index[rows]),
        "moved_m": shapely.distance(points[rows], np.array(places, dtype=object)),
    }
    return GeoDataFrame(columns, geometry=places, index=cameras.index[rows], crs=cameras.crs)


def _faults(points: NDArray[Any], shapes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return which points lie inside a footprint, and which within `WALL_M` of its outline."""
    placed = np.flatnonzero(is_placed(points))
    inside, near = np.zeros((2, len(points)), dtype=np.bool_)
    one, shape = shapely.STRtree(shapes).query(points[placed], "dwithin", distance=WALL_M)
    row = placed[one]
    inside[row[shapely.contains(shapes[shape], points[row])]] = True
    # a point deep in one of two overlapping houses hangs on no wall of the other
    near[row] = True
    deep = shapely.distance(shapely.boundary(shapes[shape]), points[row]) > WALL_M
    near[row[deep]] = False
    return inside, near


def _free_place(point: Any, shapes: NDArray[Any], tree: shapely.STRtree) -> Any:
    within_m = SEARCH_M
    while True:
        around = shapes[tree.query(point, "dwithin", distance=within_m)]
        walled = shapely.boundary(shapely.buffer(built_area(around), CLEAR_M))
        place = shapely.get_point(shapely.shortest_line(point, walled), 1)
        if shapely.distance(place, point) + CLEAR_M < within_m:
            return place
        within_m *= 2
