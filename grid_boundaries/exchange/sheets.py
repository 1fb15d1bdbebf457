"""A plan or the grids in force as rows to be written: one a grid, or one a block."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.plan_state import Grid, State

What = Literal["grids", "blocks"]
GRID_FACTS = ("grid_name", "village_code", "village_name", "grid_kind", "special_use", "setting",
              "alias")  # fmt: skip
COUNTS = ("people", "households")


@dataclass(frozen=True)
class Sheet:
    """Rows and their shapes.

    Parameters
    ----------
    table
        Columns by the keys of `fields.FIELDS`; None where a cell is empty.
    shapes
        Polygons in stored degrees, one a row; None for a grid without a block.
    """

    what: What
    table: pd.DataFrame
    shapes: NDArray[Any]


def block_sheet(state: State, shapes: GeoSeries, villages: Mapping[str, str]) -> Sheet:
    """Return which grid holds each block: one row a block, then one for each grid without any.

    Parameters
    ----------
    shapes
        Stored degrees, by block id; every block of the state.
    villages
        Names of villages by their codes.
    """
    blocks = sorted(state.grid_of)
    empty = _empty_grids(state)
    codes = [state.grid_of[block] for block in blocks] + list(empty)
    table = pd.DataFrame({"block_id": [*blocks, *(None for _ in empty)]}, dtype=object)
    facts = _facts(state, codes, villages)
    without = np.full(len(empty), None, dtype=object)
    return Sheet("blocks", table.join(facts), np.concatenate([_of(shapes, blocks), without]))


def grid_sheet(
    state: State, shapes: GeoSeries, villages: Mapping[str, str], counts: pd.DataFrame
) -> Sheet:
    """Return the grids with who lives in them, and one row without a code for ground in no grid.

    Parameters
    ----------
    shapes
        Stored degrees, edge-matched, by block id; every block of the state.
    villages
        Names of villages by their codes.
    counts
        Columns ``people``, ``households`` and ``area_m2`` by grid code.
    """
    codes: list[str | None] = [*sorted(state.grids)]
    if state.blocks_of(None):
        codes.append(None)
    grounds = [_ground(shapes, state.blocks_of(code)) for code in codes]
    found = counts.reindex(pd.Index(codes, dtype=object))
    numbers = {name: found[name].fillna(0).astype("int64").to_numpy() for name in COUNTS}
    area = found["area_m2"].fillna(0).astype(float).round(2).to_numpy()
    table = _facts(state, codes, villages).assign(**numbers, area_m2=area)
    return Sheet("grids", table, np.array([*grounds, None], dtype=object)[:-1])


def counts_by_grid(state: State, sums: pd.DataFrame, areas_m2: pd.Series[float]) -> pd.DataFrame:
    """Return what `grid_sheet` counts, from counts and areas by block; no grid is the code None."""
    blocks = list(state.grid_of)
    table = sums.reindex(blocks)[list(COUNTS)].fillna(0)
    table["area_m2"] = areas_m2.reindex(blocks)
    codes = pd.Series([code or "" for code in state.grid_of.values()], index=blocks, dtype=object)
    grouped = table.groupby(codes).sum()
    grouped.index = pd.Index([code or None for code in grouped.index], dtype=object)
    return grouped


def _facts(
    state: State, codes: Collection[str | None], villages: Mapping[str, str]
) -> pd.DataFrame:
    rows = {code: _grid_row(grid, villages) for code, grid in state.grids.items()}
    nothing = dict.fromkeys(GRID_FACTS)
    found = [{"grid_code": code, **rows.get(code or "", nothing)} for code in codes]
    return pd.DataFrame(found, columns=["grid_code", *GRID_FACTS], dtype=object)


def _grid_row(grid: Grid, villages: Mapping[str, str]) -> dict[str, Any]:
    facts = asdict(grid)
    renamed = {"grid_name": facts.pop("name"), "grid_kind": facts.pop("kind")}
    return {**facts, **renamed, "village_name": villages.get(grid.village_code)}


def _empty_grids(state: State) -> list[str]:
    return sorted(code for code in state.grids if not state.blocks_of(code))


def _of(shapes: GeoSeries, blocks: Collection[str]) -> NDArray[Any]:
    return np.array([*(shapes[block] for block in blocks), None], dtype=object)[:-1]


def _ground(shapes: GeoSeries, blocks: Collection[str]) -> Any:
    if not blocks:
        return None
    return shapely.coverage_union_all(_of(shapes, sorted(blocks)))
