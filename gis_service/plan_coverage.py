"""Coverage of a plan's grids before it is published: what they would see, beside what they do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.plan_changes import common_ground, shapes_with_siblings
from gis_service.plan_reports import touched_grids
from gis_service.planning import Desk
from gis_service.refresh import is_stale, job_named
from grid_boundaries.crs import in_degrees
from grid_boundaries.plan_records import Record
from grid_boundaries.plan_state import State
from grid_boundaries.refinement import finest, grid_at
from layers.coverage.gaps import SUMMED
from layers.coverage.results import JOB
from layers.coverage.times import padded
from layers.coverage.under_plan import (
    PlanGround,
    assumed_in,
    figures_under,
    is_spread,
    plan_ground,
)
from layers.coverage.visibility import visible_areas
from layers.handover.read import Moved
from layers.plan_ground import shapes_within, sums_in
from layers.read import the_county

Facts = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """Two states of a plan and the grids that are compared."""

    before: State
    after: State
    codes: frozenset[str]

    @property
    def blocks(self) -> list[str]:
        """The blocks of those grids, cut as far as either state has cut them."""
        return [
            name
            for name in finest((self.before, self.after))
            if {grid_at(self.before, name), grid_at(self.after, name)} & self.codes
        ]

    def grid_of(self, state: State) -> dict[str, str | None]:
        """Return the grid of each of those blocks in a state."""
        return {name: grid_at(state, name) for name in self.blocks}


def coverage_of(desk: Desk, row: Record, proposed: GeoDataFrame | None = None) -> Facts:
    """Return the coverage figures of the grids that a plan touches, before it and under it.

    Parameters
    ----------
    proposed
        Cameras as for `visible_areas`, in the county's metres, that would hang as well; the grids
        within their range are told, too.

    Returns
    -------
    dict
        ``grids`` with ``before`` and ``after`` (None where there is no such grid), ``totals`` of
        both, what the figures assume, and whether the views they are made of are stale.
    """
    before, after = desk.base(row), desk.state(row)
    codes = touched_grids(before, after) | _in_reach(desk, before, after, proposed)
    compared = Compared(before, after, frozenset(codes))
    assumed, stale = _standing(desk)
    sides = [pd.DataFrame(), pd.DataFrame()]
    if compared.blocks:
        ground = _ground(desk, compared, is_even=is_spread(assumed))
        more = None if proposed is None else _seen(ground, proposed)
        sides = [
            figures_under(ground, compared.grid_of(before), codes),
            figures_under(ground, compared.grid_of(after), codes, more),
        ]
    first, then = (_told(side) for side in sides)
    return {
        "plan": row.id,
        "version": row.version,
        "status": row.status,
        "cameras": 0 if proposed is None else len(proposed),
        "assumed": assumed,
        "stale": stale,
        "grids": [
            {"grid": code, "name": (after.grids.get(code) or before.grids[code]).name,
             "before": first.get(code), "after": then.get(code)}
            for code in sorted(codes)
        ],
        "totals": {"before": _summed(first), "after": _summed(then)},
    }  # fmt: skip


def _standing(desk: Desk) -> tuple[list[str], bool]:
    assumed = assumed_in(desk.connection, desk.view)
    return assumed, is_stale(desk.connection, job_named(JOB))


def _in_reach(desk: Desk, before: State, after: State, proposed: GeoDataFrame | None) -> set[str]:
    """Return the grids that proposed cameras may see."""
    if proposed is None:
        return set()
    reach = GeoSeries(proposed.geometry.buffer(proposed["range_m"]), crs=proposed.crs)
    found: set[str | None] = set()
    for one in in_degrees(reach):
        near = shapes_within(desk.connection, desk.view, after, one)
        met = near.index[np.asarray(shapely.intersects(near.to_numpy(), one), dtype=bool)]
        found |= {grid_at(state, str(name)) for name in met for state in (before, after)}
    return {code for code in found if code is not None}


def _ground(desk: Desk, compared: Compared, *, is_even: bool) -> PlanGround:
    names, connection = compared.blocks, desk.connection
    finer = common_ground(compared.before, compared.after)
    shapes = shapes_with_siblings(desk, finer, names)
    county = the_county(connection)
    counts = None
    if is_even:
        counting = desk.counting(county.population_basis)
        counts = sums_in(connection, counting, finer, names, desk.srid)[1]
    moved = Moved(pd.DataFrame(index=pd.Index(names, dtype=object)), shapes)
    # cameras beyond the asker's area look in; only the asker's grids are told
    everything = system_view(desk.view.actor)
    enter_scope(connection, everything)
    ground = plan_ground(connection, everything, county, moved, counts)
    enter_scope(connection, desk.view)
    return ground


def _seen(ground: PlanGround, proposed: GeoDataFrame) -> GeoSeries:
    views = visible_areas(proposed, ground.things.buildings.geometry)
    return GeoSeries(views[~views.is_empty])


def _told(figures: pd.DataFrame) -> dict[str, Facts]:
    """Return figures by grid code as plain values."""
    found = {}
    for code, line in figures.to_dict("index").items():
        times = [float(m2) for m2 in line["seen_by_m2"]]
        numbers = {name: float(line[name]) for name in SUMMED}
        found[str(code)] = _with_derived(numbers, times)
    return found


def _summed(sides: Mapping[str, Facts]) -> Facts:
    numbers = {name: sum(one[name] for one in sides.values()) for name in SUMMED}
    rows = [np.array(one["seen_by_m2"], dtype=float) for one in sides.values()]
    return _with_derived(numbers, padded(rows).sum(axis=0).tolist())


def _with_derived(numbers: Mapping[str, float], times: Collection[float]) -> Facts:
    blind_m2 = max(0.0, numbers["open_m2"] - numbers["seen_m2"])
    twice_m2 = sum(list(times)[1:])
    return {**numbers, "blind_m2": blind_m2, "seen_by_m2": list(times), "twice_m2": twice_m2}
