"""The web application: every route and every guard, put together from settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from gis_service import __doc__ as about
from gis_service.errors import add_error_answers
from gis_service.guards import BodyLimit, LastResort, Measured, SecurityHeaders, Waiting
from gis_service.head_only import HeadOnly
from gis_service.leaving import Leaving
from gis_service.logs import RequestLog, configure_logs
from gis_service.metrics import Metrics
from gis_service.routes import (
    alerts,
    blocks,
    camera_edits,
    coverage_cameras,
    coverage_sites,
    coverage_staff,
    events,
    exchange,
    gaps,
    grids,
    health,
    hotspots,
    imports,
    ingest,
    landing,
    layers,
    pages,
    plans,
    reports,
    wall,
    what_if,
)
from gis_service.running import running
from gis_service.settings import Settings
from gis_service.tile_path import TilePath

ROUTERS = tuple(
    module.router
    for module in (
        health,
        blocks,
        layers,
        grids,
        wall,
        hotspots,
        alerts,
        exchange,
        plans,
        imports,
        reports,
        camera_edits,
        coverage_cameras,
        coverage_sites,
        coverage_staff,
        gaps,
        what_if,
        events,
        ingest,
        landing,
        pages,
    )
)
COMPRESSED_FROM_BYTES = 1000


def create_app(settings: Settings) -> FastAPI:
    """Return the application; what it holds is opened when it starts and put down when it ends.

    The settings are the only configuration: nothing else is read from the environment.
    """
    configure_logs(settings)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings, metrics) as own:
            app.state.running = own
            yield

    # FastAPI's own pages of the API load scripts from other hosts, so they are off
    app = FastAPI(
        title="gis-service",
        description=about or "",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        # such a redirect would repeat whatever host the request named
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    add_error_answers(app)
    _add_guards(app, settings, metrics)
    return app


def _add_guards(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """Put the guards round the routes; the one added last is met first."""
    app.add_middleware(Leaving)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=5)
    app.add_middleware(Waiting, limit=settings.queue_limit)
    app.add_middleware(TilePath)
    app.add_middleware(BodyLimit, limit_bytes=settings.body_limit_bytes)
    app.add_middleware(HeadOnly)
    app.add_middleware(LastResort)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(RequestLog)
