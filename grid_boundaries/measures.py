"""How compact a grid is: published ratios of area, perimeter and enclosing shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import Refused

Floats = NDArray[np.float64]
Polygons = GeoSeries | GeoDataFrame


def polsby_popper(grids: Polygons) -> Series[float]:
    """Return 4π·area / perimeter² of each grid: 1 for a circle, towards 0 for a ribbon.

    Holes count in the perimeter.

    Parameters
    ----------
    grids
        Polygons or multipolygons in a metric CRS (or none); of a frame its geometry.

    Returns
    -------
    Series
        Ratio between 0 and 1, with the index of `grids`; NaN for an empty grid.

    Raises
    ------
    Refused
        Degrees for metres.

    References
    ----------
    Polsby & Popper (1991), The third criterion, Yale Law & Policy Review 9.
    """
    return _filled(grids, 0)


def reock(grids: Polygons) -> Series[float]:
    """Return the area of each grid over that of the smallest circle that holds all its parts.

    Grids, answer and refusal are those of `polsby_popper`.

    References
    ----------
    Reock (1961), Measuring compactness as a requirement of legislative apportionment,
    Midwest Journal of Political Science 5.
    """
    return _filled(grids, 1)


def hull_ratio(grids: Polygons) -> Series[float]:
    """Return the area of each grid over that of its convex hull: 1 when nothing is dented.

    The hull is that of all parts together; the rest as for `polsby_popper`.
    """
    return _filled(grids, 2)


def compactness(shapes: NDArray[Any]) -> Floats:
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
    around_m2 = np.stack([area_of(shapes) for area_of in AROUND], axis=-1).reshape(-1, 3)
    return _ratios(np.asarray(shapely.area(shapes))[:, None], around_m2)


def _circle_of_its_perimeter_m2(shapes: NDArray[Any]) -> Floats:
    return np.asarray(shapely.length(shapes) ** 2 / (4 * np.pi))


def _smallest_circle_m2(shapes: NDArray[Any]) -> Floats:
    return np.asarray(np.pi * shapely.minimum_bounding_radius(shapes) ** 2)


def _hull_m2(shapes: NDArray[Any]) -> Floats:
    return np.asarray(shapely.area(shapely.convex_hull(shapes)))


# in the order of the columns of `compactness`
AROUND = (_circle_of_its_perimeter_m2, _smallest_circle_m2, _hull_m2)


def _filled(grids: Polygons, measure: int) -> Series[float]:
    _refuse_degrees(grids)
    shapes = np.asarray(grids.geometry.array, dtype=object)
    ratios = _ratios(np.asarray(shapely.area(shapes)), AROUND[measure](shapes))
    return Series(ratios, index=grids.index, dtype=float)


def _ratios(area_m2: Floats, around_m2: Floats) -> Floats:
    # an empty grid has neither area nor enclosing shape: unknown, not compact
    ratios = np.full(around_m2.shape, np.nan)
    np.divide(area_m2, around_m2, out=ratios, where=around_m2 > 0)
    return ratios


def outline_ratios(
    area_m2: float, perimeter_m: float, hull: BaseGeometry
) -> tuple[float, float, float]:
    """Return the three ratios of one grid of which the union was not made.

    Parameters
    ----------
    perimeter_m
        More than 0.
    hull
        Of all its parts together; its smallest circle is theirs as well.

    Returns
    -------
    tuple
        Polsby-Popper, Reock and hull ratio as the functions above give them.
    """
    radius_m = float(shapely.minimum_bounding_radius(hull))
    return (
        4 * math.pi * area_m2 / perimeter_m**2,
        area_m2 / (math.pi * radius_m**2),
        area_m2 / float(shapely.area(hull)),
    )


def _refuse_degrees(grids: Polygons) -> None:
    if grids.crs is not None and grids.crs.is_geographic:
        raise Refused(
            "measured-in-degrees",
            "紧凑度要在米制坐标系里量算；请先投影到本县的米制坐标系",
            "Compactness is measured in metres; project the grids to the county's metric CRS first",
            crs=grids.crs.to_string(),
        )
