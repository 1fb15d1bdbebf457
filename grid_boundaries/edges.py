"""Borders that polygons share: which of them touch, and how long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray


def shared_edges(faces: NDArray[Any]) -> pd.DataFrame:
    """Return how much border every pair of neighbouring faces shares.

    Segments with equal end points are found by their ends, as in a noded coverage; what is left
    over, where vertices do not match or nothing lies beyond, by intersection. Faces that meet in
    a point share nothing.

    Parameters
    ----------
    faces
        Polygons or multipolygons that do not overlap, shape (n,).

    Returns
    -------
    DataFrame
        Columns ``a``, ``b`` (positions, a < b) and ``length``, in the unit of the coordinates;
        ordered by a, then b.
    """
    segments = _segments(faces)
    ends = ["x0", "y0", "x1", "y1"]
    numbered = segments.assign(segment=np.arange(len(segments)))
    both = numbered.merge(numbered, on=ends, suffixes=("_a", "_b"))
    both = both[both["face_a"] < both["face_b"]]
    lengths = np.hypot(both["x1"] - both["x0"], both["y1"] - both["y0"])
    table = pd.DataFrame({"a": both["face_a"], "b": both["face_b"], "length": lengths})
    met = np.zeros(len(segments), dtype=bool)
    met[both["segment_a"]] = met[both["segment_b"]] = True
    found = pd.concat([table, _by_intersection(segments[~met])])
    return found.groupby(["a", "b"], as_index=False).sum()


def _by_intersection(segments: pd.DataFrame) -> pd.DataFrame:
    """Return the same of segments that have no equal."""
    ends = segments[["x0", "y0", "x1", "y1"]].to_numpy().reshape(-1, 2, 2)
    lines: Any = shapely.linestrings(ends)
    face = segments["face"].to_numpy()
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    pair = face[first] < face[second]
    first, second = first[pair], second[pair]
    lengths = shapely.length(shapely.intersection(lines[first], lines[second]))
    first, second, lengths = (column[lengths > 0] for column in (first, second, lengths))
    return pd.DataFrame({"a": face[first], "b": face[second], "length": lengths})


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
