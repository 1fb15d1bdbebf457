"""Plans: a base and a log of strokes with a cursor in it, and what differs between two states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import pandas as pd

from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.plan_state import Grid as Grid  # public names of this module
from grid_boundaries.plan_state import State as State
from grid_boundaries.plan_state import state_of as state_of
from grid_boundaries.refinement import finest, grid_at
from grid_boundaries.strokes import Create as Create
from grid_boundaries.strokes import Merge as Merge
from grid_boundaries.strokes import Move as Move
from grid_boundaries.strokes import Retire as Retire
from grid_boundaries.strokes import Split as Split
from grid_boundaries.strokes import Stroke


@dataclass(frozen=True)
class Plan:
    """A draft: what it started from and every stroke since.

    Parameters
    ----------
    log
        Strokes in order; those at and after `cursor` have been undone and can be made again.
    """

    base: State
    log: tuple[Stroke, ...] = ()
    cursor: int = 0

    def state(self) -> State:
        """Return what the plan says now: the strokes before the cursor, replayed on the base."""
        return replayed(self.base, self.log[: self.cursor])


def replayed(state: State, strokes: tuple[Stroke, ...]) -> State:
    """Return a state after some strokes.

    Raises
    ------
    Refused
        A stroke does not fit; see the strokes.
    """
    return reduce(lambda before, stroke: stroke.on(before), strokes, state)


def drawn(plan: Plan, stroke: Stroke) -> Plan:
    """Return the plan with one more stroke; what had been undone can not come back.

    Raises
    ------
    Refused
        The stroke does not fit; the plan is as it was.
    """
    stroke.on(plan.state())
    log = (*plan.log[: plan.cursor], stroke)
    return replace(plan, log=log, cursor=len(log))


def undone(plan: Plan) -> Plan:
    """Return the plan without its last stroke.

    Raises
    ------
    Refused
        There is nothing to undo.
    """
    if plan.cursor == 0:
        raise nothing_to("undo")
    return replace(plan, cursor=plan.cursor - 1)


def redone(plan: Plan) -> Plan:
    """Return the plan with the last stroke that was undone.

    Raises
    ------
    Refused
        There is nothing to redo.
    """
    if plan.cursor == len(plan.log):
        raise nothing_to("redo")
    return replace(plan, cursor=plan.cursor + 1)


def nothing_to(word: str) -> Refused:
    """Return the refusal of an undo or redo at the end of the log."""
    zh = {"undo": "撤销", "redo": "重做"}[word]
    return Refused(
        f"nothing-to-{word}", f"没有可以{zh}的操作", f"There is no stroke to {word}", what=word
    )


def diff(before: State, after: State, sums: pd.DataFrame) -> pd.DataFrame:
    """Return the blocks that change hands, with what is counted in them.

    Parameters
    ----------
    before, after
        Over the same ground; blocks that only one of them has cut are compared by piece.
    sums
        Counts by block id; rows for every piece that either state has, and none missing.

    Returns
    -------
    DataFrame
        Indexed by block id in text order: ``from_grid``, ``to_grid`` (None for no grid) and
        the columns of `sums`; empty where nothing differs.

    Raises
    ------
    NotFound
        A block that changes hands is not in `sums`.
    """
    pairs = [
        (block, grid_at(before, block), grid_at(after, block)) for block in finest((before, after))
    ]
    moved = [pair for pair in pairs if pair[1] != pair[2]]
    index = pd.Index([pair[0] for pair in moved], dtype=object, name="block_id")
    _refuse_uncounted(index, sums)
    hands = {
        "from_grid": pd.Series([pair[1] for pair in moved], index=index, dtype=object),
        "to_grid": pd.Series([pair[2] for pair in moved], index=index, dtype=object),
    }
    return pd.concat([pd.DataFrame(hands, index=index), sums.reindex(index)], axis=1)


def changed(before: State, after: State) -> tuple[frozenset[str], frozenset[str]]:
    """Return the blocks and the grids that differ between two states over the same ground.

    Pieces of a block are changed where it is; a grid is where it is made or taken away, its facts
    differ, or a block of it changes hands or is cut.
    """
    pairs = before.grid_of.items() ^ after.grid_of.items()
    facts = before.grids.items() ^ after.grids.items()
    held = {code for _, code in pairs if code is not None}
    return frozenset(block for block, _ in pairs), frozenset(held | {code for code, _ in facts})


def _refuse_uncounted(index: pd.Index[str], sums: pd.DataFrame) -> None:
    missing = index.difference(sums.index)
    if len(missing):
        raise NotFound(
            "block-not-counted",
            f"没有图斑 {missing[0]} 的统计数",
            f"There are no counts of block {missing[0]}",
            block=str(missing[0]),
        )
