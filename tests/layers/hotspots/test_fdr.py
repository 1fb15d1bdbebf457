"""The false discovery rate: equal to scipy's, and holding what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from grid_boundaries.errors import Refused
from layers.hotspots.fdr import benjamini_hochberg, discoveries


@settings(derandomize=True, deadline=None, max_examples=100)
@given(p=st.lists(st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.05, 1.0])), min_size=1))
def test_adjusted_p_are_those_of_scipy(p: list[float]) -> None:
    np.testing.assert_allclose(
        benjamini_hochberg(p), stats.false_discovery_control(p), rtol=1e-12, atol=0.0
    )


@settings(derandomize=True, deadline=None, max_examples=100)
@given(p=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40))
def test_rejecting_adjusted_p_is_the_step_up_rule(p: list[float]) -> None:
    level = 0.05
    ranked = sorted(p)
    passing = [v for i, v in enumerate(ranked, 1) if v * (len(p) / i) <= level]
    threshold = max(passing, default=-1.0)
    rejected = benjamini_hochberg(p) <= level
    assert rejected.tolist() == [v <= threshold for v in p]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    p=st.lists(st.one_of(st.floats(0.0, 1.0), st.floats(0.0, 0.06)), max_size=40),
    level=st.sampled_from([0.0, 0.01, 0.05, 0.5, 1.0]),
)
def test_discoveries_are_the_adjusted_p_at_or_under_the_level(p: list[float], level: float) -> None:
    assert (discoveries(p, level=level) == (benjamini_hochberg(p) <= level)).all()


def test_equal_p_stay_equal_and_none_falls() -> None:
    p = [0.02, 0.5, 0.02, 0.02, 1.0]
    adjusted = benjamini_hochberg(p)
    assert adjusted.tolist() == pytest.approx([1 / 30, 0.625, 1 / 30, 1 / 30, 1.0])
    assert (adjusted >= p).all()


def test_no_tests_give_no_adjusted_p() -> None:
    assert benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("p", [[0.5, -0.1], [1.1], [np.nan]])
def test_values_that_are_no_p_are_refused(p: list[float]) -> None:
    with pytest.raises(Refused) as refusal:
        benjamini_hochberg(p)
    assert refusal.value.code == "p-value-range"
