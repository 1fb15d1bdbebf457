"""Dates in the forms that registers write them: read as the moment meant, or said to be none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.load.columns import values_of
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.rows import Rows

ZONE = "Asia/Shanghai"
HERE = ZoneInfo(ZONE)
ROC = ["年", "月", "日", "時", "分"]


def times(cells: list[Any], zone: str = ZONE) -> tuple[list[Any], list[str]]:
    """The moments read of a column, and the numbers of the rows that were said to be none."""
    table = pd.DataFrame({"t": cells}, index=range(1, len(cells) + 1), dtype=object)
    intake = Intake("a", "incident", Rows(table))
    source = Source.model_validate(
        {"into": "incident", "columns": {"at": {"from": "t", "read": "time"}}}
    )
    read = values_of(intake, source, zone)["at"].tolist()
    return read, intake.found()["row"].tolist()


def roc_times(*rows: tuple[Any, ...]) -> tuple[list[Any], dict[str, int]]:
    table = pd.DataFrame(rows, columns=ROC, index=range(1, len(rows) + 1), dtype=object)
    intake = Intake("a", "incident", Rows(table))
    rule = {"from": ROC, "read": "roc_time", "needed": True}
    source = Source.model_validate({"into": "incident", "columns": {"at": rule}})
    read = values_of(intake, source, "Asia/Taipei")["at"].tolist()
    return read, intake.counts()["reasons"].iloc[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=HERE)),
        ("2026-03-02 08:30", datetime(2026, 3, 2, 8, 30, tzinfo=HERE)),
        ("2026-03-02T08:30:15", datetime(2026, 3, 2, 8, 30, 15, tzinfo=HERE)),
        ("2026-03-02T08:30:15.25", datetime(2026, 3, 2, 8, 30, 15, 250_000, tzinfo=HERE)),
        ("2026-03-02T00:30:00Z", datetime(2026, 3, 2, 8, 30, tzinfo=HERE)),
        ("2026-03-02T00:30+00:00", datetime(2026, 3, 2, 8, 30, tzinfo=HERE)),
        ("2026-03-01T19:30-05:00", datetime(2026, 3, 2, 8, 30, tzinfo=HERE)),
        ("2026/03/02", datetime(2026, 3, 2, tzinfo=HERE)),
        ("20260302", datetime(2026, 3, 2, tzinfo=HERE)),
        (" 2026-03-02 ", datetime(2026, 3, 2, tzinfo=HERE)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=HERE)),
        ("1949-10-01", datetime(1949, 10, 1, tzinfo=HERE)),
    ],
)
def test_iso_8601_is_read_as_the_moment_it_means(cell: str, expected: datetime) -> None:
    (found,), bad = times([cell])
    assert found == expected
    assert bad == []
    assert found.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize(
    "cell",
    [
        "02.03.2026", "2026年3月2日", "3月2日", "昨天", "2026-13-01", "2025-02-29", "2026-02-30",
        "2026-03-02 24:30", "2026-03-02 08:61", "now", "today", "NaT", "0000-00-00", "{{7*7}}",
        "1e9", "２０２６－０３－０２", "12026-03-02",
    ],
)  # fmt: skip
def test_another_form_is_a_finding_and_no_guess(cell: str) -> None:
    (found,), bad = times([cell])
    assert pd.isna(found)
    assert bad == ["1"]


@pytest.mark.parametrize("cell", ["", " ", None, float("nan"), "\u3000"])
def test_no_date_is_none_without_a_finding(cell: Any) -> None:
    (found,), bad = times([cell])
    assert pd.isna(found)
    assert bad == []


def test_mixed_forms_in_one_column_are_read_one_by_one() -> None:
    found, bad = times(["2026-03-02", "x", "2026-03-02T00:00Z", None])
    assert [pd.isna(one) for one in found] == [False, True, False, True]
    assert bad == ["2"]


def test_an_hour_that_never_was_or_was_twice_is_none() -> None:
    # clocks in New York went forward on 2026-03-08 and back on 2026-11-01
    found, bad = times(
        ["2026-03-08 02:30", "2026-11-01 01:30", "2026-03-08 03:30"], "America/New_York"
    )
    assert [pd.isna(one) for one in found] == [True, True, False]
    assert bad == ["1", "2"]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.datetimes(datetime(1992, 1, 1), datetime(2100, 1, 1)),
    st.integers(-12 * 60, 14 * 60),
    st.booleans(),
)
def test_a_moment_written_out_is_read_back(
    moment: datetime, offset_minutes: int, is_told: bool
) -> None:
    if is_told:
        aware = (moment - timedelta(minutes=offset_minutes)).replace(tzinfo=ZoneInfo("UTC"))
        sign = "-" if offset_minutes < 0 else "+"
        hours, minutes = divmod(abs(offset_minutes), 60)
        text = f"{moment.isoformat()}{sign}{hours:02d}:{minutes:02d}"
    else:
        aware, text = moment.replace(tzinfo=HERE), moment.isoformat()
    (found,), bad = times([text])
    assert bad == []
    assert found == aware


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("113", "1", "1", "0", "0"), "2024-01-01 00:00"),
        (("113", "12", "31", "23", "59"), "2024-12-31 23:59"),
        (("１１３", "２", "２９", "１", "５"), "2024-02-29 01:05"),
        (("113", "02", "03", "04", "05"), "2024-02-03 04:05"),
        (("113.0", "2.0", "3.0", "4.0", "5.0"), "2024-02-03 04:05"),
        (("100", "1", "1", "0", "0"), "2011-01-01 00:00"),
        (("1", "1", "1", "0", "0"), "1912-01-01 00:00"),
    ],
)
def test_years_of_the_republic_are_read_in_any_digits(row: tuple[str, ...], expected: str) -> None:
    (found,), reasons = roc_times(row)
    assert found.strftime("%Y-%m-%d %H:%M") == expected
    assert str(found.tzinfo) == "Asia/Taipei"
    assert reasons == {}


@pytest.mark.parametrize(
    "row",
    [
        ("113", "2", "30", "0", "0"),
        ("112", "2", "29", "0", "0"),
        ("113", "0", "1", "0", "0"),
        ("113", "1", "32", "0", "0"),
        ("113", "1", "1", "24", "0"),
        ("113", "1", "1", "0", "60"),
        ("113", "1", "1", "-1", "0"),
        ("113", "1", "", "0", "0"),
        ("百十三", "1", "1", "0", "0"),
        (None, None, None, None, None),
        ("99999", "1", "1", "0", "0"),
    ],
)
def test_what_never_was_a_moment_rejects_its_row_alone(row: tuple[Any, ...]) -> None:
    found, reasons = roc_times(("113", "1", "1", "0", "0"), row)
    assert len(found) == 1
    assert reasons == {"not-a-date": 1}


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)))
def test_every_minute_of_the_republic_is_read_back(moment: datetime) -> None:
    row = (moment.year - 1911, moment.month, moment.day, moment.hour, moment.minute)
    (found,), _ = roc_times(tuple(map(str, row)))
    assert found.replace(tzinfo=None) == moment.replace(second=0, microsecond=0)
