"""What rows say of their unit, against where they lie."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from shapely import Point

from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.report import FINDING_COLUMNS
from layers.load.rows import Rows
from layers.load.stated import differing, statements

UNITS = pd.DataFrame(
    {
        "code": ["C", "T1", "T2", "V1", "V2", "V3"],
        "name": ["县", "東鎮", "西鎮", "新村", "新村", "舊村"],
    }
)
PATHS = {"V1": "/C/T1/V1/", "V2": "/C/T2/V2/", "V3": "/C/T2/V3/", "T1": "/C/T1/", "C": "/C/"}


def source(level: str | None, *columns: str) -> Source:
    stated = {"columns": columns, "level": level} if level else None
    return Source.model_validate({"file": "a.csv", "into": "place", "stated": stated})


def told(one: Source, **columns: list[Any]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    intake = Intake("a.csv", "place", Rows(pd.DataFrame(columns, index=range(1, count + 1))))
    return statements(intake, one, pd.DataFrame({"id": [f"R{n}" for n in range(count)]}))


def lying(*units: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"R{n}" for n in range(len(units))],
            "unit_path": [PATHS[unit] for unit in units],
            "geom": [Point(n, n) for n in range(len(units))],
        }
    )


def found(one: Source, places: tuple[str, ...], **columns: list[Any]) -> list[tuple[str, Any]]:
    rows = differing(one, told(one, **columns), lying(*places), UNITS)
    assert list(rows.columns) == FINDING_COLUMNS
    return list(zip(rows["row"], rows["facts"], strict=True))


def test_who_states_nothing_differs_in_nothing() -> None:
    one = source(None)
    assert told(one, a=["x"]).empty
    assert found(one, ("V1",), a=["x"]) == []


def test_a_town_is_compared_by_its_name() -> None:
    wrong = found(source("town", "d"), ("V1", "V2", "V3"), d=["東鎮", "東鎮", " 西鎮 "])
    assert wrong == [("R1", {"stated": "東鎮", "lies_in": "西鎮"})]


def test_a_village_is_compared_with_its_town_for_names_come_twice() -> None:
    one = source("village", "d", "v")
    wrong = found(one, ("V1", "V2"), d=["東鎮", "東鎮"], v=["新村", "新村"])
    assert wrong == [("R1", {"stated": "東鎮 新村", "lies_in": "西鎮 新村"})]


def test_a_village_alone_is_compared_alone() -> None:
    assert found(source("village", "v"), ("V1", "V2"), v=["新村", "新村"]) == []


@pytest.mark.parametrize("cell", ["", None, "  ", float("nan")])
def test_a_row_that_leaves_it_out_states_nothing(cell: Any) -> None:
    assert told(source("town", "d"), d=[cell, "東鎮"])["id"].tolist() == ["R1"]
    assert found(source("town", "d"), ("V2", "V1"), d=[cell, "東鎮"]) == []


def test_half_a_statement_is_none() -> None:
    assert told(source("village", "d", "v"), d=["東鎮", None], v=[None, "新村"]).empty


@pytest.mark.parametrize(("level", "outside"), [("town", "C"), ("village", "C"), ("village", "T1")])
def test_rows_outside_every_unit_of_the_level_lie_in_no_other_one(level: str, outside: str) -> None:
    columns = {"d": ["西鎮"], "v": ["舊村"]}
    one = source(level, *(["d"] if level == "town" else ["d", "v"]))
    assert found(one, (outside,), **columns) == []


def test_line_noise_is_no_difference() -> None:
    assert found(source("town", "d"), ("V1",), d=["\u3000東鎮\n"]) == []


def test_a_name_that_is_no_unit_at_all_differs() -> None:
    wrong = found(source("town", "d"), ("V1",), d=["{{7*7}}"])
    assert wrong == [("R0", {"stated": "{{7*7}}", "lies_in": "東鎮"})]


def test_a_finding_carries_place_and_path() -> None:
    one = source("town", "d")
    row = differing(one, told(one, d=["西鎮"]), lying("V1"), UNITS).iloc[0]
    assert (row["source"], row["layer"], row["code"]) == ("a.csv", "place", "stated-unit-differs")
    assert (row["unit_path"], row["geom"]) == ("/C/T1/V1/", Point(0, 0))


def test_rows_that_fell_out_on_the_way_are_not_asked() -> None:
    one = source("town", "d")
    rows = differing(one, told(one, d=["西鎮", "西鎮"]), lying("V1").iloc[:1], UNITS)
    assert rows["row"].tolist() == ["R0"]
