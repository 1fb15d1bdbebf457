"""Answers computed on request: one at a time, kept until what they came from changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

from grid_boundaries.errors import Unavailable

KEPT = 64
WAIT_S = 8.0
HOTSPOTS = ("热点", "hotspots")


class KeptAnswers:
    """The latest answers by what was asked and the version of what they were computed from.

    Parameters
    ----------
    kept
        How many, at most.
    wait_s
        How long a question waits for the one before it.
    about
        What the questions are about, in Chinese and English.
    """

    def __init__(
        self, kept: int = KEPT, wait_s: float = WAIT_S, about: tuple[str, str] = HOTSPOTS
    ) -> None:
        self._kept = kept
        self._about = about
        self._wait_s = wait_s
        self._lock = Lock()
        # an answer takes seconds of a processor, so they are computed one after another
        self._turn = BoundedSemaphore(1)
        self._answers: OrderedDict[Hashable, dict[str, Any]] = OrderedDict()

    def of(self, key: Hashable, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the answer kept under a key, or compute it.

        Raises
        ------
        Unavailable
            Another question has been computed for too long.
        """
        found = self._found(key)
        if found is not None:
            return found
        with self._in_turn():
            # whoever was before may have asked the same
            found = self._found(key)
            return self._keep(key, compute()) if found is None else found

    def _found(self, key: Hashable) -> dict[str, Any] | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def _keep(self, key: Hashable, answer: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > self._kept:
                self._answers.popitem(last=False)
        return answer

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._wait_s):
            raise Unavailable(
                f"{self._about[1]}-busy",
                f"正在计算其他{self._about[0]}问题，请稍后再试",
                f"Another question about {self._about[1]} is being computed; ask again in a while",
            )
        try:
            yield
        finally:
            self._turn.release()
