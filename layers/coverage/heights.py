"""Heights: what cameras on high see over low buildings, and not right below themselves.

Optional: `visible_areas` takes every wall as endless. Here the ground is flat, a camera hangs
``height_m`` above it, and a building hides the ground behind it only as far as its roof reaches
into the line of sight: a wall of height h at distance d from a camera of height H throws a shadow
of length h·d / (H − h).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from grid_boundaries.topology import polygons_only
from layers.coverage.checks import refuse_rows, require_areas
from layers.coverage.positions import NODING_M, polygon_of
from layers.coverage.sectors import QUARTER
from layers.coverage.visibility import visible_areas
from layers.coverage.walls import Floats, Walls, cross, walls_of


def raised_areas(cameras: GeoDataFrame, buildings: GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera sees from its height over the roofs of lower buildings.

    Parameters
    ----------
    cameras
        As in `visible_areas`, with ``height_m`` above the ground; 0 where missing. A camera above
        the roof it stands on looks over its edge. With ``tilt_deg`` (of the axis, down from
        level) and ``vertical_angle_deg`` the ground nearer than `near_blind_m` and beyond `far_m`
        is left out, where both are told.
    buildings
        Footprints with ``height_m``; missing heights, and roofs as high as the camera or higher,
        hide all behind them.

    Returns
    -------
    GeoSeries
        One valid polygon or multipolygon a camera, in the cameras' order, index and CRS; never less
        than `visible_areas` where nothing is told of the lens.

    Raises
    ------
    CoverageRefused
        As in `visible_areas`; a height that is negative or endless.
    """
    height_m, roof_m = _heights(cameras, 0.0), _heights(buildings, np.inf)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    shapes = buildings.geometry.to_numpy()
    views = np.full(len(cameras), shapely.Polygon(), dtype=object)
    # cameras of one height see the same buildings as endless
    for height in np.unique(height_m):
        rows, low = height_m == height, roof_m < height
        endless = GeoSeries(shapes[~low], crs=buildings.crs)
        mine = GeoDataFrame(cameras[rows])
        open_views = visible_areas(mine, endless).to_numpy()
        views[rows] = _less_shadows(mine, open_views, shapes[low], roof_m[low], float(height))
    return GeoSeries(_less_blind(cameras, height_m, views), index=cameras.index, crs=cameras.crs)


def near_blind_m(height_m: Floats, tilt_deg: Floats, vertical_angle_deg: Floats) -> Floats:
    """Return within which distance on the ground a camera is blind: below its lowest ray.

    0 where the lowest ray points straight down or behind; endless where it does not point down.

    Parameters
    ----------
    height_m
        Of the lens above the ground.
    tilt_deg
        Of the axis, down from level.
    vertical_angle_deg
        Vertical field of view.

    Examples
    --------
    >>> near_blind_m(np.array([5.0]), np.array([30.0]), np.array([30.0])).round(6).tolist()
    [5.0]
    """
    return _ground_m(height_m, tilt_deg + vertical_angle_deg / 2)


def far_m(height_m: Floats, tilt_deg: Floats, vertical_angle_deg: Floats) -> Floats:
    """Return beyond which distance on the ground a camera is blind: above its highest ray.

    Parameters as in `near_blind_m`; endless where the highest ray does not point down.
    """
    return _ground_m(height_m, tilt_deg - vertical_angle_deg / 2)


def _ground_m(height_m: Floats, down_deg: Floats) -> Floats:
    down = np.clip(down_deg, 0.0, 90.0)
    endless = down <= 0
    length_m = height_m / np.tan(np.deg2rad(np.where(endless, 45.0, down)))
    found: Floats = np.where(endless, np.inf, np.where(down >= 90, 0.0, length_m))
    return found


def shadows(xy: Floats, height_m: float, walls: Walls, roof_m: Floats) -> NDArray[Any]:
    """Return the ground that each wall hides from a camera above its roof.

    A point is hidden when it lies between a wall and the wall's image, blown up about the camera by
    H / (H − h). Only walls turned away count, whose image lies beyond the building.

    Parameters
    ----------
    xy
        ``[2]`` the camera.
    height_m
        Of the camera, over every roof.
    walls
        As from `walls_of`.
    roof_m
        ``[n]`` height of each wall's roof.
    """
    p, q = walls.start - xy, walls.end - xy
    away = cross(p, q) > 0
    p, q = p[away], q[away]
    blown = (height_m / (height_m - roof_m[away]))[:, None]
    polygons: NDArray[Any] = np.asarray(
        shapely.polygons(np.stack([p, q, q * blown, p * blown], axis=1) + xy)
    )
    return polygons


def _less_shadows(
    cameras: GeoDataFrame,
    views: NDArray[Any],
    shapes: NDArray[Any],
    roof_m: Floats,
    height_m: float,
) -> NDArray[Any]:
    if not len(shapes):
        return views
    tree = shapely.STRtree(shapes)
    left = views.copy()
    # each camera throws shadows of its own
    for row, (place, view) in enumerate(zip(cameras.geometry, views, strict=True)):
        near = np.sort(tree.query(view, "intersects"))
        # each by itself, because roofs differ where footprints overlap
        walls = [walls_of(shapes[[one]]) for one in near]
        at = shapely.get_coordinates(place)[0]
        dark = [
            shadows(at, height_m, some, np.full(len(some.ring), roof_m[one]))
            for one, some in zip(near, walls, strict=True)
        ]
        hidden = shapely.union_all(
            [*shapes[near], *np.concatenate([[], *dark])], grid_size=NODING_M
        )
        left[row] = polygon_of(shapely.difference(view, hidden))
    return left


def _less_blind(cameras: GeoDataFrame, height_m: Floats, views: NDArray[Any]) -> NDArray[Any]:
    """Cut views to between the nearest and the farthest ground that the lens takes in."""
    tilt_deg, angle_deg = (_told(cameras, name) for name in ("tilt_deg", "vertical_angle_deg"))
    rows = np.flatnonzero(np.isfinite(tilt_deg) & np.isfinite(angle_deg))
    lens = height_m[rows], tilt_deg[rows], angle_deg[rows]
    # an endless distance is one beyond every view
    beyond_m = 2 * cameras["range_m"].to_numpy(dtype=np.float64)[rows] + 1
    near, far = (np.minimum(some, beyond_m) for some in (near_blind_m(*lens), far_m(*lens)))
    here = cameras.geometry.to_numpy()[rows]
    blind, taken = (shapely.buffer(here, some, quad_segs=QUARTER) for some in (near, far))
    cut = views.copy()
    cut[rows] = polygons_only(shapely.difference(shapely.intersection(views[rows], taken), blind))
    return cut


def _told(frame: GeoDataFrame, name: str) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _heights(frame: GeoDataFrame, absent_m: float) -> Floats:
    height_m = _told(frame, "height_m")
    refuse_rows(
        np.isinf(height_m) | (height_m < 0),
        frame,
        "height-out-of-bounds",
        "高度须为 0 或正的有限数（米）",
        "height_m must be finite and not negative",
    )
    return np.where(np.isnan(height_m), absent_m, height_m)
