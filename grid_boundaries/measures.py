"""How compact a grid is: published ratios of area, perimeter and enclosing shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from pandas import Series

from grid_boundaries.errors import Refused


def polsby_popper(grids: GeoSeries) -> Series[float]:
    """Return 4π·area / perimeter² of each grid: 1 for a circle, towards 0 for a ribbon.

    Holes count in the perimeter. Empty grids give NaN.

    Parameters
    ----------
    grids
        Polygons or multipolygons in a metric CRS (or none).

    Returns
    -------
    Series
        Ratio between 0 and 1, with the index of `grids`.

    References
    ----------
    Polsby & Popper (1991), The third criterion, Yale Law & Policy Review 9.
    """
    _refuse_degrees(grids)
    return _ratio(grids, 4 * np.pi * grids.area, grids.length**2)


def reock(grids: GeoSeries) -> Series[float]:
    """Return the area of each grid over that of the smallest circle that holds it.

    The circle is that of all parts together. Empty grids give NaN.

    Parameters
    ----------
    grids
        Polygons or multipolygons in a metric CRS (or none).

    Returns
    -------
    Series
        Ratio between 0 and 1, with the index of `grids`.

    References
    ----------
    Reock (1961), Measuring compactness as a requirement of legislative apportionment,
    Midwest Journal of Political Science 5.
    """
    _refuse_degrees(grids)
    radius_m = shapely.minimum_bounding_radius(grids.to_numpy())
    return _ratio(grids, grids.area, Series(np.pi * radius_m**2, index=grids.index))


def hull_ratio(grids: GeoSeries) -> Series[float]:
    """Return the area of each grid over that of its convex hull: 1 when nothing is dented.

    The hull is that of all parts together. Empty grids give NaN.

    Parameters
    ----------
    grids
        Polygons or multipolygons in a metric CRS (or none).

    Returns
    -------
    Series
        Ratio between 0 and 1, with the index of `grids`.
    """
    _refuse_degrees(grids)
    return _ratio(grids, grids.area, grids.convex_hull.area)


def compactness(shapes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the three ratios of bare polygons at once, for answers while a planner draws.

    Parameters
    ----------
    shapes
        Polygons or multipolygons in metres, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, 3): Polsby-Popper, Reock and hull ratio as the functions above give them.
    """
    area_m2 = shapely.area(shapes)
    around = (
        shapely.length(shapes) ** 2 / (4 * np.pi),
        np.pi * shapely.minimum_bounding_radius(shapes) ** 2,
        shapely.area(shapely.convex_hull(shapes)),
    )
    below = np.stack(around, axis=-1).reshape(-1, 3)
    ratios = np.full(below.shape, np.nan)
    np.divide(area_m2[:, None], below, out=ratios, where=below > 0)
    return ratios


def _ratio(grids: GeoSeries, above: Series[float], below: Series[float]) -> Series[float]:
    # an empty grid has neither area nor enclosing shape: unknown, not compact
    known = below.where(below > 0)
    return Series(above / known, index=grids.index, dtype=float)


def _refuse_degrees(grids: GeoSeries) -> None:
    if grids.crs is not None and grids.crs.is_geographic:
        raise Refused(
            "measured-in-degrees",
            "紧凑度要在米制坐标系里量算；请先投影到本县的米制坐标系",
            "Compactness is measured in metres; project the grids to the county's metric CRS first",
            crs=grids.crs.to_string(),
        )
