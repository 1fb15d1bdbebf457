"""Questions of siting that are refused, with a sentence and the place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from grid_boundaries.errors import Refused
from layers.coverage.sites.checks import SitingRefused, named
from layers.coverage.siting import best_sites, cover_all, p_center, p_median
from tests.layers.coverage.siting_oracles import ENOUGH_S

COVERS = csr_array([[1, 1, 0], [0, 1, 1]])
WAYS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
ONES = np.ones(3)


def refused(question: Callable[..., Any], *args: Any, **named_args: Any) -> SitingRefused:
    """The refusal of a question."""
    with pytest.raises(SitingRefused) as caught:
        question(*args, **{"within_s": 1.0} | named_args)
    assert caught.value.zh
    assert caught.value.en
    return caught.value


@pytest.mark.parametrize("within_s", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize(
    ("question", "args"),
    [
        (best_sites, (COVERS, ONES, 1)),
        (p_median, (WAYS, ONES, 1)),
        (p_center, (WAYS, 1)),
        (cover_all, (COVERS,)),
    ],
)
def test_no_time_is_refused(question: Callable[..., Any], args: Any, within_s: float) -> None:
    assert refused(question, *args, within_s=within_s).code == "siting-time"


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "question",
    [lambda w, **k: best_sites(COVERS, w, 1, **k), lambda w, **k: p_median(WAYS, w, 1, **k)],
)
def test_weights_below_zero_or_without_a_number_are_named(
    question: Callable[..., Any], wrong: float
) -> None:
    caught = refused(question, np.array([1.0, wrong, 1.0]))
    assert caught.code == "siting-weights"
    assert caught.where["demands"] == [1]


@pytest.mark.parametrize("weights", [np.ones(2), np.ones(4), np.ones((3, 1)), np.float64(1.0), []])
@pytest.mark.parametrize(
    "question",
    [lambda w, **k: best_sites(COVERS, w, 1, **k), lambda w, **k: p_median(WAYS, w, 1, **k)],
)
def test_weights_of_another_shape_are_refused(question: Callable[..., Any], weights: Any) -> None:
    assert refused(question, weights).code == "siting-shapes"


@pytest.mark.parametrize("sites", [-1, 3, 1.5, True, 10**9])
def test_a_number_of_sites_that_cannot_be_is_refused(sites: Any) -> None:
    assert refused(best_sites, COVERS, ONES, sites).code == "siting-count"


@pytest.mark.parametrize("sites", [0, -1, 3, 0.5, True])
@pytest.mark.parametrize(
    "question",
    [lambda p, **k: p_median(WAYS, ONES, p, **k), lambda p, **k: p_center(WAYS, p, **k)],
)
def test_posts_are_one_at_least(question: Callable[..., Any], sites: Any) -> None:
    assert refused(question, sites).code == "siting-count"


def test_a_whole_number_may_come_from_anywhere() -> None:
    one: Any = np.int64(1)
    assert best_sites(COVERS, ONES, one, within_s=ENOUGH_S).value == 2.0


@pytest.mark.parametrize("fixed", [[2], [-1], [0.0], [0.5], [[0]], ["a"], [np.nan], [True, False]])
def test_fixed_sites_that_there_are_not_are_refused(fixed: Any) -> None:
    assert refused(best_sites, COVERS, ONES, 1, fixed=fixed).code == "siting-fixed"


@pytest.mark.parametrize("fixed", [None, [], np.array([], dtype=np.int64), (), [0, 0]])
def test_fixed_sites_may_be_none_or_repeated(fixed: Any) -> None:
    found = best_sites(COVERS, ONES, 2, fixed=fixed, within_s=ENOUGH_S)
    assert sorted(found.chosen.tolist()) == [0, 1]


@pytest.mark.parametrize(
    "per_post",
    [([0], 1), ([0, 0, 0], 1), ([[0], [1]], 1), ([0, 1], -1), ([0, 1], 0.5)],
)
def test_posts_that_do_not_fit_the_sites_are_refused(per_post: Any) -> None:
    assert refused(best_sites, COVERS, ONES, 1, per_post=per_post).code == "siting-posts"


def test_a_post_without_room_takes_nothing() -> None:
    found = best_sites(COVERS, ONES, 2, per_post=(np.array([0, 1]), 0), within_s=ENOUGH_S)
    assert (len(found.chosen), found.value, found.bound) == (0, 0.0, 0.0)


@pytest.mark.parametrize("covers", [np.ones(3), np.ones((2, 2, 2)), 1.0])
@pytest.mark.parametrize(
    "question",
    [lambda c, **k: best_sites(c, ONES, 1, **k), lambda c, **k: cover_all(c, **k)],
)
def test_covers_that_are_no_table_are_refused(question: Callable[..., Any], covers: Any) -> None:
    assert refused(question, covers).code == "siting-covers"


def test_covers_that_are_no_numbers_are_refused() -> None:
    covers = csr_array([[1.0, np.nan, 0.0]])
    assert refused(best_sites, covers, ONES, 1).code == "siting-covers-nan"
    assert refused(cover_all, covers).code == "siting-covers-nan"


@pytest.mark.parametrize("wrong", [-1.0, np.nan, -np.inf])
@pytest.mark.parametrize(
    "question",
    [lambda c, **k: p_median(c, ONES, 1, **k), lambda c, **k: p_center(c, 1, **k)],
)
def test_ways_below_zero_or_without_a_number_are_refused(
    question: Callable[..., Any], wrong: float
) -> None:
    ways = WAYS.copy()
    ways[2, 1] = wrong
    caught = refused(question, ways)
    assert caught.code == "siting-costs"
    assert caught.where["demand"] == 2


@pytest.mark.parametrize("ways", [np.ones(3), np.ones((1, 1, 1)), 3.0])
def test_ways_that_are_no_table_are_refused(ways: Any) -> None:
    assert refused(p_center, ways, 1).code == "siting-costs"


@pytest.mark.parametrize(
    "question",
    [lambda c, **k: p_median(c, ONES, 1, **k), lambda c, **k: p_center(c, 1, **k)],
)
def test_a_demand_without_any_way_is_named(question: Callable[..., Any]) -> None:
    ways = WAYS.copy()
    ways[[0, 2]] = np.inf
    caught = refused(question, ways)
    assert caught.code == "siting-unreachable"
    assert caught.where["demands"] == [0, 2]
    assert "0, 2" in caught.zh


def test_without_any_site_a_cover_names_all_demands() -> None:
    assert refused(cover_all, csr_array((0, 2))).where["demands"] == [0, 1]


def test_a_refusal_is_a_value_error_and_a_verdict_of_the_house() -> None:
    assert issubclass(SitingRefused, Refused)
    assert issubclass(SitingRefused, ValueError)


@pytest.mark.parametrize(("rows", "words"), [(1, "0"), (3, "0, 1, 2"), (22, ", 18, 19, … (+2)")])
def test_a_long_list_of_places_is_cut(rows: int, words: str) -> None:
    assert named(np.arange(rows)).endswith(words)
