"""Places at a printer: a few at once, the others in a line of bounded length, first come first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from grid_boundaries.errors import Unavailable

LOOK_S = 0.25  # how often one who waits looks whether he is still wanted


class Places:
    """What a few may use at once.

    Parameters
    ----------
    at_once
        How many use it.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._line: deque[object] = deque()
        self._changed = Condition()

    @property
    def waiting(self) -> int:
        """Return how many stand in the line."""
        return len(self._line)

    @contextmanager
    def place(
        self, *, wait_s: float, most_waiting: int, has_left: Callable[[], bool]
    ) -> Iterator[None]:
        """Give a place for as long as the block lasts.

        Parameters
        ----------
        wait_s
            How long to stand in the line.
        most_waiting
            How many may stand in it; one more is told to come again.
        has_left
            Whether whoever asked is gone, so that the line need not hold a place for them.

        Raises
        ------
        Unavailable
            The line is too long or does not move, or the asker is gone.
        """
        with self._changed:
            if self._line or not self._free:
                self._wait(wait_s, most_waiting, has_left)
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _wait(self, wait_s: float, most_waiting: int, has_left: Callable[[], bool]) -> None:
        if len(self._line) >= most_waiting:
            raise _busy()
        own, ends_at = object(), time.monotonic() + wait_s
        self._line.append(own)
        try:
            while not (self._free and self._line[0] is own):
                left_s = ends_at - time.monotonic()
                if left_s <= 0 or has_left():
                    raise _busy()
                self._changed.wait(min(left_s, LOOK_S))
        finally:
            self._line.remove(own)
            self._changed.notify_all()  # who stood behind may be first now


def _busy() -> Unavailable:
    return Unavailable(
        "printer-busy",
        "正在生成其他 PDF，请稍后重试；网页版可直接打印",
        "Other PDFs are being made; try again in a moment, or print the page itself",
    )
