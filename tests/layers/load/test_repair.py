"""Repair in a child: every polygon comes back valid or not at all, and none holds up the rest."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from layers.load.limits import Limits
from layers.load.repair import repaired

BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
RETRACED = Polygon([(0, 0), (4, 0), (4, 4), (2, 4), (2, 6), (2, 4), (0, 4)])
SPIKE = Polygon([(0, 0), (1, 0), (0, 0)])


def test_a_bow_tie_becomes_its_two_halves() -> None:
    (mended,) = repaired([BOW_TIE])
    assert mended.is_valid
    assert mended.area == pytest.approx(2.0)


def test_a_retraced_edge_is_dropped() -> None:
    (mended,) = repaired([RETRACED])
    assert mended.equals(box(0, 0, 4, 4))


def test_twice_the_same_part_is_one() -> None:
    (mended,) = repaired([MultiPolygon([box(0, 0, 1, 1), box(0, 0, 1, 1)])])
    assert mended.equals(box(0, 0, 1, 1))


def test_what_has_no_area_cannot_be_repaired() -> None:
    assert repaired([SPIKE]) == [None]


def test_places_are_kept_among_the_hopeless() -> None:
    mended = repaired([SPIKE, BOW_TIE, SPIKE, RETRACED])
    assert [shape is None for shape in mended] == [True, False, True, False]
    assert mended[3].equals(box(0, 0, 4, 4))


def test_nothing_to_repair_starts_nothing() -> None:
    assert repaired([]) == []


def test_one_that_kills_its_child_is_given_up_and_the_rest_go_on() -> None:
    # a tangle of 3,000 vertices has millions of crossings, more than the memory allowed here
    turns = np.random.default_rng(7).uniform(0, 2 * np.pi, 3_000)
    tangle = shapely.polygons(np.column_stack([np.cos(turns), np.sin(turns)]))
    mended = repaired([BOW_TIE, tangle, RETRACED], limits=Limits(reader_memory_bytes=512 << 20))
    assert mended[0].area == pytest.approx(2.0)
    assert mended[1] is None
    assert mended[2].equals(box(0, 0, 4, 4))


@settings(derandomize=True, deadline=None, max_examples=4)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=9),
        min_size=30,
        max_size=60,
    )
)
def test_whatever_comes_back_is_valid_and_within_the_outline(
    rings: list[list[tuple[int, int]]],
) -> None:
    polygons = [Polygon(ring) for ring in rings]
    for polygon, mended in zip(polygons, repaired(polygons), strict=True):
        if mended is not None:
            assert mended.is_valid
            assert polygon.convex_hull.buffer(1e-9).covers(mended)
