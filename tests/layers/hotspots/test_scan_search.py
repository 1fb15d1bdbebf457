"""The compiled loops of the scan: logarithms, bounds, least counts and packed maxima."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layers.hotspots import scan_search
from layers.hotspots.circles import Circles, circles
from tests.layers.hotspots.scan_brute import bernoulli_llr, poisson_llr


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, float, int]:
    """A count over its expected number, and the total."""
    total = draw(st.integers(2, 5_000))
    count = draw(st.integers(1, total))
    return count, draw(st.floats(1e-6, 0.999999)) * count, total


@settings(derandomize=True, deadline=None, max_examples=200)
@given(given=counts())
def test_the_poisson_logarithm_is_that_of_the_textbook(given: tuple[int, float, int]) -> None:
    count, expected, total = given
    ours = scan_search.llr(float(count), expected, float(total), 0.0)
    assert ours == pytest.approx(poisson_llr(count, expected, total), rel=1e-9, abs=1e-10)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_the_bernoulli_logarithm_is_that_of_the_textbook(data: st.DataObject) -> None:
    persons = data.draw(st.integers(4, 3_000))
    cases = data.draw(st.integers(1, persons - 1))
    inside = data.draw(st.integers(1, persons - 1))
    lowest = max(0, cases + inside - persons)
    count = data.draw(st.integers(lowest, min(cases, inside)))
    expected = float(Fraction(cases * inside, persons))
    if count <= expected:
        return
    controls = (persons - cases) / cases
    ours = scan_search.llr(float(count), expected, float(cases), controls)
    theirs = bernoulli_llr(count, inside, cases, persons)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(given=counts())
def test_the_poisson_bound_is_never_under_the_logarithm(given: tuple[int, float, int]) -> None:
    count, expected, total = float(given[0]), given[1], float(given[2])
    value = scan_search.llr(count, expected, total, 0.0)
    assert scan_search._bound(count, expected, total, 0.0) >= value * (1 - 1e-9) - 1e-9


@settings(derandomize=True, deadline=None, max_examples=300)
@given(data=st.data())
def test_the_bernoulli_bound_is_never_under_the_logarithm(data: st.DataObject) -> None:
    cases, others = data.draw(st.integers(2, 900)), data.draw(st.integers(1, 900))
    count, well = data.draw(st.integers(1, cases)), data.draw(st.integers(0, others))
    expected, controls = (count + well) * cases / (cases + others), others / cases
    if count <= expected:
        return
    value = scan_search.llr(float(count), expected, float(cases), controls)
    bound = scan_search._bound(float(count), expected, float(cases), controls)
    assert bound >= value * (1 - 1e-9) - 1e-9


def test_a_bound_without_room_says_nothing() -> None:
    assert scan_search._bound(5.0, 2.0, 5.0, 0.0) == inf
    assert scan_search._bound(5.0, 2.5, 9.0, 1.0) == inf


@pytest.mark.parametrize("controls", [0.0, 3.0])
@pytest.mark.parametrize("level", [0.0, 1.0, 6.0, 50.0])
def test_least_counts_pass_over_nothing_that_reaches_the_level(
    controls: float, level: float
) -> None:
    total = 400.0
    least = scan_search.least_counts(level, 1.0, total, controls)
    assert (np.diff(least) >= 0).all()
    rng = np.random.default_rng(1)
    for expected in rng.uniform(0.0, total / 2, 200):
        slot = int(np.sqrt(expected / total) * scan_search.SLOTS)
        for count in range(int(expected) + 1, min(int(total), int(expected * (1 + controls)) + 99)):
            if controls and count > expected * (1.0 + controls):
                break
            reached = scan_search.llr(float(count), expected, total, controls) >= level
            if reached and count > expected:
                assert count >= least[slot]
                break


def test_where_nothing_can_reach_the_level_no_count_is_enough() -> None:
    least = scan_search.least_counts(1e6, 1.0, 50.0, 0.0)
    # without any expected the smallest count is beyond chance
    assert least[0] == 1
    assert (least[1:] == 51).all()


def around_of(rng: np.random.Generator, places: int) -> Circles:
    """Circles with some equal distances, some places at one spot."""
    xy = rng.integers(0, 7, (places, 2)).astype(np.float64)
    return circles(xy, rng.integers(0, 9, places).astype(np.float64), largest_share=0.5)


def windows(around: Circles, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over every circle, one by one."""
    sums = []
    for centre in range(around.starts.size - 1):
        for place in range(around.starts[centre], around.starts[centre + 1]):
            if around.closed[place]:
                sums.append(values[around.members(centre, place)].sum())
    return np.array(sums)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_expected_numbers_are_sums_over_each_circle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    around = around_of(rng, 20)
    expected = rng.gamma(1.0, 3.0, 20)
    number = int(around.closed.sum())
    inside, needed = np.empty(number), np.empty(number, dtype=np.int32)
    least = scan_search.least_counts(2.0, 1.0, 60.0, 0.0)
    lists = (around.order, around.starts, around.closed)
    scan_search.expect(expected, *lists, least, 60.0, inside, needed)
    np.testing.assert_allclose(inside, windows(around, expected), rtol=1e-12)
    slots = (np.sqrt(inside / 60.0) * scan_search.SLOTS).astype(int)
    np.testing.assert_array_equal(needed, least[np.minimum(slots, scan_search.SLOTS)])


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.sampled_from([8, 16, 32]),
    looks=st.sampled_from([1, 3]),
    words=st.sampled_from([1, 8]),
)
def test_packed_maxima_are_those_of_each_replica_alone(
    seed: int, bits: int, looks: int, words: int
) -> None:
    rng = np.random.default_rng(seed)
    places, total, per = 15, 100, 64 // bits
    around = around_of(rng, places)
    expected = rng.dirichlet(np.ones(places)) * total
    replicas = rng.multinomial(total, expected / total, size=looks * words * per)
    maps = np.zeros((places, looks * words), dtype=np.uint64)
    for number, counts_of in enumerate(replicas):
        shift = np.uint64(bits * (number % per))
        maps[:, number // per] |= counts_of.astype(np.uint64) << shift
    number = int(around.closed.sum())
    inside, needed = np.empty(number), np.empty(number, dtype=np.int32)
    lists = (around.order, around.starts, around.closed)
    for level, fewest in ((0.0, 1), (1.5, 1), (0.0, 7), (1.5, 7)):
        least = scan_search.least_counts(level, float(fewest), float(total), 0.0)
        scan_search.expect(expected, *lists, least, float(total), inside, needed)
        best = np.zeros(len(replicas))
        packed = maps.reshape(places, looks, words)
        scan_search.maxima(packed, *lists, inside, needed, bits, float(total), 0.0, best)
        for counts_of, value in zip(replicas, best, strict=True):
            seen = windows(around, counts_of.astype(np.float64))
            pairs = zip(seen.astype(int).tolist(), inside.tolist(), strict=True)
            highest = max(
                (poisson_llr(c, e, total) for c, e in pairs if c > e and c >= fewest),
                default=0.0,
            )
            assert value == pytest.approx(highest, abs=1e-9) or highest < level


def test_the_best_circle_of_a_centre_is_the_first_of_equal_ones() -> None:
    xy = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [50.0, 0.0]])
    around = circles(xy, np.array([2.0, 0.0, 0.0, 6.0]), largest_share=0.5)
    inside, needed = np.empty(around.closed.sum()), np.empty(around.closed.sum(), dtype=np.int32)
    lists = (around.order, around.starts, around.closed)
    least = scan_search.least_counts(0.0, 1.0, 8.0, 0.0)
    expected = np.array([2.0, 0.0, 0.0, 6.0])
    scan_search.expect(expected, *lists, least, 8.0, inside, needed)
    best, last = np.zeros(4), np.zeros(4, dtype=np.int64)
    cases = np.array([5.0, 0.0, 0.0, 3.0])
    scan_search.best_circles(cases, *lists, inside, needed, 8.0, 0.0, best, last)
    assert around.members(0, int(last[0])) == [0]
    assert best[0] == pytest.approx(5 * log(5 / 2) + 3 * log(3 / 6))
