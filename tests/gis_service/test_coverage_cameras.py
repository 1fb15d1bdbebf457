"""Suspects, programme and repair order as answered: by area, by right, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import Connection, Engine, create_engine, text

from gis_service.access import system_view
from gis_service.camera_answers import GAP_COLUMNS, REPAIR_COLUMNS, SUSPECT_COLUMNS
from gis_service.database import Database, enter_scope
from tests.county import COUNTY, TOWNS, VILLAGES, blocks, path_of
from tests.serving import Client, sqlalchemy_url

SUSPECTS = "/api/coverage/cameras/suspects"
PROGRAMME = "/api/coverage/programme"
REPAIR = "/api/coverage/repair-order"
WAYS = (SUSPECTS, PROGRAMME, REPAIR)


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


def change(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(text(statement), values)


def stored(connection: Connection, key: str) -> tuple[Any, ...]:
    enter_scope(connection, system_view())
    return tuple(
        connection.execute(text("select * from camera where id = :key"), {"key": key}).one()
    )


def get(client: Client, way: str, role: str = "command") -> Any:
    answer: Response = client.get(way, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    assert "private" in answer.headers["cache-control"]
    return answer.json()


def sheet(client: Client, way: str) -> list[list[str]]:
    answer = client.get(way, headers=client.by("command"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


# ------------------------------------------------------------------ who may ask


@pytest.mark.parametrize("way", WAYS)
def test_who_is_not_signed_in_is_refused(client: Client, way: str) -> None:
    assert client.get(way).status_code == 401


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", ["cadre", "department", "auditor", "integration"])
def test_who_may_not_see_cameras_is_refused(client: Client, way: str, role: str) -> None:
    answer = client.get(way, headers=client.by(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize("way", WAYS)
def test_a_unit_outside_the_asker_area_is_not_found(client: Client, way: str) -> None:
    answer = client.get(f"{way}?unit={TOWNS[1]}", headers=client.by("town_centre"))
    assert answer.status_code == 404
    assert client.get(f"{way}?unit=nowhere", headers=client.by("command")).status_code == 404


@pytest.mark.parametrize(
    "way",
    [
        f"{SUSPECTS}?reason=ugly", f"{SUSPECTS}?format=pdf", f"{REPAIR}?limit=0",
        f"{REPAIR}?limit=100000", f"{PROGRAMME}?lang=fr", f"{PROGRAMME}?unit={'9' * 70}",
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_read_is_refused(client: Client, way: str) -> None:
    answer = client.get(way, headers=client.by("command"))
    assert answer.status_code == 422
    assert {"code", "zh", "en"} <= set(answer.json())


# ------------------------------------------------------------------ suspects


def test_a_sound_ledger_has_no_suspects(client: Client) -> None:
    found = get(client, SUSPECTS)
    assert (found["cameras"], found["suspects"], found["batches"], found["counts"]) == (
        16, [], [], {},
    )  # fmt: skip


def test_a_suspect_is_told_with_its_reason_and_place_and_stays_as_it_is(
    own_client: Client, engine: Engine
) -> None:
    house = "select st_pointonsurface(geom) from building where id = 'H9'"
    change(engine, f"update camera set geom = ({house}) where id = 'K9'")
    with engine.begin() as connection:
        before = stored(connection, "K9")
    found = get(own_client, SUSPECTS)
    row = found["suspects"][0]
    assert (len(found["suspects"]), row["id"], row["reason"]) == (1, "K9", "inside-building")
    assert found["counts"] == {"inside-building": 1}
    assert row["moved_m"] > 0.5
    assert (row["grid_code"], row["unit_path"]) == (blocks()[8].grid, blocks()[8].path)
    assert "建筑" in row["zh"]
    assert "inside a building" in row["en"]
    with engine.begin() as connection:
        assert stored(connection, "K9") == before


def test_suspects_are_those_of_the_area_and_of_the_reason_asked_for(
    own_client: Client, engine: Engine
) -> None:
    change(engine, "update camera set azimuth_deg = null where id in ('K9', 'K1')")
    change(engine, "update camera set device_code = '12' where id = 'K16'")
    assert ids(get(own_client, SUSPECTS)) == ["K1", "K16", "K9"]
    assert ids(get(own_client, SUSPECTS, "village_centre")) == own_ids(VILLAGES[0], "K9")
    assert ids(get(own_client, f"{SUSPECTS}?unit={TOWNS[1]}")) == ["K16"]
    assert ids(get(own_client, f"{SUSPECTS}?reason=malformed-code")) == ["K16"]
    found = get(own_client, f"{SUSPECTS}?unit={VILLAGES[0]}&reason=no-azimuth")
    assert found["cameras"] == sum(block.village == VILLAGES[0] for block in blocks())


def own_ids(village: str, *keys: str) -> list[str]:
    paths = {f"K{block.number}": block.path for block in blocks()}
    return [key for key in keys if paths[key] == path_of(village)]


def ids(found: Any) -> list[str]:
    return [row["id"] for row in found["suspects"]]


def test_a_camera_of_another_area_is_not_named(own_client: Client, engine: Engine) -> None:
    code = f"{COUNTY}00001320000001"
    change(engine, "update camera set device_code = :code where id in ('K16', 'K9')", code=code)
    all_of = get(own_client, SUSPECTS)["suspects"][0]
    assert (all_of["id"], all_of["facts"]["of"]) == ("K9", "K16")
    own = get(own_client, SUSPECTS, "village_centre")["suspects"][0]
    assert (own["id"], own["facts"]["of"]) == ("K9", "…")
    assert "K16" not in own["zh"] + own["en"]


def test_suspects_follow_a_change(own_client: Client, engine: Engine) -> None:
    assert ids(get(own_client, SUSPECTS)) == []
    change(engine, "update camera set azimuth_deg = null where id = 'K2'")
    assert ids(get(own_client, SUSPECTS)) == ["K2"]


def test_suspects_as_a_sheet_run_no_formula(own_client: Client, engine: Engine) -> None:
    change(engine, "update camera set azimuth_deg = null, name = '=1+1' where id = 'K3'")
    rows = sheet(own_client, f"{SUSPECTS}?format=csv&lang=en")
    assert (len(rows), len(rows[0])) == (2, len(SUSPECT_COLUMNS))
    assert rows[1][:2] == ["K3", "'=1+1"]
    assert rows[1][3:5] == ["No azimuth", "Has no azimuth, so what it sees cannot be told; "
                            "have it surveyed"]  # fmt: skip
    assert sheet(own_client, f"{SUSPECTS}?format=csv")[0][0] == "编号"


# ------------------------------------------------------------------ programme


def test_the_programme_counts_what_stands_and_what_is_to_come(client: Client) -> None:
    found = get(client, PROGRAMME)
    shares = {share["key"]: share for share in found["shares"]}
    assert (shares["networked"]["numerator"], shares["networked"]["denominator"]) == (4, 8)
    assert shares["networked"]["value"] == 0.5
    assert (shares["networked"]["target"], shares["networked"]["met"]) == (1.0, False)
    assert (shares["intact"]["numerator"], shares["intact"]["denominator"]) == (4, 4)
    assert shares["covered"]["denominator"] == found["key_places"] == 8
    standings = {row["standing"]: row["cameras"] for row in found["standings"]}
    assert standings == {"standing": 8, "contracted": 0, "proposed": 4, "out_of_service": 4}
    assert found["people"] == 64
    assert found["people_known"] is True
    assert found["gaps"][0]["cameras"] == 0
    assert {"range_m", "terrain"} <= set(found["assumed"])


def test_unseen_key_places_are_listed(client: Client) -> None:
    found = get(client, PROGRAMME)
    covered = next(share for share in found["shares"] if share["key"] == "covered")
    assert len(found["unseen_key_places"]) == covered["denominator"] - covered["numerator"]
    assert {"id", "name", "kind", "unit_path"} == set(found["unseen_key_places"][0])


def test_a_contract_closes_its_gap_when_it_is_due(own_client: Client, engine: Engine) -> None:
    near = "(select geom from household where id = 'F0111')"
    change(
        engine,
        f"update camera set contract = 'C1', due = date '2100-05-01', view_angle_deg = 360, "
        f"geom = st_translate({near}, 0, -0.0002) where id = 'K2'",
    )
    found = get(own_client, PROGRAMME)
    now, then = found["gaps"]
    assert (then["due"], then["cameras"], then["late"]) == ("2100-05-01", 1, 0)
    assert then["people_unseen"] == now["people_unseen"] - 4
    rows = sheet(own_client, f"{PROGRAMME}?format=csv")
    assert len(rows[0]) == len(GAP_COLUMNS)
    assert rows[2][:3] == ["2100-05-01", "1", "0"]


def test_an_area_has_its_own_figures(client: Client) -> None:
    parts = [get(client, f"{PROGRAMME}?unit={town}") for town in TOWNS]
    whole = get(client, PROGRAMME)
    assert sum(part["people"] for part in parts) == whole["people"]
    assert sum(part["key_places"] for part in parts) == whole["key_places"]
    own = get(client, PROGRAMME, "village_centre")
    assert own["people"] == 16
    places = [row["unit_path"] for row in own["unseen_key_places"]]
    assert all(path == path_of(VILLAGES[0]) for path in places)


# ------------------------------------------------------------------ repair order


def test_what_is_off_line_is_ranked_by_what_only_it_would_see(
    own_client: Client, engine: Engine
) -> None:
    near = "(select geom from household where id = 'F0011')"
    change(
        engine,
        f"update camera set view_angle_deg = 360, state = 'networked', online = false, "
        f"geom = st_translate({near}, 0, -0.0002) where id = 'K1'",
    )
    found = get(own_client, REPAIR)
    first = found["repairs"][0]
    assert (first["id"], first["people"], first["worth"]) == ("K1", 4.0, 4.0)
    assert (found["off_line"], found["working"]) == (4, 4)
    assert found["people_per_place"] == 100.0
    assert len(get(own_client, f"{REPAIR}?limit=1")["repairs"]) == 1
    rows = sheet(own_client, f"{REPAIR}?format=csv")
    assert (rows[1][0], len(rows[0])) == ("K1", len(REPAIR_COLUMNS))


def test_a_working_camera_is_as_dear_as_what_only_it_sees(
    own_client: Client, engine: Engine
) -> None:
    near = "(select geom from household where id = 'F0041')"
    move = f"view_angle_deg = 360, geom = st_translate({near}, 0, -0.0002)"
    change(engine, f"update camera set {move} where id = 'K4'")
    assert get(own_client, REPAIR)["dearest"][0]["people"] == 4.0
    change(engine, f"update camera set {move} where id = 'K8'")
    assert get(own_client, REPAIR)["dearest"][0]["people"] == 0.0


def test_the_order_of_an_area_holds_its_own_cameras_only(client: Client) -> None:
    found = get(client, REPAIR, "village_centre")
    rows = [*found["repairs"], *found["dearest"]]
    assert rows
    assert all(row["unit_path"] == path_of(VILLAGES[0]) for row in rows)
