"""Plans and grids as files through HTTP: what goes out comes in again as the same plan."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest

from gis_service.personal_numbers import HIDDEN
from grid_boundaries.exchange.files import MEDIA
from tests.county import COUNTY, ROLES, TOWNS, VILLAGES
from tests.gis_service.test_plans import (
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    get,
    post,
    started,
)
from tests.layers.load.made import altered_geopackage
from tests.serving import Client

MIDDLE_OF_11 = [[lon + 0.005, lat] for lon, lat in MIDDLE_OF_10]
PLANNERS = ("planner", "approver")


def exported(client: Client, plan: int, role: str = "planner", **query: Any) -> httpx.Response:
    return client.get(f"/api/plans/{plan}/export", params=query, headers=client.by(role))


def file_of(client: Client, plan: int, **query: Any) -> bytes:
    answer = exported(client, plan, **query)
    assert answer.status_code == 200, answer.text
    return answer.content


def sent(client: Client, body: bytes, **query: Any) -> httpx.Response:
    return client.upload("/plans/import", body, **query)


def taken_in(client: Client, body: bytes, **query: Any) -> Any:
    answer = sent(client, body, **query)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(client: Client, body: bytes, status: int = 422, **query: Any) -> Any:
    before = len(get(client, "/plans"))
    answer = sent(client, body, **query)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["zh"] and problem["en"] and problem["zh"] != problem["en"]
    assert len(get(client, "/plans")) == before  # nothing was made
    return problem


def hash_of(client: Client, plan: int) -> str:
    return str(get(client, f"/plans/{plan}")["hash"])


def redrawn(client: Client, *, cut: bool = False) -> int:
    """Return a plan with a block moved, one taken out, a new grid and one that is no more."""
    plan = started(client)
    drawn(client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    drawn(client, plan, 1, kind="move", blocks=["B000001"], to=None)
    drawn(client, plan, 2, kind="create", name="=河滩,“新”", blocks=["B000005", "B000013"],
          grid_kind="special", special_use="学校", setting="city")  # fmt: skip
    drawn(client, plan, 3, kind="merge", grids=[f"{VILLAGES[3]}002"], into=f"{VILLAGES[3]}001")
    if cut:
        drawn(client, plan, 4, kind="split", block=BLOCK_11, line=MIDDLE_OF_11)
        drawn(client, plan, 5, kind="move", blocks=[f"{BLOCK_11}.1"], to=GRID_1)
    return plan


@pytest.fixture(scope="module")
def plan(desk: Client) -> int:
    return redrawn(desk)


@pytest.fixture(scope="module")
def cut_plan(desk: Client) -> int:
    return redrawn(desk, cut=True)


# there and back

WAYS = [
    ("geojson", "4490", "utf-8"), ("geojson", "4326", "utf-8"), ("geojson", "gcj02", "utf-8"),
    ("gpkg", "4545", "utf-8"), ("gpkg", "4524", "utf-8"), ("shp", "4490", "gbk"),
    ("shp", "4545", "utf-8"), ("shp", "gcj02", "gbk"), ("csv", "4490", "utf-8"),
    ("csv", "4490", "gbk"),
]  # fmt: skip
CALLED = {"geojson": "GeoJSON", "gpkg": "GeoPackage", "shp": "Shapefile", "csv": "CSV"}


@pytest.mark.parametrize(("kind", "crs", "encoding"), WAYS)
def test_a_plan_comes_back_block_by_block(
    desk: Client, plan: int, kind: str, crs: str, encoding: str
) -> None:
    file = file_of(desk, plan, format=kind, crs=crs, encoding=encoding, what="blocks")
    back = taken_in(desk, file, title="回来")
    said = back["understood"]
    assert (said["what"], said["format"]) == ("blocks", CALLED[kind])
    label = {"gcj02": "GCJ-02"}.get(crs, f"EPSG:{crs}")
    assert (said["crs_declared"], said["crs_used"]) == ((label, label) if kind != "csv" else
                                                        (None, None))  # fmt: skip
    assert said["encoding"].lower() in {encoding, "utf-8-sig", "gb18030"}
    assert (said["blocks_assigned"], said["blocks_untouched"], said["rejected"]) == (16, 0, [])
    assert said["blocks_moved"] == 6
    assert hash_of(desk, back["id"]) == hash_of(desk, plan)
    assert (back["title"], back["status"], back["created_by"]) == ("回来", "draft", "planner")


@pytest.mark.parametrize(("kind", "crs"), [("geojson", "4490"), ("gpkg", "4524"), ("shp", "gcj02")])
def test_a_plan_of_grids_only_comes_back_by_its_ground(
    desk: Client, plan: int, kind: str, crs: str
) -> None:
    back = taken_in(desk, file_of(desk, plan, format=kind, crs=crs, what="grids"))
    assert back["understood"]["what"] == "grids"
    assert hash_of(desk, back["id"]) == hash_of(desk, plan)


@pytest.mark.parametrize(("kind", "crs"), [("geojson", "4326"), ("gpkg", "4545"), ("shp", "gcj02")])
def test_cut_blocks_survive_the_trip(desk: Client, cut_plan: int, kind: str, crs: str) -> None:
    back = taken_in(desk, file_of(desk, cut_plan, format=kind, crs=crs, what="blocks"))
    assert back["understood"]["blocks_cut"] == [BLOCK_11]
    before, after = (get(desk, f"/plans/{one}/assignment") for one in (cut_plan, back["id"]))
    assert after["blocks"] == before["blocks"]
    assert after["grids"] == before["grids"]
    assert after["shapes"].keys() == before["shapes"].keys()


def test_a_table_cannot_carry_cut_blocks(desk: Client, cut_plan: int) -> None:
    problem = refused(desk, file_of(desk, cut_plan, format="csv", what="blocks"))
    assert problem["code"] == "pieces-without-shape"
    assert problem["where"]["names"] == [f"{BLOCK_11}.1", f"{BLOCK_11}.2"]


def test_strokes_of_an_import_are_undone_like_any_other(desk: Client, cut_plan: int) -> None:
    back = taken_in(desk, file_of(desk, cut_plan, format="gpkg", what="blocks"))
    whole = get(desk, f"/plans/{back['id']}")
    strokes = whole["strokes"]
    assert whole["cursor"] == whole["version"] == len(strokes)
    assert {one["actor"] for one in strokes} == {"planner"}
    assert [one["kind"] for one in strokes] == ["split", "create", "move", "move", "move", "move",
                                                "retire"]  # fmt: skip
    assert whole["changed_what"] == "imported"
    for version in range(len(strokes), 2 * len(strokes)):
        post(desk, f"/{back['id']}/undo", base_version=version)
    assert hash_of(desk, back["id"]) == whole["base_hash"]
    drawn(desk, back["id"], 2 * len(strokes), kind="move", blocks=[BLOCK_10], to=GRID_2)


def test_an_import_can_be_handed_in_and_published(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    back = taken_in(own_client, file_of(own_client, plan, format="gpkg", what="blocks"))["id"]
    version = get(own_client, f"/plans/{back}")["version"]
    found = get(own_client, f"/plans/{back}/checks")["faults"]
    soft = [one["key"] for one in found if one["severity"] == "soft"]
    post(own_client, f"/{back}/submit", base_version=version, accept=soft)
    post(own_client, f"/{back}/approve", "approver", base_version=version + 1)
    done = post(own_client, f"/{back}/publish", base_version=version + 2)
    assert done["status"] == "published"
    # what is in force now goes out, and says nothing new to itself
    again = own_client.get("/api/grids/export", params={"format": "gpkg", "what": "blocks"},
                           headers=own_client.by("planner"))  # fmt: skip
    said = taken_in(own_client, again.content)["understood"]
    assert (said["blocks_moved"], said["grids_made"], said["grids_gone"]) == (0, [], [])
    assert said["blocks_assigned"] == 17


def test_a_published_plan_goes_out_under_the_codes_that_its_grids_got(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="create", name="新网格", blocks=[BLOCK_10])
    found = get(own_client, f"/plans/{plan}/checks")["faults"]
    soft = [one["key"] for one in found if one["severity"] == "soft"]
    post(own_client, f"/{plan}/submit", base_version=1, accept=soft)
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    post(own_client, f"/{plan}/publish", base_version=3)
    file = file_of(own_client, plan, format="csv", what="blocks")
    assert b"~" not in file
    said = taken_in(own_client, file)["understood"]
    assert (said["blocks_moved"], said["grids_made"], said["grids_gone"]) == (0, [], [])


# what goes out


@pytest.mark.parametrize("what", ["grids", "blocks"])
def test_a_file_is_called_what_it_holds(desk: Client, plan: int, what: str) -> None:
    for kind, media in MEDIA.items():
        answer = exported(desk, plan, format=kind, what=what)
        assert answer.headers["content-type"].split(";")[0] == media
        told = answer.headers["content-disposition"]
        assert told.startswith(f'attachment; filename="plan_{plan}_{what}')
        name = unquote(told.partition("filename*=UTF-8''")[2])
        assert name.startswith(f"方案{plan}_调整西社区_{what}")
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_shifted_coordinates_are_marked_in_the_name(desk: Client, plan: int) -> None:
    shifted = exported(desk, plan, format="shp", crs="gcj02")
    assert shifted.headers["content-disposition"].count("GCJ-02") == 2
    names = zipfile.ZipFile(io.BytesIO(shifted.content)).namelist()
    assert "grids_GCJ-02.shp" in names


def test_a_hostile_title_makes_no_header(desk: Client) -> None:
    plan = started(desk, title='a"; Set-Cookie: x=1; filename="b.exe')
    answer = exported(desk, plan)
    assert "set-cookie" not in answer.headers
    told = answer.headers["content-disposition"]
    assert told.count('"') == 2
    assert told.endswith(".geojson")


def test_the_grids_in_force_are_handed_out_with_who_lives_in_them(client: Client) -> None:
    answer = client.get("/api/grids/export", headers=client.by("leader"))
    found = {one["properties"]["grid_code"]: one["properties"]
             for one in orjson.loads(answer.content)["features"]}  # fmt: skip
    listed = client.get("/api/grids", headers=client.by("leader")).json()["features"]
    assert found.keys() == {one["id"] for one in listed}
    for one in listed:
        mine = found[one["id"]]
        assert mine["people"] == one["properties"]["people"] == 8
        assert mine["households"] == one["properties"]["households"]
    assert {one["village_name"] for one in found.values()} >= {"西社区", "东北村"}
    assert COUNTY in answer.headers["content-disposition"]


def test_a_plan_counts_who_lives_in_its_grids(desk: Client, plan: int) -> None:
    rows = json.loads(file_of(desk, plan))["features"]
    people = {one["properties"]["grid_code"]: one["properties"]["people"] for one in rows}
    assert sum(people.values()) == 64
    assert (people[GRID_1], people[GRID_2], people[None]) == (4, 12, 4)


def test_blocks_that_go_out_tell_of_nobody(desk: Client, plan: int) -> None:
    for one in json.loads(file_of(desk, plan, what="blocks"))["features"]:
        assert not {"people", "households"} & one["properties"].keys()


def test_a_past_date_has_its_own_grids(client: Client) -> None:
    headers = client.by("planner")
    for day, count in (("2026-03-01", 8), ("2019-12-31", 0)):
        for kind in ("geojson", "csv"):
            query = {"as_of": day, "format": kind}
            answer = client.get("/api/grids/export", params=query, headers=headers)
            assert answer.status_code == 200
            assert day in answer.headers["content-disposition"]
            assert len(codes_in(answer.content, kind)) == count


def codes_in(body: bytes, kind: str) -> list[str]:
    """Return the grid codes of a file of grids."""
    if kind == "geojson":
        rows = [one["properties"] for one in json.loads(body)["features"]]
        return [row["grid_code"] for row in rows if row["grid_code"]]
    table = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    return [row["网格编码"] for row in table if row["网格编码"]]


# who may


@pytest.mark.parametrize("role", ROLES)
def test_only_planners_take_plans_out_and_in(desk: Client, plan: int, role: str) -> None:
    file = file_of(desk, plan, what="blocks")
    allowed = role in PLANNERS
    assert exported(desk, plan, role).status_code == (200 if allowed else 403)
    answer = sent(desk, file, role=role)
    assert answer.status_code == (201 if allowed else 403)
    blocks = desk.get("/api/grids/export", params={"what": "blocks"}, headers=desk.by(role))
    assert blocks.status_code == (200 if allowed else 403)


def test_nobody_gets_nothing(desk: Client, plan: int) -> None:
    assert desk.get(f"/api/plans/{plan}/export").status_code == 401
    assert desk.get("/api/grids/export").status_code == 401
    body = {"Content-Type": "application/zip"}
    assert desk.post("/api/plans/import", content=b"x", headers=body).status_code == 401


def test_a_town_takes_out_its_own_grids_only(client: Client) -> None:
    answer = client.get("/api/grids/export", headers=client.by("town_centre"))
    villages = {
        one["properties"]["village_code"] for one in orjson.loads(answer.content)["features"]
    }
    assert villages == {village for village in VILLAGES if village.startswith(TOWNS[0])}


def test_a_plan_that_is_not_there_is_not_found(desk: Client) -> None:
    assert exported(desk, 999_999).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"format": "exe"}, {"crs": "3857"}, {"crs": "bd09"}, {"encoding": "latin-1"},
        {"what": "people"}, {"format": "kml", "crs": "gcj02"}, {"format": "csv", "crs": "4545"},
        {"format": "gpkg", "encoding": "gbk"}, {"crs": "x" * 41}, {"as_of": "yesterday"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(desk: Client, plan: int, query: Any) -> None:
    ways = [f"/api/plans/{plan}/export"] if "as_of" not in query else []
    for way in (*ways, "/api/grids/export"):
        answer = desk.get(way, params=query, headers=desk.by("planner"))
        assert answer.status_code == 422, answer.text
        assert answer.json()["zh"] != answer.json()["en"]


# what comes in


def table(*rows: tuple[str, ...], header: str = "图斑编号,网格编码,网格名称") -> bytes:
    lines = [header, *(",".join(row) for row in rows)]
    return "\r\n".join(lines).encode()


def test_a_file_of_a_few_blocks_leaves_the_others_alone(desk: Client) -> None:
    said = taken_in(desk, table((BLOCK_10, GRID_2, "x")))["understood"]
    assert (said["blocks_assigned"], said["blocks_moved"]) == (1, 1)
    assert said["blocks_untouched"] == 15
    assert BLOCK_10 not in said["untouched"]
    assert said["differing"] == {GRID_2: {
        "name": {"kept": "网格002", "file": "x"}, "village_code": {"kept": VILLAGES[0], "file": ""},
    }}  # fmt: skip


def test_a_table_of_the_american_kind_is_taken(desk: Client) -> None:
    body = table((BLOCK_10, "7"), (BLOCK_11, "7"), header="BLOCKID,DISTRICT")
    back = taken_in(desk, body, name="district.csv")
    assert back["title"] == "district"
    assert back["understood"]["grids_made"] == ["7"]
    grids = {one["code"]: one for one in get(desk, f"/plans/{back['id']}/assignment")["grids"]}
    assert grids["7"]["village_code"] == VILLAGES[0]


def test_a_file_may_come_as_a_form(desk: Client) -> None:
    files = {"file": ("方案.csv", table((BLOCK_10, GRID_2, "x")), "text/csv")}
    answer = desk.post("/api/plans/import", files=files, headers=desk.by("planner"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["title"] == "方案"


def test_a_form_without_the_file_is_refused(desk: Client) -> None:
    for files in ({"other": ("a.csv", b"x")}, {"file": (None, b"text")}):
        answer = desk.post("/api/plans/import", files=files, headers=desk.by("planner"))
        assert (answer.status_code, answer.json()["code"]) == (422, "no-file")
    headers = desk.by("planner") | {"Content-Type": "multipart/form-data; boundary=x"}
    answer = desk.post("/api/plans/import", content=b"--y\r\n", headers=headers)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_content_type_that_any_page_may_send_is_refused(desk: Client, kind: str) -> None:
    assert sent(desk, table((BLOCK_10, GRID_2, "x")), kind=kind).status_code == 415


def test_a_file_from_another_site_is_refused(desk: Client) -> None:
    headers = desk.by("planner") | {"Content-Type": "text/csv", "Origin": "https://evil.example"}
    answer = desk.post("/api/plans/import", content=table((BLOCK_10, GRID_2, "x")), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "other-origin")
    files = {"file": ("a.csv", table((BLOCK_10, GRID_2, "x")))}
    origin = desk.by("planner") | {"Origin": "https://evil.example"}
    assert desk.post("/api/plans/import", files=files, headers=origin).status_code == 403


def test_nothing_sent_is_an_empty_file(desk: Client) -> None:
    assert refused(desk, b"")["code"] == "empty-file"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<OGRVRTDataSource/>", 415, "wrong-content"),
        (b"<?xml version='1.0'?><kml xmlns='http://www.opengis.net/kml/2.2'/>", 415,
         "wrong-content"),
        (b"<html><script>", 415, "wrong-content"), (b"%PDF-1.7", 415, "wrong-content"),
        (b"PK\x03\x04 no archive", 422, "broken-archive"), (b"[1,2", 415, "not-json"),
        (b'{"type":"FeatureCollection","features":[],"crs":{"type":"link","properties":'
         b'{"href":"http://127.0.0.1:1/"}}}', 422, "crs-not-allowed"),
        (b'{"type":"FeatureCollection","features":[]}', 422, "no-rows"),
        (b"a,b\r\n1,2\r\n", 422, "no-grid-codes"), (b"grid_code\r\n1\r\n", 422,
                                                  "no-blocks-and-no-ground"),
        (b"\xff\xfea\x00", 415, "wrong-content"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_refused(
    desk: Client, body: bytes, status: int, code: str
) -> None:
    assert refused(desk, body, status)["code"] == code


def test_a_suffix_that_lies_is_refused(desk: Client) -> None:
    problem = refused(desk, table((BLOCK_10, GRID_2, "x")), 415, name="../../a.gpkg")
    assert problem["code"] == "wrong-content"
    assert "/" not in problem["where"]["file"]


def test_a_geopackage_with_a_trigger_is_refused(desk: Client, tmp_path: Path) -> None:
    statement = "create trigger t after insert on villages begin select 1; end"
    path = altered_geopackage(tmp_path / "a.gpkg", statement)
    assert refused(desk, path.read_bytes())["code"] == "active-content"


def test_an_archive_that_leads_out_or_swells_is_refused(desk: Client) -> None:
    for names, status in ((["../a.shp"], 422), (["a.zip"], 415), (["a.shp", "b.shp"], 422)):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        refused(desk, target.getvalue(), status)
    swollen = io.BytesIO()
    with zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(20_000_000))
    assert refused(desk, swollen.getvalue(), 413)["where"]["what"] == "ratio"


def test_a_spreadsheet_that_rounded_codes_is_told_so(desk: Client) -> None:
    problem = refused(desk, table((BLOCK_10, "6.10999E+14", "x")))
    assert problem["code"] == "code-rounded"


def test_unknown_blocks_are_named(desk: Client) -> None:
    problem = refused(desk, table(("B999999", GRID_2, "x"), (BLOCK_10, GRID_2, "x")))
    assert (problem["code"], problem["where"]["names"]) == ("unknown-blocks", ["B999999"])


def test_bad_rows_are_listed_and_the_good_ones_taken(desk: Client) -> None:
    body = table((BLOCK_10, GRID_2, "x"), (BLOCK_11, GRID_1, "x", "one too many"))
    said = taken_in(desk, body)["understood"]
    assert said["blocks_assigned"] == 1
    assert [(one["row"], one["code"]) for one in said["rejected"]] == [(2, "wrong-column-count")]


def test_coordinates_that_do_not_say_gcj02_are_recognised_and_taken_when_said(
    desk: Client, plan: int
) -> None:
    file = json.loads(file_of(desk, plan, crs="gcj02", what="blocks"))
    del file["coordinate_system"]
    for feature in file["features"]:
        del feature["properties"]["coordinate_system"]
    body = json.dumps(file).encode()
    problem = refused(desk, body)
    assert problem["code"] == "blocks-elsewhere"
    assert "crs=gcj02" in problem["en"]
    back = taken_in(desk, body, crs="gcj02")
    assert back["understood"]["crs_declared"] == "EPSG:4326"
    assert back["understood"]["crs_used"] == "GCJ-02"
    assert hash_of(desk, back["id"]) == hash_of(desk, plan)


def test_the_twin_of_a_zone_is_told_apart(desk: Client, plan: int) -> None:
    body = file_of(desk, plan, crs="4524").replace(b"EPSG::4524", b"EPSG::4545")
    said = taken_in(desk, body)["understood"]
    assert (said["crs_declared"], said["crs_used"]) == ("EPSG:4545", "EPSG:4524")


def test_one_unit_may_come_in_alone(desk: Client, plan: int) -> None:
    rows = json.loads(file_of(desk, plan))
    rows["features"] = [one for one in rows["features"]
                        if one["properties"]["village_code"] == VILLAGES[0]]  # fmt: skip
    body = json.dumps(rows).encode()
    assert refused(desk, body)["code"] == "block-in-none"
    alone = taken_in(desk, body, unit=VILLAGES[0])
    assert (alone["unit_path"][-13:-1], alone["understood"]["blocks_untouched"]) == (VILLAGES[0], 0)
    part = taken_in(desk, body, partial="true")
    assert part["understood"]["blocks_untouched"] == 12
    assert refused(desk, body, 404, unit="999999")["code"] == "no-such-unit"


def test_a_faulty_polygon_is_listed_and_its_blocks_are_missed(desk: Client, plan: int) -> None:
    file = json.loads(file_of(desk, plan, crs="4326"))
    (feature,) = [one for one in file["features"] if one["properties"]["grid_code"] == GRID_1]
    ring = feature["geometry"]["coordinates"][0]
    ring = ring if isinstance(ring[0][0], float) else ring[0]
    ring[1], ring[2] = ring[2], ring[1]
    body = json.dumps(file).encode()
    assert refused(desk, body)["code"] == "block-in-none"
    said = taken_in(desk, body, partial="true")["understood"]
    assert [one["code"] for one in said["rejected"]] == ["invalid-polygon"]


def test_numbers_of_persons_in_names_are_hidden(desk: Client) -> None:
    back = taken_in(desk, table((BLOCK_10, "new", "张 13912345678")), title="13912345678")
    assert back["title"] == HIDDEN
    grids = {one["code"]: one for one in get(desk, f"/plans/{back['id']}/assignment")["grids"]}
    assert grids["new"]["name"] == f"张 {HIDDEN}"


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{% raw", "<img src=x onerror=1>", "' OR 1=1--", "a%_"]
)
def test_hostile_names_are_only_names(desk: Client, text: str) -> None:
    back = taken_in(desk, table((BLOCK_10, "new", f'"{text}"')), title=text)
    assert back["title"] == text
    for kind in MEDIA:
        assert exported(desk, back["id"], format=kind, what="blocks").status_code == 200
    again = taken_in(desk, file_of(desk, back["id"], format="csv", what="blocks"))
    assert hash_of(desk, again["id"]) == hash_of(desk, back["id"])


@pytest.mark.parametrize(
    "query",
    [{"least_share": "nan"}, {"least_share": "0.5"}, {"least_share": "1.1"}, {"crs": "mars"},
     {"encoding": "no-such"}, {"title": ""}, {"title": "x" * 201}, {"partial": "maybe"}],
)  # fmt: skip
def test_an_import_is_asked_for_in_known_words(desk: Client, query: Any) -> None:
    file = file_of(desk, started(desk)) if "crs" in query else table((BLOCK_10, GRID_2, "x"))
    refused(desk, file, **query)
