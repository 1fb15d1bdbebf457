"""Alerts through the API: who sees them, who may act, one after another and each step kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, func, select, update

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from grid_boundaries.outbox import outbox
from layers.alerts.tables import alert
from tests.county import COUNTY_PATH, VILLAGES, blocks, path_of
from tests.serving import Client, sqlalchemy_url

ALERT = f"grid:{blocks()[8].grid}:2026-03-01"
HERE = f"/api/alerts/{ALERT}"
ACTING = ("command", "town_centre", "village_centre", "chief", "worker")
LOOKING = (*ACTING, "leader", "department", "cadre")
BLIND = ("planner", "approver", "auditor", "integration")


def sent(client: Client, step: str, role: str = "worker", **body: Any) -> httpx.Response:
    return client.post(f"{HERE}/{step}", json=body, headers=client.by(role))


def acknowledged(client: Client) -> None:
    assert sent(client, "acknowledge", base_version=1).status_code == 200


@pytest.mark.parametrize("role", LOOKING)
def test_who_sees_incidents_sees_the_alerts_of_their_area(client: Client, role: str) -> None:
    answer = client.get("/api/alerts", headers=client.by(role)).json()
    assert [one["id"] for one in answer["alerts"]] == [ALERT]
    assert answer["counts"]["raised"] == 1
    assert answer["may_act"] == (role in ACTING)


@pytest.mark.parametrize("role", BLIND)
@pytest.mark.parametrize("way", ["/api/alerts", HERE])
def test_who_sees_no_incidents_sees_no_alerts(client: Client, role: str, way: str) -> None:
    answer = client.get(way, headers=client.by(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize("role", [*BLIND, "leader", "department", "cadre"])
@pytest.mark.parametrize("step", ["acknowledge", "measure"])
def test_who_has_no_right_to_act_does_not(client: Client, role: str, step: str) -> None:
    answer = sent(client, step, role, base_version=1, text="巡查")
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


def test_a_state_is_asked_for_by_name(client: Client) -> None:
    for state, many in (("raised", 1), ("closed", 0), ("held", 0)):
        answer = client.get(f"/api/alerts?state={state}", headers=client.by("command"))
        assert len(answer.json()["alerts"]) == many
    assert client.get("/api/alerts?state=x", headers=client.by("command")).status_code in {400, 422}


def test_an_alert_goes_through_its_life(own_client: Client) -> None:
    first = sent(own_client, "acknowledge", base_version=1).json()
    assert (first["state"], first["version"], first["acknowledged_by"]) == (
        "acknowledged", 2, "worker"
    )  # fmt: skip
    then = sent(own_client, "measure", "chief", base_version=2, text="增加夜间巡查").json()
    assert (then["state"], then["measure"], then["measured_by"]) == (
        "measured", "增加夜间巡查", "chief"
    )  # fmt: skip
    whole = own_client.get(HERE, headers=own_client.by("command")).json()
    assert [(one["state"], one["actor"], one["note"]) for one in whole["steps"]] == [
        ("acknowledged", "worker", None),
        ("measured", "chief", "增加夜间巡查"),
    ]


def test_who_has_seen_another_version_is_told_so(own_client: Client) -> None:
    acknowledged(own_client)
    answer = sent(own_client, "measure", base_version=1, text="巡查")
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-changed")
    assert answer.json()["where"] == {"version": 2, "state": "acknowledged"}


@pytest.mark.parametrize(
    ("step", "version"), [("measure", 1), ("acknowledge", 2)], ids=["too early", "twice"]
)
def test_a_step_that_does_not_follow_is_refused(
    own_client: Client, step: str, version: int
) -> None:
    if version == 2:
        acknowledged(own_client)
    answer = sent(own_client, step, base_version=version, **_text(step))
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-state")


def _text(step: str) -> dict[str, str]:
    return {"text": "巡查"} if step == "measure" else {}


def test_of_many_at_once_one_acknowledges(own_client: Client) -> None:
    def go(role: str) -> int:
        return sent(own_client, "acknowledge", role, base_version=1).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, ACTING * 3))
    assert sorted(answers) == [200] + [409] * (len(answers) - 1)
    whole = own_client.get(HERE, headers=own_client.by("command")).json()
    assert (whole["version"], len(whole["steps"])) == (2, 1)


def moved(database: Database, path: str) -> None:
    """Put the alert into another village."""
    engine = create_engine(sqlalchemy_url(database.url))
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(alert).values(unit_path=path))
    engine.dispose()


@pytest.mark.parametrize("role", ["town_centre", "village_centre", "chief", "worker"])
def test_another_areas_alert_is_as_if_it_were_not_there(
    own_client: Client, county_database: Database, role: str
) -> None:
    moved(county_database, path_of(VILLAGES[3]))
    assert own_client.get("/api/alerts", headers=own_client.by(role)).json()["alerts"] == []
    assert own_client.get(HERE, headers=own_client.by(role)).status_code == 404
    answer = sent(own_client, "acknowledge", role, base_version=1)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-alert")
    assert own_client.get(HERE, headers=own_client.by("command")).json()["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, {"base_version": -1, "text": "x"}, {"base_version": "one", "text": "x"},
        {"base_version": 2}, {"base_version": 2, "text": ""}, {"base_version": 2, "text": None},
        {"base_version": 2, "text": "x" * 2001},
        {"base_version": 2, "text": "x", "state": "closed"},
    ],
)  # fmt: skip
def test_a_measure_that_does_not_fit_is_refused(own_client: Client, body: dict[str, Any]) -> None:
    acknowledged(own_client)
    assert sent(own_client, "measure", **body).status_code in {400, 422}
    whole = own_client.get(HERE, headers=own_client.by("command")).json()
    assert (whole["state"], whole["measure"]) == ("acknowledged", None)


def test_a_measure_is_text_and_nothing_else(own_client: Client) -> None:
    hostile = "<img src=x onerror=alert(1)> {{7*7}} '; drop table alert; --"
    acknowledged(own_client)
    told = sent(own_client, "measure", base_version=2, text=hostile).json()
    assert told["measure"] == hostile


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("电话 13912345678", "电话 ******"),
        ("身份证 610923199001011234，已走访", "身份证 ******，已走访"),
        ("编号 610923001001", "编号 610923001001"),
    ],
)
def test_a_measure_keeps_no_number_of_a_person(own_client: Client, said: str, kept: str) -> None:
    acknowledged(own_client)
    told = sent(own_client, "measure", base_version=2, text=said).json()
    assert told["measure"] == kept
    assert own_client.get(HERE, headers=own_client.by("command")).json()["measure"] == kept


def test_a_request_from_another_site_is_not_taken(own_client: Client) -> None:
    headers = own_client.by("worker") | {"Origin": "https://evil.example"}
    answer = own_client.post(f"{HERE}/acknowledge", json={"base_version": 1}, headers=headers)
    assert answer.status_code == 403


def test_a_step_is_announced_for_the_walls(own_client: Client, county_database: Database) -> None:
    engine = create_engine(sqlalchemy_url(county_database.url))
    counted = select(func.count()).where(outbox.c.layer == "alerts")

    def announced() -> int:
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            return int(connection.scalar(counted) or 0)

    before = announced()
    acknowledged(own_client)
    assert announced() == before + 1
    engine.dispose()


def test_a_wall_hears_of_a_step(own_client: Client) -> None:
    headers = own_client.by("command")
    with own_client.stream("GET", "/api/events", headers=headers) as stream:
        lines = stream.iter_lines()
        assert any(line.startswith("event: kpi") for line in lines)
        acknowledged(own_client)
        assert any('"layer":"alerts"' in line for line in lines)


def test_open_alerts_are_a_layer_of_the_map(client: Client) -> None:
    answer = client.get("/api/layers/alerts/items", headers=client.by("command"))
    (feature,) = answer.json()["features"]
    assert feature["properties"]["state"] == "raised"
    assert feature["properties"]["unit_path"].startswith(COUNTY_PATH)
    assert "acknowledged_by" not in feature["properties"]
