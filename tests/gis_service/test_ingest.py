"""What is sent in: stored once, located, refused with the place of the fault."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, select, text

from gis_service.database import Database
from layers.incidents import incident
from layers.postings import position
from layers.visits import visit
from layers.workers import worker
from tests.county import COUNTY_PATH, SOUTH, VILLAGES, WEST, WIDTH_DEG, path_of
from tests.serving import Client, sqlalchemy_url

LON, LAT = WEST + WIDTH_DEG / 2, SOUTH + 0.005  # the middle of block B000009
Send = Callable[..., httpx.Response]


def now() -> str:
    return datetime.now(UTC).isoformat()


def an_incident(**changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "title": "夜间施工噪声", "kind": "event", "category": "noise",
        "urgency": "yellow", "occurred_at": now(), "lon": LON, "lat": LAT, **changed,
    }  # fmt: skip


def a_position(**changed: Any) -> dict[str, Any]:
    whole = {"id": str(uuid.uuid4()), "worker_id": "W000009", "located_at": now()}
    return {**whole, "lon": LON, "lat": LAT, **changed}


def a_visit(**changed: Any) -> dict[str, Any]:
    whole = {"id": str(uuid.uuid4()), "worker_id": "W000009", "kind": "no_incident"}
    return {**whole, "visited_at": now(), "lon": LON, "lat": LAT, **changed}


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


def row_of(engine: Engine, table: Any, key: str) -> Any:
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        return connection.execute(select(table).where(table.c.id == key)).one_or_none()


def send(
    client: Client, body: Any, *, to: str = "incidents", role: str = "integration"
) -> httpx.Response:
    return client.post(f"/api/{to}", json=body, headers=client.by(role))


def send_raw(client: Client, body: bytes, to: str = "incidents", **headers: str) -> httpx.Response:
    all_headers = client.by("integration") | {"Content-Type": "application/json"} | headers
    return client.post(f"/api/{to}", content=body, headers=all_headers)


def test_an_incident_is_stored_where_it_lies(own_client: Client, engine: Engine) -> None:
    body = an_incident()
    answer = send(own_client, body)
    assert answer.status_code == 201
    assert answer.json() == {"results": [{"id": body["id"], "status": "stored"}]}
    row = row_of(engine, incident, body["id"])
    assert (row.unit_path, row.block_id, row.placed) == (path_of(VILLAGES[0]), "B000009", "inside")
    assert (row.state, row.reported_by, row.name) == ("reported", "integration", "夜间施工噪声")
    assert row.due_at - row.reported_at == timedelta(hours=24)


def test_sent_again_it_is_already_there(own_client: Client) -> None:
    body = an_incident()
    statuses = [send(own_client, body).status_code for _ in range(3)]
    assert statuses == [201, 200, 200]
    # the same content in another spelling is the same content
    shuffled = json.dumps(dict(reversed(body.items())), ensure_ascii=True, indent=3).encode()
    assert send_raw(own_client, shuffled).status_code == 200


def test_the_same_id_with_another_body_is_a_conflict(own_client: Client, engine: Engine) -> None:
    body = an_incident()
    send(own_client, body)
    answer = send(own_client, body | {"title": "别的"})
    assert (answer.status_code, answer.json()["code"]) == (409, "id-taken")
    assert answer.json()["where"] == {"id": body["id"]}
    assert row_of(engine, incident, body["id"]).name == body["title"]


def test_each_item_of_a_batch_has_its_own_verdict(own_client: Client) -> None:
    good, taken = an_incident(), an_incident()
    send(own_client, taken)
    batch = [good, good, taken, taken | {"title": "x"}, an_incident(lon=0.0), {"id": 7}, None]
    answer = send(own_client, {"items": batch})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [
        "stored", "already", "already", "rejected", "rejected", "rejected", "rejected",
    ]  # fmt: skip
    codes = [one["problem"]["code"] for one in results[3:]]
    assert codes == ["id-taken", "outside-county", "bad-field", "bad-field"]
    assert all(one["problem"]["zh"] and one["problem"]["en"] for one in results[3:])


def test_an_empty_batch_is_nothing(own_client: Client) -> None:
    assert send(own_client, {"items": []}).json() == {"results": []}


def test_too_many_at_once_are_refused(client: Client) -> None:
    assert send(client, {"items": [{}] * 1001}).status_code == 413


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "a\x00b"}, "title"), ({"title": ""}, "title"), ({"title": "长" * 201}, "title"),
        ({"title": 7}, "title"), ({"kind": "murder"}, "kind"), ({"lon": "108.3"}, "lon"),
        ({"lat": True}, "lat"), ({"lat": None}, "lat"),
        ({"occurred_at": 1700000000}, "occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"), ({"id": "1"}, "id"),
        ({"role": "leader"}, "role"), ({"unit_path": "/"}, "unit_path"), ({"number": 1}, "number"),
        ({"created_by": "x"}, "created_by"), ({"occurred_at": "soon"}, "occurred_at"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named(
    client: Client, changed: dict[str, Any], field: str
) -> None:
    answer = send(client, an_incident(**changed))
    assert answer.status_code == 422
    assert answer.json()["where"]["faults"][0]["field"] == [field]


def test_a_lone_surrogate_is_refused_by_name(client: Client) -> None:
    body = json.dumps(an_incident(title="X")).replace('"X"', '"\\ud83d"')
    answer = send_raw(client, body.encode())
    assert answer.status_code == 422
    assert answer.json()["where"]["faults"][0]["field"] == ["title"]


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (999.0, LAT, "outside-county"),
        (LON, 95.0, "outside-county"),
        (LAT, LON, "looks-swapped"),
        (180.0, 0.0, "outside-county"),
        (0.0, 90.0, "outside-county"),
        (0.0, 0.0, "outside-county"),
        (1e300, 1e300, "outside-county"),
        (LON, SOUTH - 0.001, "outside-county"),
    ],
)
def test_a_point_outside_the_county_is_refused(
    client: Client, lon: float, lat: float, code: str
) -> None:
    answer = send(client, an_incident(lon=lon, lat=lat))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_point_within_a_metre_of_the_county_is_taken(own_client: Client, engine: Engine) -> None:
    body = an_incident(lat=SOUTH - 0.000005)
    assert send(own_client, body).status_code == 201
    assert row_of(engine, incident, body["id"]).placed == "near"


def test_a_point_on_a_border_belongs_to_the_lowest_block(
    own_client: Client, engine: Engine
) -> None:
    body = an_incident(lon=round(WEST + WIDTH_DEG, 7), lat=SOUTH + 0.005)
    send(own_client, body)
    assert row_of(engine, incident, body["id"]).block_id in {"B000009", "B000010"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"),
        b"\xff\xfe", b'{"lon": NaN}', b'{"lon": -Infinity}', b'{"id":"a","id":"b"}',
        b"[" * 100_000, b'{"a":' * 100_000, b'{"lon": ' + b"1" * 5000 + b"}", b'{"items": 3}',
    ],
)  # fmt: skip
def test_json_that_is_none_is_refused(client: Client, body: bytes) -> None:
    answer = send_raw(client, body)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_number_beyond_all_bounds_is_refused(client: Client) -> None:
    body = json.dumps(an_incident(lon=7.5)).replace("7.5", "1e400")
    assert send_raw(client, body.encode()).status_code == 422


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_wrong_clock_is_refused(client: Client, year: int) -> None:
    answer = send(client, an_incident(occurred_at=f"{year}-01-01T00:00:00+08:00"))
    assert (answer.status_code, answer.json()["code"]) == (422, "clock-wrong")


def test_what_is_no_json_is_refused(client: Client) -> None:
    body = json.dumps(an_incident()).encode()
    assert send_raw(client, body, **{"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_site_cannot_send_for_a_signed_in_browser(
    client: Client, headers: dict[str, str]
) -> None:
    answer = send_raw(client, json.dumps(an_incident()).encode(), **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "other-origin")


@pytest.mark.parametrize("role", ["leader", "planner", "auditor", "cadre", "department"])
def test_without_the_right_nothing_is_taken(client: Client, role: str) -> None:
    assert send(client, an_incident(), role=role).status_code == 403


def test_nobody_reports_outside_their_area(client: Client) -> None:
    elsewhere = an_incident(lon=WEST + 7.5 * WIDTH_DEG)
    answer = send(client, elsewhere, role="chief")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-area")


def test_an_id_of_another_area_is_not_told_about(own_client: Client) -> None:
    body = an_incident(lon=WEST + 7.5 * WIDTH_DEG)
    send(own_client, body)
    answer = send(own_client, an_incident(id=body["id"]), role="chief")
    assert answer.status_code == 409
    assert set(answer.json()["where"]) == {"id"}


def test_a_position_moves_its_worker(own_client: Client, engine: Engine) -> None:
    body = a_position(lon=LON + WIDTH_DEG)
    assert send(own_client, body, to="positions", role="worker").status_code == 201
    row = row_of(engine, worker, "W000009")
    assert (row.block_id, row.on_duty) == ("B000010", True)
    assert row_of(engine, position, body["id"]).unit_path == path_of(VILLAGES[0])


def test_a_late_position_is_kept_and_moves_nobody(own_client: Client, engine: Engine) -> None:
    newest = a_position(lon=LON + WIDTH_DEG)
    late = a_position(located_at=(datetime.now(UTC) - timedelta(hours=70)).isoformat())
    send(own_client, {"items": [newest, late]}, to="positions", role="worker")
    later = a_position(located_at=(datetime.now(UTC) - timedelta(hours=60)).isoformat())
    assert send(own_client, later, to="positions", role="worker").status_code == 201
    assert row_of(engine, worker, "W000009").block_id == "B000010"
    assert row_of(engine, position, late["id"]) is not None


def test_going_off_duty_hides_the_worker(own_client: Client, engine: Engine) -> None:
    send(own_client, a_position(on_duty=False), to="positions", role="worker")
    assert row_of(engine, worker, "W000009").on_duty is False
    listed = own_client.get("/api/layers/workers/items", headers=own_client.by("command"))
    assert "W000009" not in {one["id"] for one in listed.json()["features"]}


def test_a_worker_may_walk_out_of_the_own_village(own_client: Client, engine: Engine) -> None:
    body = a_position(lon=WEST + 7.5 * WIDTH_DEG)
    assert send(own_client, body, to="positions", role="worker").status_code == 201
    assert row_of(engine, worker, "W000009").unit_path == path_of(VILLAGES[2])


@pytest.mark.parametrize("to", ["positions", "visits"])
@pytest.mark.parametrize(
    ("role", "worker_id"),
    [("worker", "W000010"), ("worker", "W000001"), ("chief", "W000001"), ("integration", "W9")],
)
def test_nobody_reports_for_a_stranger(client: Client, to: str, role: str, worker_id: str) -> None:
    body = (a_position if to == "positions" else a_visit)(worker_id=worker_id)
    answer = send(client, body, to=to, role=role)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-worker")


def test_a_visit_is_stored(own_client: Client, engine: Engine) -> None:
    body = a_visit(household_id="F0091", result="今日巡查无事件")
    assert send(own_client, body, to="visits", role="worker").status_code == 201
    row = row_of(engine, visit, body["id"])
    assert (row.worker_id, row.result, row.household_id) == ("W000009", "今日巡查无事件", "F0091")


def test_texts_come_back_byte_for_byte(own_client: Client) -> None:
    titles = [
        "{{7*7}}", "{% raw", "<img src=x onerror=alert(1)>", "</script><script>", "' OR 1=1--",
        "${7*7}`\\\u2028\"'", "a\u202eb\u200bc", "𠮷野家🀄", "%_\\%", "=HYPERLINK(1)",
    ]  # fmt: skip
    for title in titles:
        body = an_incident(title=title)
        assert send(own_client, body).status_code == 201
        kept = own_client.get(
            f"/api/layers/incidents/items/{body['id']}", headers=own_client.by("command")
        )
        assert kept.json()["properties"]["name"] == title


def test_no_answer_names_a_table_or_a_path(client: Client) -> None:
    answers = [
        send(client, an_incident(title="a\x00")), send_raw(client, b"{"),
        client.get("/api/layers/grids/items/%00", headers=client.by("command")),
        client.get("/api/layers/grids/items?bbox=1,2", headers=client.by("command")),
    ]  # fmt: skip
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert not any(word in answer.text for word in ("select ", "Traceback", ".py", "psycopg"))


def test_county_path_is_where_no_village_is(own_client: Client, engine: Engine) -> None:
    body = an_incident(lat=SOUTH - 0.000005, lon=LON)
    send(own_client, body)
    assert row_of(engine, incident, body["id"]).unit_path.startswith(COUNTY_PATH)
