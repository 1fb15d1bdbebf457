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
from layers.tile_shapes import SHAPED
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

    # the bends are 1.3 of the map's metres wide: a quarter of a pixel at 14, half of one at 15
    assert max(corners(zoom) for zoom in (11, 13, 14)) < 20
    assert corners(15) > 1000
    assert corners(16) > 500


def test_areas_with_common_borders_are_not_simplified_one_by_one_near_the_ground() -> None:
    """Each on its own would leave slivers between two grids."""
    for zoom in (14, 16, 18):
        for name in SHAPED:
            assert "ST_Simplify" not in str(tile_statement([LAYERS[name]], EVERYTHING, zoom))


@pytest.mark.parametrize(("zoom", "is_simpler"), [(9, True), (14, True), (16, True), (17, False)])
def test_what_stands_alone_is_simplified_down_to_a_third_of_a_pixel(
    zoom: int, is_simpler: bool
) -> None:
    for name in ("streets", "buildings", "blind"):
        statement = str(tile_statement([LAYERS[name]], EVERYTHING, zoom))
        assert ("ST_Simplify" in statement) is is_simpler


def test_a_small_area_is_kept_however_coarse_the_tile(connection: Connection) -> None:
    build(connection)
    hot = features(connection, "hotspots", 9)
    assert [feature["properties"]["cells"] for feature in hot] == ["grid"]
