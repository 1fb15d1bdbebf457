"""What an administrator wants to know before trusting a database: versions, checksums, the wall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, Table, func, select, text

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.migrations import newest_revision, revision_of
from gis_service.migrations.schema import schema


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    says: str


def checks(engine: Engine) -> list[Check]:
    """Look at a database as the service's role, and change nothing."""
    with engine.connect() as connection, connection.begin() as transaction:
        found = [look(connection) for look in _LOOKS]
        transaction.rollback()
    return found


def _versions(connection: Connection) -> Check:
    server = connection.scalar(text("show server_version"))
    postgis = connection.scalar(func.postgis_lib_version())
    return Check("PostgreSQL / PostGIS", True, f"{server} / {postgis}")


def _checksums(connection: Connection) -> Check:
    state = str(connection.scalar(text("show data_checksums")))
    return Check("data checksums", state == "on", state)


def _revision(connection: Connection) -> Check:
    revision, newest = revision_of(connection), newest_revision()
    return Check("schema", revision == newest, f"{revision}, newest {newest}")


def _role(connection: Connection) -> Check:
    flags = connection.execute(
        text("select rolsuper or rolbypassrls, rolname from pg_roles where rolname = current_user")
    ).one()
    owned = connection.scalar(
        text("select count(*) from pg_tables where tableowner = current_user")
    )
    ok = not flags[0] and owned == 0
    return Check("service role", ok, f"{flags[1]}: owns {owned} tables, bypasses: {flags[0]}")


def _wall(connection: Connection) -> Check:
    """Ask for every walled table with no scope; one visible row is a hole."""
    enter_scope(connection, replace(system_view("check"), scope=()))
    tables = [table for table in schema().tables.values() if "unit_path" in table.c]
    walled = set(connection.scalars(text("select relname from pg_class where relrowsecurity")))
    holes = [table.name for table in tables if _shows_a_row(connection, table)]
    holes += [table.name for table in tables if table.name not in walled]
    says = "open: " + ", ".join(holes) if holes else f"{len(tables)} tables closed"
    return Check("row-level security", not holes, says)


def _shows_a_row(connection: Connection, table: Table) -> bool:
    return bool(connection.scalar(select(select(table.c.unit_path).limit(1).exists())))


def _leakproof(connection: Connection) -> Check:
    marked = connection.scalar(
        text("select bool_and(proleakproof) from pg_proc where proname = 'geometry_overlaps'")
    )
    remedy = "alter function geometry_overlaps(geometry, geometry) leakproof"
    says = "on" if marked else f"as superuser, for speed: {remedy}"
    return Check("spatial index under the wall", bool(marked), says)


def _rows(connection: Connection) -> Check:
    enter_scope(connection, system_view("check"))
    county = connection.scalar(text("select name from county"))
    return Check("county", True, str(county or "nothing loaded yet"))


_LOOKS: tuple[Callable[[Connection], Check], ...] = (
    _versions,
    _checksums,
    _revision,
    _role,
    _wall,
    _leakproof,
    _rows,
)
