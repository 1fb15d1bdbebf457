"""Walls of footprints: which way they run and where they are cut."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from layers.coverage.walls import Walls, spread, walls_of

SQUARE = shapely.box(0, 0, 10, 10)
COURT = SQUARE.difference(shapely.box(4, 4, 6, 6))


def walls(*shapes: BaseGeometry | None) -> Walls:
    return walls_of(np.array([*shapes, None], dtype=object)[:-1])


def left_of(found: Walls, distance_m: float) -> list[shapely.Point]:
    """A point beside the middle of each wall, on its left."""
    u = found.end - found.start
    left = np.column_stack([-u[:, 1], u[:, 0]]) / np.hypot(*u.T)[:, None]
    points = (found.start + found.end) / 2 + distance_m * left
    return [shapely.Point(xy) for xy in points]


@pytest.mark.parametrize("shape", [SQUARE, SQUARE.reverse(), COURT, COURT.reverse()])
@pytest.mark.parametrize("shift_m", [0.0, 36_500_000.0])
def test_every_wall_has_the_building_on_its_left(shape: BaseGeometry, shift_m: float) -> None:
    there = shapely.affinity.translate(shape, shift_m, shift_m)
    found = walls(there)
    assert all(there.contains(point) for point in left_of(found, 0.1))
    assert not any(there.contains(point) for point in left_of(found, -0.1))


def test_a_ring_of_walls_closes() -> None:
    found = walls(COURT, shapely.Point(50, 50).buffer(9))
    following = found.next_in_ring(np.arange(len(found.ring)))
    assert (found.start[following] == found.end).all()
    assert (found.ring[following] == found.ring).all()
    assert sorted(following.tolist()) == list(range(len(found.ring)))


def test_nothing_has_no_walls() -> None:
    assert len(walls().ring) == 0
    assert len(walls(None, shapely.Polygon(), shapely.MultiPolygon()).ring) == 0


def test_repeated_corners_make_no_wall() -> None:
    twice = shapely.Polygon([(0, 0), (0, 0), (10, 0), (10, 10), (10, 10), (10, 10), (0, 10)])
    assert len(walls(twice).ring) == 4


def test_walls_know_their_building_by_position() -> None:
    apart = shapely.affinity.translate(COURT, 20, 0)
    found = walls(None, SQUARE, shapely.union_all([shapely.box(50, 0, 51, 1), apart]))
    assert np.bincount(found.building).tolist() == [0, 4, 12]
    assert len(np.unique(found.ring)) == 4


def test_walls_of_overlapping_buildings_are_cut_where_they_cross() -> None:
    found = walls(SQUARE, shapely.box(5, 5, 15, 15))
    assert len(found.ring) == 4 + 4 + 2 * 2
    ends = {(float(x), float(y)) for x, y in found.start}
    assert {(10.0, 5.0), (5.0, 10.0)} <= ends


@pytest.mark.parametrize(
    "other",
    [SQUARE, shapely.box(10, 0, 20, 10), shapely.box(10, 10, 20, 20), shapely.box(2, 2, 3, 3)],
    ids=["the same", "beside", "at a corner", "inside"],
)
def test_buildings_that_only_touch_or_hold_each_other_are_not_cut(other: BaseGeometry) -> None:
    assert len(walls(SQUARE, other).ring) == 8


def test_cut_walls_neither_cross_nor_change_the_outline() -> None:
    rng = np.random.default_rng(31)
    shapes: list[BaseGeometry] = [
        shapely.affinity.rotate(shapely.box(x, y, x + 12, y + 4), turn)
        for x, y, turn in rng.uniform((0, 0, 0), (40, 40, 180), (30, 3)).tolist()
    ]
    found = walls(*shapes)
    lines = np.asarray(shapely.linestrings(np.stack([found.start, found.end], axis=1)))
    for building, shape in enumerate(shapes):
        mine = lines[found.building == building]
        assert shapely.length(mine).sum() == pytest.approx(shape.length, rel=1e-12)
    one, other = shapely.STRtree(lines).query(lines)
    apart = found.building[one] != found.building[other]
    met = np.asarray(shapely.intersection(lines[one[apart]], lines[other[apart]]))
    met = met[~shapely.is_empty(met)]
    ends = shapely.multipoints(np.unique(np.concatenate([found.start, found.end]), axis=0))
    assert len(met) > 50
    assert shapely.distance(met, ends).max() < 1e-9


def test_items_of_groups_are_numbered_group_by_group() -> None:
    group, rank = spread(np.array([2, 0, 3]))
    assert group.tolist() == [0, 0, 2, 2, 2]
    assert rank.tolist() == [0, 1, 0, 1, 2]
