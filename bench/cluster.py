"""How long the embedded database takes to make, start, copy and join; wall-clock seconds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, make_url

from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER
from gis_service.migrations import migrate


def figures() -> dict[str, float]:
    """Measure one life of a cluster in a temporary folder, as durable as in service."""
    with tempfile.TemporaryDirectory(prefix="gis-bench-") as path:
        Path(path).chmod(0o755)
        cluster = Cluster(Path(path) / "postgres")
        measured = {
            "make and start, s": _seconds(cluster.open),
            "database with PostGIS, s": _seconds(lambda: cluster.ensure_database("gis_one")),
            "migrate, s": _seconds(lambda: _migrate(cluster)),
            "copy of a database, s": _seconds(
                lambda: cluster.ensure_database("gis_two", template="gis_one")
            ),
            "join a running cluster, s": _seconds(lambda: _join(cluster)),
            "clean stop, s": _seconds(cluster.close),
            "start again, s": _seconds(cluster.open),
        }
        cluster.close()
    return measured


def _seconds(step: Callable[[], object]) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def _migrate(cluster: Cluster) -> None:
    url = make_url(cluster.url(OWNER, "gis_one"))
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    migrate(engine)
    engine.dispose()


def _join(cluster: Cluster) -> None:
    with Cluster(cluster.folder):
        pass
