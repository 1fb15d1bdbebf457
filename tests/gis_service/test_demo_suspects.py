"""What is planted among the cameras of the demo county is found, and nothing besides."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from grid_boundaries.crs import crs_of
from layers.coverage.programme import standings
from layers.coverage.suspect_frames import camera_ground, ledger, plain_facts, suspect_findings
from layers.coverage.suspects import Suspects, suspects
from layers.load.place import placed
from tests.gis_service.demo_county import small_county


@cache
def placed_frames() -> dict[str, pd.DataFrame]:
    made = small_county()
    return placed(made.frames, crs_of(made.metric_srid))


@cache
def found() -> Suspects:
    frames = placed_frames()
    ground = camera_ground(frames, crs_of(small_county().metric_srid))
    return suspects(ledger(frames["camera"].set_index("id", drop=False)), ground)


def planted(fault: str) -> list[str]:
    truth = small_county().truth["misplaced_camera"]
    return sorted(truth.loc[truth["fault"] == fault, "camera_id"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("inside_building", "inside-building"), ("gcj02", "gcj-02"), ("far_away", "outside-county")],
)
def test_what_is_planted_is_found_and_nothing_else_is(fault: str, reason: str) -> None:
    rows = found().rows
    assert sorted(rows.index[rows["reason"] == reason]) == planted(fault)


def test_a_good_camera_of_the_demo_is_not_suspected() -> None:
    truth = set(small_county().truth["misplaced_camera"]["camera_id"])
    assert set(found().rows.index) <= truth
    assert found().batches == ()


def test_findings_say_where_each_camera_stands_and_change_nothing() -> None:
    frames = placed_frames()
    before = frames["camera"].copy(deep=True)
    ground = camera_ground(frames, crs_of(small_county().metric_srid))
    told = suspect_findings("cameras.csv", frames["camera"], ground)
    pd.testing.assert_frame_equal(frames["camera"], before)
    assert sorted(told["row"]) == sorted(found().rows.index)
    assert set(told["source"]) == {"cameras.csv"}
    assert set(told["layer"]) == {"camera"}
    paths = frames["camera"].set_index("id")["unit_path"]
    assert told["unit_path"].tolist() == paths.loc[told["row"]].tolist()
    assert (told["zh"] != told["en"]).all()
    shifted = told[told["code"] == "gcj-02"]["facts"].tolist()
    assert all(300 < facts["moved_m"] < 700 for facts in shifted)
    far = told[told["code"] == "outside-county"]["facts"].tolist()
    assert {facts["lon"] for facts in far} == {None}


def test_no_cameras_give_no_findings() -> None:
    frames = placed_frames()
    ground = camera_ground(frames, crs_of(small_county().metric_srid))
    assert suspect_findings("cameras.csv", frames["camera"].iloc[:0], ground).empty


def test_a_number_that_is_missing_is_told_as_none() -> None:
    nan = float("nan")
    row = {"reasons": ("at-zero",), "facts": {}, "lon": nan, "lat": 1.0, "moved_m": nan,
           "probability": 0.123456}  # fmt: skip
    assert plain_facts(row) == {
        "reasons": ["at-zero"], "lon": None, "lat": 1.0, "moved_m": None, "probability": 0.1235,
    }  # fmt: skip


def test_a_batch_is_told_by_the_town_that_a_camera_lies_in() -> None:
    told = ledger(placed_frames()["camera"])
    inside = told["unit_path"].str.count("/") > 2
    assert told.loc[inside, "town"].str.len().eq(9).all()
    assert told.loc[~inside, "town"].isna().all()
    assert told["supplier"].equals(told["builder"])


def test_the_demo_has_cameras_of_every_standing() -> None:
    cameras = placed_frames()["camera"]
    counts = standings(cameras).value_counts()
    assert set(counts.index) == {"standing", "contracted", "proposed", "out_of_service"}
    proposed = cameras[(standings(cameras) == "proposed").to_numpy()]
    assert proposed["due"].isna().all()
    assert cameras.loc[(standings(cameras) == "contracted").to_numpy(), "due"].notna().all()


def test_the_demo_states_the_grid_that_each_camera_was_put_up_in() -> None:
    cameras = placed_frames()["camera"].set_index("id")
    planted = cameras.index.isin(small_county().truth["misplaced_camera"]["camera_id"])
    good = cameras[~planted & (cameras["placed"] == "inside").to_numpy()]
    assert (good["stated_code"] == good["grid_code"]).mean() > 0.99
