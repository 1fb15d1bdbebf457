"""A database made by the product's own cluster and migrations, for every test that wants one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from gis_service.database import Database, enter_scope
from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE, SUPERUSER
from gis_service.embedded.roles import drop_database, make_database, make_roles, prepare_database
from gis_service.migrations import migrate
from grid_boundaries.view import View
from tests.county_fixtures import (
    client,
    computed_database,
    computed_template,
    county_connection,
    county_database,
    county_template,
    desk,
    own_client,
    reading_database,
)

__all__ = [
    "client",
    "computed_database",
    "computed_template",
    "county_connection",
    "county_database",
    "county_template",
    "desk",
    "own_client",
    "reading_database",
]

hypothesis.settings.load_profile(
    "ci"
)  # the same cases everywhere, and no deadline on slow machines
ROOM_BYTES = 4 * 2**30  # four workers with a cluster of a few hundred megabytes each
EVERYWHERE = View(actor="tester", scope=("/",))


class Server(Protocol):
    """What the fixtures need of a database server."""

    def url(self, role: str, database: str) -> str: ...
    def ensure_database(self, name: str, *, template: str | None = None) -> None: ...
    def drop_database(self, name: str) -> None: ...


class GivenServer:
    """A server at `GIS_TEST_DATABASE_URL`, reached as a superuser who may take the two roles."""

    def __init__(self, url: str) -> None:
        self.address = make_url(url)
        make_roles(self.url(SUPERUSER, "postgres"))

    def url(self, role: str, database: str) -> str:
        """Return the address of a database; the superuser takes the role by an option."""
        address = self.address.set(drivername="postgresql", database=database)
        if role != SUPERUSER:
            address = address.update_query_dict({"options": f"-c role={role}"})
        return address.render_as_string(hide_password=False)

    def ensure_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database as the embedded cluster does."""
        make_database(self.url(SUPERUSER, "postgres"), name, template)
        if template is None:
            prepare_database(self.url(SUPERUSER, name))

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        drop_database(self.url(SUPERUSER, "postgres"), name)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server of this run: the one given, else a private cluster in a temporary folder."""
    given = os.environ.get("GIS_TEST_DATABASE_URL")
    if given:
        yield GivenServer(given)
        return
    with tempfile.TemporaryDirectory(prefix="gis-test-", dir=_in_memory()) as folder:
        Path(folder).chmod(0o755)  # as root, the database's account must pass through
        with Cluster(Path(folder) / "postgres", durable=False) as cluster:
            yield cluster


def _in_memory() -> Path | None:
    """Where there is room, memory: a database is a thousand files, and every other test has one."""
    memory = Path("/dev/shm")
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    return memory if is_roomy else None


_numbers = count()


def _fresh_name(word: str) -> str:
    return f"gis_{word}_{os.getpid()}_{next(_numbers)}"


def engine_to(url: str) -> Engine:
    """Return an engine that keeps no connection open, so that its database can be dropped."""
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """The name of an empty database at the newest revision; copies cost a tenth of a second."""
    name = _fresh_name("template")
    server.ensure_database(name)
    migrate(engine_to(server.url(OWNER, name)))
    yield name
    server.drop_database(name)


@pytest.fixture(scope="session")
def shared_database(server: Server, template: str) -> Iterator[Database]:
    """One database for the tests that roll back what they write."""
    yield from _copy(server, template)


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Database]:
    """A database of the test's own, for tests that commit."""
    yield from _copy(server, template)


def _copy(server: Server, template: str) -> Iterator[Database]:
    name = _fresh_name("copy")
    server.ensure_database(name, template=template)
    yield Database(server.url(SERVICE, name), server.url(OWNER, name))
    server.drop_database(name)


@pytest.fixture(scope="session")
def shared_engine(shared_database: Database) -> Iterator[Engine]:
    """An engine as the tables' owner on the shared database."""
    engine = create_engine(_sqlalchemy(shared_database.owner_url))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    """A connection as the tables' owner, in scope of every unit, rolled back at the end."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        enter_scope(connection, EVERYWHERE)
        yield connection
        transaction.rollback()


def become_service(connection: Connection, view: View) -> None:
    """Go on in the same transaction as the service's role, seeing what the view may see."""
    connection.execute(text("set local role gis_service"))
    enter_scope(connection, view)


@pytest.fixture
def owner_engine(database: Database) -> Iterator[Engine]:
    """An engine as the tables' owner on the test's own database."""
    engine = create_engine(_sqlalchemy(database.owner_url))
    yield engine
    engine.dispose()


@pytest.fixture
def service_engine(database: Database) -> Iterator[Engine]:
    """An engine as the service's role on the test's own database."""
    engine = create_engine(_sqlalchemy(database.url))
    yield engine
    engine.dispose()


def _sqlalchemy(url: str | None) -> str:
    assert url is not None
    address = make_url(url).set(drivername="postgresql+psycopg")
    return address.render_as_string(hide_password=False)
