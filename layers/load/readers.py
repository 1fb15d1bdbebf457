"""Reading of one file, whatever its kind: looked at first, then given to the reader it needs."""

from __future__ import annotations

from pathlib import Path

from layers.load.archive import encoding_of, unzipped_shapefile
from layers.load.description import Source
from layers.load.geojson import geojson_rows
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rows
from layers.load.sniff import checked_kind
from layers.load.text import text_rows
from layers.load.vector import vector_rows


def rows_of(path: Path, source: Source, *, limits: Limits = DEFAULT) -> Rows:
    """Return the rows of a file as its source describes it.

    Raises
    ------
    Refused
        The container itself is bad; a bad row is a rejection among the rows.
    """
    kind = checked_kind(path, limits)
    if kind == "text":
        return text_rows(
            path.read_bytes(),
            encoding=source.encoding,
            separator=source.separator,
            notes_rows=source.notes_rows,
            limits=limits,
        )
    if kind == "GeoJSON":
        return geojson_rows(path.read_bytes(), limits=limits)
    if kind == "zip":
        with unzipped_shapefile(path, limits=limits) as shp:
            encoding = source.encoding or encoding_of(shp)
            return vector_rows(shp, "Shapefile", encoding=encoding, limits=limits)
    return vector_rows(path, kind, layer=source.layer, limits=limits)
