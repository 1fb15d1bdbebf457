"""Staff, patrol, reach and land gaps of a unit: ``/api/coverage``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from gis_service.access import at_unit
from gis_service.errors import json_bytes, problem_answers
from gis_service.routes.asking import Service, Who, scoped
from gis_service.routes.layers import GEOJSON
from gis_service.running import Running
from grid_boundaries.view import View
from layers.block_sums import Counting
from layers.coverage.land import land_gaps
from layers.coverage.patrol_figures import patrol_figures
from layers.coverage.reach_figures import reach_figures, reach_lines
from layers.coverage.staff import staff_figures
from layers.coverage.staffing import profile_named
from layers.coverage.units_of import Level
from layers.duty.wall import unit_path_of
from layers.read import County, the_county
from layers.reference_time import reference_time

REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
Unit = Annotated[str | None, Query(max_length=64, description="A unit; all of the scope else.")]
By = Annotated[Level, Query(description="Level of the units that figures are added up for.")]
Minutes = Annotated[float, Query(gt=0, le=240, allow_inf_nan=False)]


@dataclass(frozen=True)
class Asked:
    """A unit's part of the asker's area, in a transaction."""

    connection: Connection
    view: View
    county: County
    now: datetime

    @property
    def counting(self) -> Counting:
        """What is counted in blocks, on the county's basis."""
        return Counting(self.view, self.county.population_basis, self.now)


@contextmanager
def _asked(service: Running, view: View, unit: str | None) -> Iterator[Asked]:
    with scoped(service, view) as connection:
        county = the_county(connection)
        part = view if unit is None else at_unit(view, unit_path_of(connection, view, unit))
        yield Asked(connection, part, county, reference_time(connection, service.now()))


@router.get("/staff", response_class=Response)
def staff(
    service: Service,
    who: Who,
    unit: Unit = None,
    by: By = "grid",
    profile: Annotated[str, Query(max_length=40)] = "one",
) -> Response:
    """Give vacant grids, grids that break a staffing rule, and the spread of loads."""
    who.needs("workers")
    rules = profile_named(profile)
    with _asked(service, who.view, unit) as asked:
        return _answer(staff_figures(asked.connection, asked.counting, rules, by))


@router.get("/patrol", response_class=Response)
def patrol(
    service: Service,
    who: Who,
    unit: Unit = None,
    by: By = "grid",
    days: Annotated[int, Query(ge=0, le=365)] = 30,
) -> Response:
    """Give how many households and cells of lived-in ground were visited within some days."""
    who.needs("visits")
    with _asked(service, who.view, unit) as asked:
        srid = asked.county.metric_srid
        return _answer(
            patrol_figures(asked.connection, asked.view, by, days=days, now=asked.now, srid=srid)
        )


@router.get("/reach", response_class=Response)
def reach(
    service: Service, who: Who, unit: Unit = None, by: By = "grid", minutes: Minutes = 15.0
) -> Response:
    """Give how many people no worker on duty reaches along the streets in time."""
    who.needs("workers")
    with _asked(service, who.view, unit) as asked:
        walked = service.streets.of(asked.connection, asked.view, asked.county)
        return _answer(
            reach_figures(asked.connection, asked.view, asked.county, walked, by, minutes=minutes)
        )


@router.get("/reach/streets", response_class=Response)
def reached(service: Service, who: Who, unit: Unit = None, minutes: Minutes = 15.0) -> Response:
    """Give the streets, and the parts of streets, that workers on duty reach, as GeoJSON."""
    who.needs("workers")
    with _asked(service, who.view, unit) as asked:
        walked = service.streets.of(asked.connection, asked.view, asked.county)
        lines = reach_lines(asked.connection, asked.view, asked.county, walked, minutes=minutes)
    return Response(lines.to_json(drop_id=True), media_type=GEOJSON, headers=PRIVATE)


@router.get("/land", response_class=Response)
def land(service: Service, who: Who, unit: Unit = None) -> Response:
    """Give land in no grid or in two, who and what is there, and whose it should be."""
    who.needs("counts")
    with _asked(service, who.view, unit) as asked:
        return _answer(land_gaps(asked.connection, asked.counting, asked.county.metric_srid))


def _answer(body: dict[str, Any]) -> Response:
    return Response(json_bytes(body), media_type="application/json", headers=PRIVATE)
