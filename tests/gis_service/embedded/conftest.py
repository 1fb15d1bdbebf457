"""Folders for clusters of the tests' own, and processes that use them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from gis_service.embedded.cluster import Cluster

# children come from a server process that holds none of this process's locks and files
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.gis_service.embedded.life"])


def started(life: Callable[..., None], *given: object) -> tuple[ForkServerProcess, Pipe]:
    """Start a process that is given these and a pipe to tell by; the pipe ends when it does."""
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=life, args=(*given, there), daemon=True)
    process.start()
    there.close()  # the process has its own, so that a wait for one that died is an EOFError
    return process, here


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster not yet made; closed at the end."""
    cluster = Cluster(folder, durable=False)
    yield cluster
    cluster.close()
