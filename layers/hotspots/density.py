"""Surfaces of how densely incidents lie, in metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numba
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from shapely import MultiPolygon, Polygon

from grid_boundaries.errors import Refused, TooLarge

Floats = NDArray[np.float64]

REACH = 6.0
"""Bandwidths from a point after which its kernel (under 2e-8 of its peak) is left out."""

FINE_STEPS = 4.0
"""Inner cells per bandwidth at least; the surface is computed on these."""

MOST_CELLS = 30_000_000

LEAST_SHARE = 0.01
"""Share of a kernel that counts as inside at least: slivers would make mountains of a point."""


def kde(
    xy_m: ArrayLike,
    *,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
    bandwidth_m: float,
    weights: ArrayLike | None = None,
    within: Polygon | MultiPolygon | None = None,
) -> Floats:
    """Return incidents per square metre around the middle of each cell, by a Gaussian kernel.

    The points are shared out to an inner grid by cubic interpolation, and the grid is convolved
    in frequency space: within 0.1 % of the surface's peak of adding up every kernel. Points
    outside `bounds` count as far as their kernels reach in, and none wraps round an edge.

    Within a boundary every kernel is raised by the share of it that lies inside, so that nothing
    leaks out (Diggle 1985, Applied Statistics 34:138-147): an even spread then has 69 % of its
    height on a straight rim itself, not 50 %, and all incidents are kept.

    Parameters
    ----------
    xy_m
        Places in a metric CRS, shape (n, 2), finite.
    bounds
        West, south, east, north, metres.
    shape
        Rows and columns; row 0 is the southernmost.
    bandwidth_m
        Standard deviation of the kernel, metres.
    weights
        One number per point, shape (n,); 1 each where None.
    within
        Boundary in the same CRS, valid: points outside are left out, and the surface is 0 there.
        A share under `LEAST_SHARE` counts as that.

    Returns
    -------
    ndarray
        Shape `shape`, per m²: the sum times the area of a cell is the total weight of points
        whose kernels lie inside; of all points `within`, where the cells are finer than a quarter
        of the bandwidth and cover it.

    Raises
    ------
    Refused
        ``kde-degrees`` for bounds that fit into ±180 by ±90, ``kde-settings`` for an empty box,
        no cells or no bandwidth, ``kde-points``; `TooLarge` for a bandwidth far under a cell.
    """
    points, amounts = _readable(xy_m, weights)
    _refuse_settings(bounds, shape, bandwidth_m)
    if within is not None:
        inside = _inside(within, points)
        points, amounts = points[inside], amounts[inside]
    rows = _axis(bounds[1], bounds[3], shape[0], bandwidth_m)
    columns = _axis(bounds[0], bounds[2], shape[1], bandwidth_m)
    if rows.length * float(columns.length) > MOST_CELLS:
        raise TooLarge(
            "kde-cells",
            "带宽相对格子过小或范围过大；请加大带宽或减少格数",
            "the bandwidth is too small for this box; raise it or ask for fewer cells",
            bandwidth_m=bandwidth_m,
        )
    kernels = rows.kernel(bandwidth_m), columns.kernel(bandwidth_m)
    places = rows.places(points[:, 1]), columns.places(points[:, 0])
    ground = np.ones((1, 1)) if within is None else _ground(within, rows, columns)
    if within is not None:
        share = np.empty(len(points))
        _read_off(_smooth(ground, *kernels), *places, share)
        amounts = amounts / np.maximum(share, LEAST_SHARE)
    table = np.zeros((rows.length, columns.length))
    _share_out(table, *places, amounts)
    smooth = _smooth(table, *kernels) * ground
    wanted = smooth[rows.middles(shape[0])][:, columns.middles(shape[1])]
    return np.asarray(wanted / (rows.step_m * columns.step_m), dtype=np.float64)


def _inside(within: Polygon | MultiPolygon, points: Floats) -> NDArray[np.bool_]:
    """Return which points lie in a boundary or on it."""
    shapely.prepare(within)
    return np.asarray(shapely.intersects_xy(within, points), dtype=np.bool_)


def _ground(within: Polygon | MultiPolygon, rows: _Axis, columns: _Axis) -> Floats:
    """Return 1 for the inner cells whose middle lies in a boundary, 0 for the others."""
    x, y = np.meshgrid(columns.all_middles_m(), rows.all_middles_m())
    middles = np.column_stack([x.ravel(), y.ravel()])
    return _inside(within, middles).reshape(x.shape).astype(np.float64)


def _smooth(table: Floats, down: Floats, across: Floats) -> Floats:
    """Return a table convolved with a kernel, given by its share at each frequency."""
    spectrum = fft.rfft2(table)
    spectrum *= down[:, None]
    spectrum *= across[None, : spectrum.shape[1]]
    return fft.irfft2(spectrum, s=table.shape)


@dataclass(frozen=True)
class _Axis:
    """One side of the inner grid: an odd number of steps a cell, room for the kernel's reach."""

    start_m: float
    step_m: float
    margin: int
    fine: int
    length: int

    def places(self, coordinates_m: Floats) -> Floats:
        """Return coordinates in steps from the middle of the first inner cell."""
        return (coordinates_m - self.start_m) / self.step_m - 0.5 + self.margin

    def kernel(self, bandwidth_m: float) -> Floats:
        """Return the kernel's share that is left at each frequency."""
        cycles = fft.fftfreq(self.length) * (bandwidth_m / self.step_m)
        return np.asarray(np.exp(-2.0 * (np.pi * cycles) ** 2), dtype=np.float64)

    def all_middles_m(self) -> Floats:
        """Return the middles of the inner cells, metres."""
        steps = np.arange(self.length) - self.margin + 0.5
        return np.asarray(self.start_m + steps * self.step_m, dtype=np.float64)

    def middles(self, cells: int) -> slice:
        """Return where the middles of the outer cells stand."""
        first = self.margin + self.fine // 2
        return slice(first, first + cells * self.fine, self.fine)


