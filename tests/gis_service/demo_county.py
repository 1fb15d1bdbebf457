"""One made-up county for all tests of the demo data, and how its tables are compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from gis_service.demo import CITY, DemoCounty, Size, demo, demo_city
from gis_service.demo.county import made_up

SEED = 1
TODAY = date(2026, 11, 21)
SMALL = Size(
    cell_m=200.0,
    terrain_cells=1,
    grids=220,
    city_grids=20,
    market_grids=20,
    households=5_000,
    city_households=900,
    market_households=600,
    people=13_000,
    cameras=300,
    workers=220,
    incidents=1_500,
    visits=900,
    positions=700,
    parts=200,
    devices=60,
)


@cache
def county() -> DemoCounty:
    """The county of SEED and TODAY, made once."""
    return demo(SEED, TODAY)


@cache
def small_county(seed: int = SEED, today: date = TODAY) -> DemoCounty:
    """A county of the same units with few of everything."""
    return made_up(seed, today, SMALL)


@cache
def metric(table: str) -> npt.NDArray[np.object_]:
    """The shapes of one of the county's tables in its metric CRS."""
    made = county()
    forward = Transformer.from_crs(4490, made.metric_srid, always_xy=True)
    shapes = made.frames[table]["geom"].to_numpy()

    def metres(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(forward.transform(points[:, 0], points[:, 1]))

    return np.asarray(shapely.transform(shapes, metres))


def digest(frame: pd.DataFrame) -> str:
    """A digest of every value of a table, geometry by its bytes."""
    found = hashlib.sha256()
    for column in frame:
        values = frame[column].to_numpy()
        found.update(str(column).encode())
        if column == "geom":
            for shape in shapely.to_wkb(values):
                found.update(shape)
        else:
            found.update(repr(values.tolist()).encode())
    return found.hexdigest()


SMALL_CITY = replace(
    CITY,
    cell_m=90.0,
    city_streets_m=(260.0, 340.0),
    open_block_km2=1.0,
    grids=200,
    city_grids=145,
    special_grids=12,
    households=9_000,
    city_households=7_500,
    people=24_000,
    cameras=500,
    workers=330,
    incidents=3_000,
    visits=900,
    positions=700,
    parts=300,
    devices=80,
    organisations=400,
    public_times=1,
)


@cache
def small_city(seed: int = SEED, today: date = TODAY) -> DemoCounty:
    """A city of the same units with few of everything."""
    return demo_city(seed, today, SMALL_CITY)
