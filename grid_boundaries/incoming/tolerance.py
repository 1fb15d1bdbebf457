"""What counts as drawing noise: how narrow and how small a sliver is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.errors import Refused

WIDEST_SLIVER_M = 50.0


@dataclass(frozen=True)
class Tolerance:
    """Bounds of drawing noise; what is within them is merged and listed, the rest is resolved.

    Parameters
    ----------
    narrower_than_m
        Ground in which no circle of this diameter fits is a sliver.
    smaller_than_m2
        Ground under this area is a sliver, whatever its shape.
    listed_from_m2
        Ground under this area comes from rounding: merged, counted, not listed one by one.

    Raises
    ------
    Refused
        A bound is negative, not a number or absurdly large.
    """

    narrower_than_m: float = 2.0
    smaller_than_m2: float = 1.0
    listed_from_m2: float = 0.01

    def __post_init__(self) -> None:
        widths_m = 0 <= self.narrower_than_m <= WIDEST_SLIVER_M
        areas_m2 = self.listed_from_m2 >= 0 and 0 <= self.smaller_than_m2 <= WIDEST_SLIVER_M**2
        if not (widths_m and areas_m2):
            raise Refused(
                "bad-tolerance",
                f"容差有误：宽度应在 0–{WIDEST_SLIVER_M:g} m 之间，面积不得为负",
                f"The tolerance is wrong: a width is 0 to {WIDEST_SLIVER_M:g} m, no area negative",
                narrower_than_m=str(self.narrower_than_m),
            )


DEFAULT = Tolerance()


def are_slivers(shapes: NDArray[Any], bounds: Tolerance) -> NDArray[np.bool_]:
    """Say which polygons are slivers.

    The mean width 2 · area / perimeter is never more than the diameter of the largest circle
    inside, so wide ones are told by it alone; only the others are shrunk by half the width.

    Parameters
    ----------
    shapes
        Valid polygons, metres, shape (n,).
    """
    area_m2, perimeter_m = shapely.area(shapes), shapely.length(shapes)
    narrow = 2 * area_m2 < bounds.narrower_than_m * perimeter_m
    fits = area_m2 >= np.pi / 4 * bounds.narrower_than_m**2
    doubtful = np.flatnonzero(narrow & fits)
    core = shapely.buffer(shapes[doubtful], -bounds.narrower_than_m / 2)
    slivers: NDArray[np.bool_] = narrow | ~fits
    slivers[doubtful] = shapely.is_empty(core)
    return slivers | (area_m2 < bounds.smaller_than_m2)
