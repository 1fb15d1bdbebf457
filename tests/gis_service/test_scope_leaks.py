"""Nothing of one asker reaches another: shared connections, shared caches, sealed values."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import mapbox_vector_tile
import pytest

from layers.registry import LAYERS
from tests.county import COUNTY, COUNTY_PATH, TOWNS, VILLAGES, path_of
from tests.serving import Client

SCOPES = {
    "chief": path_of(VILLAGES[0]),
    "town_centre": f"{COUNTY_PATH}{TOWNS[0]}/",
    "command": COUNTY_PATH,
}
TILES = [(13, 6560, 3291), (13, 6561, 3291), (14, 13120, 6582)]
ROUNDS = 300


def paths_in_page(client: Client, role: str) -> set[str]:
    answer = client.get("/api/layers/incidents/items?limit=1000", headers=client.by(role))
    return {one["properties"]["unit_path"] for one in answer.json()["features"]}


def grids_in_tile(client: Client, role: str, number: int) -> set[str]:
    z, x, y = TILES[number % len(TILES)]
    answer = client.get(f"/tiles/grids/{z}/{x}/{y}", headers=client.by(role))
    decoded = mapbox_vector_tile.decode(answer.content)
    features = decoded.get("grids", {"features": []})["features"]
    return {path_of(one["properties"]["id"][:12]) for one in features}


@pytest.mark.parametrize("way", ["page", "tile"])
def test_askers_on_shared_connections_see_their_own_only(client: Client, way: str) -> None:
    turns = list(islice(cycle(SCOPES), ROUNDS))

    def look(number: int) -> bool:
        role = turns[number]
        seen = paths_in_page(client, role) if way == "page" else grids_in_tile(client, role, number)
        return all(path.startswith(SCOPES[role]) for path in seen)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, range(ROUNDS)))


def test_no_sealed_or_private_value_leaves_on_any_way(client: Client) -> None:
    headers = client.by("town_centre")
    ways = [f"/api/layers/{name}/items?limit=1000" for name in LAYERS]
    ways += [f"/tiles/{name}/14/13120/6582" for name in LAYERS]
    ways += [f"/api/wall/{TOWNS[0]}", "/api/at?lon=108.303&lat=33.304", "/metrics", "/"]
    ways += ["/api/layers", f"/wall/{COUNTY}", "/api/openapi.json"]
    for way in ways:
        body = client.get(way, headers=headers).content
        # the made-up county's sealed bytes, and the name that every person of it has
        for canary in (b"sealed", b"7365616c6564", "某人".encode(), b"id_number", b"phone_hash"):
            assert canary not in body, way
