"""The history of the schema against the tables in the code."""

from __future__ import annotations

import os
import threading

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from gis_service.embedded.configuration import OWNER
from gis_service.migrations import configuration, migrate, newest_revision, revision_of
from gis_service.migrations.schema import rules, schema
from tests.conftest import Server, engine_to

BARE = f"gis_bare_for_migrations_{os.getpid()}"  # a server may be shared


def bare_database(server: Server) -> Engine:
    """Return an engine as the owner on a database that has PostGIS and nothing else."""
    server.drop_database(BARE)
    server.ensure_database(BARE)
    return engine_to(server.url(OWNER, BARE))


def test_the_revisions_lay_just_the_tables_in_the_code(owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        command.check(configuration(connection))  # raises with the differences it finds


def test_an_empty_database_has_no_revision_and_then_the_newest(server: Server) -> None:
    engine = bare_database(server)
    with engine.connect() as connection:
        assert revision_of(connection) is None
    assert migrate(engine)
    with engine.connect() as connection:
        assert revision_of(connection) == newest_revision()
    server.drop_database(BARE)


def test_migrating_again_does_nothing(owner_engine: Engine) -> None:
    assert not migrate(owner_engine)


def test_two_that_migrate_together_do_it_once(server: Server) -> None:
    engine = bare_database(server)
    changed: list[bool] = []
    threads = [
        threading.Thread(target=lambda: changed.append(migrate(engine)), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False, True]
    server.drop_database(BARE)


def test_a_migration_that_fails_leaves_nothing(server: Server) -> None:
    engine = bare_database(server)
    with engine.begin() as connection:
        connection.execute(text("create table worker (stranger int)"))
    with pytest.raises(ProgrammingError, match="already exists"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["spatial_ref_sys", "worker"]
    server.drop_database(BARE)


def test_what_was_laid_can_be_taken_away(server: Server) -> None:
    engine = bare_database(server)
    migrate(engine)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
    assert set(inspect(engine).get_table_names()) == {"spatial_ref_sys", "alembic_version"}
    with engine.connect() as connection:
        left = text("select count(*) from pg_proc where proname like 'announce%'")
        assert connection.scalar(left) == 0
    server.drop_database(BARE)


def test_drawn_geometry_is_generated_and_both_are_indexed(owner_engine: Engine) -> None:
    columns = {column["name"]: column for column in inspect(owner_engine).get_columns("camera")}
    assert "st_transform" in str(columns["geom_3857"].get("computed"))
    indexes = inspect(owner_engine).get_indexes("camera")
    spatial = {
        str(index["column_names"][0])
        for index in indexes
        if index.get("dialect_options", {}).get("postgresql_using") == "gist"
    }
    assert spatial == {"geom", "geom_3857"}


def test_every_layers_table_announces_its_changes(owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        tables = text("select distinct event_object_table from information_schema.triggers")
        announcing = set(connection.scalars(tables))
    shown = {name for name in schema().tables if (found := rules(name)) and found.layers}
    assert announcing == shown


def test_a_table_of_somebody_else_has_no_rules() -> None:
    assert rules("spatial_ref_sys") is None
