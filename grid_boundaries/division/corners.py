"""Corners that lie on the borders of shapes which do not have them yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.slicing import with_vertices

Floats = NDArray[np.float64]


def corners_of(shapes: GeoSeries) -> Floats:
    """Return every corner of some shapes once, shape (n, 2)."""
    xy: Floats = np.unique(shapely.get_coordinates(np.asarray(shapes.array, dtype=object)), axis=0)
    return xy


def with_corners(shapes: GeoSeries, corners: Floats, *, snap: float) -> GeoSeries:
    """Return shapes with those corners added that lie on their borders.

    Borders that two files drew with other corners lie over one another but for a rounding; with
    the same corners on both sides they are one.

    Parameters
    ----------
    shapes
        Valid polygons. Those that get no corner are the very objects that were given.
    corners
        Shape (n, 2), each once.
    snap
        How far a corner may lie off a border, in the unit of the coordinates.
    """
    tree = shapely.STRtree(np.asarray(shapely.points(corners), dtype=object))
    borders = shapely.boundary(np.asarray(shapes.array, dtype=object))
    shape, corner = tree.query(borders, predicate="dwithin", distance=snap)
    found: list[Any] = list(shapes.array)
    for position in np.unique(shape):  # each has corners of its own
        own = {tuple(xy) for xy in shapely.get_coordinates(found[position]).tolist()}
        near = corners[np.sort(corner[shape == position])].tolist()
        fresh = [xy for xy in near if tuple(xy) not in own]
        if fresh:
            found[position] = with_vertices(found[position], np.array(fresh), snap_m=snap)
    return GeoSeries(found, index=shapes.index, crs=shapes.crs)
