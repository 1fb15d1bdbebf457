"""One GeoJSON feature: whatever stands in a member, it is taken whole or has a reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.load.feature import DEPTH, LEAST, Fault, properties_of, shape_of
from layers.load.limits import DEFAULT, Limits
from layers.load.reasons import REASONS

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 0]]


def feature(kind: Any, coordinates: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}}


def fault(one: Any, limits: Limits = DEFAULT) -> Fault:
    with pytest.raises(Fault) as raised:
        shape_of(one, limits)
    assert raised.value.code in REASONS
    return raised.value


@pytest.mark.parametrize(
    "odd", [None, 7, "Feature", [], {}, {"type": "feature"}, {"type": ["Feature"]}]
)
def test_what_is_no_feature_is_named_so(odd: Any) -> None:
    assert fault(odd).code == "not-a-feature"


@pytest.mark.parametrize(
    "kind", ["GeometryCollection", "point", "", None, 3, ["Point"], {"a": 1}, True, "Curve" * 20]
)
def test_a_kind_that_is_not_taken_is_named_and_cut_short(kind: Any) -> None:
    found = fault(feature(kind, [1, 2]))
    assert found.code == "wrong-shape"
    assert found.facts["kind"] == str(kind)[:40]


@pytest.mark.parametrize("geometry", [5, "Point", [], [1, 2], True])
def test_a_geometry_that_is_no_object_is_of_no_kind(geometry: Any) -> None:
    assert fault({"type": "Feature", "geometry": geometry}).code == "wrong-shape"


@pytest.mark.parametrize("kind", sorted(set(DEPTH) - {"Point"}))
@pytest.mark.parametrize("coordinates", [None, [], {}, "x", 0, True])
def test_coordinates_that_hold_nothing_are_no_geometry(kind: str, coordinates: Any) -> None:
    assert fault(feature(kind, coordinates)).code == "no-geometry"


@pytest.mark.parametrize(
    "position",
    [
        None,
        [],
        [1],
        [1, 2, 3, 4, 5],
        ["1", "2"],
        [1, None],
        [True, False],
        [[1, 2]],
        {"x": 1},
        "12",
    ],
)
@pytest.mark.parametrize("kind", ["Point", "LineString"])
def test_what_is_no_position_is_named_with_its_vertex(kind: str, position: Any) -> None:
    coordinates = position if kind == "Point" else [[0, 0], position]
    found = fault(feature(kind, coordinates))
    assert found.code == "not-a-coordinate"
    assert found.facts["vertex"] == (0 if kind == "Point" else 1)
    assert len(found.facts["at"]) <= 60


@pytest.mark.parametrize(
    ("kind", "coordinates", "code"),
    [
        ("LineString", [[0, 0]], "ring-too-short"),
        ("MultiLineString", [[[0, 0], [1, 1]], [[2, 2]]], "ring-too-short"),
        ("Polygon", [SQUARE[:3]], "ring-too-short"),
        ("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]], "ring-not-closed"),
        ("Polygon", [SQUARE, [[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1]]], "ring-not-closed"),
        ("MultiPolygon", [[SQUARE], [SQUARE[:3]]], "ring-too-short"),
        # closed on the plane, but not at the same height
        ("Polygon", [[[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 0, 2]]], "ring-not-closed"),
    ],
)
def test_short_and_open_runs_are_named(kind: str, coordinates: Any, code: str) -> None:
    assert fault(feature(kind, coordinates)).code == code


@pytest.mark.parametrize("dimensions", [2, 3, 4])
@pytest.mark.parametrize("kind", sorted(DEPTH))
def test_heights_and_measures_are_left_behind(kind: str, dimensions: int) -> None:
    more = [7.0] * (dimensions - 2)
    run: Any = [[*at, *more] for at in SQUARE]
    coordinates = run[0] if kind == "Point" else run
    for _ in range(DEPTH[kind] - 1):
        coordinates = [coordinates]
    shape = shape_of(feature(kind, coordinates), DEFAULT)
    assert not shape.has_z
    assert shape.geom_type == kind
    assert shapely.get_coordinates(shape)[0].tolist() == [0.0, 0.0]


def test_a_feature_without_a_geometry_has_none() -> None:
    assert shape_of({"type": "Feature"}, DEFAULT) is None
    assert shape_of({"type": "Feature", "geometry": None}, DEFAULT) is None


def test_the_limit_of_vertices_is_the_last_that_is_taken() -> None:
    line = feature("LineString", [[n, 0] for n in range(10)])
    assert shape_of(line, Limits(vertices=10)).length == 9
    assert fault(line, Limits(vertices=9)).facts == {"vertices": 10}


@pytest.mark.parametrize("kind", sorted(LEAST))
@pytest.mark.parametrize("depth", [9, 200, 900])
def test_nesting_costs_no_more_than_it_is_deep(kind: str, depth: int) -> None:
    deep: Any = [1.0, 2.0]
    for _ in range(depth):
        deep = [deep]
    assert fault(feature(kind, deep)).code in {"not-a-coordinate", "no-geometry"}


@pytest.mark.parametrize("given", [None, {}, [], "", 0, False])
def test_no_properties_are_none(given: Any) -> None:
    assert properties_of({"properties": given}, DEFAULT) == {}
    assert properties_of({}, DEFAULT) == {}


@pytest.mark.parametrize("given", [[1], "text", 5, True])
def test_properties_that_are_no_object_are_broken(given: Any) -> None:
    with pytest.raises(Fault, match="broken-properties"):
        properties_of({"properties": given}, DEFAULT)


def test_properties_are_kept_as_they_are() -> None:
    given = {
        "名称": "宁陕",
        "n": 1,
        "x": 1.5,
        "b": True,
        "none": None,
        "list": [1, "a"],
        "o": {"a": 1},
    }
    assert properties_of({"properties": given}, DEFAULT) == given


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\x00b", "forbidden-character"),
        ("x" * 4_097, "value-too-long"),
        (["y" * 5_000], "value-too-long"),
        ({"deep": {"er": "z" * 5_000}}, "value-too-long"),
    ],
)
def test_a_value_that_is_not_taken_names_its_column(value: Any, code: str) -> None:
    with pytest.raises(Fault) as raised:
        properties_of({"properties": {"ok": 1, "列": value}}, DEFAULT)
    assert (raised.value.code, raised.value.facts["column"]) == (code, "列")


def test_a_value_of_just_the_length_is_taken() -> None:
    assert properties_of({"properties": {"a": "x" * 4_096}}, DEFAULT)["a"] == "x" * 4_096


def test_a_name_with_a_nul_is_shown_without_it() -> None:
    with pytest.raises(Fault) as raised:
        properties_of({"properties": {"a\x00" * 60: 1}}, DEFAULT)
    assert "\x00" not in raised.value.facts["column"]
    assert len(raised.value.facts["column"]) == 80


def test_the_limit_of_properties_is_the_last_that_is_taken() -> None:
    given = {f"p{n}": n for n in range(5)}
    assert properties_of({"properties": given}, Limits(properties=5)) == given
    with pytest.raises(Fault, match="broken-properties"):
        properties_of({"properties": given}, Limits(properties=4))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-200, 200) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=15,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(json_values, json_values, st.sampled_from([*DEPTH, "GeometryCollection"]) | json_values)
def test_any_json_is_a_shape_or_a_fault_with_a_known_word(
    coordinates: Any, properties: Any, kind: Any
) -> None:
    one = {**feature(kind, coordinates), "properties": properties}
    for read in (shape_of, properties_of):
        try:
            read(one, DEFAULT)
        except Fault as found:
            assert found.code in REASONS
            orjson.dumps(found.facts)


points = st.tuples(st.integers(-170, 170), st.integers(-80, 80)).map(list)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.lists(points, min_size=3, max_size=7), min_size=1, max_size=3))
def test_closed_rings_are_read_as_shapely_reads_them(rings: list[list[list[int]]]) -> None:
    closed = [[*ring, ring[0]] for ring in rings]
    shape = shape_of(feature("Polygon", closed), DEFAULT)
    expected = shapely.Polygon(closed[0], closed[1:])
    assert shapely.get_coordinates(shape).tolist() == shapely.get_coordinates(expected).tolist()
    assert shapely.get_num_interior_rings(shape) == len(rings) - 1
