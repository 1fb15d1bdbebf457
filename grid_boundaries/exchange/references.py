"""The references in which exchange files go out: CGCS2000 in degrees and zones, WGS 84, GCJ-02."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.crs import gcj02_from_wgs84, transformer
from grid_boundaries.errors import Refused
from grid_boundaries.file_crs import BY_MERIDIAN, BY_NUMBER
from grid_boundaries.tables import STORED_SRID

Shapes = NDArray[Any]
Points = NDArray[np.float64]

GCJ02 = "gcj02"
DEGREES = (STORED_SRID, 4326)  # the same numbers, to the centimetre
# No registry has a number for GCJ-02. Its name says what it is; its ellipsoid is Krasovsky's.
GCJ02_WKT = (
    'GEOGCRS["GCJ-02 (shifted, not WGS 84)",DATUM["GCJ-02",'
    'ELLIPSOID["Krassowsky 1940",6378245,298.3,LENGTHUNIT["metre",1]]],'
    'PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],'
    'AXIS["longitude",east],AXIS["latitude",north],ANGLEUNIT["degree",0.0174532925199433]]'
)


@dataclass(frozen=True)
class Reference:
    """In what a file gives coordinates.

    Parameters
    ----------
    srid
        EPSG number; None for GCJ-02, which has none.
    """

    srid: int | None

    @property
    def word(self) -> str:
        """The word by which it is asked for: an EPSG number, or ``gcj02``."""
        return GCJ02 if self.srid is None else str(self.srid)

    @property
    def label(self) -> str:
        """Its name for people and for file names; `file_crs` knows it by the same."""
        return "GCJ-02" if self.srid is None else f"EPSG:{self.srid}"

    @property
    def definition(self) -> str:
        """What a file says of its coordinates."""
        return GCJ02_WKT if self.srid is None else self.label


STORED = Reference(STORED_SRID)


def reference(word: str) -> Reference:
    """Return the reference of a word: 4490, 4326, 4513 to 4554, ``gcj02``, in any usual spelling.

    Raises
    ------
    Refused
        Another word.
    """
    plain = word.strip().casefold().removeprefix("epsg:").replace("-", "").replace("_", "")
    if plain == GCJ02:
        return Reference(None)
    if plain.isascii() and plain.isdecimal() and len(plain) < 6:
        found = int(plain)
        if found in (*DEGREES, *BY_NUMBER, *BY_MERIDIAN):
            return Reference(found)
    raise Refused(
        "crs-not-exchanged",
        f"坐标系 {word[:40]} 不能用于交换；请用 4490、4326、4513–4554 或 gcj02",
        f"Files are not exchanged in {word[:40]}; use 4490, 4326, 4513 to 4554 or gcj02",
        crs=word[:40],
    )


def from_degrees(shapes: Shapes, to: Reference) -> Shapes:
    """Return shapes in stored degrees in another reference; missing ones stay missing.

    What is in degrees, too, keeps its very coordinates.
    """
    if to.srid in DEGREES:
        return shapes
    if to.srid is None:
        return _changed(shapes, gcj02_from_wgs84)
    change = transformer(STORED_SRID, to.srid)
    return _changed(shapes, lambda points: np.column_stack(change.transform(*points.T)))


def _changed(shapes: Shapes, change: Callable[[Points], Points]) -> Shapes:
    def finite(points: Points) -> Points:
        # a ring of NaN would not be closed; infinite places are found by whoever checks shapes
        return np.nan_to_num(change(points), nan=np.inf, posinf=np.inf, neginf=-np.inf)

    changed: Shapes = shapely.transform(shapes, finite)
    return changed
