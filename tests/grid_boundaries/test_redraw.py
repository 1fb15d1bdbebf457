"""Strokes: nothing is lost, nothing overlaps, and names follow the rule."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series
from shapely import LineString, Polygon, box

from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.redraw import merge, move, split
from grid_boundaries.slicing import with_vertices

BLOCKS = [f"B{number:06}" for number in range(1, 10)]


def nine_squares() -> GeoDataFrame:
    """Return a 3 x 3 chess board of 100 m blocks."""
    squares = [box(x, y, x + 100, y + 100) for y in (200, 100, 0) for x in (0, 100, 200)]
    return GeoDataFrame({"village": "v"}, index=BLOCKS, geometry=squares, crs=4545)


def rows_of_three() -> Series[str]:
    return Series(["g1"] * 3 + ["g2"] * 3 + ["g3"] * 3, index=BLOCKS)


def test_a_moved_block_is_in_its_new_grid_and_no_other_changes() -> None:
    before = rows_of_three()
    after = move(before, ["B000001"], "g2")
    assert after["B000001"] == "g2"
    assert after.drop("B000001").equals(before.drop("B000001"))
    assert before["B000001"] == "g1"


def test_a_brush_of_none_changes_nothing() -> None:
    assert move(rows_of_three(), [], "g2").equals(rows_of_three())


def test_moving_to_no_grid_leaves_a_block_unassigned() -> None:
    after = move(rows_of_three(), ["B000009"], None)
    assert after.isna().sum() == 1
    assert move(after, ["B000009"], "g3").equals(rows_of_three())


def test_one_bare_name_is_one_block_or_grid() -> None:
    assert move(rows_of_three(), "B000001", "g2").equals(move(rows_of_three(), ["B000001"], "g2"))
    assert merge(rows_of_three(), "g1", "g2").equals(merge(rows_of_three(), ["g1"], "g2"))


def test_a_cut_keeps_the_name_of_the_geometry_column() -> None:
    shapes = nine_squares().rename_geometry("outline")
    cut = split(shapes, "B000005", LineString([(150, 0), (150, 300)]))
    assert cut.geometry.name == "outline"
    assert cut.area.sum() == 90_000


def test_an_unknown_block_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="B999999"):
        move(rows_of_three(), ["B000001", "B999999"], "g2")


def test_merged_grids_are_one() -> None:
    after = merge(rows_of_three(), ["g1", "g2"], "g2")
    assert after.value_counts().to_dict() == {"g2": 6, "g3": 3}


def test_merging_an_unknown_grid_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="g9"):
        merge(rows_of_three(), ["g9"], "g1")


def test_a_split_names_its_pieces_from_west_to_east() -> None:
    cut = split(nine_squares(), "B000005", LineString([(140, 50), (140, 250)]))
    assert "B000005" not in cut.index
    assert cut.geometry["B000005.1"].area == pytest.approx(4000)
    assert cut.geometry["B000005.2"].area == pytest.approx(6000)
    assert cut.loc["B000005.2", "village"] == "v"


def test_pieces_level_with_one_another_are_named_from_north_to_south() -> None:
    cut = split(nine_squares(), "B000005", LineString([(50, 130), (250, 130)]))
    assert cut.geometry["B000005.1"].area == pytest.approx(7000)


def test_neighbours_get_the_vertex_where_the_cut_meets_them_and_keep_their_area() -> None:
    cut = split(nine_squares(), "B000005", LineString([(140, 50), (140, 250)]))
    for neighbour in ("B000002", "B000008"):
        assert shapely.get_num_coordinates(cut.geometry[neighbour]) == 6
        assert cut.geometry[neighbour].area == pytest.approx(10_000)
    assert shapely.get_num_coordinates(cut.geometry["B000001"]) == 5
    assert shapely.coverage_is_valid(cut.geometry.to_numpy())


def test_a_line_that_stops_inside_is_refused_with_the_remedy() -> None:
    with pytest.raises(Refused, match="both ends leave"):
        split(nine_squares(), "B000005", LineString([(50, 150), (150, 150)]))


def test_a_line_that_misses_is_refused() -> None:
    with pytest.raises(Refused, match="does not cut"):
        split(nine_squares(), "B000005", LineString([(500, 0), (500, 500)]))


def test_splitting_an_unknown_block_is_refused() -> None:
    with pytest.raises(NotFound):
        split(nine_squares(), "B000010", LineString([(0, 0), (1, 1)]))


def test_a_piece_split_again_keeps_the_whole_lineage_in_its_name() -> None:
    once = split(nine_squares(), "B000005", LineString([(140, 50), (140, 250)]))
    twice = split(once, "B000005.2", LineString([(120, 150), (220, 150)]))
    assert {"B000005.1", "B000005.2.1", "B000005.2.2"} <= set(twice.index)
    assert shapely.coverage_is_valid(twice.geometry.to_numpy())


def test_a_line_through_a_hole_does_not_make_the_hole_a_piece() -> None:
    holed = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    blocks = GeoDataFrame(index=["B000001"], geometry=[holed], crs=4545)
    cut = split(blocks, "B000001", LineString([(-10, 50), (110, 50)]))
    assert list(cut.index) == ["B000001.1", "B000001.2"]
    assert cut.area.sum() == pytest.approx(holed.area)


def test_a_zigzag_gives_as_many_pieces_as_it_cuts() -> None:
    zigzag = LineString([(110, 90), (110, 110), (130, 110), (130, 90), (160, 90), (160, 250)])
    cut = split(nine_squares(), "B000005", zigzag)
    pieces = [name for name in cut.index if name.startswith("B000005")]
    assert pieces == ["B000005.1", "B000005.2", "B000005.3"]


def test_a_vertex_that_stands_already_is_not_added_twice() -> None:
    square = box(0, 0, 10, 10)
    same = with_vertices(square, np.array([[0.0, 0.0], [10.0, 10.0]]))
    assert same.equals_exact(square)
    more = with_vertices(square, np.array([[5.0, 0.0], [2.0, 0.0]]))
    assert isinstance(more, Polygon)
    assert len(more.exterior.coords) == 7


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.floats(0, math.pi), st.floats(-40, 40), st.sampled_from(BLOCKS))
def test_any_cut_keeps_the_board_whole_and_edge_matched(
    turn: float, off_m: float, block: str
) -> None:
    board = nine_squares()
    centre = board.geometry[block].centroid
    along = np.array([math.cos(turn), math.sin(turn)])
    middle = np.array([centre.x, centre.y]) + off_m * np.array([-along[1], along[0]])
    cut = split(board, block, LineString([middle - 300 * along, middle + 300 * along]))
    assert cut.area.sum() == pytest.approx(90_000, abs=1e-6)
    assert shapely.coverage_is_valid(cut.geometry.to_numpy())
    assert shapely.coverage_union_all(cut.geometry.to_numpy()).area == pytest.approx(90_000)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(BLOCKS), max_size=5), st.sampled_from(["g1", "g2", "g3"])
        ),
        max_size=20,
    )
)
def test_no_sequence_of_strokes_loses_a_block_or_a_resident(
    strokes: list[tuple[list[str], str]],
) -> None:
    people = pd.Series(range(9), index=BLOCKS)
    assignment = rows_of_three().astype(object)
    for blocks, to in strokes:
        assignment = move(assignment, blocks, to)
    assert list(assignment.index) == BLOCKS
    assert people.groupby(assignment).sum().sum() == 36
