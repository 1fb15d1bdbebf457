"""Staff, patrol, reach and land gaps through HTTP, worked out by hand on the made-up county."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from shapely import LineString, Point
from sqlalchemy import Connection, create_engine, delete, select, text, update

from gis_service.database import Database
from grid_boundaries.store import grid_block
from layers.people import household
from layers.postings import position, posting
from layers.streets import street
from layers.visits import visit
from layers.workers import worker
from tests.county import (
    COUNTY,
    NOW,
    ROLES,
    TOWNS,
    VILLAGES,
    add,
    blocks,
)
from tests.serving import Client, sqlalchemy_url

WORDS = ("staff", "patrol", "reach", "reach/streets", "land")
MAY = {
    "staff": {"leader", "command", "town_centre", "village_centre", "chief", "worker"},
    "patrol": {"command", "town_centre", "village_centre", "chief", "worker"},
    "reach": {"leader", "command", "town_centre", "village_centre", "chief", "worker"},
    "reach/streets": {"leader", "command", "town_centre", "village_centre", "chief", "worker"},
    "land": {"leader", "command", "planner", "approver", "town_centre", "village_centre",
             "chief", "worker"},
}  # fmt: skip


def ask(client: Client, word: str, role: str = "command", **params: Any) -> dict[str, Any]:
    answer = client.get(f"/api/coverage/{word}", params=params, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def change(database: Database, *statements: Any) -> None:
    engine = create_engine(sqlalchemy_url(database.owner_url))
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for statement in statements:
            if callable(statement):
                statement(connection)
            else:
                connection.execute(statement)
    engine.dispose()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("word", WORDS)
def test_who_may_ask(client: Client, word: str, role: str) -> None:
    answer = client.get(f"/api/coverage/{word}", headers=client.by(role))
    assert answer.status_code == (200 if role in MAY[word] else 403)
    assert "no-store" in answer.headers["cache-control"] or (
        answer.headers["cache-control"] == "private, no-cache"
    )


@pytest.mark.parametrize("word", ["staff", "patrol", "reach"])
def test_figures_add_up_on_every_level(client: Client, word: str) -> None:
    answers = {by: ask(client, word, by=by) for by in ("grid", "village", "town", "county")}
    rows = {by: len(answer["rows"]) for by, answer in answers.items()}
    assert rows == {"grid": 8, "village": 4, "town": 2, "county": 1}
    total = answers["grid"]["total"]
    for answer in answers.values():
        assert answer["total"] == total
        for name in set(total) - {"workers"}:
            assert sum(row[name] for row in answer["rows"]) == total[name]
    assert answers["town"]["rows"][0]["code"] == TOWNS[0]
    assert answers["county"]["rows"][0]["name"]


@pytest.mark.parametrize("word", ["staff", "patrol", "reach"])
def test_a_village_centre_is_told_its_own_village_only(client: Client, word: str) -> None:
    own = ask(client, word, role="village_centre")
    assert {row["code"][:12] for row in own["rows"]} == {VILLAGES[0]}
    same = ask(client, word, unit=VILLAGES[0])
    assert own["rows"] == same["rows"]
    other = client.get(
        f"/api/coverage/{word}", params={"unit": VILLAGES[2]}, headers=client.by("village_centre")
    )
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("word", "wrong"),
    [("staff", {"profile": "seven"}), ("staff", {"by": "street"}), ("patrol", {"days": -1}),
     ("patrol", {"days": "many"}), ("reach", {"minutes": 0}), ("reach", {"minutes": "nan"}),
     ("reach", {"minutes": 1e9}), ("land", {"unit": "x" * 65}), ("land", {"unit": "nowhere"})],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_problem(client: Client, word: str, wrong: Any) -> None:
    answer = client.get(f"/api/coverage/{word}", params=wrong, headers=client.by("command"))
    assert answer.status_code in {404, 422}
    assert {"code", "zh", "en"} <= set(answer.json())


@pytest.mark.parametrize("word", WORDS)
def test_no_answer_names_a_person(client: Client, word: str) -> None:
    body = client.get(f"/api/coverage/{word}", headers=client.by("command")).text
    for secret in ("W0000", "某人", 'worker1"', "F0011", 'V1"', "located_at"):
        assert secret not in body


def test_staff_of_the_made_up_county(client: Client) -> None:
    found = ask(client, "staff")
    # two workers in each of eight grids of two blocks of 4 people
    assert found["total"] == {
        "grids": 8, "vacant": 0, "in_breach": 0, "people": 64, "people_in_vacant": 0, "workers": 16,
    }  # fmt: skip
    assert found["load"]["people"] == {"least": 4.0, "median": 4.0, "most": 4.0}
    three = ask(client, "staff", profile="three")
    assert three["total"]["in_breach"] == 8
    assert {row["rule"] for row in three["breaches"]} == {"chief", "three"}


def test_a_grid_that_loses_its_workers_is_vacant(
    own_client: Client, county_database: Database
) -> None:
    code = blocks()[0].grid
    today = NOW.date()
    change(
        county_database,
        update(posting).where(posting.c.grid_code == code).values(valid_to=today),
    )
    found = ask(own_client, "staff")
    assert [row["code"] for row in found["vacant"]] == [code]
    assert (found["total"]["vacant"], found["total"]["people_in_vacant"]) == (1, 8)
    assert found["breaches"] == [{"grid_code": code, "rule": "somebody", "has": 0, "needs": 1}]
    village = next(
        row for row in ask(own_client, "staff", by="village")["rows"] if row["code"] == code[:12]
    )
    assert (village["vacant"], village["grids"], village["workers"]) == (1, 2, 2)


def test_patrol_counts_visits_positions_and_calls(
    own_client: Client, county_database: Database
) -> None:
    home = blocks()[0]

    def visits(connection: Connection) -> None:
        connection.execute(delete(visit))
        call = connection.scalars(
            select(household.c.id).where(household.c.block_id == home.id)
        ).first()
        now = connection.scalar(text("select now()"))
        add(connection, visit, [{
            "id": "V-1", "name": None, "geom": home.at(0.42, 0.41), "worker_id": "W000001",
            "kind": "visit", "household_id": call, "visited_at": now - timedelta(days=3),
            **home.placed(),
        }])  # fmt: skip
        add(connection, position, [{
            "id": "p1", "worker_id": "W000001", "located_at": now - timedelta(days=1),
            "geom": home.at(0.3, 0.3), "unit_path": home.path,
        }])  # fmt: skip

    change(county_database, visits)
    found = ask(own_client, "patrol", days=7)
    row = next(row for row in found["rows"] if row["code"] == home.grid)
    # two households of a block at one spot, and a place: two cells a block, two blocks a grid
    assert row["households_total"] == 4
    assert (row["households_visited"], row["households_never"]) == (1, 3)
    assert (row["cells_total"], row["cells_visited"]) == (4, 2)
    assert found["total"]["cells_visited"] == 2
    assert found["fixes"]["taken"] == 2
    assert found["failing"][-1] == {
        "code": home.grid, "name": row["name"], "households_missed": 3, "cells_missed": 2,
    }  # fmt: skip
    older = ask(own_client, "patrol", days=2)
    assert older["total"]["households_visited"] == 0
    assert older["total"]["cells_visited"] == 1


def test_patrol_of_a_county_without_visits_says_never(
    own_client: Client, county_database: Database
) -> None:
    change(county_database, delete(visit))
    found = ask(own_client, "patrol", days=30)
    assert found["total"]["households_never"] == found["total"]["households_total"] == 32
    assert found["total"]["cells_visited"] == 0
    assert len(found["failing"]) == 8


def test_people_far_from_every_street_are_not_reached_and_said_so(client: Client) -> None:
    found = ask(client, "reach", minutes=15)
    # houses stand 450 m and more off the only street, workers of the south 222 m
    assert found["total"]["people_late"] == found["total"]["people_off_streets"] == 64
    assert (found["workers"], found["workers_off_streets"]) == (12, 6)
    assert found["assumed"] == ["terrain"]
    assert len(found["failing"]) == 8


def reachable(connection: Connection) -> None:
    """Lay a lane past the houses of the northern blocks and leave one worker on it, on duty."""
    row = sorted({block.at(0.42, 0.41).y for block in blocks()})[-1]
    west, east = (blocks()[n].at(0.0).x for n in (0, 7))
    connection.execute(delete(street))
    add(connection, street, [{
        "id": "S2", "name": None, "kind": "lane", "length_m": 1.0, "placed": "outside",
        "geom": LineString([(west, row), (east + 0.005, row)]), "unit_path": f"/{COUNTY}/",
    }])  # fmt: skip
    connection.execute(update(worker).values(on_duty=False))
    connection.execute(
        update(worker).where(worker.c.id == "W000001").values(
            on_duty=True, geom=f"SRID=4490;{Point(blocks()[0].at(0.42, 0.41)).wkt}"
        )
    )  # fmt: skip


def test_reach_goes_along_the_street_in_minutes(
    own_client: Client, county_database: Database
) -> None:
    change(county_database, reachable)
    # blocks are 465 m wide: at 75 m a minute the n-th house along is 6.2 n minutes away
    reached = {}
    for minutes in (1, 7, 13, 19):
        total = ask(own_client, "reach", minutes=minutes)["total"]
        reached[minutes] = total["people"] - total["people_late"]
    assert reached == {1: 4, 7: 8, 13: 12, 19: 16}
    lines = ask(own_client, "reach/streets", minutes=2)["features"]
    assert len(lines) == 1
    west, east = (lines[0]["geometry"]["coordinates"][end][0] for end in (0, -1))
    # 150 m each way, 93 km a degree
    assert east - west == pytest.approx(300 / 92_960, rel=0.01)


def test_a_worker_off_duty_reaches_nobody(own_client: Client, county_database: Database) -> None:
    change(county_database, reachable, update(worker).values(on_duty=False))
    found = ask(own_client, "reach", minutes=60)
    assert (found["workers"], found["total"]["people_late"]) == (0, 64)
    assert ask(own_client, "reach/streets", minutes=60)["features"] == []


def test_a_new_street_is_known_at_once(own_client: Client, county_database: Database) -> None:
    change(county_database, reachable)
    before = ask(own_client, "reach", minutes=60)["total"]["people_late"]
    change(county_database, delete(street))
    assert ask(own_client, "reach", minutes=60)["total"]["people_late"] == 64 > before


def test_no_land_is_left_over_in_the_made_up_county(client: Client) -> None:
    found = ask(client, "land")
    assert (found["unassigned"], found["contested"]) == ([], [])
    assert found["total"]["unassigned_m2"] == 0


def test_a_block_in_no_grid_is_told_with_its_people_and_the_grid_it_should_go_to(
    own_client: Client, county_database: Database
) -> None:
    block = blocks()[1]  # the second of its grid; east of it another grid of the same village
    change(county_database, delete(grid_block).where(grid_block.c.block_id == block.id))
    found = ask(own_client, "land")
    (one,) = found["unassigned"]
    assert (one["block"], one["village"], one["people"], one["households"]) == (
        block.id, block.village, 4, 2,
    )  # fmt: skip
    # to its west and east stand grids of its village, with borders as long but for rounding
    assert one["suggested"]["grid"] in {block.grid, blocks()[2].grid}
    assert one["suggested"]["shared_m"] == pytest.approx(1109, abs=3)
    assert one["bbox"] == pytest.approx(list(block.shape.bounds))
    assert found["total"]["people"] == 4
    assert ask(own_client, "land", unit=TOWNS[1])["unassigned"] == []


def test_ground_that_two_grids_cover_is_told(own_client: Client, county_database: Database) -> None:
    first, second = blocks()[0], blocks()[2]

    def stretch(connection: Connection) -> None:
        own = text(
            "update grid set geom = st_multi(st_union(geom, "
            "(select geom from block where id = :block))) where code = :code"
        )
        connection.execute(own, {"block": second.id, "code": first.grid})

    change(county_database, stretch)
    (one,) = ask(own_client, "land")["contested"]
    assert one["grids"] == sorted([first.grid, second.grid])
    assert one["households"] == 2
    assert one["area_m2"] == pytest.approx(465 * 1109, rel=0.01)
