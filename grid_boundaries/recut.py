"""Ids of blocks when a county is cut anew: what is as it was keeps its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.codes import split_block_ids, west_to_east
from grid_boundaries.topology import measurable

SAME_M = 0.05  # a border that moved by less is where it was


def recut_ids(
    old: GeoSeries, new: GeoSeries, *, tolerance_m: float = SAME_M, given: Collection[str] = ()
) -> pd.Index[str]:
    """Return the ids of newly cut blocks, given those of the blocks before.

    A block is unchanged where it differs from an old one by no more than a strip `tolerance_m`
    wide along the old one's border; it keeps the id. New blocks that together make up an old one
    so exactly get its id with ``.1``, ``.2`` …, W→E then N→S. All others get new numbers, W→E
    then N→S, after the highest that was ever given.

    Parameters
    ----------
    old
        Polygons by id, metres.
    new
        Polygons in the same CRS, whatever their index.
    given
        Other ids that were given once; no id is given twice.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry; degrees for metres.
    """
    before, after = measurable(old), measurable(new)
    names = old.index.to_numpy(dtype=object)
    at = shapely.get_coordinates(shapely.point_on_surface(after))
    pairs = _overlaps(before, after, tolerance_m)
    ids = np.full(len(after), None, dtype=object)
    same = pairs[pairs["covers"] & pairs["lies_in"]]
    ids[same["new"]] = names[same["old"]]
    ever = {*map(str, names), *given}
    for whole, pieces in _cut(pairs, before, tolerance_m):
        own = split_block_ids(str(names[whole]), at[pieces])
        if ever.isdisjoint(own):
            ids[pieces] = own
    fresh = np.flatnonzero([name is None for name in ids])
    order = fresh[west_to_east(at[fresh])]
    first = _highest(ever) + 1
    ids[order] = [f"B{number:06d}" for number in range(first, first + len(order))]
    found: pd.Index[str] = pd.Index(ids, name="block_id")
    return found


def _overlaps(before: NDArray[Any], after: NDArray[Any], tolerance_m: float) -> pd.DataFrame:
    """Return which new blocks overlap which old ones, and which lies in which."""
    new, old = shapely.STRtree(before).query(after, predicate="intersects")
    shared = shapely.area(shapely.intersection(after[new], before[old]))
    strip = tolerance_m * shapely.length(before[old])
    columns = {"new": new, "old": old, "shared": shared}
    for name, area in (
        ("lies_in", shapely.area(after[new])),
        ("covers", shapely.area(before[old])),
    ):
        # a block thinner than the strip must at least share most of itself
        columns[name] = (area - shared <= strip) & (2 * shared > area)
    return pd.DataFrame(columns)


def _cut(
    pairs: pd.DataFrame, before: NDArray[Any], tolerance_m: float
) -> Iterable[tuple[int, NDArray[np.int64]]]:
    """Yield the old blocks that new ones make up, with these."""
    inside = pairs[pairs["lies_in"] & ~pairs["covers"] & (pairs["shared"] > 0)]
    for whole, own in inside.groupby("old"):
        place = int(str(whole))
        left = shapely.area(before[place]) - own["shared"].sum()
        if len(own) > 1 and left <= tolerance_m * shapely.length(before[place]):
            yield place, own["new"].to_numpy()


def _highest(ids: Collection[str]) -> int:
    numbers = (name.partition(".")[0][1:] for name in ids if name.startswith("B"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)
