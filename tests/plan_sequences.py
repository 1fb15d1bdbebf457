"""Random plans over the demo county: strokes of every kind where they may fall, and what holds."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, sin

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import current_shapes, cut
from grid_boundaries.errors import Refused
from grid_boundaries.merging import merged
from grid_boundaries.plan_state import Grid, State, state_of
from grid_boundaries.plans import Plan, drawn, redone, replayed, undone
from grid_boundaries.regions import Taking, beside, moved_border, taking
from grid_boundaries.strokes import (
    Create,
    Declare,
    Merge,
    Move,
    Retire,
    Stroke,
    Together,
    stroke_from,
    wire_of,
)
from layers.block_sums import shared

SQUARE_METRE_DEG2 = 1 / (110_900 * 93_200)  # at 33° N
COUNTED = ("people", "households")
MOST_BLOCKS = 60  # of a grid that is cut or moved as a whole


@dataclass(frozen=True)
class Board:
    """The ground that plans are drawn on.

    Parameters
    ----------
    stored
        Block shapes by id, stored degrees.
    counts
        People and households by block id.
    """

    stored: GeoSeries
    base: State
    counts: pd.DataFrame

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The index of the blocks as they are stored."""
        return shapely.STRtree(self.stored.to_numpy())

    def near(self, state: State, area: BaseGeometry) -> GeoSeries:
        """Return the blocks of a state in the box round an area."""
        found = self.tree.query(shapely.box(*area.bounds), predicate="intersects")
        return current_shapes(state, GeoSeries(self.stored.iloc[np.sort(found)]))

    def shapes(self, state: State, blocks: list[str]) -> list[BaseGeometry]:
        """Return the shapes of some blocks of a state."""
        return [
            shapely.from_wkb(state.shapes[name]) if name in state.shapes else self.stored[name]
            for name in blocks
        ]

    def ground(self, state: State, code: str) -> BaseGeometry:
        """Return the union of a grid's blocks."""
        return shapely.coverage_union_all(self.shapes(state, sorted(state.blocks_of(code))))


def board_of(frames: dict[str, pd.DataFrame]) -> Board:
    """Return the board of a made-up county."""
    block, grid = frames["block"], frames["grid"]
    held = frames["grid_block"].set_index("block_id")["grid_code"]
    facts = grid[["code", "name", "village_code", "kind", "setting"]].astype(str)
    grids = [
        Grid(code, name, village, kind, setting=setting)
        for code, name, village, kind, setting in facts.to_numpy().tolist()
    ]
    # as they come out of the database
    shapes = shapely.from_wkb(shapely.to_wkb(block["geom"].to_numpy()))
    stored = GeoSeries(shapes, index=block["id"].astype(str), crs=4490)
    state = state_of({name: str(held[name]) for name in stored.index}, grids)
    counts = frames["block_count"].set_index("block_id")[list(COUNTED)]
    return Board(stored, state, counts)