def _axis(start_m: float, end_m: float, cells: int, bandwidth_m: float) -> _Axis:
    """Lay out one side of the inner grid."""
    cell_m = (end_m - start_m) / cells
    fine = max(ceil(FINE_STEPS * cell_m / bandwidth_m), 1)
    fine += 1 - fine % 2
    step_m = cell_m / fine
    margin = ceil(REACH * bandwidth_m / step_m) + 2
    length = cells * fine + 2 * margin
    # past the limit the length only has to say so
    return _Axis(start_m, step_m, margin, fine, fft.next_fast_len(min(length, MOST_CELLS + 1)))


def _share_out_plain(table: Floats, rows: Floats, columns: Floats, amounts: Floats) -> None:
    """Add each point to the 4 x 4 inner cells around it by cubic Lagrange weights.

    Sums, means and the next two moments of every point are kept; points whose cells are not all
    in the table are too far away to be seen.
    """
    by_row, by_column = np.empty(4), np.empty(4)
    for point in range(amounts.size):
        row, column = np.floor(rows[point]), np.floor(columns[point])
        if 1 <= row < table.shape[0] - 2 and 1 <= column < table.shape[1] - 2:
            _lagrange(by_row, rows[point] - row)
            _lagrange(by_column, columns[point] - column)
            south, west = int(row) - 1, int(column) - 1
            for i in range(4):
                for j in range(4):
                    table[south + i, west + j] += amounts[point] * by_row[i] * by_column[j]


def _read_off_plain(table: Floats, rows: Floats, columns: Floats, values: Floats) -> None:
    """Set the table's value at each point by the same weights; 1 for points too far away."""
    by_row, by_column = np.empty(4), np.empty(4)
    for point in range(values.size):
        values[point] = 1.0
        row, column = np.floor(rows[point]), np.floor(columns[point])
        if 1 <= row < table.shape[0] - 2 and 1 <= column < table.shape[1] - 2:
            _lagrange(by_row, rows[point] - row)
            _lagrange(by_column, columns[point] - column)
            values[point] = 0.0
            for i in range(4):
                across = table[int(row) - 1 + i, int(column) - 1 : int(column) + 3]
                values[point] += by_row[i] * np.sum(by_column * across)


def _lagrange_plain(weights: Floats, part: float) -> None:
    """Set the weights of the places -1, 0, 1, 2 for a point `part` of the way from 0 to 1."""
    weights[0] = -part * (part - 1.0) * (part - 2.0) / 6.0
    weights[1] = (part + 1.0) * (part - 1.0) * (part - 2.0) / 2.0
    weights[2] = -(part + 1.0) * part * (part - 2.0) / 2.0
    weights[3] = (part + 1.0) * part * (part - 1.0) / 6.0


_lagrange: Callable[[Floats, float], None] = numba.njit(cache=True)(_lagrange_plain)
_share_out: Callable[[Floats, Floats, Floats, Floats], None] = numba.njit(cache=True)(
    _share_out_plain
)
_read_off: Callable[[Floats, Floats, Floats, Floats], None] = numba.njit(cache=True)(
    _read_off_plain
)


def _readable(xy_m: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    """Read finite points and one finite weight each."""
    points = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    amounts = np.ones(len(points)) if weights is None else np.asarray(weights, dtype=np.float64)
    fine = amounts.shape == (len(points),) and bool(np.isfinite(amounts).all())
    if not (fine and np.isfinite(points).all()):
        raise Refused(
            "kde-points",
            "每个点需要坐标和权重，且不得缺失",
            "every point needs a place and a weight, none missing",
        )
    return points, amounts


def _refuse_settings(
    bounds: tuple[float, float, float, float], shape: tuple[int, int], bandwidth_m: float
) -> None:
    """Refuse a box in degrees, an empty box, no cells, no bandwidth."""
    if (np.abs(bounds) <= [180.0, 90.0, 180.0, 90.0]).all():
        raise Refused(
            "kde-degrees",
            "范围像是经纬度；请先转换为以米为单位的坐标系",
            "the bounds look like degrees; convert to a metric CRS first",
            bounds=list(bounds),
        )
    west, south, east, north = bounds
    is_box = np.isfinite(bounds).all() and west < east and south < north
    if not (is_box and min(shape) >= 1 and 0.0 < bandwidth_m < np.inf):
        raise Refused(
            "kde-settings",
            "范围必须非空，格数至少为 1，带宽必须大于 0",
            "the box must not be empty, with at least one cell and a bandwidth over 0",
            bounds=[str(edge) for edge in bounds],
            bandwidth_m=str(bandwidth_m),
        )
