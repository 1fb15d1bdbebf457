"""Staff figures of units: vacant grids, breaches of the staffing rules, and load per worker."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, select

from grid_boundaries.store import grid_block
from grid_boundaries.view import View, in_force, narrowed
from layers.block_sums import INCIDENT_DAYS, Counting, block_sums
from layers.coverage.staffing import (
    COUNTED_ROLES,
    StaffProfile,
    breaches,
    loads,
    persons_per_grid,
    spread_of,
)
from layers.coverage.units_of import Level, grids_in_force, names_of, summed, told, unit_codes
from layers.postings import posting
from layers.read import plain_frame

SUMMED = ("people", "households", "incidents")


def staff_figures(
    connection: Connection, counting: Counting, profile: StaffProfile, level: Level
) -> dict[str, Any]:
    """Return the staff of the view's grids, added up by unit, and the grids that fall short.

    Loads are told as their spread, never by person.
    """
    view = counting.view
    grids = grids_in_force(connection, view)
    grids = grids.join(_amounts(connection, counting, grids.index))
    postings = plain_frame(connection, _postings(view))
    broken = breaches(grids, postings, profile)
    persons = persons_per_grid(grids, postings)
    per_grid = pd.DataFrame(
        {
            "grids": 1,
            "vacant": (persons == 0).astype(int),
            "in_breach": grids.index.isin(broken["grid_code"]).astype(int),
            "people": grids["people"],
            "people_in_vacant": grids["people"].where(persons == 0, 0),
        },
        index=grids.index,
    )
    load = loads(grids, postings)
    return {
        "profile": asdict(profile),
        "incident_days": INCIDENT_DAYS,
        "total": {**_sums(per_grid), "workers": len(load)},
        "load": spread_of(load),
        "rows": told(_with_workers(per_grid, grids, postings, level),
                     names_of(connection, view, grids, level)),
        "vacant": told(grids.loc[persons == 0, ["kind", *SUMMED, "area_m2"]],
                       names_of(connection, view, grids, "grid")),
        "breaches": broken.to_dict("records"),
    }  # fmt: skip


def _with_workers(
    per_grid: pd.DataFrame, grids: pd.DataFrame, postings: pd.DataFrame, level: Level
) -> pd.DataFrame:
    """Return figures by unit with the persons of each, who count once in a unit."""
    found = summed(per_grid, grids, level)
    own = postings[postings["role"].isin(COUNTED_ROLES) & postings["grid_code"].isin(grids.index)]
    units = unit_codes(grids, level).loc[own["grid_code"]].to_numpy()
    workers = own.groupby(units)["worker_id"].nunique()
    return found.assign(workers=workers.reindex(found.index, fill_value=0))


def _sums(per_grid: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(total) for name, total in per_grid.sum().items()}


def _postings(view: View) -> Select[Any]:
    columns = (posting.c.worker_id, posting.c.grid_code, posting.c.role)
    current = in_force(view, posting.c.valid_from, posting.c.valid_to)
    held = select(*columns).where(current, posting.c.grid_code.is_not(None))
    return narrowed(held, view, posting.c.unit_path)


def _amounts(connection: Connection, counting: Counting, codes: pd.Index[Any]) -> pd.DataFrame:
    """Return people, households and incidents of each grid by its blocks."""
    current = in_force(counting.view, grid_block.c.valid_from, grid_block.c.valid_to)
    rows = connection.execute(select(grid_block.c.block_id, grid_block.c.grid_code).where(current))
    grid_of = {row.block_id: row.grid_code for row in rows}
    sums = block_sums(connection, counting)[list(SUMMED)]
    held = sums[[name in grid_of for name in sums.index]]
    per_grid = held.groupby([grid_of[name] for name in held.index]).sum()
    return per_grid.reindex(codes, fill_value=0).astype("int64")
