"""What rows say of grids: blocks or ground, facts, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.told import Told, refusal, told
from grid_boundaries.marks import has_marks
from grid_boundaries.plan_state import Grid


def rows(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        columns, dtype=object, index=range(1, 1 + len(next(iter(columns.values()))))
    )


def squares(*places: int | None) -> NDArray[Any]:
    found = [None if x is None else shapely.box(x, 0, x + 1, 1) for x in places]
    return np.array([*found, None], dtype=object)[:-1]


def refused(table: pd.DataFrame, ground: NDArray[Any] | None = None) -> Refused:
    with pytest.raises(Refused) as found:
        told(table, ground)
    assert found.value.zh and found.value.en
    return found.value


def test_blocks_are_believed_where_a_file_names_them() -> None:
    found = told(rows(block_id=["B1", "B2"], grid_code=["a", None]), squares(0, 1))
    assert found.what == "blocks"
    assert found.grid_of == {"B1": "a", "B2": None}
    assert list(found.ground.index) == ["B1", "B2"]
    assert found.grids == {"a": Grid("a", "a", "")}


def test_ground_is_taken_where_it_names_none() -> None:
    found = told(rows(grid_code=["a", None]), squares(0, 1))
    assert (found.what, found.grid_of) == ("grids", {})
    assert list(found.ground.index) == ["a", ""]


def test_an_empty_column_of_blocks_names_none() -> None:
    assert told(rows(block_id=[None], grid_code=["a"]), squares(0)).what == "grids"


def test_a_row_without_a_block_among_blocks_is_a_grid_without_one() -> None:
    found = told(rows(block_id=["B1", None], grid_code=["a", "b"]), squares(0, None))
    assert found.grid_of == {"B1": "a"}
    assert list(found.grids) == ["a", "b"]


def test_a_grid_in_several_rows_is_one_grid_of_several_polygons() -> None:
    found = told(rows(grid_code=["a", "a", "b"]), squares(0, 1, 2))
    assert list(found.ground.index) == ["a", "a", "b"]
    assert len(found.grids) == 2


def test_a_block_in_several_rows_is_one_of_several_parts() -> None:
    table = rows(block_id=["B1", "B2", "B1", "B1"], grid_code=["a", "a", "a", "a"])
    found = told(table, squares(0, 1, 2, 2))
    assert list(found.ground.index) == ["B1", "B2"]
    assert shapely.get_num_geometries(found.ground["B1"]) == 2


def test_a_grid_without_a_shape_is_still_a_grid() -> None:
    found = told(rows(grid_code=["a", "b"]), squares(0, None))
    assert list(found.ground.index) == ["a"]
    assert list(found.grids) == ["a", "b"]


def test_every_fact_of_a_grid_is_read() -> None:
    table = rows(
        grid_code=["a"], grid_name=["一"], village_code=["v"], grid_kind=["专属"],
        special_use=["学校"], setting=["集镇"], alias=["x"],
    )  # fmt: skip
    expected = Grid("a", "一", "v", "special", "学校", "market_town", "x")
    assert told(table, squares(0)).grids == {"a": expected}


@pytest.mark.parametrize("word", ["", "odd", None, "RESIDENTIAL"])
def test_a_kind_or_setting_that_nobody_knows_is_the_usual_one(word: str | None) -> None:
    table = rows(grid_code=["a"], grid_kind=[word], setting=[word])
    grid = told(table, squares(0)).grids["a"]
    assert (grid.kind, grid.setting) == ("residential", "village")


def test_a_file_without_codes_is_refused_with_the_columns_it_has() -> None:
    found = refused(rows(block_id=["B1"]))
    assert found.code == "no-grid-codes"
    assert found.where["columns"] == ["block_id"]


@pytest.mark.parametrize("ground", [None, squares(None, None)])
def test_neither_blocks_nor_ground_is_refused(ground: NDArray[Any] | None) -> None:
    assert refused(rows(grid_code=["a", "b"]), ground).code == "no-blocks-and-no-ground"


def test_a_block_in_two_grids_is_refused_by_name() -> None:
    found = refused(rows(block_id=["B1", "B2", "B1"], grid_code=["a", "b", "b"]))
    assert (found.code, found.where["names"]) == ("block-in-two-grids", ["B1"])
    found = refused(rows(block_id=["B1", "B1"], grid_code=["a", None]))
    assert found.code == "block-in-two-grids"


def test_a_block_twice_in_one_grid_is_once_there() -> None:
    found = told(rows(block_id=["B1", "B1"], grid_code=["a", "a"]), squares(0, 0))
    assert found.grid_of == {"B1": "a"}
    assert found.ground["B1"].equals(shapely.box(0, 0, 1, 1))


@pytest.mark.parametrize("key", ["block_id", "grid_code", "village_code", "grid_name", "alias"])
@pytest.mark.parametrize("text", ["x" * 201, "a\x00b", "a\nb", "a\x1b[31m", "a\u202eb"])
def test_text_that_is_no_name_is_refused_with_its_row(key: str, text: str) -> None:
    table = rows(block_id=["B1", "B2"], grid_code=["a", "a"])
    table[key] = ["plain", text]
    found = refused(table)
    assert found.code == "strange-text"
    assert (found.where["row"], found.where["field"]) == ("2", key)
    assert not has_marks(found.zh)


@pytest.mark.parametrize("length", [64, 65])
def test_a_code_has_up_to_64_letters(length: int) -> None:
    table = rows(block_id=["B1"], grid_code=["x" * length])
    if length <= 64:
        assert "x" * length in told(table, None).grids
    else:
        assert refused(table).code == "strange-text"


def test_a_refusal_names_some_and_counts_all() -> None:
    found = refusal("x", "{count} 个：{names}", "{count}: {names}", [f"B{n}" for n in range(1000)])
    assert found.zh.startswith("1000 个：B0、B1、") and found.zh.endswith("B19…")
    assert found.en.startswith("1000: B0, B1, ")
    assert (len(found.where["names"]), found.where["count"]) == (500, 1000)


def test_names_with_braces_are_only_names() -> None:
    found = refusal("x", "{names}", "{names}", ["{0.__class__}", "{count}"])
    assert found.en == "{0.__class__}, {count}"


def test_an_empty_file_says_nothing_of_blocks() -> None:
    nothing: Told | Refused
    nothing = refused(pd.DataFrame({"grid_code": []}, dtype=object), squares())
    assert nothing.code == "no-blocks-and-no-ground"
