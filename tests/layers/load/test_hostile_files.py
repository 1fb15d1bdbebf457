"""Files that mean harm: each is refused with a sentence or read as plain data, and nothing else."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely

from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.limits import DEFAULT, Limits
from layers.load.positions import check_shapes
from layers.load.readers import rows_of
from layers.load.wkb import wkb_fault
from tests.layers.load.made import geopackage, shapefile_parts, villages, zipped

PLACE = Source(into="place")
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{}</SrcDataSource>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
SQUARE = [[[108, 33], [108.1, 33], [108.1, 33.1], [108, 33]]]


def file(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, limits: Limits = DEFAULT, **fields: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        rows_of(path, Source.model_validate({"into": "place", **fields}), limits=limits)
    said = refused.value
    assert said.zh
    assert said.en
    # no sentence tells where on the disk a file lies, nor shows a trace
    assert str(path.parent) not in said.zh + said.en + json.dumps(said.where, default=str)
    assert "Traceback" not in said.en
    return said


def collection(*features: Any) -> bytes:
    return orjson.dumps({"type": "FeatureCollection", "features": list(features)})


def polygon(rings: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": rings}
    return {"type": "Feature", "properties": {}, "geometry": geometry}


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "/vsicurl/http://127.0.0.1:9/x", "/vsis3/b/x", "/vsistdin/"]
)
@pytest.mark.parametrize(
    "name", ["a.geojson", "a.json", "a.csv", "a.gpkg", "a.zip", "a", "a.fgb", "a.vrt"]
)
def test_a_vrt_is_refused_under_every_name_whatever_it_points_to(
    tmp_path: Path, source: str, name: str
) -> None:
    said = refusal(file(tmp_path / name, VRT.format(source)))
    assert isinstance(said, Unsupported)
    assert said.where["content"] == "VRT"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>',
            "KML",
        ),
        (
            "<kml><NetworkLink><Link><href>http://127.0.0.1:9/</href></Link></NetworkLink></kml>",
            "KML",
        ),
        (
            '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml" schemaLocation="http://x">',
            "GML",
        ),
        ("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        ('<html><body>{"type":"FeatureCollection","features":[]}</body></html>', "HTML"),
        ('<script>1</script>{"type":"FeatureCollection"}', "HTML"),
        ("<?xml version='1.0'?><unknown/>", "XML"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif", "JPEG"),
        (b"%PDF-1.7", "PDF"),
        (b"\x7fELF\x02\x01\x01\x00", "binary"),
        ("{}".encode("utf-16"), "UTF-16"),
    ],
)
@pytest.mark.parametrize("name", ["a.geojson", "a.csv", "upload"])
def test_what_is_not_read_is_named_for_what_it_is(
    tmp_path: Path, content: bytes | str, kind: str, name: str
) -> None:
    said = refusal(file(tmp_path / name, content))
    assert isinstance(said, Unsupported)
    assert said.where["content"] == kind


def test_ten_million_laughs_are_not_even_read(tmp_path: Path) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY l0 "lol">{lines}]><kml>&l9;</kml>'
    started = time.process_time()
    assert isinstance(refusal(file(tmp_path / "a.kml", bomb)), Unsupported)
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "path", ["http://127.0.0.1:9/a.geojson", "/vsicurl/http://x/a.gpkg", "a\x00.csv", ""]
)
def test_an_address_instead_of_a_file_is_no_file(path: str) -> None:
    with pytest.raises((Refused, ValueError)):
        rows_of(Path(path), PLACE)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"type":"FeatureCollection","features":[' + b"[" * 5_000 + b"]" * 5_000 + b"]}",
        b'{"type":"Point","coordinates":[NaN,1]}',
        b'{"type":"Point","coordinates":[Infinity,1]}',
        b'{"type":"Point","coordinates":[-Infinity,1]}',
        b'{"type":"Point","coordinates":[1e400,1]}',
        b'{"type":"Point","coordinates":[' + b"9" * 5_000 + b",1]}",
        b'{"type":"Point","coordinates":[1,2],}',
        b"{'type':'Point','coordinates':[1,2]}",
        b'{"type":"Point"',
        b'{"type":"Point","coordinates":[1,2]} trailing',
        b'{"type": "\xff"}',
        b'{"a": "\\ud83d"}',
    ],
)
def test_broken_json_is_told_by_line_and_column(tmp_path: Path, text: bytes) -> None:
    path = file(tmp_path / "a.geojson", text)
    started = time.process_time()
    said = refusal(path)
    assert time.process_time() - started < 30
    assert said.code in {"not-json", "wrong-content"}


def twice(before: str, key: str, after: str) -> str:
    return before + f'"{key}":1,"{key}":2' + after


@pytest.mark.parametrize(
    "text",
    [
        twice("{", "type", "}"),
        '{"type":"Point","coordinates":[1,2],"type":"Point"}',
        '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":'
        + twice("{", "名称", "}")
        + "}]}",
        '{"type":"Point","coordinates":[1,2],"crs":null,"crs":{"type":"name"}}',
        '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2],"coordinates":[3,4]},"properties":{}}',
        # the same key, spelled with an escape
        '{"type":"Point","coordinates":[1,2],"\\u0074ype":"Polygon"}',
    ],
)
def test_a_key_given_twice_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    said = refusal(file(tmp_path / "a.geojson", text))
    assert said.code == "key-twice"
    assert str(said.where["key"]) in said.zh
    assert said.where["key"] in {"type", "名称", "crs", "coordinates"}


def test_the_same_key_in_two_objects_is_no_fault(tmp_path: Path) -> None:
    whole = collection(polygon(SQUARE), polygon(SQUARE))
    assert rows_of(file(tmp_path / "a.geojson", whole), PLACE).count == 2


def test_deep_but_readable_json_is_one_bad_row_or_a_refusal(tmp_path: Path) -> None:
    for depth in (9, 200, 500, 950, 1_000, 1_020):
        deep = "[" * depth + "1" + "]" * depth
        text = collection(polygon("DEEP")).replace(b'"DEEP"', deep.encode())
        try:
            rows = rows_of(file(tmp_path / f"{depth}.geojson", text), PLACE)
        except Refused as refused:
            assert refused.code == "not-json"
        else:
            assert len(rows.rejected) == 1


@pytest.mark.parametrize("depth", [2, 200, 300, 900])
def test_deep_properties_are_taken_or_their_row_is_rejected(tmp_path: Path, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    text = orjson.dumps({"type": "Feature", "properties": "DEEP", "geometry": None})
    path = file(tmp_path / "a.geojson", text.replace(b'"DEEP"', deep.encode()))
    rows = rows_of(path, PLACE)
    assert [r.code for r in rows.rejected] == ([] if depth < 250 else ["broken-properties"])


def ring(kind: str, count: int) -> Any:
    """A ring in random order, a comb, or a star that crosses itself everywhere."""
    rng = np.random.default_rng(count)
    if kind == "random":
        xy = rng.uniform([108, 33], [108.1, 33.1], (count, 2))
    elif kind == "comb":
        x = np.linspace(108, 108.1, count)
        xy = np.column_stack([x, 33 + 0.1 * (np.arange(count) % 2)])
    else:
        angle = np.arange(count) * (2 * np.pi * 7 / 15)
        xy = np.column_stack([108 + np.cos(angle) / 20, 33 + np.sin(angle) / 20])
    return [*xy.tolist(), xy[0].tolist()]


@pytest.mark.parametrize("kind", ["random", "comb", "star"])
@pytest.mark.parametrize("count", [500, 2_000, 20_000])
def test_a_tangled_ring_is_one_bad_row_with_its_place(
    tmp_path: Path, kind: str, count: int
) -> None:
    path = file(tmp_path / "a.geojson", collection(polygon([ring(kind, count)])))
    started = time.process_time()
    rows = rows_of(path, PLACE)
    intake = Intake("a", "building", rows)
    check_shapes(intake, PLACE, "MultiPolygon", crs_of(4545))
    assert time.process_time() - started < 30
    # beyond a bound of crossings nobody asks GEOS where the first of them is
    is_intricate = count == 20_000 and kind != "comb"
    code = "too-intricate" if is_intricate else "invalid-polygon"
    assert intake.counts()["reasons"].iloc[0] == {code: 1}
    facts = intake.found()["facts"].iloc[0]
    assert is_intricate or facts["reason"]


def test_one_vertex_over_the_limit_is_never_asked_whether_it_is_valid(tmp_path: Path) -> None:
    path = file(tmp_path / "a.geojson", collection(polygon([ring("random", 100_000)])))
    started = time.process_time()
    rows = rows_of(path, PLACE)
    assert [r.code for r in rows.rejected] == ["too-many-vertices"]
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "statement",
    [
        "create trigger t after insert on villages begin delete from villages; end",
        "create view v as select load_extension('/tmp/x.so')",
        "create view v as with recursive r(n) as (select 1 union all select n+1 from r)"
        " select n from r",
        "create virtual table v using fts4(x)",
        "create trigger rtree after update on villages begin select 1; end",
    ],
)
def test_a_geopackage_with_code_in_it_is_refused(tmp_path: Path, statement: str) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    assert refusal(path, layer="villages").code == "active-content"


def test_a_column_that_makes_up_a_gigabyte_a_row_ends_the_reader_and_nothing_else(
    tmp_path: Path,
) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    with sqlite3.connect(path) as database:
        database.execute(
            "alter table villages add column big blob"
            " generated always as (zeroblob(900000000)) virtual"
        )
    database.close()
    limits = Limits(reader_memory_bytes=1 << 29, reader_cpu_s=20, reader_wall_s=40)
    try:
        rows = rows_of(path, Source(into="place", layer="villages"), limits=limits)
    except Refused as refused:
        assert refused.code == "reader-stopped"
    else:
        assert rows.count == 3


def test_a_sqlite_file_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with sqlite3.connect(path) as database:
        database.execute("create table secrets (x text)")
    database.close()
    assert refusal(path).code in {"no-layers", "reader-stopped", "which-layer"}


def test_a_workbook_named_as_an_archive_is_told(tmp_path: Path) -> None:
    entries = {
        "[Content_Types].xml": b"<Types/>",
        "xl/worksheets/sheet1.xml": b"<f>=cmd|'/c x'</f>",
    }
    assert "Office" in refusal(zipped(tmp_path / "a.zip", entries)).en


def test_an_archive_of_zeros_is_refused_by_its_ratio_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacking = tmp_path / "unpacking"
    unpacking.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(unpacking))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
        for suffix in (".shp", ".shx", ".dbf", ".prj"):
            written.writestr(f"v{suffix}", bytes(30_000_000))
    started = time.process_time()
    said = refusal(file(tmp_path / "a.zip", buffer.getvalue()))
    assert isinstance(said, TooLarge)
    assert time.process_time() - started < 30
    assert list(unpacking.iterdir()) == []


def test_a_file_of_one_byte_too_many_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as sparse:
        sparse.truncate(DEFAULT.file_bytes + 1)
    assert isinstance(refusal(path), TooLarge)


@pytest.mark.parametrize(
    "encoding", ["klingon", "rot13", "zip", "utf-8; rm -rf /", "\x00", "undefined"]
)
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str) -> None:
    path = file(tmp_path / "a.csv", "a,b\n1,2\n")
    assert refusal(path, encoding=encoding).code in {"unknown-encoding", "header-not-read"}


@pytest.mark.parametrize("cpg", [b"klingon", b"\xff\xfe", b"", b"UTF-8\x00", b"x" * 10_000])
def test_a_code_page_that_is_none_is_refused_or_passed_over(tmp_path: Path, cpg: bytes) -> None:
    parts = shapefile_parts(tmp_path, encoding="UTF-8") | {".cpg": cpg}
    path = zipped(tmp_path / "a.zip", {f"v{s}": data for s, data in parts.items()})
    try:
        rows = rows_of(path, PLACE)
    except Refused as refused:
        assert refused.zh
    else:
        assert rows.count == 3


HOSTILE = [
    "{{7*7}}", "{% raw", "<img src=x onerror=alert(1)>", "</script><script>", "${x}`\\",
    "' OR 1=1--", "=HYPERLINK(\"http://x\")", "\u202eabc", "a\u2028b", "\u200b",
    "%s%n", "../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_a_value_like_any_other(tmp_path: Path, text: str) -> None:
    path = file(tmp_path / "a.csv", 'name\n"' + text.replace('"', '""') + '"\n')
    assert rows_of(path, PLACE).table["name"].tolist() == [text]
    named = {"type": "Feature", "properties": {text: text}, "geometry": None}
    rows = rows_of(file(tmp_path / "a.geojson", orjson.dumps(named)), PLACE)
    assert rows.table[text].tolist() == [text]
    squares = villages().assign(NAME=text)
    squares.to_file(tmp_path / "a.fgb", driver="FlatGeobuf")
    assert rows_of(tmp_path / "a.fgb", PLACE).table["NAME"].tolist() == [text] * 3


@pytest.mark.parametrize("nesting", [9, 200, 50_000, 200_000])
def test_nested_collections_in_wkb_are_refused_however_deep(nesting: int) -> None:
    data = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * nesting + shapely.to_wkb(shapely.Point(1, 2))
    started = time.process_time()
    assert wkb_fault(data) == "nested-too-deep"
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x03\x00\x00\x00\xff\xff\xff\x7f",
        b"\x01\x02\x00\x00\x00\xff\xff\xff\xff",
        b"\x02\x01\x00\x00\x00" + bytes(16),
        b"\x01\x01\x00\x00\x20\xe7\x03\x0f\x00" + bytes(16),
        b"\x01\x01\x00\x00\x00" + bytes(15),
        b"\x01\x08\x00\x00\x00" + bytes(16),
        b"",
        b"\x01",
    ],
)
def test_broken_wkb_is_named_and_never_read(data: bytes) -> None:
    assert wkb_fault(data) == "broken-geometry"


def test_no_sentence_is_without_its_place(tmp_path: Path) -> None:
    line = json.dumps({"type": "Point", "coordinates": [1, 2]})[:-1]
    said = refusal(file(tmp_path / "a.geojson", line))
    assert re.search(r"line \d+, column \d+", said.en)
    assert said.where.keys() >= {"line", "column"}
