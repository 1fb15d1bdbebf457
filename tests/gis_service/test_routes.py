"""Laws that hold on every route, whatever it is for: taken from the app's own list of routes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import create_engine, insert

from gis_service.app import ROUTERS, create_app
from gis_service.database import Database
from gis_service.guards import HEADERS
from gis_service.plan_requests import Drawing, Merging
from gis_service.routes.bodies import schema_of
from gis_service.settings import Settings
from grid_boundaries.actors import actor
from tests.conftest import Server
from tests.county import COUNTY, COUNTY_PATH, ROLES
from tests.serving import Client, serving, sqlalchemy_url

GIVEN = {
    "unit": COUNTY,
    "name": "grids",
    "key": "none",
    "what": "people",
    "plan": "1",
    "number": "1",
    "token": "none",
    "sha8": "00000000",
    "path:path": "js/none.js",
}
# the only doors that are open to whoever comes by
OPEN = {"/", "/licences", "/health", "/ready", "/sign-in/{token}", "/static/{sha8}/{path:path}"}
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
OFFERED: dict[str, set[str]] = {}
for one in ROUTES:
    OFFERED.setdefault(one.path, set()).update(one.methods or ())
PATHS = sorted(OFFERED)
READ = [path for path in PATHS if "GET" in OFFERED[path]]
STREAM = "/api/events"
WORDS = (
    "' OR 1=1--", "1;drop table grid", "%", "_", "%00", "\x00", "(a+)+$", "长" * 3000, "\u202e",
    "{{7*7}}", "${7*7}", "../../etc/passwd", "=HYPERLINK(1)", "1e400", "NaN", "-1", "0", "9" * 400,
    "2026-02-30", "0001-01-01", "9999-12-31", "true", "[]", "", " ", "\ud83d",
)  # fmt: skip


def address(path: str, **given: str) -> str:
    """Return a route's path with something in each of its places."""
    values = GIVEN | given
    return re.sub(r"\{([^}]+)\}", lambda found: values.get(found[1], "none"), path)


def is_plain(answer: httpx.Response) -> bool:
    """Say whether an answer tells nothing of the service's inside."""
    inside = ("Traceback", "psycopg", "sqlalchemy", "site-packages", 'File "', "select ")
    return not any(word in answer.text for word in inside)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_sign_in_only_the_open_doors_open(client: Client, path: str) -> None:
    # only this machine may look at the figures unsigned, so the figures are asked for by name
    lies = {"Host": "gis.county"}
    for method in OFFERED[path]:
        answer = client.request(method, address(path), headers=lies)
        if path in OPEN:
            assert answer.status_code in {200, 401, 403, 404}
        elif path.startswith("/api") or path == "/metrics":
            assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code in {303, 401}


@pytest.mark.parametrize(
    "token",
    ["x", "x.y.z", "ImxlYWRlciI.AAAAAA.AAAA", "é", "x" * 600,
     "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsZWFkZXIifQ.", "null", "../../key", "' or 1=1--"],
)  # fmt: skip
@pytest.mark.parametrize("carrier", ["Bearer", "cookie", "Basic"])
def test_a_token_that_is_not_ours_opens_nothing(client: Client, token: str, carrier: str) -> None:
    name, value = ("Cookie", "gis_session=") if carrier == "cookie" else ("Authorization", carrier)
    gap = "" if carrier == "cookie" else " "
    headers = {name.encode(): f"{value}{gap}{token}".encode("latin-1")}
    for path in ("/api/layers", "/api/at?lon=1&lat=1", "/tiles/grids/1/0/0", STREAM):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_a_route_does_not_have_is_405_and_names_those_it_has(
    client: Client, path: str
) -> None:
    for method in set(METHODS) - OFFERED[path]:
        answer = client.request(method, address(path), headers=client.by("command"))
        if answer.status_code in {404, 422}:
            continue  # another route's pattern took the address
        assert answer.status_code == 405
        assert answer.json()["code"] == "method-not-allowed"
        allowed = set(answer.headers["allow"].split(", "))
        assert allowed & OFFERED[path]
        assert ("HEAD" in allowed) == ("GET" in allowed)


