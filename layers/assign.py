"""Which polygon each of many points belongs to (入格), by the boundary law and in whole arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from grid_boundaries.errors import Refused
from grid_boundaries.locate import NEAR_M, SEARCH_M, prepared_copies
from grid_boundaries.topology import measurable

Points = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

OUTSIDE, INSIDE, NEAR = 0, 1, 2
HOW = np.array(["outside", "inside", "near"], dtype=object)

NOBODY, SEVERAL = -1, -2  # what a cell says when no single polygon owns all of it
POINTS_A_CELL = 8
FEWEST_CELLS, MOST_CELLS = 16, 512  # a side
SMALLEST_CELL_M = 8 * SEARCH_M  # far wider than the search, or cells would only repeat each other


def assign_xy(points_xy: Points, polygons: GeoSeries, codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the code of the polygon that each point belongs to, by the boundary law.

    A point inside or on the border of several polygons belongs to the lowest code (text
    as the database sorts it, numbers by value). A point in none belongs to the nearest
    within 1 m (ties again to the lowest code); `assign_flagged` tells which those are.
    The same answers, bit by bit, as `grid_boundaries.locate.BlockIndex` gives point by
    point.

    Parameters
    ----------
    points_xy
        Metres, shape (n, 2). Points that are not finite belong to nothing.
    polygons
        Valid polygons in the CRS of the points; they may overlap and leave gaps.
    codes
        One code a polygon; a code may come several times.

    Returns
    -------
    ndarray
        Objects, shape (n,): a code, or None where nothing claims the point.

    Raises
    ------
    Refused
        Wrong shapes, a missing code, degrees for metres, an invalid polygon (by index).
    """
    return assign_flagged(points_xy, polygons, codes)[0]


