"""Two doors for files, ``/api/imports`` and ``/api/plans/import``: one file, one reading."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, cast

import pytest

from gis_service.exchange_in import Reading, Taken, taken
from gis_service.file_limits import file_limits
from gis_service.import_requests import Sending
from gis_service.importing import read_upload
from gis_service.names import file_title
from gis_service.personal_numbers import HIDDEN
from gis_service.settings import Settings
from grid_boundaries.errors import Refused
from layers.load.outlines import OutlineFile
from tests.exchanging import file_of, plain_plan
from tests.gis_service.test_plans import started
from tests.layers.load.made import flatgeobuf
from tests.serving import Client

SHEET = plain_plan().sheet("grids")
SETTINGS = Settings()
DOORS = ("/plans/import", "/imports")
WAYS = [
    *(("geojson", crs, "utf-8") for crs in ("4490", "4326", "gcj02", "4545", "4524")),
    *(("gpkg", crs, "utf-8") for crs in ("4490", "gcj02", "4545", "4524")),
    *(("shp", crs, encoding) for crs in ("4490", "4326", "gcj02", "4545", "4524")
      for encoding in ("utf-8", "gbk")),
]  # fmt: skip


def both(
    name: str, body: bytes, crs: str = "", encoding: str = "", settings: Settings = SETTINGS
) -> tuple[Taken, OutlineFile]:
    """Return what each door reads of a file, before the database is asked."""
    plan = taken(name, body, Reading(crs or None, encoding), settings)
    asked = Sending(crs=crs, encoding=encoding)
    return plan, read_upload(name, body, asked, file_limits(settings))


def names_in(file: OutlineFile) -> dict[str, str]:
    rows = file.rows[file.rows["code"].notna()]
    return dict(zip(rows["code"].astype(str), rows["name"].astype(str), strict=True))


def altered(body: bytes, **parts: bytes | None) -> bytes:
    """Return a zipped Shapefile with parts put in, replaced or (None) left out, by suffix."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(packed, "w") as new:
        stem = next(name for name in old.namelist() if name.endswith(".shp"))[:-4]
        kept = {name: old.read(name) for name in old.namelist()}
        kept |= {f"{stem}.{suffix}": data for suffix, data in parts.items() if data is not None}
        for name, data in kept.items():
            if not any(data is None and name == f"{stem}.{one}" for one, data in parts.items()):
                new.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(("kind", "crs", "encoding"), WAYS)
def test_one_file_is_read_alike_at_both_doors(kind: str, crs: str, encoding: str) -> None:
    file = file_of(SHEET, kind, crs, encoding)
    plan, layer = both(file.plain_name, file.body)
    assert plan.about["crs_declared"] == layer.crs != ""
    assert plan.about["encoding"] == layer.encoding.used == encoding
    assert plan.about["format"] == layer.kind
    assert {code: grid.name for code, grid in plan.told.grids.items()} == names_in(layer)
    assert (len(plan.rejected), len(layer.rejected)) == (0, 0)
    assert plan.about["remarks"] == [] and not layer.encoding.is_odd


MISSTATED = [
    # really in, stated by the .cpg (None: no .cpg), by the sender, read in
    ("utf-8", b"GBK", "", "utf-8"), ("utf-8", b"936", "", "utf-8"), ("utf-8", None, "gbk", "utf-8"),
    ("utf-8", b"UTF-8", "gbk", "utf-8"), ("utf-8", b"Big5", "", "utf-8"),
    ("gbk", b"UTF-8", "", "gb18030"), ("gbk", None, "", "gb18030"), ("gbk", b"GBK", "", "gbk"),
    ("gbk", b"GBK", "utf-8", "gb18030"), ("gbk", b"zlib", "", "gb18030"),
    ("utf-8", b"no-such", "", "utf-8"), ("utf-8", None, "", "utf-8"),
]  # fmt: skip


