"""What the driver gets: by the type of the column, and None wherever there is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from cryptography.exceptions import InvalidTag
from geoalchemy2 import Geometry
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from shapely import MultiPolygon, Point, box
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.errors import Refused
from layers.load.driver_values import driver_values
from layers.load.seal import Sealer
from layers.load.sealed_fields import sealed_fields, with_sealed_fields
from layers.people import household, person
from layers.places import place

NOTHING = [None, float("nan"), np.nan, pd.NaT, pd.NA]
TYPES = [
    Integer(),
    BigInteger(),
    SmallInteger(),
    JSONB(),
    ARRAY(Text()),
    Boolean(),
    Date(),
    Text(),
    Double(),
]
SEALER = Sealer(b"k" * 32)


def given_to(kind: Any, values: list[Any]) -> list[Any]:
    series = pd.Series(values, dtype=object)
    return list(driver_values(series, Column("a", kind)))


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_nothing_is_none_in_every_type(kind: Any) -> None:
    assert given_to(kind, NOTHING) == [None] * len(NOTHING)
    assert given_to(kind, []) == []


@pytest.mark.parametrize("kind", [Integer(), BigInteger(), SmallInteger()])
@pytest.mark.parametrize("value", [7, 7.0, np.int64(7), np.float64(7), True])
def test_whole_numbers_are_python_integers(kind: Any, value: Any) -> None:
    (found,) = given_to(kind, [value])
    assert type(found) is int
    assert found == value


@pytest.mark.parametrize("value", [0.5, -1.25, 1e-9])
def test_a_fraction_is_no_whole_number(value: float) -> None:
    with pytest.raises(Refused) as refused:
        given_to(Integer(), [1, value])
    assert refused.value.code == "not-a-whole-number"


@pytest.mark.parametrize("value", ["1", "", 0, 1.5, "名", "{{7*7}}"])
def test_text_is_text(value: Any) -> None:
    assert given_to(Text(), [value]) == [str(value)]


def test_days_come_from_dates_and_times_alike() -> None:
    day = date(2026, 3, 2)
    assert given_to(Date(), [day, pd.Timestamp(day), pd.Timestamp("2026-03-02 23:59")]) == [day] * 3


def test_times_keep_their_zone() -> None:
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert given_to(DateTime(timezone=True), [moment]) == [moment]


def test_objects_become_json_and_sequences_lists() -> None:
    (wrapped,) = given_to(JSONB(), [{"a": [1, None]}])
    assert isinstance(wrapped, Jsonb)
    assert wrapped.obj == {"a": [1, None]}
    assert given_to(ARRAY(Text()), [("a", "b"), np.array(["c"])]) == [["a", "b"], ["c"]]


def test_truth_values_are_plain() -> None:
    assert given_to(Boolean(), [np.bool_(True), 0, 1]) == [True, False, True]


def read_back(values: list[Any]) -> list[Any]:
    return [None if value is None else shapely.from_wkb(value) for value in values]


def test_areas_are_multipolygons_in_4490() -> None:
    square = box(0, 0, 1, 1)
    both = MultiPolygon([square, box(2, 0, 3, 1)])
    values = given_to(Geometry("MULTIPOLYGON"), [square, None, both])
    found = read_back(values)
    assert found[0].equals(MultiPolygon([square]))
    assert found[1] is None
    assert found[2].equals(both)
    assert {shapely.get_srid(shape) for shape in found if shape is not None} == {4490}
    assert {shape.geom_type for shape in found if shape is not None} == {"MultiPolygon"}


def test_points_stay_points() -> None:
    (found,) = read_back(given_to(Geometry("POINT"), [Point(1, 2)]))
    assert found == Point(1, 2)


def test_the_frame_keeps_its_own_shapes() -> None:
    square = box(0, 0, 1, 1)
    series = pd.Series([square], dtype=object)
    driver_values(series, Column("geom", Geometry("MULTIPOLYGON")))
    assert series.iloc[0] is square
    assert shapely.get_srid(square) == 0


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.lists(st.none() | st.integers(-(2**40), 2**40) | st.just(np.nan), max_size=8))
def test_integers_pass_through_floats_unchanged(values: list[Any]) -> None:
    found = list(driver_values(pd.Series(values, dtype=object), Column("a", BigInteger())))
    assert found == [None if value is None or value != value else value for value in values]


@pytest.mark.parametrize(("table", "some"), [(person, True), (place, False)])
def test_sealed_are_the_columns_with_a_hash_beside_them(table: Table, some: bool) -> None:
    fields = sealed_fields(table)
    assert bool(fields) is some
    for field in fields:
        assert {field, f"{field}_hash"} <= set(table.c.keys())
        assert not field.endswith("_hash")


def test_a_sealed_field_opens_with_its_row_only() -> None:
    field = sealed_fields(person)[0]
    frame = pd.DataFrame({"id": ["P1", "P2"], field: ["secret", None]})
    ready = with_sealed_fields(frame, person, SEALER)
    sealed = ready[field].iloc[0]
    assert b"secret" not in sealed
    assert SEALER.open(field, "P1", sealed) == "secret"
    with pytest.raises(InvalidTag):
        SEALER.open(field, "P2", sealed)
    assert ready[f"{field}_hash"].iloc[0] == SEALER.hash(field, "secret")
    assert ready.loc[1, [field, f"{field}_hash"]].isna().all()


def test_the_given_frame_stays_plain() -> None:
    field = sealed_fields(person)[0]
    frame = pd.DataFrame({"id": ["P1"], field: ["secret"]})
    with_sealed_fields(frame, person, SEALER)
    assert frame[field].tolist() == ["secret"]
    assert list(frame.columns) == ["id", field]


def test_numbers_are_sealed_as_their_text_and_no_rows_are_no_rows() -> None:
    field = sealed_fields(person)[0]
    ready = with_sealed_fields(pd.DataFrame({"id": ["P1"], field: [12345]}), person, SEALER)
    assert SEALER.open(field, "P1", ready[field].iloc[0]) == "12345"
    empty = with_sealed_fields(pd.DataFrame({"id": [], field: []}), person, SEALER)
    assert empty.empty
    assert f"{field}_hash" in empty


@pytest.mark.parametrize("table", [place, household])
def test_a_frame_without_personal_columns_comes_back_equal(table: Table) -> None:
    frame = pd.DataFrame({"id": ["a"], "unit_path": ["/C/"]}, index=[5])
    pd.testing.assert_frame_equal(with_sealed_fields(frame, table, SEALER), frame)


def test_a_frame_of_any_index_is_sealed_row_by_row() -> None:
    field = sealed_fields(person)[0]
    frame = pd.DataFrame({"id": ["P1", "P2"], field: ["a", "b"]}, index=[9, 4])
    ready = with_sealed_fields(frame, person, SEALER)
    assert ready.index.tolist() == [9, 4]
    plain = [
        SEALER.open(field, row, sealed)
        for row, sealed in zip(ready["id"], ready[field], strict=True)
    ]
    assert plain == ["a", "b"]
