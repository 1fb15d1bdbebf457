"""Benchmark of redrawing: one block moved with its numbers, a brush of 200, checks of a plan."""

from __future__ import annotations

import json
import sys
from time import process_time

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries

from grid_boundaries.checks import Standards, checks
from grid_boundaries.codes import profile
from grid_boundaries.cutting import cut
from grid_boundaries.numbers import SUMS, Gauge, changes
from grid_boundaries.plan_state import Grid, State, state_bytes, state_from, state_of
from grid_boundaries.plans import diff, replayed
from grid_boundaries.reconcile import reconciled
from grid_boundaries.remedies import ground_of
from grid_boundaries.rules import DEFAULT_RULES
from grid_boundaries.strokes import Move, Stroke, touched
from layers.plan_ground import touching_of

COLUMNS, ROWS = 150, 120  # 18,000 blocks
GRID_COLUMNS, GRID_ROWS = 59, 12  # 708 grids
SIDE_M = 120.0
CRS = 4545
CORNER_M = np.array([500_000.0, 3_700_000.0])
MOVES, BRUSH = 1_000, 200


def figures() -> dict[str, float]:
    """Return CPU milliseconds a stroke and CPU seconds of what is done over a whole plan."""
    shapes, state = lattice()
    sums = counts(shapes)
    found = move_figures(shapes, state, sums)
    found |= brush_figures(shapes, state, sums)
    found |= check_figures(shapes, state, sums)
    found |= log_figures(state, sums)
    near = GeoSeries(shapely.transform(shapes.iloc[:400].array, lambda xy: xy / 2**17),
                     index=shapes.index[:400])  # fmt: skip
    west, south, east, north = near.iloc[200].bounds
    line = shapely.LineString(
        [((west + east) / 2, south - 1e-4), ((west + east) / 2, north + 1e-4)]
    )
    start = process_time()
    cut(near, str(near.index[200]), line)
    return {**found, "cut_one_block_cpu_ms": 1000 * (process_time() - start)}


def move_figures(shapes: GeoSeries, state: State, sums: pd.DataFrame) -> dict[str, float]:
    """Return what one block moved to a neighbouring grid costs, numbers of both grids included."""
    gauge, rng = Gauge(sums, shapes), np.random.default_rng(1)
    strokes = [border_move(rng, state) for _ in range(MOVES)]
    for code in state.grids:  # a planner sees the numbers before the first stroke
        gauge.numbers(state.blocks_of(code))
    spent = []
    for stroke in strokes:
        start = process_time()
        codes = touched(stroke, state)[1]
        after = stroke.on(state)
        changes(state, after, gauge, codes)
        spent.append(1000 * (process_time() - start))
        state = after
    return {
        "move_one_block_median_cpu_ms": float(np.median(spent)),
        "move_one_block_p95_cpu_ms": float(np.percentile(spent, 95)),
    }


def brush_figures(shapes: GeoSeries, state: State, sums: pd.DataFrame) -> dict[str, float]:
    """Return what a brush of 200 blocks costs, numbers of all grids under it included."""
    gauge = Gauge(sums, shapes)
    blocks = tuple(
        f"B{1 + row * COLUMNS + column:06d}" for row in range(10) for column in range(20)
    )
    stroke = Move(blocks[:BRUSH], "G005-05")
    start = process_time()
    after = stroke.on(state)
    changes(state, after, gauge, touched(stroke, state)[1])
    return {"brush_200_blocks_cpu_ms": 1000 * (process_time() - start)}


def check_figures(shapes: GeoSeries, state: State, sums: pd.DataFrame) -> dict[str, float]:
    """Return what all checks cost after 500 random moves, and what is kept from one to the next."""
    start = process_time()
    touching = touching_of(shapes, CRS)
    middle = process_time()
    ground = ground_of(sums, villages(state), touching)
    ready = process_time()
    found = checks(drawn_over(state), ground, standards(state))
    return {
        "neighbours_18000_cpu_s": middle - start,  # kept while no block is cut
        "ground_18000_cpu_s": ready - middle,
        "checks_708_grids_cpu_s": process_time() - ready,
        "checks_found": float(len(found)),
    }


