"""The scan statistic against going through every window, closed forms and exact chances."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from itertools import permutations
from math import comb, inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layers.hotspots.scan import Cluster, scan
from tests.layers.hotspots.scan_brute import (
    Brute,
    best_per_centre,
    not_overlapping,
    spans_of,
)

MODELS = ["poisson", "bernoulli", "permutation"]


def lattice(rng: np.random.Generator, places: int) -> NDArray[np.float64]:
    """Places on a coarse lattice: many equal distances, some at one spot."""
    return 100.0 * rng.integers(0, 5, (places, 2)).astype(np.float64)


def anywhere(rng: np.random.Generator, places: int) -> NDArray[np.float64]:
    """Places without equal distances."""
    return rng.uniform(0.0, 500.0, (places, 2))


def assert_same(ours: list[Cluster], theirs: list[Brute]) -> None:
    """Same windows and figures, as long as no two logarithms are equal."""
    assert len(ours) > 0 or not theirs
    for one, other in zip(ours, theirs, strict=True):
        assert one.llr == pytest.approx(other.llr, abs=1e-9)
        assert frozenset(one.members) == other.members
        assert (one.start, one.end) == (other.start, other.end)
        assert one.observed == other.observed
        assert one.expected == pytest.approx(other.expected, rel=1e-12)


def drawn(
    model: str, rng: np.random.Generator, places: int, steps: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cases and population of a random study."""
    population = rng.integers(1, 60, (places, steps))
    if model == "bernoulli":
        return rng.binomial(population, 0.3), population
    weights = population * rng.uniform(0.3, 3.0, population.shape)
    return rng.multinomial(150, (weights / weights.sum()).ravel()).reshape(
        weights.shape
    ), population


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    model=st.sampled_from(MODELS),
    alive=st.booleans(),
    share=st.sampled_from([0.5, 0.25, 1.0]),
    radius_m=st.sampled_from([None, 150.0]),
)
def test_clusters_are_those_of_going_through_every_window(
    seed: int, model: str, alive: bool, share: float, radius_m: float | None
) -> None:
    rng = np.random.default_rng(seed)
    xy = anywhere(rng, 12)
    cases, population = drawn(model, rng, 12, 6)
    ours = scan(
        cases,
        None if model == "permutation" else population,
        xy,
        model=model,
        largest_share=share,
        largest_radius_m=radius_m,
        windows=(1, 4),
        prospective=alive,
        repeats=0,
        seed=0,
    )
    spans = spans_of(6, 1, 4, alive)
    theirs = best_per_centre(model, cases, population, xy, spans, share, radius_m or inf)
    assert_same(ours, not_overlapping(theirs))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), model=st.sampled_from(["poisson", "bernoulli"]))
