"""A worker reports flooding; the wall hears of it, counts it, and draws it at every zoom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest

from gis_service.database import Database
from tests.county import COUNTY, SOUTH, WEST, WIDTH_DEG
from tests.gis_service.test_event_stream import stream
from tests.layers.test_every_layer import tile_at
from tests.serving import Client, serving

LON, LAT = WEST + WIDTH_DEG / 2, SOUTH + 0.005


@pytest.fixture
def living(county_database: Database, tmp_path: Path) -> Iterator[Client]:
    """A client of a service that computes anew behind the requests."""
    with serving(county_database, tmp_path, event_interval_s=1) as client:
        yield client


def counted(client: Client, z: int) -> int:
    """Return how many incidents the tile of the place shows at a zoom."""
    x, y = tile_at(z, LON, LAT)
    answer = client.get(f"/tiles/incidents/{z}/{x}/{y}", headers=client.by("command"))
    found = mapbox_vector_tile.decode(answer.content)["incidents"]["features"]
    return sum(one["properties"].get("n", 1) for one in found)


def wall(client: Client, unit: str = COUNTY) -> Any:
    return client.get(f"/api/wall/{unit}", headers=client.by("command")).json()


def test_a_report_reaches_the_wall(living: Client) -> None:
    before, drawn = wall(living), {z: counted(living, z) for z in (4, 14)}
    report = {
        "id": str(uuid.uuid4()), "title": "涵洞积水", "kind": "event", "category": "water",
        "urgency": "red", "occurred_at": datetime.now(UTC).isoformat(), "lon": LON, "lat": LAT,
    }  # fmt: skip
    with stream(living) as events:
        events.next("kpi")
        for status in (201, 200):  # the phone had no answer the first time and sends it again
            answer = living.post("/api/incidents", json=report, headers=living.by("worker"))
            assert answer.status_code == status
        told = events.next("inc")["data"]
    assert (told["title"], told["urgency"], told["grid_name"]) == ("涵洞积水", "red", "网格001")

    after = wall(living)
    assert after["incidents"][0]["id"] == report["id"]
    assert after["kpis"][0]["denominator"] == before["kpis"][0]["denominator"] + 1
    assert after["versions"]["incidents"] != before["versions"]["incidents"]

    at = living.get(f"/api/at?lon={LON}&lat={LAT}", headers=living.by("command")).json()
    assert at["grid"]["code"] == told["grid_code"]
    assert (at["grid"]["people"], at["block"]["id"]) == (8, "B000009")

    ends_at = time.monotonic() + 240  # coarse counts follow in the background
    while counted(living, 4) == drawn[4] and time.monotonic() < ends_at:
        time.sleep(0.2)
    assert {z: counted(living, z) - drawn[z] for z in (4, 14)} == {4: 1, 14: 1}
