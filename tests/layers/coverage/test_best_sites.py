"""Sites that cover most: against every choice tried, and facts that hold at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, eye_array, hstack

from layers.coverage.siting import Sites, best_sites
from tests.layers.coverage.siting_oracles import (
    ENOUGH_S,
    Flags,
    Floats,
    matrix,
    most_weight,
    near_covers,
    random_covers,
    weight_covered,
)

SEEDS = st.integers(0, 2**32 - 1)


def require_honest(found: Sites, covers: Flags, weights: Floats) -> None:
    """Value, assignment and bound belong to the chosen sites."""
    assert len(np.unique(found.chosen)) == len(found.chosen)
    assert found.value == pytest.approx(weight_covered(covers, weights, found.chosen))
    assert found.bound >= found.value
    served = np.flatnonzero(found.assigned >= 0)
    assert covers[found.assigned[served], served].all()
    assert set(found.assigned[served].tolist()) <= set(found.chosen.tolist())
    left = np.flatnonzero(found.assigned < 0)
    assert not covers[found.chosen][:, left].any()


def programme_value(covers: Flags, weights: Floats, sites: int) -> float:
    """The best weight by a bare programme, written on its own."""
    number, demands = covers.shape
    rows = hstack([csr_array(covers.T.astype(float)), eye_array(demands)])
    count = csr_array(np.append(np.ones(number), np.zeros(demands))[None])
    result = milp(
        np.append(np.zeros(number), weights),
        integrality=np.ones(number + demands, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(rows, lb=1), LinearConstraint(count, ub=sites)],
    )
    assert result.status == 0
    return float(weights.sum() - result.fun)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=SEEDS, number=st.integers(1, 9), demands=st.integers(1, 25), sites=st.integers(0, 5))
def test_small_instances_are_proven_best(seed: int, number: int, demands: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, number, demands, rng.uniform(0.05, 0.6))
    weights = rng.integers(0, 20, demands).astype(float)
    sites = min(sites, number)
    found = best_sites(matrix(covers), weights, sites, within_s=ENOUGH_S)
    require_honest(found, covers, weights)
    assert len(found.chosen) <= sites
    assert found.value == found.bound == most_weight(covers, weights, sites)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, number=st.integers(2, 9), sites=st.integers(1, 4))
def test_weights_need_not_be_whole(seed: int, number: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, number, 30, 0.3), rng.gamma(1.0, 1.0, 30)
    sites = min(sites, number)
    found = best_sites(matrix(covers), weights, sites, within_s=ENOUGH_S)
    require_honest(found, covers, weights)
    best = most_weight(covers, weights, sites)
    assert found.value == pytest.approx(best, rel=1e-9)
    assert found.bound == pytest.approx(best, rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=SEEDS, number=st.integers(3, 9), sites=st.integers(0, 4), at_most=st.integers(0, 2))
def test_posts_and_fixed_sites_are_kept_to(
    seed: int, number: int, sites: int, at_most: int
) -> None:
    rng = np.random.default_rng(seed)
    covers = near_covers(rng, number, 25, 0.35)
    weights = rng.integers(0, 9, 25).astype(float)
    post = rng.integers(0, 4, number)
    fixed = rng.permutation(number)[: rng.integers(0, 3)]
    sites = min(sites, number)
    found = best_sites(
        matrix(covers), weights, sites, fixed=fixed, per_post=(post, at_most), within_s=ENOUGH_S
    )
    require_honest(found, covers, weights)
    assert found.chosen[: len(fixed)].tolist() == fixed.tolist()
    new = found.chosen[len(fixed) :]
    load = np.bincount(post[found.chosen], minlength=4)
    assert len(new) <= sites
    assert (load[post[new]] <= at_most).all()
    best = most_weight(covers, weights, sites, fixed.tolist(), (post, at_most))
    assert found.value == found.bound == best


@pytest.mark.parametrize(
    ("seed", "number", "reach", "sites"),
    [(1, 60, 0.15, 6), (2, 60, 0.2, 4), (3, 90, 0.12, 10), (4, 90, 0.25, 3), (5, 120, 0.1, 12)],
)
def test_towns_of_nodes_are_proven_best(seed: int, number: int, reach: float, sites: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, number, 150, reach), rng.integers(1, 60, 150).astype(float)
    found = best_sites(matrix(covers), weights, sites, within_s=ENOUGH_S)
    require_honest(found, covers, weights)
    assert found.value == found.bound == pytest.approx(programme_value(covers, weights, sites))


def test_one_number_worked_out_by_hand() -> None:
    # greed takes the middle site (6) and then an outer one (2 more); the outer two hold 10
    covers = csr_array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]])
    weights = [2.0, 1.5, 1.5, 1.5, 1.5, 2.0]
    found = best_sites(covers, weights, 2, within_s=ENOUGH_S)
    assert sorted(found.chosen.tolist()) == [0, 2]
    assert found.value == found.bound == 10.0
    assert found.gap == 0.0
    assert found.assigned.tolist() == [0, 0, 0, 2, 2, 2]


def test_one_site_is_the_heaviest() -> None:
    rng = np.random.default_rng(7)
    covers, weights = random_covers(rng, 40, 80, 0.2), rng.random(80)
    found = best_sites(matrix(covers), weights, 1, within_s=ENOUGH_S)
    assert found.chosen.tolist() == [int((covers @ weights).argmax())]


def test_no_site_covers_nothing() -> None:
    found = best_sites(csr_array(np.ones((3, 4))), np.ones(4), 0, within_s=ENOUGH_S)
    assert found.chosen.tolist() == []
    assert (found.value, found.bound) == (0.0, 0.0)
    assert found.assigned.tolist() == [-1, -1, -1, -1]


def test_fixed_sites_alone_are_worth_what_they_cover() -> None:
    covers = csr_array([[1, 1, 0], [0, 0, 1]])
    found = best_sites(covers, [1, 2, 4], 0, fixed=[0], within_s=ENOUGH_S)
    assert found.chosen.tolist() == [0]
    assert (found.value, found.bound) == (3.0, 3.0)


def test_all_sites_cover_all_that_can_be_covered() -> None:
    covers = csr_array([[1, 0, 0, 0], [0, 1, 1, 0]])
    found = best_sites(covers, [1, 2, 4, 8], 2, within_s=ENOUGH_S)
    assert (found.value, found.bound) == (7.0, 7.0)
    assert found.assigned.tolist() == [0, 1, 1, -1]


def test_sites_that_would_add_nothing_are_not_given() -> None:
    covers = csr_array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    found = best_sites(covers, [1, 1, 1], 3, within_s=ENOUGH_S)
    assert found.chosen.tolist() == [0]


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (4, 3)])
def test_a_county_without_sites_or_demands_is_answered(shape: tuple[int, int]) -> None:
    found = best_sites(csr_array(shape), np.ones(shape[1]), 0, within_s=ENOUGH_S)
    assert (found.value, found.bound) == (0.0, 0.0)
    assert len(found.assigned) == shape[1]


def test_weights_of_zero_are_no_reason_for_a_site() -> None:
    found = best_sites(csr_array(np.eye(4)), np.zeros(4), 4, within_s=ENOUGH_S)
    assert (len(found.chosen), found.value, found.bound) == (0, 0.0, 0.0)


def test_stored_zeros_mean_not_covered_and_repeats_count_once() -> None:
    row, column = [0, 0, 0, 1], [0, 0, 1, 1]
    covers = coo_array(([1.0, 1.0, 0.0, 5.0], (row, column)), shape=(2, 2))
    found = best_sites(csr_array(covers), [1, 1], 1, within_s=ENOUGH_S)
    assert found.value == 1.0
    both = best_sites(csr_array(covers), [1, 1], 2, within_s=ENOUGH_S)
    assert both.value == 2.0


def test_covers_may_be_a_plain_table_of_flags() -> None:
    flags: Any = np.eye(3, dtype=bool)
    found = best_sites(flags, [3, 2, 1], 2, within_s=ENOUGH_S)
    assert found.value == 5.0


def test_what_is_given_is_left_as_it_was() -> None:
    covers = csr_array([[2.0, 0.0, 3.0], [0.0, 1.0, 1.0]])
    weights, fixed = np.array([1.0, 2.0, 3.0]), np.array([1])
    before = covers.toarray()
    best_sites(covers, weights, 1, fixed=fixed, within_s=ENOUGH_S)
    assert (covers.toarray() == before).all()
    assert weights.tolist() == [1.0, 2.0, 3.0]
    assert fixed.tolist() == [1]


def test_a_full_post_lets_no_further_site_in() -> None:
    covers = csr_array(np.eye(4))
    post = np.array([0, 0, 1, 1])
    found = best_sites(covers, [1, 1, 1, 1], 4, fixed=[0], per_post=(post, 1), within_s=ENOUGH_S)
    assert found.value == 2.0
    assert len(set(found.chosen.tolist()) & {2, 3}) == 1


def test_a_post_that_already_carries_too_much_keeps_it() -> None:
    post = np.array([5, 5, 5, 9])
    found = best_sites(
        csr_array(np.eye(4)), np.ones(4), 2, fixed=[0, 1], per_post=(post, 1), within_s=ENOUGH_S
    )
    assert found.chosen.tolist() == [0, 1, 3]


def test_posts_may_have_any_names() -> None:
    post = np.array(["north", "south", "north"])
    found = best_sites(csr_array(np.eye(3)), np.ones(3), 3, per_post=(post, 1), within_s=ENOUGH_S)
    assert found.value == found.bound == 2.0


def test_equal_sites_and_equal_demands_change_nothing() -> None:
    rng = np.random.default_rng(11)
    covers, weights = near_covers(rng, 12, 20, 0.3), rng.integers(1, 9, 20).astype(float)
    plain = best_sites(matrix(covers), weights, 3, within_s=ENOUGH_S)
    doubled = np.hstack([np.vstack([covers, covers])] * 2)
    twice = best_sites(matrix(doubled), np.tile(weights, 2), 3, within_s=ENOUGH_S)
    assert twice.value == twice.bound == 2 * plain.value


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_more_sites_never_cover_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 20, 40, 0.2), rng.integers(1, 9, 40).astype(float)
    values = [
        best_sites(matrix(covers), weights, sites, within_s=ENOUGH_S).value for sites in range(6)
    ]
    assert values == sorted(values)
    # each further site brings at most what the one before brought: greed's law for the best
    assert values[1] == max(covers @ weights)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS, factor=st.sampled_from([0.001, 3.0, 1e6]))
def test_the_answer_scales_with_the_weights(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 15, 40, 0.25), rng.integers(1, 9, 40).astype(float)
    plain = best_sites(matrix(covers), weights, 3, within_s=ENOUGH_S)
    scaled = best_sites(matrix(covers), weights * factor, 3, within_s=ENOUGH_S)
    assert scaled.value == pytest.approx(plain.value * factor, rel=1e-9)
    assert scaled.bound == pytest.approx(plain.bound * factor, rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_the_order_of_sites_and_demands_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 18, 40, 0.2), rng.integers(1, 9, 40).astype(float)
    rows, columns = rng.permutation(18), rng.permutation(40)
    plain = best_sites(matrix(covers), weights, 4, within_s=ENOUGH_S)
    turned = best_sites(matrix(covers[rows][:, columns]), weights[columns], 4, within_s=ENOUGH_S)
    assert turned.value == plain.value


def test_the_same_question_has_the_same_answer() -> None:
    rng = np.random.default_rng(4)
    covers, weights = near_covers(rng, 80, 200, 0.15), rng.integers(1, 99, 200).astype(float)
    one = best_sites(matrix(covers), weights, 8, within_s=ENOUGH_S)
    two = best_sites(matrix(covers), weights, 8, within_s=ENOUGH_S)
    assert one.chosen.tolist() == two.chosen.tolist()


@pytest.mark.parametrize("within_s", [1e-6, 1e-3, 0.05])
def test_in_hardly_any_time_there_is_an_honest_answer(within_s: float) -> None:
    rng = np.random.default_rng(3)
    covers, weights = near_covers(rng, 300, 600, 0.1), rng.integers(1, 99, 600).astype(float)
    hasty = best_sites(matrix(covers), weights, 20, within_s=within_s)
    require_honest(hasty, covers, weights)
    assert hasty.bound <= weights.sum()
    # greed alone is sure of this share (Nemhauser, Wolsey and Fisher 1978)
    assert hasty.value >= (1 - 1 / np.e) * weights[covers.any(axis=0)].sum() * 0.5


def test_a_larger_town_is_within_half_a_percent() -> None:
    rng = np.random.default_rng(9)
    covers = near_covers(rng, 1_500, 6_000, 0.02)
    weights = rng.integers(1, 20, 6_000).astype(float)
    found = best_sites(
        matrix(covers), weights, 60, fixed=np.arange(0, 1_500, 50), within_s=ENOUGH_S
    )
    require_honest(found, covers, weights)
    assert found.gap <= 0.005
