"""A file without a mapping: columns called as ours are read as ours, and one file is one load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box
from sqlalchemy import Table

from grid_boundaries.errors import Refused
from layers.load.description import Source
from layers.load.run import LoadReport
from layers.load.single import LATITUDES, LONGITUDES, NO, YES, load_file, plain_source
from layers.load.write import ORDER
from layers.places import place

ZONE = "Asia/Shanghai"
LOCATED = [table for table in ORDER if "placed" in table.c]
every_table = pytest.mark.parametrize("table", LOCATED, ids=lambda table: table.name)
OUTLINE = box(108, 33, 108.02, 33.01)


def county(**more: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A county of one town, one village and one block, as the database would give it."""
    paths = ["/C/", "/C/T/", "/C/T/V/"]
    units = pd.DataFrame(
        {
            "code": ["C", "T", "V"],
            "level": ["county", "town", "village"],
            "name": ["县", "镇", "村"],
            "unit_path": paths,
            "geom": [MultiPolygon([OUTLINE])] * 3,
        }
    )
    blocks = pd.DataFrame({"id": ["B1"], "unit_path": paths[2:], "geom": [OUTLINE]})
    pairs = pd.DataFrame({"block_id": ["B1"], "grid_code": ["G1"]})
    top = pd.DataFrame({"code": ["C"], "metric_srid": [4545]})
    return {"county": top, "unit": units, "block": blocks, "grid_block": pairs, **more}


def csv(path: Path, header: str, *lines: str) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return path


def load(path: Path, source: Source | None = None, into: str = "place") -> LoadReport:
    return load_file(path, source or plain_source(path, into), county(), time_zone=ZONE)


def counts(report: LoadReport) -> tuple[int, int, dict[str, int]]:
    row = report.counts.iloc[0]
    return row["rows_in"], row["loaded"], row["reasons"]


@every_table
def test_every_column_of_a_table_is_read_by_its_kind(tmp_path: Path, table: Table) -> None:
    names = [column.name for column in table.c if column.computed is None and column.name != "geom"]
    path = csv(tmp_path / "a.csv", ",".join([*names, "lon", "lat"]))
    source = plain_source(path, table.name)
    assert set(source.columns) == set(names) - {"id"}
    assert (source.id_column, source.id_prefix) == ("id", "")
    for name, rule in source.rules.items():
        kind = type(table.c[name].type).__name__.upper()
        if kind in ("INTEGER", "BIGINT", "SMALLINT", "DOUBLE", "FLOAT"):
            assert rule.read == "number"
        elif kind in ("DATETIME", "DATE"):
            assert rule.read == "time"
        else:
            assert rule.read == "text"
        assert bool(rule.values) is (kind == "BOOLEAN")
        column = table.c[name]
        assert rule.needed is (not column.nullable and column.server_default is None)


@every_table
def test_columns_that_are_not_ours_are_passed_over(tmp_path: Path, table: Table) -> None:
    path = csv(tmp_path / "a.csv", "备注,geom,geom_3857x,lon,lat")
    assert plain_source(path, table.name).columns == {}


@pytest.mark.parametrize("lon", LONGITUDES)
@pytest.mark.parametrize("lat", LATITUDES)
def test_coordinates_go_by_their_usual_names(tmp_path: Path, lon: str, lat: str) -> None:
    path = csv(tmp_path / "a.csv", f"{lat.upper()},name,{lon.title()}")
    assert plain_source(path, "place").point == (lon.title(), lat.upper())


@pytest.mark.parametrize(
    "header", ["name", "lon,name", "lat,name", "x,y", "lonlat", "longitude_,lat"]
)
def test_without_both_coordinates_the_names_that_would_do_are_told(
    tmp_path: Path, header: str
) -> None:
    with pytest.raises(Refused) as refused:
        plain_source(csv(tmp_path / "a.csv", header), "place")
    assert refused.value.code == "no-coordinates"
    assert refused.value.where["columns"] == header.split(",")


@pytest.mark.parametrize(
    ("cell", "value"),
    [*((word, True) for word in YES), *((word, False) for word in NO), (" 是 ", True)],
)
def test_yes_and_no_are_read_in_their_usual_forms(tmp_path: Path, cell: str, value: bool) -> None:
    path = csv(tmp_path / "a.csv", "id,kind,is_key,lon,lat", f"S,shop,{cell},108.01,33.005")
    assert load(path).frames["place"]["is_key"].tolist() == [value]


@pytest.mark.parametrize("cell", ["maybe", "2", "yes?", "{{7*7}}"])
def test_another_word_for_yes_or_no_is_a_reason(tmp_path: Path, cell: str) -> None:
    path = csv(tmp_path / "a.csv", "id,kind,is_key,lon,lat", f"S,shop,{cell},108.01,33.005")
    report = load(path)
    assert set(report.findings["code"]) <= {"unknown-value", "missing-value"}
    assert len(report.findings) == 1


