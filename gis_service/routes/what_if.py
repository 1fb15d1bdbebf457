"""What proposed cameras would change, before anything is stored: ``/api/coverage/what-if``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from gis_service.access import system_view
from gis_service.camera_editing import grid_figures
from gis_service.database import enter_scope
from gis_service.errors import json_bytes, problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes
from gis_service.what_if_requests import WhatIf, placed_frame
from layers.coverage.live import Place
from layers.coverage.what_if import CHANGED, changes_by
from layers.read import the_county

REFUSALS = problem_answers(400, 401, 403, 404, 408, 413, 415, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


@router.post("/what-if", response_class=Response, openapi_extra=takes(WhatIf))
def what_if(service: Service, who: Who, body: JsonBody) -> Response:
    """Give the figures of each touched grid before and after, if cameras were hung."""
    who.needs("cameras")
    asked = read(WhatIf, body)
    with scoped(service, who.view) as connection:
        proposed = placed_frame(connection, who, service.ingest, asked)
        # cameras and homes beyond the asker's area count, and only the asker's grids are told
        everything = system_view(who.view.actor)
        enter_scope(connection, everything)
        changes = changes_by(Place(connection, everything, the_county(connection)), proposed)
        enter_scope(connection, who.view)
        rows = grid_figures(connection, who.view, sorted(changes))
    grids = [_told(dict(row), changes[row["grid_code"]].tolist()) for row in rows]
    return Response(json_bytes({"grids": grids}), media_type="application/json", headers=PRIVATE)


def _told(row: dict[str, Any], change: list[float]) -> dict[str, Any]:
    before = {name: row[name] for name in CHANGED}
    after = {
        name: None if before[name] is None else before[name] + by
        for name, by in zip(CHANGED, change, strict=True)
    }
    return {"grid_code": row["grid_code"], "before": before, "after": after}
