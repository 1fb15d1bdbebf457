"""What is counted in blocks: by hand on the made-up county, and shares that always add up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gis_service.access import RIGHTS
from gis_service.database import enter_scope
from grid_boundaries.view import View
from layers.block_sums import Counting, KeptSums, block_sums, shared
from tests.county import COUNTY_PATH, NOW, VILLAGES, path_of

EVERYTHING = View("tester", (COUNTY_PATH,), RIGHTS)
weights = st.lists(st.integers(0, 50), min_size=1, max_size=8)


def test_a_block_of_the_made_up_county_holds_what_was_put_in_it(
    county_connection: Connection,
) -> None:
    enter_scope(county_connection, EVERYTHING)
    sums = block_sums(county_connection, Counting(EVERYTHING, "present", NOW))
    assert len(sums) == 16
    assert sums.loc["B000002"].to_dict() == {
        "people": 4, "households": 2, "places": 1, "key_places": 1, "workers": 1, "cameras": 1,
        "incidents": 3,
    }  # fmt: skip
    assert sums["key_places"].sum() == 8


@pytest.mark.parametrize(("basis", "people"), [("present", 4), ("registered", 4), ("usual", 3)])
def test_people_are_counted_on_the_basis_asked_for(
    county_connection: Connection, basis: str, people: int
) -> None:
    enter_scope(county_connection, EVERYTHING)
    counting = Counting(EVERYTHING, basis, NOW)
    assert set(block_sums(county_connection, counting)["people"]) == {people}


def test_a_block_that_is_asked_for_is_counted_even_where_nothing_is(
    county_connection: Connection,
) -> None:
    enter_scope(county_connection, EVERYTHING)
    counting = Counting(EVERYTHING, "present", NOW)
    sums = block_sums(county_connection, counting, ["B000001", "B999999"])
    assert sums["people"].to_dict() == {"B000001": 4, "B999999": 0}


def test_nothing_outside_the_scope_is_counted(county_connection: Connection) -> None:
    village = View("tester", (path_of(VILLAGES[0]),), RIGHTS)
    enter_scope(county_connection, village)
    assert len(block_sums(county_connection, Counting(village, "present", NOW))) == 4


@pytest.mark.parametrize("fresh_s", [0.0, 60.0])
def test_kept_counts_are_those_that_are_read(county_connection: Connection, fresh_s: float) -> None:
    enter_scope(county_connection, EVERYTHING)
    kept = KeptSums(fresh_s, math.inf)
    plain = block_sums(county_connection, Counting(EVERYTHING, "usual", NOW))
    for _ in range(2):
        counting = Counting(EVERYTHING, "usual", NOW, kept)
        assert block_sums(county_connection, counting).equals(plain)
        some = block_sums(county_connection, counting, ["B000003", "B999999"])
        assert some["households"].tolist() == [2, 0]


def test_people_are_shared_out_in_whole_numbers_by_the_largest_remainder() -> None:
    assert shared(10, np.array([1.0, 1.0, 1.0]), np.ones(3)).tolist() == [4, 3, 3]
    assert shared(7, np.array([0.0, 3.0, 1.0]), np.ones(3)).tolist() == [0, 5, 2]
    assert shared(3, np.zeros(2), np.array([1.0, 2.0])).tolist() == [1, 2]


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10_000), weights)
def test_shares_add_up_and_none_is_a_whole_one_off(total: int, parts: list[int]) -> None:
    by = np.array(parts, dtype=float)
    out = shared(total, by, np.ones(len(parts)))
    assert out.sum() == total
    used = by if by.sum() else np.ones(len(parts))
    assert (np.abs(out - total * used / used.sum()) < 1).all()


def test_stale_counts_are_given_while_another_reads_them_anew(
    county_connection: Connection,
) -> None:
    enter_scope(county_connection, EVERYTHING)
    kept = KeptSums(0.0, math.inf)
    counting = Counting(EVERYTHING, "present", NOW, kept)
    first = kept.of(county_connection, counting)
    with kept._lock:  # somebody reads
        assert kept.of(county_connection, counting) is first
    assert kept.of(county_connection, counting) is not first


def test_counts_that_take_long_to_read_are_read_less_often(county_connection: Connection) -> None:
    enter_scope(county_connection, EVERYTHING)
    kept = KeptSums(0.0, 1e-9)
    counting = Counting(EVERYTHING, "present", NOW, kept)
    first = kept.of(county_connection, counting)
    assert kept.of(county_connection, counting) is first
