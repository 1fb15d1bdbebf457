"""Reach figures of units: people whom no worker on duty reaches along the streets in time."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import Connection, Select, func, select

from grid_boundaries.crs import in_degrees
from grid_boundaries.outbox import outbox
from grid_boundaries.store import block, block_count, grid_block
from grid_boundaries.view import View, in_force, narrowed
from layers.coverage.along_streets import Reach, reach_from, reached_streets, seconds_at, spots
from layers.coverage.street_graph import StreetGraph, on_slopes, street_graph
from layers.coverage.units_of import Level, grids_in_force, names_of, summed, told
from layers.elevation import elevation
from layers.people import household, person
from layers.read import County, metric_frame
from layers.streets import street
from layers.workers import worker

SOURCES = ("streets",)
MINUTE_S = 60.0
MOST_FAILING = 200
LEVEL_GROUND = "terrain"
AT_BLOCK = "people_at_block_centre"


@dataclass(frozen=True)
class Walked:
    """The county's streets as they are walked, and whether slopes were counted."""

    graph: StreetGraph
    has_terrain: bool


class KeptStreets:
    """The street graph of the county, read anew when a street has changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[int, Walked] | None = None

    def of(self, connection: Connection, view: View, county: County) -> Walked:
        """Return the streets of the whole county, which everybody may see."""
        if not view.scope:
            return read_streets(connection, view, county)  # who sees nothing sees no street
        newest = select(func.coalesce(func.max(outbox.c.id), 0)).where(outbox.c.layer.in_(SOURCES))
        version = int(connection.execute(newest).scalar_one())
        with self._lock:
            if self._kept is None or self._kept[0] != version:
                self._kept = (version, read_streets(connection, view, county))
            return self._kept[1]


def read_streets(connection: Connection, view: View, county: County) -> Walked:
    """Return the street graph, with walking times by slope where the county has heights."""
    lines = metric_frame(connection, _streets(view), county.metric_srid)
    graph = street_graph(GeoSeries(lines.geometry), lines["kind"].to_numpy(dtype=object))
    heights = _heights(connection, graph.node_xy)
    return Walked(graph, False) if heights is None else Walked(on_slopes(graph, heights), True)


def reach_figures(
    connection: Connection,
    view: View,
    county: County,
    walked: Walked,
    level: Level,
    *,
    minutes: float,
) -> dict[str, Any]:
    """Return by unit how many people no worker on duty reaches in time, and where.

    Workers are those on duty in the view's scope where they were last, people are at their
    homes; both walk to the nearest street and along it. Who is farther from every street than
    `along_streets.OFF_STREET_M` is not reached, and counted apart.
    """
    grids = grids_in_force(connection, view)
    homes, assumed = homes_with_people(connection, view, county)
    reach = _reach(connection, view, county, walked, minutes)
    beside = spots(walked.graph, homes.geometry)
    seconds = seconds_at(reach, beside)
    figures = pd.DataFrame(
        {
            "people": homes["people"],
            "people_late": homes["people"].where(~np.isfinite(seconds), 0),
            "people_off_streets": homes["people"].where(~beside.is_beside, 0),
            "homes": 1,
            "homes_late": (~np.isfinite(seconds)).astype(int),
        }
    )
    per_grid = figures.groupby(homes["grid_code"].to_numpy()).sum()
    per_grid = per_grid.reindex(grids.index).fillna(0).astype("int64")
    late = per_grid[per_grid["people_late"] > 0].sort_values(
        "people_late", ascending=False, kind="stable"
    )
    return {
        "minutes": minutes,
        "workers": len(reach.workers.stretch),
        "workers_off_streets": int((~reach.workers.is_beside).sum()),
        "assumed": [*assumed, *([] if walked.has_terrain else [LEVEL_GROUND])],
        "total": {str(name): int(total) for name, total in per_grid.sum().items()},
        "rows": told(summed(per_grid, grids, level), names_of(connection, view, grids, level)),
        "failing": told(late.head(MOST_FAILING), names_of(connection, view, grids, "grid")),
    }


def reach_lines(
    connection: Connection, view: View, county: County, walked: Walked, *, minutes: float
) -> GeoDataFrame:
    """Return the streets and parts of streets reached in time, in degrees."""
    drawn = reached_streets(_reach(connection, view, county, walked, minutes))
    return GeoDataFrame(drawn, geometry=in_degrees(drawn.geometry))


def _reach(
    connection: Connection, view: View, county: County, walked: Walked, minutes: float
) -> Reach:
    workers = metric_frame(connection, _workers(view), county.metric_srid)
    at = spots(walked.graph, GeoSeries(workers.geometry))
    return reach_from(walked.graph, at, limit_s=minutes * MINUTE_S)


def homes_with_people(
    connection: Connection, view: View, county: County
) -> tuple[GeoDataFrame, tuple[str, ...]]:
    """Return where people live with how many, and what that assumes.

    Where nobody knows households, a block's people are taken to live at a point inside it.
    """
    homes = metric_frame(connection, _households(view, county), county.metric_srid)
    if len(homes):
        return homes, ()
    blocks = metric_frame(connection, _blocks(view), county.metric_srid)
    middles = shapely.point_on_surface(blocks.geometry.to_numpy())
    return GeoDataFrame(blocks.drop(columns="geometry"), geometry=middles, crs=blocks.crs), (
        AT_BLOCK,
    )


def _streets(view: View) -> Select[Any]:
    return narrowed(select(street.c.kind, street.c.geom), view, None).order_by(street.c.id)


def _workers(view: View) -> Select[Any]:
    on_duty = select(worker.c.geom).where(worker.c.on_duty)
    return narrowed(on_duty, view, worker.c.unit_path).order_by(worker.c.id)


def _households(view: View, county: County) -> Select[Any]:
    residents = (
        select(person.c.household_id, func.count().label("people"))
        .where(person.c[county.population_basis])
        .group_by(person.c.household_id)
    )
    living = narrowed(residents, view, person.c.unit_path).subquery()
    columns = (household.c.grid_code, func.coalesce(living.c.people, 0).label("people"))
    homes = select(*columns, household.c.geom).outerjoin(
        living, living.c.household_id == household.c.id
    )
    return narrowed(homes, view, household.c.unit_path)


def _blocks(view: View) -> Select[Any]:
    current = in_force(view, block.c.valid_from, block.c.valid_to)
    held = in_force(view, grid_block.c.valid_from, grid_block.c.valid_to)
    people = func.coalesce(block_count.c.people, 0).label("people")
    statement = (
        select(grid_block.c.grid_code, people, block.c.geom)
        .join(grid_block, (grid_block.c.block_id == block.c.id) & held)
        .join(block_count, block_count.c.block_id == block.c.id)
        .where(current)
    )
    return narrowed(statement, view, block.c.unit_path)


def _heights(connection: Connection, node_xy: Any) -> Any | None:
    """Return the height of each node by the nearest cell; None where the county has no heights."""
    row = connection.execute(select(elevation)).one_or_none()
    if row is None or not len(node_xy):
        return None
    heights = np.frombuffer(row.heights, dtype="<i2").reshape(row.rows, row.columns)
    column = np.floor((node_xy[:, 0] - row.west_m) / row.cell_m).astype(np.int64)
    line = np.floor((row.north_m - node_xy[:, 1]) / row.cell_m).astype(np.int64)
    inside = (column >= 0) & (column < row.columns) & (line >= 0) & (line < row.rows)
    found = heights[np.where(inside, line, 0), np.where(inside, column, 0)].astype(np.float64)
    return np.where(inside, found, np.nan)
