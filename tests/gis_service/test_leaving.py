"""Whoever asks to read and goes away leaves nothing running; what was to be changed is changed."""

from __future__ import annotations

import asyncio
import io
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, create_engine, text
from starlette.types import Message, Receive, Scope, Send

from gis_service.database import Database
from gis_service.leaving import Asking, Leaving, asking
from tests.gis_service.test_plans import BLOCK_10, GRID_2, drawn, get, started
from tests.serving import Client, serving, sqlalchemy_url

LATER_S = 60.0
WAITING = text(
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and application_name = 'gis-service' and wait_event_type = 'Lock' and query like :words"
)


@pytest.fixture
def patient(county_database: Database, tmp_path: Path) -> Iterator[Client]:
    """A client of a service that waits long for locks and statements."""
    limits = {"lock_timeout_s": 300, "statement_timeout_s": 300, "print_wait_s": 500}
    with serving(county_database, tmp_path, refresh_interval_s=3600, **limits) as client:
        yield client


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the same county."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


@contextmanager
def locked(owner: Engine, table: str) -> Iterator[None]:
    """Let nobody read a table while the block lasts."""
    with owner.connect() as connection, connection.begin() as transaction:
        connection.execute(text(f"lock table {table} in access exclusive mode"))
        yield
        transaction.rollback()


def asked(client: Client, method: str, path: str, body: bytes = b"") -> socket.socket:
    """Send a request over a socket of its own, and return it without reading an answer."""
    own = socket.create_connection(("127.0.0.1", client.port))
    token = client.by("planner")["Authorization"]
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {token}"]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    own.sendall("\r\n".join([*head, "", ""]).encode() + body)
    return own


def waiting(owner: Engine, words: str) -> int:
    with owner.connect() as connection:
        return int(connection.scalar(WAITING, {"words": f"%{words}%"}) or 0)


def until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + LATER_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


@pytest.mark.parametrize("path", ["/api/grids", "/api/layers/grids/items", "/api/grids/export"])
def test_a_statement_ends_when_its_reader_goes(patient: Client, owner: Engine, path: str) -> None:
    assert patient.get(path, headers=patient.by("planner")).status_code == 200
    with locked(owner, "grid"):
        for _ in range(3):
            reader = asked(patient, "GET", path)
            until(lambda: waiting(owner, "grid") == 1)
            reader.close()
            until(lambda: waiting(owner, "grid") == 0)
    # the connections that were given up are made anew
    assert patient.get(path, headers=patient.by("planner")).status_code == 200


def test_who_stays_gets_an_answer_while_another_goes(patient: Client, owner: Engine) -> None:
    with ThreadPoolExecutor(1) as pool, locked(owner, "grid"):
        stays = pool.submit(patient.get, "/api/grids", headers=patient.by("planner"), timeout=240)
        until(lambda: waiting(owner, "grid") == 1)
        goes = asked(patient, "GET", "/api/grids")
        until(lambda: waiting(owner, "grid") == 2)
        goes.close()
        until(lambda: waiting(owner, "grid") == 1)
        assert not stays.done()
    assert stays.result(LATER_S).status_code == 200


def test_what_somebody_wanted_changed_is_changed_though_they_went(
    patient: Client, owner: Engine
) -> None:
    plan = started(patient)
    body = (
        f'{{"base_version":0,"stroke":{{"kind":"move","blocks":["{BLOCK_10}"],"to":"{GRID_2}"}}}}'
    )
    with locked(owner, "stroke"):
        planner = asked(patient, "POST", f"/api/plans/{plan}/strokes", body.encode())
        until(lambda: waiting(owner, "stroke") == 1)
        planner.close()
        time.sleep(0.5)
        assert waiting(owner, "stroke") == 1
    until(lambda: get(patient, f"/plans/{plan}")["version"] == 1)