class Drawer:
    """Draws one random sequence.

    Parameters
    ----------
    seed
        The same seed draws the same sequence.
    """

    def __init__(self, board: Board, seed: int) -> None:
        self.board, self.rng = board, random.Random(seed)
        self.plan = Plan(board.base)
        self.made: Counter[str] = Counter()
        self._new = 0
        self._home: str | None = None

    def run(self, steps: int) -> Plan:
        """Draw, undo, redo and merge so many times, and return the plan."""
        for _ in range(steps):
            self._step()
        return self.plan

    def _step(self) -> None:
        word = self.rng.choices(["draw", "undo", "redo", "merge"], [70, 14, 9, 7])[0]
        if word == "undo" and self.plan.cursor:
            self.plan = undone(self.plan)
        elif word == "redo" and self.plan.cursor < len(self.plan.log):
            self.plan = redone(self.plan)
        elif word == "merge":
            self._merge()
        else:
            word = self._draw()
        self.made[word] += 1

    def _draw(self) -> str:
        word = self.rng.choice(sorted(STROKES))
        state = self.plan.state()
        try:
            self.plan = drawn(self.plan, STROKES[word](self, state))
        except Refused as refused:
            return f"refused {refused.code}"
        return word

    def _merge(self) -> None:
        """Take in another plan over the same base, or a fork of this one."""
        cursor = self.rng.choice([0, self.plan.cursor])
        base = replayed(self.plan.base, self.plan.log[:cursor])
        other = Drawer(self.board, self.rng.randrange(10**9))
        other.plan, other._home = Plan(base), self._home
        theirs = replayed(base, tuple(self._renamed(other)))
        mine = self.plan.state()

        def near(state: State, names: list[str]) -> GeoSeries:
            return self.board.near(state, shapely.union_all(self.board.shapes(state, names)))

        found = merged(base, mine, theirs, near, prefer=self.rng.choice(["mine", "theirs"]))
        for stroke in found.strokes:
            self.plan = drawn(self.plan, stroke)

    def _renamed(self, other: Drawer) -> list[Stroke]:
        """Return the strokes of another plan, whose new grids have names of their own."""
        other._new = 1000 * (self._new + 1)
        plan = other.plan
        for _ in range(self.rng.randint(1, 4)):
            other._draw()
        self._new += 1
        return list(other.plan.log[len(plan.log) : other.plan.cursor])

    # what strokes are made of

    def grid(self, state: State) -> str:
        """Return a grid near the one that was drawn on before."""
        held = sorted(code for code in state.grids if state.blocks_of(code))
        if self._home in held and self.rng.random() < 0.8:
            beside = [code for code in self.around(state, str(self._home)) if code in held]
            return self.rng.choice([str(self._home), *beside])
        self._home = self.rng.choice(held)
        return self._home

    def around(self, state: State, code: str) -> list[str]:
        """Return the grids round a grid."""
        block = self.rng.choice(sorted(state.blocks_of(code)))
        (shape,) = self.board.shapes(state, [block])
        near = self.board.near(state, shape.buffer(1e-5)).index
        found = {state.grid_of[str(name)] for name in near} - {code, None}
        return sorted(map(str, found))

    def beside(self, state: State, code: str) -> str:
        """Return a grid beside a grid."""
        found = self.around(state, code)
        if not found:
            raise Refused("nothing-beside", "无", "nothing")
        return self.rng.choice(found)

    def blocks(self, state: State, most: int) -> tuple[str, ...]:
        """Return some blocks that lie together."""
        first = self.rng.choice(sorted(state.blocks_of(self.grid(state))))
        (shape,) = self.board.shapes(state, [first])
        near = sorted(map(str, self.board.near(state, shape).index))
        return tuple(self.rng.sample(near, min(len(near), self.rng.randint(1, most))))

    def line(self, ground: BaseGeometry) -> LineString:
        """Return a crooked line right through some ground."""
        middle = ground.representative_point()
        west, south, east, north = ground.bounds
        reach, angle = max(east - west, north - south) + 1e-4, self.rng.uniform(0, pi)
        dx, dy = reach * cos(angle), reach * sin(angle)
        bend = (middle.x - 0.05 * dy * self.rng.random(), middle.y + 0.05 * dx * self.rng.random())
        return LineString([(middle.x - dx, middle.y - dy), bend, (middle.x + dx, middle.y + dy)])

    def area(self, state: State) -> BaseGeometry:
        """Return a round area somewhere on a grid."""
        block = self.rng.choice(sorted(state.blocks_of(self.grid(state))))
        (shape,) = self.board.shapes(state, [block])
        radius_deg = self.rng.uniform(0.3, 1.2) * shape.area**0.5
        at = shapely.Point(shape.representative_point().coords[0])
        return at.buffer(min(radius_deg, 0.004), quad_segs=4)

    def new(self, state: State, like: str, kind: str = "residential") -> Grid:
        """Return a grid of the plan's own."""
        self._new += 1
        village = state.grids[like].village_code
        return Grid(f"{village}~{self._new}", "新网格", village, kind)

    def small(self, state: State, *codes: str) -> None:
        """Refuse grids that are too large to be cut many times in a test."""
        if sum(len(state.blocks_of(code)) for code in codes) > MOST_BLOCKS:
            raise Refused("too-large-here", "大", "large")


