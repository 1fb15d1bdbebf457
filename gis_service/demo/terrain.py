"""Made-up mountains: heights in balance with the streams that drain them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from gis_service.demo.chance import fractal
from gis_service.demo.outline import Box
from gis_service.demo.raster import Floats, Ints, graph, reach

EROSION_ROUNDS = 20


@dataclass(frozen=True)
class Terrain:
    """Heights and drainage on a square lattice whose row 0 is the southernmost."""

    cell_m: float
    height_m: Floats
    drained_km2: Floats
    receiver: Ints  # flat index of the cell that a cell drains to; its own at an outlet


def terrain(rng: np.random.Generator, box: Box, cell_m: float) -> Terrain:
    """Return terrain over `box`, drained along the box's trunk valleys.

    Heights are the steady state of the stream-power law (Whipple & Tucker 1999): slope falls
    with the square root of the drained area. The tree is refined by steepest descent.
    """
    rows, columns = round(box.height_m / cell_m), round(box.width_m / cell_m)
    rough = fractal(rng, rows, columns, 1.1)
    cost = np.exp(1.0 * rough) * _corridor(box, rows, columns, cell_m)
    outlets = _cells(box.outlets_m, rows, columns, cell_m)
    reached = reach(graph(cost), outlets)
    receiver = np.where(reached.before < 0, np.arange(cost.size), reached.before)
    hardness = np.exp(0.35 * fractal(rng, rows, columns, 1.6)) * _uplift(rows, columns)
    for _ in range(EROSION_ROUNDS):
        _, height = _balanced(receiver, hardness, cell_m)
        receiver = _steepest(height.reshape(rows, columns))
    drained, height = _balanced(receiver, hardness, cell_m)
    shape = (rows, columns)
    return Terrain(
        cell_m, _scaled(height.reshape(shape), box.site.relief_m), drained.reshape(shape), receiver
    )


def finer(land: Terrain, rng: np.random.Generator, times: int) -> Floats:
    """Return the heights on a lattice `times` finer, with small roughness added."""
    height = zoom(land.height_m, times, order=1)
    height = gaussian_filter(height, times * 0.6)
    rough = fractal(rng, height.shape[0], height.shape[1], 1.3)
    return np.asarray(height + 14.0 * rough)


def above_stream(land: Terrain, stream_km2: float) -> Floats:
    """Return each cell's height above the stream it drains to (Rennó et al. 2008), metres."""
    stream = land.drained_km2.ravel() >= stream_km2
    to = np.where(stream, np.arange(stream.size), land.receiver)
    while True:
        further = to[to]
        if np.array_equal(further, to):
            break
        to = further
    height = land.height_m.ravel()
    return np.asarray((height - height[to]).reshape(land.height_m.shape))


def _uplift(rows: int, columns: int) -> Floats:
    north = np.linspace(0.8, 1.35, rows)[:, None]
    return np.broadcast_to(north, (rows, columns))


def _cells(points_m: Floats, rows: int, columns: int, cell_m: float) -> Ints:
    column = np.clip((points_m[:, 0] / cell_m).astype(int), 0, columns - 1)
    row = np.clip((points_m[:, 1] / cell_m).astype(int), 0, rows - 1)
    return np.asarray(row * columns + column)


def _corridor(box: Box, rows: int, columns: int, cell_m: float) -> Floats:
    # cheap ground along the planned trunk valleys, so that the towns get a river
    near = np.ones((rows, columns))
    for line in box.trunks_m:
        steps = np.concatenate([np.linspace(a, b, 400) for a, b in pairwise(line)])
        near.ravel()[_cells(steps, rows, columns, cell_m)] = 0.0
    spread = gaussian_filter(1.0 - near, 6.0)
    return np.asarray(1.0 / (1.0 + 60.0 * spread))


def _balanced(receiver: Ints, hardness: Floats, cell_m: float) -> tuple[Floats, Floats]:
    """Return the drained area, km², and the steady-state height of every cell of a tree."""
    levels = _levels(receiver)
    area = np.ones(receiver.size)
    for cells in reversed(levels[1:]):
        np.add.at(area, receiver[cells], area[cells])
    drained = area * (cell_m / 1000.0) ** 2
    apart = np.abs(receiver - np.arange(receiver.size))
    step = np.where((apart == 1) | (apart == hardness.shape[1]), 1.0, np.sqrt(2.0))
    rise = hardness.ravel() * step * (drained + 0.25) ** -0.45
    height = np.zeros(receiver.size)
    for cells in levels[1:]:
        height[cells] = height[receiver[cells]] + rise[cells]
    return drained, height


def _levels(receiver: Ints) -> list[Ints]:
    """Return the cells by their number of steps to an outlet, outlets first."""
    depth = (receiver != np.arange(receiver.size)).astype(np.int64)
    to = receiver.copy()
    while True:
        further = to[to]
        if np.array_equal(further, to):
            break
        depth += depth[to]
        to = further
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1])


def _steepest(height: Floats) -> Ints:
    rows, columns = height.shape
    padded = np.pad(height, 1, constant_values=np.inf)
    best = np.zeros(height.shape)
    receiver = np.arange(height.size).reshape(height.shape)
    index = receiver.copy()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            other = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
            drop = (height - other) / max(float(np.hypot(down, right)), 1.0)
            better = drop > best
            best = np.where(better, drop, best)
            receiver = np.where(better, index + down * columns + right, receiver)
    return np.asarray(receiver.ravel())


def _scaled(height: Floats, relief_m: tuple[float, float]) -> Floats:
    top = float(np.quantile(height, 0.9995))
    share: NDArray[np.float64] = np.clip(height / top, 0.0, 1.02)
    low, high = relief_m
    return low + (high - low) * share**1.15
