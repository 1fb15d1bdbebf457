"""One camera of the ledger, read and changed: ``/api/cameras/{camera}``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from gis_service.camera_editing import CameraEdit, Edited, camera_row, edit_camera, version_of
from gis_service.errors import json_bytes, problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes

REFUSALS = problem_answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
router = APIRouter(prefix="/api/cameras", tags=["cameras"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
Camera = Annotated[str, Path(max_length=200)]


@router.get("/{camera}", response_class=Response)
def camera(service: Service, who: Who, camera: Camera) -> Response:
    """Give a camera's row and version."""
    who.needs("cameras")
    with scoped(service, who.view) as connection:
        row = camera_row(connection, who.view, camera)
    return _answer({**row, "version": version_of(row)})


@router.patch("/{camera}", response_class=Response, openapi_extra=takes(CameraEdit))
def change(service: Service, who: Who, camera: Camera, body: JsonBody) -> Response:
    """Move or turn a camera, change its range, take it off line or put it back."""
    who.needs("maintain")
    asked = read(CameraEdit, body)
    with scoped(service, who.view) as connection:
        done = edit_camera(connection, who, service.ingest, camera, asked, service.now())
    return _answer(_told(done))


def _told(done: Edited) -> dict[str, Any]:
    return {
        "camera": {**done.row, "version": version_of(done.row)},
        "view_m2": done.view_m2,
        "grids": done.figures,
    }


def _answer(body: dict[str, Any]) -> Response:
    return Response(json_bytes(body), media_type="application/json", headers=PRIVATE)
