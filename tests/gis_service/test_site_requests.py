"""What is asked about new sites: what fits, what goes together, what is said of what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.plan_requests import read
from gis_service.routes.bodies import schema_of
from gis_service.site_requests import MOST_SITES, NextSitesAsked, ServicePostsAsked
from grid_boundaries.errors import Malformed, Refused


def sites(**asked: Any) -> NextSitesAsked:
    return read(NextSitesAsked, json.dumps(asked).encode())


def posts(**asked: Any) -> ServicePostsAsked:
    return read(ServicePostsAsked, json.dumps(asked).encode())


def said(**asked: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        sites(**asked)
    return caught.value.zh, caught.value.en


def test_what_is_not_said_is_usual() -> None:
    asked = sites(sites=3)
    assert (asked.at, asked.weigh, asked.bearings, asked.range_m) == (["poles"], "people", 8, 50.0)
    assert (asked.field_of_view_deg, asked.per_post, asked.within_s) == (90.0, 2, 10.0)
    assert (asked.unit, asked.posts) == (None, None)


def test_what_is_usual_is_nobodys_own() -> None:
    sites(sites=1).at.append("facades")
    assert sites(sites=1).at == ["poles"]


@pytest.mark.parametrize(
    ("asked", "most"),
    [({"sites": 7}, 7), ({"sites": 500}, 500), ({"target_share": 0.5}, MOST_SITES),
     ({"budget_yuan": 100, "each_yuan": 30}, 3), ({"budget_yuan": 90, "each_yuan": 30}, 3),
     ({"budget_yuan": 89.99, "each_yuan": 30}, 2), ({"budget_yuan": 1e12, "each_yuan": 1}, 500)],
)  # fmt: skip
def test_how_many_there_may_be(asked: Any, most: int) -> None:
    assert sites(**asked).most == most


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.floats(0.01, 1e9), st.floats(0.01, 1e9))
def test_a_budget_is_never_overspent(budget_yuan: float, each_yuan: float) -> None:
    if budget_yuan < each_yuan:
        assert "预算" in said(budget_yuan=budget_yuan, each_yuan=each_yuan)[0]
        return
    most = sites(budget_yuan=budget_yuan, each_yuan=each_yuan).most
    assert most * each_yuan <= budget_yuan * (1 + 1e-12)
    assert most == MOST_SITES or (most + 1) * each_yuan > budget_yuan * (1 - 1e-12)


@pytest.mark.parametrize(
    ("asked", "zh", "en"),
    [({}, "须且只能给一个", "give one of sites"),
     ({"sites": 1, "target_share": 1}, "须且只能给一个", "give one of sites"),
     ({"sites": 1, "budget_yuan": 9, "each_yuan": 3}, "须且只能给一个", "give one of sites"),
     ({"budget_yuan": 9}, "须同时给出", "go together"),
     ({"sites": 1, "each_yuan": 3}, "须同时给出", "go together"),
     ({"budget_yuan": 2, "each_yuan": 3}, "预算不够一台", "does not pay for one"),
     ({"sites": 1, "posts": [], "at": ["facades", "junctions"]}, "含 poles", "at has poles")],
)  # fmt: skip
def test_what_does_not_go_together_is_said(asked: Any, zh: str, en: str) -> None:
    in_chinese, in_english = said(**asked)
    assert zh in in_chinese
    assert en in in_english


@pytest.mark.parametrize(
    "asked",
    [{"sites": "x"}, {"sites": 1.5}, {"sites": -1}, {"sites": 10**40}, {"sites": [1]},
     {"sites": 1, "range_m": 1e400}, {"sites": 1, "range_m": -1}, {"sites": 1, "unit": "x" * 65},
     {"sites": 1, "posts": [[0, 91]]}, {"sites": 1, "posts": "everywhere"},
     {"sites": 1, "posts": [[0, 0, 0]]}, {"sites": 1, "posts": [[0, 0]] * 5001},
     {"sites": 1, "at": ["poles"] * 4}, {"sites": 1, "at": "poles"}, {"sites": 1, "__class__": 1},
     {"sites": 1, "within_s": -1}, {"sites": 1, "cell_m": 101}, {"sites": 1, "bearings": 2.5}],
)  # fmt: skip
def test_hostile_values_are_refused(asked: Any) -> None:
    body = json.dumps(asked).replace("Infinity", "1e400").encode()
    with pytest.raises((Refused, Malformed)):
        read(NextSitesAsked, body)


def test_a_goal_needs_its_number() -> None:
    assert posts(goal="nearest", sites=2).existing == []
    assert posts(goal="all", limit_minutes=5).sites is None
    for asked in ({"goal": "nearest"}, {"goal": "worst", "limit_minutes": 5}, {"goal": "all"}):
        with pytest.raises(Refused):
            posts(**asked)


@pytest.mark.parametrize("word", ["", "A", "a b", "a;drop table place", "a" * 41, "警务室", "%"])
def test_kinds_are_plain_words(word: str) -> None:
    with pytest.raises(Refused):
        posts(goal="nearest", sites=1, existing=[word])
    assert posts(goal="nearest", sites=1, existing=["police_room", "aed"]).existing[0]


@pytest.mark.parametrize("model", [NextSitesAsked, ServicePostsAsked])
def test_every_field_is_described(model: Any) -> None:
    schema = schema_of(model)
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(model.model_fields)
