"""Who gets which face: claimed ground to its claimant, slivers beside it by the longest border."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from grid_boundaries.incoming.balance import Balance, Choices, balanced
from grid_boundaries.incoming.faces import Faces
from grid_boundaries.incoming.parting import MOST_PIECES, parted

NONE = -1
# a border at least so long beside the longest one: the two long sides of a thin strip
NEARLY_AS_LONG = 0.5
ROUNDS = 8
# a grid may be off its drawn area by this part before slivers beside it are cut across
MOST_OFF = 0.003
PIECE = 0.001

Regions = NDArray[np.intp]


@dataclass(frozen=True)
class Shares:
    """The faces of the ground and the region that each belongs to.

    Parameters
    ----------
    faces
        As they were given, slivers cut across where they had to be shared.
    region
        Of each face: its grid's position in `codes`, a number beyond for a region that no grid
        has yet, `NONE` for ground outside the county.
    codes
        Grids in order.
    """

    faces: Faces
    region: Regions
    codes: tuple[str, ...]


def shares(found: Faces) -> Shares:
    """Return which face goes where.

    Ground claimed once stays with its claimant. Wider ground that several claim or none is a
    region of its own. A sliver goes to the neighbour with which it shares the longest border, a
    claimant before others; where another border is at least half as long, grids that would be
    off the area they had drawn come first, so that noise on all sides of a grid evens out.
    Where that leaves a grid off by more than 0.3 %, the larger slivers beside it are cut across.
    """
    codes = tuple(sorted({code for codes in found.table["claimants"] for code in codes}))
    first, balance = _shared(found, codes)
    off = np.abs(balance.off()) > MOST_OFF
    if off.any():
        cut, _ = parted(found, _too_large(first, balance, off))
        first, _ = _shared(cut, codes)
    return Shares(first.faces, _without_crumbs(first, len(codes)), codes)


def proposals(shared: Shares) -> dict[int, str | None]:
    """Return who should get each region that no grid has: by the longest border with it.

    Of contested ground one of its claimants, and the first where none borders it; None where
    nothing is beside a region.
    """
    region, count = shared.region, len(shared.codes)
    metres = _borders(shared.faces.edges, region)
    claimants = shared.faces.table["claimants"].to_numpy()
    proposed: dict[int, str | None] = {}
    area_m2 = shared.faces.table["area_m2"].to_numpy()
    largest_last = np.argsort(area_m2, kind="stable")
    for face in largest_last[region[largest_last] >= count].tolist():  # it speaks for its region
        own = int(region[face])
        beside = {shared.codes[other]: length for other, length in metres.get(own, {}).items()
                  if other < count}  # fmt: skip
        asked = {code: beside[code] for code in claimants[face] if code in beside}
        chosen = asked or ({} if claimants[face] else beside)
        first = next(iter(claimants[face]), None)
        proposed[own] = max(sorted(chosen), key=lambda code: chosen[code], default=first)
    return proposed


def _shared(found: Faces, codes: tuple[str, ...]) -> tuple[Shares, Balance]:
    """Return regions with slivers given away and evened out, and how far that left grids off."""
    region = _slivers_given(found, _settled(found, codes), codes)
    area_m2 = found.table["area_m2"].to_numpy()
    balance = _balance(found, region, len(codes))
    region = balanced(region, area_m2, _choices_of_slivers(found, region, codes), balance)
    return Shares(found, region, codes), balance


def _settled(found: Faces, codes: tuple[str, ...]) -> Regions:
    """Return the regions of faces that need no repair; slivers are NONE as yet."""
    place = {code: number for number, code in enumerate(codes)}
    table, many = found.table, found.claims_of
    region = np.full(len(table), NONE, dtype=np.intp)
    inside = ~table["is_outside"].to_numpy(dtype=bool)
    once = inside & (many == 1)
    region[once] = [place[codes[0]] for codes in table["claimants"].to_numpy()[once]]
    wide = inside & (many != 1) & ~table["is_sliver"].to_numpy(dtype=bool)
    region[wide] = len(codes) + np.arange(wide.sum())
    return region


def _slivers_given(found: Faces, region: Regions, codes: tuple[str, ...]) -> Regions:
    region, both = region.copy(), _both_ways(found.edges)
    claimants = found.table["claimants"].to_numpy()
    unclaimed = _unclaimed(found, region, codes)
    waiting = (region == NONE) & ~found.table["is_outside"].to_numpy(dtype=bool)
    while waiting.any():  # each round gives the slivers beside given ground; chains take several
        beside = both[waiting[both["a"]] & (region[both["b"]] != NONE)]
        if beside.empty:
            break
        given = _metres(beside, region)
        for face, metres in given.items():
            asked = _asked(metres, claimants[face], codes, unclaimed)
            waiting[face] = not asked
            region[face] = max(asked, key=lambda other: (asked[other], -other), default=NONE)
        if waiting[list(given)].all():
            break
    left = np.flatnonzero(waiting)  # islands of noise with nothing beside them
    region[left] = region.max(initial=len(codes) - 1) + 1 + np.arange(len(left))
    return region


def _asked(
    metres: Mapping[int, float],
    claimants: tuple[str, ...],
    codes: tuple[str, ...],
    unclaimed: frozenset[int],
) -> Mapping[int, float]:
    """Return the neighbours that may have a face: its claimants among them, else all.

    Ground that somebody claims never becomes a part of what nobody does.
    """
    own = {other: length for other, length in metres.items()
           if other < len(codes) and codes[other] in claimants}  # fmt: skip
    if own or not claimants:
        return own or metres
    return {other: length for other, length in metres.items() if other not in unclaimed}


def _unclaimed(found: Faces, region: Regions, codes: tuple[str, ...]) -> frozenset[int]:
    """Return the regions of wide ground that nobody claims."""
    wide = ~found.table["is_sliver"].to_numpy(dtype=bool) & (found.claims_of == 0)
    return frozenset(region[wide & (region >= len(codes))].tolist())


def _choices_of_slivers(found: Faces, region: Regions, codes: tuple[str, ...]) -> Choices:
    """Return the regions that could have each contested or unclaimed sliver nearly as well."""
    given = found.table["is_sliver"].to_numpy(dtype=bool) & (region != NONE)
    given &= found.claims_of != 1
    both, claimants = _both_ways(found.edges), found.table["claimants"].to_numpy()
    # borders with other slivers tell nothing: they may go anywhere themselves
    beside = both[given[both["a"]] & ~given[both["b"]] & (region[both["b"]] != NONE)]
    unclaimed = _unclaimed(found, region, codes)
    choices: dict[int, list[int]] = {}
    for face, metres in _metres(beside, region).items():
        asked = _asked(metres, claimants[face], codes, unclaimed)
        least_m = NEARLY_AS_LONG * max(asked.values(), default=0.0)
        choices[face] = [other for other, length in asked.items() if length >= least_m]
    return {face: takers for face, takers in choices.items() if len(takers) > 1}


def _balance(found: Faces, region: Regions, count: int) -> Balance:
    """Return what each grid has, and the part of its outline that is not left to a planner."""
    area_m2 = found.table["area_m2"].to_numpy()
    own = (region >= 0) & (region < count)
    held_m2 = np.bincount(region[own], area_m2[own], minlength=count)
    codes = sorted({code for codes in found.table["claimants"] for code in codes})
    place = {code: number for number, code in enumerate(codes)}
    faces = [(face, place[code]) for face, codes in enumerate(found.table["claimants"])
             if own[face] for code in codes]  # fmt: skip
    face, grid = np.array(faces, dtype=np.intp).reshape(-1, 2).T
    target_m2 = np.bincount(grid, area_m2[face], minlength=count)
    return Balance(target_m2.astype(float), held_m2.astype(float))


def _too_large(shared: Shares, balance: Balance, off: NDArray[np.bool_]) -> dict[int, int]:
    """Return in how many pieces to cut the slivers beside grids that are off their area."""
    found, area_m2 = shared.faces, shared.faces.table["area_m2"].to_numpy()
    is_open = found.table["is_sliver"].to_numpy(dtype=bool) & (found.claims_of != 1)
    is_open &= shared.region != NONE
    both = _both_ways(found.edges)
    beside = both[is_open[both["a"]] & (shared.region[both["b"]] != NONE)]
    pieces: dict[int, int] = {}
    for face, metres in _metres(beside, shared.region).items():
        near = [other for other in metres if other < len(off) and off[other]]
        if near and len(metres) > 1:
            piece_m2 = PIECE * min(float(balance.target_m2[other]) for other in near)
            pieces[face] = min(int(area_m2[face] / max(piece_m2, 1e-9)) + 1, MOST_PIECES)
    return {face: count for face, count in pieces.items() if count > 1}


def _without_crumbs(shared: Shares, count: int) -> Regions:
    """Give slivers that are cut off from the rest of their region to the grid beside them."""
    found, region = shared.faces, shared.region.copy()
    both = _both_ways(found.edges)
    both = both[region[both["b"]] < count]
    for _ in range(ROUNDS):
        part = _parts(found.edges, region)
        moved = list(_crumbs_given(both, region, part, found.table))
        if not moved:
            break
        for crumb, other in moved:
            region[part == crumb] = other
    return region


def _parts(edges: pd.DataFrame, region: Regions) -> NDArray[np.intp]:
    """Return the connected part of its region that each face belongs to."""
    a, b = edges["a"].to_numpy(), edges["b"].to_numpy()
    alike = region[a] == region[b]
    size = len(region)
    graph = coo_matrix((np.ones(alike.sum()), (a[alike], b[alike])), shape=(size, size))
    labels: NDArray[np.intp] = connected_components(graph, directed=False)[1].astype(np.intp)
    return labels


def _crumbs_given(
    both: pd.DataFrame, region: Regions, part: NDArray[np.intp], table: pd.DataFrame
) -> Iterator[tuple[int, int]]:
    """Yield each crumb (a part of slivers that is not its region's largest) and who takes it."""
    size_m2 = np.bincount(part, table["area_m2"].to_numpy())
    order = np.argsort(-size_m2[part], kind="stable")
    _, first = np.unique(region[order], return_index=True)
    keeps = np.bincount(part, ~table["is_sliver"].to_numpy(dtype=bool)) > 0
    keeps[part[order[first]]] = True
    a, b = both["a"].to_numpy(), both["b"].to_numpy()
    near = ~keeps[part[a]] & (region[a] != NONE) & (part[a] != part[b]) & (region[b] != NONE)
    beside = pd.DataFrame(
        {"part": part[a[near]], "to": region[b[near]], "metres": both["length"].to_numpy()[near]}
    )
    sums = beside.groupby(["part", "to"])["metres"].sum().reset_index()
    best = sums.sort_values(["metres", "to"], ascending=[False, True]).drop_duplicates("part")
    yield from zip(best["part"].tolist(), best["to"].tolist(), strict=True)


def _borders(edges: pd.DataFrame, region: Regions) -> dict[int, dict[int, float]]:
    """Return the metres that each region shares with every other one."""
    both = _both_ways(edges)
    own, to = region[both["a"]], region[both["b"]]
    wanted = (own != to) & (to != NONE)
    pairs = pd.DataFrame(
        {"a": own[wanted], "b": both["b"][wanted], "length": both["length"][wanted]}
    )
    return _metres(pairs, region)


def _metres(beside: pd.DataFrame, region: Regions) -> dict[int, dict[int, float]]:
    """Return the metres of border with every region of `b`, by `a`."""
    found: dict[int, dict[int, float]] = {}
    rows = zip(
        beside["a"].tolist(), region[beside["b"]].tolist(), beside["length"].tolist(), strict=True
    )
    for face, other, length_m in rows:
        metres = found.setdefault(face, {})
        metres[other] = metres.get(other, 0.0) + length_m
    return found


def _both_ways(edges: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([edges, edges.rename(columns={"a": "b", "b": "a"})], ignore_index=True)
