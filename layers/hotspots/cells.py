"""The cells incidents are counted in: hexes over an outline, and which cells are neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import Refused, TooLarge

Neighbours = sparse.csr_array[Any, tuple[int, int]]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

ROW_STEP = 3.0**0.5 / 2.0
"""Rows of hexes lie this many widths apart."""

NEIGHBOUR_STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))

MOST_CELLS = 1_000_000
"""More hexes than this are no map a person can read."""

KEY_SPAN = 2**31
"""Hex columns and rows lie within ± this; farther away is in no cell."""


@dataclass(frozen=True)
class PointCount:
    """Points per cell, and what happened to those that are in none.

    Parameters
    ----------
    counts
        Points in each cell, shape (cells,).
    cell
        Row of the cell of each point, shape (points,); -1 where it is in none.
    missing
        Points without a coordinate.
    outside
        Points with a coordinate that lie in no cell.
    duplicate
        Rows left out because their identity came before.
    coincident
        Counted points at exactly the place of an earlier counted point.
    """

    counts: Whole
    cell: Whole
    missing: int
    outside: int
    duplicate: int
    coincident: int


def hex_cells(outline: BaseGeometry, *, width_m: float, crs: Any = None) -> gpd.GeoDataFrame:
    """Return the hexes that share ground with `outline`, whole, not cut at it.

    Hexes stand on a corner. Column and row are counted from the origin of the metric CRS, so
    a hex keeps its name and place when the outline changes.

    Parameters
    ----------
    outline
        Polygon or multipolygon in metres, valid; empty gives no cells.
    width_m
        Distance of opposite sides, metres; the area is width² x √3 / 2.
    crs
        Metric CRS the result is labelled with.

    Returns
    -------
    GeoDataFrame
        ``column``, ``row`` (integers) and ``geometry``, ordered by row, then column.

    Raises
    ------
    Refused
        ``hex-width`` unless `width_m` is a positive number; `TooLarge` over `MOST_CELLS`.
    """
    _refuse_width(width_m)
    candidates = _candidates(outline.bounds, width_m) if not outline.is_empty else _no_hexes()
    hexes = hex_polygons(candidates, width_m=width_m)
    shapely.prepare(outline)
    kept = shapely.intersects(outline, hexes) & ~shapely.touches(outline, hexes)
    return gpd.GeoDataFrame(
        {"column": candidates[kept, 0], "row": candidates[kept, 1]},
        geometry=hexes[kept],
        crs=crs,
    )


def hex_of(xy_m: ArrayLike, *, width_m: float) -> Whole:
    """Return column and row of the hex each point lies in, shape (n, 2), without any geometry.

    Rounding in cube coordinates (Patel, "Hexagonal Grids", 2013). A point on a shared side
    always falls to the same one of the two hexes.

    Parameters
    ----------
    xy_m
        Finite coordinates, metres, shape (n, 2).
    width_m
        Distance of opposite sides, metres.
    """
    _refuse_width(width_m)
    points = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    # 1e200 m is a typing slip, in no cell, and no whole number either
    x, y = np.clip(points / width_m, -4.0 * KEY_SPAN, 4.0 * KEY_SPAN).T
    row = y / ROW_STEP
    column = x - row / 2.0
    third = -column - row
    cube = np.stack([column, row, third])
    rounded = np.rint(cube)
    error = np.abs(cube - rounded)
    worst = np.argmax(error, axis=0)
    column_fixed = np.where(worst == 0, -rounded[1] - rounded[2], rounded[0])
    row_fixed = np.where(worst == 1, -rounded[0] - rounded[2], rounded[1])
    return np.stack([column_fixed, row_fixed], axis=1).astype(np.int64)


def hex_polygons(places: Whole, *, width_m: float) -> NDArray[np.object_]:
    """Return the hexes of the columns and rows in `places`, shape (n, 2), as polygons in metres.

    Corners are computed from whole numbers, so neighbours share theirs to the last bit.
    """
    column, row = places[:, 0], places[:, 1]
    # corners in half widths eastward and sixths of √3 widths northward
    east = (2 * column + row)[:, None] + np.array([0, 1, 1, 0, -1, -1])
    north = (3 * row)[:, None] + np.array([2, 1, -1, -2, -1, 1])
    corners = np.stack([east * (width_m / 2.0), north * (width_m * ROW_STEP / 3.0)], axis=-1)
    return np.asarray(shapely.polygons(corners), dtype=np.object_)


def hex_neighbours(cells: gpd.GeoDataFrame) -> Neighbours:
    """Return which hexes share a side: a symmetric matrix of ones, the diagonal empty.

    Parameters
    ----------
    cells
        As from `hex_cells`: ``column`` and ``row``.
    """
    places = cells[["column", "row"]].to_numpy(dtype=np.int64)
    found = [_rows_of(places, places + np.array(step)) for step in NEIGHBOUR_STEPS]
    own = np.tile(np.arange(len(places)), len(NEIGHBOUR_STEPS))
    other = np.concatenate(found)
    return _matrix(own[other >= 0], other[other >= 0], len(places))


def contiguity(polygons: gpd.GeoSeries, *, tolerance_m: float = 0.0) -> Neighbours:
    """Return which polygons share an edge or a point ("queen"), the diagonal empty.

    Parameters
    ----------
    polygons
        One level of units or grids in a metric CRS; empty ones have no neighbours.
    tolerance_m
        Polygons no farther apart than this are neighbours too: outlines digitised twice.

    Returns
    -------
    csr_array
        Symmetric ones, shape (n, n), in the order of `polygons`.
    """
    shapes = np.asarray(polygons.array, dtype=np.object_)
    tree = shapely.STRtree(shapes)
    if tolerance_m > 0.0:
        own, other = tree.query(shapes, predicate="dwithin", distance=tolerance_m)
    else:
        own, other = tree.query(shapes, predicate="intersects")
    apart = own != other
    return _matrix(own[apart], other[apart], len(shapes))


def count_in_hexes(
    xy_m: ArrayLike, cells: gpd.GeoDataFrame, *, width_m: float, identity: ArrayLike | None = None
) -> PointCount:
    """Count points into hexes by arithmetic and report the ones that could not be.

    Every row is exactly one of: counted, missing, outside, duplicate.

    Parameters
    ----------
    xy_m
        Coordinates, metres, shape (n, 2); a row with a NaN or infinity is missing.
    cells
        As from `hex_cells` with the same `width_m`.
    width_m
        Distance of opposite sides, metres.
    identity
        One value per point, shape (n,); only the first row of an identity is counted.
    """
    points = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    again = (
        _came_before(np.asarray(identity)) if identity is not None else np.zeros(len(points), bool)
    )
    placed = np.isfinite(points).all(axis=1)
    usable = placed & ~again
    cell = np.full(len(points), -1, dtype=np.int64)
    places = cells[["column", "row"]].to_numpy(dtype=np.int64)
    cell[usable] = _rows_of(places, hex_of(points[usable], width_m=width_m))
    counted = cell >= 0
    return PointCount(
        counts=np.bincount(cell[counted], minlength=len(places)).astype(np.int64),
        cell=cell,
        missing=int(np.count_nonzero(~placed & ~again)),
        outside=int(np.count_nonzero(usable & ~counted)),
        duplicate=int(np.count_nonzero(again)),
        coincident=int(np.count_nonzero(_came_before(points[counted] + 0.0))),
    )


def _came_before(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of each row whether an equal one stands before it."""
    _, first = np.unique(values, axis=0, return_index=True)
    again = np.ones(len(values), dtype=np.bool_)
    again[first] = False
    return again


