"""GeoPackage and zipped Shapefile, written by GDAL with the coordinates' very bytes."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import shapely

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.delimited import not_in_encoding
from grid_boundaries.exchange.fields import BY_KEY, Names, mapping_text, named
from grid_boundaries.exchange.references import Reference, from_degrees
from grid_boundaries.exchange.sheets import Sheet

MOST_BYTES = 254  # of a text field in a .dbf
LANGUAGE_BYTE, GBK_LANGUAGE = 29, 0x4D  # where a .dbf says its code page, and 936
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
WRITTEN_ON = (
    2000,
    1,
    1,
    0,
    0,
    0,
)  # of entries in the archive, so that equal plans give equal bytes
CODECS = {"utf-8": "UTF-8", "gbk": "GBK"}


def geopackage_bytes(sheet: Sheet, to: Reference, title: str) -> bytes:
    """Return a GeoPackage with one layer, called ``grids`` or ``blocks``."""
    target = io.BytesIO()
    _write(target, sheet, to, "key", driver="GPKG", layer=layer_name(sheet, to),
           geometry_type="MultiPolygon", encoding="UTF-8",
           layer_options={"IDENTIFIER": title, "DESCRIPTION": to.label})  # fmt: skip
    return target.getvalue()


def shapefile_bytes(sheet: Sheet, to: Reference, encoding: str) -> bytes:
    """Return a zipped Shapefile and, beside it, what its short field names stand for.

    Parameters
    ----------
    encoding
        Of its attributes, "utf-8" or "gbk"; stated in the .cpg and, GBK, in the .dbf.

    Raises
    ------
    Refused
        Text that the encoding does not have, or that is over 254 bytes long in it.
    """
    _refuse_unfit(sheet.table, encoding)
    name = layer_name(sheet, to)
    with tempfile.TemporaryDirectory(prefix="gis-exchange-") as folder:
        shp = Path(folder) / f"{name}.shp"
        _write(str(shp), sheet, to, "short", driver="ESRI Shapefile", geometry_type="Polygon",
               encoding=CODECS[encoding])  # fmt: skip
        parts = {suffix: shp.with_suffix(suffix).read_bytes() for suffix in PARTS}
    if encoding == "gbk":
        table = bytearray(parts[".dbf"])
        table[LANGUAGE_BYTE] = GBK_LANGUAGE
        parts[".dbf"] = bytes(table)
    files = {f"{name}{suffix}": body for suffix, body in parts.items()}
    return _zipped({**files, "fields.csv": b"\xef\xbb\xbf" + mapping_text().encode()})


def layer_name(sheet: Sheet, to: Reference) -> str:
    """Return what the layer in a file is called; of shifted coordinates it says so."""
    return sheet.what if to.srid is not None else f"{sheet.what}_{to.label}"


def _write(target: Any, sheet: Sheet, to: Reference, names: Names, **options: Any) -> None:
    table = named(sheet.table, names)
    pyogrio.raw.write(
        target,
        shapely.to_wkb(from_degrees(sheet.shapes, to)),
        [_column(sheet.table, key) for key in sheet.table.columns],
        list(table.columns),
        crs=to.definition,
        promote_to_multi=options["geometry_type"] == "MultiPolygon",
        **options,
    )


def _column(table: pd.DataFrame, key: str) -> Any:
    cells = table[key]
    return cells.to_numpy() if BY_KEY[key].is_number else np.array(cells, dtype=object)


def _refuse_unfit(table: pd.DataFrame, encoding: str) -> None:
    for key in table.columns:
        for cell in dict.fromkeys(table[key]):
            if isinstance(cell, str):
                _refuse_cell(key, cell, encoding)


def _refuse_cell(key: str, cell: str, encoding: str) -> None:
    try:
        size_bytes = len(cell.encode(encoding))
    except UnicodeEncodeError as error:
        raise not_in_encoding(cell[error.start], encoding, cell) from None
    if size_bytes > MOST_BYTES:
        raise Refused(
            "text-too-long",
            f"“{cell[:20]}…”超过 Shapefile 字段的 {MOST_BYTES} 字节上限；请改用 GeoPackage",
            f"“{cell[:20]}…” is over the {MOST_BYTES} bytes of a Shapefile's field; "
            "use a GeoPackage",
            field=key,
            size_bytes=size_bytes,
        )


def _zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, WRITTEN_ON), body, zipfile.ZIP_DEFLATED)
    return target.getvalue()