@pytest.mark.parametrize(("really", "cpg", "asked", "used"), MISSTATED)
def test_what_is_stated_wrongly_is_read_right_at_both_doors_and_told(
    really: str, cpg: bytes | None, asked: str, used: str
) -> None:
    body = altered(file_of(SHEET, "shp", encoding=really).body, cpg=cpg)
    plan, layer = both("a.zip", body, encoding=asked)
    told = {code: grid.name for code, grid in plan.told.grids.items()}
    assert told == names_in(layer) == {
        row["grid_code"]: row["grid_name"]
        for row in SHEET.table.to_dict("records") if row["grid_code"]
    }  # fmt: skip
    assert plan.about["encoding"] == layer.encoding.used == used
    assert bool(plan.about["remarks"]) == layer.encoding.is_odd
    if layer.encoding.is_odd:
        (remark,) = plan.about["remarks"]
        assert (remark["zh"], remark["en"]) == layer.encoding.sentences


@pytest.mark.parametrize("stated", ["", "utf-8", "gbk", "gb18030", "cp950"])
@pytest.mark.parametrize("really", ["utf-8", "gbk"])
def test_a_table_is_read_by_its_bytes(really: str, stated: str) -> None:
    file = file_of(plain_plan().sheet("blocks"), "csv", encoding=really)
    if (really, stated) == ("gbk", "cp950"):
        return  # most of GBK is Big5, too: whoever says so is believed
    told = taken(file.plain_name, file.body, Reading(None, stated), SETTINGS)
    assert "河滩新区" in {grid.name for grid in told.told.grids.values()}
    with pytest.raises(Refused) as refused:
        read_upload(file.plain_name, file.body, Sending(encoding=stated), file_limits(SETTINGS))
    assert refused.value.code == "no-outlines"


@pytest.mark.parametrize("word", ["GCJ-02", "gcj02", "Gcj_02", "EPSG:4545", "4545", "bd09"])
def test_a_reference_is_asked_for_in_the_same_words(desk: Client, word: str) -> None:
    crs = {"g": "gcj02", "b": "4490"}.get(word[0].lower(), "4545")
    body = file_of(SHEET, "geojson", crs).body
    for door in DOORS:
        answer = desk.upload(door, body, name="a.geojson", crs=word)
        # of another county: what matters is that the word is known
        assert answer.json().get("code") not in ("no-such-crs", "bad-field"), answer.text
        assert answer.status_code < 500


BAD: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no CRS": (file_of(SHEET, "geojson").body, {"crs": "EPSG:1"}, 422, "no-such-crs"),
    "a path as a CRS": (file_of(SHEET, "geojson").body, {"crs": "/etc/x"}, 422, "no-such-crs"),
    "no encoding": (file_of(SHEET, "shp").body, {"encoding": "klingon"}, 422, "unknown-encoding"),
    "a suffix that lies": (file_of(SHEET, "shp").body, {"name": "a.gpkg"}, 415, "wrong-content"),
    "VRT": (b"<OGRVRTDataSource/>", {"name": "a.geojson"}, 415, "wrong-content"),
    "a broken archive": (b"PK\x03\x04 none", {"name": "a.zip"}, 422, "broken-archive"),
    "a table with a broken header": (
        b"a,a\r\n1,2", {"name": "a.csv"}, 422, "column-named-twice",
    ),
    "a layer that is not there": (
        file_of(SHEET, "gpkg").body, {"layer": "none"}, 422, "no-such-layer",
    ),
    "no .prj": (altered(file_of(SHEET, "shp").body, prj=None), {}, 422, "missing-part"),
    "not sent at all": (b"", {}, 422, "empty-file"),
    "a link": (
        b'{"type":"FeatureCollection","features":[],"crs":{"type":"link"}}', {}, 422,
        "crs-not-allowed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_gets_one_answer_at_both_doors(desk: Client, what: str) -> None:
    body, query, status, code = BAD[what]
    answers = [desk.upload(door, body, **query) for door in DOORS]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(status, code)] * 2
    assert answers[0].json()["zh"] == answers[1].json()["zh"]


def test_one_byte_too_many_is_too_many_at_both_doors() -> None:
    body = file_of(SHEET, "geojson").body
    tight = Settings(body_limit_bytes=len(body) - 1)
    for read in (
        lambda: taken("a.geojson", body, Reading(), tight),
        lambda: read_upload("a.geojson", body, Sending(), file_limits(tight)),
    ):
        with pytest.raises(Refused) as refused:
            cast(Any, read)()
        assert refused.value.code == "file-too-large"


