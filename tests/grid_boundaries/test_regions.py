"""Ground that changes hands: split grids, moved borders, areas carved out, against plain areas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import current_shapes
from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.plans import replayed
from grid_boundaries.regions import Taking, beside, moved_border, taking
from grid_boundaries.strokes import Create, Move, Together
from tests.plan_ground import ROWS, SIDE_DEG, SOUTH, WEST, board

STORED, BASE = board()
G1, G2, G3 = sorted(BASE.grids)
some = settings(derandomize=True, deadline=None, max_examples=40)
TINY_DEG2 = 1e-14  # a square decimetre


def ground_of(code: str, state: State = BASE) -> BaseGeometry:
    """Return the union of a grid's blocks."""
    return shapely.union_all(current_shapes(state, STORED)[sorted(state.blocks_of(code))])


def at(east: float, north: float) -> tuple[float, float]:
    """Return the point of the board at some columns east and rows north of its corner."""
    return WEST + east * SIDE_DEG, SOUTH + north * SIDE_DEG


def after(taken: Taking, to: str, state: State = BASE) -> State:
    return replayed(state, (*taken.cuts, Move(taken.inside, to)))


def assert_tiles(state: State) -> None:
    """The blocks are a coverage of the ground that the board covers."""
    shapes = current_shapes(state, STORED).to_numpy()
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.union_all(STORED)
    assert shapely.union_all(shapes).symmetric_difference(whole).area < TINY_DEG2
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, abs=TINY_DEG2)


def test_a_line_tells_left_from_right() -> None:
    square = box(0, 0, 2, 2)
    left, right = beside(square, LineString([(1.5, -1), (1.5, 3)]))
    assert (left.area, right.area) == pytest.approx((3.0, 1.0))
    left, right = beside(square, LineString([(1.5, 3), (1.5, -1)]))
    assert (left.area, right.area) == pytest.approx((1.0, 3.0))


def test_a_line_that_crosses_a_bay_thrice_has_two_sides() -> None:
    comb = Polygon([(0, 0), (6, 0), (6, 4), (4, 4), (4, 1), (2, 1), (2, 4), (0, 4)])
    left, right = beside(comb, LineString([(-1, 2), (7, 2)]))
    assert left.area == pytest.approx(2 * 2 * 2)
    assert shapely.get_num_geometries(left) == 2
    assert left.area + right.area == pytest.approx(comb.area)


def test_ground_that_the_line_does_not_reach_is_on_neither_side() -> None:
    two = MultiPolygon([box(0, 0, 2, 2), box(5, 0, 6, 1)])
    left, right = beside(two, LineString([(1, -1), (1, 3)]))
    assert left.area + right.area == pytest.approx(4.0)


def test_a_hole_is_on_neither_side() -> None:
    ring = box(0, 0, 4, 4).difference(box(1, 1, 3, 3))
    left, right = beside(ring, LineString([(-1, 2), (5, 2)]))
    assert (left.area, right.area) == pytest.approx((6.0, 6.0))


@pytest.mark.parametrize(
    "line",
    [
        [(-1, 1), (1, 1)],  # ends inside
        [(3, 0), (3, 2)],  # beside
        [(-1, 0), (3, 0)],  # along the edge
        [(-1, 1), (3, 1), (1.5, 3), (1.5, -1)],  # crosses itself
        [(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 0.5)],  # a ring
    ],
)
def test_a_line_that_does_not_part_the_ground_is_refused(line: list[tuple[float, float]]) -> None:
    with pytest.raises(Refused) as refused:
        beside(box(0, 0, 2, 2), LineString(line))
    assert refused.value.code == "line-does-not-part"


@some
@given(st.floats(0.3, 1.7), st.floats(0.3, 1.7))
def test_a_grid_split_along_a_line_is_its_two_sides(south: float, north: float) -> None:
    line = LineString([at(south, -1), at(north, ROWS + 1)])
    left, right = beside(ground_of(G1), line)
    taken = taking(STORED, sorted(BASE.blocks_of(G1)), left, line=line)
    state = after(taken, G3)
    assert_tiles(state)
    gained = ground_of(G3, state).difference(ground_of(G3))
    assert gained.symmetric_difference(left).area < 16 * 1e-10 * ROWS  # pieces left uncut
    assert ground_of(G1, state).symmetric_difference(right).area < 16 * 1e-10 * ROWS
    assert set(taken.inside).isdisjoint(taken.outside)


