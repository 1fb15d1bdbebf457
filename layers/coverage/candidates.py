"""Candidates: views that new cameras could have from posts, and the demands that each covers."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from layers.coverage.checks import (
    CoverageRefused,
    is_placed,
    refuse_rows,
    require_areas,
    require_one_metric_crs,
)

# where no camera may stand: places in which people undress, wash, sleep or are nursed
FORBIDDEN = frozenset({"ward", "dormitory", "bath", "toilet", "changing_room", "hotel_room"})


def candidate_views(
    posts: GeoSeries,
    bearings_deg: ArrayLike,
    *,
    range_m: float,
    view_angle_deg: float,
    places: GeoDataFrame | None = None,
    keep_off_m: float = 0.0,
) -> GeoDataFrame:
    """Return a camera for each post and bearing, as `visible_areas` takes them.

    Posts in or near forbidden places get none: see `is_forbidden`.

    Parameters
    ----------
    posts
        Points (poles, façade points, junctions) in a metric CRS.
    bearings_deg
        Bearings of the middle of the view, clockwise from north.
    range_m, view_angle_deg
        Of every view: 0 m or more; over 0 up to 360 degrees.
    places
        Places with ``kind``, points or polygons in the CRS of the posts.
    keep_off_m
        How far from a forbidden place a post has to stand.

    Returns
    -------
    GeoDataFrame
        One row a view, post by post: ``post`` (the index of the post), ``azimuth_deg``,
        ``view_angle_deg``, ``range_m``; index 0, 1, 2, …

    Raises
    ------
    CoverageRefused
        A ValueError that names the rows: CRS, posts that are no points; bearings, range, angle or
        distance out of bounds.
    """
    require_one_metric_crs(posts)
    refuse_rows(
        ~is_placed(posts.to_numpy()),
        posts,
        "post-unplaced",
        "立杆须为有效点位",
        "posts need a point",
    )
    bearing = _bearings(bearings_deg)
    _require_sight(range_m, view_angle_deg)
    free = slice(None) if places is None else ~is_forbidden(posts, places, keep_off_m)
    name, point = posts.index.to_numpy()[free], posts.to_numpy()[free]
    number = len(point) * len(bearing)
    columns = {
        "post": np.repeat(name, len(bearing)),
        "azimuth_deg": np.tile(bearing, len(point)),
        "view_angle_deg": np.full(number, float(view_angle_deg)),
        "range_m": np.full(number, float(range_m)),
    }
    return GeoDataFrame(columns, geometry=np.repeat(point, len(bearing)), crs=posts.crs)


def is_forbidden(posts: GeoSeries, places: GeoDataFrame, keep_off_m: float) -> NDArray[np.bool_]:
    """Return which posts stand in a forbidden place or no farther from one than `keep_off_m`.

    Forbidden are the kinds of `FORBIDDEN`; a post on the outline of one counts as in it.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same; no ``kind``; a distance below 0.
    """
    require_one_metric_crs(posts, places)
    if "kind" not in places.columns:
        raise CoverageRefused("column-missing", "场所缺少列：kind", "places lack the column kind")
    if not (np.isfinite(keep_off_m) and keep_off_m >= 0.0):
        raise CoverageRefused(
            "keep-off-out-of-bounds",
            "避让距离须为 0 或正的有限数（米）",
            "keep_off_m must be finite and not negative",
            keep_off_m=str(keep_off_m),
        )
    private = places.geometry.to_numpy()[places["kind"].isin(FORBIDDEN).to_numpy()]
    near = shapely.STRtree(private).query(
        posts.to_numpy(), predicate="dwithin", distance=keep_off_m
    )
    flags = np.zeros(len(posts), dtype=np.bool_)
    flags[near[0]] = True
    return flags


def covers_of(views: GeoSeries, demands: GeoSeries) -> csr_array:
    """Return which views hold which demands, views by demands, as `best_sites` takes them.

    A demand on the outline of a view is seen. Views that are empty hold none.

    Parameters
    ----------
    views
        Polygons as `visible_areas` gives them.
    demands
        Points in the same metric CRS; empty and missing ones are seen by nobody.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same; views that are no valid polygons.
    """
    require_one_metric_crs(views, demands)
    require_areas(views, "视域", "views")
    tree = shapely.STRtree(demands.to_numpy())
    view, demand = tree.query(views.to_numpy(), predicate="intersects")
    shape = (len(views), len(demands))
    covers = csr_array((np.ones(len(view)), (view, demand)), shape=shape)
    covers.sort_indices()
    return covers


def _bearings(bearings_deg: ArrayLike) -> NDArray[np.float64]:
    read = np.asarray(bearings_deg, dtype=np.float64)
    if read.ndim != 1 or not np.isfinite(read).all():
        raise CoverageRefused(
            "azimuth-missing", "方位角须为有限数列表", "bearings_deg must be a list of numbers"
        )
    return np.mod(read, 360.0)


def _require_sight(range_m: float, view_angle_deg: float) -> None:
    if not (np.isfinite(range_m) and range_m >= 0.0):
        raise CoverageRefused(
            "range-out-of-bounds",
            "可视距离须为 0 或正的有限数（米）",
            "range_m must be finite and not negative",
        )
    if not 0.0 < view_angle_deg <= 360.0:
        raise CoverageRefused(
            "view-angle-out-of-bounds",
            "视场角须大于 0 且不超过 360 度",
            "view_angle_deg must be over 0 and up to 360",
        )
