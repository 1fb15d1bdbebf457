"""A small town at the corner of four grids of the made-up county, drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from shapely import MultiPolygon, Point, box
from sqlalchemy import Connection, delete

from layers.buildings import building
from layers.cameras import camera
from layers.people import household, person
from layers.places import place
from tests.county import HEIGHT_DEG, SOUTH, WEST, WIDTH_DEG, Block, add, blocks

# where four grids meet, and how far the town reaches from there
MIDDLE = (WEST + 4 * WIDTH_DEG, SOUTH + HEIGHT_DEG)
REACH_DEG = 0.0022  # some 200 m


def build_town(
    connection: Connection, rng: np.random.Generator, *, cameras: int = 30, houses: int = 50
) -> None:
    """Put houses with people, key places and working cameras round the middle of the county."""
    connection.execute(delete(camera))
    for number, (lon, lat) in enumerate(points(rng, houses)):
        _house(connection, rng, number, lon, lat)
    for number, (lon, lat) in enumerate(points(rng, 12)):
        row = {"id": f"PT{number}", "name": "门", "kind": "school", "is_key": number % 3 > 0}
        add(connection, place, [block_at(lon, lat).placed(geom=Point(lon, lat), **row)])
    rows = [camera_row(rng, number, *at) for number, at in enumerate(points(rng, cameras))]
    add(connection, camera, rows)


def points(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Return places in the town, in degrees."""
    lon = MIDDLE[0] + rng.uniform(-REACH_DEG, REACH_DEG, count)
    lat = MIDDLE[1] + rng.uniform(-REACH_DEG, REACH_DEG, count)
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def block_at(lon: float, lat: float) -> Block:
    """Return the block that a place lies in."""
    return next(one for one in blocks() if one.shape.covers(Point(lon, lat)))


def camera_row(rng: np.random.Generator, number: int, lon: float, lat: float) -> dict[str, Any]:
    """Return a working camera of any kind of sight."""
    angle = float(rng.choice([60.0, 90.0, 360.0]))
    return block_at(lon, lat).placed(
        id=f"T{number:03d}", name=None, geom=Point(lon, lat), kind="fixed", state="networked",
        azimuth_deg=float(rng.uniform(0, 360)), view_angle_deg=angle, height_m=4.0,
        range_m=float(rng.uniform(30, 110)), online=bool(rng.random() < 0.8), indoor=False,
        assumed=["range_m"] if number % 5 == 0 else [],
    )  # fmt: skip


def _house(
    connection: Connection, rng: np.random.Generator, number: int, lon: float, lat: float
) -> None:
    wide, high = rng.uniform(0.00004, 0.00012, 2).tolist()
    walls = MultiPolygon([box(lon - wide, lat - high, lon + wide, lat + high)])
    home, here = f"HT{number}", block_at(lon, lat)
    row = {"id": home, "kind": "dwelling", "area_m2": 100.0, "geom": walls}
    add(connection, building, [here.placed(**row)])
    own = {"id": f"FT{number}", "building_id": home, "geom": Point(lon, lat)}
    add(connection, household, [here.placed(**own)])
    people = [_resident(here, number, one) for one in range(int(rng.integers(1, 6)))]
    add(connection, person, people)


def _resident(here: Block, number: int, one: int) -> dict[str, Any]:
    return {
        "id": f"NT{number}-{one}", "household_id": f"FT{number}", "name": "某人",
        "present": one % 4 < 3, "registered": True, "usual": True, "unit_path": here.path,
        "block_id": here.id, "grid_code": here.grid,
    }  # fmt: skip
