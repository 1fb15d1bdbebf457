"""Most memory of a process of its own that does one task and imports nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.hotspots.clusters import st_dbscan


def hamlets(points: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places and days, half of the points in 2,000 hamlets and half anywhere."""
    rng = np.random.default_rng(1_000)
    middles = rng.uniform(0.0, 60_000.0, (2_000, 2))
    gathered = middles[rng.integers(0, 2_000, points // 2)] + rng.normal(0, 60, (points // 2, 2))
    xy_m = np.concatenate([gathered, rng.uniform(0.0, 60_000.0, (points - points // 2, 2))])
    return xy_m, rng.integers(0, 365, points)


def st_dbscan_mb(points: int) -> float:
    """Most memory of this process, libraries included, after ST-DBSCAN."""
    st_dbscan(*hamlets(points), 50.0, 7.0, 10)
    return most_mb()


def most_mb() -> float:
    """Most memory that this process has ever held, megabytes.

    Not from `resource.getrusage`, which for a process that another one started begins with the
    memory of that other one.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    words = next(line for line in lines if line.startswith("VmHWM:")).split()
    return int(words[1]) / 1024.0
