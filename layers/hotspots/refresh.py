"""Hotspots computed anew: incidents counted per grid and hexagon, tested, and stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from sqlalchemy import Connection, delete

from grid_boundaries.crs import in_degrees
from grid_boundaries.view import View
from layers.hotspots.findings import Base, Findings, Window, hotspots
from layers.hotspots.inputs import Cells, grid_cells, hexagon_cells, recent_incidents
from layers.hotspots.tables import hotspot, hotspot_run
from layers.load.write import copy_rows
from layers.read import County, outbox_version, the_county

WINDOWS_DAYS = (7, 30, 90, 365)
BASE_NAMES = {
    "present": ("实有人口", "present residents"),
    "registered": ("户籍人口", "registered residents"),
    "usual": ("常住人口", "usual residents"),
}


@dataclass(frozen=True)
class Run:
    """One window tested on one kind of cells."""

    cells: Cells
    days: int
    located: int
    found: Findings

    @property
    def key(self) -> str:
        """Return ``{kind}:{days}``."""
        return f"{self.cells.kind}:{self.days}"


def refresh(connection: Connection, view: View, now: datetime) -> dict[str, int]:
    """Test every window on grids and hexagons and replace the stored results.

    The connection's transaction and the view have the whole county in scope.

    Parameters
    ----------
    now
        End of every window, aware.

    Returns
    -------
    dict
        Number of hot cells by ``{kind}:{days}``.
    """
    county, version = the_county(connection), outbox_version(connection)
    incidents = recent_incidents(connection, view, county, now, days=max(WINDOWS_DAYS))
    kinds = [cells(connection, view, county, incidents) for cells in (grid_cells, hexagon_cells)]
    runs = [
        tested(cells, incidents, county, days=days, now=now)
        for cells in kinds
        for days in WINDOWS_DAYS
    ]
    _store(connection, runs, incidents, version, now)
    return {run.key: int(run.found.cells["hot"].sum()) for run in runs}


def tested(
    cells: Cells, incidents: GeoDataFrame, county: County, *, days: int, now: datetime
) -> Run:
    """Return one window tested on one kind of cells, against the residents where they are known.

    Parameters
    ----------
    incidents
        With ``age_days``; those older than `days` are left out.
    """
    inside = (incidents["age_days"].to_numpy() < days) & (cells.row_of_incident >= 0)
    rows = cells.row_of_incident[inside]
    zh, en = BASE_NAMES[county.population_basis]
    base = Base(cells.people, zh, en) if cells.people.any() else None
    window = Window((now - timedelta(days=days - 1)).date(), now.date())
    counts = np.bincount(rows, minlength=len(cells.frame))
    return Run(cells, days, len(rows), hotspots(counts, cells.neighbours, window=window, base=base))


def _store(
    connection: Connection, runs: list[Run], incidents: GeoDataFrame, version: int, now: datetime
) -> None:
    connection.execute(delete(hotspot))
    connection.execute(delete(hotspot_run))
    copy_rows(connection, hotspot, pd.concat([_rows(run) for run in runs], ignore_index=True))
    facts = [_facts(run, incidents) for run in runs]
    computed = pd.DataFrame(facts).assign(input_version=version, computed_at=now)
    copy_rows(connection, hotspot_run, computed)


def _rows(run: Run) -> pd.DataFrame:
    """Return the rows of a run: all grids, and the hexagons where anything happened."""
    frame, found = run.cells.frame, run.found.cells
    kept = np.flatnonzero((found["count"] > 0) | found["hot"] | (run.cells.kind == "grid"))
    cells, figures = frame.iloc[kept], found.iloc[kept]
    names = ["observed", "expected", "z", "p", "p_adjusted", "hot"]
    figures_kept = figures[names].replace([np.inf, -np.inf], np.nan).reset_index(drop=True)
    columns: dict[str, Any] = {
        "id": f"{run.key}:" + cells["cell"].to_numpy(dtype=object),
        "geom": in_degrees(cells.geometry).force_2d().to_numpy(),
        "name": cells["name"].to_numpy(),
        "unit_path": cells["unit_path"].to_numpy(),
        "grid_code": cells["cell"].to_numpy() if run.cells.kind == "grid" else None,
        "cells": run.cells.kind,
        "window_days": run.days,
        "cell": cells["cell"].to_numpy(),
        "incidents": figures["count"].to_numpy(),
        "says": figures[["zh", "en"]].to_dict("records"),
    }
    return pd.concat([pd.DataFrame(columns), figures_kept], axis=1)


def _facts(run: Run, incidents: GeoDataFrame) -> dict[str, Any]:
    recent = incidents[incidents["age_days"] < run.days]
    found = run.found
    says = {"method": found.method, "base": found.base, "level": found.level}
    if found.reason is not None:
        says |= {"code": found.reason.code, "zh": found.reason.zh, "en": found.reason.en}
    return {
        "cells": run.cells.kind,
        "window_days": run.days,
        "incidents": len(recent),
        "located": run.located,
        "coincident": int(recent.geometry.duplicated().sum()),
        "tested": found.reason is None,
        "says": says | {"set_aside": found.set_aside},
    }
