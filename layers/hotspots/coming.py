"""Where the next 28 days' incidents are expected, with what the last such forecast was worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame, GeoSeries, points_from_xy
from sqlalchemy import Connection

from grid_boundaries.crs import in_degrees
from grid_boundaries.view import View
from layers.assign import assign_xy
from layers.hotspots.findings import FEWEST_CELLS, FEWEST_INCIDENTS, too_thin
from layers.hotspots.forecast import (
    HORIZON_DAYS,
    PastScore,
    counts_in_cells,
    past_score,
    score_cells,
)
from layers.hotspots.inputs import Cells, Filters, recent_incidents, village_cells
from layers.read import the_county

CELL_M = 250.0
AREA_SHARE = 0.01
MEMORY_DAYS = 3650
BASELINES = {"last_28_days": 28, "last_365_days": 365, "all_history": MEMORY_DAYS}
Wire = dict[str, Any]


@dataclass(frozen=True)
class _Past:
    """Incidents of long, in metres and whole days before the day of the forecast."""

    events: pd.DataFrame

    def before(self, day: int) -> pd.DataFrame:
        """Return what had happened when `day` days before today began."""
        return self.events[self.events["day"] < -day]

    def between(self, first: int, last: int) -> pd.DataFrame:
        """Return what happened from `first` days ago until `last` days ago began."""
        day = self.events["day"]
        return self.events[(day >= -first) & (day < -last)]


def forecast(connection: Connection, view: View, now: datetime, filters: Filters) -> Wire:
    """Return the places of the coming days, and the score of the forecast made 28 days ago.

    Parameters
    ----------
    view
        The whole county: places are ranked over all of it.
    now
        Aware; the forecast begins with the day after, from what was known at `now`.
    """
    county = the_county(connection)
    incidents = recent_incidents(connection, view, county, now, days=MEMORY_DAYS, filters=filters)
    past = _Past(_events(incidents))
    villages = village_cells(connection, view, county, incidents)
    first = now.date() + timedelta(days=1)
    cells = score_cells(past.events, cell_m=CELL_M, as_of_day=1)
    reason = too_thin(len(past.events), len(cells))
    facts = {
        "first_day": first.isoformat(),
        "last_day": (first + timedelta(days=HORIZON_DAYS - 1)).isoformat(),
        "horizon_days": HORIZON_DAYS,
        "cell_m": CELL_M,
        "cells_ever_hit": len(cells),
        "incidents": len(past.events),
        "tested": reason is None,
        "reason": None if reason is None else dict(vars(reason)),
    }
    if reason is not None:
        return {**facts, "places": [], "past": None}
    return {**facts, "places": _places(cells, villages), "past": _past(past, now.date())}


def _events(incidents: GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x_m": incidents.geometry.x.to_numpy(),
            "y_m": incidents.geometry.y.to_numpy(),
            "day": -incidents["age_days"].to_numpy(dtype=np.float64),
        }
    )


def _places(cells: pd.DataFrame, villages: Cells) -> list[Wire]:
    """Return the first share of the cells with their village, score as a share of all."""
    chosen = cells.head(max(int(AREA_SHARE * len(cells)), 1))
    xy = chosen[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    frame = villages.frame
    paths = assign_xy(xy, frame.geometry, frame["unit_path"].to_numpy(dtype=object))
    names = pd.Series(paths).map(frame.set_index("unit_path")["name"])
    placed = in_degrees(GeoSeries(points_from_xy(*xy.T), crs=frame.crs))
    total = float(cells["score"].clip(lower=0.0).sum())
    return [
        {
            "rank": rank, "unit_path": path, "name": name, "lon": round(lon, 7),
            "lat": round(lat, 7), "share": score / total if total else None,
        }
        for rank, (path, name, lon, lat, score) in enumerate(
            zip(paths, names, placed.x, placed.y, chosen["score"], strict=True), start=1
        )
        if path is not None
    ]  # fmt: skip


def _past(past: _Past, today: date) -> Wire | None:
    """Return what the forecast of 28 days ago was worth beside plain baselines; None without one.

    All are scored on the same cells: those hit before that day.
    """
    known = past.before(HORIZON_DAYS - 1)
    came = past.between(HORIZON_DAYS - 1, -1)
    cells = score_cells(known, cell_m=CELL_M, as_of_day=1 - HORIZON_DAYS)
    if len(known) < FEWEST_INCIDENTS or len(cells) < FEWEST_CELLS or not len(came):
        return None
    hits = counts_in_cells(cells, came, cell_m=CELL_M)
    baselines = {
        name: _scored(past_score(_counted(past, cells, days), hits, area_share=AREA_SHARE))
        for name, days in BASELINES.items()
    }
    first = today - timedelta(days=HORIZON_DAYS - 1)
    return {
        "first_day": first.isoformat(), "last_day": today.isoformat(),
        **_scored(past_score(cells["score"], hits, area_share=AREA_SHARE)),
        "baselines": baselines,
    }  # fmt: skip


def _counted(past: _Past, cells: pd.DataFrame, days: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the incidents of the days before that forecast in each cell."""
    recent = past.between(HORIZON_DAYS - 1 + days, HORIZON_DAYS - 1)
    return counts_in_cells(cells, recent, cell_m=CELL_M)


def _scored(score: PastScore) -> Wire:
    plain = {name: int(value) for name, value in vars(score).items()}
    return plain | {"pai": _number(score.pai), "pei": _number(score.pei)}


def _number(value: float) -> float | None:
    return float(value) if value == value else None
