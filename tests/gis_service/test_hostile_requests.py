"""Requests meant to break the service: each gets a plain answer, and nothing of ours gets out."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import create_engine, text
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from gis_service.auth import is_loopback
from gis_service.database import Database
from gis_service.guards import HEADERS, LastResort, Waiting
from gis_service.logs import escaped
from gis_service.personal_numbers import HIDDEN, without_personal_numbers
from gis_service.request_head import HEAD_LIMIT_BYTES
from gis_service.wire import JSON_LIMIT_BYTES, NAMES_LIMIT, read_json
from grid_boundaries.errors import Malformed, TooLarge
from tests.county import SOUTH, WEST, WIDTH_DEG
from tests.gis_service.test_leaving import until
from tests.serving import Client, serving, sqlalchemy_url, token_of

ID_NUMBER = "990923199001011238"
PHONE = "13912345678"


def sent(client: Client, body: bytes, role: str = "command", **headers: str) -> Response:
    kind = {"Content-Type": "application/json"}
    return client.post("/api/incidents", content=body, headers=client.by(role) | kind | headers)


def incident(**more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "lon": WEST + WIDTH_DEG / 2, "lat": SOUTH + 0.005, "title": "噪声",
        "kind": "event", "category": "noise", "occurred_at": datetime.now(UTC).isoformat(), **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (rb'{"\ud83d":1,"\ud83d":2}', 400),
        (rb'{"\ud83d":1}', 422),
        (rb'{"items":[{"\ud83d":1}]}', 200),
        (rb'{"items":[{"id":"\ud83d"}]}', 200),
    ],
)
def test_half_a_character_is_answered_like_any_fault(
    client: Client, body: bytes, status: int
) -> None:
    answer = sent(client, body)
    assert answer.status_code == status
    assert "problem" in answer.text or answer.json()["code"]


@pytest.mark.parametrize("origin", ["http://[", "null", "://", "http://evil.example", "", "["])
def test_an_origin_that_is_not_ours_is_refused_however_odd(client: Client, origin: str) -> None:
    answer = sent(client, b"{}", Origin=origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "other-origin")


def test_our_own_origin_is_taken(own_client: Client) -> None:
    ours = f"http://127.0.0.1:{own_client.port}"
    assert sent(own_client, json.dumps(incident()).encode(), Origin=ours).status_code == 201


def test_many_names_with_one_twice_cost_no_time() -> None:
    body = b"{" + b",".join(b'"%d":1' % n for n in range(200_000)) + b',"199999":1}'
    started = time.process_time()
    with pytest.raises(Malformed) as found:
        read_json(body)
    assert found.value.code == "too-many-names"
    # comparing each name with each other one would take minutes
    assert time.process_time() - started < 30


def test_names_up_to_the_limit_are_read_and_a_double_is_named() -> None:
    names = [f'"{n}":{n}' for n in range(NAMES_LIMIT)]
    assert len(read_json(("{" + ",".join(names) + "}").encode())) == NAMES_LIMIT
    names[7] = '"8":1'
    with pytest.raises(Malformed) as found:
        read_json(("{" + ",".join(names) + "}").encode())
    assert (found.value.code, found.value.where["field"]) == ("name-twice", "8")


def test_a_json_too_large_to_be_unfolded_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read_json(b"[" + b"[]," * (JSON_LIMIT_BYTES // 3) + b"[]]")


def request_from(peer: str, host: str) -> Request:
    return Request(
        {"type": "http", "client": (peer, 1), "headers": [(b"host", host.encode("latin-1"))]}
    )


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "[::1]"]
)
def test_this_machine_is_asked_by_its_own_names(host: str) -> None:
    assert is_loopback(request_from("127.0.0.1", host))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example",
     "", ":", "[", "[evil]", "10.0.0.1:8000", "127.0.0.1@evil.example", "\xff"],
)  # fmt: skip
def test_a_foreign_name_that_leads_here_is_not_this_machine(host: str) -> None:
    assert not is_loopback(request_from("127.0.0.1", host))


def test_no_way_in_is_given_under_a_foreign_name(client: Client) -> None:
    evil = {"Host": "evil.example"}
    assert "/sign-in/" not in client.get("/", headers=evil).text
    link = f"/sign-in/{token_of(client.settings, 'leader')}"
    assert client.get(link, headers=evil).status_code == 403
    assert client.get("/metrics", headers=evil).status_code == 401


def spoken(client: Client, words: bytes) -> bytes:
    """Return the first bytes answered to what is sent on a plain socket."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as plain:
        try:
            plain.sendall(words)
            return plain.recv(4096)
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"y" * (1 << 20),
        b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"X-Long: " + b"y" * (HEAD_LIMIT_BYTES + 1) + b"\r\n\r\n",
    ],
    ids=["no end", "many", "one"],
)
def test_a_head_without_measure_is_not_read_on(client: Client, head: bytes) -> None:
    answer = spoken(client, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head)
    # where we hang up while it is still being sent, the answer may be lost
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert client.get("/health").status_code == 200


