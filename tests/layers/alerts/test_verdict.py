"""A figure fell only where chance hardly explains it, and few incidents tell nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from layers.alerts.verdict import FEWEST, review_of


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (40, 10, "fell"), (40, 35, "not_fallen"), (10, 40, "not_fallen"), (20, 20, "not_fallen"),
        (9, 0, "too_few"), (0, 0, "too_few"), (10, 0, "fell"), (5, 5, "not_fallen"),
    ],
)  # fmt: skip
def test_verdicts(before: int, after: int, verdict: str) -> None:
    assert review_of(before, after)["verdict"] == verdict


def test_a_review_says_both_figures_and_the_interval() -> None:
    found = review_of(40, 10)
    assert (found["before"], found["after"], found["ratio"]) == (40, 10, 0.25)
    assert "40" in found["zh"]
    assert "10 incidents, 40 in the 30 days before the alert, -75%" in found["en"]
    assert found["low"] < 0.25 < found["high"] < 1


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_a_figure_fell_where_the_exact_interval_says_so(before: int, after: int) -> None:
    found = review_of(before, after)
    if before + after < FEWEST:
        assert found["verdict"] == "too_few"
        return
    high = binomtest(after, before + after, 0.5).proportion_ci(method="exact").high
    assert (found["verdict"] == "fell") == (high < 0.5)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_a_review_is_plain_json(before: int, after: int) -> None:
    found = review_of(before, after)
    assert all(
        value is None or isinstance(value, str | int) or value - value == 0
        for value in found.values()
    )
