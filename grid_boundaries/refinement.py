"""Blocks and the pieces cut from them: whose piece one is, and the finest cut of several states."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from grid_boundaries.plan_state import State


def whole_of(block: str) -> str | None:
    """Return the id of the block that a piece was cut from; None for a block of the first cut."""
    whole, dot, _ = block.rpartition(".")
    return whole if dot else None


def wholes_of(block: str) -> Iterator[str]:
    """Yield a block's own id, that of the block it was cut from, and so on to the first cut."""
    at: str | None = block
    while at is not None:
        yield at
        at = whole_of(at)


def in_terms_of(block: str, known: Collection[str]) -> str | None:
    """Return the block of `known` that a block is or is a piece of; None where there is none."""
    return next((whole for whole in wholes_of(block) if whole in known), None)


def finest(states: Iterable[State]) -> list[str]:
    """Return the blocks of the common refinement: those that no state has cut further."""
    blocks: set[str] = set()
    cut: set[str] = set()
    for state in states:
        blocks.update(state.grid_of)
        cut.update(state.cuts)
        # a base may know pieces whose cut is long published
        cut.update(whole for block in state.grid_of for whole in list(wholes_of(block))[1:])
    return sorted(blocks - cut)


def grid_at(state: State, block: str) -> str | None:
    """Return the grid that holds a block, or the block that it is a piece of; None for none."""
    held = in_terms_of(block, state.grid_of)
    return None if held is None else state.grid_of[held]


def is_known(state: State, block: str) -> bool:
    """Say whether a state has a block or one that it is a piece of."""
    return in_terms_of(block, state.grid_of) is not None


def refined(grid_of: Mapping[str, str | None], blocks: Iterable[str]) -> dict[str, str | None]:
    """Return the grid of each of some finer blocks; None where its whole is in none or unknown."""
    found = {block: in_terms_of(block, grid_of) for block in blocks}
    return {block: None if whole is None else grid_of[whole] for block, whole in found.items()}
