"""Visibility: the exact ground that each camera sees among buildings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import (
    CoverageRefused,
    is_placed,
    refuse_rows,
    require_areas,
    require_one_metric_crs,
)
from layers.coverage.outlines import outlines
from layers.coverage.walls import Bools, Ints, Walls, walls_of
from layers.coverage.wedges import (
    TURN_RAD,
    Sight,
    candidates,
    facing_pieces,
    shut_directions,
    touching,
    wedges,
)

# pairs of a camera and a wall held at once: some 40 MB
PAIRS_AT_ONCE = 100_000
NUMBERS = ("azimuth_deg", "view_angle_deg", "range_m")
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
    _require_cameras(cameras)
    sight, shapes = _sight(cameras), buildings.geometry.to_numpy()
    views = _views(sight, shapes)
    return GeoSeries(views, index=cameras.index, crs=cameras.crs)


def _require_cameras(cameras: GeoDataFrame) -> None:
    lacking = [name for name in NUMBERS if name not in cameras.columns]
    if lacking:
        words = ", ".join(lacking)
        raise CoverageRefused(
            "column-missing", f"摄像机缺少列：{words}", f"cameras lack columns: {words}"
        )
    azimuth_deg, angle_deg, range_m = (_numbers(cameras, name) for name in NUMBERS)
    no_bearing = ~np.isfinite(azimuth_deg) & ((angle_deg < 360) | np.isinf(azimuth_deg))
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
    azimuth_deg, angle_deg, range_m = (_numbers(cameras, name) for name in NUMBERS)
    all_round = angle_deg >= 360
    # a bearing turns clockwise from north, the sweep counter-clockwise from east
    right_deg = np.mod(90.0 - np.mod(azimuth_deg, 360.0) - angle_deg / 2, 360.0)
    start_rad = np.where(all_round, 0.0, np.deg2rad(right_deg))
    turn_rad = np.where(all_round, TURN_RAD, np.deg2rad(angle_deg))
    return Sight(shapely.get_coordinates(cameras.geometry.to_numpy()), start_rad, turn_rad, range_m)


def _views(sight: Sight, shapes: NDArray[Any]) -> NDArray[Any]:
    walls = walls_of(shapes)
    x, y = sight.xy.T
    reach = sight.range_m
    squares = shapely.box(x - reach, y - reach, x + reach, y + reach)
    camera, building = shapely.STRtree(shapes).query(squares)
    order = np.lexsort((building, camera))
    camera, building = camera[order], building[order]
    inside = shapely.contains_xy(shapes[building], x[camera], y[camera])
    views = np.full(len(x), shapely.Polygon(), dtype=object)
    for batch in _batches(camera, building, walls, len(x)):
        mine = slice(*np.searchsorted(camera, [batch.start, batch.stop]))
        views[batch] = _batch_views(
            Sight(sight.xy[batch], sight.start_rad[batch], sight.turn_rad[batch], reach[batch]),
            walls,
            camera[mine] - batch.start,
            building[mine],
            inside[mine],
        )
    return views


def _batches(camera: Ints, building: Ints, walls: Walls, cameras: int) -> list[slice]:
    """Cut the cameras into batches of about `PAIRS_AT_ONCE` pairs of a camera and a wall."""
    size = np.bincount(walls.building, minlength=int(building.max(initial=0)) + 1)
    pairs = np.bincount(camera, size[building], minlength=cameras) + 1
    batch = np.cumsum(pairs) // PAIRS_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), cameras]
    return [slice(a, b) for a, b in pairwise(cuts) if a < b]


def _batch_views(
    sight: Sight, walls: Walls, camera: Ints, building: Ints, inside: Bools
) -> NDArray[Any]:
    near = candidates(sight, walls, camera, building)
    touch = touching(near)
    shut = shut_directions(near, touch, walls, sight)
    pieces = facing_pieces(near.without(touch), sight)
    views = outlines(sight, wedges(sight, pieces, shut), pieces)
    # rounding may put a camera on a wall a hair inside it; that is no reason to blind it
    key, touched = camera * len(walls.ring) + building, near.camera * len(walls.ring)
    on_wall = np.isin(key, (touched + walls.building[near.wall])[touch])
    views[camera[inside & ~on_wall]] = shapely.Polygon()
    views[sight.range_m == 0] = shapely.Polygon()
    return views
