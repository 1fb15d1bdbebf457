"""Every hot area carries all that explains it, whatever method found it."""

from __future__ import annotations

import json
import math

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import TooLarge
from layers.hotspots.areas import Answer, common_unit
from layers.hotspots.asked import METHODS
from layers.hotspots.emerging_areas import (
    FEWEST_WEEKS,
    WINDOW_DAYS,
    emerging_answer,
    weeks_known,
)
from layers.hotspots.gi_areas import gi_answer
from layers.hotspots.lookout import LEAST_TOLD, MOST_KINDS, Lookout, top_kinds
from layers.hotspots.repeat_areas import repeat_answer
from layers.hotspots.scan_areas import lasting_clusters, scan_answer
from layers.hotspots.wire import counts, findings, told
from tests.layers.hotspots import squares
from tests.layers.hotspots.squares import SIDE, burst, everywhere, lookout

HOT = 27
CARRIED = (
    "id", "method", "name", "unit_path", "members", "observed", "expected", "ratio", "p",
    "p_adjusted", "zh", "en", "kinds", "category", "phase", "first_day", "last_day", "cells",
    "window_days", "lon", "lat",
)  # fmt: skip


def gi(look: Lookout) -> Answer:
    return gi_answer(look)[0]


def hot_map(days: int = 30) -> Lookout:
    return lookout(everywhere(2) + burst(HOT, 40), days=days)


def weekly_map() -> Lookout:
    """A plain of a year with one cell that has been hot for the last five weeks."""
    calm = [
        (cell, 7 * week + cell % 7, "rubbish") for week in range(52) for cell in range(SIDE * SIDE)
    ]
    loud = [one for week in range(5) for one in burst(HOT, 12, age=7 * week + 2)]
    return lookout(calm + loud, days=WINDOW_DAYS)


@pytest.mark.parametrize(
    ("method", "look"),
    [("gi", hot_map()), ("scan", hot_map()), ("emerging", weekly_map())],
    ids=["gi", "scan", "emerging"],
)
def test_a_hot_area_carries_all_that_explains_it(method: str, look: Lookout) -> None:
    answer = METHODS[method](look)
    assert answer.facts["tested"]
    assert answer.facts["base"] == dict(zip(("zh", "en"), squares.NAMES, strict=True))
    found = findings(answer)
    hot = next(one for one in found if one["members"][0] == "G027")
    assert set(CARRIED) <= set(hot)
    assert hot["ratio"] == pytest.approx(hot["observed"] / hot["expected"])
    assert hot["ratio"] > 1
    assert hot["p"] <= hot["p_adjusted"] <= 0.05
    assert str(hot["observed"]) in hot["zh"]
    assert str(hot["observed"]) in hot["en"]
    assert "实有人口" in hot["zh"]
    assert "present residents" in hot["en"]
    assert "noise" in {kind["category"] for kind in hot["kinds"]}
    assert 100 < hot["lon"] < 130
    assert 30 < hot["lat"] < 40


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("incidents", [0, 1, 29])
def test_under_30_incidents_there_are_counts_only_and_why(method: str, incidents: int) -> None:
    look = lookout(burst(HOT, incidents) if incidents else [])
    answer = METHODS[method](look)
    assert not answer.is_tested
    assert findings(answer) == []
    reason = answer.facts["reason"]
    assert reason["zh"]
    assert reason["en"]
    assert answer.counts.sum() == (incidents if method != "emerging" else answer.counts.sum())


def test_a_hot_cell_names_its_neighbours_and_lies_in_its_own_unit() -> None:
    border = SIDE // 2 - 1 + SIDE
    (area, *_) = gi(lookout(everywhere(2) + burst(border, 40))).areas
    assert len(area.members) == 9
    assert area.unit_path.endswith("610999100001/")


def test_a_corner_has_three_neighbours() -> None:
    (area, *_) = gi(lookout(everywhere(2) + burst(0, 40))).areas
    assert sorted(area.members) == ["G000", "G001", "G008", "G009"]


