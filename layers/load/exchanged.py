"""An exchange file as rows: told by its content, read within the limits of every upload."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layers.load.archive import unzipped_shapefile
from layers.load.dbase import text_encoding
from layers.load.geojson import geojson_rows
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rows
from layers.load.sniff import checked_kind
from layers.load.text import guessed_encoding, text_rows
from layers.load.vector import vector_rows


@dataclass(frozen=True)
class Given:
    """A file as it was read.

    Parameters
    ----------
    kind
        What it is: "GeoJSON", "GeoPackage", "FlatGeobuf", "Shapefile" or "CSV".
    encoding
        In which its text was read.
    """

    kind: str
    encoding: str
    rows: Rows


def given(path: Path, *, encoding: str = "", layer: str = "", limits: Limits = DEFAULT) -> Given:
    """Return the rows of a file.

    Parameters
    ----------
    encoding
        Of a Shapefile or table; empty for what the file says, or what reads all of it.
    layer
        Of a GeoPackage with several.

    Raises
    ------
    Refused
        The container is bad; a bad row is a rejection among the rows.
    """
    kind = checked_kind(path, limits)
    if kind == "text":
        body = path.read_bytes()
        used = encoding or guessed_encoding(body)
        return Given("CSV", used, text_rows(body, encoding=used, limits=limits))
    if kind == "GeoJSON":
        return Given(kind, "utf-8", geojson_rows(path.read_bytes(), limits=limits))
    if kind == "zip":
        with unzipped_shapefile(path, limits=limits) as shp:
            used = encoding or text_encoding(shp).used
            rows = vector_rows(shp, "Shapefile", encoding=used, limits=limits)
            return Given("Shapefile", used, rows)
    return Given(kind, "utf-8", vector_rows(path, kind, layer=layer, limits=limits))
