"""A source of located features on its way to the frame of its table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from geoalchemy2 import Geometry
from pyproj import CRS
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Table

from grid_boundaries.errors import Refused
from layers.load.columns import check_columns, clean, reject_by_rules, values_of
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.positions import (
    as_stored,
    check_shapes,
    in_metres,
    make_points,
    reject_far,
    to_stored_crs,
)
from layers.load.readers import rows_of
from layers.load.write import ORDER


@dataclass(frozen=True)
class Ground:
    """What a source needs to know of the county it lies in.

    `outline_m` is the county's outline in `metric_crs`, prepared; None while the tree itself is
    being read, which nothing can lie outside of.
    """

    metric_crs: CRS
    time_zone: str
    outline_m: BaseGeometry | None = None
    farthest_outside_m: float = 2_000.0


def taken_in(path: Path, source: Source, shape: str, ground: Ground) -> tuple[Intake, pd.DataFrame]:
    """Return a source's intake with its sound rows, and our columns of them.

    Nothing is lost on the way: every row is in the frame, or rejected with a reason.
    """
    rows = rows_of(path, source)
    intake = Intake(source.name, source.into, rows)
    check_columns(intake, source)
    reject_by_rules(intake, source)
    make_points(intake, source)
    to_stored_crs(intake, source, rows.crs)
    check_shapes(intake, source, shape, ground.metric_crs)
    reject_far(intake, ground.outline_m, ground.metric_crs, ground.farthest_outside_m)
    values = values_of(intake, source, ground.time_zone)
    return intake, values.loc[intake.table.index]


def feature_rows(path: Path, source: Source, ground: Ground) -> tuple[Intake, pd.DataFrame]:
    """Return a source's intake and the frame of its table, not yet placed.

    Raises
    ------
    Refused
        `source.into` is no table of located features, or what a reader refuses.
    """
    table = located_table(source.into)
    geometry = table.c["geom"].type
    shape = str(geometry.geometry_type) if isinstance(geometry, Geometry) else ""
    intake, frame = taken_in(path, source, {"POINT": "Point"}.get(shape.upper(), shape), ground)
    frame.insert(0, "id", row_ids(intake, source))
    twice = frame["id"].duplicated()
    intake.reject(twice.index[twice], "duplicate-id")
    frame = frame.loc[intake.table.index]
    for name, value in source.constants.items():
        frame[name] = value
    frame = _with_assumed(frame, source, table)
    shapes = as_stored(intake.shapes, _multi(shape))
    frame["geom"] = shapes
    if "area_m2" in table.c:
        frame["area_m2"] = in_metres(shapes, ground.metric_crs).area
    return intake, frame.reset_index(drop=True)


def located_table(name: str) -> Table:
    """Return the table of located features of that name, or refuse."""
    for table in ORDER:
        if table.name == name and "placed" in table.c:
            return table
    raise Refused(
        "no-such-table",
        f"没有名为 {name} 的要素表",
        f"There is no table of located features called {name}",
        table=name,
    )


def row_ids(intake: Intake, source: Source) -> pd.Series[Any]:
    """Return ids: the source's prefix with its own key, or with the row number."""
    numbers = pd.Series(intake.table.index, index=intake.table.index).astype(str)
    own = clean(intake.table[source.id_column]) if source.id_column else numbers
    return source.id_prefix + own.fillna(numbers)


def _multi(shape: str) -> str:
    return "MultiPolygon" if shape.upper() == "MULTIPOLYGON" else shape


def _with_assumed(frame: pd.DataFrame, source: Source, table: Table) -> pd.DataFrame:
    """Fill what the source leaves open, and write down which columns that were."""
    given = frame.reindex(columns=list(source.assumed))
    lacking = given.isna()
    for name, value in source.assumed.items():
        frame[name] = given[name].where(~lacking[name], value)
    if "assumed" in table.c:
        names = lacking.columns.to_numpy()
        filled = [names[row].tolist() for row in lacking.to_numpy(dtype=bool)]
        frame["assumed"] = pd.Series(filled, index=frame.index, dtype=object)
    return frame
