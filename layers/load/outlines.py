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
from layers.load.archive import unzipped_shapefile
from layers.load.dbase import TextEncoding, text_encoding
from layers.load.geojson import geojson_rows
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rejection, Rows
from layers.load.sniff import checked_kind
from layers.load.vector import vector_rows

# the first column of these that a file has, whatever the case of its letters
CODES = (
    "网格编码", "网格编号", "网格代码", "编码", "编号", "代码", "code", "grid_code", "gridcode",
    "gridid", "grid_id", "wgbm", "id", "objectid_1",
)  # fmt: skip
NAMES = ("网格名称", "名称", "name", "grid_name", "gridname", "wgmc", "mc")


@dataclass(frozen=True)
class OutlineFile:
    """What a file of outlines holds.

    Parameters
    ----------
    rows
        Columns code and name (None where the file has no such column) and geometry without a
        CRS, coordinates as they stand in the file and finite; indexed by row number from 1.
    crs
        As the file states it; empty where it does not.
    rejected
        Rows that could not be read, with a word of `layers.load.reasons`.
    columns
        Which of its columns were taken for code and name.
    encoding
        Of a Shapefile's text.
    """

    kind: str
    rows: GeoDataFrame
    crs: str
    rejected: tuple[Rejection, ...] = ()
    columns: Mapping[str, str | None] = field(default_factory=dict)
    encoding: TextEncoding | None = None


def outline_file(
    path: Path, *, layer: str = "", code: str = "", name: str = "", limits: Limits = DEFAULT
) -> OutlineFile:
    """Read GeoJSON, GeoPackage, FlatGeobuf or a zipped Shapefile.

    Parameters
    ----------
    path
        Whatever it is called: its content decides.
    layer
        Of a GeoPackage; may be empty where it has one only.
    code, name
        Columns to take; empty for the first one of a known name.

    Raises
    ------
    Refused
        The container is bad or holds no outlines, or a column named is not there.
    """
    kind = checked_kind(path, limits)
    encoding = None
    if kind == "zip":
        with unzipped_shapefile(path, limits=limits) as shp:
            encoding = text_encoding(shp)
            rows = vector_rows(shp, "Shapefile", encoding=encoding.used, limits=limits)
        kind = "Shapefile"
    elif kind == "GeoJSON":
        rows = geojson_rows(path.read_bytes(), limits=limits)
    elif kind == "text":
        raise _no_outlines()
    else:
        rows = vector_rows(path, kind, layer=layer, limits=limits)
    return _outlines(kind, rows, code, name, encoding)


def _outlines(
    kind: str, rows: Rows, code: str, name: str, encoding: TextEncoding | None
) -> OutlineFile:
    if rows.geometry is None:
        raise _no_outlines()
    table, shapes = rows.table, rows.geometry
    columns = {"code": _column(table, code, CODES), "name": _column(table, name, NAMES)}
    finite = _are_finite(shapes)
    cells = {
        ours: None if theirs is None else table[theirs].to_numpy(dtype=object)
        for ours, theirs in columns.items()
    }
    frame = GeoDataFrame(cells, index=table.index, geometry=shapes)[finite]
    odd = [Rejection(int(number), "not-finite") for number in table.index[~finite]]
    return OutlineFile(kind, frame, rows.crs, (*rows.rejected, *odd), columns, encoding)


def _column(table: pd.DataFrame, asked: str, known: tuple[str, ...]) -> str | None:
    names = [str(column) for column in table.columns]
    if asked and asked not in names:
        raise Refused(
            "missing-column",
            f"文件没有列“{asked[:40]}”；有：{'、'.join(names[:20])}",
            f"The file has no column “{asked[:40]}”; it has {', '.join(names[:20])}",
            column=asked[:40],
            columns=names[:50],
        )
    by_word = {column.strip().lower(): column for column in reversed(names)}
    return asked or next((by_word[word] for word in known if word in by_word), None)


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
