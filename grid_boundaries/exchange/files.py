"""A sheet as one file of the kind that is asked for, with its name and content type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, get_args

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.delimited import csv_bytes
from grid_boundaries.exchange.geojson_text import geojson_bytes
from grid_boundaries.exchange.kml_text import kml_bytes
from grid_boundaries.exchange.references import DEGREES, STORED, Reference
from grid_boundaries.exchange.sheets import Sheet
from grid_boundaries.exchange.vector_files import geopackage_bytes, shapefile_bytes

Format = Literal["geojson", "gpkg", "shp", "csv", "kml"]
Encoding = Literal["utf-8", "gbk"]
FORMATS = get_args(Format)
ENCODED = ("shp", "csv")  # the others are in UTF-8 by what they are
SUFFIX: Mapping[str, str] = MappingProxyType(
    {"geojson": "geojson", "gpkg": "gpkg", "shp": "zip", "csv": "csv", "kml": "kml"}
)
MEDIA: Mapping[str, str] = MappingProxyType(
    {
        "geojson": "application/geo+json",
        "gpkg": "application/geopackage+sqlite3",
        "shp": "application/zip",
        "csv": "text/csv",
        "kml": "application/vnd.google-earth.kml+xml",
    }
)
UNSAFE = re.compile(
    r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|;%\s\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+'
)
SURROGATE = re.compile("[\ud800-\udfff]")
MOST_TITLE = 60


@dataclass(frozen=True)
class Style:
    """How a file is to be written."""

    kind: Format
    to: Reference = STORED
    encoding: Encoding = "utf-8"


@dataclass(frozen=True)
class File:
    """A file to be handed out.

    Parameters
    ----------
    name
        Safe on every system; may be Chinese.
    plain_name
        The same for those who read ASCII only.
    """

    name: str
    plain_name: str
    media_type: str
    body: bytes


def written(sheet: Sheet, style: Style, title: str, plain_title: str) -> File:
    """Return a sheet as a file.

    Parameters
    ----------
    title, plain_title
        What the file is called, before what it holds; `plain_title` in ASCII.

    Raises
    ------
    Refused
        A reference or encoding that this kind of file has not, or text that does not fit in it.
    """
    _refuse_unfit(style)
    marked = _marked(sheet, style.to)
    body = _body(marked, style, title)
    ends = _endings(sheet, style)
    media = MEDIA[style.kind]
    if style.kind == "csv":
        media += f"; charset={style.encoding}; header=present"
    return File(f"{safe_name(title)}_{ends}", f"{plain_title}_{ends}", media, body)


def safe_name(title: str) -> str:
    """Return a title without what a file system or a header would stumble over."""
    plain = UNSAFE.sub("_", SURROGATE.sub("_", title)).strip("._")[:MOST_TITLE]
    return plain or "grids"


def _body(sheet: Sheet, style: Style, title: str) -> bytes:
    match style.kind:
        case "geojson":
            return geojson_bytes(sheet, style.to, title)
        case "gpkg":
            return geopackage_bytes(sheet, style.to, title)
        case "shp":
            return shapefile_bytes(sheet, style.to, style.encoding)
        case "csv":
            return csv_bytes(sheet, style.encoding)
        case "kml":
            return kml_bytes(sheet, title)


def _marked(sheet: Sheet, to: Reference) -> Sheet:
    """Return the sheet with its reference in every row where no registry has a number for it."""
    if to.srid is not None:
        return sheet
    return replace(sheet, table=sheet.table.assign(coordinate_system=to.label))


def _endings(sheet: Sheet, style: Style) -> str:
    parts: list[str] = [sheet.what]
    if style.kind != "csv":
        parts.append(style.to.label.replace(":", ""))
    if style.encoding != "utf-8":
        parts.append(style.encoding.upper())
    return "_".join(parts) + f".{SUFFIX[style.kind]}"


def _refuse_unfit(style: Style) -> None:
    if style.encoding != "utf-8" and style.kind not in ENCODED:
        raise Refused(
            "encoding-not-possible",
            f"{style.kind} 只能是 UTF-8；只有 shp 和 csv 可选 {style.encoding.upper()}",
            f"{style.kind} is always in UTF-8; only shp and csv can be in {style.encoding.upper()}",
            format=style.kind,
            encoding=style.encoding,
        )
    if style.kind in ("kml", "csv") and style.to.srid not in DEGREES:
        raise Refused(
            "crs-not-possible",
            f"{style.kind} 不能用 {style.to.label}：KML 只有 WGS 84 经纬度，CSV 没有坐标",
            f"{style.kind} cannot be in {style.to.label}: KML is in WGS 84 degrees only, "
            "and CSV has no coordinates",
            format=style.kind,
            crs=style.to.word,
        )
