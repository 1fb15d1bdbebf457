"""The live channel of the pages: ``/api/events``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from gis_service.access import at_unit
from gis_service.errors import problem_answers
from gis_service.event_stream import EventStream, Sources
from gis_service.events import WORKER_COLUMNS, columns
from gis_service.outbox_reader import Box
from gis_service.routes.asking import Service, Who, scoped
from gis_service.routes.bodies import gives
from gis_service.routes.wall import figure
from gis_service.running import Running
from grid_boundaries.view import View
from layers.duty import wall as facts
from layers.duty.kpis import kpis

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api", tags=["events"], responses=REFUSALS)


@router.get("/events", response_class=StreamingResponse, responses=gives("text/event-stream"))
async def events(
    request: Request,
    service: Service,
    who: Who,
    unit: Annotated[str | None, Query(max_length=64)] = None,
) -> StreamingResponse:
    """Stream what happens in a unit, or in the asker's whole scope, as server-sent events."""
    view = await run_in_threadpool(_view_of, service, who.view, unit)
    sources = Sources(
        partial(_workers, service),
        partial(_kpis, service),
        partial(_box, service),
        partial(service.access.asker_async, request),
    )
    stream = EventStream(service.hub, who, view, sources, service.settings.event_interval_s)
    lines = stream.lines(request.headers.get("last-event-id", ""))
    return StreamingResponse(lines, media_type="text/event-stream", headers=HEADERS)


def _view_of(service: Running, view: View, unit: str | None) -> View:
    if unit is None:
        return view
    with scoped(service, view) as connection:
        return at_unit(view, facts.unit_path_of(connection, view, unit))


def _workers(service: Running, view: View) -> Any:
    with scoped(service, view) as connection:
        return columns(WORKER_COLUMNS, facts.workers_on_duty(connection, view))


def _kpis(service: Running, view: View) -> Any:
    with scoped(service, view) as connection:
        return [figure(kpi) for kpi in kpis(connection, view, service.now())]


def _box(service: Running, view: View) -> Box | None:
    with scoped(service, view) as connection:
        return facts.bounds(connection, view)
