"""Exchange files as rows: what they are, in which encoding, and what is no exchange file."""

from __future__ import annotations

from pathlib import Path

import pytest

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import Limits
from layers.load.readers import given
from tests.exchanging import VILLAGE_NAMES, file_of, plain_plan
from tests.layers.load.made import flatgeobuf, geopackage, shapefile_parts, zipped

SHEET = plain_plan().sheet("blocks")


def saved(folder: Path, kind: str, encoding: str = "utf-8", name: str = "") -> Path:
    file = file_of(SHEET, kind, encoding=encoding)
    path = folder / (name or file.plain_name)
    path.write_bytes(file.body)
    return path


@pytest.mark.parametrize(
    ("kind", "encoding", "is_called", "read_in"),
    [
        ("geojson", "utf-8", "GeoJSON", "utf-8"), ("gpkg", "utf-8", "GeoPackage", "utf-8"),
        ("shp", "utf-8", "Shapefile", "utf-8"), ("shp", "gbk", "Shapefile", "gbk"),
        ("csv", "utf-8", "CSV", "utf-8"), ("csv", "gbk", "CSV", "gb18030"),
    ],
)  # fmt: skip
def test_a_file_is_told_by_its_content(
    tmp_path: Path, kind: str, encoding: str, is_called: str, read_in: str
) -> None:
    read = given(saved(tmp_path, kind, encoding, name="upload"))
    assert (read.kind, read.encoding.used) == (is_called, read_in)
    assert len(read.rows.table) == len(SHEET.table)
    names = set(VILLAGE_NAMES.values())
    assert names <= {cell for column in read.rows.table for cell in read.rows.table[column]}


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "shp", "csv"])
def test_a_suffix_that_lies_is_refused(tmp_path: Path, kind: str) -> None:
    wrong = "a.csv" if kind != "csv" else "a.gpkg"
    with pytest.raises(Unsupported) as refused:
        given(saved(tmp_path, kind, name=wrong))
    assert refused.value.code == "wrong-content"


def test_kml_goes_out_only(tmp_path: Path) -> None:
    with pytest.raises(Unsupported) as refused:
        given(saved(tmp_path, "kml"))
    assert refused.value.where["content"] == "KML"


def test_a_stated_encoding_goes_before_what_the_bytes_look_like(tmp_path: Path) -> None:
    read = given(saved(tmp_path, "csv", "gbk"), encoding="gbk")
    assert read.encoding.used == "gbk"
    assert "网格名称" in read.rows.table


def test_a_gbk_shapefile_without_a_cpg_is_read_by_its_bytes(tmp_path: Path) -> None:
    parts = shapefile_parts(tmp_path, encoding="GBK")
    path = zipped(tmp_path / "a.zip", {f"v{suffix}": body for suffix, body in parts.items()})
    read = given(path)
    assert read.encoding.used == "gb18030"
    assert "四亩地村" in set(read.rows.table["NAME"])


def test_a_layer_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    with pytest.raises(Refused) as refused:
        given(path)
    assert refused.value.code == "which-layer"
    assert len(given(path, layer="villages").rows.table) == 3


def test_flatgeobuf_is_read_too(tmp_path: Path) -> None:
    assert given(flatgeobuf(tmp_path / "a.fgb")).kind == "FlatGeobuf"


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "shp", "csv"])
def test_more_rows_than_the_limit_are_too_many(tmp_path: Path, kind: str) -> None:
    with pytest.raises(TooLarge):
        given(saved(tmp_path, kind), limits=Limits(features=5))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.geojson", b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"),
        ("a.geojson", b"<html>{}</html>"), ("a.zip", b"not a zip"), ("a.gpkg", b"SQLite"),
        ("a.csv", b"\xff\xfea\x00"), ("a.json", b"%PDF-1.7"), ("a", b"\x00\x01"),
    ],
)  # fmt: skip
def test_what_is_no_exchange_file_is_refused(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(Refused):
        given(tmp_path / name)


def test_a_cgcs2000_zone_may_be_stated_in_geojson(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(file_of(SHEET, "geojson", "4524").body)
    assert given(path).rows.crs == "EPSG:4524"
    path.write_bytes(path.read_bytes().replace(b"EPSG::4524", b"EPSG::3857"))
    with pytest.raises(Refused) as refused:
        given(path)
    assert refused.value.code == "crs-not-allowed"
