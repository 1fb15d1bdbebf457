"""The guards one by one over apps that misbehave: headers, turns, counts, log lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from gis_service.asgi import HttpMiddleware, at_head
from gis_service.guards import HEADERS, LastResort, Measured, SecurityHeaders, Waiting
from gis_service.head_only import HeadOnly
from gis_service.logs import RequestLog, configure_logs
from gis_service.metrics import Metrics
from gis_service.settings import Settings

ID_NUMBER = "990923199001011238"
Headers = list[tuple[bytes, bytes]]


def app_that_sends(*parts: bytes, status: int = 200, headers: Iterable[Any] = ()) -> ASGIApp:
    """Return an app that answers with a body in so many parts."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await send(start)
        for number, part in enumerate(parts):
            more = number < len(parts) - 1
            await send({"type": "http.response.body", "body": part, "more_body": more})

    return app


def app_that_raises(error: BaseException, *, after_head: bool = False) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if after_head:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return app


def asked(
    app: ASGIApp, path: str = "/x", method: str = "GET", headers: Headers | None = None
) -> list[Message]:
    """Return what an app sends to a request without a body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": headers or []}
    run(app, scope, receive, send)
    return sent


def run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an app to its end in a loop of its own."""

    async def play() -> None:
        await app(scope, receive, send)

    asyncio.run(play())


def header(message: Message, name: str) -> str | None:
    found = [value for key, value in message["headers"] if key.lower() == name.encode()]
    return found[0].decode() if found else None


WRAPPED: list[Callable[[ASGIApp], ASGIApp]] = [
    HttpMiddleware, SecurityHeaders, LastResort, HeadOnly, RequestLog,
    lambda app: Waiting(app, limit=1), lambda app: Measured(app, Metrics()),
]  # fmt: skip
NAMES = ["plain", "headers", "last", "head", "log", "waiting", "measured"]
every_guard = pytest.mark.parametrize("guard", WRAPPED, ids=NAMES)


