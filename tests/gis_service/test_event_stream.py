"""The live channel over a real socket: snapshot, deltas, replay, and whose events they are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, update

from gis_service.database import Database
from grid_boundaries.actors import actor
from tests.county import COUNTY, SOUTH, VILLAGES, WEST, WIDTH_DEG
from tests.serving import Client, settings_of, sqlalchemy_url

LON, LAT = WEST + WIDTH_DEG / 2, SOUTH + 0.005
EAST = WEST + 7.5 * WIDTH_DEG


class Stream:
    """Events of one open stream, read in a thread."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.ended = threading.Event()
        self._queue: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event: dict[str, Any] = {}
        try:
            for line in self.answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = json.loads(value) if name == "data" else value
                else:
                    self._queue.put(event)
                    event = {}
        except (httpx.HTTPError, httpx.StreamError):
            return
        finally:
            self.ended.set()

    def next(self, kind: str, *, layer: str = "", wait_s: float = 60) -> dict[str, Any]:
        """Return the next event of a kind; what comes before it is passed over."""
        until = time.monotonic() + wait_s
        while True:  # beats come all the time, so one waits so long in all
            event = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            if event.get("event") == kind and layer in {"", _layer(event)}:
                return event

    def is_silent(self, kind: str, wait_s: float = 1.5) -> bool:
        """Say whether no event of a kind comes for a while."""
        try:
            self.next(kind, wait_s=wait_s)
        except Empty:
            return True
        return False


def _layer(event: dict[str, Any]) -> str:
    data = event["data"]
    return str(data.get("layer", "")) if isinstance(data, dict) else ""


@contextmanager
def stream(
    client: Client, role: str = "command", unit: str = "", last_id: str = ""
) -> Iterator[Stream]:
    headers = client.by(role) | ({"Last-Event-ID": last_id} if last_id else {})
    with client.stream(
        "GET", "/api/events", params={"unit": unit} if unit else {}, headers=headers
    ) as answer:
        assert answer.status_code == 200
        yield Stream(answer)


def report(client: Client, lon: float = LON, **changed: Any) -> dict[str, Any]:
    body = {
        "id": str(uuid.uuid4()), "title": "积水", "kind": "event", "category": "water",
        "occurred_at": datetime.now(UTC).isoformat(), "lon": lon, "lat": LAT, **changed,
    }  # fmt: skip
    assert client.post("/api/incidents", json=body, headers=client.by("integration")).is_success
    return body


def move(client: Client, lon: float, **changed: Any) -> None:
    body = {
        "id": str(uuid.uuid4()), "worker_id": "W000009", "lon": lon, "lat": LAT,
        "located_at": datetime.now(UTC).isoformat(), **changed,
    }  # fmt: skip
    assert client.post("/api/positions", json=body, headers=client.by("worker")).is_success


def test_a_stream_opens_with_a_snapshot_and_figures(client: Client) -> None:
    with stream(client) as events:
        assert events.answer.headers["content-type"].startswith("text/event-stream")
        assert events.answer.headers["x-accel-buffering"] == "no"
        workers = events.next("snap")["data"]["workers"]
        assert set(workers) == {"id", "lon", "lat", "at", "post"}
        assert len(workers["id"]) == len(workers["lon"]) == 12
        keys = [kpi["key"] for kpi in events.next("kpi")["data"]]
        assert keys[0] == "incidents_today"


def test_silence_is_broken_by_a_beat(client: Client) -> None:
    with stream(client) as events:
        assert events.next("beat")["data"] == {}


def test_an_incident_is_told_and_its_layer_has_a_new_version(own_client: Client) -> None:
    with stream(own_client) as events:
        events.next("kpi")
        body = report(own_client)
        told = {events.next("inc")["data"]["id"], body["id"]}
        assert told == {body["id"]}


def test_the_told_incident_is_as_the_wall_lists_it(own_client: Client) -> None:
    with stream(own_client) as events:
        events.next("kpi")
        body = report(own_client)
        told = events.next("inc")["data"]
    wall = own_client.get(f"/api/wall/{COUNTY}", headers=own_client.by("command")).json()
    listed = next(one for one in wall["incidents"] if one["id"] == body["id"])
    assert set(told) == set(listed)
    assert {name: told[name] for name in told if name != "occurred_at"} == {
        name: listed[name] for name in listed if name != "occurred_at"
    }


def test_a_new_version_names_layer_and_box(own_client: Client) -> None:
    with stream(own_client) as events:
        events.next("kpi")
        report(own_client)
        data = events.next("ver", layer="incidents")["data"]
    assert data["box"] == pytest.approx([LON, LAT, LON, LAT])
    assert data["version"].count(".") == 1


def test_a_worker_who_moves_is_told_as_columns(own_client: Client) -> None:
    with stream(own_client) as events:
        events.next("kpi")
        move(own_client, LON + WIDTH_DEG)
        data = events.next("pos")["data"]
        assert (data["id"], data["lon"]) == (["W000009"], [pytest.approx(LON + WIDTH_DEG)])
        move(own_client, LON, on_duty=False)
        gone = events.next("pos")["data"]
        assert (gone["id"], gone["lon"], gone["lat"]) == (["W000009"], [None], [None])


