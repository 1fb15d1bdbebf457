"""Cost distance on the raster: what is reached first from where, and by which way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# half of the eight neighbours: the other half are the same edges seen from the other side
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Reached:
    """Distance from the nearest seed, that seed's cell, and the cell before on the way."""

    distance: Floats
    seed: Ints
    before: Ints


def neighbour_pairs(shape: tuple[int, int], steps: tuple[tuple[int, int], ...] = STEPS) -> Ints:
    """Return the flat indexes of neighbouring cells, shape (pairs, 2)."""
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    pairs = []
    for down, right in steps:
        rows = slice(0, shape[0] - down)
        if right >= 0:
            first, second = index[rows, : shape[1] - right], index[down:, right:]
        else:
            first, second = index[rows, -right:], index[down:, :right]
        pairs.append(np.column_stack([first.ravel(), second.ravel()]))
    return np.concatenate(pairs)


def graph(cost: Floats, *, apart: Ints | None = None) -> csr_array:
    """Return the raster's graph: an edge costs its length times the mean of its ends.

    Cells of infinite cost have no edges; cells of different `apart` are not joined.
    """
    pairs = neighbour_pairs(cost.shape)
    flat = cost.ravel()
    ok = np.isfinite(flat[pairs[:, 0]]) & np.isfinite(flat[pairs[:, 1]])
    if apart is not None:
        ok &= apart.ravel()[pairs[:, 0]] == apart.ravel()[pairs[:, 1]]
    pairs = pairs[ok]
    step = np.abs(pairs[:, 1] - pairs[:, 0])
    straight = (step == 1) | (step == cost.shape[1])
    weight = (flat[pairs[:, 0]] + flat[pairs[:, 1]]) * np.where(straight, 0.5, np.sqrt(0.5))
    return csr_array((weight, (pairs[:, 0], pairs[:, 1])), shape=(cost.size, cost.size))


def reach(net: csr_array, seeds: Ints) -> Reached:
    """Return what each cell is reached from; −9999 where no seed leads to a cell."""
    distance, before, seed = dijkstra(
        net, directed=False, indices=np.unique(seeds), min_only=True, return_predecessors=True
    )
    return Reached(distance=distance, seed=seed.astype(np.int64), before=before.astype(np.int64))


def labels_of(reached: Reached, seeds: Ints) -> Ints:
    """Return the position in `seeds` of what each cell was reached from; −1 for nothing."""
    number = np.full(reached.seed.size, -1)
    number[seeds] = np.arange(seeds.size)
    return np.where(reached.seed >= 0, number[np.maximum(reached.seed, 0)], -1)


def way(reached: Reached, cell: int) -> list[int]:
    """Return the cells from `cell` back to its seed."""
    cells = [cell]
    while reached.before[cells[-1]] >= 0:
        cells.append(int(reached.before[cells[-1]]))
    return cells


def pieces(labels: Ints) -> Ints:
    """Return the number of the edge-connected piece that each cell of a raster belongs to."""
    pairs = neighbour_pairs((labels.shape[0], labels.shape[1]), ((0, 1), (1, 0)))
    flat = labels.ravel()
    pairs = pairs[flat[pairs[:, 0]] == flat[pairs[:, 1]]]
    net = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(flat.size, flat.size))
    return np.asarray(connected_components(net, directed=False)[1], dtype=np.int64)


def without_fragments(labels: Ints) -> Ints:
    """Return the labels with every piece but the largest of a label given to a neighbour.

    Label −1 (outside) is left as it is, and gives and takes nothing.
    """
    result = labels.copy()
    flat = result.ravel()
    for _ in range(20):
        stray = _stray_cells(result)
        if not stray.any():
            break
        flat[stray] = -2
        _fill_from_neighbours(result)
    return result


def _stray_cells(labels: Ints) -> Flags:
    piece = pieces(labels)
    flat = labels.ravel()
    size = np.bincount(piece)
    label_of = np.full(size.size, -1)
    label_of[piece] = flat
    order = np.lexsort((np.arange(size.size), -size, label_of))
    first = np.ones(order.size, dtype=bool)
    first[1:] = label_of[order][1:] != label_of[order][:-1]
    main = np.zeros(size.size, dtype=bool)
    main[order[first]] = True
    return ~main[piece] & (flat >= 0)


def _fill_from_neighbours(labels: Ints) -> None:
    # cells marked −2 take the label of an edge neighbour, ring by ring
    padded = np.pad(labels, 1, constant_values=-1)
    core = padded[1:-1, 1:-1]
    shifts = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    while (core == -2).any():
        before = int((core == -2).sum())
        best = np.maximum.reduce([np.where(s >= 0, s, -2) for s in shifts])
        core[core == -2] = best[core == -2]
        if int((core == -2).sum()) == before:
            core[core == -2] = -1
    labels[:] = core
