"""Engines, time limits and the scope of a transaction."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from gis_service.database import (
    Database,
    async_pool,
    engine_of,
    enter_scope,
    enter_scope_async,
    opened,
    owner_engine,
)
from gis_service.settings import Settings
from grid_boundaries.errors import Unavailable
from grid_boundaries.view import View

TOWN = View("chief", ("/610923/610923100/",))
SCOPE = text("select current_setting('gis.scope', true), current_setting('gis.actor', true)")


def test_scope_and_actor_end_with_the_transaction(service_engine: Engine) -> None:
    with service_engine.connect() as connection:
        with connection.begin():
            enter_scope(connection, TOWN)
            assert tuple(connection.execute(SCOPE).one()) == ("/610923/610923100/", "chief")
        assert tuple(connection.execute(SCOPE).one()) == ("", "")


def test_scopes_are_joined_by_commas(service_engine: Engine) -> None:
    with service_engine.begin() as connection:
        enter_scope(connection, View("chief", ("/a/", "/b/")))
        assert connection.execute(SCOPE).one()[0] == "/a/,/b/"


@pytest.mark.parametrize("path", ["610923/", "", "/a/,/", ",/"])
def test_a_path_that_is_none_is_refused(service_engine: Engine, path: str) -> None:
    with service_engine.begin() as connection, pytest.raises(ValueError, match="unit path"):
        enter_scope(connection, View("chief", (path,)))


def test_the_async_pool_sets_the_same_scope(database: Database) -> None:
    async def seen() -> list[tuple[object, ...]]:
        async with async_pool(database.url, Settings()) as pool:
            async with pool.connection() as connection:
                await enter_scope_async(connection, TOWN)
                row = await (await connection.execute(str(SCOPE))).fetchone()
            async with pool.connection() as connection:
                after = await (await connection.execute(str(SCOPE))).fetchone()
        return [tuple(one or ()) for one in (row, after)]

    inside, outside = asyncio.run(seen())
    assert inside == ("/610923/610923100/", "chief")
    assert not any(outside)


def test_a_statement_over_the_time_limit_is_ended(database: Database) -> None:
    engine = engine_of(database.url, Settings(statement_timeout_s=2))
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("select pg_sleep(60)"))
    engine.dispose()


def test_a_wait_for_a_lock_over_the_time_limit_is_ended(database: Database) -> None:
    engine = engine_of(database.url, Settings(lock_timeout_s=0.05))
    lock = text("lock table camera in row exclusive mode")
    holder = create_engine(make_url(database.owner_url or "").set(drivername="postgresql+psycopg"))
    with holder.begin() as holding, engine.begin() as waiting:
        holding.execute(text("lock table camera in access exclusive mode"))
        with pytest.raises(OperationalError, match="lock timeout"):
            waiting.execute(lock)
    engine.dispose()
    holder.dispose()


def test_migrations_without_the_owners_address_are_refused() -> None:
    with pytest.raises(Unavailable, match="GIS_DATABASE_OWNER_URL"):
        owner_engine(Database("postgresql://x@/y"))


def test_a_given_database_is_used_and_no_cluster_is_made(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path / "data", database_url="postgresql://a/b", database_owner_url=None
    )
    with opened(settings) as database:
        assert database == Database("postgresql://a/b")
    assert not (tmp_path / "data").exists()
