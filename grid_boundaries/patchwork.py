"""Area, perimeter, parts and hull of sets of faces, from the edges that the faces share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Outline:
    """What is known of the union of some faces without making it.

    Parameters
    ----------
    perimeter_m
        Holes count.
    parts
        Pieces that share no edge with one another.
    hull
        Convex hull of all parts together.
    border
        Start and end point of every segment of the perimeter, shape (n, 2, 2).
    """

    area_m2: float
    perimeter_m: float
    parts: int
    hull: BaseGeometry
    border: NDArray[np.float64] = field(compare=False, repr=False)


class Patchwork:
    """Faces of an edge-matched coverage, ready to be put together again and again.

    An edge between two faces of a set is inside it; every other edge of theirs is its border.
    Making the union itself takes several times as long.

    Parameters
    ----------
    shapes
        Polygons or multipolygons in metres, shape (n,).
    """

    def __init__(self, shapes: NDArray[Any]) -> None:
        faces, whole = shapely.get_parts(shapes, return_index=True)
        rings, face = shapely.get_rings(faces, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        is_segment = ring[1:] == ring[:-1]
        own = face[ring[:-1][is_segment]]
        length_m = np.hypot(*(points[1:] - points[:-1])[is_segment].T)
        # one row a segment: edge and face; x and y of its start and of its end, and its length
        self._ties = np.column_stack([_edges(points, is_segment), own])
        start, end = points[:-1][is_segment], points[1:][is_segment]
        self._course = np.column_stack([start, end, length_m])
        owner = whole[own]
        self._first = np.searchsorted(owner, np.arange(len(shapes) + 1)).tolist()
        self._faces = np.bincount(whole, minlength=len(shapes))
        self._area_m2 = shapely.area(shapes)

    def outline(self, rows: Ints) -> Outline:
        """Return what the union of some shapes is like.

        Parameters
        ----------
        rows
            Positions in `shapes`, none of them twice; at least one.
        """
        ends = [slice(self._first[row], self._first[row + 1]) for row in rows.tolist()]
        edge, face = np.concatenate([self._ties[here] for here in ends]).T
        order = np.argsort(edge, kind="stable")
        met = np.flatnonzero(edge[order[1:]] == edge[order[:-1]])
        one, other = order[met], order[met + 1]
        is_outer = np.ones(len(edge), dtype=bool)
        is_outer[one] = is_outer[other] = False
        border = np.concatenate([self._course[here] for here in ends])[is_outer]
        hull = shapely.convex_hull(shapely.LineString(border[:, :2]))
        return Outline(
            float(self._area_m2[rows].sum()),
            float(border[:, 4].sum()),
            _parts(int(self._faces[rows].sum()), face[one], face[other]),
            hull,
            border[:, :4].reshape(-1, 2, 2),
        )


def _edges(points: NDArray[np.float64], is_segment: NDArray[np.bool_]) -> Ints:
    """Return one number a segment; the same one where both end points are the same."""
    places, place = np.unique(points[:, 0] + 1j * points[:, 1], return_inverse=True)
    start, end = place[:-1][is_segment], place[1:][is_segment]
    key = np.minimum(start, end) * len(places) + np.maximum(start, end)
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def _parts(faces: int, one: Ints, other: Ints) -> int:
    """Return in how many parts faces are of which some pairs touch."""
    above: dict[int, int] = {}

    def root(face: int) -> int:
        while (up := above.get(face, face)) != face:
            above[face] = face = above.get(up, up)
        return face

    width = int(other.max(initial=0)) + 1
    for pair in set((one * width + other).tolist()):
        a, b = root(pair // width), root(pair % width)
        if a != b:
            above[a] = b
            faces -= 1
    return faces
