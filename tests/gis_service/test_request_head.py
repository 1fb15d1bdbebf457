"""The head of a request on a plain socket: how long, how slow, how crooked it may be."""

from __future__ import annotations

import socket
from http.client import HTTPResponse

import pytest

from gis_service.request_head import HEAD_LIMIT_BYTES
from tests.county import COUNTY
from tests.serving import Client

GOOD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def plain(client: Client, wait_s: float = 60.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", client.port), timeout=wait_s)


def answered(client: Client, words: bytes, wait_s: float = 1.0) -> bytes:
    """Return everything that is answered until the other side hangs up or is silent."""
    found = b""
    with plain(client, wait_s) as line:
        line.sendall(words)
        try:
            while part := line.recv(65536):
                found += part
        except (TimeoutError, ConnectionError):
            pass
    return found


def statuses(found: bytes) -> list[int]:
    return [int(part.split()[0]) for part in found.split(b"HTTP/1.1 ")[1:]]


POST = b"POST /api/incidents HTTP/1.1\r\nHost: x\r\n"
CROOKED = {
    "no verb": b"/health HTTP/1.1\r\n\r\n",
    "bytes of a TLS greeting": bytes.fromhex("16030100f8010000f40303"),
    "zeros": b"\0" * 200,
    "a space before the colon": b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    "a NUL in a value": b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "a bare line feed in a name": b"GET /health HTTP/1.1\r\nHo\nst: x\r\n\r\n",
    "two lengths": b"POST /api/incidents HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Content-Length: 40\r\n\r\n{}",
    "a negative length": b"POST /api/incidents HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}",
    "a length in words": POST + b"Content-Length: two\r\n\r\n{}",
    "a chunk of no size": b"POST /api/incidents HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("words", CROOKED.values(), ids=CROOKED)
def test_what_is_no_request_is_refused_and_the_line_cut(client: Client, words: bytes) -> None:
    found = answered(client, words + GOOD)
    # one refusal, and nothing of what followed is taken for a request of its own
    assert statuses(found) in ([], [400], [400, 400])
    assert b"Traceback" not in found
    assert client.get("/health").status_code == 200


SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding:\x0bchunked",
    ],
)
def test_a_second_request_is_not_smuggled_in_a_body(client: Client, head: bytes) -> None:
    body = b"0\r\n\r\n" + SMUGGLED
    words = b"POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n" + body
    assert b"gis_requests_total" not in answered(client, words)


def test_requests_that_come_together_are_answered_in_their_order(client: Client) -> None:
    second = b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    found = answered(client, GOOD + second + last, wait_s=60.0)
    assert statuses(found) == [200, 404, 200]


def test_a_head_that_comes_letter_by_letter_is_read(client: Client) -> None:
    with plain(client) as line:
        for letter in GOOD:
            line.sendall(bytes([letter]))
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_head_just_short_of_the_limit_passes_and_one_past_it_does_not(client: Client) -> None:
    for size, status in ((HEAD_LIMIT_BYTES - 200, [200]), (HEAD_LIMIT_BYTES + 1, [400])):
        long = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"y" * size + b"\r\n\r\n"
        assert statuses(answered(client, long)) in (status, [])
    assert client.get("/health", headers={"X-Long": "y" * 60_000}).status_code == 200


def test_many_small_heads_on_one_line_do_not_add_up(client: Client) -> None:
    words = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"y" * 9000 + b"\r\n\r\n"
    with plain(client) as line:
        for _ in range(10):  # ninety kilobytes of heads in all
            line.sendall(words)
            answer = HTTPResponse(line)  # to its end, in however many pieces it comes
            answer.begin()
            assert (answer.status, bool(answer.read())) == (200, True)


def test_a_head_that_does_not_come_to_an_end_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_service.request_head.HEAD_WAIT_S", 0.3)
    for begun in (b"", b"GET /health HTTP/1.1\r\nHost: 127.0"):
        with plain(client) as line:
            line.sendall(begun)
            # a line that is not cut would end in a timeout here
            assert line.recv(100) in {b"", b"HTTP/1.1 400 Bad Request\r\n"}


def test_who_dribbles_does_not_keep_others_waiting(client: Client) -> None:
    lines = [plain(client) for _ in range(100)]
    for line in lines:
        line.sendall(b"GET /health HTTP/1.1\r\nX: ")
    assert client.get(f"/api/wall/{COUNTY}", headers=client.by("command")).status_code == 200
    for line in lines:
        line.close()


def test_ten_thousand_parameters_are_no_fault(client: Client) -> None:
    query = "&".join(f"p{n}=1" for n in range(5000))
    answer = client.get(f"/api/layers?{query}", headers=client.by("command"))
    assert answer.status_code == 200
    many = "&".join(f"limit={n}" for n in range(1, 4000))
    answer = client.get(f"/api/layers/grids/items?{many}", headers=client.by("command"))
    assert answer.status_code in {200, 422}
