"""Plans as logs: nothing is lost, everything can be undone, and two ways to a state are equal."""

from __future__ import annotations

import random

import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from grid_boundaries import redraw
from grid_boundaries.crs import in_metres
from grid_boundaries.cutting import current_shapes, cut, shapes_of
from grid_boundaries.errors import Malformed, NotFound, Refused
from grid_boundaries.plan_state import Grid, State, state_bytes, state_from, state_of
from grid_boundaries.plans import Plan, diff, drawn, redone, replayed, undone
from grid_boundaries.reconcile import reconciled
from grid_boundaries.strokes import (
    Create,
    Merge,
    Move,
    Retire,
    Split,
    Stroke,
    stroke_from,
    touched,
    wire_of,
)
from tests.plan_ground import METRIC_SRID, board, people_in, random_stroke, sums_of

STORED, BASE = board()
WHOLE = shapely.union_all(STORED)
G1, G2, G3 = sorted(BASE.grids)
seeds = st.integers(min_value=0, max_value=10**6)
some = settings(derandomize=True, deadline=None, max_examples=40)


def vertical(block: str, share: float, state: State = BASE) -> Split:
    """Return the cut of a block along a meridian at a share of its width."""
    shapes = current_shapes(state, STORED)
    west, south, east, north = shapes[block].bounds
    x = west + share * (east - west)
    return cut(shapes, block, LineString([(x, south - 1e-4), (x, north + 1e-4)]))


def after(*strokes: Stroke) -> State:
    return replayed(BASE, strokes)


def random_plan(seed: int, strokes: int = 25, *, cuts: bool = True) -> tuple[Plan, list[Plan]]:
    """Return a plan after random strokes, undos and redos, and every plan on the way."""
    rng, plan = random.Random(seed), Plan(BASE)
    way = [plan]
    for _ in range(strokes):
        word = rng.choice(["draw", "draw", "draw", "undo", "redo"])
        if word == "undo" and plan.cursor:
            plan = undone(plan)
        elif word == "redo" and plan.cursor < len(plan.log):
            plan = redone(plan)
        else:
            plan = drawn(plan, random_stroke(rng, plan.state(), STORED, cuts=cuts))
        way.append(plan)
    return plan, way


def assert_sound(state: State) -> None:
    """Every block in one grid or none, grids and members of one mind, people all there."""
    held = [block for blocks in state.members.values() for block in blocks]
    assert sorted(held) == sorted(state.grid_of)
    assert {code for code in state.grid_of.values() if code} <= set(state.grids)
    for code, blocks in state.members.items():
        assert {state.grid_of[block] for block in blocks} <= {code}
    assert people_in(state) == pytest.approx(len(BASE.grid_of))


def test_a_move_does_what_redraw_does() -> None:
    moved = after(Move(("B000001", "B000009"), G3)).assignment()
    expected = redraw.move(BASE.assignment(), ["B000001", "B000009"], G3)
    assert moved.to_dict() == expected.to_dict()


def test_a_merge_does_what_redraw_does_and_the_others_are_no_more() -> None:
    state = after(Merge((G1, G2), G2))
    assert state.assignment().to_dict() == redraw.merge(BASE.assignment(), [G1], G2).to_dict()
    assert set(state.grids) == {G2, G3}


def test_a_merge_into_a_third_grid_dissolves_both() -> None:
    state = after(Merge((G1, G2), G3))
    assert set(state.grids) == {G3}
    assert len(state.blocks_of(G3)) == 24


def test_a_created_grid_takes_its_blocks_from_whoever_holds_them() -> None:
    state = after(Create(Grid("new", "新", G1[:12]), ("B000001", "B000012")))
    assert state.blocks_of("new") == {"B000001", "B000012"}
    assert_sound(state)


def test_a_retired_grid_leaves_its_blocks_in_none() -> None:
    state = after(Retire(G1))
    assert state.blocks_of(None) == BASE.blocks_of(G1)
    assert G1 not in state.grids


@pytest.mark.parametrize(
    ("stroke", "code"),
    [
        (Move(("B999999",), None), "no-such-block"),
        (Move(("B000001",), "nowhere"), "no-such-grid"),
        (Merge(("nowhere",), G1), "no-such-grid"),
        (Merge((G1,), "nowhere"), "no-such-grid"),
        (Retire("nowhere"), "no-such-grid"),
        (Create(Grid(G1, "", G1[:12]), ()), "grid-code-taken"),
    ],
)
def test_a_stroke_that_does_not_fit_is_refused_and_changes_nothing(
    stroke: Stroke, code: str
) -> None:
    plan = Plan(BASE)
    with pytest.raises(Refused) as refused:
        drawn(plan, stroke)
    assert refused.value.code == code
    assert refused.value.zh != refused.value.en
    assert plan.state() == BASE


