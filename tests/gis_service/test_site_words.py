"""What an answer about sites says: gaps never rounded down, the same facts in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.site_requests import NextSitesAsked
from gis_service.site_words import (
    POST_COLUMNS,
    POSTS,
    SITE_COLUMNS,
    STEPS,
    WEIGHED,
    assumptions,
    features,
    gap_percent,
    post_sheet,
    said_fewest,
    said_gap,
    site_sheet,
)
from map_ui.paper.page import words

SITE: dict[str, Any] = {
    "number": 1, "lon": 108.3, "lat": 33.3, "azimuth_deg": 45.0, "post": "facade",
    "adds": {"people": 4.0, "key_places": 1.0, "ground_m2": 120.5}, "homes_near": 2,
}  # fmt: skip


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize(
    ("value", "bound", "percent"),
    [(0, 0, 0), (100, 100, 0), (99, 100, 1), (100, 99, 1), (0, 5, 100), (5, 0, 100),
     (99.9999, 100, 0.01), (99.995, 100, 0.01), (99.9899, 100, 0.02), (1e-9, 1e-9, 0),
     (1e12, 1e12 + 1e-3, 0), (3, 2, 33.34)],
)  # fmt: skip
def test_a_gap_in_percent(value: float, bound: float, percent: float) -> None:
    assert gap_percent(value, bound) == percent


@settings(derandomize=True, deadline=None)
@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_gap_is_never_told_smaller_than_it_is(one: float, other: float) -> None:
    most = max(one, other)
    percent = gap_percent(one, other)
    assert 0 <= percent <= 100
    assert gap_percent(other, one) == percent
    if most > 0:
        exact = abs(one - other) / most * 100
        assert exact - 1e-6 <= percent <= exact + 0.01 + 1e-6


@pytest.mark.parametrize("percent", [0.01, 0.5, 3.0, 33.34, 100.0])
def test_a_gap_is_said_with_the_same_number_in_both(percent: float) -> None:
    zh, en = said_gap(percent)
    assert numbers(zh) == numbers(en) == [f"{percent:g}"]
    assert "至多" in zh
    assert "at most" in en


def test_no_gap_is_said_to_be_proven() -> None:
    assert "已证明" in said_gap(0.0)[0]
    assert "Proven" in said_gap(0.0)[1]


@pytest.mark.parametrize(("number", "least", "proven"), [(3, 3, True), (0, 0, True), (5, 3, False)])
def test_how_few_do_and_how_few_are_needed(number: int, least: int, proven: bool) -> None:
    zh, en = said_fewest(number, least)
    assert numbers(zh) == numbers(en) == sorted({str(number), str(least)})
    assert ("已证明" in zh) == ("proven" in en) == proven


@pytest.mark.parametrize("weigh", sorted(WEIGHED))
def test_assumptions_tell_the_same_in_both(weigh: Any) -> None:
    asked = NextSitesAsked(sites=1, weigh=weigh, range_m=73.0, field_of_view_deg=61.0, per_post=5)
    said = assumptions(asked)
    assert list(said) == ["zh", "en"]
    for zh, en in zip(said["zh"], said["en"], strict=True):
        assert numbers(zh) == numbers(en)
    whole = " ".join(said["en"])
    assert all(number in whole for number in ("73", "61", "5", "8"))
    assert said["zh"][-1] == WEIGHED[weigh][0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_column_has_its_heading(language: str) -> None:
    said = words(language)
    heads = [said(f"column.{name}") for name in (*SITE_COLUMNS, *POST_COLUMNS)]
    assert all(heads)
    assert len(set(heads[: len(SITE_COLUMNS)])) == len(SITE_COLUMNS)


@pytest.mark.parametrize(("language", "kind"), [("zh", "外墙"), ("en", "façade")])
def test_a_row_of_the_sheet_is_in_the_order_of_the_columns(language: str, kind: str) -> None:
    (row,) = site_sheet({"sites": [SITE]}, language)
    assert row == [1, 108.3, 33.3, 45.0, kind, 4.0, 1.0, 120.5, 2]
    assert len(row) == len(SITE_COLUMNS)
    assert post_sheet({"posts": [{**SITE, "people": 7.0}]}, language) == [[1, 108.3, 33.3, 7.0]]
    assert site_sheet({"sites": []}, language) == []


def test_kinds_of_posts_and_steps_have_words_in_both() -> None:
    for zh, en in (*POSTS.values(), *STEPS.values()):
        assert zh
        assert en
        assert zh != en


def test_features_hold_all_but_the_place_as_properties() -> None:
    (one,) = features([SITE])["features"]
    assert one["geometry"] == {"type": "Point", "coordinates": [108.3, 33.3]}
    assert one["properties"] == {
        "number": 1, "azimuth_deg": 45.0, "post": "facade", "people": 4.0, "key_places": 1.0,
        "ground_m2": 120.5, "homes_near": 2,
    }  # fmt: skip
    assert features([]) == {"type": "FeatureCollection", "features": []}
