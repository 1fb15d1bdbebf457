"""Boundaries from elsewhere: ``/api/imports``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from gis_service import import_decisions as decisions
from gis_service import import_requests as requests
from gis_service import importing
from gis_service.errors import problem_answers
from gis_service.file_limits import file_limits
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who
from gis_service.routes.bodies import FILE, gives, takes
from gis_service.routes.layers import GEOJSON
from gis_service.routes.plans import desk_of
from gis_service.routes.uploads import FileSent
from grid_boundaries import import_records as records

REFUSALS = problem_answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
router = APIRouter(prefix="/api/imports", tags=["imports"], responses=REFUSALS)
Number = Annotated[int, Path(ge=1, le=2**53)]
Other = Annotated[str, Query(alias="with", pattern=r"^(in-force|[1-9][0-9]{0,15})$")]
Answer = dict[str, Any]


@router.post("", status_code=201, openapi_extra=FILE)
def take(
    service: Service, who: Who, asked: Annotated[requests.Sending, Query()], file: FileSent
) -> Answer:
    """Take a layer of outlines and report on it; no grid changes."""
    who.needs("plans")
    named = asked.named(file.name)
    found = importing.read_upload(file.name, file.body, named, file_limits(service.settings))
    with desk_of(service, who) as desk:
        return importing.take_in(desk, found, named)


@router.get("")
def imports(service: Service, who: Who) -> list[Answer]:
    """List the imports of the asker's area, the newest first."""
    with desk_of(service, who) as desk:
        rows = records.import_rows(desk.connection, desk.view)
        return [importing.described(row) for row in rows]


@router.get("/{number}")
def one(service: Service, who: Who, number: Number) -> Answer:
    """Give the report on a layer: what was counted, and what is doubtful."""
    with desk_of(service, who) as desk:
        return importing.described(records.import_row(desk.connection, desk.view, number))


@router.get("/{number}/findings", response_class=Response, responses=gives(GEOJSON))
def findings(service: Service, who: Who, number: Number) -> Response:
    """Give every finding as GeoJSON."""
    with desk_of(service, who) as desk:
        row = records.import_row(desk.connection, desk.view, number)
        return _private(importing.findings_of(desk, row))


@router.get("/{number}/preview", response_class=Response, responses=gives(GEOJSON))
def preview(service: Service, who: Who, number: Number) -> Response:
    """Give the repaired layer as GeoJSON: pieces of ground without gap or overlap."""
    with desk_of(service, who) as desk:
        row = records.import_row(desk.connection, desk.view, number)
        return _private(importing.preview_of(desk, row))


@router.get("/{number}/crosswalk")
def crosswalk(service: Service, who: Who, number: Number, other: Other = "in-force") -> Answer:
    """Give how the layer's grids lie in those in force, or in those of another import."""
    with desk_of(service, who) as desk:
        row = records.import_row(desk.connection, desk.view, number)
        theirs = None
        if other != "in-force":
            theirs = records.import_row(desk.connection, desk.view, int(other))
        return importing.crosswalk_of(desk, row, theirs)


@router.post("/{number}/accept", openapi_extra=takes(requests.Acceptance))
def accept(service: Service, who: Who, number: Number, body: JsonBody) -> Answer:
    """Make a draft plan that has the layer's grids."""
    asked = read(requests.Acceptance, body)
    with desk_of(service, who) as desk:
        return decisions.accept(desk, number, asked)


@router.post("/{number}/reject", openapi_extra=takes(requests.Rejection))
def reject(service: Service, who: Who, number: Number, body: JsonBody) -> Answer:
    """Put a layer aside."""
    asked = read(requests.Rejection, body)
    with desk_of(service, who) as desk:
        return decisions.reject(desk, number, asked)


def _private(body: bytes) -> Response:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    return Response(body, media_type=GEOJSON, headers=headers)
