"""Answers as plain values of JSON: what is stored, and what the API says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from geopandas import GeoSeries, points_from_xy

from grid_boundaries.crs import in_degrees
from layers.hotspots.areas import Answer

LEAST_COUNTED = 5
"""Of some kind of incidents, a cell's count under this is not told (complaints of a few homes)."""


def findings(answer: Answer) -> list[dict[str, Any]]:
    """Return the areas of an answer with longitude and latitude of their middles, in order."""
    areas = answer.areas
    middles = points_from_xy([area.x_m for area in areas], [area.y_m for area in areas])
    placed = in_degrees(GeoSeries(middles, crs=answer.cells.frame.crs))
    # seven digits are a centimetre
    lonlat = np.round(np.column_stack([placed.x, placed.y]), 7).tolist() if areas else []
    kind = answer.cells.kind
    return [
        area.wire | {"cells": kind, "window_days": area.window.days, "lon": lon, "lat": lat}
        for area, (lon, lat) in zip(areas, lonlat, strict=True)
    ]


def counts(answer: Answer, *, least: int = 1) -> list[dict[str, Any]]:
    """Return the cells with at least so many incidents, by code."""
    frame = answer.cells.frame
    rows = np.flatnonzero(answer.counts >= least)
    return [
        {"cell": str(cell), "name": name, "unit_path": path, "incidents": int(incidents)}
        for cell, name, path, incidents in zip(
            frame["cell"].iloc[rows],
            frame["name"].iloc[rows],
            frame["unit_path"].iloc[rows],
            answer.counts[rows],
            strict=True,
        )
    ]


def told(
    facts: Mapping[str, Any], found: list[dict[str, Any]], counted: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return an answer as the API gives it: counts only where nothing was tested."""
    return {**facts, "findings": found, "counts": [] if facts["tested"] else counted}
