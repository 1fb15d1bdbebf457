"""A flat map of stored degrees on which straight borders stay straight, nearly in metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.tables import STORED_SRID

NORTH_M = 111_200.0  # a degree of latitude; exact lengths are measured elsewhere

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """Degrees stretched so that a unit is about a metre either way.

    A projection bends the straight border between two stored corners, by decimetres over some
    kilometres; a new corner on the bent one would lie beside the border as it is stored.

    Parameters
    ----------
    latitude_deg
        Of the middle of what is drawn.
    """

    latitude_deg: float

    @property
    def scale(self) -> Floats:
        """Metres a degree, east and north."""
        return np.array([NORTH_M * np.cos(np.radians(self.latitude_deg)), NORTH_M])

    def flat(self, degrees: GeoSeries) -> GeoSeries:
        """Return stored shapes on the plane; a series without CRS, so that none is mixed up."""
        flat = shapely.transform(
            shapely.force_2d(_array(degrees)), lambda degree: degree * self.scale
        )
        return GeoSeries(flat, index=degrees.index)

    def stored(self, flat: GeoSeries, known: GeoSeries) -> GeoSeries:
        """Return shapes of the plane in stored degrees.

        Parameters
        ----------
        known
            Stored shapes; a corner that comes from one of them is that very corner again.
        """
        corners = shapely.get_coordinates(_array(known))
        keys = _keys(corners * self.scale)
        order = np.argsort(keys)
        shapes = shapely.transform(
            _array(flat), lambda xy: self._corners(xy, keys[order], corners[order])
        )
        return GeoSeries(shapes, index=flat.index, crs=STORED_SRID)

    def _corners(self, xy: Floats, keys: NDArray[np.complex128], corners: Floats) -> Floats:
        found: Floats = xy / self.scale
        if len(keys):
            at = np.minimum(np.searchsorted(keys, _keys(xy)), len(keys) - 1)
            same = keys[at] == _keys(xy)
            found[same] = corners[at[same]]
        return found


def _keys(xy: Floats) -> NDArray[np.complex128]:
    return np.asarray(xy[:, 0] + 1j * xy[:, 1])  # numpy sorts them by x, then by y


def _array(shapes: GeoSeries) -> NDArray[Any]:
    return np.array([*shapes.array, None], dtype=object)[:-1]


def plane_of(degrees: GeoSeries) -> Plane:
    """Return the plane through the middle of shapes in stored degrees; the equator's for none."""
    _, south, _, north = degrees.total_bounds
    return Plane(float((south + north) / 2) if np.isfinite(south + north) else 0.0)
