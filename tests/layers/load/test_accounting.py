"""Accounting: rows in are rows loaded and rows rejected, and each finding says what it is of."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from layers.load.intake import Intake
from layers.load.reasons import REASONS
from layers.load.report import COUNT_COLUMNS, FINDING_COLUMNS, findings, joined, load_counts
from layers.load.rows import Rejection, Rows
from layers.load.run import LoadReport

TEXTS = ("错", "wrong")


def rows(count: int, rejected: tuple[Rejection, ...] = (), shapes: list[Any] | None = None) -> Rows:
    table = pd.DataFrame({"a": [f"x{n}" for n in range(count)]}, index=range(1, count + 1))
    geometry = None if shapes is None else np.array([*shapes, None], dtype=object)[:-1]
    return Rows(table, rejected, geometry)


def test_a_finding_has_every_column_and_a_row_as_text() -> None:
    found = findings("a.csv", "place", [1, "S2"], "bad", TEXTS)
    assert list(found.columns) == FINDING_COLUMNS
    assert found["row"].tolist() == ["1", "S2"]
    assert found["facts"].tolist() == [{}, {}]
    assert found["geom"].tolist() == [None, None]
    assert set(found["unit_path"]) == {""}
    assert (found["zh"] == "错").all()


def test_no_rows_are_no_findings_with_the_same_columns() -> None:
    found = findings("a.csv", "place", [], "bad", TEXTS)
    assert found.empty
    assert list(found.columns) == FINDING_COLUMNS


def test_one_path_for_all_or_one_for_each() -> None:
    one = findings("a", "place", [1, 2], "bad", TEXTS, unit_path="/C/")
    each = findings("a", "place", [1, 2], "bad", TEXTS, unit_path=["/C/", "/C/T/"])
    assert one["unit_path"].tolist() == ["/C/", "/C/"]
    assert each["unit_path"].tolist() == ["/C/", "/C/T/"]


def test_facts_and_shapes_stay_with_their_rows() -> None:
    shapes = [Point(1, 2), None]
    found = findings("a", "place", [1, 2], "bad", TEXTS, facts=[{"n": 1}, {"n": 2}], geom=shapes)
    assert found["facts"].tolist() == [{"n": 1}, {"n": 2}]
    assert found["geom"].tolist() == shapes


def test_facts_are_copies() -> None:
    seen = {"n": 1}
    found = findings("a", "place", [1], "bad", TEXTS, facts=[seen])
    seen["n"] = 2
    assert found["facts"].iloc[0] == {"n": 1}


def test_frames_are_joined_in_order_and_empty_ones_leave_no_trace() -> None:
    first, second = (findings(name, "place", [1], "bad", TEXTS) for name in "ab")
    empty = findings("c", "place", [], "bad", TEXTS)
    both = joined([empty, first, empty, second], FINDING_COLUMNS)
    assert both["source"].tolist() == ["a", "b"]
    assert both.index.tolist() == [0, 1]


@pytest.mark.parametrize("columns", [FINDING_COLUMNS, COUNT_COLUMNS, ["only"]])
def test_nothing_joined_is_an_empty_frame_of_the_columns(columns: list[str]) -> None:
    assert list(joined([], columns).columns) == columns
    assert joined([], columns).empty


@pytest.mark.parametrize(
    ("rows_in", "loaded", "reasons"), [(3, 1, {"x": 1}), (0, 0, {"x": 1}), (1, 2, {}), (2, 0, {})]
)
def test_counts_that_do_not_add_up_are_never_written(
    rows_in: int, loaded: int, reasons: dict[str, int]
) -> None:
    with pytest.raises(ArithmeticError, match=f"{rows_in} rows in"):
        load_counts("a.csv", "place", rows_in=rows_in, loaded=loaded, reasons=reasons)


def test_counts_name_every_reason() -> None:
    row = load_counts("a", "place", rows_in=5, loaded=2, reasons={"x": 1, "y": 2}).iloc[0]
    assert list(row.index) == COUNT_COLUMNS
    assert (row["rejected"], row["reasons"]) == (3, {"x": 1, "y": 2})


def test_what_a_reader_rejected_is_taken_over_by_its_reason() -> None:
    rejected = (
        Rejection(2, "bad-quotes", {"line": 3}),
        Rejection(4, "wrong-column-count"),
        Rejection(5, "bad-quotes", {"line": 6}),
    )
    intake = Intake("a.csv", "place", rows(2, rejected))
    found = intake.found()
    assert found[["row", "code"]].to_numpy().tolist() == [
        ["2", "bad-quotes"],
        ["5", "bad-quotes"],
        ["4", "wrong-column-count"],
    ]
    assert found["facts"].tolist() == [{"line": 3}, {"line": 6}, {}]
    counts = intake.counts().iloc[0]
    assert (counts["rows_in"], counts["loaded"]) == (5, 2)
    assert counts["reasons"] == {"bad-quotes": 2, "wrong-column-count": 1}


def test_a_rejected_row_leaves_table_and_shapes_and_is_shown_at_its_place() -> None:
    intake = Intake("a", "place", rows(3, shapes=[Point(1, 2), Point(3, 4), None]))
    intake.reject([2], "duplicate-id", [{"id": "S"}])
    assert intake.table.index.tolist() == [1, 3]
    assert intake.shapes.index.tolist() == [1, 3]
    found = intake.found().iloc[0]
    assert (found["row"], found["geom"]) == ("2", Point(3, 4))
    assert (found["zh"], found["en"]) == REASONS["duplicate-id"]


def test_a_note_leaves_its_row_in() -> None:
    intake = Intake("a", "place", rows(2))
    intake.note([1], "unknown-value")
    assert intake.counts()["loaded"].iloc[0] == 2
    assert intake.found()["row"].tolist() == ["1"]


def test_rejecting_nothing_says_nothing() -> None:
    intake = Intake("a", "place", rows(2))
    intake.reject([], "duplicate-id")
    assert intake.found().empty
    assert intake.counts()["reasons"].iloc[0] == {}


def test_a_word_that_nobody_explained_stands_for_itself() -> None:
    intake = Intake("a", "place", rows(1))
    intake.reject([1], "of-our-own")
    assert intake.found()[["zh", "en"]].iloc[0].tolist() == ["of-our-own", "of-our-own"]


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        (None, None),
        (Point(), None),
        (Polygon(), None),
        (Point(999, 33), None),
        (Point(108, 95), None),
        (Point(float("nan"), 33), None),
        (Point(108, 33), Point(108, 33)),
        (box(108, 33, 110, 35), Point(109, 34)),
        (LineString([(108, 33), (108, 35)]), Point(108, 34)),
    ],
)
def test_a_faulty_geometry_is_shown_at_its_middle_if_that_can_be_stored(
    shape: Any, shown: Any
) -> None:
    intake = Intake("a", "place", rows(1, shapes=[shape]))
    intake.reject([1], "wrong-shape")
    assert intake.found()["geom"].iloc[0] == shown


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.integers(0, 12), st.integers(0, 5), st.data())
def test_however_rows_fall_out_they_are_all_accounted_for(
    count: int, read_badly: int, data: st.DataObject
) -> None:
    rejected = tuple(Rejection(count + 1 + n, "bad-quotes") for n in range(read_badly))
    intake = Intake("a", "place", rows(count, rejected))
    expected: Counter[str] = Counter({"bad-quotes": read_badly} if read_badly else {})
    for code in ("missing-value", "duplicate-id", "missing-value"):
        left = intake.table.index.tolist()
        some = data.draw(st.lists(st.sampled_from(left), unique=True)) if left else []
        intake.reject(some, code)
        if some:
            expected[code] += len(some)
    counts = intake.counts().iloc[0]
    assert counts["rows_in"] == count + read_badly
    assert counts["reasons"] == dict(expected)
    assert len(intake.found()) == sum(expected.values())
    assert len(intake.shapes) == len(intake.table) == counts["loaded"]


def report(**frames: pd.DataFrame) -> LoadReport:
    none = joined([], FINDING_COLUMNS)
    return LoadReport({"finding": none, "load_count": joined([], COUNT_COLUMNS), **frames})


def test_findings_are_counted_by_layer_and_code() -> None:
    found = joined(
        [
            findings("a", "place", [1, 2], "x", TEXTS),
            findings("b", "camera", [1], "x", TEXTS),
            findings("b", "place", [1], "y", TEXTS),
        ],
        FINDING_COLUMNS,
    )
    assert report(finding=found).findings_by_code() == {
        ("place", "x"): 2,
        ("camera", "x"): 1,
        ("place", "y"): 1,
    }
    assert report().findings_by_code() == {}


def test_what_was_assumed_is_told_by_source() -> None:
    county = pd.DataFrame({"facts": [{"assumed": {"a.csv": {"range_m": 50}}, "licence": "x"}]})
    assert report(county=county).assumed() == {"a.csv": {"range_m": 50}}
    assert report().assumed() == {}
    assert report(county=pd.DataFrame({"facts": [{}]})).assumed() == {}


def test_every_reason_has_two_languages_of_its_own() -> None:
    for code, (zh, en) in REASONS.items():
        assert code == code.lower()
        assert " " not in code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh), code
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in en), code
        assert en[0].isupper(), code


def test_shapes_of_a_file_without_any_are_none_each() -> None:
    intake = Intake("a", "place", rows(3))
    assert shapely.is_missing(intake.shapes.to_numpy()).all()
    assert intake.shapes.index.equals(intake.table.index)
