"""Rivers and streams: the drainage of the terrain as smooth lines with widths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.lines import chains, relaxed, smoothed
from gis_service.demo.raster import Floats, Ints
from gis_service.demo.terrain import Terrain

STREAM_KM2 = 7.0
RIVER_KM2 = 90.0
NAMES = (
    "清水河",
    "青石河",
    "月亮河",
    "响水河",
    "松坪河",
    "柳溪河",
    "石门河",
    "鹿鸣河",
    "云雾河",
    "竹溪河",
)


def waters(land: Terrain, rng: np.random.Generator) -> pd.DataFrame:
    """Return name, kind, width_m, drained_km2 and geom (local metres) of every reach."""
    drained = land.drained_km2.ravel()
    cells = np.flatnonzero((drained >= STREAM_KM2) & (land.receiver != np.arange(drained.size)))
    level = np.digitize(drained[cells], (RIVER_KM2, 400.0))
    strung = chains(np.column_stack([cells, land.receiver[cells]]), level)
    points = _winding(land, cells, rng)
    shapes, area = [], []
    for chain, _ in strung:
        bend = smoothed(_dense(points[np.array(chain)]), 2)
        shapes.append(shapely.simplify(shapely.LineString(bend), 1.5))
        area.append(float(np.median(drained[chain])))
    frame = pd.DataFrame({"drained_km2": area, "geom": shapes})
    frame["kind"] = np.where(frame["drained_km2"] >= RIVER_KM2, "river", "stream")
    frame["width_m"] = np.round(1.6 * frame["drained_km2"] ** 0.5, 1).clip(3.0, 60.0)
    frame["name"] = _names(frame, strung, land)
    return frame


def _winding(land: Terrain, cells: Ints, rng: np.random.Generator) -> Floats:
    row, column = np.divmod(np.arange(land.receiver.size), land.height_m.shape[1])
    points = np.column_stack([column + 0.5, row + 0.5]) * land.cell_m
    points += rng.normal(0.0, 0.3, points.shape) * land.cell_m
    edges = np.column_stack([cells, land.receiver[cells]])
    # the branch that drains more leads past a confluence
    rank = -np.digitize(land.drained_km2.ravel()[cells], np.geomspace(STREAM_KM2, 3_000.0, 12))
    return relaxed(points, edges, rank, 3)


def _dense(points: Floats) -> Floats:
    middle = (points[:-1] + points[1:]) / 2
    result = np.empty((2 * len(points) - 1, 2))
    result[::2], result[1::2] = points, middle
    return result


def _names(frame: pd.DataFrame, strung: list[tuple[list[int], int]], land: Terrain) -> list[str]:
    # a reach bears the name of the mouth that it drains to
    mouth: dict[int, str] = {}
    names = []
    for (chain, _), kind in zip(strung, frame["kind"], strict=True):
        end = chain[0]
        while land.receiver[end] != end:
            end = int(land.receiver[end])
        names.append(
            mouth.setdefault(end, NAMES[len(mouth) % len(NAMES)]) if kind == "river" else ""
        )
    return names


def river_cells(land: Terrain, times: int) -> Ints:
    """Return on a raster `times` finer which cells lie on a stream (1) or a river (2)."""
    kind = np.digitize(land.drained_km2, (STREAM_KM2, RIVER_KM2))
    return np.asarray(np.kron(kind, np.ones((times, times), dtype=np.int64)))
