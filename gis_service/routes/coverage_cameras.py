"""Cameras as a whole: ``/api/coverage/cameras/suspects``, ``…/programme``, ``…/repair-order``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from gis_service import camera_answers as answers
from gis_service.access import Asker, at_unit, system_view
from gis_service.errors import json_bytes, problem_answers
from gis_service.routes.asking import Service, Who, scoped
from gis_service.running import Running
from layers.coverage.camera_sight import CameraSight, camera_sight
from layers.coverage.suspect_words import REASONS
from layers.duty.wall import unit_path_of
from layers.read import the_county
from layers.reference_time import reference_time
from layers.registry import LAYERS
from layers.tiles import newest_changes
from map_ui.paper.sheet import sheet_csv

REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
SUSPECT_SOURCES = ("cameras", "buildings", "streets", "grids", "blocks", "units")
SIGHT_SOURCES = ("cameras", "buildings", "places", "people", "units")
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
MOST = 1_000
Unit = Annotated[str | None, Query(max_length=64, description="A unit; the asker's area else.")]
Kind = Annotated[Literal["json", "csv"], Query(alias="format")]
Language = Annotated[Literal["zh", "en"], Query(alias="lang")]
Reason = Annotated[str | None, Query(pattern=f"^({'|'.join(REASONS)})$")]
Most = Annotated[int, Query(alias="limit", ge=1, le=MOST)]


@router.get("/cameras/suspects", response_class=Response)
def suspects(
    service: Service,
    who: Who,
    unit: Unit = None,
    reason: Reason = None,
    kind: Kind = "json",
    language: Language = "zh",
) -> Response:
    """Give the cameras whose rows are likely wrong, why, and where each would stand put right."""
    who.needs("cameras")
    scope = _scope(service, who, unit)

    def judge() -> dict[str, Any]:
        with scoped(service, system_view()) as connection:
            file = answers.camera_file(connection, system_view())
        # a large county takes its time: no connection waits for it
        return answers.judged(file)

    found = answers.suspects_answer(_kept(service, SUSPECT_SOURCES, judge), scope, reason)
    if kind == "json":
        return _json(found)
    return _sheet(answers.SUSPECT_COLUMNS, answers.suspect_sheet(found, language), language)


@router.get("/programme", response_class=Response)
def programme(
    service: Service, who: Who, unit: Unit = None, kind: Kind = "json", language: Language = "zh"
) -> Response:
    """Give the camera programme's shares, what stands and is to come, and what that closes."""
    scope = _counted_scope(service, who, unit)
    sight = kept_sight(service)
    with scoped(service, who.view) as connection:
        today = reference_time(connection, service.now()).date()
    found = answers.programme_answer(sight, scope, today)
    if kind == "json":
        return _json(found)
    rows = answers.cells(found["gaps"], answers.GAP_COLUMNS)
    return _sheet(answers.GAP_COLUMNS, rows, language)


@router.get("/repair-order", response_class=Response)
def repair_order(
    service: Service,
    who: Who,
    unit: Unit = None,
    most: Most = 200,
    kind: Kind = "json",
    language: Language = "zh",
) -> Response:
    """Give the off-line cameras to mend first, and the working ones that are not to be lost."""
    scope = _counted_scope(service, who, unit)
    found = answers.repair_answer(kept_sight(service), scope, most)
    if kind == "json":
        return _json(found)
    rows = answers.cells(found["repairs"], answers.REPAIR_COLUMNS)
    return _sheet(answers.REPAIR_COLUMNS, rows, language)


def _counted_scope(service: Running, who: Asker, unit: str | None) -> tuple[str, ...]:
    who.needs("cameras")
    who.needs("counts")
    return _scope(service, who, unit)


def _scope(service: Running, who: Asker, unit: str | None) -> tuple[str, ...]:
    """Return the part of the asker's area that is asked for."""
    if unit is None:
        return who.view.scope
    with scoped(service, who.view) as connection:
        return at_unit(who.view, unit_path_of(connection, who.view, unit)).scope


def kept_sight(service: Running) -> CameraSight:
    """Return what every camera of the county sees, kept until what it comes from changes."""

    def look() -> dict[str, Any]:
        with scoped(service, system_view()) as connection:
            return {"sight": camera_sight(connection, system_view(), the_county(connection))}

    found: CameraSight = _kept(service, SIGHT_SOURCES, look)["sight"]
    return found


def _kept(
    service: Running, sources: Sequence[str], compute: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what was computed of the whole county from its newest layers, or compute it."""
    with scoped(service, system_view()) as connection:
        key = version_of(connection, sources)
    return service.cameras.of(key, compute)


def version_of(connection: Connection, sources: Sequence[str]) -> tuple[Any, ...]:
    """Return the newest change of each of some layers."""
    versions = newest_changes(connection, [LAYERS[name] for name in sources])
    return tuple(sorted(versions.items()))


def _json(found: dict[str, Any]) -> Response:
    return Response(json_bytes(found), media_type="application/json", headers=PRIVATE)


def _sheet(columns: Sequence[str], rows: list[list[Any]], language: str) -> Response:
    named = {**PRIVATE, "Content-Disposition": 'attachment; filename="cameras.csv"'}
    made = sheet_csv(columns, rows, language)
    return Response(made, media_type="text/csv; charset=utf-8", headers=named)
