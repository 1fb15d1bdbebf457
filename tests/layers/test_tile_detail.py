"""What of lines and areas a tile leaves out where it could not be seen."""

from __future__ import annotations

import math
from typing import Any

import mapbox_vector_tile
import pytest
from shapely import LineString
from sqlalchemy import Connection

from grid_boundaries.tables import metadata
from grid_boundaries.view import View
from layers.registry import LAYERS
from layers.tiles import tile_statement
from tests.county import HEIGHT_DEG, SOUTH, WEST, add, blocks, build

EVERYTHING = View(actor="tester", scope=("/",), rights=frozenset({"counts"}))
LANE_M = 4000


@pytest.fixture
def streets(connection: Connection) -> Connection:
    """The made-up county with one lane of many small bends."""
    build(connection)
    bends = LineString(
        [(WEST + 0.00001 * step, SOUTH + 0.005 + 0.00001 * (step % 2)) for step in range(LANE_M)]
    )
    block = blocks()[8]
    row = {"id": "S9", "name": None, "kind": "lane", "length_m": 3720.0, "geom": bends}
    add(connection, metadata.tables["street"], [row | block.placed()])
    return connection


def features(connection: Connection, name: str, zoom: int) -> list[Any]:
    """Return what the tile over the county's middle holds of a layer."""
    lon, lat = WEST + 0.02, math.radians(SOUTH + HEIGHT_DEG / 2)
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - math.log(math.tan(lat) + 1 / math.cos(lat)) / math.pi) / 2 * 2**zoom)
    statement = tile_statement([LAYERS[name]], EVERYTHING, zoom)
    made = connection.execute(statement, {"z": zoom, "x": x, "y": y}).scalar_one()
    found: list[Any] = mapbox_vector_tile.decode(bytes(made)).get(name, {"features": []})[
        "features"
    ]
    return found


@pytest.mark.parametrize(
    ("zoom", "kinds"),
    [
        (8, set()),
        (9, {"primary"}),
        (10, {"primary"}),
        (11, {"primary", "lane"}),
        (14, {"primary", "lane"}),
    ],
)
def test_a_class_of_lines_comes_from_its_own_zoom_on(
    streets: Connection, zoom: int, kinds: set[str]
) -> None:
    found = features(streets, "streets", zoom)
    assert {feature["properties"]["kind"] for feature in found} == kinds


def test_bends_that_nobody_could_see_are_not_sent(streets: Connection) -> None:
    def corners(zoom: int) -> int:
        lanes = [
            one for one in features(streets, "streets", zoom) if one["properties"]["id"] == "S9"
        ]
        return len(lanes[0]["geometry"]["coordinates"])

    assert corners(11) < 20
    assert corners(14) > 500


def test_a_small_area_is_kept_however_coarse_the_tile(connection: Connection) -> None:
    build(connection)
    hot = features(connection, "hotspots", 9)
    assert [feature["properties"]["cells"] for feature in hot] == ["grid"]
