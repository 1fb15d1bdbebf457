"""Faults of fields in words: every kind that a request can have is said in Chinese."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gis_service.field_words import WORDS, said_of


class Some(BaseModel):
    """Fields of every sort that requests have."""

    model_config = ConfigDict(extra="forbid")
    number: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5
    word: Annotated[str, Field(min_length=1, max_length=3, pattern="^a")] = "a"
    things: Annotated[list[int], Field(min_length=1, max_length=2)] = Field(default=[1])
    kind: Literal["csv", "shp"] = "csv"
    on: date | None = None
    yes: bool = False
    table: dict[str, int] = Field(default={})


CASES: list[tuple[dict[str, Any], str]] = [
    ({"number": 0}, "不能小于 1"), ({"number": 10}, "不能大于 9"), ({"number": "x"}, "应为整数"),
    ({"number": 1.5}, "应为整数"), ({"number": None}, "应为整数"), ({"share": 0}, "应大于 0"),
    ({"share": 1}, "应小于 1"), ({"share": float("nan")}, "有限"), ({"share": "x"}, "应为数字"),
    ({"word": ""}, "至少 1 个字符"), ({"word": "aaaa"}, "最多 3 个字符"), ({"word": 1}, "文字"),
    ({"word": "b"}, "写法不符"), ({"things": []}, "至少 1 项"),
    ({"things": [1, 2, 3]}, "最多 2 项"),
    ({"things": 1}, "应为列表"), ({"kind": "exe"}, "'csv'"), ({"on": "soon"}, "应为日期"),
    ({"on": "2026-13-01"}, "应为日期"), ({"yes": "x"}, "true 或 false"),
    ({"table": 1}, "应为对象"),
    ({"more": 1}, "没有这个字段"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "zh"), CASES, ids=repr)
def test_each_kind_is_said_with_what_would_fit(body: dict[str, Any], zh: str) -> None:
    with pytest.raises(ValidationError) as failed:
        Some.model_validate(body)
    for fault in failed.value.errors():
        said = said_of(fault)
        assert zh in said[0]
        assert said[1] == fault["msg"]


def test_a_kind_that_is_not_known_is_named() -> None:
    assert said_of({"type": "odd_kind"}) == ("odd_kind", "odd_kind")
    assert said_of({"type": "odd_kind", "msg": "m", "ctx": {"zh": "怪"}}) == ("怪", "m")


def test_a_bound_that_is_not_told_leaves_the_kind() -> None:
    for kind in WORDS:
        zh, en = said_of({"type": kind, "msg": "m"})
        assert "{" not in zh and zh and en == "m"


def test_what_is_said_is_never_long() -> None:
    zh, en = said_of({"type": "literal_error", "msg": "x" * 999, "ctx": {"expected": "y" * 999}})
    assert len(zh) == len(en) == 300
