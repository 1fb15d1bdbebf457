"""Borders through blocks: lines that leave the block, and none where the border is the block's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.incoming.balance import Balance, balanced
from grid_boundaries.incoming.concerned import concerned, overlaid
from grid_boundaries.incoming.crossing import borders_through
from grid_boundaries.redraw import split
from tests.grid_boundaries.incoming.kit import SRID, layer, repaired

WHOLE = box(0, 0, 100, 100)
BLOCKS = GeoDataFrame({"kind": ["x"]}, geometry=[WHOLE], crs=SRID, index=["B000001"])


def lines(**shapes: BaseGeometry) -> dict[str, Any]:
    return dict(borders_through(BLOCKS, repaired(layer(**shapes), box(-50, -50, 200, 200))))


def test_a_border_across_leaves_the_block_at_both_ends() -> None:
    found = lines(a=box(-50, -50, 40, 200), b=box(40, -50, 200, 200))["B000001"]
    assert isinstance(found, LineString)
    assert found.bounds[1] < 0
    assert found.bounds[3] > 100
    parts = split(BLOCKS, "B000001", found).geometry
    assert sorted(parts.area.round(6)) == [4000, 6000]


def test_a_border_along_the_blocks_own_cuts_nothing() -> None:
    assert lines(a=box(-50, -50, 0.3, 200), b=box(0.3, -50, 200, 200)) == {}


def test_a_layer_elsewhere_cuts_nothing() -> None:
    assert lines(a=box(120, 120, 200, 200)) == {}
    assert dict(borders_through(BLOCKS.iloc[:0], repaired(layer(a=WHOLE)))) == {}


def test_three_grids_that_meet_inside_cut_a_block_in_three() -> None:
    found = lines(a=box(-50, -50, 50, 200), b=box(50, -50, 200, 50), c=box(50, 50, 200, 200))[
        "B000001"
    ]
    parts = split(BLOCKS, "B000001", found).geometry
    assert sorted(parts.area.round(6)) == [2500, 2500, 5000]


def test_a_grid_inside_a_block_is_cut_out_whole() -> None:
    found = lines(a=box(30, 30, 60, 60), b=box(-50, -50, 200, 200).difference(box(30, 30, 60, 60)))
    parts = split(BLOCKS, "B000001", found["B000001"]).geometry
    assert sorted(parts.area.round(6)) == [900, 9100]


def test_shared_ground_is_that_of_every_pair() -> None:
    first = np.array([box(0, 0, 10, 10), box(20, 0, 30, 10)], dtype=object)
    second = np.array([box(5, 0, 25, 10), box(-5, -5, 15, 15)], dtype=object)
    found = overlaid(first, second)
    assert found[["a", "b", "area_m2"]].to_numpy().tolist() == [[0, 0, 50], [0, 1, 100], [1, 0, 50]]
    assert found["shape"][1].equals(first[0])


def test_ground_that_only_touches_is_not_shared() -> None:
    first = np.array([box(0, 0, 10, 10)], dtype=object)
    second = np.array([box(10, 0, 20, 10), box(10, 10, 20, 20)], dtype=object)
    assert overlaid(first, second).empty


def test_people_on_overlapping_shapes_are_counted_on_each() -> None:
    blocks = GeoDataFrame({"people": [8], "households": [4]}, geometry=[WHOLE], crs=SRID)
    shapes = np.array([box(0, 0, 50, 100), WHOLE, box(300, 0, 310, 10)], dtype=object)
    assert concerned(shapes, blocks).to_numpy().tolist() == [[4, 2], [8, 4], [0, 0]]


coordinate = st.integers(0, 20)
rectangles = st.lists(
    st.tuples(coordinate, coordinate, st.integers(1, 9), st.integers(1, 9)), max_size=6
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(rectangles, rectangles)
def test_shared_ground_agrees_with_brute_force(
    one: list[tuple[int, int, int, int]], other: list[tuple[int, int, int, int]]
) -> None:
    first, second = (
        np.array([box(x, y, x + w, y + h) for x, y, w, h in side], dtype=object)
        for side in (one, other)
    )
    found = overlaid(first, second)
    told = {(a, b): area for a, b, area in
            zip(found["a"], found["b"], found["area_m2"], strict=True)}  # fmt: skip
    expected = {
        (a, b): mine.intersection(theirs).area
        for a, mine in enumerate(first)
        for b, theirs in enumerate(second)
        if mine.intersection(theirs).area > 0
    }
    assert told == pytest.approx(expected)
    assert list(told) == sorted(told)


def test_a_face_goes_where_it_evens_out_most() -> None:
    balance = Balance(np.array([100.0, 100.0]), np.array([110.0, 90.0]))
    region = balanced(np.array([0, 1]), np.array([10.0, 90.0]), {0: [0, 1]}, balance)
    assert region.tolist() == [1, 1]
    assert balance.held_m2.tolist() == [100, 100]
    assert balance.off().tolist() == [0, 0]


def test_a_face_that_would_make_it_worse_stays() -> None:
    balance = Balance(np.array([100.0, 100.0]), np.array([100.0, 100.0]))
    assert balanced(np.array([0]), np.array([10.0]), {0: [0, 1]}, balance).tolist() == [0]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 25))
def test_evening_out_never_makes_grids_more_off_and_keeps_the_sum(
    seed: int, grids: int, faces: int
) -> None:
    rng = np.random.default_rng(seed)
    region, area_m2 = rng.integers(0, grids, faces), rng.uniform(0.1, 30, faces)
    held_m2 = np.asarray(np.bincount(region, area_m2, minlength=grids) + 1000.0, dtype=np.float64)
    balance = Balance(1000 + rng.uniform(0, 100, grids), held_m2.copy())
    before = float((balance.off() ** 2).sum())
    choices = {face: sorted({int(region[face]), int(rng.integers(0, grids))})
               for face in range(faces)}  # fmt: skip
    after = balanced(region, area_m2, choices, balance)
    assert float((balance.off() ** 2).sum()) <= before + 1e-12
    assert balance.held_m2.sum() == pytest.approx(held_m2.sum())
    now_m2 = np.bincount(after, area_m2, minlength=grids) + 1000.0
    assert balance.held_m2 == pytest.approx(now_m2)
    assert all(after[face] in takers for face, takers in choices.items())
