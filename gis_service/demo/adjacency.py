"""Which faces share a border, and how they are parted into contiguous sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from gis_service.demo.lines import Lines
from gis_service.demo.raster import Floats, Ints


@dataclass(frozen=True)
class Shared:
    """Pairs of faces with the length of the border that they share."""

    pairs: Ints  # (n, 2), smaller first
    length_m: Floats


def shared_borders(faces: Lines) -> Shared:
    """Return the faces that share an edge; their common vertices must be identical to a mm."""
    rings, face_of_ring = shapely.get_rings(faces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    at = np.round(points * 1000.0).astype(np.int64)
    key = at[:, 0] * (1 << 31) + at[:, 1]
    joined = ring[1:] == ring[:-1]
    ends = np.sort(np.column_stack([key[:-1], key[1:]])[joined], axis=1)
    face = face_of_ring[ring[:-1][joined]]
    length = np.hypot(*(points[1:] - points[:-1]).T)[joined]
    order = np.lexsort((face, ends[:, 1], ends[:, 0]))
    same = (ends[order[1:]] == ends[order[:-1]]).all(axis=1)
    two = np.sort(np.column_stack([face[order[:-1]], face[order[1:]]])[same], axis=1)
    pairs, back = np.unique(two, axis=0, return_inverse=True)
    return Shared(pairs, totals(back, length[order[1:]][same], len(pairs)))


def totals(part: Ints, amount: Floats, count: int) -> Floats:
    """Return the sum of the amounts of each part 0 … count − 1."""
    return np.bincount(part.ravel(), weights=amount, minlength=count).astype(np.float64)


def neighbours(shared: Shared, members: Ints) -> dict[int, dict[int, float]]:
    """Return for each member the members beside it with the length they share."""
    mine = set(members.tolist())
    beside: dict[int, dict[int, float]] = {m: {} for m in mine}
    for (a, b), length in zip(shared.pairs.tolist(), shared.length_m.tolist(), strict=True):
        if a in mine and b in mine:
            beside[a][b] = beside[b][a] = length
    return beside


def merged(shared: Shared, owner: Ints) -> Shared:
    """Return what the owners of faces share, owners −1 left out."""
    two = np.sort(owner[shared.pairs], axis=1)
    real = (two[:, 0] >= 0) & (two[:, 0] != two[:, 1])
    pairs, back = np.unique(two[real], axis=0, return_inverse=True)
    return Shared(pairs, totals(back, shared.length_m[real], len(pairs)))


def parted(
    beside: dict[int, dict[int, float]], weight: dict[int, float], at: dict[int, Floats], count: int
) -> dict[int, int]:
    """Return a part 0 … count − 1 for each member: contiguous and of nearly equal weight.

    Seeds far apart grow by turns, the lightest first, each taking the nearest free neighbour.
    """
    seeds = _far_apart(at, weight, count)
    part = {member: number for number, member in enumerate(seeds)}
    load = [weight[member] for member in seeds]
    middle = [at[member] for member in seeds]
    open_parts = set(range(len(seeds)))
    edge: list[set[int]] = [set(beside[m]) for m in seeds]
    while open_parts:
        number = min(open_parts, key=lambda n: (load[n], n))
        free = [m for m in edge[number] if m not in part]
        if not free:
            open_parts.discard(number)
            continue
        best = min(free, key=lambda m: (float(np.hypot(*(at[m] - middle[number]))), m))
        part[best] = number
        load[number] += weight[best]
        edge[number] |= set(beside[best])
    return _rest(part, at, beside)


def _far_apart(at: dict[int, Floats], weight: dict[int, float], count: int) -> list[int]:
    members = sorted(at)
    points = np.array([at[m] for m in members])
    mass = np.array([weight[m] for m in members])
    heavy = mass >= np.quantile(mass, 0.35)
    centre = np.average(points, axis=0, weights=mass + 1e-9)
    away = np.hypot(*(points - centre).T)
    chosen: list[int] = []
    for _ in range(min(count, len(members))):
        pick = int(np.argmax(np.where(heavy, away, -1.0)))
        step = np.hypot(*(points - points[pick]).T)
        away = step if not chosen else np.minimum(away, step)
        chosen.append(pick)
        heavy[pick] = False
        if not heavy.any():
            heavy = ~np.isin(np.arange(len(members)), chosen)
    return [members[i] for i in chosen]


def _rest(
    part: dict[int, int], at: dict[int, Floats], beside: dict[int, dict[int, float]]
) -> dict[int, int]:
    # what no seed could reach by borders joins the nearest
    for member in sorted(set(at) - set(part)):
        near: Iterable[int] = [m for m in beside[member] if m in part] or part
        part[member] = part[min(near, key=lambda m: float(np.hypot(*(at[m] - at[member]))))]
    return part
