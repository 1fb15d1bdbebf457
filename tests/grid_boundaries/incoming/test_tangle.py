"""Layers that would never end are refused at once; honest ones pass."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import Polygon, box

from bench._dirty_layer import jittered_layer
from grid_boundaries.errors import TooLarge
from grid_boundaries.incoming.tangle import MOST_CROSSINGS, meetings, refuse_tangled
from tests.grid_boundaries.incoming.kit import read


def comb(teeth: int, *, upright: bool) -> Polygon:
    """A valid comb; one upright and one lying cross teeth² times."""
    x = np.repeat(np.arange(2 * teeth + 1), 2)[1:-1] * 1.0
    y = np.tile([0.0, 4.0 * teeth, 4.0 * teeth, 0.0], teeth + 1)[: len(x)]
    ring = np.column_stack([x, y])
    whole = Polygon([*ring, (x[-1], -1.0), (0.0, -1.0)])
    return whole if upright else Polygon(shapely.get_coordinates(whole)[:, ::-1])


def array(*shapes: Any) -> NDArray[Any]:
    return np.array(shapes, dtype=object)


def test_two_combs_that_cross_a_hundred_million_times_are_refused_at_once() -> None:
    combs = array(comb(10_000, upright=True), comb(10_000, upright=False))
    assert shapely.is_valid(combs).all()
    start = time.process_time()
    with pytest.raises(TooLarge) as refused:
        refuse_tangled(combs)
    assert time.process_time() - start < 30
    assert refused.value.code == "layer-too-tangled"
    assert refused.value.where == {"what": "crossings", "limit": 4_000_000}


def test_rows_of_a_file_that_cross_too_often_are_refused() -> None:
    with pytest.raises(TooLarge):
        read(("a", "x", comb(4_000, upright=True)), ("a", "x", comb(4_000, upright=False)))


def test_too_many_vertices_are_refused() -> None:
    with pytest.raises(TooLarge) as refused:
        refuse_tangled(array(box(0, 0, 1, 1), box(2, 2, 3, 3)), most_vertices=9)
    assert refused.value.where["what"] == "vertices"


def test_segments_of_a_square_meet_themselves_and_their_neighbours() -> None:
    # boxes of opposite sides do not meet: 4 sides, each with itself and two others
    assert meetings(array(box(0, 0, 1, 1))) == 12
    assert meetings(array(box(0, 0, 1, 1), box(2, 2, 3, 3))) == 24
    assert meetings(array()) == 0


def test_counting_ends_soon_after_enough() -> None:
    star = [(np.cos(turn) * (1 + n % 2), np.sin(turn) * (1 + n % 2))
            for n, turn in enumerate(np.linspace(0, 2 * np.pi, 100_001)[:-1])]  # fmt: skip
    start = time.process_time()
    met = meetings(array(Polygon(star)))
    assert time.process_time() - start < 30
    assert MOST_CROSSINGS < met < 3 * MOST_CROSSINGS


def test_honest_layers_pass() -> None:
    refuse_tangled(array())
    refuse_tangled(array(box(0, 0, 1, 1)))
    refuse_tangled(jittered_layer(1).rows.geometry.to_numpy())


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12))
def test_no_layer_passes_that_crosses_more_often_than_allowed(one: int, other: int) -> None:
    shapes = array(comb(one, upright=True), comb(other, upright=False))
    borders = shapely.boundary(shapes)
    nodes = shapely.get_num_geometries(shapely.intersection(borders[0], borders[1]))
    with pytest.raises(TooLarge):
        refuse_tangled(shapes, most=int(nodes) - 1)