def assign_flagged(
    points_xy: Points, polygons: GeoSeries, codes: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return codes as `assign_xy` does, and how each point came to its code.

    Returns
    -------
    tuple of ndarray
        The codes, and "inside" (or on a border), "near" (in nothing, the nearest is
        within 1 m) or "outside" (code None) for every point; objects, shape (n,).
    """
    owners, how = _owners(points_xy, polygons, codes)
    return _taken(codes, owners), HOW[how]


def assign_frame(points: GeoDataFrame, blocks: GeoDataFrame) -> pd.DataFrame:
    """Return the block, grid and unit of each point.

    Parameters
    ----------
    points
        Points in the metric CRS of the blocks; missing and empty ones lie outside.
    blocks
        Valid polygons with columns id, grid_code (missing where no grid holds the
        block) and unit_path.

    Returns
    -------
    DataFrame
        block_id, grid_code, unit_path (None outside) and placed ("inside", "near",
        "outside"), with the points' index.

    Raises
    ------
    Refused
        The two CRS differ, or what `assign_xy` refuses.
    """
    if points.crs != blocks.crs:
        raise Refused(
            "crs-differ",
            "点与图斑的坐标系不同，无法入格；请先换算到本县的投影坐标系",
            "points and blocks are in two CRS; project them to the county's metric CRS first",
        )
    points_xy = np.column_stack([points.geometry.x, points.geometry.y]).astype(float)
    owners, how = _owners(points_xy, blocks.geometry, blocks["id"].to_numpy())
    columns = {"block_id": "id", "grid_code": "grid_code", "unit_path": "unit_path"}
    placed = {
        name: _taken(blocks[column].to_numpy(dtype=object), owners)
        for name, column in columns.items()
    }
    return pd.DataFrame({**placed, "placed": HOW[how]}, index=points.index, dtype=object)


def _taken(values: npt.NDArray[Any], owners: Positions) -> npt.NDArray[Any]:
    # position −1, of nobody, is the None at the end
    with_nobody = np.full(len(values) + 1, None, dtype=object)
    with_nobody[:-1] = values
    with_nobody[pd.isna(with_nobody)] = None
    return with_nobody[owners]


def _owners(
    points_xy: Points, polygons: GeoSeries, codes: npt.NDArray[Any]
) -> tuple[Positions, npt.NDArray[np.int8]]:
    """Return the position of each point's polygon (−1 for none) and how it got there."""
    points = _checked_points(points_xy)
    order = np.argsort(_checked_codes(codes, len(polygons)), kind="stable")
    shapes = prepared_copies(measurable(polygons)[order])
    ranks = np.full(len(points), NOBODY, dtype=np.intp)
    how = np.zeros(len(points), dtype=np.int8)
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    if len(known) and not shapely.is_empty(shapes).all():
        lattice = _lattice(shapes, len(known))
        ranks[known], how[known] = _placed(points[known], shapes, lattice)
    return np.array([*order, NOBODY], dtype=np.intp)[ranks], how


@dataclass(frozen=True)
class _Lattice:
    """Square cells over all polygons, each knowing who may claim a point in it.

    `owner` says per cell which polygon holds it whole with no lower one near, NOBODY or
    SEVERAL; one more cell, owned by nobody, stands for all ground off the lattice. The
    claimants of cell c, in the order of the law, are
    ``claimants[starts[c]:starts[c + 1]]``.
    """

    frame: _Frame
    owner: npt.NDArray[np.intp]
    starts: Positions
    claimants: Positions


@dataclass(frozen=True)
class _Frame:
    """Where the cells of a lattice lie; cells are numbered row by row from the south-west."""

    west_m: float
    south_m: float
    cell_m: float
    columns: int
    rows: int

    @classmethod
    def over(cls, shapes: npt.NDArray[Any], most_a_side: int) -> _Frame:
        """Return a frame that reaches past every polygon by more than the search."""
        west_m, south_m, east_m, north_m = shapely.total_bounds(shapes)
        width_m, height_m = east_m - west_m + 4 * SEARCH_M, north_m - south_m + 4 * SEARCH_M
        cell_m = max(max(width_m, height_m) / most_a_side, SMALLEST_CELL_M)
        columns, rows = math.ceil(width_m / cell_m), math.ceil(height_m / cell_m)
        return cls(west_m - 2 * SEARCH_M, south_m - 2 * SEARCH_M, cell_m, columns, rows)

    def cells(self, points: Points) -> Positions:
        """Return each point's cell, or the number past the last for points off the frame."""
        column, row = self.column(points[:, 0]), self.row(points[:, 1])
        on = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        return np.where(on, row * self.columns + column, self.columns * self.rows)

    def column(self, x_m: npt.NDArray[np.float64]) -> Positions:
        """Return columns of x, negative or too large where off the frame."""
        return _floored((x_m - self.west_m) / self.cell_m)

    def row(self, y_m: npt.NDArray[np.float64]) -> Positions:
        """Return rows of y, negative or too large where off the frame."""
        return _floored((y_m - self.south_m) / self.cell_m)

    def centres(self) -> Points:
        """Return the centres of all cells in their order, metres, shape (cells, 2)."""
        row, column = np.divmod(np.arange(self.columns * self.rows), self.columns)
        corner = np.array([self.west_m, self.south_m])
        return corner + (np.column_stack([column, row]) + 0.5) * self.cell_m


def _floored(cells: npt.NDArray[np.float64]) -> Positions:
    # a point may be so far away that its cell is no 64-bit number
    return np.floor(np.clip(cells, -1.0, 1e6)).astype(np.intp)


def _lattice(shapes: npt.NDArray[Any], point_count: int) -> _Lattice:
    most_a_side = np.clip(math.sqrt(point_count / POINTS_A_CELL), FEWEST_CELLS, MOST_CELLS)
    frame = _Frame.over(shapes, int(most_a_side))
    # a pair of cell and polygon is one number, which sorts by cell and then by the law
    border = np.unique(_border_pairs(shapes, frame))
    whole = np.setdiff1d(_centre_pairs(shapes, frame), border, assume_unique=True)
    cell, rank = np.divmod(np.sort(np.concatenate([border, whole])), len(shapes))
    claimed, first = np.unique(cell, return_index=True)
    is_whole = np.isin(claimed * len(shapes) + rank[first], whole)
    owner = np.full(frame.columns * frame.rows + 1, NOBODY, dtype=np.intp)
    owner[claimed] = np.where(is_whole, rank[first], SEVERAL)
    starts = np.searchsorted(cell, np.arange(len(owner) + 1))
    return _Lattice(frame, owner, starts, rank)


def _border_pairs(shapes: npt.NDArray[Any], frame: _Frame) -> Positions:
    """Return cell · polygons + polygon wherever a border passes through or within the search.

    Also for some cells a little further off, as each piece of a border marks the box round it.
    """
    # pieces no longer than a cell, or the box of a long diagonal would mark cells by the hundred
    borders = shapely.segmentize(shapely.boundary(shapes), frame.cell_m)
    lines, polygon = shapely.get_parts(borders, return_index=True)
    ends, line = shapely.get_coordinates(lines, return_index=True)
    joined = np.flatnonzero(line[1:] == line[:-1])
    low = np.minimum(ends[joined], ends[joined + 1]) - SEARCH_M
    high = np.maximum(ends[joined], ends[joined + 1]) + SEARCH_M
    west, south = frame.column(low[:, 0]), frame.row(low[:, 1])
    width, height = frame.column(high[:, 0]) - west + 1, frame.row(high[:, 1]) - south + 1
    cells = width * height
    piece = np.repeat(np.arange(len(joined)), cells)
    within = np.arange(len(piece)) - np.repeat(np.cumsum(cells) - cells, cells)
    row, column = np.divmod(within, width[piece])
    cell = (south[piece] + row) * frame.columns + west[piece] + column
    return np.asarray(cell * len(shapes) + polygon[line[joined]][piece], dtype=np.intp)


def _centre_pairs(shapes: npt.NDArray[Any], frame: _Frame) -> Positions:
    """Return cell · polygons + polygon wherever the middle of a cell is in a polygon."""
    centres = frame.centres()
    cell, polygon = shapely.STRtree(shapes).query(shapely.points(centres))
    holds = shapely.intersects_xy(shapes[polygon], *centres[cell].T)
    return np.asarray(cell[holds] * len(shapes) + polygon[holds], dtype=np.intp)


def _placed(
    points: Points, shapes: npt.NDArray[Any], lattice: _Lattice
) -> tuple[Positions, npt.NDArray[np.int8]]:
    """Return the rank of each finite point's polygon among shapes in the law's order, and how."""
    cells = lattice.frame.cells(points)
    ranks = lattice.owner[cells]
    open_points = np.flatnonzero(ranks == SEVERAL)
    ranks[open_points] = _first_holding(points[open_points], cells[open_points], shapes, lattice)
    how = np.where(ranks == NOBODY, OUTSIDE, INSIDE).astype(np.int8)
    left = open_points[ranks[open_points] == NOBODY]
    ranks[left] = _nearest(points[left], cells[left], shapes, lattice)
    how[left[ranks[left] != NOBODY]] = NEAR
    return ranks, how


def _first_holding(
    points: Points, cells: Positions, shapes: npt.NDArray[Any], lattice: _Lattice
) -> Positions:
    ranks = np.full(len(points), NOBODY, dtype=np.intp)
    waiting = np.arange(len(points))
    turn, end = lattice.starts[cells], lattice.starts[cells + 1]
    # one round asks every waiting point's next claimant; rounds are as many as claimants a cell
    while len(waiting):
        asked = lattice.claimants[turn[waiting]]
        holds = shapely.intersects_xy(shapes[asked], *points[waiting].T)
        ranks[waiting[holds]] = asked[holds]
        waiting = waiting[~holds]
        turn[waiting] += 1
        waiting = waiting[turn[waiting] < end[waiting]]
    return ranks


def _nearest(
    points: Points, cells: Positions, shapes: npt.NDArray[Any], lattice: _Lattice
) -> Positions:
    ranks = np.full(len(points), NOBODY, dtype=np.intp)
    counts = lattice.starts[cells + 1] - lattice.starts[cells]
    point = np.repeat(np.arange(len(points)), counts)
    within = np.arange(len(point)) - np.repeat(np.cumsum(counts) - counts, counts)
    rank = lattice.claimants[lattice.starts[cells][point] + within]
    places = np.asarray(shapely.points(points), dtype=object)
    close = shapely.dwithin(shapes[rank], places[point], SEARCH_M)  # prepared, so cheap
    point, rank = point[close], rank[close]
    distances_m = shapely.distance(shapes[rank], places[point])
    order = np.lexsort((rank, distances_m, point))
    order = order[distances_m[order] <= NEAR_M]
    chosen, first = np.unique(point[order], return_index=True)
    ranks[chosen] = rank[order][first]
    return ranks


def _checked_points(points_xy: Points) -> Points:
    points = np.asarray(points_xy, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise Refused(
            "not-coordinate-pairs",
            f"坐标数组应为 n 行 2 列，实为 {points.shape}",
            f"points must have shape (n, 2), not {points.shape}",
            shape=list(points.shape),
        )
    return points


def _checked_codes(codes: npt.NDArray[Any], polygon_count: int) -> npt.NDArray[Any]:
    """Return the codes as objects that compare with each other."""
    known = np.asarray(codes, dtype=object)
    if known.shape != (polygon_count,):
        raise Refused(
            "codes-differ",
            f"编码数组 {known.shape} 与面的数量 {polygon_count} 不符",
            f"codes of shape {known.shape} do not fit {polygon_count} polygons",
            shape=list(known.shape),
        )
    odd = _out_of_order(known)
    if odd.any():
        position = int(np.argmax(odd))
        raise Refused(
            "code-unusable",
            f"第 {position} 个面的编码“{known[position]}”缺失或类型不一；请补全编码后再入格",
            f"polygon {position} has no code that compares with the others: {known[position]!r}",
            position=position,
        )
    return known


def _out_of_order(codes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say which codes have no place in the order: missing ones, and numbers among texts."""
    is_text = np.array([isinstance(code, str) for code in codes], dtype=bool)
    is_number = np.array([isinstance(code, Real) for code in codes], dtype=bool)
    comparable = is_text if is_text.any() else is_number
    return np.asarray(~comparable | pd.isna(codes), dtype=bool)
