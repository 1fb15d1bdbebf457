"""Points that stand beside the map by the whole: are they in a shifted datum (GCJ-02, BD-09)?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from grid_boundaries.crs import metres_from_lonlat
from layers.load.positions import UNSHIFTED, in_metres
from layers.load.reasons import REASONS
from layers.load.report import FINDING_COLUMNS, findings

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

LOOKED_AT = 2_000  # points of a layer; more would tell no more
FEWEST = 30
NEAR_M = 5.0  # from a wall or the middle of a street
SURE_Z, LEAST_GAIN = 5.0, 0.05  # standard errors, and share of points, over any other direction
TURNS_RAD = np.arange(1, 8) * (math.pi / 4)


@dataclass(frozen=True)
class DatumShift:
    """A datum that explains where a layer's points stand.

    Parameters
    ----------
    datum
        ``"GCJ-02"`` or ``"BD-09"``.
    east_m, north_m
        How far the points stand off, on the mean; what is to be taken from them.
    near_now, near_then
        Share of points near a footprint or street as they stand, and with the shift undone.
    points
        How many points were looked at.
    """

    datum: str
    east_m: float
    north_m: float
    near_now: float
    near_then: float
    points: int

    def facts(self) -> dict[str, Any]:
        """Return it as plain JSON values, metres to the decimetre."""
        return {
            "datum": self.datum,
            "east_m": round(self.east_m, 1),
            "north_m": round(self.north_m, 1),
            "near_now": round(self.near_now, 3),
            "near_then": round(self.near_then, 3),
            "points": self.points,
        }


def datum_shift(lonlat: Floats, bearings_m: Shapes, metric_srid: int) -> DatumShift | None:
    """Return the shifted datum that points are in by all appearance, or None.

    Things of a town stand at its houses and streets. A layer in GCJ-02 stands some 500 m off,
    where it hits them no oftener than chance does; with the shift undone it fits. A shift is
    suspected when undoing it brings more points near than leaving them does, and than moving
    them as far in any of seven other directions, which tells what chance gives: by five
    standard errors of the two shares and by a twentieth of the points. Only a layer as a whole
    is judged, never one point; a layer that stands beside no house or street tells nothing.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2); rows that are not finite are passed over.
    bearings_m
        Footprints and streets of known place, in metres of `metric_srid`.
    metric_srid
        EPSG number of the county's metric CRS.
    """
    points = _looked_at(lonlat)
    if len(points) < FEWEST or not len(bearings_m):
        return None
    tree = shapely.STRtree(bearings_m)
    here_m = metres_from_lonlat(points, metric_srid)
    near_now = _near(here_m, tree)
    found = []
    for datum, unshift in UNSHIFTED.items():
        off_m = here_m - metres_from_lonlat(unshift(points), metric_srid)
        near_then = _near(here_m - off_m, tree)
        elsewhere = [_near(here_m - _turned(off_m, turn), tree) for turn in TURNS_RAD]
        if _is_sure(near_then, max(near_now, *elsewhere), len(points)):
            east_m, north_m = off_m.mean(axis=0).tolist()
            found.append(DatumShift(datum, east_m, north_m, near_now, near_then, len(points)))
    return max(found, key=lambda shift: shift.near_then, default=None)


def bearings(frames: Mapping[str, pd.DataFrame], metric_crs: CRS, *, but: str = "") -> Shapes:
    """Return the footprints and streets of a county in metres, but those of one table."""
    shapes = [
        in_metres(frames[name]["geom"], metric_crs).to_numpy()
        for name in ("building", "street")
        if name != but and len(frames.get(name, ()))
    ]
    return np.concatenate([np.empty(0, dtype=object), *shapes])


def shift_findings(
    source: str, layer: str, geometries: pd.Series[Any], bearings_m: Shapes, metric_crs: CRS
) -> pd.DataFrame:
    """Return one finding for a layer of points that a shifted datum explains, else none."""
    shapes = np.asarray(geometries, dtype=object)
    points = shapes[shapely.get_type_id(shapes) == shapely.GeometryType.POINT]
    lonlat = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    shift = datum_shift(lonlat, bearings_m, int(metric_crs.to_epsg() or 0))
    if shift is None:
        return pd.DataFrame(columns=FINDING_COLUMNS, dtype=object)
    code = "suspected-shift"
    return findings(source, layer, [layer], code, REASONS[code], facts=[shift.facts()])


def _looked_at(lonlat: Floats) -> Floats:
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    # evenly through the file, so that the same file gives the same answer
    places = np.linspace(0, len(known) - 1, min(len(known), LOOKED_AT)).astype(np.intp)
    return known[places]


def _near(points_m: Floats, tree: shapely.STRtree) -> float:
    found = tree.query(shapely.points(points_m), predicate="dwithin", distance=NEAR_M)
    return len(np.unique(found[0])) / len(points_m)


def _is_sure(near_then: float, near_by_chance: float, points: int) -> bool:
    middle = (near_then + near_by_chance) / 2
    error = math.sqrt(2 * middle * (1 - middle) / points)
    return near_then - near_by_chance >= max(SURE_Z * error, LEAST_GAIN)


def _turned(off_m: Floats, turn_rad: float) -> Floats:
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    return np.asarray(off_m @ np.array([[cos, sin], [-sin, cos]]), dtype=np.float64)