def test_equal_distances_enter_one_by_one_the_lesser_coordinate_first(
    seed: int, model: str
) -> None:
    rng = np.random.default_rng(seed)
    xy = lattice(rng, 14)
    cases, population = drawn(model, rng, 14, 1)
    ours = scan(cases[:, 0], population[:, 0], xy, model=model, repeats=0, seed=0)
    theirs = best_per_centre(model, cases, population, xy, [(0, 0)])
    assert [one.llr for one in ours[:1]] == pytest.approx([one.llr for one in theirs[:1]])
    every = {one.members for one in theirs}
    assert all(frozenset(one.members) in every for one in ours)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_great_circles_are_those_of_the_haversine(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # round the date line and up to the pole, where plane distances would be wrong
    lon_lat = np.column_stack([rng.uniform(175.0, 185.0, 15), rng.uniform(60.0, 90.0, 15)])
    cases, population = drawn("poisson", rng, 15, 1)
    ours = scan(
        cases,
        population,
        lon_lat,
        model="poisson",
        great_circle=True,
        largest_radius_m=900_000.0,
        repeats=0,
        seed=0,
    )
    theirs = best_per_centre(
        "poisson", cases, population, lon_lat, [(0, 0)], radius_m=900_000.0, sphere=True
    )
    assert_same(ours, not_overlapping(theirs))
    assert all(one.radius_m <= 900_000.0 for one in ours)


def test_one_circle_by_hand() -> None:
    found = scan([8, 1, 1], [10, 10, 20], [[0, 0], [3, 4], [100, 0]], model="poisson", seed=0)[0]
    assert found.members == [0]
    assert (found.observed, found.expected) == (8, 2.5)
    assert found.llr == pytest.approx(8 * log(8 / 2.5) + 2 * log(2 / 7.5), abs=1e-12)
    assert found.ratio == pytest.approx(3.2)
    assert found.relative_risk == pytest.approx((8 / 2.5) / (2 / 7.5))
    assert (found.start, found.end, found.centre, found.radius_m) == (0, 0, 0, 0.0)


def test_the_radius_reaches_the_farthest_member() -> None:
    found = scan([8, 8, 1], [10, 10, 60], [[0, 0], [3, 4], [100, 0]], model="poisson", seed=0)[0]
    assert found.members == [0, 1]
    assert found.radius_m == 5.0


def test_a_cluster_has_two_cases_unless_stated() -> None:
    xy, cases, people = [[0, 0], [9, 0], [30, 0], [70, 0]], [1, 4, 4, 1], [0.1, 10, 10, 10]
    assert scan(cases, people, xy, model="poisson", least_cases=1, seed=0)[0].members == [0]
    usual = scan(cases, people, xy, model="poisson", seed=0)
    assert [one.members for one in usual] == [[0, 1], [2]]
    assert scan(cases, people, xy, model="poisson", least_cases=6, seed=0) == []


def test_of_equally_high_clusters_that_with_fewer_places_comes_first() -> None:
    # the empty place 0 has the same cases and expected numbers round it as place 1 by itself
    cases = np.array([[0, 0, 0, 0], [0, 0, 0, 3], [3, 3, 3, 1]])
    found = scan(
        cases, None, [[0, 0], [1, 0], [9, 0]], model="permutation", prospective=True, seed=0
    )
    assert (found[0].centre, found[0].members) == (1, [1])


def test_all_cases_in_one_circle_leave_an_infinite_relative_risk() -> None:
    found = scan([5, 0, 0], [1, 5, 5], [[0, 0], [1, 0], [5, 0]], model="poisson", seed=0)[0]
    assert found.relative_risk == np.inf
    assert found.llr == pytest.approx(5 * log(11))


def test_bernoulli_takes_controls_or_everybody() -> None:
    rng = np.random.default_rng(4)
    cases, controls, xy = rng.poisson(3, 20), rng.poisson(9, 20), anywhere(rng, 20)
    by_controls = scan(cases, None, xy, model="bernoulli", controls=controls, seed=3)
    assert by_controls == scan(cases, cases + controls, xy, model="bernoulli", seed=3)
    both = scan(cases, cases + controls, xy, model="bernoulli", controls=controls, seed=3)
    assert by_controls == both


def test_one_population_for_all_steps_is_the_same_at_each() -> None:
    rng = np.random.default_rng(5)
    cases, people, xy = rng.poisson(2, (15, 8)), rng.integers(1, 50, 15), anywhere(rng, 15)
    once = scan(cases, people, xy, model="poisson", repeats=99, seed=1)
    assert once == scan(
        cases, np.repeat(people[:, None], 8, 1), xy, model="poisson", repeats=99, seed=1
    )


def test_the_unit_of_the_population_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    cases, people, xy = rng.poisson(5, 30), rng.uniform(1, 9, 30), anywhere(rng, 30)
    ones = scan(cases, people, xy, model="poisson", repeats=99, seed=1)
    millions = scan(cases, people * 1e6, xy, model="poisson", repeats=99, seed=1)
    assert [(one.members, one.p) for one in ones] == [(one.members, one.p) for one in millions]


def test_secondary_clusters_meet_no_higher_one() -> None:
    rng = np.random.default_rng(7)
    people, xy = np.full(60, 100), anywhere(rng, 60)
    found = scan(rng.poisson(5, 60), people, xy, model="poisson", seed=1)
    assert len(found) > 3
    places = [place for one in found for place in one.members]
    assert len(places) == len(set(places))
    assert [one.llr for one in found] == sorted((one.llr for one in found), reverse=True)
    assert [one.p for one in found] == sorted(one.p for one in found)


def test_a_location_over_the_share_has_no_circle() -> None:
    cases, xy = [90, 5, 5], [[0, 0], [1, 0], [2, 0]]
    found = scan(cases, [60, 20, 20], xy, model="poisson", seed=0)
    assert all(0 not in one.members for one in found)
    whole = scan(cases, [60, 20, 20], xy, model="poisson", largest_share=1.0, seed=0)
    assert whole[0].members == [0]


def test_exactly_half_of_the_people_is_still_a_circle() -> None:
    found = scan([9, 1], [0.1, 0.1], [[0, 0], [1, 0]], model="poisson", seed=0)
    assert found[0].members == [0]


def test_half_of_the_steps_is_the_longest_span_unless_stated() -> None:
    cases = np.ones((4, 9), dtype=int)
    cases[0, 2:8] = 50
    xy = [[0, 0], [5, 0], [10, 0], [15, 0]]
    found = scan(cases, np.ones(4), xy, model="poisson", seed=0)[0]
    assert found.end - found.start + 1 == 4
    longer = scan(cases, np.ones(4), xy, model="poisson", windows=(1, 9), seed=0)[0]
    assert (longer.start, longer.end) == (2, 7)
    apart = scan(cases, np.ones(4), xy, model="poisson", windows=(8, 9), seed=0)[0]
    assert (apart.start, apart.end) in {(0, 7), (1, 8)}


def test_prospective_spans_last_to_the_end() -> None:
    cases = np.ones((4, 10), dtype=int)
    cases[0, 1:4] = 90
    cases[3, 7:] = 20
    xy = [[0, 0], [5, 0], [10, 0], [15, 0]]
    past = scan(cases, np.ones(4), xy, model="poisson", seed=0)[0]
    now = scan(cases, np.ones(4), xy, model="poisson", prospective=True, seed=0)[0]
    assert (past.members, past.start, past.end) == ([0], 1, 3)
    assert (now.members, now.start, now.end) == ([3], 7, 9)


def test_a_cluster_where_everything_is_high_at_once_is_none_for_the_permutation() -> None:
    cases = np.full((6, 8), 3)
    cases[:, 3:5] = 30
    xy = [[i, i * i] for i in range(6)]
    assert scan(cases, None, xy, model="permutation", seed=0) == []
    assert scan(cases, np.ones(6), xy, model="poisson", seed=0)[0].start == 3


def test_no_cases_make_no_clusters() -> None:
    assert scan([0, 0], [1, 1], [[0, 0], [1, 1]], model="poisson", seed=0) == []
    assert scan(np.zeros((2, 3)), None, [[0, 0], [1, 1]], model="permutation", seed=0) == []
    assert scan([0, 0], None, [[0, 0], [1, 1]], model="bernoulli", controls=[0, 4], seed=0) == []


def test_one_location_has_nothing_to_be_compared_with() -> None:
    assert scan([5], [9], [[0, 0]], model="poisson", seed=0) == []


def test_locations_at_one_spot_are_one() -> None:
    xy = [[0, 0], [0, 0], [9, 0], [20, 0]]
    found = scan([6, 0, 1, 1], [5, 5, 20, 20], xy, model="poisson", seed=0)[0]
    assert found.members == [0, 1]


def test_uninhabited_locations_change_nothing() -> None:
    rng = np.random.default_rng(8)
    cases, people, xy = rng.poisson(4, 25), rng.integers(5, 50, 25), anywhere(rng, 25)
    bare = scan(cases, people, xy, model="poisson", repeats=0, seed=0)
    far = np.concatenate([xy, xy + 9_000.0])
    wide = scan(
        np.append(cases, np.zeros(25, int)),
        np.append(people, np.zeros(25, int)),
        far,
        model="poisson",
        repeats=0,
        seed=0,
    )
    assert [(one.members, one.llr) for one in bare] == [(one.members, one.llr) for one in wide]


def test_p_is_that_of_all_ways_the_cases_can_fall() -> None:
    """Five cases on four places: every one of the 4^5 falls is as likely."""
    xy, cases = [[0, 0], [1, 0], [10, 0], [12, 0]], np.array([4, 0, 1, 0])
    found = scan(cases, np.ones(4), xy, model="poisson", repeats=20_000, seed=2)[0]
    highest = []
    for fall in np.ndindex(4, 4, 4, 4, 4):
        counts = np.bincount(fall, minlength=4)
        one = best_per_centre("poisson", counts[:, None], np.ones((4, 1)), np.array(xy), [(0, 0)])
        highest.append(one[0].llr if one else 0.0)
    exact = float(np.mean(np.array(highest) >= found.llr - 1e-9))
    assert found.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)


