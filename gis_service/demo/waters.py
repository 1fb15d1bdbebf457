"""Rivers and streams: the drainage of the terrain as smooth lines with widths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.lines import chains, smoothed
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
    columns = land.height_m.shape[1]
    shift = rng.normal(0.0, 0.22, (drained.size, 2)) * land.cell_m
    shapes, area = [], []
    for chain, _ in strung:
        row, column = np.divmod(np.array(chain), columns)
        points = np.column_stack([column + 0.5, row + 0.5]) * land.cell_m
        points = points + shift[np.array(chain)]
        shapes.append(shapely.simplify(shapely.LineString(smoothed(_dense(points), 3)), 2.0))
        area.append(float(np.median(drained[chain])))
    frame = pd.DataFrame({"drained_km2": area, "geom": shapes})
    frame["kind"] = np.where(frame["drained_km2"] >= RIVER_KM2, "river", "stream")
    frame["width_m"] = np.round(1.6 * frame["drained_km2"] ** 0.5, 1).clip(3.0, 60.0)
    frame["name"] = _names(frame, strung, land)
    return frame


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
