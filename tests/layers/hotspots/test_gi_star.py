"""Gi*: exact against enumeration, whole-number counting, esda and the binomial."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
from esda.getisord import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import WSP
from numpy.typing import NDArray
from scipy import sparse, stats

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.draws import upper_tails
from layers.hotspots.gi_star import chance_around, gi_star
from tests.layers.hotspots.maps import (
    Matrix,
    counted_ways,
    enumerated_p,
    hex_board,
    random_neighbours,
    with_self,
)

RATES = [0.05, 0.2, 1.0, 5.0, 50.0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    cells=st.integers(1, 9),
    rate=st.sampled_from([*RATES, 3000.0]),
    share=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_p_is_what_going_through_every_placement_gives(
    cells: int, rate: float, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, cells)
    neighbours = random_neighbours(rng, cells, share)
    p = gi_star(counts, neighbours)["p"].to_numpy()
    members = with_self(neighbours)
    expected = [enumerated_p(counts.tolist(), row) for row in members]
    np.testing.assert_allclose(p, expected, rtol=1e-12, atol=0.0)


def test_twelve_cells_with_ties_and_one_giant_equal_enumeration() -> None:
    counts = [0, 0, 0, 1, 1, 2, 3, 3, 7, 7, 40, 10_000]
    neighbours = random_neighbours(np.random.default_rng(5), 12, 0.4)
    p = gi_star(counts, neighbours)["p"].to_numpy()
    expected = [enumerated_p(counts, row) for row in with_self(neighbours)]
    np.testing.assert_allclose(p, expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize(
    ("cells", "drawn", "rate"),
    [(200, 7, 1.0), (200, 7, 50.0), (200, 3, 0.2), (200, 25, 4.0), (60, 52, 4.0)],
)
def test_the_far_tail_keeps_eleven_digits_of_whole_number_counting(
    cells: int, drawn: int, rate: float
) -> None:
    counts = np.random.default_rng(drawn).poisson(rate, cells)
    highest = int(np.sort(counts)[-drawn:].sum())
    lowest = int(np.sort(counts)[:drawn].sum())
    sums = np.unique(np.linspace(lowest, highest, 6).astype(np.int64))
    got = upper_tails(counts, np.full(sums.size, drawn), sums)
    exact = [counted_ways(counts.tolist(), drawn, int(s)) for s in sums]
    assert exact[-1] < 1e-4
    np.testing.assert_allclose(got, exact, rtol=1e-11, atol=0.0)


def test_one_hot_neighbourhood_among_twenty_thousand_has_the_chance_worked_out_by_hand() -> None:
    counts = np.zeros(20_000, dtype=np.int64)
    counts[:7] = 1
    p = upper_tails(counts, np.array([7]), np.array([7]))
    assert p[0] == pytest.approx(1 / comb(20_000, 7), rel=1e-12)


def test_z_is_that_of_esda() -> None:
    rng = np.random.default_rng(7)
    neighbours = random_neighbours(rng, 120, 0.05)
    neighbours = sparse.csr_array(((neighbours + neighbours.T) > 0).astype(np.float64))
    for rate in RATES:
        counts = rng.poisson(rate, 120)
        np.testing.assert_allclose(
            gi_star(counts, neighbours)["z"], esda_z(counts, neighbours), rtol=0.0, atol=1e-9
        )


def esda_z(counts: NDArray[np.int64], neighbours: Matrix) -> NDArray[np.float64]:
    """z of esda's local G with the cell itself among its binary neighbours."""
    table = with_self(neighbours).astype(np.float64)
    weights = WSP(sparse.csr_array(table)).to_W(silence_warnings=True)
    local = G_Local(counts.astype(np.float64), weights, transform="B", permutations=0, star=True)
    return np.asarray(local.Zs, dtype=np.float64)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(cells=st.integers(2, 40), rate=st.sampled_from(RATES), seed=st.integers(0, 2**32 - 1))
