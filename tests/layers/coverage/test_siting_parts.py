"""The parts of siting: thinning loses nothing, prices prove ceilings, search keeps its books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layers.coverage.sites import ceiling, floor, interchange, search
from layers.coverage.sites.books import CHOSEN
from layers.coverage.sites.branching import settled
from layers.coverage.sites.clock import Clock, paced, started
from layers.coverage.sites.fewest import core, fewest_sites, fitted
from layers.coverage.sites.net import Net, Whole, covered, kept_sites, matrix_of
from layers.coverage.sites.proof import most_covered_by_programme
from layers.coverage.sites.thinning import (
    equal_columns,
    merged,
    merged_with_prices,
    thinned,
    undominated,
)
from tests.layers.coverage.siting_oracles import (
    ENOUGH_S,
    Flags,
    Floats,
    fewest,
    graph_ways,
    least_over_choices,
    matrix,
    most_weight,
    near_covers,
    random_covers,
    whole_net,
)

SEEDS = st.integers(0, 2**32 - 1)


def scene(seed: int, sites: int = 8, demands: int = 25) -> tuple[Flags, Floats, Net]:
    """A little town with whole weights."""
    rng = np.random.default_rng(seed)
    covers = near_covers(rng, sites, demands, rng.uniform(0.1, 0.45))
    weights = rng.integers(0, 9, demands).astype(float)
    return covers, weights, whole_net(covers, weights)


# thinning


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=SEEDS)
def test_demands_are_equal_when_their_sites_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, 3, 30, 0.4)
    like = equal_columns(matrix(covers))
    columns = [covers[:, demand].tobytes() for demand in range(30)]
    assert [columns.index(column) for column in columns] == like.tolist()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS)
def test_merging_keeps_the_weight_that_any_choice_covers(seed: int) -> None:
    covers, weights, net = scene(seed)
    less = merged(net)
    for chosen in (np.array([0]), np.array([1, 4]), np.arange(8)):
        before = weights[covered(net, chosen)].sum()
        assert less.weight[covered(less, chosen)].sum() == pytest.approx(before)
    columns = matrix_of(less).toarray().T
    assert len(np.unique(columns, axis=0)) == len(columns)
    assert covers.any(axis=0).sum() >= less.demands


def test_merged_prices_are_those_of_the_demands_they_stand_for() -> None:
    covers = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], dtype=bool)
    net = whole_net(covers, np.array([1.0, 2.0, 4.0, 8.0]))
    less, price = merged_with_prices(net, np.array([0.5, 1.0, 3.0, 8.0]))
    assert less.weight.tolist() == [3.0, 4.0]
    assert price.tolist() == [1.5, 3.0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=SEEDS, posts=st.integers(1, 3))
def test_a_site_goes_only_where_another_stands_in(seed: int, posts: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, 10, 6, 0.4)
    post = rng.integers(0, posts, 10)
    kept = undominated(whole_net(covers, np.ones(6), post))
    for site in range(10):
        rivals = [
            other
            for other in range(10)
            if other != site
            and post[other] == post[site]
            and (covers[other] >= covers[site]).all()
            and (covers[other].sum() > covers[site].sum() or other < site)
        ]
        assert kept[site] == (not rivals and covers[site].any())


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 3))
def test_thinning_keeps_the_best_value(seed: int, sites: int) -> None:
    covers, weights, net = scene(seed)
    less, origin = thinned(net)
    left = matrix_of(less).toarray() > 0
    assert most_weight(left, less.weight, sites) == most_weight(covers, weights, sites)
    assert len(origin) == less.sites


def test_sites_that_are_kept_keep_their_posts() -> None:
    covers = np.eye(3, dtype=bool)
    net = whole_net(covers, np.ones(3), np.array([0, 1, 1]), 1)
    less = kept_sites(net, np.array([True, False, True]))
    assert less.post.tolist() == [0, 1]
    assert matrix_of(less).toarray().tolist() == [[1, 0, 0], [0, 0, 1]]


# ceilings


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=SEEDS, sites=st.integers(1, 4))
def test_any_prices_prove_a_ceiling(seed: int, sites: int) -> None:
    covers, weights, net = scene(seed)
    rng = np.random.default_rng(seed + 1)
    best = most_weight(covers, weights, sites)
    for _ in range(5):
        price = weights * rng.random(len(weights))
        _, taken, height = ceiling.paid_sites(net, sites, price)
        assert height >= best - 1e-9
        assert len(taken) <= sites


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 4), steps=st.integers(1, 80))
def test_a_ceiling_comes_down_and_stays_above_the_best(seed: int, sites: int, steps: int) -> None:
    covers, weights, net = scene(seed)
    best = most_weight(covers, weights, sites)
    first = ceiling.lowered(net, sites, ceiling.first_course(net), best, 1)
    later = ceiling.lowered(net, sites, first, best, steps)
    assert best - 1e-9 <= later.bound <= first.bound
    assert (later.best_price >= 0).all()
    assert (later.best_price <= weights).all()
    height = ceiling.paid_sites(net, sites, later.best_price)[2]
    assert height == pytest.approx(later.bound)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 5), room=st.integers(1, 2))
def test_the_short_payroll_is_that_of_all_sites(seed: int, sites: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 30, 60, 0.2), rng.random(60)
    net = whole_net(covers, weights, rng.integers(0, 10, 30), room)
    payroll = ceiling.Payroll(net, sites)
    for _ in range(4):
        price = weights * rng.random(60)
        pay, taken, _ = ceiling.paid_sites(net, sites, price)
        found, total = payroll.best_paid(price)
        assert total == pytest.approx(pay[taken].sum())
        assert len(found) == len(taken)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 3))
def test_a_site_struck_out_is_in_no_better_choice(seed: int, sites: int) -> None:
    covers, weights, net = scene(seed)
    best = most_weight(covers, weights, sites)
    course = ceiling.lowered(net, sites, ceiling.first_course(net), best, 40)
    could = ceiling.could_win(net, sites, course, 0.999 * best)
    left = np.where(could[:, None], covers, False)
    assert most_weight(left, weights, sites) == best


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=SEEDS, sites=st.integers(1, 3), room=st.integers(1, 2))
def test_the_programme_finds_the_best_under_posts(seed: int, sites: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 8, 20, 0.3), rng.integers(1, 9, 20).astype(float)
    post = rng.integers(0, 3, 8)
    net = whole_net(covers, weights, post, room)
    chosen, bound = most_covered_by_programme(net, sites, 20.0)
    best = most_weight(covers, weights, sites, None, (post, room))
    assert chosen is not None
    assert weights[covered(net, chosen)].sum() == pytest.approx(best)
    assert bound == pytest.approx(best)


# search


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 6), rounds=st.integers(0, 30), room=st.integers(1, 3))
def test_the_books_of_the_search_are_right(seed: int, sites: int, rounds: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = near_covers(rng, 25, 60, 0.2), rng.random(60)
    post = rng.integers(0, 8, 25)
    net = whole_net(covers, weights, post, room)
    state = search.begun(net, sites)
    value = weights[covered(net, search.chosen_sites(state))].sum()
    search.improved(net, state, sites, rounds)
    chosen = search.chosen_sites(state)
    assert weights[covered(net, chosen)].sum() >= value - 1e-9
    assert len(chosen) <= sites
    assert (np.bincount(post[chosen], minlength=8) <= room).all()
    now = state.order[: state.ends[CHOSEN]]
    require_books(state, covers, weights, now)
    covers_now, covers_best = (weights[covered(net, each)].sum() for each in (now, chosen))
    assert state.worth.tolist() == pytest.approx([covers_now, covers_best])
    assert covers_best >= covers_now - 1e-9


def require_books(
    state: search.State, covers: Flags, weights: Floats, chosen: NDArray[np.int64]
) -> None:
    """Visits, gains and losses are those counted anew."""
    visits = covers[chosen].sum(axis=0)
    assert (state.visits == visits).all()
    assert np.flatnonzero(state.chosen).tolist() == sorted(chosen.tolist())
    gain = covers @ np.where(visits == 0, weights, 0.0)
    loss = np.where(state.chosen, covers @ np.where(visits == 1, weights, 0.0), 0.0)
    np.testing.assert_allclose(state.gain, gain, atol=1e-9)
    np.testing.assert_allclose(state.loss, loss, atol=1e-9)
    assert not state.extra.any()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, sites=st.integers(1, 4))
def test_no_single_swap_betters_a_settled_choice(seed: int, sites: int) -> None:
    covers, weights, net = scene(seed, 12, 40)
    chosen = search.chosen_sites(search.begun(net, sites)).tolist()
    value = weights[covers[chosen].any(axis=0)].sum()
    for out in chosen:
        for site in range(12):
            swapped = [each for each in chosen if each != out] + [site]
            assert weights[covers[swapped].any(axis=0)].sum() <= value + 1e-9


def test_a_choice_that_is_put_is_the_choice() -> None:
    covers, weights, net = scene(3)
    state = search.put(net, np.array([5, 2]))
    assert search.chosen_sites(state).tolist() == [5, 2]
    require_books(state, covers, weights, np.array([5, 2]))


# medians


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, sites=st.integers(1, 4), steps=st.integers(1, 80))
def test_a_floor_rises_and_stays_below_the_best(seed: int, sites: int, steps: int) -> None:
    ways = np.random.default_rng(seed).integers(0, 50, (20, 8)).astype(float)
    best = least_over_choices(ways, sites, lambda way: float(way.sum()))
    cost = np.ascontiguousarray(ways.T)
    first = floor.raised(cost, sites, floor.first_ascent(cost), best, 1)
    later = floor.raised(cost, sites, first, best, steps)
    assert first.bound <= later.bound <= best + 1e-9
    could = floor.could_save(cost, sites, later, best)
    assert least_over_choices(ways[:, could], sites, lambda way: float(way.sum())) == best


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=SEEDS, sites=st.integers(1, 5))
def test_interchange_leaves_no_single_swap_that_saves(seed: int, sites: int) -> None:
    ways = np.random.default_rng(seed).integers(0, 50, (30, 10)).astype(float)
    cost = np.ascontiguousarray(ways.T)
    chosen = interchange.begun(cost, sites).tolist()
    value = interchange.cost_of(cost, np.array(chosen))
    for out in chosen:
        for site in set(range(10)) - set(chosen):
            swapped = np.array([each for each in chosen if each != out] + [site])
            assert interchange.cost_of(cost, swapped) >= value


def test_shaking_never_makes_a_choice_dearer() -> None:
    cost = np.ascontiguousarray(graph_ways(1, 60).T)
    chosen = np.arange(5)
    better = interchange.improved(cost, chosen, 10, 1)
    assert interchange.cost_of(cost, better) <= interchange.cost_of(cost, chosen)
    assert chosen.tolist() == [0, 1, 2, 3, 4]
    assert len(np.unique(better)) == 5


# covers of everything


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS)
def test_the_core_needs_as_many_sites_as_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, 8, 15, 0.35)
    covers[rng.integers(0, 8, 15), np.arange(15)] = True
    less, origin = core(whole_net(covers, np.ones(15)))
    left = matrix_of(less).toarray() > 0
    assert fewest(left) == fewest(covers)
    assert (left.sum(axis=1) <= covers[origin].sum(axis=1)).all()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS)
def test_prices_that_are_fitted_prove_a_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers = random_covers(rng, 8, 15, 0.35)
    covers[rng.integers(0, 8, 15), np.arange(15)] = True
    assert fitted(whole_net(covers, np.ones(15)), rng.random(15)) <= fewest(covers) + 1e-9


@pytest.mark.parametrize("enough", [1, 2, 3, 4, 8])
def test_it_is_known_whether_so_many_sites_are_enough(enough: int) -> None:
    rng = np.random.default_rng(6)
    covers = near_covers(rng, 25, 60, 0.4)
    covers = covers[:, covers.any(axis=0)]
    net = whole_net(covers, np.ones(covers.shape[1]))
    least = len(fewest_sites(net, started(ENOUGH_S)).chosen)
    found = fewest_sites(net, started(ENOUGH_S), enough)
    assert (len(found.chosen) <= enough) == (least <= enough)
    assert found.decides(enough)


# branching


@dataclass(frozen=True)
class Digits:
    """Numbers whose first binary digits are known; worth is a table, bounds are its maxima."""

    worth: Floats
    low: int
    high: int

    @property
    def bound(self) -> float:
        return float(self.worth[self.low : self.high].max()) + 0.5 * (self.high - self.low - 1)

    @property
    def choice(self) -> tuple[Whole, float]:
        return np.array([self.low]), float(self.worth[self.low])

    def parts(self, above: float) -> Iterator[Digits]:
        if self.high - self.low > 1:
            middle = (self.low + self.high) // 2
            yield replace(self, high=middle)
            yield replace(self, low=middle)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=SEEDS, size=st.integers(1, 40))
def test_branching_ends_at_the_best(seed: int, size: int) -> None:
    worth = np.random.default_rng(seed).integers(0, 30, size).astype(float)
    found = settled(Digits(worth, 0, size), -1.0, 1.0, started(ENOUGH_S))
    assert found.value == found.bound == worth.max() or size == 1
    if size > 1:
        assert found.chosen is not None
        assert worth[found.chosen[0]] == worth.max()


def test_branching_without_time_promises_no_more_than_it_knows() -> None:
    worth = np.array([1.0, 5.0, 2.0, 4.0])
    found = settled(Digits(worth, 0, 4), 1.0, 1.0, Clock(1.0, 0.0, lambda: 10.0))
    assert (found.chosen, found.value) == (None, 1.0)
    assert found.bound >= 5.0


# the clock


def test_a_clock_counts_down_and_stops_at_zero() -> None:
    times = iter([1.0, 5.0, 200.0])
    clock = Clock(10.0, 0.0, lambda: next(times))
    first, second, last = clock.left_s, clock.left_s, clock.left_s
    assert 8.0 < first < 9.0
    assert first - second == pytest.approx(4.0)
    assert last == 0.0


def test_a_part_of_the_time_is_never_more_than_what_is_left() -> None:
    clock = Clock(10.0, 0.0, lambda: 9.0)
    assert clock.part_s(0.5) == clock.left_s < 1.0
    assert Clock(10.0, 0.0, lambda: 1.0).part_s(0.5) == 5.0


@pytest.mark.parametrize(
    ("count", "took_s", "expected"), [(10, 0.0, 20), (10, 1e9, 1), (100, 0.1, 100)]
)
def test_a_turn_is_paced_by_the_last_one(count: int, took_s: float, expected: int) -> None:
    assert paced(count, took_s, Clock(10.0, 0.0, lambda: 0.0)) == expected
