"""What every request passes: security headers, a bound on its body, a bound on its patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gis_service.asgi import HttpMiddleware, at_head
from gis_service.errors import TooSlow, busy, failed, problem
from gis_service.metrics import Metrics
from grid_boundaries.errors import Malformed, Refused, TooLarge

BODY_WAIT_S = 30.0  # a whole body must have come by then
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            "form-action 'self'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    }
)


class SecurityHeaders(HttpMiddleware):
    """ASGI middleware that puts the security headers on every answer."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers that the route has not set itself."""
        await self.app(scope, receive, at_head(send, _add_headers))


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


class LastResort(HttpMiddleware):
    """ASGI middleware that answers where an error came through that nobody expected.

    It stands inside the other guards, so that this answer has its headers, number and line in
    the log like any other.
    """

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, or that it failed; nobody, where the asker has gone."""
        begun: list[Message] = []
        try:
            await self.app(scope, receive, at_head(send, begun.append))
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # the one door: whatever it is, the answer shows none of it
            if begun:
                raise
            await failed(Request(scope), error)(scope, receive, send)


class Waiting(HttpMiddleware):
    """ASGI middleware that answers 503 at once when too many wait for an answer already.

    One waits until the head of the answer is sent, so an open event stream does not count;
    neither does ``/health``, which asks for nothing that could be busy.

    Parameters
    ----------
    limit
        How many may wait.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        super().__init__(app)
        self._limit = limit
        self._waiting: set[object] = set()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer when there is room, else say that there is none."""
        if scope["path"] == "/health":
            await self.app(scope, receive, send)
        elif len(self._waiting) >= self._limit:
            await problem(busy(), Headers(scope=scope))(scope, receive, send)
        else:
            await self._waited_for(scope, receive, send)

    async def _waited_for(self, scope: Scope, receive: Receive, send: Send) -> None:
        one = object()
        self._waiting.add(one)
        try:
            await self.app(scope, receive, at_head(send, lambda _: self._waiting.discard(one)))
        finally:
            self._waiting.discard(one)


class BodyLimit(HttpMiddleware):
    """ASGI middleware that ends a request whose body is too large or does not come.

    Parameters
    ----------
    limit_bytes
        Counted while it streams; a stated length is believed only when it is too much.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, wait_s: float = BODY_WAIT_S) -> None:
        super().__init__(app)
        self._limit = limit_bytes
        self._wait_s = wait_s

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a stated length at once."""
        headers = Headers(scope=scope)
        try:
            self._check_stated(headers)
        except Refused as refused:
            await problem(refused, headers)(scope, receive, send)
            return
        await self.app(scope, self._counting(receive), send)

    def _check_stated(self, headers: Headers) -> None:
        stated = headers.get("content-length", "0")
        if not (stated.isascii() and stated.isdecimal()):
            raise Malformed(
                "bad-length", "Content-Length 不是数字", "Content-Length is not a number"
            )
        if len(stated) > 15 or int(stated) > self._limit:
            raise self._too_large()

    def _counting(self, receive: Receive) -> Receive:
        size, is_whole, ends_at = 0, False, time.monotonic() + self._wait_s

        async def counting() -> Message:
            nonlocal size, is_whole
            if is_whole:  # what comes now is only the news that the asker has gone
                return await receive()
            try:
                async with asyncio.timeout(ends_at - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise TooSlow(
                    "body-too-slow",
                    f"请求内容在 {self._wait_s:.0f} 秒内没有传完",
                    f"The body did not arrive within {self._wait_s:.0f} s",
                ) from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > self._limit:
                raise self._too_large()
            return message

        return counting

    def _too_large(self) -> TooLarge:
        return TooLarge(
            "body-too-large",
            f"请求内容超过 {self._limit} 字节",
            f"The body is over {self._limit} bytes",
            limit_bytes=self._limit,
        )


class Measured(HttpMiddleware):
    """ASGI middleware that counts answers and the time to their head, by route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        super().__init__(app)
        self._metrics = metrics

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count it when its head is sent."""
        started = time.perf_counter()

        def count(message: Message) -> None:
            route = _route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(route, method, message["status"]).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)

        await self.app(scope, receive, at_head(send, count))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def _route(scope: Scope) -> str:
    """Return the route's pattern, never the path that somebody sent."""
    if scope["path"].startswith("/tiles/"):
        return "/tiles"
    return str(getattr(scope.get("route"), "path", "none"))
