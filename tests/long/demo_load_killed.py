"""The demo county's own load killed at any instant: the next start has the whole county.

`make kills` runs it; `GIS_DEMO_KILLS` sets how many kills of the loader and of its server.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gis_service.database import engine_of, enter_scope, opened
from gis_service.settings import Settings
from grid_boundaries.tables import metadata
from grid_boundaries.view import View

KILLS = int(os.environ.get("GIS_DEMO_KILLS", "3"))
LONGEST_S = 45.0  # a load on two quiet cores; a kill after its end is a kill of nothing
EVERYWHERE = View("tester", ("/",))
Counts = dict[str, int]
Victim = Callable[["subprocess.Popen[bytes]", Path], int | None]


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that the database's account can pass through, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="gis-killed-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


def demo_load(folder: Path) -> subprocess.Popen[bytes]:
    """The command that loads the demo county, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gis_service", "demo"],
        env={**os.environ, "GIS_DATA_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def the_loader(loader: subprocess.Popen[bytes], _folder: Path) -> int | None:
    return loader.pid


def the_server(_loader: subprocess.Popen[bytes], folder: Path) -> int | None:
    """The postmaster, if it runs by now."""
    pid_files = list(folder.rglob("postmaster.pid"))
    return int(pid_files[0].read_text().split("\n")[0]) if pid_files else None


def counts(folder: Path) -> Counts:
    """Rows of every stored table, the outbox aside: it tells how often, not what."""
    settings = Settings(data_dir=folder)
    with opened(settings) as database:
        engine = engine_of(database.url, settings)
        with engine.begin() as connection:
            enter_scope(connection, EVERYWHERE)
            found = {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
                if table.name not in {"outbox", "refresh"}
            }
        engine.dispose()
    return found


@pytest.fixture(scope="module")
def unharmed() -> Iterator[Counts]:
    """What a load leaves that nobody killed."""
    with reachable_folder() as folder:
        assert demo_load(folder).wait(600) == 0
        yield counts(folder)


@pytest.mark.parametrize("seed", range(KILLS))
@pytest.mark.parametrize("victim", [the_loader, the_server])
def test_a_demo_load_killed_at_any_instant_is_whole_after_the_next(
    victim: Victim, seed: int, unharmed: Counts
) -> None:
    after_s = random.Random(f"{victim.__name__} {seed}").uniform(1.0, LONGEST_S)
    with reachable_folder() as folder:
        loader = demo_load(folder)
        time.sleep(after_s)
        if (pid := victim(loader, folder)) is not None:
            os.kill(pid, signal.SIGKILL)
        loader.wait(600)
        assert demo_load(folder).wait(600) == 0
        assert counts(folder) == unharmed
