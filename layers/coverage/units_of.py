"""Figures of grids added up for the village, town or county that each of them lies in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, Select, select

from grid_boundaries.store import grid, unit
from grid_boundaries.view import View, in_force, narrowed
from layers.read import plain_frame

Level = Literal["grid", "village", "town", "county"]
STEPS: Mapping[Level, int] = {"county": 1, "town": 2, "village": 3}


def grids_in_force(connection: Connection, view: View) -> pd.DataFrame:
    """Return name, kind, area_m2 and unit_path of the grids in scope, by code."""
    return plain_frame(connection, _grids(view)).set_index("code")


def _grids(view: View) -> Select[Any]:
    columns = (grid.c.code, grid.c.name, grid.c.kind, grid.c.area_m2, grid.c.unit_path)
    current = in_force(view, grid.c.valid_from, grid.c.valid_to)
    return narrowed(select(*columns).where(current), view, grid.c.unit_path).order_by(grid.c.code)


def unit_codes(grids: pd.DataFrame, level: Level) -> pd.Series[Any]:
    """Return the code of the unit of a level that each grid lies in; of grids their own."""
    if level == "grid":
        return pd.Series(grids.index, index=grids.index, dtype=object)
    return grids["unit_path"].str.split("/").str[STEPS[level]]


def summed(figures: pd.DataFrame, grids: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Return columns of numbers by grid code added up by unit of a level, by its code, sorted."""
    codes = unit_codes(grids, level).reindex(figures.index)
    return figures.groupby(codes.to_numpy()).sum()


def names_of(
    connection: Connection, view: View, grids: pd.DataFrame, level: Level
) -> dict[str, str]:
    """Return the names of the units of a level, by code; those of grids are their own."""
    if level == "grid":
        return {str(code): str(name) for code, name in grids["name"].items()}
    current = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code, unit.c.name).where(unit.c.level == level, current)
    rows = connection.execute(narrowed(statement, view, None))
    return {row.code: row.name for row in rows}


def told(figures: pd.DataFrame, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return rows by code as plain values with the name of each."""
    rows = figures.astype(object).to_dict("index")
    return [
        {"code": code, "name": names.get(str(code)), **{str(k): plain(v) for k, v in row.items()}}
        for code, row in rows.items()
    ]


def plain(value: Any) -> Any:
    """Return a value of a table as JSON has it: missing ones are null."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