def test_rows_are_named_after_the_file_where_they_have_no_id(tmp_path: Path) -> None:
    rows = [f"shop,0,108.01,33.00{n}" for n in range(1, 4)]
    path = csv(tmp_path / "商店.csv", "kind,is_key,lon,lat", *rows)
    assert load(path).frames["place"]["id"].tolist() == ["商店-1", "商店-2", "商店-3"]


def test_an_empty_id_is_the_number_of_its_row(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "a.csv", "id,kind,is_key,lon,lat", "S,x,0,108.01,33.005", ",x,0,108.01,33.005"
    )
    assert load(path).frames["place"]["id"].tolist() == ["S", "2"]


def test_the_first_of_equal_ids_is_taken(tmp_path: Path) -> None:
    rows = [f"{key},{kind},0,108.01,33.005" for key, kind in (("S", "a"), (" S ", "b"), ("T", "c"))]
    report = load(csv(tmp_path / "a.csv", "id,kind,is_key,lon,lat", *rows))
    assert counts(report) == (3, 2, {"duplicate-id": 1})
    assert report.frames["place"]["kind"].tolist() == ["a", "c"]


def test_no_rows_are_a_load_of_nothing(tmp_path: Path) -> None:
    report = load(csv(tmp_path / "a.csv", "id,kind,is_key,lon,lat"))
    assert counts(report) == (0, 0, {})
    assert report.frames["place"].empty
    assert report.findings.empty


def test_rows_that_are_all_bad_are_a_load_of_nothing_with_every_reason(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "a.csv",
        "id,kind,is_key,lon,lat",
        "1,x,0,,",
        "2,x,0,abc,33",
        "3,x,0,33,108",
        "4,x,0,0,0",
        "5,,0,108.01,33.005",
        "6,x,0,108.01",
    )
    report = load(path)
    assert counts(report) == (
        6,
        0,
        {
            "wrong-column-count": 1,
            "no-position": 1,
            "not-a-number": 1,
            "looks-swapped": 1,
            "outside-county": 1,
            "missing-value": 1,
        },
    )
    assert len(report.findings) == 6
    assert (report.findings["unit_path"] == "/C/").all()