def _move(drawer: Drawer, state: State) -> Stroke:
    code = drawer.grid(state)
    block = drawer.rng.choice(sorted(state.blocks_of(code)))
    return Move((block,), drawer.rng.choice([*drawer.around(state, code), None, code]))


def _brush(drawer: Drawer, state: State) -> Stroke:
    return Move(drawer.blocks(state, 40), drawer.grid(state))


def _merge(drawer: Drawer, state: State) -> Stroke:
    code = drawer.grid(state)
    return Merge((code,), drawer.beside(state, code))


def _create(drawer: Drawer, state: State) -> Stroke:
    return Create(drawer.new(state, drawer.grid(state)), drawer.blocks(state, 4))


def _retire(drawer: Drawer, state: State) -> Stroke:
    return Retire(drawer.grid(state))


def _declare(drawer: Drawer, state: State) -> Stroke:
    return Declare(drawer.grid(state), drawer.rng.randint(1, 3))


def _split(drawer: Drawer, state: State) -> Stroke:
    block = drawer.rng.choice(sorted(state.blocks_of(drawer.grid(state))))
    (shape,) = drawer.board.shapes(state, [block])
    return cut(drawer.board.near(state, shape), block, drawer.line(shape))


def _split_grid(drawer: Drawer, state: State) -> Stroke:
    code = drawer.grid(state)
    drawer.small(state, code)
    ground = drawer.board.ground(state, code)
    line = drawer.line(ground)
    side = beside(ground, line)[drawer.rng.randrange(2)]
    taken = taking(drawer.board.near(state, ground), sorted(state.blocks_of(code)), side, line=line)
    return _together("split_grid", taken, Create(drawer.new(state, code), taken.inside))


def _move_border(drawer: Drawer, state: State) -> Stroke:
    one = drawer.grid(state)
    other = drawer.beside(state, one)
    drawer.small(state, one, other)
    first, second = (drawer.board.ground(state, code) for code in (one, other))
    border = first.intersection(second)
    if border.is_empty:
        raise Refused("nothing-beside", "无", "nothing")
    across = drawer.line(border.buffer(1e-4))
    ground, line = moved_border(first, second, across)
    both = sorted(state.blocks_of(one) | state.blocks_of(other))
    near = drawer.board.near(state, first.union(second))
    taken = taking(near, both, ground, line=line)
    return _together("move_border", taken, Move(taken.inside, one), Move(taken.outside, other))


def _taken(drawer: Drawer, state: State) -> Taking:
    area = drawer.area(state)
    near = drawer.board.near(state, area)
    met = near.index[shapely.intersects(near.to_numpy(), area)]
    return taking(near, sorted(map(str, met)), area)


def _carve(drawer: Drawer, state: State) -> Stroke:
    taken = _taken(drawer, state)
    grid = drawer.new(state, drawer.grid(state), "special")
    return _together("carve", taken, Create(grid, taken.inside))


def _transfer(drawer: Drawer, state: State) -> Stroke:
    taken = _taken(drawer, state)
    return _together("transfer", taken, Move(taken.inside, drawer.grid(state)))


def _absorb(drawer: Drawer, state: State) -> Stroke:
    special = sorted(code for code, grid in state.grids.items() if grid.kind == "special"
                     and state.blocks_of(code))  # fmt: skip
    code = drawer.rng.choice(special)
    return Together("absorb", (Merge((code,), drawer.beside(state, code)),))


