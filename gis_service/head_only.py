"""HEAD, answered as GET is and without the body (RFC 9110, 9.3.2)."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from gis_service.asgi import HttpMiddleware


class HeadOnly(HttpMiddleware):
    """ASGI middleware that asks every route with GET for a HEAD, and sends the head alone.

    It stands inside `LastResort`: an answer that comes in parts, such as an event stream, is
    ended as if the asker had gone away.
    """

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a HEAD by a GET; every other method as it is."""
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self.app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({"type": "http.response.body", "body": b""})
        if message.get("more_body", False):
            raise ClientDisconnect

    return sending
