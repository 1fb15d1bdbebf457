"""Figures of a unit's wall and what is at a point: ``/api/wall/{unit}``, ``/api/at``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from gis_service.access import at_unit, seen_layers
from gis_service.errors import problem_answers
from gis_service.refresh import is_stale, job_named
from gis_service.routes.asking import Code, Service, Who, scoped
from grid_boundaries.view import View
from layers.at_point import at_point
from layers.coverage.refresh_bounds import JOB as BOUNDS
from layers.duty import wall as facts
from layers.duty.kpis import Kpi, kpis
from layers.reference_time import reference_time
from layers.tiles import newest_changes

REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api", tags=["wall"], responses=REFUSALS)


@router.get("/wall/{unit}")
def wall(service: Service, who: Who, unit: Code) -> dict[str, Any]:
    """Give everything on a unit's wall that is not map."""
    with scoped(service, who.view) as connection:
        view = at_unit(who.view, facts.unit_path_of(connection, who.view, unit))
        return _wall(connection, view, unit, reference_time(connection, service.now()))


@router.get("/at")
def at(
    service: Service,
    who: Who,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
) -> dict[str, Any]:
    """Tell what is at a point."""
    with scoped(service, who.view) as connection:
        return at_point(connection, who.view, lon, lat)


def _wall(connection: Connection, view: View, unit: str, now: datetime) -> dict[str, Any]:
    own = facts.unit_facts(connection, view, unit)
    answer: dict[str, Any] = {
        "unit": own,
        "now": now,
        "kpis": [figure(kpi) for kpi in kpis(connection, view, now)],
        "ranking": [], "hotspots": [], "hotspot_run": None, "incidents": [],
        "coverage": None, "workers": None,
        "vacant_grids": facts.vacant_grids(connection, view),
        "versions": newest_changes(connection, seen_layers(view)),
    }  # fmt: skip
    if "incidents" in view.rights:
        answer["ranking"] = facts.ranking(connection, view, own, now)
        answer["hotspots"] = facts.hotspots(connection, view)
        answer["hotspot_run"] = facts.hotspot_runs(connection)
        answer["incidents"] = facts.latest_incidents(connection, view, now)
    if "counts" in view.rights:
        stale = is_stale(connection, job_named(BOUNDS))
        answer["coverage"] = facts.coverage(connection, view) | {"bounds_stale": stale}
    if "workers" in view.rights:
        answer["workers"] = facts.worker_count(connection, view)
    return answer


def figure(kpi: Kpi) -> dict[str, Any]:
    """Return a figure as it is answered."""
    return {**asdict(kpi), "value": kpi.value}
