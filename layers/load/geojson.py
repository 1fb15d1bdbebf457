"""GeoJSON, read without GDAL: every member is looked at before it becomes a geometry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rejection, Rows

CRS_NAMES = {
    "urn:ogc:def:crs:OGC:1.3:CRS84": "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326": "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4490": "EPSG:4490",
    "EPSG:4326": "EPSG:4326",
    "EPSG:4490": "EPSG:4490",
}
# how deep positions lie in the coordinates of each kind
DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
RINGS_IN = {"Polygon": 1, "MultiPolygon": 2}
LEAST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


class _Fault(Exception):  # noqa: N818 - passed within this module only
    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def geojson_rows(data: bytes, *, limits: Limits = DEFAULT) -> Rows:
    """Return the features of a FeatureCollection (or a single one), faulty ones with a reason.

    Parameters
    ----------
    data
        The whole file, UTF-8, with or without a BOM.

    Raises
    ------
    Unsupported
        Not JSON, or JSON that is no GeoJSON.
    Refused
        A `crs` member that names anything but CRS84, EPSG:4326 or EPSG:4490; a link is never
        followed.
    TooLarge
        More features than the limit.
    """
    whole = _parsed(data)
    features = _features(whole)
    if len(features) > limits.features:
        raise TooLarge(
            "too-many-rows",
            f"超过 {limits.features} 个要素；请分成几个文件",
            f"More than {limits.features} features; split the file",
            limit=limits.features,
        )
    rejected, shapes, properties, numbers = [], [], [], []
    for number, feature in enumerate(features, start=1):
        try:
            shapes.append(_shape(feature, limits))
            properties.append(_properties(feature, limits))
            numbers.append(number)
        except _Fault as fault:
            del shapes[len(properties) :]
            rejected.append(Rejection(number, fault.code, fault.facts))
    geometry = np.array([*shapes, None], dtype=object)[:-1]  # keeps numpy from looking inside
    table = pd.DataFrame(properties, index=numbers, dtype=object)
    return Rows(table, tuple(rejected), geometry, _crs(whole))


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Unsupported(
            "not-json",
            f"不是 JSON：第 {error.lineno} 行第 {error.colno} 列",
            f"Not JSON: line {error.lineno}, column {error.colno}",
            line=error.lineno,
            column=error.colno,
        ) from None
    if not isinstance(whole, dict):
        raise _no_geojson(type(whole).__name__)
    return whole


def _features(whole: Mapping[str, Any]) -> list[Any]:
    kind = whole.get("type")
    if kind == "FeatureCollection" and isinstance(whole.get("features"), list):
        features: list[Any] = whole["features"]
        return features
    if kind == "Feature":
        return [whole]
    if kind in DEPTH:
        return [{"type": "Feature", "geometry": whole, "properties": {}}]
    raise _no_geojson(str(kind))


def _no_geojson(found: str) -> Unsupported:
    return Unsupported(
        "not-geojson",
        f"是 JSON 但不是 GeoJSON（type 为 {found[:40]}）",
        f"JSON, but no GeoJSON (its type is {found[:40]})",
        type=found[:40],
    )


def _crs(whole: Mapping[str, Any]) -> str:
    stated = whole.get("crs")
    if stated is None:
        return "EPSG:4326"
    properties = stated.get("properties") if isinstance(stated, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or name not in CRS_NAMES:
        raise Refused(
            "crs-not-allowed",
            "GeoJSON 的 crs 只能是 CRS84、EPSG:4326 或 EPSG:4490",
            "The crs of GeoJSON may only be CRS84, EPSG:4326 or EPSG:4490",
            crs=str(name)[:80],
        )
    return CRS_NAMES[name]


def _properties(feature: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict) or len(properties) > limits.properties:
        raise _Fault("broken-properties")
    for name, value in properties.items():
        text = value if isinstance(value, str) else ""
        if "\x00" in name or "\x00" in text:
            raise _Fault("forbidden-character", column=name.replace("\x00", "\ufffd")[:80])
        if len(text) > limits.property_bytes:
            raise _Fault("value-too-long", column=name[:80], characters=len(text))
    return properties


def _shape(feature: Any, limits: Limits) -> Any:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _Fault("not-a-feature")
    geometry = feature.get("geometry")
    if geometry is None:
        return None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == "GeometryCollection":
        raise _Fault("wrong-shape", kind=kind)
    if kind not in DEPTH:
        raise _Fault("wrong-shape", kind=str(kind)[:40])
    coordinates = geometry.get("coordinates")
    vertices = _checked_positions(coordinates, DEPTH[kind])
    if vertices > limits.vertices:
        raise _Fault("too-many-vertices", vertices=vertices)
    if kind in LEAST:
        _check_runs(coordinates, kind)
    return _built(kind, coordinates)


def _positions(coordinates: Any, depth: int) -> Iterator[Any]:
    """Yield the positions that lie `depth` lists deep."""
    if depth and not (isinstance(coordinates, list) and coordinates):
        raise _Fault("no-geometry")
    if not depth:
        yield coordinates
        return
    for part in coordinates:
        yield from _positions(part, depth - 1)


def _checked_positions(coordinates: Any, depth: int) -> int:
    vertex = -1
    for vertex, position in enumerate(_positions(coordinates, depth)):
        is_pair = isinstance(position, list) and 2 <= len(position) <= 4
        # bool is an int in Python, and no coordinate
        if not is_pair or any(type(value) not in (int, float) for value in position):
            raise _Fault("not-a-coordinate", vertex=vertex, at=str(position)[:60])
    return vertex + 1


def _check_runs(coordinates: Any, kind: str) -> None:
    """Refuse lines of one position, rings of three, and rings that are not closed."""
    for run in _positions(coordinates, DEPTH[kind] - 1):
        if len(run) < LEAST[kind]:
            raise _Fault("ring-too-short", positions=len(run))
        if kind in RINGS_IN and run[0] != run[-1]:
            raise _Fault("ring-not-closed", at=run[0][:2])


def _built(kind: str, coordinates: Any) -> Any:
    flat = {"type": kind, "coordinates": coordinates}
    # depth and types are known by now, so the library meets no surprise
    return shapely.force_2d(shapely.from_geojson(orjson.dumps(flat)))
