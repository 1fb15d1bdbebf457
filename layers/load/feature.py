"""One GeoJSON feature: every member is looked at before it becomes a value or a geometry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import shapely

from layers.load.limits import Limits

# how deep positions lie in the coordinates of each kind
DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
RINGED = frozenset({"Polygon", "MultiPolygon"})
LEAST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


class Fault(Exception):  # noqa: N818 - never leaves the reader
    """Why a feature cannot be taken: a word of `layers.load.reasons`, and what was seen."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def shape_of(feature: Any, limits: Limits) -> Any:
    """Return a feature's geometry without heights, None where it has none; `Fault` otherwise."""
    geometry = _geometry(feature)
    if geometry is None:
        return None
    kind, coordinates = _kind(geometry), geometry.get("coordinates")
    vertices = _checked_positions(coordinates, DEPTH[kind])
    if vertices > limits.vertices:
        raise Fault("too-many-vertices", vertices=vertices)
    _check_runs(coordinates, kind)
    # depth and types are known by now, so the library meets no surprise
    flat = {"type": kind, "coordinates": _flat(coordinates, DEPTH[kind])}
    return shapely.from_geojson(orjson.dumps(flat))


def properties_of(feature: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Return a feature's properties, none for a missing member; `Fault` for those not taken."""
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict) or len(properties) > limits.properties:
        raise Fault("broken-properties")
    for name, value in properties.items():
        _check_property(name, _text_of(value), limits)
    return properties


def _check_property(name: str, text: str, limits: Limits) -> None:
    if "\x00" in name + text:
        raise Fault("forbidden-character", column=name.replace("\x00", "\ufffd")[:80])
    if len(text) > limits.property_bytes:
        raise Fault("value-too-long", column=name[:80], characters=len(text))


def _text_of(value: Any) -> str:
    """Return a value as the text it will be read as; numbers and truth values are short."""
    if isinstance(value, (dict, list)):
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError:  # nested deeper than it can be written
            raise Fault("broken-properties") from None
    return value if isinstance(value, str) else ""


def _geometry(feature: Any) -> Any:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Fault("not-a-feature")
    return feature.get("geometry")


def _kind(geometry: Any) -> str:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    # a list may stand there, and no list is a key
    if not isinstance(kind, str) or kind not in DEPTH:
        raise Fault("wrong-shape", kind=str(kind)[:40])
    return kind


def _positions(coordinates: Any, depth: int) -> Iterator[Any]:
    """Yield the positions that lie `depth` lists deep."""
    if not depth:
        yield coordinates
        return
    if not (isinstance(coordinates, list) and coordinates):
        raise Fault("no-geometry")
    for part in coordinates:
        yield from _positions(part, depth - 1)


def _flat(coordinates: Any, depth: int) -> Any:
    """Return checked coordinates without heights and measures."""
    if not depth:
        return coordinates[:2]
    return [_flat(part, depth - 1) for part in coordinates]


def _checked_positions(coordinates: Any, depth: int) -> int:
    """Return how many positions there are; each must be two to four numbers."""
    vertex = -1
    for vertex, position in enumerate(_positions(coordinates, depth)):
        if not _is_position(position):
            raise Fault("not-a-coordinate", vertex=vertex, at=str(position)[:60])
    return vertex + 1


def _is_position(position: Any) -> bool:
    if not isinstance(position, list) or not 2 <= len(position) <= 4:
        return False
    # bool is an int in Python, and no coordinate
    return all(type(value) in (int, float) for value in position)


def _check_runs(coordinates: Any, kind: str) -> None:
    """Refuse lines of one position, rings of three, and rings that are not closed."""
    if kind not in LEAST:
        return
    for run in _positions(coordinates, DEPTH[kind] - 1):
        if len(run) < LEAST[kind]:
            raise Fault("ring-too-short", positions=len(run))
        if kind in RINGED and run[0] != run[-1]:
            raise Fault("ring-not-closed", at=run[0][:2])
