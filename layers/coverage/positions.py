"""Positions: where a camera may stand whose place is known within some metres only.

Such a camera stands in a disc, outside buildings. The disc is taken as the polygon of `SIDES` sides
drawn round it, so that no position is lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.topology import polygons_only
from layers.coverage.walls import Floats

SIDES = 64
# overlays are noded as in `ground`: a micrometre, under which GEOS may lose a whole footprint
NODING_M = 1e-6


def corners_round(xy: Floats, radius_m: Floats) -> Floats:
    """Return ``[n, SIDES, 2]``, counter-clockwise, the corners of polygons drawn round discs."""
    turn = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) / np.cos(np.pi / SIDES)
    corners: Floats = xy[:, None, :] + radius_m[:, None, None] * ring
    return corners


def standing_room(corners: Floats, built: Any) -> Any:
    """Return what a polygon of corners ``[k, 2]`` has outside `built`, an area or None."""
    round_disc = shapely.polygons(corners)
    if built is None:
        return round_disc
    return polygon_of(shapely.difference(round_disc, built, grid_size=NODING_M))


def built_area(shapes: NDArray[Any]) -> Any:
    """Return the union of footprints, or None where there is none."""
    return shapely.union_all(shapes, grid_size=NODING_M) if len(shapes) else None


def polygon_of(shape: Any) -> Any:
    """Return an overlay's result without the lines and points it may leave beside its polygons."""
    return polygons_only(np.array([shape], dtype=object))[0]
