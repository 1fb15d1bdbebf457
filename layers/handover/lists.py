"""Hand-over lists: what each worker gives and receives when blocks change grids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pandas as pd

from layers.handover.small_counts import SMALLEST, told, without_small

KINDS = ("building", "key_place", "camera", "incident")
# grid before and after, kind, id and name of a group, households, people
_Line = tuple[str, str, str, str, str | None, int, int]
Holders = Mapping[str | None, frozenset[str | None]]
NOBODY: frozenset[str | None] = frozenset({None})  # holds a grid without a worker, and no grid


@dataclass(frozen=True)
class Post:
    """A worker's or chief's post in a grid; what the plan calls the grid before and after."""

    worker: str
    role: str
    grid: str


@dataclass(frozen=True)
class Item:
    """A thing that changes hands.

    Parameters
    ----------
    kind
        One of `KINDS`.
    facts
        What the list says of it beside its id; never of a person.
    """

    kind: str
    id: str
    block: str
    from_grid: str | None
    to_grid: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """A villagers' group, or a building where there is none, whose households change hands.

    Parameters
    ----------
    kind
        "group", "building", or "other" for homes of neither.
    households, people
        None where they are too few to be told, or would give away those of another group.
    """

    kind: str
    id: str
    name: str | None
    from_grid: str | None
    to_grid: str | None
    households: int | None
    people: int | None


@dataclass(frozen=True)
class Side:
    """What goes one way."""

    items: tuple[Item, ...]
    groups: tuple[Group, ...]
    households: int | None
    people: int | None

    def of_kind(self, kind: str) -> list[Item]:
        """Return the things of a kind."""
        return [item for item in self.items if item.kind == kind]


@dataclass(frozen=True)
class Handover:
    """What one worker gives and receives; of a worker None, what nobody held or nobody will."""

    worker: str | None
    posts: tuple[Post, ...]
    gives: Side
    receives: Side


def holders(posts: Iterable[Post]) -> dict[str | None, frozenset[str | None]]:
    """Return the workers of each grid that has one."""
    found: dict[str | None, set[str | None]] = {}
    for post in posts:
        found.setdefault(post.grid, set()).add(post.worker)
    return {grid: frozenset(workers) for grid, workers in found.items()}


def held_by(held: Holders, grid: str | None) -> frozenset[str | None]:
    """Return the workers of a grid; None stands for nobody."""
    return held.get(grid, NOBODY)


def hands_of(moved: pd.DataFrame, way: str) -> dict[str, str | None]:
    """Return the old or new grid (`way` is "from_grid" or "to_grid") of each moved block."""
    grids = moved[way].tolist()
    return {
        str(block): grid if isinstance(grid, str) else None
        for block, grid in zip(moved.index, grids, strict=True)
    }


def groups_of(households: pd.DataFrame, moved: pd.DataFrame) -> list[tuple[Group, int, int]]:
    """Return the groups of households in blocks that change grids, with their true counts.

    Parameters
    ----------
    households
        Columns ``block``, ``kind``, ``group``, ``name`` and ``people``; one row a household.
    moved
        By block: ``from_grid`` and ``to_grid``, as `grid_boundaries.plans.diff` gives them.

    Returns
    -------
    list
        Of group, households and people, by grids and group, with small counts hidden within
        each pair of grids. A group that goes two ways is there twice.
    """
    own = households[households["block"].isin(moved.index)]
    if own.empty:
        return []
    old, new = (hands_of(moved, way) for way in ("from_grid", "to_grid"))
    table = own.assign(old=own["block"].map(old).fillna(""), new=own["block"].map(new).fillna(""))
    counted = table.groupby(["old", "new", "kind", "group"], sort=True).agg(
        name=("name", "first"), households=("people", "size"), people=("people", "sum")
    )
    # sorted, so that the lines of a pair of grids stand together
    return [
        one
        for _, pair in groupby(_lines(counted), key=lambda line: line[:2])
        for one in _hidden(list(pair))
    ]


def _lines(counted: pd.DataFrame) -> Iterator[_Line]:
    rows = counted.reset_index().itertuples(index=False, name=None)
    for old, new, kind, group, name, homes, people in rows:
        told_name = name if isinstance(name, str) else None
        yield (old, new, kind, group, told_name, int(homes), int(people))


def _hidden(lines: Sequence[_Line]) -> list[tuple[Group, int, int]]:
    homes = without_small([line[5] for line in lines])
    people = without_small([line[6] for line in lines])
    return [
        (Group(kind, group, name, _none(old), _none(new), h, p), true_homes, true_people)
        for (old, new, kind, group, name, true_homes, true_people), h, p in zip(
            lines, homes, people, strict=True
        )
    ]


def _none(grid: str | None) -> str | None:
    return grid or None


def changing_hands(
    groups: Iterable[tuple[Group, int, int]], held: Holders
) -> list[tuple[Group, int, int]]:
    """Return the groups whose workers are others afterwards."""
    return [
        one for one in groups if held_by(held, one[0].from_grid) != held_by(held, one[0].to_grid)
    ]


def summed_buildings(groups: Iterable[tuple[Group, int, int]]) -> list[tuple[Group, int]]:
    """Return groups with the buildings of each two grids as one, and how many they are, else 0.

    A meeting is told of villagers' groups one by one, and of buildings how many.
    """
    pairs: dict[tuple[str | None, str | None], list[tuple[Group, int, int]]] = {}
    for one in groups:
        pairs.setdefault((one[0].from_grid, one[0].to_grid), []).append(one)
    return [line for pair, own in pairs.items() for line in _summed(pair, own)]


def _summed(
    pair: tuple[str | None, str | None], own: Sequence[tuple[Group, int, int]]
) -> list[tuple[Group, int]]:
    houses = [one for one in own if one[0].kind == "building"]
    lines: list[tuple[Any, ...]] = [
        (*pair, group.kind, group.id, group.name, homes, people)
        for group, homes, people in own
        if group.kind != "building"
    ]
    if houses:
        lines.append((*pair, "building", "", None, *_sums(houses)))
    # hidden anew: what was hidden among single buildings may be told of all of them
    return [
        (group, len(houses) if group.kind == "building" else 0) for group, _, _ in _hidden(lines)
    ]


def _sums(groups: Sequence[tuple[Group, int, int]]) -> tuple[int, int]:
    """Return households and people of some groups together."""
    return sum(homes for _, homes, _ in groups), sum(people for _, _, people in groups)


def handovers(
    items: Sequence[Item], groups: Sequence[tuple[Group, int, int]], posts: Sequence[Post]
) -> list[Handover]:
    """Return the list of each worker who gives or receives anything, by worker; nobody's last.

    Who has a post in the old grid as well as in the new one keeps the thing and is not told.
    """
    held = holders(posts)
    pairs = {(one.from_grid, one.to_grid) for one in items}
    pairs |= {(one[0].from_grid, one[0].to_grid) for one in groups}
    concerned = {w for old, new in pairs for w in held_by(held, old) ^ held_by(held, new)}
    return [
        Handover(
            worker,
            tuple(post for post in posts if post.worker == worker),
            _side(worker, items, groups, held, gives=True),
            _side(worker, items, groups, held, gives=False),
        )
        for worker in sorted(concerned, key=lambda one: (one is None, one or ""))
    ]


def _side(
    worker: str | None,
    items: Sequence[Item],
    groups: Sequence[tuple[Group, int, int]],
    held: Holders,
    *,
    gives: bool,
) -> Side:
    def is_own(one: Item | Group) -> bool:
        old, new = held_by(held, one.from_grid), held_by(held, one.to_grid)
        lost, got = (old, new) if gives else (new, old)
        return worker in lost - got

    own = [one for one in groups if is_own(one[0])]
    homes, people = _sums(own)
    return Side(
        tuple(item for item in items if is_own(item)),
        tuple(group for group, _, _ in own),
        told(homes, SMALLEST),
        told(people, SMALLEST),
    )
