"""A service or a server killed at any instant: the next start recovers, nothing is half there.

`GIS_KILLS` sets how many kills of each kind (`make kills`: 20).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE
from gis_service.migrations import migrate, newest_revision, revision_of
from tests.gis_service.embedded import life
from tests.gis_service.embedded.conftest import started

KILLS = int(os.environ.get("GIS_KILLS", "2"))
# how long a phase takes here, so that the kill falls into it and not after it
PHASES_S = {"initdb": 0.7, "migrate": 0.8, "load": 0.9}
Victims = Callable[[int, Path], list[int]]


def the_service(service: int, _folder: Path) -> list[int]:
    """The process that uses the cluster."""
    return [service]


def the_server(service: int, folder: Path) -> list[int]:
    """The postmaster, or what initdb runs while there is none."""
    pid_file = folder / "cluster" / "postmaster.pid"
    if pid_file.exists() and (first := pid_file.read_text().split("\n")[0]):
        return [int(first)]
    children = psutil.Process(service).children(recursive=True)
    named = psutil.process_iter(["pid", "name"])
    programs = {one.pid for one in named if one.info["name"] in {"postgres", "initdb"}}
    return [child.pid for child in children if child.pid in programs]


def kill(victims: list[int]) -> None:
    """Kill without a warning who is still there."""
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def killed_during(phase: str, after_s: float, folder: Path, victims: Victims) -> None:
    """Let a service live until some instant of a phase, then kill without a warning."""
    process, here = started(life.live, folder, "gis_kills")
    while here.recv() != phase:
        pass
    time.sleep(after_s)
    kill(victims(process.pid or 0, folder))
    with suppress(BrokenPipeError):  # whoever outlived its server or finished before it goes on
        here.send("go")
    process.join(60)
    assert not process.is_alive()


def assert_recovers(folder: Path) -> None:
    """Start again: schema whole, load whole or absent; and it can be used and stopped cleanly."""
    with Cluster(folder, durable=False) as cluster:
        cluster.ensure_database("gis_kills")
        owner = life.engine_to(cluster, OWNER, "gis_kills")
        migrate(owner)
        with owner.connect() as connection:
            assert revision_of(connection) == newest_revision()
        service = life.engine_to(cluster, SERVICE, "gis_kills")
        found = life.loaded(service)
        assert found in {life.NOTHING, life.WHOLE}
        if found == life.NOTHING:
            life.load(service)
        assert life.loaded(service) == life.WHOLE
        owner.dispose()
        service.dispose()
    assert not cluster.is_running()
    assert not list(folder.glob("making-*"))


@pytest.mark.parametrize("seed", range(KILLS))
@pytest.mark.parametrize("victims", [the_service, the_server])
@pytest.mark.parametrize("phase", list(PHASES_S))
def test_a_kill_at_any_instant_is_survived(
    phase: str, victims: Victims, seed: int, folder: Path
) -> None:
    chance = random.Random(f"{phase} {victims.__name__} {seed}")
    killed_during(phase, chance.uniform(0, PHASES_S[phase]), folder, victims)
    assert_recovers(folder)
