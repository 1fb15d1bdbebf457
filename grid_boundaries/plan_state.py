"""What a plan says at one moment: which grid holds each block, and which grids there are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from grid_boundaries.errors import NotFound

Members = Mapping[str | None, frozenset[str]]
NOTHING: frozenset[str] = frozenset()
NO_BYTES: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Grid:
    """A grid as a plan knows it; its ground is the blocks that the state gives it.

    Parameters
    ----------
    code
        In force, or any text not yet in use for a grid that the plan makes; it gets its
        lasting code when the plan is published.
    kind
        "residential" or "special".
    setting
        "city", "market_town" or "village": which size rule applies.
    expected_parts
        Parts of which it rightly consists; over 1 where a planner has declared an enclave or
        island.
    """

    code: str
    name: str
    village_code: str
    kind: str = "residential"
    special_use: str | None = None
    setting: str = "village"
    alias: str | None = None
    expected_parts: int = 1

    @property
    def plain(self) -> dict[str, Any]:
        """The grid as plain JSON values; one part, the rule, is not said."""
        facts = dict(vars(self))  # all plain values: asdict would copy each of them
        if self.expected_parts == 1:  # so that hashes of plans from before the word stay
            del facts["expected_parts"]
        return facts


@dataclass(frozen=True)
class State:
    """Blocks, their grids, and the shapes that the plan has changed; never altered in place.

    Parameters
    ----------
    grid_of
        Grid code by block id; None for a block in no grid.
    grids
        The grids by code, those that hold no block too.
    shapes
        WKB in stored degrees of blocks that are not shaped as stored: pieces of cut blocks,
        and neighbours that got a vertex.
    cuts
        The line, WKB in stored degrees, along which a block was cut, by the block's id.
    members
        The blocks of each grid, and of none; made from `grid_of` by `state_of`.
    """

    grid_of: Mapping[str, str | None]
    grids: Mapping[str, Grid]
    shapes: Mapping[str, bytes] = field(default_factory=dict)
    cuts: Mapping[str, bytes] = field(default_factory=dict)
    members: Members = field(default_factory=dict, compare=False, repr=False)

    def blocks_of(self, code: str | None) -> frozenset[str]:
        """Return the blocks of a grid; of none for None."""
        return self.members.get(code, frozenset())

    def since(self, before: State) -> dict[str, str | None]:
        """Return the grid of each block that another state has in another grid, or not at all."""
        # a stroke leaves the sets of the grids that it does not touch as they are
        return {
            block: code
            for code, blocks in self.members.items()
            if (were := before.members.get(code, NOTHING)) is not blocks
            for block in blocks - were
        }

    def is_as(self, before: State) -> bool:
        """Say whether a state made from another one says nothing else."""
        return (
            len(self.grid_of) == len(before.grid_of)
            and not self.since(before)
            and self.grids == before.grids
            and self.shapes == before.shapes
        )

    def assignment(self) -> pd.Series[str]:
        """Return the grid code by block id, as `redraw` takes it."""
        index = pd.Index(list(self.grid_of), dtype=object, name="block_id")
        return pd.Series(list(self.grid_of.values()), index=index, dtype=object, name="grid_code")

    def with_blocks(self, blocks: Iterable[str], to: str | None) -> State:
        """Return the state with some blocks given to a grid, or to none.

        Raises
        ------
        NotFound
            A block or the grid is not there.
        """
        chosen = dict.fromkeys(blocks)
        known_grid(self, to)
        grid_of, members = dict(self.grid_of), dict(self.members)
        leaving: dict[str | None, set[str]] = {}
        for block in chosen:
            leaving.setdefault(known_block(self, block), set()).add(block)
            grid_of[block] = to
        for code, gone in leaving.items():
            members[code] = members[code] - gone
        members[to] = members.get(to, frozenset()) | frozenset(chosen)
        return replace(self, grid_of=grid_of, members=members)

    def with_pieces(self, block: str, pieces: Iterable[str]) -> State:
        """Return the state with pieces in place of a block, in the grid that held it."""
        code, names = known_block(self, block), tuple(pieces)
        grid_of, members = dict(self.grid_of), dict(self.members)
        del grid_of[block]
        grid_of.update(dict.fromkeys(names, code))
        members[code] = (members[code] - {block}) | frozenset(names)
        return replace(self, grid_of=grid_of, members=members)

    def digest(self) -> str:
        """Return a hash that is equal for equal states only, in whatever order they came about."""
        whole = {
            "blocks": sorted(self.grid_of.items()),
            "grids": [grid.plain for _, grid in sorted(self.grids.items())],
            "shapes": [(block, wkb.hex()) for block, wkb in sorted(self.shapes.items())],
            "cuts": [(block, wkb.hex()) for block, wkb in sorted(self.cuts.items())],
        }
        return hashlib.sha256(_json(whole)).hexdigest()


def state_of(
    grid_of: Mapping[str, str | None],
    grids: Iterable[Grid],
    shapes: Mapping[str, bytes] = NO_BYTES,
    cuts: Mapping[str, bytes] = NO_BYTES,
) -> State:
    """Return a state from an assignment.

    Parameters
    ----------
    grid_of
        Grid code by block id; None for a block in no grid.

    Raises
    ------
    NotFound
        A block is in a grid that is not among `grids`.
    """
    by_code = {grid.code: grid for grid in grids}
    held: dict[str | None, list[str]] = {}
    for block, code in grid_of.items():
        held.setdefault(code, []).append(block)
    members = {code: frozenset(blocks) for code, blocks in held.items()}
    state = State(dict(grid_of), by_code, dict(shapes), dict(cuts), members)
    for code in members:
        known_grid(state, code)
    return state


def recoded(state: State, codes: Mapping[str, str]) -> State:
    """Return a state with its grids under other codes; those without one stay as they are."""
    grid_of = {
        block: code if code is None else codes.get(code, code)
        for block, code in state.grid_of.items()
    }
    grids = (replace(grid, code=codes.get(code, code)) for code, grid in state.grids.items())
    return state_of(grid_of, grids, state.shapes, state.cuts)


def known_block(state: State, block: str) -> str | None:
    """Return the grid of a block.

    Raises
    ------
    NotFound
        The plan has no such block.
    """
    if block not in state.grid_of:
        raise NotFound(
            "no-such-block",
            f"方案中没有图斑 {block}；什么都没有改动",
            f"The plan has no block {block}; nothing was changed",
            block=block,
        )
    return state.grid_of[block]


def known_grid(state: State, code: str | None) -> None:
    """Refuse a grid that the plan does not have; None, for no grid, is known.

    Raises
    ------
    NotFound
        There is no such grid.
    """
    if code is not None and code not in state.grids:
        raise NotFound(
            "no-such-grid",
            f"方案中没有网格 {code}；什么都没有改动",
            f"The plan has no grid {code}; nothing was changed",
            grid=code,
        )


def state_bytes(state: State) -> bytes:
    """Return a state as JSON in UTF-8, for keeping; `state_from` reads it."""
    return _json(
        {
            "grid_of": state.grid_of,
            "grids": [grid.plain for grid in state.grids.values()],
            "shapes": {block: wkb.hex() for block, wkb in state.shapes.items()},
            "cuts": {block: wkb.hex() for block, wkb in state.cuts.items()},
        }
    )


def state_from(body: bytes) -> State:
    """Return the state that `state_bytes` wrote."""
    kept = json.loads(body)
    return state_of(
        kept["grid_of"],
        [Grid(**grid) for grid in kept["grids"]],
        {block: bytes.fromhex(wkb) for block, wkb in kept["shapes"].items()},
        {block: bytes.fromhex(wkb) for block, wkb in kept["cuts"].items()},
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
