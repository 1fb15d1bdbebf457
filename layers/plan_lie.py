"""How the blocks under a plan lie: who borders whom, and what borders should leave whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Select, func, select

from grid_boundaries.blocks import neighbours
from grid_boundaries.crs import in_metres
from grid_boundaries.ground import Ground, ground_of
from grid_boundaries.landmarks import THINGS, Landmarks, cut_buildings, joined, natural_villages
from grid_boundaries.landmarks import street_sides as sides_of_streets
from grid_boundaries.plan_state import State
from grid_boundaries.refinement import wholes_of
from grid_boundaries.store import block, grid, grid_block, villagers_group
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.block_sums import Counting
from layers.buildings import building
from layers.people import household, person
from layers.places import place
from layers.plan_ground import (
    SHORTEST_BORDER_M,
    posted_grids,
    shapes_of,
    shapes_within,
    sums_of_all,
    village_of_blocks,
)
from layers.read import metric_frame
from layers.streets import street

MAIN_STREETS = ("trunk", "primary", "railway")
Box = tuple[float, float, float, float]
REACH_DEG = 0.001  # what stands so near a cut is looked at again


@dataclass(frozen=True)
class Lie:
    """What depends on the shapes of blocks alone.

    Parameters
    ----------
    touching
        Columns a, b and shared_m, metres.
    edge_m
        Metres of each block's border that it shares with no other block.
    boxes
        West, south, east and north of each block, stored degrees.
    village_of
        Natural village by house.
    """

    touching: pd.DataFrame
    edge_m: Mapping[str, float]
    landmarks: Landmarks
    boxes: Mapping[str, Box] = field(default_factory=dict)
    village_of: Mapping[str, str] = field(default_factory=dict)

    def box(self, blocks: Collection[str]) -> list[float] | None:
        """Return west, south, east and north of some blocks, degrees; None for none."""
        known = [self.boxes[name] for name in blocks if name in self.boxes]
        if not known:
            return None
        west, south, east, north = zip(*known, strict=True)
        return [min(west), min(south), max(east), max(north)]


def lie_of(connection: Connection, view: View, state: State, srid: int) -> Lie:
    """Return how all blocks of a plan lie."""
    stored = shapes_of(connection, view, state)
    shapes = in_metres(stored, srid)
    marks = _Marks(connection, view, shapes, srid)
    villages = natural_villages(marks.houses())
    marked = joined(marks.found(), _things("natural-village", villages))
    named = zip(map(str, villages.index), villages["thing"], strict=True)
    return _lie(stored, shapes, marked, dict(named))


def refined_lie(
    connection: Connection, view: View, known: Lie, before: State, state: State, srid: int
) -> Lie:
    """Return how the blocks lie after cuts, from how they lay before; only round the cuts anew."""
    gone = before.grid_of.keys() - state.grid_of.keys()
    pieces = state.grid_of.keys() - before.grid_of.keys()
    if not pieces:
        return known
    ground = shapely.union_all(shapes_of(connection, view, state, sorted(pieces)))
    around = ground.buffer(REACH_DEG).envelope
    stored = shapes_within(connection, view, state, around)
    near = in_metres(stored, srid)
    marks = _Marks(connection, view, near, srid, around)
    new = _lie(stored, near, marks.found(), {})
    old = known.touching[~_meets(known.touching, gone)]
    villages = _villages_on(marks.houses(), known.village_of, pieces)
    return Lie(
        pd.concat([old, new.touching[_meets(new.touching, pieces)]], ignore_index=True),
        {name: length_m for name, length_m in known.edge_m.items() if name not in gone}
        | {name: new.edge_m[name] for name in pieces},
        joined(
            known.landmarks.without(set(gone)),
            replace(new.landmarks, streets=new.landmarks.streets.loc[
                _meets(new.landmarks.streets, pieces)]),
            _things("natural-village", villages),
        ),
        {**known.boxes, **{name: new.boxes[name] for name in pieces}},
        known.village_of,
    )  # fmt: skip


def _villages_on(
    houses: pd.DataFrame, village_of: Mapping[str, str], pieces: Collection[str]
) -> pd.DataFrame:
    """Return the natural villages of the houses on some blocks, and on which."""
    beside = pd.DataFrame({"thing": houses.index.map(village_of), "block": houses["block"]})
    return beside[beside["thing"].notna() & beside["block"].isin(pieces)]


def ground_under(
    connection: Connection, counting: Counting, state: State, lie: Lie, srid: int
) -> Ground:
    """Return what the checks need to know of all blocks of a plan."""
    view = counting.view
    return ground_of(
        sums_of_all(connection, counting, state, srid),
        village_of_blocks(connection, view, state),
        lie.touching,
        posted_grids(connection, view),
        # where no chief at all is known, nobody has told
        chiefs=posted_grids(connection, view, ("chief",)) or None,
        edge_m=lie.edge_m,
        landmarks=lie.landmarks,
    )


def _lie(
    stored: GeoSeries, shapes: GeoSeries, landmarks: Landmarks, village_of: Mapping[str, str]
) -> Lie:
    touching = neighbours(shapes, shortest_m=SHORTEST_BORDER_M)
    shared_m = pd.concat([touching.set_index(side)["shared_m"] for side in ("a", "b")])
    edge_m = shapes.length - shared_m.groupby(level=0).sum().reindex(shapes.index, fill_value=0.0)
    names, boxes = list(map(str, shapes.index)), shapely.bounds(stored.to_numpy()).tolist()
    return Lie(
        touching,
        dict(zip(names, edge_m.tolist(), strict=True)),
        landmarks,
        {name: (box[0], box[1], box[2], box[3]) for name, box in zip(names, boxes, strict=True)},
        village_of,
    )


def _meets(pairs: pd.DataFrame, blocks: Collection[str]) -> pd.Series[bool]:
    own = list(blocks)
    return pairs["a"].isin(own) | pairs["b"].isin(own)


@dataclass(frozen=True)
class _Marks:
    """Reads the landmarks of some blocks.

    Parameters
    ----------
    shapes
        Metres, by id.
    around
        Only what meets this box, stored degrees; None for everything.
    """

    connection: Connection
    view: View
    shapes: GeoSeries
    srid: int
    around: BaseGeometry | None = None

    def found(self) -> Landmarks:
        """Return streets, cut buildings, groups and special areas."""
        buildings = self._cut_candidates()
        parts = cut_buildings(self.shapes, buildings)
        names = [str(name) for name in parts["thing"].unique()]
        stored = GeoSeries(buildings.loc[names], crs=buildings.crs).to_crs(STORED_SRID)
        things = [_things("building", parts).things, self._groups(), self._special_areas()]
        return Landmarks(
            pd.concat(things, ignore_index=True),
            sides_of_streets(self.shapes, self._streets()),
            dict(zip(names, shapely.to_wkb(stored.to_numpy()), strict=True)),
            self._living(names),
        )

    def houses(self) -> GeoDataFrame:
        """Return the houses of rural grids as points with the block that each stands in."""
        middle = func.st_pointonsurface(building.c.geom, type_=Geometry).label("geom")
        rural = (
            select(building.c.id, middle)
            .join(grid_block, grid_block.c.block_id == building.c.block_id)
            .join(grid, grid.c.code == grid_block.c.grid_code)
            .where(grid_block.c.valid_to.is_(None), grid.c.valid_to.is_(None),
                   grid.c.setting == "village")
        )  # fmt: skip
        points = self._frame(rural)
        at = points.sindex.query(self.shapes.to_numpy(), predicate="intersects")
        block_of = pd.Series(self.shapes.index.to_numpy(dtype=object)[at[0]], index=at[1])
        first = block_of[~block_of.index.duplicated()]
        return GeoDataFrame(points.iloc[first.index].assign(block=first.to_numpy()))

    def _cut_candidates(self) -> GeoSeries:
        """Return the buildings that may lie in several blocks."""
        statement = select(building.c.id, building.c.geom)
        if self.around is None:
            beyond = func.st_coveredby(building.c.geom, block.c.geom).is_(False)
            statement = statement.join(block, block.c.id == building.c.block_id).where(beyond)
        return self._frame(statement).geometry

    def _streets(self) -> GeoSeries:
        main = select(street.c.id, street.c.geom).where(street.c.kind.in_(MAIN_STREETS))
        return self._frame(main).geometry

    def _frame(self, statement: Select[Any]) -> GeoDataFrame:
        """Return what of a shared layer meets the box, by id, metres."""
        narrow = narrowed(statement, self.view, None)
        if self.around is not None:
            box = func.st_geomfromwkb(shapely.to_wkb(self.around), STORED_SRID, type_=Geometry)
            narrow = narrow.where(narrow.selected_columns["geom"].intersects(box))
        return GeoDataFrame(metric_frame(self.connection, narrow, self.srid).set_index("id"))

    def _groups(self) -> pd.DataFrame:
        statement = select(block.c.id, block.c.group_id, villagers_group.c.name).outerjoin(
            villagers_group, villagers_group.c.id == block.c.group_id
        )
        return self._of_blocks("group", statement.where(block.c.group_id.is_not(None)))

    def _special_areas(self) -> pd.DataFrame:
        called = (
            select(func.min(place.c.name)).where(place.c.block_id == block.c.id, place.c.is_key)
        ).scalar_subquery()
        statement = select(block.c.id, block.c.id, called).where(block.c.kind == "special")
        return self._of_blocks("special-area", statement)

    def _of_blocks(self, kind: str, statement: Select[Any]) -> pd.DataFrame:
        """Return things of whole blocks: those of pieces are their whole's."""
        narrow = narrowed(statement, self.view, block.c.unit_path)
        known = {row[0]: (row[1], row[2]) for row in self.connection.execute(narrow)}
        rows = [
            {"kind": kind, "thing": known[whole][0], "name": known[whole][1], "block": str(name)}
            for name in self.shapes.index
            for whole in wholes_of(str(name))
            if whole in known
        ]
        return pd.DataFrame(rows, columns=list(THINGS))

    def _living(self, buildings: list[str]) -> dict[str, tuple[int, int]]:
        """Return people and households of some buildings."""
        counts = func.count(person.c.id), func.count(household.c.id.distinct())
        statement = (
            select(household.c.building_id, *counts)
            .outerjoin(person, person.c.household_id == household.c.id)
            .where(household.c.building_id.in_(buildings))
            .group_by(household.c.building_id)
        )
        rows = self.connection.execute(narrowed(statement, self.view, household.c.unit_path))
        return {row[0]: (row[1], row[2]) for row in rows}


def _things(kind: str, parts: pd.DataFrame) -> Landmarks:
    return Landmarks(parts.assign(kind=kind, name=None)[list(THINGS)])
