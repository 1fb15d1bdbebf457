"""Plans, and the grids in force on a date, handed out as files."""

from __future__ import annotations

import pandas as pd
from geopandas import GeoSeries

from gis_service.planning import Desk
from grid_boundaries.crs import in_metres
from grid_boundaries.exchange.files import File, Style, written
from grid_boundaries.exchange.sheets import Sheet, What, block_sheet, counts_by_grid, grid_sheet
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State, recoded
from layers.block_sums import block_sums, plan_sums
from layers.plan_ground import shapes_of
from layers.read import the_county
from layers.state_on import state_on, village_names


def exported_plan(desk: Desk, row: Record, what: What, style: Style) -> File:
    """Return what a plan says now as a file; a published one under the codes that it got."""
    state = recoded(desk.state(row), (row.outcome or {}).get("codes", {}))
    shapes = shapes_of(desk.connection, desk.view, state)
    title, plain = f"方案{row.id}_{row.title}", f"plan_{row.id}"
    if what == "blocks":
        return written(_blocks(desk, state, shapes), style, title, plain)
    metric = in_metres(shapes, desk.srid)
    counting = desk.counting(row.basis)
    sums = plan_sums(desk.connection, counting, list(state.grid_of), metric)
    return written(_grids(desk, state, shapes, sums, metric.area), style, title, plain)


def exported_grids(desk: Desk, what: What, style: Style) -> File:
    """Return the grids in force on the view's date as a file."""
    county = the_county(desk.connection)
    state, shapes = state_on(desk.connection, desk.view)
    day = (desk.view.as_of or desk.now.date()).isoformat()
    title, plain = f"{county.name}网格_{day}", f"grids_{county.code}_{day}"
    if what == "blocks":
        return written(_blocks(desk, state, shapes), style, title, plain)
    areas_m2 = in_metres(shapes, desk.srid).area
    sums = block_sums(desk.connection, desk.counting(county.population_basis))
    return written(_grids(desk, state, shapes, sums, areas_m2), style, title, plain)


def _blocks(desk: Desk, state: State, shapes: GeoSeries) -> Sheet:
    return block_sheet(state, shapes, village_names(desk.connection, desk.view))


def _grids(
    desk: Desk, state: State, shapes: GeoSeries, sums: pd.DataFrame, areas_m2: pd.Series[float]
) -> Sheet:
    counts = counts_by_grid(state, sums, areas_m2)
    return grid_sheet(state, shapes, village_names(desk.connection, desk.view), counts)
