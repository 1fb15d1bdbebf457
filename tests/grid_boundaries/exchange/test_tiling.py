"""Whether polygons tile a block, told by their edges: held against unions and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.exchange.tiling import borders, tiles
from tests.ground import crooked_tiles

CLOSE = 1e-7
SQUARE = shapely.box(0, 0, 2, 2)
WEST, EAST = shapely.box(0, 0, 1, 2), shapely.box(1, 0, 2, 2)


def shapes(*found: BaseGeometry) -> NDArray[Any]:
    return np.array([*found, None], dtype=object)[:-1]


def crooked(seed: int) -> tuple[NDArray[Any], BaseGeometry]:
    """Return crooked tiles and their union."""
    found = np.array(crooked_tiles(4, 3, side_m=1.0, seed=seed).to_list(), dtype=object)
    return found, shapely.union_all(found)


def test_halves_tile_a_square() -> None:
    assert tiles(shapes(WEST, EAST), SQUARE, CLOSE)
    assert tiles(shapes(SQUARE), SQUARE, CLOSE)


def test_the_turn_of_the_rings_does_not_matter() -> None:
    assert tiles(shapes(WEST.reverse(), EAST), SQUARE.reverse(), CLOSE)


@pytest.mark.parametrize(
    "others",
    [
        (WEST,), (EAST,), (WEST, WEST), (WEST, EAST, WEST), (SQUARE, SQUARE), (WEST, SQUARE),
        (WEST, shapely.box(1, 0, 2, 1)), (WEST, shapely.box(1, 0, 2, 3)),
        (WEST, shapely.box(2, 0, 3, 2)),
    ],
)  # fmt: skip
def test_gaps_overlaps_copies_and_strangers_tile_nothing(others: tuple[BaseGeometry, ...]) -> None:
    assert not tiles(shapes(*others), SQUARE, CLOSE)


def test_twice_one_half_has_the_area_and_is_no_tiling() -> None:
    copies = shapes(WEST, shapely.box(0, 0, 1, 2))
    assert shapely.area(copies).sum() == SQUARE.area
    assert not tiles(copies, SQUARE, CLOSE)


def test_a_courtyard_and_two_parts_tile() -> None:
    yard = shapely.box(0.5, 0.5, 1.5, 1.5)
    assert tiles(shapes(SQUARE.difference(yard), yard), SQUARE, CLOSE)
    parts = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)])
    rest = shapely.MultiPolygon([shapely.box(1, 0, 2, 1), shapely.box(0, 1, 1, 2)])
    noded = shapes(parts, rest)
    assert tiles(noded, shapely.segmentize(SQUARE, 1.0), CLOSE)


def test_a_hole_in_the_block_stays_open() -> None:
    holed = SQUARE.difference(shapely.box(0.5, 0.5, 1.5, 1.5))
    assert tiles(shapes(holed), holed, CLOSE)
    assert not tiles(shapes(SQUARE), holed, CLOSE)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), fault=st.sampled_from(["", "gap", "copy", "push", "swap"]))
def test_the_answer_is_that_of_unions_and_differences(seed: int, fault: str) -> None:
    found, block = crooked(seed)
    rng = np.random.default_rng(seed)
    one, other = rng.choice(len(found), 2, replace=False)
    if fault == "gap":
        found = np.delete(found, one)
    elif fault == "copy":
        found[one] = found[other]
    elif fault == "push":
        found[one] = shapely.transform(found[one], lambda xy: xy + 0.05)
    elif fault == "swap":
        found[[one, other]] = found[[other, one]]
    union = shapely.union_all(found)
    overlap = shapely.area(found).sum() - union.area
    oracle = union.symmetric_difference(block).area < 1e-9 and overlap < 1e-9
    assert tiles(found, block, CLOSE) == oracle


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_borders_are_those_of_an_overlay(seed: int) -> None:
    found, block = crooked(seed)
    inner, rim = borders(found)
    assert rim.length == pytest.approx(block.boundary.length)
    # the edges of all tiles are the rim once and the inner borders from both sides
    assert 2 * inner.length + rim.length == pytest.approx(shapely.length(found).sum())
    assert shapely.difference(rim, block.boundary.buffer(1e-9)).is_empty


def test_one_shape_has_no_inner_border() -> None:
    inner, rim = borders(shapes(SQUARE))
    assert inner.is_empty
    assert rim.length == 8