def test_figures_follow_an_incident(own_client: Client) -> None:
    with stream(own_client) as events:
        before = events.next("kpi")["data"]
        report(own_client)
        after = events.next("kpi")["data"]
    assert after[0]["denominator"] == before[0]["denominator"] + 1


def test_a_village_hears_only_its_own(own_client: Client) -> None:
    with stream(own_client, "chief") as events:
        events.next("kpi")
        report(own_client, lon=EAST)
        assert events.is_silent("inc")
        body = report(own_client)
        assert events.next("inc")["data"]["id"] == body["id"]


def test_a_change_elsewhere_is_no_business_of_a_village(own_client: Client) -> None:
    with stream(own_client, "chief") as events:
        events.next("kpi")
        report(own_client, lon=EAST)
        report(own_client)
        first = events.next("ver", layer="incidents")["data"]
        assert first["box"] is None or first["box"][2] < WEST + 4 * WIDTH_DEG + 1e-9


def test_a_stream_of_one_unit_tells_of_that_unit(own_client: Client) -> None:
    with stream(own_client, unit=VILLAGES[2]) as events:
        events.next("kpi")
        report(own_client)
        body = report(own_client, lon=EAST - 0.01)
        assert events.next("inc")["data"]["id"] == body["id"]


def test_what_was_missed_is_told_after_coming_back(own_client: Client) -> None:
    with stream(own_client) as events:
        events.next("kpi")
        report(own_client)
        last = events.next("ver", layer="incidents")["id"]
    missed = report(own_client)
    with stream(own_client, last_id=last) as events:
        ids = [events.next("inc")["data"]["id"]]
        if ids != [missed["id"]]:  # the first one may stand at the same place in the order
            ids.append(events.next("inc")["data"]["id"])
        assert ids[-1] == missed["id"]


@pytest.mark.parametrize("last_id", ["0.0", "nonsense", "999999999999999999999999.1", "-1.2"])
def test_an_id_that_is_not_kept_gets_a_snapshot(client: Client, last_id: str) -> None:
    with stream(client, last_id=last_id) as events:
        assert events.next("snap") if last_id in {"nonsense", "-1.2"} else True


def test_without_the_right_no_worker_is_told(own_client: Client) -> None:
    with stream(own_client, "planner") as events:
        assert events.next("snap")["data"]["workers"] == {}
        events.next("kpi")
        move(own_client, LON + WIDTH_DEG)
        report(own_client)
        assert events.is_silent("pos")


def test_a_unit_of_others_has_no_stream(client: Client) -> None:
    answer = client.get("/api/events", params={"unit": VILLAGES[3]}, headers=client.by("chief"))
    assert answer.status_code == 404


@pytest.mark.parametrize("unit", ["999999", "' or 1=1--", "%", ""])
def test_an_unknown_unit_has_no_stream(client: Client, unit: str) -> None:
    if unit:
        answer = client.get("/api/events", params={"unit": unit}, headers=client.by("command"))
        assert answer.status_code == 404


@pytest.mark.parametrize("change", [{"active": False}, {"scope": []}, {"role": "auditor"}])
def test_a_stream_ends_when_its_asker_may_no_longer_see_it(
    own_client: Client,
    county_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
) -> None:
    monkeypatch.setattr("gis_service.access.FRESH_S", 0.0)
    with stream(own_client, "chief") as events:
        events.next("kpi")
        owner = create_engine(sqlalchemy_url(county_database.owner_url))
        with owner.begin() as connection:
            connection.execute(update(actor).where(actor.c.name == "chief").values(**change))
        owner.dispose()
        # the interval of silence is a second; the rest is for a slow machine
        assert events.ended.wait(60)


def test_streams_end_at_once_when_the_service_is_about_to_stop(
    county_database: Database, tmp_path: Path
) -> None:
    settings = settings_of(county_database, tmp_path)
    place = {"GIS_DATABASE_URL": settings.database_url or "", "GIS_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], env=os.environ | place, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with Client(port, settings) as client, stream(client) as events:
                events.next("kpi")
                process.send_signal(signal.SIGTERM)
                _, told = process.communicate(timeout=120)
                assert events.ended.wait(60)
        finally:
            process.kill()
    assert process.returncode in {0, -signal.SIGTERM}
    # uvicorn would tell of what it had to cut off
    assert "Traceback" not in told
    assert "Cancel" not in told


# the server as it is run, patient for far longer than the test
_SERVER = """
import uvicorn
from gis_service.app import create_app
from gis_service.listening import listening_socket
from gis_service.settings import Settings
with listening_socket("127.0.0.1", 0) as listening:
    config = uvicorn.Config(create_app(Settings()), log_config=None, timeout_graceful_shutdown=25)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])
"""
