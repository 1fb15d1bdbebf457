"""The made-up county in a database, and the service over it: one to read, one to write to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, create_engine, make_url

from gis_service.database import Database
from gis_service.refresh import refresh_all
from tests.county import NOW
from tests.serving import Client, fill, serving, sqlalchemy_url

if TYPE_CHECKING:
    from tests.conftest import Server


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
    yield from copied(server, county_template, "reading")


@pytest.fixture
def county_database(server: Server, county_template: str) -> Iterator[Database]:
    """A county of the test's own."""
    yield from copied(server, county_template, "own")


@pytest.fixture(scope="session")
def computed_template(server: Server, county_template: str) -> Iterator[str]:
    """The name of a database with the county and all that is computed from it."""
    for database in copied(server, county_template, "computed"):
        engine = create_engine(sqlalchemy_url(database.url))
        refresh_all(engine, NOW)
        engine.dispose()
        yield database_name(database)


@pytest.fixture
def computed_database(server: Server, computed_template: str) -> Iterator[Database]:
    """A county of the test's own, computed."""
    yield from copied(server, computed_template, "own")


@pytest.fixture(scope="session")
def client(
    reading_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of a service that no test writes through."""
    folder = tmp_path_factory.mktemp("reading")
    # nothing is computed anew: the county stays as every test expects it
    with serving(reading_database, folder, event_interval_s=1, refresh_interval_s=3600) as client:
        yield client


@pytest.fixture(scope="module")
def desk(
    server: Server,
    county_template: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """A client over a county that the tests of one module write drafts to, and no more."""
    word = str(request.module.__name__).rpartition(".")[2]
    for database in copied(server, county_template, word):
        folder = tmp_path_factory.mktemp(word)
        with serving(database, folder, refresh_interval_s=3600) as client:
            yield client


@pytest.fixture
def own_client(county_database: Database, tmp_path: Path) -> Iterator[Client]:
    """A client of a service over a county of the test's own, in which nothing is computed anew."""
    calm = {"event_interval_s": 1, "refresh_interval_s": 3600}
    with serving(county_database, tmp_path, **calm) as client:
        yield client


def copied(server: Server, source: str, word: str) -> Iterator[Database]:
    """Give a copy of a database while it is wanted."""
    name = f"{source}_{word}"
    server.ensure_database(name, template=source)
    yield _database(server, name)
    server.drop_database(name)


def _database(server: Server, name: str) -> Database:
    return Database(server.url("gis_service", name), server.url("gis_owner", name))


def database_name(database: Database) -> str:
    """Return what a database is called on its server."""
    name = make_url(sqlalchemy_url(database.url)).database
    assert name is not None
    return name


@pytest.fixture
def county_connection(reading_database: Database) -> Iterator[Connection]:
    """A connection of the service's role to the made-up county, rolled back at the end."""
    engine = create_engine(sqlalchemy_url(reading_database.url))
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
    engine.dispose()
