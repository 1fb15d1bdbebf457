"""The frames of parts, devices and resources: the things a county keeps along its streets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.living import Living
from gis_service.demo.raster import Floats
from gis_service.demo.sites import HALF_WIDTH_M

PARTS = ("lamp", "manhole", "hydrant", "sign", "bin", "transformer")
DEVICES = ("smoke", "water_level", "intercom", "broadcast")
RESOURCES = ("supplies", "shelter", "vehicle", "team")
TITLES = {
    "supplies": "应急物资库",
    "shelter": "避难场所",
    "vehicle": "应急车辆",
    "team": "应急分队",
}


def roadside(
    living: Living,
    count: int,
    rng: np.random.Generator,
    weights: dict[str, float],
) -> tuple[Floats, Floats]:
    """Return points beside the carriageway, and the direction of the road there."""
    streets = living.streets
    lines = streets["geom"].to_numpy()
    share = shapely.length(lines) * streets["kind"].map(weights).to_numpy()
    line = np.sort(rng.choice(len(lines), count, p=share / share.sum()))
    where = rng.random(count) * shapely.length(lines[line])
    ahead = np.minimum(where + 2.0, shapely.length(lines[line]))
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], where))
    on = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[line], np.maximum(ahead - 4.0, 0))
    )
    step = at - on + 1e-6
    along = step / np.hypot(*step.T)[:, None]
    side = rng.choice([-1.0, 1.0], count) * (
        streets["kind"].map(HALF_WIDTH_M).to_numpy()[line] + 0.4
    )
    return at + np.column_stack([-along[:, 1], along[:, 0]]) * side[:, None], along


def part_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return lamps, manholes, hydrants and the like along the streets."""
    count = living.size.parts
    at, _ = roadside(
        living,
        count,
        rng,
        {"street": 10.0, "lane": 1.0, "secondary": 0.4, "primary": 0.4, "trunk": 0.4},
    )
    return pd.DataFrame(
        {
            "id": [f"K{n:05d}" for n in range(1, count + 1)],
            "name": None,
            "geom": living.at.points(at),
            "kind": rng.choice(PARTS, count, p=[0.4, 0.2, 0.1, 0.1, 0.15, 0.05]),
            "state": rng.choice(["good", "damaged", "missing"], count, p=[0.94, 0.05, 0.01]),
        }
    )


def device_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return sensors and intercoms: at houses, and water gauges on rivers."""
    count = living.size.devices
    kind = rng.choice(DEVICES, count, p=[0.45, 0.15, 0.2, 0.2])
    at = living.house_xy[rng.integers(0, len(living.houses), count)] + rng.normal(0, 3, (count, 2))
    rivers = living.plan.waters["geom"].to_numpy()
    gauge = np.flatnonzero(kind == "water_level")
    spot = shapely.line_interpolate_point(
        rivers[rng.integers(0, len(rivers), gauge.size)],
        rng.uniform(0.2, 0.8, gauge.size),
        normalized=True,
    )
    at[gauge] = shapely.get_coordinates(spot)
    return pd.DataFrame(
        {
            "id": [f"D{n:04d}" for n in range(1, count + 1)],
            "name": None,
            "geom": living.at.points(at),
            "kind": kind,
            "online": rng.random(count) < 0.93,
        }
    )


def resource_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return what can be called up, beside the town and village centres."""
    centres = living.public[living.public["kind"] == "centre"]
    rows = centres.iloc[np.sort(rng.choice(len(centres), min(70, len(centres)), replace=False))]
    kind = rng.choice(RESOURCES, len(rows), p=[0.35, 0.3, 0.15, 0.2])
    return pd.DataFrame(
        {
            "id": [f"R{n:03d}" for n in range(1, len(rows) + 1)],
            "name": [
                n.replace("综治中心", TITLES[k]) for n, k in zip(rows["name"], kind, strict=True)
            ],
            "geom": living.at.points(
                rows[["x", "y"]].to_numpy() + rng.normal(0, 1.0, (len(rows), 2))
            ),
            "kind": kind,
            "amount": rng.integers(1, 40, len(rows)),
            "capacity": rng.integers(20, 600, len(rows)),
        }
    )
