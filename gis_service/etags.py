"""ETags that a request already holds: what decides between an answer and a 304."""

from __future__ import annotations

from starlette.requests import Request


def known_etags(request: Request) -> frozenset[str]:
    """Return the ETags of ``If-None-Match``, compared weakly (RFC 9110, 13.1.2).

    A proxy that compresses marks them ``W/``, a shared cache sends several; either is a 304.
    """
    sent = ",".join(request.headers.getlist("if-none-match")).split(",")
    return frozenset(tag.strip().removeprefix("W/") for tag in sent if tag.strip())
