"""What coverage is computed from: grids, footprints, cameras, key places and where people live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geopandas import GeoDataFrame
from sqlalchemy import Connection, Select, func, select

from grid_boundaries.store import block, block_count, grid, grid_block
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.people import household, person
from layers.places import place
from layers.read import County, metric_frame
from layers.streets import street


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
        Points with ``grid_code`` and ``kind``.
    homes
        Footprints with ``grid_code``, ``people`` and ``households``; empty where only
        counts per block are known.
    blocks
        Blocks with ``grid_code``, ``people`` and ``households``.
    streets
        Lines by id, railways left out.
    """

    grids: GeoDataFrame
    buildings: GeoDataFrame
    cameras: GeoDataFrame
    key_places: GeoDataFrame
    homes: GeoDataFrame
    blocks: GeoDataFrame
    streets: GeoDataFrame


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
        streets=read(roads(view)).set_index("id"),
    )


def _grids(view: View) -> Select[Any]:
    in_force = select(grid.c.code, grid.c.unit_path, grid.c.geom).where(grid.c.valid_to.is_(None))
    return narrowed(in_force.order_by(grid.c.code), view, grid.c.unit_path)


def roads(view: View) -> Select[Any]:
    """Select the streets that people walk and drive on."""
    walked = select(street.c.id, street.c.geom).where(street.c.kind != "railway")
    return narrowed(walked, view, None)


def _key_places(view: View) -> Select[Any]:
    owed = select(place.c.grid_code, place.c.kind, place.c.geom).where(place.c.is_key)
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
