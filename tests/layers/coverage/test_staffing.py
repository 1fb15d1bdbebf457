"""Staffing rules and loads, by hand and by properties."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.coverage.staffing import (
    AMOUNTS,
    PROFILES,
    StaffProfile,
    StaffRule,
    breaches,
    loads,
    persons_per_grid,
    profile_named,
    spread_of,
)

ONE, THREE = PROFILES["one"], PROFILES["three"]
Posting = tuple[str, str | None, str]


def grids(*kinds: str) -> pd.DataFrame:
    """Return grids A, B, … with 10, 20, … people."""
    codes = [chr(ord("A") + n) for n in range(len(kinds))]
    amounts = {name: [10.0 * (n + 1) for n in range(len(kinds))] for name in AMOUNTS}
    return pd.DataFrame({"kind": list(kinds), **amounts}, index=pd.Index(codes, dtype=object))


def held(*postings: Posting) -> pd.DataFrame:
    return pd.DataFrame(list(postings), columns=["worker_id", "grid_code", "role"], dtype=object)


def told(found: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in found.to_numpy().tolist()]


TWO = grids("residential", "special")


def test_a_grid_without_chief_or_worker_breaks_the_first_rule() -> None:
    found = breaches(TWO, held(("w1", "A", "worker")), ONE)
    assert told(found) == [("B", "somebody", 0, 1)]
    assert list(found.columns) == ["grid_code", "rule", "has", "needs"]


def test_a_chief_alone_is_somebody() -> None:
    assert breaches(TWO, held(("c", "A", "chief"), ("c", "B", "chief")), ONE).empty


def test_cadres_heads_and_service_posts_never_count() -> None:
    others = [("x", "A", role) for role in ("cadre", "head", "deputy_head", "service_post")]
    assert told(breaches(TWO.head(1), held(*others), ONE)) == [("A", "somebody", 0, 1)]
    assert loads(TWO, held(*others)).empty


def test_a_special_grid_is_not_bound_by_rules_of_residential_ones() -> None:
    staff = held(("c", "A", "chief"), ("w1", "A", "worker"), ("w2", "A", "worker"),
                 ("w3", "B", "worker"))  # fmt: skip
    assert breaches(TWO, staff, THREE).empty
    assert told(breaches(TWO, staff.iloc[1:], THREE)) == [
        ("A", "chief", 0, 1),
        ("A", "three", 2, 3),
    ]


def test_a_person_of_two_roles_in_a_grid_counts_once() -> None:
    staff = held(("c", "A", "chief"), ("c", "A", "worker"), ("c", "A", "worker"))
    assert persons_per_grid(TWO, staff).to_dict() == {"A": 1, "B": 0}
    assert ("A", "three", 1, 3) in told(breaches(TWO, staff, THREE))


def test_a_worker_of_two_grids_is_told_at_both_and_a_chief_is_not() -> None:
    staff = held(("w", "A", "worker"), ("w", "B", "worker"), ("c", "A", "chief"),
                 ("c", "B", "chief"))  # fmt: skip
    assert told(breaches(TWO, staff, ONE)) == [
        ("A", "grids-of-one-worker", 2, 1), ("B", "grids-of-one-worker", 2, 1),
    ]  # fmt: skip


def test_posts_of_villages_and_of_grids_that_ended_count_nowhere() -> None:
    staff = held(("h", None, "worker"), ("w", "Z", "worker"), ("w", "A", "worker"))
    assert told(breaches(TWO, staff, ONE)) == [("B", "somebody", 0, 1)]
    assert loads(TWO, staff).index.tolist() == ["w"]


def test_nobody_at_all_and_no_grid_at_all() -> None:
    assert told(breaches(TWO, held(), ONE)) == [("A", "somebody", 0, 1), ("B", "somebody", 0, 1)]
    assert breaches(TWO.head(0), held(("w", "A", "worker")), THREE).empty
    assert loads(TWO, held()).empty
    assert set(spread_of(loads(TWO, held())).values()) == {None}


def test_rules_are_data() -> None:
    own = StaffProfile("own", "自定", "Own", (StaffRule("two", "两名", "Two", ("worker",), 2),), {})
    staff = held(("w1", "A", "worker"), ("c", "A", "chief"), ("w1", "B", "worker"),
                 ("w2", "B", "worker"))  # fmt: skip
    assert told(breaches(TWO, staff, own)) == [("A", "two", 1, 2)]


def test_every_profile_says_its_rules_in_both_languages_and_names_them_once() -> None:
    for profile in PROFILES.values():
        names = [rule.name for rule in profile.rules]
        assert len(set(names)) == len(names)
        assert all(rule.zh and rule.en and rule.at_least > 0 for rule in profile.rules)


def test_a_profile_that_there_is_none_of_is_refused() -> None:
    assert profile_named("one") is ONE
    with pytest.raises(Refused) as refused:
        profile_named("x" * 99)
    assert (refused.value.code, len(refused.value.where["profile"])) == (
        "no-such-staff-profile",
        40,
    )


def test_loads_by_hand() -> None:
    found = loads(TWO, held(("c", "A", "chief"), ("c", "B", "chief"), ("w", "A", "worker")))
    assert found["people"].to_dict() == {"c": 25, "w": 5}
    assert found["grids"].to_dict() == {"c": 2, "w": 1}
    assert spread_of(found)["people"] == {"least": 5, "median": 15, "most": 25}


def test_what_nobody_counted_is_no_load() -> None:
    some = TWO.assign(people=[float("nan"), 8])
    assert loads(some, held(("w", "A", "worker"), ("v", "B", "worker")))["people"].tolist() == [
        8,
        0,
    ]


postings = st.lists(
    st.tuples(st.sampled_from("uvwx"), st.sampled_from(["A", "B", "C", "Z", None]),
              st.sampled_from(["chief", "worker", "cadre", "head"])), max_size=15,
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=30)
@given(postings)
def test_loads_add_up_to_what_is_in_the_grids_that_somebody_holds(some: list[Posting]) -> None:
    three = grids("residential", "special", "residential")
    staff = held(*some)
    persons = persons_per_grid(three, staff)
    found = loads(three, staff)
    assert found["people"].sum() == pytest.approx(three.loc[persons > 0, "people"].sum())
    assert found["grids"].sum() == persons.sum()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(postings, st.randoms(use_true_random=False))
def test_breaches_are_those_counted_one_by_one_in_any_order(
    some: list[Posting], chance: Any
) -> None:
    three = grids("residential", "special", "residential")
    mixed = list(some)
    chance.shuffle(mixed)
    expected = []
    for code, kind in three["kind"].items():
        here = [(who, role) for who, at, role in some if at == code]
        counted = {who for who, role in here if role in ("chief", "worker")}
        chiefs = {who for who, role in here if role == "chief"}
        if not counted:
            expected.append((code, "somebody", 0, 1))
        if kind == "residential" and not chiefs:
            expected.append((code, "chief", 0, 1))
        if kind == "residential" and len(counted) < 3:
            expected.append((code, "three", len(counted), 3))
        spread = [
            len({at for who, at, role in some
                 if who == person and role == "worker" and at in three.index})
            for person in {who for who, role in here if role == "worker"}
        ]  # fmt: skip
        if max(spread, default=0) > 1:
            expected.append((code, "grids-of-one-worker", max(spread), 1))
    for order in (some, mixed):
        assert told(breaches(three, held(*order), THREE)) == expected


@settings(derandomize=True, deadline=None, max_examples=30)
@given(postings)
def test_one_more_person_mends_no_less(some: list[Posting]) -> None:
    three = grids("residential", "special", "residential")
    before = breaches(three, held(*some), THREE)
    after = breaches(three, held(*some, ("new", "A", "chief")), THREE)
    assert set(after["grid_code"] + after["rule"]) <= set(before["grid_code"] + before["rule"])