def test_a_cluster_over_two_villages_is_the_towns() -> None:
    border = SIDE // 2 - 1
    look = lookout(everywhere(2) + burst(border, 40) + burst(border + 1, 40))
    area = scan_answer(look).areas[0]
    assert {"G003", "G004"} <= set(area.members)
    assert area.unit_path == "/610999/610999100/"


def test_the_surest_come_first() -> None:
    look = lookout(everywhere(2) + burst(9, 25) + burst(54, 60))
    p = [area.p_adjusted for area in gi(look).areas]
    assert p == sorted(p)
    assert gi(look).areas[0].members[0] == "G054"


def test_nothing_is_hot_where_all_is_alike() -> None:
    look = lookout(everywhere(4))
    assert [*gi(look).areas, *scan_answer(look).areas] == []


def test_without_residents_places_are_compared_and_the_sentence_says_so() -> None:
    loud = [one for cell in (HOT, HOT + 1, HOT + SIDE) for one in burst(cell, 40)]
    look = lookout(everywhere(2) + loud, people=0.0)
    for answer in (gi(look), scan_answer(look)):
        assert answer.facts["base"] is None
        assert "人口" not in answer.areas[0].zh


def test_incidents_where_nobody_lives_are_set_aside_and_counted() -> None:
    people = np.full(SIDE * SIDE, 100.0)
    people[HOT] = 0.0
    look = lookout(everywhere(2) + burst(HOT, 40), people=people.tolist())
    for answer in (gi(look), scan_answer(look)):
        assert answer.facts["set_aside"] == 42
        assert all(area.members[0] != "G027" for area in answer.areas)
        assert answer.counts[HOT] == 42


def test_incidents_in_no_cell_are_counted_as_not_located() -> None:
    facts = gi(lookout(everywhere(1) + burst(-1, 5))).facts
    assert (facts["incidents"], facts["located"]) == (69, 64)


def test_coincident_incidents_are_counted() -> None:
    facts = gi(lookout(burst(HOT, 97 * 2))).facts
    assert facts["coincident"] == 97


@pytest.mark.parametrize(
    ("before", "phase"),
    [(0, "new"), (40, "persistent"), (12, "intensifying"), (160, "diminishing")],
)
def test_the_window_before_tells_the_phase(before: int, phase: str) -> None:
    look = lookout(
        everywhere(1) + everywhere(1, age=33) + burst(HOT, 40) + burst(HOT, before, age=33)
    )
    (area,) = (one for one in gi(look).areas if one.members[0] == "G027")
    assert area.phase == phase


def test_where_nothing_is_known_of_before_no_phase_is_said() -> None:
    assert {area.phase for area in gi(hot_map()).areas} == {None}


def test_a_category_over_the_weeks_goes_before_the_window_before() -> None:
    look = hot_map()
    categories = ["none"] * (SIDE * SIDE)
    categories[HOT] = "diminishing hot"
    (area,) = (
        one for one in gi_answer(look, pd.Series(categories))[0].areas if one.members[0] == "G027"
    )
    assert (area.category, area.phase) == ("diminishing hot", "diminishing")


def test_weeks_before_the_first_incident_do_not_count() -> None:
    assert weeks_known(weekly_map()) == 52
    assert weeks_known(lookout([])) == 0
    assert weeks_known(lookout(burst(1, 1, age=6))) == 1
    assert weeks_known(lookout(burst(1, 1, age=5))) == 0
    assert weeks_known(lookout(burst(1, 1, age=3_000))) == 104


def test_too_few_weeks_give_no_category_and_say_so() -> None:
    look = lookout(everywhere(2, age=7 * FEWEST_WEEKS - 8), days=WINDOW_DAYS)
    assert emerging_answer(look).facts["reason"]["code"] == "few-weeks"


def test_a_cell_over_the_weeks_has_its_category_and_word() -> None:
    areas = {area.members[0]: area for area in emerging_answer(weekly_map()).areas}
    assert areas["G027"].category == "consecutive hot"
    assert areas["G027"].phase == "new"
    assert areas["G027"].more["hot_steps"] == 5
    assert "52 周中有 5 周" in areas["G027"].zh
    assert "5 of 52 weeks" in areas["G027"].en


