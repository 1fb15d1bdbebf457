"""Centres and covers of everything: against every choice tried, and facts at any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array

from layers.coverage.sites.checks import SitingRefused
from layers.coverage.siting import Sites, cover_all, p_center
from tests.layers.coverage.siting_oracles import (
    ENOUGH_S,
    Flags,
    Floats,
    fewest,
    graph_ways,
    least_over_choices,
    matrix,
    near_covers,
    random_covers,
)

SEEDS = st.integers(0, 2**32 - 1)


def require_honest(found: Sites, ways: Floats, sites: int) -> None:
    """The value is the longest way to a nearest chosen site."""
    assert len(np.unique(found.chosen)) == len(found.chosen) == sites
    nearest = ways[np.arange(len(ways)), found.assigned]
    assert (nearest == ways[:, found.chosen].min(axis=1)).all()
    assert found.value == nearest.max(initial=0.0)
    assert found.bound <= found.value


def require_cover(found: Sites, covers: Flags) -> None:
    """Everything is covered by whom it is assigned to, and the value counts the sites."""
    assert len(np.unique(found.chosen)) == len(found.chosen) == found.value
    assert covers[found.assigned, np.arange(covers.shape[1])].all()
    assert set(found.assigned.tolist()) <= set(found.chosen.tolist())
    assert found.bound <= found.value


def fewest_by_programme(covers: Flags) -> float:
    """The fewest sites by a bare programme, written on its own."""
    ones = np.ones(len(covers))
    rule = LinearConstraint(covers.T.astype(float), lb=1)
    result = milp(ones, integrality=ones.astype(np.int64), constraints=rule)
    assert result.status == 0
    return float(round(result.fun))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=SEEDS, demands=st.integers(1, 20), number=st.integers(1, 9), sites=st.integers(1, 5))
def test_small_centres_are_proven_best(seed: int, demands: int, number: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    ways, sites = rng.integers(0, 50, (demands, number)).astype(float), min(sites, number)
    found = p_center(ways, sites, within_s=ENOUGH_S)
    require_honest(found, ways, sites)
    assert found.value == found.bound == least_over_choices(ways, sites, lambda way: way.max())


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=SEEDS, sites=st.integers(1, 4))
def test_centres_of_ways_that_are_not_whole(seed: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    ways = rng.random((25, 8))
    found = p_center(ways, sites, within_s=ENOUGH_S)
    require_honest(found, ways, sites)
    assert found.value == found.bound == least_over_choices(ways, sites, lambda way: way.max())


@pytest.mark.parametrize(("nodes", "sites"), [(40, 3), (60, 2), (50, 1)])
def test_centres_of_graphs_are_proven_best(nodes: int, sites: int) -> None:
    ways = graph_ways(nodes, nodes)
    found = p_center(ways, sites, within_s=ENOUGH_S)
    require_honest(found, ways, sites)
    assert found.value == found.bound == least_over_choices(ways, sites, lambda way: way.max())


@pytest.mark.parametrize(("nodes", "sites"), [(100, 5), (100, 33), (200, 10)])
def test_larger_centres_are_proven_by_covers(nodes: int, sites: int) -> None:
    ways = graph_ways(nodes + sites, nodes)
    found = p_center(ways, sites, within_s=ENOUGH_S)
    require_honest(found, ways, sites)
    assert found.gap == 0.0
    assert fewest_by_programme((ways <= found.value).T) <= sites
    shorter = ways[ways < found.value].max()
    assert fewest_by_programme((ways <= shorter).T) > sites


def test_a_centre_worked_out_by_hand() -> None:
    homes, posts = np.array([0.0, 3.0, 9.0, 10.0]), np.array([0.0, 2.0, 10.0])
    found = p_center(abs(homes[:, None] - posts), 2, within_s=ENOUGH_S)
    assert sorted(found.chosen.tolist()) == [1, 2]
    assert (found.value, found.bound) == (2.0, 2.0)


def test_as_many_centres_as_places_leave_no_way() -> None:
    found = p_center(graph_ways(2, 10), 10, within_s=ENOUGH_S)
    assert (found.value, found.bound) == (0.0, 0.0)


def test_without_demands_there_is_no_way() -> None:
    found = p_center(np.zeros((0, 3)), 2, within_s=ENOUGH_S)
    assert (len(found.chosen), found.value, found.bound) == (2, 0.0, 0.0)


def test_an_island_out_of_reach_of_so_few_centres_is_refused() -> None:
    ways = np.full((4, 4), np.inf)
    ways[:2, :2], ways[2:, 2:] = 1.0, 1.0
    with pytest.raises(SitingRefused, match="no site reaches"):
        p_center(ways, 1, within_s=ENOUGH_S)


def test_islands_each_get_a_centre() -> None:
    ways = np.full((6, 6), np.inf)
    ways[:3, :3], ways[3:, 3:] = graph_ways(5, 3), graph_ways(6, 3)
    found = p_center(ways, 2, within_s=ENOUGH_S)
    assert sorted((found.chosen // 3).tolist()) == [0, 1]
    assert found.gap == 0.0


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000))
def test_more_centres_never_lengthen_the_way(seed: int) -> None:
    ways = graph_ways(seed, 18)
    values = [p_center(ways, sites, within_s=ENOUGH_S).value for sites in range(1, 6)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("within_s", [1e-6, 1e-3])
def test_in_hardly_any_time_a_centre_is_still_honest(within_s: float) -> None:
    ways = graph_ways(7, 120)
    found = p_center(ways, 6, within_s=within_s)
    require_honest(found, ways, 6)
    assert found.bound >= ways.min(axis=1).max()


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=SEEDS, number=st.integers(1, 9), demands=st.integers(1, 20))
def test_small_covers_are_proven_fewest(seed: int, number: int, demands: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, number, demands, rng.uniform(0.1, 0.6))
    # every demand gets one site at least
    covers[rng.integers(0, number, demands), np.arange(demands)] = True
    found = cover_all(matrix(covers), within_s=ENOUGH_S)
    require_cover(found, covers)
    assert found.value == found.bound == fewest(covers)


@pytest.mark.parametrize(("seed", "number", "reach"), [(1, 80, 0.2), (2, 120, 0.15), (3, 60, 0.3)])
def test_towns_are_covered_by_the_fewest(seed: int, number: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    covers = near_covers(rng, number, 200, reach)
    covers = covers[:, covers.any(axis=0)]
    found = cover_all(matrix(covers), within_s=ENOUGH_S)
    require_cover(found, covers)
    assert found.value == found.bound == fewest_by_programme(covers)


def test_a_cover_worked_out_by_hand() -> None:
    # the middle site holds most, yet the outer two hold all
    covers = csr_array([[1, 1, 0, 0, 1], [0, 1, 1, 1, 0], [0, 0, 1, 1, 0]])
    found = cover_all(covers, within_s=ENOUGH_S)
    assert (found.value, found.bound) == (2.0, 2.0)
    assert found.chosen.tolist() in ([0, 1], [0, 2])


def test_nothing_to_cover_needs_no_site() -> None:
    found = cover_all(csr_array((3, 0)), within_s=ENOUGH_S)
    assert (found.chosen.tolist(), found.value, found.bound) == ([], 0.0, 0.0)


def test_a_cycle_of_five_needs_three_though_fractions_need_less() -> None:
    ring = np.eye(5, dtype=bool) | np.roll(np.eye(5, dtype=bool), 1, axis=1)
    found = cover_all(matrix(ring), within_s=ENOUGH_S)
    assert (found.value, found.bound) == (3.0, 3.0)


def test_a_demand_that_nobody_covers_is_named() -> None:
    with pytest.raises(SitingRefused) as refused:
        cover_all(matrix(np.array([[True, False, True, False]])), within_s=ENOUGH_S)
    assert refused.value.where["demands"] == [1, 3]


def test_in_hardly_any_time_a_cover_is_still_whole() -> None:
    rng = np.random.default_rng(8)
    covers = near_covers(rng, 400, 800, 0.1)
    covers = covers[:, covers.any(axis=0)]
    found = cover_all(matrix(covers), within_s=1e-3)
    require_cover(found, covers)
    assert found.bound >= 1


def test_no_site_of_a_cover_is_needless() -> None:
    rng = np.random.default_rng(12)
    covers = near_covers(rng, 60, 150, 0.2)
    covers = covers[:, covers.any(axis=0)]
    found = cover_all(matrix(covers), within_s=ENOUGH_S)
    for site in found.chosen:
        others = found.chosen[found.chosen != site]
        assert not covers[others].any(axis=0).all()
