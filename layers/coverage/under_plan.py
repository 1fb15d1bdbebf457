"""Under a plan: coverage figures of grids not in force, by the functions of those that are.

What stands in the plan's blocks is read once, each thing with the block it lies in; the figures of
any grouping of the blocks into grids follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    select,
)

from grid_boundaries.store import grid
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.coverage.figures import left_out
from layers.coverage.inputs import Inputs, roads
from layers.coverage.near import BOUNDS, HERE, degrees, living_in
from layers.coverage.refresh import figures_and_blind
from layers.coverage.tables import EVEN, camera_view, grid_coverage
from layers.coverage.windows import window_of
from layers.handover.read import Moved, located_in
from layers.places import place
from layers.read import County, metric_frame

CAMERA_COLUMNS = (
    "id", "state", "online", "indoor", "azimuth_deg", "view_angle_deg", "range_m", "assumed",
    "geom",
)  # fmt: skip


@dataclass(frozen=True)
class PlanGround:
    """What stands in some blocks and what looks at it, in the county's metres.

    Parameters
    ----------
    shapes
        The blocks, by id.
    things
        As in `Inputs`, with the column ``block`` for ``grid_code``; no grids.
    views
        What working cameras see, wherever they stand.
    beside
        The grids in force in and round the blocks, by code.
    """

    shapes: GeoSeries
    things: Inputs
    views: GeoSeries
    beside: GeoSeries


def assumed_in(connection: Connection, view: View) -> list[str]:
    """Return what the stored figures assume; nothing where none are stored."""
    statement = narrowed(select(grid_coverage.c.assumed), view, grid_coverage.c.unit_path)
    return list(connection.scalar(statement.limit(1)) or [])


def plan_ground(
    connection: Connection, view: View, county: County, moved: Moved, counts: pd.DataFrame | None
) -> PlanGround:
    """Read what stands in some blocks.

    Parameters
    ----------
    connection
        In a transaction whose scope is the whole county.
    view
        Of the whole county.
    moved
        The blocks as the index of a table, and their shapes.
    counts
        ``people`` and ``households`` by block, where people are taken as spread over their block;
        None where they are known by building.
    """
    names = list(moved.table.index)
    shapes = GeoSeries(moved.shapes.loc[names])
    read = _Reading(connection, view, county, moved, window_of(*shapes))
    homes = read.homes() if counts is None else _nothing(shapes.crs)
    spread = _nothing(shapes.crs)
    if counts is not None:
        columns = counts.loc[names, ["people", "households"]].assign(block=names)
        spread = GeoDataFrame(columns, geometry=shapes.to_numpy(), crs=shapes.crs)
    things = Inputs(
        grids=_nothing(shapes.crs),
        buildings=read.here(select(building.c.geom), building),
        cameras=read.placed(camera, CAMERA_COLUMNS, camera.c.id),
        key_places=read.placed(place, ("id", "geom"), place.c.id, place.c.is_key),
        homes=homes,
        blocks=spread,
        streets=read.roads(),
    )
    return PlanGround(shapes, things, read.views(), read.grids())


def _nothing(crs: Any) -> GeoDataFrame:
    columns: dict[str, list[Any]] = {"block": [], "people": [], "households": []}
    return GeoDataFrame(columns, geometry=[], crs=crs)


@dataclass(frozen=True)
class _Reading:
    """One reading of the ground round some blocks."""

    connection: Connection
    view: View
    county: County
    moved: Moved
    window: Any

    def _frame(self, statement: Select[Any]) -> GeoDataFrame:
        return metric_frame(self.connection, statement, self.county.metric_srid)

    def here(self, statement: Select[Any], table: Table) -> GeoDataFrame:
        """Return the rows of a statement that meet the window."""
        bounds = dict(zip(BOUNDS, degrees(self.window, self.county.metric_srid), strict=True))
        path = None if table is building else table.c.unit_path
        near = narrowed(statement, self.view, path).where(table.c.geom.intersects(HERE))
        return self._frame(near.params(bounds))

    def roads(self) -> GeoDataFrame:
        """Return the streets that meet the window, by id."""
        bounds = dict(zip(BOUNDS, degrees(self.window, self.county.metric_srid), strict=True))
        statement = roads(self.view)
        shape = statement.selected_columns["geom"]
        return self._frame(statement.where(shape.intersects(HERE)).params(bounds)).set_index("id")

    def views(self) -> GeoSeries:
        """Return the stored views that meet the window."""
        return self.here(select(camera_view.c.geom), camera_view).geometry

    def grids(self) -> GeoSeries:
        """Return the grids in force that meet the window."""
        own = select(grid.c.code, grid.c.geom).where(grid.c.valid_to.is_(None))
        return GeoSeries(self.here(own, grid).set_index("code").geometry)

    def placed(
        self, table: Table, columns: Sequence[str], key: Any, *where: ColumnElement[bool]
    ) -> GeoDataFrame:
        """Return the rows of a table in the blocks, by id, with the block of each."""
        middle = func.st_pointonsurface(table.c.geom, type_=Geometry).label("geom")
        spots = select(key.label("id"), table.c.block_id, middle).where(*where)
        spots = narrowed(spots, self.view, table.c.unit_path)
        found = located_in(self.connection, spots, table, self.moved).set_index("id")["block"]
        ids = cast(bindparam("ids", [str(one) for one in found.index]), ARRAY(Text))
        rows = select(*(table.c[name] for name in columns)).where(key == func.any(ids))
        frame = self._frame(narrowed(rows, self.view, table.c.unit_path)).set_index("id")
        return GeoDataFrame(frame.assign(block=found.reindex(frame.index).to_numpy(object)))

    def homes(self) -> GeoDataFrame:
        """Return the lived-in footprints in the blocks, with people and households."""
        houses = self.placed(building, ("id", "geom"), building.c.id)
        asked = {"buildings": [str(one) for one in houses.index]}
        rows = self.connection.execute(living_in(self.view, self.county), asked).all()
        counts = pd.DataFrame(
            [(row.people, row.households) for row in rows],
            index=pd.Index([row.building_id for row in rows], dtype=object),
            columns=["people", "households"],
        )
        return GeoDataFrame(houses.join(counts, how="inner"))


def figures_under(
    ground: PlanGround,
    grid_of: Mapping[str, str | None],
    codes: Collection[str],
    more: GeoSeries | None = None,
) -> pd.DataFrame:
    """Return the coverage figures of grids made of the ground's blocks.

    Parameters
    ----------
    grid_of
        Grid code by block; None for a block in no grid.
    codes
        The grids asked for; one without a block has no figures.
    more
        What further cameras would see.

    Returns
    -------
    DataFrame
        The figures of `grid_coverage` by grid code.
    """
    held = pd.Series({name: grid_of.get(str(name)) for name in ground.shapes.index}, dtype=object)
    asked = sorted({code for code in held if code is not None} & set(codes))
    outlines = [shapely.coverage_union_all(ground.shapes[held == code]) for code in asked]
    index = pd.Index(asked, dtype=object)
    grids = GeoDataFrame({"unit_path": ""}, index=index, geometry=outlines, crs=ground.shapes.crs)
    inputs = replace(_under(ground.things, held), grids=grids)
    looking = [ground.views.to_numpy(), *([] if more is None else [more.to_numpy()])]
    views = GeoSeries(np.concatenate(looking), crs=ground.shapes.crs)
    # a road along a border is of the lowest code, of all the grids on both sides of it
    others = GeoSeries(ground.beside.drop(index=list(codes), errors="ignore"))
    reasons = left_out(inputs.cameras)
    return figures_and_blind(inputs, views, reasons, beside=others)[0]


def _under(things: Inputs, held: pd.Series[Any]) -> Inputs:
    """Return things with the grid of their block."""
    coded = {
        name: GeoDataFrame(frame.assign(grid_code=frame["block"].map(held)))
        for name in ("cameras", "key_places", "homes", "blocks")
        for frame in [getattr(things, name)]
    }
    return replace(things, **coded)


def is_spread(assumed: Collection[str]) -> bool:
    """Say whether people are taken as spread evenly over their block."""
    return EVEN in assumed
