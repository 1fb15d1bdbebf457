"""Clusters in a process of their own: little memory, and nothing loaded that they do not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench._own_memory import most_mb

NOT_NEEDED = ("pandas", "geopandas", "shapely", "sklearn", "sqlalchemy", "fastapi")
LOADED = (
    "import sys, layers.hotspots.clusters;"
    "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
)
SCATTERED_MB = """
import numpy as np
from bench._own_memory import most_mb
from layers.hotspots.clusters import st_dbscan
rng = np.random.default_rng(1)
st_dbscan(rng.uniform(0.0, 900.0, (200, 2)), rng.integers(0, 30, 200), 50.0, 7.0, 5)
before = most_mb()
found = st_dbscan(
    rng.uniform(0.0, 60_000.0, (400_000, 2)), rng.integers(0, 365, 400_000), 50.0, 7.0, 10
)
print(most_mb() - before, int(found.max()))
"""


def said_by(program: str) -> list[str]:
    """Return the words that a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_clusters_load_no_library_of_tables_shapes_or_the_database() -> None:
    loaded = said_by(LOADED)
    assert "numba" in loaded
    assert [name for name in NOT_NEEDED if name in loaded] == []


def test_points_that_are_all_far_apart_take_under_two_hundred_bytes_each() -> None:
    # the rows of near cells, kept for every cell, would take 240 bytes a point by themselves
    more_mb, highest = said_by(SCATTERED_MB)
    assert float(more_mb) * 2**20 / 400_000 < 200
    assert int(highest) == -1


def test_a_process_that_a_large_one_starts_is_not_said_to_be_large() -> None:
    held = bytearray(300 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    own_mb = float(said_by("from bench._own_memory import most_mb; print(most_mb())")[0])
    assert most_mb() > 300
    assert own_mb == pytest.approx(110, abs=90)
