"""Marks that no name has are found and taken out, and every script's own letters stay."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.marks import has_marks, without_marks

SOUND = [
    "",
    "城关镇第三网格",
    "café",
    "ئۇيغۇر",
    "བོད",
    "नि",
    "𠮷野家",
    "a\u200db",
    "=1+1",
    "２组　a",
]


@pytest.mark.parametrize("text", SOUND)
def test_letters_of_every_script_are_no_marks(text: str) -> None:
    assert not has_marks(text)
    assert without_marks(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [("\u202egnp.exe", "gnp.exe"), ("a\r\nb", "a b"), ("a\tb", "a b"), ("\x00", ""),
     ("\ufeff名", "名"), ("a\u2028b", "a b"), ("\x1b[31m", "[31m"), ("\u061cا", "ا")],
)  # fmt: skip
def test_marks_are_taken_out_and_lines_joined(text: str, plain: str) -> None:
    assert has_marks(text)
    assert without_marks(text) == plain


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=60))
def test_nothing_is_left_that_turns_or_breaks_a_line(text: str) -> None:
    plain = without_marks(text)
    assert not has_marks(plain)
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not any(unicodedata.bidirectional(letter) in turning for letter in plain)
    assert not any(unicodedata.category(letter) == "Cc" for letter in plain)
    assert len(plain.splitlines()) < 2
    assert without_marks(plain) == plain
