"""The made-up county's ground: units, blocks and grids that tile it, codes, elevation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from grid_boundaries.codes import PROFILES, parent
from tests.gis_service.demo_county import county, metric

AREA_M2 = 3_648e6


def test_the_county_has_11_towns_80_villages_and_388_grids() -> None:
    frames = county().frames
    assert frames["unit"]["level"].value_counts().to_dict() == {
        "village": 80,
        "town": 11,
        "county": 1,
    }
    assert len(frames["grid"]) == 388


def test_every_published_unit_is_there_under_its_published_name() -> None:
    units = county().frames["unit"].set_index("code")["name"]
    assert units["610923"] == "宁陕县"
    assert units["610923100"] == "城关镇"
    assert units["610923109206"] == units["610923108205"] == "兴隆村委会"


def test_the_area_is_the_published_one_to_the_square_metre() -> None:
    assert shapely.area(metric("block")).sum() == pytest.approx(AREA_M2, abs=1.0)


def test_blocks_tile_the_county_without_gap_or_overlap() -> None:
    blocks = county().frames["block"]["geom"].to_numpy()
    assert shapely.is_valid(blocks).all()
    assert shapely.coverage_is_valid(blocks)
    union = shapely.coverage_union_all(metric("block"))
    assert abs(shapely.area(metric("block")).sum() - union.area) < 1.0
    holes = sum(shapely.get_num_interior_rings(part) for part in shapely.get_parts(union))
    assert holes == 0


@pytest.mark.parametrize("level", ["county", "town", "village"])
def test_areas_of_a_level_add_up_to_the_county(level: str) -> None:
    chosen = (county().frames["unit"]["level"] == level).to_numpy()
    assert shapely.area(metric("unit")[chosen]).sum() == pytest.approx(AREA_M2, abs=1.0)


def test_every_parent_is_the_sum_of_its_children() -> None:
    units = county().frames["unit"].assign(area_m2=shapely.area(metric("unit")))
    children = units.groupby("parent_code")["area_m2"].sum()
    own = units.set_index("code")["area_m2"].loc[children.index]
    assert np.abs(children - own).max() < 1.0


def test_every_village_is_the_sum_of_its_grids_and_every_grid_of_its_blocks() -> None:
    frames = county().frames
    units = frames["unit"].assign(area_m2=shapely.area(metric("unit"))).set_index("code")
    by_village = frames["grid"].groupby("village_code")["area_m2"].sum()
    assert np.abs(by_village - units["area_m2"].loc[by_village.index]).max() < 1.0
    blocks = frames["block"].merge(frames["grid_block"], left_on="id", right_on="block_id")
    by_grid = blocks.groupby("grid_code")["area_m2"].sum()
    shapes = pd.Series(shapely.area(metric("grid")), index=frames["grid"]["code"])
    assert np.abs(by_grid - shapes.loc[by_grid.index]).max() < 1.0
    assert len(by_grid) == len(shapes)


def test_units_and_grids_are_in_one_piece() -> None:
    for table in ("unit", "grid"):
        assert (shapely.get_num_geometries(county().frames[table]["geom"].to_numpy()) == 1).all()


def test_a_block_belongs_to_one_grid_of_its_own_village() -> None:
    frames = county().frames
    blocks = frames["block"].merge(frames["grid_block"], left_on="id", right_on="block_id")
    assert len(blocks) == len(frames["block"])
    assert (blocks["grid_code"].str[:12] == blocks["village_code"]).all()
    assert (blocks["unit_path"].str.rstrip("/").str[-12:] == blocks["village_code"]).all()


def test_grid_codes_are_15_digits_under_their_village_from_west_to_east() -> None:
    grids = county().frames["grid"]
    assert grids["code"].str.fullmatch(r"\d{15}").all()
    profile = PROFILES["cn"]
    assert [parent(code, profile) for code in grids["code"]] == grids["village_code"].tolist()
    for _, rows in grids.groupby("village_code"):
        assert rows["code"].str[-3:].astype(int).tolist() == list(range(1, len(rows) + 1))


def test_block_ids_run_from_west_to_east() -> None:
    blocks = county().frames["block"]
    assert blocks["id"].tolist() == [f"B{n:06d}" for n in range(1, len(blocks) + 1)]
    x = shapely.get_x(shapely.point_on_surface(metric("block")))
    assert (np.diff(np.rint(x)) >= 0).all()
    assert 3_000 <= len(blocks) <= 6_000


def test_village_grids_are_made_of_whole_groups() -> None:
    frames = county().frames
    blocks = frames["block"].merge(frames["grid_block"], left_on="id", right_on="block_id")
    residential = frames["grid"].loc[frames["grid"]["kind"] == "residential", "code"]
    in_group = blocks[blocks["group_id"].notna() & blocks["grid_code"].isin(residential)]
    pairs = in_group[["group_id", "grid_code"]].drop_duplicates()
    assert pairs["group_id"].is_unique


def test_households_per_grid_keep_near_the_size_rule() -> None:
    frames = county().frames
    counted = frames["block_count"].merge(frames["grid_block"], on="block_id")
    load = counted.groupby("grid_code")["households"].sum()
    grids = frames["grid"].set_index("code")
    grids = grids[grids["kind"] == "residential"].assign(households=load)
    middle = grids.groupby("setting")["households"].median()
    assert 40 <= middle["village"] <= 75
    assert 65 <= middle["market_town"] <= 105
    assert 65 <= middle["city"] <= 105


def test_some_grids_are_special_and_say_for_what() -> None:
    grids = county().frames["grid"]
    special = grids[grids["kind"] == "special"]
    assert len(special) == 24
    assert special["special_use"].notna().all()
    assert {"forest", "school", "water"} <= set(special["special_use"])


def test_borders_wind_instead_of_running_straight_between_corners() -> None:
    villages = metric("unit")[(county().frames["unit"]["level"] == "village").to_numpy()]
    winding = shapely.length(villages) / shapely.length(shapely.convex_hull(villages))
    assert np.median(winding) > 1.05
    assert np.median(shapely.get_num_coordinates(villages)) > 100


def test_elevation_covers_the_county_and_rivers_lie_lower_than_ridges() -> None:
    made = county()
    row = made.frames["elevation"].iloc[0]
    heights = np.frombuffer(row["heights"], dtype="<i2").reshape(row["rows"], row["columns"])
    assert 400 < heights.min() < 800
    assert 2_500 < heights.max() < 3_200
    west, south, east, north = metric("unit")[0].bounds
    assert row["west_m"] < west and row["north_m"] > north
    assert row["west_m"] + row["cell_m"] * row["columns"] > east
    assert row["north_m"] - row["cell_m"] * row["rows"] < south
    rivers = metric("water")[(made.frames["water"]["kind"] == "river").to_numpy()]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(rivers, 0.5, normalized=True))
    column = ((middle[:, 0] - row["west_m"]) / row["cell_m"]).astype(int)
    line = ((row["north_m"] - middle[:, 1]) / row["cell_m"]).astype(int)
    assert heights[line, column].mean() < heights.mean() - 200


def test_the_county_row_says_what_is_made_up() -> None:
    row = county().frames["county"].iloc[0]
    assert (row["profile"], row["metric_srid"], row["dataset"]) == ("cn", 4545, "demo")
    assert row["population_basis"] == "present"
    assert row["facts"]["seed"] == 1
    assert "虚构" in row["facts"]["zh"] and "made up" in row["facts"]["en"]
