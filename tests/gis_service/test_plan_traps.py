"""Traps of the plans' addresses: what unlucky or hostile planners send is told, never a fault."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text, update

from gis_service.database import Database
from gis_service.personal_numbers import HIDDEN
from grid_boundaries.actors import actor
from tests.county import COUNTY, COUNTY_PATH, SOUTH, TOWNS, VILLAGES, WEST
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    GRID_1,
    GRID_2,
    drawn,
    get,
    post,
    refused,
    source,
    started,
)
from tests.serving import Client, sqlalchemy_url

TOWN = f"{COUNTY_PATH}{TOWNS[0]}/"


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the county that `own_client` serves."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


def scoped(owner: Engine, role: str, *paths: str) -> None:
    with owner.begin() as connection:
        connection.execute(update(actor).where(actor.c.name == role).values(scope=list(paths)))


def layer(*rings: Any, **more: Any) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"grid_code": GRID_1, "grid_name": "甲", **more},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for ring in rings
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def star(points: int) -> list[tuple[float, float]]:
    """A valid ring whose spikes all meet one another's boxes."""
    turns = (2 * math.pi * n / points for n in range(points))
    ring = [
        (WEST + 0.01 + (0.009 if n % 2 else 0.0003) * math.cos(turn),
         SOUTH + 0.01 + (0.009 if n % 2 else 0.0003) * math.sin(turn))
        for n, turn in enumerate(turns)
    ]  # fmt: skip
    return [*ring, ring[0]]


def test_who_plans_for_one_town_need_not_name_it(own_client: Client, owner: Engine) -> None:
    scoped(owner, "planner", TOWN)
    plan = started(own_client)
    assert get(own_client, f"/plans/{plan}")["unit_path"] == TOWN
    assert len(get(own_client, f"/plans/{plan}/assignment")["blocks"]) == 8


@pytest.mark.parametrize("scope", [(), tuple(f"{COUNTY_PATH}{town}/" for town in TOWNS)])
def test_who_has_several_units_or_none_is_asked_which_one(
    own_client: Client, owner: Engine, scope: tuple[str, ...]
) -> None:
    scoped(owner, "planner", *scope)
    status, problem = refused(own_client, "", title="x")
    assert (status, problem["code"]) == (422, "unit-not-named")
    answer = own_client.upload("/imports", layer(star(8)))
    assert (answer.status_code, answer.json()["code"]) == (422, "unit-not-named")


def test_a_county_planner_starts_from_the_county(desk: Client) -> None:
    assert get(desk, f"/plans/{started(desk)}")["unit_path"] == f"/{COUNTY}/"


def test_a_town_imports_and_compares_within_itself(own_client: Client, owner: Engine) -> None:
    scoped(owner, "planner", TOWN)
    answer = own_client.upload("/imports", layer(star(8)))
    assert answer.status_code == 201, answer.text
    assert answer.json()["unit_path"] == TOWN
    walk = get(own_client, f"/imports/{answer.json()['id']}/crosswalk")
    assert {row["to"][:9] for row in walk["rows"] if row.get("to")} <= {TOWNS[0]}


def test_plans_of_two_units_are_not_compared(desk: Client) -> None:
    county, town = started(desk), started(desk, unit=TOWNS[0])
    for one, other in ((county, town), (town, county)):
        answer = desk.get(f"/api/plans/{one}/diff?against={other}", headers=desk.by("planner"))
        assert (answer.status_code, answer.json()["code"]) == (409, "other-unit")
    same = started(desk)
    assert get(desk, f"/plans/{county}/diff?against={same}")["totals"]["blocks"] == 0


