"""Files as another program finds them: headers, encodings, coordinates, names."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from grid_boundaries.crs import gcj02_from_wgs84
from grid_boundaries.errors import Refused
from grid_boundaries.exchange.delimited import csv_bytes, guarded, plain
from grid_boundaries.exchange.fields import FIELDS
from grid_boundaries.exchange.files import FORMATS, MEDIA, SUFFIX, File, safe_name
from grid_boundaries.exchange.sheets import Sheet
from tests.exchanging import HARD_NAME, file_of, plain_plan

KML = "{http://www.opengis.net/kml/2.2}"
GRIDS, BLOCKS = plain_plan().sheet("grids"), plain_plan().sheet("blocks")


def one_row(**cells: Any) -> Sheet:
    """Return a sheet of one block whose grid has some facts."""
    row = {"block_id": "B000001", "grid_code": "a", "grid_name": "一", "village_code": "v", **cells}
    shape = np.array([shapely.box(108.3, 33.3, 108.31, 33.31), None], dtype=object)[:-1]
    return Sheet("blocks", pd.DataFrame([row], dtype=object), shape)


def no_rows() -> Sheet:
    return Sheet("blocks", BLOCKS.table.iloc[:0], BLOCKS.shapes[:0])


def parts(file: File) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def dbf_rows(table: bytes, encoding: str) -> list[dict[str, str]]:
    """Return the rows of a .dbf, read by its specification alone."""
    count, header, width = struct.unpack_from("<IHH", table, 4)
    fields, at = [], 32
    while table[at] != 0x0D:
        fields.append((table[at : at + 11].partition(b"\0")[0].decode("ascii"), table[at + 16]))
        at += 32
    rows = []
    for number in range(count):
        place, row = header + number * width + 1, {}
        for name, length in fields:
            row[name] = table[place : place + length].decode(encoding).strip()
            place += length
        rows.append(row)
    return rows


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_is_named_by_what_it_holds(kind: str) -> None:
    file = file_of(GRIDS, kind)
    assert file.name.startswith("方案_3_西_grids")
    assert file.name.endswith(f".{SUFFIX[kind]}")
    assert file.plain_name.isascii()
    assert file.media_type.partition(";")[0] == MEDIA[kind]
    assert ("EPSG4490" in file.name) == (kind != "csv")


def test_an_encoding_is_in_the_name_when_it_is_not_utf_8() -> None:
    assert "GBK" in file_of(GRIDS, "shp", encoding="gbk").name
    assert "charset=gbk" in file_of(GRIDS, "csv", encoding="gbk").media_type


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "kml"])
def test_an_encoding_that_a_kind_has_not_is_refused(kind: str) -> None:
    with pytest.raises(Refused, match="UTF-8") as refused:
        file_of(GRIDS, kind, encoding="gbk")
    assert refused.value.code == "encoding-not-possible"


@pytest.mark.parametrize("kind", ["kml", "csv"])
@pytest.mark.parametrize("crs", ["gcj02", "4545"])
def test_a_reference_that_a_kind_has_not_is_refused(kind: str, crs: str) -> None:
    with pytest.raises(Refused) as refused:
        file_of(GRIDS, kind, crs)
    assert refused.value.code == "crs-not-possible"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc_passwd"), ("a\r\nSet-Cookie: x", "a_Set-Cookie_x"),
        ('"quoted"', "quoted"), ("..", "grids"), ("", "grids"), ("网 格", "网_格"),
        ("a\u202egnp.exe", "a_gnp.exe"), ("\ud83d", "grids"), ("x" * 500, "x" * 60),
        ("CON:", "CON"), ("%2e%2e%2f", "2e_2e_2f"),
    ],
)  # fmt: skip
def test_a_title_is_safe_as_a_file_name(title: str, name: str) -> None:
    assert safe_name(title) == name


# GeoJSON


def geojson(sheet: Sheet, crs: str = "4490") -> Any:
    return json.loads(file_of(sheet, "geojson", crs).body)


def test_geojson_has_every_digit_of_the_coordinates() -> None:
    found = geojson(BLOCKS)["features"]
    for feature, shape in zip(found, BLOCKS.shapes, strict=True):
        back = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.normalize(back).equals_exact(shapely.normalize(shape), 0)


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        ("4490", "urn:ogc:def:crs:EPSG::4490"),
        ("4545", "urn:ogc:def:crs:EPSG::4545"),
        ("4326", None),
    ],
)
def test_geojson_names_every_reference_but_wgs_84(crs: str, name: str | None) -> None:
    found = geojson(GRIDS, crs)
    assert ("crs" in found) == (name is not None)
    if name is not None:
        assert found["crs"]["properties"]["name"] == name


def test_geojson_turns_outer_rings_counter_clockwise() -> None:
    for feature in geojson(GRIDS)["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert all(part.exterior.is_ccw for part in shapely.get_parts(shape))


def test_geojson_in_gcj02_says_so_everywhere_and_is_shifted() -> None:
    found = geojson(BLOCKS, "gcj02")
    assert "crs" not in found
    assert found["coordinate_system"] == "GCJ-02"
    assert {one["properties"]["coordinate_system"] for one in found["features"]} == {"GCJ-02"}
    first = shapely.from_geojson(json.dumps(found["features"][0]["geometry"]))
    expected = shapely.transform(BLOCKS.shapes[0], gcj02_from_wgs84)
    assert shapely.equals_exact(shapely.normalize(first), shapely.normalize(expected), 1e-13)
    assert "GCJ-02" in file_of(BLOCKS, "geojson", "gcj02").name


def test_geojson_keeps_any_text_byte_for_byte() -> None:
    for text in (HARD_NAME, "</script><script>", "{{7*7}}", "\u2028", "𬒈😀", '\\"'):
        (feature,) = geojson(one_row(grid_name=text))["features"]
        assert feature["properties"]["grid_name"] == text


def test_geojson_opens_in_ogr_with_its_reference(tmp_path: Path) -> None:
    for crs in ("4490", "4326", "4545", "4524"):
        (tmp_path / "a.geojson").write_bytes(file_of(GRIDS, "geojson", crs).body)
        meta, _, wkb, _ = pyogrio.raw.read(tmp_path / "a.geojson")
        assert meta["crs"] == f"EPSG:{crs}"
        assert len(wkb) == len(GRIDS.table)


# Shapefile


@pytest.mark.parametrize(("encoding", "byte"), [("utf-8", 0), ("gbk", 0x4D)])
def test_a_shapefile_states_its_encoding_twice(encoding: str, byte: int) -> None:
    files = parts(file_of(BLOCKS, "shp", encoding=encoding))
    assert files["blocks.cpg"].decode() == encoding.upper()
    assert files["blocks.dbf"][29] == byte
    rows = dbf_rows(files["blocks.dbf"], encoding)
    assert [row["block_id"] for row in rows] == BLOCKS.table["block_id"].tolist()
    assert {row["grid_name"] for row in rows} >= {"河滩新区", "网格001"}
    assert {row["spec_use"] for row in rows} == {"", "学校"}


def test_a_shapefile_has_all_parts_and_the_meaning_of_its_names() -> None:
    files = parts(file_of(GRIDS, "shp"))
    assert set(files) == {f"grids.{end}" for end in ("shp", "shx", "dbf", "prj", "cpg")} | {
        "fields.csv"
    }
    rows = list(csv.DictReader(io.StringIO(files["fields.csv"].decode("utf-8-sig"))))
    meaning = {row["field"]: row["long_name"] for row in rows}
    named = dbf_rows(files["grids.dbf"], "utf-8")[0]
    assert set(named) <= set(meaning)
    assert {meaning[name] for name in named} == set(GRIDS.table.columns)


@pytest.mark.parametrize("srid", [4490, 4326, 4545, 4524, 4513, 4554])
def test_the_prj_of_a_shapefile_says_its_reference(srid: int) -> None:
    text = parts(file_of(GRIDS, "shp", str(srid)))["grids.prj"].decode()
    assert pyproj.CRS.from_wkt(text).to_epsg() == srid


def test_a_shapefile_in_gcj02_says_so_in_names_prj_and_rows() -> None:
    files = parts(file_of(GRIDS, "shp", "gcj02"))
    assert "grids_GCJ-02.shp" in files
    assert "GCJ-02" in files["grids_GCJ-02.prj"].decode()
    rows = dbf_rows(files["grids_GCJ-02.dbf"], "utf-8")
    assert {row["coord_sys"] for row in rows} == {"GCJ-02"}


def test_the_bounds_in_the_header_of_a_shapefile_are_those_of_the_shapes() -> None:
    shp = parts(file_of(BLOCKS, "shp"))["blocks.shp"]
    assert struct.unpack_from(">i", shp, 0) == (9994,)
    assert struct.unpack_from("<4d", shp, 36) == pytest.approx(
        tuple(shapely.total_bounds(BLOCKS.shapes)), abs=0
    )


@pytest.mark.parametrize("kind", ["shp", "csv"])
def test_text_that_gbk_has_not_is_refused_by_character(kind: str) -> None:
    with pytest.raises(Refused) as refused:
        file_of(one_row(grid_name="好😀"), kind, encoding="gbk")
    assert refused.value.code == "not-in-encoding"
    assert refused.value.where["character"] == "😀"
    assert file_of(one_row(grid_name="好😀"), kind).body


def test_text_that_a_dbf_would_cut_is_refused() -> None:
    fits = "格" * 84
    assert dbf_rows(parts(file_of(one_row(grid_name=fits), "shp"))["blocks.dbf"], "utf-8")[0][
        "grid_name"
    ] == fits  # fmt: skip
    with pytest.raises(Refused) as refused:
        file_of(one_row(grid_name="格" * 85), "shp")
    assert refused.value.code == "text-too-long"
    # in GBK a letter has two bytes
    assert file_of(one_row(grid_name="格" * 127), "shp", encoding="gbk").body


def test_equal_plans_give_equal_shapefiles() -> None:
    again = plain_plan().sheet("grids")
    assert file_of(GRIDS, "shp").body == file_of(again, "shp").body


# GeoPackage


def test_a_geopackage_has_one_layer_with_its_reference(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(file_of(GRIDS, "gpkg", "4545").body)
    with sqlite3.connect(path) as database:
        rows = database.execute("select table_name, srs_id, description from gpkg_contents")
        assert rows.fetchall() == [("grids", 4545, "EPSG:4545")]
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    database.close()
    meta, _, wkb, columns = pyogrio.raw.read(path)
    assert list(meta["fields"]) == list(GRIDS.table.columns)
    people = columns[list(meta["fields"]).index("people")]
    assert people.tolist() == GRIDS.table["people"].tolist()
    assert all(shapely.from_wkb(wkb) != None)  # noqa: E711 - by element


def test_a_geopackage_in_gcj02_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(file_of(GRIDS, "gpkg", "gcj02").body)
    with sqlite3.connect(path) as database:
        named = database.execute("select table_name, description from gpkg_contents").fetchall()
        known = database.execute("select srs_name from gpkg_spatial_ref_sys").fetchall()
    database.close()
    assert named == [("grids_GCJ-02", "GCJ-02")]
    assert any("GCJ-02" in name for (name,) in known)


# CSV


def table(sheet: Sheet, encoding: str = "utf-8") -> list[dict[str, str]]:
    body = file_of(sheet, "csv", encoding=encoding).body
    text = body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_begins_with_a_mark_in_utf_8_only() -> None:
    assert file_of(BLOCKS, "csv").body.startswith(b"\xef\xbb\xbf\xe5\x9b\xbe")
    assert file_of(BLOCKS, "csv", encoding="gbk").body.startswith("图斑编号".encode("gbk"))


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_block_equivalency_table_has_codes_and_names(encoding: str) -> None:
    rows = table(BLOCKS, encoding)
    assert len(rows) == len(BLOCKS.table)
    assert set(rows[0]) <= {field.zh for field in FIELDS}
    by_block = {row["图斑编号"]: row for row in rows}
    assert by_block["B000020"]["网格名称"] == "河滩新区"
    assert by_block["B000024"]["网格编码"] == ""


def test_a_table_of_grids_has_their_counts() -> None:
    rows = table(GRIDS)
    assert [int(row["人口数"]) for row in rows] == GRIDS.table["people"].tolist()


HOSTILE = [
    "=HYPERLINK(\"http://x\")", "+1", "-1", "@a", "\tx", "\r\nx", "  =1", "＝1", "'=1", "''+1",
    "\u3000=1", "=cmd|' /C calc'!A0",
]  # fmt: skip
HARMLESS = ["", "一", "1", "'", "'a", "a=1", "网格-1", "''"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_computed_by_a_spreadsheet(text: str) -> None:
    (row,) = table(one_row(grid_name=text))
    assert row["网格名称"] == f"'{text}"
    assert plain(row["网格名称"]) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert guarded(text) == text
    assert plain(text) == text


@pytest.mark.parametrize("text", [*HOSTILE, *HARMLESS, HARD_NAME])
def test_guarding_twice_is_undone_in_two_steps(text: str) -> None:
    assert plain(guarded(text)) == text
    assert plain(plain(guarded(guarded(text)))) == text


def test_numbers_and_nothing_are_not_guarded() -> None:
    assert guarded(-5) == -5
    assert guarded(None) == ""
    assert plain(None) is None


def test_separators_quotes_and_line_breaks_stay_in_their_cell() -> None:
    (row,) = table(one_row(grid_name='a,b"c"\nd'))
    assert row["网格名称"] == 'a,b"c"\nd'


# KML


def placemarks(sheet: Sheet) -> list[ElementTree.Element]:
    return ElementTree.fromstring(file_of(sheet, "kml").body).findall(f".//{KML}Placemark")


def test_kml_has_longitude_and_latitude_of_every_ring() -> None:
    for mark, shape in zip(placemarks(BLOCKS), BLOCKS.shapes, strict=True):
        (text,) = [found.text for found in mark.iter(f"{KML}coordinates")]
        points = np.array([pair.split(",") for pair in str(text).split()], dtype=float)
        ring = shapely.LinearRing(points)
        assert ring.is_ccw
        assert (
            shapely.Polygon(ring)
            .normalize()
            .equals_exact(shapely.get_parts(shape)[0].normalize(), 0)
        )


def test_kml_has_holes() -> None:
    hole = shapely.box(108.301, 33.301, 108.302, 33.302)
    sheet = one_row()
    sheet.shapes[0] = shapely.difference(sheet.shapes[0], hole)
    (mark,) = placemarks(sheet)
    assert len(mark.findall(f".//{KML}outerBoundaryIs")) == 1
    assert len(mark.findall(f".//{KML}innerBoundaryIs")) == 1


@pytest.mark.parametrize(
    "text", ["</name><script>", "&x;", "]]>", "\x00\x0b\ufffe", "<!DOCTYPE x>", HARD_NAME, "\ud83d"]
)
def test_kml_shows_any_text_as_text(text: str) -> None:
    (mark,) = placemarks(one_row(grid_name=text))
    values = {one.get("name"): one.findtext(f"{KML}value") for one in mark.iter(f"{KML}Data")}
    shown = "".join("\ufffd" if letter in "\x00\x0b\ufffe\ud83d" else letter for letter in text)
    assert values["grid_name"] == shown


def test_kml_leaves_out_what_has_no_ground() -> None:
    sheet = one_row()
    sheet.shapes[0] = None
    assert placemarks(sheet) == []


def test_kml_opens_in_ogr(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_bytes(file_of(GRIDS, "kml").body)
    _, _, wkb, _ = pyogrio.raw.read(tmp_path / "a.kml")
    found = shapely.area(shapely.force_2d(shapely.from_wkb(wkb))).sum()
    assert found == pytest.approx(shapely.area(GRIDS.shapes).sum(), rel=1e-9)


# of all kinds


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_makes_a_file_without_rows(kind: str) -> None:
    assert len(file_of(no_rows(), kind).body) > 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_row_without_ground_and_facts_is_written(kind: str) -> None:
    sheet = one_row(grid_name=None, village_code=None, grid_code=None)
    sheet.shapes[0] = None
    assert len(file_of(sheet, kind).body) > 0


def test_half_a_character_is_refused_in_every_table() -> None:
    for encoding in ("utf-8", "gbk"):
        with pytest.raises(Refused) as refused:
            csv_bytes(one_row(grid_name="a\ud83d"), encoding)
        assert refused.value.code == "not-in-encoding"
