"""The ground under a plan: shapes, counts, villages and neighbours of its blocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import Any

import pandas as pd
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Select, and_, func, select

from grid_boundaries.blocks import neighbours
from grid_boundaries.crs import in_metres
from grid_boundaries.cutting import chosen, current_shapes
from grid_boundaries.errors import NotFound
from grid_boundaries.plan_state import State
from grid_boundaries.refinement import wholes_of
from grid_boundaries.store import block, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.block_sums import Counting, block_sums, plan_sums
from layers.buildings import building
from layers.places import place
from layers.postings import posting

SHORTEST_BORDER_M = 0.01
SHAPES_KEPT = 200_000  # some 300 MB
BESIDE_M = 10.0  # a place is a point at a door, its building this far away
BESIDE_DEG = 0.0005
COUNTED_POSTS = ("chief", "worker")


def shapes_of(
    connection: Connection,
    view: View,
    state: State,
    blocks: Collection[str] | None = None,
    *,
    within: str = "/",
) -> GeoSeries:
    """Return the shapes of blocks as a plan has them, stored degrees, by id.

    Parameters
    ----------
    blocks
        Of the plan, or blocks that it has cut, which stand for all their pieces; None for all.
    within
        Path of the plan's unit, so that no other block is read.
    """
    statement = select(block.c.id, func.st_asbinary(block.c.geom).label("geom"))
    statement = statement.where(block.c.unit_path.startswith(within))
    if blocks is None:
        return current_shapes(state, _stored_shapes(connection, view, statement))
    wholes = sorted({whole for name in blocks for whole in wholes_of(name)})
    some = statement.where(block.c.id.in_(wholes))
    found = current_shapes(state, _stored_shapes(connection, view, some))
    return chosen(found, (name for name in found.index if _belongs(str(name), blocks)))


def _stored_shapes(connection: Connection, view: View, statement: Select[Any]) -> GeoSeries:
    rows = connection.execute(narrowed(statement, view, block.c.unit_path)).all()
    shapes = shapely.from_wkb([bytes(row.geom) for row in rows])
    return GeoSeries(shapes, index=[row.id for row in rows], crs=STORED_SRID)


class KeptShapes:
    """Metric shapes of blocks that plans started from, kept by the plan's base.

    A base's blocks keep their ground: a publication that cuts some ends them, and what starts
    from it is another base. A neighbour of a cut gets a vertex on a side, no other ground.

    Parameters
    ----------
    most
        Shapes of all bases together; those of the base not asked for longest go first.
    """

    def __init__(self, most: int = SHAPES_KEPT) -> None:
        self._kept: OrderedDict[str, tuple[GeoSeries, dict[Any, int]]] = OrderedDict()
        self._most = most
        self._lock = Lock()
        self._reading: dict[str, Lock] = {}

    def of(self, base: str, blocks: Collection[str], read: Callable[[], GeoSeries]) -> GeoSeries:
        """Return the metric shapes of blocks of a base; `read` gives all of them, once."""
        with self._lock:
            reading = self._reading.setdefault(base, Lock())
        with reading:  # who asks for another base does not wait
            known, row_of = self._get(base) or self._keep(base, read())
        # a few names of many: looked up one by one, several times as fast as by the index
        return GeoSeries(known.iloc[sorted(row_of[name] for name in blocks if name in row_of)])

    def _get(self, base: str) -> tuple[GeoSeries, dict[Any, int]] | None:
        with self._lock:
            if base in self._kept:
                self._kept.move_to_end(base)
            return self._kept.get(base)

    def _keep(self, base: str, shapes: GeoSeries) -> tuple[GeoSeries, dict[Any, int]]:
        found = shapes, {name: row for row, name in enumerate(shapes.index)}
        with self._lock:
            self._kept[base] = found
            while sum(len(kept) for kept, _ in self._kept.values()) > self._most:
                oldest, _ = self._kept.popitem(last=False)
                self._reading.pop(oldest, None)
        return found


def shapes_round(connection: Connection, view: View, state: State, name: str) -> GeoSeries:
    """Return a block of a plan and every block that may touch it, stored degrees."""
    first = min(wholes_of(name), key=len)
    middle = select(func.st_envelope(block.c.geom, type_=Geometry).label("box"))
    own = narrowed(middle.where(block.c.id == first), view, block.c.unit_path).subquery()
    near = select(block.c.id).join(own, block.c.geom.intersects(own.c.box))
    ids = connection.scalars(narrowed(near, view, block.c.unit_path)).all()
    return shapes_of(connection, view, state, ids)


def shapes_within(
    connection: Connection, view: View, state: State, ground: BaseGeometry
) -> GeoSeries:
    """Return every block of a plan that may touch the box round some ground, stored degrees."""
    box = func.st_envelope(func.st_geomfromwkb(shapely.to_wkb(ground), STORED_SRID), type_=Geometry)
    near = select(block.c.id).where(block.c.geom.intersects(box))
    ids = connection.scalars(narrowed(near, view, block.c.unit_path)).all()
    return shapes_of(connection, view, state, ids)


def borders_of(
    connection: Connection, view: View, state: State, code: str, srid: int
) -> dict[str, float]:
    """Return how many metres of border a grid shares with each other grid of a plan."""
    own = state.blocks_of(code)
    ground = shapely.union_all(shapes_of(connection, view, state, own))
    touching = touching_of(shapes_within(connection, view, state, ground), srid)
    shared_m = dict[str, float]()
    for a, b, length_m in touching[["a", "b", "shared_m"]].itertuples(index=False):
        for inner, outer in ((a, b), (b, a)):
            other = state.grid_of[outer]
            if inner in own and other is not None and other != code:
                shared_m[other] = shared_m.get(other, 0.0) + length_m
    return shared_m


def ground_of_place(
    connection: Connection, view: View, state: State, place_id: str, srid: int
) -> BaseGeometry:
    """Return the ground of a place: its special block, else the buildings on and beside it.

    Returns
    -------
    BaseGeometry
        Polygon or multipolygon, stored degrees.

    Raises
    ------
    NotFound
        There is no such place, or nothing stands there.
    """
    known = select(place.c.geom, place.c.block_id).where(place.c.id == place_id)
    spot = connection.execute(narrowed(known, view, place.c.unit_path)).one_or_none()
    if spot is None:
        raise _no_ground(place_id)
    special = select(block.c.id).where(block.c.id == spot.block_id, block.c.kind == "special")
    name = connection.scalar(narrowed(special, view, block.c.unit_path))
    if name is not None:
        return shapely.union_all(shapes_of(connection, view, state, [name]))
    found = connection.scalars(_buildings_beside(view, spot.geom, srid)).all()
    if not found:
        raise _no_ground(place_id)
    return shapely.union_all(shapely.from_wkb([bytes(shape) for shape in found]))


def _buildings_beside(view: View, spot: Any, srid: int) -> Select[*tuple[Any, ...]]:
    near = func.st_dwithin(
        func.st_transform(building.c.geom, srid), func.st_transform(spot, srid), BESIDE_M
    )
    box = func.st_expand(spot, BESIDE_DEG, type_=Geometry)
    shapes = select(func.st_asbinary(building.c.geom)).where(building.c.geom.intersects(box), near)
    return narrowed(shapes, view, None)


def _no_ground(place_id: str) -> NotFound:
    return NotFound(
        "no-ground-of-place",
        f"没有场所 {place_id} 的用地或房屋；请画出它的范围",
        f"There is no ground or building of place {place_id}; draw its area",
        place=place_id,
    )


def sums_in(
    connection: Connection, counting: Counting, state: State, blocks: Collection[str], srid: int
) -> tuple[GeoSeries, pd.DataFrame]:
    """Return metric shapes and counts of blocks of a plan."""
    shapes = in_metres(shapes_of(connection, counting.view, state, blocks), srid)
    siblings = [name for name in blocks if "." in name and name in state.shapes]
    around = shapes
    if siblings:
        firsts = {min(wholes_of(name), key=len) for name in siblings}
        around = in_metres(shapes_of(connection, counting.view, state, firsts), srid)
    return shapes, plan_sums(connection, counting, blocks, around)


def touching_of(shapes: GeoSeries, srid: int) -> pd.DataFrame:
    """Return who borders whom among blocks, with metres of border: columns a, b, shared_m."""
    return neighbours(in_metres(shapes, srid), shortest_m=SHORTEST_BORDER_M)


def villages_of(connection: Connection, view: View, unit_path: str) -> list[str]:
    """Return the codes of the villages in force in a unit."""
    statement = select(unit.c.code).where(
        unit.c.level == "village", unit.c.valid_to.is_(None), unit.c.unit_path.startswith(unit_path)
    )
    return list(connection.scalars(narrowed(statement, view, unit.c.unit_path)))


def village_of_blocks(connection: Connection, view: View, state: State) -> dict[str, str]:
    """Return the village of each block of a plan; pieces are in that of their whole."""
    statement = narrowed(select(block.c.id, block.c.village_code), view, block.c.unit_path)
    known = {row.id: row.village_code for row in connection.execute(statement)}
    return {name: _first(known, wholes_of(name)) for name in state.grid_of}


def posted_grids(
    connection: Connection, view: View, roles: Collection[str] = COUNTED_POSTS
) -> set[str]:
    """Return the grids that have somebody in one of some roles today."""
    counted = and_(posting.c.role.in_(roles), posting.c.valid_to.is_(None))
    statement = select(posting.c.grid_code).where(counted, posting.c.grid_code.is_not(None))
    return set(connection.scalars(narrowed(statement, view, posting.c.unit_path)))


def sums_of_all(
    connection: Connection, counting: Counting, state: State, srid: int
) -> pd.DataFrame:
    """Return the counts of all blocks of a plan."""
    sums = block_sums(connection, counting).reindex(sorted(state.grid_of)).fillna(0)
    pieces = [name for name in state.grid_of if state.shapes and "." in name]
    if pieces:
        _, cut = sums_in(connection, counting, state, pieces, srid)
        sums.loc[pieces] = cut.loc[pieces]
    return sums


def _belongs(name: str, asked: Collection[str]) -> bool:
    return any(whole in asked for whole in wholes_of(name))


def _first(known: dict[str, str], names: Iterable[str]) -> str:
    return next((known[name] for name in names if name in known), "")
