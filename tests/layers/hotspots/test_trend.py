"""Trends: Mann-Kendall against enumeration and scipy; categories of planted histories."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from grid_boundaries.errors import Refused
from layers.hotspots.gi_star import gi_star
from layers.hotspots.trend import emerging, mann_kendall
from tests.layers.hotspots.maps import hex_board, with_self

BOARD = hex_board(12)
CENTRE = 6 * 12 + 6
MEMBERS = with_self(BOARD)[CENTRE]


def plain_s(row: list[float]) -> int:
    """S by going through every pair."""
    return sum((b > a) - (b < a) for a, b in combinations(row, 2))


def plain_variance(row: list[float]) -> float:
    """Variance of S with ties as in Kendall (1975)."""
    ties = np.unique(row, return_counts=True)[1].tolist()
    t = len(row)
    return float((t * (t - 1) * (2 * t + 5) - sum(m * (m - 1) * (2 * m + 5) for m in ties)) / 18)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    steps=st.integers(2, 40),
    values=st.sampled_from([2, 5, 1000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_s_variance_and_slope_are_those_of_going_through_every_pair(
    steps: int, values: int, seed: int
) -> None:
    series = np.random.default_rng(seed).integers(0, values, (5, steps)).astype(float)
    result = mann_kendall(series)
    assert result["s"].tolist() == [plain_s(row) for row in series.tolist()]
    assert result["variance"].tolist() == pytest.approx(
        [plain_variance(r) for r in series.tolist()]
    )
    slopes = [stats.theilslopes(row).slope for row in series]
    np.testing.assert_allclose(result["slope"], slopes, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("steps", range(2, 8))
def test_the_exact_p_is_that_of_every_order(steps: int) -> None:
    orders = np.array(list(permutations(range(steps))), dtype=float)
    result = mann_kendall(orders)
    s = np.abs([plain_s(row) for row in orders.tolist()])
    expected = [(s >= value).mean() for value in s]
    np.testing.assert_allclose(result["p"], expected, rtol=1e-12)


@pytest.mark.parametrize("steps", [8, 9, 10])
def test_up_to_ten_steps_p_is_kendalls_exact_one(steps: int) -> None:
    series = np.random.default_rng(steps).permuted(np.tile(np.arange(steps), (50, 1)), axis=1)
    expected = [stats.kendalltau(np.arange(steps), r, method="exact").pvalue for r in series]
    np.testing.assert_allclose(mann_kendall(series)["p"], expected, rtol=1e-12)


@pytest.mark.parametrize(("steps", "values"), [(11, 10**6), (40, 4), (9, 3), (104, 10)])
def test_beyond_that_or_with_ties_p_is_the_corrected_normal(steps: int, values: int) -> None:
    series = np.random.default_rng(steps).integers(0, values, (200, steps)).astype(float)
    result = mann_kendall(series)
    s, variance = result["s"].to_numpy(), result["variance"].to_numpy()
    z = np.sign(s) * (np.abs(s) - 1) / np.sqrt(np.where(variance > 0, variance, 1.0))
    z[s == 0] = 0.0
    np.testing.assert_allclose(result["z"], z, rtol=1e-12)
    expected = 2 * np.asarray(stats.norm.sf(np.abs(z)))
    np.testing.assert_allclose(result["p"], expected, rtol=0, atol=1e-12)


def by_sums_of_signs(row: NDArray[np.float64]) -> tuple[float, float, float]:
    """S, its variance and two-sided p from a table of signs and the law of large numbers."""
    t, runs = row.size, np.unique(row, return_counts=True)[1]
    s = float(np.triu(np.sign(row[None] - row[:, None])).sum())
    variance = (t * (t - 1) * (2 * t + 5) - (runs * (runs - 1) * (2 * runs + 5)).sum()) / 18
    z = (s - np.sign(s)) / variance**0.5 if s else 0.0
    return s, float(variance), 2 * float(stats.norm.sf(abs(z)))


def test_twenty_thousand_series_agree_to_the_twelfth_place() -> None:
    rng = np.random.default_rng(20_000)
    for steps, values, rows in ((11, 10**6, 5_000), (24, 3, 5_000), (52, 5, 5_000), (12, 2, 5_000)):
        series = rng.integers(0, values, (rows, steps)).astype(float)
        result = mann_kendall(series)
        oracle = np.array([by_sums_of_signs(row) for row in series])
        np.testing.assert_array_equal(result["s"], oracle[:, 0])
        np.testing.assert_array_equal(result["variance"], oracle[:, 1])
        assert np.abs(result["p"] - oracle[:, 2]).max() <= 1e-12


def test_a_level_series_has_no_trend() -> None:
    for steps in (2, 10, 30):
        row = mann_kendall(np.full((1, steps), 7.0)).iloc[0]
        assert row.tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_steady_rise_worked_out_by_hand() -> None:
    row = mann_kendall([[1.0, 2.0, 3.0, 4.0, 5.0]]).iloc[0]
    assert (row["s"], row["slope"]) == (10.0, 1.0)
    assert row["variance"] == pytest.approx(50 / 3)
    assert row["p"] == pytest.approx(2 / 120)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(2, 25))
def test_a_series_backwards_has_the_opposite_trend(seed: int, steps: int) -> None:
    series = np.random.default_rng(seed).poisson(3.0, (4, steps))
    there, back = mann_kendall(series), mann_kendall(series[:, ::-1])
    np.testing.assert_array_equal(there["s"], -back["s"])
    np.testing.assert_allclose(there["slope"], -back["slope"], atol=1e-12)
    np.testing.assert_array_equal(there["p"], back["p"])


@pytest.mark.parametrize(("steps", "rate"), [(8, 1e9), (12, 2.0), (30, 0.3), (52, 5.0)])
def test_pure_chance_is_called_a_trend_no_more_often_than_stated(steps: int, rate: float) -> None:
    series = np.random.default_rng(steps).poisson(rate, (4000, steps))
    share = (mann_kendall(series)["p"] <= 0.05).mean()
    assert share <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


def test_slopes_of_many_long_series_are_the_same_as_one_by_one() -> None:
    series = np.random.default_rng(0).poisson(5.0, (30, 700))
    together = mann_kendall(series)["slope"]
    alone = [mann_kendall(row[None])["slope"][0] for row in series]
    assert together.tolist() == alone


def test_no_series_have_no_trend() -> None:
    assert len(mann_kendall(np.empty((0, 5)))) == 0


@pytest.mark.parametrize(
    ("series", "code"),
    [
        ([1.0, 2.0], "series-shape"),
        ([[1.0]], "series-shape"),
        ([[1.0, np.nan]], "series-value"),
        ([[1.0, 2.0], [np.inf, 2.0]], "series-value"),
    ],
)
def test_series_that_cannot_be_read_are_refused(series: Any, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        mann_kendall(series)
    assert refusal.value.code == code


def history(pattern: str, *, hot: float = 25.0) -> NDArray[np.int64]:
    """Counts by step: the centre's neighbourhood high at "h", empty at "c", as others at "."."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(8.0, (144, len(pattern)))
    for step, mark in enumerate(pattern):
        if mark == "h":
            counts[MEMBERS, step] = hot
        if mark == "c":
            counts[MEMBERS, step] = 0
    return counts


