"""Folders for clusters of the tests' own, and processes that use them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.embedded.cluster import Cluster

# children come from a server process that holds none of this process's locks and files
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.gis_service.embedded.life"])


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster not yet made; closed at the end."""
    cluster = Cluster(folder, durable=False)
    yield cluster
    cluster.close()
