"""Where borders of an imported layer run through blocks: the lines along which those are cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely import LineString
from shapely.geometry.base import BaseGeometry

BESIDE_M = 0.5  # a border so near that of the block is the same one, drawn twice
REACH_M = 5.0  # a line is taken this far beyond its block, so that it leaves it


def borders_through(
    blocks: GeoDataFrame, cover: GeoDataFrame
) -> Iterator[tuple[str, BaseGeometry]]:
    """Yield blocks and the borders that run through them; blocks without one are passed over.

    Parameters
    ----------
    blocks
        Geometry in metres, by id.
    cover
        As `preview` gives it.

    Yields
    ------
    tuple of str and LineString or MultiLineString
        A block's id and the lines; those that reach its border go on beyond it.
    """
    shapes = cover.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    for name, whole in zip(blocks.index, blocks.geometry, strict=True):
        near = shapes[tree.query(whole, predicate="intersects")]
        inner = shapely.buffer(whole, -BESIDE_M)
        lines = shapely.intersection(shapely.boundary(near), inner)
        merged = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
        if len(merged):
            yield str(name), shapely.union_all([_lengthened(line, whole) for line in merged])


def _lengthened(line: LineString, whole: BaseGeometry) -> LineString:
    points = shapely.get_coordinates(line)
    first, last = (bool(shapely.dwithin(shapely.Point(points[place]), whole.boundary, 2 * BESIDE_M))
                   for place in (0, -1))  # fmt: skip
    before = [_beyond(points[0], points[1])] if first else []
    after = [_beyond(points[-1], points[-2])] if last else []
    return LineString(np.array([*before, *points, *after]))


def _beyond(end: NDArray[np.float64], inside: NDArray[np.float64]) -> Any:
    along = end - inside
    return end + along * (REACH_M / max(float(np.hypot(*along)), 1e-9))
