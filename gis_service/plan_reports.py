"""Reports of plans put together: what a page of the report or of the hand-over lists shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from gis_service.plan_changes import Changes, changes_between, handover_of, named_workers
from gis_service.plan_review import Lies, checked
from gis_service.planning import Desk, live
from grid_boundaries.crs import in_metres
from grid_boundaries.numbers import Change, Numbers
from grid_boundaries.plan_records import Record, log_rows
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.rules import BASES, SizeRule, rules_from
from layers.handover.lists import changing_hands, summed_buildings
from layers.plan_ground import shapes_of
from layers.village_ground import backdrops, unit_names
from map_ui.paper.change_report import (
    COUNTS,
    ChangeReport,
    FaultLine,
    GridChange,
    GroupChange,
    Step,
)
from map_ui.paper.handover_page import HandoverPaper
from map_ui.paper.village_maps import GridShape, MovedGround, VillageChange

MOST_MAPS = 40
NEW_MARK = "~"  # in the code of a grid that gets its lasting one when the plan is published


class Names:
    """What grids are called, and the codes they have or will have."""

    def __init__(self, row: Record, before: State, after: State) -> None:
        self.grids: Mapping[str, Grid] = {**before.grids, **after.grids}
        self.codes: Mapping[str, str] = (row.outcome or {}).get("codes", {})

    def name(self, code: str | None) -> str:
        """Return a grid's name; empty for no grid."""
        return "" if code is None else self.grids[code].name

    def lasting(self, code: str) -> str:
        """Return the code that a grid has or got; empty while it is to come."""
        found = self.codes.get(code, code)
        return "" if NEW_MARK in found else found


def change_report(desk: Desk, row: Record, near: Lies) -> ChangeReport:
    """Return the report of a plan against what it started from."""
    before, after = desk.base(row), desk.state(row)
    found = changes_between(desk, row, before, after)
    names = Names(row, before, after)
    codes = touched_grids(before, after)
    villages = sorted({names.grids[code].village_code for code in codes})
    units = unit_names(desk.connection, desk.view, [*villages, *_above(row)])
    return ChangeReport(
        plan=row.id,
        title=row.title,
        unit=_joined(units, _above(row)),
        status=row.status,
        basis=BASES[row.basis],
        base_hash=row.base_hash,
        version=row.version,
        in_force_on=row.publish_on,
        printed_at=desk.now,
        steps=_steps(desk, row),
        totals=_totals(found),
        grids=[
            _grid_change(row, names, change, units)
            for change in live(desk, row, before, after, codes)
        ],
        groups=_groups(found, names),
        faults=_faults(desk, row, near),
        villages=_villages(desk, found, names, codes, villages[:MOST_MAPS], units),
        without_map=[units.get(code, code) for code in villages[MOST_MAPS:]],
    )


def handover_paper(desk: Desk, row: Record) -> HandoverPaper:
    """Return the hand-over lists of a plan with what is printed round them."""
    names = Names(row, desk.base(row), desk.state(row))
    units = unit_names(desk.connection, desk.view, _above(row))
    return HandoverPaper(
        row.id,
        row.title,
        _joined(units, _above(row)),
        BASES[row.basis],
        desk.now,
        {code: names.name(code) for code in names.grids},
        handover_of(desk, row),
    )


def _above(row: Record) -> list[str]:
    """Return the codes of a plan's unit and of those above it, from the county down."""
    return str(row.unit_path).strip("/").split("/")


def _joined(units: Mapping[str, str], codes: Iterable[str]) -> str:
    return "".join(units.get(code, code) for code in codes)


def _totals(found: Changes) -> dict[str, int]:
    table = found.moved.table
    return {"blocks": len(table), **{name: int(table[name].sum()) for name in COUNTS}}


def handover_wire(paper: HandoverPaper) -> dict[str, Any]:
    """Return hand-over lists as plain JSON values."""
    return {
        "plan": paper.plan,
        "title": paper.title,
        "basis": {"zh": paper.basis[0], "en": paper.basis[1]},
        "grids": dict(paper.names),
        "workers": [asdict(one) for one in paper.lists],
    }


def touched_grids(before: State, after: State) -> set[str]:
    """Return the grids whose blocks, name or kind differ between two states."""
    codes = before.grids.keys() | after.grids.keys()
    return {
        code
        for code in codes
        if before.grids.get(code) != after.grids.get(code)
        or before.blocks_of(code) != after.blocks_of(code)
    }


