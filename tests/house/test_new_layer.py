"""A new stored layer is one module and one word: tried out with one that is not in the product."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType

import mapbox_vector_tile
import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, text

from gis_service.access import RIGHTS
from gis_service.database import enter_scope
from gis_service.row_rules import rules_of, statements
from grid_boundaries.tables import code, geometry_columns
from grid_boundaries.view import View
from layers import features, registry
from layers.layer import Layer, all_of
from layers.style import Mark, Style, Title
from layers.tiles import tile_statement
from tests.conftest import become_service
from tests.county import blocks
from tests.layers.test_every_layer import tile_at

# the module of the new layer, as it would stand in layers/benches.py
benches = Table(
    "bench",
    MetaData(),
    code("id", primary_key=True),
    Column("name", Text),
    *geometry_columns("Point"),
    code("unit_path", nullable=False),
    Column("material", Text),
    Column("donor", Text),
)
LAYER = Layer(
    name="benches",
    title=Title("长椅", "Benches"),
    shape="point",
    style=Style(marks={"": Mark(Title("长椅", "Bench"), "part", "dot")}),
    features=all_of(benches),
    table=benches,
    tile_attributes=("material",),
    private=frozenset({"donor"}),
)


@pytest.fixture
def with_benches(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The word in the registry, the table as a migration would make it, and a bench a block."""
    layers = MappingProxyType({**registry.LAYERS, LAYER.name: LAYER})
    monkeypatch.setattr(registry, "LAYERS", layers)
    benches.metadata.create_all(connection)
    for line in statements(rules_of(benches, layers.values())):
        connection.execute(text(line))
    rows = [
        {
            "id": f"b{block.number:02d}", "unit_path": block.path, "material": "stone",
            "donor": "somebody", "geom": f"SRID=4490;{block.at().wkt}",
        }
        for block in blocks()
    ]  # fmt: skip
    connection.execute(insert(benches), rows)
    yield connection


def test_it_is_found_by_name(with_benches: Connection) -> None:
    assert registry.layer_named("benches") is LAYER


def test_it_has_tiles(with_benches: Connection) -> None:
    view = View("tester", (blocks()[0].path,), RIGHTS)
    become_service(with_benches, view)
    place = blocks()[0].at()
    x, y = tile_at(13, place.x, place.y)
    statement = tile_statement([LAYER], view, 13)
    body = with_benches.execute(statement, {"z": 13, "x": x, "y": y}).scalar_one()
    found = mapbox_vector_tile.decode(bytes(body))["benches"]["features"]
    assert 0 < len(found) <= 4
    assert all(set(one["properties"]) == {"id", "material"} for one in found)


def test_it_has_pages_without_its_private_column(with_benches: Connection) -> None:
    view = View("tester", ("/",), RIGHTS)
    enter_scope(with_benches, view)
    page = json.loads(features.page(with_benches, LAYER, view, limit=100).body)
    assert len(page["features"]) == 16
    assert set(page["features"][0]["properties"]) == {"name", "unit_path", "material"}


def test_the_database_walls_it_off(with_benches: Connection) -> None:
    become_service(with_benches, View("nobody"))
    assert with_benches.execute(LAYER.features(View("nobody", ("/",)))).all() == []


def test_its_changes_are_announced(with_benches: Connection) -> None:
    announced = text("select count(*) from outbox where layer = 'benches'")
    assert with_benches.scalar(announced)
