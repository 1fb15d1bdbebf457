"""What goes out comes in again as the same plan: every kind of file, reference and encoding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.sheets import What
from grid_boundaries.refinement import whole_of
from grid_boundaries.strokes import Split
from tests.exchanging import (
    EVERY_CRS,
    SOME_CRS,
    Board,
    come_back,
    farthest_m,
    file_of,
    plain_plan,
    random_plan,
    read_by_ogr,
)

KINDS = [("geojson", "utf-8"), ("gpkg", "utf-8"), ("shp", "utf-8"), ("shp", "gbk")]
CUT_PLAN = 4  # a seed whose plan has cut three blocks


@pytest.fixture(scope="module")
def plain() -> Board:
    return plain_plan()


@pytest.fixture(scope="module")
def cut() -> Board:
    return random_plan(CUT_PLAN, cuts=True, strokes=25)


@pytest.mark.parametrize("what", ["blocks", "grids"])
@pytest.mark.parametrize("crs", EVERY_CRS)
@pytest.mark.parametrize(("kind", "encoding"), KINDS)
def test_a_plan_is_the_same_again_as_another_program_reads_it(
    plain: Board, kind: str, crs: str, encoding: str, what: What
) -> None:
    file = file_of(plain.sheet(what), kind, crs, encoding)
    back = come_back(plain, file, read_by_ogr)
    assert back.after.digest() == plain.state.digest()
    assert (back.untouched, back.differing) == ((), {})


@pytest.mark.parametrize("what", ["blocks", "grids"])
@pytest.mark.parametrize("crs", SOME_CRS)
@pytest.mark.parametrize(("kind", "encoding"), KINDS)
def test_a_plan_is_the_same_again_as_we_read_it(
    plain: Board, kind: str, crs: str, encoding: str, what: What
) -> None:
    back = come_back(plain, file_of(plain.sheet(what), kind, crs, encoding))
    assert back.after.digest() == plain.state.digest()
    assert back.assigned == len(plain.state.grid_of)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_block_equivalency_table_is_the_same_plan_again(plain: Board, encoding: str) -> None:
    back = come_back(plain, file_of(plain.sheet("blocks"), "csv", "4490", encoding))
    assert back.after.digest() == plain.state.digest()


@pytest.mark.parametrize("crs", SOME_CRS)
@pytest.mark.parametrize(("kind", "encoding"), KINDS)
def test_cut_blocks_are_cut_again_to_the_micrometre(
    cut: Board, kind: str, crs: str, encoding: str
) -> None:
    assert len(cut.state.cuts) == 3
    back = come_back(cut, file_of(cut.sheet("blocks"), kind, crs, encoding), read_by_ogr)
    assert back.after.grid_of == cut.state.grid_of
    assert back.after.grids == cut.state.grids
    assert back.after.cuts.keys() == cut.state.cuts.keys()
    assert farthest_m(cut.state, back.after) < 1e-6


def test_every_zone_keeps_cuts(cut: Board) -> None:
    for crs in EVERY_CRS:
        back = come_back(cut, file_of(cut.sheet("blocks"), "geojson", crs))
        assert back.after.grid_of == cut.state.grid_of, crs
        assert farthest_m(cut.state, back.after) < 1e-6, crs


def test_a_table_cannot_carry_cuts_and_says_which(cut: Board) -> None:
    with pytest.raises(Refused) as refused:
        come_back(cut, file_of(cut.sheet("blocks"), "csv"))
    assert refused.value.code == "pieces-without-shape"
    pieces = sorted(block for block in cut.state.grid_of if "." in block)
    assert refused.value.where["names"] == pieces
    assert all(piece in refused.value.zh and piece in refused.value.en for piece in pieces)


def test_grids_without_blocks_cannot_carry_cuts_and_say_which(cut: Board) -> None:
    with pytest.raises(Refused) as refused:
        come_back(cut, file_of(cut.sheet("grids"), "geojson"))
    assert refused.value.code == "block-shared"
    divided = {
        whole_of(block) for block in cut.state.grid_of
        if "." in block and len({cut.state.grid_of[b] for b in cut.state.grid_of
                                 if whole_of(b) == whole_of(block)}) > 1
    }  # fmt: skip
    assert set(refused.value.where["names"]) == divided


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), crs=st.sampled_from(EVERY_CRS))
def test_any_plan_of_blocks_comes_back(seed: int, crs: str) -> None:
    plan = random_plan(seed, cuts=True)
    back = come_back(plan, file_of(plan.sheet("blocks"), "geojson", crs))
    assert back.after.grid_of == plan.state.grid_of
    assert back.after.grids == plan.state.grids
    assert farthest_m(plan.state, back.after) < 1e-6


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), crs=st.sampled_from(EVERY_CRS))
def test_any_plan_without_cuts_comes_back_from_its_grids(seed: int, crs: str) -> None:
    plan = random_plan(seed, cuts=False)
    back = come_back(plan, file_of(plan.sheet("grids"), "geojson", crs))
    assert back.after.digest() == plan.state.digest()


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_the_second_trip_changes_nothing_more(seed: int) -> None:
    plan = random_plan(seed, cuts=True)
    once = come_back(plan, file_of(plan.sheet("blocks"), "geojson", "4545"))
    again = Board(plan.shapes, plan.base, once.after)
    twice = come_back(again, file_of(again.sheet("blocks"), "geojson", "4545"))
    assert twice.after.grid_of == once.after.grid_of
    assert farthest_m(once.after, twice.after) < 1e-7
    kinds = [type(stroke) for stroke in once.strokes]
    assert kinds == sorted(kinds, key=lambda kind: kind is not Split)


def test_the_plan_in_force_says_nothing_new(plain: Board) -> None:
    still = Board(plain.shapes, plain.base, plain.base)
    for what in ("blocks", "grids"):
        assert come_back(still, file_of(still.sheet(what), "geojson", "gcj02")).strokes == ()
