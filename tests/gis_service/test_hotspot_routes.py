"""Hotspots through the API: stored and computed answers, past days, rights and scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from layers.hotspots.refresh import refresh
from tests.county import COUNTY, COUNTY_PATH, NOW, TODAY, TOWNS, VILLAGES, path_of
from tests.serving import Client, sqlalchemy_url

WITHOUT_RIGHT = ("planner", "approver", "auditor", "integration")
WAYS = ("/api/hotspots", "/api/hotspots/forecast", "/api/hotspots/trends")
SCOPES = {
    "command": COUNTY_PATH,
    "town_centre": f"{COUNTY_PATH}{TOWNS[0]}/",
    "worker": path_of(VILLAGES[0]),
}


def asked(client: Client, way: str, role: str = "command", **query: Any) -> dict[str, Any]:
    answer = client.get(way, params=query, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", WITHOUT_RIGHT)
def test_who_may_not_see_incidents_sees_no_hotspots(client: Client, way: str, role: str) -> None:
    answer = client.get(way, headers=client.by(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize("method", ["gi", "scan", "emerging", "near-repeat"])
@pytest.mark.parametrize("cells", ["grid", "village", "block", "hex"])
def test_every_method_answers_on_every_kind_of_cells(
    client: Client, method: str, cells: str
) -> None:
    found = asked(client, "/api/hotspots", method=method, cells=cells, as_of=str(TODAY))
    assert found["cells"] == cells
    # three incidents in each of sixteen blocks, all within the last month
    assert found["incidents"] == 48
    if not found["tested"]:
        assert found["reason"]["zh"]
        assert found["reason"]["en"]
        assert found["findings"] == []


def test_few_cells_are_counted_and_say_why(client: Client) -> None:
    found = asked(client, "/api/hotspots", as_of=str(TODAY))
    assert (found["tested"], found["reason"]["code"]) == (False, "few-cells")
    assert sum(one["incidents"] for one in found["counts"]) == 48


@pytest.mark.parametrize("role", SCOPES)
@pytest.mark.parametrize("cells", ["grid", "village", "block", "hex"])
def test_counts_and_findings_are_of_the_askers_area(client: Client, role: str, cells: str) -> None:
    found = asked(client, "/api/hotspots", role, cells=cells, as_of=str(TODAY))
    rows = [*found["counts"], *found["findings"]]
    assert all(one["unit_path"].startswith(SCOPES[role]) for one in rows)


def test_a_filter_leaves_out_the_others_and_small_cells(client: Client) -> None:
    red = asked(client, "/api/hotspots", urgency="red", as_of=str(TODAY))
    assert red["incidents"] == 16
    # two in each grid: complaints of so few homes are not told
    assert red["counts"] == []
    noise = asked(client, "/api/hotspots", kind="event", source="grid_app", as_of=str(TODAY))
    assert noise["incidents"] == 48
    assert {one["incidents"] for one in noise["counts"]} == {6}


def test_a_kind_that_is_none_has_no_incidents(client: Client) -> None:
    assert asked(client, "/api/hotspots", kind="none", as_of=str(TODAY))["incidents"] == 0


@pytest.mark.parametrize(
    ("back", "window", "incidents"),
    [(0, 7, 16), (0, 30, 48), (10, 7, 16), (11, 7, 0), (21, 30, 0), (400, 90, 0)],
)
def test_a_past_day_has_what_had_happened_by_then(
    client: Client, back: int, window: int, incidents: int
) -> None:
    day = TODAY - timedelta(days=back)
    found = asked(client, "/api/hotspots", as_of=str(day), window=window)
    assert found["last_day"] == str(day)
    assert found["incidents"] == incidents


@pytest.mark.parametrize("day", ["2999-01-01", "0001-01-01", "1989-12-31"])
@pytest.mark.parametrize("way", WAYS)
def test_a_day_that_nobody_knows_of_is_refused(client: Client, way: str, day: str) -> None:
    answer = client.get(way, params={"as_of": day}, headers=client.by("command"))
    assert (answer.status_code, answer.json()["code"]) == (422, "as-of-day")


@pytest.mark.parametrize(
    "query",
    [
        {"method": "kde"}, {"cells": "person"}, {"window": 0}, {"window": 366},
        {"width_m": 1}, {"width_m": 99_999}, {"kind": "a'b"}, {"urgency": "pink"},
        {"as_of": "yesterday"}, {"kind": "x" * 41},
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(client: Client, query: dict[str, Any]) -> None:
    answer = client.get("/api/hotspots", params=query, headers=client.by("command"))
    assert answer.status_code in {400, 422}


def test_wider_hexagons_are_fewer(client: Client) -> None:
    narrow = asked(client, "/api/hotspots", cells="hex", width_m=250, as_of=str(TODAY))
    wide = asked(client, "/api/hotspots", cells="hex", width_m=1000, as_of=str(TODAY))
    assert narrow["cells_looked_at"] > 4 * wide["cells_looked_at"]


@pytest.mark.parametrize("role", SCOPES)
@pytest.mark.parametrize("method", ["gi", "scan"])
def test_the_answer_of_a_day_is_that_which_the_refresh_stored(
    own_client: Client, county_database: Database, role: str, method: str
) -> None:
    end = NOW.replace(hour=23, minute=59)
    engine = create_engine(sqlalchemy_url(county_database.url))
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        refresh(connection, system_view(), end)
    engine.dispose()
    stored = asked(own_client, "/api/hotspots", role, method=method)
    replayed = asked(own_client, "/api/hotspots", role, method=method, as_of=str(TODAY))
    assert stored.pop("computed_at") <= replayed.pop("computed_at")
    assert stored == replayed


@pytest.mark.parametrize("role", SCOPES)
@pytest.mark.parametrize("cells", ["grid", "village"])
def test_weeks_too_thin_to_test_are_counted_anew_within_the_askers_area(
    own_client: Client, role: str, cells: str
) -> None:
    found = asked(own_client, "/api/hotspots", role, method="emerging", cells=cells)
    assert (found["tested"], found["reason"]["code"]) == (False, "few-cells")
    whole = asked(own_client, "/api/hotspots", method="emerging", cells=cells)["counts"]
    assert found["counts"] == [one for one in whole if one["unit_path"].startswith(SCOPES[role])]


def test_the_forecast_names_places_with_its_past_score(client: Client) -> None:
    found = asked(client, "/api/hotspots/forecast", as_of=str(TODAY))
    assert found["first_day"] == str(TODAY + timedelta(days=1))
    assert found["horizon_days"] == 28
    assert found["incidents"] == 48
    assert {one["rank"] for one in found["places"]} <= set(range(1, 5))


def test_too_few_incidents_are_no_forecast(client: Client) -> None:
    found = asked(client, "/api/hotspots/forecast", urgency="red", as_of=str(TODAY))
    assert (found["tested"], found["places"], found["past"]) == (False, [], None)
    assert found["reason"]["code"] == "few-incidents"


@pytest.mark.parametrize("role", SCOPES)
def test_places_of_the_forecast_are_of_the_askers_area(client: Client, role: str) -> None:
    found = asked(client, "/api/hotspots/forecast", role, as_of=str(TODAY))
    assert all(one["unit_path"].startswith(SCOPES[role]) for one in found["places"])


def test_changes_are_told_of_a_unit_and_of_those_below_it(client: Client) -> None:
    found = asked(client, "/api/hotspots/trends", as_of=str(TODAY))
    assert {one["unit"] for one in found["trends"]} == {COUNTY, *TOWNS}
    week = next(
        one for one in found["trends"]
        if (one["unit"], one["period_days"], one["compare"]) == (COUNTY, 7, "previous")
    )  # fmt: skip
    # the second of each block's incidents is ten days old
    assert (week["now"], week["before"], week["ratio"]) == (16, 16, 1.0)
    assert week["low"] < 1 < week["high"]
    assert "无显著变化" in week["zh"]
    assert "the week before" in week["en"]


def test_without_a_year_of_incidents_nothing_is_compared_with_the_year_before(
    client: Client,
) -> None:
    found = asked(client, "/api/hotspots/trends", as_of=str(TODAY))
    years = [one for one in found["trends"] if one["compare"] == "year_before"]
    assert {one["now"] for one in years} == {None}
    assert all("21" in one["zh"] for one in years)


def test_changes_of_few_incidents_of_some_kind_are_not_told(client: Client) -> None:
    found = asked(client, "/api/hotspots/trends", unit=VILLAGES[0], urgency="red", as_of=str(TODAY))
    assert {one["now"] for one in found["trends"]} == {None}


@pytest.mark.parametrize("role", ["town_centre", "worker"])
def test_changes_are_of_the_askers_area(client: Client, role: str) -> None:
    found = asked(client, "/api/hotspots/trends", role, as_of=str(TODAY))
    assert all(one["unit_path"].startswith(SCOPES[role]) for one in found["trends"])
    other = client.get(f"/api/hotspots/trends?unit={TOWNS[1]}", headers=client.by(role))
    assert other.status_code == 404


def test_a_unit_that_is_none_has_no_changes(client: Client) -> None:
    answer = client.get("/api/hotspots/trends?unit=nowhere", headers=client.by("command"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-unit")
