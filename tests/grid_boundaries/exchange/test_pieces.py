"""Cuts made anew from the pieces that a file gives: same ground, same names, neighbours noded."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import current_shapes, cut
from grid_boundaries.errors import NotFound, Refused, TooLarge
from grid_boundaries.exchange.pieces import CLOSE_DEG, MOST_PIECES, split_into, splits
from grid_boundaries.plan_state import State
from grid_boundaries.plans import replayed
from grid_boundaries.slicing import with_vertices
from grid_boundaries.strokes import Split
from layers.plan_ground import touching_of
from tests.exchanging import farthest_m, random_plan
from tests.plan_ground import METRIC_SRID, board

SHAPES, BASE = board()
BLOCK = "B000010"


def halves(block: str = BLOCK, *, upright: bool = True, share: float = 0.5) -> Split:
    """Return the cut of a block right through."""
    west, south, east, north = SHAPES[block].bounds
    x, y = west + share * (east - west), south + share * (north - south)
    line = (
        [(x, south - 1e-4), (x, north + 1e-4)] if upright else [(west - 1e-4, y), (east + 1e-4, y)]
    )
    return cut(SHAPES, block, LineString(line))


def pieces_of(stroke: Split) -> dict[str, BaseGeometry]:
    return {name: shapely.from_wkb(wkb) for name, wkb in stroke.after if name in stroke.pieces}


def same_shapes(one: Split, other: Split) -> bool:
    first, second = dict(one.after), dict(other.after)
    return first.keys() == second.keys() and all(
        shapely.from_wkb(first[name]).normalize() == shapely.from_wkb(second[name]).normalize()
        for name in first
    )


def refused(pieces: Mapping[str, BaseGeometry], block: str = BLOCK) -> Refused:
    with pytest.raises(Refused) as found:
        split_into(SHAPES, block, pieces)
    return found.value


@pytest.mark.parametrize("upright", [True, False])
def test_the_pieces_of_a_cut_make_the_same_cut(upright: bool) -> None:
    stroke = halves(upright=upright)
    again = split_into(SHAPES, BLOCK, pieces_of(stroke))
    assert same_shapes(stroke, again)
    assert again.pieces == stroke.pieces
    assert dict(again.before) == dict(stroke.before)


def test_neighbours_get_the_vertices_and_undo_has_their_old_bytes() -> None:
    stroke = halves()
    again = split_into(SHAPES, BLOCK, pieces_of(stroke))
    after = again.on(BASE)
    now = current_shapes(after, SHAPES)
    assert shapely.coverage_is_valid(now.to_numpy())
    assert len(again.before) == 3  # the block and the neighbours in the north and the south
    for name, wkb in again.before:
        assert shapely.from_wkb(wkb) == SHAPES[name]


def test_the_line_of_the_cut_cuts_again() -> None:
    again = split_into(SHAPES, BLOCK, pieces_of(halves()))
    anew = cut(SHAPES, BLOCK, shapely.from_wkb(again.line))
    assert anew.pieces == again.pieces
    for name, shape in pieces_of(anew).items():
        assert shape.hausdorff_distance(pieces_of(again)[name]) < 1e-9


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(-0.9, 0.9), st.sampled_from([BLOCK, "B000001", "B000024"]))
def test_pieces_that_are_off_by_less_than_a_centimetre_fit(off: float, block: str) -> None:
    pieces = {
        name: shapely.transform(piece, lambda xy: xy + off * CLOSE_DEG / 2)
        for name, piece in pieces_of(halves(block)).items()
    }
    again = split_into(SHAPES, block, pieces)
    kept = set(map(tuple, shapely.get_coordinates(SHAPES[block]).tolist()))
    given_back = set(map(tuple, shapely.get_coordinates(list(pieces_of(again).values())).tolist()))
    assert kept <= given_back  # corners of the block are its own again


@pytest.mark.parametrize("off_m", [0.5, 10.0, 500.0])
def test_pieces_that_are_off_by_more_are_refused(off_m: float) -> None:
    pieces = {
        name: shapely.transform(piece, lambda xy: xy + off_m / 111_320)
        for name, piece in pieces_of(halves()).items()
    }
    found = refused(pieces)
    assert found.code == "pieces-do-not-fit"
    assert found.where["block"] == BLOCK
    assert BLOCK in found.zh and BLOCK in found.en


def test_a_missing_piece_is_refused() -> None:
    pieces = pieces_of(halves())
    del pieces[f"{BLOCK}.2"]
    assert refused(pieces).code == "pieces-do-not-fit"


def test_one_piece_that_is_all_of_the_block_is_no_cut() -> None:
    assert refused({f"{BLOCK}.1": SHAPES[BLOCK]}).code == "pieces-do-not-fit"


def test_pieces_over_one_another_are_refused() -> None:
    pieces = pieces_of(halves())
    pieces[f"{BLOCK}.2"] = SHAPES[BLOCK]
    assert refused(pieces).code == "pieces-do-not-fit"


def test_a_gap_between_pieces_is_refused() -> None:
    wide = pieces_of(halves(share=0.4)) | {f"{BLOCK}.2": pieces_of(halves(share=0.6))[f"{BLOCK}.2"]}
    assert refused(wide).code == "pieces-do-not-fit"


def test_a_bow_tie_is_refused() -> None:
    west, south, east, north = SHAPES[BLOCK].bounds
    tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    assert refused({f"{BLOCK}.1": tie, f"{BLOCK}.2": SHAPES[BLOCK]}).code == "pieces-do-not-fit"


def test_pieces_that_cross_a_million_times_are_refused_at_once() -> None:
    west, south, east, north = SHAPES[BLOCK].bounds
    across = [shapely.box(west, y, east, y + 1e-9) for y in np.linspace(south, north, 1500)]
    up = [shapely.box(x, south, x + 1e-9, north) for x in np.linspace(west, east, 1500)]
    pieces = {f"{BLOCK}.{n}": piece for n, piece in enumerate([*across, *up])}
    assert refused(pieces | {f"{BLOCK}.x": SHAPES[BLOCK]}).code == "pieces-do-not-fit"


@pytest.mark.parametrize("step_deg", [1e-7, 5e-7])
def test_pieces_of_very_many_vertices_are_refused_at_once(step_deg: float) -> None:
    along = shapely.segmentize(SHAPES[BLOCK], step_deg)
    middle = SHAPES[BLOCK].centroid.x
    west, south, _, north = SHAPES[BLOCK].bounds
    half = shapely.box(west - 1, south - 1, middle, north + 1)
    pieces = {f"{BLOCK}.1": along.intersection(half), f"{BLOCK}.2": along.difference(half)}
    dense = SHAPES.copy()
    for name in dense.index[dense.index != BLOCK]:
        dense[name] = shapely.segmentize(dense[name], 1e-5)
    with pytest.raises(TooLarge) as found:
        split_into(dense, BLOCK, pieces)
    assert found.value.code == "cut-too-intricate"


def test_vertices_that_another_program_took_away_come_back() -> None:
    noded = with_vertices(
        SHAPES[BLOCK], np.array([SHAPES[BLOCK].boundary.interpolate(0.001).coords[0]])
    )
    shapes = SHAPES.copy()
    shapes[BLOCK] = noded
    again = split_into(shapes, BLOCK, pieces_of(halves()))
    corners = set(map(tuple, shapely.get_coordinates(noded).tolist()))
    pieces = set(map(tuple, shapely.get_coordinates(list(pieces_of(again).values())).tolist()))
    assert corners <= pieces


def test_a_piece_may_be_a_courtyard() -> None:
    centre = SHAPES[BLOCK].centroid
    yard = centre.buffer(0.0005)
    pieces = {f"{BLOCK}.1": SHAPES[BLOCK].difference(yard), f"{BLOCK}.2": yard}
    again = split_into(SHAPES, BLOCK, pieces)
    assert len(again.before) == 1  # no neighbour is touched
    assert current_shapes(again.on(BASE), SHAPES)[f"{BLOCK}.2"].area == pytest.approx(yard.area)


def test_a_piece_may_have_two_parts() -> None:
    thirds = np.linspace(0, 1, 4)
    west, south, east, north = SHAPES[BLOCK].bounds
    strips = [
        SHAPES[BLOCK].intersection(
            shapely.box(west + a * (east - west), south, west + b * (east - west), north)
        )
        for a, b in pairwise(thirds)
    ]
    pieces = {
        f"{BLOCK}.1": shapely.union_all([strips[0], strips[2]]), f"{BLOCK}.2": strips[1],
    }  # fmt: skip
    assert len(split_into(SHAPES, BLOCK, pieces).pieces) == 2


def test_a_cut_in_a_cut_is_made_coarse_first() -> None:
    first = halves()
    state = first.on(BASE)
    inner = f"{BLOCK}.1"
    now = current_shapes(state, SHAPES)
    west, south, east, north = now[inner].bounds
    y = (south + north) / 2
    second = cut(now, inner, LineString([(west - 1e-4, y), (east + 1e-4, y)]))
    state = second.on(state)
    ground = current_shapes(state, SHAPES)
    found = splits(BASE, SHAPES, list(state.grid_of), ground)
    assert [stroke.block for stroke in found] == [BLOCK, inner]
    after = replayed(BASE, found)
    assert after.grid_of == state.grid_of
    assert farthest_m(state, after) < 1e-6


def test_neighbours_that_are_both_cut_stay_edge_matched() -> None:
    found = 0
    for seed in range(12):
        plan = random_plan(seed, cuts=True, strokes=40)
        strokes = splits(plan.base, plan.shapes, list(plan.state.grid_of), plan.now)
        after = replayed(plan.base, strokes)
        now = current_shapes(after, plan.shapes)
        assert after.grid_of.keys() == plan.state.grid_of.keys()
        assert shapely.area(now.to_list()).sum() == pytest.approx(
            shapely.area(plan.shapes.to_list()).sum(), rel=1e-12
        )
        edges = touching_of(now, METRIC_SRID)["shared_m"].sum()
        assert edges == pytest.approx(touching_of(plan.now, METRIC_SRID)["shared_m"].sum())
        found += len(strokes)
    assert found > 20


def test_blocks_that_are_known_need_no_cut() -> None:
    assert splits(BASE, SHAPES, list(BASE.grid_of), SHAPES) == ()
    assert splits(BASE, SHAPES, [], SHAPES) == ()


def test_a_block_of_which_the_county_has_the_pieces_needs_no_cut() -> None:
    finer: State = halves().on(BASE)
    assert splits(finer, current_shapes(finer, SHAPES), [BLOCK], SHAPES) == ()


def test_blocks_that_nobody_knows_are_refused_by_name() -> None:
    for stranger in ("B999999", "B999999.1", "X", "B000010x.1", ".", ".1"):
        with pytest.raises(Refused) as found:
            splits(BASE, SHAPES, [stranger, "B000001"], SHAPES)
        assert found.value.code == "unknown-blocks"
        assert found.value.where["names"] == [stranger]


def test_pieces_without_a_shape_are_refused_by_name() -> None:
    nothing = GeoSeries([], index=[], crs=4490)
    with pytest.raises(Refused) as found:
        splits(BASE, SHAPES, [f"{BLOCK}.1", f"{BLOCK}.2"], nothing)
    assert found.value.code == "pieces-without-shape"
    assert found.value.where["names"] == [f"{BLOCK}.1", f"{BLOCK}.2"]


def test_very_many_pieces_are_too_many() -> None:
    names = [f"{BLOCK}.{number}" for number in range(MOST_PIECES + 1)]
    with pytest.raises(TooLarge) as found:
        splits(BASE, SHAPES, names, GeoSeries([], crs=4490))
    assert found.value.code == "too-many-pieces"


def test_a_name_of_many_dots_is_refused_quickly() -> None:
    name = BLOCK + ".1" * 28
    with pytest.raises(Refused) as found:
        splits(BASE, SHAPES, [name], GeoSeries([SHAPES[BLOCK]], index=[name], crs=4490))
    assert found.value.code == "pieces-do-not-fit"


def test_a_split_of_an_unknown_block_is_not_there() -> None:
    with pytest.raises((NotFound, KeyError)):
        split_into(SHAPES, "B999999", {})
