"""GeoJSON: sound features are read, faulty ones have a reason, and no member leads elsewhere."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.geojson import geojson_rows
from layers.load.limits import Limits

SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]


def shape(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


def collection(*shapes: Any, **members: Any) -> bytes:
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": each}
        for n, each in enumerate(shapes)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features, **members})


@pytest.mark.parametrize(
    "one",
    [
        shape("Point", [121.5, 25.0]),
        shape("Point", [121.5, 25.0, 7.0]),
        shape("MultiPoint", [[0, 0], [1, 1]]),
        shape("LineString", [[0, 0], [1, 1]]),
        shape("MultiLineString", [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),
        shape("Polygon", SQUARE),
        shape("MultiPolygon", [SQUARE]),
    ],
)
def test_every_kind_of_geometry_is_read_as_shapely_reads_it(one: dict[str, Any]) -> None:
    rows = geojson_rows(collection(one))
    assert rows.geometry is not None
    expected = shapely.force_2d(shapely.from_geojson(orjson.dumps(one)))
    assert shapely.equals_exact(rows.geometry[0], expected)
    assert rows.crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (shape("Point", ["121", "25"]), "not-a-coordinate"),
        (shape("Point", [121]), "not-a-coordinate"),
        (shape("Point", [1, 2, 3, 4, 5]), "not-a-coordinate"),
        (shape("Point", [True, False]), "not-a-coordinate"),
        (shape("Point", [None, 1]), "not-a-coordinate"),
        (shape("Point", 7), "not-a-coordinate"),
        (shape("LineString", []), "no-geometry"),
        (shape("LineString", [[0, 0]]), "ring-too-short"),
        (shape("Polygon", []), "no-geometry"),
        (shape("Polygon", [[]]), "no-geometry"),
        (shape("Polygon", [[[0, 0], [1, 1], [0, 0]]]), "ring-too-short"),
        (shape("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), "ring-not-closed"),
        (shape("Polygon", [[0, 0], [1, 0]]), "not-a-coordinate"),
        (shape("Circle", [0, 0]), "wrong-shape"),
        ({"type": "GeometryCollection", "geometries": []}, "wrong-shape"),
        ("POINT(1 2)", "wrong-shape"),
    ],
)
def test_a_faulty_geometry_is_rejected_alone(one: Any, code: str) -> None:
    rows = geojson_rows(collection(shape("Point", [1, 2]), one, shape("Point", [3, 4])))
    assert [(r.row, r.code) for r in rows.rejected] == [(2, code)]
    assert rows.table["n"].tolist() == [0, 2]
    assert rows.geometry is not None
    assert len(rows.geometry) == 2


def test_a_fault_names_its_vertex() -> None:
    rows = geojson_rows(collection(shape("LineString", [[0, 0], [1, 1], ["x", 2]])))
    assert rows.rejected[0].facts["vertex"] == 2


def test_a_feature_without_geometry_is_kept_as_such() -> None:
    rows = geojson_rows(collection(None))
    assert rows.geometry is not None
    assert rows.geometry.tolist() == [None]


def test_deeply_nested_collections_are_refused_without_reading_them() -> None:
    nested = b'{"type":"GeometryCollection","geometries":[' * 50_000 + b"]}" * 50_000
    with pytest.raises(Unsupported) as refused:
        geojson_rows(nested)
    assert refused.value.code == "not-json"


def test_a_position_nested_too_deep_is_no_position() -> None:
    deep: Any = [1.0, 2.0]
    for _ in range(200):
        deep = [deep]
    assert geojson_rows(collection(shape("MultiPolygon", deep))).rejected


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/x", "type": "proj4"}},
        {"type": "name", "properties": {"name": "EPSG:3857"}},
        {"type": "name", "properties": {"name": ["EPSG:4326"]}},
        {"type": "name"},
        "EPSG:4326",
        7,
    ],
)
def test_another_crs_or_a_link_to_one_is_refused(crs: Any) -> None:
    with pytest.raises(Refused) as refused:
        geojson_rows(collection(shape("Point", [1, 2]), crs=crs))
    assert refused.value.code == "crs-not-allowed"


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4490"])
def test_degrees_by_name_are_taken(name: str) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    rows = geojson_rows(collection(shape("Point", [1, 2]), crs=crs))
    assert rows.crs in {"EPSG:4326", "EPSG:4490"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b'{"type": "Topology"}',
        b'{"type": "FeatureCollection", "features": 3}',
        b'{"type": "Point", "coordinates": [NaN, 1]}',
        b'{"type": "Point", "coordinates": [1e400, 1]}',
        b'{"type": "Point", "coordinates": [' + b"9" * 5_000 + b", 1]}",
        '{"type": "Point", "coordinates": [1, 2]}'.encode("utf-16"),
        b'{"type": "Feature", "properties": {"a": "\\ud83d"}, "geometry": null}',
    ],
)
def test_what_is_no_geojson_is_refused(data: bytes) -> None:
    with pytest.raises(Unsupported):
        geojson_rows(data)


def test_a_bom_is_passed_over() -> None:
    assert geojson_rows(b"\xef\xbb\xbf" + collection(shape("Point", [1, 2]))).count == 1


def test_a_bare_geometry_and_a_bare_feature_are_one_row() -> None:
    point = shape("Point", [1, 2])
    feature = {"type": "Feature", "properties": None, "geometry": point}
    assert geojson_rows(orjson.dumps(point)).count == 1
    assert geojson_rows(orjson.dumps(feature)).count == 1


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"a": "x\x00y"}, "forbidden-character"),
        ({"a\x00": 1}, "forbidden-character"),
        ({"a": "x" * 5_000}, "value-too-long"),
        ({f"p{n}": n for n in range(201)}, "broken-properties"),
        ([1, 2], "broken-properties"),
    ],
)
def test_bad_properties_reject_their_feature(properties: Any, code: str) -> None:
    feature = {"type": "Feature", "properties": properties, "geometry": shape("Point", [1, 2])}
    data = orjson.dumps({"type": "FeatureCollection", "features": [feature, 7]})
    assert [r.code for r in geojson_rows(data).rejected] == [code, "not-a-feature"]


def test_too_many_features_and_too_many_vertices() -> None:
    data = collection(*[shape("Point", [1, 2])] * 3)
    with pytest.raises(TooLarge):
        geojson_rows(data, limits=Limits(features=2))
    line = shape("LineString", [[n / 100, 0] for n in range(50)])
    rows = geojson_rows(collection(line), limits=Limits(vertices=49))
    assert [r.code for r in rows.rejected] == ["too-many-vertices"]


def test_hostile_text_stays_text() -> None:
    name = "{{7*7}}</script><img src=x onerror=alert(1)>\u2028"
    feature = {"type": "Feature", "properties": {"name": name}, "geometry": None}
    assert geojson_rows(orjson.dumps(feature)).table["name"].tolist() == [name]


numbers = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=4)
anything = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)
kinds = st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection"])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(kinds, anything), min_size=1, max_size=5))
def test_any_coordinates_are_read_or_rejected(shapes: list[tuple[str, Any]]) -> None:
    rows = geojson_rows(collection(*(shape(kind, inner) for kind, inner in shapes)))
    assert rows.count == len(shapes)
    assert rows.geometry is not None
    assert len(rows.geometry) == len(rows.table)