def test_a_row_is_placed_and_keeps_its_text(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id,name,kind,is_key,lon,lat", "S,'=1+1,shop,1,108.01,33.005")
    row = load(path).frames["place"].iloc[0]
    assert row["name"] == "'=1+1"
    assert (row["unit_path"], row["block_id"], row["grid_code"]) == ("/C/T/V/", "B1", "G1")
    assert row["placed"] == "inside"


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def geojson(path: Path, *features: Any) -> Path:
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def test_shapes_need_no_columns_of_coordinates(tmp_path: Path) -> None:
    at = {"type": "Point", "coordinates": [108.01, 33.005]}
    path = geojson(tmp_path / "a.geojson", feature(at, id="S", kind="shop", is_key="1"))
    assert plain_source(path, "place").point is None
    assert load(path).frames["place"]["geom"].tolist() == [Point(108.01, 33.005)]


def test_numbers_and_truth_in_json_are_read_as_their_text(tmp_path: Path) -> None:
    at = {"type": "Point", "coordinates": [108.01, 33.005]}
    rows = [feature(at, id=n, kind="shop", is_key=value) for n, value in enumerate((True, 1, "1"))]
    frame = load(geojson(tmp_path / "a.geojson", *rows)).frames["place"]
    assert frame["id"].tolist() == ["0", "1", "2"]
    assert frame["is_key"].tolist() == [True] * 3


def test_footprints_are_measured_and_stored_as_multipolygons(tmp_path: Path) -> None:
    house = box(108.01, 33.005, 108.0101, 33.0051)
    rings = [[list(at) for at in house.exterior.coords]]
    path = geojson(
        tmp_path / "a.geojson",
        feature({"type": "Polygon", "coordinates": rings}, id="H", kind="other"),
        feature(None, id="I", kind="other"),
    )
    report = load(path, into="building")
    assert counts(report) == (2, 1, {"no-geometry": 1})
    row = report.frames["building"].iloc[0]
    assert isinstance(row["geom"], MultiPolygon)
    assert row["area_m2"] == pytest.approx(9.35 * 11.09, rel=0.01)


def source(**fields: Any) -> Source:
    return Source.model_validate(
        {
            "into": "camera",
            "id_column": "id",
            "point": ["lon", "lat"],
            "constants": {"kind": "fixed", "azimuth_error_deg": 0, "position_error_m": 0},
            "assumed": {"view_angle_deg": 60, "range_m": 50, "state": "networked", "online": True},
            "columns": {"range_m": {"from": "range", "read": "number"}},
            **fields,
        }
    )


def test_what_is_assumed_is_written_down_row_by_row(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id,range,lon,lat", "a,30,108.01,33.005", "b,,108.01,33.005")
    frame = load(path, source()).frames["camera"]
    assert frame["range_m"].tolist() == [30, 50]
    assert frame["assumed"].tolist() == [
        ["view_angle_deg", "state", "online"],
        ["view_angle_deg", "range_m", "state", "online"],
    ]
    assert frame["view_angle_deg"].tolist() == [60, 60]
    assert frame["online"].tolist() == [True, True]


def test_nothing_assumed_is_an_empty_list_each(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id,range,lon,lat", "a,30,108.01,33.005", "b,40,108.01,33.005")
    frame = load(path, source(assumed={})).frames["camera"]
    assert frame["assumed"].tolist() == [[], []]


def test_a_reject_rule_takes_its_rows_before_their_position_is_asked(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id,range,lon,lat,how", "a,30,,,none", "b,1,108.01,33.005,exact")
    rule = [{"column": "how", "is_one_of": ["none"], "code": "no-position"}]
    report = load(path, source(reject=rule))
    assert counts(report) == (2, 1, {"no-position": 1})
    assert report.findings["facts"].iloc[0] == {"how": "none"}


@pytest.mark.parametrize(
    "fields",
    [
        {"columns": {"name": "没有"}},
        {"id_column": "没有"},
        {"point": ["lon", "没有"]},
        {"reject": [{"column": "没有", "is_one_of": ["x"], "code": "no-position"}]},
        {"stated": {"columns": ["没有"], "level": "town"}},
        {"columns": {"name": {"from": ["id", "没有"]}}},
    ],
)
def test_a_column_that_a_mapping_speaks_of_and_the_file_lacks_is_named(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    path = csv(tmp_path / "a.csv", "id,range,lon,lat", "a,30,108.01,33.005")
    with pytest.raises(Refused) as refused:
        load(path, source(**fields))
    assert refused.value.code == "missing-column"
    assert refused.value.where["columns"] == ["没有"]


@pytest.mark.parametrize("text", ["Etc/Nowhere", "../../etc/passwd", "", "Asia/Shanghai\x00"])
def test_a_time_zone_that_is_none_is_no_zone(tmp_path: Path, text: str) -> None:
    path = csv(tmp_path / "a.csv", "id,visited_at,lon,lat", "a,2026-03-02,108.01,33.005")
    fields = {"into": "visit", "point": ["lon", "lat"], "id_column": "id",
              "columns": {"visited_at": {"from": "visited_at", "read": "time"}}}  # fmt: skip
    with pytest.raises((Refused, KeyError, ValueError)):
        load_file(path, Source.model_validate(fields), county(), time_zone=text)


def test_nothing_of_the_county_is_written_again(tmp_path: Path) -> None:
    report = load(csv(tmp_path / "a.csv", "id,kind,is_key,lon,lat", "S,x,0,108.01,33.005"))
    assert set(report.frames) == {"place", "finding", "load_count"}


def test_a_county_that_is_not_there_is_said_before_the_file_is_read(tmp_path: Path) -> None:
    empty = county(county=pd.DataFrame({"code": [], "metric_srid": []}))
    with pytest.raises(Refused) as refused:
        load_file(tmp_path / "none.csv", Source(into="place"), empty, time_zone=ZONE)
    assert refused.value.code == "no-county"


cells = st.sampled_from(["", "108.01", "33.005", "x", "是", "nan", "1e999", "０", "33,0", "' or 1"])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(cells, cells, cells, cells, cells), max_size=8))
def test_whatever_a_table_holds_every_row_is_loaded_or_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.csv"
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    report = load(csv(path, "id,kind,is_key,lon,lat", *lines))
    rows_in, loaded, reasons = counts(report)
    assert rows_in == sum(any(cell for cell in row) for row in rows)
    assert rows_in == loaded + sum(reasons.values())
    assert len(report.frames["place"]) == loaded
    assert report.frames["place"]["id"].is_unique
    if loaded:
        assert set(report.frames["place"]["unit_path"]) == {"/C/T/V/"}


def test_a_polygon_is_no_place(tmp_path: Path) -> None:
    ring = [list(at) for at in Polygon(OUTLINE.exterior).exterior.coords]
    shape = {"type": "Polygon", "coordinates": [ring]}
    report = load(geojson(tmp_path / "a.geojson", feature(shape, id="S", kind="x", is_key=1)))
    assert counts(report) == (1, 0, {"wrong-shape": 1})
    assert report.findings["facts"].iloc[0] == {"kind": "Polygon"}
    assert place.name in report.frames
