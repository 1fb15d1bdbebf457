"""The app as a whole: it starts, its doors open, every answer carries its headers."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import create_engine, update

from gis_service.access import RIGHTS_OF_ROLE
from gis_service.database import Database
from gis_service.guards import HEADERS
from grid_boundaries.store import county
from map_ui.texts import text
from tests.county import COUNTY, ROLES
from tests.serving import Client, sqlalchemy_url

PATHS = (
    "/", "/licences", "/health", "/ready", "/metrics", "/api/layers", f"/api/wall/{COUNTY}",
    "/tiles/grids/13/6560/3291", "/nowhere", "/api/openapi.json",
)  # fmt: skip


def test_health_asks_nobody_who_they_are(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_ready_means_schema_and_county(client: Client) -> None:
    assert client.get("/ready").json()["status"] == "ready"


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    answer = client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", ["/api/layers", f"/api/wall/{COUNTY}", "/api/events", "/tiles/grids/13/6560/3291"]
)
def test_nobody_gets_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-signed-in"


def test_a_page_sends_who_is_not_signed_in_to_the_first_page(client: Client) -> None:
    answer = client.get(f"/wall/{COUNTY}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?next=/wall/{COUNTY}")


def test_the_wall_page_is_small_and_holds_no_data(client: Client) -> None:
    answer = client.get(f"/wall/{COUNTY}", headers=client.by("command"))
    assert answer.status_code == 200
    assert len(answer.content) < 20_000
    assert "试县" not in answer.text


def test_a_page_that_the_browser_holds_is_not_sent_again(client: Client) -> None:
    first = client.get(f"/wall/{COUNTY}", headers=client.by("command"))
    known = {"If-None-Match": f"W/{first.headers['etag']}"}
    assert client.get(f"/wall/{COUNTY}", headers=client.by("command") | known).status_code == 304


def test_the_wall_of_no_unit_says_so_on_the_page_and_in_its_status(client: Client) -> None:
    answer = client.get("/wall/999999", headers=client.by("command"))
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert answer.headers["content-type"].startswith("text/html")


def test_every_file_that_the_wall_names_is_there(client: Client) -> None:
    page = client.get(f"/wall/{COUNTY}", headers=client.by("command")).text
    # what npm installs is tested where it is installed
    names = [part.split('"')[0] for part in page.split('="')[1:] if part.startswith("/static/")]
    names = [name for name in names if "/vendor/" not in name]
    answers = [client.get(name) for name in names]
    assert names
    assert [answer.status_code for answer in answers] == [200] * len(names)
    assert all("immutable" in answer.headers["cache-control"] for answer in answers)


@pytest.mark.parametrize(
    "path",
    [
        "/static/00000000/js/wall.js", "/static/00000000/../../pyproject.toml",
        "/static/00000000/%2e%2e%2f%2e%2e%2fpyproject.toml", "/static/x/", "/api/layers/../../etc",
        "/api/layers/%2e%2e%2f%2e%2e%2fsecret/items",
    ],
)  # fmt: skip
def test_no_path_climbs_out(client: Client, path: str) -> None:
    with httpx.Client(base_url=client.base_url) as plain:
        answer = plain.get(path, headers=client.by("command"))
    assert answer.status_code == 404
    assert "toml" not in answer.text


def test_the_first_page_of_a_real_county_signs_nobody_in(client: Client) -> None:
    assert "/sign-in/" not in client.get("/").text


@pytest.fixture
def demo_client(own_client: Client, county_database: Database) -> Client:
    owner = create_engine(sqlalchemy_url(county_database.url))
    with owner.begin() as connection:
        connection.execute(update(county).values(dataset="demo"))
    owner.dispose()
    return own_client


def test_in_the_demo_a_newcomer_clicks_through_to_the_wall(demo_client: Client) -> None:
    page = demo_client.get("/")
    assert page.headers["cache-control"] == "no-store"
    links = [part.split('"')[0] for part in page.text.split('href="') if "/sign-in/" in part]
    assert len(links) == len(ROLES)
    answer = demo_client.get(links[0].replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/wall/{COUNTY}")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert demo_client.get(f"/wall/{COUNTY}").status_code == 200


@pytest.mark.parametrize(
    "goal", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "evil"]
)
def test_signing_in_leads_nowhere_else(client: Client, goal: str) -> None:
    token = client.by("command")["Authorization"].removeprefix("Bearer ")
    answer = client.get(f"/sign-in/{token}", params={"next": goal})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-next")


def test_no_route_of_the_api_documentation_loads_from_elsewhere(client: Client) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize("role", RIGHTS_OF_ROLE)
def test_every_role_has_a_name_on_the_first_page(role: str) -> None:
    assert {text(language, f"role.{role}") for language in ("zh", "en")} - {""}
