"""Values of a frame as the database driver takes them, by the type of their column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry
from psycopg.types.json import Jsonb
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    SmallInteger,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID


def driver_values(series: pd.Series[Any], column: Column[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them, None where there is none.

    Parameters
    ----------
    series
        Values of a frame: missing ones of any kind (None, NaN, NaT), shapely geometry in degrees.
    column
        Where they are to go.

    Raises
    ------
    Refused
        A fraction where the table takes whole numbers only.
    """
    kind = column.type
    if isinstance(kind, Geometry):
        return _ewkb(series, multi=kind.geometry_type.upper() == "MULTIPOLYGON")
    convert = _converter(kind)
    values = series.astype(object).tolist()
    return [None if _is_nothing(value) else convert(value) for value in values]


def _converter(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a value of a column's type out of a frame's."""
    known = (convert for sql_type, convert in CONVERTERS if isinstance(kind, sql_type))
    return next(known, _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value


def _whole(value: Any) -> int:
    if int(value) != value:
        raise Refused(
            "not-a-whole-number", f"不是整数：{value}", f"Not a whole number: {value}", value=value
        )
    return int(value)


def _day(value: Any) -> date:
    return value.date() if isinstance(value, pd.Timestamp) else value


def _ewkb(series: pd.Series[Any], *, multi: bool) -> Sequence[str | None]:
    geometries = np.array(series, dtype=object)
    single = shapely.get_type_id(geometries) == shapely.GeometryType.POLYGON
    if multi and single.any():
        geometries[single] = shapely.multipolygons(
            geometries[single], indices=np.arange(np.count_nonzero(single))
        )
    with_srid = shapely.set_srid(geometries, STORED_SRID)
    hexadecimal: list[str | None] = shapely.to_wkb(with_srid, hex=True, include_srid=True).tolist()
    return hexadecimal


CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((Integer, BigInteger, SmallInteger), _whole),
    (JSONB, Jsonb),
    (ARRAY, list),
    (Boolean, bool),
    (Date, _day),
    (Text, str),
)
