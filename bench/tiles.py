"""Cost of a tile on the demo county: from the database, from memory, and of saying "unchanged"."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from fastapi import FastAPI
from sqlalchemy import create_engine, make_url
from starlette.types import Message

from gis_service.app import create_app
from gis_service.auth import Signer, sign_in_key
from gis_service.counties import load_demo
from gis_service.database import Database
from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE
from gis_service.migrations import migrate
from gis_service.settings import Settings

MERGED = "units,grids,blocks,waters,streets,buildings,places,cameras,blind,incidents"
# zoom, and the square of tiles round the county town that is asked for
PLACES = ((9, 408, 204), (11, 1638, 820), (13, 6558, 3289), (15, 26239, 13163))
SIDE = 4
REPEATS = 2000


def figures() -> dict[str, float]:
    """Return CPU milliseconds a tile, of service and database, and tiles a CPU second."""
    with demo_county() as (settings, cluster):
        return asyncio.run(_measured(settings, cluster))


@contextmanager
def demo_county() -> Iterator[tuple[Settings, Path]]:
    """Give settings that serve the demo county from a private cluster, and its folder."""
    with tempfile.TemporaryDirectory(prefix="gis-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)  # as root, the database's account must pass through
        with Cluster(root / "postgres", durable=False) as cluster:
            cluster.ensure_database("bench")
            database = Database(cluster.url(SERVICE, "bench"), cluster.url(OWNER, "bench"))
            owner = make_url(database.owner_url or "").set(drivername="postgresql+psycopg")
            engine = create_engine(owner)
            migrate(engine)
            engine.dispose()
            settings = Settings(
                database_url=database.url, data_dir=root / "data", log_level="error"
            )
            load_demo(database, settings, lambda *_: None)
            yield settings, root


async def _measured(settings: Settings, cluster: Path) -> dict[str, float]:
    app = create_app(settings)
    token = Signer(sign_in_key(settings.data_dir), settings.session_hours).token("command")
    async with app.router.lifespan_context(app):
        found: dict[str, float] = {}
        for z, x, y in PLACES:
            paths = [
                f"/tiles/{MERGED}/{z}/{x + dx}/{y + dy}" for dx in range(SIDE) for dy in range(SIDE)
            ]
            await _get(app, paths[0], token)  # the first plans and prepares
            own_s, other_s = time.process_time(), _cpu_s(cluster)
            answers = [await _get(app, path, token) for path in paths[1:]]
            count = len(answers)
            found[f"z{z}_cold_service_ms"] = 1000 * (time.process_time() - own_s) / count
            found[f"z{z}_cold_database_ms"] = 1000 * (_cpu_s(cluster) - other_s) / count
            found[f"z{z}_bytes"] = sum(len(body) for _, _, body in answers) / count
        return found | await _from_memory(app, paths[0], token)


async def _from_memory(app: FastAPI, path: str, token: str) -> dict[str, float]:
    _, headers, _ = await _get(app, path, token)
    etag = dict(headers)[b"etag"]
    started_s = time.process_time()
    for _ in range(REPEATS):
        await _get(app, path, token)
    warm_s = (time.process_time() - started_s) / REPEATS
    started_s = time.process_time()
    for _ in range(REPEATS):
        status, _, _ = await _get(app, path, token, etag)
    unchanged_s = (time.process_time() - started_s) / REPEATS
    return {
        "warm_tiles_per_cpu_s": 1 / warm_s,
        "warm_ms": 1000 * warm_s,
        "unchanged_ms": 1000 * unchanged_s,
        "unchanged_status": status,
    }


async def _get(
    app: FastAPI, path: str, token: str, etag: bytes = b""
) -> tuple[int, Sequence[Any], bytes]:
    headers = [(b"authorization", b"Bearer " + token.encode())]
    headers += [(b"if-none-match", etag)] if etag else []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "headers": headers,
        "query_string": b"", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], sent[0]["headers"], body


def _cpu_s(folder: Path) -> float:
    """Return the CPU seconds that the cluster's processes have used so far."""
    total = 0.0
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] and str(folder) in process.info["cwd"]:
            times = process.cpu_times()
            total += times.user + times.system
    return total
