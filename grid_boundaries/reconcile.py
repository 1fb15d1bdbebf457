"""Three-way merge of plans: the strokes that bring one plan what another did since their base."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from grid_boundaries.plan_state import State
from grid_boundaries.refinement import finest, grid_at, in_terms_of, whole_of, wholes_of
from grid_boundaries.strokes import Create, Declare, Move, Retire, Stroke

Side = Literal["mine", "theirs"]


@dataclass(frozen=True)
class Difference:
    """One thing that both plans changed, each its own way.

    Parameters
    ----------
    kind
        "move": a block went to two grids; "cut": it was cut along two lines;
        "grid-gone": one plan took away a grid that the other gives blocks to;
        "grid": both made a grid of this code with other facts.
    where
        The block id, or for "grid-gone" and "grid" the grid code.
    base, mine, theirs
        The grid that holds the block in each; None for no grid.
    """

    kind: str
    where: str
    base: str | None = None
    mine: str | None = None
    theirs: str | None = None


@dataclass(frozen=True)
class Reconciled:
    """What is to be done to mine.

    Parameters
    ----------
    cuts
        Block and line (WKB, degrees) of the cuts to make first, in this order.
    strokes
        To be made after them.
    conflicts
        Where both changed the same; `strokes` follow the preferred side there.
    """

    cuts: tuple[tuple[str, bytes], ...]
    strokes: tuple[Stroke, ...]
    conflicts: tuple[Difference, ...]


def reconciled(
    base: State,
    mine: State,
    theirs: State,
    *,
    prefer: Side = "mine",
    apart: Collection[str] = (),
) -> Reconciled:
    """Return what brings mine the changes of theirs.

    A block that only one side changed goes where that side has it; one that both gave to the
    same grid stays; everything else is a conflict. Blocks that one side has cut are compared
    by piece. The base's ground is the ground of all three.

    Parameters
    ----------
    base
        What both plans started from.
    prefer
        Whose grid a block in conflict gets. Mine keeps its own cuts in any case.
    apart
        Blocks that their line cuts otherwise in mine: conflicts, too.
    """
    cuts, crossed = _cuts(mine, theirs, apart)
    conflicts = [Difference("cut", block) for block in crossed]
    wanted: dict[str, str | None] = {}
    for block in _pieces(mine, theirs, crossed):
        there = _there(theirs, block, crossed)
        if there is _MIXED:
            continue  # pieces of two different cuts; the conflict of the cut says so
        hands = Difference("move", block, grid_at(base, block), grid_at(mine, block), there)
        if hands.theirs in (hands.base, hands.mine):
            continue
        if hands.mine != hands.base:
            conflicts.append(hands)
        if hands.mine == hands.base or prefer == "theirs":
            wanted[block] = hands.theirs
    strokes, lost = _strokes(base, mine, theirs, wanted)
    return Reconciled(cuts, strokes, (*conflicts, *lost))


_MIXED = "\0"  # no grid code holds it


def _cuts(
    mine: State, theirs: State, apart: Collection[str]
) -> tuple[tuple[tuple[str, bytes], ...], list[str]]:
    """Return the cuts of theirs that mine can take, and the blocks cut along two lines."""
    both = mine.cuts.keys() & theirs.cuts.keys()
    crossed = sorted({*(b for b in both if mine.cuts[b] != theirs.cuts[b]), *apart})
    taken = [
        block
        for block in theirs.cuts
        if block not in mine.cuts
        and not set(wholes_of(block)) & set(crossed)
        # mine may stand on blocks that were cut and published since
        and not any(whole_of(piece) == block for piece in mine.grid_of)
    ]
    # blocks cut along one line are cut together, so that their pieces meet
    order = sorted(taken, key=lambda block: (block.count("."), theirs.cuts[block], block))
    return tuple((block, theirs.cuts[block]) for block in order), crossed


def _pieces(mine: State, theirs: State, crossed: Iterable[str]) -> list[str]:
    """Return the blocks that mine has after the cuts."""
    closed = set(crossed)
    foreign = {block for block in theirs.grid_of if set(wholes_of(block)) & closed}
    own = {block for block in mine.grid_of if set(wholes_of(block)) & closed}
    fine = set(finest((mine, theirs))) - foreign
    return sorted(fine | own)


def _there(theirs: State, block: str, crossed: Collection[str]) -> str | None:
    """Return the grid that theirs has a block in, or `_MIXED`: it is in several there."""
    cut = next((whole for whole in wholes_of(block) if whole in crossed), None)
    if cut is None:
        return grid_at(theirs, block)
    # pieces of one id are other ground in a block cut along another line
    held = {code for piece, code in theirs.grid_of.items() if cut in set(wholes_of(piece))}
    return held.pop() if len(held) == 1 else _MIXED


def _strokes(
    base: State, mine: State, theirs: State, wanted: dict[str, str | None]
) -> tuple[tuple[Stroke, ...], list[Difference]]:
    given, lost = _given(base, mine, theirs, wanted)
    kept = {block: to for block, to in wanted.items() if to not in lost}
    retired, held = _retired(base, mine, theirs, kept)
    declared, other = _declared(base, mine, theirs)
    gone = [Difference("grid-gone", to, base=to, theirs=to) for to in lost]
    return (*given, *retired, *declared), [*_twice_made(base, mine, theirs), *gone, *held, *other]


def _made(base: State, theirs: State) -> list[str]:
    return [code for code in theirs.grids if code not in base.grids]


def _twice_made(base: State, mine: State, theirs: State) -> list[Difference]:
    """Return the grids that both made under one code with other facts."""
    both = [code for code in _made(base, theirs) if code in mine.grids]
    return [Difference("grid", c) for c in both if mine.grids[c] != theirs.grids[c]]


def _given(
    base: State, mine: State, theirs: State, wanted: Mapping[str, str | None]
) -> tuple[list[Stroke], list[str]]:
    """Return the strokes that give blocks to grids, and the grids that mine no longer has."""
    new = {code for code in _made(base, theirs) if code not in mine.grids}
    strokes: list[Stroke] = []
    lost: list[str] = []
    for to in sorted(set(wanted.values()) | new, key=str):
        blocks = tuple(block for block, code in wanted.items() if code == to)
        if to is None or to in mine.grids:
            strokes.append(Move(blocks, to))
        elif to in new:
            strokes.append(Create(theirs.grids[to], blocks))
        else:
            lost.append(to)
    return strokes, lost


def _retired(
    base: State, mine: State, theirs: State, wanted: Collection[str]
) -> tuple[list[Stroke], list[Difference]]:
    """Return the taking away of grids that theirs took away, and those that mine still fills."""
    gone = [code for code in base.grids if code not in theirs.grids and code in mine.grids]
    leaving = {in_terms_of(block, mine.grid_of) for block in wanted}
    held = [code for code in gone if not mine.blocks_of(code) <= leaving]
    left = [Difference("grid-gone", code, base=code, mine=code) for code in held]
    return [Retire(code) for code in gone if code not in held], left


def _declared(base: State, mine: State, theirs: State) -> tuple[list[Stroke], list[Difference]]:
    """Return the declarations of parts that theirs made, and the grids where mine made another."""
    strokes: list[Stroke] = []
    other: list[Difference] = []
    for code in sorted(base.grids.keys() & mine.grids.keys() & theirs.grids.keys()):
        before, own, parts = (s.grids[code].expected_parts for s in (base, mine, theirs))
        if parts in (before, own):
            continue
        if own == before:
            strokes.append(Declare(code, parts))
        else:
            other.append(Difference("grid", code))
    return strokes, other