@pytest.mark.parametrize("odd", ["a\nb", "a\r\nSet-Cookie: x", "\u202egnp", "a\u2028b", "\x1b[31m"])
def test_titles_and_names_are_one_line(desk: Client, odd: str) -> None:
    status, problem = refused(desk, "", title=odd)
    assert (status, problem["code"]) == (422, "bad-field")
    assert "换行" in problem["zh"] and "line breaks" in problem["en"]
    plan = started(desk)
    for stroke in (
        {"kind": "create", "name": odd, "blocks": [BLOCK_10]},
        {"kind": "create", "name": "x", "blocks": [BLOCK_10], "special_use": odd},
    ):
        answer = refused(desk, f"/{plan}/strokes", base_version=0, stroke=stroke)
        assert (answer[0], answer[1]["code"]) == (422, "bad-field")
    assert get(desk, f"/plans/{plan}")["version"] == 0


@pytest.mark.parametrize("name", ["=cmd()", "<script>alert(1)</script>", "{{7*7}}", "网格 一", "é"])
def test_any_one_line_is_a_name(desk: Client, name: str) -> None:
    plan = int(post(desk, "", title=name)["id"])
    told = drawn(desk, plan, 0, kind="create", name=name, blocks=[BLOCK_10])
    assert name in {grid["name"] for grid in told["grids"]}
    assert get(desk, f"/plans/{plan}")["title"] == name


def test_only_faults_of_the_plan_are_accepted_by_name(desk: Client) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="create", name="新", blocks=[BLOCK_10])
    faults = get(desk, f"/plans/{plan}/checks")["faults"]
    keys = [one["key"] for one in faults if not one["inherited"]]
    assert keys and not any(one["stops"] for one in faults)
    odd = ["张 13912345678", "=cmd()", "no-worker:nowhere"]
    done = post(desk, f"/{plan}/submit", base_version=1, accept=[*keys, *odd])
    assert sorted(done["accepted"]) == sorted(keys)
    assert "13912345678" not in json.dumps(get(desk, f"/plans/{plan}"))


def test_a_new_grid_is_set_as_the_one_that_its_blocks_come_from(
    own_client: Client, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        connection.execute(
            text("update grid set setting = 'city' where code = :code"), {"code": GRID_1}
        )
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="create", name="新", blocks=[BLOCK_9])
    assert {grid["setting"] for grid in told["grids"]} == {"city"}
    told = drawn(
        own_client, plan, 1, kind="create", name="乡", blocks=[BLOCK_10], setting="village"
    )
    assert {grid["setting"] for grid in told["grids"] if grid["name"] == "乡"} == {"village"}


