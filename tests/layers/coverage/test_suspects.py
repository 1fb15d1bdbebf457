"""A file of cameras with known faults: each is found, named and put right, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.crs import gcj02_from_wgs84, lonlat_from_metres, metres_from_lonlat
from layers.coverage.camera_ground import CameraGround, points_of
from layers.coverage.suspect_words import REASONS, TITLES, WORDS
from layers.coverage.suspects import COLUMNS, Suspects, suspects
from layers.coverage.wall_snaps import OFF_WALL_M
from tests.layers.coverage.bad_cameras import (
    COUNTY,
    KINDS,
    SHIFTS,
    SRID,
    SUPPLIERS,
    Floats,
    good_cameras,
    made_up_place,
    moved_to,
    points_m,
    spoiled,
)

EACH = 125
X_M, Y_M = 500_000.0, 3_690_000.0


@cache
def thousand() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[str]]:
    """4,000 cameras of which 1,000 are bad: as they stand, as the file has them, and the truth."""
    place = made_up_place()
    rng = np.random.default_rng(11)
    good = good_cameras(place, 4_000, rng)
    return good, *spoiled(good, place, rng, EACH)


@cache
def found_among_a_thousand() -> Suspects:
    return suspects(thousand()[1], made_up_place().ground)


def recall(found: Suspects, truth: pd.Series[str]) -> float:
    return float(truth.index.isin(found.rows.index).mean())


def test_of_a_thousand_bad_cameras_99_percent_are_found_and_1_percent_of_others_suspected() -> None:
    good, _, truth = thousand()
    found = found_among_a_thousand()
    assert len(truth) == 1_000
    assert recall(found, truth) >= 0.99
    others = good.index.difference(truth.index)
    assert found.rows.index.isin(others).sum() <= 0.01 * len(others)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_is_called_by_its_name(kind: str) -> None:
    _, _, truth = thousand()
    rows = truth.index[truth == kind]
    reasons = found_among_a_thousand().rows["reason"].reindex(rows)
    assert (reasons == kind).mean() >= 0.96


@pytest.mark.parametrize("kind", ["gcj-02", "bd-09"])
def test_a_camera_in_a_shifted_datum_is_put_back_where_it_stands(kind: str) -> None:
    good, _, truth = thousand()
    rows = found_among_a_thousand().rows.query("reason == @kind")
    rows = rows[rows.index.isin(truth.index[truth == kind])]
    put_m = metres_from_lonlat(rows[["lon", "lat"]].to_numpy(), SRID)
    assert np.hypot(*(put_m - points_m(good.loc[rows.index])).T).max() < 0.01
    low, high = {"gcj-02": (300.0, 700.0), "bd-09": (800.0, 1_600.0)}[kind]
    assert rows["moved_m"].between(low, high).all()
    assert (rows["probability"] > 0.5).all()


def test_swapped_axes_are_swapped_back() -> None:
    good, _, _ = thousand()
    rows = found_among_a_thousand().rows.query("reason == 'swapped-axes'")
    put_m = metres_from_lonlat(rows[["lon", "lat"]].to_numpy(), SRID)
    assert np.hypot(*(put_m - points_m(good.loc[rows.index])).T).max() < 0.01
    assert rows["moved_m"].isna().all()


@pytest.mark.parametrize("kind", ["inside-building", "on-wall"])
def test_what_is_proposed_for_a_camera_at_a_wall_stands_clear_of_every_house(kind: str) -> None:
    _, bad, _ = thousand()
    ground = made_up_place().ground
    rows = found_among_a_thousand().rows.query("reason == @kind")
    put_m = metres_from_lonlat(rows[["lon", "lat"]].to_numpy(), SRID)
    away_m = shapely.distance(points_of(put_m)[:, None], ground.buildings_m[None, :])
    # a corner is rounded by chords
    assert away_m.min(axis=1) == pytest.approx(OFF_WALL_M, abs=0.01)
    moved_m = np.hypot(*(put_m - points_m(bad.loc[rows.index])).T)
    assert rows["moved_m"].to_numpy() == pytest.approx(moved_m, abs=1e-3)


def test_good_cameras_are_left_alone() -> None:
    good = thousand()[0].iloc[:2_000]
    found = suspects(good, made_up_place().ground)
    assert len(found.rows) <= 0.001 * len(good)
    assert found.batches == ()


def test_the_file_is_not_changed() -> None:
    bad = thousand()[1].iloc[::10]
    before = bad.copy(deep=True)
    suspects(bad, made_up_place().ground)
    pd.testing.assert_frame_equal(bad, before)


def test_the_same_file_gives_the_same_answer() -> None:
    bad = thousand()[1].iloc[::10]
    one, other = (suspects(bad, made_up_place().ground) for _ in range(2))
    pd.testing.assert_frame_equal(one.rows, other.rows)


def test_without_a_stated_area_a_single_shifted_camera_in_town_may_stay_unseen() -> None:
    """What is not possible, and what is reached: figures of docs/decisions/0024."""
    _, bad, truth = thousand()
    silent = suspects(bad.assign(stated_code=None), made_up_place().ground)
    shifted = truth[truth.isin(list(SHIFTS))]
    assert 0.3 < recall(silent, shifted) < 0.95
    assert recall(silent, truth.drop(shifted.index)) >= 0.99
    good = bad.index.difference(truth.index)
    assert silent.rows.index.isin(good).sum() <= 0.01 * len(good)


@pytest.mark.parametrize("kind", SHIFTS)
def test_a_supplier_in_a_shifted_datum_is_found_whole_without_any_stated_area(kind: str) -> None:
    place = made_up_place()
    good = good_cameras(place, 600, np.random.default_rng(3)).assign(stated_code=None)
    own = good.index[good["supplier"] == SUPPLIERS[1]]
    bad = moved(good, own, SHIFTS[kind])
    found = suspects(bad, place.ground)
    assert [(batch.by, batch.name) for batch in found.batches] == [("supplier", SUPPLIERS[1])]
    off_m = (points_m(bad.loc[own]) - points_m(good.loc[own])).mean(axis=0)
    shift = found.batches[0].shift
    assert np.hypot(shift.east_m - off_m[0], shift.north_m - off_m[1]) < 5.0
    assert own.isin(found.rows.query("reason == @kind").index).mean() >= 0.99
    assert len(found.rows.index.difference(own)) <= 0.01 * len(good)


@pytest.mark.parametrize(
    "by, name", [("all", ""), ("supplier", SUPPLIERS[0]), ("town", COUNTY + "100")]
)
@pytest.mark.parametrize("offset_m", [(130.0, -75.0), (-420.0, 310.0), (18.0, 11.0)])
def test_a_plain_offset_of_a_batch_is_recognised_and_measured_within_5_m(
    by: str, name: str, offset_m: tuple[float, float]
) -> None:
    place = made_up_place()
    good = good_cameras(place, 450, np.random.default_rng(4)).assign(stated_code=None)
    own = good.index if by == "all" else good.index[good[by] == name]
    bad = moved(good, own, by_metres(offset_m))
    found = suspects(bad, place.ground)
    assert [(batch.by, batch.name) for batch in found.batches] == [(by, name)]
    shift = found.batches[0].shift
    assert shift.datum == "offset"
    assert np.hypot(shift.east_m - offset_m[0], shift.north_m - offset_m[1]) < 5.0
    rows = found.rows.query("reason == 'moved-as-batch'")
    assert own.isin(rows.index).mean() > 0.9
    put_m = metres_from_lonlat(rows[["lon", "lat"]].to_numpy(), SRID)
    assert np.hypot(*(put_m - points_m(good.loc[rows.index])).T).max() < 5.0


def test_what_stands_right_within_a_moved_batch_is_mostly_left_where_it_is() -> None:
    place = made_up_place()
    good = good_cameras(place, 600, np.random.default_rng(6))
    own = good.index[good["supplier"] == SUPPLIERS[2]]
    some = own[np.random.default_rng(7).random(len(own)) < 0.7]
    bad = moved(good, some, by_metres((-160.0, 240.0)))
    found = suspects(bad, place.ground)
    rows = found.rows.query("reason == 'moved-as-batch'").index
    assert some.isin(rows).mean() > 0.95
    assert own.difference(some).isin(rows).mean() < 0.1


def moved(
    cameras: pd.DataFrame, index: pd.Index[Any], shift: Callable[[Floats], Floats]
) -> pd.DataFrame:
    rows = np.flatnonzero(cameras.index.isin(index))
    return moved_to(cameras, rows, shift(shapely.get_coordinates(cameras["geom"].to_numpy()[rows])))


def by_metres(offset_m: tuple[float, float]) -> Callable[[Floats], Floats]:
    def shift(lonlat: Floats) -> Floats:
        return lonlat_from_metres(metres_from_lonlat(lonlat, SRID) + offset_m, SRID)

    return shift


# ------------------------------------------------------------------ single rows


def plain_ground() -> CameraGround:
    """A county of 4 km by 4 km with one house of 20 m and one street 30 m south of it."""
    house = shapely.box(X_M - 10, Y_M, X_M + 10, Y_M + 20)
    street = shapely.LineString([(X_M - 1_500, Y_M - 30), (X_M + 1_500, Y_M - 30)])
    county = shapely.box(X_M - 2_000, Y_M - 2_000, X_M + 2_000, Y_M + 2_000)
    west = shapely.box(X_M - 2_000, Y_M - 2_000, X_M, Y_M + 2_000)
    return CameraGround(
        COUNTY, SRID, county, np.array([house]), np.array([street]), {COUNTY + "100": west}
    )


def at(x_m: float, y_m: float) -> shapely.Point:
    lon, lat = lonlat_from_metres(np.array([[X_M + x_m, Y_M + y_m]]), SRID)[0]
    return shapely.Point(lon, lat)


def rows_of(*rows: dict[str, Any]) -> pd.DataFrame:
    plain = {"azimuth_deg": 90.0, "view_angle_deg": 70.0, "range_m": 80.0, "indoor": False}
    return pd.DataFrame([{"geom": at(0, -25), **plain, **row} for row in rows])


def reasons(*rows: dict[str, Any], ground: CameraGround | None = None) -> list[tuple[int, str]]:
    found = suspects(rows_of(*rows), ground or plain_ground()).rows
    return list(zip(found.index.tolist(), found["reason"].tolist(), strict=True))


def test_a_file_without_cameras_gives_no_rows() -> None:
    found = suspects(rows_of().reindex(columns=["geom"]), plain_ground())
    assert (list(found.rows.columns), len(found.rows), found.batches) == (COLUMNS, 0, ())


def test_a_single_good_camera_is_not_suspected() -> None:
    assert reasons({}) == []


@pytest.mark.parametrize(
    "fault, reason",
    [
        ({"geom": None}, "no-position"),
        ({"geom": shapely.Point()}, "no-position"),
        ({"geom": shapely.LineString([(0, 0), (1, 1)])}, "no-position"),
        ({"geom": shapely.Point(float("nan"), 33.0)}, "no-position"),
        ({"geom": shapely.Point(float("inf"), 33.0)}, "no-position"),
        ({"geom": shapely.Point(0.0, 0.0)}, "at-zero"),
        ({"geom": shapely.Point(0.0004, -0.0004)}, "at-zero"),
        ({"geom": shapely.Point(at(0, -25).y, at(0, -25).x)}, "swapped-axes"),
        ({"geom": shapely.Point(1_000.0, 33.0)}, "no-such-place"),
        ({"geom": shapely.Point(36_500_000.0, 3_690_000.0)}, "no-such-place"),
        ({"geom": shapely.Point(116.4, 39.9)}, "outside-county"),
        ({"geom": shapely.Point(-108.0, 33.0)}, "outside-county"),
        ({"geom": at(0, 2_060)}, "outside-county"),
        ({"geom": at(0, 10)}, "inside-building"),
        ({"geom": at(0, 0)}, "on-wall"),
        ({"geom": at(10.05, 20.05)}, "on-wall"),
        ({"device_code": COUNTY[:5] + "8" + "00001320000001"}, "wrong-county-code"),
        ({"device_code": COUNTY + "0000132000001"}, "malformed-code"),
        ({"device_code": "6.1099900001320e19"}, "malformed-code"),
        ({"device_code": "６１０９９９００００１３２００００００１"}, "malformed-code"),
        ({"azimuth_deg": None}, "no-azimuth"),
        ({"azimuth_deg": float("inf")}, "no-azimuth"),
        ({"azimuth_deg": None, "view_angle_deg": None, "kind": "fixed"}, "no-azimuth"),
        ({"geom": at(300, -25), "stated_code": COUNTY + "100"}, "outside-stated-area"),
    ],
)  # fmt: skip
def test_one_fault_is_one_reason(fault: dict[str, Any], reason: str) -> None:
    assert reasons({"geom": at(100, -25)}, fault) == [(1, reason)]


@pytest.mark.parametrize(
    "sound",
    [
        {"geom": at(0, 2_040)},  # the outline is drawn no finer
        {"geom": at(0, -0.3)},  # a bracket holds it off the wall
        {"geom": at(0, 10), "indoor": True},
        {"azimuth_deg": None, "view_angle_deg": 360.0},
        {"azimuth_deg": None, "view_angle_deg": None, "kind": "dome"},
        {"azimuth_deg": None, "indoor": True},
        {"device_code": COUNTY + "00001320000001"},
        {"device_code": None},
        {"device_code": "  "},
        {"stated_code": "no such code"},
        {"geom": at(40, -25), "stated_code": COUNTY + "100"},
    ],
)
def test_what_is_no_fault_is_not_suspected(sound: dict[str, Any]) -> None:
    assert reasons(sound) == []


def test_outside_the_mainland_codes_of_devices_are_not_held_against_the_county() -> None:
    plain = plain_ground()
    elsewhere = CameraGround("63000", SRID, plain.outline_m)
    assert reasons({"device_code": COUNTY + "00001320000001"}, ground=elsewhere) == []


def test_a_code_given_twice_points_to_the_first_row() -> None:
    code = COUNTY + "00001320000001"
    other = {"device_code": code, "geom": at(90, -25)}
    frame = rows_of({"device_code": code}, {"geom": at(200, -25)}, other)
    frame.index = pd.Index(["a", "b", "c"])
    found = suspects(frame, plain_ground()).rows
    assert found["reason"].to_dict() == {"c": "duplicate-code"}
    assert found["facts"].tolist() == [{"of": "a"}]
    assert "设备编码与 a 相同" in found["zh"].tolist()[0]


@pytest.mark.parametrize(
    "other, is_same",
    [
        ({}, True),
        ({"azimuth_deg": 450.0}, True),
        ({"azimuth_deg": 90.9}, True),
        ({"geom": at(0.2, -25)}, True),
        ({"azimuth_deg": 180.0}, False),
        ({"range_m": 200.0}, False),
        ({"view_angle_deg": 30.0}, False),
        ({"azimuth_error_deg": 22.5}, False),
        ({"geom": at(1.0, -25)}, False),
    ],
)
def test_a_row_entered_twice_is_told_from_a_second_camera_on_the_pole(
    other: dict[str, Any], is_same: bool
) -> None:
    assert reasons({}, other) == ([(1, "duplicate")] if is_same else [])


def test_of_three_equal_rows_two_are_duplicates_of_the_first() -> None:
    found = suspects(rows_of({}, {}, {}), plain_ground()).rows
    assert found["facts"].tolist() == [{"of": "0"}, {"of": "0"}]


def test_a_camera_with_several_faults_is_one_row_that_tells_them_all() -> None:
    fault = {"geom": at(0, 10), "azimuth_deg": None, "device_code": "12"}
    found = suspects(rows_of(fault), plain_ground()).rows
    assert found["reasons"].tolist() == [("inside-building", "malformed-code", "no-azimuth")]
    assert found["reason"].tolist() == ["inside-building"]


def test_a_camera_inside_a_house_is_moved_out_of_its_nearest_wall() -> None:
    found = suspects(rows_of({"geom": at(4, 10)}), plain_ground()).rows.iloc[0]
    put_m = metres_from_lonlat(np.array([[found["lon"], found["lat"]]]), SRID)[0]
    assert put_m == pytest.approx([X_M + 10.5, Y_M + 10], abs=1e-3)
    assert found["moved_m"] == pytest.approx(6.5, abs=1e-3)
    assert "6.5" in found["en"]


def test_a_camera_in_open_country_in_gcj02_is_told_by_its_street_alone() -> None:
    along = [{"geom": at(x, -25)} for x in range(-1_400, 1_400, 40)]
    lonlat = gcj02_from_wgs84(shapely.get_coordinates([at(-900, -25)]))
    assert reasons(*along, {"geom": shapely.Point(*lonlat[0])}) == [(70, "gcj-02")]


def test_a_camera_without_neighbours_or_streets_is_left_alone() -> None:
    bare = CameraGround(COUNTY, SRID, plain_ground().outline_m)
    assert reasons({}, {"geom": at(500, 900)}, ground=bare) == []


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "geom": st.one_of(
                    st.none(),
                    st.builds(shapely.Point, st.floats(), st.floats()),
                    st.builds(at, st.floats(-3_000, 3_000), st.floats(-3_000, 3_000)),
                ),
                "device_code": st.one_of(st.none(), st.text(max_size=30), st.integers()),
                "azimuth_deg": st.one_of(st.none(), st.floats()),
                "view_angle_deg": st.one_of(st.none(), st.floats()),
                "stated_code": st.one_of(st.none(), st.text(max_size=5), st.just(COUNTY + "100")),
                "supplier": st.one_of(st.none(), st.text(max_size=3)),
            }
        ),
        max_size=8,
    )
)
def test_whatever_a_file_holds_every_row_suspected_has_a_reason_and_two_sentences(
    rows: list[dict[str, Any]],
) -> None:
    frame = rows_of(*rows) if rows else rows_of().reindex(columns=["geom"])
    found = suspects(frame, plain_ground()).rows
    assert found.index.is_unique
    assert set(found.index) <= set(frame.index)
    for row in found.to_dict("records"):
        assert row["reason"] == row["reasons"][0]
        assert set(row["reasons"]) <= set(REASONS)
        assert row["en"]
        assert "nan" not in row["zh"]
        assert np.isfinite(row["lon"]) == np.isfinite(row["lat"])


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    for reason, (zh, en) in WORDS.items():
        assert reason == reason.lower()
        assert any("一" <= letter <= "鿿" for letter in zh)
        assert en.isascii()
    assert set(TITLES) == set(WORDS)
