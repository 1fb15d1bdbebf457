"""Whoever asks to read and goes away: what the database does for them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy import Connection
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from gis_service.asgi import HttpMiddleware

READING = frozenset({"GET", "HEAD"})  # what somebody wanted changed is done, seen or not
BODY = frozenset({"content-length", "transfer-encoding"})
CANCEL_S = 5.0


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