@pytest.mark.parametrize(
    ("stroke", "zh", "en"),
    [
        ({"kind": "burn"}, "move", "move"),
        ({"kind": "move", "blocks": [], "to": GRID_1}, "至少 1 项", "at least 1"),
        ({"kind": "retire", "grid": GRID_1, "colour": "red"}, "没有这个字段", "not permitted"),
        ({"kind": "declare", "grid": GRID_1, "parts": 101}, "不能大于 100", "100"),
        ({"kind": "carve", "name": "x", "special_use": "y"}, "只能给一个", "either area or place"),
        ({"kind": "retire"}, "必须填写", "required"),
    ],
)
def test_a_field_that_does_not_fit_is_told_with_what_would(
    desk: Client, stroke: dict[str, Any], zh: str, en: str
) -> None:
    plan = started(desk)
    _, problem = refused(desk, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert zh in problem["zh"], problem
    assert en in problem["en"], problem
    assert "_error" not in problem["zh"] and "_invalid" not in problem["zh"]


@pytest.mark.parametrize(
    ("query", "zh"),
    [("format=exe", "geojson"), ("crs=" + "x" * 41, "最多 40 个字符"), ("encoding=ebcdic", "gbk")],
)
def test_a_query_that_does_not_fit_is_told_with_what_would(
    desk: Client, query: str, zh: str
) -> None:
    answer = desk.get(f"/api/grids/export?{query}", headers=desk.by("planner"))
    assert answer.status_code == 422
    assert zh in answer.json()["zh"]


BOW = [[WEST, SOUTH], [WEST + 0.01, SOUTH + 0.01], [WEST + 0.01, SOUTH], [WEST, SOUTH + 0.01]]
NO_ROW: dict[str, tuple[bytes, str]] = {
    "out of range": (layer([[999, 33], [998, 33], [998, 34], [999, 33]]), "out-of-range"),
    "a bow tie": (layer([*BOW, BOW[0]]), "invalid-polygon"),
    "not closed": (layer(BOW), "ring-not-closed"),
    "text for numbers": (layer([["a", "b"]] * 4), "not-a-coordinate"),
    "a long name": (layer(star(8), grid_name="网" * 5000), "value-too-long"),
    "numbers for features": (b'{"type":"FeatureCollection","features":[1,2]}', "not-a-feature"),
    "a star of many points": (layer(star(20_000)), "too-intricate"),
}


@pytest.mark.parametrize("what", NO_ROW)
def test_a_plan_file_of_which_no_row_can_be_taken_says_why(desk: Client, what: str) -> None:
    body, code = NO_ROW[what]
    before = len(get(desk, "/plans"))
    answer = desk.upload("/plans/import", body, name="a.geojson")
    assert (answer.status_code, answer.json()["code"]) == (422, "no-row-taken"), answer.text
    assert answer.json()["where"]["rejected"][0]["code"] == code
    assert len(get(desk, "/plans")) == before


def test_a_plan_file_without_rows_is_told_so(desk: Client) -> None:
    answer = desk.upload("/plans/import", layer(), name="a.geojson")
    assert (answer.status_code, answer.json()["code"]) == (422, "no-rows")


def test_a_layer_of_stars_is_reported_and_never_overlaid(desk: Client) -> None:
    answer = desk.upload("/imports", layer(star(20_000)))
    assert answer.status_code in (201, 413), answer.text
    if answer.status_code == 201:
        assert answer.json()["grids"] == 0


def recoded(client: Client, cpg: bytes, encoding: str = "utf-8") -> bytes:
    plan = started(client)
    query = f"format=shp&encoding={encoding}&what=blocks"
    file = client.get(f"/api/plans/{plan}/export?{query}", headers=client.by("planner")).content
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name, cpg if name.endswith(".cpg") else old.read(name))
    return packed.getvalue()


@pytest.mark.parametrize(
    "cpg", [b"\x00\xff../../x", b"zlib", b"idna", b"undefined", b"", b"no-such", b"x" * 999]
)
def test_a_shapefile_whose_encoding_is_misstated_is_read_as_it_is(desk: Client, cpg: bytes) -> None:
    body = recoded(desk, cpg)
    answer = desk.upload("/plans/import", body, name="a.zip")
    assert answer.status_code == 201, answer.text
    said = answer.json()["understood"]
    assert (said["encoding"].lower(), said["differing"], said["blocks_moved"]) == ("utf-8", {}, 0)
    report = desk.upload("/imports", body)
    assert report.status_code < 500, report.text


@pytest.mark.parametrize("address", ["/plans/import", "/imports"])
def test_what_is_not_read_here_is_told_in_the_readers_language(desk: Client, address: str) -> None:
    answer = desk.upload(address, b"<kml></kml>", name="a.kml")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (415, "wrong-content")
    assert "a file" not in problem["zh"] and "GeoPackage" in problem["zh"]
    assert "a zipped Shapefile" in problem["en"]


def test_a_plan_forked_from_one_of_another_scope_is_not_found(
    own_client: Client, owner: Engine
) -> None:
    scoped(owner, "approver", f"{COUNTY_PATH}{TOWNS[1]}/")  # before anybody asks: it is kept
    county = started(own_client)
    status, problem = refused(own_client, "", "approver", title="x", **source(county))
    assert (status, problem["code"]) == (404, "no-such-plan")
    assert HIDDEN not in problem["zh"]
    assert VILLAGES[0] not in json.dumps(problem)
    assert GRID_2 not in json.dumps(problem)
