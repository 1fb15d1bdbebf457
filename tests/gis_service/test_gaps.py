"""Gaps over HTTP: sums by level, the lists behind the numbers, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, update

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.database import Database, enter_scope
from gis_service.refresh import refresh_all
from layers.cameras import camera
from layers.coverage.bound_sums import BOUNDS
from layers.coverage.tasks import TASKS
from tests.county import COUNTY, NOW, ROLES, TOWNS, VILLAGES, blocks
from tests.serving import Client, serving, sqlalchemy_url

RIGHT = {
    "places": "counts", "tasks": "counts", "people": "persons", "roads": "counts",
    "cameras": "cameras",
}  # fmt: skip


@pytest.fixture(scope="module")
def computed(server: Any, county_template: str) -> Iterator[Database]:
    """A county with all that is computed from it, which the tests only read."""
    name = f"{county_template}_gaps"
    server.ensure_database(name, template=county_template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    engine = create_engine(sqlalchemy_url(database.url))
    refresh_all(engine, NOW)
    engine.dispose()
    yield database
    server.drop_database(name)


@pytest.fixture(scope="module")
def reader(computed: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(computed, tmp_path_factory.mktemp("gaps"), refresh_interval_s=3600) as client:
        yield client


def gaps(client: Client, role: str = "leader", **asked: str) -> list[dict[str, Any]]:
    answer = client.get("/api/coverage/gaps", params=asked, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def listed(client: Client, grid: str, what: str, role: str = "town_centre") -> list[dict[str, Any]]:
    answer = client.get(f"/api/coverage/gaps/{grid}/{what}", headers=client.by(role))
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()[what]
    return rows


@pytest.mark.parametrize(("level", "count"), [("county", 1), ("town", 2), ("village", 4)])
def test_every_level_is_the_sum_of_its_grids(reader: Client, level: str, count: int) -> None:
    grids, units = gaps(reader, level="grid"), gaps(reader, level=level)
    assert len(units) == count
    for name in ("open_m2", "seen_m2", "key_places_unseen", "people", "road_m", "road_unseen_m",
                 "twice_m2"):  # fmt: skip
        for one in units:
            own = [row[name] for row in grids if row["code"].startswith(one["code"])]
            assert one[name] == pytest.approx(sum(own))


def test_a_unit_shows_its_own_grids_only(reader: Client) -> None:
    rows = gaps(reader, unit=VILLAGES[1])
    assert {row["code"][:12] for row in rows} == {VILLAGES[1]}
    assert gaps(reader, unit=COUNTY, level="town") == gaps(reader, level="town")


def test_the_unseen_places_listed_are_as_many_as_the_figure_says(reader: Client) -> None:
    grids = [row for row in gaps(reader) if row["code"].startswith(TOWNS[0])]
    assert sum(row["key_places_unseen"] for row in grids) > 0
    for row in grids:
        assert len(listed(reader, row["code"], "places")) == row["key_places_unseen"]


def test_the_places_below_their_task_are_as_many_as_the_figures_say(reader: Client) -> None:
    grids = [row for row in gaps(reader) if row["code"].startswith(TOWNS[0])]
    below = 0
    for row in grids:
        found = listed(reader, row["code"], "tasks")
        assert len(found) == row["key_places"] - row["places_at_task"]
        unseen = {one["id"] for one in listed(reader, row["code"], "places")}
        assert unseen <= {one["id"] for one in found}
        for one in found:
            assert one["best_px_per_m"] < one["needs_px_per_m"] == TASKS[one["task"]].pixels_per_m
            assert (one["best_px_per_m"] == 0) == (one["id"] in unseen)
            assert one["assumed_pixels"] > 0
        below += len(found)
    assert below > 0


def test_figures_say_what_is_certain_and_what_is_possible(reader: Client) -> None:
    for level in ("grid", "village", "town", "county"):
        for row in gaps(reader, level=level):
            assert 0 <= row["certain_m2"] <= row["seen_m2"] <= row["possible_m2"] <= row["open_m2"]
            seen = row["people"] - row["people_unseen"]
            assert row["people_certain"] <= seen <= row["people_possible"]


def test_a_wall_says_what_is_certain_and_whether_that_is_stale(reader: Client) -> None:
    answer = reader.get(f"/api/wall/{COUNTY}", headers=reader.by("leader")).json()["coverage"]
    (county,) = gaps(reader, level="county")
    for name in BOUNDS:
        assert answer[name] == pytest.approx(county[name]), name
    assert answer["bounds_stale"] is False


def test_the_unseen_metres_listed_add_up_to_the_figure(reader: Client) -> None:
    grids = [row for row in gaps(reader) if row["code"].startswith(TOWNS[0])]
    assert sum(row["road_m"] for row in grids) > 1000
    for row in grids:
        streets = listed(reader, row["code"], "roads")
        assert sum(one["unseen_m"] for one in streets) == pytest.approx(row["road_unseen_m"])


def test_small_counts_by_building_are_hidden_and_nobody_is_named(reader: Client) -> None:
    found = [
        one
        for block in blocks() if block.village.startswith(TOWNS[0])
        for one in listed(reader, block.grid, "people")
    ]  # fmt: skip
    assert found
    assert all(one["people"] is None and one["households"] is None for one in found)
    assert all(set(one) == {"building", "people", "households"} for one in found)


def test_idle_cameras_say_why(reader: Client) -> None:
    reasons = {one["reason"] for one in listed(reader, blocks()[0].grid, "cameras")}
    assert reasons <= {"not-built", "offline"}
    assert reasons


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", list(RIGHT))
def test_who_may_read_the_lists(reader: Client, role: str, what: str) -> None:
    own = next(one for one in blocks() if one.village == VILLAGES[0]).grid
    answer = reader.get(f"/api/coverage/gaps/{own}/{what}", headers=reader.by(role))
    may = RIGHT[what] in RIGHTS_OF_ROLE[role]
    assert answer.status_code == (200 if may else 403)


@pytest.mark.parametrize("what", list(RIGHT))
def test_a_grid_of_another_area_is_not_found(reader: Client, what: str) -> None:
    foreign = next(one for one in blocks() if one.village != VILLAGES[0]).grid
    for grid in (foreign, "none", "%", "' or 1=1--"):
        answer = reader.get(f"/api/coverage/gaps/{grid}/{what}", headers=reader.by("chief"))
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-grid")


def test_a_unit_of_another_area_is_not_found(reader: Client) -> None:
    url = f"/api/coverage/gaps?unit={VILLAGES[3]}"
    assert reader.get(url, headers=reader.by("chief")).status_code == 404


def test_a_level_that_is_none_is_refused(reader: Client) -> None:
    answer = reader.get("/api/coverage/gaps?level=street", headers=reader.by("leader"))
    assert answer.status_code == 422


def test_what_is_stale_says_so(county_database: Database, tmp_path: Any) -> None:
    engine: Engine = create_engine(sqlalchemy_url(county_database.url))
    refresh_all(engine, NOW)
    with serving(county_database, tmp_path, refresh_interval_s=3600) as client:
        url, leader = "/api/coverage/gaps", client.by("leader")
        fresh = client.get(url, headers=leader).json()
        assert (fresh["stale"], fresh["bounds_stale"]) == (False, False)
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            connection.execute(update(camera).where(camera.c.id == "K4").values(online=False))
        changed = client.get(url, headers=leader).json()
        assert (changed["stale"], changed["bounds_stale"]) == (True, True)
        wall = client.get(f"/api/wall/{COUNTY}", headers=leader).json()
        assert wall["coverage"]["bounds_stale"] is True
    engine.dispose()
