"""First blocks of a unit that has none: ``/api/blocks``."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gis_service import block_cutting as cutting
from gis_service.block_requests import FirstCut
from gis_service.errors import json_bytes, problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who
from gis_service.routes.bodies import gives, takes
from gis_service.routes.layers import GEOJSON
from gis_service.routes.plans import desk_of

REFUSALS = problem_answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
router = APIRouter(prefix="/api/blocks", tags=["blocks"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


MADE = {**gives(GEOJSON), **gives("application/json", status=201)}


@router.post("/cut", response_class=Response, responses=MADE, openapi_extra=takes(FirstCut))
def cut(service: Service, who: Who, body: JsonBody) -> Response:
    """Cut the first blocks of a unit; with ``preview``, show them and change nothing."""
    asked = read(FirstCut, body)
    with desk_of(service, who) as desk:
        if asked.preview:
            return Response(cutting.preview(desk, asked), media_type=GEOJSON, headers=PRIVATE)
        done = cutting.cut_first_blocks(desk, asked)
    return Response(json_bytes(done), 201, media_type="application/json", headers=PRIVATE)
