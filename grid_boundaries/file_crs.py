"""What the coordinates of a file mean: references by name, and the way to stored degrees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from grid_boundaries.crs import (
    FIRST_BY_MERIDIAN,
    FIRST_BY_NUMBER,
    FIRST_ZONE,
    crs_of,
    prefixed_zone,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID

Points = NDArray[np.float64]
Reading = Callable[[Points], Points]  # coordinates of a file → longitude and latitude

GCJ02, BD09, SWAPPED = "GCJ-02", "BD-09", "lat-lon"
STORED = f"EPSG:{STORED_SRID}"
DEGREES = frozenset({4326, STORED_SRID})  # the same numbers, to the centimetre
SHIFTED: dict[str, Reading] = {GCJ02: wgs84_from_gcj02, BD09: wgs84_from_bd09}
BY_NUMBER = range(FIRST_BY_NUMBER, FIRST_BY_NUMBER + 21)
BY_MERIDIAN = range(FIRST_BY_MERIDIAN, FIRST_BY_MERIDIAN + 21)
MOST_WKT = 4096
FARTHEST_X_M = 1e7  # without a zone's number no x on the globe is as far
WORDS = {"gcj02": GCJ02, "bd09": BD09, "latlon": SWAPPED}
NUMBER = re.compile(r"(?:epsg:)?([0-9]{4,6})", re.ASCII)
SURE_PERCENT = 25  # of pyproj: the writers of Shapefiles leave out what would make it surer


def asked_crs(word: str) -> str:
    """Return the name of a reference that somebody asks for, in any usual spelling.

    Raises
    ------
    Refused
        It is no number of EPSG, nor GCJ-02, BD-09 or lat-lon.

    Examples
    --------
    >>> asked_crs("4490"), asked_crs("epsg:4545"), asked_crs("GCJ_02"), asked_crs("bd09")
    ('EPSG:4490', 'EPSG:4545', 'GCJ-02', 'BD-09')
    """
    known = _worded(word)
    if known is None:
        raise _unknown(word)
    reading(known)
    return known


def crs_name(stated: str) -> str:
    """Return the name of a reference as a file states it, in words or in WKT.

    ``EPSG:n`` where it is one; GCJ-02 and BD-09 too where only the WKT's own name says so; as it
    is stated, at most 4,096 characters, where it has no number; empty for what is none at all.
    """
    known = _worded(stated)
    if known is not None or not stated:
        return known or ""
    text = stated[:MOST_WKT]
    shifted = next((WORDS[word] for word in ("gcj02", "bd09") if word in _plain(text)), None)
    return shifted or _numbered(text)


def reading(name: str) -> Reading:
    """Return how coordinates of a named reference become longitude and latitude (CGCS2000).

    Raises
    ------
    Refused
        No such reference, or one that is neither in degrees nor in metres.
    """
    if name in SHIFTED:
        return SHIFTED[name]
    if name == SWAPPED:
        return lambda points: points[:, ::-1].copy()
    try:
        crs = CRS.from_user_input(name)
    except CRSError:
        raise _unknown(name) from None
    if crs.to_epsg() in DEGREES:
        return lambda points: points
    if not (crs.is_geographic or crs.is_projected):
        raise _unknown(name)
    change = Transformer.from_crs(crs, crs_of(STORED_SRID), always_xy=True)
    return partial(_changed, change)


def in_stored_degrees(shapes: Sequence[BaseGeometry | None] | NDArray[Any], name: str) -> Any:
    """Return shapes in longitude and latitude (CGCS2000), read as a reference of that name.

    Places that are no numbers come back as infinite: a ring of NaN would not be closed.
    """
    found = np.asarray(shapes, dtype=object)
    if name in (STORED, "EPSG:4326"):
        return found
    read = reading(name)

    def finite(points: Points) -> Points:
        return np.nan_to_num(read(points), nan=np.inf, posinf=np.inf, neginf=-np.inf)

    return shapely.transform(found, finite)


def meant(x: Points, stated: str) -> str:
    """Return the reference that coordinates have, where a zone's number in x gives it away.

    The twins of a zone, with its number in x and without, are easily taken for each other.
    Everything else is believed; what states nothing is taken for stored degrees.

    Parameters
    ----------
    x
        First coordinate of every vertex.
    """
    srid = int(stated[5:]) if NUMBER.fullmatch(stated.lower()) else None
    zone = prefixed_zone(x)
    if zone is not None and (not stated or srid in BY_MERIDIAN):
        return f"EPSG:{FIRST_BY_NUMBER + zone - FIRST_ZONE}"
    if srid is not None and srid in BY_NUMBER and len(x) and np.abs(x).max() < FARTHEST_X_M:
        return f"EPSG:{BY_MERIDIAN[BY_NUMBER.index(srid)]}"
    return stated or STORED


def _worded(word: str) -> str | None:
    plain = _plain(word.strip())
    if plain in WORDS:
        return WORDS[plain]
    number = NUMBER.fullmatch(plain)
    return f"EPSG:{int(number[1])}" if number else None


def _plain(text: str) -> str:
    return text.casefold().replace("-", "").replace("_", "")


@lru_cache(maxsize=64)
def _numbered(text: str) -> str:
    try:
        number = CRS.from_user_input(text).to_epsg(min_confidence=SURE_PERCENT)
    except CRSError:
        return ""
    return f"EPSG:{number}" if number else text


def _changed(change: Transformer, points: Points) -> Points:
    return np.column_stack(change.transform(points[:, 0], points[:, 1]))


def _unknown(name: str) -> Refused:
    return Refused(
        "no-such-crs",
        f"没有坐标系“{name[:60]}”；可用 EPSG 编号、GCJ-02、BD-09",
        f"There is no CRS “{name[:60]}”; give an EPSG number, GCJ-02 or BD-09",
        crs=name[:60],
    )
