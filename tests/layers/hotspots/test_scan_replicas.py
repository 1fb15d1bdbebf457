"""Random replicas: their law, their margins, and that each depends on its number alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from layers.hotspots.scan_replicas import (
    LINE,
    Dealt,
    Thrown,
    key_of,
    lane_bits,
    packed,
    thrown,
)
from layers.hotspots.scan_study import study
from layers.hotspots.spans import spans


def tables(
    null: Thrown | Dealt, shape: tuple[int, int], repeats: Any, bits: int = 16, seed: int = 1
) -> NDArray[np.int64]:
    """Replicas as plain tables, shape (replicas, locations, rows), row sums taken apart."""
    numbers = np.asarray(repeats)
    words = packed(null, numbers, key_of(seed), bits, shape)
    per, mask = 64 // bits, np.uint64(2**bits - 1)
    lanes = [
        (words[:, :, :, word] >> np.uint64(bits * lane)) & mask
        for word in range(LINE)
        for lane in range(per)
    ]
    # lines one after the other, each of LINE words of `per` lanes
    every = np.stack(lanes, axis=1).reshape(-1, shape[0], shape[1] + 1)[: numbers.size]
    return (every[:, :, :-1] - every[:, :, 1:]).astype(np.int64)


def agree(seen: NDArray[np.int64], expected: NDArray[np.float64]) -> bool:
    """Whether counts fit their law by χ², over the values expected at least five times."""
    big = expected >= 5.0
    scaled = expected[big] * seen[big].sum() / expected[big].sum()
    return bool(stats.chisquare(seen[big], scaled).pvalue > 1e-3)


def test_thrown_cases_fall_by_weight() -> None:
    weights = np.array([0.0, 1.0, 2.0, 0.0, 3.0, 94.0, 0.0])
    counts = tables(thrown(200, weights), (3, 2), range(2_000))
    assert (counts.sum(axis=(1, 2)) == 200).all()
    mean = counts.mean(axis=0).ravel()
    assert (mean[[0, 3]] == 0.0).all()
    error = np.sqrt(200 * weights[:6] / 100 * (1 - weights[:6] / 100) / 2_000)
    assert (np.abs(mean - 2.0 * weights[:6]) <= 4.5 * error).all()


def test_a_thrown_cell_is_binomial() -> None:
    counts = tables(thrown(30, np.array([3.0, 7.0, 0.0])), (2, 1), range(4_000))[:, 0, 0]
    seen = np.bincount(counts, minlength=31)
    expected = 4_000 * stats.binom.pmf(np.arange(31), 30, 0.3)
    big = expected >= 5
    assert (
        stats.chisquare(seen[big], expected[big] * seen[big].sum() / expected[big].sum()).pvalue
        > 1e-3
    )


def test_what_falls_elsewhere_is_in_no_location() -> None:
    counts = tables(thrown(100, np.array([1.0, 1.0, 8.0])), (2, 1), range(500))
    assert counts.sum(axis=(1, 2)).mean() == pytest.approx(20.0, abs=1.0)


def test_one_heavy_cell_takes_all() -> None:
    weights = np.zeros(101)
    weights[40] = 1e-300
    counts = tables(thrown(9, weights), (100, 1), range(40))
    assert (counts[:, 40, 0] == 9).all()


@pytest.mark.parametrize("cells", [1, 2, 3, 50, 1_000])
def test_a_table_of_any_size_gives_back_its_weights(cells: int) -> None:
    weights = np.random.default_rng(cells).gamma(0.2, size=cells)
    weights[1::4] = 0.0
    null = thrown(1, weights)
    parts = np.bincount(null.alias, 1.0 - null.chance, cells) + null.chance
    np.testing.assert_allclose(parts / cells, weights / weights.sum(), atol=1e-14)


def test_dealt_controls_are_hypergeometric() -> None:
    given = study([6, 0, 4], None, "bernoulli", [4, 20, 6])
    counts = tables(given.null(spans(1, None, prospective=False)), (3, 1), range(4_000))[:, :, 0]
    assert (counts.sum(axis=1) == 10).all()
    assert (counts <= np.array([10, 20, 10])).all()
    expected = 4_000 * stats.hypergeom.pmf(np.arange(11), 40, 10, 10)
    seen = np.bincount(counts[:, 0], minlength=11)
    big = expected >= 5
    assert (
        stats.chisquare(seen[big], expected[big] * seen[big].sum() / expected[big].sum()).pvalue
        > 1e-3
    )


def test_a_permutation_keeps_both_margins() -> None:
    cases = np.random.default_rng(3).poisson(2, (7, 5))
    given = study(cases, None, "permutation", None)
    counts = tables(given.null(spans(5, None, prospective=False)), (7, 5), range(300))
    assert (counts.sum(axis=1) == cases.sum(axis=0)).all()
    assert (counts.sum(axis=2) == cases.sum(axis=1)).all()
    assert len({table.tobytes() for table in counts}) == 300
    error = np.sqrt(given.expected / 300)
    assert (np.abs(counts.mean(axis=0) - given.expected) <= 4.5 * error).all()


@pytest.mark.parametrize("model", ["poisson", "bernoulli", "permutation"])
def test_spans_that_last_to_the_end_see_the_same_replicas(model: str) -> None:
    """Cases before the first span count in the draw but in no row."""
    cases = np.random.default_rng(4).poisson(3, (5, 9))
    given = study(cases, cases + 4, model, None)
    late = spans(9, (2, 4), prospective=True)
    assert late.rows == 3
    counts = tables(given.null(late), (5, 3), range(2_000))
    rows = late.sums(given.expected)
    expected = rows[:, :-1] - rows[:, 1:]
    error = np.sqrt(expected / 2_000)
    assert (np.abs(counts.mean(axis=0) - expected) <= 4.5 * error).all()


@pytest.mark.parametrize("model", ["poisson", "bernoulli", "permutation"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_a_replica_depends_on_its_number_alone(model: str, bits: int) -> None:
    cases = np.random.default_rng(5).poisson(1, (6, 4))
    null = study(cases, cases + 2, model, None).null(spans(4, None, prospective=False))
    every = tables(null, (6, 4), range(150), bits)
    some = [149, 3, 77, 0]
    np.testing.assert_array_equal(tables(null, (6, 4), some, bits), every[some])
    np.testing.assert_array_equal(tables(null, (6, 4), range(150), 32), every)
    assert not np.array_equal(tables(null, (6, 4), range(150), bits, seed=2), every)


def test_seeds_of_any_size_are_mixed() -> None:
    keys = {int(key_of(seed)) for seed in (0, 1, 2, 2**63, 2**64, 10**40)}
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("cases", "bits"), [(1, 8), (127, 8), (128, 16), (32_767, 16), (32_768, 32), (2**31 - 1, 32)]
)
def test_a_lane_holds_all_cases_with_its_top_bit_free(cases: int, bits: int) -> None:
    assert lane_bits(cases) == bits