def test_with_a_base_p_and_z_are_those_of_scipys_binomial(
    cells: int, rate: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    counts, base = rng.poisson(rate, cells), rng.gamma(1.0, 50.0, cells)
    neighbours = random_neighbours(rng, cells, 0.2)
    members = with_self(neighbours)
    total, observed = counts.sum(), members @ counts
    share = np.minimum(members @ base / base.sum(), 1.0)
    result = gi_star(counts, neighbours, base=base)
    np.testing.assert_allclose(
        result["p"], stats.binom.sf(observed - 1, total, share), rtol=1e-9, atol=1e-300
    )
    spread = np.asarray(stats.binom.std(total, share))
    varies = spread > 1e-6
    np.testing.assert_allclose(
        result["z"][varies],
        (observed - total * share)[varies] / spread[varies],
        rtol=1e-9,
        atol=1e-9,
    )


def test_the_adjusted_p_is_benjamini_hochberg_over_all_cells() -> None:
    counts = np.random.default_rng(3).poisson(1.0, 400)
    result = gi_star(counts, hex_board(20))
    np.testing.assert_allclose(
        result["p_adjusted"], stats.false_discovery_control(result["p"]), rtol=1e-14
    )


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from(RATES), weighted=st.booleans())
def test_the_order_of_the_cells_does_not_matter(seed: int, rate: float, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    counts, base = rng.poisson(rate, 30), rng.gamma(1.0, 50.0, 30) if weighted else None
    neighbours = random_neighbours(rng, 30, 0.15)
    order = rng.permutation(30)
    shuffled = sparse.csr_array(neighbours.toarray()[np.ix_(order, order)])
    plain = gi_star(counts, neighbours, base=base).to_numpy()[order]
    again = gi_star(counts[order], shuffled, base=None if base is None else base[order])
    np.testing.assert_allclose(again, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_moving_an_incident_into_a_neighbourhood_never_raises_its_p_by_the_base(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, base = rng.poisson(2.0, 49), rng.gamma(2.0, 10.0, 49)
    members = with_self(hex_board(7))[24]
    outside = np.flatnonzero(~members & (counts > 0))
    before = gi_star(counts, hex_board(7), base=base)["p"][24]
    for cell in outside[:8]:
        counts[cell] -= 1
        counts[24] += 1
        after = gi_star(counts, hex_board(7), base=base)["p"][24]
        assert after <= before
        before = after


def test_p_falls_as_the_sum_asked_for_grows_and_the_chances_add_up_to_one() -> None:
    counts = np.random.default_rng(2).poisson(3.0, 60)
    sums = np.arange(0, int(np.sort(counts)[-7:].sum()) + 1)
    tails = upper_tails(counts, np.full(sums.size, 7), sums)
    assert tails[0] == 1.0
    assert (np.diff(tails) <= 1e-15).all()
    mean = tails[1:].sum()  # E[S] = sum of P(S >= s) over s from 1
    assert mean == pytest.approx(7 * counts.mean(), rel=1e-12)


def test_drawing_cells_and_leaving_the_others_behind_are_one_event() -> None:
    counts = np.random.default_rng(4).poisson(2.0, 31)
    few = np.arange(0, int(np.sort(counts)[-9:].sum()) + 1)
    taken = upper_tails(counts, np.full(few.size, 9), few)
    # S of 22 >= T - s + 1 is "S of the other 9 <= s - 1", the opposite of ">= s"
    left = upper_tails(counts, np.full(few.size, 22), counts.sum() - few + 1)
    np.testing.assert_allclose(taken + left, 1.0, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("shift", [1, 17, 1000])
def test_the_same_number_more_in_every_cell_changes_nothing(shift: int) -> None:
    counts = np.random.default_rng(6).poisson(1.0, 100)
    plain = gi_star(counts, hex_board(10))
    np.testing.assert_allclose(gi_star(counts + shift, hex_board(10)), plain, rtol=1e-9, atol=1e-12)


def test_the_diagonal_values_and_stored_zeros_of_the_matrix_do_not_matter() -> None:
    counts = np.random.default_rng(8).poisson(1.0, 36)
    board = hex_board(6)
    plain = gi_star(counts, board)
    heavy = sparse.csr_array(board * -2.5 + sparse.eye_array(36) * 0.3)
    rows = np.array([0, 0, 0])
    zero = sparse.csr_array((np.array([0.0, 1.0, 1.0]), (rows, np.array([35, 1, 1]))), (36, 36))
    zero.data[zero.indices == 35] = 0.0
    for same in (heavy, sparse.csr_array(board + sparse.eye_array(36)), board.astype(np.bool_)):
        assert gi_star(counts, same).equals(plain)
    lone = sparse.csr_array((np.ones(1), ([0], [1])), (36, 36))
    assert gi_star(counts, zero).equals(gi_star(counts, lone))


def test_the_matrix_handed_in_is_left_as_it_was() -> None:
    board = hex_board(4) * 3.0
    gi_star(np.arange(16), board)
    assert (board.data == 3.0).all()
    assert board.diagonal().sum() == 0.0


def test_one_cell_and_a_map_without_incidents_and_an_even_map_say_nothing() -> None:
    alone = gi_star([4], sparse.csr_array((1, 1)))
    assert alone.to_numpy().tolist() == [[0.0, 1.0, 1.0]]
    for counts in (np.zeros(25), np.full(25, 6)):
        assert gi_star(counts, hex_board(5)).to_numpy().tolist() == [[0.0, 1.0, 1.0]] * 25


def test_a_neighbourhood_that_is_the_whole_map_has_p_one() -> None:
    everyone = sparse.csr_array(np.ones((6, 6)))
    counts = [0, 0, 9, 1, 0, 0]
    assert gi_star(counts, everyone)["p"].tolist() == [1.0] * 6
    assert gi_star(counts, everyone)["z"].tolist() == [0.0] * 6
    by_base = gi_star(counts, everyone, base=[0.1, 0.2, 0.3, 0.1, 0.7, 0.6])
    assert by_base.to_numpy().tolist() == [[0.0, 1.0, 1.0]] * 6


def test_without_neighbours_p_is_the_share_of_cells_as_full() -> None:
    result = gi_star([5, 0, 2, 2], sparse.csr_array((4, 4)))
    assert result["p"].tolist() == pytest.approx([0.25, 1.0, 0.75, 0.75])


def test_incidents_where_nobody_lives_are_impossible_by_the_base() -> None:
    result = gi_star([2, 0, 0], sparse.csr_array((3, 3)), base=[0.0, 0.0, 10.0])
    assert result["p"].tolist() == [0.0, 1.0, 1.0]
    assert result["z"].tolist() == [np.inf, 0.0, -np.inf]


def test_observed_and_expected_worked_out_by_hand() -> None:
    chain = sparse.csr_array(np.eye(4, k=1) + np.eye(4, k=-1))
    chance = chance_around([1, 2, 3, 6], chain)
    assert chance.observed.tolist() == [3, 6, 11, 9]
    assert chance.expected.tolist() == [6.0, 9.0, 9.0, 6.0]
    by_base = chance_around([1, 2, 3, 6], chain, base=[1, 1, 1, 3])
    assert by_base.expected.tolist() == pytest.approx([4.0, 6.0, 10.0, 8.0])


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ([1.0, 0.5], "counts-not-whole"),
        ([1, -1], "counts-not-whole"),
        ([1.0, np.nan], "counts-not-whole"),
        ([1.0, np.inf], "counts-not-whole"),
        ([1.0, 2.0**31], "counts-not-whole"),
        ([], "counts-empty"),
        ([[1, 2]], "counts-empty"),
        ([1, 2, 3], "neighbours-shape"),
    ],
)
def test_counts_that_are_no_counts_are_refused(counts: Any, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        gi_star(counts, sparse.csr_array((2, 2)))
    assert refusal.value.code == code
    assert refusal.value.zh
    assert refusal.value.en


def test_the_first_count_at_fault_is_named() -> None:
    with pytest.raises(Refused) as refusal:
        gi_star([3, 1, 2.5, -1], sparse.csr_array((4, 4)))
    assert refusal.value.where == {"cell": 2}


@pytest.mark.parametrize(
    ("base", "code"),
    [
        ([1.0], "base-shape"),
        ([1.0, -1.0], "base-value"),
        ([1.0, np.nan], "base-value"),
        ([np.inf, 1.0], "base-value"),
        ([0.0, 0.0], "base-empty"),
    ],
)
def test_a_base_that_compares_nothing_is_refused(base: list[float], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        gi_star([1, 2], sparse.csr_array((2, 2)), base=base)
    assert refusal.value.code == code


def test_a_count_that_would_not_end_is_refused_at_once() -> None:
    counts = np.random.default_rng(0).integers(0, 1_000_000, 4000)
    with pytest.raises(TooLarge):
        upper_tails(counts, np.array([2000]), np.array([10**9]))


def test_no_question_gets_no_answer() -> None:
    none = np.empty(0, dtype=np.int64)
    assert upper_tails(np.array([1, 2]), none, none).size == 0
