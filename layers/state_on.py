"""The blocks and grids in force on a date, with their shapes, as a plan would know them."""

from __future__ import annotations

import shapely
from geopandas import GeoSeries
from sqlalchemy import Connection, func, select

from grid_boundaries.plan_state import Grid, State, state_of
from grid_boundaries.store import block, grid, grid_block, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, in_force, narrowed


def state_on(connection: Connection, view: View) -> tuple[State, GeoSeries]:
    """Return what was in force on the view's date within its scope.

    Returns
    -------
    tuple
        The state, and the shapes of its blocks by id, stored degrees.
    """
    held = in_force(view, grid_block.c.valid_from, grid_block.c.valid_to)
    statement = (
        select(block.c.id, grid_block.c.grid_code, func.st_asbinary(block.c.geom).label("geom"))
        .outerjoin(grid_block, (grid_block.c.block_id == block.c.id) & held)
        .where(in_force(view, block.c.valid_from, block.c.valid_to))
        .order_by(block.c.id)
    )
    rows = connection.execute(narrowed(statement, view, block.c.unit_path)).all()
    grids = _grids_on(connection, view)
    known = {one.code for one in grids}
    grid_of = {row.id: row.grid_code if row.grid_code in known else None for row in rows}
    wkb = [bytes(row.geom) for row in rows]
    shapes = GeoSeries(shapely.from_wkb(wkb), index=list(grid_of), crs=STORED_SRID)
    return state_of(grid_of, grids), shapes


def village_names(connection: Connection, view: View) -> dict[str, str]:
    """Return the names of the villages of the view's date, by code."""
    dated = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code, unit.c.name).where(unit.c.level == "village", dated)
    rows = connection.execute(narrowed(statement, view, unit.c.unit_path))
    return {row.code: row.name for row in rows}


def _grids_on(connection: Connection, view: View) -> list[Grid]:
    dated = in_force(view, grid.c.valid_from, grid.c.valid_to)
    columns = (grid.c[name] for name in Grid.__dataclass_fields__)
    statement = narrowed(select(*columns).where(dated), view, grid.c.unit_path)
    return [Grid(*row) for row in connection.execute(statement.order_by(grid.c.code))]
