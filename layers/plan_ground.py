"""The ground under a plan: shapes, counts, villages and neighbours of its blocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoSeries
from sqlalchemy import Connection, Select, and_, func, select

from grid_boundaries.blocks import neighbours
from grid_boundaries.crs import in_metres
from grid_boundaries.cutting import chosen, current_shapes
from grid_boundaries.edges import shared_edges
from grid_boundaries.plan_state import State
from grid_boundaries.refinement import wholes_of
from grid_boundaries.remedies import Ground, ground_of
from grid_boundaries.store import block, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.block_sums import Counting, block_sums, plan_sums
from layers.postings import posting

SHORTEST_BORDER_M = 0.01
COUNTED_POSTS = ("chief", "worker")


def shapes_of(
    connection: Connection, view: View, state: State, blocks: Collection[str] | None = None
) -> GeoSeries:
    """Return the shapes of blocks as a plan has them, stored degrees, by id.

    Parameters
    ----------
    blocks
        Of the plan, or blocks that it has cut, which stand for all their pieces; None for all.
    """
    statement = select(block.c.id, func.st_asbinary(block.c.geom).label("geom"))
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
    """

    def __init__(self, most: int = 4) -> None:
        self._kept: OrderedDict[str, GeoSeries] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def of(self, base: str, blocks: Collection[str], read: Callable[[], GeoSeries]) -> GeoSeries:
        """Return the metric shapes of blocks of a base; `read` gives all of them, once."""
        with self._lock:
            if base not in self._kept:
                self._kept[base] = read()
            self._kept.move_to_end(base)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            known = self._kept[base]
        rows = np.sort(known.index.get_indexer(pd.Index(list(blocks), dtype=object)))
        return GeoSeries(known.iloc[rows[rows >= 0]])


def shapes_round(connection: Connection, view: View, state: State, name: str) -> GeoSeries:
    """Return a block of a plan and every block that may touch it, stored degrees."""
    first = min(wholes_of(name), key=len)
    middle = select(func.st_envelope(block.c.geom, type_=Geometry).label("box"))
    own = narrowed(middle.where(block.c.id == first), view, block.c.unit_path).subquery()
    near = select(block.c.id).join(own, block.c.geom.intersects(own.c.box))
    ids = connection.scalars(narrowed(near, view, block.c.unit_path)).all()
    return shapes_of(connection, view, state, ids)


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
    """Return who borders whom among blocks, with metres of border: columns a, b, shared_m.

    Blocks of one cut have their vertices in common, so equal edges tell; where some have not,
    borders are intersected, which takes several times as long.
    """
    metric = in_metres(shapes, srid)
    faces = metric.to_numpy()
    if not shapely.coverage_is_valid(faces):
        return neighbours(metric, shortest_m=SHORTEST_BORDER_M)
    edges = shared_edges(faces)
    edges = edges[edges["length"] > SHORTEST_BORDER_M]
    names = metric.index.to_numpy()
    columns = {"a": names[edges["a"]], "b": names[edges["b"]], "shared_m": edges["length"]}
    return pd.DataFrame(columns).reset_index(drop=True)


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


def manned_grids(connection: Connection, view: View) -> set[str]:
    """Return the grids that have a worker or a chief today."""
    counted = and_(posting.c.role.in_(COUNTED_POSTS), posting.c.valid_to.is_(None))
    statement = select(posting.c.grid_code).where(counted, posting.c.grid_code.is_not(None))
    return set(connection.scalars(narrowed(statement, view, posting.c.unit_path)))


def ground_under(
    connection: Connection,
    counting: Counting,
    state: State,
    touching: pd.DataFrame,
    srid: int,
) -> Ground:
    """Return what the checks need to know of all blocks of a plan."""
    sums = block_sums(connection, counting).reindex(sorted(state.grid_of)).fillna(0)
    pieces = [name for name in state.grid_of if state.shapes and "." in name]
    if pieces:
        _, cut = sums_in(connection, counting, state, pieces, srid)
        sums.loc[pieces] = cut.loc[pieces]
    villages = village_of_blocks(connection, counting.view, state)
    return ground_of(sums, villages, touching, manned_grids(connection, counting.view))


def _belongs(name: str, asked: Collection[str]) -> bool:
    return any(whole in asked for whole in wholes_of(name))


def _first(known: dict[str, str], names: Iterable[str]) -> str:
    return next((known[name] for name in names if name in known), "")
