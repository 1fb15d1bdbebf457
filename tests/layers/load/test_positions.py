"""Where rows lie: points from columns, datums and projections undone, faults by their word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from grid_boundaries.crs import bd09_from_wgs84, crs_of, gcj02_from_wgs84
from grid_boundaries.errors import Refused
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.positions import (
    as_stored,
    check_shapes,
    in_metres,
    make_points,
    reject_far,
    to_stored_crs,
)
from layers.load.rows import Rows

METRIC = crs_of(4545)
BOW_TIE = Polygon([(108, 33), (108.01, 33.01), (108.01, 33), (108, 33.01)])


def source(**fields: Any) -> Source:
    return Source.model_validate({"into": "place", **fields})


def of_table(**columns: list[Any]) -> Intake:
    count = len(next(iter(columns.values())))
    return Intake("a", "place", Rows(pd.DataFrame(columns, index=range(1, count + 1))))


def of_shapes(*shapes: Any) -> Intake:
    geometry = np.array([*shapes, None], dtype=object)[:-1]
    table = pd.DataFrame({"n": range(len(shapes))}, index=range(1, len(shapes) + 1))
    return Intake("a", "place", Rows(table, geometry=geometry))


def reasons(intake: Intake) -> dict[str, int]:
    found: dict[str, int] = intake.counts()["reasons"].iloc[0]
    return found


def test_points_are_made_of_two_columns() -> None:
    intake = of_table(x=["108.1", " １０８.２ "], y=["33.1", "33.2"])
    make_points(intake, source(point=["x", "y"]))
    assert intake.shapes.tolist() == [Point(108.1, 33.1), Point(108.2, 33.2)]


def test_a_source_with_shapes_of_its_own_keeps_them() -> None:
    intake = of_shapes(Point(1, 2))
    make_points(intake, source())
    assert intake.shapes.tolist() == [Point(1, 2)]


@pytest.mark.parametrize(
    ("x", "y", "code"),
    [
        ("", "", "no-position"),
        ("108", "", "no-position"),
        (None, "33", "no-position"),
        ("東經108", "33", "not-a-number"),
        ("108", "33°", "not-a-number"),
        ("inf", "33", "not-a-number"),
        ("nan", "33", "not-a-number"),
        ("x", "", "not-a-number"),
        ("108,5", "33", "not-a-number"),
    ],
)
def test_a_row_without_a_whole_position_falls_out_under_its_word(x: Any, y: Any, code: str) -> None:
    intake = of_table(x=["108", x], y=["33", y])
    make_points(intake, source(point=["x", "y"]))
    assert reasons(intake) == {code: 1}
    assert intake.table.index.tolist() == [1]
    if code == "not-a-number":
        assert intake.found()["facts"].iloc[0] == {"x": str(x), "y": str(y)}


@pytest.mark.parametrize("srid", [4326, 4490])
def test_degrees_stay_bit_by_bit(srid: int) -> None:
    intake = of_shapes(Point(108.123456789012, 33.1))
    to_stored_crs(intake, source(crs=f"EPSG:{srid}"), "")
    assert intake.shapes.iloc[0] == Point(108.123456789012, 33.1)


@pytest.mark.parametrize("srid", [4545, 4513 + 11, 3826, 3857, 32649])
def test_metres_of_any_zone_come_back_as_degrees(srid: int) -> None:
    point = Point(108.2, 33.3) if srid != 3826 else Point(121.5, 25)
    series = pd.Series([point, None], dtype=object)
    there = in_metres(series, crs_of(srid))
    intake = of_shapes(*there)
    to_stored_crs(intake, source(crs=f"EPSG:{srid}"), "")
    assert intake.shapes.iloc[0].distance(point) < 1e-9
    assert intake.shapes.iloc[1] is None


@pytest.mark.parametrize(
    ("datum", "shift"), [("GCJ-02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84)]
)
@pytest.mark.parametrize(
    "shape", [Point(108.2, 33.3), box(108, 33, 108.1, 33.1), LineString([(108, 33), (109, 34)])]
)
def test_a_declared_shift_is_taken_back_to_a_centimetre(datum: str, shift: Any, shape: Any) -> None:
    intake = of_shapes(shapely.transform(shape, shift), None)
    to_stored_crs(intake, source(crs=datum), "EPSG:4326")
    gap = np.abs(shapely.get_coordinates(intake.shapes.iloc[0]) - shapely.get_coordinates(shape))
    assert gap.max() < 1e-7
    assert intake.shapes.iloc[1] is None


@pytest.mark.parametrize("stated", ["EPSG:4545", "EPSG:3857", "EPSG:4490"])
def test_a_file_that_contradicts_its_description_is_refused(stated: str) -> None:
    intake = of_shapes(Point(108, 33))
    with pytest.raises(Refused) as refused:
        to_stored_crs(intake, source(crs="EPSG:4326"), stated)
    assert refused.value.code == "crs-differ"
    assert stated in refused.value.en


def test_a_file_that_agrees_or_says_nothing_is_taken() -> None:
    for stated in ("", "EPSG:4326", crs_of(4326).to_wkt()):
        to_stored_crs(of_shapes(Point(108, 33)), source(crs="EPSG:4326"), stated)


@pytest.mark.parametrize("stated", ["EPSG:999999", "LOCAL_CS[", "nowhere"])
def test_a_file_that_states_what_is_no_crs_is_refused(stated: str) -> None:
    with pytest.raises(Refused) as refused:
        to_stored_crs(of_shapes(Point(108, 33)), source(), stated)
    assert refused.value.code == "no-such-crs"


@pytest.mark.parametrize(
    ("wanted", "shape", "code"),
    [
        ("Point", LineString([(0, 0), (1, 1)]), "wrong-shape"),
        ("Point", Point(33, 108), "looks-swapped"),
        ("Point", Point(999, 33), "out-of-range"),
        ("Point", Point(float("inf"), 1), "not-finite"),
        ("Point", None, "no-geometry"),
        ("Point", Point(), "no-geometry"),
        ("LineString", Point(1, 1), "wrong-shape"),
        ("MultiPolygon", LineString([(0, 0), (1, 1)]), "wrong-shape"),
        ("MultiPolygon", BOW_TIE, "invalid-polygon"),
    ],
)
def test_a_faulty_shape_falls_out_under_its_word(wanted: str, shape: Any, code: str) -> None:
    sound = {"Point": Point(1, 1), "LineString": LineString([(0, 0), (1, 1)])}
    intake = of_shapes(sound.get(wanted, box(0, 0, 1, 1)), shape)
    check_shapes(intake, source(), wanted, METRIC)
    assert reasons(intake) == {code: 1}
    assert intake.table.index.tolist() == [1]


def test_a_repaired_area_stays_in_with_what_changed() -> None:
    intake = of_shapes(BOW_TIE, box(108, 33, 108.01, 33.01))
    check_shapes(intake, source(repair=True), "MultiPolygon", METRIC)
    assert reasons(intake) == {}
    assert shapely.is_valid(intake.shapes.to_numpy()).all()
    found = intake.found()
    assert found["code"].tolist() == ["repaired-polygon"]
    assert found["facts"].iloc[0].keys() == {"area_before_m2", "area_change_m2"}


def test_only_the_first_of_equal_shapes_stays() -> None:
    square = box(108, 33, 108.01, 33.01)
    turned = Polygon([(108.01, 33.01), (108, 33.01), (108, 33), (108.01, 33)])
    intake = of_shapes(square, turned, box(108, 33, 108.02, 33.01), square)
    check_shapes(intake, source(unique_shapes=True), "MultiPolygon", METRIC)
    assert reasons(intake) == {"duplicate-geometry": 2}
    assert intake.table.index.tolist() == [1, 3]


def test_a_shape_that_is_a_copy_only_once_repaired_is_named_so() -> None:
    twice = Polygon(
        [(108, 33), (108.01, 33), (108.01, 33.01), (108, 33.01), (108, 33), (108, 33.02)]
    )
    square = box(108, 33, 108.01, 33.01)
    intake = of_shapes(square, twice)
    check_shapes(intake, source(unique_shapes=True, repair=True), "MultiPolygon", METRIC)
    assert reasons(intake) == {"repaired-into-copy": 1}


def test_areas_are_stored_as_multipolygons_and_others_as_they_are() -> None:
    square = box(0, 0, 1, 1)
    both = MultiPolygon([square, box(2, 2, 3, 3)])
    stored = as_stored(pd.Series([square, both], dtype=object), "MultiPolygon")
    assert [shape.geom_type for shape in stored] == ["MultiPolygon"] * 2
    assert stored.iloc[1] is both
    points = pd.Series([Point(1, 1)], dtype=object)
    assert as_stored(points, "Point") is points


OUTLINE_M = in_metres(pd.Series([box(108, 33, 108.1, 33.1)], dtype=object), METRIC).iloc[0]


@pytest.mark.parametrize(
    ("lon", "stays"), [(108.05, True), (108.1, True), (108.12, True), (108.13, False)]
)
def test_only_what_lies_too_far_outside_is_a_wrong_coordinate(lon: float, stays: bool) -> None:
    intake = of_shapes(Point(lon, 33.05))
    reject_far(intake, OUTLINE_M, METRIC, 2_000)
    assert reasons(intake) == ({} if stays else {"outside-county": 1})
    if not stays:
        assert intake.found()["facts"].iloc[0]["distance_m"] == pytest.approx(2_800, abs=30)


def test_without_an_outline_nothing_is_outside() -> None:
    intake = of_shapes(Point(0, 0))
    reject_far(intake, None, METRIC, 0)
    assert reasons(intake) == {}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), max_size=15))
def test_whatever_two_columns_hold_each_row_is_a_point_or_a_reason(
    pairs: list[tuple[float, float]],
) -> None:
    intake = of_table(x=[repr(x) for x, _ in pairs] or [""], y=[repr(y) for _, y in pairs] or [""])
    make_points(intake, source(point=["x", "y"]))
    to_stored_crs(intake, source(), "")
    check_shapes(intake, source(), "Point", METRIC)
    kept = intake.shapes.to_numpy()
    inside = [(x, y) for x, y in pairs if abs(x) <= 180 and abs(y) <= 90]
    assert [(point.x, point.y) for point in kept] == inside
