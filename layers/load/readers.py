"""Reading of one file, whatever its kind and whoever sends it: looked at first, then read."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.fields import column_of
from grid_boundaries.file_crs import GCJ02, crs_name
from layers.load.archive import unzipped_shapefile
from layers.load.dbase import table_encoding
from layers.load.description import Source
from layers.load.encodings import UTF8, TextEncoding, refuse_unknown, text_encoding
from layers.load.geojson import geojson_rows
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rows
from layers.load.sniff import checked_kind
from layers.load.text import text_rows
from layers.load.vector import vector_rows

SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")


@dataclass(frozen=True)
class Given:
    """A file as it was read.

    Parameters
    ----------
    kind
        What it is: "GeoJSON", "GeoPackage", "FlatGeobuf", "Shapefile" or "CSV".
    encoding
        Of its text.
    """

    kind: str
    encoding: TextEncoding
    rows: Rows

    @property
    def crs(self) -> str:
        """What the file states of its coordinates, by a name of `file_crs`; empty for nothing.

        GeoJSON cannot state GCJ-02: a column of ours on which every row agrees does.
        """
        column = column_of("coordinate_system", self.rows.table)
        cells = () if column is None else self.rows.table.iloc[:, column].dropna()
        marks = {str(cell).strip() for cell in cells}
        return GCJ02 if marks == {GCJ02} else crs_name(self.rows.crs)


def given(path: Path, *, encoding: str = "", layer: str = "", limits: Limits = DEFAULT) -> Given:
    """Return the rows of a file.

    Parameters
    ----------
    encoding
        Of a Shapefile's text or a table, where whoever sends it knows better than the file;
        bytes that are plainly something else are read as what they are.
    layer
        Of a GeoPackage with several.

    Raises
    ------
    Refused
        The container is bad; a bad row is a rejection among the rows.
    """
    return _given(path, Source(into="", encoding=encoding, layer=layer), limits)


def uploaded(
    name: str, body: bytes, *, encoding: str = "", layer: str = "", limits: Limits = DEFAULT
) -> Given:
    """Return the rows of a file that somebody sent; nothing of it stays on the disk.

    Parameters
    ----------
    name
        As its sender calls it: a suffix that is known must agree with what the file is.

    Raises
    ------
    Refused
        It is empty, or as `given`.
    """
    if not body:
        raise Refused("empty-file", "文件没有内容", "The file is empty")
    suffix = PurePosixPath(name).suffix.lower()
    with tempfile.TemporaryDirectory(prefix="gis-upload-") as folder:
        # a name of our own with nothing of theirs but the suffix
        path = Path(folder) / f"upload{suffix if SUFFIX.fullmatch(suffix) else ''}"
        path.write_bytes(body)
        return given(path, encoding=encoding, layer=layer, limits=limits)


def rows_of(path: Path, source: Source, *, limits: Limits = DEFAULT) -> Rows:
    """Return the rows of a file as its source describes it.

    Raises
    ------
    Refused
        The container itself is bad; a bad row is a rejection among the rows.
    """
    return _given(path, source, limits).rows


def _given(path: Path, source: Source, limits: Limits) -> Given:
    kind = checked_kind(path, limits)
    refuse_unknown(source.encoding)
    if kind == "text":
        return _table(path.read_bytes(), source, limits)
    if kind == "zip":
        with unzipped_shapefile(path, limits=limits) as shp:
            used = table_encoding(shp, source.encoding)
            rows = vector_rows(shp, "Shapefile", encoding=used.used, limits=limits)
            return Given("Shapefile", used, rows)
    if kind == "GeoJSON":
        rows = geojson_rows(path.read_bytes(), limits=limits)
    else:
        rows = vector_rows(path, kind, layer=source.layer, limits=limits)
    return Given(kind, TextEncoding("", UTF8), rows)


def _table(body: bytes, source: Source, limits: Limits) -> Given:
    used = text_encoding([body], source.encoding)
    rows = text_rows(
        body,
        encoding=used.used,
        separator=source.separator,
        notes_rows=source.notes_rows,
        limits=limits,
    )
    return Given("CSV", used, rows)
