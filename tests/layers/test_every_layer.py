"""What holds for every layer in the registry, whatever it shows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import pytest
import shapely
from sqlalchemy import Connection, LargeBinary, delete, func, insert, select, text, update

from gis_service.access import RIGHTS
from gis_service.database import enter_scope
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers import features
from layers.layer import Layer
from layers.registry import LAYERS
from layers.tile_counts import tile_count
from layers.tiles import tile_statement
from tests.county import COUNTY_PATH, SOUTH, VILLAGES, WEST, WIDTH_DEG, path_of

COUNTY_VIEW = View("tester", (COUNTY_PATH,), RIGHTS)
VILLAGE_PATH = path_of(VILLAGES[0])
VILLAGE_VIEW = View("tester", (VILLAGE_PATH,), RIGHTS)
NOBODY = View("nobody", (), RIGHTS)
MIDDLE = (WEST + 4 * WIDTH_DEG, SOUTH + 0.01)

every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS.keys())
counted_layers = [layer for layer in LAYERS.values() if layer.counts_below_zoom]
every_counted = pytest.mark.parametrize(
    "layer", counted_layers, ids=[layer.name for layer in counted_layers]
)


def rows_of(connection: Connection, layer: Layer, view: View) -> list[Any]:
    enter_scope(connection, view)
    return list(connection.execute(layer.features(view)))


def tiles_round(z: int, lon: float, lat: float) -> list[tuple[int, int]]:
    """Return the tiles of the three-by-three square round a point that are in the pyramid."""
    x, y = tile_at(z, lon, lat)
    side = 1 << z
    near = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    return [(a, b) for a, b in near if 0 <= a < side and 0 <= b < side]


def tile_at(z: int, lon: float, lat: float) -> tuple[int, int]:
    side = 1 << z
    north = math.asinh(math.tan(math.radians(lat))) / math.pi
    return int((lon + 180) / 360 * side), int((1 - north) / 2 * side)


def tile(connection: Connection, layer: Layer, view: View, z: int, x: int, y: int) -> list[Any]:
    enter_scope(connection, view)
    statement = tile_statement([layer], view, z)
    body = bytes(connection.execute(statement, {"z": z, "x": x, "y": y}).scalar_one())
    decoded = mapbox_vector_tile.decode(body) if body else {}
    assert set(decoded) <= {layer.name}
    return list(decoded.get(layer.name, {"features": []})["features"])


def drawn_at(layer: Layer) -> int:
    """Return a zoom at which a layer's own features are in its tiles."""
    return max(14, layer.style.from_zoom, layer.counts_below_zoom)


@every_layer
def test_the_made_up_county_has_some(county_connection: Connection, layer: Layer) -> None:
    assert rows_of(county_connection, layer, COUNTY_VIEW)


@every_layer
def test_an_empty_scope_sees_nothing(county_connection: Connection, layer: Layer) -> None:
    assert rows_of(county_connection, layer, NOBODY) == []


@every_layer
def test_a_village_sees_its_own(county_connection: Connection, layer: Layer) -> None:
    rows = rows_of(county_connection, layer, VILLAGE_VIEW)
    if layer.shared:
        assert len(rows) == len(rows_of(county_connection, layer, COUNTY_VIEW))
    else:
        assert {row.unit_path for row in rows} == {VILLAGE_PATH}


@every_layer
@pytest.mark.parametrize("scope", ["", None, "not a path!!", "610999", "'; select 1"])
def test_the_database_alone_shows_nothing_to_an_odd_scope(
    county_connection: Connection, layer: Layer, scope: str | None
) -> None:
    if scope is None:
        county_connection.execute(text("reset gis.scope"))
    else:
        county_connection.execute(select(func.set_config("gis.scope", scope, True)))
    rows = county_connection.execute(layer.features(COUNTY_VIEW)).all()
    # what everybody of the county may see asks only that there be a scope
    assert rows == [] or (layer.shared and bool(scope))


@every_layer
def test_the_database_narrows_what_a_statement_forgot(
    county_connection: Connection, layer: Layer
) -> None:
    enter_scope(county_connection, VILLAGE_VIEW)
    rows = county_connection.execute(layer.features(COUNTY_VIEW)).all()
    assert layer.shared or {row.unit_path for row in rows} <= {VILLAGE_PATH}


@every_layer
def test_its_select_gives_what_tiles_and_pages_need(layer: Layer) -> None:
    columns = layer.features(COUNTY_VIEW).subquery().c
    assert {"id", "geom", "geom_3857", "unit_path"} <= set(columns.keys())
    assert set(layer.tile_attributes) <= set(columns.keys())
    assert not set(layer.tile_attributes) & layer.private


