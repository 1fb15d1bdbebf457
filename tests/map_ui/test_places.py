"""Places at a printer: first come first, a bounded line, nobody waits for who has left."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest
from pypdf import PdfReader

from grid_boundaries.errors import Unavailable
from map_ui.base import Page
from map_ui.paper.handover_page import handover_page
from map_ui.paper.pdf import Printer
from map_ui.paper.places import Places
from tests.map_ui.paper import handover

SOON_S = 60.0


def never() -> bool:
    return False


def used(
    places: Places,
    act: Callable[[], None] = lambda: None,
    *,
    wait_s: float = SOON_S,
    most_waiting: int = 50,
    has_left: Callable[[], bool] = never,
) -> None:
    with places.place(wait_s=wait_s, most_waiting=most_waiting, has_left=has_left):
        act()


@contextmanager
def held(places: Places) -> Iterator[Event]:
    """Hold a place until the event is set, or the block ends."""
    done, there = Event(), Event()

    def hold() -> None:
        there.set()
        done.wait(SOON_S)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(used, places, hold)
        assert there.wait(SOON_S)
        try:
            yield done
        finally:
            done.set()
            holding.result(SOON_S)


def until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def stands(places: Places, number: int) -> bool:
    return places.waiting == number


def in_line(
    pool: ThreadPoolExecutor, places: Places, acts: Sequence[Callable[[], None]]
) -> list[Future[None]]:
    """Let one after another join the line, each when the one before stands in it."""
    standing = []
    for number, act in enumerate(acts, start=places.waiting + 1):
        standing.append(pool.submit(used, places, act))
        until(partial(stands, places, number))
    return standing


def test_who_comes_first_is_served_first() -> None:
    places, served = Places(1), list[int]()
    with ThreadPoolExecutor(12) as pool, held(places) as done:
        acts = [partial(served.append, number) for number in range(12)]
        standing = in_line(pool, places, acts)
        done.set()
        for one in standing:
            one.result(SOON_S)
    assert served == list(range(12))
    assert places.waiting == 0


def test_who_comes_while_others_stand_does_not_jump_the_line() -> None:
    places, served = Places(2), list[str]()
    with ThreadPoolExecutor(4) as pool, held(places), held(places) as second:
        standing = in_line(pool, places, [lambda: served.append("first")])
        second.set()
        used(places, lambda: served.append("later"))
        standing[0].result(SOON_S)
    assert served[0] == "first"


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_no_more_than_the_places_are_used_at_once(at_once: int) -> None:
    places, now, most = Places(at_once), list[int](), list[int]()

    def work() -> None:
        now.append(1)
        most.append(len(now))
        time.sleep(0.01)
        now.pop()

    with ThreadPoolExecutor(20) as pool:
        for one in [pool.submit(used, places, work) for _ in range(40)]:
            one.result(SOON_S)
    assert len(most) == 40
    assert max(most) <= at_once


def test_one_too_many_in_the_line_is_told_at_once() -> None:
    places = Places(1)
    with ThreadPoolExecutor(2) as pool, held(places):
        in_line(pool, places, [lambda: None, lambda: None])
        before = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            used(places, most_waiting=2)
        assert time.monotonic() - before < SOON_S / 2
        assert refused.value.code == "printer-busy"
        assert places.waiting == 2


def test_without_a_line_everyone_else_is_told_at_once() -> None:
    places = Places(1)
    with held(places):
        for wait_s, most_waiting in ((0.0, 5), (5.0, 0)):
            with pytest.raises(Unavailable):
                used(places, wait_s=wait_s, most_waiting=most_waiting)
    used(places, wait_s=0.0, most_waiting=0)


def test_who_waits_too_long_leaves_the_line_and_the_next_moves_up() -> None:
    places, served = Places(1), list[str]()
    with ThreadPoolExecutor(2) as pool, held(places) as done:
        with pytest.raises(Unavailable):
            used(places, wait_s=0.05)
        standing = in_line(pool, places, [lambda: served.append("next")])
        done.set()
        standing[0].result(SOON_S)
    assert served == ["next"]


def test_who_has_left_leaves_the_line() -> None:
    places, left = Places(1), Event()
    with ThreadPoolExecutor(2) as pool, held(places):
        gone = pool.submit(used, places, has_left=left.is_set)
        until(lambda: places.waiting == 1)
        left.set()
        with pytest.raises(Unavailable):
            gone.result(SOON_S)
        assert places.waiting == 0


def test_a_place_is_free_again_after_a_fault() -> None:
    places = Places(1)

    def fails() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            used(places, fails, wait_s=0.0)
    used(places, wait_s=0.0)


def test_eight_real_pages_at_once_are_all_printed() -> None:
    printer, page = Printer(at_once=2), handover_page(handover(), "zh")

    def printed(own: Page) -> int:
        made = printer.pdf(own, wait_s=500, most_waiting=6)
        return len(PdfReader(io.BytesIO(made)).pages)

    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(printed, [page] * 8))
    assert set(pages) == {pages[0]} and pages[0] > 0
    assert printer.places.waiting == 0
