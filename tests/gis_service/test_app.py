"""The app as a whole: it starts, every route answers, every answer carries its headers."""

from __future__ import annotations

from tests.serving import Client


def test_health_asks_nobody_who_they_are(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_ready_names_the_schema(client: Client) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ready"


def test_every_layer_is_listed(client: Client) -> None:
    answer = client.get("/api/layers", headers=client.by("command"))
    assert answer.status_code == 200, answer.text
    assert {one["name"] for one in answer.json()} >= {"grids", "incidents", "workers"}


def test_the_wall_answers(client: Client) -> None:
    answer = client.get("/api/wall/610999", headers=client.by("command"))
    assert answer.status_code == 200, answer.text
    print(answer.json())


def test_at(client: Client) -> None:
    answer = client.get("/api/at?lon=108.303&lat=33.316", headers=client.by("command"))
    assert answer.status_code == 200, answer.text
    print(answer.json())


def test_items(client: Client) -> None:
    answer = client.get("/api/layers/grids/items?limit=3", headers=client.by("command"))
    assert answer.status_code == 200, answer.text


def test_a_tile(client: Client) -> None:
    answer = client.get("/tiles/grids,cameras/13/6560/3291", headers=client.by("command"))
    assert answer.status_code == 200, answer.text
    print(answer.headers, len(answer.content))


def test_page(client: Client) -> None:
    answer = client.get("/wall/610999", headers=client.by("command"))
    assert answer.status_code == 200, answer.text
    print(answer.headers, len(answer.content))


def test_post(own_client: Client) -> None:
    body = {
        "id": "00000000-0000-4000-8000-000000000001",
        "title": "噪声",
        "kind": "event",
        "category": "noise",
        "occurred_at": "2026-11-21T10:00:00+08:00",
        "lon": 108.303,
        "lat": 33.316,
    }
    for status in (201, 200):
        answer = own_client.post("/api/incidents", json=body, headers=own_client.by("command"))
        assert answer.status_code == status, answer.text
    answer = own_client.post(
        "/api/incidents", json=body | {"title": "x"}, headers=own_client.by("command")
    )
    assert answer.status_code == 409, answer.text
