"""Who lives on ground that a finding is about, by the share of each block that it takes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

COUNTED = ("people", "households")


def concerned(shapes: NDArray[Any], blocks: GeoDataFrame) -> pd.DataFrame:
    """Return the people and households on each shape.

    A block's people are taken to be spread evenly over it: what is known of them here is a sum.

    Parameters
    ----------
    shapes
        Valid polygons, metres, shape (n,); they may overlap.
    blocks
        Polygons in the same CRS with columns people and households; missing counts are 0.

    Returns
    -------
    DataFrame
        Columns people and households, shape (n, 2), in the order of `shapes`.
    """
    parts = overlaid(shapes, blocks.geometry.to_numpy())
    whole_m2 = blocks.geometry.area.to_numpy()
    share = parts["area_m2"].to_numpy() / whole_m2[parts["b"]]
    counts = {
        name: blocks[name].fillna(0).to_numpy(dtype=float)[parts["b"]] * share for name in COUNTED
    }
    sums = pd.DataFrame({"a": parts["a"], **counts}).groupby("a").sum()
    return sums.reindex(range(len(shapes)), fill_value=0.0)


def overlaid(first: NDArray[Any], second: NDArray[Any]) -> pd.DataFrame:
    """Return the ground that every pair of two sets of polygons has in common.

    Returns
    -------
    DataFrame
        Columns ``a``, ``b`` (positions), ``area_m2`` (over 0) and ``shape``, ordered by a, then b.
    """
    a, b = shapely.STRtree(second).query(first, predicate="intersects")
    shapely.prepare(second)
    shared = first[a]
    # what lies inside needs no overlay
    crossing = ~shapely.contains_properly(second[b], shared)
    shared[crossing] = shapely.intersection(shared[crossing], second[b[crossing]])
    table = pd.DataFrame({"a": a, "b": b, "area_m2": shapely.area(shared), "shape": shared})
    kept = table[table["area_m2"] > 0]
    return kept.sort_values(["a", "b"], ignore_index=True)
