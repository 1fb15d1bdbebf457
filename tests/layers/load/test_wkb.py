"""WKB of strangers: whatever passes may be read, whatever is refused would have hurt."""

from __future__ import annotations

import struct
from typing import Literal

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.load.limits import Limits
from layers.load.wkb import shapes_of, wkb_fault

SHAPES = [
    Point(1, 2),
    Point(1, 2, 3),
    Point(),
    LineString([(0, 0), (1, 1)]),
    box(0, 0, 1, 1),
    Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (2, 1), (2, 2)]]),
    MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]),
    shapely.MultiPoint([(0, 0), (1, 1)]),
    shapely.GeometryCollection([Point(0, 0), box(0, 0, 1, 1)]),
    Polygon(),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_sound_geometry_passes_in_either_order_and_flavour(
    shape: BaseGeometry, byte_order: int, flavor: Literal["iso", "extended"]
) -> None:
    assert wkb_fault(shapely.to_wkb(shape, byte_order=byte_order, flavor=flavor)) is None


@pytest.mark.parametrize("srid", [4326, 4490])
def test_a_known_srid_passes(srid: int) -> None:
    point = shapely.set_srid(Point(1, 2), srid)
    assert wkb_fault(shapely.to_wkb(point, include_srid=True)) is None


@pytest.mark.parametrize("srid", [3857, 999_999])
def test_another_srid_is_broken(srid: int) -> None:
    point = shapely.set_srid(Point(1, 2), srid)
    assert wkb_fault(shapely.to_wkb(point, include_srid=True)) == "broken-geometry"


@pytest.mark.parametrize("depth", [9, 200, 50_000, 200_000])
def test_nesting_beyond_the_bound_is_refused_without_recursion(depth: int) -> None:
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * depth + shapely.to_wkb(Point(0, 0))
    assert wkb_fault(nested) == "nested-too-deep"


def test_nesting_within_the_bound_passes() -> None:
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 8 + shapely.to_wkb(Point(0, 0))
    assert wkb_fault(nested) is None


@pytest.mark.parametrize("kind", [2, 3, 4, 6, 7])
def test_a_lying_count_is_broken(kind: int) -> None:
    assert wkb_fault(struct.pack("<BII", 1, kind, 0x7FFFFFFF)) == "broken-geometry"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01", b"\x02\x01\x00\x00\x00", struct.pack("<BI", 1, 99), struct.pack("<BI", 1, 9001)],
)
def test_what_is_no_geometry_is_broken(data: bytes) -> None:
    assert wkb_fault(data) == "broken-geometry"


def test_bytes_left_over_are_broken() -> None:
    assert wkb_fault(shapely.to_wkb(Point(1, 2)) + b"\x00") == "broken-geometry"


def test_too_many_vertices() -> None:
    line = shapely.to_wkb(LineString([(n, 0) for n in range(11)]))
    assert wkb_fault(line, limits=Limits(vertices=10)) == "too-many-vertices"
    assert wkb_fault(line, limits=Limits(vertices=11)) is None


def test_shapes_keep_their_places_beside_the_faulty_ones() -> None:
    shapes, faults = shapes_of([shapely.to_wkb(Point(1, 2)), b"junk", None])
    assert shapes[0] == Point(1, 2)
    assert shapes[1] is None
    assert faults == {1: "broken-geometry"}


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(SHAPES), st.integers(0, 60), st.binary(min_size=1, max_size=9))
def test_a_damaged_geometry_is_read_or_named_broken_and_never_kills(
    shape: BaseGeometry, place: int, junk: bytes
) -> None:
    data = shapely.to_wkb(shape)
    damaged = data[:place] + junk + data[place + len(junk) :]
    shapes, faults = shapes_of([damaged])
    assert (shapes[0] is None) == (0 in faults)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_named_broken(data: bytes) -> None:
    shapes, faults = shapes_of([data])
    assert (shapes[0] is None) == (0 in faults)
