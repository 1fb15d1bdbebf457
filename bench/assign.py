"""How fast points are assigned to polygons, beside geopandas' spatial join."""

from __future__ import annotations

import json
import sys
from time import process_time

import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.assign import assign_flagged

CASES = (("70k_388", 70_000, 388), ("1200k_388", 1_200_000, 388), ("5m_700", 5_000_000, 700))
PEER_POINTS = 1_200_000  # the join keeps every pair, so more would measure memory
SIDE_M = 60_000.0
STEPS_AN_EDGE = 40


def figures(seed: int = 20) -> dict[str, float]:
    """Return CPU seconds a case and for the peer, and the share of equal answers.

    Points lie uniformly over a square of 60 km that wiggly polygons tile, 160 border
    vertices each; polygons are fresh for every case, so nothing is prepared beforehand.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, float] = {}
    for name, point_count, polygon_count in CASES:
        polygons = wiggly_tiles(polygon_count, rng)
        points = rng.uniform(0.0, SIDE_M, (point_count, 2))
        with_none = np.array(
            [*(f"610923{n:09d}" for n in range(polygon_count)), None], dtype=object
        )
        codes = with_none[:-1]
        start = process_time()
        own, how = assign_flagged(points, polygons, codes)
        found[f"assign_{name}_cpu_s"] = process_time() - start
        if point_count <= PEER_POINTS:
            start = process_time()
            joined = _peer(points, polygons)
            found[f"sjoin_{name}_cpu_s"] = process_time() - start
            # the join knows no near points; codes are in order, so positions rank them
            own[how != "inside"] = None
            found[f"equal_{name}_share"] = float((own == with_none[joined]).mean())
    return {name: round(value, 6) for name, value in found.items()}


def wiggly_tiles(count: int, rng: np.random.Generator) -> GeoSeries:
    """Return `count` polygons that tile a square of 60 km with shared wiggly borders, metres."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))
    upright = _wiggles(columns, rows, rng)
    level = _wiggles(rows, columns, rng)[..., ::-1]
    steps = np.array([SIDE_M / columns, SIDE_M / rows])
    rings = [
        (
            level[row, column] + steps * (column, row),
            upright[column + 1, row] + steps * (column + 1, row),
            level[row + 1, column][::-1] + steps * (column, row + 1),
            upright[column, row][::-1] + steps * (column, row),
        )
        for row in range(rows)
        for column in range(columns)
    ]
    # to the millimetre, so that both sides of a border have the very same vertices
    return GeoSeries([shapely.Polygon(np.concatenate(ring).round(3)) for ring in rings[:count]])


def _wiggles(lines: int, pieces: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return border pieces, shape (lines + 1, pieces, steps, 2), going along the second axis."""
    length_m, amplitude_m = SIDE_M / pieces, 0.1 * SIDE_M / max(lines, pieces)
    along = np.linspace(0.0, 1.0, STEPS_AN_EDGE + 1)
    shape = (lines + 1, pieces, len(along))
    phase = rng.uniform(0.0, 2 * np.pi, (*shape[:2], 1))
    aside = amplitude_m * np.sin(np.pi * along) * np.sin(12 * along + phase)
    aside[[0, -1]] = 0.0  # the outer border is straight
    aside[..., [0, -1]] = 0.0
    return np.stack([aside, np.broadcast_to(along * length_m, shape)], axis=-1)


def _peer(points: npt.NDArray[np.float64], polygons: GeoSeries) -> npt.NDArray[np.intp]:
    """Return the lowest position of a polygon that holds each point, −1 for none."""
    left = GeoDataFrame(geometry=GeoSeries.from_xy(*points.T))
    joined = left.sjoin(GeoDataFrame(geometry=polygons), predicate="intersects")
    lowest = joined["index_right"].groupby(level=0).min()
    return lowest.reindex(left.index, fill_value=-1).to_numpy()


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
