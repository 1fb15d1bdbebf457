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
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from sqlalchemy import Connection, Engine, func, select

from gis_service.access import system_view
from gis_service.auth import Signer, sign_in_key
from gis_service.counties import engine_without_limits, load_demo, now
from gis_service.database import enter_scope, opened
from gis_service.demo.city import TOWNS
from gis_service.plan_requests import NewPlan
from gis_service.planning import Desk, draw_all, start
from gis_service.publishing import put_in_force
from gis_service.server import bring_up_to_date
from gis_service.settings import Settings
from gis_service.terminal import CITY_DATABASE
from grid_boundaries import plan_records as records
from grid_boundaries.plan_state import State
from grid_boundaries.store import block
from grid_boundaries.strokes import Move
from layers.people import person
from layers.plan_ground import shapes_of, touching_of

FOLDER = "GIS_BENCH_CITY"
PLANNERS, SECONDS = 30, 20
SHARING, TOWN_SECONDS = 20, int(os.environ.get("GIS_BENCH_CITY_SECONDS", "20"))
MOVED_SHARE = 0.05
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
    beside: list[tuple[str, str]]
    version: int = 0
    grid_of: dict[str, str | None] = field(default_factory=dict)
    spent_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    acknowledged: list[tuple[int, str, str]] = field(default_factory=list)


def figures() -> dict[str, Any]:
    """Return milliseconds a stroke as the planner waits, and CPU milliseconds of the service."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return {"left_out": f"set {FOLDER} to a data folder to measure the demo city"}
    settings = city_settings(Path(folder))
    with served(settings) as (port, process):
        ground = ground_of(settings)
        found = asyncio.run(strokes_at_once(settings, port, process, ground))
        found |= asyncio.run(towns_at_once(settings, port, ground))
    return {**found, **publication_figures(settings), "load_average": os.getloadavg()[0]}


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
    planners = [
        await planner(settings, port, ground, seed, await new_plan(settings, port, None))
        for seed in range(PLANNERS)
    ]
    await asyncio.gather(*(drawing(one, 2, at / PLANNERS) for at, one in enumerate(planners)))
    for one in planners:
        one.spent_ms.clear()
    before, start = cpu_s(process), time.perf_counter()
    await asyncio.gather(*(drawing(one, SECONDS, at / PLANNERS) for at, one in enumerate(planners)))
    lasted = time.perf_counter() - start
    spent = [ms for one in planners for ms in one.spent_ms]
    await closed(planners)
    return {
        "blocks": len(ground.state.grid_of),
        "planners": PLANNERS,
        "strokes": len(spent),
        "strokes_per_s": len(spent) / lasted,
        "stroke_p50_wall_ms": float(np.percentile(spent, 50)),
        "stroke_p95_wall_ms": float(np.percentile(spent, 95)),
        "stroke_service_cpu_ms": 1000 * (cpu_s(process) - before) / len(spent),
    }


async def towns_at_once(settings: Settings, port: int, ground: Ground) -> dict[str, Any]:
    """Return what becomes of strokes of twenty planners who share the plans of eleven towns."""
    plans = {town: await new_plan(settings, port, town) for town in TOWNS}
    planners = [
        await planner(settings, port, ground, seed, plans[town], town)
        for seed, town in zip(range(SHARING), TOWNS * 2, strict=False)
    ]
    await asyncio.gather(*(drawing(one, TOWN_SECONDS, 0.0) for one in planners))
    lost = sum([await lost_moves(settings, port, planners, plan) for plan in plans.values()])
    refused = [ms for one in planners for ms in one.refused_ms]
    await closed(planners)
    return {
        "town_planners": SHARING,
        "town_moves_acknowledged": sum(len(one.acknowledged) for one in planners),
        "town_moves_lost": lost,
        "town_conflicts": len(refused),
        "town_conflict_told_p95_wall_ms": float(np.percentile(refused, 95)) if refused else 0.0,
        "town_conflict_told_most_wall_ms": max(refused, default=0.0),
    }


async def lost_moves(settings: Settings, port: int, planners: list[Planner], plan: int) -> int:
    """Return how many blocks are not where the last acknowledged move put them."""
    async with client_of(settings, port) as client:
        blocks = (await client.get(f"/api/plans/{plan}/assignment")).json()["blocks"]
    moves = sorted(move for one in planners if one.plan == plan for move in one.acknowledged)
    last = {name: to for _, name, to in moves}
    return sum(blocks[name] != to for name, to in last.items())


def client_of(settings: Settings, port: int) -> httpx.AsyncClient:
    """Return a client that is signed in as a planner."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers(settings), timeout=60
    )


async def new_plan(settings: Settings, port: int, unit: str | None) -> int:
    """Start a draft of a unit, of the whole city where none is named."""
    asked = {"title": "方案", "unit": unit, "rules": {"city": LOOSE, "village": LOOSE}}
    async with client_of(settings, port) as client:
        answer = await client.post("/api/plans", json=asked)
    answer.raise_for_status()
    made: int = answer.json()["id"]
    return made


