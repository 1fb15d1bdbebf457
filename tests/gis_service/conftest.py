"""The service over the made-up county: one for tests that read, a new one for tests that write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.database import Database
from tests.conftest import Server
from tests.serving import Client, fill, serving


@pytest.fixture(scope="session")
def county_template(server: Server, template: str) -> Iterator[str]:
    """The name of a database that holds the made-up county; copy it, never write to it."""
    name = f"{template}_county"
    server.ensure_database(name, template=template)
    fill(_database(server, name))
    yield name
    server.drop_database(name)


@pytest.fixture(scope="session")
def reading_database(server: Server, county_template: str) -> Iterator[Database]:
    """A county that no test writes to."""
    yield from _copy(server, county_template, "reading")


@pytest.fixture
def county_database(server: Server, county_template: str) -> Iterator[Database]:
    """A county of the test's own."""
    yield from _copy(server, county_template, "own")


@pytest.fixture(scope="session")
def client(
    reading_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of a service that no test writes through."""
    with serving(reading_database, tmp_path_factory.mktemp("reading")) as client:
        yield client


@pytest.fixture
def own_client(county_database: Database, tmp_path: Path) -> Iterator[Client]:
    """A client of a service over a county of the test's own."""
    with serving(county_database, tmp_path) as client:
        yield client


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the database's account can reach."""
    with tempfile.TemporaryDirectory(prefix="gis-cluster-") as path:
        Path(path).chmod(0o755)
        yield Path(path) / "postgres"


def _copy(server: Server, source: str, word: str) -> Iterator[Database]:
    name = f"{source}_{word}"
    server.ensure_database(name, template=source)
    yield _database(server, name)
    server.drop_database(name)


def _database(server: Server, name: str) -> Database:
    return Database(server.url("gis_service", name), server.url("gis_owner", name))
