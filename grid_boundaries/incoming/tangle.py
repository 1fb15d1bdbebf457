"""Layers whose lines cross too often to be overlaid: refused before any overlay begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.errors import TooLarge

MOST_VERTICES = 2_000_000
MOST_CROSSINGS = 4_000_000
FIRST_BATCH, LARGEST_BATCH, FEW = 32, 8_192, 64


def refuse_tangled(
    shapes: NDArray[Any], *, most_vertices: int = MOST_VERTICES, most: int = MOST_CROSSINGS
) -> None:
    """Refuse outlines whose segments may cross more often than an overlay can bear.

    Two valid polygons of n vertices can cross n² / 4 times. Counted are pairs of segments whose
    boxes meet, in batches small enough that counting itself stays small.

    Parameters
    ----------
    shapes
        Valid polygons, shape (n,).

    Raises
    ------
    TooLarge
        More vertices or meeting pairs than the limits.
    """
    if shapely.get_num_coordinates(shapes).sum() > most_vertices:
        raise _too_large("顶点", "vertices", most_vertices)
    if meetings(shapes, most=most) > most:
        raise _too_large("线段交叉", "crossings", most)


def meetings(shapes: NDArray[Any], *, most: int = MOST_CROSSINGS) -> int:
    """Return how many pairs of segments of some outlines have boxes that meet.

    Counting ends soon after `most`; each segment meets itself and its two neighbours.

    Parameters
    ----------
    shapes
        Polygons, shape (n,); they need not be valid.
    """
    points, ring = shapely.get_coordinates(_rings(shapes), return_index=True)
    inner = ring[1:] == ring[:-1]
    ends = np.stack([points[:-1][inner], points[1:][inner]], axis=1)
    lines = np.asarray(shapely.linestrings(ends), dtype=object)
    tree = shapely.STRtree(lines)
    start, size, met = 0, FIRST_BATCH, 0
    while start < len(lines) and met <= most:
        hits = tree.query(lines[start : start + size]).shape[1]
        met += hits
        start += size
        # where few meet, more can be asked for at once
        size = min(size * 2, LARGEST_BATCH) if hits < FEW * size else FIRST_BATCH
    return met


def _rings(shapes: NDArray[Any]) -> NDArray[Any]:
    rings: NDArray[Any] = shapely.get_rings(shapely.get_parts(shapes))
    return rings


def _too_large(zh: str, en: str, limit: int) -> TooLarge:
    return TooLarge(
        "layer-too-tangled",
        f"图层的{zh}超过 {limit}；请简化或分片后再导入",
        f"The layer has more than {limit} {en}; simplify it or send it in parts",
        what=en,
        limit=limit,
    )