def _rows_of(places: Whole, wanted: Whole) -> Whole:
    """Return where each wanted column and row stands in `places`, -1 where it does not."""
    if len(places) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    keys, asked = _key(places), _key(wanted)
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)
    return np.where(keys[order[at]] == asked, order[at], -1)


def _key(places: Whole) -> Whole:
    """Return one number per column and row; places past the key's span share one of their own."""
    near = (np.abs(places) < KEY_SPAN).all(axis=1)
    return np.where(near, places[:, 1] * (2 * KEY_SPAN) + places[:, 0], np.iinfo(np.int64).max)


def _matrix(own: NDArray[Any], other: NDArray[Any], cells: int) -> Neighbours:
    """Return ones at the pairs given."""
    return sparse.csr_array((np.ones(own.size), (own, other)), shape=(cells, cells))


def _no_hexes() -> Whole:
    """Return no columns and rows."""
    return np.empty((0, 2), dtype=np.int64)


def _candidates(bounds: tuple[float, float, float, float], width_m: float) -> Whole:
    """Return columns and rows of every hex that may meet the box, by row, then column."""
    west, south, east, north = bounds
    wide = (east - west) / width_m + 3.0
    high = (north - south) / (width_m * ROW_STEP) + 3.0
    if not wide * high <= 4.0 * MOST_CELLS:
        raise TooLarge(
            "too-many-hexes",
            "六边形过小，单元数过多；请加大边距",
            "the hexes are too small for this outline; choose a larger width",
            width_m=width_m,
        )
    rows = np.arange(
        np.floor(south / (width_m * ROW_STEP)) - 1, np.ceil(north / (width_m * ROW_STEP)) + 2
    ).astype(np.int64)
    first = np.floor(west / width_m - rows / 2.0).astype(np.int64) - 1
    columns = first[:, None] + np.arange(int(np.ceil(wide)) + 1)
    return np.stack([columns.ravel(), np.repeat(rows, columns.shape[1])], axis=1)


def _refuse_width(width_m: float) -> None:
    """Refuse a width that is not a positive number of metres."""
    if not (np.isfinite(width_m) and width_m > 0.0):
        raise Refused(
            "hex-width",
            "六边形宽度必须为正数（米）",
            "the width of the hexes must be a positive number of metres",
            width_m=str(width_m),
        )
