"""Free looks at façades and points, one by one against all houses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layers.coverage.facade_looks import AHEAD_M, free_looks
from tests.layers.coverage.scenes import turned_boxes

HOUSE = shapely.box(0, 0, 12, 9)


def looks(shape: Any, *houses: Any) -> tuple[list[int], list[tuple[float, float]], list[float]]:
    """Owner, place and bearing in degrees of each look at one shape."""
    owner, eye, look_rad = free_looks(
        np.array([shape, None], dtype=object)[:1], np.array([*houses, None], dtype=object)[:-1]
    )
    bearing = np.mod(np.rad2deg(look_rad), 360.0).round(6).tolist()
    return owner.tolist(), [(float(x), float(y)) for x, y in eye], bearing


def test_every_wall_of_a_house_that_stands_alone_is_looked_at_squarely() -> None:
    _, eyes, bearings = looks(HOUSE, HOUSE)
    assert set(bearings) == {0.0, 90.0, 180.0, 270.0}
    for (x, y), bearing in zip(eyes, bearings, strict=True):
        assert HOUSE.distance(shapely.Point(x, y)) == pytest.approx(AHEAD_M)
        assert {0.0: y < 0, 90.0: x < 0, 180.0: y > 9, 270.0: x > 12}[bearing]
    # 12 m of wall take four looks, 9 m three
    assert len(eyes) == 14


def test_a_wall_shared_with_a_neighbour_is_not_looked_at() -> None:
    _, _, bearings = looks(HOUSE, HOUSE, shapely.box(12, -5, 20, 15))
    assert set(bearings) == {0.0, 90.0, 180.0}


def test_the_walls_of_a_courtyard_are_looked_at_from_within() -> None:
    ring = shapely.box(0, 0, 30, 30).difference(shapely.box(10, 10, 20, 20))
    _, eyes, bearings = looks(ring, ring)
    inner = [b for (x, y), b in zip(eyes, bearings, strict=True) if 10 < x < 20 and 10 < y < 20]
    assert sorted(set(inner)) == [0.0, 90.0, 180.0, 270.0]
    court = shapely.box(10, 10, 20, 20)
    assert all(
        court.contains(shapely.Point(eye)) for eye in eyes if 5 < eye[0] < 25 and 5 < eye[1] < 25
    )


def test_the_way_round_of_a_ring_does_not_matter() -> None:
    turned = shapely.Polygon(list(HOUSE.exterior.coords)[::-1])
    assert np.allclose(sorted(looks(turned, turned)[1]), sorted(looks(HOUSE, HOUSE)[1]))


def test_a_point_on_open_ground_is_looked_at_from_all_sides() -> None:
    owner, eyes, bearings = looks(shapely.Point(50, 50), HOUSE)
    assert set(owner) == {0}
    assert len(set(bearings)) == 16
    assert all(np.hypot(x - 50, y - 50) == pytest.approx(AHEAD_M) for x, y in eyes)


def test_a_point_on_a_wall_is_looked_at_from_outside_only() -> None:
    _, eyes, _ = looks(shapely.Point(12, 5), HOUSE)
    assert eyes
    assert all(x > 12 for x, _ in eyes)


@pytest.mark.parametrize("shape", [shapely.Point(5, 5), shapely.Point(), shapely.Polygon(), None])
def test_what_is_indoors_or_nowhere_has_no_look(shape: Any) -> None:
    assert looks(shape, HOUSE) == ([], [], [])


def test_without_houses_and_shapes_there_is_nothing_to_look_at() -> None:
    none: NDArray[Any] = np.empty(0, dtype=object)
    assert [len(part) for part in free_looks(none, none)] == [0, 0, 0]


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_look_crosses_a_house_and_each_ends_at_its_shape(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 12, 90.0)
    points = np.asarray(shapely.points(rng.uniform(0, 90, (10, 2))))
    shapes: NDArray[Any] = np.concatenate([np.array(houses, dtype=object), points])
    owner, eye, look_rad = free_looks(shapes, np.array(houses, dtype=object))
    block = shapely.union_all(houses)
    for own, (x, y), way in zip(owner, eye, look_rad, strict=True):
        line = shapely.LineString([(x, y), (x + 0.47 * np.sin(way), y + 0.47 * np.cos(way))])
        assert not line.intersects(block)
        assert shapes[own].distance(line) < 0.05
