"""What every request passes: bounds on bodies and patience, measured routes, whole log lines."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import Message, Receive, Scope, Send

from gis_service.errors import TooSlow
from gis_service.guards import BodyLimit
from gis_service.logs import escaped
from grid_boundaries.errors import TooLarge
from tests.serving import Client


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads its body to the end."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def asked(
    parts: AsyncIterator[bytes], headers: dict[str, str], wait_s: float = 60.0
) -> list[Message]:
    """Return what comes back from a limit of 100 bytes."""
    sent: list[Message] = []
    waiting = aiter(parts)

    async def receive() -> Message:
        try:
            return {"type": "http.request", "body": await anext(waiting), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    guard = BodyLimit(read_all, limit_bytes=100, wait_s=wait_s)
    await guard({"type": "http", "headers": raw}, receive, send)
    return sent


async def parts_of(size: int, count: int, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause_s)
        yield b"x" * size


def test_a_body_up_to_the_limit_passes() -> None:
    (start,) = asyncio.run(asked(parts_of(10, 10), {}))
    assert start["status"] == 200


def test_one_byte_more_is_refused_while_it_streams() -> None:
    with pytest.raises(TooLarge):
        asyncio.run(asked(parts_of(1, 101), {}))


def test_a_stated_length_beyond_the_limit_is_refused_unread() -> None:
    start, body = asyncio.run(asked(parts_of(1, 1), {"content-length": "101"}))
    assert start["status"] == 413
    assert json.loads(body["body"])["where"] == {"limit_bytes": 100}


@pytest.mark.parametrize("stated", ["-1", "1e3", "", "٣", "9" * 30])
def test_an_odd_length_is_refused(stated: str) -> None:
    start, _ = asyncio.run(asked(parts_of(1, 1), {"content-length": stated}))
    assert start["status"] in {400, 413}


def test_a_length_that_lies_low_does_not_help() -> None:
    with pytest.raises(TooLarge):
        asyncio.run(asked(parts_of(50, 3), {"content-length": "10"}))


def test_a_body_that_dribbles_is_ended() -> None:
    with pytest.raises(TooSlow):
        asyncio.run(asked(parts_of(1, 50, pause_s=0.05), {}, wait_s=0.2))


def test_fifty_megabytes_and_one_byte_are_too_much(client: Client) -> None:
    headers = client.by("integration") | {"Content-Type": "application/json"}
    limit = client.settings.body_limit_bytes
    stated = b"POST /api/incidents HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (limit + 1)
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as plain:
        plain.sendall(stated)
        assert plain.recv(100).startswith(b"HTTP/1.1 413")
    answer = client.post("/api/incidents", content=_chunks(limit + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def _chunks(size: int) -> Any:
    chunk = b" " * (1 << 20)
    for _ in range(size // len(chunk)):
        yield chunk
    yield b" " * (size % len(chunk))


def test_a_lying_host_and_proxy_change_nothing(client: Client) -> None:
    lies = {"Host": "evil.example", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil"}
    answer = client.get("/wall/610999", headers=lies)
    assert answer.headers["location"].startswith("/?")
    assert "evil" not in client.get("/", headers=lies).text


def test_no_other_origin_is_let_in(client: Client) -> None:
    answer = client.get("/health", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_request_id_of_the_sender_is_kept_if_it_is_plain(client: Client) -> None:
    given = client.get("/health", headers={"X-Request-ID": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    odd = client.get("/health", headers={"X-Request-ID": "a b;\x1b[31m"[:3]})
    assert odd.headers["x-request-id"] != "a b"


@pytest.mark.parametrize(
    "text", ["a\nb", "\x1b[31mred", "a\u202eb", "a\u2028b", "a\x00b", "a\x9bb"]
)
def test_no_text_breaks_a_log_line(text: str) -> None:
    line = escaped(None, "info", {"event": text})["event"]
    assert line.isprintable()
    assert "\\u" in line


def test_a_log_line_keeps_chinese_and_numbers() -> None:
    assert escaped(None, "info", {"event": "网格 3502", "n": 7}) == {"event": "网格 3502", "n": 7}


def test_metrics_never_name_a_path_that_was_sent(client: Client) -> None:
    client.get("/canary-5f3c/../x")
    client.get("/api/layers/canary-5f3c/items", headers=client.by("command"))
    figures = client.get("/metrics").text
    assert "canary" not in figures
    assert 'route="/api/layers/{name}/items"' in figures
    assert "gis_tiles_total" in figures


def test_large_answers_come_zipped(client: Client) -> None:
    answer = client.get("/api/layers", headers=client.by("command"))
    assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("language", "detail"), [("en", "Not found"), ("zh-CN,en", "没有找到"), ("", "没有找到")]
)
def test_problems_speak_the_askers_language(client: Client, language: str, detail: str) -> None:
    answer = client.get("/nowhere", headers={"Accept-Language": language})
    assert answer.json()["title"] == detail
    assert answer.json()["zh"] == "没有找到"
    assert answer.headers["content-language"] == ("en" if language == "en" else "zh")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_a_method_that_is_not_there_is_told_as_such(client: Client, method: str) -> None:
    answer = client.request(method, "/api/incidents", headers=client.by("integration"))
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert "POST" in answer.headers["allow"]


WORDS = ["' OR 1=1--", "a;drop table grid", "%_%", "(a+)+$", "长" * 150, "\u202e\u200b", "{{7*7}}"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "path",
    [
        "/api/layers/{}/items", "/api/layers/grids/items/{}", "/api/layers/grids/items?after={}",
        "/api/layers/grids/items?bbox={}", "/api/layers/grids/items?as_of={}", "/api/wall/{}",
        "/api/events?unit={}", "/api/layers/grids/items?limit={}", "/api/at?lon={}&lat=1",
        "/static/{}/x", "/sign-in/{}",
    ],
)  # fmt: skip
def test_odd_words_find_nothing(client: Client, path: str, word: str) -> None:
    answer = client.get(path.format(quote(word, safe="")), headers=client.by("command"))
    assert answer.status_code in {200, 400, 401, 404, 422}
    if answer.status_code == 200:
        # a mere place to go on from: no more than there is
        assert len(answer.json()["features"]) <= 8


@pytest.mark.parametrize(
    "bbox", ["-180,-90,180,90", "nan,0,1,1", "1,2,3", "a,b,c,d", "2,0,1,1", "0,0,1e999,1"]
)
def test_a_box_is_of_this_earth_or_refused(client: Client, bbox: str) -> None:
    answer = client.get(f"/api/layers/incidents/items?bbox={bbox}", headers=client.by("chief"))
    if bbox.startswith("-180"):
        ids = [one["properties"]["unit_path"] for one in answer.json()["features"]]
        assert set(ids) == {"/610999/610999100/610999100001/"}
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("limit", ["0", "-1", "1e9", "x", "9" * 5000])
def test_a_page_has_at_least_one_row(client: Client, limit: str) -> None:
    answer = client.get(f"/api/layers/grids/items?limit={limit}", headers=client.by("command"))
    assert answer.status_code in {422, 400}


def test_a_page_has_at_most_what_the_settings_say(client: Client) -> None:
    answer = client.get("/api/layers/grids/items?limit=1000000", headers=client.by("command"))
    assert answer.status_code == 200
