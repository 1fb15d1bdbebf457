"""Strokes that mend a fault of a plan, found from who borders whom and who lives where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from grid_boundaries.ground import Ground as Ground  # public names of this module
from grid_boundaries.ground import ground_of as ground_of
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.rules import SizeRule
from grid_boundaries.strokes import Create, Merge, Move, Stroke, wire_of


@dataclass(frozen=True)
class Transfer:
    """An area that a grid should take, blocks cut along its outline; WKB, stored degrees."""

    area: bytes
    to: str


Remedy = Stroke | Transfer


def asked_of(remedy: Remedy) -> dict[str, Any]:
    """Return a remedy as a planner asks for the stroke, plain JSON values."""
    if isinstance(remedy, Transfer):
        area = shapely.geometry.mapping(shapely.from_wkb(remedy.area))
        return {"kind": "transfer", "area": area, "to": remedy.to}
    if isinstance(remedy, Create):
        grid = remedy.grid
        return {
            "kind": "create", "name": grid.name, "blocks": list(remedy.blocks),
            "village_code": grid.village_code, "grid_kind": grid.kind,
            "special_use": grid.special_use, "setting": grid.setting,
        }  # fmt: skip
    return wire_of(remedy)


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
            return Move(blocks, longest(there))
    return None


def home_to_village(
    state: State, ground: Ground, blocks: tuple[str, ...], village: str
) -> Stroke | None:
    """Return the move of blocks to a grid of their own village; None where it has none."""
    shared_m = ground.bordering(state, blocks, village)
    if shared_m:
        return Move(blocks, longest(shared_m))
    held = [code for code, grid in state.grids.items() if grid.village_code == village]
    return Move(blocks, min(held)) if held else None


def grid_for_village(state: State, village: str, blocks: tuple[str, ...]) -> Stroke | None:
    """Return the making of a grid of all blocks of a village; None where it has no block."""
    if not blocks:
        return None
    return Create(Grid(_new_code(state, village), "新网格", village), blocks)


def grid_of_its_own(state: State, blocks: tuple[str, ...], name: str, use: str | None) -> Stroke:
    """Return the making of a special grid of some blocks, set as the grid that holds them."""
    held = next((state.grids[c] for b in blocks if (c := state.grid_of[b]) is not None), None)
    village = "" if held is None else held.village_code
    setting = "village" if held is None else held.setting
    return Create(Grid(_new_code(state, village), name, village, "special", use, setting), blocks)


def to_one_side(
    state: State, ground: Ground, code: str, severed: Collection[tuple[str, str]]
) -> Stroke | None:
    """Return the move of a grid's smallest part beyond a street to a neighbour, or a grid of it.

    Parameters
    ----------
    severed
        Pairs of blocks with the street between them.
    """
    parts = _parts_without(ground, state.blocks_of(code), set(severed))
    if len(parts) < 2:
        return None  # it runs through a block, which only a cut can mend
    smallest = tuple(sorted(min(parts, key=lambda part: (ground.concerned(part)[0], sorted(part)))))
    shared_m = ground.bordering(state, smallest, state.grids[code].village_code)
    beside = {other: length_m for other, length_m in shared_m.items()
              if other != code and _like(state.grids[other], state.grids[code])}  # fmt: skip
    if beside:
        return Move(smallest, longest(beside))
    grid = state.grids[code]
    new = Grid(_new_code(state, grid.village_code), "新网格", grid.village_code,
               setting=grid.setting)  # fmt: skip
    return Create(new, smallest)


def _parts_without(
    ground: Ground, blocks: frozenset[str], severed: set[tuple[str, str]]
) -> list[set[str]]:
    """Return the parts of some blocks that hang together but over severed borders."""
    left, parts = set(blocks), list[set[str]]()
    while left:
        part, open_blocks = set[str](), [min(left)]
        while open_blocks:
            at = open_blocks.pop()
            part.add(at)
            left.discard(at)
            open_blocks += [
                other for other, _ in ground.borders.get(at, ())
                if other in left and (min(at, other), max(at, other)) not in severed
            ]  # fmt: skip
        parts.append(part)
    return parts


def _new_code(state: State, village: str) -> str:
    code = f"{village}~"
    while code in state.grids:
        code += "~"
    return code


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


def longest(shared_m: Mapping[str, float]) -> str:
    """Return the grid with the longest common border; of equal ones the least code."""
    return min(shared_m, key=lambda code: (-shared_m[code], code))
