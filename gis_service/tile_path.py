"""The path of a tile: plain ASGI in front of the app, with the same access check."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gis_service.access import Access
from gis_service.asgi import HttpMiddleware
from gis_service.database import enter_scope_async
from gis_service.errors import BUSY, UNREADABLE, WrongMethod, busy, problem, refusal_of
from gis_service.etags import known_etags
from gis_service.metrics import Metrics
from gis_service.outbox_reader import OutboxReader
from gis_service.settings import Settings
from gis_service.tile_cache import Key, TileCache, tile_box
from gis_service.tile_request import PREFIX, Asked, asked_tile
from grid_boundaries.errors import Refused, Unavailable
from grid_boundaries.view import View
from layers.registry import layer_named
from layers.tiles import tile_statement, version_statement

FORM = "2"  # part of every ETag: raise it when the same data would give another tile
METHODS = frozenset({"GET", "HEAD"})
GZIP_LEVEL = 5
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
# only the dialect is taken of it: the way SQL is spelt for psycopg
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()


@dataclass(frozen=True)
class Tile:
    """A tile ready to be sent; without a body where the asker has it."""

    body: bytes | None
    etag: str


class Tiles:
    """Gives tiles from memory or the database; one statement for all who ask for the same one.

    Parameters
    ----------
    pool
        Connections with custom plans (`plan_cache_mode`), as the service's role.
    """

    def __init__(
        self,
        settings: Settings,
        pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]],
        reader: OutboxReader,
        metrics: Metrics,
    ) -> None:
        self.cache = TileCache(settings.tile_cache_bytes)
        self._settings = settings
        self._pool = pool
        self._reader = reader
        self._metrics = metrics
        self._making: dict[Key, asyncio.Task[Tile]] = {}

    def asked(self, request: Request, view: View) -> Asked:
        """Read what tile a request asks for, see `asked_tile`."""
        return asked_tile(request, view, self._settings.tile_zoom_limit)

    async def get(self, asked: Asked, known: Collection[str]) -> Tile:
        """Return the tile, without its body where one of the asker's ETags is still right."""
        kept = self.cache.get(asked.key) if self._reader.is_current else None
        self._metrics.tiles.labels("memory" if kept else "database").inc()
        tile = await self._of_database(asked, known) if kept is None else Tile(kept.body, kept.etag)
        return Tile(None, tile.etag) if tile.etag in known else tile

    async def _of_database(self, asked: Asked, known: Collection[str]) -> Tile:
        if known:
            async with self._pool.connection() as connection:
                etag = await self._etag(connection, asked)
            if etag in known:
                return Tile(None, etag)
        return await self._made_once(asked)

    async def _made_once(self, asked: Asked) -> Tile:
        task = self._making.get(asked.key)
        if task is None:
            if len(self._making) >= self._settings.queue_limit:
                raise Unavailable(
                    "tiles-busy",
                    "等待的瓦片太多，请稍后重试",
                    "Too many tiles are waiting; try again in a moment",
                )
            task = asyncio.create_task(self._make(asked))
            self._making[asked.key] = task
            task.add_done_callback(lambda _: self._making.pop(asked.key, None))
        # one who goes away must not take the tile from the others
        return await asyncio.shield(task)

    async def _make(self, asked: Asked) -> Tile:
        checked = self.cache.changes_seen
        async with self._pool.connection() as connection:
            # the version first: a change in between makes the tile newer than its name, never older
            etag = await self._etag(connection, asked)
            raw = await self._raw(connection, asked)
        body = gzip.compress(raw, GZIP_LEVEL, mtime=0)
        if self._reader.is_current:
            self.cache.put(asked.key, body, etag, checked)
        return Tile(body, etag)

    async def _raw(self, connection: psycopg.AsyncConnection[Any], asked: Asked) -> bytes:
        sql, values = _compiled(asked.key[0], asked.view, asked.z)
        place = {"z": asked.z, "x": asked.x, "y": asked.y}
        async with connection.transaction():
            await enter_scope_async(connection, asked.view)
            cursor = await connection.execute(sql, {**values, **place}, prepare=True)
            row = await cursor.fetchone()
        return bytes(row[0]) if row is not None else b""

    async def _etag(self, connection: psycopg.AsyncConnection[Any], asked: Asked) -> str:
        sql, values = _compiled_version(asked.key[0])
        edges = tile_box(asked.z, asked.x, asked.y)
        place = dict(zip(("west", "south", "east", "north"), edges, strict=True))
        async with connection.transaction():
            cursor = await connection.execute(sql, {**values, **place}, prepare=True)
            found = dict(await cursor.fetchall())
        versions = "+".join(found[name] or "0" for name in asked.key[0])
        whose = repr((FORM, asked.key[0], asked.view.scope, asked.view.as_of)).encode()
        return f'"{versions}~{hashlib.sha256(whose).hexdigest()[:12]}"'


class TilePath(HttpMiddleware):
    """ASGI middleware that answers ``/tiles/…`` itself and hands everything else on."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a tile, or why there is none; every other address as the app does."""
        if not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        running = scope["app"].state.running
        try:
            answer = await _answer(request, running.access, running.tiles)
        except (Refused, *BUSY, *UNREADABLE) as error:
            answer = _refusal(request, error)
        await answer(scope, receive, send)


def _refusal(request: Request, error: Exception) -> Response:
    answer = problem(refusal_of(error) or busy(), request.headers)
    if answer.status_code == 405:
        answer.headers["Allow"] = ", ".join(sorted(METHODS))
    return answer


async def _answer(request: Request, access: Access, tiles: Tiles) -> Response:
    if request.method not in METHODS:
        raise WrongMethod(
            "method-not-allowed", "瓦片只能用 GET 读取", "Tiles are only read, with GET"
        )
    asker = await access.asker_async(request)
    asked = tiles.asked(request, asker.view)
    tile = await tiles.get(asked, known_etags(request))
    if tile.body is None:
        return Response(status_code=304, headers=_headers(tile.etag))
    headers = {**_headers(tile.etag), "Content-Encoding": "gzip"}
    return Response(tile.body, media_type=MEDIA_TYPE, headers=headers)


def _headers(etag: str) -> Mapping[str, str]:
    # private: what is in it depends on who asks; no-cache: ask again each time, mostly a 304
    return {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


@lru_cache(maxsize=1024)
def _compiled(names: tuple[str, ...], view: View, zoom: int) -> tuple[bytes, dict[str, Any]]:
    return _sql(tile_statement([layer_named(name) for name in names], view, zoom))


@lru_cache(maxsize=256)
def _compiled_version(names: tuple[str, ...]) -> tuple[bytes, dict[str, Any]]:
    return _sql(version_statement([layer_named(name) for name in names]))


def _sql(statement: Any) -> tuple[bytes, dict[str, Any]]:
    """Return the statement as psycopg takes it, and the values it binds already.

    Lists of values are spelt out as single parameters.
    """
    options = {"render_postcompile": True}
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs=options)
    return str(compiled).encode(), dict(compiled.params)
