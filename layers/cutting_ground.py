"""What a county is cut into blocks along: villages, streets, waters, special ground, homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from grid_boundaries.store import block, grid, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.block_sums import LIVING
from layers.people import household, person
from layers.read import plain_frame
from layers.streets import street
from layers.waters import water

RAILWAY = "railway"


@dataclass(frozen=True)
class CuttingGround:
    """What lies in a unit, stored degrees.

    Parameters
    ----------
    villages
        Columns code, unit_path and geometry, by code.
    streets, railways, waters
        Lines, and the surfaces of waters.
    special
        Ground of the special grids in force.
    homes
        Points with a column ``people``: who lives there on the basis asked for.
    """

    villages: GeoDataFrame
    streets: GeoSeries
    railways: GeoSeries
    waters: GeoSeries
    special: GeoSeries
    homes: GeoDataFrame


def cutting_ground(connection: Connection, view: View, unit_path: str, basis: str) -> CuttingGround:
    """Return what lies in a unit; each part is empty where nothing was loaded.

    Parameters
    ----------
    basis
        "present", "registered" or "usual": who is counted.
    """
    ways = _lines(connection, view, street, unit_path)
    is_railway = (ways["kind"] == RAILWAY).to_numpy(dtype=bool)
    inside = grid.c.unit_path.startswith(unit_path) & grid.c.valid_to.is_(None)
    special = select(grid.c.code, grid.c.geom).where(inside, grid.c.kind == "special")
    return CuttingGround(
        _read(connection, _villages(view, unit_path)),
        GeoSeries(ways.geometry[~is_railway]),
        GeoSeries(ways.geometry[is_railway]),
        GeoSeries(_lines(connection, view, water, unit_path).geometry),
        GeoSeries(_read(connection, narrowed(special, view, grid.c.unit_path)).geometry),
        _read(connection, _homes(view, unit_path, basis)),
    )


def blocks_round(connection: Connection, view: View, ground: GeoSeries) -> GeoSeries:
    """Return the blocks in force that touch the box round some ground, stored degrees, by id."""
    box = func.st_makeenvelope(*map(float, ground.total_bounds), STORED_SRID, type_=Geometry)
    near = block.c.valid_to.is_(None) & block.c.geom.intersects(box)
    statement = select(block.c.id, block.c.geom).where(near).order_by(block.c.id)
    found = _read(connection, narrowed(statement, view, block.c.unit_path))
    return GeoSeries(found.set_index("id").geometry)


def _villages(view: View, unit_path: str) -> Select[Any]:
    current = unit.c.valid_to.is_(None) & unit.c.unit_path.startswith(unit_path)
    columns = (unit.c.code, unit.c.unit_path, unit.c.geom)
    statement = select(*columns).where(current, unit.c.level == "village")
    return narrowed(statement.order_by(unit.c.code), view, unit.c.unit_path)


def _homes(view: View, unit_path: str, basis: str) -> Select[Any]:
    people = func.count(person.c.id).filter(LIVING[basis]).label("people")
    living = household.outerjoin(person, person.c.household_id == household.c.id)
    inside = household.c.unit_path.startswith(unit_path)
    columns = (household.c.id, people, household.c.geom)
    statement = select(*columns).select_from(living).where(inside)
    grouped = statement.group_by(household.c.id).order_by(household.c.id)
    return narrowed(grouped, view, household.c.unit_path)


def _lines(connection: Connection, view: View, table: Table, unit_path: str) -> GeoDataFrame:
    """Return what of the base map meets the box of a unit: it runs across limits."""
    ground = _villages(view, unit_path).subquery()
    box = select(func.st_envelope(func.st_collect(ground.c.geom), type_=Geometry)).scalar_subquery()
    near: ColumnElement[bool] = table.c.geom.intersects(box)
    statement = select(table.c.id, table.c.kind, table.c.geom).where(near).order_by(table.c.id)
    return _read(connection, narrowed(statement, view, None))


def _read(connection: Connection, statement: Select[Any]) -> GeoDataFrame:
    rows = statement.subquery()
    others = [column for column in rows.c if column.name != "geom"]
    frame = plain_frame(connection, select(*others, func.st_asbinary(rows.c.geom).label("geom")))
    shapes = np.asarray(shapely.from_wkb(frame.pop("geom").to_numpy()), dtype=object)
    return GeoDataFrame(frame, geometry=GeoSeries(shapes, crs=STORED_SRID))
