"""Cameras that might be hung, as requests name them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gis_service.access import Asker, system_view
from gis_service.camera_editing import FARTHEST_M
from gis_service.database import enter_scope
from gis_service.ingest import Ingest
from grid_boundaries.crs import metres_from_lonlat
from layers.read import the_county


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


def placed_frame(
    connection: Connection, asker: Asker, ingest: Ingest, asked: WhatIf
) -> GeoDataFrame:
    """Return cameras as for `visible_areas`, in the county's metres.

    Raises
    ------
    Refused
        One of them would stand outside the county.
    """
    # a locator is that of the whole county
    enter_scope(connection, system_view(asker.view.actor))
    locator = ingest.locator(connection)
    for one in asked.cameras:
        locator.place(one.lon, one.lat)
    enter_scope(connection, asker.view)
    lonlat = np.array([[one.lon, one.lat] for one in asked.cameras])
    names = ("azimuth_deg", "view_angle_deg", "range_m")
    columns = {name: [getattr(one, name) for one in asked.cameras] for name in names}
    srid = the_county(connection).metric_srid
    points = shapely.points(metres_from_lonlat(lonlat, srid))
    return GeoDataFrame(columns, geometry=points, crs=srid)