def _steps(desk: Desk, row: Record) -> list[Step]:
    """Return the steps of a plan, with who took them and when."""
    log = log_rows(desk.connection, desk.view, row)
    drew = sorted({one.actor for one in log})
    last = max((one.at for one in log), default=None)
    publisher = row.changed_by if row.status == "published" else None
    steps: list[tuple[str, str | None, datetime | None]] = [
        ("created", row.created_by, row.created_at),
        ("changed", "、".join(drew) or None, last),
        ("submitted", row.submitted_by, row.submitted_at),
        ("approved", row.approved_by, row.approved_at),
        ("published", publisher, row.published_at),
    ]
    zone = desk.now.tzinfo
    return [Step(what, who, at and at.astimezone(zone)) for what, who, at in steps]


def _grid_change(row: Record, names: Names, change: Change, units: Mapping[str, str]) -> GridChange:
    grid = names.grids[change.grid]
    rule = rules_from(row.rules).get(grid.setting) if grid.kind == "residential" else None
    return GridChange(
        names.lasting(change.grid),
        grid.name,
        units.get(grid.village_code, grid.village_code),
        None if change.before is None else asdict(change.before),
        None if change.after is None else asdict(change.after),
        None if rule is None else rule.says(row.basis),
        (_band(rule, change.before), _band(rule, change.after)),
    )


def _band(rule: SizeRule | None, numbers: Numbers | None) -> str | None:
    if rule is None or numbers is None:
        return None
    return rule.band(getattr(numbers, rule.measure))


def _groups(found: Changes, names: Names) -> list[GroupChange]:
    held = found.held
    return [
        GroupChange(
            group,
            buildings,
            names.name(group.from_grid),
            names.name(group.to_grid),
            named_workers(held, group.from_grid),
            named_workers(held, group.to_grid),
        )
        for group, buildings in summed_buildings(changing_hands(found.groups, held))
    ]


def _faults(desk: Desk, row: Record, near: Lies) -> list[FaultLine]:
    """Return the plan's own faults; those that its base had already only where accepted."""
    return [
        FaultLine((one["zh"], one["en"]), one["severity"], one["accepted_by"], one["inherited"])
        for one in checked(desk, row, near)["faults"]
        if one["accepted_by"] or not one["inherited"]
    ]


def _villages(
    desk: Desk,
    found: Changes,
    names: Names,
    codes: set[str],
    villages: Sequence[str],
    units: Mapping[str, str],
) -> list[VillageChange]:
    before, after = found.before, found.after
    shown = {code for code, grid in names.grids.items() if grid.village_code in villages}
    old, new = (_unions(desk, state, shown & state.grids.keys()) for state in (before, after))
    under = backdrops(desk.connection, desk.view, villages, desk.srid)
    return [
        VillageChange(
            units.get(village, village),
            under[village],
            _shapes(old, names, codes, village),
            _shapes(new, names, codes, village),
            _moved(found, names, village),
        )
        for village in villages
        if village in under
    ]


def _unions(desk: Desk, state: State, codes: Iterable[str]) -> dict[str, BaseGeometry]:
    own = {code: sorted(state.blocks_of(code)) for code in codes}
    blocks = {name for names in own.values() for name in names}
    metric = in_metres(shapes_of(desk.connection, desk.view, state, blocks), desk.srid)
    return {code: union_of(metric, names) for code, names in own.items() if names}


def union_of(shapes: GeoSeries, names: Iterable[str]) -> BaseGeometry:
    """Return the union of some blocks, edge-matched."""
    return shapely.coverage_union_all(np.array([shapes[name] for name in names], dtype=object))


def _shapes(
    found: Mapping[str, BaseGeometry], names: Names, touched: set[str], village: str
) -> list[GridShape]:
    own = (code for code in sorted(found) if names.grids[code].village_code == village)
    return [
        GridShape(names.lasting(code), names.name(code), found[code], code in touched)
        for code in own
    ]


def _moved(found: Changes, names: Names, village: str) -> list[MovedGround]:
    """Return what leaves or enters the grids of a village, by pair of grids."""
    table = found.moved.table
    pairs = _moved_between(table, {code for code, grid in names.grids.items()
                                   if grid.village_code == village})  # fmt: skip
    return [
        MovedGround(
            number,
            names.name(old or None),
            names.name(new or None),
            union_of(found.moved.shapes, blocks),
            len(blocks),
            int(table.loc[blocks, "people"].sum()),
            int(table.loc[blocks, "households"].sum()),
        )
        for number, ((old, new), blocks) in enumerate(sorted(pairs.items()), start=1)
    ]


def _moved_between(table: pd.DataFrame, codes: set[str]) -> dict[tuple[str, str], list[str]]:
    """Return the blocks that leave or enter some grids, by pair of grids; "" is none."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for block, old, new in zip(table.index, table["from_grid"], table["to_grid"], strict=True):
        if not codes.isdisjoint((old, new)):
            pairs.setdefault((old or "", new or ""), []).append(str(block))
    return pairs
