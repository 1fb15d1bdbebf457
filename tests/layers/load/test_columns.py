"""Cells into values: what is text, number, time or word, and what becomes of those that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.load.columns import check_columns, clean, numbers, reject_by_rules, values_of
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.rows import Rows

ZONE = "Asia/Taipei"


def intake(**columns: list[Any]) -> Intake:
    size = len(next(iter(columns.values())))
    return Intake("a.csv", "place", Rows(pd.DataFrame(columns, index=range(1, size + 1))))


def source(**fields: Any) -> Source:
    return Source.model_validate({"into": "place", **fields})


def column(rule: Any, **columns: list[Any]) -> tuple[list[Any], Intake]:
    rows = intake(**columns)
    read = values_of(rows, source(columns={"ours": rule}), ZONE)
    return read.loc[rows.table.index, "ours"].tolist(), rows


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("  宁陕  县 ", "宁陕 县"),
        ("a\r\n\tb", "a b"),
        ("\u3000全角\u3000", "全角"),
        ("", None),
        (" \n ", None),
        (None, None),
        (np.nan, None),
        (7, "7"),
        (7.0, "7"),
        ("001", "001"),
    ],
)
def test_text_is_without_noise(cell: Any, expected: str | None) -> None:
    assert clean(pd.Series([cell], dtype=object)).tolist() == [expected]


@pytest.mark.parametrize(
    ("cell", "value", "is_bad"),
    [
        ("12.5", 12.5, False),
        (" １２ ", 12.0, False),
        ("-3e2", -300.0, False),
        ("", None, False),
        ("12 m", None, True),
        ("inf", None, True),
        ("NaN", None, True),
        ("1e400", None, True),
        ("一二", None, True),
    ],
)
def test_numbers(cell: str, value: float | None, is_bad: bool) -> None:
    values, bad = numbers(pd.Series([cell], dtype=object))
    assert bad.tolist() == [is_bad]
    assert values.isna().tolist() == [value is None]
    assert value is None or values.tolist() == [value]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), max_size=8))
def test_numbers_written_out_are_read_back(given_numbers: list[float]) -> None:
    values, bad = numbers(pd.Series([repr(number) for number in given_numbers], dtype=object))
    assert not bad.any()
    assert values.tolist() == given_numbers


def test_a_word_is_looked_up_and_an_unknown_one_is_a_finding() -> None:
    rule = {"from": "d", "values": {"東": 90, "西": 270}}
    values, rows = column(rule, d=["東", "西 ", "上", ""])
    assert values == [90, 270, None, None]
    assert rows.found()[["row", "code"]].to_numpy().tolist() == [["3", "unknown-value"]]
    assert rows.found()["facts"].iloc[0] == {"column": "ours", "seen": "上"}


def test_another_word_where_one_is_given_is_no_finding() -> None:
    values, rows = column({"from": "d", "values": {"a": 1}, "otherwise": 0}, d=["a", "b", ""])
    assert values == [1, 0, 0]
    assert len(rows.found()) == 0


def test_a_needed_value_that_is_missing_or_unreadable_rejects_its_row() -> None:
    rule = {"from": "n", "read": "number", "needed": True}
    values, rows = column(rule, n=["1", "", "x", "4"])
    assert values == [1.0, 4.0]
    counts = rows.counts().iloc[0]
    assert (counts["rows_in"], counts["loaded"]) == (4, 2)
    assert counts["reasons"] == {"not-a-number": 1, "missing-value": 1}


def test_an_unneeded_number_that_is_none_stays_with_a_finding() -> None:
    values, rows = column({"from": "n", "read": "number"}, n=["1", "x"])
    assert values[0] == 1.0
    assert np.isnan(values[1])
    assert rows.found()["code"].tolist() == ["not-a-number"]


def test_years_of_the_republic_are_local_times() -> None:
    rule = {"from": ["y", "m", "d", "h", "i"], "read": "roc_time"}
    parts = {
        "y": ["113", "1"],
        "m": ["2", "1"],
        "d": ["29", "1"],
        "h": ["23", "0"],
        "i": ["59", "0"],
    }
    values, _ = column(rule, **parts)
    assert values[0] == pd.Timestamp("2024-02-29 23:59", tz=ZONE)
    assert values[1].year == 1912


@pytest.mark.parametrize(
    ("year", "month", "day", "hour"),
    [
        ("112", "2", "29", "1"),
        ("113", "13", "1", "1"),
        ("113", "1", "1", "25"),
        ("", "1", "1", "1"),
    ],
)
def test_a_day_that_never_was_is_no_date(year: str, month: str, day: str, hour: str) -> None:
    rule = {"from": ["y", "m", "d", "h", "i"], "read": "roc_time", "needed": True}
    values, rows = column(rule, y=[year], m=[month], d=[day], h=[hour], i=["0"])
    assert values == []
    assert rows.counts()["reasons"].iloc[0] == {"not-a-date": 1}


def test_iso_times_are_local_unless_they_say_otherwise() -> None:
    cells = ["2024-01-01 08:00", "2024-01-01T08:00:00Z", "2024-01-01T08:00+09:00", "x", ""]
    values, rows = column({"from": "t", "read": "time"}, t=cells)
    assert values[0] == pd.Timestamp("2024-01-01 08:00", tz=ZONE)
    assert values[1] == pd.Timestamp("2024-01-01 16:00", tz=ZONE)
    assert values[2] == pd.Timestamp("2024-01-01 07:00", tz=ZONE)
    assert pd.isna(values[3])
    assert rows.found()["row"].tolist() == ["4"]


def test_text_of_two_columns_is_joined() -> None:
    values, _ = column({"from": ["a", "b"]}, a=["大安區", "x"], b=["學府里", ""])
    assert values == ["大安區 學府里", "x"]


def test_rules_take_rows_out_under_their_own_word() -> None:
    rows = intake(method=["none", "exact", " none "])
    rule = {"column": "method", "is_one_of": ["none"], "code": "no-position"}
    reject_by_rules(rows, source(reject=[rule]))
    assert rows.table.index.tolist() == [2]
    assert rows.counts()["reasons"].iloc[0] == {"no-position": 2}


def test_a_column_that_is_not_there_is_refused_by_name() -> None:
    rows = intake(a=["1"])
    wanting = source(
        columns={"name": "名称"}, point=["经度", "纬度"], id_column="编号",
        stated={"columns": ["区"], "level": "town"},
        reject=[{"column": "方法", "is_one_of": ["x"], "code": "y"}],
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        check_columns(rows, wanting)
    assert refused.value.where["columns"] == sorted(["名称", "经度", "纬度", "编号", "区", "方法"])
