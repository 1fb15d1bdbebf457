"""What putting a plan in force means: which codes are kept, what is opened, closed and retired."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from grid_boundaries.codes import CodeProfile, next_grid_codes
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.refinement import finest, grid_at, in_terms_of

Lineage = tuple[str, str, str, str]  # kind, predecessor, successor, how


@dataclass(frozen=True)
class Facts:
    """What is to be known of the ground of a publication.

    Parameters
    ----------
    people, area_m2
        By block id, for the common refinement of before and after.
    points
        One point (x, y in metres) inside each grid that holds a block afterwards, by the
        plan's code.
    given
        Every grid code that was ever given.
    """

    people: Mapping[str, float]
    area_m2: Mapping[str, float]
    points: Mapping[str, tuple[float, float]]
    given: Collection[str]
    profile: CodeProfile


@dataclass(frozen=True)
class Publication:
    """The changes that a publication makes.

    Parameters
    ----------
    codes
        Lasting code by the plan's code, of every grid that holds a block afterwards.
    grid_of
        Lasting code by block id of every block whose grid or code changes; None for no grid.
        Pieces of blocks that are cut are all in it.
    opened
        Grids, under their lasting codes, of which a version begins.
    closed
        Codes of which a version ends; those that `opened` does not have are retired for ever.
    cut
        Blocks that end, and their pieces.
    """

    codes: Mapping[str, str]
    grid_of: Mapping[str, str | None]
    opened: tuple[Grid, ...]
    closed: tuple[str, ...]
    cut: Mapping[str, tuple[str, ...]]
    lineage: tuple[Lineage, ...]

    @property
    def retired(self) -> tuple[str, ...]:
        """Codes that no grid has any more and none will get again."""
        kept = {grid.code for grid in self.opened}
        return tuple(code for code in self.closed if code not in kept)


def publication(before: State, after: State, facts: Facts) -> Publication:
    """Return what changes when a state comes in force in place of another.

    A grid keeps its code where at least half of its residents stay in it; half of its ground,
    where it has none. Otherwise its code is retired, and what the plan made of it gets a new
    one, as grids do that the plan made.

    Parameters
    ----------
    before
        In force; has no cuts of its own.

    Raises
    ------
    Refused
        A village has no grid code left, or is none of the profile's.
    """
    return _publication(before, after, _codes(before, after, facts))


def restoration(before: State, after: State) -> Publication:
    """Return what changes when grids that were in force once come back under their own codes."""
    held = [code for code in after.grids if after.blocks_of(code)]
    return _publication(before, after, dict(zip(held, held, strict=True)))


def _publication(before: State, after: State, codes: Mapping[str, str]) -> Publication:
    changed = {code for code in before.grids if _differs(before, after, codes, code)}
    opened = tuple(
        replace(after.grids[old], code=code)
        for old, code in sorted(codes.items())
        if old in changed or old not in before.grids
    )
    return Publication(
        codes, _new_holders(before, after, codes), opened, tuple(sorted(changed)),
        _cut(before, after),
        (*_grid_lineage(before, after, codes), *_block_lineage(before, after)),
    )  # fmt: skip


def _new_holders(before: State, after: State, codes: Mapping[str, str]) -> dict[str, str | None]:
    """Return the lasting code of every block that gets another one."""
    named = {block: codes.get(code or "") for block, code in after.grid_of.items()}
    held = before.grid_of
    return {b: code for b, code in named.items() if b not in held or held[b] != code}


def _cut(before: State, after: State) -> dict[str, tuple[str, ...]]:
    """Return the blocks that are no more, with their pieces."""
    gone = before.grid_of.keys() - after.grid_of.keys()
    pieces: dict[str, list[str]] = {block: [] for block in gone}
    for block in sorted(after.grid_of.keys() - before.grid_of.keys()):
        whole = in_terms_of(block, gone)
        if whole is not None:
            pieces[whole].append(block)
    return {block: tuple(own) for block, own in pieces.items()}


def _codes(before: State, after: State, facts: Facts) -> dict[str, str]:
    kept = _kept(before, after, facts)
    held = [code for code in sorted(after.grids) if after.blocks_of(code)]
    codes = {code: code for code in held if code in kept}
    new: dict[str, list[str]] = {}
    for code in held:
        if code not in kept:
            new.setdefault(after.grids[code].village_code, []).append(code)
    for village, own in sorted(new.items()):
        points = np.array([facts.points[code] for code in own])
        given = next_grid_codes(village, points, facts.profile, given=facts.given)
        codes.update(zip(own, map(str, given), strict=True))
    return codes


def _kept(before: State, after: State, facts: Facts) -> set[str]:
    """Return the codes of which at least half stays."""
    stays: dict[str, npt.NDArray[np.float64]] = {}
    for block in finest((before, after)):
        code = grid_at(before, block)
        if code is not None:
            own = np.array([facts.people[block], facts.area_m2[block]])
            both = np.stack([own, own * (grid_at(after, block) == code)])
            stays[code] = stays.get(code, np.zeros((2, 2))) + both
    kept = set()
    for code in before.grids:
        (people, area_m2), (staying, staying_m2) = stays.get(code, np.zeros((2, 2))).tolist()
        stays_whole = 2 * staying >= people if people > 0 else 2 * staying_m2 >= area_m2
        if code in after.grids and stays_whole:
            kept.add(code)
    return kept


def _differs(before: State, after: State, codes: Mapping[str, str], code: str) -> bool:
    if codes.get(code) != code or before.grids[code] != after.grids[code]:
        return True
    return before.blocks_of(code) != after.blocks_of(code)


def _grid_lineage(before: State, after: State, codes: Mapping[str, str]) -> list[Lineage]:
    ways: dict[tuple[str, str], str] = {}
    for block in finest((before, after)):
        old, plan_code = grid_at(before, block), grid_at(after, block)
        new = codes.get(plan_code or "")
        if old is None or new is None or old == new:
            continue
        if plan_code not in before.grids or plan_code == old:
            ways[old, new] = "split"
        else:
            ways[old, new] = "moved" if codes.get(old) == old else "merged"
    return [("grid", old, new, how) for (old, new), how in sorted(ways.items())]


def _block_lineage(before: State, after: State) -> list[Lineage]:
    pieces = sorted(block for block in after.grid_of if block not in before.grid_of)
    # pieces of pieces come from the block that was in force
    return [("block", str(in_terms_of(p, before.grid_of)), p, "split") for p in pieces]
