"""How long the real city takes to load, step by step; its files at GIS_SHARED_DATA/taipei."""

from __future__ import annotations

import json
import os
import resource
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

from layers.load.dataset import dataset_frames
from layers.load.description import description

ROOT = Path(__file__).parent.parent
DESCRIPTION = ROOT / "gis_service" / "datasets" / "taipei.toml"


def figures() -> dict[str, float | str]:
    """Return CPU seconds a step (this process, and its reading children together) and rows.

    Reading, checking, repairing and placing only; writing depends on the database's disk.
    """
    folder = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data")) / "taipei"
    if not folder.is_dir():
        return {"skipped": "no Taipei files at GIS_SHARED_DATA"}
    steps: list[tuple[str, float]] = []
    started = perf_counter()

    def step(name: str, _done: int, _in_all: int) -> None:
        steps.append((name, process_time()))

    frames = dataset_frames(description(DESCRIPTION), folder, progress=step)
    steps.append(("", process_time()))
    found: dict[str, float | str] = {
        f"{name}_cpu_s": round(after - before, 2) for (name, before), (_, after) in pairwise(steps)
    }
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found["readers_cpu_s"] = round(children.ru_utime + children.ru_stime, 2)
    found["all_wall_s"] = round(perf_counter() - started, 2)
    found["rows_in"] = int(frames["load_count"]["rows_in"].sum())
    found["rows_loaded"] = int(frames["load_count"]["loaded"].sum())
    found["findings"] = len(frames["finding"])
    return found


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