def test_p_of_controls_is_that_of_all_ways_to_name_the_cases() -> None:
    xy, cases, persons = [[0, 0], [1, 0], [10, 0]], np.array([3, 1, 0]), np.array([3, 3, 4])
    found = scan(cases, persons, xy, model="bernoulli", repeats=20_000, seed=2)[0]
    reached, ways = 0.0, comb(10, 4)
    for a in range(4):
        for b in range(4):
            c = 4 - a - b
            if 0 <= c <= 4:
                counts = np.array([[a], [b], [c]])
                one = best_per_centre("bernoulli", counts, persons[:, None], np.array(xy), [(0, 0)])
                as_high = bool(one) and one[0].llr >= found.llr - 1e-9
                reached += as_high * comb(3, a) * comb(3, b) * comb(4, c)
    exact = reached / ways
    assert found.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)


def test_p_of_a_permutation_is_that_of_all_orders_of_the_dates() -> None:
    xy = np.array([[0, 0], [5, 0], [11, 0]])
    place, day = np.array([0, 0, 1, 1, 2, 2]), np.array([2, 2, 0, 1, 0, 1])
    cases = np.zeros((3, 3), dtype=int)
    np.add.at(cases, (place, day), 1)
    found = scan(cases, None, xy, model="permutation", repeats=20_000, seed=2)[0]
    spans, as_high = spans_of(3, 1, 1, False), []
    for order in permutations(day):
        table = np.zeros((3, 3), dtype=int)
        np.add.at(table, (place, np.array(order)), 1)
        one = best_per_centre("permutation", table, table, xy, spans)
        as_high.append(bool(one) and one[0].llr >= found.llr - 1e-9)
    exact = float(np.mean(as_high))
    assert found.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)


