"""Outlines of grids from a file of whatever kind: shapes, codes and names as they stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.fields import column_of
from layers.load.encodings import UTF8, TextEncoding
from layers.load.limits import DEFAULT, Limits
from layers.load.readers import Given, given
from layers.load.rows import Rejection

# looser names than those of `exchange.fields`: the first that a file has, in any case of letters
CODES = ("网格代码", "编码", "编号", "代码", "gridid", "grid_id", "wgbm", "id", "objectid_1")
NAMES = ("名称", "gridname", "wgmc", "mc")

PLAIN = TextEncoding("", UTF8)


@dataclass(frozen=True)
class OutlineFile:
    """What a file of outlines holds.

    Parameters
    ----------
    rows
        Columns code and name (None where the file has no such column) and geometry without a
        CRS, coordinates as they stand in the file and finite; indexed by row number from 1.
    crs
        As the file states it, by a name of `grid_boundaries.file_crs`; empty where it does not.
    rejected
        Rows that could not be read, with a word of `layers.load.reasons`.
    columns
        Which of its columns were taken for code and name.
    encoding
        Of its text.
    """

    kind: str
    rows: GeoDataFrame
    crs: str
    rejected: tuple[Rejection, ...] = ()
    columns: Mapping[str, str | None] = field(default_factory=dict)
    encoding: TextEncoding = PLAIN


def outline_file(
    path: Path,
    *,
    encoding: str = "",
    layer: str = "",
    code: str = "",
    name: str = "",
    limits: Limits = DEFAULT,
) -> OutlineFile:
    """Read the outlines of a file; see `readers.given` and `outlines_of`."""
    read = given(path, encoding=encoding, layer=layer, limits=limits)
    return outlines_of(read, code=code, name=name)


def outlines_of(read: Given, *, code: str = "", name: str = "") -> OutlineFile:
    """Return the outlines in a file that was read.

    Parameters
    ----------
    code, name
        Columns to take; empty for the first one of a known name.

    Raises
    ------
    Refused
        The file holds no outlines, or a column named is not there.
    """
    rows = read.rows
    if rows.geometry is None:
        raise _no_outlines()
    table, shapes = rows.table, rows.geometry
    columns = {
        "code": _column(table, code, "grid_code", CODES),
        "name": _column(table, name, "grid_name", NAMES),
    }
    finite = _are_finite(shapes)
    cells = {
        ours: None if theirs is None else table[theirs].to_numpy(dtype=object)
        for ours, theirs in columns.items()
    }
    frame = GeoDataFrame(cells, index=table.index, geometry=shapes)[finite]
    odd = [Rejection(int(number), "not-finite") for number in table.index[~finite]]
    rejected = (*rows.rejected, *odd)
    return OutlineFile(read.kind, frame, read.crs, rejected, columns, read.encoding)


def _column(table: pd.DataFrame, asked: str, key: str, further: tuple[str, ...]) -> str | None:
    names = [str(column) for column in table.columns]
    if asked and asked not in names:
        raise _no_such_column(asked, names)
    if asked:
        return asked
    if (known := column_of(key, table)) is not None:
        return names[known]
    by_word = {column.strip().lower(): column for column in reversed(names)}
    return next((by_word[word] for word in further if word in by_word), None)


def _no_such_column(asked: str, names: list[str]) -> Refused:
    return Refused(
        "missing-column",
        f"文件没有列“{asked[:40]}”；有：{'、'.join(names[:20])}",
        f"The file has no column “{asked[:40]}”; it has {', '.join(names[:20])}",
        column=asked[:40],
        columns=names[:50],
    )


def _are_finite(shapes: Any) -> Any:
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), dtype=bool)
    finite[owner[~np.isfinite(points).all(axis=1)]] = False
    return finite


def _no_outlines() -> Refused:
    return Refused(
        "no-outlines",
        "文件里没有图形；请上传 GeoJSON、GeoPackage 或 Shapefile 压缩包",
        "The file holds no shapes; send GeoJSON, a GeoPackage or a zipped Shapefile",
    )