@every_layer
def test_a_tile_holds_ids_and_attributes_and_nothing_else(
    county_connection: Connection, layer: Layer
) -> None:
    z = drawn_at(layer)
    found = [
        feature
        for x, y in tiles_round(z, *MIDDLE)
        for feature in tile(county_connection, layer, COUNTY_VIEW, z, x, y)
    ]
    assert found
    allowed = {"id", *layer.tile_attributes}
    assert set().union(*(feature["properties"] for feature in found)) <= allowed
    known = {str(row.id) for row in rows_of(county_connection, layer, COUNTY_VIEW)}
    assert {feature["properties"]["id"] for feature in found} <= known


@every_layer
def test_a_tile_of_a_village_holds_only_its_own(
    county_connection: Connection, layer: Layer
) -> None:
    z = drawn_at(layer)
    known = {str(row.id) for row in rows_of(county_connection, layer, VILLAGE_VIEW)}
    for x, y in tiles_round(z, *MIDDLE):
        for feature in tile(county_connection, layer, VILLAGE_VIEW, z, x, y):
            assert feature["properties"]["id"] in known


@every_layer
@pytest.mark.parametrize("z", [0, 6, 9, 12, 14, 17, 22])
def test_nobody_gets_an_empty_tile(county_connection: Connection, layer: Layer, z: int) -> None:
    x, y = tile_at(z, *MIDDLE)
    assert tile(county_connection, layer, NOBODY, z, x, y) == []


@every_layer
def test_the_same_tile_has_the_same_bytes(county_connection: Connection, layer: Layer) -> None:
    enter_scope(county_connection, COUNTY_VIEW)
    z = drawn_at(layer)
    place = dict(zip("zxy", (z, *tile_at(z, *MIDDLE)), strict=True))
    statement = tile_statement([layer], COUNTY_VIEW, z)
    first, second = (
        bytes(county_connection.execute(statement, place).scalar_one()) for _ in range(2)
    )
    assert first == second


@every_counted
@pytest.mark.parametrize("view", [COUNTY_VIEW, VILLAGE_VIEW], ids=["county", "village"])
def test_counts_add_up_to_the_rows_at_every_zoom(
    county_connection: Connection, layer: Layer, view: View
) -> None:
    rows = len(rows_of(county_connection, layer, view))
    for z in range(layer.counts_below_zoom):
        counted = sum(
            feature["properties"]["n"]
            for x, y in tiles_round(z, *MIDDLE)
            for feature in tile(county_connection, layer, view, z, x, y)
        )
        assert counted == rows, f"zoom {z}"


@every_counted
def test_counts_lie_where_the_points_are(county_connection: Connection, layer: Layer) -> None:
    enter_scope(county_connection, COUNTY_VIEW)
    own = tile_count.c.layer == layer.name
    box = county_connection.execute(
        select(func.min(tile_count.c.x_m), func.max(tile_count.c.y_m)).where(own)
    ).one()
    points = layer.features(COUNTY_VIEW).subquery().c
    edges = county_connection.execute(
        select(func.min(func.st_x(points.geom_3857)), func.max(func.st_y(points.geom_3857)))
    ).one()
    assert box[0] == pytest.approx(edges[0], abs=2000)
    assert box[1] == pytest.approx(edges[1], abs=2000)


@every_layer
def test_pages_hold_every_feature_once(county_connection: Connection, layer: Layer) -> None:
    wanted = sorted(str(row.id) for row in rows_of(county_connection, layer, COUNTY_VIEW))
    pages = list(all_pages(county_connection, layer, COUNTY_VIEW, limit=5))
    found = [feature["id"] for page in pages for feature in page["features"]]
    assert found == wanted
    assert all(len(page["features"]) == 5 for page in pages[:-1])


def all_pages(
    connection: Connection, layer: Layer, view: View, *, limit: int
) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = features.page(connection, layer, view, limit=limit, after=after)
        decoded = json.loads(page.body)
        assert decoded.get("next") == page.next
        yield decoded
        after = page.next
        if after is None:
            return


