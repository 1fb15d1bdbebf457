"""The running service over the made-up county, for tests that speak HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import create_engine, make_url

from gis_service.app import create_app
from gis_service.auth import Signer, sign_in_key
from gis_service.database import Database
from gis_service.refresh import refresh_all
from gis_service.request_head import BoundedHead
from gis_service.settings import Settings
from tests import county

# jobs of the serving part; coverage and hotspots stand in the county as they are
TILES = frozenset({"shapes", "counts"})
# a busy machine answers late; still sooner than the client gives up
PATIENCE = {"lock_timeout_s": 50, "statement_timeout_s": 50}


def sqlalchemy_url(url: str | None) -> str:
    """Return a libpq address as SQLAlchemy takes it."""
    assert url is not None
    address = make_url(url).set(drivername="postgresql+psycopg")
    return address.render_as_string(hide_password=False)


def fill(database: Database) -> None:
    """Put the made-up county into an empty database, with tile shapes and counts."""
    owner = create_engine(sqlalchemy_url(database.owner_url))
    with owner.begin() as connection:
        county.build(connection)
    owner.dispose()
    service = create_engine(sqlalchemy_url(database.url))
    refresh_all(service, county.NOW, names=TILES)
    service.dispose()


def settings_of(database: Database, folder: Path, **more: Any) -> Settings:
    """Return settings that serve the database with a data folder of their own."""
    return Settings(database_url=database.url, data_dir=folder, **(PATIENCE | more))


def token_of(settings: Settings, role: str) -> str:
    """Return a sign-in token of the county's actor of a role."""
    return Signer(sign_in_key(settings.data_dir), settings.session_hours).token(role)


def bearer(settings: Settings, role: str) -> dict[str, str]:
    """Return the header that signs a request in as a role."""
    return {"Authorization": f"Bearer {token_of(settings, role)}"}


class Client(httpx.Client):
    """A client of a service that really listens, on this machine; it signs in by role."""

    def __init__(self, port: int, settings: Settings) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.port = port
        self.settings = settings

    def upload(
        self,
        address: str,
        body: bytes,
        role: str = "planner",
        kind: str = "application/octet-stream",
        **query: Any,
    ) -> httpx.Response:
        """Send a file as the body itself."""
        headers = self.by(role) | {"Content-Type": kind}
        return self.post(f"/api{address}", params=query, content=body, headers=headers)

    def by(self, role: str) -> dict[str, str]:
        """Return the header of a role."""
        return bearer(self.settings, role)


@contextmanager
def serving(database: Database, folder: Path, **more: Any) -> Iterator[Client]:
    """Give a client of the app while it listens in a thread of this process."""
    settings = settings_of(database, folder, **more)
    config = uvicorn.Config(
        create_app(settings),
        port=0,
        http=BoundedHead,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with Client(_port(server, thread), settings) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=120)


def _port(server: uvicorn.Server, thread: threading.Thread) -> int:
    while thread.is_alive() and not server.started:
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
