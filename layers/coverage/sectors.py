"""Sectors: the field of view of a camera that stands somewhere within a disc, without any wall.

What is seen from every position is the field worn down by the disc, what is seen from some position
the field grown by it (Minkowski erosion and sum).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.coverage.outlines import INSCRIBED
from layers.coverage.walls import Floats
from layers.coverage.wedges import TURN_RAD, Sight

# chords to a quarter of a circle
QUARTER = 32
# a polygon of 4 · QUARTER corners round a circle reaches so much farther than the circle
AROUND = 1 / np.cos(np.pi / (4 * QUARTER))


def worn_sectors(sight: Sight, wear_m: Floats) -> NDArray[Any]:
    """Return the ground in the field of view from every point within `wear_m` of each camera.

    Inscribed: never more than that ground. Empty where the disc is as large as the range.
    """
    here = shapely.points(sight.xy)
    radius_m = sight.range_m * INSCRIBED - wear_m
    discs = shapely.buffer(here, np.maximum(radius_m, 0.0), quad_segs=QUARTER)
    outside = fans(
        sight.xy, sight.start_rad + sight.turn_rad, TURN_RAD - sight.turn_rad, 3 * sight.range_m
    )
    worn = shapely.difference(discs, shapely.buffer(outside, wear_m * AROUND, quad_segs=QUARTER))
    return np.where(sight.turn_rad < TURN_RAD, worn, discs)


def grown_sectors(sight: Sight, growth_m: Floats) -> NDArray[Any]:
    """Return the ground in the field of view from some point within `growth_m` of each camera.

    Circumscribed: never less than that ground.
    """
    here = shapely.points(sight.xy)
    radius_m = sight.range_m + growth_m
    discs = shapely.buffer(here, radius_m * AROUND, quad_segs=QUARTER)
    field = fans(sight.xy, sight.start_rad, sight.turn_rad, 3 * (sight.range_m + growth_m))
    grown = shapely.intersection(discs, shapely.buffer(field, growth_m * AROUND, quad_segs=QUARTER))
    return np.where(sight.turn_rad < TURN_RAD, grown, discs)


def fans(xy: Floats, start_rad: Floats, turn_rad: Floats, radius_m: Floats) -> NDArray[Any]:
    """Return polygons that fill the directions from `start_rad`, turning left by `turn_rad`.

    They reach at least 0.9 of `radius_m` in every direction between.
    """
    share = np.linspace(0, 1, 9)
    angle = start_rad[:, None] + turn_rad[:, None] * share
    tips = xy[:, None] + radius_m[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    polygons: NDArray[Any] = np.asarray(
        shapely.polygons(np.concatenate([xy[:, None], tips], axis=1))
    )
    return polygons
