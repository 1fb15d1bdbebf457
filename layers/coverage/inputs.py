"""What coverage is computed from: grids, footprints, cameras, key places and where people live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geoalchemy2 import Geometry
from geopandas import GeoDataFrame
from sqlalchemy import ARRAY, Connection, Select, Table, Text, and_, cast, func, select

from grid_boundaries.store import block, block_count, grid, grid_block
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.people import household, person
from layers.places import place
from layers.read import County, metric_frame, plain_frame

Box = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True)
class Inputs:
    """Frames in the county's metres.

    Parameters
    ----------
    grids
        Indexed by grid code, with ``unit_path``.
    buildings
        Footprints.
    cameras
        Every camera, whatever its state; indexed by id.
    key_places
        Points with ``grid_code``.
    homes
        Footprints with ``grid_code``, ``people`` and ``households``; empty where only
        counts per block are known.
    blocks
        Blocks with ``grid_code``, ``people`` and ``households``.
    """

    grids: GeoDataFrame
    buildings: GeoDataFrame
    cameras: GeoDataFrame
    key_places: GeoDataFrame
    homes: GeoDataFrame
    blocks: GeoDataFrame


def read_inputs(connection: Connection, view: View, county: County) -> Inputs:
    """Read all of it within the view's scope."""

    def read(statement: Select[Any]) -> GeoDataFrame:
        return metric_frame(connection, statement, county.metric_srid)

    return Inputs(
        grids=read(_grids(view)).set_index("code"),
        buildings=read(narrowed(select(building.c.geom), view, None)),
        cameras=read(narrowed(select(camera), view, camera.c.unit_path)).set_index("id"),
        key_places=read(_key_places(view)),
        homes=read(_homes(view, county)),
        blocks=read(_blocks(view)),
    )


def read_near(connection: Connection, view: View, county: County, box: Box) -> Inputs:
    """Read what lies in a box of degrees (west, south, east, north), cameras left out."""
    here = func.st_makeenvelope(*box, STORED_SRID, type_=Geometry)

    def read(statement: Select[Any], table: Table) -> GeoDataFrame:
        near = statement.where(table.c.geom.intersects(here))
        return metric_frame(connection, near, county.metric_srid)

    footprints = select(building.c.id, building.c.grid_code, building.c.geom)
    buildings = read(narrowed(footprints, view, None), building).set_index("id")
    # asked for by name, because a plan for any box at all would count the whole county
    living = _living(view, county, buildings.index.tolist())
    counted = plain_frame(connection, living).set_index("building_id")
    return Inputs(
        grids=read(_grids(view), grid).set_index("code"),
        buildings=buildings,
        cameras=GeoDataFrame(),
        key_places=read(_key_places(view), place),
        homes=GeoDataFrame(buildings.join(counted, how="inner")),
        blocks=read(_blocks(view), block),
    )


def _living(view: View, county: County, buildings: Sequence[str]) -> Select[Any]:
    """Select households and residents of buildings by id."""
    lives_here = and_(person.c.household_id == household.c.id, person.c[county.population_basis])
    statement = (
        select(
            household.c.building_id,
            func.count(household.c.id.distinct()).label("households"),
            func.count(person.c.id).label("people"),
        )
        .outerjoin(person, lives_here)
        .where(household.c.building_id == func.any(cast(buildings, ARRAY(Text))))
        .group_by(household.c.building_id)
    )
    return narrowed(statement, view, household.c.unit_path)


def _grids(view: View) -> Select[Any]:
    in_force = select(grid.c.code, grid.c.unit_path, grid.c.geom).where(grid.c.valid_to.is_(None))
    return narrowed(in_force.order_by(grid.c.code), view, grid.c.unit_path)


def _key_places(view: View) -> Select[Any]:
    owed = select(place.c.grid_code, place.c.geom).where(place.c.is_key)
    return narrowed(owed, view, place.c.unit_path)


def _homes(view: View, county: County) -> Select[Any]:
    """Select footprints with the households in them and their residents."""
    residents = (
        select(person.c.household_id, func.count().label("people"))
        .where(person.c[county.population_basis])
        .group_by(person.c.household_id)
        .subquery()
    )
    living = (
        select(
            household.c.building_id,
            func.count().label("households"),
            func.coalesce(func.sum(residents.c.people), 0).label("people"),
        )
        .outerjoin(residents, residents.c.household_id == household.c.id)
        .group_by(household.c.building_id)
    )
    homes = narrowed(living, view, household.c.unit_path).subquery()
    columns = (building.c.grid_code, building.c.geom, homes.c.people, homes.c.households)
    lived_in = select(*columns).join(homes, homes.c.building_id == building.c.id)
    return narrowed(lived_in, view, None)


def _blocks(view: View) -> Select[Any]:
    columns = (grid_block.c.grid_code, block.c.geom, block_count.c.people, block_count.c.households)
    counted = (
        select(*columns)
        .join(grid_block, grid_block.c.block_id == block.c.id)
        .outerjoin(block_count, block_count.c.block_id == block.c.id)
        .where(block.c.valid_to.is_(None), grid_block.c.valid_to.is_(None))
    )
    return narrowed(counted, view, block.c.unit_path)
