"""Plans and grids as files through HTTP: what goes out comes in again as the same plan."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest

from tests.county import VILLAGES
from tests.gis_service.test_plans import (
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    get,
    started,
)
from tests.serving import Client

KIND = {
    "geojson": "application/geo+json", "gpkg": "application/geopackage+sqlite3",
    "shp": "application/zip", "csv": "text/csv", "kml": "application/vnd.google-earth.kml+xml",
}  # fmt: skip
NEW = f"{VILLAGES[0]}~"


def exported(client: Client, plan: int, role: str = "planner", **query: Any) -> httpx.Response:
    return client.get(f"/api/plans/{plan}/export", params=query, headers=client.by(role))


def sent(
    client: Client, body: bytes, kind: str = "application/octet-stream", role: str = "planner",
    **query: Any,
) -> httpx.Response:  # fmt: skip
    headers = client.by(role) | {"Content-Type": kind}
    return client.post("/api/plans/import", params=query, content=body, headers=headers)


def taken_in(client: Client, body: bytes, **query: Any) -> Any:
    answer = sent(client, body, **query)
    assert answer.status_code == 201, answer.text
    return answer.json()


def redrawn(client: Client, *, cut: bool = False) -> int:
    """Return a plan with a block moved, one taken out, a new grid and one that is no more."""
    plan = started(client)
    drawn(client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    drawn(client, plan, 1, kind="move", blocks=["B000001"], to=None)
    drawn(client, plan, 2, kind="create", name="=河滩,“新”", blocks=["B000005", "B000013"],
          grid_kind="special", special_use="学校", setting="city")  # fmt: skip
    drawn(client, plan, 3, kind="merge", grids=[f"{VILLAGES[3]}002"], into=f"{VILLAGES[3]}001")
    if cut:
        drawn(client, plan, 4, kind="split", block=BLOCK_11, line=[
            [point[0] + 0.005, point[1]] for point in MIDDLE_OF_10])  # fmt: skip
        drawn(client, plan, 5, kind="move", blocks=[f"{BLOCK_11}.1"], to=GRID_1)
    return plan


WAYS = [
    ("geojson", "4490", "utf-8"), ("geojson", "4326", "utf-8"), ("geojson", "gcj02", "utf-8"),
    ("gpkg", "4545", "utf-8"), ("gpkg", "4524", "utf-8"), ("shp", "4490", "gbk"),
    ("shp", "4545", "utf-8"), ("shp", "gcj02", "gbk"), ("csv", "4490", "utf-8"),
    ("csv", "4490", "gbk"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "crs", "encoding"), WAYS)
def test_a_plan_comes_back_block_by_block(
    own_client: Client, kind: str, crs: str, encoding: str
) -> None:
    plan = redrawn(own_client)
    file = exported(own_client, plan, format=kind, crs=crs, encoding=encoding, what="blocks")
    assert file.status_code == 200, file.text
    back = taken_in(own_client, file.content, title="回来")
    said = back["understood"]
    assert said["blocks_assigned"] == 16
    assert (said["blocks_untouched"], said["rejected"]) == (0, [])
    assert said["encoding"].lower() in {encoding, "utf-8-sig", "gb18030"}
    assert (
        get(own_client, f"/plans/{back['id']}")["hash"] == get(own_client, f"/plans/{plan}")["hash"]
    )


@pytest.mark.parametrize(("kind", "crs"), [("geojson", "4490"), ("gpkg", "4524"), ("shp", "gcj02")])
def test_a_plan_of_grids_only_comes_back_by_its_ground(
    own_client: Client, kind: str, crs: str
) -> None:
    plan = redrawn(own_client)
    file = exported(own_client, plan, format=kind, crs=crs, what="grids")
    back = taken_in(own_client, file.content)
    assert back["understood"]["what"] == "grids"
    assert (
        get(own_client, f"/plans/{back['id']}")["hash"] == get(own_client, f"/plans/{plan}")["hash"]
    )


@pytest.mark.parametrize(("kind", "crs"), [("geojson", "4326"), ("gpkg", "4545"), ("shp", "gcj02")])
def test_cut_blocks_survive_the_trip(own_client: Client, kind: str, crs: str) -> None:
    plan = redrawn(own_client, cut=True)
    file = exported(own_client, plan, format=kind, crs=crs, what="blocks")
    back = taken_in(own_client, file.content)
    assert back["understood"]["blocks_cut"] == [BLOCK_11]
    before, after = (get(own_client, f"/plans/{one}/assignment") for one in (plan, back["id"]))
    assert after["blocks"] == before["blocks"]
    assert after["grids"] == before["grids"]
    assert after["shapes"].keys() == before["shapes"].keys()


def test_a_file_is_called_what_it_holds(own_client: Client) -> None:
    plan = redrawn(own_client)
    for kind, media in KIND.items():
        answer = exported(own_client, plan, format=kind, crs="4490")
        assert answer.headers["content-type"].split(";")[0] == media
        told = answer.headers["content-disposition"]
        assert told.startswith(f'attachment; filename="plan_{plan}_grids')
        name = unquote(told.partition("filename*=UTF-8''")[2])
        assert name.startswith(f"方案{plan}_调整西社区_grids")
    shifted = exported(own_client, plan, format="shp", crs="gcj02")
    assert "GCJ-02" in shifted.headers["content-disposition"]
    names = zipfile.ZipFile(io.BytesIO(shifted.content)).namelist()
    assert "grids_GCJ-02.shp" in names


def test_the_grids_in_force_are_handed_out_with_who_lives_in_them(client: Client) -> None:
    answer = client.get("/api/grids/export", headers=client.by("leader"))
    found = orjson.loads(answer.content)["features"]
    assert len(found) == 8
    assert {one["properties"]["people"] for one in found} == {8}
    assert {one["properties"]["village_name"] for one in found} >= {"西社区"}
