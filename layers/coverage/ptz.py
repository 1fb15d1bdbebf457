"""PTZ cameras: what they can reach, what they see now, and what they see how much of the time.

A camera that turns never sees its whole reach at once, so the three stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.checks import refuse_rows
from layers.coverage.visibility import require_cameras, visible_areas
from layers.coverage.walls import Floats

# a bearing in degrees and the share of time that the camera dwells there
Preset = tuple[float, float]
# shares of one place that differ by less are one share
SAME_SHARE = 1e-9
# directions closer than this are one direction
SAME_DEG = 1e-9


def reach_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera can see at all, turning as far as it can.

    Parameters
    ----------
    cameras
        As in `visible_areas`, with ``ptz`` and, where that is true, what it may look at:
        ``presets`` (a list of `Preset`, see `expected_areas`), or ``pan_from_deg`` and
        ``pan_to_deg`` (bearings of the lens's axis, clockwise from one to the other), or neither,
        and it turns all round. Others stand still.
    buildings
        As in `visible_areas`.

    Returns
    -------
    GeoSeries
        As `visible_areas`.

    Raises
    ------
    CoverageRefused
        As in `visible_areas`; presets that are no bearings with shares that add up to 1; one pan
        limit without the other.
    """
    shares = expected_areas(cameras, buildings)
    places = cameras.index.get_indexer_for(cameras.index)
    views = np.full(len(cameras), shapely.Polygon(), dtype=object)
    for row, parts in shares.groupby("row").geometry:
        views[row] = shapely.union_all(parts.to_numpy(), grid_size=1e-6)
    return GeoSeries(views[places], index=cameras.index, crs=cameras.crs)
