"""Which ETags a request holds, however a browser or a proxy writes them."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from gis_service.etags import known_etags


def asked_with(*values: str) -> Request:
    headers = [(b"if-none-match", value.encode("latin-1")) for value in values]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ((), set()), (("",), set()), ((" , ,",), set()), (('"a"',), {'"a"'}),
        (('W/"a"',), {'"a"'}), (('"a", W/"b"',), {'"a"', '"b"'}), (('"a"', '"b"'), {'"a"', '"b"'}),
        (('  "a"  ,',), {'"a"'}), (("a",), {"a"}), (('w/"a"',), {'w/"a"'}), (("*",), {"*"}),
        (('"a","a"',), {'"a"'}), (('"' + "x" * 9000 + '"',), {'"' + "x" * 9000 + '"'}),
    ],
)  # fmt: skip
def test_each_tag_is_known_once_and_without_its_weak_mark(
    values: tuple[str, ...], known: set[str]
) -> None:
    assert known_etags(asked_with(*values)) == known
