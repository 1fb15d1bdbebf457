"""Outlines read from files of every kind; text in whatever encoding its bytes really are."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from shapely import box
from shapely.geometry import mapping

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.dbase import table_encoding
from layers.load.encodings import TextEncoding
from layers.load.limits import Limits
from layers.load.outlines import outline_file

NAMES = ["城关镇第一网格", "长安社区网格"]
CODES = ["610999100201001", "610999100201002"]
SHAPES = [box(108.30, 33.30, 108.31, 33.31), box(108.31, 33.30, 108.32, 33.31)]


def frame(**columns: list[Any]) -> GeoDataFrame:
    table = columns or {"网格编码": CODES, "网格名称": NAMES}
    return GeoDataFrame(table, geometry=SHAPES, crs=4490)


def shapefile(folder: Path, encoding: str, cpg: str | None, **columns: list[Any]) -> Path:
    """Write a zipped Shapefile whose text is in one encoding and whose .cpg says what it says."""
    inner = folder / "layer"
    inner.mkdir()
    (frame(**columns) if columns else frame(code=CODES, name=NAMES)).to_file(
        inner / "grids.shp", encoding=encoding, engine="pyogrio"
    )
    path = folder / "grids.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(inner.iterdir()):
            if part.suffix != ".cpg":
                archive.write(part, part.name)
        if cpg is not None:
            archive.writestr("grids.cpg", cpg)
    return path


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def geojson(*features: Any, **more: Any) -> bytes:
    whole = {"type": "FeatureCollection", "features": list(features), **more}
    return json.dumps(whole).encode()


def feature(shape: Any, **properties: Any) -> dict[str, Any]:
    geometry = shape if shape is None or isinstance(shape, dict) else mapping(shape)
    return {"type": "Feature", "geometry": geometry, "properties": properties}


@pytest.mark.parametrize(
    ("encoding", "cpg", "used", "is_wrong"),
    [
        ("UTF-8", "UTF-8", "utf-8", False),
        ("UTF-8", None, "utf-8", False),
        ("GBK", None, "gb18030", False),
        ("GBK", "GBK", "gbk", False),
        ("GBK", "936", "gbk", False),
        ("GBK", "CP936", "gbk", False),
        ("GBK", "UTF-8", "gb18030", True),
        ("UTF-8", "GBK", "utf-8", True),
        ("UTF-8", "no such code page", "utf-8", True),
    ],
)
def test_a_shapefile_is_read_right_whatever_its_cpg_says(
    tmp_path: Path, encoding: str, cpg: str | None, used: str, is_wrong: bool
) -> None:
    found = outline_file(shapefile(tmp_path, encoding, cpg))
    assert found.rows["name"].tolist() == NAMES
    assert found.rows["code"].tolist() == CODES
    assert (found.encoding.used, found.encoding.is_wrongly_stated) == (used, is_wrong)
    assert (found.kind, found.columns) == ("Shapefile", {"code": "code", "name": "name"})


def dbf(*cells: bytes, width: int) -> bytes:
    """Return a dBASE table of one text field."""
    head = struct.pack("<B3xIHH20x", 3, len(cells), 65, width + 1)
    field = struct.pack("<11sc4xBB14x", b"name", b"C", width, 0)
    return head + field + b"\x0d" + b"".join(b" " + cell.ljust(width) for cell in cells)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_name_cut_in_two_by_its_field_does_not_hide_the_encoding(
    tmp_path: Path, encoding: str
) -> None:
    cells = ["镇" * 9, "城关镇第一网格", ""]
    (tmp_path / "x.dbf").write_bytes(dbf(*(cell.encode(encoding)[:25] for cell in cells), width=25))
    assert table_encoding(tmp_path / "x.shp") == TextEncoding("", encoding)


def test_text_in_no_known_encoding_is_refused_with_a_sample(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    path = shapefile(folder, "GBK", None)
    inner = folder / "layer" / "grids.dbf"
    data = inner.read_bytes()
    inner.write_bytes(data.replace("城关".encode("gbk"), b"\xff\xff\xff\xff"))
    with pytest.raises(Refused) as refused:
        table_encoding(inner.with_suffix(".shp"))
    assert refused.value.code == "unknown-encoding"
    assert path.exists()


@pytest.mark.parametrize("cpg", ["\0", "zlib", "idna", "undefined", "rot13", "no-such", ""])
def test_a_name_that_is_no_encoding_of_text_counts_for_nothing(tmp_path: Path, cpg: str) -> None:
    (tmp_path / "x.dbf").write_bytes(dbf("城关镇第一网格".encode(), width=30))
    (tmp_path / "x.cpg").write_text(cpg)
    assert table_encoding(tmp_path / "x.shp").used == "utf-8"


def test_an_empty_or_broken_table_has_plain_text(tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"\x03" * 20, b"\x03" * 40 + b"\x0d", bytes(200))):
        shp = tmp_path / f"t{number}.shp"
        shp.with_suffix(".dbf").write_bytes(data)
        assert table_encoding(shp).used == "utf-8"


@pytest.mark.parametrize("driver", ["GPKG", "FlatGeobuf"])
def test_geopackage_and_flatgeobuf_are_read(tmp_path: Path, driver: str) -> None:
    path = tmp_path / "upload"
    suffix = {"GPKG": "gpkg", "FlatGeobuf": "fgb"}[driver]
    frame().to_file(tmp_path / f"x.{suffix}", driver=driver)
    (tmp_path / f"x.{suffix}").rename(path)
    found = outline_file(path)
    # a FlatGeobuf has its rows in the order of its spatial index
    assert sorted(found.rows["code"]) == sorted(CODES)
    assert found.columns == {"code": "网格编码", "name": "网格名称"}
    assert found.crs == "EPSG:4490"
    assert [shape.area for shape in found.rows.geometry] == pytest.approx([1e-4, 1e-4])


def test_a_layer_of_several_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    frame().to_file(path, layer="民政", driver="GPKG")
    frame().to_file(path, layer="公安", driver="GPKG")
    with pytest.raises(Refused) as refused:
        outline_file(path)
    assert refused.value.code == "which-layer"
    assert len(outline_file(path, layer="公安").rows) == 2


def test_columns_are_known_by_their_usual_names_or_named(tmp_path: Path) -> None:
    data = geojson(feature(SHAPES[0], ID="7", NAME="x", 别名="z"))
    path = write(tmp_path, "x.geojson", data)
    assert outline_file(path).columns == {"code": "ID", "name": "NAME"}
    assert outline_file(path, code="别名").rows["code"].tolist() == ["z"]
    with pytest.raises(Refused) as refused:
        outline_file(path, name="不在")
    assert refused.value.code == "missing-column"
    assert refused.value.where["columns"] == ["ID", "NAME", "别名"]


def test_a_file_without_known_columns_has_neither_code_nor_name(tmp_path: Path) -> None:
    found = outline_file(write(tmp_path, "x.geojson", geojson(feature(SHAPES[0], foo=1))))
    assert found.columns == {"code": None, "name": None}
    assert found.rows["code"].tolist() == [None]


def test_faulty_rows_are_rejected_and_the_others_read(tmp_path: Path) -> None:
    ring = [[108.3, 33.3], [108.4, 33.3], [108.4, 33.4], [108.3, 33.4]]
    unclosed = {"type": "Polygon", "coordinates": [ring]}
    text = {"type": "Polygon", "coordinates": [[*ring[:3], ["a", "b"], ring[0]]]}
    data = geojson(
        feature(unclosed, code="1"), feature(SHAPES[0], code="2"), feature(text, code="3"),
        feature(None, code="4"), feature(SHAPES[1], code="5\x00"),
    )  # fmt: skip
    found = outline_file(write(tmp_path, "x.geojson", data))
    assert [(one.row, one.code) for one in found.rejected] == [
        (1, "ring-not-closed"), (3, "not-a-coordinate"), (5, "forbidden-character"),
    ]  # fmt: skip
    assert found.rows.index.tolist() == [2, 4]
    assert found.rows.geometry.iloc[1] is None


def test_coordinates_that_are_not_finite_are_rejected(tmp_path: Path) -> None:
    wild = shapely.Polygon([(0, 0), (np.inf, 0), (1, 1), (0, 0)])
    path = tmp_path / "wild.gpkg"
    GeoDataFrame({"code": CODES}, geometry=[wild, SHAPES[1]], crs=4490).to_file(path)
    found = outline_file(path)
    assert [(one.row, one.code) for one in found.rejected] == [(1, "not-finite")]
    assert found.rows["code"].tolist() == CODES[1:]


VRT = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource>"
HOSTILE: dict[str, tuple[bytes, type[Refused], str]] = {
    "x.geojson": (VRT, Unsupported, "wrong-content"),
    "kml.geojson": (b"<kml><Document/></kml>", Unsupported, "wrong-content"),
    "html": (b"<!doctype html><script>1</script>", Unsupported, "wrong-content"),
    "address": (b"http://127.0.0.1/x.geojson", Refused, "no-outlines"),
    "path": (b"/etc/passwd", Refused, "no-outlines"),
    "table": (b"code,name\n1,x\n", Refused, "no-outlines"),
    "json": (b'{"a": 1}', Unsupported, "not-geojson"),
    "number": (b"[1, 2]", Unsupported, "not-geojson"),
    "zip": (b"PK\x03\x04 broken", Refused, "broken-archive"),
    "sqlite": (b"SQLite format 3\x00" + bytes(100), Refused, "reader-stopped"),
    "link": (
        geojson(crs={"type": "link", "properties": {"href": "http://127.0.0.1/"}}),
        Refused,
        "crs-not-allowed",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_layer_of_outlines_is_refused(tmp_path: Path, name: str) -> None:
    data, kind, code = HOSTILE[name]
    with pytest.raises(kind) as refused:
        outline_file(write(tmp_path, name, data))
    assert refused.value.code == code
    assert str(tmp_path) not in refused.value.en + str(refused.value.where)


def test_a_shapefile_without_its_table_names_the_part(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "UTF-8", None)
    with zipfile.ZipFile(path) as full, zipfile.ZipFile(tmp_path / "less.zip", "w") as less:
        for name in full.namelist():
            if not name.endswith(".dbf"):
                less.writestr(name, full.read(name))
    with pytest.raises(Refused) as refused:
        outline_file(tmp_path / "less.zip")
    assert refused.value.where["missing"] == [".dbf"]


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x.geojson", geojson(*(feature(SHAPES[0]) for _ in range(9))))
    with pytest.raises(TooLarge):
        outline_file(path, limits=Limits(features=8))
