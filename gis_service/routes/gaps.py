"""What no camera sees, from the county down to each place: ``/api/coverage/gaps``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from gis_service.access import Asker, at_unit, system_view
from gis_service.database import enter_scope
from gis_service.errors import json_bytes, problem_answers
from gis_service.refresh import is_stale, job_named
from gis_service.routes.asking import Service, Who, scoped
from gis_service.running import Running
from layers.coverage import gaps as found
from layers.coverage.refresh_bounds import JOB as BOUNDS_JOB
from layers.coverage.results import JOB
from layers.duty.wall import unit_path_of
from layers.read import the_county

REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api/coverage/gaps", tags=["coverage"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
# what each list asks for beside the figures themselves; who lives where is not for everyone
RIGHTS = {
    "places": "counts", "tasks": "counts", "people": "persons", "roads": "counts",
    "cameras": "cameras",
}  # fmt: skip
LISTS: dict[str, Callable[[found.Looked], list[dict[str, Any]]]] = {
    "places": found.unseen_places,
    "tasks": found.places_below_task,
    "people": found.unseen_homes,
    "roads": found.unseen_roads,
    "cameras": found.idle_cameras,
}
Grid = Annotated[str, Path(max_length=64)]


@router.get("", response_class=Response)
def gaps(
    service: Service,
    who: Who,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    level: found.Level = "grid",
) -> Response:
    """Give the coverage figures of the grids of a unit, or of the units of a level in it."""
    who.needs("counts")
    with scoped(service, who.view) as connection:
        view = who.view
        if unit is not None:
            view = at_unit(view, unit_path_of(connection, view, unit))
        rows = found.gaps_by(connection, view, level)
        # nothing stale is shown as fresh
        stale, bounds_stale = (is_stale(connection, job_named(name)) for name in (JOB, BOUNDS_JOB))
    body = {"level": level, "unit": unit, "stale": stale, "bounds_stale": bounds_stale}
    return _answer(body | {"rows": rows})


@router.get("/{grid}/{what}", response_class=Response)
def listed(
    service: Service,
    who: Who,
    grid: Grid,
    what: Literal["places", "tasks", "people", "roads", "cameras"],
) -> Response:
    """List a grid's key places, homes or streets that no camera sees, or its idle cameras.

    ``tasks`` are the key places that are not shown as densely as their kind needs.
    """
    who.needs(RIGHTS[what])
    with looked(service, who, grid) as one:
        rows = LISTS[what](one)
    return _answer({"grid": grid, what: rows})


@contextmanager
def looked(service: Running, who: Asker, grid: str) -> Iterator[found.Looked]:
    """Give a grid of the asker's with all that looks at it, from wherever it stands."""
    with scoped(service, who.view) as connection:
        found.refuse_foreign_grid(connection, who.view, grid)
        everything = system_view(who.view.actor)
        enter_scope(connection, everything)
        yield found.Looked(connection, everything, the_county(connection), grid)


def _answer(body: dict[str, Any]) -> Response:
    return Response(json_bytes(body), media_type="application/json", headers=PRIVATE)