def test_p_cannot_be_under_one_over_all_that_were_drawn() -> None:
    cases, xy = np.array([200, 5, 5, 5, 5]), [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]]
    found = scan(cases, np.ones(5), xy, model="poisson", repeats=99, seed=0)[0]
    assert found.p == 0.01
    assert 0.0 <= found.p_gumbel < 1e-6
    assert found.recurrence_steps == 100.0


def test_without_replicas_p_is_one_and_the_tail_unknown() -> None:
    found = scan([9, 0], [1, 1], [[0, 0], [1, 0]], model="poisson", repeats=0, seed=0)[0]
    assert found.p == 1.0
    assert np.isnan(found.p_gumbel)


def test_the_gumbel_tail_agrees_with_many_replicas() -> None:
    rng = np.random.default_rng(9)
    people, xy = rng.uniform(50, 150, 100), anywhere(rng, 100)
    cases = rng.multinomial(1_000, people / people.sum())
    few = scan(cases, people, xy, model="poisson", repeats=999, seed=1)[0]
    many = scan(cases, people, xy, model="poisson", repeats=19_999, seed=2)[0]
    assert few.p_gumbel == pytest.approx(many.p, rel=0.15, abs=0.02)


def test_counts_past_each_lane_are_scanned_alike() -> None:
    """127 cases fit into lanes of 8 bits, 32,767 into 16: figures do not jump beyond."""
    rng = np.random.default_rng(10)
    xy, weights = anywhere(rng, 20), rng.uniform(1, 2, 20)
    for cases in (127, 128, 32_767, 32_768):
        counts = rng.multinomial(cases, weights / weights.sum())
        found = scan(counts, weights, xy, model="poisson", repeats=199, seed=1)
        theirs = best_per_centre("poisson", counts[:, None], weights[:, None], xy, [(0, 0)])
        assert_same(found, not_overlapping(theirs))
        assert 0.005 <= found[0].p <= 1.0
        assert found[0].p == pytest.approx(found[0].p_gumbel, abs=0.15)


@pytest.mark.parametrize("model", MODELS)
def test_one_seed_gives_one_answer_and_another_seed_another(model: str) -> None:
    rng = np.random.default_rng(11)
    cases, population = drawn(model, rng, 30, 6)
    xy = anywhere(rng, 30)
    runs = [
        pickle.dumps(scan(cases, population, xy, model=model, repeats=700, seed=seed))
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


THREADS = """
import pickle, sys
import numpy as np
from layers.hotspots.scan import scan
rng = np.random.default_rng(12)
cases, xy = rng.poisson(3, (60, 8)), rng.uniform(0, 9, (60, 2))
for model in ("poisson", "bernoulli", "permutation"):
    found = scan(cases, cases + 5, xy, model=model, repeats=999, seed=1)
    sys.stdout.buffer.write(pickle.dumps(found))
"""


def test_one_and_two_threads_give_the_same_bytes() -> None:
    root = Path(__file__).parents[3]
    outputs = [
        subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != b""


def test_a_planted_cluster_is_found() -> None:
    rng = np.random.default_rng(13)
    xy, people = rng.uniform(0, 10_000, (300, 2)), rng.uniform(200, 600, 300)
    planted = np.argsort(np.hypot(*(xy - xy[0]).T))[:6]
    risk = people.copy()
    risk[planted] *= 3.0
    found = scan(rng.multinomial(3_000, risk / risk.sum()), people, xy, model="poisson", seed=1)[0]
    assert found.p <= 0.005
    assert set(planted.tolist()) <= set(found.members)
    assert len(found.members) <= 9
