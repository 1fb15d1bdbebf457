"""Which CRS the coordinates of a layer are really in: the one stated, against where limits lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from grid_boundaries.crs import (
    FIRST_BY_MERIDIAN,
    FIRST_ZONE,
    LAST_ZONE,
    WEST_DEG,
    metres_from_lonlat,
    prefixed_zone,
    transformer,
    zone_crs,
)
from grid_boundaries.file_crs import SHIFTED, STORED, SWAPPED, Points, Reading, meant, reading
from grid_boundaries.tables import STORED_SRID

NEAR_M = 10.0  # a vertex so near a known limit is called on it
SAMPLE = 2_000
TWICE, AT_LEAST = 2.0, 0.05  # a reading is believed when so much more of it lies on limits


@dataclass(frozen=True)
class Projection:
    """How a layer's coordinates are read.

    Parameters
    ----------
    declared
        What the file (or whoever sent it) states, e.g. "EPSG:4326"; empty where nothing does.
    suspected
        What fits: an EPSG name, "GCJ-02", "BD-09" or "lat-lon" (the two swapped). The declared
        one where no other fits clearly better.
    shift_m
        Metres between the two readings (median); None where the declared one gives no place.
    on_limits
        Part of the vertices on known limits, as declared and as suspected.
    """

    declared: str
    suspected: str
    shift_m: float | None
    on_limits: tuple[float, float]

    @property
    def is_doubtful(self) -> bool:
        """Whether the layer is taken for something else than it declares."""
        return self.suspected != self.declared


def projection(
    shapes: Sequence[BaseGeometry | None], declared: str, limits: Sequence[BaseGeometry], srid: int
) -> Projection:
    """Return what the coordinates are, by how many vertices lie on limits already known.

    Borders of grids follow those of villages and blocks. Of all readings that the numbers allow
    the one with most vertices within 10 m of a limit is suspected, if they are at least twice as
    many as by the declared reading.

    Parameters
    ----------
    shapes
        As the file has them, x or longitude first; finite coordinates.
    declared
        `file_crs.crs_name` of what the file states.
    limits
        Outlines of units or blocks in the metric CRS `srid`.
    """
    points = _sampled(shapes)
    names = [name for name in dict.fromkeys([declared, *_candidates(points, limits, srid)]) if name]
    tree = shapely.STRtree(shapely.get_parts(shapely.boundary(np.asarray(limits, dtype=object))))
    places = {name: _metres(reading(name), points, srid) for name in names}
    fit = {name: _on_limits(place, tree) for name, place in places.items()}
    best = max(names, key=lambda name: fit[name], default=declared)
    stated = fit.get(declared, 0.0)
    if not declared or fit[best] < max(TWICE * stated, AT_LEAST):
        # a zone's number in x proves the twin of what is declared, limits or not
        best = meant(points[:, 0], declared) if declared else best
    return Projection(declared, best, _shift_m(places.get(declared), places.get(best)),
                      (round(stated, 3), round(fit.get(best, 0.0), 3)))  # fmt: skip


def _candidates(points: Points, limits: Sequence[BaseGeometry], srid: int) -> Iterator[str]:
    """Yield the names of readings that the size of the numbers allows."""
    x, y = np.abs(points).max(axis=0, initial=0.0)
    if x <= 180 and y <= 90:
        yield from (STORED, *SHIFTED, SWAPPED)
    elif x <= 90 and y <= 180:
        yield SWAPPED
    else:
        yield "EPSG:3857"
        zone = prefixed_zone(points[:, 0])
        if zone is not None:
            yield f"EPSG:{zone_crs(zone, prefixed=True).to_epsg()}"
        yield from _zones_near(limits, srid)


def _zones_near(limits: Sequence[BaseGeometry], srid: int) -> Iterator[str]:
    """Yield the 3-degree zones of the county and of its two neighbours."""
    own = srid - FIRST_BY_MERIDIAN
    if not 0 <= own <= LAST_ZONE - FIRST_ZONE:
        if not len(limits):
            return
        middle = shapely.get_coordinates(shapely.centroid(limits[0]))
        lon, _ = transformer(srid, STORED_SRID).transform(middle[0, 0], middle[0, 1])
        own = int((lon - WEST_DEG) // 3)
    for zone in (own, own - 1, own + 1):
        if 0 <= zone <= LAST_ZONE - FIRST_ZONE:
            yield f"EPSG:{FIRST_BY_MERIDIAN + zone}"


def _sampled(shapes: Sequence[BaseGeometry | None]) -> Points:
    points = shapely.get_coordinates(np.asarray(shapes, dtype=object))
    step = max(len(points) // SAMPLE, 1)
    return points[::step]


def _metres(read: Reading, points: Points, srid: int) -> Points:
    lonlat = np.array(read(points), dtype=float)
    lonlat[~(np.abs(lonlat) <= (180, 89)).all(axis=1)] = np.nan
    placed = metres_from_lonlat(lonlat, srid)
    placed[~np.isfinite(placed).all(axis=1)] = np.nan
    return placed


def _on_limits(places: Points, tree: shapely.STRtree) -> float:
    known = places[np.isfinite(places).all(axis=1)]
    if not len(known) or not len(tree):
        return 0.0
    near = tree.query(shapely.points(known), predicate="dwithin", distance=NEAR_M)[0]
    return len(np.unique(near)) / len(places)


def _shift_m(stated: Points | None, suspected: Points | None) -> float | None:
    if stated is None or suspected is None:
        return None
    apart_m = np.linalg.norm(stated - suspected, axis=1)
    known = apart_m[np.isfinite(apart_m)]
    return round(float(np.median(known)), 1) if len(known) else None
