"""Spans of time: all runs of the lengths asked for, as differences of sums to the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.hotspots.spans import spans
from tests.layers.hotspots.scan_brute import spans_of


@st.composite
def lengths(draw: st.DrawFn) -> tuple[int, int, int]:
    """Steps, shortest and longest span."""
    steps = draw(st.integers(1, 12))
    longest = draw(st.integers(1, steps))
    return steps, draw(st.integers(1, longest)), longest


@settings(derandomize=True, deadline=None, max_examples=100)
@given(given=lengths(), alive=st.booleans())
def test_spans_are_all_runs_and_rows_their_sums(given: tuple[int, int, int], alive: bool) -> None:
    steps, shortest, longest = given
    found = spans(steps, (shortest, longest), prospective=alive)
    table = np.random.default_rng(steps).integers(0, 9, (3, steps)).astype(np.float64)
    sums = found.sums(table)
    assert sums.shape == (3, found.rows + 1)
    runs = list(found)
    assert [(start, end) for start, end, _, _ in runs] == spans_of(steps, shortest, longest, alive)
    for start, end, row, zero in runs:
        inside = table[:, start : end + 1].sum(axis=1)
        np.testing.assert_array_equal(sums[:, row] - sums[:, zero], inside)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(given=lengths(), alive=st.booleans())
def test_a_case_put_into_the_row_of_its_step_is_in_the_same_spans(
    given: tuple[int, int, int], alive: bool
) -> None:
    steps, shortest, longest = given
    found = spans(steps, (shortest, longest), prospective=alive)
    row_of_step = found.row_of_step()
    for step in range(steps):
        table = np.zeros((1, steps))
        table[0, step] = 1.0
        drawn = np.zeros(found.rows + 1)
        if row_of_step[step] >= 0:
            drawn[row_of_step[step]] = 1.0
        later = np.cumsum(drawn[::-1])[::-1]
        np.testing.assert_array_equal(found.sums(table)[0, :-1], later[:-1])


@pytest.mark.parametrize(("steps", "longest"), [(1, 1), (2, 1), (3, 1), (9, 4), (52, 26)])
def test_half_of_the_steps_unless_said(steps: int, longest: int) -> None:
    found = spans(steps, None, prospective=False)
    assert (found.shortest, found.longest) == (1, longest)


@pytest.mark.parametrize("windows", [(0, 1), (2, 1), (1, 6), (-1, -1)])
def test_lengths_that_do_not_fit_are_refused(windows: tuple[int, int]) -> None:
    with pytest.raises(Refused) as refused:
        spans(5, windows, prospective=True)
    assert refused.value.code == "scan-windows"
    assert "5" in refused.value.zh
