"""The highest logarithms by chance: the same whatever is passed over, parted or threaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.hotspots import scan_chance
from layers.hotspots.circles import circles
from layers.hotspots.scan_chance import Search, highest_by_centre, highest_by_chance
from layers.hotspots.scan_replicas import key_of, packed
from layers.hotspots.scan_study import study
from layers.hotspots.spans import spans
from tests.layers.hotspots.scan_brute import best_per_centre, spans_of

MODELS = ["poisson", "bernoulli", "permutation"]


def search_of(
    model: str,
    seed: int,
    *,
    places: int = 14,
    steps: int = 5,
    alive: bool = False,
    least: int = 2,
) -> tuple[Search, NDArray[Any], NDArray[Any]]:
    """A small search, its population and places."""
    rng = np.random.default_rng(seed)
    xy, population = rng.uniform(0, 100, (places, 2)), rng.integers(2, 12, (places, steps))
    cases = rng.binomial(population, 0.2)
    given = study(cases, population, model, None)
    runs = spans(steps, None, prospective=alive)
    around = circles(xy, given.people, largest_share=0.5)
    return Search(given, around, runs, runs.sums(given.expected), least), population, xy


def replica_tables(search: Search, repeats: int, seed: int) -> NDArray[np.int64]:
    """The cases of each replica by location and row, from 32-bit lanes read as plain numbers."""
    shape = (len(search.expected), search.spans.rows)
    null = search.study.null(search.spans)
    words = packed(null, np.arange(repeats), key_of(seed), 32, shape)
    lanes = words.view(np.uint32).astype(np.int64)
    lines, locations, rows, _ = words.shape
    by_lane = lanes.reshape(lines, locations, rows, -1).transpose(0, 3, 1, 2)
    return by_lane.reshape(-1, locations, rows)[:repeats]


@pytest.mark.parametrize("least", [1, 2, 4])
@pytest.mark.parametrize("model", MODELS)
def test_the_maxima_are_those_of_each_replica_gone_through_alone(model: str, least: int) -> None:
    search, population, xy = search_of(model, 1, least=least)
    ours = highest_by_chance(search, 40, seed=3)
    later = replica_tables(search, 40, seed=3)
    cases = later[:, :, :-1] - later[:, :, 1:]
    assert (cases.sum(axis=(1, 2)) == search.study.total).all()
    for table, value in zip(cases, ours, strict=True):
        theirs = best_per_centre(
            model, table, population, xy, spans_of(5, 1, 2, False), least=least
        )
        assert value == pytest.approx(theirs[0].llr if theirs else 0.0, abs=1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("alive", [False, True])
def test_the_level_under_which_windows_are_passed_over_does_not_matter(
    model: str, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, _, _ = search_of(model, 2, alive=alive)
    usual = highest_by_chance(search, 300, seed=1)
    for level in (0.0, 0.6, 3.0, 30.0):
        monkeypatch.setattr(scan_chance, "FIRST_LEVEL", level)
        np.testing.assert_allclose(highest_by_chance(search, 300, seed=1), usual, rtol=1e-13)


def test_how_the_replicas_are_parted_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    search, _, _ = search_of("poisson", 3)
    usual = highest_by_chance(search, 1_500, seed=1)
    for lines, memory in ((1, 64_000_000), (3, 64_000_000), (16, 1)):
        monkeypatch.setattr(scan_chance, "MOST_LINES", lines)
        monkeypatch.setattr(scan_chance, "MOST_BYTES", memory)
        np.testing.assert_array_equal(highest_by_chance(search, 1_500, seed=1), usual)


def test_fewer_replicas_are_the_first_of_more() -> None:
    search, _, _ = search_of("permutation", 4)
    many = highest_by_chance(search, 500, seed=1)
    for repeats in (0, 1, 31, 129):
        few = highest_by_chance(search, repeats, seed=1)
        np.testing.assert_allclose(few, many[:repeats], rtol=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_each_centre_has_its_highest_window(model: str) -> None:
    search, population, xy = search_of(model, 5)
    highest, last, span_of = highest_by_centre(search)
    cases = search.study.cases
    theirs = best_per_centre(model, cases, population, xy, spans_of(5, 1, 2, False))
    assert sorted(highest[highest > 1e-9]) == pytest.approx(sorted(one.llr for one in theirs))
    runs = list(search.spans)
    for centre in np.flatnonzero(highest > 1e-9).tolist():
        start, end, _, _ = runs[span_of[centre]]
        members = search.around.members(centre, int(last[centre]))
        assert centre in members
        seen = int(cases[members, start : end + 1].sum())
        same = [one.observed for one in theirs if one.llr == pytest.approx(highest[centre])]
        assert seen in same
