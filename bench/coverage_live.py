"""One camera changed through the API: what a request costs, and what of it is whose.

The demo county is loaded into a cluster of its own, or the folder that `GIS_BENCH_CITY` names is
served. CPU is that of the service's process and of the database's.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from sqlalchemy import func, select

from bench.city import FOLDER, city_settings, free_port, headers, served
from gis_service.access import system_view
from gis_service.counties import engine_without_limits
from gis_service.database import enter_scope, opened
from gis_service.settings import Settings
from layers.cameras import camera

EDITS, WARM = 300, 30


def figures() -> dict[str, Any]:
    """Return milliseconds of a change: p50 and p99 by the clock, and means of CPU."""
    folder = os.environ.get(FOLDER)
    if folder is not None:
        return _measured(city_settings(Path(folder)))
    with tempfile.TemporaryDirectory(prefix="gis-bench-") as path:
        Path(path).chmod(0o755)
        data = Path(path) / "data"
        return _measured(Settings(data_dir=data, port=free_port(), log_level="error"))


def _measured(settings: Settings) -> dict[str, Any]:
    # what follows below the zoom of single points is computed behind the requests, as ever
    os.environ.setdefault("GIS_REFRESH_INTERVAL_S", "3600")
    with served(settings) as (port, process):
        changes = _changes(settings, np.random.default_rng(5))
        database = _database(settings)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, headers=headers(settings, "command")) as client:
            for _ in range(WARM):
                _spent_ms(client, *next(changes))
            before = _cpu_s(process), _cpu_s(database)
            spent = [_spent_ms(client, *next(changes)) for _ in range(EDITS)]
            after = _cpu_s(process), _cpu_s(database)
    return {
        "edits": EDITS,
        "edit_p50_wall_ms": float(np.percentile(spent, 50)),
        "edit_p99_wall_ms": float(np.percentile(spent, 99)),
        "edit_service_cpu_ms": 1000 * (after[0] - before[0]) / EDITS,
        "edit_database_cpu_ms": 1000 * (after[1] - before[1]) / EDITS,
        "load_average": os.getloadavg()[0],
    }


def _database(settings: Settings) -> psutil.Process:
    """Return the database's first process, whose children serve."""
    file = settings.data_dir / "postgres" / "cluster" / "postmaster.pid"
    return psutil.Process(int(file.read_text().split()[0]))


def _cpu_s(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _changes(settings: Settings, rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield cameras on line and what is to change of each: moved, turned, nearer, off and on."""
    rows = _working(settings)
    for place in rng.permutation(len(rows)):
        key, lon, lat = rows[place]
        shift = rng.normal(0, 2e-4, 2)
        yield from (
            (key, {"azimuth_deg": float(rng.uniform(0, 360))}),
            (key, {"lon": lon + float(shift[0]), "lat": lat + float(shift[1])}),
            (key, {"range_m": float(rng.uniform(50, 120))}),
            (key, {"online": False}),
            (key, {"online": True}),
        )


def _working(settings: Settings) -> list[tuple[str, float, float]]:
    with opened(settings) as database:
        engine = engine_without_limits(database.url)
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            place = (func.st_x(camera.c.geom), func.st_y(camera.c.geom))
            found = select(camera.c.id, *place).where(camera.c.online, camera.c.placed == "inside")
            rows = connection.execute(found.order_by(camera.c.id)).all()
        engine.dispose()
    return [(row[0], row[1], row[2]) for row in rows]


def _spent_ms(client: httpx.Client, key: str, body: dict[str, Any]) -> float:
    begun = time.perf_counter()
    answer = client.patch(f"/api/cameras/{key}", json=body)
    spent_ms = 1000 * (time.perf_counter() - begun)
    if answer.status_code != 200:
        raise RuntimeError(answer.text)
    return spent_ms
