"""The hunt of sites: likely sites, what is chosen stays, and values are those of the whole net."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.sites import ceiling, search
from layers.coverage.sites.clock import started
from layers.coverage.sites.hunt import (
    LIKELY,
    covered_alone,
    hunt_among,
    is_due,
    likely_sites,
    share_at,
    value_of,
)
from layers.coverage.sites.joint import first_joint, lowered_jointly
from layers.coverage.sites.most import most_covered
from layers.coverage.sites.net import Net
from tests.layers.coverage.siting_oracles import (
    Flags,
    Floats,
    Whole,
    most_weight,
    near_covers,
    weight_covered,
    whole_net,
)

SEEDS = st.integers(0, 10_000)


def scene(seed: int, sites: int = 12, room: int = 2) -> tuple[Flags, Floats, Whole, Net]:
    """Sites near demands, four posts."""
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, sites, 40, 0.3), rng.integers(1, 9, 40).astype(float)
    post = rng.integers(0, 4, sites)
    return covers, weights, post, whole_net(covers, weights, post, room)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 4), rounds=st.integers(0, 20))
def test_a_hunt_among_some_sites_finds_a_choice_of_the_whole_net(
    seed: int, sites: int, rounds: int
) -> None:
    covers, weights, post, net = scene(seed)
    choice = search.chosen_sites(search.begun(net, sites))
    likely = np.random.default_rng(seed).random(net.sites) < 0.5
    hunt = hunt_among(net, sites, choice, likely, 1 + seed)
    assert sorted(hunt.choice.tolist()) == sorted(choice.tolist())
    hunt.goes_on(rounds)
    found = hunt.choice
    assert np.isin(found, np.union1d(np.flatnonzero(likely), choice)).all()
    assert len(found) == len(np.unique(found)) <= sites
    assert (np.bincount(post[found], minlength=4) <= 2).all()
    value = weight_covered(covers, weights, found)
    assert weight_covered(covers, weights, choice) - 1e-9 <= value
    assert value <= most_weight(covers, weights, sites, None, (post, 2)) + 1e-9
    assert value_of(net, found) == pytest.approx(value)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_a_hunt_leaves_the_flags_it_was_given(seed: int) -> None:
    net = scene(seed)[3]
    likely = np.zeros(net.sites, dtype=np.bool_)
    hunt_among(net, 2, np.array([3, 5]), likely)
    assert not likely.any()


def test_a_hunt_among_all_sites_is_one_in_the_net_itself() -> None:
    net = scene(1)[3]
    hunt = hunt_among(net, 2, np.array([4]), np.ones(net.sites, dtype=np.bool_))
    assert hunt.net is net
    assert hunt.choice.tolist() == [4]


def test_a_hunt_with_no_likely_site_keeps_what_is_chosen() -> None:
    net = scene(2)[3]
    hunt = hunt_among(net, 2, np.array([7, 1]), np.zeros(net.sites, dtype=np.bool_))
    hunt.goes_on(10)
    assert sorted(hunt.choice.tolist()) == [1, 7]


def test_a_hunt_with_nothing_chosen_and_nothing_likely_finds_nothing() -> None:
    net = scene(2)[3]
    none = np.zeros(0, dtype=np.int64)
    hunt = hunt_among(net, 0, none, np.zeros(net.sites, dtype=np.bool_))
    hunt.goes_on(3)
    assert hunt.choice.tolist() == []


# who is likely


def test_all_are_likely_before_prices_have_settled() -> None:
    net = scene(1)[3]
    assert likely_sites(net, 3, np.zeros(40), 5.0, np.zeros(12), 0.9).all()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, share=st.floats(0.0, 1.2))
def test_likely_are_those_paid_enough_or_taken_lately(seed: int, share: float) -> None:
    covers, weights, _, net = scene(seed)
    rng = np.random.default_rng(seed)
    price, often = weights * rng.random(40), np.where(rng.random(12) < 0.3, 1.0, 0.0)
    often[0] = 1.0
    likely = likely_sites(net, 1, price, 20.0, often, share)
    for site in range(12):
        paid = price[covers[site]].sum()
        if abs(paid - share * 20.0) > 1e-9:
            assert likely[site] == (paid >= share * 20.0 or often[site] > 0)


def test_a_rent_of_nothing_makes_all_likely() -> None:
    _, weights, _, net = scene(4)
    assert likely_sites(net, 1, weights, 0.0, np.ones(12), 0.97).all()


# when another one begins


def test_hunts_begin_ever_more_seldom() -> None:
    due = [turn for turn in range(300) if is_due(turn)]
    assert due == [0, 8, 16, 32, 64, 128, 256]
    assert [share_at(turn) for turn in due] == list(LIKELY)


@pytest.mark.parametrize(
    ("turn", "share"), [(1, 0.97), (7, 0.97), (63, 0.97), (64, 0.9), (10**6, 0.0)]
)
def test_the_share_of_a_turn_is_that_of_the_last_hunt(turn: int, share: float) -> None:
    assert share_at(turn) == share


# what a choice covers


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, size=st.integers(0, 6))
def test_what_a_site_covers_alone_is_lost_without_it(seed: int, size: int) -> None:
    covers, weights, _, net = scene(seed)
    choice = np.random.default_rng(seed).permutation(12)[:size]
    value = weight_covered(covers, weights, choice)
    assert value_of(net, choice) == pytest.approx(value)
    for site, alone in zip(choice, covered_alone(net, choice), strict=True):
        less = weight_covered(covers, weights, choice[choice != site])
        assert value - less == pytest.approx(alone)


# the whole


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS, sites=st.integers(0, 4), room=st.integers(0, 2))
def test_without_time_the_bound_is_honest_and_better_than_everything(
    seed: int, sites: int, room: int
) -> None:
    covers, weights, post, net = scene(seed, room=room)
    best = most_weight(covers, weights, sites, None, (post, room))
    chosen, bound = most_covered(net, sites, started(1e-9))
    assert weight_covered(covers, weights, chosen) <= best <= bound
    heaviest = np.sort(covers @ weights)[::-1][:sites].sum()
    assert bound <= min(heaviest, weights[covers.any(axis=0)].sum()) + 1e-6


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, sites=st.integers(1, 5), room=st.integers(1, 3))
def test_a_rent_that_starts_anywhere_proves_a_bound(seed: int, sites: int, room: int) -> None:
    covers, weights, post, net = scene(seed, 9, room)
    best = most_weight(covers, weights, sites, None, (post, room))
    # one step: prices are still those of everything, and the rent has far to go
    course = ceiling.lowered(net, sites, ceiling.first_course(net), best, 1)
    joint = first_joint(net, sites, course, 5, np.zeros(0))
    heights = []
    for _ in range(4):
        joint = lowered_jointly(net, sites, joint, 0.0, 10)
        assert joint.rent >= 0.0
        assert abs(joint.move) <= 0.5 * weights.sum()
        heights.append(joint.course.bound)
    assert min(heights) >= best - 1e-6
    assert heights == sorted(heights, reverse=True)