@pytest.mark.parametrize("role", ["command", "nobody"])
@pytest.mark.parametrize("path", [path for path in READ if path != STREAM])
def test_head_is_answered_as_get_is_without_the_body(client: Client, path: str, role: str) -> None:
    headers = client.by("command") if role == "command" else {}
    get = client.get(address(path), headers=headers)
    head = client.head(address(path), headers=headers)
    assert (head.status_code, head.content) == (get.status_code, b"")
    passing = {"x-request-id", "date"} | (
        {"content-length"} if path in {"/metrics", "/api/wall/{unit}"} else set()
    )
    same = {name: value for name, value in get.headers.items() if name not in passing}
    assert {name: head.headers.get(name) for name in same} == same


def test_head_of_a_static_file_and_of_a_tile_tells_their_length(client: Client) -> None:
    page = client.get(f"/wall/{COUNTY}", headers=client.by("command")).text
    (file,) = (part.split('"')[0] for part in page.split('href="') if "icon.svg" in part)
    for path in (file, "/tiles/grids/13/6560/3291"):
        head = client.head(path, headers=client.by("command"))
        assert (head.status_code, head.content) == (200, b"")
        raw = client.get(path, headers=client.by("command"))
        assert head.headers["content-length"] == raw.headers["content-length"]


def test_head_of_the_event_stream_ends_and_leaves_no_stream_open(client: Client) -> None:
    head = client.head(STREAM, headers=client.by("command"))
    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    ends_at = time.monotonic() + 60
    while "gis_event_streams 0.0" not in client.get("/metrics").text:
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_head_of_what_is_only_sent_in_is_refused(client: Client) -> None:
    answer = client.head("/api/incidents", headers=client.by("integration"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_head_keeps_the_connection_in_step(client: Client) -> None:
    headers = client.by("command")
    for _ in range(3):  # a body left on the wire would be read as the next answer
        assert client.head("/api/layers", headers=headers).content == b""
        assert client.get("/health").json() == {"status": "ok"}


def parameters() -> Iterator[tuple[str, str, str]]:
    """Yield path, place and name of every parameter that a read route takes."""
    document = create_app(Settings()).openapi()
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            yield path, parameter["in"], parameter["name"]


def asked(client: Client, path: str, place: str, name: str, word: str) -> httpx.Response:
    text = word.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in text)
    where = address(path, **({name: quoted} if place == "path" else {}))
    rest = {"lon": "108.3", "lat": "33.3"} if path == "/api/at" else {}
    rest.pop(name, None)
    query = "&".join([f"{key}={value}" for key, value in rest.items()])
    own = f"{name}={quoted}&" if place == "query" else ""
    return client.get(f"{where}?{own}{query}", headers=client.by("command"))


@pytest.mark.parametrize(
    ("path", "place", "name"), [one for one in parameters() if one[0] != STREAM]
)
def test_no_value_of_any_parameter_breaks_a_route(
    client: Client, path: str, place: str, name: str
) -> None:
    for word in WORDS:
        answer = asked(client, path, place, name, word)
        assert answer.status_code in {200, 400, 403, 404, 405, 422}, (word, answer.text)
        assert is_plain(answer)
        if answer.status_code >= 400 and path.startswith("/api"):
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("unit", [word for word in WORDS if word])
def test_no_unit_that_is_none_gets_a_stream(client: Client, unit: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in unit.encode("utf-8", "surrogatepass"))
    answer = client.get(f"{STREAM}?unit={quoted}", headers=client.by("command"))
    assert answer.status_code in {400, 404, 422}
    assert is_plain(answer)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", [path for path in READ if path != STREAM])
def test_every_role_gets_a_plain_answer_on_every_read(client: Client, path: str, role: str) -> None:
    rest = "?lon=108.3&lat=33.3" if path == "/api/at" else ""
    answer = client.get(address(path) + rest, headers=client.by(role))
    assert answer.status_code in {200, 401, 403, 404}
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert is_plain(answer)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b'"x"', b"{}", b'{"items":{}}', b"\xff", b"NaN"]
)
@pytest.mark.parametrize("path", [path for path in PATHS if "POST" in OFFERED[path]])
def test_no_body_breaks_a_route_that_takes_one(client: Client, path: str, body: bytes) -> None:
    headers = client.by("integration") | {"Content-Type": "application/json"}
    answer = client.post(address(path), content=body, headers=headers)
    assert answer.status_code in {400, 403, 404, 409, 415, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert is_plain(answer)


@pytest.mark.parametrize("kind", ["incidents", "visits", "positions"])
@pytest.mark.parametrize("role", ROLES)
def test_only_roles_that_may_send_in_are_heard(client: Client, role: str, kind: str) -> None:
    may = role in {"command", "town_centre", "village_centre", "chief", "worker", "integration"}
    answer = client.post(f"/api/{kind}", json={"items": []}, headers=client.by(role))
    assert answer.status_code == (200 if may else 403)


@pytest.fixture(scope="module")
def bare(server: Server, template: str, tmp_path_factory: Any) -> Iterator[Client]:
    """A client of a service over a database without a county, which knows two actors."""
    name = f"{template}_bare"
    server.ensure_database(name, template=template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    owner = create_engine(sqlalchemy_url(database.owner_url))
    with owner.begin() as connection:
        rows = [("command", [COUNTY_PATH]), ("chief", [])]
        connection.execute(
            insert(actor),
            [
                {"name": role, "role": role, "scope": scope, "title_zh": role, "title_en": role}
                for role, scope in rows
            ],
        )
    owner.dispose()
    with ExitStack() as stack:
        stack.callback(server.drop_database, name)
        yield stack.enter_context(serving(database, tmp_path_factory.mktemp("bare")))


@pytest.mark.parametrize("role", ["command", "chief"])
@pytest.mark.parametrize("path", READ)
def test_a_database_without_a_county_is_no_fault(bare: Client, path: str, role: str) -> None:
    rest = "?lon=108.3&lat=33.3" if path == "/api/at" else ""
    with bare.stream("GET", address(path) + rest, headers=bare.by(role)) as answer:
        assert answer.status_code in {200, 401, 403, 404, 503}
        if path != STREAM:
            answer.read()
            assert is_plain(answer)


def test_a_database_without_a_county_takes_no_report_and_is_not_ready(bare: Client) -> None:
    ready = bare.get("/ready")
    assert (ready.status_code, ready.json()["code"]) == (503, "no-county")
    assert ready.headers["retry-after"]
    report = {
        "id": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "title": "x", "kind": "event",
        "category": "x", "lon": 108.3, "lat": 33.3, "occurred_at": "2026-11-22T10:00:00+08:00",
    }  # fmt: skip
    answer = bare.post("/api/incidents", json=report, headers=bare.by("command"))
    assert answer.status_code in {404, 422, 503}
    assert is_plain(answer)


def test_every_body_that_a_route_takes_is_described() -> None:
    document = create_app(Settings()).openapi()
    posts = {path: ways["post"] for path, ways in document["paths"].items() if "post" in ways}
    assert len(posts) > 15
    assert [path for path, way in posts.items() if "requestBody" not in way] == []
    for way in posts.values():  # a part elsewhere would be looked for at the document's root
        assert "#/$defs" not in json.dumps(way)


def test_a_stroke_is_described_by_all_its_kinds() -> None:
    drawing = schema_of(Drawing)
    kinds = [one["properties"]["kind"]["const"] for one in drawing["properties"]["stroke"]["oneOf"]]
    assert {"move", "merge", "split", "create", "retire", "carve", "declare"} <= set(kinds)
    assert len(kinds) == len(set(kinds))
    assert "from" in schema_of(Merging)["properties"]
