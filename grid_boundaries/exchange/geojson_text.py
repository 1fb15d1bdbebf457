"""GeoJSON, written with every digit of the coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import shapely

from grid_boundaries.exchange.fields import named
from grid_boundaries.exchange.references import Reference, from_degrees
from grid_boundaries.exchange.sheets import Sheet

WGS84 = 4326  # what GeoJSON means where it says nothing (RFC 7946)


def geojson_bytes(sheet: Sheet, to: Reference, title: str) -> bytes:
    """Return a FeatureCollection; its `crs` member names any reference but WGS 84.

    GCJ-02 has no name in that member: ``coordinate_system`` says so instead, in the collection
    and in every feature.
    """
    shapes = shapely.orient_polygons(from_degrees(sheet.shapes, to))
    geometry = shapely.to_geojson(shapes).tolist()
    rows = named(sheet.table, "key").to_dict("records")
    features = [
        b'{"type":"Feature","properties":' + _json(row) + b',"geometry":' + _shape(shape) + b"}"
        for row, shape in zip(rows, geometry, strict=True)
    ]
    head: dict[str, Any] = {"type": "FeatureCollection", "name": title}
    if to.srid is None:
        head["coordinate_system"] = to.label
    elif to.srid != WGS84:
        name = f"urn:ogc:def:crs:EPSG::{to.srid}"
        head["crs"] = {"type": "name", "properties": {"name": name}}
    return _json(head)[:-1] + b',"features":[\n' + b",\n".join(features) + b"\n]}\n"


def _shape(text: str | None) -> bytes:
    return b"null" if text is None else text.encode()


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"no JSON: {type(value).__name__}")
