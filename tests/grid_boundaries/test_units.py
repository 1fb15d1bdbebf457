from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries import units
from grid_boundaries.codes import codes_in_path
from grid_boundaries.errors import NotFound, Refused


def table(*rows: tuple[str, str | None]) -> pd.DataFrame:
    codes, parents = zip(*rows, strict=True) if rows else ((), ())
    return pd.DataFrame({"code": codes, "name": codes, "parent_code": parents, "kind": "town"})


COUNTY = table(
    ("610923100201", "610923100"),
    ("610923", None),
    ("610923100", "610923"),
    ("610923101", "610923"),
)


def test_paths_go_from_the_county_to_the_unit_in_any_order_of_rows() -> None:
    paths = units.unit_paths(COUNTY)
    assert paths["610923"] == "/610923/"
    assert paths["610923100201"] == "/610923/610923100/610923100201/"
    assert units.unit_paths(COUNTY.iloc[::-1]).to_dict() == paths.to_dict()


def test_a_sound_table_and_an_empty_one_have_no_faults() -> None:
    assert units.faults(COUNTY).empty
    assert units.faults(table()).empty
    assert units.unit_paths(table()).empty


@pytest.mark.parametrize("top", [None, "", np.nan, pd.NA])
def test_a_missing_parent_code_may_be_written_in_several_ways(top: object) -> None:
    sound = pd.DataFrame({"code": ["1", "11"], "parent_code": [top, "1"]})
    assert units.faults(sound).empty
    assert units.unit_paths(sound).to_dict() == {"1": "/1/", "11": "/1/11/"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1", None), ("11", "1"), ("11", "1")], [("11", "duplicate")]),
        ([("1", None), ("11", "9")], [("11", "no-parent")]),
        ([("1", None), ("a", "b"), ("b", "a")], [("a", "cycle"), ("b", "cycle")]),
        ([("1", None), ("a", "a")], [("a", "cycle")]),
        ([("1", None), ("2", None)], [("2", "two-tops")]),
        ([("1", None), ("", "1")], [("", "no-code")]),
        ([("a", "b"), ("b", "a")], [(None, "no-top"), ("a", "cycle"), ("b", "cycle")]),
        # what hangs under a circle is not itself in it
        ([("1", None), ("a", "b"), ("b", "a"), ("c", "a")], [("a", "cycle"), ("b", "cycle")]),
    ],
)
def test_each_fault_is_found_where_it_is(
    rows: list[tuple[str, str | None]], expected: list[tuple[str | None, str]]
) -> None:
    found = units.faults(table(*rows)).astype(object)
    found = found.where(found.notna(), None)
    assert list(zip(found["code"], found["fault"], strict=True)) == expected
    assert all(found["zh"]) and all(found["en"])
    with pytest.raises(Refused):
        units.unit_paths(table(*rows))


@given(st.lists(st.integers(0, 100), max_size=40))
@settings(derandomize=True, deadline=None)
def test_in_any_tree_a_path_is_the_parents_path_and_the_own_code(choices: list[int]) -> None:
    # unit n + 1 hangs under any of the units before it
    parents = [choice % (number + 1) for number, choice in enumerate(choices)]
    rows = [(f"u{number + 1}", f"u{parent}") for number, parent in enumerate(parents)]
    tree = table(("u0", None), *rows[::-1])
    paths = units.unit_paths(tree)
    for code, parent in rows:
        assert paths[code] == f"{paths[parent]}{code}/"
        assert units.ancestors(code, tree) == list(codes_in_path(paths[parent]))
        assert code in units.children(parent, tree)


def test_ancestors_of_unknown_and_circular_units_are_refused() -> None:
    with pytest.raises(NotFound, match="no unit 7"):
        units.ancestors("7", COUNTY)
    circle = table(("1", None), ("a", "b"), ("b", "a"))
    with pytest.raises(Refused, match="circle"):
        units.ancestors("a", circle)


def test_children_are_the_units_right_below() -> None:
    assert units.children("610923", COUNTY) == ["610923100", "610923101"]
    assert units.children("610923100201", COUNTY) == []


LINEAGE = pd.DataFrame(
    {
        "predecessor": ["a", "a", "b", "c", "d", "e", "x", "y"],
        "successor": ["b", "c", "d", "d", "d", "e", "y", "x"],
    }
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a", ["d"]),  # split into b and c, which were merged into d
        ("d", ["d"]),  # renamed, which ends nothing
        ("e", ["e"]),
        ("new", ["new"]),
        ("x", []),  # a lineage that bites its tail leads nowhere
    ],
)
def test_successors_are_what_is_left_in_the_end(code: str, expected: list[str]) -> None:
    assert units.successors(code, LINEAGE) == expected
