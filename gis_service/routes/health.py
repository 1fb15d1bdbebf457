"""How the service is: ``/health``, ``/ready``, ``/metrics``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select

from gis_service.access import system_view
from gis_service.auth import is_loopback
from gis_service.errors import problem_answers
from gis_service.migrations import newest_revision, revision_of
from gis_service.routes.asking import Service, running_of, scoped
from gis_service.routes.bodies import gives
from grid_boundaries.errors import Unavailable
from grid_boundaries.store import county

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the process answers; asks nothing of the database."""
    return {"status": "ok"}


@router.get("/ready", responses=problem_answers(503))
def ready(service: Service) -> dict[str, str]:
    """Say that the database answers, has this version's schema, and holds a county."""
    with scoped(service, system_view()) as connection:
        revision = revision_of(connection)
        name = connection.scalar(select(county.c.name))
    if revision != newest_revision():
        raise Unavailable(
            "schema-out-of-date",
            "数据库结构不是本版本的；请运行 gis-service migrate",
            "The schema is of another version; run gis-service migrate",
        )
    if name is None:
        raise Unavailable("no-county", "还没有载入县的数据", "No county has been loaded yet")
    return {"status": "ready", "revision": str(revision)}


METRICS = {**gives(CONTENT_TYPE_LATEST.partition(";")[0]), **problem_answers(401, 403, 503)}


@router.get("/metrics", response_class=Response, responses=METRICS)
def metrics(request: Request, service: Service) -> Response:
    """Give the figures for Prometheus, on this machine or with the right to the settings."""
    if not is_loopback(request):
        running_of(request).access.asker(request).needs("settings")
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
