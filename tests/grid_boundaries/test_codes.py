from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries import codes
from grid_boundaries.errors import Refused

CN, TAIPEI = codes.PROFILES["cn"], codes.PROFILES["taipei"]
CITY = "610923100201"
COORDINATES = st.lists(
    st.tuples(st.integers(0, 9000), st.integers(0, 9000)), unique=True, max_size=30
)


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("610923", "county", None),
        ("610923100", "town", "610923"),
        (CITY, "village", "610923100"),
        (CITY + "001", "grid", CITY),
    ],
)
def test_the_chinese_profile_reads_levels_and_parents(
    code: str, level: str, parent: str | None
) -> None:
    assert codes.level(code, CN) == level
    assert codes.parent(code, CN) == parent


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("63000", "county", None),
        ("63000080", "town", "63000"),
        ("63000080037", "village", "63000080"),
        ("A6308-0123-00", "grid", None),  # the unit's own code: only the tables know its village
        ("63000080037-004", "grid", "63000080037"),
    ],
)
def test_the_taipei_profile_reads_levels_and_parents(
    code: str, level: str, parent: str | None
) -> None:
    assert codes.level(code, TAIPEI) == level
    assert codes.parent(code, TAIPEI) == parent


@pytest.mark.parametrize(
    "code",
    ["", "61092", "6109231", "61092310020A", "６１０９２３", "610923\n", "61092³", " 610923"],
)
def test_what_is_no_code_has_no_level_and_no_parent(code: str) -> None:
    assert codes.level(code, CN) is None
    with pytest.raises(Refused, match="no code of profile cn"):
        codes.parent(code, CN)


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    assert codes.profile("cn") is CN
    with pytest.raises(Refused, match="cn, taipei"):
        codes.profile("mars")


def test_ancestors_and_path_go_from_the_county_down() -> None:
    assert codes.ancestors(CITY + "001", CN) == ("610923", "610923100", CITY)
    assert codes.unit_path(CITY, CN) == f"/610923/610923100/{CITY}/"
    assert codes.unit_path("63000080037", TAIPEI) == "/63000/63000080/63000080037/"
    assert codes.unit_path("610923", CN) == "/610923/"


def test_the_county_of_a_code_is_told_where_digits_tell_it() -> None:
    assert codes.county_of(CITY + "001", CN) == "610923"
    assert codes.county_of("610923", CN) == "610923"
    assert codes.county_of("A6308-0123-00", TAIPEI) is None


@given(st.lists(st.text("0123456789AB-", min_size=1), max_size=4))
@settings(derandomize=True, deadline=None)
def test_a_path_gives_back_its_codes(parts: list[str]) -> None:
    path = codes.path_of(parts)
    assert codes.codes_in_path(path) == tuple(parts)
    assert path.startswith("/")
    assert path.endswith("/")


@pytest.mark.parametrize("code", ["", "6109/23"])
def test_codes_that_would_break_a_path_are_refused(code: str) -> None:
    with pytest.raises(Refused, match="cannot stand in a path"):
        codes.path_of(["610923", code])


def test_a_path_is_never_the_prefix_of_a_sibling() -> None:
    assert not codes.path_of(["63", "631"]).startswith(codes.path_of(["63", "63"]))


def test_serial_numbers_outside_their_range_are_warnings() -> None:
    units = pd.DataFrame(
        {
            "code": ["610923100001", "610923100201", "610923100002", "610923100199", "61092310X"],
            "kind": ["community", "community", "village", "farm", "town"],
        }
    )
    found = codes.faults(units, CN)
    assert found["code"].tolist() == ["610923100201", "610923100002", "61092310X"]
    assert found["severity"].tolist() == ["warning", "warning", "error"]
    assert "001–199" in found["zh"][0]
    assert "200–399" in found["en"][1]


def test_a_level_that_the_code_contradicts_is_an_error() -> None:
    units = pd.DataFrame({"code": ["610923100"], "kind": ["town"], "level": ["village"]})
    assert codes.faults(units, CN)["fault"].tolist() == ["wrong-level"]
    assert codes.faults(units.assign(level="town"), CN).empty


