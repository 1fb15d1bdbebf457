"""What stands near a camera, read for a request: few statements, plain arrays, metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import Geometry
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)

from grid_boundaries.crs import lonlat_from_metres, metres_from_lonlat
from grid_boundaries.store import block, block_count, grid, grid_block
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.coverage.tables import EVEN, camera_view, grid_coverage
from layers.coverage.windows import NOTHING, Counted, Scene
from layers.people import household, person
from layers.places import place
from layers.read import County
from layers.streets import street

Box = tuple[float, float, float, float]  # west, south, east, north in degrees
Rows = Sequence[Any]
KINDS = ("grid", "building", "place", "street", "view", "block")
# a box as a statement's parameters
BOUNDS = ("west", "south", "east", "north")
HERE = func.st_makeenvelope(*map(bindparam, BOUNDS), STORED_SRID, type_=Geometry)


@dataclass(frozen=True)
class Stage:
    """A scene with what is stored of it.

    Parameters
    ----------
    paths
        Unit path of each grid.
    own
        What one camera sees by the stored results, wherever that is; POLYGON EMPTY for nothing.
    """

    scene: Scene
    paths: Mapping[str, str]
    own: BaseGeometry


def scene_in(connection: Connection, view: View, county: County, box: BaseGeometry) -> Scene:
    """Return what meets a box of metres."""
    return stage_in(connection, view, county, box, None).scene


def stage_in(
    connection: Connection, view: View, county: County, box: BaseGeometry, key: str | None
) -> Stage:
    """Return what meets a box of metres, and the stored view of one camera."""
    bounds = dict(zip(BOUNDS, degrees(box, county.metric_srid), strict=True))
    rows = connection.execute(_standing(view, county), {**bounds, "own": key}).all()
    shapes, held = in_metres(rows, county), _codes(rows)
    kinds = np.array([row.kind for row in rows], dtype=object)
    grids, houses, places, streets, own, blocks = (
        np.flatnonzero(kinds == kind).tolist() for kind in KINDS
    )
    homes = [at for at in houses if rows[at].households]
    numbers = np.array([(row.people or 0, row.households or 0) for row in rows], dtype=float)
    scene = Scene(
        {rows[at].id: shapes[at] for at in grids},
        shapes[houses],
        shapes[streets],
        Counted(shapes[places], held[places], np.ones((len(places), 1))),
        Counted(shapes[homes], held[homes], numbers.reshape(-1, 2)[homes]),
        Counted(shapes[blocks], held[blocks], numbers.reshape(-1, 2)[blocks]),
    )
    paths = {rows[at].id: rows[at].unit_path for at in grids}
    return Stage(scene, paths, next(iter(shapes[own]), NOTHING))


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
def _standing(view: View, county: County) -> Any:
    """Select grids in force, footprints, key places, streets and a view in one statement."""
    grids = _of("grid", grid, grid.c.code, view, grid.c.unit_path)
    places = _of("place", place, place.c.id, view, place.c.unit_path)
    streets = _of("street", street, street.c.id, view, None)
    own = _of("view", camera_view, camera_view.c.id, view, camera_view.c.unit_path)
    # a building at a time, because a plan for any box at all would count the whole county
    living = _living(view, county).where(household.c.building_id == building.c.id)
    here = living.lateral("living")
    houses = _of("building", building, building.c.id, view, None, here.c.people, here.c.households)
    return union_all(
        grids.where(grid.c.valid_to.is_(None), grid.c.geom.intersects(HERE)),
        houses.join_from(building, here, true()).where(building.c.geom.intersects(HERE)),
        places.where(place.c.is_key, place.c.geom.intersects(HERE)),
        streets.where(street.c.kind != "railway", street.c.geom.intersects(HERE)),
        own.where(camera_view.c.id == bindparam("own", type_=Text)),
        _spread_blocks(view),
    )


def _of(
    kind: str,
    table: Table,
    key: Column[str],
    view: View,
    path: Column[str] | None,
    *counts: Any,
    held: Table | None = None,
) -> Select[Any]:
    code = (table if held is None else held).c.get("grid_code", cast(null(), Text))
    shape = func.st_asbinary(table.c.geom).label("shape")
    columns = (literal(kind).label("kind"), key.label("id"), code.label("grid_code"))
    none = cast(null(), BigInteger)
    people, households = counts or (none.label("people"), none.label("households"))
    return narrowed(select(*columns, table.c.unit_path, shape, people, households), view, path)


def _codes(rows: Rows) -> NDArray[Any]:
    return np.array([row.grid_code for row in rows], dtype=object)


@lru_cache(maxsize=64)
def living_in(view: View, county: County) -> Select[Any]:
    """Select households and residents of buildings by id."""
    asked = func.any(cast(bindparam("buildings"), ARRAY(Text)))
    by_building = _living(view, county).add_columns(household.c.building_id)
    wanted = by_building.where(household.c.building_id == asked)
    return wanted.group_by(household.c.building_id)


def _living(view: View, county: County) -> Select[Any]:
    lives_here = and_(person.c.household_id == household.c.id, person.c[county.population_basis])
    households = func.count(household.c.id.distinct()).label("households")
    counts: Any = select(households, func.count(person.c.id).label("people"))
    joined = counts.select_from(household).outerjoin(person, lives_here)
    statement: Select[Any] = narrowed(joined, view, household.c.unit_path)
    return statement


def _spread_blocks(view: View) -> Select[Any]:
    """Select the blocks with their people, where people are taken as spread over them."""
    spread = select(grid_coverage.c.grid_code).where(grid_coverage.c.assumed.contains([EVEN]))
    is_spread = exists(narrowed(spread, view, grid_coverage.c.unit_path))
    counts = (block_count.c.people, block_count.c.households)
    statement = _of("block", block, block.c.id, view, block.c.unit_path, *counts, held=grid_block)
    return (
        statement.join_from(block, grid_block, grid_block.c.block_id == block.c.id)
        .outerjoin(block_count, block_count.c.block_id == block.c.id)
        .where(block.c.valid_to.is_(None), grid_block.c.valid_to.is_(None), is_spread)
        .where(block.c.geom.intersects(HERE))
    )
