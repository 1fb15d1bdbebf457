"""Pages of features over HTTP: every feature once, in the box, on the date, and in scope only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from shapely import box as shapely_box
from shapely.geometry import shape as shapely_shape

from gis_service.access import RIGHTS_OF_ROLE
from layers.registry import LAYERS
from tests.county import (
    COUNTY,
    COUNTY_PATH,
    HEIGHT_DEG,
    ROLES,
    SOUTH,
    TOWNS,
    VILLAGES,
    WEST,
    WIDTH_DEG,
    blocks,
    path_of,
)
from tests.serving import Client

Feature = dict[str, Any]
READERS = ("command", "planner", "town_centre")
READER = {
    name: next(role for role in READERS if layer.right in RIGHTS_OF_ROLE[role] | {""})
    for name, layer in LAYERS.items()
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def pages(client: Client, name: str, role: str = "", **query: Any) -> Iterator[dict[str, Any]]:
    """Yield the pages of a layer, following what each says comes next."""
    after = ""
    for _ in range(100):
        asked = {**query, **({"after": after} if after else {})}
        answer = client.get(
            f"/api/layers/{name}/items", params=asked, headers=client.by(role or READER[name])
        )
        assert answer.status_code == 200, answer.text
        yield answer.json()
        after = _next(answer.json())
        if not after:
            return
    raise AssertionError("the pages have no end")


def _next(page: dict[str, Any]) -> str:
    return str(page.get("next") or "")


def features(client: Client, name: str, role: str = "", **query: Any) -> list[Feature]:
    return [one for page in pages(client, name, role, **query) for one in page["features"]]


@pytest.fixture(scope="module")
def county(client: Client) -> dict[str, list[Feature]]:
    """Every feature of every layer, as one who may see the whole county is given them."""
    return {name: features(client, name, limit=1000) for name in LAYERS}


@every_layer
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_every_feature_comes_once_whatever_the_page(
    client: Client, county: dict[str, list[Feature]], name: str, limit: int
) -> None:
    whole = [one["id"] for one in county[name]]
    found = [one["id"] for one in features(client, name, limit=limit)]
    assert found == whole
    assert len(set(found)) == len(found)


@every_layer
def test_a_page_is_geojson_that_others_can_read(client: Client, name: str) -> None:
    headers = client.by(READER[name])
    answer = client.get(f"/api/layers/{name}/items", headers=headers)
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.json()["type"] == "FeatureCollection"
    for one in answer.json()["features"]:
        assert (one["type"], isinstance(one["id"], str)) == ("Feature", True)
        west, south, east, north = shapely_shape(one["geometry"]).bounds
        assert 108 < west <= east < 109
        assert 33 < south <= north < 34
        assert not LAYERS[name].private & set(one["properties"])


@every_layer
def test_one_feature_alone_is_as_in_its_page(
    client: Client, county: dict[str, list[Feature]], name: str
) -> None:
    for one in county[name][:2]:
        address = f"/api/layers/{name}/items/{quote(one['id'], safe='')}"
        answer = client.get(address, headers=client.by(READER[name]))
        assert answer.json() == one


BOXES = {
    "a block": (WEST, SOUTH, WEST + WIDTH_DEG, SOUTH + HEIGHT_DEG),
    "the county": (WEST, SOUTH, WEST + 8 * WIDTH_DEG, SOUTH + 2 * HEIGHT_DEG),
    "nowhere near": (0.0, 0.0, 1.0, 1.0),
    "a point": (WEST + WIDTH_DEG / 2, SOUTH + HEIGHT_DEG / 2) * 2,
    "a line": (WEST, SOUTH + HEIGHT_DEG, WEST + 8 * WIDTH_DEG, SOUTH + HEIGHT_DEG),
    "a touching corner": (WEST - 1, SOUTH - 1, WEST, SOUTH),
    "the earth": (-180.0, -90.0, 180.0, 90.0),
}


@every_layer
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_a_box_gives_what_meets_it(
    client: Client,
    county: dict[str, list[Feature]],
    name: str,
    box: tuple[float, float, float, float],
) -> None:
    bbox = ",".join(map(repr, box))
    found = {one["id"] for one in features(client, name, limit=1000, bbox=bbox)}
    area = shapely_box(*box)
    meeting, inside = set(), set()
    for one in county[name]:
        ground = shapely_box(*shapely_shape(one["geometry"]).bounds)
        if ground.intersects(area.buffer(1e-7)):
            meeting.add(one["id"])
        if ground.within(area):
            inside.add(one["id"])
    assert inside <= found <= meeting


SCOPES = {
    "command": COUNTY_PATH, "leader": COUNTY_PATH, "town_centre": f"{COUNTY_PATH}{TOWNS[0]}/",
    "village_centre": path_of(VILLAGES[0]), "chief": path_of(VILLAGES[0]),
}  # fmt: skip


@every_layer
@pytest.mark.parametrize("role", SCOPES)
def test_a_role_is_given_its_own_units_and_all_of_them(
    client: Client, county: dict[str, list[Feature]], name: str, role: str
) -> None:
    layer = LAYERS[name]
    answer = client.get(f"/api/layers/{name}/items?limit=1000", headers=client.by(role))
    if answer.status_code == 403:
        assert layer.right
        return
    own = answer.json()["features"]
    expected = [
        one["id"] for one in county[name]
        if layer.shared or one["properties"]["unit_path"].startswith(SCOPES[role])
    ]  # fmt: skip
    assert [one["id"] for one in own] == expected


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.dated])
def test_before_anything_was_in_force_there_is_nothing(client: Client, name: str) -> None:
    assert features(client, name, as_of="1999-12-31") == []
    assert features(client, name, as_of="2020-01-01", limit=1000) == features(
        client, name, limit=1000
    )


@pytest.mark.parametrize("after", ["~", "zzzz", "网", "9" * 200])
def test_a_place_past_the_end_is_an_empty_page(client: Client, after: str) -> None:
    answer = client.get(
        "/api/layers/grids/items", params={"after": after}, headers=client.by("command")
    )
    assert (answer.status_code, answer.json()["features"], _next(answer.json())) == (200, [], "")


@pytest.mark.parametrize("role", ROLES)
def test_the_list_of_layers_tells_how_each_is_drawn(client: Client, role: str) -> None:
    answer = client.get("/api/layers", headers=client.by(role))
    assert answer.status_code == 200
    orders = [one["style"]["order"] for one in answer.json()]
    assert orders == sorted(orders)
    for one in answer.json():
        layer = LAYERS[one["name"]]
        assert one["title"] == {"zh": layer.title.zh, "en": layer.title.en}
        assert all(one["title"].values())
        assert one["shape"] in {"point", "line", "polygon"}
        assert one["version"] == "0" or one["version"].count(".") == 1


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.id)
def test_what_is_at_a_point_is_its_block_grid_village_and_town(client: Client, block: Any) -> None:
    at = block.at(0.37, 0.61)
    answer = client.get(f"/api/at?lon={at.x}&lat={at.y}", headers=client.by("command")).json()
    assert answer["block"]["id"] == block.id
    assert answer["grid"]["code"] == block.grid
    assert answer["village"]["code"] == block.village
    assert answer["town"]["code"] == block.village[:9]


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 0), (180, 90), (-180, -90), (WEST - 0.01, SOUTH), (WEST, SOUTH - 1)]
)
def test_beyond_the_county_there_is_nothing(client: Client, lon: float, lat: float) -> None:
    answer = client.get(f"/api/at?lon={lon}&lat={lat}", headers=client.by("command")).json()
    assert not any(answer[name] for name in ("block", "grid", "village", "town"))


def test_a_chief_is_told_nothing_of_other_peoples_ground(client: Client) -> None:
    for block in blocks():
        at = block.at(0.5, 0.5)
        answer = client.get(f"/api/at?lon={at.x}&lat={at.y}", headers=client.by("chief"))
        is_own = block.village == VILLAGES[0]
        assert (block.grid in answer.text) is is_own
        assert (block.id in answer.text) is is_own


WALL_PARTS = {
    "incidents": ("ranking", "hotspots", "incidents", "hotspot_run"), "counts": ("coverage",),
    "workers": ("workers",),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("unit", [COUNTY, *TOWNS, *VILLAGES])
def test_a_wall_has_what_the_role_may_know_of_a_unit_in_its_reach(
    client: Client, role: str, unit: str
) -> None:
    answer = client.get(f"/api/wall/{unit}", headers=client.by(role))
    scope = SCOPES.get(role, COUNTY_PATH)
    if role in {"worker", "cadre"}:
        scope = path_of(VILLAGES[0])
    whole = {6: f"/{unit}/", 9: f"/{unit[:6]}/{unit}/", 12: f"/{unit[:6]}/{unit[:9]}/{unit}/"}[
        len(unit)
    ]
    if not (whole.startswith(scope) or scope.startswith(whole)):
        assert (answer.status_code, answer.json()["code"]) == (404, answer.json()["code"])
        return
    assert answer.status_code == 200
    body = answer.json()
    assert body["unit"]["code"] == unit
    for right, parts in WALL_PARTS.items():
        if right not in RIGHTS_OF_ROLE[role]:
            assert not any(body[part] for part in parts)
    for one in body["incidents"]:
        assert one["grid_code"].startswith(unit)
    assert {one["code"] for one in body["unit"]["children"]} == {
        code for code in (*TOWNS, *VILLAGES, *{block.grid for block in blocks()})
        if code.startswith(unit) and len(code) == {6: 9, 9: 12, 12: 15}[len(unit)]
    }  # fmt: skip
