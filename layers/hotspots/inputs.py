"""What hotspots are computed from: incidents with their age, and cells with their residents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy import sparse
from sqlalchemy import Column, Connection, func, select

from grid_boundaries.store import block, block_count, grid, grid_block, unit
from grid_boundaries.view import View, in_force, narrowed
from layers.assign import assign_xy
from layers.hotspots.cells import contiguity, count_in_hexes, hex_cells, hex_neighbours
from layers.incidents import incident
from layers.people import household, person
from layers.read import County, metric_frame, plain_frame

HEX_WIDTH_M = 500.0
BORDER_TOLERANCE_M = 0.01
HISTORY_DAYS = 730
"""How far back incidents are read: the longest window, and the one before it."""


@dataclass(frozen=True)
class Cells:
    """One way to cut the county into cells.

    Parameters
    ----------
    kind
        ``grid``, ``village``, ``block`` or ``hex``.
    frame
        Columns ``cell``, ``name`` (of the grid, or of the village that a block or the middle of
        a hexagon is in) and ``unit_path``, geometry in metres; rows 0, 1, 2 …
    neighbours
        Which cells touch, shape (n, n).
    people
        Residents per cell, shape (n,).
    row_of_incident
        Row of the cell that each incident lies in, shape (incidents,); -1 for none.
    """

    kind: str
    frame: GeoDataFrame
    neighbours: sparse.csr_array[Any, tuple[int, int]]
    people: NDArray[np.floating[Any]]
    row_of_incident: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Filters:
    """Which incidents are asked for; None for all."""

    kind: str | None = None
    source: str | None = None
    urgency: str | None = None


EVERY = Filters()


def recent_incidents(
    connection: Connection,
    view: View,
    county: County,
    now: datetime,
    *,
    days: int,
    filters: Filters = EVERY,
) -> GeoDataFrame:
    """Return the incidents of the last days that were known at a moment, and their points.

    Parameters
    ----------
    now
        Aware; in the zone whose midnights part the days. What was reported later is unknown.
    days
        Whole days, that of `now` included.

    Returns
    -------
    GeoDataFrame
        ``grid_code``, ``block_id``, ``unit_path``, ``kind``, ``category``, and ``age_days``:
        whole days before that of `now`; ordered by time and id.
    """
    table = incident.c
    names = ("id", "occurred_at", "grid_code", "block_id", "unit_path", "kind", "category", "geom")
    known = (table.occurred_at <= now, table.reported_at <= now)
    wanted = [table[name] == value for name, value in vars(filters).items() if value is not None]
    since = table.occurred_at >= _midnight(now, days - 1)
    recent = select(*(table[name] for name in names)).where(since, *known, *wanted)
    statement = narrowed(recent, view, table.unit_path)
    frame = metric_frame(connection, statement, county.metric_srid)
    frame = frame.sort_values(["occurred_at", "id"], ignore_index=True)
    occurred = pd.to_datetime(frame["occurred_at"], utc=True).dt.tz_convert(now.tzinfo)
    age = pd.Timestamp(now).normalize() - occurred.dt.normalize()
    return frame.assign(age_days=np.rint(age / pd.Timedelta(days=1)).astype(np.int64))


def _midnight(now: datetime, days_back: int) -> datetime:
    first = now.date() - timedelta(days=days_back)
    return datetime.combine(first, time.min, now.tzinfo)


def grid_cells(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame
) -> Cells:
    """Return the grids in force on the view's date, with the people counted in their blocks."""
    frame = _grids(connection, view, county)
    people = _people_per_grid(connection, view).reindex(frame["cell"]).fillna(0)
    row = pd.Series(range(len(frame)), index=frame["cell"])
    return Cells(
        "grid",
        frame.drop(columns="valid_from"),
        contiguity(frame.geometry, tolerance_m=BORDER_TOLERANCE_M),
        people.to_numpy(dtype=np.float64),
        _grid_of(connection, view, county, incidents, frame).map(row).fillna(-1).to_numpy(np.int64),
    )


def _grids(connection: Connection, view: View, county: County) -> GeoDataFrame:
    table = grid.c
    columns = (table.code.label("cell"), table.name, table.unit_path, table.valid_from, table.geom)
    dated = select(*columns).where(in_force(view, table.valid_from, table.valid_to))
    statement = narrowed(dated.order_by(table.code), view, table.unit_path)
    return metric_frame(connection, statement, county.metric_srid)


def _grid_of(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame, frame: GeoDataFrame
) -> pd.Series[str]:
    """Return the grid of each incident: as stored, or by place where grids were others then."""
    if view.as_of is not None:
        today = _grids(connection, replace(view, as_of=None), county)
        versions = ["cell", "valid_from"]
        if not today[versions].equals(frame[versions]):
            codes = frame["cell"].to_numpy(dtype=object)
            return pd.Series(assign_xy(_xy(incidents), frame.geometry, codes))
    return incidents["grid_code"]


def village_cells(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame
) -> Cells:
    """Return the villages as cells: official outlines, with the people of their blocks."""
    units = _units(connection, view, county)
    villages = units[units["level"] == "village"].reset_index(drop=True)
    people = _people_per(connection, view, block_count.c.unit_path)
    row = pd.Series(range(len(villages)), index=villages["unit_path"])
    return Cells(
        "village",
        villages.drop(columns="level").rename(columns={"code": "cell"}),
        contiguity(villages.geometry, tolerance_m=BORDER_TOLERANCE_M),
        people.reindex(villages["unit_path"]).fillna(0).to_numpy(dtype=np.float64),
        incidents["unit_path"].map(row).fillna(-1).to_numpy(dtype=np.int64),
    )


