"""Circles round each location of a map, growing by one place at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grid_boundaries.errors import TooLarge

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG)."""

TIE = 16 * float(np.finfo(np.float64).eps)
"""Distances closer than this share of the largest coordinate are one distance: coordinates of a
regular lattice carry rounding of about this size."""

ROUNDING = 1e-12
"""Keeps a circle that holds the largest share exactly."""

MOST_PLACES = 70_000_000
"""Locations over all circles that are still kept (350 MB, and twice that for each thread)."""


@dataclass(frozen=True)
class Circles:
    """Circles of growing radius round each location, as one list centre after centre.

    Parameters
    ----------
    order
        Locations by distance from their centre, shape (m,); of equally far ones that with the
        lesser x first, then y.
    starts
        Where the list of each centre begins in `order`, shape (n + 1,).
    closed
        Whether a circle ends with this location, shape (m,): never between two at one spot.
    """

    order: NDArray[np.int32]
    starts: Whole
    closed: Flags

    def members(self, centre: int, last: int) -> list[int]:
        """Return the locations of the circle that ends at place `last` of `order`, ascending."""
        return sorted(self.order[self.starts[centre] : last + 1].tolist())


def circles(
    xy: Floats,
    people: Floats,
    *,
    largest_share: float,
    largest_radius_m: float | None = None,
    great_circle: bool = False,
) -> Circles:
    """Return all circles round each location with no more than a share of the people.

    Locations enter one by one, those at one spot together. A location that holds more than the
    share by itself has no circle.

    Parameters
    ----------
    xy
        Places, shape (n, 2): metres, or degrees (longitude, latitude) with `great_circle`.
    people
        Population at risk, shape (n,), not negative.
    largest_share
        Of all people, over 0 up to 1.
    largest_radius_m
        Metres; no limit where None.
    great_circle
        Distances on a sphere of radius `EARTH_RADIUS_M`.

    Raises
    ------
    TooLarge
        ``scan-circles`` past `MOST_PLACES`.
    """
    spots = _on_the_sphere(xy) if great_circle else xy
    reach = _reach(largest_radius_m, great_circle=great_circle)
    tie = TIE * float(np.abs(spots).max(initial=0.0))
    most_people = largest_share * float(people.sum()) * (1.0 + ROUNDING)
    orders, ends, kept = [], [], 0
    # centre after centre: the table of all distances of a large map would not fit
    for spot in spots:
        order, closed = _around(spots, spot, people, most_people, reach, tie)
        kept += order.size
        _refuse_too_many(kept)
        orders.append(order)
        ends.append(closed)
    starts = np.cumsum([0, *(order.size for order in orders)])
    return Circles(np.concatenate(orders), starts, np.concatenate(ends))


def distances_m(xy: Floats, centre: int, *, great_circle: bool) -> Floats:
    """Return how far each location lies from one of them, metres, shape (n,)."""
    if not great_circle:
        return _apart(xy, xy[centre])
    spots = _on_the_sphere(xy)
    chord = _apart(spots, spots[centre])
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2.0, 1.0)))


def _around(
    spots: Floats, centre: Floats, people: Floats, most_people: float, reach: float, tie: float
) -> tuple[NDArray[np.int32], Flags]:
    """Return the locations of the largest circle by distance, and where circles end."""
    distance = _apart(spots, centre)
    near = np.flatnonzero(distance <= reach + tie)
    order = near[np.argsort(distance[near], kind="stable")]
    ring = np.cumsum(np.diff(distance[order], prepend=0.0) > tie)
    order = order[np.lexsort((*spots[order].T[::-1], ring))]
    closed = np.append((spots[order][1:] != spots[order][:-1]).any(axis=1), True)
    closed &= np.cumsum(people[order]) <= most_people
    size = int(np.flatnonzero(closed)[-1]) + 1 if closed.any() else 0
    return order[:size].astype(np.int32), closed[:size]


def _apart(spots: Floats, spot: Floats) -> Floats:
    """Return straight distances from one spot."""
    step = spots - spot
    return np.asarray(np.sqrt(np.sum(step * step, axis=1)), dtype=np.float64)


def _on_the_sphere(lon_lat_deg: Floats) -> Floats:
    """Return points of the unit sphere: their straight distance grows with that along it."""
    lon, lat = np.radians(lon_lat_deg).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _reach(largest_radius_m: float | None, *, great_circle: bool) -> float:
    """Return the largest radius in the units of the spots."""
    if largest_radius_m is None:
        return np.inf
    if not great_circle:
        return largest_radius_m
    return float(2.0 * np.sin(min(largest_radius_m / EARTH_RADIUS_M, np.pi) / 2.0))


def _refuse_too_many(places: int) -> None:
    if places > MOST_PLACES:
        raise TooLarge(
            "scan-circles",
            "地点过多，圆形扫描窗口无法全部保存；请设定最大半径或减小人口比例上限",
            "too many locations for all circles; set a largest radius or a smaller share",
            most_places=MOST_PLACES,
        )
