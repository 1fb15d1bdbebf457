"""Small counts are hidden, and nothing that is told gives them away."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.handover.small_counts import SMALLEST, told, without_small

COUNTS = st.lists(st.integers(0, 40), max_size=12)
AT_MOST = settings(derandomize=True, deadline=None, max_examples=400)


def possible(shown: list[int | None], total: int, place: int) -> set[int]:
    """Return what a hidden count may be, for a reader who knows the total and nothing else."""
    rest = total - sum(count for count in shown if count is not None)
    others = sum(count is None for count in shown) - 1
    # each other hidden count is at least 1, for 0 is told
    return {rest} if others == 0 else set(range(1, rest - others + 1))


@given(COUNTS)
@AT_MOST
def test_no_count_that_is_told_is_small(counts: list[int]) -> None:
    shown = without_small(counts)
    assert all(count == 0 or count >= SMALLEST for count in shown if count is not None)


@given(COUNTS)
@AT_MOST
def test_what_is_told_is_true_and_in_its_place(counts: list[int]) -> None:
    shown = without_small(counts)
    assert len(shown) == len(counts)
    assert all(found in (None, count) for found, count in zip(shown, counts, strict=True))
    assert all(found == 0 for found, count in zip(shown, counts, strict=True) if count == 0)


@given(COUNTS)
@AT_MOST
def test_no_hidden_count_can_be_had_from_the_total(counts: list[int]) -> None:
    shown, total = without_small(counts), told(sum(counts))
    hidden = [place for place, count in enumerate(shown) if count is None]
    if total is None:
        return  # nothing to subtract from
    for place in hidden:
        may_be = possible(shown, total, place)
        assert counts[place] in may_be
        assert len(may_be) > 1
        # it might as well be one that need not have been hidden
        assert max(may_be) >= SMALLEST - len(hidden) + 1


@given(COUNTS)
@AT_MOST
def test_nothing_is_hidden_where_nothing_is_small(counts: list[int]) -> None:
    large = [count + SMALLEST for count in counts]
    assert without_small(large) == large


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([], []),
        ([0], [0]),
        ([4], [None]),
        ([5], [5]),
        ([12, 3, 8, 0], [12, None, None, 0]),
        ([2, 2], [None, None]),
        ([4, 4, 9], [None, None, 9]),
        ([1, 1, 9], [None, None, None]),
        ([1, 7, 7], [None, None, 7]),
    ],
)
def test_cases_worked_out_by_hand(counts: list[int], shown: list[int | None]) -> None:
    assert without_small(counts) == shown


def test_for_every_short_list_as_few_as_possible_are_hidden() -> None:
    for counts in product((0, 1, 3, 5, 6, 9), repeat=3):
        hidden = [c for c, s in zip(counts, without_small(list(counts)), strict=True) if s is None]
        small = [count for count in counts if 0 < count < SMALLEST]
        enough = len(small) > 1 and sum(small) >= SMALLEST
        assert len(hidden) >= len(small)
        if not small or enough:
            assert sorted(hidden) == sorted(small)


@pytest.mark.parametrize(("count", "said"), [(0, 0), (1, None), (4, None), (5, 5), (90, 90)])
def test_a_total_is_told_from_five(count: int, said: int | None) -> None:
    assert told(count) == said


def test_what_is_published_may_ask_for_more() -> None:
    assert without_small([19, 20, 60], 20) == [None, None, 60]
    assert told(19, 20) is None
