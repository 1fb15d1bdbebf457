"""What hotspots are computed from: incidents with their age, and cells with their residents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy import sparse
from sqlalchemy import Connection, func, select

from grid_boundaries.store import block, block_count, grid, grid_block, unit
from grid_boundaries.view import View, narrowed
from layers.assign import assign_xy
from layers.hotspots.cells import contiguity, count_in_hexes, hex_cells, hex_neighbours
from layers.incidents import incident
from layers.people import household, person
from layers.read import County, metric_frame, plain_frame

HEX_WIDTH_M = 500.0
BORDER_TOLERANCE_M = 0.01


@dataclass(frozen=True)
class Cells:
    """One way to cut the county into cells.

    Parameters
    ----------
    kind
        ``grid`` or ``hex``.
    frame
        Columns ``cell``, ``name`` (of the grid, or of the village of a hexagon's middle) and
        ``unit_path``, geometry in metres; rows 0, 1, 2 …
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


def recent_incidents(
    connection: Connection, view: View, county: County, now: datetime, *, days: int
) -> GeoDataFrame:
    """Return the incidents of the last days: ``grid_code``, ``age_days`` and their points."""
    columns = (incident.c.occurred_at, incident.c.grid_code, incident.c.geom)
    since = incident.c.occurred_at > now - timedelta(days=days)
    recent = select(*columns).where(since, incident.c.occurred_at <= now)
    statement = narrowed(recent, view, incident.c.unit_path)
    frame = metric_frame(connection, statement, county.metric_srid)
    age = pd.Timestamp(now) - pd.to_datetime(frame["occurred_at"], utc=True)
    return frame.assign(age_days=age / pd.Timedelta(days=1))


def grid_cells(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame
) -> Cells:
    """Return the grids in force as cells, with the people counted in their blocks."""
    columns = (grid.c.code.label("cell"), grid.c.name, grid.c.unit_path, grid.c.geom)
    in_force = select(*columns).where(grid.c.valid_to.is_(None)).order_by(grid.c.code)
    statement = narrowed(in_force, view, grid.c.unit_path)
    frame = metric_frame(connection, statement, county.metric_srid)
    people = _people_per_grid(connection, view).reindex(frame["cell"]).fillna(0)
    row = pd.Series(range(len(frame)), index=frame["cell"])
    return Cells(
        "grid",
        frame,
        contiguity(frame.geometry, tolerance_m=BORDER_TOLERANCE_M),
        people.to_numpy(dtype=np.float64),
        incidents["grid_code"].map(row).fillna(-1).to_numpy(dtype=np.int64),
    )


def hexagon_cells(
    connection: Connection, view: View, county: County, incidents: GeoDataFrame
) -> Cells:
    """Return hexagons over the county as cells, with the people whose homes lie in each."""
    units = _units(connection, view, county)
    outline = units.loc[units["level"] == "county"].geometry.union_all()
    hexes = hex_cells(outline, width_m=HEX_WIDTH_M, crs=units.crs).reset_index(drop=True)
    homes = _homes(connection, view, county)
    home = count_in_hexes(_xy(homes), hexes, width_m=HEX_WIDTH_M).cell
    inside = home >= 0
    people = np.bincount(home[inside], homes["people"][inside], minlength=len(hexes))
    path = _path_of_middle(hexes, units, county)
    frame = hexes.assign(
        cell=hexes["column"].astype(str) + "," + hexes["row"].astype(str),
        name=pd.Series(path).map(units.set_index("unit_path")["name"]).to_numpy(),
        unit_path=path,
    )
    row = count_in_hexes(_xy(incidents), hexes, width_m=HEX_WIDTH_M).cell
    return Cells("hex", frame, hex_neighbours(hexes), people.astype(float), row)


def _people_per_grid(connection: Connection, view: View) -> pd.Series[float]:
    counted = func.sum(block_count.c.people).label("people")
    per_grid = (
        select(grid_block.c.grid_code, counted)
        .join(block_count, block_count.c.block_id == grid_block.c.block_id)
        .where(grid_block.c.valid_to.is_(None))
        .group_by(grid_block.c.grid_code)
    )
    frame = plain_frame(connection, narrowed(per_grid, view, block_count.c.unit_path))
    return frame.set_index("grid_code")["people"].astype(float)


def _units(connection: Connection, view: View, county: County) -> GeoDataFrame:
    columns = (unit.c.level, unit.c.name, unit.c.unit_path, unit.c.geom)
    in_force = select(*columns).where(unit.c.valid_to.is_(None)).order_by(unit.c.code)
    return metric_frame(connection, narrowed(in_force, view, None), county.metric_srid)


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
