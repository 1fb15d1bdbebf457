"""What stands near a camera, read for a request: few statements, plain arrays, metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import Geometry
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from grid_boundaries.crs import lonlat_from_metres, metres_from_lonlat
from grid_boundaries.store import block, block_count, grid, grid_block
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.coverage.tables import EVEN, grid_coverage
from layers.coverage.windows import Counted, Scene
from layers.people import household, person
from layers.places import place
from layers.read import County
from layers.streets import street

Box = tuple[float, float, float, float]  # west, south, east, north in degrees
Rows = Sequence[Any]
KINDS = ("grid", "building", "place", "street")
# a box as a statement's parameters
BOUNDS = ("west", "south", "east", "north")
HERE = func.st_makeenvelope(*map(bindparam, BOUNDS), STORED_SRID, type_=Geometry)


def scene_in(
    connection: Connection, view: View, county: County, box: BaseGeometry
) -> tuple[Scene, dict[str, str]]:
    """Return what meets a box of metres, and the unit path of each grid."""
    bounds = dict(zip(BOUNDS, degrees(box, county.metric_srid), strict=True))
    rows = connection.execute(_standing(view), bounds).all()
    of = {kind: [row for row in rows if row.kind == kind] for kind in KINDS}
    shapes = {kind: in_metres(found, county) for kind, found in of.items()}
    places = Counted(shapes["place"], _codes(of["place"]), np.ones((len(of["place"]), 1)))
    homes = _homes(connection, view, county, of["building"], shapes["building"])
    grids = dict(zip((row.id for row in of["grid"]), shapes["grid"], strict=True))
    blocks = _NOTHING if len(homes.shapes) else _blocks(connection, view, county, bounds)
    paths = {row.id: row.unit_path for row in of["grid"]}
    return Scene(grids, shapes["building"], shapes["street"], places, homes, blocks), paths


def degrees(box: BaseGeometry, srid: int) -> Box:
    """Return the bounds of a box of metres in degrees."""
    # a straight side in metres is bent in degrees, by less than the margin at such lengths
    lonlat = lonlat_from_metres(shapely.get_coordinates(box), srid)
    (west, south), (east, north) = lonlat.min(axis=0), lonlat.max(axis=0)
    return (float(west), float(south), float(east), float(north))


def in_metres(rows: Rows, county: County) -> NDArray[Any]:
    """Return the shapes of rows (``shape``, WKB in degrees) in the county's metres."""
    stored: NDArray[Any] = np.asarray(shapely.from_wkb([bytes(row.shape) for row in rows]), object)
    xy = metres_from_lonlat(shapely.get_coordinates(stored), county.metric_srid)
    moved: NDArray[Any] = shapely.set_coordinates(stored, xy)
    return moved


@lru_cache(maxsize=64)
def _standing(view: View) -> Any:
    """Select grids in force, footprints, key places and streets in one statement."""
    return union_all(
        _of("grid", grid, grid.c.code, view, grid.c.unit_path).where(grid.c.valid_to.is_(None)),
        _of("building", building, building.c.id, view, None),
        _of("place", place, place.c.id, view, place.c.unit_path).where(place.c.is_key),
        _of("street", street, street.c.id, view, None).where(street.c.kind != "railway"),
    )


def _of(
    kind: str, table: Table, key: Column[str], view: View, path: Column[str] | None
) -> Select[Any]:
    held = table.c.get("grid_code", null())
    shape = func.st_asbinary(table.c.geom).label("shape")
    columns = (literal(kind).label("kind"), key.label("id"), held.label("grid_code"))
    statement = select(*columns, table.c.unit_path, shape)
    return narrowed(statement.where(table.c.geom.intersects(HERE)), view, path)


def _codes(rows: Rows) -> NDArray[Any]:
    return np.array([row.grid_code for row in rows], dtype=object)


def _homes(
    connection: Connection, view: View, county: County, rows: Rows, shapes: NDArray[Any]
) -> Counted:
    # asked for by name, because a plan for any box at all would count the whole county
    ids = {"buildings": [row.id for row in rows]}
    living = connection.execute(living_in(view, county), ids)
    known = {row.building_id: (row.people, row.households) for row in living}
    lived_in = np.array([row.id in known for row in rows], dtype=bool)
    numbers = np.array([known[row.id] for row in rows if row.id in known], dtype=float)
    return Counted(shapes[lived_in], _codes(rows)[lived_in], numbers.reshape(-1, 2))


@lru_cache(maxsize=64)
def living_in(view: View, county: County) -> Select[Any]:
    """Select households and residents of buildings by id."""
    lives_here = and_(person.c.household_id == household.c.id, person.c[county.population_basis])
    statement = (
        select(
            household.c.building_id,
            func.count(household.c.id.distinct()).label("households"),
            func.count(person.c.id).label("people"),
        )
        .outerjoin(person, lives_here)
        .where(household.c.building_id == func.any(cast(bindparam("buildings"), ARRAY(Text))))
        .group_by(household.c.building_id)
    )
    return narrowed(statement, view, household.c.unit_path)


def _blocks(
    connection: Connection, view: View, county: County, bounds: Mapping[str, float]
) -> Counted:
    """Return the blocks with their people, where people are taken as spread over them."""
    assumed = narrowed(select(grid_coverage.c.assumed), view, grid_coverage.c.unit_path)
    if EVEN not in (connection.scalar(assumed.limit(1)) or []):
        return _NOTHING
    rows = connection.execute(_counted_blocks(view), bounds).all()
    numbers = np.array([(row.people or 0, row.households or 0) for row in rows], dtype=float)
    return Counted(in_metres(rows, county), _codes(rows), numbers.reshape(-1, 2))


def _counted_blocks(view: View) -> Select[Any]:
    shape = func.st_asbinary(block.c.geom).label("shape")
    columns = (grid_block.c.grid_code, shape, block_count.c.people, block_count.c.households)
    statement = (
        select(*columns)
        .join(grid_block, grid_block.c.block_id == block.c.id)
        .outerjoin(block_count, block_count.c.block_id == block.c.id)
        .where(block.c.valid_to.is_(None), grid_block.c.valid_to.is_(None))
    )
    return narrowed(statement.where(block.c.geom.intersects(HERE)), view, block.c.unit_path)


_EMPTY: NDArray[Any] = np.array([], dtype=object)
_NOTHING = Counted(_EMPTY, _EMPTY, np.zeros((0, 2)))