def test_a_state_does_not_know_grids_it_was_not_given() -> None:
    with pytest.raises(NotFound):
        state_of({"B1": "nowhere"}, [])


def test_a_cut_block_is_its_pieces_and_the_ground_stays_a_coverage() -> None:
    split = vertical("B000006", 0.4)
    state = after(split)
    assert state.grid_of["B000006.1"] == state.grid_of["B000006.2"] == G1
    shapes = in_metres(current_shapes(state, STORED), METRIC_SRID)
    before = in_metres(STORED, METRIC_SRID)
    assert len(shapes) == len(before) + 1
    assert shapely.coverage_is_valid(shapes.to_numpy())
    assert shapes.area[["B000006.1", "B000006.2"]].sum() == pytest.approx(before.area["B000006"])


def test_a_cut_leaves_every_other_block_as_it_was_to_the_byte() -> None:
    split = vertical("B000006", 0.4)
    shapes = current_shapes(after(split), STORED)
    changed = {block for block, _ in split.after}
    assert {"B000005", "B000007"} <= changed  # above and below
    for block in set(STORED.index) - changed - {"B000006"}:
        assert shapely.to_wkb(shapes[block]) == shapely.to_wkb(STORED[block])


def test_a_line_from_corner_to_corner_cuts_without_new_vertices() -> None:
    ring = shapely.get_coordinates(STORED["B000006"])
    split = cut(STORED, "B000006", LineString([ring[0], ring[2]]))
    assert len(split.pieces) == 2
    assert {block for block, _ in split.after} == set(split.pieces)


def test_a_line_that_ends_inside_does_not_cut() -> None:
    middle = STORED["B000006"].centroid
    with pytest.raises(Refused) as refused:
        cut(STORED, "B000006", LineString([(middle.x, middle.y), (middle.x, middle.y + 1)]))
    assert refused.value.code == "line-does-not-cut"


def test_undoing_a_cut_gives_the_old_bytes_back() -> None:
    first, plan = vertical("B000006", 0.4), Plan(BASE)
    plan = drawn(plan, first)
    second = vertical("B000007", 0.5, plan.state())
    plan = drawn(plan, second)
    back = current_shapes(undone(plan).state(), STORED)
    for block, wkb in second.before:
        assert shapely.to_wkb(back[block]) == wkb
    start = current_shapes(undone(undone(plan)).state(), STORED)
    assert start.to_wkb().to_dict() == STORED.to_wkb().to_dict()


def test_a_piece_can_be_cut_again() -> None:
    once = after(vertical("B000006", 0.4))
    twice = vertical("B000006.2", 0.5, once).on(once)
    assert {"B000006.1", "B000006.2.1", "B000006.2.2"} <= set(twice.grid_of)
    assert_sound(twice)


def test_a_cut_of_a_shape_that_has_changed_since_is_refused() -> None:
    stale = vertical("B000007", 0.5)
    with pytest.raises(Refused) as refused:
        stale.on(after(vertical("B000006", 0.4)))
    assert refused.value.code == "stroke-does-not-fit"


@some
@given(seeds)
def test_whatever_is_drawn_undone_and_redone_nothing_is_lost(seed: int) -> None:
    _, way = random_plan(seed)
    for plan in way:
        assert_sound(plan.state())


@some
@given(seeds)
def test_the_log_replayed_from_the_start_gives_an_equal_hash(seed: int) -> None:
    plan, _ = random_plan(seed)
    kept = [wire_of(stroke) for stroke in plan.log[: plan.cursor]]
    again = replayed(state_from(state_bytes(BASE)), tuple(map(stroke_from, kept)))
    assert again.digest() == plan.state().digest()


@some
@given(seeds)
def test_undone_to_the_start_a_plan_is_its_base(seed: int) -> None:
    plan, _ = random_plan(seed)
    end, steps = plan.state().digest(), plan.cursor
    for _ in range(steps):
        plan = undone(plan)
    assert plan.state() == BASE
    for _ in range(steps):
        plan = redone(plan)
    assert plan.state().digest() == end


@some
@given(seeds)
def test_the_union_of_all_blocks_never_changes(seed: int) -> None:
    plan, _ = random_plan(seed, 12)
    shapes = current_shapes(plan.state(), STORED)
    # in degrees, as stored: 1e-14 square degrees are a square decimetre
    assert shapely.union_all(shapes).symmetric_difference(WHOLE).area <= 1e-14
    assert shapely.area(shapes).sum() == pytest.approx(WHOLE.area, abs=1e-14)


