"""Hotspots that somebody is told of, and what they do about them: ``/api/alerts``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from gis_service import alert_requests as requests
from gis_service.access import at_unit
from gis_service.errors import problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes
from layers.alerts import steps
from layers.alerts.steps import Act
from layers.duty.wall import unit_path_of
from layers.reference_time import reference_time

REFUSALS = problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 503)
router = APIRouter(prefix="/api/alerts", tags=["alerts"], responses=REFUSALS)
Alert = Annotated[str, Path(max_length=200)]
State = Literal["held", "raised", "acknowledged", "measured", "closed"]
Answer = dict[str, Any]


@router.get("")
def alerts(
    service: Service,
    who: Who,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Answer:
    """List the alerts of a unit or the asker's area, those that wait for somebody first."""
    who.needs("incidents")
    with scoped(service, who.view) as connection:
        view = who.view
        if unit is not None:
            view = at_unit(view, unit_path_of(connection, view, unit))
        found = steps.alerts(connection, view, state=state, limit=limit)
        counted = steps.counted(connection, view)
        now = reference_time(connection, service.now())
    return {"now": now, "may_act": "alerts" in who.view.rights, "counts": counted, "alerts": found}


@router.get("/{alert}")
def alert(service: Service, who: Who, alert: Alert) -> Answer:
    """Give an alert with everything that was done about it."""
    who.needs("incidents")
    with scoped(service, who.view) as connection:
        return steps.one_alert(connection, who.view, alert)


@router.post("/{alert}/acknowledge", openapi_extra=takes(requests.Acknowledging))
def acknowledge(service: Service, who: Who, alert: Alert, body: JsonBody) -> Answer:
    """Say that the alert is in hand."""
    who.needs("alerts")
    asked = read(requests.Acknowledging, body)
    act = Act("acknowledge", asked.base_version)
    with scoped(service, who.view) as connection:
        now = reference_time(connection, service.now())
        return steps.take_step(connection, who.view, alert, act, now)


@router.post("/{alert}/measure", openapi_extra=takes(requests.Measure))
def measure(service: Service, who: Who, alert: Alert, body: JsonBody) -> Answer:
    """Say what was done about the place; 30 days later the figure is looked at again."""
    who.needs("alerts")
    asked = read(requests.Measure, body)
    act = Act("measure", asked.base_version, asked.text)
    with scoped(service, who.view) as connection:
        now = reference_time(connection, service.now())
        return steps.take_step(connection, who.view, alert, act, now)
