"""How a refusal becomes an answer: one table from exception to status, one shape of body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson
import psycopg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout, TooManyRequests
from sqlalchemy import exc as database_errors
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gis_service.field_words import said_of
from grid_boundaries.errors import (
    Conflict,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    TooLarge,
    Unavailable,
    Unsupported,
)

RETRY_AFTER_S = 2
log = structlog.get_logger(__name__)


class TooSlow(Refused):
    """The request's body did not arrive in time."""


class WrongMethod(Refused):
    """The address is there, and is not used in this way."""


# the first class that fits counts; every other refusal is 422
STATUS: Mapping[type[Refused], int] = MappingProxyType(
    {
        Malformed: 400,
        NotSignedIn: 401,
        NotAllowed: 403,
        NotFound: 404,
        WrongMethod: 405,
        TooSlow: 408,
        Conflict: 409,
        TooLarge: 413,
        Unsupported: 415,
        Unavailable: 503,
    }
)
TITLES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("请求无法读懂", "The request cannot be read"),
        401: ("请先登录", "Sign in first"),
        403: ("没有权限", "Not allowed"),
        404: ("没有找到", "Not found"),
        405: ("不支持这种方法", "Method not allowed"),
        408: ("请求太慢", "Request timed out"),
        409: ("与已有内容冲突", "Conflict"),
        413: ("内容过大", "Too large"),
        415: ("不支持这种内容", "Unsupported content"),
        422: ("内容不符合要求", "The content is not acceptable"),
        500: ("服务出错", "The service failed"),
        503: ("服务暂时不可用", "The service cannot answer now"),
    }
)

# the database says "later", each in its own class
BUSY = (
    PoolTimeout,
    TooManyRequests,
    psycopg.OperationalError,
    database_errors.OperationalError,
    database_errors.TimeoutError,
)
UNREADABLE = (psycopg.DataError, database_errors.DataError)


def status_of(refused: Refused) -> int:
    """Return the HTTP status of a refusal."""
    return next((code for kind, code in STATUS.items() if isinstance(refused, kind)), 422)


def language_of(headers: Headers) -> str:
    """Return ``"en"`` where Accept-Language puts English before Chinese, else ``"zh"``."""
    for tag in headers.get("accept-language", "").lower().split(","):
        word = tag.strip()[:2]
        if word in {"zh", "en"}:
            return word
    return "zh"


def problem(refused: Refused, headers: Headers) -> Response:
    """Return the answer to a refused request (RFC 9457)."""
    return _answer(status_of(refused), refused, headers)


def refusal_of(error: Exception) -> Refused | None:
    """Return what a known error of the database means to the asker; None for an unknown one."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, BUSY):
        return busy()
    if isinstance(error, UNREADABLE):
        return Malformed(
            "bad-value", "请求中有不能存储的字符", "The request holds a value that cannot be stored"
        )
    return None


def busy() -> Unavailable:
    """Return the refusal of a request that would have to wait too long."""
    return Unavailable("busy", "服务繁忙，请稍后重试", "The service is busy; try again in a moment")


def field_refusal(errors: Any) -> Refused:
    """Return the refusal of a request whose fields do not fit, naming the first of them."""
    first = errors[0]
    zh, en = said_of(first)
    field = ".".join(str(step) for step in first["loc"] if step not in {"body", "query", "path"})
    faults = [
        {"field": [str(step) for step in error["loc"]], "kind": error["type"]}
        for error in errors[:20]
    ]
    return Refused(
        "bad-field",
        f"字段“{field[:200]}”不符合要求：{zh}",
        f"The field “{field[:200]}” does not fit: {en}",
        faults=faults,
    )


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how refusals of these statuses are described in the OpenAPI document."""
    content = {"application/problem+json": {"schema": _PROBLEM_SCHEMA}}
    return {status: {"description": TITLES[status][1], "content": content} for status in statuses}


_PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "zh", "en", "where"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "code", "detail", "zh", "en")},
        "status": {"type": "integer"},
        "where": {"type": "object"},
    },
}


def add_error_answers(app: FastAPI) -> None:
    """Let every error leave as problem+json."""
    for kind in (Refused, *BUSY, *UNREADABLE):
        app.add_exception_handler(kind, _on_known)
    app.add_exception_handler(RequestValidationError, _on_fields)
    app.add_exception_handler(HTTPException, _on_http)


def json_bytes(value: Any) -> bytes:
    """Return plain values as JSON, whatever was sent to us and stands among them.

    Half of a surrogate pair and numbers of over 64 bits are not taken by the quick way.
    """
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(value, default=str).encode()


async def _on_known(request: Request, error: Exception) -> Response:
    refused = refusal_of(error)
    if refused is None:
        return failed(request, error)
    return problem(refused, request.headers)


async def _on_fields(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(field_refusal(error.errors()), request.headers)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    zh, en = TITLES.get(error.status_code, ("请求被拒绝", "The request was refused"))
    code = _CODES.get(error.status_code, "refused")
    answer = _answer(error.status_code, Refused(code, zh, en), request.headers)
    answer.headers.update(error.headers or {})
    if answer.headers.get("allow") == "GET":
        answer.headers["allow"] = "GET, HEAD"
    return answer


def failed(request: Request, error: Exception) -> Response:
    """Return the answer to an error that nobody expected; only the log tells which it was."""
    log.error("request failed", exc_info=error, path=request.url.path)
    told = Refused("failed", "服务出错，已记入日志", "The service failed; the fault is in its log")
    return _answer(500, told, request.headers)


_CODES: Mapping[int, str] = {404: "no-such-address", 405: "method-not-allowed"}
_EXTRA: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": str(RETRY_AFTER_S)},
}


def _answer(status: int, refused: Refused, headers: Headers) -> Response:
    language = language_of(headers)
    said = {"zh": refused.zh, "en": refused.en}
    titles = dict(zip(said, TITLES.get(status, said.values()), strict=True))
    body = {
        "type": "about:blank", "title": titles[language], "status": status, "code": refused.code,
        "detail": said[language], **said, "where": dict(refused.where),
    }  # fmt: skip
    own = {"Content-Language": language, "Cache-Control": "no-store", **_EXTRA.get(status, {})}
    return Response(json_bytes(body), status, own, media_type="application/problem+json")
