"""Cuts of another plan made again on the ground of one's own."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import current_shapes, cuts
from grid_boundaries.merging import merged, pieces_of
from grid_boundaries.plan_state import State
from grid_boundaries.plans import replayed
from grid_boundaries.strokes import Move, Together
from tests.grid_boundaries.test_plans import BASE, G2, G3, STORED, after, vertical
from tests.grid_boundaries.test_sequences import STEPS, board
from tests.plan_sequences import Drawer, assert_the_ground_is_the_same

TRIANGLE_UNITS2 = 3.0


def everywhere(state: State, _blocks: list[str]) -> GeoSeries:
    return current_shapes(state, STORED)


def corner_and_middle(block: str) -> BaseGeometry:
    """Return lines that cut off a tiny corner of a block, and go through its middle."""
    shape = STORED[block]
    west, south, east, north = shape.bounds
    ring = shapely.get_exterior_ring(shapely.get_geometry(shape, 0))
    across = [((west + east) / 2, south - 1e-4), ((west + east) / 2, north + 1e-4)]
    before, corner, after = shapely.get_coordinates(ring)[[-2, 0, 1]]
    side = (2 * TRIANGLE_UNITS2) ** 0.5 / 2**17
    ends = np.array([corner + side * (end - corner) / np.hypot(*(end - corner))
                     for end in (before, after)])  # fmt: skip
    beyond = 0.3 * (ends - ends[::-1])
    return shapely.MultiLineString([across, ends + beyond])


def cut_leaving(least_units2: float) -> State:
    """Return a plan that cut a block and left smaller pieces than so with their neighbour."""
    splits = cuts(STORED, ["B000006"], corner_and_middle("B000006"), least_area_units2=least_units2)
    return replayed(BASE, (Together("carve", splits),))


def test_pieces_are_counted_though_some_were_cut_further() -> None:
    state = after(vertical("B000006", 0.4))
    assert (pieces_of(state, "B000006"), pieces_of(state, "B000007")) == (2, 0)
    further = vertical("B000006.2", 0.5, state).on(state)
    assert (pieces_of(further, "B000006"), pieces_of(further, "B000006.2")) == (2, 2)


def test_a_sliver_that_theirs_left_with_its_block_is_left_there_again() -> None:
    assert pieces_of(cut_leaving(0.0), "B000006") == 3
    theirs = Move(("B000006.2",), G3).on(cut_leaving(4.0))
    assert pieces_of(theirs, "B000006") == 2
    found = merged(BASE, BASE, theirs, everywhere)
    assert found.conflicts == ()
    state = replayed(BASE, found.strokes)
    assert state.grid_of == theirs.grid_of
    assert state.shapes == theirs.shapes


def test_a_sliver_that_theirs_cut_off_is_cut_off_again() -> None:
    theirs = cut_leaving(0.0)
    state = replayed(BASE, merged(BASE, BASE, theirs, everywhere).strokes)
    assert state.grid_of == theirs.grid_of


def test_a_line_that_cuts_otherwise_on_the_ground_of_mine_is_a_conflict() -> None:
    theirs = Move(("B000006.1", "B000007"), G3).on(after(vertical("B000006", 0.4)))

    def elsewhere(state: State, _blocks: list[str]) -> GeoSeries:
        return GeoSeries(current_shapes(state, STORED).translate(xoff=1.0))

    found = merged(BASE, BASE, theirs, elsewhere)
    assert [(one.kind, one.where) for one in found.conflicts] == [("cut", "B000006")]
    state = replayed(BASE, found.strokes)
    assert state.grid_of == {**BASE.grid_of, "B000007": G3}


def test_blocks_cut_along_one_line_are_cut_together() -> None:
    one, other = (np.array(STORED[name].centroid.coords[0]) for name in ("B000006", "B000007"))
    line = shapely.LineString([one - 2 * (other - one), other + 2 * (other - one)])
    splits = cuts(STORED, ["B000006", "B000007"], line)
    theirs = replayed(BASE, (Together("carve", splits),))
    found = merged(BASE, after(Move(("B000001",), G2)), theirs, everywhere)
    assert [type(stroke) for stroke in found.strokes] == [Together]
    shapes = current_shapes(replayed(BASE, found.strokes), STORED)
    assert shapely.coverage_is_valid(shapes.to_numpy())


def test_a_sequence_whose_merge_once_lost_a_piece_goes_through() -> None:
    state = Drawer(board(), 967).run(STEPS).state()
    assert_the_ground_is_the_same(board(), state)