def _together(what: str, taken: Taking, *strokes: Stroke) -> Stroke:
    return Together(what, (*taken.cuts, *strokes))


STROKES: dict[str, Callable[[Drawer, State], Stroke]] = {
    "move": _move,
    "brush": _brush,
    "merge_grids": _merge,
    "create": _create,
    "retire": _retire,
    "declare": _declare,
    "split": _split,
    "split_grid": _split_grid,
    "move_border": _move_border,
    "carve": _carve,
    "transfer": _transfer,
    "absorb": _absorb,
}


def assert_every_block_is_in_one_grid_or_none(state: State) -> None:
    """Members and blocks are of one mind, and no block holds another's ground by its name."""
    held = [block for blocks in state.members.values() for block in blocks]
    assert len(held) == len(set(held)) == len(state.grid_of)
    assert all(state.grid_of[b] == code for code, own in state.members.items() for b in own)
    assert {code for code in state.grid_of.values() if code is not None} <= state.grids.keys()


def assert_nobody_is_lost(board: Board, state: State) -> None:
    """People and households of all grids, and of none, are those of the county."""
    counts = dict(zip(board.counts.index, board.counts.to_numpy().tolist(), strict=True))
    pieces: dict[str, list[str]] = {}
    for name in state.grid_of.keys() - counts.keys():
        pieces.setdefault(name.partition(".")[0], []).append(name)
    for whole, own in pieces.items():
        area = shapely.area(board.shapes(state, sorted(own)))
        total = counts.pop(whole)
        parts = np.column_stack([shared(int(of), np.zeros(len(own)), area) for of in total])
        counts |= dict(zip(sorted(own), parts.tolist(), strict=True))
    by_grid: dict[str | None, list[int]] = {}
    for name, code in state.grid_of.items():
        held = by_grid.setdefault(code, [0, 0])
        by_grid[code] = [one + more for one, more in zip(held, counts[name], strict=True)]
    totals = np.array(list(by_grid.values())).sum(axis=0)
    assert totals.tolist() == board.counts.sum().tolist()


def assert_the_ground_is_the_same(board: Board, state: State) -> None:
    """What was cut or got a vertex covers what it covered; all else has its very bytes."""
    wholes = sorted({name.partition(".")[0] for name in state.shapes})
    own = [name for name in state.shapes if name in state.grid_of]
    assert sorted(own) == sorted(state.shapes)
    if not wholes:
        return
    before, after = board.shapes(board.base, wholes), board.shapes(state, own)
    there, here = shapely.union_all(before), shapely.union_all(after)
    assert there.symmetric_difference(here).area <= SQUARE_METRE_DEG2
    overlap = shapely.area(after).sum() - here.area
    assert abs(overlap) <= SQUARE_METRE_DEG2
    near = board.near(state, there)
    assert shapely.coverage_is_valid(near.to_numpy())


def assert_the_log_says_it_all(plan: Plan) -> None:
    """Written, read and replayed from the start the strokes give an equal hash."""
    text = json.dumps([wire_of(stroke) for stroke in plan.log[: plan.cursor]])
    again = replayed(plan.base, tuple(stroke_from(wire) for wire in json.loads(text)))
    assert again.digest() == plan.state().digest()


def assert_undone_to_the_start_it_is_the_base(board: Board, plan: Plan) -> None:
    """Every block has the bytes that it had, and redone the plan is what it was."""
    end, steps = plan.state().digest(), plan.cursor
    touched = sorted({name.partition(".")[0] for name in plan.state().shapes})
    for _ in range(steps):
        plan = undone(plan)
    assert plan.state() == board.base
    stored = GeoSeries(board.stored.loc[touched])
    back = current_shapes(plan.state(), stored)
    assert back.to_wkb().to_dict() == stored.to_wkb().to_dict()
    for _ in range(steps):
        plan = redone(plan)
    assert plan.state().digest() == end
