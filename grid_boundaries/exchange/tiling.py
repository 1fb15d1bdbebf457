"""Whether polygons with matching vertices tile a block, told in linear time by their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import MultiLineString
from shapely.geometry.base import BaseGeometry

FORTH, BACK = ["x0", "y0", "x1", "y1"], ["x1", "y1", "x0", "y0"]


def tiles(shapes: NDArray[Any], block: BaseGeometry, close_deg: float) -> bool:
    """Say whether shapes fill a block without a gap and without an overlap.

    Each edge, its polygon to the left, must be there once: an inner one a second time the other
    way round, an outer one on the border of the block. The shapes' winding numbers then add up
    to one number all over the block, and with equal areas that number is 1. Nothing is
    intersected, so shapes that cross one another a million times are told as fast as others.

    Parameters
    ----------
    shapes
        Valid polygons in degrees.
    close_deg
        How far an outer edge may be from the border of the block.
    """
    edges = _edges(shapes)
    if edges.duplicated().any():
        return False
    outer = edges[~_has_twin(edges)].to_numpy()
    places = np.concatenate([outer[:, :2], (outer[:, :2] + outer[:, 2:]) / 2])
    border = block.boundary
    shapely.prepare(border)
    allowed = close_deg * float(shapely.length([block, *shapes]).sum())
    is_even = abs(shapely.area(shapes).sum() - shapely.area(block)) <= allowed
    return bool(is_even and shapely.dwithin(border, shapely.points(places), close_deg).all())


def borders(shapes: NDArray[Any]) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the edges that two shapes share, each once, and those of one shape only.

    The shapes have no edge twice in one direction; see `tiles`.
    """
    edges = _edges(shapes)
    twin = _has_twin(edges)
    # of the two directions of an inner edge the one that runs east, or north
    forth = (edges["x0"] < edges["x1"]) | (
        (edges["x0"] == edges["x1"]) & (edges["y0"] < edges["y1"])
    )
    return _lines(edges[twin & forth]), _lines(edges[~twin])


def _edges(shapes: NDArray[Any]) -> pd.DataFrame:
    """Return every edge from its start to its end, the polygon to its left."""
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(shapes)))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    edges = pd.DataFrame(np.hstack([points[:-1][inside], points[1:][inside]]), columns=FORTH)
    is_point = (edges["x0"] == edges["x1"]) & (edges["y0"] == edges["y1"])
    return edges[~is_point].reset_index(drop=True)


def _has_twin(edges: pd.DataFrame) -> NDArray[np.bool_]:
    turned = edges.set_axis(BACK, axis=1)
    found = edges.merge(turned, how="left", on=FORTH, indicator="twin")["twin"]
    return np.asarray(found == "both", dtype=bool)


def _lines(edges: pd.DataFrame) -> MultiLineString:
    pairs = edges.to_numpy().reshape(-1, 2, 2)
    return MultiLineString(list(pairs))
