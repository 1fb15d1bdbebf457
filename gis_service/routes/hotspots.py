"""Where incidents gather, what is coming and what has changed: ``/api/hotspots``."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from gis_service.access import at_unit, system_view
from gis_service.errors import problem_answers
from gis_service.routes.asking import Day, Service, Who, scoped
from gis_service.running import Running
from grid_boundaries.view import View
from layers.duty.wall import unit_path_of
from layers.hotspots.asked import Question, computed_answer, moment_of, stored_answer, within
from layers.hotspots.coming import forecast
from layers.hotspots.comparing import comparisons
from layers.hotspots.inputs import HEX_WIDTH_M, Filters
from layers.read import the_county
from layers.reference_time import reference_time
from layers.registry import LAYERS
from layers.tiles import newest_changes

REFUSALS = problem_answers(400, 401, 403, 404, 413, 422, 503)
router = APIRouter(prefix="/api/hotspots", tags=["hotspots"], responses=REFUSALS)
SOURCES = ("incidents", "grids", "people", "units")
Answer = dict[str, Any]
Word = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z0-9_]+$")]
Method = Literal["gi", "scan", "emerging", "near-repeat"]


def filters_of(
    kind: Word = None, source: Word = None, urgency: Literal["red", "yellow", "blue"] | None = None
) -> Filters:
    """Read which incidents are asked for."""
    return Filters(kind, source, urgency)


def question_of(
    filters: Annotated[Filters, Depends(filters_of)],
    method: Method = "gi",
    cells: Literal["grid", "village", "block", "hex"] = "grid",
    window: Annotated[int, Query(ge=1, le=365, description="Days, that of as_of the last.")] = 90,
    as_of: Day = None,
    width_m: Annotated[int, Query(ge=200, le=5000, description="Of hexagons.")] = int(HEX_WIDTH_M),
) -> Question:
    """Read what is asked."""
    return Question(method, cells, window, as_of, filters, float(width_m))


@router.get("")
def hotspots(
    service: Service, who: Who, asked: Annotated[Question, Depends(question_of)]
) -> Answer:
    """Give what a method found in the asker's area, of now or as it was known on a past day."""
    who.needs("incidents")
    with scoped(service, who.view) as connection:
        stored = stored_answer(connection, who.view, asked)
    if stored is not None:
        return stored
    # near repeat has no places of its own: it is told of the incidents in the asker's area
    view = who.view if asked.method == "near-repeat" else system_view()

    def compute(connection: Connection, now: datetime) -> Answer:
        return computed_answer(connection, view, asked, now)

    return within(_kept(service, view, asked, asked.as_of, compute), who.view.scope)


@router.get("/forecast")
def coming(
    service: Service, who: Who, filters: Annotated[Filters, Depends(filters_of)], as_of: Day = None
) -> Answer:
    """Give the places of the next 28 days' incidents, with what the last forecast was worth."""
    who.needs("incidents")
    view = system_view()

    def compute(connection: Connection, now: datetime) -> Answer:
        return forecast(connection, view, moment_of(as_of, now), filters)

    answer = _kept(service, view, ("forecast", filters), as_of, compute)
    places = [one for one in answer["places"] if one["unit_path"].startswith(who.view.scope)]
    return {**answer, "places": places}


@router.get("/trends")
def trends(
    service: Service,
    who: Who,
    filters: Annotated[Filters, Depends(filters_of)],
    unit: Annotated[str | None, Query(max_length=64)] = None,
    as_of: Day = None,
) -> Answer:
    """Give how a unit's incidents changed against those of before (环比、同比), with intervals."""
    who.needs("incidents")
    with scoped(service, who.view) as connection:
        county = the_county(connection)
        path = county.unit_path if unit is None else unit_path_of(connection, who.view, unit)
        now = moment_of(as_of, reference_time(connection, service.now()))
        return comparisons(connection, at_unit(who.view, path), path, now, filters)


def _kept(
    service: Running,
    view: View,
    asked: Hashable,
    as_of: date | None,
    compute: Callable[[Connection, datetime], Answer],
) -> Answer:
    """Return an answer from those kept, or compute it in a view's scope."""
    with scoped(service, view) as connection:
        now = moment_of(as_of, reference_time(connection, service.now()))
        versions = newest_changes(connection, [LAYERS[name] for name in SOURCES])
    key = (asked, view.scope, now.date(), tuple(sorted(versions.items())))

    def computed() -> Answer:
        with scoped(service, view) as connection:
            return compute(connection, reference_time(connection, service.now()))

    return service.hotspots.of(key, computed)
