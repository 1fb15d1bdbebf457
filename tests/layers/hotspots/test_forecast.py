"""The forecast: cells and weights by hand, indices, and real accidents on time held out."""

from __future__ import annotations

import os
from math import cos, exp, floor, fsum, pi
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.hotspots.forecast import (
    PastScore,
    counts_in_cells,
    pai,
    past_score,
    pei,
    score_cells,
    weights,
)

ROOT = Path(__file__).parents[3]
NAN, INF = float("nan"), float("inf")


def events_of(rows: list[tuple[float, float, float]]) -> pd.DataFrame:
    """Events from x, y and day."""
    return pd.DataFrame(rows, columns=["x_m", "y_m", "day"], dtype=np.float64)


def weight(age: float) -> float:
    """The frozen weight, written out."""
    return exp(-age / 270) + 0.2 * exp(-age / 1500) * (1 + 2 * cos(2 * pi * (age + 14) / 365.25))


def test_the_frozen_weights_are_those_written_down() -> None:
    ages = [0.5, 1.0, 28.0, 168.0, 351.25, 1_000.0, 4_000.0]
    assert weights(ages).tolist() == pytest.approx([weight(age) for age in ages], rel=1e-12)


def test_the_same_season_last_year_counts_more_than_half_a_year_ago() -> None:
    same, opposite = weights([351.25, 351.25 - 182.6])
    assert same > opposite + 0.1


def test_two_cells_by_hand() -> None:
    found = score_cells(
        events_of([(10, 10, 5), (90, 99, 8), (150, 20, 9)]), cell_m=100, as_of_day=10
    )
    assert found[["x_m", "y_m"]].to_numpy().tolist() == [[50.0, 50.0], [150.0, 50.0]]
    assert found["score"].tolist() == pytest.approx([weight(5) + weight(2), weight(1)])


def test_an_edge_belongs_to_the_cell_that_begins_there() -> None:
    found = score_cells(events_of([(100, -100, 0), (99.9, -100.1, 0)]), cell_m=100, as_of_day=1)
    assert sorted(zip(found["x_m"], found["y_m"], strict=True)) == [(50, -150), (150, -50)]


def test_the_day_itself_and_later_is_not_read() -> None:
    rows = [(5.0, 5.0, 9.0), (500.0, 5.0, 10.0), (900.0, 5.0, 11.0)]
    found = score_cells(events_of(rows), cell_m=100, as_of_day=10)
    assert found["x_m"].tolist() == [50.0]


def test_dates_are_days() -> None:
    events = events_of([(5, 5, 0), (105, 5, 40)])
    numbers = score_cells(events, cell_m=100, as_of_day=50)
    dated = events.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(events["day"], "D"))
    day: Any = np.datetime64("2024-02-20")
    pd.testing.assert_frame_equal(score_cells(dated, cell_m=100, as_of_day=day), numbers)


def test_nothing_before_the_day_makes_no_cells() -> None:
    for events in (events_of([]), events_of([(5, 5, 7)])):
        found = score_cells(events, cell_m=100, as_of_day=7)
        assert len(found) == 0
        assert found.columns.tolist() == ["x_m", "y_m", "score"]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), cell_m=st.sampled_from([50.0, 250.0, 333.3]))
def test_scores_are_those_of_adding_up_one_by_one(seed: int, cell_m: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        tuple(row)
        for row in np.column_stack([rng.normal(0, 600, (80, 2)), rng.integers(0, 900, 80)])
    ]
    found = score_cells(events_of(rows), cell_m=cell_m, as_of_day=700)
    sums: dict[tuple[int, int], list[float]] = {}
    for x, y, day in rows:
        if day < 700:
            sums.setdefault((floor(x / cell_m), floor(y / cell_m)), []).append(weight(700 - day))
    ours = {
        (floor(x / cell_m), floor(y / cell_m)): score
        for x, y, score in found.itertuples(index=False)
    }
    assert ours == pytest.approx({cell: fsum(parts) for cell, parts in sums.items()})
    assert found["score"].is_monotonic_decreasing


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_no_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = events_of([(x, y, day) for x, y, day in rng.integers(0, 400, (200, 3)).tolist()])
    mixed = events.sample(frac=1.0, random_state=seed % 1000)
    first, second = (score_cells(one, cell_m=50, as_of_day=300) for one in (events, mixed))
    assert first.to_numpy().tobytes() == second.to_numpy().tobytes()


def test_equal_scores_are_ordered_by_place() -> None:
    found = score_cells(events_of([(250, 5, 0), (5, 250, 0), (5, 5, 0)]), cell_m=100, as_of_day=9)
    assert found[["x_m", "y_m"]].to_numpy().tolist() == [[50, 50], [50, 250], [250, 50]]


