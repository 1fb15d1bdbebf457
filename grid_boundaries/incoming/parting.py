"""Slivers cut across, so that two grids can share one that is too large to go to either whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely import LineString, Polygon

from grid_boundaries.edges import shared_edges
from grid_boundaries.incoming.faces import Faces
from grid_boundaries.slicing import with_vertices

MOST_PIECES = 8
BEYOND = 1.5  # a cut is longer than the sliver is wide
NETWORK = 10.0  # a strip's box is less than so many times as wide as the strip
ON_BORDER_M = 1e-6

Point = NDArray[np.float64]


def parted(found: Faces, pieces_of: Mapping[int, int]) -> tuple[Faces, NDArray[np.intp]]:
    """Return faces with some of them cut across their length into about equal pieces.

    Neighbours get the new vertices on their border, so that faces still tile the ground exactly.

    Parameters
    ----------
    pieces_of
        How many pieces, by position of the face; at most 8 are made.

    Returns
    -------
    Faces, ndarray
        The faces, pieces at the end, and of each the position of the face it was.
    """
    shapes = found.table.geometry.to_numpy().copy()
    parts: list[Polygon] = []
    origin: list[int] = []
    nodes: dict[int, list[NDArray[np.float64]]] = {}
    beside = _neighbours(found.edges)
    for face, count in sorted(pieces_of.items()):
        made = _pieces(shapes[face], min(count, MOST_PIECES))
        if len(made) < 2:
            continue
        parts.extend(made)
        origin.extend([face] * len(made))
        for other in beside.get(face, []):
            nodes.setdefault(other, []).append(shapely.get_coordinates(made))
    whole = [face for face in range(len(shapes)) if face not in set(origin)]
    for face, points in nodes.items():
        shapes[face] = _with_nodes(shapes[face], np.concatenate(points))
    return _put_together(found, shapes[whole], whole, parts, origin, nodes)


def _put_together(
    found: Faces,
    shapes: NDArray[Any],
    whole: list[int],
    parts: list[Polygon],
    origin: list[int],
    nodes: Mapping[int, Any],
) -> tuple[Faces, NDArray[np.intp]]:
    # a piece may lie beside another face that was cut, too
    fitted = [
        _with_nodes(part, np.concatenate(nodes[face])) if face in nodes else part
        for part, face in zip(parts, origin, strict=True)
    ]
    came_from = np.array([*whole, *origin], dtype=np.intp)
    every = np.array([*shapes, *fitted], dtype=object)
    table = found.table.iloc[came_from].reset_index(drop=True)
    table = GeoDataFrame(table.set_geometry(every, crs=found.table.crs))
    table["area_m2"] = shapely.area(every)
    return replace(found, table=table, edges=shared_edges(every)), came_from


def _pieces(sliver: Polygon, count: int) -> list[Polygon]:
    cuts = _cuts(sliver, count)
    edges = shapely.union_all([sliver.boundary, *cuts])
    made = shapely.get_parts(shapely.polygonize([edges]))
    return list(made[shapely.intersects(sliver, shapely.point_on_surface(made))])


def _cuts(sliver: Polygon, count: int) -> list[LineString]:
    """Return lines across the smallest box round a sliver; both ways where it is no one strip."""
    box = shapely.get_coordinates(shapely.oriented_envelope(sliver))[:4]
    sides = np.diff(np.vstack([box, box[:1]]), axis=0)[:2]
    along, across = sides if np.linalg.norm(sides[0]) >= np.linalg.norm(sides[1]) else sides[::-1]
    cuts = _lines(box.mean(axis=0), along, across, count)
    mean_width_m = 2 * sliver.area / sliver.length
    # slivers that meet at corners are one face, which reaches round several grids
    if np.linalg.norm(across) > NETWORK * mean_width_m:
        cuts += _lines(box.mean(axis=0), across, along, count)
    return cuts


def _lines(middle: Point, along: Point, across: Point, count: int) -> list[LineString]:
    shares = np.arange(1, count) / count - 0.5
    starts = middle + np.outer(shares, along)
    reach = BEYOND / 2 * across
    return [LineString([start - reach, start + reach]) for start in starts]


def _with_nodes(shape: Polygon, points: NDArray[np.float64]) -> Polygon:
    known = set(map(tuple, shapely.get_coordinates(shape).tolist()))
    new = np.array([point for point in dict.fromkeys(map(tuple, points.tolist()))
                    if point not in known]).reshape(-1, 2)  # fmt: skip
    near = shapely.dwithin(shapely.points(new), shape.boundary, ON_BORDER_M)
    fitted = with_vertices(shape, new[near], snap_m=ON_BORDER_M)
    return fitted if isinstance(fitted, Polygon) else shape


def _neighbours(edges: pd.DataFrame) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for a, b in zip(edges["a"].tolist(), edges["b"].tolist(), strict=True):
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found
