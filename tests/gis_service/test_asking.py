"""What a handler may rely on: a box is a box, a body is JSON of our own pages or of a program."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from gis_service.routes.asking import box_of, json_body
from grid_boundaries.errors import Malformed, NotAllowed, Unsupported

JSON = {"content-type": "application/json", "host": "gis.county:8000"}


@pytest.mark.parametrize(
    ("text", "box"),
    [
        (None, None),
        ("1,2,3,4", (1, 2, 3, 4)),
        ("-180,-90,180,90", (-180, -90, 180, 90)),
        ("1,2,1,2", (1, 2, 1, 2)),
        (" 1 , 2 , 3 , 4 ", (1, 2, 3, 4)),
        ("1e1,2,3e1,4", (10, 2, 30, 4)),
    ],
)
def test_four_numbers_of_this_earth_are_a_box(
    text: str | None, box: tuple[float, ...] | None
) -> None:
    assert box_of(text) == box


@pytest.mark.parametrize(
    "text",
    ["", ",", "1,2,3", "1,2,3,4,5", "a,2,3,4", "nan,2,3,4", "1,nan,3,4", "1,2,nan,4", "1,2,3,nan",
     "inf,2,3,4", "-inf,-inf,inf,inf", "3,2,1,4", "1,4,3,2", "-181,0,0,0", "0,0,181,0",
     "0,-91,0,0", "0,0,0,91", "0x1,2,3,4", "1;2;3;4", "1,2,3,4;drop table grid", "1,,3,4"],
)  # fmt: skip
def test_anything_else_is_no_box(text: str) -> None:
    with pytest.raises(Malformed) as found:
        box_of(text)
    assert (found.value.code, found.value.where["field"]) == ("bad-bbox", "bbox")


def body_of(headers: dict[str, str]) -> bytes:
    """Return what is taken of a request with the body ``{}``."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return asyncio.run(json_body(Request({"type": "http", "headers": raw}, receive)))


@pytest.mark.parametrize(
    "more",
    [
        {}, {"origin": "http://gis.county:8000"}, {"origin": "https://gis.county:8000"},
        {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"},
        {"content-type": "application/json; charset=utf-8"}, {"content-type": " Application/JSON"},
    ],
)  # fmt: skip
def test_our_pages_and_programs_may_send(more: dict[str, str]) -> None:
    assert body_of(JSON | more) == b"{}"


@pytest.mark.parametrize(
    "more",
    [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""},
        {"origin": "http://gis.county"}, {"origin": "http://gis.county:8001"},
        {"origin": "http://gis.county:8000.evil.example"}, {"origin": "http://a@gis.county:8000"},
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": ""},
        {"origin": "http://gis.county:8000", "sec-fetch-site": "cross-site"},
    ],
)  # fmt: skip
def test_another_site_may_not(more: dict[str, str]) -> None:
    with pytest.raises(NotAllowed) as found:
        body_of(JSON | more)
    assert found.value.code == "other-origin"


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "application/jsonp", "application/json+ld", "json"],
)  # fmt: skip
def test_what_a_form_of_another_site_could_send_is_not_taken(kind: str) -> None:
    with pytest.raises(Unsupported) as found:
        body_of(JSON | {"content-type": kind})
    assert found.value.code == "not-json"