@pytest.mark.parametrize(
    ("rows", "cell_m", "code"),
    [
        ([(NAN, 0, 0)], 100, "forecast-events"),
        ([(0, INF, 0)], 100, "forecast-events"),
        ([(0, 0, NAN)], 100, "forecast-events"),
        ([(0, 0, 0)], 0, "forecast-cell"),
        ([(0, 0, 0)], -5, "forecast-cell"),
        ([(0, 0, 0)], NAN, "forecast-cell"),
        ([(0, 0, 0)], INF, "forecast-cell"),
        ([(1e9, 0, 0)], 1e-9, "forecast-cell"),
    ],
)
def test_what_cannot_be_forecast_is_refused(rows: Any, cell_m: float, code: str) -> None:
    with pytest.raises(Refused) as refused:
        score_cells(events_of(rows), cell_m=cell_m, as_of_day=1)
    assert refused.value.code == code


def test_missing_columns_are_named() -> None:
    with pytest.raises(Refused) as refused:
        score_cells(pd.DataFrame({"x_m": [1.0]}), cell_m=100, as_of_day=1)
    assert refused.value.where["missing"] == ["day", "y_m"]


def test_indices_by_hand() -> None:
    assert pai(0.25, 0.01) == 25.0
    assert pai(0.0, 0.5) == 0.0
    assert pai(1.0, 1.0) == 1.0
    assert pei(30, 40) == 0.75
    assert np.isnan(pei(0, 0))


@pytest.mark.parametrize(
    ("hit", "area"), [(0.5, 0.0), (1.1, 0.5), (-0.1, 0.5), (NAN, 0.5), (0.5, 2)]
)
def test_shares_that_are_none_are_refused(hit: float, area: float) -> None:
    with pytest.raises(Refused) as refused:
        pai(hit, area)
    assert refused.value.code == "forecast-share"


@pytest.mark.parametrize(("hits", "best"), [(5, 4), (-1, 4), (NAN, 4), (1, INF)])
def test_more_hits_than_can_be_are_refused(hits: float, best: float) -> None:
    with pytest.raises(Refused) as refused:
        pei(hits, best)
    assert refused.value.code == "forecast-hits"


def test_a_past_score_by_hand() -> None:
    found = past_score([5.0, 9.0, 1.0, 3.0], [4, 2, 9, 1], area_share=0.5)
    assert found == PastScore(cells=4, chosen=2, hits=6, best_hits=13, incidents=16)
    assert found.pai == pytest.approx(6 / 16 / 0.5)
    assert found.pei == pytest.approx(6 / 13)


def test_at_least_one_cell_is_named_and_shares_are_rounded_down() -> None:
    assert past_score(np.arange(99.0), np.ones(99)).chosen == 1
    assert past_score(np.arange(299.0), np.ones(299)).chosen == 2


def test_where_nothing_came_there_is_no_score() -> None:
    found = past_score([1.0, 2.0], [0, 0])
    assert np.isnan(found.pai)
    assert np.isnan(found.pei)


@pytest.mark.parametrize(("scores", "came"), [([], []), ([1.0], [1, 2]), ([[1.0]], [[1]])])
def test_scores_without_their_counts_are_refused(scores: Any, came: Any) -> None:
    with pytest.raises(Refused) as refused:
        past_score(scores, came)
    assert refused.value.code == "forecast-scores"


def test_counts_follow_the_order_of_the_cells() -> None:
    cells = score_cells(events_of([(5, 5, 0), (5, 5, 1), (205, 5, 1)]), cell_m=100, as_of_day=2)
    later = events_of([(99, 0, 5), (200, 99, 5), (205, 0, 6), (905, 905, 6)])
    assert counts_in_cells(cells, later, cell_m=100).tolist() == [1, 2]
    assert counts_in_cells(cells, events_of([]), cell_m=100).tolist() == [0, 0]


def accidents() -> pd.DataFrame:
    """The training years of the real accidents, or skip."""
    shared = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    file = shared / "slovenia_accidents" / "accidents_2008_2014.csv.gz"
    if not file.is_file():
        pytest.skip("the accidents of Slovenia are not at GIS_SHARED_DATA")
    table = pd.read_csv(file, usecols=["date", "x", "y"])
    table = table[(table["x"] > 0) & (table["y"] > 0)]
    days = (pd.to_datetime(table["date"]) - pd.Timestamp("2008-01-01")).dt.days
    return pd.DataFrame({"x_m": table["x"] * 1.0, "y_m": table["y"] * 1.0, "day": days})


def test_real_accidents_of_2014_are_forecast_better_than_by_plain_history() -> None:
    events = accidents()
    ours, plain = [], []
    for start in range(2_192, 2_192 + 13 * 28, 28):
        cells = score_cells(events, cell_m=500.0, as_of_day=start)
        coming = events[(events["day"] >= start) & (events["day"] < start + 28)]
        came = counts_in_cells(cells, coming, cell_m=500.0)
        history = counts_in_cells(cells, events[events["day"] < start], cell_m=500.0)
        ours.append(past_score(cells["score"], came))
        plain.append(past_score(history, came))
    assert np.mean([one.pai for one in ours]) >= 26.1
    assert np.mean([one.pei for one in ours]) >= 0.743
    assert np.mean([one.pai for one in ours]) > np.mean([one.pai for one in plain]) + 0.3
