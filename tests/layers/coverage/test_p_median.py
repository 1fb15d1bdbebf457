"""Medians: against every choice tried, and facts that hold at any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.sites.checks import SitingRefused
from layers.coverage.siting import Sites, p_median
from tests.layers.coverage.siting_oracles import ENOUGH_S, Floats, graph_ways, least_over_choices

SEEDS = st.integers(0, 2**32 - 1)


def require_honest(found: Sites, ways: Floats, weights: Floats, sites: int) -> None:
    """The cost is that of the nearest chosen sites, and the bound is not above it."""
    assert len(np.unique(found.chosen)) == len(found.chosen) == sites
    assert np.isin(found.assigned, found.chosen).all()
    rows = np.arange(len(ways))
    assert (ways[rows, found.assigned] == ways[:, found.chosen].min(axis=1)).all()
    assert found.value == pytest.approx((ways[rows, found.assigned] * weights).sum())
    assert found.bound <= found.value


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=SEEDS, demands=st.integers(1, 25), number=st.integers(1, 9), sites=st.integers(1, 5))
def test_small_instances_are_proven_best(seed: int, demands: int, number: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    ways = rng.integers(0, 100, (demands, number)).astype(float)
    weights, sites = rng.integers(0, 9, demands).astype(float), min(sites, number)
    found = p_median(ways, weights, sites, within_s=ENOUGH_S)
    require_honest(found, ways, weights, sites)
    best = least_over_choices(ways, sites, lambda way: float(way @ weights))
    assert found.value == found.bound == best


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS, sites=st.integers(1, 4))
def test_ways_need_not_be_whole(seed: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((30, 2)), rng.random((8, 2))
    ways = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    weights = rng.random(30)
    found = p_median(ways, weights, sites, within_s=ENOUGH_S)
    require_honest(found, ways, weights, sites)
    best = least_over_choices(ways, sites, lambda way: float(way @ weights))
    assert found.value == pytest.approx(best, rel=1e-9)
    assert found.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(("nodes", "sites"), [(40, 2), (50, 3), (60, 2)])
def test_graphs_of_streets_are_proven_best(nodes: int, sites: int) -> None:
    ways = graph_ways(nodes, nodes)
    found = p_median(ways, np.ones(nodes), sites, within_s=ENOUGH_S)
    require_honest(found, ways, np.ones(nodes), sites)
    assert found.value == found.bound == least_over_choices(ways, sites, lambda way: way.sum())


@pytest.mark.parametrize(("nodes", "sites"), [(100, 5), (100, 20), (150, 5), (150, 50)])
def test_larger_graphs_are_proven_best(nodes: int, sites: int) -> None:
    ways = graph_ways(nodes + sites, nodes)
    found = p_median(ways, np.ones(nodes), sites, within_s=ENOUGH_S)
    require_honest(found, ways, np.ones(nodes), sites)
    assert found.gap == 0.0


def test_one_number_worked_out_by_hand() -> None:
    # posts at 0, 4 and 10 on a road; homes at 0, 1, 9, 10: the outer two posts cost 1 + 1
    homes, posts = np.array([0.0, 1.0, 9.0, 10.0]), np.array([0.0, 4.0, 10.0])
    found = p_median(abs(homes[:, None] - posts), np.ones(4), 2, within_s=ENOUGH_S)
    assert sorted(found.chosen.tolist()) == [0, 2]
    assert (found.value, found.bound) == (2.0, 2.0)
    assert found.assigned.tolist() == [0, 0, 2, 2]


def test_every_site_may_be_taken() -> None:
    ways = graph_ways(3, 12)
    found = p_median(ways, np.ones(12), 12, within_s=ENOUGH_S)
    assert (found.value, found.bound) == (0.0, 0.0)


def test_one_site_is_the_middle() -> None:
    ways = graph_ways(4, 60)
    found = p_median(ways, np.ones(60), 1, within_s=ENOUGH_S)
    assert found.chosen.tolist() == [int(ways.sum(axis=0).argmin())]
    assert found.bound == found.value


def test_demands_without_weight_are_assigned_and_cost_nothing() -> None:
    found = p_median([[5.0, 1.0], [1.0, 5.0]], [0.0, 1.0], 1, within_s=ENOUGH_S)
    assert found.chosen.tolist() == [0]
    assert found.assigned.tolist() == [0, 0]
    assert found.value == 1.0


def test_without_demands_any_site_will_do() -> None:
    found = p_median(np.zeros((0, 3)), np.zeros(0), 2, within_s=ENOUGH_S)
    assert (len(found.chosen), found.value, found.bound) == (2, 0.0, 0.0)


def test_islands_each_get_a_site() -> None:
    ways = np.full((6, 6), np.inf)
    ways[:3, :3], ways[3:, 3:] = graph_ways(5, 3), graph_ways(6, 3)
    found = p_median(ways, np.ones(6), 2, within_s=ENOUGH_S)
    assert np.isfinite(found.value)
    assert sorted((found.chosen // 3).tolist()) == [0, 1]


def test_too_few_sites_for_the_islands_are_refused_with_the_places() -> None:
    ways = np.full((6, 6), np.inf)
    ways[:2, :2], ways[2:, 2:] = 1.0, 1.0
    with pytest.raises(SitingRefused) as refused:
        p_median(ways, np.ones(6), 1, within_s=ENOUGH_S)
    assert refused.value.code == "siting-unreachable"
    assert refused.value.where["demands"] == [0, 1]


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000))
def test_more_sites_never_cost_more(seed: int) -> None:
    ways = graph_ways(seed, 20)
    values = [p_median(ways, np.ones(20), sites, within_s=ENOUGH_S).value for sites in range(1, 6)]
    assert values == sorted(values, reverse=True)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), factor=st.sampled_from([0.01, 7.0, 1e5]))
def test_the_cost_scales_with_the_ways(seed: int, factor: float) -> None:
    ways = graph_ways(seed, 20)
    plain = p_median(ways, np.ones(20), 3, within_s=ENOUGH_S)
    scaled = p_median(ways * factor, np.ones(20), 3, within_s=ENOUGH_S)
    assert scaled.value == pytest.approx(plain.value * factor, rel=1e-9)
    assert scaled.bound == pytest.approx(scaled.value, rel=1e-6)


def test_a_weight_of_three_is_three_demands() -> None:
    ways = graph_ways(8, 15)
    weights = np.arange(15) % 3 + 1
    one = p_median(ways, weights, 3, within_s=ENOUGH_S)
    many = p_median(np.repeat(ways, weights, axis=0), np.ones(weights.sum()), 3, within_s=ENOUGH_S)
    assert one.value == many.value


@pytest.mark.parametrize("within_s", [1e-6, 1e-3, 0.05])
def test_in_hardly_any_time_there_is_an_honest_answer(within_s: float) -> None:
    rng = np.random.default_rng(5)
    a = rng.random((250, 2))
    ways = np.hypot(*(a[:, None] - a[None]).transpose(2, 0, 1))
    found = p_median(ways, np.ones(250), 12, within_s=within_s)
    require_honest(found, ways, np.ones(250), 12)
    assert found.bound >= 0.0


def test_the_same_question_has_the_same_answer() -> None:
    ways = graph_ways(9, 80)
    answers = [p_median(ways, np.ones(80), 6, within_s=ENOUGH_S) for _ in range(2)]
    assert answers[0].chosen.tolist() == answers[1].chosen.tolist()
