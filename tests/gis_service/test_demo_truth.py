"""What is planted in the made-up county is there: hotspots, misplaced cameras, gaps, vacancies."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from gis_service.demo.living import LAST_HOUR, ZONE
from tests.gis_service.demo_county import SEED, TODAY, county, digest, metric, small_county

END = datetime(TODAY.year, TODAY.month, TODAY.day, LAST_HOUR, tzinfo=ZONE)
LOCATED = ("place", "organisation", "centre", "part", "device", "resource", "worker", "building")


def test_two_builds_of_one_seed_and_day_are_identical() -> None:
    first = small_county()
    small_county.cache_clear()
    second = small_county()
    assert first is not second
    for kind in ("frames", "truth"):
        one, two = getattr(first, kind), getattr(second, kind)
        assert {name: digest(one[name]) for name in one} == {n: digest(two[n]) for n in two}


def test_another_day_moves_times_and_leaves_the_ground_as_it_is() -> None:
    today, tomorrow = small_county(), small_county(SEED, TODAY + timedelta(days=1))
    for table in ("unit", "block", "grid", "street", "water", "building", "household"):
        assert digest(today.frames[table]) == digest(tomorrow.frames[table])
    assert digest(today.frames["incident"]) != digest(tomorrow.frames["incident"])


def test_another_seed_makes_another_county_of_the_same_units() -> None:
    other = small_county(SEED + 1)
    assert digest(other.frames["block"]) != digest(small_county().frames["block"])
    assert other.frames["unit"]["code"].tolist() == county().frames["unit"]["code"].tolist()
    assert shapely.coverage_is_valid(other.frames["block"]["geom"].to_numpy())


@pytest.mark.parametrize("table", LOCATED)
def test_features_lie_in_the_county(table: str) -> None:
    shapes = metric(table)
    outline = metric("unit")[0].buffer(0.01)
    shapely.prepare(outline)
    assert shapely.covers(outline, shapes).all()


def test_only_planted_cameras_lie_outside_the_county() -> None:
    outline = metric("unit")[0]
    cameras = county().frames["camera"]["id"]
    outside = cameras[~shapely.covers(outline, metric("camera"))]
    truth = county().truth["misplaced_camera"]
    assert set(outside) <= set(truth["camera_id"])
    assert set(truth.loc[truth["fault"] == "far_away", "camera_id"]) <= set(outside)


def test_hotspot_grids_have_more_incidents_per_resident_than_others() -> None:
    recent = _per_resident(_incidents_since(90))
    planted = county().truth["hotspot"].set_index("grid_code")
    elsewhere = recent.drop(planted.index)
    rate = elsewhere["incidents"].sum() / elsewhere["people"].sum()
    for _, cluster in planted.groupby("cluster"):
        rows = recent.loc[cluster.index]
        found = rows["incidents"].sum() / rows["people"].sum() / rate
        stated = cluster["relative_risk"].iloc[0]
        assert 0.7 * stated < found < 1.4 * stated


def test_before_the_last_90_days_hotspot_grids_are_like_others() -> None:
    earlier = _per_resident(_incidents_since(366)) - _per_resident(_incidents_since(90))
    people = _per_resident(_incidents_since(1))["people"]
    planted = county().truth["hotspot"]["grid_code"]
    rate = earlier["incidents"] / people
    inside = earlier.loc[planted, "incidents"].sum() / people.loc[planted].sum()
    outside = earlier["incidents"].drop(planted).sum() / people.drop(planted).sum()
    assert rate.notna().any()
    assert inside / outside == pytest.approx(1.0, abs=0.2)


def test_hotspots_are_four_to_six_neighbouring_grids() -> None:
    grids = county().frames["grid"]
    shapes = pd.Series(metric("grid"), index=grids["code"])
    clusters = county().truth["hotspot"].groupby("cluster")["grid_code"]
    assert clusters.ngroups == 5
    for _, codes in clusters:
        assert 4 <= len(codes) <= 6
        union = shapely.union_all(shapes.loc[codes].to_numpy())
        assert union.geom_type in ("Polygon", "MultiPolygon")
        assert len(shapely.get_parts(union.buffer(0.01))) == 1


def test_incidents_last_a_year_and_end_today() -> None:
    incidents = county().frames["incident"]
    assert 15_000 <= len(incidents) <= 20_000
    occurred = pd.to_datetime(incidents["occurred_at"])
    assert occurred.dt.date.max() == TODAY
    assert occurred.min() > pd.Timestamp(END) - timedelta(days=366)
    for column in ("occurred_at", "reported_at", "closed_at"):
        assert pd.to_datetime(incidents[column]).max() <= pd.Timestamp(END)
    assert (incidents["reported_at"] >= incidents["occurred_at"]).all()
    closed = incidents["closed_at"].notna()
    assert closed.equals(incidents["state"].isin(["closed", "rated"]))
    assert (incidents.loc[closed, "closed_at"] >= incidents.loc[closed, "reported_at"]).all()


def test_an_incident_is_dispatched_before_it_is_received_and_both_before_it_is_closed() -> None:
    life = county().frames["incident"][
        ["reported_at", "dispatched_at", "received_at", "closed_at", "state"]
    ]
    waiting = life["state"].isin(["reported", "accepted"])
    assert life["dispatched_at"].isna().equals(waiting)
    assert life["received_at"].isna().equals(waiting | (life["state"] == "dispatched"))
    for earlier, later in itertools.pairwise(life.columns[:4]):
        both = life.dropna(subset=[earlier, later])
        assert (both[earlier] <= both[later]).all()
    sent = life["dispatched_at"].dropna()
    assert sent.max() <= pd.Timestamp(END)


def test_some_incidents_are_open_and_some_of_them_overdue() -> None:
    incidents = county().frames["incident"]
    waiting = incidents[incidents["closed_at"].isna()]
    overdue = pd.to_datetime(waiting["due_at"]) < pd.Timestamp(END)
    assert 50 < len(waiting) < 600
    assert overdue.any() and not overdue.all()
    assert incidents.loc[incidents["closed_at"].isna(), "satisfied"].isna().all()


def test_incidents_follow_the_hour_of_the_day() -> None:
    hour = pd.to_datetime(county().frames["incident"]["occurred_at"]).dt.hour
    assert (hour == 9).sum() > 4 * (hour == 3).sum()


def test_vacant_grids_are_those_without_a_posting_in_force() -> None:
    frames, truth = county().frames, county().truth
    current = frames["posting"][frames["posting"]["valid_to"].isna()]
    staffed = set(current["grid_code"])
    vacant = set(frames["grid"]["code"]) - staffed
    assert vacant == set(truth["vacant_grid"]["grid_code"])
    assert len(vacant) >= 12


def test_chiefs_of_several_grids_and_ended_postings_not_replaced() -> None:
    frames, truth = county().frames, county().truth
    current = frames["posting"][frames["posting"]["valid_to"].isna()]
    held = current[current["role"] == "chief"].groupby("worker_id")["grid_code"].nunique()
    assert (held > 1).sum() >= 10
    ended = truth["ended_posting"]
    assert len(ended) >= 5
    assert not set(ended["grid_code"]) & set(current["grid_code"])
    past = frames["posting"][frames["posting"]["valid_to"].notna()]
    assert (past["valid_from"] < past["valid_to"]).all()
    assert (past["valid_to"] <= TODAY).all()


def test_388_workers_hold_the_postings() -> None:
    frames = county().frames
    assert len(frames["worker"]) == 388
    assert set(frames["posting"]["worker_id"]) == set(frames["worker"]["id"])
    assert frames["worker"]["on_duty"].mean() > 0.5


def test_a_workers_last_position_is_where_the_worker_is() -> None:
    frames = county().frames
    last = frames["position"].sort_values("located_at").groupby("worker_id").tail(1)
    workers = frames["worker"].set_index("id").loc[last["worker_id"]]
    assert workers["on_duty"].all()
    assert [a.equals(b) for a, b in zip(last["geom"], workers["geom"], strict=True)].count(
        True
    ) == len(last)
    assert (frames["position"]["located_at"] <= END).all()


def test_visits_are_of_the_last_90_days_by_posted_workers() -> None:
    visits = county().frames["visit"]
    at = pd.to_datetime(visits["visited_at"])
    assert at.max() <= pd.Timestamp(END)
    assert at.min() > pd.Timestamp(END) - timedelta(days=92)
    assert visits.loc[visits["kind"] == "visit", "household_id"].notna().all()
    assert set(visits["worker_id"]) <= set(county().frames["worker"]["id"])


def test_cameras_are_in_every_state_and_some_only_know_a_compass_direction() -> None:
    cameras = county().frames["camera"]
    assert len(cameras) == 2_000
    assert set(cameras["state"]) == {
        "planned",
        "building",
        "built",
        "networked",
        "out_of_service",
    }
    assert not cameras.loc[cameras["state"] != "networked", "online"].any()
    assert 0.85 < cameras.loc[cameras["state"] == "networked", "online"].mean() < 0.99
    coarse = cameras[cameras["azimuth_error_deg"] == 22.5]
    assert len(coarse) > 200
    assert (coarse["azimuth_deg"] % 45.0 == 0.0).all()
    assert coarse["assumed"].map(len).eq(3).all()
    assert cameras["device_code"].str.fullmatch(r"610923\d{4}13[12]\d{7}").all()
    assert cameras["device_code"].is_unique


def test_cameras_inside_buildings_are_the_planted_ones() -> None:
    truth = county().truth["misplaced_camera"]
    inside, _ = shapely.STRtree(metric("building")).query(metric("camera"), predicate="within")
    found = set(county().frames["camera"]["id"].to_numpy()[inside])
    assert set(truth.loc[truth["fault"] == "inside_building", "camera_id"]) <= found
    assert found <= set(truth["camera_id"])


@pytest.mark.parametrize(
    ("fault", "least_m", "most_m"),
    [("moved", 29.0, 81.0), ("gcj02", 400.0, 600.0), ("far_away", 150_000.0, 170_000.0)],
)
def test_misplaced_cameras_are_as_far_off_as_their_fault_says(
    fault: str, least_m: float, most_m: float
) -> None:
    away = _camera_errors_m()
    planted = county().truth["misplaced_camera"]["fault"].to_numpy() == fault
    assert planted.sum() >= 6
    assert (away[planted] > least_m).all() and (away[planted] < most_m).all()


def test_no_camera_stands_in_planted_unseen_grids_nor_near_unseen_key_places() -> None:
    frames, truth = county().frames, county().truth
    misplaced = frames["camera"]["id"].isin(truth["misplaced_camera"]["camera_id"]).to_numpy()
    cameras = metric("camera")[~misplaced]
    grids = frames["grid"]["code"].isin(truth["unseen_grid"]["grid_code"]).to_numpy()
    places = frames["place"]["id"].isin(truth["unseen_place"]["place_id"]).to_numpy()
    assert grids.sum() >= 8 and places.sum() >= 8
    tree = shapely.STRtree(cameras)
    assert tree.query(metric("grid")[grids], predicate="intersects").size == 0
    assert tree.query(metric("place")[places], predicate="dwithin", distance=160.0).size == 0
    assert frames["place"].loc[places, "is_key"].all()


def test_key_places_are_of_every_kind_owed_cover() -> None:
    places = county().frames["place"]
    kinds = set(places.loc[places["is_key"], "kind"])
    assert {"government", "school", "hospital", "station", "market", "fuel", "scenic"} <= kinds


def test_places_stand_before_a_wall_and_in_no_building() -> None:
    spots = metric("place")
    inside = shapely.STRtree(metric("building")).query(spots, predicate="within")
    assert inside.size == 0


def test_92_centres_answer_six_checks() -> None:
    centres = county().frames["centre"]
    assert centres["level"].value_counts().to_dict() == {"village": 80, "town": 11, "county": 1}
    assert set(centres["unit_code"]) == set(county().frames["unit"]["code"])
    checks = centres.filter(like="has_")
    assert checks.shape[1] == 6
    assert 0 < (~checks.to_numpy(dtype=bool)).sum() < 150


def _incidents_since(days: int) -> pd.DataFrame:
    incidents = county().frames["incident"]
    first = pd.Timestamp(TODAY, tz=ZONE) - timedelta(days=days - 1)
    return incidents[pd.to_datetime(incidents["occurred_at"]) >= first]


def _per_resident(incidents: pd.DataFrame) -> pd.DataFrame:
    frames = county().frames
    counts = frames["block_count"].merge(frames["grid_block"], on="block_id")
    people = counts.groupby("grid_code")["people"].sum()
    shapes = metric("incident")[incidents.index.to_numpy()]
    grid = shapely.STRtree(metric("grid")).query(shapes, predicate="within")[1]
    number = np.bincount(grid, minlength=len(frames["grid"]))
    by_code = pd.Series(number, index=frames["grid"]["code"])
    return pd.DataFrame({"incidents": by_code, "people": people})


def _camera_errors_m() -> Any:
    from pyproj import Transformer

    truth = county().truth["misplaced_camera"]
    forward = Transformer.from_crs(4490, 4545, always_xy=True)
    true = np.column_stack(forward.transform(truth["lon"], truth["lat"]))
    row = {name: n for n, name in enumerate(county().frames["camera"]["id"])}
    shown = shapely.get_coordinates(metric("camera")[[row[c] for c in truth["camera_id"]]])
    return np.hypot(*(shown - true).T)
