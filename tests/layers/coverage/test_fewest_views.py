"""Fewest views: as few as reach a share, compared with every choice tried."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.coverage.fewest_views import Fewest, fewest_views
from tests.layers.coverage.siting_oracles import ENOUGH_S, choices, random_covers, weight_covered
from tests.layers.coverage.test_next_sites import offer, standing


def fewest(covers: Any, weights: list[float], share: float, **more: Any) -> Fewest:
    most = more.pop("most", 500)
    one = offer(covers, **more)
    return fewest_views(one, np.array(weights, dtype=float), share, most, within_s=ENOUGH_S)


def refusal(*asked: Any, **more: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        fewest(*asked, **more)
    return caught.value


def test_as_few_as_reach_the_share_are_taken_and_proven() -> None:
    found = fewest(np.eye(4), [4, 3, 2, 1], 0.7)
    assert (sorted(found.found.chosen.tolist()), found.least) == ([0, 1], 2)
    assert found.found.after == 7.0


@pytest.mark.parametrize(("share", "number"), [(0.01, 1), (0.4, 1), (0.41, 2), (0.9, 3), (1.0, 4)])
def test_the_share_decides_how_many(share: float, number: int) -> None:
    found = fewest(np.eye(4), [4, 3, 2, 1], share)
    assert (len(found.found.chosen), found.least) == (number, number)


def test_what_is_seen_already_needs_none() -> None:
    found = fewest(np.eye(2), [1, 1], 0.5, old=standing([[1, 0]], 2))
    assert (len(found.found.chosen), found.least, found.found.after) == (0, 0, 1.0)


def test_where_nothing_counts_nothing_is_needed() -> None:
    assert fewest(np.eye(2), [0, 0], 1.0).least == 0
    assert fewest(np.zeros((0, 0)), [], 1.0).least == 0


def test_a_share_out_of_reach_is_refused_with_what_is_reached() -> None:
    said = refusal([[1, 0, 0], [0, 1, 0]], [2, 3, 5], 0.6)
    assert said.code == "share-out-of-reach"
    assert (said.where["reached"], said.where["bound"]) == (0.5, 0.5)
    assert "50.0 %" in said.zh
    assert "50.0 %" in said.en
    assert "60 %" in said.zh


def test_so_many_and_no_more_are_taken() -> None:
    assert refusal(np.eye(4), [1, 1, 1, 1], 1.0, most=3).where["reached"] == 0.75
    assert len(fewest(np.eye(4), [1, 1, 1, 1], 1.0, most=4).found.chosen) == 4


def test_no_candidate_reaches_nothing() -> None:
    assert refusal(np.zeros((0, 2)), [1, 1], 0.1).where["reached"] == 0.0


def test_a_post_that_is_full_stands_in_the_way() -> None:
    one = refusal(np.eye(3), [1, 1, 1], 1.0, posts=[0, 0, 0], per_post=2)
    assert one.where["reached"] == pytest.approx(2 / 3)


def test_the_views_are_told_in_the_order_of_what_they_add() -> None:
    found = fewest(np.eye(5), [1, 5, 3, 2, 4], 0.93).found
    assert found.chosen.tolist() == [1, 4, 2, 3]
    assert found.adds.tolist() == [5, 4, 3, 2]
    assert found.before + found.adds.sum() == found.after


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(0, 10**6))
def test_no_smaller_choice_reaches_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = random_covers(rng, 7, 9, 0.35), rng.integers(0, 9, 9).astype(float)
    share = float(rng.uniform(0.05, 1.0))
    enough = share * weights.sum() * (1 - 1e-9)
    sizes = [
        len(choice) for choice in choices(7, 7) if weight_covered(covers, weights, choice) >= enough
    ]
    if not sizes:
        assert refusal(covers, weights.tolist(), share).code == "share-out-of-reach"
        return
    found = fewest(covers, weights.tolist(), share)
    assert found.least <= min(sizes) <= len(found.found.chosen)
    assert found.least == len(found.found.chosen)
    assert found.found.after >= enough
