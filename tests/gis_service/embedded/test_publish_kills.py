"""A service killed while it publishes: all of the old grids or all of the new, every time.

`GIS_KILLS` sets how many kills of service and of server (`make kills`: 20).
"""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE
from gis_service.loading import load_county
from gis_service.migrations import migrate
from gis_service.publishing import put_in_force
from grid_boundaries.store import grid_block
from layers.load.seal import Sealer
from layers.people import person
from tests.gis_service.demo_county import small_county
from tests.gis_service.embedded import publishing
from tests.gis_service.embedded.conftest import started
from tests.gis_service.embedded.life import engine_to
from tests.gis_service.embedded.publishing import DATABASE, Mark, desk, mark, planned
from tests.gis_service.embedded.test_kills import Victims, kill, the_server, the_service

KILLS = int(os.environ.get("GIS_KILLS", "2"))
SHARE = 0.05  # of the blocks that a plan moves
PUBLISH_S = 1.2  # how long it takes here, so that the kill falls into it


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """A cluster that holds a small made-up county and is stopped."""
    with tempfile.TemporaryDirectory(prefix="gis-publish-") as folder:
        Path(folder).chmod(0o755)  # as root, the database's account must pass through
        home = Path(folder) / "postgres"
        with Cluster(home, durable=False) as cluster:
            cluster.ensure_database(DATABASE)
            owner = engine_to(cluster, OWNER, DATABASE)
            migrate(owner)
            owner.dispose()
            service = engine_to(cluster, SERVICE, DATABASE)
            load_county(service, small_county().frames, Sealer(bytes(range(32))))
            service.dispose()
        yield home


def drawn(folder: Path, seed: int) -> tuple[int, Mark]:
    """Draw an approved plan; return it and what is in force before it."""
    with Cluster(folder, durable=False) as cluster:
        engine = engine_to(cluster, SERVICE, DATABASE)
        plan = planned(engine, SHARE, seed)
        with desk(engine) as one:
            before = mark(one.connection)
        engine.dispose()
    return plan, before


def killed_while_publishing(folder: Path, plan: int, after_s: float, victims: Victims) -> None:
    process, here = started(publishing.publish, folder, plan)
    while here.recv() != "publish":
        pass
    time.sleep(after_s)
    kill(victims(process.pid or 0, folder))
    with suppress(BrokenPipeError):  # whoever outlived its server or finished before it goes on
        here.send("go")
    process.join(60)
    assert not process.is_alive()


@pytest.mark.parametrize("victims", [the_service, the_server])
def test_killed_while_it_publishes_all_is_old_or_all_is_new(filled: Path, victims: Victims) -> None:
    chance = random.Random(victims.__name__)
    for number in range(KILLS):
        plan, before = drawn(filled, number)
        killed_while_publishing(filled, plan, chance.uniform(0, PUBLISH_S), victims)
        with Cluster(filled, durable=False) as cluster:
            engine = engine_to(cluster, SERVICE, DATABASE)
            publishing.assert_old_or_new(engine, plan, before)
            engine.dispose()


@pytest.fixture
def engine(filled: Path) -> Iterator[Engine]:
    """The small county, served."""
    with Cluster(filled, durable=False) as cluster:
        engine = engine_to(cluster, SERVICE, DATABASE)
        yield engine
        engine.dispose()


def test_readers_beside_a_publication_see_the_old_or_the_new(engine: Engine) -> None:
    """Every answer of a reader counts everybody, and is one of two whole ones."""
    plan = planned(engine, SHARE, 5)
    seen: set[frozenset[tuple[str | None, int]]] = set()
    begun, done = threading.Event(), threading.Event()

    def read() -> None:
        is_last = False
        while not is_last:
            is_last = done.is_set()  # once more after all is done
            with desk(engine) as one:
                held = select(person.c.grid_code, func.count()).group_by(person.c.grid_code)
                seen.add(frozenset(map(tuple, one.connection.execute(held))))
            begun.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert begun.wait(120)  # the old one has been seen
    with desk(engine) as one:
        put_in_force(one, one.row(plan), publishing.NOW.date())
    done.set()
    reader.join()
    people = len(small_county().frames["person"])
    assert {sum(n for _, n in answer) for answer in seen} == {people}
    assert len(seen) == 2


def test_a_plan_that_starts_beside_a_publication_starts_whole(engine: Engine) -> None:
    """Blocks and grids are read one after the other, so a plan waits for a publication to end."""
    plan = planned(engine, SHARE, 0)
    begun, started = threading.Event(), list[int]()

    def begin() -> None:
        begun.wait()
        started.append(planned(engine, SHARE, 1))

    other = threading.Thread(target=begin, daemon=True)
    other.start()
    with desk(engine) as one:
        put_in_force(one, one.row(plan), publishing.NOW.date())
        begun.set()
        time.sleep(0.3)
        assert not started
    other.join()
    with desk(engine) as one:
        row = one.row(started[0])
        in_force = select(func.count()).where(grid_block.c.valid_to.is_(None))
        assert len(one.base(row).grid_of) == one.connection.scalar(in_force)
        assert row.base_hash == one.row(plan).outcome["hash"]
