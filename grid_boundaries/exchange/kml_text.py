"""KML, for looking at: longitude and latitude in WGS 84, every field as extended data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from grid_boundaries.exchange.sheets import Sheet

# XML has no way to write these, not even escaped
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STYLE = (
    '<Style id="g"><LineStyle><color>ff3030c0</color><width>2</width></LineStyle>'
    "<PolyStyle><color>303030c0</color></PolyStyle></Style>"
)


def kml_bytes(sheet: Sheet, title: str) -> bytes:
    """Return a sheet as a KML document, one placemark a row; a row without ground has none."""
    rows = sheet.table.to_dict("records")
    places = zip(rows, sheet.shapes, strict=True)
    body = "\n".join(_placemark(row, shape) for row, shape in places if shape is not None)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>{_text(title)}</name>{STYLE}\n{body}\n</Document></kml>\n"
    ).encode()


def _placemark(row: dict[Any, Any], shape: BaseGeometry) -> str:
    name = row.get("block_id") or row.get("grid_name") or row.get("grid_code") or ""
    data = "".join(
        f"<Data name={quoteattr(str(key))}><value>{_text(value)}</value></Data>"
        for key, value in row.items()
        if value is not None
    )
    parts = "".join(_polygon(part) for part in shapely.get_parts(shape))
    return (
        f"<Placemark><name>{_text(name)}</name><styleUrl>#g</styleUrl>"
        f"<ExtendedData>{data}</ExtendedData><MultiGeometry>{parts}</MultiGeometry></Placemark>"
    )


def _polygon(part: Polygon) -> str:
    return "<Polygon>" + "".join(_boundaries(part)) + "</Polygon>"


def _boundaries(part: Polygon) -> Iterator[str]:
    # KML wants outer rings counter-clockwise
    turned = shapely.orient_polygons(part)
    yield _ring("outerBoundaryIs", turned.exterior)
    for hole in turned.interiors:
        yield _ring("innerBoundaryIs", hole)


def _ring(word: str, ring: BaseGeometry) -> str:
    points = " ".join(f"{lon!r},{lat!r}" for lon, lat in shapely.get_coordinates(ring).tolist())
    return f"<{word}><LinearRing><coordinates>{points}</coordinates></LinearRing></{word}>"


def _text(value: Any) -> str:
    return escape(FORBIDDEN.sub("\ufffd", str(value)))
