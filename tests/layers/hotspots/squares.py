"""A plain of square cells with incidents put where a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame, points_from_xy
from shapely import box

from layers.hotspots.cells import contiguity
from layers.hotspots.findings import Window
from layers.hotspots.inputs import Cells
from layers.hotspots.lookout import Lookout

SIDE = 8
SIDE_M = 500.0
EAST_M, NORTH_M = 500_000.0, 3_690_000.0
LAST_DAY = date(2026, 3, 2)
NAMES = ("实有人口", "present residents")
# cell, age in days, category
Incident = tuple[int, int, str]


def plain(people: Sequence[float] | float = 100.0) -> GeoDataFrame:
    """Return the cells, row by row from the south-west; the west half is one village."""
    places = [(at % SIDE, at // SIDE) for at in range(SIDE * SIDE)]
    shapes = [
        box(EAST_M + x * SIDE_M, NORTH_M + y * SIDE_M, EAST_M + (x + 1) * SIDE_M,
            NORTH_M + (y + 1) * SIDE_M)
        for x, y in places
    ]  # fmt: skip
    paths = [f"/610999/610999100/61099910000{1 if x < SIDE // 2 else 2}/" for x, _ in places]
    frame = {
        "cell": [f"G{at:03d}" for at in range(len(places))],
        "name": [f"网格{at}" for at in range(len(places))],
        "unit_path": paths,
        "people": people,
    }
    return GeoDataFrame(frame, geometry=shapes, crs=4545)


def lookout(
    incidents: Sequence[Incident],
    *,
    days: int = 30,
    people: Sequence[float] | float = 100.0,
    kind: str = "grid",
) -> Lookout:
    """Return what a method looks at; every incident lies near the middle of its cell."""
    frame = plain(people)
    rows = np.array([cell for cell, _, _ in incidents], dtype=np.int64)
    ages = np.array([age for _, age, _ in incidents], dtype=np.int64)
    middles = frame.geometry.centroid
    inside = rows >= 0
    shift = np.arange(len(rows)) % 97
    known = GeoDataFrame(
        {
            "kind": pd.Series(["event"] * len(rows), dtype=object),
            "category": pd.Series([what for _, _, what in incidents], dtype=object),
            "age_days": ages,
        },
        geometry=points_from_xy(
            np.where(inside, middles.x.to_numpy()[rows], 0.0) + shift,
            np.where(inside, middles.y.to_numpy()[rows], 0.0) - shift,
        ),
        crs=4545,
    )
    cells = Cells(
        kind,
        frame.drop(columns="people"),
        contiguity(frame.geometry, tolerance_m=0.01),
        frame["people"].to_numpy(dtype=np.float64),
        rows,
    )
    window = Window(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    return Lookout(cells, known, window, NAMES)


def everywhere(each: int, *, age: int = 3, what: str = "rubbish") -> list[Incident]:
    """Return so many incidents in every cell, spread over some days from an age on."""
    return [(cell, age + turn % 5, what) for cell in range(SIDE * SIDE) for turn in range(each)]


def burst(cell: int, incidents: int, *, age: int = 1, what: str = "noise") -> list[Incident]:
    """Return incidents in one cell on one day."""
    return [(cell, age, what)] * incidents
