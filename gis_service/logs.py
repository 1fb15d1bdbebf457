"""Log lines: one a request, with its id; nothing that a sender wrote can break a line."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from gis_service.asgi import HttpMiddleware, at_head
from gis_service.personal_numbers import without_personal_numbers
from gis_service.settings import Settings

REQUEST_ID = "x-request-id"
_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")
# C0, C1, line separators, and marks that turn the direction of what follows
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_SIGN_IN = "/sign-in/"
log = structlog.get_logger(__name__)


def configure_logs(settings: Settings) -> None:
    """Let structlog write JSON lines, or readable ones, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    last: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            escaped,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def escaped(_logger: Any, _method: str, line: Any) -> Any:
    """Escape control characters, and hide personal numbers, in every text of a log line."""
    return {name: _plain(value) for name, value in line.items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", without_personal_numbers(value))


def _shown(path: str) -> str:
    """Return a path without the token that a sign-in link holds."""
    return f"{_SIGN_IN}…" if path.startswith(_SIGN_IN) else path


class RequestLog(HttpMiddleware):
    """ASGI middleware: gives each request an id, and writes one line when it is answered."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the id on the head; a sender's own id is kept where it is plain."""
        given = Headers(scope=scope).get(REQUEST_ID, "")
        number = given if _FIT.fullmatch(given) else secrets.token_hex(8)
        line: dict[str, Any] = {
            "method": scope["method"],
            "path": _shown(scope["path"]),
            "status": 0,
        }

        def note(message: Message) -> None:
            line["status"] = message["status"]
            message["headers"].append((REQUEST_ID.encode(), number.encode()))

        with structlog.contextvars.bound_contextvars(request=number):
            try:
                await self.app(scope, receive, at_head(send, note))
            finally:
                log.info("request", **line)
