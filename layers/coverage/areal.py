"""Cover of areas that are only known as a whole: the share of each inside a union of views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import require_areas, require_one_metric_crs


def seen_shares(areas: GeoSeries, views: GeoSeries) -> pd.Series[float]:
    """Return how much of each area lies inside the union of the views, between 0 and 1.

    Ground that several views share counts once.

    Parameters
    ----------
    areas
        Valid polygons, metres; they may overlap.
    views
        Valid polygons in the same CRS; empty ones see nothing.

    Returns
    -------
    Series
        Shares with the index of `areas`; 0 where no view reaches.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same; a geometry invalid or no polygon.

    Examples
    --------
    >>> from shapely import box
    >>> areas = GeoSeries([box(0, 0, 10, 10), box(50, 0, 60, 10)], crs=4545)
    >>> views = GeoSeries([box(0, 0, 5, 10), box(0, 0, 10, 2)], crs=4545)
    >>> seen_shares(areas, views).tolist()
    [0.6, 0.0]
    """
    require_one_metric_crs(areas, views)
    require_areas(areas, "面", "areas")
    require_areas(views, "可视范围", "views")
    shapes, sights = areas.to_numpy(), views.to_numpy()
    seen_m2, whole_m2 = seen_areas_m2(shapes, sights), shapely.area(shapes)
    shares = np.divide(seen_m2, whole_m2, out=np.zeros(len(shapes)), where=whole_m2 > 0)
    return pd.Series(shares, index=areas.index)


def seen_areas_m2(areas: NDArray[Any], views: NDArray[Any]) -> NDArray[np.float64]:
    """Return how much of each area lies inside the union of the views; plain arrays, unchecked."""
    area, view = shapely.STRtree(views).query(areas, predicate="intersects")[:2]
    seen = _united(_framed(views, view, areas, area), area, len(areas))
    return np.asarray(shapely.area(shapely.intersection(areas, seen)), dtype=np.float64)


def share_of(counts: pd.Series[Any], shares: pd.Series[float]) -> float:
    """Return the share of what is counted per area that is seen, spread evenly over each area.

    Areas without a count are left out of both sums; NaN where nothing at all is counted.

    Parameters
    ----------
    counts
        Households or people per area, missing where not counted; same index as `shares`.
    """
    known = counts.astype(float).fillna(0.0)
    total = float(known.sum())
    return float((known * shares).sum()) / total if total else float("nan")


def _framed(
    views: NDArray[Any], view: NDArray[np.intp], areas: NDArray[Any], area: NDArray[np.intp]
) -> NDArray[Any]:
    """Return what of each view lies in the frame of the area beside it; more where that is unclean.

    What a view shows of other areas would be united again for each of them.
    """
    parts, bounds = views[view], shapely.bounds(areas)
    starts = np.searchsorted(area, np.arange(len(areas) + 1))
    for place in np.unique(area):
        mine = slice(starts[place], starts[place + 1])
        parts[mine] = shapely.clip_by_rect(parts[mine], *bounds[place])
    # clipping is quick and promises no valid polygon
    unclean = ~(np.isin(shapely.get_type_id(parts), [3, 6]) & shapely.is_valid(parts))
    parts[unclean] = views[view[unclean]]
    return np.asarray(parts, dtype=object)


def _united(parts: NDArray[Any], owner: NDArray[np.intp], count: int) -> NDArray[Any]:
    """Return the union of each owner's parts; owners come in ascending order."""
    sizes = np.bincount(owner, minlength=count)
    rows = np.full((count, int(sizes.max(initial=1))), None, dtype=object)
    starts = np.cumsum(sizes) - sizes
    rows[owner, np.arange(len(owner)) - starts[owner]] = parts
    return np.asarray(shapely.union_all(rows, axis=1))
