"""Every table of the made-up county by the same rules: counts, keys, references, numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from gis_service.demo.size import COUNTY, Size
from grid_boundaries.codes import codes_in_path, level, path_of, profile
from grid_boundaries.tables import metadata
from grid_boundaries.topology import gaps, overlaps
from layers.load.write import ORDER
from tests.gis_service.demo_county import SEED, SMALL, TODAY, digest, small_county

KNOWN = {table.name: table for table in ORDER}
TABLES = (
    "block", "block_count", "building", "camera", "centre", "county", "device", "elevation", "grid",
    "grid_block", "household", "incident", "organisation", "part", "person", "place",
    "position", "posting", "resource", "street", "unit", "villagers_group", "visit", "water",
    "worker",
)  # fmt: skip
PLANTED = (
    "ended_posting", "hotspot", "misplaced_camera", "unseen_grid", "unseen_place", "vacant_grid",
)  # fmt: skip
every_table = pytest.mark.parametrize("name", TABLES)

# table, column → table, column: every value there must be found here
REFERENCES = [
    ("household", "building_id", "building", "id"),
    ("person", "household_id", "household", "id"),
    ("posting", "worker_id", "worker", "id"),
    ("posting", "grid_code", "grid", "code"),
    ("position", "worker_id", "worker", "id"),
    ("visit", "worker_id", "worker", "id"),
    ("visit", "household_id", "household", "id"),
    ("grid_block", "block_id", "block", "id"),
    ("grid_block", "grid_code", "grid", "code"),
    ("block_count", "block_id", "block", "id"),
    ("block", "village_code", "unit", "code"),
    ("grid", "village_code", "unit", "code"),
    ("unit", "parent_code", "unit", "code"),
    ("centre", "unit_code", "unit", "code"),
]
COUNTS = [
    ("grid", SMALL.grids),
    ("household", SMALL.households),
    ("person", SMALL.people),
    ("camera", SMALL.cameras),
    ("worker", SMALL.workers),
    ("part", SMALL.parts),
    ("device", SMALL.devices),
]
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
# GB/T 2260: regions are 11 to 82; made-up people carry 99
REAL_REGION = re.compile(r"(?<![0-9A-Z])(?:[1-7]\d|8[12])\d{4}(?:19|20)\d{9}[\dX](?![0-9A-Z])")
FORBIDDEN = re.compile("ethnic|religio|politic|petition|health|criminal|party|民族|宗教|信访|政治")


def frame(name: str) -> pd.DataFrame:
    return small_county().frames[name]


def texts(column: pd.Series[Any]) -> list[str]:
    return [value for value in column if isinstance(value, str)]


def test_the_tables_and_what_is_planted_are_those_named_here() -> None:
    assert tuple(sorted(small_county().frames)) == TABLES
    assert tuple(sorted(small_county().truth)) == PLANTED


@every_table
def test_a_frame_is_of_a_table_that_a_load_writes(name: str) -> None:
    assert name in KNOWN
    assert len(frame(name)) > 0


@every_table
def test_a_frame_has_columns_of_its_table_only(name: str) -> None:
    columns = set(map(str, frame(name).columns))
    assert columns <= set(KNOWN[name].c.keys())


@every_table
def test_keys_are_there_and_unique(name: str) -> None:
    keys = [column.name for column in KNOWN[name].primary_key if column.name in frame(name)]
    if keys:
        assert not frame(name)[keys].isna().any().any()
        assert not frame(name).duplicated(keys).any()


@every_table
def test_geometry_is_valid_and_lies_in_degrees(name: str) -> None:
    if "geom" not in frame(name):
        return
    shapes = frame(name)["geom"].to_numpy()
    known = shapes[~shapely.is_missing(shapes)]
    assert len(known)
    assert shapely.is_valid(known).all()
    assert not shapely.is_empty(known).any()
    west, south, east, north = shapely.total_bounds(known)
    assert 105 < west <= east < 112
    assert 30 < south <= north < 36


@pytest.mark.parametrize(("name", "column", "other", "key"), REFERENCES)
def test_what_is_referred_to_is_there(name: str, column: str, other: str, key: str) -> None:
    given = frame(name)[column].dropna()
    assert len(given)
    assert given.isin(frame(other)[key]).all()


@pytest.mark.parametrize(("name", "count"), COUNTS)
def test_there_are_as_many_as_the_size_says(name: str, count: int) -> None:
    assert len(frame(name)) == count


@pytest.mark.parametrize(
    ("name", "count"), [("incident", SMALL.incidents), ("visit", SMALL.visits)]
)
def test_what_happens_by_chance_happens_about_as_often_as_the_size_says(
    name: str, count: int
) -> None:
    assert len(frame(name)) == pytest.approx(count, rel=0.25)


def test_the_sizes_of_the_whole_county_add_up() -> None:
    for size in (COUNTY, SMALL, Size()):
        parts = (size.village_grids, size.city_grids, size.market_grids, size.special_grids)
        assert sum(parts) == size.grids
        assert min(parts) > 0
        homes = (size.village_households, size.city_households, size.market_households)
        assert sum(homes) == size.households
        assert min(homes) > 0


@every_table
def test_no_text_holds_a_number_that_may_be_somebodys(name: str) -> None:
    for column in frame(name):
        for text in texts(frame(name)[column])[:20_000]:
            assert MOBILE.search(text) is None, (column, text)
            if column != "device_code":  # a camera's code begins with the county's own digits
                assert REAL_REGION.search(text) is None, (column, text)


@every_table
def test_no_column_and_no_value_says_what_must_not_be_kept(name: str) -> None:
    for column in frame(name):
        assert FORBIDDEN.search(str(column)) is None
        if frame(name)[column].map(lambda value: isinstance(value, str)).any():
            distinct = set(texts(frame(name)[column]))
            if len(distinct) < 200:
                assert not [text for text in distinct if FORBIDDEN.search(text)]


@pytest.mark.parametrize("name", ["unit", "centre"])
def test_what_is_published_is_the_same_for_every_seed(name: str) -> None:
    other = small_county(SEED + 1).frames[name]
    columns = [column for column in ("code", "unit_code", "name", "level") if column in other]
    pd.testing.assert_frame_equal(frame(name)[columns], other[columns])


@pytest.mark.parametrize("name", ["block", "building", "street", "camera", "incident", "worker"])
def test_what_is_made_up_differs_between_seeds(name: str) -> None:
    assert digest(small_county(SEED + 1).frames[name]) != digest(frame(name))


def test_unit_paths_are_those_of_the_parents_and_codes_those_of_the_profile() -> None:
    units = frame("unit").set_index("code")
    for code, row in units.iterrows():
        codes = codes_in_path(row["unit_path"])
        assert codes[-1] == code
        assert path_of(codes) == row["unit_path"]
        assert level(str(code), profile("cn")) == row["level"]
        if row["parent_code"]:
            assert units.loc[row["parent_code"], "unit_path"] == path_of(codes[:-1])
    assert units["level"].value_counts().to_dict() == {"village": 80, "town": 11, "county": 1}


def test_a_located_rows_path_is_that_of_a_unit() -> None:
    paths = set(frame("unit")["unit_path"])
    for name in TABLES:
        if "unit_path" in frame(name):
            assert set(frame(name)["unit_path"].dropna()) <= paths, name


def test_each_block_is_in_one_grid_of_its_own_village() -> None:
    pairs = frame("grid_block").merge(frame("block"), left_on="block_id", right_on="id")
    merged = pairs.merge(
        frame("grid"), left_on="grid_code", right_on="code", suffixes=("", "_grid")
    )
    assert merged["block_id"].is_unique
    assert set(merged["block_id"]) == set(frame("block")["id"])
    assert (merged["village_code"] == merged["village_code_grid"]).all()


def test_the_small_county_is_tiled_too() -> None:
    cells = frame("block")["geom"].to_numpy()
    assert shapely.coverage_is_valid(cells)
    units = frame("unit")
    top = units.loc[units["level"] == "county", "geom"].to_numpy()
    missed = shapely.symmetric_difference(shapely.coverage_union_all(cells), top)
    assert shapely.area(missed).max() < 1e-9


def test_counts_per_block_are_those_of_the_people_in_it() -> None:
    people = frame("person").merge(frame("household"), left_on="household_id", right_on="id")
    counts = frame("block_count").set_index("block_id")
    assert counts["households"].sum() == SMALL.households
    assert counts["registered"].sum() == frame("person")["registered"].sum()
    assert counts["people"].sum() == frame("person")["present"].sum()
    assert len(people) == len(frame("person"))


def test_every_household_has_somebody_and_one_head() -> None:
    people = frame("person")
    assert set(people["household_id"]) == set(frame("household")["id"])
    heads = people[people["relation"] == "head"]
    assert heads["household_id"].is_unique


def test_nobody_is_born_after_today_nor_older_than_110() -> None:
    born = pd.to_datetime(frame("person")["born_on"]).dt.date
    assert born.max() <= TODAY
    assert born.min() > date(TODAY.year - 111, 1, 1)


def test_id_numbers_are_unique_and_of_no_region() -> None:
    numbers = frame("person")["id_number"]
    assert numbers.is_unique
    assert numbers.str.match(r"99\d{15}[\dX]$").all()
    assert frame("person")["phone"].dropna().str.match(r"12\d{9}$").all()
    days = pd.to_datetime(frame("person")["born_on"]).dt.strftime("%Y%m%d")
    assert (numbers.str[6:14] == days).all()


def test_postings_have_an_order_in_time_and_a_worker_one_place_at_a_time() -> None:
    postings = frame("posting")
    ended = postings[postings["valid_to"].notna()]
    assert (ended["valid_from"] < ended["valid_to"]).all()
    assert set(postings["role"]) <= {"chief", "worker", "head", "deputy_head", "service", "cadre"}


def test_nothing_happens_after_today() -> None:
    end = pd.Timestamp(TODAY + timedelta(days=1), tz="Asia/Shanghai")
    for name, column in (
        ("incident", "occurred_at"),
        ("incident", "reported_at"),
        ("visit", "visited_at"),
        ("position", "located_at"),
        ("worker", "located_at"),
    ):
        moments = pd.to_datetime(frame(name)[column].dropna())
        assert moments.dt.tz is not None, name
        assert moments.max() < end, (name, column)


def test_cameras_have_numbers_that_coverage_takes() -> None:
    cameras = frame("camera")
    assert cameras["view_angle_deg"].between(0, 360, inclusive="right").all()
    assert (cameras["range_m"] >= 0).all()
    bearing = cameras["azimuth_deg"]
    assert (bearing.between(0, 360) | (bearing.isna() & (cameras["view_angle_deg"] >= 360))).all()
    states = {"planned", "building", "built", "networked", "out_of_service"}
    assert set(cameras["state"]) <= states


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_speaks_of_rows_that_are_there(name: str) -> None:
    truth = small_county().truth[name]
    keys = {
        "grid_code": ("grid", "code"),
        "camera_id": ("camera", "id"),
        "place_id": ("place", "id"),
    }
    told = [column for column in keys if column in truth]
    assert told
    for column in told:
        table, key = keys[column]
        assert truth[column].isin(frame(table)[key]).all()


def test_no_frame_is_of_a_table_that_the_database_does_not_have() -> None:
    assert set(TABLES) <= set(metadata.tables)
    assert {"finding", "load_count"} & set(TABLES) == set()


def test_villages_neither_overlap_nor_leave_gaps() -> None:
    units = frame("unit")
    shapes = small_metric(units.loc[units["level"] == "village", "geom"])
    county_m = small_metric(units.loc[units["level"] == "county", "geom"])
    assert overlaps(shapes, smallest_m2=1.0).empty
    assert gaps(shapes, county_m, smallest_m2=1.0).empty
    assert shapes.area.sum() == pytest.approx(county_m.area.sum(), abs=1.0)


def small_metric(shapes: pd.Series[Any]) -> Any:
    import geopandas as gpd

    series = gpd.GeoSeries(np.asarray(shapes, dtype=object), crs=4490)
    return series.to_crs(small_county().metric_srid)
