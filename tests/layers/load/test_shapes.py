"""Geometry checks: each kind of fault by its word, with the vertex or coordinate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from layers.load.limits import Limits
from layers.load.shapes import AREAS, POINTS, Fault, shape_faults

BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
HOLE_OUTSIDE = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(5, 5), (6, 5), (6, 6)]])
NESTED = MultiPolygon([box(0, 0, 9, 9), box(1, 1, 2, 2)])
TWICE = MultiPolygon([box(0, 0, 1, 1), box(0, 0, 1, 1)])


def faults(*shapes: Any, **options: Any) -> dict[int, Fault]:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return shape_faults(array, **options)


@pytest.mark.parametrize(
    "shape", [Point(121, 25), LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1), Point(180, -90)]
)
def test_sound_geometry_has_no_fault(shape: Any) -> None:
    assert faults(shape) == {}


@pytest.mark.parametrize("shape", [None, Point(), Polygon(), shapely.GeometryCollection()])
def test_missing_or_empty(shape: Any) -> None:
    assert faults(shape) == {0: ("no-geometry", {})}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_names_the_vertex(value: float) -> None:
    with np.errstate(invalid="ignore"):
        line = shapely.linestrings([[0, 0], [1, 1], [value, 2]])
    code, facts = faults(Point(0, 0), line)[1]
    assert (code, facts["vertex"]) == ("not-finite", 2)


@pytest.mark.parametrize(
    ("lonlat", "code"),
    [
        ((999, 25), "out-of-range"),
        ((121, 95), "out-of-range"),
        ((33.3, 108.3), "looks-swapped"),
        ((25, 121), "looks-swapped"),
        ((25.0, -121.5), "looks-swapped"),
        ((181, 0), "out-of-range"),
        ((0, 200), "out-of-range"),
    ],
)
def test_degrees_out_of_range_or_swapped(lonlat: tuple[float, float], code: str) -> None:
    assert faults(Point(lonlat))[0][0] == code


@pytest.mark.parametrize("shape", [BOW_TIE, HOLE_OUTSIDE, NESTED, TWICE])
def test_an_invalid_area_is_named_with_the_coordinate_of_its_fault(shape: Any) -> None:
    code, facts = faults(shape)[0]
    assert code == "invalid-polygon"
    assert len(facts["at"]) == 2
    assert facts["reason"]


def test_the_bow_tie_is_faulty_where_it_crosses() -> None:
    assert faults(BOW_TIE)[0][1] == {"reason": "Self-intersection", "at": [0.5, 0.5]}


def test_kinds_that_are_not_allowed() -> None:
    found = faults(Point(0, 0), box(0, 0, 1, 1), allowed=AREAS)
    assert found == {0: ("wrong-shape", {"kind": "Point"})}
    assert faults(box(0, 0, 1, 1), allowed=POINTS)[0][0] == "wrong-shape"


def test_too_many_vertices_are_not_even_asked_whether_they_are_valid() -> None:
    angles = np.random.default_rng(1).permutation(np.linspace(0, 6, 2_000))
    tangle = shapely.polygons(np.column_stack([np.cos(angles), np.sin(angles)]))
    assert faults(tangle, limits=Limits(vertices=1_999))[0][0] == "too-many-vertices"


def test_a_star_of_very_many_spikes_is_not_asked_whether_it_is_valid() -> None:
    turns = np.linspace(0, 6.28, 20_000)
    far = np.where(np.arange(len(turns)) % 2, 1.0, 0.1)
    star = shapely.polygons(np.column_stack([far * np.cos(turns), far * np.sin(turns)]))
    assert faults(star, box(0, 0, 1, 1)) == {0: ("too-intricate", {"vertices": 20_001})}
    assert faults(Point(0, 0).buffer(1, quad_segs=5_000)) == {}


def test_the_first_fault_counts() -> None:
    crossed_and_far = Polygon([(900, 0), (901, 1), (901, 0), (900, 1)])
    assert faults(crossed_and_far)[0][0] == "out-of-range"


def test_no_shapes_have_no_faults() -> None:
    assert faults() == {}


ring = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=7)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(ring, min_size=1, max_size=4))
def test_faults_are_exactly_what_geos_calls_invalid(rings: list[list[tuple[int, int]]]) -> None:
    polygons = [Polygon(points) for points in rings]
    expected = [n for n, polygon in enumerate(polygons) if not polygon.is_valid]
    assert sorted(faults(*polygons)) == expected
