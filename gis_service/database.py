"""How the service reaches its database, and how a connection learns who asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Connection, Engine, bindparam, create_engine, func, make_url, select

from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER, SERVICE
from gis_service.settings import Settings
from grid_boundaries.errors import Unavailable
from grid_boundaries.view import View

SCOPE = "gis.scope"  # unit paths joined by commas; row policies read it
ACTOR = "gis.actor"

_ENTER = select(
    func.set_config(SCOPE, bindparam("scope"), True),
    func.set_config(ACTOR, bindparam("actor"), True),
)
_ENTER_ASYNC = """
select set_config('gis.scope', %(scope)s, true), set_config('gis.actor', %(actor)s, true)
"""


@dataclass(frozen=True)
class Database:
    """Addresses of one county's database.

    Parameters
    ----------
    url
        As the service's role, which row policies bind; libpq form (``postgresql://…``).
    owner_url
        As the owner of the tables; None where only migrations know it.
    """

    url: str
    owner_url: str | None = None


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database for as long as the block lasts, starting the embedded one if need be.

    Raises
    ------
    Unavailable
        The embedded database cannot be made or started; the sentence says why.
    """
    if settings.database_url is not None:
        yield Database(settings.database_url, settings.database_owner_url)
        return
    with cluster_of(settings) as cluster:
        name = settings.database_name
        cluster.ensure_database(name)
        yield Database(cluster.url(SERVICE, name), cluster.url(OWNER, name))


def cluster_of(settings: Settings) -> Cluster:
    """Return the embedded cluster of the settings, not yet opened."""
    return Cluster(
        settings.data_dir / "postgres", account=settings.account, socket_root=settings.socket_dir
    )


def connection_options(settings: Settings) -> Mapping[str, str]:
    """Return libpq options that hold for every connection of the service: the time limits."""
    limits_s = {
        "statement_timeout": settings.statement_timeout_s,
        "lock_timeout": settings.lock_timeout_s,
        "idle_in_transaction_session_timeout": settings.idle_timeout_s,
    }
    limits = (f"-c {name}={round(seconds * 1000)}" for name, seconds in limits_s.items())
    return {"options": " ".join(limits), "application_name": "gis-service"}


def engine_of(url: str, settings: Settings) -> Engine:
    """Return the sync engine of a process for handlers and the refresher."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args=dict(connection_options(settings)),
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_pre_ping=True,
        pool_timeout=settings.lock_timeout_s,
        hide_parameters=True,  # what rows hold is no business of the log
    )


def owner_engine(database: Database) -> Engine:
    """Return an engine as the tables' owner, without time limits, for migrations.

    Raises
    ------
    Unavailable
        Nobody told the owner's address.
    """
    if database.owner_url is None:
        raise Unavailable(
            "owner-url-missing",
            "迁移需要表所有者的连接；请设置 GIS_DATABASE_OWNER_URL",
            "Migrations need the connection of the tables' owner; set GIS_DATABASE_OWNER_URL",
        )
    return create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))


def async_pool(url: str, settings: Settings) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
    """Return the pool for tiles, LISTEN and event streams; not yet opened.

    Its statements are planned for their values each time: a plan for any tile in any scope reads
    the whole table.
    """
    options = dict(connection_options(settings))
    options["options"] += " -c plan_cache_mode=force_custom_plan"
    return AsyncConnectionPool(
        url,
        kwargs=options,
        min_size=1,
        max_size=settings.pool_size,
        timeout=settings.lock_timeout_s,
        max_waiting=settings.queue_limit,
        open=False,
    )


def enter_scope(connection: Connection, view: View) -> None:
    """Tell the database, for this transaction, who asks and what they may see."""
    connection.execute(_ENTER, dict(_session(view)))


async def enter_scope_async(connection: psycopg.AsyncConnection[Any], view: View) -> None:
    """Do what `enter_scope` does on a connection of the async pool."""
    await connection.execute(_ENTER_ASYNC, _session(view))


def _session(view: View) -> Mapping[str, str]:
    """Return the session's settings; a comma would smuggle a second path into the scope."""
    if any("," in path or not path.startswith("/") for path in view.scope):
        raise ValueError(f"a unit path starts with / and holds no comma: {view.scope}")
    return {"scope": ",".join(view.scope), "actor": view.actor}
