"""The tree of a dataset: paths, owners, numbering, and what no village claims."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, box

from grid_boundaries.codes import codes_in_path
from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Refused
from layers.load.intake import Intake
from layers.load.positions import in_metres
from layers.load.rows import Rows
from layers.load.tree import block_frames, grid_frames, main_villages, unit_frame

METRIC = crs_of(4545)
TODAY = date(2026, 3, 2)
TOWN = box(108, 33, 108.02, 33.01)
WEST, EAST = box(108, 33, 108.01, 33.01), box(108.01, 33, 108.02, 33.01)


def units(**villages: Any) -> pd.DataFrame:
    towns = pd.DataFrame({"code": ["610999100"], "name": ["镇"], "kind": "town", "geom": [TOWN]})
    shapes = villages or {"610999100001": WEST, "610999100201": EAST}
    rows = pd.DataFrame(
        {
            "code": list(shapes),
            "name": [f"村{n}" for n in range(len(shapes))],
            "kind": "village",
            "parent_code": "610999100",
            "geom": pd.Series(list(shapes.values()), dtype=object),
        }
    )
    return unit_frame(("610999", "县"), towns, rows, TODAY)


def blocks(*shapes: Any, people: list[Any] | None = None) -> tuple[Intake, pd.DataFrame]:
    index = range(1, len(shapes) + 1)
    geometry = np.array([*shapes, None], dtype=object)[:-1]
    intake = Intake(
        "units", "block", Rows(pd.DataFrame({"n": index}, index=index), geometry=geometry)
    )
    values = pd.DataFrame(
        {"alias": [f"U{n}" for n in index], "people": people or [10.0] * len(shapes)}, index=index
    )
    return intake, values


def made(*shapes: Any, people: list[Any] | None = None) -> tuple[Intake, dict[str, pd.DataFrame]]:
    intake, values = blocks(*shapes, people=people)
    return intake, block_frames(intake, values, units(), METRIC, TODAY)


def test_every_unit_has_its_path_from_the_county_down() -> None:
    frame = units()
    assert frame["unit_path"].tolist() == [
        "/610999/",
        "/610999/610999100/",
        "/610999/610999100/610999100001/",
        "/610999/610999100/610999100201/",
    ]
    assert frame["level"].tolist() == ["county", "town", "village", "village"]
    assert frame["parent_code"].tolist() == [None, "610999", "610999100", "610999100"]
    for code, path in zip(frame["code"], frame["unit_path"], strict=True):
        assert codes_in_path(path)[-1] == code


def test_the_county_is_the_union_of_its_towns_and_every_outline_a_multipolygon() -> None:
    frame = units()
    assert frame["geom"].iloc[0].equals(MultiPolygon([TOWN]))
    assert {shape.geom_type for shape in frame["geom"]} == {"MultiPolygon"}
    assert set(frame["valid_from"]) == {TODAY}


@pytest.mark.parametrize("code", ["", "a/b"])
def test_a_code_that_cannot_stand_in_a_path_is_refused(code: str) -> None:
    with pytest.raises(Refused):
        units(**{code: WEST})


def test_a_block_belongs_to_the_village_that_holds_most_of_it() -> None:
    # 60 % and 40 %
    across = box(108.004, 33.002, 108.014, 33.004)
    _, frames = made(across)
    block = frames["block"].iloc[0]
    assert block["village_code"] == "610999100001"
    assert block["unit_path"].endswith("/610999100001/")


def test_of_two_equal_halves_the_lower_code_has_it() -> None:
    squares = gpd.GeoSeries([box(5, 0, 15, 10)])
    villages = gpd.GeoSeries([box(10, 0, 20, 10), box(0, 0, 10, 10)], index=["V1", "V2"])
    assert main_villages(squares, villages).tolist() == ["V1"]
    assert main_villages(squares, gpd.GeoSeries(villages.iloc[::-1])).tolist() == ["V1"]


@pytest.mark.parametrize(
    ("shape", "owner"),
    [
        (box(10, 10, 11, 11), None),  # meets the village in a corner only
        (box(10, 0, 11, 10), None),  # along an edge only
        (box(50, 50, 51, 51), None),
        (box(9.9, 0, 30, 10), "V1"),  # a hair of it
        (box(-5, -5, 50, 50), "V1"),  # all of it and more
    ],
)
def test_touching_is_no_part(shape: Any, owner: str | None) -> None:
    villages = gpd.GeoSeries([box(0, 0, 10, 10)], index=["V1"])
    assert main_villages(gpd.GeoSeries([shape]), villages).tolist() == [owner]


def test_no_blocks_and_no_villages_have_no_owner() -> None:
    nothing = gpd.GeoSeries([], index=[])
    assert main_villages(nothing, gpd.GeoSeries([box(0, 0, 1, 1)], index=["V1"])).empty
    assert main_villages(gpd.GeoSeries([box(0, 0, 1, 1)]), nothing).tolist() == [None]


def test_a_block_outside_every_village_is_rejected_and_the_rest_go_on() -> None:
    intake, frames = made(box(108.001, 33.001, 108.002, 33.002), box(109, 34, 109.1, 34.1))
    assert intake.counts()["reasons"].iloc[0] == {"outside-county": 1}
    assert frames["block"]["alias"].tolist() == ["U1"]
    assert frames["block_count"]["people"].tolist() == [10.0]


def test_a_block_without_a_count_keeps_none_and_is_listed() -> None:
    inside = [box(108.001 + n / 100, 33.001, 108.002 + n / 100, 33.002) for n in range(2)]
    intake, frames = made(*inside, people=[None, 0.0])
    assert frames["block_count"]["people"].isna().tolist() == [True, False]
    found = intake.found()
    assert found[["row", "code"]].to_numpy().tolist() == [["1", "not-counted"]]
    assert found["facts"].iloc[0] == {"alias": "U1"}
    assert intake.counts()["loaded"].iloc[0] == 2


def test_ids_run_west_to_east_then_north_to_south_and_counts_keep_them() -> None:
    south, north = (box(108.001, 33.001 + n / 500, 108.002, 33.002 + n / 500) for n in range(2))
    far = box(108.015, 33.001, 108.016, 33.002)
    _, frames = made(far, south, north, people=[1.0, 2.0, 3.0])
    ids = dict(zip(frames["block"]["alias"], frames["block"]["id"], strict=True))
    assert ids == {"U3": "B000001", "U2": "B000002", "U1": "B000003"}
    people = dict(
        zip(frames["block_count"]["block_id"], frames["block_count"]["people"], strict=True)
    )
    assert people == {"B000003": 1.0, "B000002": 2.0, "B000001": 3.0}
    assert frames["block"]["unit_path"].tolist() == frames["block_count"]["unit_path"].tolist()


def test_areas_are_of_the_ground() -> None:
    shape = box(108.001, 33.001, 108.002, 33.002)
    _, frames = made(shape)
    expected = in_metres(pd.Series([shape], dtype=object), METRIC).area.iloc[0]
    assert frames["block"]["area_m2"].tolist() == pytest.approx([expected])
    assert expected == pytest.approx(93.5 * 110.9, rel=0.01)


def test_each_block_is_a_grid_numbered_in_its_village() -> None:
    inside = [box(108.001 + n / 250, 33.001, 108.002 + n / 250, 33.002) for n in range(4)]
    _, frames = made(*inside)
    both = grid_frames(frames["block"], units(), METRIC, "cn", "village")
    grids = both["grid"]
    assert sorted(grids["code"]) == [
        "610999100001001",
        "610999100001002",
        "610999100001003",
        "610999100201001",
    ]
    assert (grids["code"].str[:12] == grids["village_code"]).all()
    assert set(grids["setting"]) == {"village"}
    assert grids["name"].str.endswith("001").sum() == 2
    pairs = both["grid_block"]
    assert pairs["block_id"].tolist() == frames["block"]["id"].tolist()
    assert pairs["grid_code"].is_unique


squares = st.tuples(st.integers(-5, 25), st.integers(-5, 25), st.integers(1, 12))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(squares, min_size=1, max_size=10), st.lists(squares, min_size=1, max_size=6))
def test_owners_are_those_of_brute_force(
    drawn: list[tuple[int, int, int]], outlines: list[tuple[int, int, int]]
) -> None:
    shapes = [box(x, y, x + side, y + side) for x, y, side in drawn]
    villages = [box(x, y, x + side, y + side) for x, y, side in outlines]
    codes = [f"V{n}" for n in range(len(villages))]
    found = main_villages(gpd.GeoSeries(shapes), gpd.GeoSeries(villages, index=codes))
    for shape, owner in zip(shapes, found, strict=True):
        parts = [shape.intersection(village).area for village in villages]
        best = max(parts)
        assert owner == (codes[parts.index(best)] if best > 0 else None)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 6))
def test_a_lattice_of_blocks_loses_no_ground(columns: int, rows: int) -> None:
    x, y = np.linspace(108, 108.02, columns + 1), np.linspace(33, 33.01, rows + 1)
    cells = [box(x[c], y[r], x[c + 1], y[r + 1]) for c in range(columns) for r in range(rows)]
    intake, frames = made(*cells)
    assert len(frames["block"]) == len(cells)
    assert frames["block"]["id"].is_unique
    whole_m2 = in_metres(pd.Series([shapely.union_all(cells)], dtype=object), METRIC).area.iloc[0]
    assert frames["block"]["area_m2"].sum() == pytest.approx(whole_m2, rel=1e-6)
    assert intake.found().empty
