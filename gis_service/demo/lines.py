"""Chains of lattice edges between nodes, and how they are smoothed without ever crossing."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_service.demo.raster import Floats, Ints

Lines = NDArray[np.object_]


def border_edges(labels: Ints) -> Ints:
    """Return the corner pairs of lattice edges between cells of different labels.

    Corners are numbered row by row on the lattice of (rows + 1) × (columns + 1) corners.
    """
    padded = np.pad(labels, 1, constant_values=-1)
    wide = labels.shape[1] + 1
    row, column = np.nonzero(padded[1:-1, :-1] != padded[1:-1, 1:])
    upright = np.column_stack([row * wide + column, (row + 1) * wide + column])
    row, column = np.nonzero(padded[:-1, 1:-1] != padded[1:, 1:-1])
    level = np.column_stack([row * wide + column, row * wide + column + 1])
    return np.concatenate([upright, level])


def chains(edges: Ints, kinds: Ints) -> list[tuple[list[int], int]]:
    """Return the edges strung into chains that end where edges meet or change kind.

    Each chain is its vertices and its kind; a ring without a node begins and ends at one vertex.
    """
    around: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, (a, b) in enumerate(edges.tolist()):
        around[a].append((b, number))
        around[b].append((a, number))
    kind = kinds.tolist()
    nodes = [v for v, at in around.items() if len(at) != 2 or kind[at[0][1]] != kind[at[1][1]]]
    used = [False] * len(kind)
    stop = set(nodes)
    found = []
    # the nodes first; what is left then are rings, begun anywhere
    for start in [*nodes, *around]:
        for beyond, number in around[start]:
            if not used[number]:
                found.append((_follow(start, beyond, number, around, used, stop), kind[number]))
    return found


def _follow(
    start: int,
    beyond: int,
    number: int,
    around: dict[int, list[tuple[int, int]]],
    used: list[bool],
    stop: set[int],
) -> list[int]:
    walk = [start, beyond]
    used[number] = True
    while walk[-1] not in stop and walk[-1] != start:
        onward = [(v, n) for v, n in around[walk[-1]] if not used[n]]
        if not onward:
            break
        walk.append(onward[0][0])
        used[onward[0][1]] = True
    return walk


def relaxed(points: Floats, edges: Ints, ranks: Ints, rounds: int) -> Floats:
    """Return the vertices of a network drawn towards their neighbours, dead ends kept.

    At a junction only the edges of the best (lowest) rank pull, so that a main road runs
    smoothly past the side roads that join it.
    """
    both = np.concatenate([edges, edges[:, ::-1]])
    rank = np.concatenate([ranks, ranks])
    best = np.full(len(points), np.iinfo(np.int64).max)
    np.minimum.at(best, both[:, 0], rank)
    both = both[rank == best[both[:, 0]]]
    degree = np.bincount(both[:, 0], minlength=len(points))
    free = degree > 1
    at = points.copy()
    for _ in range(rounds):
        total = np.zeros_like(at)
        np.add.at(total, both[:, 0], at[both[:, 1]])
        at[free] = 0.5 * at[free] + 0.5 * total[free] / degree[free, None]
    return at


def smoothed(points: Floats, rounds: int) -> Floats:
    """Return the line with its ends kept and every round a quarter of its corners taken off."""
    if len(points) < 3:
        return points
    middle = np.concatenate([points[:1], (points[:-1] + points[1:]) / 2, points[-1:]])
    for _ in range(rounds):
        inner = 0.25 * middle[:-2] + 0.5 * middle[1:-1] + 0.25 * middle[2:]
        middle = np.concatenate([middle[:1], inner, middle[-1:]])
    return middle


def arcs(chained: list[Floats], *, rounds: int, thin_m: float) -> Lines:
    """Return the chains as smooth lines none of which crosses or touches another between ends.

    A chain that would cross is smoothed less; unsmoothed midpoints of lattice edges never cross.
    """
    strength = np.full(len(chained), rounds)
    lines = np.array([_line(points, rounds, thin_m) for points in chained], dtype=object)
    for _ in range(rounds + 2):
        bad = crossing(lines)
        if not bad.size:
            break
        strength[bad] = np.where(strength[bad] > 1, strength[bad] // 2, -1)
        for number in bad.tolist():
            lines[number] = _line(chained[number], int(strength[number]), thin_m)
    return lines


def _line(points: Floats, rounds: int, thin_m: float) -> shapely.LineString:
    if rounds < 0:
        return shapely.LineString(points)
    curve = smoothed(points, rounds)
    closed = bool(np.all(curve[0] == curve[-1]))
    line = shapely.LineString(curve)
    return line if closed or rounds == 0 else shapely.simplify(line, thin_m)


def crossing(lines: Lines) -> Ints:
    """Return which lines cross or touch another, or themselves, elsewhere than at shared ends."""
    tree = shapely.STRtree(lines)
    first, second = tree.query(lines, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    shared = shapely.intersection(lines[first], lines[second])
    ends = _ends(lines)
    points = shapely.get_num_coordinates(shared)
    allowed = _shared_ends(ends[first], ends[second])
    wrong = (shapely.get_dimensions(shared) > 0) | (points > allowed)
    crossed = ~shapely.is_simple(lines)
    return np.union1d(np.union1d(first[wrong], second[wrong]), np.flatnonzero(crossed))


def _ends(lines: Lines) -> Floats:
    first = shapely.get_coordinates(shapely.get_point(lines, 0))
    last = shapely.get_coordinates(shapely.get_point(lines, -1))
    return np.stack([first, last], axis=1)


def _shared_ends(a: Floats, b: Floats) -> Ints:
    # how many distinct end points two lines have in common
    same = (a[:, :, None, :] == b[:, None, :, :]).all(axis=-1)
    met = same.any(axis=2)
    ring = (a[:, 0] == a[:, 1]).all(axis=1)
    return np.asarray(np.where(ring, met[:, 0], met.sum(axis=1)), dtype=np.int64)
