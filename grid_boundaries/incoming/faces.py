"""The ground of an imported layer in faces: who claims each, and which are drawing noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.claims import claims
from grid_boundaries.edges import shared_edges
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers

# in front of a unit that stands among claimants because it is the ground of another one; a
# character for private use, which `labels.clean_code` lets no code keep
MARK = "\ue000"


@dataclass(frozen=True)
class Faces:
    """Faces that tile the ground exactly.

    Parameters
    ----------
    table
        claimants (tuple of codes), lies_in (unit where it is part of another unit than its
        grid's, else None), area_m2, is_sliver, is_outside (of the county), geometry.
    edges
        Border that faces share: positions a < b, and length in metres.
    """

    table: GeoDataFrame
    edges: pd.DataFrame

    @property
    def claims_of(self) -> NDArray[np.intp]:
        """How many grids claim each face."""
        return np.array([len(codes) for codes in self.table["claimants"]], dtype=np.intp)


def faces(
    grids: GeoDataFrame,
    *,
    within: BaseGeometry | None,
    bounds: Tolerance,
    foreign: GeoDataFrame | None = None,
) -> Faces:
    """Return the faces that outlines cut the ground into.

    Parameters
    ----------
    grids
        Columns code and geometry: valid outlines in metres.
    within
        The ground to be divided; without it there are no gaps and no outside.
    foreign
        Parts of outlines in a unit that is not their grid's: columns unit and geometry; their
        borders cut faces, too.
    """
    # in one order, so that rounding in the overlay is the same whichever way a file is sorted
    marked = grids[["code", grids.geometry.name]].sort_values("code", ignore_index=True)
    found = claims(_with_marks(marked, foreign), within=within)
    shapes = found.geometry.to_numpy()
    claimants, lies_in = _unmarked(found["claimants"].to_numpy())
    columns = {
        "claimants": pd.Series(claimants, dtype=object),
        "lies_in": pd.Series(lies_in, dtype=object),  # text columns would hold NaN for None
        "area_m2": shapely.area(shapes),
        "is_sliver": are_slivers(shapes, bounds),
        "is_outside": _outside(shapes, within),
    }
    table = GeoDataFrame(columns, geometry=shapes, crs=grids.crs)
    return Faces(table, shared_edges(shapes))


def _with_marks(grids: GeoDataFrame, foreign: GeoDataFrame | None) -> GeoDataFrame:
    """Return outlines and, marked as such, the foreign parts among them."""
    if foreign is None or foreign.empty:
        return grids
    marks = foreign.assign(code=MARK + foreign["unit"])[["code", foreign.geometry.name]]
    return GeoDataFrame(pd.concat([grids, marks], ignore_index=True), crs=grids.crs)


def _unmarked(claimants: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    own, lies_in = np.empty((2, len(claimants)), dtype=object)
    for place, codes in enumerate(claimants):
        own[place] = tuple(code for code in codes if not code.startswith(MARK))
        marks = [code for code in codes if code.startswith(MARK)]
        lies_in[place] = marks[0].removeprefix(MARK) if marks else None
    return own, lies_in


def _outside(shapes: NDArray[Any], within: BaseGeometry | None) -> NDArray[np.bool_]:
    if within is None:
        return np.zeros(len(shapes), dtype=bool)
    shapely.prepare(within)
    outside: NDArray[np.bool_] = ~shapely.intersects(within, shapely.point_on_surface(shapes))
    return outside
