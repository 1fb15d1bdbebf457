"""Grids of a date with what is counted in them, by the blocks that they held on that date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
import pandas as pd
from sqlalchemy import Connection, and_, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from grid_boundaries.count_store import grid_count
from grid_boundaries.numbers import SUMS
from grid_boundaries.refinement import in_terms_of
from grid_boundaries.store import block_count, grid, grid_block
from grid_boundaries.view import View, in_force, narrowed
from layers.block_sums import PEOPLE, Counting, block_sums
from layers.features import page
from layers.grids import LAYER

Counts = Mapping[str, Any]  # by `SUMS`
HOUSEHOLDS = block_count.c.households
SAME_BLOCK = block_count.c.block_id == grid_block.c.block_id
RESIDENTS = ("people", "households")


def grids_at(
    connection: Connection, counting: Counting, *, limit: int, after: str | None = None
) -> bytes:
    """Return a page of the grids in force on the view's date as GeoJSON with counts.

    People and households are those of the day, see `counts_at`. Features are counted in the
    block that their block is a piece of, where it was cut since; those that have moved or come
    since, where they are now.
    """
    view = counting.view
    body = orjson.loads(page(connection, LAYER, view, limit=limit, after=after).body)
    counts = counts_at(connection, counting)
    nothing = dict.fromkeys(SUMS, 0)
    for feature in body["features"]:
        feature["properties"].update(counts.get(feature["id"], nothing))
    return orjson.dumps(body)


def counts_at(connection: Connection, counting: Counting) -> Mapping[str, Counts]:
    """Return what is counted in each grid of the view's date, by code.

    Where the grids of the date were replaced since, people and households are those counted
    when they were; who has come or gone later does not change them.
    """
    found = _counted(connection, counting)
    if counting.view.as_of is not None:
        for code, residents in _kept(connection, counting, counting.view.as_of).items():
            found[code] = {**found.get(code, dict.fromkeys(SUMS, 0)), **residents}
    return found


def keep_residents(connection: Connection, view: View, on: date) -> None:
    """Keep who lives in the grids in force, before others replace them.

    Parameters
    ----------
    on
        The day from which others are in force; what was kept for that day already stays.
    """
    held = and_(grid_block.c.grid_code == grid.c.code, grid_block.c.valid_to.is_(None))
    sums = [func.coalesce(func.sum(column), 0) for column in (*PEOPLE.values(), HOUSEHOLDS)]
    counted = (
        select(grid.c.code, literal(on), *sums, grid.c.unit_path)
        .select_from(grid.join(grid_block, held).join(block_count, SAME_BLOCK))
        .where(grid.c.valid_to.is_(None))
        .group_by(grid.c.code, grid.c.unit_path)
    )
    columns = ["grid_code", "until", *PEOPLE, "households", "unit_path"]
    new = upsert(grid_count).from_select(columns, narrowed(counted, view, grid.c.unit_path))
    connection.execute(new.on_conflict_do_nothing())


def _kept(connection: Connection, counting: Counting, day: date) -> dict[str, Counts]:
    """Return who lived in the grids of a day when they were replaced; empty if never."""
    kept = grid_count.c
    next_one = select(func.min(kept.until)).where(kept.until > day)
    residents = (kept.grid_code, kept[counting.basis].label("people"), kept.households)
    first = select(*residents).where(kept.until == next_one.scalar_subquery())
    rows = connection.execute(narrowed(first, counting.view, kept.unit_path))
    in_force = set(_grid_of(connection, counting.view).values())
    return {
        row.grid_code: {"people": row.people, "households": row.households}
        for row in rows
        if row.grid_code in in_force
    }


def _counted(connection: Connection, counting: Counting) -> dict[str, Counts]:
    grid_of = _grid_of(connection, counting.view)
    sums = block_sums(connection, counting)
    # residents are kept for a block that was cut and for its pieces: only the date's own count
    own = sums.loc[sums.index.isin(list(grid_of)), list(RESIDENTS)]
    residents = own.groupby([grid_of[name] for name in own.index]).sum()
    held = [in_terms_of(str(name), grid_of) for name in sums.index]
    codes = pd.Series([grid_of.get(name or "") for name in held], index=sums.index, dtype=object)
    features = sums.drop(columns=list(RESIDENTS)).groupby(codes).sum()
    both = residents.join(features, how="outer").fillna(0).astype("int64")
    return {
        str(code): {str(name): n for name, n in row.items()}
        for code, row in both.to_dict("index").items()
    }


def _grid_of(connection: Connection, view: View) -> dict[str, str]:
    dated = in_force(view, grid_block.c.valid_from, grid_block.c.valid_to)
    rows = connection.execute(select(grid_block.c.block_id, grid_block.c.grid_code).where(dated))
    return {row.block_id: row.grid_code for row in rows}
