"""What the service's ASGI middleware shares: HTTP only, and a look at the head of an answer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HttpMiddleware:
    """ASGI middleware that has its say on HTTP requests and lets everything else through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.answer if scope["type"] == "http" else self.app
        await answer(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; without a say of its own, as the app inside does."""
        await self.app(scope, receive, send)


def at_head(send: Send, act: Callable[[Message], None]) -> Send:
    """Return a `send` that first acts on the message with the head of the answer."""

    async def acting(message: Message) -> None:
        if message["type"] == "http.response.start":
            act(message)
        await send(message)

    return acting
