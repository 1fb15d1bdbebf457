"""Bounds on the head of a request: how long it may be, and how long it may take to come."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from grid_boundaries.errors import TooLarge

HEAD_LIMIT_BYTES = 1 << 16
HEAD_WAIT_S = 20.0  # browsers open a connection a while before they use it


class BoundedHead(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with an end to a head that never ends.

    A head over 64 KB is answered with 400; a connection on which no whole head has come within
    20 s is closed, so that idle ones cannot use up the descriptors.
    """

    _head_bytes = 0  # of the head that is coming
    _is_head = True
    _end_at: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the parser while the head has room for them."""
        before, was_head = self._head_bytes, self._is_head
        super().data_received(data)
        # the parser tells of a header when it is whole: one without an end is counted here
        if was_head and self._is_head and not self.transport.is_closing():
            self._head_bytes = max(self._head_bytes, before + len(data))
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """Start a new head: nothing of it has come yet."""
        super().on_message_begin()
        self._is_head, self._head_bytes = True, 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add to what the head has taken, and refuse it past the limit."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Be content with the head."""
        self._is_head, self._head_bytes = False, 0
        self._wait_no_longer()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT_BYTES:
            # the parser ends here, and its fault is answered with 400
            raise TooLarge("head-too-long", "请求头过长", "The request's head is too long")

    def _wait(self) -> None:
        self._wait_no_longer()
        self._end_at = self.loop.call_later(HEAD_WAIT_S, self._end)

    def _wait_no_longer(self) -> None:
        if self._end_at is not None:
            self._end_at.cancel()
            self._end_at = None

    def _end(self) -> None:
        if self._is_head:
            self.transport.close()
