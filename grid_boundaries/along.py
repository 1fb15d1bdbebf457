"""How much of a boundary runs along streets or rivers (街巷定界)."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

ALONG_M = 15.0  # half of a wide street: its line is drawn in the middle, grids end at its side
STEP_M = 10.0


class Lines:
    """Streets or rivers, ready to be asked how much of a boundary runs along them.

    Parameters
    ----------
    lines
        Lines, or surfaces such as reservoirs, in a metric CRS.
    """

    def __init__(self, lines: GeoSeries) -> None:
        self._tree = shapely.STRtree(lines.to_numpy())

    def share(self, shape: BaseGeometry, *, within_m: float = ALONG_M) -> float | None:
        """Return the part of a shape's boundary that lies within some metres of a line.

        The boundary is walked in steps of at most `STEP_M`; a step counts by its middle. Holes
        count; a line that only crosses the boundary counts for the steps about the crossing.

        Parameters
        ----------
        shape
            Polygon or multipolygon in the same CRS.

        Returns
        -------
        float
            Between 0 and 1; None for an empty shape.
        """
        rings = shapely.get_parts(shapely.boundary(shape))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        return self.share_of(np.stack([xy[:-1], xy[1:]], axis=1)[ring[1:] == ring[:-1]], within_m)

    def share_of(self, segments: NDArray[np.float64], within_m: float = ALONG_M) -> float | None:
        """Return the same of the segments of a boundary, shape (n, 2, 2)."""
        if not len(segments):
            return None
        middles, length_m = _walked(segments)
        near = self._tree.query(shapely.points(middles), predicate="dwithin", distance=within_m)[0]
        met = np.zeros(len(length_m), dtype=bool)
        met[near] = True
        return float(length_m[met].sum() / length_m.sum())


def _walked(segments: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return middle, shape (n, 2), and length of equal steps along segments."""
    start, course = segments[:, 0], segments[:, 1] - segments[:, 0]
    length_m = np.hypot(course[:, 0], course[:, 1])
    steps = np.maximum(np.ceil(length_m / STEP_M), 1).astype(int)
    own = np.repeat(np.arange(len(segments)), steps)
    number = np.arange(len(own)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = (number + 0.5) / steps[own]
    return start[own] + share[:, None] * course[own], (length_m / steps)[own]
