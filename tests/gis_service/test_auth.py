"""Tokens: ours, whole and in time, or nobody is signed in."""

from __future__ import annotations

import string
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import create_engine, update
from starlette.requests import Request

from gis_service.auth import COOKIE, Signer, is_loopback, local_path, sign_in_key, token_of
from gis_service.database import Database
from grid_boundaries.actors import actor
from grid_boundaries.errors import Malformed, NotSignedIn
from tests.serving import Client, sqlalchemy_url

KEY = bytes(range(32))


def request_with(headers: dict[str, str], host: str = "127.0.0.1") -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (host, 1)})


def test_a_token_says_who_and_until_when() -> None:
    signed = Signer(KEY, 2).read(Signer(KEY, 2).token("chief"))
    assert signed.actor == "chief"
    left = signed.until - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsZWFkZXIifQ.", "é", "\ud83d",
        "a" * 10_000,
        URLSafeTimedSerializer(b"another key", salt="sign-in").dumps("leader"),
        URLSafeTimedSerializer(KEY, salt="another salt").dumps("leader"),
    ],
    ids=["empty", "word", "dots", "none", "accent", "surrogate", "long", "key", "salt"],
)  # fmt: skip
def test_a_token_of_others_is_none(token: str) -> None:
    with pytest.raises(NotSignedIn):
        Signer(KEY, 1).read(token)


LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def test_an_altered_token_is_none() -> None:
    token = Signer(KEY, 1).token("chief")
    for place in range(0, len(token), 3):
        # the highest bit of a letter: the lowest ones of a part's last letter say nothing
        at = LETTERS.find(token[place])
        other = LETTERS[at ^ 32] if at >= 0 else "A"
        with pytest.raises(NotSignedIn):
            Signer(KEY, 1).read(token[:place] + other + token[place + 1 :])


def test_a_token_runs_out() -> None:
    with pytest.raises(NotSignedIn):
        Signer(KEY, -1).read(Signer(KEY, 1).token("chief"))


def test_bearer_goes_before_the_cookie() -> None:
    both = {"Authorization": "Bearer one", "Cookie": f"{COOKIE}=two"}
    assert token_of(request_with(both)) == "one"
    assert token_of(request_with({"Cookie": f"{COOKIE}=two"})) == "two"
    with pytest.raises(NotSignedIn):
        token_of(request_with({"Authorization": "Basic abc"}))


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("::1", True), ("127.9.9.9", True), ("192.0.2.1", False), ("", False)],
)
def test_loopback_is_told_by_the_peer_alone(host: str, is_local: bool) -> None:
    lie = {"X-Forwarded-For": "127.0.0.1", "Host": "localhost"}
    assert is_loopback(request_with(lie, host)) is is_local


@pytest.mark.parametrize("goal", ["//e", "http://e", "e", "", "/\\e", "/\te", "\x00/"])
def test_going_on_stays_here(goal: str) -> None:
    with pytest.raises(Malformed):
        local_path(goal)


def test_the_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(sign_in_key(tmp_path / "data")), daemon=True)
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert len(set(keys)) == 1
    files = list((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["sign-in.key"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_a_blocked_actor_is_out_within_seconds(
    own_client: Client, county_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_service.access.FRESH_S", 0.0)
    assert own_client.get("/api/layers", headers=own_client.by("chief")).status_code == 200
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    with engine.begin() as connection:
        connection.execute(update(actor).where(actor.c.name == "chief").values(active=False))
    engine.dispose()
    answer = own_client.get("/api/layers", headers=own_client.by("chief"))
    assert (answer.status_code, answer.json()["code"]) == (401, "no-such-actor")


def test_a_token_of_nobody_known_is_refused(client: Client) -> None:
    assert client.get("/api/layers", headers=client.by("stranger")).status_code == 401
