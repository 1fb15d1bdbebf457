"""From settings to a serving process: port, database, schema, demo, privileges, uvicorn."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from gis_service.compiled_loops import keep_compiled
from gis_service.database import Database, opened, owner_engine
from gis_service.embedded.account import server_account
from gis_service.listening import address, check_address, leave_root, listening_socket
from gis_service.migrations import migrate, newest_revision, revision_of
from gis_service.request_head import BoundedHead
from gis_service.settings import Settings
from grid_boundaries.errors import Unavailable

Say = Callable[[str, str], None]  # a sentence in Chinese and in English


def serve(settings: Settings, *, prepare: Callable[[Database], None], say: Say) -> None:
    """Serve until a signal ends it; the embedded database stops with its last user.

    Parameters
    ----------
    settings
        As read once at start.
    prepare
        What is to be done on the migrated database before serving (load the demo county).
    say
        Tells the person at the terminal.

    Raises
    ------
    Refused
        Port taken, no TLS off loopback, database not to be had; nothing keeps running.
    """
    check_address(settings)
    with listening_socket(settings.host, settings.port) as listening:
        signal.signal(signal.SIGTERM, _leave)
        _leave_root(settings, say)
        keep_compiled(settings.data_dir)
        with opened(settings) as database:
            bring_up_to_date(database)
            prepare(database)
            ready = settings.model_copy(update={"database_url": database.url})
            say(f"服务地址 {address(settings)}", f"Serving on {address(settings)}")
            _run(ready, listening)


def bring_up_to_date(database: Database) -> None:
    """Migrate where the owner's address is known; else refuse a schema of another version."""
    engine = owner_engine(database if database.owner_url else Database("", database.url))
    try:
        if database.owner_url:
            migrate(engine)
            return
        with engine.connect() as connection:
            found = revision_of(connection)
        if found != newest_revision():
            raise Unavailable(
                "schema-out-of-date",
                f"数据库结构版本为 {found}，本服务需要 {newest_revision()}；"
                "请运行 gis-service migrate",
                f"The schema is at {found} and this service needs {newest_revision()};"
                " run gis-service migrate",
            )
    finally:
        engine.dispose()


def application() -> Any:
    """Return the app of a worker process, whose settings come from its environment."""
    from gis_service.app import create_app

    return create_app(Settings())


def _run(settings: Settings, listening: Any) -> None:
    if settings.workers == 1:
        from gis_service.app import create_app

        server = uvicorn.Server(_configuration(settings, create_app(settings)))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
        return
    os.environ["GIS_DATABASE_URL"] = settings.database_url or ""
    config = _configuration(settings, "gis_service.server:application")
    Multiprocess(config, sockets=[listening]).run()


def _configuration(settings: Settings, app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        loop="uvloop",
        http=BoundedHead,
        lifespan="on",
        log_config=None,  # the app logs requests itself
        access_log=False,
        server_header=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        timeout_worker_healthcheck=60,  # a worker that still imports must not be taken for dead
    )


def _leave_root(settings: Settings, say: Say) -> None:
    if os.geteuid() != 0:
        return
    account = server_account(settings.account)
    if not leave_root(account, settings.data_dir):
        say(
            f"账户 {account.name} 读不到程序文件，服务将以 root 运行；请把程序装在它读得到的地方",
            f"{account.name} cannot read the program, so the service stays root;"
            " install it where that account can read it",
        )


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # SystemExit unwinds the blocks above, which stops the database
    sys.exit(0)
