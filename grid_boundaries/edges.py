"""Edges that the faces of an edge-matched coverage share: which faces touch, and how long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray


def shared_edges(faces: NDArray[Any]) -> pd.DataFrame:
    """Return how much border every pair of neighbouring faces shares.

    Only segments with equal end points count, as in a noded coverage; faces that meet in a
    point, or whose vertices do not match, share nothing.

    Parameters
    ----------
    faces
        Polygons or multipolygons, shape (n,).

    Returns
    -------
    DataFrame
        Columns ``a``, ``b`` (positions, a < b) and ``length``, in the unit of the coordinates;
        ordered by a, then b.
    """
    segments = _segments(faces)
    both = segments.merge(segments, on=["x0", "y0", "x1", "y1"], suffixes=("_a", "_b"))
    pairs = both[both["face_a"] < both["face_b"]]
    lengths = np.hypot(pairs["x1"] - pairs["x0"], pairs["y1"] - pairs["y0"])
    table = pd.DataFrame({"a": pairs["face_a"], "b": pairs["face_b"], "length": lengths})
    return table.groupby(["a", "b"], as_index=False).sum()


def _segments(faces: NDArray[Any]) -> pd.DataFrame:
    # get_rings passes over multipolygons without a word
    parts, whole = shapely.get_parts(faces, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    face = whole[part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same_ring = ring[1:] == ring[:-1]
    start, end = points[:-1][same_ring], points[1:][same_ring]
    # the same segment runs the other way round in the neighbour
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    first = np.where(turned[:, None], end, start)
    last = np.where(turned[:, None], start, end)
    columns = {"x0": first[:, 0], "y0": first[:, 1], "x1": last[:, 0], "y1": last[:, 1]}
    return pd.DataFrame({**columns, "face": face[ring[:-1][same_ring]]})