def block_cells(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame
) -> Cells:
    """Return the blocks in force as cells, with the name of the village that they lie in."""
    table = block.c
    columns = (table.id.label("cell"), table.unit_path, table.geom)
    dated = select(*columns).where(in_force(view, table.valid_from, table.valid_to))
    statement = narrowed(dated.order_by(table.id), view, table.unit_path)
    frame = metric_frame(connection, statement, county.metric_srid)
    names = _units(connection, view, county).set_index("unit_path")["name"]
    people = _people_per(connection, view, block_count.c.block_id)
    row = pd.Series(range(len(frame)), index=frame["cell"])
    return Cells(
        "block",
        frame.assign(name=frame["unit_path"].map(names)),
        contiguity(frame.geometry, tolerance_m=BORDER_TOLERANCE_M),
        people.reindex(frame["cell"]).fillna(0).to_numpy(dtype=np.float64),
        incidents["block_id"].map(row).fillna(-1).to_numpy(dtype=np.int64),
    )


def hexagon_cells(
    connection: Connection,
    view: View,
    county: County,
    incidents: GeoDataFrame,
    *,
    width_m: float = HEX_WIDTH_M,
) -> Cells:
    """Return hexagons over the county as cells, with the people whose homes lie in each."""
    units = _units(connection, view, county)
    outline = units.loc[units["level"] == "county"].geometry.union_all()
    hexes = hex_cells(outline, width_m=width_m, crs=units.crs).reset_index(drop=True)
    homes = _homes(connection, view, county)
    home = count_in_hexes(_xy(homes), hexes, width_m=width_m).cell
    inside = home >= 0
    people = np.bincount(home[inside], homes["people"][inside], minlength=len(hexes))
    path = _path_of_middle(hexes, units, county)
    frame = hexes.assign(
        cell=hexes["column"].astype(str) + "," + hexes["row"].astype(str),
        name=pd.Series(path).map(units.set_index("unit_path")["name"]).to_numpy(),
        unit_path=path,
    )
    row = count_in_hexes(_xy(incidents), hexes, width_m=width_m).cell
    return Cells("hex", frame, hex_neighbours(hexes), people.astype(float), row)


def _people_per(connection: Connection, view: View, key: Column[str]) -> pd.Series[float]:
    """Return the people by a column of the block counts."""
    counted = func.sum(block_count.c.people).label("people")
    columns: tuple[Any, ...] = (key.label("key"), counted)
    per_key = select(*columns).group_by(key)
    statement = narrowed(per_key, view, block_count.c.unit_path)
    return plain_frame(connection, statement).set_index("key")["people"].astype(float)


def _people_per_grid(connection: Connection, view: View) -> pd.Series[float]:
    counted = func.sum(block_count.c.people).label("people")
    per_grid = (
        select(grid_block.c.grid_code, counted)
        .join(block_count, block_count.c.block_id == grid_block.c.block_id)
        .where(in_force(view, grid_block.c.valid_from, grid_block.c.valid_to))
        .group_by(grid_block.c.grid_code)
    )
    frame = plain_frame(connection, narrowed(per_grid, view, block_count.c.unit_path))
    return frame.set_index("grid_code")["people"].astype(float)


def _units(connection: Connection, view: View, county: County) -> GeoDataFrame:
    table = unit.c
    columns = (table.code, table.level, table.name, table.unit_path, table.geom)
    dated = select(*columns).where(in_force(view, table.valid_from, table.valid_to))
    statement = narrowed(dated.order_by(table.code), view, None)
    return metric_frame(connection, statement, county.metric_srid)


def _homes(connection: Connection, view: View, county: County) -> GeoDataFrame:
    """Return points with the people there: households; blocks where persons are not known."""
    lived_in = (
        select(household.c.geom, func.count().label("people"))
        .join(person, person.c.household_id == household.c.id)
        .where(person.c[county.population_basis])
        .group_by(household.c.id)
    )
    statement = narrowed(lived_in, view, household.c.unit_path)
    homes = metric_frame(connection, statement, county.metric_srid)
    if len(homes):
        return homes
    counted = (
        select(func.st_pointonsurface(block.c.geom).label("geom"), block_count.c.people)
        .join(block_count, block_count.c.block_id == block.c.id)
        .where(block.c.valid_to.is_(None), block_count.c.people > 0)
    )
    statement = narrowed(counted, view, block.c.unit_path)
    return metric_frame(connection, statement, county.metric_srid)


def _path_of_middle(
    hexes: GeoDataFrame, units: GeoDataFrame, county: County
) -> NDArray[np.object_]:
    villages = units[units["level"] == "village"]
    middle = shapely.get_coordinates(shapely.centroid(hexes.geometry.to_numpy()))
    paths = assign_xy(middle, villages.geometry, villages["unit_path"].to_numpy(dtype=object))
    # a hexagon on the county's rim may have its middle outside
    return np.where(pd.isna(paths), county.unit_path, paths)


def _xy(points: GeoDataFrame) -> NDArray[np.float64]:
    return np.column_stack([points.geometry.x, points.geometry.y])
