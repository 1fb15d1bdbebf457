"""Plans and grids as files: export of plans and of the grids of a date, import as a new plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response

from gis_service.access import on_date
from gis_service.errors import problem_answers
from gis_service.exchange import exported_grids, exported_plan
from gis_service.exchange_in import Intention, Reading, imported, taken
from gis_service.names import file_title
from gis_service.plan_requests import Short
from gis_service.planning import Desk
from gis_service.routes.asking import Day, Service, Who, scoped
from gis_service.routes.bodies import FILE, gives
from gis_service.routes.plans import Plan, desk_of
from gis_service.routes.uploads import FileSent
from grid_boundaries.exchange.by_ground import LEAST_SHARE
from grid_boundaries.exchange.files import MEDIA, Encoding, File, Format, Style
from grid_boundaries.exchange.references import STORED, reference
from grid_boundaries.exchange.sheets import What

REFUSALS = problem_answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
FILES = gives(*sorted(MEDIA.values()))
router = APIRouter(prefix="/api", tags=["exchange"], responses=REFUSALS)
Word = Annotated[str | None, Query(max_length=40)]


@dataclass(frozen=True)
class Asked:
    """What file is asked for."""

    what: What
    style: Style


def asked_file(
    kind: Annotated[Format, Query(alias="format")] = "geojson",
    crs: Annotated[str, Query(max_length=40)] = STORED.word,
    encoding: Encoding = "utf-8",
    what: What = "grids",
) -> Asked:
    """Return what file a query asks for."""
    return Asked(what, Style(kind, reference(crs), encoding))


FileAsked = Annotated[Asked, Depends(asked_file)]


@router.get("/plans/{plan}/export", response_class=Response, responses=FILES)
def export_plan(service: Service, who: Who, plan: Plan, asked: FileAsked) -> Response:
    """Hand out what a plan says now: its grids, or which grid holds each block."""
    with desk_of(service, who) as desk:
        return sent(exported_plan(desk, desk.row(plan), asked.what, asked.style))


@router.get("/grids/export", response_class=Response, responses=FILES)
def export_grids(service: Service, who: Who, asked: FileAsked, as_of: Day = None) -> Response:
    """Hand out the grids in force on a date; their blocks to those who draw grids."""
    who.needs("counts" if asked.what == "grids" else "plans")
    view = on_date(who.view, as_of)
    with scoped(service, view) as connection:
        desk = Desk(connection, view, service.now())
        return sent(exported_grids(desk, asked.what, asked.style))


@router.post("/plans/import", status_code=201, openapi_extra=FILE)
def import_plan(
    service: Service,
    who: Who,
    file: FileSent,
    title: Annotated[Short | None, Query()] = None,
    unit: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    crs: Word = None,
    encoding: Word = None,
    layer: Annotated[str | None, Query(max_length=200)] = None,
    partial: bool = False,
    least_share: Annotated[float, Query(gt=0.5, le=1, allow_inf_nan=False)] = LEAST_SHARE,
) -> dict[str, Any]:
    """Make a new draft of a file, and tell what was understood of it."""
    who.needs("plans")
    reading = Reading(crs, encoding or "", layer or "")
    # read before a connection is taken: a large file may need some time
    read = taken(file.name, file.body, reading, service.settings)
    name = title or PurePosixPath(file_title(file.name)).stem or "导入"
    with desk_of(service, who) as desk:
        return imported(desk, read, Intention(name, unit, partial, least_share))


def sent(file: File) -> Response:
    """Return a file as an answer, under a name that may be Chinese (RFC 6266)."""
    name = (
        f"attachment; filename=\"{file.plain_name}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    )
    headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
    return Response(file.body, headers=headers | {"Content-Type": file.media_type})
