"""Made-up plans for tests: a board of blocks in stored degrees, and random strokes on it."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from shapely import LineString

from grid_boundaries.blocks import neighbours
from grid_boundaries.crs import in_metres
from grid_boundaries.cutting import current_shapes, cut
from grid_boundaries.numbers import SUMS
from grid_boundaries.plan_state import Grid, State, state_of
from grid_boundaries.remedies import Ground, ground_of
from grid_boundaries.strokes import Create, Merge, Move, Retire, Stroke

WEST, SOUTH, SIDE_DEG = 108.30, 33.30, 0.005
METRIC_SRID = 4545
ROWS = 4
VILLAGES = ("610999100201", "610999100202")


def board(columns: int = 6) -> tuple[GeoSeries, State]:
    """Return crooked blocks by id, and a state: grids of two columns, four in the first village.

    Neighbours have their vertices in common; ids go west to east, then north to south.
    """
    rng, rows = np.random.default_rng(3), ROWS
    x, y = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1), indexing="ij")
    corners = np.stack([x, y], axis=-1) + rng.uniform(-0.2, 0.2, (*x.shape, 2))
    corners = corners * SIDE_DEG + (WEST, SOUTH)
    shapes, grid_of = {}, {}
    for number in range(columns * rows):  # one block after another, as they are named
        column, row = number // rows, rows - 1 - number % rows
        ring = [corners[column + dx, row + dy] for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
        block = f"B{number + 1:06d}"
        shapes[block] = shapely.MultiPolygon([shapely.Polygon(ring)])
        grid_of[block] = f"{_village(column)}{1 + column // 2:03d}"
    grids = [Grid(code, f"网格{code[-3:]}", code[:12]) for code in sorted(set(grid_of.values()))]
    return GeoSeries(list(shapes.values()), index=list(shapes), crs=4490), state_of(grid_of, grids)


def sums_of(state: State) -> pd.DataFrame:
    """Return counts that tell blocks apart; pieces share what their whole has."""
    rows = {block: [1 + _number(block) * (place + 1) for place in range(7)]
            for block in state.grid_of}  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(SUMS))


def ground_under(shapes: GeoSeries, state: State) -> Ground:
    """Return what is known of the blocks as they are now; four columns are the first village."""
    touching = neighbours(in_metres(shapes, METRIC_SRID), shortest_m=0.01)
    villages = {block: _village((_number(block) - 1) // ROWS) for block in shapes.index}
    return ground_of(sums_of(state), villages, touching)


def people_in(state: State) -> float:
    """Return the people of all blocks, where each whole's are shared by its pieces evenly."""
    return sum(1 / _shares(state, block) for block in state.grid_of)


def random_stroke(
    rng: random.Random, state: State, stored: GeoSeries, *, cuts: bool = True
) -> Stroke:
    """Return a stroke that fits a state."""
    blocks, codes = sorted(state.grid_of), sorted(state.grids)
    word = rng.choice(["move", "move", "brush", "merge", "create", "retire", "split"])
    if word == "split" and cuts:
        return random_cut(rng, state, stored)
    if word == "merge" and len(codes) > 2:
        return Merge(tuple(rng.sample(codes, 2)), rng.choice(codes))
    if word == "create" and len(codes) < 9:
        code = f"{VILLAGES[0]}~{rng.randrange(10**9)}"
        return Create(Grid(code, "新网格", VILLAGES[0]), tuple(rng.sample(blocks, 2)))
    if word == "retire" and len(codes) > 3:
        return Retire(rng.choice(codes))
    count = rng.randint(2, 6) if word == "brush" else 1
    return Move(tuple(rng.sample(blocks, count)), rng.choice([*codes, None]))


def random_cut(rng: random.Random, state: State, stored: GeoSeries) -> Stroke:
    """Return a cut right through some block."""
    shapes = current_shapes(state, stored)
    block = rng.choice(sorted(shapes.index))
    west, south, east, north = shapes[block].bounds
    if rng.random() < 0.5:
        x = west + rng.uniform(0.35, 0.65) * (east - west)
        line = LineString([(x, south - 1e-4), (x, north + 1e-4)])
    else:
        y = south + rng.uniform(0.35, 0.65) * (north - south)
        line = LineString([(west - 1e-4, y), (east + 1e-4, y)])
    return cut(shapes, block, line)


def _village(column: int) -> str:
    return VILLAGES[int(column >= 4)]


def _number(block: str) -> int:
    return int(block[1:7])


def _shares(state: State, block: str) -> int:
    pieces, at = 1, block
    while "." in at:
        at = at.rpartition(".")[0]
        pieces *= len({b[len(at) + 1 :].partition(".")[0] for b in state.grid_of
                       if b.startswith(f"{at}.")})  # fmt: skip
    return pieces
