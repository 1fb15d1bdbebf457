"""The grids of any date with their counts: ``/api/grids``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gis_service.access import on_date
from gis_service.errors import problem_answers
from gis_service.routes.asking import Day, Service, Who, snapshot
from gis_service.routes.bodies import gives
from gis_service.routes.layers import GEOJSON
from layers.block_sums import Counting
from layers.grids_at import grids_at
from layers.read import the_county

REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api", tags=["plans"], responses=REFUSALS)


@router.get("/grids", response_class=Response, responses=gives(GEOJSON))
def grids(
    service: Service,
    who: Who,
    as_of: Day = None,
    limit: Annotated[int, Query(ge=1)] = 1000,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Give the grids in force on a date, with who and what was in them."""
    who.needs("counts")
    view = on_date(who.view, as_of)
    most = min(limit, service.settings.page_limit)
    with snapshot(service, view) as connection:
        counting = Counting(view, the_county(connection).population_basis, service.now())
        body = grids_at(connection, counting, limit=most, after=after)
    return Response(body, media_type=GEOJSON, headers={"Cache-Control": "private, no-cache"})
