"""Person-time between censuses and expected cases by strata, checked by hand and by days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.hotspots.person_time import indirect_expected, person_time
from layers.hotspots.scan import scan


def test_a_rise_between_two_counts_is_an_even_slope() -> None:
    days = person_time([[100.0, 200.0]], [0, 10], [0, 5, 10])
    assert days.tolist() == [[625.0, 875.0]]


def test_before_the_first_and_after_the_last_count_nothing_changes() -> None:
    days = person_time([[100.0, 200.0]], [10, 20], [0, 10, 20, 30])
    assert days.tolist() == [[1000.0, 1500.0, 2000.0]]


def test_one_count_holds_for_all_time() -> None:
    assert person_time([[7.0], [0.0]], [3], [0, 1, 4]).tolist() == [[7.0, 21.0], [0.0, 0.0]]


def test_a_count_within_a_step_bends_the_line_there() -> None:
    days = person_time([[0.0, 10.0, 0.0]], [0, 5, 10], [0, 10])
    assert days.tolist() == [[50.0]]


def test_dates_and_strata_go_through() -> None:
    population = np.arange(12.0).reshape(2, 2, 3)
    counted = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")
    edges = np.array(["2020-01-01", "2020-07-01", "2021-01-01", "2022-01-01"], "datetime64[D]")
    days = person_time(population, counted, edges)
    assert days.shape == (2, 3, 3)
    np.testing.assert_allclose(days[:, 2], population[:, 1] * 365)
    np.testing.assert_allclose(days[:, 0] + days[:, 1], population.mean(axis=1) * 366)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_person_time_is_what_fine_slices_add_up_to(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counted = np.sort(rng.choice(60, 4, replace=False)).astype(float)
    edges = np.sort(rng.choice(80, 5, replace=False)).astype(float) - 10.0
    population = rng.integers(0, 100, (3, 4))
    fine = np.arange(-20.0, 80.0, 0.01) + 0.005
    level = np.array([np.interp(fine, counted, one) for one in population])
    for step in range(4):
        inside = (fine > edges[step]) & (fine < edges[step + 1])
        slices = level[:, inside].sum(axis=1) * 0.01
        ours = person_time(population, counted, edges)[:, step]
        np.testing.assert_allclose(ours, slices, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("population", "counted", "edges"),
    [
        ([[1, 2]], [1, 0], [0, 1]),
        ([[1, 2]], [0, 0], [0, 1]),
        ([[1, 2]], [0, 1], [1, 0]),
        ([[1, 2]], [0, 1], [1]),
        ([[1, 2]], [0], [0, 1]),
        ([1, 2], [0, 1], [0, 1]),
        ([[1, 2]], [0, np.nan], [0, 1]),
    ],
)
def test_days_that_do_not_ascend_are_refused(population: Any, counted: Any, edges: Any) -> None:
    with pytest.raises(Refused) as refused:
        person_time(population, counted, edges)
    assert refused.value.code == "person-time-days"


def test_two_strata_by_hand() -> None:
    # young: 10 of 100 fall ill, old: 30 of 50
    expected = indirect_expected([[2, 20], [8, 10]], [[60, 25], [40, 25]])
    assert expected.tolist() == pytest.approx([6 + 15, 4 + 15])


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 3))
def test_expected_add_up_to_the_cases(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (5, steps, 4) if steps else (5, 4)
    cases, population = rng.poisson(3, shape), rng.integers(1, 99, shape)
    expected = indirect_expected(cases, population)
    assert expected.shape == shape[:-1]
    assert expected.sum() == pytest.approx(cases.sum())


def test_one_stratum_is_no_adjustment() -> None:
    cases, population = np.array([[3], [1]]), np.array([[10], [30]])
    assert indirect_expected(cases, population).tolist() == pytest.approx([1.0, 3.0])


def test_an_empty_stratum_expects_nothing() -> None:
    assert indirect_expected([[1, 0]], [[5, 0]]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("cases", "population", "code"),
    [
        ([[1, 1]], [[5, 0]], "strata-empty"),
        ([[1]], [[5, 0]], "strata-shape"),
        ([1, 2], [5, 6], "strata-shape"),
        (np.empty((0, 2)), np.empty((0, 2)), "strata-shape"),
        ([[1, np.nan]], [[5, 5]], "strata-value"),
        ([[1, 1]], [[5, -5]], "strata-value"),
        ([[1, 1]], [[5, np.inf]], "strata-value"),
    ],
)
def test_tables_that_say_nothing_are_refused(cases: Any, population: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        indirect_expected(cases, population)
    assert refused.value.code == code


def test_a_cluster_of_old_people_is_gone_once_adjusted() -> None:
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 1_000, (80, 2))
    old = np.where(np.hypot(*(xy - 500.0).T) < 200.0, 400, 50)
    population = np.column_stack([500 - old, old])
    cases = rng.binomial(population, [0.01, 0.20])
    bare = scan(cases.sum(axis=1), population.sum(axis=1), xy, model="poisson", seed=1)
    adjusted = indirect_expected(cases, population)
    fair = scan(cases.sum(axis=1), adjusted, xy, model="poisson", seed=1)
    assert bare[0].p == 0.001
    assert fair[0].p > 0.05