def test_who_goes_gives_up_their_place_at_the_printer(patient: Client) -> None:
    plan = started(patient)
    drawn(patient, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    path = f"/api/plans/{plan}/handover"
    assert patient.get(path, headers=patient.by("planner")).status_code == 200
    gone = [asked(patient, "GET", f"/api/plans/{plan}/report.pdf") for _ in range(8)]
    for one in gone:
        one.close()
    with httpx.Client(base_url=patient.base_url, timeout=300) as client:
        answer = client.get(f"/api/plans/{plan}/report.pdf", headers=patient.by("planner"))
    assert answer.status_code == 200
    assert len(PdfReader(io.BytesIO(answer.content)).pages) > 0


def test_twenty_pdfs_at_once_are_all_made_or_told_when_to_come_again(patient: Client) -> None:
    plan = started(patient)
    headers = patient.by("planner")
    with (
        httpx.Client(base_url=patient.base_url, timeout=550) as client,
        ThreadPoolExecutor(20) as pool,
    ):
        path = f"/api/plans/{plan}/report.pdf"
        answers = list(pool.map(lambda _: client.get(path, headers=headers), range(20)))
    made = [one for one in answers if one.status_code == 200]
    assert all(one.content.startswith(b"%PDF-") for one in made)
    told = [one for one in answers if one.status_code != 200]
    assert {(one.status_code, one.json()["code"]) for one in told} <= {(503, "printer-busy")}
    assert all(int(one.headers["retry-after"]) > 0 for one in told)
    assert len(made) >= 10  # all of them where the machine has nothing else to do


def test_a_printer_without_a_line_says_when_to_come_again(
    county_database: Database, tmp_path: Path
) -> None:
    limits = {"print_queue_limit": 0, "print_wait_s": 1, "refresh_interval_s": 3600}
    with serving(county_database, tmp_path, **limits) as client:
        plan, headers = started(client), client.by("planner")
        path = f"/api/plans/{plan}/report.pdf"
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: client.get(path, headers=headers), range(6)))
    told = [one for one in answers if one.status_code == 503]
    assert told
    assert all(one.headers["retry-after"] for one in told)
    assert {one.json()["code"] for one in told} == {"printer-busy"}


# ---- the listening itself


def answered(app: Any, messages: list[Message], scope: dict[str, Any] | None = None) -> list[Any]:
    """Run the middleware round an app over given messages, and return what the app noted."""
    noted: list[Any] = []
    coming = iter(messages)

    async def receive() -> Message:
        for message in coming:
            return message
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(_message: Message) -> None:
        return

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        noted.append(await app(receive))

    whole = {"type": "http", "method": "GET", "headers": [], **(scope or {})}
    asyncio.run(Leaving(inner)(whole, receive, send))
    return noted


NOTHING: Message = {"type": "http.request", "body": b"", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


async def two_messages(receive: Receive) -> tuple[str, str]:
    return (await receive())["type"], (await receive())["type"]


def test_the_app_hears_of_the_end_as_often_as_it_asks() -> None:
    async def app(receive: Receive) -> list[str]:
        return [(await receive())["type"] for _ in range(4)]

    (heard,) = answered(app, [NOTHING, GONE])
    assert heard == ["http.request", *["http.disconnect"] * 3]


def test_an_app_that_never_listens_knows_whether_its_asker_left() -> None:
    async def app(_receive: Receive) -> bool:
        own = asking()
        for _ in range(100):
            if own.has_left():
                break
            await asyncio.sleep(0.01)
        return own.has_left()

    assert answered(app, [NOTHING, GONE]) == [True]


def test_an_asker_who_stays_has_not_left() -> None:
    async def app(_receive: Receive) -> bool:
        await asyncio.sleep(0.05)
        return asking().has_left()

    assert answered(app, [NOTHING]) == [False]


@pytest.mark.parametrize(
    "scope", [{"method": "POST"}, {"method": "PUT"}, {"headers": [(b"content-length", b"3")]}]
)
def test_a_request_with_a_body_is_let_through_as_it_is(scope: dict[str, Any]) -> None:
    body: Message = {"type": "http.request", "body": b"abc", "more_body": False}
    assert answered(two_messages, [body, GONE], scope) == [("http.request", "http.disconnect")]


def test_without_a_request_nobody_leaves() -> None:
    assert not asking().has_left()
    own = Asking()
    own.leave()
    assert own.has_left()
