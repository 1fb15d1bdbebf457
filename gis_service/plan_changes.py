"""What a plan changes on the ground: blocks, what stands and lives in them, and who holds them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd
from geopandas import GeoSeries

from gis_service.planning import Desk
from grid_boundaries.crs import in_metres
from grid_boundaries.numbers import SUMS
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State, state_of
from grid_boundaries.plans import diff
from grid_boundaries.refinement import finest, wholes_of
from layers.handover.lists import (
    Group,
    Handover,
    Holders,
    Item,
    Post,
    changing_hands,
    groups_of,
    handovers,
    held_by,
    holders,
)
from layers.handover.read import Moved, households_in, items_in, posts_before
from layers.plan_ground import shapes_of, sums_in


@dataclass(frozen=True)
class Changes:
    """What changes hands between two states.

    Parameters
    ----------
    groups
        Of households, all that change grids; with their true counts, which are told nowhere.
    """

    before: State
    after: State
    moved: Moved
    groups: Sequence[tuple[Group, int, int]]
    posts: Sequence[Post]

    @property
    def held(self) -> Holders:
        """The workers of each grid."""
        return holders(self.posts)


def moved_between(desk: Desk, row: Record, before: State, after: State) -> Moved:
    """Return the blocks that change grids between two states, with counts and shapes."""
    nothing = pd.DataFrame(index=pd.Index(finest((before, after)), dtype=object))
    names = [str(name) for name in diff(before, after, nothing).index]
    finer = common_ground(before, after)
    _, sums = sums_in(desk.connection, desk.counting(row.basis), finer, names, desk.srid)
    return Moved(diff(before, after, sums), shapes_with_siblings(desk, finer, names))


def common_ground(before: State, after: State) -> State:
    """Return the ground of both states, cut as far as either has cut it."""
    shapes = {**before.shapes, **after.shapes}
    return state_of(dict.fromkeys(finest((before, after))), (), shapes)


def shapes_with_siblings(desk: Desk, finer: State, names: Collection[str]) -> GeoSeries:
    """Return the metric shapes of blocks, and of all that were cut from the same ones."""
    wholes = {min(wholes_of(name), key=len) for name in names}
    stored = shapes_of(desk.connection, desk.view, finer, {*names, *wholes})
    return in_metres(stored, desk.srid)


def changes_between(desk: Desk, row: Record, before: State, after: State) -> Changes:
    """Return all that changes hands between two states."""
    moved = moved_between(desk, row, before, after)
    homes = households_in(desk.connection, desk.view, moved, row.basis)
    day: date | None = row.publish_on if row.published_at is not None else None
    posts = posts_before(desk.connection, desk.view, day)
    return Changes(before, after, moved, groups_of(homes, moved.table), posts)


def handover_of(desk: Desk, row: Record) -> list[Handover]:
    """Return what each worker gives and receives when a plan comes in force."""
    found = changes_between(desk, row, desk.base(row), desk.state(row))
    items = items_in(desk.connection, desk.view, found.moved)
    return handovers([_local(item, desk.now) for item in items], found.groups, found.posts)


def _local(item: Item, now: datetime) -> Item:
    """Return a thing with its times in the county's zone, the one of `now`."""
    facts = {
        name: value.astimezone(now.tzinfo) if isinstance(value, datetime) else value
        for name, value in item.facts.items()
    }
    return replace(item, facts=facts)


def difference(desk: Desk, row: Record, other: State, against: str) -> dict[str, Any]:
    """Return what changes hands between another state and a plan, as it is answered."""
    found = changes_between(desk, row, other, desk.state(row))
    table, held = found.moved.table, found.held
    return {
        "plan": row.id,
        "against": against,
        "basis": row.basis,
        "totals": {"blocks": len(table), **table[list(SUMS)].sum().astype(int).to_dict()},
        "blocks": [{"block": name, **line} for name, line in table.to_dict("index").items()],
        "groups": [
            {
                **asdict(group),
                "from_workers": named_workers(held, group.from_grid),
                "to_workers": named_workers(held, group.to_grid),
            }
            for group, _, _ in changing_hands(found.groups, held)
        ],
        "workers": _workers(table, held),
    }


def named_workers(held: Holders, grid: str | None) -> list[str]:
    """Return the ids of a grid's workers; none where it has none."""
    return sorted(worker for worker in held_by(held, grid) if worker is not None)


def _workers(table: pd.DataFrame, held: Holders) -> list[dict[str, Any]]:
    """Return what is counted in the blocks that each worker gives and receives."""
    gone: dict[str, dict[str, list[Any]]] = {}
    for block, old, new in zip(table.index, table["from_grid"], table["to_grid"], strict=True):
        before, after = held_by(held, old), held_by(held, new)
        for way, workers in (("gives", before - after), ("receives", after - before)):
            for worker in workers - {None}:
                gone.setdefault(str(worker), {"gives": [], "receives": []})[way].append(block)
    return [
        {"worker": worker, **{way: _sums(table, blocks) for way, blocks in ways.items()}}
        for worker, ways in sorted(gone.items())
    ]


def _sums(table: pd.DataFrame, blocks: list[Any]) -> dict[str, int]:
    sums = table.loc[blocks, list(SUMS)].sum().astype(int).to_dict()
    return {"blocks": len(blocks), **{str(name): int(count) for name, count in sums.items()}}
