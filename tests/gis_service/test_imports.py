"""Imported boundaries through HTTP: reported on, previewed, compared, accepted, refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import create_engine, text

from grid_boundaries.crs import gcj02_from_wgs84
from tests.county import VILLAGES, blocks
from tests.serving import Client, sqlalchemy_url

OCTETS = {"Content-Type": "application/octet-stream"}
GRID_1, GRID_2 = f"{VILLAGES[0]}001", f"{VILLAGES[0]}002"


def outlines_in_force() -> dict[str, BaseGeometry]:
    """The county's eight grids by code, degrees."""
    codes = sorted({block.grid for block in blocks()})
    return {
        code: shapely.union_all([block.shape for block in blocks() if block.grid == code])
        for code in codes
    }


def geojson(shapes: dict[str, BaseGeometry], **more: Any) -> bytes:
    features = [
        {"type": "Feature", "geometry": mapping(outline),
         "properties": {"网格编码": code, "网格名称": f"网格{code[-3:]}"}}
        for code, outline in shapes.items()
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def send(client: Client, body: bytes, role: str = "planner", **query: Any) -> httpx.Response:
    return client.upload("/imports", body, role, **query)


def taken(client: Client, body: bytes, **query: Any) -> dict[str, Any]:
    answer = send(client, body, **query)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(client: Client, address: str) -> Any:
    answer = client.get(f"/api{address}", headers=client.by("planner"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def decided(client: Client, number: int, word: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/imports/{number}/{word}", json=body, headers=client.by("planner"))


def accepted(client: Client, number: int, **body: Any) -> dict[str, Any]:
    answer = decided(client, number, "accept", **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_grids_in_force_sent_back_have_no_faults_and_change_nothing(
    own_client: Client,
) -> None:
    told = taken(own_client, geojson(outlines_in_force()), name="grids.geojson")
    assert (told["status"], told["created_by"], told["grids"]) == ("reported", "planner", 8)
    assert told["findings"] == {}
    assert told["blocks"] == {"settled": 8}
    assert told["columns"] == {"code": "网格编码", "name": "网格名称"}
    done = accepted(own_client, told["id"])
    assert (done["status"], done["decided_by"], done["unresolved"]) == ("accepted", "planner", [])
    plan = get(own_client, f"/plans/{done['plan_id']}")
    assert plan["strokes"] == []
    assert plan["hash"] == plan["base_hash"]


def test_a_moved_border_becomes_moves_of_a_draft(own_client: Client) -> None:
    shapes = outlines_in_force()
    block_11 = next(block.shape for block in blocks() if block.id == "B000011")
    shapes[GRID_1] = shapely.union_all([shapes[GRID_1], block_11])
    shapes[GRID_2] = shapes[GRID_2].difference(block_11)
    told = taken(own_client, geojson(shapes))
    before = get(own_client, "/grids")
    done = accepted(own_client, told["id"], title="接收民政界线")
    assert get(own_client, "/grids") == before  # a draft changes no grid in force
    plan = get(own_client, f"/plans/{done['plan_id']}")
    assert plan["title"] == "接收民政界线"
    assert [stroke["kind"] for stroke in plan["strokes"]] == ["move"]
    assert plan["strokes"][0]["actor"] == "planner"
    state = get(own_client, f"/plans/{done['plan_id']}/assignment")
    assert state["blocks"]["B000011"] == GRID_1
    assert state["blocks"]["B000012"] == GRID_2


def test_a_new_code_becomes_a_grid_of_the_draft_and_the_old_one_is_retired(
    own_client: Client,
) -> None:
    shapes = outlines_in_force()
    shapes["民政-07"] = shapes.pop(GRID_2)
    told = taken(own_client, geojson(shapes))
    assert told["findings"] == {"malformed-code": 1}
    done = accepted(own_client, told["id"])
    plan = done["plan_id"]
    kinds = [one["kind"] for one in get(own_client, f"/plans/{plan}")["strokes"]]
    assert kinds == ["create", "retire"]
    state = get(own_client, f"/plans/{plan}/assignment")
    made = next(grid for grid in state["grids"] if grid["alias"] == "民政-07")
    assert made["village_code"] == VILLAGES[0]
    assert state["blocks"]["B000011"] == state["blocks"]["B000012"] == made["code"]
    assert GRID_2 not in {grid["code"] for grid in state["grids"]}


def test_contested_and_unassigned_ground_is_left_to_the_planner(own_client: Client) -> None:
    shapes = outlines_in_force()
    by_id = {block.id: block.shape for block in blocks()}
    shapes[GRID_1] = shapely.union_all([shapes[GRID_1], by_id["B000011"]])
    shapes[f"{VILLAGES[3]}002"] = by_id["B000007"]  # B000008 is claimed by nobody
    told = taken(own_client, geojson(shapes))
    assert told["findings"] == {"gap": 1, "overlap": 1}
    assert told["blocks"] == {"contested": 1, "settled": 8, "unassigned": 1}
    found = get(own_client, f"/imports/{told['id']}/findings")["features"]
    by_kind = {one["properties"]["kind"]: one["properties"] for one in found}
    assert by_kind["overlap"]["codes"] == [GRID_1, GRID_2]
    assert by_kind["overlap"]["people"] == by_kind["gap"]["people"] == 4.0
    assert shape(found[0]["geometry"]).is_valid
    done = accepted(own_client, told["id"])
    assert done["unresolved"] == ["B000008", "B000011"]
    faults = get(own_client, f"/plans/{done['plan_id']}/checks")
    assert sum(one["kind"] == "unassigned" for one in faults["faults"]) == 2


def test_proposals_are_taken_when_asked_for(own_client: Client) -> None:
    shapes = outlines_in_force()
    shapes.pop(GRID_2)
    told = taken(own_client, geojson(shapes))
    done = accepted(own_client, told["id"], unresolved="propose")
    assert done["unresolved"] == []
    state = get(own_client, f"/plans/{done['plan_id']}/assignment")
    assert state["blocks"]["B000011"] is not None


def test_a_border_through_a_block_is_told_and_cut_when_asked_for(own_client: Client) -> None:
    shapes = outlines_in_force()
    block_11 = next(block.shape for block in blocks() if block.id == "B000011")
    west, south, east, north = block_11.bounds
    part = shapely.box(west, south, west + 0.3 * (east - west), north)
    shapes[GRID_1] = shapely.union_all([shapes[GRID_1], part])
    shapes[GRID_2] = shapes[GRID_2].difference(part)
    body = geojson(shapes)
    told = taken(own_client, body)
    # a new vertex on a long border is millimetres off it once the border is in metres
    assert told["findings"]["block-divided"] == 1
    whole = accepted(own_client, told["id"])
    assert get(own_client, f"/plans/{whole['plan_id']}")["strokes"] == []
    cut = accepted(own_client, taken(own_client, body)["id"], cut=True)
    plan = get(own_client, f"/plans/{cut['plan_id']}")
    assert [one["kind"] for one in plan["strokes"]] == ["split", "move"]
    state = get(own_client, f"/plans/{cut['plan_id']}/assignment")
    assert state["blocks"]["B000011.1"] == GRID_1
    assert state["blocks"]["B000011.2"] == GRID_2


def test_a_shifted_layer_must_be_confirmed(own_client: Client) -> None:
    shifted = {
        code: shapely.transform(outline, gcj02_from_wgs84)
        for code, outline in outlines_in_force().items()
    }
    told = taken(own_client, geojson(shifted))
    assert (told["crs"]["declared"], told["crs"]["suspected"]) == ("EPSG:4326", "GCJ-02")
    assert 400 < told["crs"]["shift_m"] < 600
    assert told["findings"] == {"crs-differs": 1}
    refused = decided(own_client, told["id"], "accept")
    assert (refused.status_code, refused.json()["code"]) == (409, "crs-not-confirmed")
    assert get(own_client, "/plans") == []
    done = accepted(own_client, told["id"], crs="GCJ-02")
    assert done["unresolved"] == []
    assert get(own_client, f"/plans/{done['plan_id']}")["strokes"] == []


def test_whoever_states_a_crs_is_believed(own_client: Client) -> None:
    shifted = {
        code: shapely.transform(outline, gcj02_from_wgs84)
        for code, outline in outlines_in_force().items()
    }
    told = taken(own_client, geojson(shifted), crs="GCJ-02")
    assert told["crs"]["declared"] == told["crs"]["suspected"] == "GCJ-02"
    assert told["findings"] == {}
    assert accepted(own_client, told["id"])["status"] == "accepted"


def test_an_import_is_decided_on_once(own_client: Client) -> None:
    told = taken(own_client, geojson(outlines_in_force()))
    answer = decided(own_client, told["id"], "reject", reason="不是最新界线")
    assert answer.json()["status"] == "rejected"
    assert answer.json()["reason"] == "不是最新界线"
    again = decided(own_client, told["id"], "accept")
    assert (again.status_code, again.json()["code"]) == (409, "import-decided")
    assert again.json()["where"]["by"] == "planner"
    assert get(own_client, "/plans") == []
    assert [one["status"] for one in get(own_client, "/imports")] == ["rejected"]


def test_the_preview_tiles_the_county(own_client: Client) -> None:
    shapes = outlines_in_force()
    shapes[GRID_1] = shapes[GRID_1].buffer(0.00001, join_style="mitre")
    told = taken(own_client, geojson(shapes))
    found = get(own_client, f"/imports/{told['id']}/preview")["features"]
    pieces = [shape(one["geometry"]) for one in found]
    assert {one["properties"]["kind"] for one in found} == {"settled"}
    assert len(pieces) == 8
    county = shapely.union_all(list(outlines_in_force().values()))
    assert shapely.union_all(pieces).symmetric_difference(county).area < 1e-11
    for number, piece in enumerate(pieces):
        for other in pieces[number + 1 :]:
            assert piece.intersection(other).area < 1e-13


def test_two_departments_layers_are_compared(own_client: Client) -> None:
    mine = taken(own_client, geojson(outlines_in_force()))
    villages: dict[str, BaseGeometry] = {}
    for code, outline in outlines_in_force().items():
        villages[code[:12]] = shapely.union_all([villages.get(code[:12], outline), outline])
    theirs = taken(own_client, geojson({f"派出所{n}": one for n, one in
                                        enumerate(villages.values())}))  # fmt: skip
    table = get(own_client, f"/imports/{mine['id']}/crosswalk?with={theirs['id']}")
    assert len(table["rows"]) == len(table["matches"]) == 8
    assert {row["people_share"] for row in table["rows"]} == {1.0}
    back = get(own_client, f"/imports/{theirs['id']}/crosswalk")
    assert back["to"] == "in-force"
    assert len(back["rows"]) == 8
    assert {match["others"] for match in back["matches"]} == {2}
    for code in {row["code"] for row in back["rows"]}:
        own = [row for row in back["rows"] if row["code"] == code]
        assert sum(row["people_share"] for row in own) == 1
        assert sum(row["people"] for row in own) == 16.0


def test_a_layer_of_one_village_leaves_the_others_alone(own_client: Client) -> None:
    shapes = {code: one for code, one in outlines_in_force().items()
              if code.startswith(VILLAGES[0])}  # fmt: skip
    block_11 = next(block.shape for block in blocks() if block.id == "B000011")
    shapes[GRID_1] = shapely.union_all([shapes[GRID_1], block_11])
    shapes[GRID_2] = shapes[GRID_2].difference(block_11)
    told = taken(own_client, geojson(shapes), unit=VILLAGES[0])
    assert told["unit_path"].endswith(f"/{VILLAGES[0]}/")
    assert told["findings"] == {}
    done = accepted(own_client, told["id"])
    state = get(own_client, f"/plans/{done['plan_id']}/assignment")
    assert len(state["blocks"]) == 4
    assert state["blocks"]["B000011"] == GRID_1


def test_numbers_of_persons_in_names_are_hidden(own_client: Client) -> None:
    number = "11010519491231002X"
    features = [{"type": "Feature", "geometry": mapping(next(iter(outlines_in_force().values()))),
                 "properties": {"code": GRID_1, "name": f"网格 {number}"}}]  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    told = taken(own_client, body, name=f"{number}.geojson")
    done = accepted(own_client, told["id"])
    for address in ("/imports", f"/imports/{told['id']}/findings",
                    f"/plans/{done['plan_id']}/assignment"):  # fmt: skip
        assert number not in json.dumps(get(own_client, address), ensure_ascii=False)


@pytest.mark.parametrize("role", ["command", "chief", "leader", "auditor", "town_centre"])
def test_only_planners_import(client: Client, role: str) -> None:
    for answer in (
        send(client, b"{}", role),
        client.get("/api/imports", headers=client.by(role)),
        client.get("/api/imports/1/findings", headers=client.by(role)),
        client.post("/api/imports/1/accept", json={}, headers=client.by(role)),
    ):
        assert answer.status_code == 403
        assert answer.json()["code"] == "right-missing"


def test_nobody_imports_unsigned(client: Client) -> None:
    assert client.post("/api/imports", content=b"{}", headers=OCTETS).status_code == 401


REFUSED: dict[str, tuple[bytes, dict[str, Any], int, str]] = {
    "nothing": (b"", {}, 422, "empty-file"),
    "an address": (b"http://127.0.0.1/x.geojson", {}, 422, "no-outlines"),
    "a path": (b"/etc/passwd", {}, 422, "no-outlines"),
    "VRT": (b"<OGRVRTDataSource></OGRVRTDataSource>", {}, 415, "wrong-content"),
    "no JSON": (b"{", {}, 415, "not-json"),
    "a column that is not there": (geojson({}), {"code_column": "x"}, 422, "missing-column"),
    "an unknown CRS": (
        geojson({"1": shapely.box(108, 33, 109, 34)}), {"crs": "EPSG:1"}, 422, "no-such-crs",
    ),
    "a unit of others": (geojson({}), {"unit": "990000"}, 404, "no-such-unit"),
    "a tolerance below 0": (geojson({}), {"narrower_than_m": -1}, 422, "bad-field"),
    "a tolerance that is no number": (geojson({}), {"narrower_than_m": "nan"}, 422, "bad-field"),
    "a parameter nobody knows": (geojson({}), {"path": "/etc"}, 422, "bad-field"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused_in_two_languages(own_client: Client, what: str) -> None:
    body, query, status, code = REFUSED[what]
    answer = send(own_client, body, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["zh"] != answer.json()["en"]
    assert get(own_client, "/imports") == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_any_site_can_make_a_browser_send_is_not_taken(client: Client, kind: str) -> None:
    headers = {**client.by("planner"), "Content-Type": kind}
    answer = client.post("/api/imports", content=geojson({}), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not-a-file")


def test_a_form_with_the_file_is_taken_under_its_name(own_client: Client) -> None:
    parts = {"file": ("民政界线.geojson", geojson(outlines_in_force()), "application/geo+json")}
    answer = own_client.post("/api/imports", files=parts, headers=own_client.by("planner"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["title"] == "民政界线.geojson"


def test_another_site_may_not_send(client: Client) -> None:
    headers = {**client.by("planner"), **OCTETS, "Origin": "https://evil.example"}
    answer = client.post("/api/imports", content=geojson({}), headers=headers)
    assert answer.status_code == 403


def test_an_import_that_is_not_there_is_not_found(client: Client) -> None:
    for address in ("", "/findings", "/preview", "/crosswalk"):
        answer = client.get(f"/api/imports/999{address}", headers=client.by("planner"))
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-import")


def test_a_layer_without_one_outline_is_reported_as_one_gap(own_client: Client) -> None:
    told = taken(own_client, geojson({}))
    assert (told["grids"], told["findings"]) == (0, {"gap": 1})


def test_places_that_no_map_has_become_findings(own_client: Client) -> None:
    shapes = {"far": shapely.box(1e12, 1e12, 2e12, 2e12), **outlines_in_force()}
    told = taken(own_client, geojson(shapes))
    assert (told["rows"], told["grids"], told["findings"]) == (9, 8, {"row-rejected": 1})
    (one,) = get(own_client, f"/imports/{told['id']}/findings")["features"]
    assert one["properties"]["facts"] == {"row": 1, "code": "out-of-range"}
    assert one["geometry"] is None


def test_a_county_without_blocks_gets_its_first_ones(
    own_client: Client, county_database: Any
) -> None:

    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for table in ("grid_block", "grid", "block_count", "block"):
            connection.execute(text(f"delete from {table}"))
    engine.dispose()
    shapes = outlines_in_force()
    shapes.pop(GRID_2)
    told = taken(own_client, geojson(shapes))
    done = accepted(own_client, told["id"])
    assert done["first_blocks"] == 8
    assert len(done["unresolved"]) == 1
    state = get(own_client, f"/plans/{done['plan_id']}/assignment")
    assert sorted(state["blocks"]) == [f"B{number:06d}" for number in range(1, 9)]
    aliases = {grid["alias"] for grid in state["grids"]}
    assert aliases == set(shapes)
    again = taken(own_client, geojson(outlines_in_force()))
    assert again["findings"] == {}
    assert accepted(own_client, again["id"])["first_blocks"] == 0