@every_guard
@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_http_passes_untouched(guard: Callable[[ASGIApp], ASGIApp], kind: str) -> None:
    given: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        given.extend((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(_message: Message) -> None:
        return

    scope = {"type": kind}
    run(guard(app), scope, receive, send)
    assert given == [scope, receive, send]


@every_guard
def test_status_and_body_come_through(guard: Callable[[ASGIApp], ASGIApp]) -> None:
    start, *rest = asked(guard(app_that_sends(b"a", b"b", status=418)))
    assert start["status"] == 418
    assert b"".join(part["body"] for part in rest) == b"ab"


@every_guard
def test_who_goes_away_leaves_nothing_behind(guard: Callable[[ASGIApp], ASGIApp]) -> None:
    wrapped = guard(app_that_raises(ClientDisconnect()))
    for _ in range(3):
        try:
            assert asked(wrapped) == []
        except ClientDisconnect:
            continue


def test_a_head_is_looked_at_once_and_before_it_is_sent() -> None:
    seen: list[str] = []

    async def send(message: Message) -> None:
        seen.append(message["type"])

    async def play() -> None:
        looking = at_head(send, lambda message: seen.append(f"looked {message['status']}"))
        await looking({"type": "http.response.start", "status": 204})
        await looking({"type": "http.response.body"})

    asyncio.run(play())
    assert seen == ["looked 204", "http.response.start", "http.response.body"]


def test_a_routes_own_policy_is_kept_and_the_rest_added() -> None:
    own = [(b"content-security-policy", b"default-src 'self'")]
    (start, _) = asked(SecurityHeaders(app_that_sends(b"x", headers=own)))
    assert header(start, "content-security-policy") == "default-src 'self'"
    for name in set(HEADERS) - {"Content-Security-Policy"}:
        assert header(start, name.lower()) == HEADERS[name]


@pytest.mark.parametrize(
    "word",
    ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"],
)
def test_the_policy_of_pages_is_strict(word: str) -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert word in policy
    assert "unsafe" not in policy
    assert "http" not in policy


ERRORS = [
    LookupError("secret"),
    ValueError("secret"),
    RuntimeError(ID_NUMBER),
    MemoryError(),
    OSError(28, "x"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_happens_the_answer_says_nothing_of_it(error: Exception) -> None:
    with capture_logs() as log:
        start, body = asked(LastResort(app_that_raises(error)), path="/api/x")
    told = json.loads(body["body"])
    assert (start["status"], told["code"]) == (500, "failed")
    assert "secret" not in body["body"].decode()
    (line,) = log
    assert (line["event"], line["path"], line["exc_info"]) == ("request failed", "/api/x", error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError()])
def test_the_end_of_the_process_is_no_error_to_be_answered(error: BaseException) -> None:
    with pytest.raises(type(error)):
        asked(LastResort(app_that_raises(error)))


def test_after_the_head_an_error_is_not_answered_a_second_time() -> None:
    with pytest.raises(LookupError):
        asked(LastResort(app_that_raises(LookupError(), after_head=True)))


@pytest.mark.parametrize(
    "app", [app_that_raises(LookupError()), app_that_raises(LookupError(), after_head=True)]
)
def test_a_failed_answer_gives_its_turn_back(app: ASGIApp) -> None:
    guard = Waiting(app, limit=1)
    for _ in range(3):
        with pytest.raises(LookupError):
            asked(guard)


@pytest.mark.parametrize(("limit", "together"), [(1, 2), (2, 3), (5, 9)])
def test_just_so_many_wait_and_the_rest_are_told_at_once(limit: int, together: int) -> None:
    gate = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def play() -> list[int]:
        statuses: list[int] = []

        async def send(message: Message) -> None:
            statuses.append(message.get("status", 0))

        async def receive() -> Message:
            return {"type": "http.request"}

        guard = Waiting(app, limit=limit)
        scope = {"type": "http", "path": "/api/layers", "method": "GET", "headers": []}
        tasks = [asyncio.create_task(guard(scope, receive, send)) for _ in range(together)]
        health = asyncio.create_task(guard({**scope, "path": "/health"}, receive, send))
        await asyncio.sleep(0)
        refused = [status for status in statuses if status]
        gate.set()
        await asyncio.gather(*tasks, health)
        assert refused == [503] * (together - limit)
        return [status for status in statuses if status == 200]

    assert asyncio.run(play()) == [200] * (limit + 1)


@pytest.mark.parametrize("parts", [(b"",), (b"whole",), (b"a", b"b", b"c"), (b"x" * 100_000, b"")])
def test_a_head_alone_is_a_head_and_an_end(parts: tuple[bytes, ...]) -> None:
    own = [(b"content-length", b"7"), (b"etag", b'"1"')]
    sent = asked(LastResort(HeadOnly(app_that_sends(*parts, headers=own))), method="HEAD")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["headers"] == own
    assert (sent[1]["body"], sent[1].get("more_body", False)) == (b"", False)


def test_the_app_is_asked_with_get_and_everybody_else_sees_a_head() -> None:
    methods = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        methods.append(scope["method"])
        await app_that_sends(b"x")(scope, receive, send)

    with capture_logs() as log:
        asked(RequestLog(HeadOnly(app)), method="HEAD")
    assert methods == ["GET"]
    assert [line["method"] for line in log] == ["HEAD"]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "head", "HEADS"])
def test_other_methods_keep_their_body(method: str) -> None:
    *_, last = asked(HeadOnly(app_that_sends(b"body")), method=method)
    assert last["body"] == b"body"


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/x", ("none", "GET")),
        ("BREW", "/x", ("none", "other")),
        ("GET", "/tiles/a/1/0/0", ("/tiles", "GET")),
        ("HEAD", f"/{ID_NUMBER}", ("none", "HEAD")),
        ("get", "/x", ("none", "other")),
    ],
)
def test_counts_name_routes_and_methods_that_are_known(
    method: str, path: str, counted: tuple[str, str]
) -> None:
    metrics = Metrics()
    asked(Measured(app_that_sends(b"x", status=201), metrics), path=path, method=method)
    text = metrics.text().decode()
    route, known = counted
    assert f'gis_requests_total{{method="{known}",route="{route}",status="201"}} 1.0' in text
    assert ID_NUMBER not in text
    assert f'gis_request_seconds_count{{route="{route}"}} 1.0' in text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc", True),
        ("A-b_c.9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\tb", False),
        ("ä", False),
        ("a/b", False),
        ("{{7*7}}", False),
        ("a;b", False),
    ],
)
def test_a_senders_own_number_is_kept_where_it_is_plain(given: str, kept: bool) -> None:
    with capture_logs():
        (start, _) = asked(
            RequestLog(app_that_sends(b"x")), headers=[(b"x-request-id", given.encode("latin-1"))]
        )
    number = header(start, "x-request-id")
    assert number is not None
    assert (number == given) is kept
    assert number.isascii()