def log_figures(state: State, sums: pd.DataFrame) -> dict[str, float]:
    """Return what replay, hash, diff and three-way merge of a whole plan cost."""
    rng = np.random.default_rng(3)
    strokes = tuple(border_move(rng, state) for _ in range(1_000))
    marks = [process_time()]
    mine = replayed(state, strokes[:500])
    theirs = replayed(state, strokes[500:])
    marks.append(process_time())
    mine.digest()
    marks.append(process_time())
    diff(state, mine, sums)
    marks.append(process_time())
    reconciled(state, mine, theirs)
    marks.append(process_time())
    state_from(state_bytes(mine))
    marks.append(process_time())
    names = ("replay_1000_strokes", "hash", "diff", "three_way_merge", "write_and_read")
    return {
        f"{name}_cpu_s": spent for name, spent in zip(names, np.diff(marks).tolist(), strict=True)
    }


def lattice() -> tuple[GeoSeries, State]:
    """Return 18,000 crooked blocks of four vertices a side and a state of 708 grids."""
    rng = np.random.default_rng(1)
    steps = 4
    x, y = np.meshgrid(np.arange(steps * COLUMNS + 1), np.arange(steps * ROWS + 1), indexing="ij")
    points = np.stack([x, y], axis=-1) + rng.uniform(-0.3, 0.3, (*x.shape, 2))
    points = (points * SIDE_M / steps + CORNER_M).round(3)
    around = [(i, 0) for i in range(steps)] + [(steps, i) for i in range(steps)]
    around += [(steps - i, steps) for i in range(steps)] + [(0, steps - i) for i in range(steps)]
    ring = np.array(around)
    polygons, grid_of = {}, {}
    for number in range(COLUMNS * ROWS):
        row, column = divmod(number, COLUMNS)
        corners = points[steps * column + ring[:, 0], steps * row + ring[:, 1]]
        polygons[f"B{number + 1:06d}"] = shapely.Polygon(corners)
        across, up = column * GRID_COLUMNS // COLUMNS, row * GRID_ROWS // ROWS
        grid_of[f"B{number + 1:06d}"] = f"G{across:03d}-{up:02d}"
    grids = [Grid(code, code, f"V{code[1:4]}") for code in sorted(set(grid_of.values()))]
    return GeoSeries(list(polygons.values()), index=list(polygons), crs=CRS), state_of(
        grid_of, grids
    )


def counts(shapes: GeoSeries) -> pd.DataFrame:
    """Return random counts of every block, about 67 people each."""
    rng = np.random.default_rng(2)
    means = (67, 22, 2, 1, 1, 3, 55)
    return pd.DataFrame(rng.poisson(means, (len(shapes), len(means))), shapes.index, list(SUMS))


def border_move(rng: np.random.Generator, state: State) -> Stroke:
    """Return the move of a random block to the other grid that a block beside it is in."""
    while True:
        number = int(rng.integers(1, COLUMNS * ROWS))
        east = state.grid_of[f"B{number + 1:06d}"]
        if state.grid_of[f"B{number:06d}"] != east:
            return Move((f"B{number:06d}",), east)


def drawn_over(state: State) -> State:
    """Return a state after 500 random moves, with 50 blocks in no grid."""
    rng = np.random.default_rng(5)
    state = replayed(state, tuple(border_move(rng, state) for _ in range(500)))
    return state.with_blocks(map(str, rng.choice(sorted(state.grid_of), 50, replace=False)), None)


def villages(state: State) -> dict[str, str]:
    """Return the village of each block: the column of grids that it starts in."""
    return {block: state.grids[str(code)].village_code for block, code in state.grid_of.items()}


def standards(state: State) -> Standards:
    """Return the default size rules."""
    every = {grid.village_code for grid in state.grids.values()}
    return Standards(DEFAULT_RULES, "present", profile("cn"), every)


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
