"""Strokes that mend a fault of a plan, found from who borders whom and who lives where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from grid_boundaries.plan_state import Grid, State
from grid_boundaries.rules import SizeRule
from grid_boundaries.strokes import Create, Merge, Move, Stroke


@dataclass(frozen=True)
class Ground:
    """What is known of the blocks under a plan.

    Parameters
    ----------
    people, households
        By block id.
    village_of
        Village code by block id.
    touching
        Columns a, b (block ids) and shared_m, one row for two blocks, as `blocks.neighbours`
        gives them.
    borders
        The same by block: neighbour and shared_m; made by `ground_of`.
    manned
        Codes of the grids with a worker or a chief; None where nobody knows.
    """

    people: Mapping[str, int]
    households: Mapping[str, int]
    village_of: Mapping[str, str]
    touching: pd.DataFrame
    borders: Mapping[str, list[tuple[str, float]]]
    manned: Collection[str] | None = None

    def concerned(self, blocks: Iterable[str]) -> tuple[int, int]:
        """Return how many people and households live in some blocks."""
        own = list(blocks)
        return sum(self.people[block] for block in own), sum(self.households[b] for b in own)

    def blocks_in(self, village: str) -> list[str]:
        """Return the blocks of a village."""
        return [block for block, code in self.village_of.items() if code == village]

    def bordering(
        self, state: State, blocks: Collection[str], village: str | None = None
    ) -> dict[str, float]:
        """Return how many metres of border some blocks share with each grid.

        Only with grids of `village`, if one is given.
        """
        own, shared_m = set(blocks), dict[str, float]()
        for block in own:
            for other, length_m in self.borders.get(block, ()):
                code = None if other in own else state.grid_of.get(other)
                if code is not None and village in (None, state.grids[code].village_code):
                    shared_m[code] = shared_m.get(code, 0.0) + length_m
        return shared_m

    def loose_parts(self, state: State) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield grid code and blocks of every part but the grid's main one.

        The main part is that with the most people, then the most blocks, then the least id.
        """
        blocks = [block for block, code in state.grid_of.items() if code is not None]
        codes = pd.factorize(np.array([state.grid_of[b] for b in blocks], dtype=object))[0]
        parts: dict[int, list[str]] = {}
        for block, part in zip(blocks, self._parts(blocks, codes), strict=True):
            parts.setdefault(int(part), []).append(block)
        by_grid: dict[str, list[list[str]]] = {}
        for members in parts.values():
            by_grid.setdefault(str(state.grid_of[members[0]]), []).append(sorted(members))
        for code, own in sorted(by_grid.items()):
            own.sort(key=lambda part: (-self.concerned(part)[0], -len(part), part[0]))
            for part_blocks in own[1:]:
                yield code, tuple(part_blocks)

    def _parts(self, blocks: list[str], codes: Any) -> Any:
        index = pd.Index(blocks, dtype=object)
        first = index.get_indexer(pd.Index(self.touching["a"]))
        second = index.get_indexer(pd.Index(self.touching["b"]))
        same = (first >= 0) & (second >= 0)
        same[same] = codes[first[same]] == codes[second[same]]
        links = csr_array((np.ones(int(same.sum())), (first[same], second[same])),
                          shape=(len(blocks), len(blocks)))  # fmt: skip
        return connected_components(links, directed=False)[1]


def ground_of(
    sums: pd.DataFrame,
    village_of: Mapping[str, str],
    touching: pd.DataFrame,
    manned: Collection[str] | None = None,
) -> Ground:
    """Return what is known of blocks from tables.

    Parameters
    ----------
    sums
        Columns ``people`` and ``households`` by block id; missing counts are none.
    touching
        Columns a, b and shared_m.
    """
    borders: dict[str, list[tuple[str, float]]] = {}
    for a, b, shared_m in touching[["a", "b", "shared_m"]].itertuples(index=False):
        borders.setdefault(a, []).append((b, shared_m))
        borders.setdefault(b, []).append((a, shared_m))
    counts = sums[["people", "households"]].fillna(0).astype(int)
    people, households = (_whole_numbers(counts[name]) for name in ("people", "households"))
    return Ground(people, households, dict(village_of), touching, borders, manned)


