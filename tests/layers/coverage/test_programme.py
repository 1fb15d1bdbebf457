"""Official shares with their two numbers, and what a contract closes by when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from layers.coverage.programme import (
    STANDINGS,
    ProgrammeShare,
    gaps_by_due_date,
    programme_shares,
    side_by_side,
    standings,
)

TODAY = date(2026, 3, 2)
STATES = ("networked", "built", "building", "planned", "out_of_service")


def ledger(*rows: dict[str, Any]) -> pd.DataFrame:
    plain = {
        "state": "networked", "online": True, "indoor": False, "site_class": 1,
        "contract": None, "due": None,
    }  # fmt: skip
    return pd.DataFrame([{**plain, **row} for row in rows], columns=list(plain))


def sees(*cameras: set[int], things: int) -> csr_array[Any]:
    rows = [[float(thing in seen) for thing in range(things)] for seen in cameras]
    return csr_array(np.array(rows, dtype=np.float64).reshape(len(cameras), things))


def shares(cameras: pd.DataFrame, places: csr_array[Any]) -> dict[str, ProgrammeShare]:
    return {share.key: share for share in programme_shares(cameras, places)}


@pytest.mark.parametrize(
    "row, standing",
    [
        ({"state": "networked"}, "standing"),
        ({"state": "built", "contract": "C1"}, "standing"),
        ({"state": "building"}, "contracted"),
        ({"state": "building", "contract": "C1"}, "contracted"),
        ({"state": "planned", "contract": "C1"}, "contracted"),
        ({"state": "planned"}, "proposed"),
        ({"state": "planned", "contract": "  "}, "proposed"),
        ({"state": "out_of_service", "contract": "C1"}, "out_of_service"),
    ],
)
def test_how_far_a_camera_is(row: dict[str, Any], standing: str) -> None:
    assert standings(ledger(row)).tolist() == [standing]


def test_official_shares_worked_out_by_hand() -> None:
    cameras = ledger(
        {}, {}, {"online": False}, {"site_class": 2}, {"site_class": 2, "online": None},
        {"state": "built", "online": False}, {"state": "planned"}, {"state": "out_of_service"},
    )  # fmt: skip
    places = sees({0}, {0, 1}, {2}, set(), set(), {3}, {4}, {5}, things=6)
    found = shares(cameras, places)
    assert {key: (one.numerator, one.denominator) for key, one in found.items()} == {
        "covered": (4, 6),
        "covered_now": (2, 6),
        "networked": (5, 6),
        "intact": (3, 5),
        "intact_1": (2, 3),
        "intact_2": (1, 2),
    }
    assert found["covered"].value == pytest.approx(4 / 6)
    assert found["covered"].met is False


def test_targets_are_those_of_the_programme() -> None:
    found = shares(ledger({}), sees({0}, things=1))
    targets = {key: one.target for key, one in found.items()}
    assert targets == {
        "covered": 1.0, "covered_now": None, "networked": 1.0, "intact": None,
        "intact_1": 0.98, "intact_2": 0.95,
    }  # fmt: skip
    assert (found["covered"].met, found["covered_now"].met, found["intact_1"].met) == (
        True, None, True,
    )  # fmt: skip


def test_without_a_denominator_there_is_no_share() -> None:
    found = shares(ledger(), sees(things=0))
    assert {(one.value, one.met) for one in found.values()} == {(None, None)}


@pytest.mark.parametrize("numerator, met", [(98, True), (97, False)])
def test_a_target_is_met_when_it_is_reached(numerator: int, met: bool) -> None:
    assert ProgrammeShare("intact_1", numerator, 100, 0.98).met is met


def test_an_indoor_camera_stands_and_covers_no_place_now() -> None:
    found = shares(ledger({"indoor": True}), sees(set(), things=1))
    assert (found["networked"].numerator, found["covered_now"].numerator) == (1, 0)


def test_side_by_side_counts_each_and_what_it_adds() -> None:
    cameras = ledger(
        {}, {"state": "planned", "contract": "C"}, {"state": "planned"}, {"state": "out_of_service"}
    )
    homes = sees({0, 1}, {1, 2}, {2, 3}, {4}, things=5), np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    places = sees(set(), {0}, {0}, {1}, things=2), np.ones(2)
    found = side_by_side(cameras, homes, places)
    assert tuple(found.index) == STANDINGS
    assert found["cameras"].tolist() == [1, 1, 1, 1]
    assert found["people_seen"].tolist() == [3.0, 6.0, 12.0, 0.0]
    assert found["people_added"].tolist() == [3.0, 4.0, 8.0, 0.0]
    assert found["key_places_seen"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found["key_places_added"].tolist() == [0.0, 1.0, 0.0, 0.0]


def test_gaps_worked_out_by_hand() -> None:
    begun = {"state": "building"}
    cameras = ledger(
        {},
        {**begun, "due": TODAY + timedelta(days=30)},
        {**begun, "due": TODAY + timedelta(days=10)},
        {**begun, "due": TODAY - timedelta(days=5)},
        {**begun, "due": None},
        {"state": "planned", "due": TODAY},
    )
    homes = (
        sees({0}, {1}, {1, 2}, {3}, {4}, {5}, things=6),
        np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
    )
    places = sees({0}, set(), set(), set(), {0}, set(), things=1), np.ones(1)
    found = gaps_by_due_date(cameras, homes, places, TODAY)
    assert found["due"].tolist() == [
        TODAY, TODAY, TODAY + timedelta(days=10), TODAY + timedelta(days=30), None,
    ]  # fmt: skip
    assert found["cameras"].tolist() == [0, 1, 1, 1, 1]
    assert found["late"].tolist() == [0, 1, 0, 0, 0]
    assert found["people_unseen"].tolist() == [62.0, 54.0, 48.0, 48.0, 32.0]
    assert found["key_places_unseen"].tolist() == [0.0] * 5


def test_without_a_contract_there_is_only_the_gap_of_today() -> None:
    none = sees(set(), things=0), np.empty(0)
    found = gaps_by_due_date(ledger({}), none, none, TODAY)
    assert found.to_dict("records") == [
        {"due": TODAY, "cameras": 0, "late": 0, "people_unseen": 0.0, "key_places_unseen": 0.0}
    ]


def test_a_county_without_cameras_has_its_whole_gap() -> None:
    homes = sees(things=3), np.array([5.0, 6.0, 7.0])
    found = gaps_by_due_date(ledger(), homes, homes, TODAY)
    assert found["people_unseen"].tolist() == [18.0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 10))
def test_gaps_equal_counting_anew_at_each_date(seed: int, count: int, things: int) -> None:
    rng = np.random.default_rng(seed)
    due = [None if d > 20 else TODAY + timedelta(days=int(d)) for d in rng.integers(-9, 25, count)]
    rows = [
        {"state": rng.choice(STATES), "contract": rng.choice(["", "C"]), "due": one} for one in due
    ]
    cameras = ledger(*rows)
    what = csr_array((rng.random((count, things)) < 0.3).astype(np.float64))
    weights = rng.integers(0, 9, things).astype(np.float64)
    told = standings(cameras).tolist()
    found = gaps_by_due_date(cameras, (what, weights), (what, weights), TODAY)
    rows_seen = what.toarray() > 0
    for number, row in enumerate(found.to_dict("records")):
        by = [
            word == "standing" or (number > 0 and word == "contracted" and _is_up(one, row["due"]))
            for word, one in zip(told, due, strict=True)
        ]
        seen = rows_seen[by].any(axis=0) if any(by) else np.zeros(things, dtype=bool)
        assert row["people_unseen"] == weights[~seen].sum()
    assert found["cameras"].sum() == told.count("contracted")
    assert found["people_unseen"].is_monotonic_decreasing


def _is_up(due: date | None, at: date | None) -> bool:
    return at is None or (due is not None and due <= at)
