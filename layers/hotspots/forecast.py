"""Where the next 28 days' incidents will be, and how well such forecasts did in the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused
from layers.hotspots.days import day_numbers

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

HORIZON_DAYS = 28
"""How far ahead the forecast is meant for."""

FADING_DAYS = 270.0
"""An incident's weight falls to 1/e in this time. This and the next three are frozen: chosen on
the accidents of 2011-2014 (docs/decisions/0019)."""

MEMORY_DAYS = 1500.0
"""The same for the long memory."""

MEMORY = 0.2
"""Weight of the long memory beside that of time gone by."""

SWING = 2.0
"""How far the season moves that memory up and down."""

YEAR_DAYS = 365.25

LARGEST_CELL = 2.0**52
"""Rows and columns under this are told apart exactly."""


def weights(ages_days: ArrayLike) -> Floats:
    """Return what incidents of these ages count for in a forecast of the next 28 days.

    An exponential fading, and a long memory that is highest for incidents of the same time of
    the year as the middle of the coming days and under 0 for those of the opposite one.
    """
    ages = np.asarray(ages_days, dtype=np.float64)
    season = 1.0 + SWING * np.cos(2.0 * np.pi * (ages + HORIZON_DAYS / 2) / YEAR_DAYS)
    memory = MEMORY * np.exp(-ages / MEMORY_DAYS) * season
    return np.asarray(np.exp(-ages / FADING_DAYS) + memory, dtype=np.float64)


def score_cells(events: pd.DataFrame, *, cell_m: float, as_of_day: float) -> pd.DataFrame:
    """Return the cells ever hit before a day, those where incidents are expected first.

    The score of a cell is the sum of the weights of its incidents: places are forecast by their
    own long history and nothing else, never by persons. Only incidents before `as_of_day` are
    read; the order of the rows does not matter.

    Parameters
    ----------
    events
        Columns ``x_m``, ``y_m`` (a metric CRS) and ``day`` (numbers or dates), finite.
    cell_m
        Side of the square cells, metres; their corners lie on multiples of it.
    as_of_day
        First day of the forecast; a date where the days are dates.

    Returns
    -------
    DataFrame
        Columns ``x_m``, ``y_m`` (middles of the cells), ``score``; highest first, then by place.

    Raises
    ------
    Refused
        ``forecast-events`` for missing columns or values, ``forecast-cell`` for a side that is
        not over 0 or too small for the coordinates.
    """
    cells, ages = _readable(events, cell_m, as_of_day)
    order = np.lexsort((ages, cells[:, 1], cells[:, 0]))
    order = order[ages[order] > 0.0]
    (column, row), age = cells[order].T, ages[order]
    first = np.flatnonzero(_differs(column) | _differs(row))
    # ages ascend within a cell, so that the sum is the same whatever the order of the rows
    score = np.add.reduceat(weights(age), first) if first.size else np.empty(0)
    table = pd.DataFrame(
        {
            "x_m": (column[first] + 0.5) * cell_m,
            "y_m": (row[first] + 0.5) * cell_m,
            "score": score,
        }
    )
    ranked = table.sort_values(["score", "x_m", "y_m"], ascending=[False, True, True])
    return ranked.reset_index(drop=True)


def pai(hit_share: float, area_share: float) -> float:
    """Return the prediction accuracy index: share of incidents met over share of area searched.

    Chainey, Tompson and Uhlig (2008), Security Journal 21:4-28. 1 is blind chance.

    Raises
    ------
    Refused
        ``forecast-share`` unless the area is over 0 and both shares are at most 1.
    """
    if not (0.0 <= hit_share <= 1.0 and 0.0 < area_share <= 1.0):
        raise Refused(
            "forecast-share",
            "命中比例应在 0 到 1 之间，面积比例应大于 0 且不超过 1",
            "the share of hits must lie within 0 and 1, that of area over 0 and up to 1",
            hit_share=str(hit_share),
            area_share=str(area_share),
        )
    return hit_share / area_share


def pei(hits: float, best_hits: float) -> float:
    """Return the prediction efficiency index: incidents met over the most that could be.

    Hunt (2016). NaN where nothing could be met.

    Raises
    ------
    Refused
        ``forecast-hits`` for negative numbers or more hits than the most.
    """
    if not 0.0 <= hits <= best_hits < np.inf:
        raise Refused(
            "forecast-hits",
            "命中数应在 0 与最多可命中数之间",
            "hits must lie within 0 and the most that could be met",
            hits=str(hits),
            best_hits=str(best_hits),
        )
    return hits / best_hits if best_hits else float("nan")


@dataclass(frozen=True)
class PastScore:
    """What a forecast was worth.

    Parameters
    ----------
    cells, chosen
        How many there were, and how many of them were named.
    hits, best_hits, incidents
        Incidents that came in the named cells, in the best as many, and in all cells.
    """

    cells: int
    chosen: int
    hits: int
    best_hits: int
    incidents: int

    @property
    def pai(self) -> float:
        """Prediction accuracy index; NaN where no incident came."""
        if not self.incidents:
            return float("nan")
        return pai(self.hits / self.incidents, self.chosen / self.cells)

    @property
    def pei(self) -> float:
        """Prediction efficiency index; NaN where no incident came."""
        return pei(self.hits, self.best_hits)


def past_score(scores: ArrayLike, came: ArrayLike, *, area_share: float = 0.01) -> PastScore:
    """Return what naming the highest scores was worth, once it is known what came.

    Parameters
    ----------
    scores
        Of the cells, shape (n,), n at least 1; of equal ones the first are named.
    came
        Incidents that came in each cell, shape (n,).
    area_share
        Share of the cells to be named, rounded down, at least one.

    Raises
    ------
    Refused
        ``forecast-scores`` where the two do not match or are empty.
    """
    rank, later = np.asarray(scores, dtype=np.float64), np.asarray(came)
    if rank.ndim != 1 or rank.size == 0 or rank.shape != later.shape:
        raise Refused(
            "forecast-scores",
            "每个单元需要一个得分和一个实际件数",
            "every cell needs a score and what came there",
            scores=list(rank.shape),
            came=list(later.shape),
        )
    chosen = max(int(area_share * rank.size), 1)
    hits = later[np.argsort(-rank, kind="stable")[:chosen]].sum()
    best = np.sort(later)[::-1][:chosen].sum()
    return PastScore(rank.size, chosen, int(hits), int(best), int(later.sum()))


def counts_in_cells(cells: pd.DataFrame, events: pd.DataFrame, *, cell_m: float) -> Whole:
    """Return how many events lie in each cell of a forecast, in its order.

    Parameters
    ----------
    cells
        As `score_cells` gives them.
    events
        Columns ``x_m`` and ``y_m``, metres.
    cell_m
        Side of the cells, metres.
    """
    place = _names(cells, cell_m).get_indexer(_names(events, cell_m))
    return np.bincount(place[place >= 0], minlength=len(cells)).astype(np.int64)


def _names(places: pd.DataFrame, cell_m: float) -> pd.MultiIndex:
    """Return the column and row that each place lies in."""
    columns, rows = (np.floor(places[axis].to_numpy() / cell_m) for axis in ("x_m", "y_m"))
    return pd.MultiIndex.from_arrays([columns, rows])


def _readable(events: pd.DataFrame, cell_m: float, as_of_day: float) -> tuple[Floats, Floats]:
    """Return column and row of each event and its age in days."""
    missing = {"x_m", "y_m", "day"} - set(events.columns)
    xy = np.empty((0, 2)) if missing else events[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    days = np.empty(0) if missing else day_numbers(events["day"].to_numpy())
    ages = day_numbers(np.asarray([as_of_day]))[0] - days
    if missing or not (np.isfinite(xy).all() and np.isfinite(ages).all()):
        raise Refused(
            "forecast-events",
            "预测需要每起事件的坐标（x_m、y_m）和日期（day），且不得缺失",
            "a forecast needs place (x_m, y_m) and day of every incident, none missing",
            missing=sorted(missing),
        )
    # one may not divide by a side that is none
    cells = np.floor(xy / cell_m) if cell_m > 0.0 else np.full(xy.shape, np.inf)
    if not (cell_m > 0.0 and np.isfinite(cell_m) and bool((np.abs(cells) < LARGEST_CELL).all())):
        raise Refused(
            "forecast-cell",
            "单元边长必须大于 0，且与坐标范围相称（米）",
            "the side of the cells must be over 0 and fit the coordinates (metres)",
            cell_m=str(cell_m),
        )
    return cells, ages


def _differs(sorted_values: Floats) -> NDArray[np.bool_]:
    """Say which values differ from the one before; the first does."""
    return np.asarray(np.diff(sorted_values, prepend=np.nan) != 0.0)
