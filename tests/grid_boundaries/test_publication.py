"""What a publication makes of codes, versions and lineage, by hand."""

from __future__ import annotations

import pytest

from grid_boundaries.codes import profile
from grid_boundaries.errors import Refused
from grid_boundaries.plan_state import Grid, State, state_of
from grid_boundaries.plans import replayed
from grid_boundaries.publication import Facts, Publication, publication, restoration
from grid_boundaries.refinement import finest, in_terms_of, refined, whole_of, wholes_of
from grid_boundaries.strokes import Create, Merge, Move, Retire, Split, Stroke

VILLAGE, OTHER = "610999100201", "610999100202"
A, B, C = f"{VILLAGE}001", f"{VILLAGE}002", f"{OTHER}001"
BEFORE = state_of(
    {"B1": A, "B2": A, "B3": B, "B4": B, "B5": C, "B6": None},
    [Grid(A, "甲", VILLAGE), Grid(B, "乙", VILLAGE), Grid(C, "丙", OTHER)],
)
PEOPLE = {"B1": 50, "B2": 51, "B3": 10, "B4": 10, "B5": 0, "B6": 0}


def changed(
    *strokes: Stroke, people: dict[str, float] | None = None, given: set[str] | None = None
) -> tuple[State, Publication]:
    after = replayed(BEFORE, strokes)
    counts = dict.fromkeys(after.grid_of, 0.0) | PEOPLE | (people or {})
    area_m2 = dict.fromkeys(counts, 1.0)
    points = {code: (float(number), 0.0) for number, code in enumerate(sorted(after.grids))}
    facts = Facts(counts, area_m2, points, given or {A, B, C}, profile("cn"))
    return after, publication(BEFORE, after, facts)


def test_nothing_drawn_is_nothing_to_publish() -> None:
    _, done = changed()
    assert (done.grid_of, done.opened, done.closed, done.lineage) == ({}, (), (), ())


def test_only_grids_whose_blocks_change_get_a_version() -> None:
    _, done = changed(Move(("B1",), B))
    assert done.closed == (A, B)
    assert [grid.code for grid in done.opened] == [A, B]
    assert done.grid_of == {"B1": B}
    assert done.retired == ()
    assert done.lineage == (("grid", A, B, "moved"),)


@pytest.mark.parametrize(("leaves", "stays"), [("B1", True), ("B2", False)])
def test_half_of_the_residents_is_enough(leaves: str, *, stays: bool) -> None:
    _, done = changed(Move((leaves,), B))
    assert (done.codes[A] == A) is stays
    if not stays:
        assert done.codes[A] == f"{VILLAGE}003"
        assert done.retired == (A,)
        assert done.grid_of["B1"] == f"{VILLAGE}003"
        assert ("grid", A, f"{VILLAGE}003", "split") in done.lineage


def test_where_nobody_lives_the_ground_decides() -> None:
    nobody = dict.fromkeys(PEOPLE, 0.0)
    assert changed(Move(("B3",), A), people=nobody)[1].codes[B] == B
    assert changed(Move(("B3", "B4"), A), people=nobody)[1].retired == (B,)


def test_a_merged_grid_is_retired_and_the_other_keeps_its_code() -> None:
    _, done = changed(Merge((A,), B))
    assert done.retired == (A,)
    assert done.codes[B] == B
    assert done.lineage == (("grid", A, B, "merged"),)


def test_a_new_grid_gets_the_next_code_that_was_never_given() -> None:
    made = Create(Grid("new", "新", VILLAGE), ("B3",))
    _, done = changed(made, given={A, B, C, f"{VILLAGE}007"})
    assert done.codes["new"] == f"{VILLAGE}008"
    assert done.lineage == (("grid", B, f"{VILLAGE}008", "split"),)


def test_new_grids_of_a_village_are_numbered_west_to_east() -> None:
    _, done = changed(
        Create(Grid("x", "", VILLAGE), ("B3",)), Create(Grid("w", "", VILLAGE), ("B4",))
    )
    assert (done.codes["w"], done.codes["x"]) == (f"{VILLAGE}003", f"{VILLAGE}004")


def test_a_grid_without_blocks_is_retired_and_so_is_one_taken_away() -> None:
    assert changed(Move(("B5",), None))[1].retired == (C,)
    assert changed(Retire(C))[1].retired == (C,)


def test_a_village_without_codes_left_is_refused() -> None:
    every = {f"{VILLAGE}{number:03d}" for number in range(1, 1000)}
    with pytest.raises(Refused):
        changed(Create(Grid("new", "新", VILLAGE), ("B3",)), given=every)


def test_a_cut_block_ends_and_its_lineage_is_from_the_block_in_force() -> None:
    first = Split("B3", b"l", ("B3.1", "B3.2"), (("B3", b"x"),), (("B3.1", b"y"), ("B3.2", b"z")))
    then = Split("B3.2", b"m", ("B3.2.1", "B3.2.2"), (("B3.2", b"z"),), ())
    _, done = changed(first, then, Move(("B3.2.1",), A))
    assert done.cut == {"B3": ("B3.1", "B3.2.1", "B3.2.2")}
    assert done.grid_of == {"B3.1": B, "B3.2.1": A, "B3.2.2": B}
    assert [line for line in done.lineage if line[0] == "block"] == [
        ("block", "B3", piece, "split") for piece in ("B3.1", "B3.2.1", "B3.2.2")
    ]


def test_a_restoration_gives_back_the_old_codes() -> None:
    after, done = changed(Move(("B2",), B))
    lasting = state_of(
        {block: done.codes.get(code or "") for block, code in after.grid_of.items()},
        [Grid(code, after.grids[old].name, VILLAGE) for old, code in done.codes.items()],
    )
    back = restoration(lasting, BEFORE)
    assert back.codes[A] == A
    assert back.retired == (f"{VILLAGE}003",)
    assert {
        block: back.grid_of.get(block, lasting.grid_of[block]) for block in lasting.grid_of
    } == (BEFORE.grid_of)


def test_pieces_know_what_they_were_cut_from() -> None:
    assert whole_of("B1") is None
    assert list(wholes_of("B1.2.3")) == ["B1.2.3", "B1.2", "B1"]
    assert in_terms_of("B1.2.3", {"B1"}) == "B1"
    assert in_terms_of("B1", {"B1.1"}) is None
    assert refined({"B1": "g"}, ["B1.1", "B2"]) == {"B1.1": "g", "B2": None}


def test_the_finest_cut_has_no_block_that_somebody_cut() -> None:
    one = state_of({"B1.1": None, "B1.2": None, "B2": None}, [], {}, {"B1": b""})
    other = state_of({"B1": None, "B2": None}, [])
    assert finest((one, other)) == ["B1.1", "B1.2", "B2"]
