"""Plans as rows: every block once, grids without ground too, counts that add up."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries

from grid_boundaries.crs import in_metres
from grid_boundaries.exchange.sheets import block_sheet, counts_by_grid, grid_sheet
from grid_boundaries.plan_state import Grid, state_of
from grid_boundaries.strokes import Create, Retire
from tests.exchanging import VILLAGE_NAMES, Board, plain_plan, random_plan
from tests.plan_ground import METRIC_SRID, VILLAGES, board, sums_of


@pytest.fixture(scope="module")
def plan() -> Board:
    return plain_plan()


def test_every_block_has_one_row_and_its_shape(plan: Board) -> None:
    sheet = plan.sheet("blocks")
    assert sheet.table["block_id"].tolist() == sorted(plan.state.grid_of)
    assert dict(zip(sheet.table["block_id"], sheet.table["grid_code"], strict=True)) == dict(
        plan.state.grid_of
    )
    assert all(
        shape.equals(plan.shapes[block])
        for block, shape in zip(sheet.table["block_id"], sheet.shapes, strict=True)
    )


def test_rows_carry_the_facts_of_their_grid_and_village(plan: Board) -> None:
    rows = plan.sheet("blocks").table.set_index("block_id")
    new = rows.loc["B000020"]
    assert new["grid_name"] == "河滩新区"
    assert (new["grid_kind"], new["special_use"], new["setting"]) == ("special", "学校", "city")
    assert (new["village_code"], new["village_name"]) == (VILLAGES[1], "四亩地社区")
    assert new["alias"] == "旧-12"
    assert rows.loc["B000024"].isna().all()  # in no grid


def test_a_grid_without_a_block_is_a_row_without_a_block() -> None:
    shapes, base = board()
    state = Create(Grid("new", "空", VILLAGES[0]), ()).on(base)
    sheet = block_sheet(state, shapes, VILLAGE_NAMES)
    last = sheet.table.iloc[-1]
    assert (last["block_id"], last["grid_code"], last["grid_name"]) == (None, "new", "空")
    assert sheet.shapes[-1] is None
    assert len(sheet.table) == len(state.grid_of) + 1


def test_grids_are_the_unions_of_their_blocks(plan: Board) -> None:
    sheet = plan.sheet("grids")
    for code, shape in zip(sheet.table["grid_code"], sheet.shapes, strict=True):
        blocks = [plan.now[block] for block in plan.state.blocks_of(code)]
        assert shapely.symmetric_difference(shape, shapely.union_all(blocks)).area < 1e-15


def test_ground_in_no_grid_is_a_row_without_a_code(plan: Board) -> None:
    sheet = plan.sheet("grids")
    assert sheet.table["grid_code"].tolist()[-1] is None
    assert sheet.shapes[-1].equals(plan.shapes["B000024"])
    whole = random_plan(1, cuts=False, strokes=0)
    assert whole.sheet("grids").table["grid_code"].notna().all()


def test_counts_of_the_grids_add_up_to_those_of_the_blocks() -> None:
    for seed in range(5):
        plan = random_plan(seed, cuts=True)
        sums = sums_of(plan.state)
        table = plan.sheet("grids").table
        assert table["people"].sum() == sums["people"].sum()
        assert table["households"].sum() == sums["households"].sum()
        whole_m2 = in_metres(plan.shapes, METRIC_SRID).area.sum()
        assert table["area_m2"].sum() == pytest.approx(whole_m2, rel=1e-6)


def test_counts_worked_out_by_hand() -> None:
    grids = [Grid("a", "a", "v"), Grid("b", "b", "v")]
    state = state_of({"B1": "a", "B2": "a", "B3": None}, grids)
    sums = pd.DataFrame({"people": [3, 4], "households": [1, 2]}, index=["B1", "B2"])
    areas = pd.Series([10.0, 20.0, 5.0], index=["B1", "B2", "B3"])
    found = counts_by_grid(state, sums, areas)
    assert list(found.loc["a"]) == [7, 3, 30.0]
    assert found.loc[[None]].to_numpy().tolist() == [[0, 0, 5.0]]
    shapes = GeoSeries([shapely.box(n, 0, n + 1, 1) for n in range(3)], index=["B1", "B2", "B3"])
    table = grid_sheet(state, shapes, {}, found).table.set_index("grid_code")
    assert list(table.loc["b", ["people", "households", "area_m2"]]) == [0, 0, 0.0]


def test_a_retired_grid_is_in_no_row() -> None:
    shapes, base = board()
    code = next(iter(base.grids))
    state = Retire(code).on(base)
    assert code not in set(block_sheet(state, shapes, {}).table["grid_code"])


def test_nothing_gives_no_rows() -> None:
    nothing = state_of({}, [])
    empty = GeoSeries([], crs=4490)
    assert len(block_sheet(nothing, empty, {}).table) == 0
    counts = counts_by_grid(nothing, sums_of(nothing), pd.Series(dtype=float))
    assert len(grid_sheet(nothing, empty, {}, counts).shapes) == 0


def test_touching_in_a_corner_makes_two_parts() -> None:
    square = shapely.box
    shapes = GeoSeries([square(0, 0, 1, 1), square(1, 1, 2, 2)], index=["B1", "B2"])
    state = state_of({"B1": "a", "B2": "a"}, [Grid("a", "a", "v")])
    counts = pd.DataFrame({"people": [1], "households": [1], "area_m2": [2.0]}, index=["a"])
    (ground,) = grid_sheet(state, shapes, {}, counts).shapes
    assert shapely.get_num_geometries(ground) == 2


def test_a_grid_round_another_has_a_hole() -> None:
    hole = shapely.box(1, 1, 2, 2)
    ring = shapely.box(0, 0, 3, 3).difference(hole)
    shapes = GeoSeries([ring, hole], index=["B1", "B2"])
    state = state_of({"B1": "a", "B2": "b"}, [Grid("a", "a", "v"), Grid("b", "b", "v")])
    counts = pd.DataFrame(columns=["people", "households", "area_m2"])
    outer, inner = grid_sheet(state, shapes, {}, counts).shapes
    assert len(outer.interiors) == 1
    assert inner.equals(hole)
