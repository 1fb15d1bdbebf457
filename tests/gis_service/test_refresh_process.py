"""Derived layers computed in a process of its own: the same rows, and no fault of it is ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, create_engine, select, update

from gis_service.access import system_view
from gis_service.database import Database, enter_scope, owner_engine
from gis_service.refresh import jobs, run_job
from gis_service.refresh_process import RefreshProcess
from gis_service.settings import Settings
from grid_boundaries.errors import Unavailable
from layers.coverage.tables import grid_coverage
from layers.refreshed import refreshed
from tests.county import NOW
from tests.gis_service.test_side_process import is_beside
from tests.serving import sqlalchemy_url

Children = Callable[[], list[psutil.Process]]
COVERAGE = next(job for job in jobs() if job.name == "coverage")


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def process(county_database: Database, tmp_path: Path) -> Iterator[RefreshProcess]:
    made = RefreshProcess(county_database.url, Settings(data_dir=tmp_path))
    yield made
    made.close()


@pytest.fixture
def children() -> Children:
    """Give what returns the live processes that a test has for computing, without others'."""
    others = {child.pid for child in _computing()}
    return lambda: [child for child in _computing() if child.pid not in others]


def _computing() -> list[psutil.Process]:
    own = psutil.Process().children()
    return [child for child in own if is_beside(child)]


def stored(engine: Engine) -> list[tuple[object, ...]]:
    columns = [column for column in grid_coverage.c if column.name != "input_version"]
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        rows = connection.execute(select(*columns).order_by(grid_coverage.c.grid_code))
        return [tuple(row) for row in rows]


def test_a_job_stores_there_what_it_stores_here(engine: Engine, process: RefreshProcess) -> None:
    run_job(engine, COVERAGE, NOW)
    here = stored(engine)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(grid_coverage).values(people=-1))
    process.run(engine, COVERAGE, NOW)
    assert here
    assert stored(engine) == here
    with engine.begin() as connection:
        seen = connection.scalar(
            select(refreshed.c.refreshed_at).where(refreshed.c.name == "coverage")
        )
    assert seen == NOW


def test_one_process_does_job_after_job_and_gives_way_to_requests(
    engine: Engine, process: RefreshProcess, children: Children
) -> None:
    for job in jobs()[:3]:
        process.run(engine, job, NOW)
    (child,) = children()
    assert child.nice() > psutil.Process().nice()


def test_nothing_is_started_before_there_is_work(
    process: RefreshProcess, children: Children
) -> None:
    assert children() == []


def test_a_process_that_was_killed_is_told_and_made_anew(
    engine: Engine, process: RefreshProcess, children: Children
) -> None:
    process.run(engine, COVERAGE, NOW)
    (child,) = children()
    child.kill()
    with pytest.raises(Unavailable, match="ended"):
        process.run(engine, COVERAGE, NOW)
    process.run(engine, COVERAGE, NOW)
    assert [one.pid for one in children()] != [child.pid]


def test_a_job_that_the_database_refuses_is_told_by_its_first_line(
    county_database: Database, engine: Engine, process: RefreshProcess
) -> None:
    owner = owner_engine(county_database)
    with owner.begin() as connection:
        connection.exec_driver_sql("alter table grid_coverage rename to away")
    owner.dispose()
    with pytest.raises(Unavailable, match="grid_coverage") as refusal:
        process.run(engine, COVERAGE, NOW)
    assert "\n" not in str(refusal.value)


def test_closing_ends_the_process_and_no_job_comes_after(
    engine: Engine, process: RefreshProcess, children: Children
) -> None:
    process.run(engine, COVERAGE, NOW)
    process.close()
    assert children() == []
    with pytest.raises(Unavailable, match="stopping"):
        process.run(engine, COVERAGE, NOW)
    process.close()  # once more is as good as once


PARENT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import psutil
from gis_service.refresh import jobs
from gis_service.refresh_process import RefreshProcess
from gis_service.settings import Settings

if __name__ == "__main__":
    process = RefreshProcess(sys.argv[1], Settings(data_dir=Path(sys.argv[2])))
    process.run(None, jobs()[0], datetime(2026, 5, 4, tzinfo=UTC))
    print([child.pid for child in psutil.Process().children()
           if "spawn_main" in " ".join(child.cmdline())][0], flush=True)
    sys.stdin.read()
"""


def test_the_process_of_a_killed_service_ends_by_itself(
    county_database: Database, tmp_path: Path
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    command = [sys.executable, str(script), county_database.url, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
    until = time.monotonic() + 60
    with suppress(psutil.NoSuchProcess):  # gone between two questions
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < until
            time.sleep(0.05)
