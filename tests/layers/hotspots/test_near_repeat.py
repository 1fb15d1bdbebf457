"""Near repeat: counts of every pair, exact expectations, calibrated and reproducible."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grid_boundaries.errors import Refused
from layers.hotspots.near_repeat import knox_table

FAR = [0.0, 100.0, 200.0, 400.0]
LONG = [0.0, 7.0, 14.0]


def pairs_by_band(
    xy_m: NDArray[Any], days: NDArray[Any], far: list[float], long: list[float]
) -> list[int]:
    """Observed pairs by going through all of them, in the order of the table."""

    def band(value: float, edges: list[float]) -> int | None:
        for i in range(len(edges) - 1):
            if edges[i] < value <= edges[i + 1] or (i == 0 and value == edges[0]):
                return i
        return None

    counts = np.zeros((len(far) - 1, len(long) - 1), dtype=int)
    for a, b in combinations(range(len(days)), 2):
        space = band(float(np.hypot(*(xy_m[a] - xy_m[b]))), far)
        time = band(float(abs(days[a] - days[b])), long)
        if space is not None and time is not None:
            counts[space, time] += 1
    return counts.ravel().tolist()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), first=st.sampled_from([0.0, 10.0]))
def test_observed_pairs_are_those_of_going_through_all(seed: int, first: float) -> None:
    rng = np.random.default_rng(seed)
    # a lattice of 10 m and whole days put many pairs exactly on an edge
    xy_m = rng.integers(0, 60, (60, 2)) * 10.0
    days = rng.integers(0, 40, 60)
    far, long = [first, *FAR[1:]], [first / 10.0, *LONG[1:]]
    table = knox_table(xy_m, days, far, long, repeats=1, seed=0)
    assert table["observed"].tolist() == pairs_by_band(xy_m, days, far, long)


def test_a_pair_on_an_edge_belongs_to_the_nearer_band() -> None:
    table = knox_table([[0, 0], [60, 80], [300, 80]], [1, 8, 22], FAR, LONG, repeats=1, seed=0)
    by_band = table.set_index(["to_m", "to_days"])["observed"]
    assert by_band[(100.0, 7.0)] == 1
    assert by_band[(400.0, 14.0)] == 1
    assert by_band.sum() == 2


def test_coincident_incidents_of_one_day_are_a_pair_of_the_first_bands() -> None:
    table = knox_table([[5, 5]] * 3, [4, 4, 4], FAR, LONG, repeats=9, seed=0)
    assert table["observed"].tolist() == [3, 0, 0, 0, 0, 0]
    assert table["p"].tolist() == [1.0] * 6


def test_expected_and_p_are_those_of_all_ways_to_deal_the_dates() -> None:
    rng = np.random.default_rng(3)
    xy_m, days = rng.uniform(0, 300, (6, 2)), np.array([0, 2, 3, 9, 15, 30])
    table = knox_table(xy_m, days, FAR, LONG, repeats=20_000, seed=1)
    every = np.array(
        [pairs_by_band(xy_m, days[list(o)], FAR, LONG) for o in permutations(range(6))]
    )
    np.testing.assert_allclose(table["expected"], every.mean(axis=0), rtol=1e-12)
    exact_p = (every >= table["observed"].to_numpy()).mean(axis=0)
    np.testing.assert_allclose(table["p"], exact_p, atol=4 * 0.5 / 20_000**0.5)


def test_a_second_incident_nearby_within_the_week_is_found() -> None:
    rng = np.random.default_rng(5)
    first = rng.uniform(0, 10_000, (150, 2))
    days = rng.integers(0, 365, 150)
    again = first[:40] + rng.uniform(-40, 40, (40, 2))
    xy_m = np.concatenate([first, again])
    table = knox_table(xy_m, [*days, *(days[:40] + 3)], FAR, LONG, repeats=199, seed=2)
    assert table["p"][0] == 1 / 200
    assert table["ratio"][0] > 5


def test_pure_chance_is_called_a_near_repeat_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(6)
    small = []
    for seed in range(400):
        xy_m, days = rng.uniform(0, 1_500, (60, 2)), rng.integers(0, 60, 60)
        small.append(knox_table(xy_m, days, FAR, LONG, repeats=99, seed=seed)["p"][0] <= 0.05)
    assert np.mean(small) <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_one_seed_gives_one_table_and_another_seed_the_same_counts() -> None:
    rng = np.random.default_rng(7)
    xy_m, days = rng.uniform(0, 1_000, (80, 2)), rng.integers(0, 60, 80)
    tables = [knox_table(xy_m, days, FAR, LONG, repeats=99, seed=seed) for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert tables[0].drop(columns="p").equals(tables[2].drop(columns="p"))


@pytest.mark.parametrize("incidents", [0, 1])
def test_without_two_incidents_there_is_no_pair_and_no_finding(incidents: int) -> None:
    table = knox_table(np.zeros((incidents, 2)), [3] * incidents, FAR, LONG, repeats=9, seed=0)
    assert table["observed"].sum() == 0
    assert table["ratio"].isna().all()
    assert (table["p"] == 1.0).all()


def test_rows_say_their_bands() -> None:
    table = knox_table([[0, 0]], [0], FAR, LONG, repeats=1, seed=0)
    assert table["from_m"].tolist() == [0, 0, 100, 100, 200, 200]
    assert table["to_days"].tolist() == [7, 14] * 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"days": [1]}, "knox-points"),
        ({"days": [1, np.nan]}, "knox-points"),
        ({"xy_m": [[0, 0], [np.inf, 1]]}, "knox-points"),
        ({"distances_m": [0]}, "knox-edges"),
        ({"distances_m": [0, 100, 100]}, "knox-edges"),
        ({"days_edges": [-1, 5]}, "knox-edges"),
        ({"days_edges": [0, np.inf]}, "knox-edges"),
        ({"repeats": 0}, "knox-repeats"),
    ],
)
def test_what_cannot_be_tabled_is_refused(change: dict[str, Any], code: str) -> None:
    given_values: dict[str, Any] = {
        "xy_m": [[0, 0], [1, 1]],
        "days": [1, 2],
        "distances_m": FAR,
        "days_edges": LONG,
        "repeats": 9,
        "seed": 0,
    }
    with pytest.raises(Refused) as refusal:
        knox_table(**{**given_values, **change})
    assert refusal.value.code == code


def test_dates_count_as_days_and_not_as_the_numbers_they_are_stored_in() -> None:
    rng = np.random.default_rng(3)
    xy_m, days = rng.uniform(0, 500, (60, 2)), rng.integers(0, 30, 60)
    settings: dict[str, Any] = {
        "distances_m": FAR, "days_edges": LONG, "repeats": 9, "seed": 0
    }  # fmt: skip
    dates = np.datetime64("2026-02-20") + days
    expected = knox_table(xy_m, days, **settings)
    for same in (dates, dates.astype("datetime64[ns]"), pd.DatetimeIndex(dates)):
        pd.testing.assert_frame_equal(knox_table(xy_m, same, **settings), expected)
    with pytest.raises(Refused):
        knox_table(xy_m, np.where(days == 0, np.datetime64("NaT"), dates), **settings)
