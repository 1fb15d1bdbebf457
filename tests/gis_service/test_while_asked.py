"""A question with a body: its work ends when the asker goes, and its steps are told on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from threading import Event

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from gis_service.leaving import asking, told_on_the_way, while_asked

LONG_S = 60.0
Tell = Callable[[bytes], None]


def request(*messages: Message) -> Request:
    """A request from which these messages come, and nothing after them."""
    waiting = list(messages)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(LONG_S)
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def waits_until_left() -> str:
    """Work on until nobody waits, as a long question does."""
    own, ends_at = asking(), time.monotonic() + LONG_S
    while time.monotonic() < ends_at:
        if own.has_left():
            raise ClientDisconnect
        time.sleep(0.01)
    return "never left"


def test_who_stays_gets_the_answer() -> None:
    assert asyncio.run(while_asked(request(), lambda: 42)) == 42


def test_who_leaves_ends_the_work() -> None:
    gone: Message = {"type": "http.disconnect"}
    with pytest.raises(ClientDisconnect):
        asyncio.run(while_asked(request(gone), waits_until_left))


def test_work_runs_beside_the_event_loop() -> None:
    async def both() -> list[str]:
        done: list[str] = []
        free = Event()
        answer = asyncio.create_task(while_asked(request(), lambda: free.wait(LONG_S)))
        await asyncio.sleep(0.05)
        done.append("loop")
        free.set()
        assert await answer
        return [*done, "work"]

    assert asyncio.run(both()) == ["loop", "work"]


def test_what_work_raises_comes_through_and_the_next_question_is_anew() -> None:
    def fails() -> None:
        raise ValueError("no")

    async def twice() -> bool:
        with pytest.raises(ValueError, match="no"):
            await while_asked(request(), fails)
        return await while_asked(request(), lambda: asking().has_left())

    assert asyncio.run(twice()) is False


# ------------------------------------------------------------------ told on the way


def test_lines_come_in_order_and_the_answer_last() -> None:
    def work(tell: Tell) -> bytes:
        tell(b"one")
        tell(b"two")
        return b"answer"

    assert asyncio.run(all_of(told_on_the_way(work))) == [b"one", b"two", b"answer"]


async def all_of(lines: AsyncIterator[bytes]) -> list[bytes]:
    return [line async for line in lines]


def test_a_line_is_told_before_the_work_is_done() -> None:
    free = Event()

    def work(tell: Tell) -> bytes:
        tell(b"step")
        assert free.wait(LONG_S)
        return b"answer"

    async def read() -> list[bytes]:
        lines = told_on_the_way(work)
        first = await anext(lines)
        free.set()
        return [first, *await all_of(lines)]

    assert asyncio.run(read()) == [b"step", b"answer"]


def test_who_closes_the_stream_ends_the_work() -> None:
    left = Event()

    def work(tell: Tell) -> bytes:
        tell(b"step")
        try:
            waits_until_left()
        finally:
            left.set()
        return b"answer"

    async def leave() -> bool:
        lines = told_on_the_way(work)
        assert await anext(lines) == b"step"
        await lines.aclose()
        return await asyncio.to_thread(left.wait, LONG_S)

    assert asyncio.run(leave())


def test_what_nobody_expected_ends_the_stream_with_it() -> None:
    def work(tell: Tell) -> bytes:
        tell(b"step")
        raise ZeroDivisionError

    async def read() -> list[bytes]:
        lines = told_on_the_way(work)
        told = [await anext(lines)]
        with pytest.raises(ZeroDivisionError):
            await anext(lines)
        return told

    assert asyncio.run(read()) == [b"step"]
