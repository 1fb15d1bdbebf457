"""What is at a point: its block, grid and units, who lives there in numbers, who sees it."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, select

from grid_boundaries.store import block, block_count, grid, grid_block, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, in_force, narrowed
from layers.cameras import camera
from layers.coverage.tables import camera_view

Facts = dict[str, Any]
Found = Row[Any, Any, Any]


def at_point(connection: Connection, view: View, lon: float, lat: float) -> Facts:
    """Return what lies at a point in degrees; None for what does not, or is out of scope.

    On a border the lowest code counts. People and households are the grid's, cameras those
    whose view holds the point; both only with the right.
    """
    point = func.st_setsrid(func.st_makepoint(lon, lat), STORED_SRID, type_=Geometry)
    found = _block(connection, view, point)
    facts: Facts = {
        "lon": lon,
        "lat": lat,
        "block": None if found is None else {"id": found.id, "kind": found.kind},
        "grid": None if found is None else _grid(connection, view, found),
    }
    for level in ("village", "town", "county"):
        facts[level] = _unit(connection, view, point, level)
    if "cameras" in view.rights:
        facts["cameras"] = _cameras(connection, view, point)
    return facts


def _holds(table: Table, point: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(table.c.geom.intersects(point), func.st_intersects(table.c.geom, point))


def _block(connection: Connection, view: View, point: ColumnElement[Any]) -> Found | None:
    statement = select(block.c.id, block.c.kind, grid_block.c.grid_code).outerjoin(
        grid_block, and_(grid_block.c.block_id == block.c.id, grid_block.c.valid_to.is_(None))
    )
    here = and_(_holds(block, point), in_force(view, block.c.valid_from, block.c.valid_to))
    ordered = narrowed(statement.where(here), view, block.c.unit_path).order_by(block.c.id)
    return connection.execute(ordered.limit(1)).one_or_none()


def _grid(connection: Connection, view: View, found: Found) -> Facts | None:
    statement = select(grid.c.code, grid.c.name, grid.c.kind).where(
        grid.c.code == found.grid_code, in_force(view, grid.c.valid_from, grid.c.valid_to)
    )
    row = connection.execute(narrowed(statement, view, grid.c.unit_path)).one_or_none()
    if row is None:
        return None
    return {**row._mapping, **_residents(connection, view, found.grid_code)}


def _residents(connection: Connection, view: View, grid_code: str) -> Facts:
    if "counts" not in view.rights:
        return {}
    sums = select(
        func.sum(block_count.c.people).label("people"),
        func.sum(block_count.c.households).label("households"),
    ).join(grid_block, grid_block.c.block_id == block_count.c.block_id)
    own = and_(grid_block.c.grid_code == grid_code, grid_block.c.valid_to.is_(None))
    row = connection.execute(narrowed(sums.where(own), view, block_count.c.unit_path)).one()
    return dict(row._mapping)


def _unit(
    connection: Connection, view: View, point: ColumnElement[Any], level: str
) -> Facts | None:
    here = and_(_holds(unit, point), unit.c.level == level)
    in_date = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code, unit.c.name).where(here, in_date).order_by(unit.c.code)
    row = connection.execute(narrowed(statement, view, None).limit(1)).one_or_none()
    return None if row is None else dict(row._mapping)


def _cameras(connection: Connection, view: View, point: ColumnElement[Any]) -> list[Facts]:
    statement = (
        select(camera.c.id, camera.c.name)
        .join(camera_view, camera_view.c.id == camera.c.id)
        .where(_holds(camera_view, point))
        .order_by(camera.c.id)
    )
    rows = connection.execute(narrowed(statement, view, camera.c.unit_path))
    return [dict(row._mapping) for row in rows]
