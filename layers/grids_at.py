"""Grids of a date with what is counted in them, by the blocks that they held on that date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd
from sqlalchemy import Connection, select

from grid_boundaries.numbers import SUMS
from grid_boundaries.refinement import in_terms_of
from grid_boundaries.store import grid_block
from grid_boundaries.view import View, in_force
from layers.block_sums import Counting, block_sums
from layers.features import page
from layers.grids import LAYER

RESIDENTS = ("people", "households")


def grids_at(
    connection: Connection, counting: Counting, *, limit: int, after: str | None = None
) -> bytes:
    """Return a page of the grids in force on the view's date as GeoJSON with counts.

    People and households are those of the blocks of that date; features are counted in the
    block that their block is a piece of, where it was cut since. What has moved or come since
    is counted where it is now.
    """
    view = counting.view
    body = orjson.loads(page(connection, LAYER, view, limit=limit, after=after).body)
    counts = counts_at(connection, counting)
    nothing = dict.fromkeys(SUMS, 0)
    for feature in body["features"]:
        feature["properties"].update(counts.get(feature["id"], nothing))
    return orjson.dumps(body)


def counts_at(connection: Connection, counting: Counting) -> Mapping[str, dict[str, Any]]:
    """Return what is counted in each grid of the view's date, by code."""
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
