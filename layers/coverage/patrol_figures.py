"""Patrol figures of units: households and lived-in ground, and how many were visited of late."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, func, select

from grid_boundaries.view import View, narrowed
from layers.coverage.patrol import CELL_M, LastVisits, Taken, days_since_visit, lattice_over
from layers.coverage.units_of import Level, grids_in_force, names_of, summed, told
from layers.people import household
from layers.places import place
from layers.postings import position
from layers.read import metric_frame, plain_frame
from layers.visits import visit

MOST_FAILING = 200


def patrol_figures(
    connection: Connection, view: View, level: Level, *, days: int, now: datetime, srid: int
) -> dict[str, Any]:
    """Return by unit how many households and cells of lived-in ground were visited of late.

    Lived-in ground is every 20 m cell with a household or a place in it: nobody is owed a
    patrol of a forest. A household is visited by a call on it; a cell by a position of a worker
    on duty, or by a visit, in it. Whose they were is told nowhere.

    Parameters
    ----------
    days
        Up to how many whole days ago a visit counts; positions are kept for 30.
    now
        Aware.
    srid
        The county's metric CRS.
    """
    grids = grids_in_force(connection, view)
    homes = metric_frame(connection, _places(view, household), srid)
    others = metric_frame(connection, _places(view, place), srid)
    calls = plain_frame(connection, _calls(view, now))
    since = days_since_visit(
        pd.Index(homes["id"]), calls["household_id"].to_numpy(), calls["at"].to_numpy(), now=now
    )
    fixes = [metric_frame(connection, _fixes(view, days, now, t), srid) for t in (position, visit)]
    owed, taken = _ground(pd.concat([homes, others]), fixes, now)
    by_home = _visited(homes["grid_code"], since.to_numpy(dtype=float, na_value=np.nan), days)
    by_cell = _visited(owed["grid_code"], owed["days"].to_numpy(dtype=float), days)
    per_grid = by_home.add_prefix("households_").join(by_cell.add_prefix("cells_"), how="outer")
    per_grid = per_grid.reindex(grids.index).fillna(0).astype("int64")
    return {
        "days": days,
        "cell_m": CELL_M,
        "as_of": now.date(),
        "fixes": asdict(taken),
        "total": {str(name): int(sum_) for name, sum_ in per_grid.sum().items()},
        "rows": told(summed(per_grid, grids, level), names_of(connection, view, grids, level)),
        "failing": told(_failing(per_grid), names_of(connection, view, grids, "grid")),
    }


def _visited(codes: pd.Series[Any], since: Any, days: int) -> pd.DataFrame:
    """Return by grid how many there are, were visited within some days, and never were."""
    frame = pd.DataFrame(
        {
            "total": 1,
            "visited": (since <= days).astype(int),
            "never": np.isnan(since).astype(int),
        }
    )
    return frame.groupby(codes.to_numpy()).sum()


def _failing(per_grid: pd.DataFrame) -> pd.DataFrame:
    """Return the grids with the most households, then cells, that nobody came to of late."""
    missed = pd.DataFrame(
        {
            "households_missed": per_grid["households_total"] - per_grid["households_visited"],
            "cells_missed": per_grid["cells_total"] - per_grid["cells_visited"],
        }
    )
    worst = missed[(missed > 0).any(axis=1)]
    order = ["households_missed", "cells_missed"]
    return worst.sort_values(order, ascending=False, kind="stable").head(MOST_FAILING)


def _ground(
    owed: pd.DataFrame, fixes: list[GeoDataFrame], now: datetime
) -> tuple[pd.DataFrame, Taken]:
    """Return the cells of lived-in ground by grid with days since a visit, and the fixes taken."""
    at = GeoDataFrame(owed).geometry
    placed = owed[~(at.is_empty | at.isna()).to_numpy()]
    if placed.empty:
        nothing = pd.DataFrame({"grid_code": [], "days": []})
        return nothing, Taken(0, 0, sum(len(some) for some in fixes), 0, 0)
    xy = GeoDataFrame(placed).geometry
    west, south, east, north = xy.total_bounds.tolist()
    visits = LastVisits(lattice_over((west, south, east, north)))
    taken = [visits.add(some.geometry.x, some.geometry.y, some["at"], now=now) for some in fixes]
    cells = pd.DataFrame(
        {"grid_code": placed["grid_code"].to_numpy(), "cell": visits.lattice.cells(xy.x, xy.y)}
    ).drop_duplicates()
    days = visits.days_since(now, cells["cell"].to_numpy()).astype(float)
    return cells.assign(days=np.where(days < 0, np.nan, days)), _added(taken)


def _added(several: list[Taken]) -> Taken:
    return Taken(*np.sum([list(asdict(one).values()) for one in several], axis=0).tolist())


def _places(view: View, table: Table) -> Select[Any]:
    columns = (table.c.id, table.c.grid_code, table.c.geom)
    held = select(*columns).where(table.c.grid_code.is_not(None))
    return narrowed(held, view, table.c.unit_path)


def _calls(view: View, now: datetime) -> Select[Any]:
    at = _epoch_s(func.max(visit.c.visited_at))
    called = visit.c.household_id.is_not(None) & (visit.c.visited_at <= now)
    last = select(visit.c.household_id, at).where(called).group_by(visit.c.household_id)
    return narrowed(last, view, visit.c.unit_path)


def _fixes(view: View, days: int, now: datetime, table: Table) -> Select[Any]:
    moment = table.c.located_at if table is position else table.c.visited_at
    at = _epoch_s(moment)
    # a day more: whole days are counted, and what is older may still round to the last of them
    recent = moment.between(now - timedelta(days=days + 1), now)
    return narrowed(select(at, table.c.geom).where(recent), view, table.c.unit_path)


def _epoch_s(moment: ColumnElement[datetime]) -> ColumnElement[int]:
    return func.floor(func.extract("epoch", moment)).cast(BigInteger).label("at")
