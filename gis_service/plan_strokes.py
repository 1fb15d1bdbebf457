"""The strokes that planners ask for, made out of blocks as they lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from gis_service import plan_requests as asks
from grid_boundaries import regions
from grid_boundaries.cutting import chosen, cut
from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.plan_state import Grid, State, known_block, known_grid
from grid_boundaries.remedies import longest
from grid_boundaries.store import unit
from grid_boundaries.strokes import (
    Create,
    Declare,
    Merge,
    Move,
    Retire,
    Stroke,
    Together,
)
from grid_boundaries.view import View, narrowed
from layers.plan_ground import (
    borders_of,
    ground_of_place,
    shapes_of,
    shapes_round,
    shapes_within,
    village_of_blocks,
)


@dataclass(frozen=True)
class Board:
    """What a stroke is drawn on.

    Parameters
    ----------
    new_code
        Of a grid that the stroke makes, without its village.
    srid
        The county's metric CRS.
    unit_path
        Of the unit that the plan redraws.
    """

    connection: Connection
    view: View
    state: State
    new_code: str
    srid: int
    unit_path: str

    def code_in(self, village: str) -> str:
        """Return the code of a new grid in a village; no code in force looks like it."""
        return f"{village}~{self.new_code}"

    def ground(self, *codes: str) -> tuple[GeoSeries, list[BaseGeometry], list[str]]:
        """Return all shapes round some grids, the union of each, and their blocks."""
        blocks: list[str] = []
        for code in codes:
            known_grid(self.state, code)
            blocks += sorted(self.state.blocks_of(code))
        own = shapes_of(self.connection, self.view, self.state, blocks)
        unions = [union(chosen(own, sorted(self.state.blocks_of(code)))) for code in codes]
        around = shapes_within(self.connection, self.view, self.state, union(own))
        return around, unions, blocks

    def village_of(self, blocks: Iterable[str]) -> str:
        """Return the village that most of some blocks lie in."""
        villages = village_of_blocks(self.connection, self.view, self.state)
        counts = Counter(villages[block] for block in blocks)
        return min(counts, key=lambda code: (-counts[code], code))

    def village(self, code: str) -> str:
        """Return the code of a village of the plan's unit.

        Raises
        ------
        NotFound
            There is no such village, or it lies elsewhere.
        """
        own = (unit.c.code == code, unit.c.level == "village", unit.c.valid_to.is_(None),
               unit.c.unit_path.startswith(self.unit_path))  # fmt: skip
        found = narrowed(select(unit.c.code).where(*own), self.view, unit.c.unit_path)
        if self.connection.scalar(found) is None:
            raise NotFound(
                "no-such-village",
                f"方案所属单位内没有村（社区）{code}；什么都没有改动",
                f"The plan's unit has no village {code}; nothing was changed",
                village=code,
            )
        return code

    def setting_of(self, blocks: Iterable[str]) -> str:
        """Return the setting of the grids that hold most of some blocks, rural where none does."""
        codes = [self.state.grid_of.get(block) for block in blocks]
        counts = Counter(self.state.grids[code].setting for code in codes if code is not None)
        return min(counts, key=lambda one: (-counts[one], one), default="village")


def stroke_of(board: Board, asked: asks.StrokeAsked) -> Stroke:
    """Return the stroke that a planner asks for.

    Raises
    ------
    NotFound
        A block, a grid or a place is not there.
    Refused
        A line does not cut, an area is none or takes nothing.
    """
    return _MAKE[type(asked)](board, asked)


def union(shapes: GeoSeries) -> BaseGeometry:
    """Return the union of edge-matched shapes."""
    return shapely.coverage_union_all(np.asarray(shapes.array, dtype=object))


def _move(board: Board, asked: asks.MoveAsked) -> Stroke:
    return Move(tuple(asked.blocks), asked.to)


def _merge(board: Board, asked: asks.MergeAsked) -> Stroke:
    return Merge(tuple(asked.grids), asked.into)


def _retire(board: Board, asked: asks.RetireAsked) -> Stroke:
    return Retire(asked.grid)


def _declare(board: Board, asked: asks.DeclareAsked) -> Stroke:
    return Declare(asked.grid, asked.parts)


def _split(board: Board, asked: asks.SplitAsked) -> Stroke:
    known_block(board.state, asked.block)
    near = shapes_round(board.connection, board.view, board.state, asked.block)
    return cut(near, asked.block, LineString(asked.line))


def _create(board: Board, asked: asks.CreateAsked) -> Stroke:
    known_block(board.state, asked.blocks[0])
    named = asked.village_code
    village = board.village(named) if named else board.village_of(asked.blocks[:1])
    grid = Grid(
        board.code_in(village), asked.name, village, asked.grid_kind, asked.special_use,
        asked.setting or board.setting_of(asked.blocks),
    )  # fmt: skip
    return Create(grid, tuple(asked.blocks))


def _split_grid(board: Board, asked: asks.SplitGridAsked) -> Stroke:
    known_grid(board.state, asked.to)
    around, (ground,), blocks = board.ground(asked.grid)
    line = LineString(asked.line)
    left, right = regions.beside(ground, line)
    smaller = left if left.area < right.area else right
    side = {"left": left, "right": right, None: smaller}[asked.side]
    taken = regions.taking(around, blocks, side, line=line)
    if asked.to is not None:
        return _given(board, taken, "split_grid", asked.to)
    whole = board.state.grids[asked.grid]
    made = Grid(board.code_in(whole.village_code), asked.name, whole.village_code,
                setting=whole.setting)  # fmt: skip
    return Together("split_grid", (*taken.cuts, Create(made, _some(taken))))


def _move_border(board: Board, asked: asks.MoveBorderAsked) -> Stroke:
    one, other = asked.grids
    around, unions, blocks = board.ground(one, other)
    ground, line = regions.moved_border(unions[0], unions[1], LineString(asked.line))
    taken = regions.taking(around, blocks, ground, line=line)
    _some(taken)
    moves = [
        Move(own, code)
        for own, code in (
            (_foreign(board, taken, taken.inside, one), one),
            (_foreign(board, taken, taken.outside, other), other),
        )
        if own
    ]
    return Together("move_border", (*taken.cuts, *moves))


def _transfer(board: Board, asked: asks.TransferAsked) -> Stroke:
    known_grid(board.state, asked.to)
    own = board.state.blocks_of(asked.to)  # what it holds already is not cut
    return _given(board, _taken(board, polygon(asked.area), own), "transfer", asked.to)


def _carve(board: Board, asked: asks.CarveAsked) -> Stroke:
    area = (
        ground_of_place(board.connection, board.view, board.state, str(asked.place), board.srid)
        if asked.area is None
        else polygon(asked.area)
    )
    taken = _taken(board, area)
    blocks, named = _wholes(taken, _some(taken)), asked.village_code
    village = board.village(named) if named else board.village_of(blocks)
    grid = Grid(board.code_in(village), asked.name, village, "special", asked.special_use,
                asked.setting or board.setting_of(blocks))  # fmt: skip
    return Together("carve", (*taken.cuts, Create(grid, taken.inside)))


def _absorb(board: Board, asked: asks.AbsorbAsked) -> Stroke:
    known_grid(board.state, asked.grid)
    into = asked.into
    if into is None:
        shared_m = borders_of(board.connection, board.view, board.state, asked.grid, board.srid)
        if not shared_m:
            raise Refused(
                "no-neighbour",
                f"网格 {asked.grid} 没有相邻网格；请指明并入哪个网格",
                f"Grid {asked.grid} has no neighbour; say which grid absorbs it",
                grid=asked.grid,
            )
        into = longest(shared_m)
    return Together("absorb", (Merge((asked.grid,), into),))


def polygon(drawn: asks.Area) -> Polygon:
    """Return a drawn area as a polygon.

    Raises
    ------
    Refused
        A ring is not closed, or the polygon crosses itself.
    """
    closed = all(ring[0] == ring[-1] for ring in drawn.coordinates)
    shape = Polygon(drawn.coordinates[0], drawn.coordinates[1:]) if closed else Polygon()
    if not shape.is_valid or shape.area <= 0:
        raise Refused(
            "area-is-none",
            "所画范围不是有效的多边形；请闭合轮廓，且不要自相交叉",
            "The area is no valid polygon; close its outline, without crossing itself",
        )
    return shape


def _taken(board: Board, area: BaseGeometry, but: frozenset[str] = frozenset()) -> regions.Taking:
    around = shapes_within(board.connection, board.view, board.state, area)
    met = {str(name) for name in around.index[shapely.intersects(around.to_numpy(), area)]}
    return regions.taking(around, sorted(met - but), area)


def _given(board: Board, taken: regions.Taking, what: str, to: str) -> Stroke:
    blocks = _foreign(board, taken, _some(taken), to)
    return Together(what, (*taken.cuts, Move(blocks, to)))


def _foreign(
    board: Board, taken: regions.Taking, blocks: tuple[str, ...], code: str
) -> tuple[str, ...]:
    """Return the blocks, or pieces about to be cut, that a grid does not hold yet."""
    wholes = zip(blocks, _wholes(taken, blocks), strict=True)
    return tuple(block for block, whole in wholes if board.state.grid_of[whole] != code)


def _wholes(taken: regions.Taking, blocks: tuple[str, ...]) -> list[str]:
    """Return the block that each of some blocks is now, before anything is cut."""
    whole = {piece: split.block for split in taken.cuts for piece in split.pieces}
    return [whole.get(block, block) for block in blocks]


def _some(taken: regions.Taking) -> tuple[str, ...]:
    if not taken.inside:
        raise Refused(
            "takes-nothing",
            "所画范围没有包含任何图斑的一半以上；什么都没有改动",
            "What was drawn takes no block by half; nothing was changed",
        )
    return taken.inside


_MAKE: Mapping[type, Callable[[Board, Any], Stroke]] = MappingProxyType(
    {
        asks.MoveAsked: _move,
        asks.MergeAsked: _merge,
        asks.RetireAsked: _retire,
        asks.DeclareAsked: _declare,
        asks.SplitAsked: _split,
        asks.CreateAsked: _create,
        asks.SplitGridAsked: _split_grid,
        asks.MoveBorderAsked: _move_border,
        asks.TransferAsked: _transfer,
        asks.CarveAsked: _carve,
        asks.AbsorbAsked: _absorb,
    }
)
