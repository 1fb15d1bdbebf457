"""Terrain: the ground that ridges hide from a camera, from a grid of elevations.

Optional: without it every figure takes the ground as flat and is a ceiling (未计地形).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import CoverageRefused, refuse_rows, require_one_metric_crs
from layers.coverage.walls import Floats

# a line of sight is looked at twice in every cell it crosses
STEPS_PER_CELL = 2


@dataclass(frozen=True)
class Elevations:
    """Heights of the ground at the corners of a lattice, metres.

    Parameters
    ----------
    west_m, south_m
        Place of the first corner in the cameras' CRS.
    cell_m
        Distance of neighbouring corners, both ways.
    height_m
        ``[rows, columns]``, south to north and west to east; NaN where unknown. Between corners the
        ground is bilinear.
    """

    west_m: float
    south_m: float
    cell_m: float
    height_m: Floats

    def at(self, xy: Floats) -> Floats:
        """Return the height at points ``[..., 2]``; NaN outside the lattice."""
        rows, columns = self.height_m.shape
        place = (xy - (self.west_m, self.south_m)) / self.cell_m
        column, row = place[..., 0], place[..., 1]
        inside = (column >= 0) & (row >= 0) & (column <= columns - 1) & (row <= rows - 1)
        i = np.clip(np.nan_to_num(row), 0, rows - 2).astype(np.int64)
        j = np.clip(np.nan_to_num(column), 0, columns - 2).astype(np.int64)
        up, right = row - i, column - j
        low = self.height_m[i, j] * (1 - right) + self.height_m[i, j + 1] * right
        high = self.height_m[i + 1, j] * (1 - right) + self.height_m[i + 1, j + 1] * right
        found: Floats = np.where(inside, low * (1 - up) + high * up, np.nan)
        return found


def masked_ground(cameras: GeoDataFrame, ground: Elevations) -> GeoSeries:
    """Return the ground within each camera's range that a ridge hides from it.

    To be taken away from views. A cell of the lattice counts as hidden when the straight line from
    the lens to its middle passes below the ground between; unknown ground hides nothing.

    Parameters
    ----------
    cameras
        Points in a metric CRS with ``range_m`` and ``height_m`` above the ground (0 where missing).
    ground
        In the same CRS.

    Returns
    -------
    GeoSeries
        The hidden cells of each camera as one geometry, or POLYGON EMPTY; index and CRS as the
        cameras'. A camera off the lattice is hidden from nothing.

    Raises
    ------
    CoverageRefused
        CRS not metric; range or height negative or endless; a lattice of fewer than 2 × 2 corners.
    """
    require_one_metric_crs(cameras)
    _require_lattice(ground)
    range_m, height_m = (_metres(cameras, name) for name in ("range_m", "height_m"))
    xy = shapely.get_coordinates(cameras.geometry.to_numpy())
    # every camera has a window of its own
    hidden = [
        _hidden_cells(xy[row], float(range_m[row]), float(height_m[row]), ground)
        for row in range(len(cameras))
    ]
    return GeoSeries(hidden, index=cameras.index, crs=cameras.crs)


def _hidden_cells(xy: Floats, range_m: float, height_m: float, ground: Elevations) -> Any:
    middles = _middles(xy, range_m, ground)
    dark = middles[~_is_in_sight(xy, height_m, middles, ground)]
    half = ground.cell_m / 2
    x, y = dark.T
    cells = shapely.box(x - half, y - half, x + half, y + half)
    union = shapely.union_all(cells) if len(dark) else shapely.Polygon()
    return shapely.intersection(union, shapely.Point(xy).buffer(range_m, quad_segs=32))


def _middles(xy: Floats, range_m: float, ground: Elevations) -> Floats:
    """Return the middles of cells within the range (and half a diagonal)."""
    origin = np.array([ground.west_m, ground.south_m])
    rows, columns = ground.height_m.shape
    reach_m = range_m + ground.cell_m
    low = np.maximum(np.floor((xy - reach_m - origin) / ground.cell_m), 0)
    high = np.minimum(np.ceil((xy + reach_m - origin) / ground.cell_m), [columns - 1, rows - 1])
    columns_in, rows_in = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    lattice = np.stack(np.meshgrid(columns_in, rows_in), axis=-1).reshape(-1, 2)
    middles: Floats = origin + (lattice + 0.5) * ground.cell_m
    within: Floats = middles[np.hypot(*(middles - xy).T) <= reach_m]
    return within


def _is_in_sight(
    xy: Floats, height_m: float, targets: Floats, ground: Elevations
) -> NDArray[np.bool_]:
    """Return which points of the ground the straight line from the lens reaches above ground."""
    away = targets - xy
    farthest_m = float(np.hypot(*away.T).max(initial=0.0))
    steps = int(np.ceil(farthest_m / ground.cell_m * STEPS_PER_CELL)) + 1
    share = np.linspace(0, 1, steps + 1)[1:-1]
    eye_m = ground.at(xy) + height_m
    line_m = eye_m + (ground.at(targets) - eye_m)[:, None] * share
    between_m = ground.at(xy + away[:, None] * share[:, None])
    # rounding on a plane must hide nothing; comparing with unknown ground is false
    masks: NDArray[np.bool_] = between_m > line_m + 1e-9 * (1 + np.abs(line_m))
    return np.asarray(~masks.any(axis=1))


def _metres(cameras: GeoDataFrame, name: str) -> Floats:
    if name not in cameras.columns:
        return np.zeros(len(cameras))
    value = np.nan_to_num(cameras[name].to_numpy(dtype=np.float64, na_value=np.nan), posinf=-1.0)
    refuse_rows(
        value < 0,
        cameras,
        "metres-out-of-bounds",
        f"{name} 须为 0 或正的有限数（米）",
        f"{name} must be finite and not negative",
    )
    return np.asarray(value)


def _require_lattice(ground: Elevations) -> None:
    if ground.height_m.ndim != 2 or min(ground.height_m.shape) < 2 or not ground.cell_m > 0:
        raise CoverageRefused(
            "no-lattice",
            "高程格网至少要有 2 × 2 个格点，且格距大于 0",
            "elevations need a lattice of 2 × 2 corners or more and a cell over 0 m",
        )
