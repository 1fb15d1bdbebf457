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
NEXT_SITES, SERVICE_POSTS = "/api/coverage/next-sites", "/api/coverage/posts"


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


def test_a_choice_kept_for_one_asker_is_not_told_to_another(client: Client) -> None:
    asked = {"range_m": 250.0, "field_of_view_deg": 360.0}
    people = {"chief": 16.0, "town_centre": 32.0, "command": 64.0}
    turns = list(islice(cycle(SCOPES), 12))

    def total(role: str, sites: int = 100) -> float:
        body, headers = {**asked, "sites": sites}, client.by(role)
        answer = client.post(NEXT_SITES, json=body, headers=headers, timeout=600)
        return float(answer.json()["total"])

    total("command", sites=1)  # starts the process beside, while nobody waits for a turn
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, turns)) == [people[role] for role in turns]


def test_no_choice_of_sites_names_anybody_or_anything_sealed(client: Client) -> None:
    for way, asked in (
        (NEXT_SITES, {"sites": 9, "range_m": 250.0, "at": ["poles", "facades"]}),
        (SERVICE_POSTS, {"goal": "nearest", "sites": 2}),
    ):
        body = client.post(way, json=asked, headers=client.by("town_centre"), timeout=600).text
        for canary in ("sealed", "某人", "id_number", "K1", "F0011", "一号", "unit_path"):
            assert canary not in body, way


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
