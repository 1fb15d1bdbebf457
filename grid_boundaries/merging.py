"""One plan taken into another: its cuts made again on the other's ground, then its changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import cuts
from grid_boundaries.plan_state import State
from grid_boundaries.plans import replayed
from grid_boundaries.reconcile import Difference, Reconciled, Side, reconciled
from grid_boundaries.refinement import wholes_of
from grid_boundaries.strokes import Split, Stroke, Together

# a cut may have left slivers with what they were cut from; which, the line does not say
SLIVERS_UNITS2 = (0.0, 1.0, 4.0, 8.0, 16.0, 32.0)
Near = Callable[[State, list[str]], GeoSeries]  # shapes of blocks of a state and all round them


@dataclass(frozen=True)
class Merged:
    """What brings one plan what another did; conflicts as of `grid_boundaries.reconcile`."""

    strokes: tuple[Stroke, ...]
    conflicts: tuple[Difference, ...]


def merged(base: State, mine: State, theirs: State, near: Near, *, prefer: Side = "mine") -> Merged:
    """Return the strokes that bring mine the changes of theirs since their base.

    A block that the line of theirs cuts in other pieces on the ground of mine is a conflict,
    like one that both cut along two lines.

    Parameters
    ----------
    near
        Gives the shapes of some blocks of a state and of all their neighbours, stored degrees.
    prefer
        Whose grid a block in conflict gets.
    """
    apart = set[str]()
    while True:
        found = reconciled(base, mine, theirs, prefer=prefer, apart=apart)
        again, other = _cut_again(found, mine, theirs, near)
        if other is None:
            return Merged((*again, *found.strokes), found.conflicts)
        apart.add(other)


def _cut_again(
    found: Reconciled, mine: State, theirs: State, near: Near
) -> tuple[list[Stroke], str | None]:
    """Return the cuts of theirs on the ground of mine, or the first block that is cut otherwise."""
    state, strokes = mine, list[Stroke]()
    for line, blocks in groupby(found.cuts, key=lambda one: one[1]):
        pieces = {block: pieces_of(theirs, block) for block, _ in blocks}
        splits, other = _cut_into(near(state, list(pieces)), pieces, shapely.from_wkb(line))
        if other is not None:
            return [], other
        strokes.append(splits[0] if len(splits) == 1 else Together("split", splits))
        state = replayed(state, (strokes[-1],))
    return strokes, None


def pieces_of(state: State, block: str) -> int:
    """Return in how many pieces a state has cut a block; 0 for none."""
    below = block.count(".") + 1
    found = (list(wholes_of(name))[::-1] for name in state.grid_of if name.startswith(f"{block}."))
    return len({wholes[below] for wholes in found})


def _cut_into(
    shapes: GeoSeries, pieces: Mapping[str, int], line: BaseGeometry
) -> tuple[tuple[Split, ...], str | None]:
    """Return cuts in as many pieces as asked for, or the first block that cannot be cut so."""
    first: str | None = None
    for least in SLIVERS_UNITS2:
        splits = cuts(shapes, pieces, line, least_area_units2=least)
        made = {split.block: len(split.pieces) for split in splits}
        other = sorted(block for block, number in pieces.items() if made.get(block) != number)
        if not other:
            return splits, None
        first = first or other[0]
    return (), first
