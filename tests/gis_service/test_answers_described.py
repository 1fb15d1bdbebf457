"""The description of the API says of every answer what kind of content it is."""

from __future__ import annotations

from typing import Any

import pytest

from gis_service.app import create_app
from gis_service.routes.bodies import gives
from gis_service.settings import Settings
from grid_boundaries.exchange.files import MEDIA
from tests.gis_service.test_plans import started
from tests.serving import Client

# where files come in and go out
FILES = ("/api/plans", "/api/grids", "/api/imports", "/api/layers", "/api/blocks", "/api/events",
         "/api/incidents", "/api/visits", "/api/positions", "/public", "/metrics",
         "/api/coverage/next-sites", "/api/coverage/posts")  # fmt: skip
METHODS = ("get", "post", "put", "patch", "delete")
WITHOUT_BODY = {"204", "304"}


def answers() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return every answer of these that is no refusal, by method, path and status."""
    paths = create_app(Settings()).openapi()["paths"]
    return {
        (method, path, status): answer
        for path, ways in paths.items()
        if path.startswith(FILES)
        for method in METHODS
        if method in ways
        for status, answer in ways[method]["responses"].items()
        if status[0] == "2"
    }


ANSWERS = answers()


def kinds(path: str, method: str = "get", status: str = "200") -> set[str]:
    return set(ANSWERS[method, path, status].get("content", {}))


def test_every_answer_with_a_body_says_of_what_kind_it_is() -> None:
    bare = [key for key, answer in ANSWERS.items()
            if key[2] not in WITHOUT_BODY and not answer.get("content")]  # fmt: skip
    assert bare == []
    for key, answer in ANSWERS.items():
        for kind, content in answer.get("content", {}).items():
            assert "schema" in content, (key, kind)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/plans/{plan}/report.pdf", "application/pdf"),
        ("/public/{village}/map.pdf", "application/pdf"),
        ("/api/imports/{number}/findings", "application/geo+json"),
        ("/api/imports/{number}/preview", "application/geo+json"),
        ("/api/layers/{name}/items", "application/geo+json"),
        ("/api/grids", "application/geo+json"),
        ("/api/events", "text/event-stream"),
    ],
)
def test_a_file_is_no_json(path: str, kind: str) -> None:
    assert kinds(path) == {kind}


def test_lists_come_as_json_or_as_a_table() -> None:
    assert kinds("/api/plans/{plan}/handover") == {"application/json", "text/csv"}


@pytest.mark.parametrize("path", ["/api/coverage/next-sites", "/api/coverage/posts"])
def test_sites_come_as_json_a_table_points_or_step_by_step(path: str) -> None:
    assert kinds(path, "post") == {
        "application/json", "text/csv", "application/geo+json", "text/event-stream",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/api/plans/{plan}/export", "/api/grids/export"])
def test_an_export_is_of_every_kind_that_is_written(path: str) -> None:
    assert kinds(path) == set(MEDIA.values())
    assert "application/geopackage+sqlite3" in kinds(path)


def test_a_first_cut_is_shown_or_made() -> None:
    assert kinds("/api/blocks/cut", "post") == {"application/geo+json"}
    assert kinds("/api/blocks/cut", "post", "201") == {"application/json"}


def test_what_is_not_json_is_described_as_bytes_of_its_kind() -> None:
    found = gives("application/pdf", "application/geo+json", status=201)
    assert set(found) == {201}
    assert found[201]["content"] == {
        "application/pdf": {"schema": {"type": "string", "contentMediaType": "application/pdf"}},
        "application/geo+json": {"schema": {"type": "object"}},
    }


def test_what_is_described_is_what_comes(own_client: Client) -> None:
    plan = started(own_client)
    for path, query in (
        ("/api/plans/{plan}/handover", "?format=csv"),
        ("/api/plans/{plan}/handover", "?format=json"),
        *(("/api/plans/{plan}/export", f"?format={kind}") for kind in MEDIA),
        ("/api/grids", ""),
    ):
        address = path.format(plan=plan) + query
        answer = own_client.get(address, headers=own_client.by("planner"))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] in kinds(path)
