"""Patrol: when each cell of ground and each household was last visited, kept up day by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numba
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import TooLarge
from layers.coverage.checks import CoverageRefused

Floats = NDArray[np.float64]
Minutes = NDArray[np.int32]
Ints = NDArray[np.int64]

CELL_M = 20.0
MOST_CELLS = 100_000_000
NEVER = -1
DAY_MINUTES = 1440
MINUTE_S = 60
NOT_A_PLACE, OUTSIDE, NO_TIME, LATER = range(4)


@dataclass(frozen=True)
class Lattice:
    """Square cells over a county; cell (row, column) is number ``row * columns + column``.

    Parameters
    ----------
    west_m, south_m
        Corner of cell 0, in the county's metric CRS; rows go north.
    """

    west_m: float
    south_m: float
    columns: int
    rows: int
    cell_m: float = CELL_M

    def cells(self, x_m: ArrayLike, y_m: ArrayLike) -> Ints:
        """Return the number of the cell that each point is in, -1 for a point in none.

        A cell holds its western and southern border.
        """
        with np.errstate(invalid="ignore"):
            column = np.floor((np.asarray(x_m, dtype=np.float64) - self.west_m) / self.cell_m)
            row = np.floor((np.asarray(y_m, dtype=np.float64) - self.south_m) / self.cell_m)
            inside = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        number = np.where(inside, row, 0.0) * self.columns + np.where(inside, column, 0.0)
        return np.where(inside, number, -1.0).astype(np.int64)


def lattice_over(bounds_m: tuple[float, float, float, float], *, cell_m: float = CELL_M) -> Lattice:
    """Return the lattice that covers west, south, east, north; its lines are multiples of a cell.

    Two lattices of one CRS and cell size therefore have their cells in common.

    Raises
    ------
    CoverageRefused
        ``lattice-bounds``: not finite, west beyond east, or a cell that is not over 0.
    TooLarge
        ``lattice-cells``: over 100 million cells.
    """
    edges = np.array(bounds_m, dtype=np.float64)
    if not (np.isfinite(edges).all() and 0 < cell_m < np.inf and (edges[:2] <= edges[2:]).all()):
        raise CoverageRefused(
            "lattice-bounds",
            "范围须为有限的西、南、东、北（米），格子边长须大于 0",
            "The bounds must be finite west, south, east, north in metres and cells over 0 wide",
        )
    # a hair lower, so that rounding leaves no point of the bounds below the first cell
    low_m = np.floor(edges[:2] / cell_m - 1e-9) * cell_m
    # a point on the eastern or northern edge has a cell, too
    columns, rows = np.floor((edges[2:] - low_m) / cell_m) + 1
    if columns * rows > MOST_CELLS:
        raise TooLarge(
            "lattice-cells",
            f"{columns:.0f} × {rows:.0f} 个格子太多；请缩小范围或加大格子",
            f"{columns:.0f} by {rows:.0f} cells are too many; take less ground or larger cells",
        )
    west_m, south_m = low_m.tolist()
    return Lattice(west_m, south_m, int(columns), int(rows), cell_m)


@dataclass(frozen=True)
class Taken:
    """What became of fixes: taken, or why left out; the five numbers add up to the fixes given.

    Parameters
    ----------
    taken
        Counted for a cell.
    not_a_place
        A coordinate is missing or infinite.
    outside
        On no cell: elsewhere, or at (0, 0).
    without_time
        Nobody knows when.
    later
        After the moment asked for: a clock is wrong.
    """

    taken: int
    not_a_place: int
    outside: int
    without_time: int
    later: int


class LastVisits:
    """When each cell was last visited; fixes may come in any order and more than once.

    Parameters
    ----------
    lattice
        The cells. They take 4 bytes each.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        self._last = np.full(lattice.rows * lattice.columns, NEVER, dtype=np.int32)

    def add(self, x_m: ArrayLike, y_m: ArrayLike, at: ArrayLike, *, now: datetime) -> Taken:
        """Take fixes in and say what became of them.

        Parameters
        ----------
        x_m, y_m
            Metres in the lattice's CRS, shape (fixes,).
        at
            When: numpy datetimes of UTC or whole seconds since 1970, shape (fixes,).
        now
            Aware; what is later is left out.

        Raises
        ------
        CoverageRefused
            ``fixes-unlike`` where the three are not alike in shape, ``fix-times``.
        """
        east, north = (np.ascontiguousarray(axis, dtype=np.float64) for axis in (x_m, y_m))
        seconds = _epoch_s(np.asarray(at))
        if not (east.ndim == 1 and east.shape == north.shape == seconds.shape):
            raise CoverageRefused(
                "fixes-unlike",
                "定位点的横坐标、纵坐标与时间须一一对应",
                "Fixes need as many x as y and as many times",
            )
        lattice = self.lattice
        left_out = np.zeros(4, dtype=np.int64)
        _take(
            east, north, seconds, lattice.west_m, lattice.south_m, lattice.cell_m,
            lattice.columns, lattice.rows, _now_s(now), self._last, left_out,
        )  # fmt: skip
        return Taken(len(east) - int(left_out.sum()), *left_out.tolist())

    def days_since(self, now: datetime, cells: Ints | None = None) -> Minutes:
        """Return whole days of 24 hours since each cell's last visit, -1 for never.

        Parameters
        ----------
        now
            Aware; not before what was taken in.
        cells
            Numbers of the cells asked for; None for all of them, shape (rows, columns).
        """
        last = self._last if cells is None else self._last[cells]
        minute = _now_s(now) // MINUTE_S
        days = np.where(last == NEVER, NEVER, (minute - last) // DAY_MINUTES).astype(np.int32)
        return days.reshape(self.lattice.rows, self.lattice.columns) if cells is None else days


def days_since_visit(
    households: pd.Index[Any], visited: ArrayLike, at: ArrayLike, *, now: datetime
) -> pd.Series[Any]:
    """Return whole days of 24 hours since each household's last visit, NA for never.

    Parameters
    ----------
    households
        Ids, each once.
    visited
        Which household each visit was to, shape (visits,); visits to others count nowhere.
    at
        When, as for `LastVisits.add`; what is later than `now` counts nowhere.

    Raises
    ------
    CoverageRefused
        ``fix-times``, ``fixes-unlike``.
    """
    seconds, named = _epoch_s(np.asarray(at)), np.asarray(visited, dtype=object)
    if seconds.shape != named.shape:
        raise CoverageRefused(
            "fixes-unlike", "走访的住户与时间须一一对应", "Visits need as many homes as times"
        )
    place = households.get_indexer(pd.Index(named))
    now_s = _now_s(now)
    kept = (place >= 0) & (seconds >= 0) & (seconds <= now_s)
    last = np.full(len(households), -1, dtype=np.int64)
    np.maximum.at(last, place[kept], seconds[kept])
    days = pd.array((now_s - last) // (DAY_MINUTES * MINUTE_S), dtype="Int64")
    return pd.Series(days, index=households, name="days").where(last >= 0)


def _now_s(now: datetime) -> int:
    if now.tzinfo is None:
        raise CoverageRefused(
            "fix-times", "“现在”须带时区", "The moment asked for must have a time zone"
        )
    return int(now.timestamp())


def _epoch_s(at: NDArray[Any]) -> Ints:
    """Return seconds since 1970, -1 where no time is known."""
    if at.dtype.kind == "M":
        seconds = at.astype("datetime64[s]").astype(np.int64)
        return np.where(np.isnat(at), -1, seconds)
    if at.dtype.kind not in "iu" and at.size:
        raise CoverageRefused(
            "fix-times",
            "时间须为 UTC 时刻或 1970 年以来的整秒数",
            "Times must be datetimes of UTC or whole seconds since 1970",
        )
    return at.astype(np.int64)


def _take_plain(
    x_m: Floats,
    y_m: Floats,
    at_s: Ints,
    west_m: float,
    south_m: float,
    cell_m: float,
    columns: int,
    rows: int,
    now_s: int,
    last: Minutes,
    left_out: Ints,
) -> None:
    """Raise each cell's last minute by the fixes in it and count what is left out."""
    for fix in range(x_m.size):
        column = np.floor((x_m[fix] - west_m) / cell_m)
        row = np.floor((y_m[fix] - south_m) / cell_m)
        if not (np.isfinite(column) and np.isfinite(row)):
            left_out[NOT_A_PLACE] += 1
        elif not (0 <= column < columns and 0 <= row < rows):
            left_out[OUTSIDE] += 1
        elif at_s[fix] < 0:
            left_out[NO_TIME] += 1
        elif at_s[fix] > now_s:
            left_out[LATER] += 1
        else:
            cell = np.int64(row) * columns + np.int64(column)
            last[cell] = max(last[cell], np.int32(at_s[fix] // MINUTE_S))


_take: Callable[..., None] = numba.njit(cache=True, nogil=True, error_model="numpy")(_take_plain)