@every_layer
def test_a_page_is_valid_geojson_without_private_columns(
    county_connection: Connection, layer: Layer
) -> None:
    enter_scope(county_connection, COUNTY_VIEW)
    page = json.loads(features.page(county_connection, layer, COUNTY_VIEW, limit=100).body)
    sealed = {column.name for column in layer.table.c if isinstance(column.type, LargeBinary)}
    for feature in page["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shape.is_valid
        assert "crs" not in feature["geometry"]
        west, south, east, north = shape.bounds
        assert 108.2 < west <= east < 108.4
        assert 33.2 < south <= north < 33.4
        names = set(feature["properties"])
        assert not names & (layer.private | sealed | {"geom", "geom_3857"})


@every_layer
def test_a_box_gives_what_meets_it(county_connection: Connection, layer: Layer) -> None:
    box = (WEST, SOUTH, WEST + 2 * WIDTH_DEG, SOUTH + 0.005)
    enter_scope(county_connection, COUNTY_VIEW)
    rows = rows_of(county_connection, layer, COUNTY_VIEW)
    page = features.page(county_connection, layer, COUNTY_VIEW, limit=1000, box=box)
    found = {feature["id"] for feature in json.loads(page.body)["features"]}
    wanted = {
        str(row.id)
        for row in rows
        if shapely.box(*shapely.from_wkb(bytes(row.geom.data)).bounds).intersects(shapely.box(*box))
    }
    assert found == wanted


@every_layer
def test_one_feature_is_the_one_of_the_page(county_connection: Connection, layer: Layer) -> None:
    enter_scope(county_connection, COUNTY_VIEW)
    page = json.loads(features.page(county_connection, layer, COUNTY_VIEW, limit=1).body)
    (first,) = page["features"]
    assert json.loads(features.one(county_connection, layer, COUNTY_VIEW, first["id"])) == first


@every_layer
def test_a_change_is_in_the_outbox(connection: Connection, layer: Layer) -> None:
    # the rules of a table are the same whatever is in it: a delete that meets no row says nothing
    before = connection.scalar(select(func.count()).select_from(outbox))
    connection.execute(delete(layer.table))
    assert connection.scalar(select(func.count()).select_from(outbox)) == before


@every_layer
def test_a_write_to_its_table_announces_the_layer(county_writer: Connection, layer: Layer) -> None:
    column = next(column for column in layer.table.c if not column.computed)
    county_writer.execute(update(layer.table).values({column.name: column}))
    announced = set(county_writer.scalars(select(outbox.c.layer)))
    assert layer.name in announced


@pytest.fixture
def county_writer(county_connection: Connection) -> Connection:
    """The made-up county with an empty outbox, in a transaction that is rolled back."""
    enter_scope(county_connection, COUNTY_VIEW)
    county_connection.execute(delete(outbox))
    return county_connection


@pytest.mark.parametrize("number", range(3))
def test_a_row_outside_the_scope_cannot_be_written(
    county_connection: Connection, number: int
) -> None:
    layer = (LAYERS["cameras"], LAYERS["incidents"], LAYERS["people"])[number]
    enter_scope(county_connection, VILLAGE_VIEW)
    stranger = {"unit_path": path_of(VILLAGES[3])}
    with pytest.raises(Exception, match="row-level security"):
        county_connection.execute(update(layer.table).values(stranger))


def test_several_layers_come_in_one_tile(county_connection: Connection) -> None:
    names = ("grids", "cameras", "streets")
    enter_scope(county_connection, COUNTY_VIEW)
    x, y = tile_at(14, *MIDDLE)
    statement = tile_statement([LAYERS[name] for name in names], COUNTY_VIEW, 14)
    body = county_connection.execute(statement, {"z": 14, "x": x, "y": y}).scalar_one()
    assert list(mapbox_vector_tile.decode(bytes(body))) == list(names)


def test_a_tile_statement_is_one_statement_for_all_places(county_connection: Connection) -> None:
    layer = LAYERS["grids"]
    first, second = (tile_statement([layer], COUNTY_VIEW, 14) for _ in range(2))
    assert str(first.compile()) == str(second.compile())


def test_neighbours_keep_one_border_when_made_coarser(county_connection: Connection) -> None:
    for z in (8, 11, 13):
        shapes = []
        for x, y in [tile_at(z, *MIDDLE)]:
            for feature in tile(county_connection, LAYERS["grids"], COUNTY_VIEW, z, x, y):
                shapes.append(shapely.from_geojson(json.dumps(feature["geometry"])))
        overlap = sum(shape.area for shape in shapes) - shapely.union_all(shapes).area
        assert overlap == pytest.approx(0, abs=1e-6)


def test_no_layer_is_refreshed_from_one_that_is_not_there() -> None:
    for layer in LAYERS.values():
        assert set(layer.refreshed_from) <= set(LAYERS)


def test_outbox_rows_carry_their_box(county_writer: Connection) -> None:
    camera = LAYERS["cameras"].table
    county_writer.execute(update(camera).where(camera.c.id == "K1").values(online=True))
    touched = func.st_astext(outbox.c.touched)
    boxes = county_writer.scalars(select(touched).where(outbox.c.layer == "cameras")).all()
    assert len(boxes) == 1
    assert boxes[0].startswith("POLYGON((108.303 33.316")


def test_inserting_nothing_announces_nothing(county_writer: Connection) -> None:
    table = LAYERS["cameras"].table
    county_writer.execute(
        insert(table).from_select(["id"], select(table.c.id).where(table.c.id == "none"))
    )
    assert county_writer.scalars(select(outbox.c.layer)).all() == []
