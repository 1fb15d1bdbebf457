"""What proposed cameras would change, before anything is stored: ``/api/coverage/what-if``."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import shapely
from fastapi import APIRouter, Response
from geopandas import GeoDataFrame
from pydantic import BaseModel, ConfigDict, Field

from gis_service.access import system_view
from gis_service.camera_editing import FARTHEST_M, grid_figures
from gis_service.database import enter_scope
from gis_service.errors import json_bytes, problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes
from grid_boundaries.crs import metres_from_lonlat
from layers.coverage.live import Place
from layers.coverage.what_if import CHANGED, changes_by
from layers.read import the_county

REFUSALS = problem_answers(400, 401, 403, 404, 408, 413, 415, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


class Proposed(BaseModel):
    """One camera that does not hang yet."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    azimuth_deg: Annotated[float, Field(ge=-360, le=720, allow_inf_nan=False)] = 0.0
    view_angle_deg: Annotated[float, Field(gt=0, le=360, allow_inf_nan=False)] = 360.0
    range_m: Annotated[float, Field(gt=0, le=FARTHEST_M, allow_inf_nan=False)]


class WhatIf(BaseModel):
    """Cameras that might be hung."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    cameras: Annotated[list[Proposed], Field(min_length=1, max_length=100)]


@router.post("/what-if", response_class=Response, openapi_extra=takes(WhatIf))
def what_if(service: Service, who: Who, body: JsonBody) -> Response:
    """Give the figures of each touched grid before and after, if cameras were hung."""
    who.needs("cameras")
    asked = read(WhatIf, body)
    with scoped(service, who.view) as connection:
        # cameras and homes beyond the asker's area count, and only the asker's grids are told
        everything = system_view(who.view.actor)
        enter_scope(connection, everything)
        locator = service.ingest.locator(connection)
        for one in asked.cameras:
            locator.place(one.lon, one.lat)
        place = Place(connection, everything, the_county(connection))
        changes = changes_by(place, _frame(asked, place.srid))
        enter_scope(connection, who.view)
        rows = grid_figures(connection, who.view, sorted(changes))
    grids = [_told(dict(row), changes[row["grid_code"]].tolist()) for row in rows]
    return Response(json_bytes({"grids": grids}), media_type="application/json", headers=PRIVATE)


def _frame(asked: WhatIf, srid: int) -> GeoDataFrame:
    lonlat = np.array([[one.lon, one.lat] for one in asked.cameras])
    names = ("azimuth_deg", "view_angle_deg", "range_m")
    columns = {name: [getattr(one, name) for one in asked.cameras] for name in names}
    return GeoDataFrame(
        columns, geometry=shapely.points(metres_from_lonlat(lonlat, srid)), crs=srid
    )


def _told(row: dict[str, Any], change: list[float]) -> dict[str, Any]:
    before = {name: row[name] for name in CHANGED}
    after = {
        name: None if before[name] is None else before[name] + by
        for name, by in zip(CHANGED, change, strict=True)
    }
    return {"grid_code": row["grid_code"], "before": before, "after": after}
