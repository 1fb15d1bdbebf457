"""Key places by task: how densely a picture must show each kind, and how densely it does.

Standards name kinds of key places (GB 37300-2018) and densities of pictures (IEC 62676-4), but not
which density which kind needs. `NEEDED` says it for this service: entrances where a stranger must
be told from others by what he does and wears, doors where his outline is enough, and wide places.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.sightings import sightings
from layers.coverage.tasks import TASKS, Task, pixels_per_m
from layers.coverage.walls import Floats

# horizontal pixels of the plainest camera of today's programme; the ledger does not tell
ASSUMED_PIXELS = 1920.0
# no lens is nearer than that to what it shows
NEAREST_M = 0.5
NEEDED = {
    **dict.fromkeys(
        ("bank", "fuel", "hazardous", "school", "government", "station"), TASKS["discern"]
    ),
    **dict.fromkeys(("hospital", "commerce", "hotel", "market", "utility"), TASKS["outline"]),
    **dict.fromkeys(("square", "park", "scenic", "junction"), TASKS["overview"]),
}
OTHERWISE = TASKS["outline"]


def needed_task(kind: str) -> Task:
    """Return the task that a kind of key place needs."""
    return NEEDED.get(kind, OTHERWISE)


def needed_densities(kinds: Iterable[str]) -> Floats:
    """Return the pixels a metre that places of these kinds need."""
    return np.array([needed_task(kind).pixels_per_m for kind in kinds], dtype=np.float64)


def best_densities(
    places: GeoSeries, views: GeoSeries, cameras: GeoDataFrame, *, farther_m: Floats | float = 0.0
) -> Floats:
    """Return the pixels a metre with which the best camera shows each place.

    Parameters
    ----------
    places
        Points, metres.
    views
        Visible areas of the cameras, in their order; empty ones see nothing.
    cameras
        Where they stand, with ``view_angle_deg``, and ``pixels`` where known; `ASSUMED_PIXELS`
        where not.
    farther_m
        How much farther than drawn each camera may stand; below 0 for nearer.

    Returns
    -------
    ndarray
        One a place; 0 where no camera sees it.
    """
    pairs = sightings(views, places).tocoo()
    camera, place = pairs.coords
    points, seen = cameras.geometry.to_numpy(), places.to_numpy()
    away_m = shapely.distance(points[camera], seen[place])
    away_m = away_m + np.broadcast_to(farther_m, len(cameras))[camera]
    angle_deg = cameras["view_angle_deg"].to_numpy(dtype=np.float64)
    pixels = _pixels(cameras)
    shown = pixels_per_m(pixels[camera], angle_deg[camera], np.maximum(away_m, NEAREST_M))
    best = np.zeros(len(places))
    np.maximum.at(best, place, shown)
    return best


def _pixels(cameras: Any) -> Floats:
    if "pixels" not in cameras:
        return np.full(len(cameras), ASSUMED_PIXELS)
    told = cameras["pixels"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(told), ASSUMED_PIXELS, told)