def test_every_block_on_the_line_is_cut_and_its_neighbours_keep_their_vertices_in_common() -> None:
    line = LineString([at(0.5, -1), at(0.6, ROWS + 1)])
    left, _ = beside(ground_of(G1), line)
    taken = taking(STORED, sorted(BASE.blocks_of(G1)), left, line=line)
    assert sorted(split.block for split in taken.cuts) == ["B000001", "B000002", "B000003",
                                                           "B000004"]  # fmt: skip
    assert taken.inside == tuple(f"B00000{number}.1" for number in range(1, 5))
    state = replayed(BASE, taken.cuts)
    # what two cut blocks share is their border, and the new corner is one and the same
    shapes = current_shapes(state, STORED)
    corners = [{tuple(xy) for xy in shapely.get_coordinates(shapes[f"B00000{number}.1"])}
               for number in range(1, 5)]  # fmt: skip
    assert all(len(upper & lower) == 2 for upper, lower in pairwise(corners))


def test_the_strokes_of_one_cut_can_be_written_and_undone_as_one() -> None:
    line = LineString([at(0.5, -1), at(0.6, ROWS + 1)])
    left, _ = beside(ground_of(G1), line)
    taken = taking(STORED, sorted(BASE.blocks_of(G1)), left, line=line)
    made = Together("split_grid", (*taken.cuts, Create(Grid("new", "新", G1[:12]), taken.inside)))
    state = made.on(BASE)
    assert state.blocks_of("new") == set(taken.inside)
    assert made.touches(BASE)[1] == {G1, "new"}


def test_a_border_drawn_right_through_both_grids_moves_all_of_it() -> None:
    line = LineString([at(1.2, -1), at(2.6, ROWS + 1)])
    ground, border = moved_border(ground_of(G1), ground_of(G2), line)
    assert border.equals(line)
    both = sorted(BASE.blocks_of(G1) | BASE.blocks_of(G2))
    taken = taking(STORED, both, ground, line=border)
    state = replayed(BASE, (*taken.cuts, Move(taken.inside, G1), Move(taken.outside, G2)))
    assert_tiles(state)
    assert ground_of(G1, state).symmetric_difference(ground).area < 64 * 1e-10
    assert ground_of(G3, state).equals(ground_of(G3))


def test_a_bulge_moves_the_part_of_the_border_that_it_spans() -> None:
    line = LineString([at(1.5, 1.2), at(2.7, 1.5), at(2.7, 2.5), at(1.5, 2.8)])
    one, other = ground_of(G1), ground_of(G2)
    ground, border = moved_border(one, other, line)
    grown = ground.difference(one).area
    bulge = Polygon(line.coords).intersection(other).area
    assert grown == pytest.approx(bulge, rel=1e-6)
    assert one.difference(ground).area < TINY_DEG2
    taken = taking(STORED, sorted(BASE.blocks_of(G1) | BASE.blocks_of(G2)), ground, line=border)
    assert_tiles(after(taken, G1))


@pytest.mark.parametrize(
    "line",
    [
        [at(4.2, 1), at(4.8, 2)],  # meets neither
        [at(0.5, 1), at(2.5, 1)],  # meets the border once
    ],
)
def test_a_line_that_is_no_border_is_refused(line: list[tuple[float, float]]) -> None:
    with pytest.raises(Refused) as refused:
        moved_border(ground_of(G1), ground_of(G2), LineString(line))
    assert refused.value.code == "line-does-not-part"


def test_grids_that_do_not_touch_have_no_border_to_move() -> None:
    with pytest.raises(Refused) as refused:
        moved_border(ground_of(G1), ground_of(G3), LineString([at(0.5, 1), at(2.5, 1)]))
    assert refused.value.code == "no-single-border"


def test_an_area_inside_one_block_is_cut_out_of_it() -> None:
    area = box(*at(0.4, 1.4), *at(0.6, 1.6))
    taken = taking(STORED, sorted(BASE.grid_of), area)
    assert len(taken.cuts) == len(taken.inside) == 1
    state = after(taken, G3)
    assert_tiles(state)
    piece = current_shapes(state, STORED)[taken.inside[0]]
    assert piece.symmetric_difference(area).area < TINY_DEG2


