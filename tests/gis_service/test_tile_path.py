"""Tiles over HTTP: versions, not-modified, scope, and what is refused."""

from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import mapbox_vector_tile
import pytest
from sqlalchemy import create_engine, text, update

from gis_service.database import Database
from layers.registry import LAYERS
from tests.county import VILLAGES
from tests.serving import Client, serving, sqlalchemy_url

TILE = "/tiles/grids,cameras/13/6560/3291"
OTHER_TILE = "/tiles/cameras/13/100/100"


def tile(client: Client, path: str = TILE, role: str = "command", etag: str = "") -> httpx.Response:
    headers = client.by(role) | ({"If-None-Match": etag} if etag else {})
    return client.get(path, headers=headers)


def switch_camera_off(database: Database) -> None:
    engine = create_engine(sqlalchemy_url(database.owner_url))
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        camera = LAYERS["cameras"].table
        connection.execute(update(camera).where(camera.c.id == "K1").values(online=False))
    engine.dispose()


def fresh(client: Client, path: str, etag: str) -> httpx.Response:
    """Return the tile once it has another version, or the last answer after a minute."""
    ends_at = time.monotonic() + 60
    while True:
        answer = tile(client, path, etag=etag)
        if answer.status_code == 200 or time.monotonic() > ends_at:
            return answer
        time.sleep(0.1)


def test_a_tile_comes_zipped_and_private(client: Client) -> None:
    answer = tile(client)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert set(mapbox_vector_tile.decode(answer.content)) == {"grids", "cameras"}


def test_an_unchanged_tile_is_not_sent_again(client: Client) -> None:
    etag = tile(client).headers["etag"]
    again = tile(client, etag=etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("form", ["W/{}", '"old", {}', '"old",W/{}'])
def test_a_tile_known_to_a_proxy_or_among_others_is_not_sent(client: Client, form: str) -> None:
    etag = tile(client).headers["etag"]
    again = tile(client, etag=form.format(etag))
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


def test_two_scopes_have_two_names_for_one_tile(client: Client) -> None:
    assert tile(client).headers["etag"] != tile(client, role="chief").headers["etag"]


def test_a_name_of_another_scope_does_not_count(client: Client) -> None:
    assert tile(client, role="chief", etag=tile(client).headers["etag"]).status_code == 200


def test_a_village_sees_only_its_own_cameras(client: Client) -> None:
    decoded = mapbox_vector_tile.decode(tile(client, role="chief").content)
    grids = {one["properties"]["id"][:12] for one in decoded["grids"]["features"]}
    assert grids == {VILLAGES[0]}


def test_a_change_gives_the_tile_it_touches_a_new_name(
    own_client: Client, county_database: Database
) -> None:
    before, elsewhere = tile(own_client), tile(own_client, OTHER_TILE)
    switch_camera_off(county_database)
    after = fresh(own_client, TILE, before.headers["etag"])
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    untouched = tile(own_client, OTHER_TILE, etag=elsewhere.headers["etag"])
    assert untouched.status_code == 304


def test_a_restart_keeps_the_names(
    county_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("one")
        with serving(county_database, folder, refresh_interval_s=3600) as client:
            names.append(tile(client).headers["etag"])
    assert names[0] == names[1]


def test_many_who_ask_at_once_get_the_same(own_client: Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: tile(own_client), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_the_zipped_bytes_hold_no_time(client: Client) -> None:
    with httpx.Client(base_url=client.base_url, timeout=60) as plain:
        request = plain.build_request("GET", TILE, headers=client.by("command"))
        answer = plain.send(request, stream=True)
        raw = b"".join(answer.iter_raw())
        answer.close()
    assert raw[4:8] == b"\0\0\0\0"
    assert gzip.decompress(raw)


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/grids/99/0/0", "/tiles/grids/3/8/0", "/tiles/grids/3/0/8", "/tiles/grids/3/-1/0",
        "/tiles/grids/31/2147483648/0", "/tiles/grids/3/0", "/tiles/grids/3/0/0/0",
        "/tiles/grids/a/b/c", "/tiles/grids/3/1.5/0", "/tiles/grids/1e3/0/0", "/tiles/grids/3/٣/0",
        "/tiles/grids/3/0/0?as_of=soon",
        "/tiles/" + ",".join(f"l{n}" for n in range(31)) + "/1/0/0",
    ],
)  # fmt: skip
def test_no_tile_lies_outside_the_pyramid(client: Client, path: str) -> None:
    answer = tile(client, path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["secret", "grids,secret", "", "' or 1=1--", "..%2f..%2fsecret"])
def test_an_unknown_layer_is_not_found(client: Client, name: str) -> None:
    assert tile(client, f"/tiles/{name}/3/0/0").status_code in {400, 404}


def test_a_layer_without_the_right_is_refused(client: Client) -> None:
    answer = tile(client, "/tiles/grids,incidents/13/6560/3291", role="planner")
    assert (answer.status_code, answer.json()["code"]) == (403, "layer-not-yours")


def test_tiles_are_only_read(client: Client) -> None:
    assert client.post(TILE, headers=client.by("command")).status_code == 405


def test_a_layer_named_twice_comes_once(client: Client) -> None:
    answer = tile(client, "/tiles/grids,grids/13/6560/3291")
    assert list(mapbox_vector_tile.decode(answer.content)) == ["grids"]


def test_a_map_of_another_date_is_another_tile(client: Client) -> None:
    early = tile(client, "/tiles/grids/13/6560/3291?as_of=1999-01-01")
    assert mapbox_vector_tile.decode(early.content) == {}
