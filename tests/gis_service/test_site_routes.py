"""Next sites and service posts through HTTP, worked out by hand on the made-up county."""

from __future__ import annotations

from typing import Any

from tests.serving import Client

NEXT, POSTS = "/api/coverage/next-sites", "/api/coverage/posts"


def ask(client: Client, way: str, role: str = "command", **asked: Any) -> Any:
    answer = client.post(way, json=asked, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_first(client: Client) -> None:
    found = ask(client, NEXT, sites=3, range_m=150.0, field_of_view_deg=360.0)
    print(found)
    found = ask(client, POSTS, sites=3, goal="nearest")
    print(found)