@pytest.mark.parametrize(
    ("pattern", "category"),
    [
        (".........h", "new hot"),
        (".......hhh", "consecutive hot"),
        ("..h....h.h", "sporadic hot"),
        ("..hh...hhh", "sporadic hot"),
        ("..c....h.h", "oscillating hot"),
        ("hhhhhhhhh.", "historical hot"),
        ("hhhhhhhhhc", "new cold"),
        ("..........", "none"),
        ("..hhh.....", "none"),
        (".........c", "new cold"),
        (".......ccc", "consecutive cold"),
        ("..c....c.c", "sporadic cold"),
        ("..h....c.c", "oscillating cold"),
        ("hhhhhhhccc", "consecutive cold"),
        ("ccccccccc.", "historical cold"),
    ],
)
def test_a_planted_history_gets_its_category(pattern: str, category: str) -> None:
    row = emerging(history(pattern), BOARD).iloc[CENTRE]
    assert row["category"] == category
    assert row["hot_steps"] == pattern.count("h")
    assert row["cold_steps"] == pattern.count("c")
    assert row["steps"] == 10


@pytest.mark.parametrize(
    ("levels", "category"),
    [
        (range(16, 56, 4), "intensifying hot"),
        (range(56, 16, -4), "diminishing hot"),
        ([30, 26, 31, 27, 30, 26, 31, 27, 30, 27], "persistent hot"),
    ],
)
def test_lasting_heat_is_named_after_its_trend(levels: Any, category: str) -> None:
    noise = np.random.default_rng(3).poisson(8.0, 144)
    counts = np.stack([noise] * 10, axis=1)
    counts[MEMBERS] = np.array(list(levels))
    row = emerging(counts, BOARD).iloc[CENTRE]
    assert row["category"] == category
    assert row["hot_steps"] == 10


def test_each_step_is_gi_star_within_that_step() -> None:
    counts = history("..h..")
    row = emerging(counts, BOARD)
    last = gi_star(counts[:, 4], BOARD)
    np.testing.assert_allclose(row["z"], last["z"])
    hot = [(gi_star(counts[:, s], BOARD)["p_adjusted"] <= 0.05).to_numpy() for s in range(5)]
    np.testing.assert_array_equal(row["hot_steps"], np.sum(hot, axis=0))


def test_a_wider_window_adds_the_steps_before() -> None:
    counts = history("....hh")
    by_hand = np.stack([counts[:, s : s + 3].sum(axis=1) for s in range(4)], axis=1)
    wide = emerging(counts, BOARD, window=3)
    assert wide.equals(emerging(by_hand, BOARD))
    assert wide["steps"].tolist() == [4] * 144


def test_pure_chance_leaves_nearly_every_cell_without_a_category() -> None:
    counts = np.random.default_rng(9).poisson(2.0, (144, 30))
    assert (emerging(counts, BOARD)["category"] == "none").mean() >= 0.97


@pytest.mark.parametrize("window", [0, -1, 10, 11])
def test_a_window_that_leaves_no_two_steps_is_refused(window: int) -> None:
    with pytest.raises(Refused) as refusal:
        emerging(history(".........."), BOARD, window=window)
    assert refusal.value.code == "window-steps"


def test_counts_that_are_no_counts_are_refused() -> None:
    with pytest.raises(Refused) as refusal:
        emerging(np.full((144, 4), 0.5), BOARD)
    assert refusal.value.code == "counts-not-whole"
