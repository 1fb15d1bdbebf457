"""Visibility: the ground that each camera sees among buildings, exactly, for certain, possibly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.certain import certain_views
from layers.coverage.checks import (
    CoverageRefused,
    is_placed,
    refuse_rows,
    require_areas,
    require_one_metric_crs,
)
from layers.coverage.outlines import circumscribed, inscribed
from layers.coverage.possible import possible_views
from layers.coverage.sweep import swept_views
from layers.coverage.walls import Bools, Floats
from layers.coverage.wedges import TURN_RAD, Sight

ERRORS = ("azimuth_error_deg", "position_error_m")
NUMBERS = ("azimuth_deg", "view_angle_deg", "range_m")
UnsureViews = Callable[[Sight, Floats, Floats, NDArray[Any]], NDArray[Any]]
CAMERA_FAULTS = {
    "camera-unplaced": ("摄像机没有有效点位", "cameras must stand on a point"),
    "view-angle-out-of-bounds": (
        "视场角须大于 0 且不超过 360 度",
        "view_angle_deg must be over 0 and up to 360",
    ),
    "range-out-of-bounds": (
        "可视距离须为 0 或正的有限数（米）",
        "range_m must be finite and not negative",
    ),
    "azimuth-missing": (
        "非全向摄像机须有方位角",
        "azimuth_deg must be a number unless the camera looks all round",
    ),
    "error-out-of-bounds": (
        "方位误差与点位误差须为 0 或正的有限数",
        "azimuth_error_deg and position_error_m must be finite and not negative",
    ),
}


def visible_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera sees: its sector less all that buildings hide.

    Walls are opaque however high, courtyard walls too, and the ground is flat. Footprints may
    overlap, touch or repeat: they count as one building. The outline follows walls and shadow lines
    exactly; arcs are chords of equal area, so the polygon's area is that of the true shape and it
    reaches at most 0.1 % beyond the range. A sector without walls has ½·r²·θ.

    - A camera strictly inside a footprint sees nothing: POLYGON EMPTY. So does a range of 0.
    - A camera on a wall (nearer than 1 µm) looks outward only.
    - A camera in a courtyard sees the courtyard.
    - On a corner where two buildings touch it may see two parts, given as a MultiPolygon.

    Parameters
    ----------
    cameras
        Points in a metric CRS with ``azimuth_deg`` (centre of view, clockwise from north, any real
        number; NaN only when all round), ``view_angle_deg`` (over 0 up to 360 = all round) and
        ``range_m`` (0 or more).
    buildings
        Polygons or multipolygons in the same CRS; None and empty ones are passed over.

    Returns
    -------
    GeoSeries
        One valid polygon a camera, in the cameras' order, index and CRS.

    Raises
    ------
    CoverageRefused
        A ValueError that names the rows: CRS missing, not metric or not the same; a camera without
        a place; azimuth, angle or range out of bounds; a footprint invalid or not a polygon.

    Examples
    --------
    >>> wall = GeoSeries([shapely.box(-1000, 10, 1000, 20)], crs=4545)
    >>> columns = {"azimuth_deg": [0.0], "view_angle_deg": [90.0], "range_m": [50.0]}
    >>> camera = GeoDataFrame(columns, geometry=[shapely.Point(0, 0)], crs=4545)
    >>> visible_areas(camera, wall).area.round(6).tolist()
    [100.0]
    """
    require_one_metric_crs(cameras, buildings)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    require_cameras(cameras)
    sight, shapes = _sight(cameras), buildings.geometry.to_numpy()
    views = swept_views(sight, shapes)
    return GeoSeries(views, index=cameras.index, crs=cameras.crs)


def certain_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera sees wherever it stands and looks within its errors.

    The bearing lies within ``azimuth_error_deg`` of ``azimuth_deg``, the camera within
    ``position_error_m`` of its point and outside every building: positions inside footprints are
    no positions. The result is a subset of what `visible_areas` gives for each such bearing and
    position, and of the true circle: arcs are inscribed.

    - With an azimuth error alone it is the intersection, in a sector narrowed by twice the error.
    - With a position error too it is the worn sector less the penumbra of every wall; a building
      within the disc mostly leaves nothing, because it hides each side from the other.
    - Nothing where the error is as large as half the view angle or as the range, or where all
      positions lie inside buildings.

    Parameters
    ----------
    cameras
        As in `visible_areas`, with ``azimuth_error_deg`` and ``position_error_m``; a missing column
        or value counts as 0. Without a bearing the error must be 180.
    buildings
        As in `visible_areas`.

    Returns
    -------
    GeoSeries
        One valid polygon, multipolygon or POLYGON EMPTY a camera, in the cameras' order.

    Raises
    ------
    CoverageRefused
        As in `visible_areas`; an error that is negative or not finite.

    Examples
    --------
    >>> columns = {"azimuth_deg": [0.0], "view_angle_deg": [360.0], "range_m": [50.0]}
    >>> camera = GeoDataFrame(columns, geometry=[shapely.Point(0, 0)], crs=4545)
    >>> nothing = GeoSeries([], crs=4545)
    >>> certain_areas(camera.assign(position_error_m=10.0), nothing).area.round(-1).tolist()
    [5020.0]
    """
    return _unsure_areas(cameras, buildings, _certain)


def possible_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera sees from some place and bearing within its errors.

    A superset of what `visible_areas` gives for each bearing and position that `certain_areas`
    speaks of, and of the true circle: arcs are circumscribed.

    - With an azimuth error alone it is the union, in a sector widened by twice the error.
    - With a position error too it is the view from the edges of a polygon of 64 sides round the
      disc, each short edge taken whole.
    - Nothing where all positions lie inside buildings.

    Parameters, result and errors are those of `certain_areas`.

    Examples
    --------
    >>> columns = {"azimuth_deg": [0.0], "view_angle_deg": [360.0], "range_m": [50.0]}
    >>> camera = GeoDataFrame(columns, geometry=[shapely.Point(0, 0)], crs=4545)
    >>> nothing = GeoSeries([], crs=4545)
    >>> possible_areas(camera.assign(position_error_m=10.0), nothing).area.round(-1).tolist()
    [11310.0]
    """
    return _unsure_areas(cameras, buildings, _possible)


