"""Levels of cover: which shapes are seen for certain, as assumed, possibly.

The answers are those of `certain_areas`, `visible_areas` and `possible_areas`. Exact bounds of a
camera whose place is known within many metres are dear, so they are drawn only where cheaper facts
leave a question: positions that share no ground rule certain sight out, and a free place right in
front of a shape shows that it may be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import (
    refuse_rows,
    require_areas,
    require_one_metric_crs,
)
from layers.coverage.facade_looks import AHEAD_M, free_looks
from layers.coverage.figures import TOLERANCE_M, is_seen
from layers.coverage.positions import NODING_M, corners_round
from layers.coverage.visibility import (
    CAMERA_FAULTS,
    ERRORS,
    certain_areas,
    possible_areas,
    require_cameras,
    visible_areas,
)
from layers.coverage.walls import Bools, Floats, Ints

LEVELS = ("certain", "assumed", "possible")
# a shape with buildings so far round it on all sides is out of sight
WALLED_M = 0.25
# so many places of a camera are tried before it is drawn exactly, and so many at a time
PLACES, AT_ONCE = 40, 8
# cameras drawn exactly at a time: what they see need not be looked for by the next ones
BATCH = 100
# the drawn arcs of possible views stand out by less than this share of range and error
OVER = 0.01


def seen_levels(
    shapes: GeoSeries,
    cameras: GeoDataFrame,
    buildings: GeoSeries,
    *,
    known: pd.DataFrame | None = None,
    settled: bool = True,
) -> pd.DataFrame:
    """Return which points or footprints are seen, by level: certain, assumed, possible.

    What is seen for certain counts as assumed, and what is assumed as possible, also where arcs
    that are drawn differently part them by a hair.

    Parameters
    ----------
    shapes
        What is to be seen; a view must come within `TOLERANCE_M`.
    cameras
        As in `certain_areas`. One whose bearing is unknown by intent (an azimuth error of 180 or
        more and no azimuth) sees nothing as assumed, and all round possibly.
    buildings
        Footprints, metres.
    known
        The answer for the same cameras with no longer ranges: what they see is seen still.
    settled
        Whether every open question is settled by an exact bound. If not, what is neither shown to
        be seen nor ruled out counts as possible: a ceiling still, and many times faster.

    Raises
    ------
    CoverageRefused
        As in `certain_areas`.
    """
    require_one_metric_crs(shapes, cameras, buildings)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    _require_errors(cameras)
    require_cameras(cameras, bearing_unknown=_error(cameras, "azimuth_error_deg") >= 180.0)
    if known is None:
        known = pd.DataFrame(False, index=shapes.index, columns=LEVELS)
    sure = cameras[may_be_certain(cameras, buildings)]
    views = certain_areas(sure, _near(buildings, sure))
    certain = known["certain"].to_numpy() | _seen(shapes, views)
    assumed = known["assumed"].to_numpy() | certain
    stated = cameras[is_stated(cameras)]
    assumed[~assumed] = _seen(_some(shapes, ~assumed), visible_areas(stated, buildings))
    possible = known["possible"].to_numpy() | assumed
    possible[~possible] = may_be_seen(_some(shapes, ~possible), cameras, buildings, settled=settled)
    columns = dict(zip(LEVELS, (certain, assumed, possible), strict=True))
    return pd.DataFrame(columns, index=shapes.index)


def is_stated(cameras: GeoDataFrame) -> pd.Series:
    """Return which cameras have a bearing, need none, or lack one that they should have."""
    stated = np.isfinite(_numbers(cameras, "azimuth_deg"))
    stated |= _numbers(cameras, "view_angle_deg") >= 360.0
    stated |= _error(cameras, "azimuth_error_deg") < 180.0
    return pd.Series(stated, index=cameras.index)


def may_be_certain(cameras: GeoDataFrame, buildings: GeoSeries) -> pd.Series:
    """Return which cameras might see anything for certain; the others see nothing so.

    All that a camera of up to half a turn sees from q lies ahead of q between two rays, and no
    farther than its range. Of places where it may stand, some are tried; where two rays of them
    cross beyond the range of a third, no ground is common to all.
    """
    half_deg = _numbers(cameras, "view_angle_deg") / 2 - _error(cameras, "azimuth_error_deg")
    all_round = _numbers(cameras, "view_angle_deg") >= 360.0
    may = (all_round | (half_deg > 0)) & (_numbers(cameras, "range_m") > 0)
    tried = may & ~all_round & (_error(cameras, "position_error_m") > 0) & (half_deg < 89.0)
    rows = np.flatnonzero(tried)
    xy, free = _places(cameras.iloc[rows], buildings)
    azimuth_rad = np.deg2rad(_numbers(cameras, "azimuth_deg")[rows])[:, None]
    ahead_m = xy[..., 0] * np.sin(azimuth_rad) + xy[..., 1] * np.cos(azimuth_rad)
    aside_m = xy[..., 0] * np.cos(azimuth_rad) - xy[..., 1] * np.sin(azimuth_rad)
    aside_m = aside_m / np.tan(np.deg2rad(half_deg[rows]))[:, None]
    left_m, right_m = (_most(ahead_m + way * aside_m, free) for way in (1, -1))
    farthest_m = _numbers(cameras, "range_m")[rows] - _most(-ahead_m, free)
    # where no place is free the exact view says so
    may[rows] = ~free.any(axis=1) | ((left_m + right_m) / 2 <= farthest_m)
    return pd.Series(may, index=cameras.index)


def may_be_seen(
    shapes: GeoSeries, cameras: GeoDataFrame, buildings: GeoSeries, *, settled: bool = True
) -> Bools:
    """Return which shapes come within `TOLERANCE_M` of some view of `possible_areas`.

    A ceiling as that is, and a little lower: what lies inside a house is not taken for seen, where
    a drawn bound reaches in by a hair, nor what does not see back. For `settled` see `seen_levels`.
    """
    able = cameras[_numbers(cameras, "range_m") > AHEAD_M]
    seen = _faced(shapes, able, buildings)
    pairs = _within_reach(cameras, shapes)
    left = np.unique(pairs.shape[~seen[pairs.shape]])
    open_to = left[~walled_in(_some(shapes, left), buildings)]
    pairs = pairs.some(np.isin(pairs.shape, open_to))
    if not settled:
        seen[pairs.shape] = True
        return seen
    away, _ = _places(cameras, buildings)
    unsure = pairs.some(_error(cameras, "position_error_m")[pairs.camera] > 0)
    for first in range(0, PLACES, AT_ONCE):
        rows, near = unsure.of(~seen)
        some = away[rows, first : first + AT_ONCE]
        views = _views_from(cameras.iloc[rows], some, buildings)
        seen[near] = _seen(_some(shapes, near), views)
    pairs = pairs.some(~seen[pairs.shape])
    pairs = pairs.some(_seen_back(cameras, shapes, buildings, pairs))
    # those near most shapes first, because one view settles shapes of many cameras
    order = np.argsort(-np.bincount(pairs.camera, minlength=len(cameras)), kind="stable")
    for batch in np.array_split(order, max(1, -(-len(order) // BATCH))):
        rows, near = pairs.some(np.isin(pairs.camera, batch)).of(~seen)
        seen[near] = _seen(_some(shapes, near), _exact(cameras.iloc[rows], buildings))
    return seen


@dataclass(frozen=True)
class Pairs:
    """Which camera might see which shape, both by number."""

    camera: Ints
    shape: Ints

    def some(self, kept: Bools) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.camera[kept], self.shape[kept])

    def of(self, asked: Bools) -> tuple[Ints, Ints]:
        """Return the cameras and the shapes of the pairs whose shape is asked for."""
        here = asked[self.shape]
        return np.unique(self.camera[here]), np.unique(self.shape[here])


def _views_from(cameras: GeoDataFrame, away: Floats, buildings: GeoSeries) -> GeoSeries:
    """Return what cameras see from places ``[n, k, 2]`` off their points, whatever their bearing.

    All of it is possible, for it is seen from one place at one bearing or another.
    """
    each = np.repeat(np.arange(len(cameras)), away.shape[1])
    xy = shapely.get_coordinates(cameras.geometry.to_numpy())[each] + away.reshape(-1, 2)
    angle_deg = np.clip(2 * _half_deg(cameras), 0.0, 360.0)
    told = {"view_angle_deg": angle_deg[each]} | {
        name: _numbers(cameras, name)[each] for name in ("azimuth_deg", "range_m")
    }
    # all round, no bearing is asked
    moved = GeoDataFrame(told, geometry=np.asarray(shapely.points(xy)), crs=cameras.crs)
    return visible_areas(moved, _near(buildings, moved))


def _seen_back(
    cameras: GeoDataFrame,
    shapes: GeoSeries,
    buildings: GeoSeries,
    pairs: Pairs,
) -> Bools:
    """Return for pairs whether the shape's surroundings see where the camera may stand.

    Sight goes both ways: a place from which the shape is seen is seen from the circle round it.
    """
    rows, own = np.unique(pairs.shape, return_inverse=True)
    if len(rows) > len(np.unique(pairs.camera)):
        # dearer than the views that it would save
        return np.ones(len(own), dtype=np.bool_)
    circles = shapely.minimum_bounding_circle(shapes.to_numpy()[rows])
    radius_m = shapely.minimum_bounding_radius(shapes.to_numpy()[rows])
    told = {
        "azimuth_deg": np.zeros(len(rows)),
        "view_angle_deg": 360.0,
        "range_m": _numbers(cameras, "range_m").max(initial=0.0) * (1 + OVER),
        "position_error_m": radius_m + 2 * TOLERANCE_M,
    }
    middles = GeoDataFrame(told, geometry=np.asarray(shapely.centroid(circles)), crs=cameras.crs)
    ground = _exact(middles, buildings).to_numpy()
    far_m = _error(cameras, "position_error_m") * (1 + OVER) + TOLERANCE_M
    back_m = shapely.distance(ground[own], cameras.geometry.to_numpy()[pairs.camera])
    seen: Bools = back_m <= far_m[pairs.camera]
    return seen


def _exact(cameras: GeoDataFrame, buildings: GeoSeries) -> GeoSeries:
    return possible_areas(cameras, _near(buildings, cameras))


def _near(buildings: GeoSeries, cameras: GeoDataFrame) -> GeoSeries:
    """Return the buildings that could hide anything from one of the cameras."""
    reach_m = 1.1 * (_numbers(cameras, "range_m") + 2 * _error(cameras, "position_error_m"))
    near = shapely.STRtree(buildings.to_numpy()).query(
        cameras.geometry.to_numpy(), predicate="dwithin", distance=reach_m
    )[1]
    return _some(buildings, np.unique(near))


def walled_in(shapes: GeoSeries, buildings: GeoSeries) -> Bools:
    """Return which shapes have other buildings within `WALLED_M` all round: nobody sees them."""
    around = shapely.buffer(shapes.to_numpy(), WALLED_M, join_style="mitre")
    one, building = shapely.STRtree(buildings.to_numpy()).query(around, predicate="intersects")
    shut = np.zeros(len(shapes), dtype=np.bool_)
    starts = np.searchsorted(one, np.arange(len(shapes) + 1))
    # each has neighbours of its own
    for row in np.unique(one):
        own = buildings.to_numpy()[building[starts[row] : starts[row + 1]]]
        shut[row] = shapely.covers(shapely.union_all(own, grid_size=NODING_M), around[row])
    return shut


def _faced(shapes: GeoSeries, cameras: GeoDataFrame, buildings: GeoSeries) -> Bools:
    """Return which shapes a camera may see from right in front of them."""
    shape, eye, look_rad = free_looks(shapes.to_numpy(), buildings.to_numpy())
    point, error_m = cameras.geometry.to_numpy(), _error(cameras, "position_error_m")
    tree = shapely.STRtree(np.asarray(shapely.points(eye)))
    camera, one = tree.query(point, predicate="dwithin", distance=error_m)
    half_deg = _half_deg(cameras)
    azimuth_deg = np.nan_to_num(_numbers(cameras, "azimuth_deg"))
    turned_deg = np.rad2deg(look_rad)[one] - azimuth_deg[camera]
    # a disc without room is a place
    meets = np.abs(np.mod(turned_deg + 180.0, 360.0) - 180.0) <= half_deg[camera]
    meets &= error_m[camera] > 0
    found = np.zeros(len(shapes), dtype=np.bool_)
    found[shape[one[meets]]] = True
    return found


def _within_reach(cameras: GeoDataFrame, shapes: GeoSeries) -> Pairs:
    """Return the pairs that no distance and no bearing rules out."""
    error_m, range_m = _error(cameras, "position_error_m"), _numbers(cameras, "range_m")
    fields = _fields(cameras, np.minimum(_half_deg(cameras), 180.0), range_m * (1 + OVER))
    far_m = error_m * (1 + OVER) + TOLERANCE_M + OVER
    tree = shapely.STRtree(shapes.to_numpy())
    return Pairs(*tree.query(fields, predicate="dwithin", distance=far_m))


def _fields(cameras: GeoDataFrame, half_deg: Floats, range_m: Floats) -> NDArray[Any]:
    """Return the sectors of cameras, drawn round their arcs."""
    share = np.linspace(-1.0, 1.0, 49)
    angle = np.nan_to_num(_numbers(cameras, "azimuth_deg"))[:, None] + half_deg[:, None] * share
    out_m = range_m[:, None] / np.cos(np.deg2rad(half_deg[:, None] / 48))
    xy = shapely.get_coordinates(cameras.geometry.to_numpy())[:, None]
    way = np.stack([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))], axis=2)
    corners = np.concatenate([xy, xy + out_m[..., None] * way], axis=1)
    found: NDArray[Any] = np.asarray(shapely.polygons(corners))
    return found


def _places(cameras: GeoDataFrame, buildings: GeoSeries) -> tuple[Floats, Bools]:
    """Return ``[n, k, 2]`` places round the points of cameras, as offsets, and which are free."""
    error_m = _error(cameras, "position_error_m")
    nothing = np.zeros((len(cameras), 2))
    away = np.concatenate(
        [
            share * corners_round(nothing, error_m)[:, ::step] * np.cos(np.pi / 64)
            for share, step in ((0.999, 2), (0.5, 8), (0.0, 64))
        ],
        axis=1,
    )
    # neighbouring places see much the same, so they are tried far apart
    away = away[:, np.argsort(np.arange(41) * 16 % 41, kind="stable")]
    xy = shapely.get_coordinates(cameras.geometry.to_numpy())[:, None] + away
    built = shapely.STRtree(buildings.to_numpy()).query(
        shapely.points(xy.reshape(-1, 2)), predicate="intersects"
    )[0]
    free = np.ones(xy.shape[0] * xy.shape[1], dtype=np.bool_)
    free[built] = False
    return away, free.reshape(xy.shape[:2])


def _most(values: Floats, counted: Bools) -> Floats:
    return np.asarray(np.where(counted, values, -np.inf).max(axis=1, initial=-np.inf))


def _half_deg(cameras: GeoDataFrame) -> Floats:
    """Return how far off the stated bearing a camera may see."""
    half_deg: Floats = _numbers(cameras, "view_angle_deg") / 2
    return half_deg + _error(cameras, "azimuth_error_deg")


def _some(shapes: GeoSeries, rows: Bools | Ints) -> GeoSeries:
    return GeoSeries(shapes.to_numpy()[rows], index=shapes.index[rows], crs=shapes.crs)


def _seen(shapes: GeoSeries, views: GeoSeries) -> Bools:
    return is_seen(shapes, views).to_numpy()


def _require_errors(cameras: GeoDataFrame) -> None:
    """Refuse errors as `certain_areas` does, of all cameras: not all come to be drawn."""
    for name in ERRORS:
        error = _numbers(cameras, name) if name in cameras.columns else np.zeros(len(cameras))
        code = "error-out-of-bounds"
        refuse_rows((error < 0) | np.isinf(error), cameras, code, *CAMERA_FAULTS[code])


def _error(cameras: GeoDataFrame, name: str) -> Floats:
    if name not in cameras.columns:
        return np.zeros(len(cameras))
    return np.nan_to_num(_numbers(cameras, name))


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)