def test_a_new_stroke_takes_the_place_of_what_was_undone() -> None:
    plan = undone(drawn(Plan(BASE), Retire(G1)))
    plan = drawn(plan, Retire(G2))
    assert plan.log == (Retire(G2),)
    with pytest.raises(Refused, match="redo"):
        redone(plan)


def test_there_is_nothing_to_undo_in_a_new_plan() -> None:
    with pytest.raises(Refused, match="undo"):
        undone(Plan(BASE))


def test_the_hash_knows_no_order() -> None:
    reversed_base = state_of(
        dict(reversed(list(BASE.grid_of.items()))), reversed(list(BASE.grids.values()))
    )
    assert reversed_base.digest() == BASE.digest()
    assert after(Move(("B000001",), G2)).digest() != BASE.digest()
    assert after(vertical("B000001", 0.5)).digest() != after(vertical("B000001", 0.6)).digest()


@some
@given(seeds)
def test_a_stroke_is_read_as_it_was_written(seed: int) -> None:
    plan, _ = random_plan(seed, 6)
    for stroke in plan.log:
        assert stroke_from(wire_of(stroke)) == stroke


@pytest.mark.parametrize(
    "wire", [{}, {"kind": "burn"}, {"kind": "move"}, {"kind": "split", "block": "B1", "line": "x"}]
)
def test_what_is_no_stroke_is_refused(wire: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        stroke_from(wire)


@some
@given(seeds)
def test_a_stroke_changes_no_more_than_it_touches(seed: int) -> None:
    rng = random.Random(seed)
    stroke = random_stroke(rng, BASE, STORED)
    blocks, grids = touched(stroke, BASE)
    state = stroke.on(BASE)
    for block in BASE.grid_of:
        if state.grid_of.get(block, "cut") != BASE.grid_of[block]:
            assert block in blocks
    for code in set(BASE.grids) | set(state.grids):
        if state.blocks_of(code) != BASE.blocks_of(code):
            assert code in grids


def test_a_diff_lists_the_blocks_that_change_hands_with_their_sums() -> None:
    state = after(Move(("B000001", "B000010"), G3), Move(("B000002",), None))
    found = diff(BASE, state, sums_of(BASE))
    assert found["to_grid"].to_dict() == {"B000001": G3, "B000002": None, "B000010": G3}
    assert found["from_grid"].tolist() == [G1, G1, G2]
    assert found["people"].sum() == 2 + 3 + 11


def test_a_diff_compares_pieces_where_one_side_has_cut() -> None:
    cut_once = after(vertical("B000006", 0.4))
    state = Move(("B000006.2",), G3).on(cut_once)
    assert diff(BASE, state, sums_of(state)).index.tolist() == ["B000006.2"]
    assert diff(state, BASE, sums_of(state))["to_grid"].tolist() == [G1]
    assert diff(BASE, cut_once, pd.DataFrame()).empty


def test_a_diff_without_counts_of_a_block_is_refused() -> None:
    with pytest.raises(NotFound, match="B000001"):
        diff(BASE, after(Move(("B000001",), G3)), sums_of(BASE).iloc[1:])


@some
@given(seeds, seeds)
def test_a_merge_without_cuts_is_the_rule_block_by_block(one: int, other: int) -> None:
    mine = random_moves(one)
    theirs = random_moves(other)
    found = reconciled(BASE, mine, theirs)
    merged = replayed(mine, found.strokes)
    conflicts = {conflict.where for conflict in found.conflicts}
    for block in BASE.grid_of:
        b, m, t = (state.grid_of[block] for state in (BASE, mine, theirs))
        assert merged.grid_of[block] == (t if m == b else m)
        assert (block in conflicts) == (m != b and t not in (b, m))
    assert_sound(merged)


def random_moves(seed: int) -> State:
    rng, state = random.Random(seed), BASE
    for _ in range(4):
        blocks = tuple(rng.sample(sorted(BASE.grid_of), 3))
        state = Move(blocks, rng.choice([G1, G2, G3, None])).on(state)
    return state


@some
@given(seeds)
def test_merging_a_plan_with_its_own_base_changes_nothing(seed: int) -> None:
    state = random_plan(seed, 10)[0].state()
    for theirs in (BASE, state):
        found = reconciled(BASE, state, theirs)
        assert replayed(state, found.strokes).grid_of == state.grid_of
        assert not found.cuts and not found.conflicts


def merged(base: State, mine: State, theirs: State) -> tuple[State, set[str]]:
    found = reconciled(base, mine, theirs)
    state = mine
    for block, line in found.cuts:
        state = cut(current_shapes(state, STORED), block, shapely.from_wkb(line)).on(state)
    return replayed(state, found.strokes), {conflict.kind for conflict in found.conflicts}


@some
@given(seeds)
def test_a_base_that_takes_all_of_a_plan_becomes_that_plan(seed: int) -> None:
    theirs = random_plan(seed, 12)[0].state()
    state, conflicts = merged(BASE, BASE, theirs)
    assert conflicts == set()
    assert state.grid_of == theirs.grid_of
    assert state.grids == theirs.grids
    assert_sound(state)


@some
@given(seeds, seeds)
def test_any_two_plans_merge_to_a_sound_one(one: int, other: int) -> None:
    mine, theirs = (random_plan(seed, 8)[0].state() for seed in (one, other))
    state, _ = merged(BASE, mine, theirs)
    assert_sound(state)
    shapes = in_metres(current_shapes(state, STORED), METRIC_SRID)
    assert shapes.area.sum() == pytest.approx(in_metres(STORED, METRIC_SRID).area.sum())


def test_a_cut_of_theirs_meets_a_move_of_mine() -> None:
    mine = after(Move(("B000006",), G2))
    theirs = Move(("B000006.2",), G3).on(after(vertical("B000006", 0.4)))
    found = reconciled(BASE, mine, theirs)
    assert [conflict.where for conflict in found.conflicts] == ["B000006.2"]
    state, _ = merged(BASE, mine, theirs)
    assert state.grid_of["B000006.1"] == state.grid_of["B000006.2"] == G2


def test_neighbours_cut_on_both_sides_stay_a_coverage() -> None:
    mine, theirs = after(vertical("B000006", 0.4)), after(vertical("B000007", 0.6))
    state, conflicts = merged(BASE, mine, theirs)
    assert conflicts == set()
    assert {"B000006.1", "B000007.1"} <= set(state.grid_of)
    assert shapely.coverage_is_valid(current_shapes(state, STORED).to_numpy())


def test_one_block_cut_along_two_lines_is_a_conflict_and_mine_stays() -> None:
    mine, theirs = after(vertical("B000006", 0.4)), after(vertical("B000006", 0.6))
    theirs = Move(("B000006.2",), G3).on(theirs)
    state, conflicts = merged(BASE, mine, theirs)
    assert conflicts == {"cut"}
    assert state == mine


def test_theirs_is_taken_where_it_is_preferred() -> None:
    mine, theirs = after(Move(("B000001",), G2)), after(Move(("B000001",), G3))
    found = reconciled(BASE, mine, theirs, prefer="theirs")
    assert replayed(mine, found.strokes).grid_of["B000001"] == G3
    assert len(found.conflicts) == 1


def test_a_grid_that_mine_took_away_gets_no_blocks() -> None:
    mine, theirs = after(Merge((G2,), G1)), after(Move(("B000017",), G2))
    found = reconciled(BASE, mine, theirs)
    assert found.strokes == ()
    assert [conflict.kind for conflict in found.conflicts] == ["grid-gone"]


def test_a_grid_that_theirs_took_away_goes_when_mine_left_it_alone() -> None:
    theirs = after(Merge((G2,), G1))
    state, conflicts = merged(BASE, after(Move(("B000024",), G1)), theirs)
    assert conflicts == set()
    assert set(state.grids) == {G1, G3}


def test_a_grid_that_theirs_took_away_stays_where_mine_gave_it_blocks() -> None:
    mine, theirs = after(Move(("B000001",), G2)), after(Merge((G2,), G3))
    state, conflicts = merged(BASE, mine, theirs)
    assert conflicts == {"grid-gone"}
    assert state.blocks_of(G2) == {"B000001"}


def test_two_grids_of_one_code_with_other_facts_are_a_conflict() -> None:
    mine = after(Create(Grid("new", "甲", G1[:12]), ("B000001",)))
    theirs = after(Create(Grid("new", "乙", G1[:12]), ("B000002",)))
    state, conflicts = merged(BASE, mine, theirs)
    assert conflicts == {"grid"}
    assert state.blocks_of("new") == {"B000001", "B000002"}


def test_shapes_of_a_stroke_are_those_it_carries() -> None:
    split = vertical("B000006", 0.4)
    assert shapes_of(split.after).to_wkb().to_dict() == dict(split.after)


@some
@given(seeds)
def test_what_changed_since_is_what_differs_block_by_block(seed: int) -> None:
    _, way = random_plan(seed, 8)
    states = [one.state() for one in way]
    for before in states:
        for later in states:
            assert later.since(before) == dict(later.grid_of.items() - before.grid_of.items())


def test_nothing_changed_since_the_state_itself() -> None:
    assert BASE.since(BASE) == {}
