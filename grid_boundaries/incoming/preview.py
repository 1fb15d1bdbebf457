"""The repaired layer: blocks that tile the ground without gap or overlap, and who has each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from grid_boundaries.incoming.faces import Faces
from grid_boundaries.incoming.owners import NONE, Shares, proposals

BLOCK_COLUMNS = ("kind", "code", "proposed", "claimants", "lies_in")
SETTLED, CONTESTED, UNASSIGNED, FOREIGN = "settled", "contested", "unassigned", "foreign"


def preview(shared: Shares) -> GeoDataFrame:
    """Return the repaired ground as blocks.

    A grid is one block, and one more for each part that lies in another unit. Ground that
    several claim, or none, is a block in no grid, with a proposed owner.

    Returns
    -------
    GeoDataFrame
        ``kind`` ("settled", "foreign": part of a grid in another unit, "contested" or
        "unassigned"), ``code`` (None for the last two), ``proposed`` (a code; None where nothing
        is beside it), ``claimants``, ``lies_in``, ``area_m2`` and ``geometry``; west to east,
        then north to south. No two blocks overlap, and together they are the faces inside.
    """
    found, inside = shared.faces, shared.region != NONE
    key = _keys(found, shared)
    places, block_of = np.unique(key[inside], return_inverse=True)
    faces = np.flatnonzero(inside)
    largest = np.lexsort((-found.table["area_m2"].to_numpy()[faces], block_of))
    # the largest face speaks for its block: slivers of other claims may have come to it
    first = faces[largest[np.unique(block_of[largest], return_index=True)[1]]]
    shapes = _unions(found.table.geometry.to_numpy()[faces], block_of, len(places))
    rows = list(_blocks(found, shared, first))
    # columns of text would hold NaN for None
    columns = {name: pd.Series([row[name] for row in rows], dtype=object) for name in BLOCK_COLUMNS}
    table = GeoDataFrame(columns, geometry=shapes, crs=found.table.crs)
    table["area_m2"] = shapely.area(shapes)
    return table.iloc[_west_to_east(shapes)].reset_index(drop=True)


def _keys(found: Faces, shared: Shares) -> NDArray[np.intp]:
    """Return one number a block: the region, and one more for its wide parts in another unit."""
    wide = ~found.table["is_sliver"].to_numpy(dtype=bool)
    marks = found.table["lies_in"].to_numpy()
    is_foreign = wide & np.array([mark is not None for mark in marks], dtype=bool)
    is_foreign &= shared.region < len(shared.codes)
    key = shared.region.copy()
    names: dict[tuple[int, str], int] = {}
    for face in np.flatnonzero(is_foreign & (key != NONE)):
        own = (int(key[face]), str(marks[face]))
        key[face] = names.setdefault(own, int(shared.region.max()) + 1 + len(names))
    return key


def _unions(faces: NDArray[Any], block_of: NDArray[np.intp], count: int) -> NDArray[Any]:
    shapes = np.empty(count, dtype=object)
    if not count:
        return shapes
    order = np.argsort(block_of, kind="stable")
    ends = np.searchsorted(block_of[order], np.arange(1, count))
    for place, members in enumerate(np.split(faces[order], ends)):  # a union a block
        shapes[place] = members[0] if len(members) == 1 else shapely.coverage_union_all(members)
    return shapes


def _blocks(found: Faces, shared: Shares, first: NDArray[np.intp]) -> Iterator[dict[str, Any]]:
    """Yield what is said of each block, from its largest face."""
    proposed, codes = proposals(shared), shared.codes
    columns = ("claimants", "lies_in", "is_sliver")
    chosen = (found.table[name].to_numpy()[first].tolist() for name in columns)
    for region, claimants, lies_in, is_sliver in zip(shared.region[first], *chosen, strict=True):
        if region >= len(codes):
            kind = CONTESTED if claimants else UNASSIGNED
            yield {"kind": kind, "code": None, "proposed": proposed[int(region)],
                   "claimants": claimants, "lies_in": lies_in}  # fmt: skip
            continue
        code, is_foreign = codes[region], lies_in is not None and not is_sliver
        yield {"kind": FOREIGN if is_foreign else SETTLED, "code": code, "proposed": code,
               "claimants": (code,), "lies_in": lies_in if is_foreign else None}  # fmt: skip


def _west_to_east(shapes: NDArray[Any]) -> NDArray[np.intp]:
    inner = np.round(shapely.get_coordinates(shapely.point_on_surface(shapes)), 2)
    return np.lexsort((-inner[:, 1], inner[:, 0]))
