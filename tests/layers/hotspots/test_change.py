"""Two counts compared exactly: against scipy, against hand-made cases, and by coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, poisson

from grid_boundaries.errors import Refused
from layers.hotspots.change import changes

counts = st.integers(0, 400)


@settings(derandomize=True, deadline=None)
@given(counts, counts)
def test_interval_and_p_are_those_of_the_exact_binomial(now: int, before: int) -> None:
    found = changes([now], [before])
    if now + before == 0:
        assert (found.low[0], found.high[0], found.p[0]) == (0.0, math.inf, 1.0)
        return
    test = binomtest(now, now + before, 0.5)
    interval = test.proportion_ci(method="exact")
    assert found.p[0] == pytest.approx(test.pvalue, rel=1e-9)
    assert found.low[0] == pytest.approx(interval.low / (1 - interval.low), rel=1e-9)
    high = math.inf if before == 0 else interval.high / (1 - interval.high)
    assert found.high[0] == pytest.approx(high, rel=1e-9)


@settings(derandomize=True, deadline=None)
@given(counts, counts, st.floats(0.1, 10.0))
def test_the_interval_leaves_1_out_just_where_p_is_small(
    now: int, before: int, exposure: float
) -> None:
    found = changes([now], [before], exposure=exposure)
    if abs(found.p[0] - 0.05) < 1e-9:
        return
    is_out = found.low[0] > 1.0 or found.high[0] < 1.0
    assert is_out == (found.p[0] < 0.05)


@settings(derandomize=True, deadline=None)
@given(counts, counts)
def test_turned_round_the_ratio_is_turned_round(now: int, before: int) -> None:
    there, back = changes([now], [before]), changes([before], [now])
    assert there.p[0] == pytest.approx(back.p[0], rel=1e-9)
    if there.low[0] > 0.0:
        assert 1.0 / there.low[0] == pytest.approx(back.high[0], rel=1e-9)


@pytest.mark.parametrize(
    ("now", "before", "ratio"),
    [(30, 10, 3.0), (0, 10, 0.0), (10, 0, math.inf), (0, 0, math.nan), (7, 7, 1.0)],
)
def test_the_ratio(now: int, before: int, ratio: float) -> None:
    assert changes([now], [before]).ratio[0] == pytest.approx(ratio, nan_ok=True)


def test_a_longer_time_now_is_taken_into_account() -> None:
    found = changes([30], [10], exposure=3.0)
    assert found.ratio[0] == 1.0
    assert found.low[0] < 1.0 < found.high[0]
    assert found.p[0] == 1.0


def test_many_pairs_are_answered_as_one_by_one() -> None:
    now, before = np.arange(20), np.arange(20)[::-1]
    together = changes(now, before)
    for at in range(20):
        alone = changes(now[at : at + 1], before[at : at + 1])
        assert (alone.low[0], alone.high[0]) == (together.low[at], together.high[at])


@pytest.mark.parametrize(("mean", "ratio"), [(3.0, 1.0), (20.0, 1.0), (20.0, 2.0), (100.0, 0.5)])
def test_the_interval_covers_at_least_as_often_as_it_says(mean: float, ratio: float) -> None:
    """Add up over all likely pairs how often the true ratio is inside: no sampling."""
    most = int(poisson.ppf(1 - 1e-7, mean * max(ratio, 1.0))) + 1
    now, before = (grid.ravel() for grid in np.meshgrid(range(most), range(most)))
    found = changes(now, before)
    inside = (found.low <= ratio) & (ratio <= found.high)
    chance = poisson.pmf(now, mean * ratio) * poisson.pmf(before, mean)
    assert chance[inside].sum() >= 0.95
    assert chance.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("now", "before", "more", "code"),
    [
        ([1], [1, 2], {}, "change-shape"), ([], [], {}, "counts-empty"),
        ([-1], [1], {}, "counts-not-whole"), ([0.5], [1], {}, "counts-not-whole"),
        ([math.nan], [1], {}, "counts-not-whole"), ([1], [1], {"exposure": 0.0}, "change-settings"),
        ([1], [1], {"exposure": math.inf}, "change-settings"),
        ([1], [1], {"exposure": math.nan}, "change-settings"),
        ([1], [1], {"confidence": 1.0}, "change-settings"),
        ([1], [1], {"confidence": 0.0}, "change-settings"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    now: list[float], before: list[float], more: dict[str, float], code: str
) -> None:
    with pytest.raises(Refused) as caught:
        changes(now, before, **more)
    assert caught.value.code == code
