"""Descriptions: every field is known, and a small made-up city is read by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Polygon, box

from grid_boundaries.errors import Refused
from layers.load.dataset import dataset_frames
from layers.load.description import Source, description, source_mapping
from layers.load.intake import Intake
from layers.load.report import FINDING_COLUMNS, findings, joined, load_counts
from layers.load.rows import Rejection, Rows

TOP = """
name = "small"
profile = "taipei"
metric_srid = 3826
population_basis = "present"
valid_from = 2024-01-01
time_zone = "Asia/Taipei"
county = { code = "63000", name = "市" }
"""
TREE = """
[[source]]
file = "towns.gpkg"
into = "town"
columns = { code = "code", name = "name" }
constants = { kind = "district" }

[[source]]
file = "villages.gpkg"
into = "village"
columns = { code = "code", name = "name", parent_code = "town" }
constants = { kind = "village" }

[[source]]
file = "blocks.gpkg"
into = "block"

[source.columns]
alias = "key"
people = { from = "people", read = "number" }
households = { from = "homes", read = "number" }
"""
SHOPS = """
[[source]]
file = "shops.csv"
into = "place"
id_prefix = "shop-"
point = ["x", "y"]
columns = { name = "名" }
constants = { kind = "shop", is_key = false }
stated = { columns = ["區"], level = "town" }
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def layer(path: Path, shapes: list[Polygon], **columns: Sequence[object]) -> None:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4326).to_file(path, driver="GPKG")


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Two towns of one village each; three blocks, the middle one across the border."""
    west, east = box(121, 25, 121.01, 25.01), box(121.01, 25, 121.02, 25.01)
    towns = ["63000010", "63000020"]
    layer(tmp_path / "towns.gpkg", [west, east], code=towns, name=["甲區", "乙區"])
    villages = [f"{town}001" for town in towns]
    layer(
        tmp_path / "villages.gpkg", [west, east], code=villages, name=["一里", "二里"], town=towns
    )
    cuts = [121, 121.008, 121.013, 121.02]
    layer(
        tmp_path / "blocks.gpkg",
        [box(a, 25, b, 25.01) for a, b in pairwise(cuts)],
        key=["a", "b", "c"],
        people=[10, 20, None],
        homes=[4, 8, None],
    )
    write(
        tmp_path / "shops.csv",
        "名,區,x,y\n一,甲區,121.005,25.005\n二,甲區,121.009,25.005\n三,甲區,121.015,25.005\n"
        "四,乙區,121.012,25.005\n五,,121.021,25.005\n六,甲區,122,25\n",
    )
    return tmp_path


def test_a_small_city_is_read_placed_counted_and_its_faults_listed(city: Path) -> None:
    plan = description(write(city / "small.toml", TOP + TREE + SHOPS))
    steps: list[tuple[str, int, int]] = []
    frames = dataset_frames(plan, city, progress=lambda *step: steps.append(step))
    blocks = frames["block"].set_index("alias")
    assert blocks["id"].to_dict() == {"a": "B000001", "b": "B000002", "c": "B000003"}
    # 2 of 5 parts of the middle block lie in the west, 3 in the east
    assert blocks["village_code"].to_dict() == {
        "a": "63000010001",
        "b": "63000020001",
        "c": "63000020001",
    }
    assert frames["block_count"]["people"].sum() == 30
    shops = frames["place"].set_index("name")
    assert shops["unit_path"].str.strip("/").str.split("/").str[-1].to_dict() == {
        "一": "63000010001",
        "二": "63000010001",
        "三": "63000020001",
        "四": "63000020001",
        "五": "63000",
    }
    found = frames["finding"].groupby("code")["row"].apply(list).to_dict()
    assert found == {
        "not-counted": ["3"],
        "outside-county": ["6"],
        "block-outline-disagree": ["shop-2"],
        "outside-every-village": ["shop-5"],
        "stated-unit-differs": ["shop-3"],
    }
    assert steps[-1] == ("placement", 4, 5)


def test_a_grid_is_a_block_with_a_code_of_its_village(city: Path) -> None:
    frames = dataset_frames(description(write(city / "small.toml", TOP + TREE)), city)
    grids = frames["grid"].set_index("alias")
    assert grids["code"].to_dict() == {
        "a": "63000010001-001",
        "b": "63000020001-001",
        "c": "63000020001-002",
    }
    assert grids["name"].to_dict() == {"a": "一里001", "b": "二里001", "c": "二里002"}
    pairs = frames["grid_block"].merge(frames["block"], left_on="block_id", right_on="id")
    assert pairs.set_index("alias")["grid_code"].to_dict() == grids["code"].to_dict()


def test_two_readings_are_equal(city: Path) -> None:
    plan = description(write(city / "small.toml", TOP + TREE + SHOPS))
    one, other = dataset_frames(plan, city), dataset_frames(plan, city)
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[name])


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (TOP, "source"),
        (TOP.replace("3826", '"x"') + TREE, "metric_srid"),
        (TOP + "colour = 1\n" + TREE, "colour"),
        (TOP + TREE + "surprise = 1\n", "source.2.columns.surprise"),
        (TOP.replace('"present"', '"all"') + TREE, "population_basis"),
        (TOP.replace('"small"', '"../x"') + TREE, "name"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        description(write(tmp_path / "a.toml", text))
    # a surprise inside a mapping of columns is a column; elsewhere it is refused
    if field.endswith("columns.surprise"):
        assert refused.value.where["field"].startswith("source.2.columns")
    else:
        assert refused.value.where["field"] == field


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        description(tmp_path / "none.toml")
    assert refused.value.code == "no-such-file"
    with pytest.raises(Refused) as refused:
        source_mapping(write(tmp_path / "a.toml", "= nothing"))
    assert refused.value.code == "not-toml"


def test_a_plain_column_name_is_the_simplest_rule() -> None:
    source = Source.model_validate({"into": "place", "columns": {"name": "名称"}, "file": "a.csv"})
    assert source.rules["name"].sources == ("名称",)
    assert source.name == "a.csv"
    assert source.wanted() == {"名称"}


def test_counts_that_do_not_add_up_are_our_own_fault() -> None:
    with pytest.raises(ArithmeticError):
        load_counts("a", "b", rows_in=3, loaded=1, reasons={"x": 1})


def test_an_intake_accounts_for_every_row() -> None:
    rows = Rows(
        pd.DataFrame({"a": ["1", "2", "3"]}, index=[1, 3, 4]), (Rejection(2, "bad-quotes"),)
    )
    intake = Intake("a.csv", "place", rows)
    intake.reject([3], "no-position", [{"x": 1}])
    intake.reject([], "no-position")
    intake.note([1], "unknown-value")
    counts = intake.counts().iloc[0]
    assert (counts["rows_in"], counts["loaded"], counts["rejected"]) == (4, 2, 2)
    assert counts["reasons"] == {"bad-quotes": 1, "no-position": 1}
    assert intake.found()[["row", "code"]].to_numpy().tolist() == [
        ["2", "bad-quotes"],
        ["3", "no-position"],
        ["1", "unknown-value"],
    ]


def test_no_findings_are_an_empty_frame_with_the_columns() -> None:
    assert list(joined([], FINDING_COLUMNS).columns) == FINDING_COLUMNS
    assert len(findings("a", "b", [], "x", ("中", "e"))) == 0
