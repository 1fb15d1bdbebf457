"""Codes and names: cleaned where that is certain, told where it is not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from grid_boundaries.codes import profile
from grid_boundaries.incoming.labels import (
    clean_code,
    clean_name,
    code_faults,
    labelled,
    ungarbled,
)
from tests.grid_boundaries.incoming.kit import layer, rows_of

CN = profile("cn")
VILLAGE = "610999100201"
SQUARE = box(0, 0, 10, 10)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("６１０９９９１００２０１００１", "610999100201001"),
        (" 610999 100201 001\u3000", "610999100201001"),
        ("610999100201001.0", "610999100201001"),
        (610999100201001.0, "610999100201001"),
        (610999100201001, "610999100201001"),
        ("\ufeff610999100201001\u200b", "610999100201001"),
        ("a\x00b\x1b[31m\u202e\ue000", "ab[31m"),
        (None, ""),
        (math.nan, ""),
        ("  ", ""),
        ("网格-3", "网格-3"),
        ("9" * 200, "9" * 64),
    ],
)
def test_a_code_is_cleaned_of_what_never_belongs_to_one(cell: object, code: str) -> None:
    assert clean_code(cell) == code


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (None, ""),
        (math.nan, ""),
        (" 城关\n 一格 ", "城关 一格"),
        (3, "3"),
        ("\u202e格一关城", "格一关城"),
        ("城\u200b关\ufeff", "城关"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("\u2067\u200f", ""),
        ("城\u2028关", "城 关"),
    ],
)
def test_a_name_is_one_line_without_marks(cell: object, name: str) -> None:
    assert clean_name(cell) == name


def test_utf_8_read_as_gbk_is_told() -> None:
    for name in ("城关网格", "第一网格", "长安社区"):
        seen = name.encode().decode("gb18030", errors="replace")
        if "\ufffd" not in seen:
            assert ungarbled(seen) == name


def test_gbk_and_utf_8_read_as_latin_are_told() -> None:
    assert ungarbled("城关镇第三网格".encode("gbk").decode("latin-1")) == "城关镇第三网格"
    assert ungarbled("城关镇第三网格".encode().decode("latin-1")) == "城关镇第三网格"


@pytest.mark.parametrize(
    "sound",
    ["", "grid 3", "城关镇第三网格", "联通", "四亩地社区", "café", "兴隆村１组", "𠮷野家网格"],
)
def test_a_sound_name_is_left_alone(sound: str) -> None:
    assert ungarbled(sound) is None


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x8FFF), min_size=2, max_size=12))
def test_whatever_was_read_as_latin_comes_back(name: str) -> None:
    assert ungarbled(name.encode("gb18030").decode("latin-1")) == name


def test_rows_without_a_code_get_one_from_their_number() -> None:
    table, found = labelled(rows_of(("a", "x", SQUARE), (None, "y", SQUARE), ("", "z", SQUARE)))
    assert table["code"].tolist() == ["a", "?2", "?3"]
    assert [(one.kind, one.facts["row"], one.repair) for one in found] == [
        ("missing-code", 2, "provisional"),
        ("missing-code", 3, "provisional"),
    ]


def test_a_garbled_name_is_corrected_and_told() -> None:
    seen = "城关网格".encode().decode("latin-1")
    table, found = labelled(rows_of(("a", seen, SQUARE)))
    assert table["name"].tolist() == ["城关网格"]
    assert (found[0].kind, found[0].repair, found[0].facts["right"]) == (
        "garbled-name", "correct", "城关网格",
    )  # fmt: skip


def test_a_name_that_lost_characters_is_kept_and_told() -> None:
    table, found = labelled(rows_of(("a", "城\ufffd网格", SQUARE)))
    assert table["name"].tolist() == ["城\ufffd网格"]
    assert [(one.kind, one.repair) for one in found] == [("garbled-name", "keep")]


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\x1b", "\u200f", "\ufeff", "\x00"])
def test_a_name_with_marks_is_put_right_and_told(mark: str) -> None:
    table, found = labelled(rows_of(("a", f"城关{mark}网格", SQUARE), ("b", "城关 网格", SQUARE)))
    assert table["name"].tolist() == ["城关网格", "城关 网格"]
    assert [(one.kind, one.codes, one.repair) for one in found] == [
        ("marks-in-name", ("a",), "correct")
    ]
    assert mark not in found[0].zh + found[0].en


def test_a_garbled_name_is_told_once() -> None:
    # half of the bytes of a garbled name are control characters of Latin-1
    _, found = labelled(rows_of(("a", "城关网格".encode().decode("latin-1"), SQUARE)))
    assert [one.kind for one in found] == ["garbled-name"]


def test_codes_are_held_to_the_profile_and_to_the_units() -> None:
    codes = (f"{VILLAGE}001", "6.10999E+14", f"{VILLAGE}01", "610999999999001", "?4", "网格三")
    grids = layer(**dict.fromkeys(codes, SQUARE))
    found = {one.codes[0]: one for one in code_faults(grids, CN, [VILLAGE])}
    assert {code: one.kind for code, one in found.items()} == {
        "6.10999E+14": "malformed-code",
        f"{VILLAGE}01": "malformed-code",
        "网格三": "malformed-code",
        "610999999999001": "unknown-unit",
    }
    assert "科学计数" in found["6.10999E+14"].zh
    assert "float" in found["6.10999E+14"].en


def test_where_no_unit_is_known_none_is_unknown() -> None:
    assert list(code_faults(layer(**{"610999999999001": SQUARE}), CN, [])) == []


def test_a_profile_of_free_codes_finds_no_fault() -> None:
    assert list(code_faults(layer(x=SQUARE), profile("taipei"), ["y"])) == []
