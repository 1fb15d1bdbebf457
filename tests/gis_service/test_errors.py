"""How a refusal becomes an answer: each class its status, both languages, nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg_pool import PoolTimeout, TooManyRequests
from sqlalchemy import exc as database_errors
from starlette.datastructures import Headers

from gis_service.errors import (
    RETRY_AFTER_S,
    STATUS,
    TITLES,
    TooSlow,
    WrongMethod,
    busy,
    field_refusal,
    json_bytes,
    language_of,
    problem,
    problem_answers,
    refusal_of,
    status_of,
)
from grid_boundaries.errors import (
    Conflict,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    TooLarge,
    Unavailable,
    Unsupported,
)

EXPECTED: dict[type[Refused], int] = {
    Malformed: 400, NotSignedIn: 401, NotAllowed: 403, NotFound: 404, WrongMethod: 405,
    TooSlow: 408, Conflict: 409, TooLarge: 413, Unsupported: 415, Unavailable: 503, Refused: 422,
}  # fmt: skip


def spoken(language: str) -> Headers:
    return Headers({"accept-language": language})


def every_kind(top: type[Refused] = Refused) -> Iterator[type[Refused]]:
    """Yield the class and all below it that are known by now."""
    yield top
    for below in top.__subclasses__():
        yield from every_kind(below)


@pytest.mark.parametrize(("kind", "status"), EXPECTED.items())
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_kind_of_refusal_has_its_status_in_both_languages(
    kind: type[Refused], status: int, language: str
) -> None:
    answer = problem(kind("code", "原因", "reason", place="7"), spoken(language))
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["status"], status_of(kind("c", "z", "e"))) == (status,) * 3
    assert body["detail"] == {"zh": "原因", "en": "reason"}[language]
    assert body["title"] == dict(zip(("zh", "en"), TITLES[status], strict=True))[language]
    assert (body["zh"], body["en"], body["where"]) == ("原因", "reason", {"place": "7"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers["content-language"], answer.headers["cache-control"]) == (
        language,
        "no-store",
    )


def test_every_refusal_that_is_declared_anywhere_has_a_status_with_titles() -> None:
    for kind in every_kind():
        if issubclass(kind, UnicodeError):
            continue
        status = next((code for known, code in STATUS.items() if issubclass(kind, known)), 422)
        assert all(TITLES[status])


def test_only_a_busy_service_asks_to_come_again_and_only_a_stranger_to_sign_in() -> None:
    for kind in EXPECTED:
        headers = problem(kind("c", "z", "e"), spoken("zh")).headers
        assert headers.get("retry-after") == (str(RETRY_AFTER_S) if kind is Unavailable else None)
        assert headers.get("www-authenticate") == ("Bearer" if kind is NotSignedIn else None)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"), ("en", "en"), ("zh", "zh"), ("en-GB,zh;q=0.9", "en"), ("zh-CN,en", "zh"),
        ("fr,en", "en"), ("fr", "zh"), ("EN", "en"), (" en ", "en"), ("de,fr,zh-TW", "zh"),
        ("*", "zh"), (",,,", "zh"), ("e", "zh"), ("english", "en"), ("x" * 5000, "zh"),
    ],
)  # fmt: skip
def test_the_first_language_that_is_known_is_spoken(header: str, language: str) -> None:
    assert language_of(spoken(header)) == language


def test_without_a_word_about_languages_it_is_chinese() -> None:
    assert language_of(Headers({})) == "zh"


BUSY: list[Exception] = [
    PoolTimeout("x"), TooManyRequests("x"), psycopg.OperationalError("secret host"),
    psycopg.errors.QueryCanceled("x"), psycopg.errors.LockNotAvailable("x"),
    database_errors.OperationalError("select secret", {}, Exception("x")),
    database_errors.TimeoutError("x"),
]  # fmt: skip
UNREADABLE: list[Exception] = [
    psycopg.DataError("x"), psycopg.errors.UntranslatableCharacter("x"),
    psycopg.errors.NumericValueOutOfRange("x"),
    database_errors.DataError("select secret", {}, Exception("x")),
]  # fmt: skip


@pytest.mark.parametrize("error", BUSY, ids=lambda error: type(error).__name__)
def test_a_database_that_is_busy_or_away_is_told_as_busy(error: Exception) -> None:
    told = refusal_of(error)
    assert isinstance(told, Unavailable)
    assert told.code == busy().code == "busy"
    assert "secret" not in json.dumps([told.zh, told.en, dict(told.where)])


@pytest.mark.parametrize("error", UNREADABLE, ids=lambda error: type(error).__name__)
def test_a_value_that_cannot_be_stored_is_the_askers_fault(error: Exception) -> None:
    told = refusal_of(error)
    assert isinstance(told, Malformed)
    assert "secret" not in told.en


@pytest.mark.parametrize(
    "error", [LookupError("x"), psycopg.ProgrammingError("x"), ValueError("x"), KeyError("x")]
)
def test_what_nobody_expected_is_no_refusal(error: Exception) -> None:
    assert refusal_of(error) is None


def test_a_refusal_stays_itself() -> None:
    one = Conflict("c", "z", "e")
    assert refusal_of(one) is one


def a_fault(*steps: str | int, kind: str = "missing") -> dict[str, Any]:
    return {"loc": steps, "type": kind}


def test_the_first_field_is_named_by_its_path() -> None:
    told = field_refusal([a_fault("body", "items", 3, "lon", kind="float_type"), a_fault("b")])
    assert "items.3.lon" in told.zh
    assert "float_type" in told.en
    assert told.where["faults"][0] == {
        "field": ["body", "items", "3", "lon"],
        "kind": "float_type",
    }


def test_a_thousand_faults_are_told_as_twenty() -> None:
    told = field_refusal([a_fault("body", f"f{n}") for n in range(1000)])
    assert len(told.where["faults"]) == 20


def test_a_long_name_of_a_field_is_cut() -> None:
    told = field_refusal([a_fault("body", "n" * 10_000)])
    assert len(told.zh) < 300


ODD: list[Any] = [
    {"lone": "\ud83d"}, {"huge": 10**40}, {"nested": [{"\udfff": 1}]}, {1: "number as name"},
    {"set": frozenset({1})}, [], None, "长",
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_whatever_was_sent_can_be_answered_as_json(value: Any) -> None:
    assert json.loads(json_bytes(value)) is not NotImplemented


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(_PLAIN)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    assert json.loads(json_bytes(value)) == value


@pytest.mark.parametrize("status", TITLES)
def test_every_status_is_described_for_programs(status: int) -> None:
    described = problem_answers(status)[status]
    schema = described["content"]["application/problem+json"]["schema"]
    answer = json.loads(bytes(problem(Refused("c", "z", "e"), spoken("en")).body))
    assert set(schema["required"]) == set(answer) == set(schema["properties"])
    assert described["description"] == TITLES[status][1]
