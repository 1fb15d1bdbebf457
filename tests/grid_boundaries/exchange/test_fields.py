"""Columns by any of their names, and codes that a spreadsheet has spoilt."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.fields import BY_KEY, FIELDS, Names, keyed, mapping_text, named


def test_no_short_name_is_longer_than_a_shapefile_takes() -> None:
    assert all(len(field.short) <= 10 and field.short.isascii() for field in FIELDS)


@pytest.mark.parametrize("names", ["key", "short", "zh"])
def test_no_two_fields_have_one_name(names: str) -> None:
    assert len({getattr(field, names) for field in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize("names", ["key", "short", "zh"])
def test_every_name_that_is_written_is_read(names: Names) -> None:
    table = pd.DataFrame([[field.key for field in FIELDS]], columns=[f.key for f in FIELDS])
    back = keyed(named(table, names))
    assert back.iloc[0].to_dict() == {field.key: field.key for field in FIELDS}


@pytest.mark.parametrize(
    ("theirs", "key"),
    [
        ("BLOCKID", "block_id"), ("District", "grid_code"), ("GRID-CODE", "grid_code"),
        ("grid code", "grid_code"), ("网格编号", "grid_code"), ("所属网格", "grid_code"),
        ("网格类型（基础/专属）", "grid_kind"), ("上级网格编码", "village_code"),
        ("GRID_NAME", "grid_name"), ("  图斑编号 ", "block_id"),
    ],
)  # fmt: skip
def test_usual_names_of_others_are_known(theirs: str, key: str) -> None:
    assert list(keyed(pd.DataFrame({theirs: ["1"]}))) == [key]


def test_the_own_name_goes_before_a_further_one() -> None:
    table = pd.DataFrame({"code": ["other"], "网格编号": ["no"], "grid_code": ["own"]})
    assert keyed(table)["grid_code"].tolist() == ["own"]


def test_columns_that_nobody_knows_are_left_out() -> None:
    assert list(keyed(pd.DataFrame({"民族": ["x"], "fid": [1]}))) == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (610999100001001.0, "610999100001001"), (610999100001001, "610999100001001"),
        ("  610999100001001 ", "610999100001001"), ("007", "007"), (None, None),
        (float("nan"), None), ("", None), ("   ", None), (1.5, "1.5"), (True, "True"),
    ],
)  # fmt: skip
def test_cells_are_text_without_what_a_program_added(cell: object, text: str | None) -> None:
    found = keyed(pd.DataFrame({"grid_code": pd.Series([cell], dtype=object)}))
    assert found["grid_code"].tolist() == [text]


@pytest.mark.parametrize("cell", ["6.10999E+14", "6.1e+14", "6E14", "6.10999100001001E+14"])
@pytest.mark.parametrize("column", ["图斑编号", "网格编码"])
def test_a_code_that_a_spreadsheet_rounded_is_refused_with_its_row(cell: str, column: str) -> None:
    table = pd.DataFrame({column: ["B000001", cell]}, index=[4, 5])
    with pytest.raises(Refused) as refused:
        keyed(table)
    assert refused.value.code == "code-rounded"
    assert refused.value.where["row"] == "5"


def test_a_name_may_look_like_a_rounded_number() -> None:
    assert keyed(pd.DataFrame({"grid_name": ["6.1E+14"]}))["grid_name"].tolist() == ["6.1E+14"]


def test_the_mapping_beside_a_shapefile_names_every_field() -> None:
    rows = list(csv.reader(io.StringIO(mapping_text())))
    assert rows[0] == ["field", "long_name", "chinese"]
    assert {row[0]: row[1] for row in rows[1:]} == {f.short: f.key for f in BY_KEY.values()}


def test_an_empty_table_stays_empty() -> None:
    assert keyed(pd.DataFrame()).empty
    assert len(keyed(pd.DataFrame({"grid_code": []}))) == 0
