"""A service's life in a process of its own, as far as the database sees it, told step by step."""

from __future__ import annotations

from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, insert, make_url, select

from gis_service.database import enter_scope
from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE
from gis_service.migrations import migrate
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.cameras import camera

EVERYWHERE = View("tester", ("/",))
ROWS, STATEMENTS = 500, 20
Counts = tuple[int, int]  # cameras, announcements
NOTHING: Counts = (0, 0)
WHOLE: Counts = (ROWS * STATEMENTS, STATEMENTS)


def engine_to(cluster: Cluster, role: str, database: str) -> Engine:
    return create_engine(make_url(cluster.url(role, database)).set(drivername="postgresql+psycopg"))


def live(folder: Path, database: str, told: Pipe) -> None:
    """Open, migrate, load, telling each step before it is taken; then wait to be let go."""
    told.send("initdb")
    with Cluster(folder, durable=False) as cluster:
        told.send("migrate")
        cluster.ensure_database(database)
        migrate(engine_to(cluster, OWNER, database))
        told.send("load")
        load(engine_to(cluster, SERVICE, database))
        told.send("done")
        told.recv()


def load(engine: Engine) -> None:
    """Load all cameras in one transaction, some hundreds a statement."""
    with engine.begin() as connection:
        enter_scope(connection, EVERYWHERE)
        for start in range(0, ROWS * STATEMENTS, ROWS):
            connection.execute(insert(camera).values([_camera(start + n) for n in range(ROWS)]))


def loaded(engine: Engine) -> Counts:
    """Return how many cameras and announcements there are."""
    with engine.begin() as connection:
        enter_scope(connection, EVERYWHERE)
        cameras = connection.scalar(select(func.count()).select_from(camera))
        announcements = connection.scalar(select(func.count()).select_from(outbox))
    return cameras or 0, announcements or 0


def _camera(number: int) -> dict[str, object]:
    return {
        "id": str(number),
        "geom": f"SRID=4490;POINT(108.{number:05} 33.3)",
        "unit_path": "/610923/",
        "kind": "fixed",
        "state": "built",
        "online": True,
    }
