"""Answers computed on request are computed once, one at a time, and not kept for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gis_service.hotspot_answers import KeptAnswers
from grid_boundaries.errors import Refused, Unavailable


def counting(told: list[str], word: str) -> Callable[[], dict[str, Any]]:
    """Return a computation that says when it is done."""

    def compute() -> dict[str, Any]:
        told.append(word)
        return {"word": word}

    return compute


def test_the_same_question_is_computed_once() -> None:
    kept, told = KeptAnswers(), list[str]()
    answers = [kept.of("a", counting(told, "a")) for _ in range(3)]
    assert (answers, told) == ([{"word": "a"}] * 3, ["a"])


def test_asked_by_many_at_once_it_is_computed_once() -> None:
    kept, told = KeptAnswers(), list[str]()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: kept.of("a", counting(told, "a")), range(40)))
    assert told == ["a"]


def test_no_two_are_computed_at_once() -> None:
    kept = KeptAnswers()
    inside, most = 0, 0
    lock = threading.Lock()

    def compute() -> dict[str, Any]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.005)
        with lock:
            inside -= 1
        return {}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: kept.of(key, compute), range(16)))
    assert most == 1


def test_the_one_asked_longest_ago_is_forgotten_first() -> None:
    kept, told = KeptAnswers(kept=2), list[str]()
    for word in ("a", "b", "a", "c", "a", "b"):
        kept.of(word, counting(told, word))
    assert told == ["a", "b", "c", "b"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    kept = KeptAnswers(wait_s=0.01)

    def ask_within() -> dict[str, Any]:
        return kept.of("other", dict)

    with pytest.raises(Unavailable) as caught:
        kept.of("one", ask_within)
    assert caught.value.code == "hotspots-busy"


def test_what_could_not_be_computed_is_not_kept_and_lets_the_next_one_in() -> None:
    kept, told = KeptAnswers(), list[str]()

    def fail() -> dict[str, Any]:
        raise Refused("no", "不", "no")

    with pytest.raises(Refused):
        kept.of("a", fail)
    assert kept.of("a", counting(told, "a")) == {"word": "a"}
