"""Suspects from frames by table, as a load or the database gives them, told as findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from grid_boundaries.codes import codes_in_path
from grid_boundaries.tables import STORED_SRID
from layers.coverage.camera_ground import CameraGround, Shapes, no_shapes
from layers.coverage.suspects import Suspects, suspects
from layers.load.report import FINDING_COLUMNS, findings, joined

Frames = Mapping[str, pd.DataFrame]
AREAS = (("unit", "code"), ("grid", "code"), ("block", "id"))
TOWN = 1  # place of the town's code in a unit path


def camera_ground(frames: Frames, metric_crs: CRS) -> CameraGround:
    """Return the ground of a county by its frames; geometry in EPSG:4490.

    Parameters
    ----------
    frames
        `county` and `unit`; and as far as they are known `grid`, `block`, `building`, `street`.
    metric_crs
        The county's, metres.
    """
    units = frames["unit"]
    top = units.loc[units["level"] == "county", "geom"]
    return CameraGround(
        county_code=str(frames["county"]["code"].iloc[0]),
        metric_srid=int(metric_crs.to_epsg() or 0),
        outline_m=shapely.union_all(_in_metres(top, metric_crs)),
        buildings_m=_shapes(frames, "building", metric_crs),
        streets_m=_shapes(frames, "street", metric_crs),
        areas_m=_areas(frames, metric_crs),
    )


def ledger(cameras: pd.DataFrame) -> pd.DataFrame:
    """Return placed cameras as `suspects` takes them: their builder is the supplier."""
    towns = [_town(path) for path in cameras["unit_path"]]
    told = cameras.assign(town=pd.Series(towns, index=cameras.index, dtype=object))
    return told.assign(supplier=told["builder"]) if "builder" in told else told


def suspect_findings(source: str, cameras: pd.DataFrame, ground: CameraGround) -> pd.DataFrame:
    """Return one finding a suspected camera of a load; the rows stay as they are.

    Parameters
    ----------
    cameras
        The frame of the camera table, placed.
    """
    if cameras.empty:
        return pd.DataFrame(columns=FINDING_COLUMNS, dtype=object)
    rows = cameras.set_index("id", drop=False)
    found = suspects(ledger(rows), ground)
    parts = [_findings(source, rows.loc[own.index], own) for _, own in _by_reason(found)]
    return joined(parts, FINDING_COLUMNS)


def plain_facts(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what is told of a suspect as plain JSON values, a number that is missing as None."""
    told: dict[str, Any] = {"reasons": list(row["reasons"]), **row["facts"]}
    for name, digits in (("lon", 7), ("lat", 7), ("moved_m", 2), ("probability", 4)):
        told[name] = round(row[name], digits) if np.isfinite(row[name]) else None
    return told


def _by_reason(found: Suspects) -> list[tuple[Any, pd.DataFrame]]:
    return list(found.rows.groupby("reason", sort=True))


def _findings(source: str, cameras: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    told = findings(
        source,
        "camera",
        cameras["id"].tolist(),
        str(own["reason"].iloc[0]),
        ("", ""),
        facts=[plain_facts(row) for row in own.to_dict("records")],
        unit_path=cameras["unit_path"].tolist(),
        geom=cameras["geom"].tolist(),
    )
    return told.assign(zh=own["zh"].to_numpy(), en=own["en"].to_numpy())


def _town(path: Any) -> str | None:
    codes = codes_in_path(str(path))
    return codes[TOWN] if len(codes) > TOWN else None


def _areas(frames: Frames, metric_crs: CRS) -> dict[str, Any]:
    areas: dict[str, Any] = {}
    for table, key in AREAS:
        # the county itself says nothing: every camera should be in it
        rows = frames.get(table, pd.DataFrame(columns=[key, "geom", "level"]))
        rows = rows[rows["level"] != "county"] if table == "unit" else rows
        codes = rows[key].astype(str).tolist()
        areas |= dict(zip(codes, _in_metres(rows["geom"], metric_crs), strict=True))
    return areas


def _shapes(frames: Frames, table: str, metric_crs: CRS) -> Shapes:
    frame = frames.get(table)
    if frame is None or frame.empty:
        return no_shapes()
    shapes = _in_metres(frame["geom"], metric_crs)
    return shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def _in_metres(shapes: pd.Series[Any], metric_crs: CRS) -> Shapes:
    series = gpd.GeoSeries(shapes.to_numpy(), crs=STORED_SRID)
    return np.asarray(series.to_crs(metric_crs).to_numpy(), dtype=object)
