"""Siting beside spopt, whose models CBC settles: the same best values."""

from __future__ import annotations

import numpy as np
import pytest
from pulp import PULP_CBC_CMD
from spopt.locate import LSCP, MCLP, PCenter, PMedian

from layers.coverage.siting import best_sites, cover_all, p_center, p_median
from tests.layers.coverage.siting_oracles import ENOUGH_S, Floats, matrix

# spopt makes its variables in the way that the next PuLP gives up
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP:DeprecationWarning")
REACH = 0.25


def town(seed: int) -> tuple[Floats, Floats]:
    """Ways of 60 demands to 30 sites in a unit square, and whole weights."""
    rng = np.random.default_rng(seed)
    demand, site = rng.random((60, 2)), rng.random((30, 2))
    ways: Floats = np.hypot(*(demand[:, None] - site[None]).transpose(2, 0, 1))
    return ways, rng.integers(1, 50, 60).astype(float)


def settled(model: MCLP | PMedian | PCenter | LSCP) -> float:
    """The objective of the model once CBC has settled it."""
    return float(model.solve(PULP_CBC_CMD(msg=False)).problem.objective.value())


@pytest.mark.parametrize(("seed", "sites"), [(1, 2), (2, 4), (3, 6)])
def test_the_greatest_weight_is_that_of_spopt(seed: int, sites: int) -> None:
    ways, weights = town(seed)
    theirs = settled(MCLP.from_cost_matrix(ways, weights, REACH, p_facilities=sites))
    found = best_sites(matrix((ways <= REACH).T), weights, sites, within_s=ENOUGH_S)
    assert found.value == found.bound == pytest.approx(theirs)


@pytest.mark.parametrize(("seed", "sites"), [(1, 2), (2, 4), (3, 6)])
def test_the_shortest_ways_are_those_of_spopt(seed: int, sites: int) -> None:
    ways, weights = town(seed)
    theirs = settled(PMedian.from_cost_matrix(ways, weights, p_facilities=sites))
    found = p_median(ways, weights, sites, within_s=ENOUGH_S)
    assert found.value == pytest.approx(theirs)
    assert found.bound == pytest.approx(theirs)


@pytest.mark.parametrize(("seed", "sites"), [(1, 2), (2, 4), (3, 6)])
def test_the_shortest_longest_way_is_that_of_spopt(seed: int, sites: int) -> None:
    ways, _ = town(seed)
    theirs = settled(PCenter.from_cost_matrix(ways, p_facilities=sites))
    found = p_center(ways, sites, within_s=ENOUGH_S)
    assert found.value == found.bound == pytest.approx(theirs)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_fewest_sites_are_as_many_as_those_of_spopt(seed: int) -> None:
    ways, _ = town(seed)
    reach = float(ways.min(axis=1).max()) + 0.05
    theirs = settled(LSCP.from_cost_matrix(ways, reach))
    found = cover_all(matrix((ways <= reach).T), within_s=ENOUGH_S)
    assert found.value == found.bound == theirs
