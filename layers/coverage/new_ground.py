"""New ground: open ground that new cameras are to see, as cells, and as what each adds exactly."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]


def ground_points(outline: BaseGeometry, buildings: GeoSeries, *, cell_m: float) -> GeoSeries:
    """Return the middles of the cells of open ground, on a lattice of whole multiples of a cell.

    A cell counts where its middle lies in the outline and in no building.

    Examples
    --------
    >>> house = GeoSeries([shapely.box(0, 0, 10, 10)])
    >>> ground_points(shapely.box(0, 0, 20, 10), house, cell_m=10.0).to_wkt().tolist()
    ['POINT (15 5)']
    """
    if outline.is_empty:
        return GeoSeries([], crs=buildings.crs)
    west, south, east, north = shapely.bounds(outline) / cell_m
    column = np.arange(np.floor(west), np.ceil(east)) + 0.5
    row = np.arange(np.floor(south), np.ceil(north)) + 0.5
    x, y = (part.ravel() * cell_m for part in np.meshgrid(column, row))
    shapely.prepare(outline)
    inside = shapely.contains_xy(outline, x, y)
    points = np.asarray(shapely.points(x[inside], y[inside]))
    built = shapely.STRtree(buildings.to_numpy()).query(points, predicate="intersects")[0]
    return GeoSeries(np.delete(points, np.unique(built)), crs=buildings.crs)


def ground_added_m2(views: GeoSeries, standing: GeoSeries, outline: BaseGeometry) -> Floats:
    """Return the ground within an outline that each view adds to those before it, exactly.

    Parameters
    ----------
    views
        Visible areas in the order in which they are taken, metres.
    standing
        Visible areas that are there already.
    """
    own = shapely.intersection(views.to_numpy(), outline)
    seen = np.concatenate([standing.to_numpy(), own])
    here, other = shapely.STRtree(seen).query(own, predicate="intersects")
    is_before = other < len(standing) + here
    here, other = here[is_before], other[is_before]
    known = [shapely.union_all(seen[other[here == number]]) for number in range(len(own))]
    return np.asarray(shapely.area(shapely.difference(own, known)), dtype=np.float64)
