"""The joint ceiling: neighbours priced together, never below what a choice can cover."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.sites import ceiling
from layers.coverage.sites.group_choice import best_choice, stack
from layers.coverage.sites.groups import Groups, grouped
from layers.coverage.sites.joint import first_joint, lowered_jointly
from layers.coverage.sites.net import Net
from layers.coverage.sites.proof import prices_by_programme
from tests.layers.coverage.siting_oracles import (
    Flags,
    Floats,
    Whole,
    most_weight,
    near_covers,
    whole_net,
)

SEEDS = st.integers(0, 2**32 - 1)
NONE = np.zeros(0)


def scene(seed: int, sites: int, room: int | None = None) -> tuple[Flags, Floats, Whole, Net]:
    """A little town with whole weights and posts of up to three sites."""
    rng = np.random.default_rng(seed)
    covers = near_covers(rng, sites, 40, rng.uniform(0.15, 0.4))
    weights = rng.integers(1, 30, 40).astype(float)
    post = np.arange(sites) // 3
    return covers, weights, post, whole_net(covers, weights, post, room)


def paid(groups: Groups, covers: Flags, price: Floats, members: list[int]) -> float:
    """What the members are paid together, counted anew."""
    return float(price[covers[groups.site[members]].any(axis=0)].sum()) if members else 0.0


def pay_of_atoms(groups: Groups, price: Floats) -> Floats:
    """The prices of each atom, added up."""
    return np.add.reduceat(price[groups.demand], groups.entry_start[:-1])


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, size=st.integers(1, 6))
def test_every_site_is_in_one_group_and_none_is_too_large(seed: int, size: int) -> None:
    covers, weights, _, net = scene(seed, 12)
    groups = grouped(net, weights, covers @ weights, size)
    assert sorted(groups.site.tolist()) == list(range(12))
    assert np.diff(groups.start).max() <= size
    assert groups.start[-1] == 12


def test_sites_of_no_rank_stay_alone() -> None:
    _, weights, _, net = scene(5, 12)
    groups = grouped(net, weights, np.zeros(12), 6)
    assert np.diff(groups.start).tolist() == [1] * 12


def test_sites_that_see_the_same_come_together() -> None:
    covers = np.zeros((4, 8), dtype=bool)
    covers[0, :4], covers[2, 1:5], covers[1, 5:7], covers[3, 6:] = True, True, True, True
    net = whole_net(covers, np.ones(8))
    groups = grouped(net, np.ones(8), np.ones(4), 2)
    pairs = [sorted(groups.site[a : a + 2].tolist()) for a in groups.start[:-1]]
    assert sorted(pairs) == [[0, 2], [1, 3]]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, room=st.integers(1, 3), rent=st.floats(0.0, 80.0))
def test_a_group_chooses_what_earns_most(seed: int, room: int, rent: float) -> None:
    covers, weights, _, net = scene(seed, 9, room)
    price = weights * np.random.default_rng(seed).random(40)
    groups = grouped(net, price, np.ones(9), 9)
    pay = pay_of_atoms(groups, price)
    for group in range(len(groups.start) - 1):
        first, last = groups.start[group], groups.start[group + 1]
        best = 0.0
        for count in range(1, last - first + 1):
            for members in combinations(range(first, last), count):
                chosen = list(members)
                if np.bincount(groups.post[chosen]).max() <= room:
                    best = max(best, paid(groups, covers, price, chosen) - rent * count)
        most, bits = best_choice(groups, pay, group, rent, 0, 10**6, stack())
        inside = [first + bit for bit in range(last - first) if bits >> bit & 1]
        assert most == pytest.approx(best)
        assert paid(groups, covers, price, inside) - rent * len(inside) == pytest.approx(best)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, branches=st.integers(0, 4), rent=st.floats(0.0, 60.0))
def test_branches_that_are_not_looked_into_are_bounded(
    seed: int, branches: int, rent: float
) -> None:
    _, weights, _, net = scene(seed, 9)
    groups = grouped(net, weights, np.ones(9), 9)
    pay = pay_of_atoms(groups, weights)
    for group in range(len(groups.start) - 1):
        best, _ = best_choice(groups, pay, group, rent, 0, 10**6, stack())
        cut, _ = best_choice(groups, pay, group, rent, 0, branches, stack())
        assert cut >= best - 1e-9


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 4), size=st.integers(1, 8), room=st.integers(1, 3))
def test_the_joint_ceiling_is_never_below_the_best(
    seed: int, sites: int, size: int, room: int
) -> None:
    covers, weights, post, net = scene(seed, 9, room)
    best = most_weight(covers, weights, sites, None, (post, room))
    course = ceiling.lowered(net, sites, ceiling.first_course(net), best, 15)
    joint = first_joint(net, sites, course, size, NONE)
    before = np.inf
    for _ in range(3):
        joint = lowered_jointly(net, sites, joint, 0.0, 20)
        assert best - 1e-6 <= joint.course.bound <= before
        before = joint.course.bound


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, sites=st.integers(1, 4), aside=st.integers(1, 6))
def test_sites_left_aside_are_counted_on(seed: int, sites: int, aside: int) -> None:
    covers, weights, post, _ = scene(seed, 10)
    best = most_weight(covers, weights, sites)
    left = whole_net(covers[aside:], weights, post[aside:] - post[aside:].min())
    course = ceiling.lowered(left, sites, ceiling.first_course(left), 0.0, 15)
    joint = first_joint(left, sites, course, 6, covers[:aside] @ weights)
    assert lowered_jointly(left, sites, joint, 0.0, 40).course.bound >= best - 1e-6


def test_three_that_overlap_in_pairs_are_told_from_two() -> None:
    # halves of all three would cover everything at the price of one and a half
    covers = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    net = whole_net(covers, np.full(3, 10.0))
    single = ceiling.lowered(net, 1, ceiling.first_course(net), 0.0, 200)
    joint = lowered_jointly(net, 1, first_joint(net, 1, single, 3, NONE), 20.0, 200)
    assert joint.course.bound == pytest.approx(20.0, abs=1e-3)


def test_a_net_without_enough_sites_is_bounded_by_all_it_covers() -> None:
    covers = np.eye(3, dtype=bool)
    net = whole_net(covers, np.array([1.0, 2.0, 4.0]))
    course = ceiling.lowered(net, 3, ceiling.first_course(net), 0.0, 5)
    joint = lowered_jointly(net, 3, first_joint(net, 3, course, 3, NONE), 7.0, 20)
    assert joint.course.bound == pytest.approx(7.0, abs=1e-6)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS, sites=st.integers(1, 4))
def test_prices_of_the_linear_programme_prove_no_less_than_the_best(seed: int, sites: int) -> None:
    covers, weights, _, net = scene(seed, 10)
    price = prices_by_programme(net, sites, 20.0)
    assert price is not None
    height = ceiling.paid_sites(net, sites, price)[2]
    steps = ceiling.lowered(net, sites, ceiling.first_course(net), 0.0, 60)
    assert most_weight(covers, weights, sites) - 1e-6 <= height <= steps.bound + 1e-6


def test_a_linear_programme_without_time_gives_no_prices() -> None:
    covers = np.random.default_rng(1).random((300, 400)) < 0.1
    net = whole_net(covers, np.ones(400))
    assert prices_by_programme(net, 20, 0.0) is None
