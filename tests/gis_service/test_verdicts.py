"""What became of each item, told in their order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.verdicts import Row, Verdict, verdicts
from grid_boundaries.errors import Malformed, NotAllowed, Refused


def row(key: str, digest: str = "d") -> Row:
    return {"id": key, "body_digest": digest}


def states(found: list[Verdict]) -> list[str]:
    return [one.status for one in found]


def test_nothing_sent_is_nothing_told() -> None:
    assert verdicts([], [], [], {}) == []


def test_what_is_new_is_stored_and_what_was_there_is_told_so() -> None:
    found = verdicts([{}, {}], [row("a"), row("b")], ["a"], {"a": "d", "b": "d"})
    assert states(found) == ["stored", "already"]
    assert [one.id for one in found] == ["a", "b"]


def test_the_same_item_twice_in_one_body_is_stored_once() -> None:
    found = verdicts([{}] * 3, [row("a")] * 3, ["a"], {"a": "d"})
    assert states(found) == ["stored", "already", "already"]


def test_an_id_with_two_bodies_keeps_the_first_and_names_the_second() -> None:
    found = verdicts([{}, {}], [row("a"), row("a", "other")], ["a"], {"a": "d"})
    assert states(found) == ["stored", "rejected"]
    assert found[1].refused is not None
    assert (found[1].refused.code, found[1].refused.where["id"]) == ("id-taken", "a")


def test_an_id_that_others_cannot_see_is_taken_all_the_same() -> None:
    (one,) = verdicts([{}], [row("a")], [], {})
    assert (one.status, one.id) == ("rejected", "a")


@pytest.mark.parametrize(
    ("item", "key"),
    [({"id": "x"}, "x"), ({"id": 7}, None), ({}, None), (None, None), ([], None), ("id", None),
     ({"id": "n" * 500}, "n" * 64), ({"id": "\ud83d"}, "?"), ({"id": None}, None)],
)  # fmt: skip
def test_a_refused_item_is_named_as_far_as_it_can_be(item: Any, key: str | None) -> None:
    refused = Malformed("bad", "坏", "bad", field="x")
    (one,) = verdicts([item], [refused], [], {})
    assert (one.id, one.status, one.refused) == (key, "rejected", refused)


def test_the_answer_holds_a_reason_only_where_there_is_one() -> None:
    assert Verdict("a", "stored").wire == {"id": "a", "status": "stored"}
    told = Verdict("a", "rejected", NotAllowed("c", "z", "e", lon=1.5)).wire
    assert told["problem"] == {"code": "c", "zh": "z", "en": "e", "where": {"lon": 1.5}}


_SENT = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.booleans()), max_size=12
)
_HELD = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(_SENT, _HELD)
def test_a_batch_ends_as_if_its_items_had_come_one_by_one(
    sent: list[tuple[str, str, bool]], held: dict[str, str]
) -> None:
    outcomes: list[Row | Refused] = [
        row(key, digest) if good else Refused("no", "否", "no") for key, digest, good in sent
    ]
    one_by_one = dict(held)
    expected = []
    for key, digest, good in sent:
        if not good:
            expected.append("rejected")
        elif key not in one_by_one:
            one_by_one[key] = digest
            expected.append("stored")
        else:
            expected.append("already" if one_by_one[key] == digest else "rejected")
    new = set(one_by_one) - set(held)
    items = [{"id": key} for key, _, _ in sent]
    assert states(verdicts(items, outcomes, new, one_by_one)) == expected