def test_a_gathering_of_the_last_weeks_is_found_against_its_own_past() -> None:
    (area, *_) = lasting_clusters(weekly_map())
    assert "G027" in area.members
    assert area.more["over"] == "space_time"
    assert area.more["weeks"] == 5
    assert area.window.days == 35
    assert area.more["recurrence_weeks"] == pytest.approx(1 / area.p)


def test_what_is_always_high_is_no_gathering_of_the_last_weeks() -> None:
    always = [one for week in range(26) for one in burst(HOT, 12, age=7 * week + 2)]
    calm = [(cell, 7 * week, "x") for week in range(26) for cell in range(SIDE * SIDE)]
    assert lasting_clusters(lookout(always + calm)) == []


def test_a_scan_of_too_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.hotspots.scan_areas.MOST_CELLS", 10)
    with pytest.raises(TooLarge, match="at most 10"):
        scan_answer(hot_map())


def test_repeats_close_by_and_soon_are_told_as_bands() -> None:
    rng = np.random.default_rng(3)
    first = [(int(rng.integers(64)), int(rng.integers(0, 90)), "x") for _ in range(200)]
    again = [(cell, max(age - 2, 0), "x") for cell, age, _ in first]
    answer = repeat_answer(lookout(first + again, days=90))
    assert answer.areas
    assert all(area.more["from_days"] < area.more["to_days"] for area in answer.areas)
    assert "若时间与地点无关" in answer.areas[0].zh
    assert len(answer.facts["table"]) == 9


@pytest.mark.parametrize("method", METHODS)
def test_the_same_incidents_give_the_same_bytes(method: str) -> None:
    def sent() -> bytes:
        answer = METHODS[method](weekly_map() if method == "emerging" else hot_map())
        return orjson.dumps(told(answer.facts, findings(answer), counts(answer)))

    assert sent() == sent()


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_is_plain_json(method: str) -> None:
    answer = METHODS[method](hot_map())
    json.dumps(told(answer.facts, findings(answer), counts(answer)), allow_nan=False)


def test_kinds_with_few_incidents_are_not_named() -> None:
    pairs = [("event", "noise"), ("dispute", "family"), ("event", "road"), ("event", "fire")]
    at_least = [LEAST_TOLD, LEAST_TOLD - 1, 9, 0]
    found = top_kinds(np.array(at_least), pairs)
    assert [(one["category"], one["incidents"]) for one in found] == [("road", 9), ("noise", 5)]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=12))
def test_the_kinds_told_are_the_most_frequent(given_counts: list[int]) -> None:
    pairs = [("event", f"k{at:02d}") for at in range(len(given_counts))]
    told_counts = [one["incidents"] for one in top_kinds(np.array(given_counts, int), pairs)]
    assert told_counts == sorted((n for n in given_counts if n >= LEAST_TOLD), reverse=True)[:3]
    assert len(told_counts) <= MOST_KINDS


@pytest.mark.parametrize(
    ("paths", "common"),
    [
        (["/1/"], "/1/"), (["/1/11/", "/1/12/"], "/1/"), (["/1/11/", "/1/11/"], "/1/11/"),
        (["/1/11/", "/1/111/"], "/1/"), (["/1/", "/2/"], "/"), (["/1/11/", "/1/"], "/1/"),
    ],
)  # fmt: skip
def test_the_least_unit_that_holds_all(paths: list[str], common: str) -> None:
    assert common_unit(paths) == common


def test_counts_of_some_kind_under_five_are_not_told() -> None:
    answer = gi(lookout(burst(1, 4) + burst(2, 5)))
    assert [one["cell"] for one in counts(answer)] == ["G001", "G002"]
    assert [one["cell"] for one in counts(answer, least=5)] == ["G002"]


def test_counts_are_told_only_where_nothing_was_tested() -> None:
    tested, thin = gi(hot_map()), gi(lookout(burst(1, 4)))
    assert told(tested.facts, findings(tested), counts(tested))["counts"] == []
    assert len(told(thin.facts, [], counts(thin))["counts"]) == 1


def test_numbers_that_are_none_become_null() -> None:
    (area, *_) = scan_answer(lookout(burst(HOT, 60))).areas
    assert math.isinf(area.more["relative_risk"])
    assert area.wire["relative_risk"] is None
