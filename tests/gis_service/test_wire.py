"""JSON as it comes in: one reading or none, whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.wire import DIGITS_LIMIT, JSON_LIMIT_BYTES, NAMES_LIMIT, read_json
from grid_boundaries.errors import Malformed, TooLarge

HOSTILE: list[tuple[bytes, str]] = [
    (b"", "not-json"),
    (b" ", "not-json"),
    (b"{", "not-json"),
    (b"{}}", "not-json"),
    (b"{'a':1}", "not-json"),
    (b'{"a":1,}', "not-json"),
    (b"[1 2]", "not-json"),
    (b"\x00", "not-json"),
    (b'"\x01"', "not-json"),
    (b"01", "not-json"),
    (b"+1", "not-json"),
    (b"0x10", "not-json"),
    (b"1.", "not-json"),
    (b"// no\n1", "not-json"),
    (b"undefined", "not-json"),
    (b"NaN", "not-a-number"),
    (b"[Infinity]", "not-a-number"),
    (b'{"a":-Infinity}', "not-a-number"),
    (b"\xef\xbb\xbf{}", "byte-order-mark"),
    ("{}".encode("utf-16"), "not-utf-8"),
    (b'"\xff"', "not-utf-8"),
    (b'"\xc3"', "not-utf-8"),
    ("名".encode("gbk"), "not-utf-8"),
    (b'"\xed\xa0\xbd"', "not-utf-8"),
    (b'{"a":1,"a":1}', "name-twice"),
    (b'{"o":{"a":1,"a":2}}', "name-twice"),
    (b'[{"":1,"":1}]', "name-twice"),
    (rb'{"a":1,"\u0061":2}', "name-twice"),
    (b"1" * (DIGITS_LIMIT + 1), "number-too-long"),
    (b"-" + b"9" * 5000, "number-too-long"),
    (b'{"a":' + b"7" * 5000 + b"}", "number-too-long"),
]


@pytest.mark.parametrize(("body", "code"), HOSTILE, ids=lambda value: repr(value)[:24])
def test_what_could_be_read_in_two_ways_is_not_read(body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as found:
        read_json(body)
    assert found.value.code == code
    assert found.value.zh.startswith("请求的 JSON 无法读懂：")


@pytest.mark.parametrize("opener", ["[", '{"a":', '[{"a":'])
def test_what_is_nested_a_hundred_thousand_deep_is_refused(opener: str) -> None:
    with pytest.raises(Malformed) as found:
        read_json(opener.encode() * 100_000)
    assert found.value.code in {"too-deep", "not-json"}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}), (b"[]", []), (b"null", None), (b" \n\t{}\r\n ", {}), (b"1e2", 100.0),
        (b"-0", 0), (b"9" * DIGITS_LIMIT, int("9" * DIGITS_LIMIT)), (b"1e400", float("inf")),
        ('"名字"'.encode(), "名字"), (rb'"\u540d"', "名"), (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d"', "\ud83d"), (rb'"\u0000"', "\0"), (b'{"a":{"a":1}}', {"a": {"a": 1}}),
    ],
)  # fmt: skip
def test_plain_json_is_read_as_it_stands(body: bytes, value: Any) -> None:
    assert read_json(body) == value


def test_the_place_of_a_fault_is_told() -> None:
    with pytest.raises(Malformed) as syntax:
        read_json(b'{"a": }')
    assert syntax.value.where["char"] == 6
    with pytest.raises(Malformed) as coding:
        read_json(b'{"a": "\xff"}')
    assert coding.value.where["byte"] == 7


def test_the_name_that_came_twice_is_told_cut_short() -> None:
    name = "n" * 500
    with pytest.raises(Malformed) as found:
        read_json(f'{{"{name}":1,"{name}":2}}'.encode())
    assert found.value.where["field"] == name[:100]


def test_the_limits_are_just_where_they_are_said_to_be() -> None:
    many = {str(number): number for number in range(NAMES_LIMIT)}
    assert len(read_json(json.dumps(many).encode())) == NAMES_LIMIT
    with pytest.raises(Malformed, match="too many names"):
        read_json(json.dumps(many | {"one": 1}).encode())
    padded = b" " * (JSON_LIMIT_BYTES - 2) + b"{}"
    assert read_json(padded) == {}
    with pytest.raises(TooLarge):
        read_json(b" " + padded)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(_JSON, st.booleans())
def test_what_python_writes_is_read_back(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert read_json(text.encode()) == value


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.binary(max_size=40))
def test_no_bytes_at_all_are_a_fault_of_the_service(body: bytes) -> None:
    try:
        value = read_json(body)
    except Malformed:
        return
    assert json.loads(body) == value
