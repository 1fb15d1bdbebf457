"""The demo city of 1.2 million people: planners drawing at once, and publication, over HTTP.

Long: the city is loaded first (minutes) unless `GIS_BENCH_CITY` names a data folder that holds it;
without that setting nothing is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from sqlalchemy import Connection, select

from gis_service.access import system_view
from gis_service.auth import Signer, sign_in_key
from gis_service.cli import CITY_DATABASE
from gis_service.counties import engine_without_limits, load_demo
from gis_service.database import enter_scope, opened
from gis_service.server import bring_up_to_date
from gis_service.settings import Settings
from grid_boundaries import plan_records as records
from grid_boundaries.plan_state import State
from grid_boundaries.store import block
from layers.plan_ground import shapes_of, touching_of

FOLDER = "GIS_BENCH_CITY"
PLANNERS, SECONDS = 30, 20
LOOSE = {"measure": "people", "at_least": 0, "at_most": 10_000}


@dataclass
class Ground:
    """What planners know of the city: which grid holds each block, and which blocks touch."""

    state: State
    village_of: dict[str, str]
    beside: list[tuple[str, str]]


@dataclass
class Planner:
    """One planner with a client of their own, and what they have drawn."""

    client: httpx.AsyncClient
    plan: int
    rng: np.random.Generator
    version: int = 0
    grid_of: dict[str, str | None] = field(default_factory=dict)
    spent_ms: list[float] = field(default_factory=list)
    refused: int = 0


def figures() -> dict[str, Any]:
    """Return milliseconds a stroke as the planner waits, and CPU milliseconds of the service."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return {"left_out": f"set {FOLDER} to a data folder to measure the demo city"}
    settings = city_settings(Path(folder))
    with served(settings) as (port, process):
        ground = ground_of(settings)
        return asyncio.run(strokes_at_once(settings, port, process, ground))


def city_settings(folder: Path) -> Settings:
    """Return settings of the demo city in a data folder."""
    return Settings(
        data_dir=folder,
        county=CITY_DATABASE,
        demo_place="city",
        log_level="error",
        port=free_port(),
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def served(settings: Settings) -> Iterator[tuple[int, psutil.Process]]:
    """Serve the city in a process of its own, loaded first where the folder has none."""
    with opened(settings) as database:
        bring_up_to_date(database)
        load_demo(database, settings, lambda *_: None)
        names = {"DATA_DIR": settings.data_dir, "COUNTY": settings.county, "PORT": settings.port,
                 "LOG_LEVEL": "error"}  # fmt: skip
        given = {f"GIS_{name}": str(value) for name, value in names.items()}
        command = [sys.executable, "-m", "gis_service", "serve", "--no-demo"]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env={**os.environ, **given}, stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(settings.port)
            yield settings.port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the service did not start")


def ground_of(settings: Settings) -> Ground:
    """Read what planners see on the map."""
    with opened(settings) as database:
        engine = engine_without_limits(database.url)
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            found = _ground(connection)
        engine.dispose()
    return found


def _ground(connection: Connection) -> Ground:
    view = system_view()
    state = records.in_force(connection, view, "/")
    rows = connection.execute(select(block.c.id, block.c.village_code)).all()
    village = {row.id: row.village_code for row in rows}
    touching = touching_of(shapes_of(connection, view, state), 4546)
    pairs = zip(touching["a"], touching["b"], strict=True)
    return Ground(state, village, [(a, b) for a, b in pairs if village[a] == village[b]])


def headers(settings: Settings, role: str = "planner") -> dict[str, str]:
    """Return the header that signs a role in."""
    token = Signer(sign_in_key(settings.data_dir), settings.session_hours).token(role)
    return {"Authorization": f"Bearer {token}"}


async def strokes_at_once(
    settings: Settings, port: int, process: psutil.Process, ground: Ground
) -> dict[str, Any]:
    """Return what a stroke costs while thirty planners make one a second each, on own drafts."""
    planners = [await planner(settings, port, ground, seed) for seed in range(PLANNERS)]
    await asyncio.gather(*(drawing(one, ground, 2, at) for at, one in enumerate(planners)))
    for one in planners:
        one.spent_ms.clear()
    before, database = cpu_s(process), database_cpu_s(settings)
    start = time.perf_counter()
    await asyncio.gather(*(drawing(one, ground, SECONDS, at) for at, one in enumerate(planners)))
    lasted = time.perf_counter() - start
    spent = np.array([ms for one in planners for ms in one.spent_ms])
    for one in planners:
        await one.client.aclose()
    return {
        "blocks": len(ground.state.grid_of),
        "planners": PLANNERS,
        "strokes": len(spent),
        "strokes_per_s": len(spent) / lasted,
        "refused": sum(one.refused for one in planners),
        "stroke_p50_wall_ms": float(np.percentile(spent, 50)),
        "stroke_p95_wall_ms": float(np.percentile(spent, 95)),
        "stroke_service_cpu_ms": 1000 * (cpu_s(process) - before) / len(spent),
        "stroke_database_cpu_ms": 1000 * (database_cpu_s(settings) - database) / len(spent),
        "load_average": os.getloadavg()[0],
    }


async def planner(settings: Settings, port: int, ground: Ground, seed: int) -> Planner:
    """Return a planner with a new draft of the whole city."""
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers(settings), timeout=60
    )
    asked = {"title": f"方案{seed}", "rules": {"city": LOOSE, "village": LOOSE}}
    answer = await client.post("/api/plans", json=asked)
    answer.raise_for_status()
    made = answer.json()
    rng = np.random.default_rng(seed)
    return Planner(client, made["id"], rng, made["version"], dict(ground.state.grid_of))


async def drawing(one: Planner, ground: Ground, strokes: int, place: int) -> None:
    """Make one stroke a second, the planners one after another within the second."""
    start = time.perf_counter() + place / PLANNERS
    for number in range(strokes):
        await asyncio.sleep(max(0.0, start + number - time.perf_counter()))
        name, to = border_move(one, ground)
        asked = {
            "base_version": one.version,
            "stroke": {"kind": "move", "blocks": [name], "to": to},
        }
        sent = time.perf_counter()
        answer = await one.client.post(f"/api/plans/{one.plan}/strokes", json=asked)
        one.spent_ms.append(1000 * (time.perf_counter() - sent))
        if answer.status_code == 200:
            one.grid_of[name], one.version = to, answer.json()["version"]
        else:
            one.refused += 1


def border_move(one: Planner, ground: Ground) -> tuple[str, str]:
    """Return a block and another grid of its village that a block beside it is in."""
    while True:
        name, other = ground.beside[int(one.rng.integers(len(ground.beside)))]
        to = one.grid_of[other]
        if to is not None and one.grid_of[name] != to:
            return name, to


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)


def database_cpu_s(settings: Settings) -> float:
    """Return the CPU seconds of the embedded database's processes."""
    lines = (settings.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split("\n")
    server = psutil.Process(int(lines[0]))
    return sum(cpu_s(one) for one in [server, *server.children(recursive=True)])


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
