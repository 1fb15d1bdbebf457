"""Imported boundaries through HTTP: reported on, previewed, compared, accepted, refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from tests.county import VILLAGES, blocks
from tests.serving import Client

OCTETS = {"Content-Type": "application/octet-stream"}
GRID_1, GRID_2 = f"{VILLAGES[0]}001", f"{VILLAGES[0]}002"


def outlines_in_force() -> dict[str, BaseGeometry]:
    """The county's eight grids by code, degrees."""
    codes = sorted({block.grid for block in blocks()})
    return {
        code: shapely.union_all([block.shape for block in blocks() if block.grid == code])
        for code in codes
    }


def geojson(shapes: dict[str, BaseGeometry], **more: Any) -> bytes:
    features = [
        {"type": "Feature", "geometry": mapping(outline),
         "properties": {"网格编码": code, "网格名称": f"网格{code[-3:]}"}}
        for code, outline in shapes.items()
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def send(client: Client, body: bytes, role: str = "planner", **query: Any) -> httpx.Response:
    return client.post(
        "/api/imports", params=query, content=body, headers={**client.by(role), **OCTETS}
    )


def taken(client: Client, body: bytes, **query: Any) -> dict[str, Any]:
    answer = send(client, body, **query)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(client: Client, address: str) -> Any:
    answer = client.get(f"/api{address}", headers=client.by("planner"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def decided(client: Client, number: int, word: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/imports/{number}/{word}", json=body, headers=client.by("planner"))


def accepted(client: Client, number: int, **body: Any) -> dict[str, Any]:
    answer = decided(client, number, "accept", **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_grids_in_force_sent_back_have_no_faults_and_change_nothing(
    own_client: Client,
) -> None:
    told = taken(own_client, geojson(outlines_in_force()), file="grids.geojson")
    assert (told["status"], told["created_by"], told["grids"]) == ("reported", "planner", 8)
    assert told["findings"] == {}
    assert told["blocks"] == {"settled": 8}
    assert told["columns"] == {"code": "网格编码", "name": "网格名称"}
    done = accepted(own_client, told["id"])
    assert (done["status"], done["decided_by"], done["unresolved"]) == ("accepted", "planner", [])
    plan = get(own_client, f"/plans/{done['plan_id']}")
    assert plan["strokes"] == []
    assert plan["hash"] == plan["base_hash"]


def test_a_moved_border_becomes_moves_of_a_draft(own_client: Client) -> None:
    shapes = outlines_in_force()
    block_11 = next(block.shape for block in blocks() if block.id == "B000011")
    shapes[GRID_1] = shapely.union_all([shapes[GRID_1], block_11])
    shapes[GRID_2] = shapes[GRID_2].difference(block_11)
    told = taken(own_client, geojson(shapes))
    before = get(own_client, "/grids")
    done = accepted(own_client, told["id"], title="接收民政界线")
    assert get(own_client, "/grids") == before  # a draft changes no grid in force
    plan = get(own_client, f"/plans/{done['plan_id']}")
    assert plan["title"] == "接收民政界线"
    assert [stroke["kind"] for stroke in plan["strokes"]] == ["move"]
    assert plan["strokes"][0]["actor"] == "planner"
    state = get(own_client, f"/plans/{done['plan_id']}/assignment")
    assert state["blocks"]["B000011"] == GRID_1
    assert state["blocks"]["B000012"] == GRID_2
