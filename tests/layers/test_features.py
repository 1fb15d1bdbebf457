"""GeoJSON of features: paged without loss, shaped as the standard says, refused alike."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from shapely import MultiPolygon
from shapely.geometry import shape
from sqlalchemy import Connection, update

from gis_service.access import RIGHTS
from gis_service.database import enter_scope
from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.view import View
from layers import features
from layers.blocks import LAYER as BLOCKS
from layers.grids import LAYER as GRIDS
from layers.incidents import LAYER as INCIDENTS
from layers.layer import Layer
from layers.places import LAYER as PLACES
from layers.places import place
from layers.registry import LAYERS, layer_named
from tests.county import COUNTY_PATH, SOUTH, VILLAGES, WEST, WIDTH_DEG, build, path_of

EVERYBODY = View("tester", (COUNTY_PATH,), RIGHTS)
NOBODY = View("tester", (), RIGHTS)


@pytest.fixture
def here(county_connection: Connection) -> Connection:
    enter_scope(county_connection, EVERYBODY)
    return county_connection


def body(page: features.Page) -> dict[str, Any]:
    whole: dict[str, Any] = orjson.loads(page.body)
    return whole


def ids(page: features.Page) -> list[str]:
    return [feature["id"] for feature in body(page)["features"]]


@pytest.mark.parametrize("limit", [1, 3, 7, 15, 16, 17, 1_000])
def test_pages_of_any_size_hold_every_feature_once_and_in_order(
    here: Connection, limit: int
) -> None:
    found: list[str] = []
    after = None
    for _ in range(20):
        page = features.page(here, PLACES, EVERYBODY, limit=limit, after=after)
        assert len(ids(page)) <= limit
        assert body(page).get("next") == page.next
        found += ids(page)
        after = page.next
        if after is None:
            break
    assert found == sorted(f"P{n}" for n in range(1, 17))


def test_the_last_full_page_has_no_next(here: Connection) -> None:
    assert features.page(here, PLACES, EVERYBODY, limit=16).next is None
    assert features.page(here, PLACES, EVERYBODY, limit=15).next is not None


@pytest.mark.parametrize("after", ["zzz", "P9", "\u202e", "' or 1=1--", "{{7*7}}", "%", "_", "\\"])
def test_a_token_of_somebody_elses_making_is_only_a_place_in_the_order(
    here: Connection, after: str
) -> None:
    found = ids(features.page(here, PLACES, EVERYBODY, limit=50, after=after))
    assert found == sorted(f"P{n}" for n in range(1, 17) if f"P{n}" > after)


@pytest.mark.parametrize("layer", [PLACES, BLOCKS, GRIDS, INCIDENTS], ids=lambda layer: layer.name)
def test_an_empty_scope_and_a_box_elsewhere_are_empty_collections(
    here: Connection, layer: Layer
) -> None:
    elsewhere = features.page(here, layer, EVERYBODY, limit=5, box=(0, 0, 1, 1))
    for page in (elsewhere, features.page(here, layer, NOBODY, limit=5)):
        assert body(page) == {"type": "FeatureCollection", "features": []}
        assert page.next is None


def test_a_box_takes_what_it_touches(here: Connection) -> None:
    corner = (WEST, SOUTH, WEST, SOUTH)
    assert len(ids(features.page(here, BLOCKS, EVERYBODY, limit=50, box=corner))) == 1
    edge = (WEST + WIDTH_DEG, SOUTH, WEST + WIDTH_DEG, SOUTH + 0.02)
    assert len(ids(features.page(here, BLOCKS, EVERYBODY, limit=50, box=edge))) == 4


def test_outer_rings_go_round_to_the_left(here: Connection) -> None:
    for feature in body(features.page(here, BLOCKS, EVERYBODY, limit=50))["features"]:
        assert "crs" not in feature["geometry"]
        outline = shape(feature["geometry"])
        assert isinstance(outline, MultiPolygon)
        assert all(part.exterior.is_ccw for part in outline.geoms)


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", "</script><script>", '"\\\u2028', "\u202eabc", "臺北𠮷", "a\nb\tc"]
)
def test_hostile_names_come_out_as_they_went_in(connection: Connection, text: str) -> None:
    build(connection)
    connection.execute(update(place).where(place.c.id == "P1").values(name=text))
    page = features.page(connection, PLACES, EVERYBODY, limit=1)
    assert body(page)["features"][0]["properties"]["name"] == text
    single = orjson.loads(features.one(connection, PLACES, EVERYBODY, "P1"))
    assert single == body(page)["features"][0]


@pytest.mark.parametrize(
    "key", ["P99", "", "p1", "P1 ", "' or 1=1--", "%", "P1\u0000"[:2] + "\u200b"]
)
def test_a_feature_that_is_not_there_and_one_out_of_scope_are_refused_alike(
    county_connection: Connection, key: str
) -> None:
    own = View("tester", (path_of(VILLAGES[0]),), RIGHTS)
    enter_scope(county_connection, own)
    with pytest.raises(NotFound) as missing:
        features.one(county_connection, PLACES, own, key)
    outside = "P16"
    with pytest.raises(NotFound) as hidden:
        features.one(county_connection, PLACES, own, outside)
    for one in (missing, hidden):
        assert one.value.code == "no-such-feature"
        assert key not in one.value.en or key == ""
    assert missing.value.where == hidden.value.where == {"layer": "places"}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS.keys())
def test_no_private_sealed_or_geometry_column_is_public(layer: Layer) -> None:
    feature = layer.features(EVERYBODY).subquery()
    names = {column.name for column in features.public_columns(layer, feature)}
    assert not names & layer.private
    assert not names & {"id", "geom", "geom_3857", "id_number", "phone", "body_digest"}


@pytest.mark.parametrize(
    "name", ["", "Places", "places ", "../../secret", "%2e%2e", "{{7*7}}", "place"]
)
def test_a_layer_that_is_not_in_the_registry_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused) as refused:
        layer_named(name)
    assert isinstance(refused.value, NotFound)
    assert refused.value.where["layer"] == name


def test_the_registry_is_keyed_by_the_layers_own_names() -> None:
    for name, layer in LAYERS.items():
        assert layer_named(name) is layer
        assert layer.name == name
        assert layer.title.zh
        assert layer.title.en