def test_two_requests_have_two_numbers() -> None:
    with capture_logs():
        heads = [asked(RequestLog(app_that_sends(b"x")))[0] for _ in range(50)]
    assert len({header(head, "x-request-id") for head in heads}) == 50


@pytest.mark.parametrize("error", [LookupError(), ClientDisconnect()])
def test_a_request_that_was_not_answered_has_its_line_too(error: Exception) -> None:
    with capture_logs() as log, pytest.raises(type(error)):
        asked(RequestLog(app_that_raises(error)), path="/sign-in/secret-token")
    assert [(line["event"], line["status"], line["path"]) for line in log] == [
        ("request", 0, "/sign-in/…")
    ]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Iterable[Callable[..., list[str]]]:
    """What is written to standard error when a word is logged under some settings."""

    def written(level: str, *, as_json: bool, **fields: Any) -> list[str]:
        configure_logs(Settings.model_validate({"log_json": as_json, "log_level": level}))
        structlog.get_logger("test").info("told", **fields)
        return capfd.readouterr().err.splitlines()

    yield written
    structlog.reset_defaults()


NASTY = {
    "ansi": "\x1b[31mred",
    "lines": "a\nb\r\nc",
    "who": ID_NUMBER,
    "mark": "\u202egnp.exe",
    "zh": "网格",
}


def test_a_line_of_json_is_one_line_and_hides_numbers(lines: Callable[..., list[str]]) -> None:
    (line,) = lines("info", as_json=True, **NASTY)
    told = json.loads(line)
    assert (told["event"], told["level"], told["zh"], told["who"]) == (
        "told",
        "info",
        "网格",
        "******",
    )
    assert told["timestamp"].endswith("Z")
    assert told["lines"] == r"a\u000ab\u000d\u000ac"


def test_a_readable_line_is_one_line_and_hides_numbers(lines: Callable[..., list[str]]) -> None:
    (line,) = lines("info", as_json=False, **NASTY)
    assert line.isprintable()
    assert ID_NUMBER not in line
    assert "网格" in line


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 1), ("info", 1), ("warning", 0), ("error", 0)]
)
def test_what_is_below_the_level_is_not_written(
    lines: Callable[..., list[str]], level: str, count: int
) -> None:
    assert len(lines(level, as_json=True)) == count


def test_the_text_of_an_error_is_escaped_and_hidden_like_the_rest(
    lines: Callable[..., list[str]],
) -> None:
    (line,) = lines("info", as_json=True, exc_info=ValueError(f"key ({ID_NUMBER})\n\x1b[2J"))
    assert ID_NUMBER not in line
    told = json.loads(line)
    assert "ValueError" in told["exception"]
    assert "\x1b" not in told["exception"]