@some
@given(st.floats(0.2, 4.5), st.floats(0.2, 2.5), st.floats(0.3, 1.4), st.floats(0.3, 1.4))
def test_an_area_over_many_blocks_is_what_its_pieces_make(
    east: float, north: float, width: float, height: float
) -> None:
    area = shapely.Point(at(east, north)).buffer(SIDE_DEG * width, quad_segs=3)
    area = shapely.affinity.scale(area, 1.0, height)
    taken = taking(STORED, sorted(BASE.grid_of), area)
    state = after(taken, G3)
    assert_tiles(state)
    ground = shapely.union_all(current_shapes(state, STORED)[list(taken.inside)])
    wanted = area.intersection(shapely.union_all(STORED))
    left_out = 4.0 / 2**34 * len(STORED)  # the least piece of every block
    assert ground.symmetric_difference(wanted).area <= left_out


def test_an_area_that_is_a_set_of_blocks_cuts_nothing() -> None:
    area = shapely.union_all(STORED[["B000006", "B000007", "B000010"]])
    taken = taking(STORED, sorted(BASE.grid_of), area)
    assert taken.cuts == ()
    assert taken.inside == ("B000006", "B000007", "B000010")


def test_an_area_a_hair_beyond_a_block_cuts_no_sliver() -> None:
    area = STORED["B000006"].buffer(1e-9)
    taken = taking(STORED, sorted(BASE.grid_of), area)
    assert (taken.cuts, taken.inside) == ((), ("B000006",))


def test_an_area_beside_the_blocks_takes_none() -> None:
    taken = taking(STORED, ["B000001"], box(0, 0, 1, 1))
    assert (taken.cuts, taken.inside, taken.outside) == ((), (), ("B000001",))
    nothing = taking(STORED, [], box(0, 0, 1, 1))
    assert (nothing.inside, nothing.outside) == ((), ())


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(NotFound):
        taking(STORED, ["B999999"], box(0, 0, 200, 90))


def test_blocks_cut_at_random_lines_one_after_another_stay_a_coverage() -> None:
    rng, state = np.random.default_rng(8), BASE
    for _ in range(6):
        (x0, x1), (y0, y1) = rng.uniform(0, 6, 2), rng.uniform(0, ROWS, 2)
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        area = shapely.Point(at(*middle)).buffer(SIDE_DEG * rng.uniform(0.4, 1.1), quad_segs=2)
        shapes = current_shapes(state, STORED)
        state = after(taking(shapes, sorted(state.grid_of), area), G2, state)
        assert_tiles(state)


def test_a_line_drawn_along_a_border_cuts_nothing() -> None:
    border = shapely.line_merge(ground_of(G1).intersection(ground_of(G2)))
    xy = shapely.get_coordinates(border)
    middles = (xy[:-1] + xy[1:]) / 2
    wandering = np.insert(xy, np.arange(1, len(xy)), middles, axis=0)  # corners within edges
    area = shapely.union_all([ground_of(G1), LineString(wandering).buffer(1e-9)])
    taken = taking(STORED, sorted(BASE.grid_of), area, line=LineString(wandering))
    assert taken.cuts == ()
    assert set(taken.inside) == BASE.blocks_of(G1)


def test_a_line_that_follows_a_border_and_then_leaves_it_cuts_where_it_leaves() -> None:
    xy = shapely.get_coordinates(shapely.line_merge(ground_of(G1).intersection(ground_of(G2))))
    middle = (xy[1] + xy[2]) / 2  # within an edge, so but for a rounding on it
    line = LineString([*xy[:2], middle, at(3.0, 2.2), at(3.0, -1)])
    line = line if xy[0][1] > xy[-1][1] else LineString([*xy[:2], middle, at(3.0, 1.8), at(3, 9)])
    ground, border = moved_border(ground_of(G1), ground_of(G2), line)
    taken = taking(STORED, sorted(BASE.blocks_of(G1) | BASE.blocks_of(G2)), ground, line=border)
    state = after(taken, G1)
    assert_tiles(state)
    assert len(taken.cuts) > 0