def test_a_long_address_is_not_read_on(client: Client) -> None:
    answer = spoken(client, b"GET /" + b"x" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_a_usual_head_with_a_large_body_passes(client: Client) -> None:
    body = b" " * (HEAD_LIMIT_BYTES * 4)
    for _ in range(2):  # the second on the same connection
        assert sent(client, body).json()["code"] == "not-json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_tile_is_only_read(client: Client, method: str) -> None:
    answer = client.request(method, "/tiles/grids/13/6560/3291", headers=client.by("command"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_what_nobody_expected_is_answered_like_the_rest(
    own_client: Client, county_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    owner = create_engine(sqlalchemy_url(county_database.owner_url))
    with owner.begin() as connection:
        connection.execute(text("alter table incident rename to elsewhere"))
    owner.dispose()
    path = f"/api/layers/incidents/items/{ID_NUMBER}"
    with capture_logs() as log:
        answer = own_client.get(path, headers=own_client.by("command"))
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert answer.headers["x-request-id"]
    for inner in ("Traceback", "select", "incident", ".py"):
        assert inner not in answer.text
    (fault,) = (line for line in log if line["event"] == "request failed")
    assert ID_NUMBER not in str(fault["exc_info"])
    # told once, as a line of ours, and not by the server in its own way as well
    assert not [record for record in caplog.records if record.name == "uvicorn.error"]


def test_one_who_goes_away_is_no_fault() -> None:
    told: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    asyncio.run(LastResort(app)({"type": "http", "headers": []}, receive, send))
    assert told == []


def test_a_fault_after_the_answer_has_begun_ends_the_connection() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    with pytest.raises(LookupError):
        asyncio.run(LastResort(app)({"type": "http", "headers": []}, receive, send))


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        (ID_NUMBER, HIDDEN),
        (f"{ID_NUMBER[:-1]}X", HIDDEN),
        (f"张三{ID_NUMBER}，电话{PHONE}。", f"张三{HIDDEN}，电话{HIDDEN}。"),
        ("139-1234-5678", HIDDEN),
        ("139 1234 5678", HIDDEN),
        ("610923100001", "610923100001"),
        ("610923100001001", "610923100001001"),
        ("61092300001310000001", "61092300001310000001"),
        ("92990923KQ10CD9W8X", "92990923KQ10CD9W8X"),
        ("12345", "12345"),
    ],
)
def test_numbers_of_persons_are_hidden_and_codes_are_not(plain: str, shown: str) -> None:
    assert without_personal_numbers(plain) == shown


def test_numbers_of_persons_do_not_get_into_the_log() -> None:
    line = escaped(None, "info", {"path": f"/api/layers/people/items/{ID_NUMBER}"})
    assert line == {"path": f"/api/layers/people/items/{HIDDEN}"}


def test_a_sign_in_link_does_not_get_into_the_log(own_client: Client) -> None:
    token = token_of(own_client.settings, "worker")
    with capture_logs() as log:
        assert own_client.get(f"/sign-in/{token}").status_code == 303
        # its line is written after its answer was sent, and others may come between
        until(lambda: "/sign-in/…" in [line.get("path") for line in log])
    assert token not in str(log)


def test_numbers_of_persons_in_a_report_reach_nobody(own_client: Client) -> None:
    told = incident(title=f"{ID_NUMBER} 投诉", address=f"电话 {PHONE}")
    assert sent(own_client, json.dumps(told).encode()).status_code == 201
    for way in (f"/api/layers/incidents/items/{told['id']}", "/api/wall/610999"):
        answer = own_client.get(way, headers=own_client.by("command"))
        assert answer.status_code == 200
        assert HIDDEN in answer.text
        assert ID_NUMBER not in answer.text
        assert PHONE not in answer.text
    # sent again it is the same report
    again = sent(own_client, json.dumps(told).encode())
    assert again.json()["results"][0]["status"] == "already"


def test_the_openapi_document_names_every_status_of_an_operation(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            if path.startswith("/api"):
                known = set(operation["responses"])
                assert known >= {"400", "401", "403", "422", "503"}, (method, path)
                assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert set(paths["/api/incidents"]["post"]["responses"]) >= {"201", "409", "413", "415"}


def test_who_is_too_many_is_told_to_come_again(county_database: Database, tmp_path: Path) -> None:
    with serving(county_database, tmp_path, queue_limit=1, refresh_interval_s=3600) as client:
        headers = client.by("command")

        def ask(_number: int) -> int:
            return client.get("/api/wall/610999", headers=headers).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(ask, range(60)))
            assert client.get("/health").status_code == 200
        assert set(statuses) == {200, 503}
        # nobody is counted for ever: one at a time is always let in
        assert [ask(0) for _ in range(5)] == [200] * 5


def waited_for(*apps: ASGIApp) -> list[int]:
    """Return the statuses of a queue of one, each app asked while the one before still runs."""
    statuses: list[int] = []
    waiting = iter(apps)

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await next(waiting)(scope, receive, send)

    guard = Waiting(inner, limit=1)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            if len(statuses) == 1:
                await guard(asked, receive, note)

    asked: Scope = {"type": "http", "path": "/api/layers", "headers": []}
    asyncio.run(guard(asked, receive, note))
    return statuses


async def plain_answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_stream_that_is_open_does_not_wait() -> None:
    assert waited_for(plain_answer, plain_answer) == [200, 200]


@pytest.mark.parametrize("path", ["/api/layers/", "/api/plans/", "/health/", "/wall/610999/"])
def test_no_redirect_repeats_the_host_that_was_named(client: Client, path: str) -> None:
    answer = client.get(path, headers=client.by("planner") | {"Host": "evil.example"})
    assert answer.status_code == 404
    assert "evil" not in str(answer.headers)