def test_a_flatgeobuf_is_read_at_both_doors(tmp_path: Any) -> None:
    body = flatgeobuf(tmp_path / "a.fgb").read_bytes()
    layer = read_upload("a.fgb", body, Sending(), file_limits(SETTINGS))
    assert (layer.kind, layer.columns) == ("FlatGeobuf", {"code": "CODE", "name": "NAME"})
    plan = taken("a.fgb", body, Reading(), SETTINGS)
    assert names_in(layer) == {code: grid.name for code, grid in plan.told.grids.items()}


def exported(client: Client, **query: str) -> bytes:
    plan = started(client)
    answer = client.get(f"/api/plans/{plan}/export", params=query, headers=client.by("planner"))
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("crs", ["4490", "gcj02", "4524", "4545"])
def test_an_exported_plan_changes_nothing_through_either_door(desk: Client, crs: str) -> None:
    body = exported(desk, format="geojson", crs=crs)
    plan = desk.upload("/plans/import", body).json()
    layer = desk.upload("/imports", body).json()
    assert layer["crs"]["declared"] == layer["crs"]["suspected"] == plan["understood"]["crs_used"]
    assert plan["understood"]["blocks_moved"] == 0
    assert layer["findings"] == {}


def test_a_zone_taken_for_its_twin_is_read_alike_and_to_be_confirmed(desk: Client) -> None:
    body = exported(desk, format="geojson", crs="4524").replace(b"EPSG::4524", b"EPSG::4545")
    plan = desk.upload("/plans/import", body).json()["understood"]
    layer = desk.upload("/imports", body).json()
    assert plan["crs_declared"] == layer["crs"]["declared"] == "EPSG:4545"
    assert plan["crs_used"] == layer["crs"]["suspected"] == "EPSG:4524"


def named_layer(name: str) -> bytes:
    features = json.loads(file_of(SHEET, "geojson").body)["features"][:1]
    features[0]["properties"] = {"grid_code": "x", "grid_name": name}
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


MARKED = "\u202egnp.城关\u2066\u200f"


def test_a_file_whose_name_turns_its_direction_is_called_without(desk: Client) -> None:
    body = exported(desk, format="geojson")
    for door, title in (("/plans/import", "gnp.城关"), ("/imports", "gnp.城关.geojson")):
        answer = desk.upload(door, body, name=f"{MARKED}.geojson")
        assert (answer.status_code, answer.json()["title"]) == (201, title), answer.text
        form = {"file": (f"{MARKED}.geojson", body, "application/geo+json")}
        again = desk.post(f"/api{door}", files=form, headers=desk.by("planner"))
        assert (again.status_code, again.json()["title"]) == (201, title), again.text


def test_a_title_that_turns_its_direction_is_refused(desk: Client) -> None:
    body = exported(desk, format="geojson")
    for title in (MARKED, "a\nb", "\x1b[31m", ""):
        answer = desk.upload("/plans/import", body, title=title)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-field"), answer.text


def test_names_inside_a_layer_are_refused_in_a_plan_and_put_right_in_a_layer(desk: Client) -> None:
    body = named_layer(MARKED)
    plan = desk.upload("/plans/import", body)
    assert (plan.status_code, plan.json()["code"]) == (422, "strange-text")
    layer = desk.upload("/imports", body).json()
    assert layer["findings"]["marks-in-name"] == 1
    found = desk.get(f"/api/imports/{layer['id']}/findings", headers=desk.by("planner")).text
    assert "gnp.城关" in found
    assert not {"\u202e", "\\u202e", "\u200f"} & {*found, *found.split('"')}
    assert "u202e" not in found


@pytest.mark.parametrize(
    ("name", "title"),
    [("a/b/../方案.zip", "方案.zip"), ("C:\\x\\方案.zip", "方案.zip"), ("", ""), ("..", ".."),
     ("张13912345678.csv", f"张{HIDDEN}.csv"), ("x" * 300, "x" * 200), ("a\nb.csv", "a b.csv")],
)  # fmt: skip
def test_a_file_name_becomes_a_title(name: str, title: str) -> None:
    assert file_title(name) == title