async def planner(
    settings: Settings, port: int, ground: Ground, seed: int, plan: int, unit: str = ""
) -> Planner:
    """Return a planner who draws on a plan, in a unit."""
    beside = [pair for pair in ground.beside if ground.village_of[pair[0]].startswith(unit)]
    rng = np.random.default_rng(seed)
    one = Planner(client_of(settings, port), plan, rng, beside)
    one.grid_of = dict(ground.state.grid_of)
    return one


async def closed(planners: list[Planner]) -> None:
    """Let the planners go home."""
    for one in planners:
        await one.client.aclose()


async def drawing(one: Planner, strokes: int, after_s: float) -> None:
    """Make one stroke a second; who is refused looks at the plan anew."""
    start = time.perf_counter() + after_s
    for number in range(strokes):
        await asyncio.sleep(max(0.0, start + number - time.perf_counter()))
        name, to = border_move(one)
        stroke = {"kind": "move", "blocks": [name], "to": to}
        sent = time.perf_counter()
        answer = await one.client.post(
            f"/api/plans/{one.plan}/strokes", json={"base_version": one.version, "stroke": stroke}
        )
        spent_ms = 1000 * (time.perf_counter() - sent)
        if answer.status_code == 200:
            one.spent_ms.append(spent_ms)
            one.grid_of[name], one.version = to, answer.json()["version"]
            one.acknowledged.append((one.version, name, to))
        else:
            one.refused_ms.append(spent_ms)
            seen = (await one.client.get(f"/api/plans/{one.plan}/assignment")).json()
            one.version = seen["version"]
            one.grid_of |= seen["blocks"]


def border_move(one: Planner) -> tuple[str, str]:
    """Return a block and another grid of its village that a block beside it is in."""
    while True:
        name, other = one.beside[int(one.rng.integers(len(one.beside)))]
        to = one.grid_of[other]
        if to is not None and one.grid_of[name] != to:
            return name, to


def publication_figures(settings: Settings) -> dict[str, Any]:
    """Return what putting a plan in force costs that moves one block in twenty.

    The first publication after a start finds nothing in the server's memory, and writes each page
    that it touches whole into the log; the second one is that of a server that runs.
    """
    with opened(settings) as database:
        engine = engine_without_limits(database.url)
        first, then = (published(engine, settings, drawn(engine, settings)) for _ in range(2))
        engine.dispose()
    return {**then, "publish_first_wall_s": first["publish_wall_s"]}


def drawn(engine: Engine, settings: Settings) -> int:
    """Draw a plan and return its number."""
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        desk = Desk(connection, system_view(), now(settings))
        return drawn_plan(desk, _ground(connection))


def drawn_plan(desk: Desk, ground: Ground) -> int:
    """Draw a plan of moves to the grids beside."""
    asked = NewPlan.model_validate({"title": "方案", "rules": {"city": LOOSE, "village": LOOSE}})
    plan = int(start(desk, asked)["id"])
    rng, grid_of, strokes = np.random.default_rng(plan), dict(ground.state.grid_of), list[Move]()
    moved = set[str]()
    while len(moved) < MOVED_SHARE * len(grid_of):
        name, other = ground.beside[int(rng.integers(len(ground.beside)))]
        if name not in moved and grid_of[other] is not None and grid_of[name] != grid_of[other]:
            grid_of[name] = grid_of[other]
            strokes.append(Move((name,), grid_of[other]))
            moved.add(name)
    draw_all(desk, plan, strokes)
    return plan


def published(engine: Engine, settings: Settings, plan: int) -> dict[str, Any]:
    """Publish beside a reader; return seconds, and how many different answers the reader had."""
    seen, done = set[frozenset[Any]](), threading.Event()
    reader = threading.Thread(target=reading, args=(engine, seen, done))
    reader.start()
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        server = psutil.Process(connection.execute(select(func.pg_backend_pid())).scalar_one())
        desk = Desk(connection, system_view(), now(settings))
        row = desk.row(plan)
        marks = time.perf_counter(), time.thread_time(), cpu_s(server)
        put_in_force(desk, row, desk.now.date())
        spent = time.thread_time() - marks[1], cpu_s(server) - marks[2]
        outcome = desk.row(plan).outcome
    wall_s = time.perf_counter() - marks[0]
    done.set()
    reader.join()
    people = {sum(n for _, n in answer) for answer in seen}
    return {
        "publish_blocks": outcome["blocks"],
        "publish_features": outcome["features"],
        "publish_wall_s": wall_s,
        "publish_service_cpu_s": spent[0],
        "publish_database_cpu_s": spent[1],
        "publish_reader_answers": len(seen),
        "publish_reader_totals": len(people),
    }


def reading(engine: Engine, seen: set[frozenset[Any]], done: threading.Event) -> None:
    """Ask again and again who lives in which grid."""
    held = select(person.c.grid_code, func.count()).group_by(person.c.grid_code)
    is_last = False
    while not is_last:
        is_last = done.is_set()  # once more after all is done
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            seen.add(frozenset(map(tuple, connection.execute(held))))
        time.sleep(1.0)


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