def _unsure_areas(
    cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame, views: UnsureViews
) -> GeoSeries:
    require_one_metric_crs(cameras, buildings)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    azimuth_error_deg, error_m = (_errors(cameras, name) for name in ERRORS)
    require_cameras(cameras, bearing_unknown=azimuth_error_deg >= 180)
    sight, shapes = _sight(cameras), buildings.geometry.to_numpy()
    found = views(sight, np.deg2rad(azimuth_error_deg), error_m, shapes)
    return GeoSeries(found, index=cameras.index, crs=cameras.crs)


def _certain(
    sight: Sight, error_rad: Floats, error_m: Floats, shapes: NDArray[Any]
) -> NDArray[Any]:
    all_round = sight.turn_rad >= TURN_RAD
    turn_rad = np.where(all_round, TURN_RAD, sight.turn_rad - 2 * error_rad)
    field = Sight(sight.xy, sight.start_rad + error_rad, turn_rad, sight.range_m)
    views = np.full(len(error_m), shapely.Polygon(), dtype=object)
    still, moved = (turn_rad > 0) & (error_m == 0), (turn_rad > 0) & (error_m > 0)
    views[still] = swept_views(field.some(still), shapes, inscribed)
    views[moved] = certain_views(field.some(moved), error_m[moved], shapes)
    return views


def _possible(
    sight: Sight, error_rad: Floats, error_m: Floats, shapes: NDArray[Any]
) -> NDArray[Any]:
    turn_rad = np.minimum(sight.turn_rad + 2 * error_rad, TURN_RAD)
    start_rad = np.where(turn_rad < TURN_RAD, sight.start_rad - error_rad, 0.0)
    field = Sight(sight.xy, start_rad, turn_rad, sight.range_m)
    views = np.full(len(error_m), shapely.Polygon(), dtype=object)
    still, moved = error_m == 0, (error_m > 0) & (sight.range_m > 0)
    views[still] = swept_views(field.some(still), shapes, circumscribed)
    views[moved] = possible_views(field.some(moved), error_m[moved], shapes)
    return views


def _errors(cameras: GeoDataFrame, name: str) -> Floats:
    if name not in cameras.columns:
        return np.zeros(len(cameras))
    error = _numbers(cameras, name)
    wrong = (error < 0) | np.isinf(error)
    refuse_rows(wrong, cameras, "error-out-of-bounds", *CAMERA_FAULTS["error-out-of-bounds"])
    return np.nan_to_num(error)


def require_cameras(cameras: GeoDataFrame, *, bearing_unknown: Bools | bool = False) -> None:
    """Refuse cameras as `visible_areas` does; no bearing is needed where it is unknown by intent.

    Raises
    ------
    CoverageRefused
    """
    lacking = [name for name in NUMBERS if name not in cameras.columns]
    if lacking:
        words = ", ".join(lacking)
        raise CoverageRefused(
            "column-missing", f"摄像机缺少列：{words}", f"cameras lack columns: {words}"
        )
    azimuth_deg, angle_deg, range_m = (_numbers(cameras, name) for name in NUMBERS)
    needed = (angle_deg < 360) & ~np.asarray(bearing_unknown)
    no_bearing = ~np.isfinite(azimuth_deg) & (needed | np.isinf(azimuth_deg))
    for code, wrong in (
        ("camera-unplaced", ~is_placed(cameras.geometry.to_numpy())),
        ("view-angle-out-of-bounds", ~((angle_deg > 0) & (angle_deg <= 360))),
        ("range-out-of-bounds", ~(np.isfinite(range_m) & (range_m >= 0))),
        ("azimuth-missing", no_bearing),
    ):
        refuse_rows(wrong, cameras, code, *CAMERA_FAULTS[code])


def _numbers(cameras: GeoDataFrame, name: str) -> NDArray[np.float64]:
    return cameras[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _sight(cameras: GeoDataFrame) -> Sight:
    numbers = (_numbers(cameras, name) for name in NUMBERS)
    return sight_of(shapely.get_coordinates(cameras.geometry.to_numpy()), *numbers)


def sight_of(xy: Floats, azimuth_deg: Floats, angle_deg: Floats, range_m: Floats) -> Sight:
    """Return cameras as they are swept; numbers as in `visible_areas`, unchecked."""
    all_round = angle_deg >= 360
    # a bearing turns clockwise from north, the sweep counter-clockwise from east
    right_deg = np.mod(90.0 - np.mod(azimuth_deg, 360.0) - angle_deg / 2, 360.0)
    start_rad = np.where(all_round, 0.0, np.deg2rad(right_deg))
    turn_rad = np.where(all_round, TURN_RAD, np.deg2rad(angle_deg))
    return Sight(xy, start_rad, turn_rad, range_m)
