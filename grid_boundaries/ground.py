"""What is known of the blocks under a plan: who lives there, who borders whom, what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from grid_boundaries.landmarks import Landmarks
from grid_boundaries.plan_state import State


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
    chiefs
        Codes of the grids with a chief; None where nobody knows.
    edge_m
        Metres of each block's border that it shares with no other block.
    landmarks
        What borders should follow or leave whole.
    """

    people: Mapping[str, int]
    households: Mapping[str, int]
    village_of: Mapping[str, str]
    touching: pd.DataFrame
    borders: Mapping[str, list[tuple[str, float]]]
    manned: Collection[str] | None = None
    chiefs: Collection[str] | None = None
    edge_m: Mapping[str, float] = field(default_factory=dict)
    landmarks: Landmarks = field(default_factory=Landmarks)

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
        """Yield grid code and blocks of every part but those that the grid rightly has.

        Those are its main part and as many more as were declared: the parts with the most
        people, then the most blocks, then the least id.
        """
        for code, parts in self.parts(state).items():
            for part in parts[state.grids[code].expected_parts :]:
                yield code, part

    def parts(self, state: State) -> dict[str, list[tuple[str, ...]]]:
        """Return the parts of each grid that holds a block, by code, the main part first."""
        blocks = [block for block, code in state.grid_of.items() if code is not None]
        codes = pd.factorize(np.array([state.grid_of[b] for b in blocks], dtype=object))[0]
        parts: dict[int, list[str]] = {}
        for block, part in zip(blocks, self._parts(blocks, codes), strict=True):
            parts.setdefault(int(part), []).append(block)
        by_grid: dict[str, list[tuple[str, ...]]] = {}
        for members in parts.values():
            code = str(state.grid_of[members[0]])
            by_grid.setdefault(code, []).append(tuple(sorted(members)))
        for own in by_grid.values():
            own.sort(key=lambda part: (-self.concerned(part)[0], -len(part), part[0]))
        return dict(sorted(by_grid.items()))

    def across(self, state: State) -> pd.DataFrame:
        """Return who borders whom by grid: columns a, b (codes, None for no grid) and shared_m."""
        grid_of = pd.Series(dict(state.grid_of), dtype=object)
        table = self.touching[["a", "b", "shared_m"]]
        held = table[table["a"].isin(grid_of.index) & table["b"].isin(grid_of.index)]
        sides = {side: grid_of.loc[held[side]].to_numpy() for side in ("a", "b")}
        return pd.DataFrame({**sides, "shared_m": held["shared_m"].to_numpy()})

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
    **more: Any,
) -> Ground:
    """Return what is known of blocks from tables.

    Parameters
    ----------
    sums
        Columns ``people`` and ``households`` by block id; missing counts are none.
    touching
        Columns a, b and shared_m.
    more
        ``chiefs``, ``edge_m`` and ``landmarks`` as `Ground` has them.
    """
    borders: dict[str, list[tuple[str, float]]] = {}
    for a, b, shared_m in touching[["a", "b", "shared_m"]].itertuples(index=False):
        borders.setdefault(a, []).append((b, shared_m))
        borders.setdefault(b, []).append((a, shared_m))
    counts = sums[["people", "households"]].fillna(0).astype(int)
    people, households = (_whole_numbers(counts[name]) for name in ("people", "households"))
    return Ground(people, households, dict(village_of), touching, borders, manned, **more)


def _whole_numbers(counts: pd.Series[int]) -> dict[str, int]:
    return dict(zip(counts.index, counts.tolist(), strict=True))
