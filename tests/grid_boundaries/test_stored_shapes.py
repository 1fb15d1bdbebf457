"""Ground is stored as multipolygons, whose bytes are the same however often they are made."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import multipolygon, stored_wkb

HOLED = Polygon(box(0, 0, 9, 9).exterior, [box(1, 1, 2, 2).exterior])
TOUCHING = MultiPolygon([box(0, 0, 1, 1), box(1, 1, 2, 2)])
SHAPES = [box(108.3, 33.3, 108.4, 33.4), HOLED, TOUCHING, MultiPolygon([HOLED]), MultiPolygon()]
degrees = st.floats(-180, 180, allow_nan=False).map(lambda value: round(value, 9))
some = settings(derandomize=True, deadline=None, max_examples=200)


@pytest.mark.parametrize("shape", SHAPES)
def test_any_ground_becomes_a_multipolygon_of_the_same_rings(shape: BaseGeometry) -> None:
    found = multipolygon(shape)
    assert isinstance(found, MultiPolygon)
    assert shapely.equals_exact(shapely.get_parts(found), shapely.get_parts(shape)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_multipolygon_stays_what_it_is(shape: BaseGeometry) -> None:
    once = multipolygon(shape)
    assert multipolygon(once) is once


def test_an_empty_polygon_is_ground_of_no_area() -> None:
    found = multipolygon(Polygon())
    assert isinstance(found, MultiPolygon)
    assert found.is_empty


@given(degrees, degrees, st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
@some
def test_bytes_read_back_are_the_same_bytes(
    west: float, south: float, wide: float, high: float
) -> None:
    shape = box(west, south, west + wide, south + high)
    wkb = stored_wkb(shape)
    again = shapely.from_wkb(wkb)
    assert stored_wkb(again) == wkb
    assert shapely.get_coordinates(again).tolist() == shapely.get_coordinates(shape).tolist()


def test_a_polygon_and_its_multipolygon_have_the_same_bytes() -> None:
    assert stored_wkb(HOLED) == stored_wkb(MultiPolygon([HOLED]))
