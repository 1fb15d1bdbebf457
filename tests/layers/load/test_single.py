"""One file into one layer of a county that is in the database already."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import orjson
import pandas as pd
import pytest
from shapely import Point
from sqlalchemy import Connection, select

from grid_boundaries.errors import Conflict, Refused
from layers.load.description import Source, source_mapping
from layers.load.findings import finding
from layers.load.seal import Sealer
from layers.load.single import known_county, load_file, plain_source
from layers.load.write import write_frames
from layers.places import place
from tests import county
from tests.layers.load.made import shapefile_parts, zipped

ZONE = "Asia/Shanghai"
SEALER = Sealer(b"k" * 32)
NEAR = county.WEST + 0.0025, county.SOUTH + 0.005  # the middle of the first block
HEADER = "id,name,kind,is_key,lon,lat\n"


@pytest.fixture
def known(connection: Connection) -> dict[str, pd.DataFrame]:
    county.build(connection)
    return known_county(connection)


def csv(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text(header + "".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_plain_table_needs_no_mapping(
    tmp_path: Path, connection: Connection, known: dict[str, pd.DataFrame]
) -> None:
    path = csv(tmp_path / "schools.csv", f"S1,一小,school,true,{NEAR[0]},{NEAR[1]}")
    report = load_file(path, plain_source(path, "place"), known, time_zone=ZONE)
    write_frames(connection, report.frames, SEALER)
    stored = connection.execute(select(place).where(place.c.id == "S1")).mappings().one()
    assert (stored["name"], stored["kind"], stored["is_key"]) == ("一小", "school", True)
    assert stored["block_id"] in set(known["block"]["id"])
    assert stored["unit_path"].count("/") == 4
    assert stored["placed"] == "inside"


def test_bad_rows_are_findings_and_the_good_ones_are_loaded(
    tmp_path: Path, known: dict[str, pd.DataFrame]
) -> None:
    at = f"{NEAR[0]},{NEAR[1]}"
    path = csv(
        tmp_path / "a.csv",
        f"S1,一,school,是,{at}",
        f"S2,二,,是,{at}",  # no kind
        "S3,三,school,是,,,",  # a cell too many
        "S4,四,school,是,x,33",
        "S5,五,school,是,,33",
        f"S6,六,school,是,{NEAR[1]},{NEAR[0]}",  # swapped
        f"S1,七,school,是,{at}",
        "S8,八,school,否,100,20",
    )
    report = load_file(path, plain_source(path, "place"), known, time_zone=ZONE)
    row = report.counts.iloc[0]
    assert (row["rows_in"], row["loaded"], row["rejected"]) == (8, 1, 7)
    assert row["reasons"] == {
        "missing-value": 1,
        "wrong-column-count": 1,
        "not-a-number": 1,
        "no-position": 1,
        "looks-swapped": 1,
        "duplicate-id": 1,
        "outside-county": 1,
    }
    assert report.frames["place"]["id"].tolist() == ["S1"]
    assert len(report.findings) == 7


def test_ids_are_made_where_the_file_has_none(
    tmp_path: Path, known: dict[str, pd.DataFrame]
) -> None:
    header = "name,kind,is_key,经度,纬度\n"
    path = csv(tmp_path / "学校.csv", f"一,school,1,{NEAR[0]},{NEAR[1]}", header=header)
    report = load_file(path, plain_source(path, "place"), known, time_zone=ZONE)
    assert report.frames["place"]["id"].tolist() == ["学校-1"]


def test_the_same_file_twice_is_a_conflict(
    tmp_path: Path, connection: Connection, known: dict[str, pd.DataFrame]
) -> None:
    path = csv(tmp_path / "a.csv", f"S1,一,school,1,{NEAR[0]},{NEAR[1]}")
    report = load_file(path, plain_source(path, "place"), known, time_zone=ZONE)
    write_frames(connection, report.frames, SEALER)
    with pytest.raises(Conflict):
        write_frames(connection, report.frames, SEALER)


def test_a_table_without_coordinates_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "1,2", header="id,name\n")
    with pytest.raises(Refused) as refused:
        plain_source(path, "place")
    assert refused.value.code == "no-coordinates"


@pytest.mark.parametrize("into", ["unit", "person", "outbox", "nothing"])
def test_only_located_features_are_loaded_one_by_one(tmp_path: Path, into: str) -> None:
    path = csv(tmp_path / "a.csv", "1")
    with pytest.raises(Refused) as refused:
        plain_source(path, into)
    assert refused.value.code == "no-such-table"


def test_without_a_county_nothing_can_be_placed(tmp_path: Path, connection: Connection) -> None:
    path = csv(tmp_path / "a.csv", f"S1,一,school,1,{NEAR[0]},{NEAR[1]}")
    with pytest.raises(Refused) as refused:
        load_file(path, plain_source(path, "place"), known_county(connection), time_zone=ZONE)
    assert refused.value.code == "no-county"


def test_geojson_is_mapped_by_a_file(tmp_path: Path, known: dict[str, pd.DataFrame]) -> None:
    feature = {
        "type": "Feature",
        "properties": {"名称": " 车站 ", "类": "站"},
        "geometry": {"type": "Point", "coordinates": list(NEAR)},
    }
    path = tmp_path / "a.geojson"
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    mapping = tmp_path / "places.toml"
    mapping.write_text(
        'into = "place"\nid_prefix = "g-"\nconstants = { is_key = true }\n'
        '[columns]\nname = "名称"\nkind = { from = "类", values = { "站" = "station" } }\n',
        "utf-8",
    )
    report = load_file(path, source_mapping(mapping), known, time_zone=ZONE)
    row = report.frames["place"].iloc[0]
    assert (row["id"], row["name"], row["kind"], row["is_key"]) == ("g-1", "车站", "station", True)


def test_another_crs_is_brought_to_degrees(tmp_path: Path, known: dict[str, pd.DataFrame]) -> None:
    frame = gpd.GeoDataFrame({"name": ["一"]}, geometry=[Point(NEAR)], crs=4490).to_crs(4545)
    frame.to_file(tmp_path / "a.fgb", driver="FlatGeobuf")
    fields = {
        "into": "place",
        "crs": "EPSG:4545",
        "columns": {"name": "name"},
        "constants": {"kind": "school", "is_key": False},
    }
    report = load_file(tmp_path / "a.fgb", Source.model_validate(fields), known, time_zone=ZONE)
    assert report.frames["place"]["geom"].iloc[0].distance(Point(NEAR)) < 1e-9
    contradicted = Source.model_validate({**fields, "crs": "EPSG:4326"})
    with pytest.raises(Refused) as refused:
        load_file(tmp_path / "a.fgb", contradicted, known, time_zone=ZONE)
    assert refused.value.code == "crs-differ"


def test_polygons_where_points_are_wanted_are_rejected(
    tmp_path: Path, known: dict[str, pd.DataFrame]
) -> None:
    parts = shapefile_parts(tmp_path)
    path = zipped(tmp_path / "a.zip", {f"v{suffix}": data for suffix, data in parts.items()})
    fields = {"into": "place", "columns": {"name": "NAME"}, "constants": {"kind": "x"}}
    report = load_file(path, Source.model_validate(fields), known, time_zone=ZONE)
    assert report.counts["reasons"].iloc[0] == {"wrong-shape": 3}


CAMERAS = "id,name,kind,state,online,azimuth_deg,view_angle_deg,device_code,stated_code,lon,lat\n"


def test_suspect_cameras_are_loaded_as_they_are_with_a_finding_each(
    tmp_path: Path, connection: Connection, known: dict[str, pd.DataFrame]
) -> None:
    house = known["building"]["geom"].iloc[0].centroid
    grid = known["grid"]["code"].iloc[-1]
    at = f"{NEAR[0]},{NEAR[1]}"
    path = csv(
        tmp_path / "cameras.csv",
        f"C1,一,fixed,built,true,90,60,,,{at}",
        f"C2,二,fixed,built,true,90,60,,,{house.x},{house.y}",
        f"C3,三,fixed,built,true,,60,61099900001320000003,,{at}",
        f"C4,四,fixed,built,true,200,60,61010000001320000004,,{at}",
        f"C5,五,fixed,built,true,300,60,,{grid},{at}",
        header=CAMERAS,
    )
    source = plain_source(path, "camera")
    constants = {"azimuth_error_deg": 0, "position_error_m": 0, "indoor": False}
    source = source.model_copy(update={"constants": constants})
    report = load_file(path, source, known, time_zone=ZONE)
    told = dict(zip(report.findings["row"], report.findings["code"], strict=True))
    assert told == {
        "C2": "inside-building", "C3": "no-azimuth", "C4": "wrong-county-code",
        "C5": "outside-stated-area",
    }  # fmt: skip
    assert set(report.findings["layer"]) == {"camera"}
    assert report.findings["unit_path"].str.startswith(county.COUNTY_PATH).all()
    row = report.counts.iloc[0]
    assert (row["rows_in"], row["loaded"], row["rejected"]) == (5, 5, 0)
    loaded = report.frames["camera"].set_index("id")["geom"]
    assert (loaded["C2"].x, loaded["C2"].y) == pytest.approx((house.x, house.y))
    write_frames(connection, report.frames, SEALER)
    kept = connection.execute(select(finding.c.code).where(finding.c.source == source.file))
    assert sorted(kept.scalars()) == sorted(told.values())
