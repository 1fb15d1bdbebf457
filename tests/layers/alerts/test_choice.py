"""Of many new hotspots the surest are told of, and never more than the week bears."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.alerts.choice import Candidate, told_of

SOME = [
    Candidate("likely", 0.04, 9.0),
    Candidate("sure", 0.001, 2.0),
    Candidate("sure and strong", 0.001, 3.0),
    Candidate("unknown", None, None),
]
candidates = st.lists(
    st.builds(
        Candidate,
        st.uuids().map(str),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1e6),
    ),
    max_size=30,
)


def test_the_surest_come_first_then_the_strongest() -> None:
    found = told_of(SOME, told_this_week=0, a_week=10)
    assert found == ["sure and strong", "sure", "likely", "unknown"]


@pytest.mark.parametrize(
    ("told", "a_week", "now"), [(0, 2, 2), (1, 2, 1), (2, 2, 0), (5, 2, 0), (0, 0, 0), (0, 99, 4)]
)
def test_no_more_than_the_week_has_room_for(told: int, a_week: int, now: int) -> None:
    assert len(told_of(SOME, told_this_week=told, a_week=a_week)) == now


def test_of_nothing_nothing_is_told() -> None:
    assert told_of([], told_this_week=0, a_week=10) == []


@settings(derandomize=True, deadline=None)
@given(candidates, st.integers(0, 40), st.integers(0, 40))
def test_whoever_is_held_back_is_no_surer_than_whoever_is_told(
    some: list[Candidate], told: int, a_week: int
) -> None:
    chosen = set(told_of(some, told_this_week=told, a_week=a_week))
    ranks = {one.id: one.rank for one in some}
    held = [ranks[one] for one in ranks if one not in chosen]
    assert all(ranks[one] <= other for one in chosen for other in held)
    assert len(chosen) == min(len(some), max(a_week - told, 0))


@settings(derandomize=True, deadline=None)
@given(candidates, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_does_not_matter(some: list[Candidate], rng: object) -> None:
    shuffled = sorted(some, key=lambda one: hash(one.id))
    first = told_of(some, told_this_week=0, a_week=5)
    assert told_of(shuffled, told_this_week=0, a_week=5) == first