def test_blocks_are_numbered_west_to_east_then_north_to_south() -> None:
    points = np.array([[50.0, 0.0], [10.2, 5.0], [9.9, 80.0], [50.4, -7.0]])
    assert codes.first_block_ids(points).tolist() == ["B000003", "B000002", "B000001", "B000004"]


@given(COORDINATES)
@settings(derandomize=True, deadline=None)
def test_block_numbers_do_not_depend_on_the_order_given(places: list[tuple[int, int]]) -> None:
    points = np.array(places, dtype=float).reshape(-1, 2)
    expected = {
        place: f"B{number:06d}"
        for number, place in enumerate(sorted(places, key=lambda p: (p[0], -p[1])), start=1)
    }
    assert codes.first_block_ids(points).tolist() == [expected[place] for place in places]


def test_too_many_blocks_and_lost_points_are_refused() -> None:
    with pytest.raises(Refused, match="999999"):
        codes.first_block_ids(np.zeros((1_000_000, 2)))
    with pytest.raises(Refused, match="point 1"):
        codes.first_block_ids(np.array([[0.0, 0.0], [np.nan, 0.0]]))


def test_the_parts_of_a_split_are_numbered_like_a_first_cut() -> None:
    points = np.array([[20.0, 0.0], [10.0, 0.0], [10.3, 4.0]])
    parts = codes.split_block_ids("B000007", points)
    assert parts.tolist() == ["B000007.3", "B000007.2", "B000007.1"]
    assert codes.split_block_ids("B000007.1", points[:1]).tolist() == ["B000007.1.1"]


def test_first_grid_codes_go_west_to_east_from_001() -> None:
    points = np.array([[300.0, 0.0], [100.0, 0.0], [200.0, 0.0]])
    assert codes.next_grid_codes(CITY, points, CN).tolist() == [
        CITY + "003",
        CITY + "001",
        CITY + "002",
    ]
    made = codes.next_grid_codes("63000080037", points[:1], TAIPEI)
    assert made.tolist() == ["63000080037-001"]
    assert codes.level(made[0], TAIPEI) == "grid"


@given(taken=st.sets(st.integers(1, 999), max_size=998), wanted=st.integers(1, 5))
@settings(derandomize=True, deadline=None)
def test_no_grid_code_is_given_twice(taken: set[int], wanted: int) -> None:
    given_codes = {f"{CITY}{number:03d}" for number in taken}
    points = np.arange(2.0 * wanted).reshape(-1, 2)
    if 999 - len(taken) < wanted:
        with pytest.raises(Refused, match="grid numbers left"):
            codes.next_grid_codes(CITY, points, CN, given=given_codes)
        return
    new = codes.next_grid_codes(CITY, points, CN, given=given_codes).tolist()
    assert not given_codes & set(new)
    assert len(set(new)) == wanted
    assert all(codes.parent(code, CN) == CITY for code in new)


def test_numbers_go_on_after_the_highest_and_foreign_codes_do_not_count() -> None:
    given_codes = [CITY + "007", "610923100202055", "old grid 12"]
    made = codes.next_grid_codes(CITY, np.zeros((1, 2)), CN, given=given_codes)
    assert made.tolist() == [CITY + "008"]


def test_grids_are_numbered_in_villages_only() -> None:
    with pytest.raises(Refused, match="610923100"):
        codes.next_grid_codes("610923100", np.zeros((1, 2)), CN)


def test_natural_order_counts_as_people_do() -> None:
    ids = ["B000010", "B000002.10", "B000002.2", "B000002", "A6301-0002-00", "A6301-0001-00"]
    assert codes.in_natural_order(ids) == [
        "A6301-0001-00",
        "A6301-0002-00",
        "B000002",
        "B000002.2",
        "B000002.10",
        "B000010",
    ]


@given(st.lists(st.text("019.B²", max_size=6)))
@settings(derandomize=True, deadline=None)
def test_natural_order_sorts_anything_the_same_way_from_any_start(texts: list[str]) -> None:
    assert codes.in_natural_order(texts) == codes.in_natural_order(texts[::-1])


def test_no_path_is_made_of_what_is_no_code() -> None:
    with pytest.raises(Refused, match="'61' is no code"):
        codes.unit_path("61", CN)
