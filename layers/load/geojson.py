"""GeoJSON files, read without GDAL: one object, its features, and the CRS it may name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pandas as pd

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.feature import DEPTH, Fault, properties_of, shape_of
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rejection, Rows

CRS_NAMES = {
    "urn:ogc:def:crs:OGC:1.3:CRS84": "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326": "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4490": "EPSG:4490",
    "EPSG:4326": "EPSG:4326",
    "EPSG:4490": "EPSG:4490",
    # CGCS2000 in 3-degree zones, as our own exchange files state it
    **{f"urn:ogc:def:crs:EPSG::{srid}": f"EPSG:{srid}" for srid in range(4513, 4555)},
}


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
        A `crs` member that names anything but CRS84, EPSG:4326, EPSG:4490 or a CGCS2000 zone (a
        link is never followed), or an object with a key twice.
    TooLarge
        More features than the limit.
    """
    whole = _parsed(data.removeprefix(b"\xef\xbb\xbf"))
    crs, features = _crs(whole), _features(whole)
    _check_count(len(features), limits)
    rejected: list[Rejection] = []
    taken: dict[int, tuple[Any, dict[str, Any]]] = {}
    for number, feature in enumerate(features, start=1):
        try:
            taken[number] = shape_of(feature, limits), properties_of(feature, limits)
        except Fault as fault:
            rejected.append(Rejection(number, fault.code, fault.facts))
    # the last None keeps numpy from looking inside
    shapes = np.array([*(shape for shape, _ in taken.values()), None], dtype=object)[:-1]
    properties = [values for _, values in taken.values()]
    table = pd.DataFrame(properties, index=list(taken), dtype=object)
    return Rows(table, tuple(rejected), shapes, crs)


def _check_count(features: int, limits: Limits) -> None:
    if features > limits.features:
        raise TooLarge(
            "too-many-rows",
            f"超过 {limits.features} 个要素；请分成几个文件",
            f"More than {limits.features} features; split the file",
            limit=limits.features,
        )


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(text)
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
    _refuse_repeated_keys(text)
    return whole


def _refuse_repeated_keys(text: bytes) -> None:
    """Refuse an object with the same key twice: which of the two is meant nobody can tell."""
    try:
        json.loads(text, object_pairs_hook=_checked_pairs)
    except RecursionError:
        raise Unsupported(
            "not-json", "JSON 嵌套过深", "The JSON is nested too deep to be read"
        ) from None


def _checked_pairs(pairs: list[tuple[str, Any]]) -> None:
    keys = [key for key, _ in pairs]
    if len(set(keys)) == len(keys):
        return
    key = next(key for key in keys if keys.count(key) > 1)[:80]
    raise Refused(
        "key-twice",
        f"同一对象中“{key}”出现两次，无法判断以哪个为准；请改正后再导入",
        f"One object has the key {key!r} twice; nobody can tell which is meant",
        key=key,
    )


def _features(whole: Mapping[str, Any]) -> list[Any]:
    kind, features = whole.get("type"), whole.get("features")
    if kind == "FeatureCollection" and isinstance(features, list):
        return features
    if kind == "Feature":
        return [whole]
    if isinstance(kind, str) and kind in DEPTH:
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
            "GeoJSON 的 crs 只能是 CRS84、EPSG:4326、EPSG:4490 或 EPSG:4513–4554",
            "The crs of GeoJSON may only be CRS84, EPSG:4326, EPSG:4490 or EPSG:4513 to 4554",
            crs=str(name)[:80],
        )
    return CRS_NAMES[name]