def _whole_numbers(counts: pd.Series[int]) -> dict[str, int]:
    return dict(zip(counts.index, counts.tolist(), strict=True))


def to_neighbour(state: State, ground: Ground, blocks: tuple[str, ...]) -> Stroke | None:
    """Return the move of blocks to the neighbour with the longest common border.

    Grids of the blocks' own village come first; None where no grid borders them.
    """
    village = ground.village_of[blocks[0]]
    own = {state.grid_of[block] for block in blocks}
    for within in (village, None):
        shared_m = ground.bordering(state, blocks, within)
        there = {code: length_m for code, length_m in shared_m.items() if code not in own}
        if there:
            return Move(blocks, _longest(there))
    return None


def home_to_village(
    state: State, ground: Ground, blocks: tuple[str, ...], village: str
) -> Stroke | None:
    """Return the move of blocks to a grid of their own village; None where it has none."""
    shared_m = ground.bordering(state, blocks, village)
    if shared_m:
        return Move(blocks, _longest(shared_m))
    held = [code for code, grid in state.grids.items() if grid.village_code == village]
    return Move(blocks, min(held)) if held else None


def grid_for_village(state: State, village: str, blocks: tuple[str, ...]) -> Stroke | None:
    """Return the making of a grid of all blocks of a village; None where it has no block."""
    if not blocks:
        return None
    code = f"{village}~"
    while code in state.grids:
        code += "~"
    return Create(Grid(code, "新网格", village), blocks)


def merge_small(state: State, ground: Ground, code: str, rule: SizeRule) -> Stroke | None:
    """Return the merge of a small grid into the neighbour that it brings nearest to the band.

    Only a neighbour of the same village and setting that is not over the band afterwards.
    """
    grid = state.grids[code]
    sizes = {
        other: _size(state, ground, code, rule) + _size(state, ground, other, rule)
        for other in ground.bordering(state, state.blocks_of(code), grid.village_code)
        if other != code and _like(state.grids[other], grid)
    }
    fitting = {other: size for other, size in sizes.items() if size <= rule.at_most}
    return Merge((code,), max(fitting, key=lambda o: (fitting[o], o))) if fitting else None


def relieve(state: State, ground: Ground, code: str, rule: SizeRule) -> Stroke | None:
    """Return the move of one border block that relieves a grid most.

    The block goes to a neighbour of the same village and setting that is not over the band
    afterwards; the grid itself must not fall under it, nor in two.
    """
    size = _size(state, ground, code, rule)
    found = [
        (-own, block, other)
        for block in sorted(state.blocks_of(code))
        if 0 < (own := _count(ground, [block], rule)) <= size - rule.at_least
        for other in _kin(state, ground, code, block)
        if _size(state, ground, other, rule) + own <= rule.at_most
    ]
    return next(
        (
            Move((block,), to)
            for _, block, to in sorted(found)
            if _keeps_whole(state, ground, block)
        ),
        None,
    )


def _kin(state: State, ground: Ground, code: str, block: str) -> list[str]:
    """Return the grids of the same village and kind that a block of a grid borders."""
    grid = state.grids[code]
    near = ground.bordering(state, [block], grid.village_code)
    return [other for other in near if other != code and _like(state.grids[other], grid)]


def _keeps_whole(state: State, ground: Ground, block: str) -> bool:
    left = state.blocks_of(state.grid_of[block]) - {block}
    reached, open_blocks = set[str](), list(sorted(left)[:1])
    while open_blocks:
        at = open_blocks.pop()
        reached.add(at)
        near = (other for other, _ in ground.borders.get(at, ()))
        open_blocks += [other for other in near if other in left and other not in reached]
    return len(reached) == len(left)


def _size(state: State, ground: Ground, code: str, rule: SizeRule) -> int:
    return _count(ground, state.blocks_of(code), rule)


def _count(ground: Ground, blocks: Iterable[str], rule: SizeRule) -> int:
    people, households = ground.concerned(blocks)
    return people if rule.measure == "people" else households


def _like(grid: Grid, other: Grid) -> bool:
    return (grid.setting, grid.kind) == (other.setting, other.kind)


def _longest(shared_m: Mapping[str, float]) -> str:
    return min(shared_m, key=lambda code: (-shared_m[code], code))
