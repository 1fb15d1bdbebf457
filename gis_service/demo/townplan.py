"""The street plan of a town: a bent grid of streets along its valley, and the faces between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.lines import Lines
from gis_service.demo.raster import Floats
from gis_service.demo.tiling import Borders, cut_town, faces_of


@dataclass(frozen=True)
class Town:
    """A town's faces and the streets between them, local metres."""

    faces: Lines
    streets: Lines


def plan_town(
    borders: Borders,
    label: int,
    spacing_m: tuple[float, float],
    water: Lines,
    rng: np.random.Generator,
) -> tuple[Borders, Town]:
    """Return the borders noded by the town's streets, and the town.

    Streets run along and across the long axis of the town, `spacing_m` apart on average.
    """
    area = faces_of(_only(borders, label))[0]
    streets = _streets(area, spacing_m, rng)
    near = water[shapely.intersects(water, area)]
    cuts = np.concatenate([streets, shapely.intersection(near, area.buffer(60.0))])
    borders, faces = cut_town(borders, label, cuts)
    inside = shapely.get_parts(shapely.intersection(streets, area.buffer(-4.0)))
    return borders, Town(faces, inside[shapely.length(inside) > 25.0])


def _only(borders: Borders, label: int) -> Borders:
    ring = (borders.sides == label).any(axis=1)
    return Borders(borders.lines[ring], np.where(borders.sides[ring] == label, 0, -1))


def _streets(
    area: shapely.Polygon, spacing_m: tuple[float, float], rng: np.random.Generator
) -> Lines:
    box = shapely.get_coordinates(shapely.oriented_envelope(area))[:4]
    sides = box[1:3] - box[:2]
    long = int(np.argmax(np.hypot(*sides.T)))
    along = sides[long] / np.hypot(*sides[long])
    frame = np.array([along, [-along[1], along[0]]])
    middle = np.array(area.centroid.coords[0])
    local = (shapely.get_coordinates(area) - middle) @ frame.T
    low, high = local.min(axis=0) - 80.0, local.max(axis=0) + 80.0
    phase = rng.uniform(0.0, 2 * np.pi, 4)
    lines = []
    for axis in (0, 1):
        at = _ticks(low[1 - axis], high[1 - axis], spacing_m[axis], rng)
        run = np.arange(low[axis], high[axis], 20.0)
        for place in at:
            points = np.empty((len(run), 2))
            points[:, axis], points[:, 1 - axis] = run, place
            lines.append(shapely.LineString(_bent(points, phase) @ frame + middle))
    return np.array(lines, dtype=object)


def _ticks(low: float, high: float, spacing_m: float, rng: np.random.Generator) -> Floats:
    count = int((high - low) / spacing_m) + 2
    ticks = low + np.cumsum(rng.uniform(0.75, 1.25, count) * spacing_m)
    return ticks[ticks < high]


def _bent(points: Floats, phase: Floats) -> Floats:
    # one smooth shift of the whole plane, so that streets bend together and never meet wrongly
    x, y = points[:, 0], points[:, 1]
    return points + np.column_stack(
        [
            18.0 * np.sin(y / 260.0 + phase[0]) + 9.0 * np.sin(x / 190.0 + phase[1]),
            26.0 * np.sin(x / 420.0 + phase[2]) + 9.0 * np.sin(y / 170.0 + phase[3]),
        ]
    )


def street_frame(town: Town) -> pd.DataFrame:
    """Return kind and geom of the town's streets."""
    return pd.DataFrame({"kind": "street", "geom": town.streets})
