"""The process that computes derived layers, so that no request waits for its arithmetic."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from gis_service.database import engine_of
from gis_service.refresh import Job, jobs, run_job
from gis_service.settings import Settings
from grid_boundaries.errors import Refused, Unavailable

GENTLER = 5  # niceness beside the requests


@dataclass(frozen=True)
class _Child:
    process: SpawnProcess
    pipe: Pipe


class RefreshProcess:
    """A child process that runs jobs, one at a time; made when the first one comes.

    It ends with its parent: at once when closed, else when its pipe ends.

    Parameters
    ----------
    url
        Of the service's own account.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self._given = (url, settings)
        self._child: _Child | None = None
        self._closing = Lock()
        self._is_closed = False

    def run(self, _engine: Engine, job: Job, now: datetime) -> None:
        """Run a job as `gis_service.refresh.run_job` does.

        Raises
        ------
        Unavailable
            The job failed, or its process ended before it was done.
        """
        child = self._ready()
        try:
            child.pipe.send((job.name, now))
            reason: str | None = child.pipe.recv()
        except (EOFError, OSError):
            self._put_down()
            reason = "its process has ended"
        if reason is not None:
            raise Unavailable("job-failed", f"任务 {job.name} 未完成：{reason}", reason)

    def close(self) -> None:
        """End the process, whatever it is at: an unfinished job is as if never begun."""
        with self._closing:
            self._is_closed = True
            self._put_down()

    def _ready(self) -> _Child:
        with self._closing:
            if self._is_closed:
                raise Unavailable("job-failed", "服务正在停止", "the service is stopping")
            if self._child is None:
                self._child = _started(*self._given)
            return self._child

    def _put_down(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.process.terminate()
            child.process.join()


def _started(url: str, settings: Settings) -> _Child:
    context = get_context("spawn")  # a fork would share connections and locks of other threads
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_jobs, args=(theirs, url, settings), daemon=True)
    process.start()
    theirs.close()
    return _Child(process, ours)


def serve_jobs(asked: Pipe, url: str, settings: Settings) -> None:
    """Run the jobs that are asked for until the pipe ends; answer each with why it failed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(GENTLER)
    engine = engine_of(url, settings)
    known = {job.name: job for job in jobs()}
    while True:
        try:
            name, now = asked.recv()
        except EOFError:
            return
        asked.send(_outcome(engine, known[name], now))


def _outcome(engine: Engine, job: Job, now: datetime) -> str | None:
    try:
        run_job(engine, job, now)
    except (DBAPIError, Refused) as error:
        return str(error).splitlines()[0]
    return None
