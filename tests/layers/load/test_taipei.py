"""A real city with its defects: every number as the README of its data states it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from grid_boundaries.crs import (
    bd09_from_wgs84,
    crs_of,
    gcj02_from_wgs84,
    in_metres,
    metres_from_lonlat,
)
from grid_boundaries.errors import Refused
from layers.load.dataset import dataset_frames
from layers.load.datum_shift import bearings, datum_shift
from layers.load.description import Description, description
from layers.load.run import LoadReport
from tests.taipei import DESCRIPTION, taipei, taipei_folder

ACCIDENTS = {
    "中山區": 2900, "大安區": 2415, "中正區": 2217, "信義區": 2164, "內湖區": 2069, "士林區": 2061,
    "萬華區": 1726, "文山區": 1631, "大同區": 1539, "北投區": 1394, "松山區": 1348, "南港區": 872,
}  # fmt: skip


@pytest.fixture(scope="module")
def city() -> LoadReport:
    return taipei()


def counts(city: LoadReport, source: str) -> dict[str, Any]:
    row = city.counts.set_index("source").loc[source]
    return {str(name): value for name, value in row.items()}


def named_at(city: LoadReport, depth: int) -> pd.Series[Any]:
    """Names of the units that the accidents lie in, at a depth of the tree."""
    names = city.frames["unit"].set_index("code")["name"]
    codes = city.frames["incident"]["unit_path"].str.strip("/").str.split("/").str[depth]
    return codes.map(names).dropna()


def test_rows_in_are_rows_loaded_and_rows_rejected_for_every_source(city: LoadReport) -> None:
    table = city.counts
    assert (table["rows_in"] == table["loaded"] + table["rejected"]).all()
    assert [sum(reasons.values()) for reasons in table["reasons"]] == table["rejected"].tolist()


@pytest.mark.parametrize(
    ("source", "rows_in", "loaded", "reasons"),
    [
        ("boundaries.gpkg:districts", 12, 12, {}),
        ("boundaries.gpkg:villages", 456, 456, {}),
        ("boundaries.gpkg:units", 11_490, 11_490, {}),
        ("buildings.fgb", 33_146, 32_437, {"duplicate-geometry": 4, "repaired-into-copy": 705}),
        ("cameras_police.csv", 15_416, 11_368, {"no-position": 4_048}),
        ("cameras_traffic.csv", 416, 412, {"outside-county": 4}),
        ("cameras_speed.csv", 76, 75, {"notes-row": 1}),
        ("incidents_accidents_2024.tsv", 22_357, 22_357, {}),
        ("places_medical.csv", 1_895, 1_895, {}),
        ("places_aed.csv", 2_728, 2_728, {}),
        ("places_aed.csv:places", 2_728, 1_865, {"duplicate-geometry": 863}),
        ("places_air_raid_shelters.csv", 6_052, 6_052, {}),
        ("places_evacuation_gates.csv", 36, 36, {}),
    ],
)
def test_each_source_loads_and_rejects_what_its_data_hold(
    city: LoadReport, source: str, rows_in: int, loaded: int, reasons: dict[str, int]
) -> None:
    row = counts(city, source)
    assert (row["rows_in"], row["loaded"], row["reasons"]) == (rows_in, loaded, reasons)


@pytest.mark.parametrize(
    ("layer", "code", "count"),
    [
        ("village", "repaired-polygon", 1),
        ("block", "not-counted", 630),
        ("building", "repaired-polygon", 748),
        ("building", "duplicate-geometry", 4),
        ("camera", "outside-county", 4),
        ("camera", "no-position", 4_048),
        ("camera", "stated-unit-differs", 6),
        ("building", "outside-every-village", 573),
        ("incident", "outside-every-village", 21),
        ("incident", "stated-unit-differs", 452),
        ("part", "outside-every-village", 3),
        ("resource", "stated-unit-differs", 147),
    ],
)
def test_the_known_defects_are_findings(
    city: LoadReport, layer: str, code: str, count: int
) -> None:
    assert city.findings_by_code()[layer, code] == count


def test_the_one_invalid_village_is_the_known_one(city: LoadReport) -> None:
    found = city.findings[city.findings["layer"] == "village"].iloc[0]
    units = city.frames["unit"]
    outline = units.loc[units["code"] == "63000080037", "geom"].iloc[0]
    assert outline.is_valid
    assert outline.covers(found["geom"]) or outline.distance(found["geom"]) < 0.01
    assert abs(found["facts"]["area_change_m2"]) < 0.01 * found["facts"]["area_before_m2"]


def test_accidents_per_district_equal_the_oracle(city: LoadReport) -> None:
    assert named_at(city, 1).value_counts().to_dict() == ACCIDENTS


def test_the_worst_villages_are_the_known_ones_and_none_is_without_accidents(
    city: LoadReport,
) -> None:
    villages = named_at(city, 2)
    assert villages.value_counts().head(3).to_dict() == {
        "湖元里": 383,
        "玉泉里": 240,
        "學府里": 222,
    }
    codes = city.frames["incident"]["unit_path"].str.strip("/").str.split("/").str[2].dropna()
    assert codes.nunique() == 456


def test_accident_hours_are_local(city: LoadReport) -> None:
    hours = city.frames["incident"]["occurred_at"].dt.hour.value_counts()
    assert (hours.idxmax(), hours.max(), hours.idxmin(), hours.min()) == (8, 2_024, 4, 82)
    times = city.frames["incident"]["occurred_at"]
    assert set(times.dt.year) == {2024}
    assert str(times.dt.tz) == "Asia/Taipei"


def test_people_and_households_are_those_of_the_count(city: LoadReport) -> None:
    blocks = city.frames["block_count"]
    assert (blocks["people"].sum(), blocks["households"].sum()) == (2_689_272, 1_048_986)
    assert blocks["people"].isna().sum() == blocks["households"].isna().sum() == 630


def test_the_tree_is_twelve_districts_456_villages_and_11490_grids_of_one_block(
    city: LoadReport,
) -> None:
    units = city.frames["unit"]
    assert units["level"].value_counts().to_dict() == {"village": 456, "town": 12, "county": 1}
    grids, pairs = city.frames["grid"], city.frames["grid_block"]
    assert grids["code"].is_unique
    assert pairs["block_id"].is_unique
    assert set(pairs["grid_code"]) == set(grids["code"])
    assert len(grids) == len(pairs) == 11_490
    assert (grids["unit_path"].str.strip("/").str.count("/") == 2).all()


def test_a_block_hangs_under_the_village_with_most_of_it(city: LoadReport) -> None:
    # the data's own derived column is an independent computation of the same
    theirs = gpd.read_file(taipei_folder() / "boundaries.gpkg", layer="units")
    blocks = city.frames["block"].set_index("alias")
    villages = blocks.loc[theirs["CODEBASE"], "village_code"]
    assert (villages.to_numpy() == theirs["VILLCODE"].to_numpy()).all()
    assert (villages.str[:8].to_numpy() != theirs["TOWN_ID"].to_numpy()).sum() == 2


def test_blocks_neither_overlap_nor_lose_ground(city: LoadReport) -> None:
    blocks = gpd.GeoSeries(city.frames["block"]["geom"].to_numpy(), crs=4490)
    whole_m2 = in_metres(gpd.GeoSeries([blocks.union_all()], crs=4490), 3826).area[0]
    assert city.frames["block"]["area_m2"].sum() == pytest.approx(whole_m2, abs=1.0)
    assert whole_m2 / 1e6 == pytest.approx(269.292, abs=0.001)


def test_a_wrong_camera_is_kept_as_a_finding_with_its_distance(city: LoadReport) -> None:
    far = city.findings[city.findings["code"] == "outside-county"]
    assert set(far["source"]) == {"cameras_traffic.csv"}
    assert sorted(far["row"].astype(int)) == [78, 79, 80, 81]
    assert all(15_000 < facts["distance_m"] < 31_000 for facts in far["facts"])


def test_cameras_carry_bearings_and_what_was_assumed(city: LoadReport) -> None:
    cameras = city.frames["camera"].set_index("id")
    first = cameras.loc["police-LAAA001-01"]
    assert (first["azimuth_deg"], first["azimuth_error_deg"]) == (270, 22.5)
    assert (first["view_angle_deg"], first["range_m"]) == (60, 50)
    assert first["position_error_m"] == 55
    assert first["assumed"] == ["view_angle_deg", "range_m", "state", "online"]
    police = cameras[cameras.index.str.startswith("police-")]
    assert set(police["azimuth_deg"]) <= {0, 45, 90, 135, 180, 225, 270, 315, 337.5}
    speed = cameras[cameras.index.str.startswith("speed-")]
    assert speed["view_angle_deg"].isna().all()
    assert speed["azimuth_deg"].isna().sum() == 15


def test_every_assumed_value_is_told(city: LoadReport) -> None:
    told = city.assumed()
    assert told["cameras_police.csv"]["range_m"] == 50
    assert told["cameras_traffic.csv"]["view_angle_deg"] == 360
    assert set(told) == {"cameras_police.csv", "cameras_traffic.csv", "cameras_speed.csv"}


def test_line_noise_in_an_address_is_one_space(city: LoadReport) -> None:
    addresses = city.frames["camera"].set_index("id")["address"]
    assert addresses["police-LANA008-01"] == "成功路4段37號前分隔島上"
    assert not addresses.str.contains("[\r\n\t]", regex=True).any()


def test_every_footprint_is_valid_and_measured(city: LoadReport) -> None:
    buildings = city.frames["building"]
    assert shapely.is_valid(buildings["geom"].to_numpy()).all()
    assert (buildings["area_m2"] > 0).all()
    assert buildings["height_m"].between(3.5, 121.4).all()


def test_every_located_row_has_a_unit_and_an_id_of_its_own(city: LoadReport) -> None:
    for table in ("building", "camera", "incident", "place", "part", "resource"):
        frame = city.frames[table]
        assert frame["id"].is_unique
        assert frame["unit_path"].str.fullmatch(r"/63000(/\d{8}/\d{11})?/").all()
        assert frame["grid_code"].isna().equals(frame["block_id"].isna())
        assert (frame["placed"] == "outside").equals(frame["block_id"].isna())


def test_where_block_and_outline_disagree_findings_list_it(city: LoadReport) -> None:
    incidents = city.frames["incident"].merge(
        city.frames["block"][["id", "unit_path"]].rename(columns={"id": "block_id"}),
        on="block_id",
        suffixes=("", "_block"),
    )
    inside = incidents["unit_path"] != "/63000/"
    wrong = incidents[inside & (incidents["unit_path"] != incidents["unit_path_block"])]
    found = city.findings[
        (city.findings["layer"] == "incident") & (city.findings["code"] == "block-outline-disagree")
    ]
    assert sorted(found["row"]) == sorted(wrong["id"])
    assert len(wrong) > 0


def test_findings_have_both_languages_and_a_unit(city: LoadReport) -> None:
    assert (city.findings["zh"] != city.findings["en"]).all()
    assert city.findings["unit_path"].str.startswith("/63000/").all()
    assert city.findings["zh"].str.contains("[一-鿿]", regex=True).all()


def test_the_county_knows_where_its_data_come_from(city: LoadReport) -> None:
    county = city.frames["county"].iloc[0]
    assert (county["code"], county["metric_srid"], county["profile"]) == ("63000", 3826, "taipei")
    assert "內政部" in county["facts"]["attribution"]
    assert county["facts"]["latest_incident_at"].startswith("2024-12-31")
    assert np.hypot(county["centre_lon"] - 121.55, county["centre_lat"] - 25.08) < 0.05


def test_speed_cameras_that_state_no_district_stand_in_no_other_one(city: LoadReport) -> None:
    stated = pd.read_csv(taipei_folder() / "cameras_speed.csv")["RegionName"].iloc[1:]
    assert stated.isna().sum() == 2
    found = city.findings[city.findings["source"] == "cameras_speed.csv"]
    assert (found["code"] == "stated-unit-differs").sum() + stated.isna().sum() == 8


def test_copies_make_the_difference_between_footprints_outside_in_file_and_in_load(
    city: LoadReport,
) -> None:
    drawn = gpd.read_file(taipei_folder() / "buildings.fgb").geometry
    shapes = drawn.make_valid(method="structure", keep_collapsed=False)
    city_outline = city.frames["unit"]["geom"].iloc[0]
    shapely.prepare(city_outline)
    outside = ~shapely.intersects(city_outline, shapely.point_on_surface(shapes.to_numpy()))
    assert outside.sum() == 640
    copies = shapes.normalize().to_wkb().duplicated().to_numpy()
    loaded_outside = city.findings_by_code()["building", "outside-every-village"]
    # one repaired footprint on the rim is the same shape drawn from another corner
    assert (outside & ~copies).sum() == pytest.approx(loaded_outside, abs=1)


@pytest.mark.parametrize("layer", ["place", "resource"])
@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_a_layer_of_the_city_in_a_shifted_datum_is_suspected(
    city: LoadReport, layer: str, datum: str
) -> None:
    shift = {"GCJ-02": gcj02_from_wgs84, "BD-09": bd09_from_wgs84}[datum]
    metric = crs_of(3826)
    known_m = bearings(city.frames, metric)
    lonlat = shapely.get_coordinates(city.frames[layer]["geom"].to_numpy())
    assert datum_shift(lonlat, known_m, 3826) is None
    shifted = shift(lonlat)
    found = datum_shift(shifted, known_m, 3826)
    assert found is not None
    assert found.datum == datum
    moved_m = metres_from_lonlat(shifted, 3826) - metres_from_lonlat(lonlat, 3826)
    assert (found.east_m, found.north_m) == pytest.approx(tuple(moved_m.mean(axis=0)), abs=5)


def test_no_source_of_the_city_is_suspected(city: LoadReport) -> None:
    assert "suspected-shift" not in set(city.findings["code"])


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        dataset_frames(description(DESCRIPTION), tmp_path)
    assert (refused.value.code, refused.value.where["file"]) == ("no-such-file", "boundaries.gpkg")


def test_a_dataset_without_outlines_is_refused() -> None:
    plan = description(DESCRIPTION)
    bare = Description.model_validate({**plan.model_dump(by_alias=True), "source": []})
    with pytest.raises(Refused) as refused:
        dataset_frames(bare, Path())
    assert refused.value.code == "no-outlines"
