"""Whoever asks to read and goes away: what the database does for them ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from gis_service.asgi import HttpMiddleware

READING = frozenset({"GET", "HEAD"})  # what somebody wanted changed is done, seen or not
BODY = frozenset({"content-length", "transfer-encoding"})
CANCEL_S = 5.0
LOOK_S = 0.2  # how often somebody's leaving is looked for
T = TypeVar("T")
Tell = Callable[[bytes], None]


class Asking:
    """One request, whether whoever made it is still there, and what the database does for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at_work: psycopg.Connection[Any] | None = None
        self._left = self._cut = False

    def has_left(self) -> bool:
        """Say whether nobody waits for the answer any more."""
        return self._left

    def leave(self) -> None:
        """Note that nobody waits, and end the statement that runs; may take a moment."""
        with self._lock:
            self._left = True
            if self._at_work is not None:
                self._cut = True
                self._at_work.cancel_safe(timeout=CANCEL_S)

    @contextmanager
    def on(self, connection: Connection) -> Iterator[None]:
        """Let statements on a connection be ended while the block lasts.

        Raises
        ------
        ClientDisconnect
            One was. The connection is given up: the word to end may come late, and would end
            what somebody else asks on it.
        """
        with self._lock:
            self._at_work = connection.connection.driver_connection
        try:
            yield
        finally:
            with self._lock:
                self._at_work = None
                if self._cut:
                    connection.invalidate()
                    raise ClientDisconnect


_ASKING: ContextVar[Asking] = ContextVar("asking")


def asking() -> Asking:
    """Return the request that is being answered; one that nobody leaves where there is none."""
    return _ASKING.get(None) or Asking()


async def while_asked(request: Request, work: Callable[[], T]) -> T:
    """Do in a thread what only answers a question, though it came with a body.

    `Leaving` listens at reading requests; here the body was read before, so that what comes from
    the asker now is only the news that they have gone.
    """
    own = Asking()

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(LOOK_S)
        await asyncio.to_thread(own.leave)

    token, watching = _ASKING.set(own), asyncio.create_task(watch())
    try:
        return await run_in_threadpool(work)
    finally:
        watching.cancel()
        _ASKING.reset(token)


async def told_on_the_way(work: Callable[[Tell], bytes]) -> AsyncGenerator[bytes, None]:
    """Yield what a work in a thread tells, then what it returns; nobody waits once this is closed.

    Parameters
    ----------
    work
        Given a function that it may tell things to.
    """
    told: asyncio.Queue[bytes | None] = asyncio.Queue()
    own, loop = Asking(), asyncio.get_running_loop()

    def do() -> None:
        try:
            with suppress(ClientDisconnect):  # nobody is there to be told
                loop.call_soon_threadsafe(told.put_nowait, work(tell))
        finally:
            loop.call_soon_threadsafe(told.put_nowait, None)

    def tell(line: bytes) -> None:
        loop.call_soon_threadsafe(told.put_nowait, line)

    token = _ASKING.set(own)
    working = asyncio.create_task(run_in_threadpool(do))
    _ASKING.reset(token)
    try:
        while (line := await told.get()) is not None:
            yield line
        await working
    finally:
        loop.run_in_executor(None, own.leave)  # may take a moment


class Leaving(HttpMiddleware):
    """ASGI middleware that listens for the end of a reading request while it is answered."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and stop what the database does when the asker has gone."""
        if scope["method"] not in READING or not BODY.isdisjoint(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        own, gone = Asking(), asyncio.Event()
        first = iter([await receive()])  # that there is no body

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()
            await asyncio.to_thread(own.leave)

        async def told() -> Message:
            for message in first:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        token, watching = _ASKING.set(own), asyncio.create_task(watch())
        try:
            await self.app(scope, told, send)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            _ASKING.reset(token)
