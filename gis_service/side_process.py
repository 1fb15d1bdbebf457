"""A process beside the service that works out one question at a time, and is stopped on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Any

from starlette.requests import ClientDisconnect

from gis_service.service_post_answers import posts_answer
from gis_service.site_answers import Tell, next_sites_answer
from grid_boundaries.errors import Refused, Unavailable
from layers.coverage.sites.warm import warm

GENTLER = 5  # niceness beside the requests
LOOK_S = 0.2  # how often somebody's leaving is looked for
BESIDE_S = 20.0  # what reading, sending and telling may take beyond the time for the choice
START_S = 300.0  # a fresh process loads and compiles first, however busy the machine is

Answer = dict[str, Any]
Work = Callable[[Any, Tell], Answer]
WORKS: Mapping[str, Work] = MappingProxyType(
    {"next-sites": next_sites_answer, "posts": posts_answer}
)


@dataclass(frozen=True)
class _Child:
    process: SpawnProcess
    pipe: Pipe


class SideProcess:
    """A child process that answers questions; made when the first one comes, ended with its parent.

    Questions come one at a time: whoever asks keeps others waiting (`KeptAnswers`).
    """

    def __init__(self) -> None:
        self._child: _Child | None = None
        self._lock = Lock()
        self._is_closed = False

    def answer(
        self, work: str, question: Any, within_s: float, tell: Tell, has_left: Callable[[], bool]
    ) -> Answer:
        """Return what a work of `WORKS` makes of a question.

        Parameters
        ----------
        within_s
            What the question allows; the process is ended where it takes much longer.
        tell
            Told how far it is.
        has_left
            Says whether nobody waits any more; the process is ended then.

        Raises
        ------
        Refused
            As the work refuses.
        Unavailable
            ``sites-too-slow``, or ``sites-stopped`` where the process ended on the way.
        ClientDisconnect
            Nobody waits.
        """
        child = self._ready()
        try:
            child.pipe.send((work, question))
            return self._heard(child, within_s, tell, has_left)
        except (EOFError, OSError):
            self._put_down()
            raise Unavailable(
                "sites-stopped", "计算进程已结束，请重试", "Its process has ended; ask again"
            ) from None

    def close(self) -> None:
        """End the process, whatever it is at."""
        with self._lock:
            self._is_closed = True
        self._put_down()

    def _heard(
        self, child: _Child, within_s: float, tell: Tell, has_left: Callable[[], bool]
    ) -> Answer:
        until = monotonic() + START_S + within_s + BESIDE_S
        while True:
            if not child.pipe.poll(LOOK_S):
                self._require_waited_for(has_left, until)
                continue
            kind, said = child.pipe.recv()
            if kind == "begun":
                until = monotonic() + within_s + BESIDE_S
            elif kind == "step":
                tell(*said)
            elif kind == "refused":
                refused, code, zh, en, where = said
                raise refused(code, zh, en, **where)
            else:
                return dict(said)

    def _require_waited_for(self, has_left: Callable[[], bool], until: float) -> None:
        if has_left():
            self._put_down()
            raise ClientDisconnect
        if monotonic() > until:
            self._put_down()
            raise Unavailable(
                "sites-too-slow",
                "这个问题太大，未能在时限内算完；请选更小的单位",
                "This question is too large to be worked out in time; take a smaller unit",
            )

    def _ready(self) -> _Child:
        with self._lock:
            if self._is_closed:
                raise Unavailable("sites-stopped", "服务正在停止", "The service is stopping")
            if self._child is None:
                self._child = _started()
            return self._child

    def _put_down(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.process.terminate()
            child.process.join()
            # its pipe ends with who still hears on it, perhaps in another thread


def _started() -> _Child:
    context = get_context("spawn")  # a fork would share connections and locks of other threads
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_questions, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return _Child(process, ours)


def serve_questions(asked: Pipe) -> None:
    """Answer the questions that come until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(GENTLER)
    warm()  # before a question's time runs
    while True:
        try:
            work, question = asked.recv()
        except EOFError:
            return
        asked.send(("begun", None))
        asked.send(outcome(work, question, lambda step, share: asked.send(("step", (step, share)))))


def outcome(work: str, question: Any, tell: Tell) -> tuple[str, Any]:
    """Return an answer, or a refusal in parts, since a refusal itself cannot be sent."""
    try:
        return "answer", WORKS[work](question, tell)
    except Refused as refused:
        where = dict(refused.where)
        return "refused", (type(refused), refused.code, refused.zh, refused.en, where)
