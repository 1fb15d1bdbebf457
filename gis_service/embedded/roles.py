"""The roles and the databases inside a cluster that the service runs itself."""

from __future__ import annotations

import psycopg
from psycopg import sql

from gis_service.embedded.configuration import OWNER, SERVICE

# what a killed service had begun still runs in the server for a moment: wait for its session's end
_ALONE = "select pg_advisory_lock(7310922)"
_SHUT = sql.SQL("revoke all on database {0} from public")
_LET_IN = sql.SQL("grant connect, temporary on database {0} to {1}")


def make_roles(superuser_url: str) -> None:
    """Make the owner's and the service's role; nothing happens where they stand already."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(_ALONE)
        standing = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for role in {OWNER, SERVICE} - standing:
            connection.execute(
                sql.SQL("create role {} login nosuperuser nobypassrls nocreatedb").format(
                    sql.Identifier(role)
                )
            )
        # lets migrations and tests act as the service: set role gis_service
        if not standing.issuperset({OWNER, SERVICE}):
            connection.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(SERVICE), sql.Identifier(OWNER))
            )


def make_database(superuser_url: str, name: str, template: str | None) -> None:
    """Make a database that the owner owns, from a template where one is given.

    Nothing happens where it stands already.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(_ALONE)
        standing = "select 1 from pg_database where datname = %s"
        if connection.execute(standing, [name]).fetchone() is None:
            connection.execute(
                sql.SQL("create database {} owner {} template {}").format(
                    sql.Identifier(name),
                    sql.Identifier(OWNER),
                    sql.Identifier(template or "template1"),
                )
            )
        # these every time: who was killed in between left a database that lets nobody in
        for statement in (_SHUT, _LET_IN):
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(SERVICE)))


def drop_database(superuser_url: str, name: str) -> None:
    """Drop a database and whoever is connected to it."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


def prepare_database(superuser_url: str) -> None:
    """Give a database PostGIS, and the schema to the owner; safe to repeat.

    `geometry_overlaps` (the `&&` operator) is marked leak-proof: only then may the planner use a
    spatial index under row-level security. It raises no error that shows a hidden geometry.
    """
    with psycopg.connect(superuser_url) as connection:
        connection.execute(_ALONE)
        connection.execute("create extension if not exists postgis")
        leakproof = "select proleakproof from pg_proc where proname = 'geometry_overlaps'"
        if connection.execute(leakproof).fetchone() == (False,):
            connection.execute("alter function geometry_overlaps(geometry, geometry) leakproof")
        connection.execute(sql.SQL("alter schema public owner to {}").format(sql.Identifier(OWNER)))
        connection.execute(
            sql.SQL("grant usage on schema public to {}").format(sql.Identifier(SERVICE))
        )
