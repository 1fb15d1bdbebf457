"""Five planners draw on one plan at once: nothing acknowledged is lost, conflicts are told."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.gis_service.test_event_stream import stream
from tests.gis_service.test_plans import GRID_1, GRID_2, get, refused, started
from tests.serving import Client

PLANNERS, SECONDS = 5, 3
VILLAGE = ("B000009", "B000010", "B000011", "B000012")  # that all of them draw in


@dataclass
class Planner:
    """One planner: what they have drawn and been told."""

    rng: random.Random
    version: int = 0
    acknowledged: list[tuple[int, str, str]] = field(default_factory=list)
    idle: int = 0  # strokes that changed nothing
    conflicts: list[dict[str, Any]] = field(default_factory=list)


def test_what_is_acknowledged_stands_and_what_conflicts_is_told(own_client: Client) -> None:
    plan = started(own_client)
    planners = [Planner(random.Random(seed)) for seed in range(PLANNERS)]
    with stream(own_client, "planner") as events, ThreadPoolExecutor(PLANNERS) as pool:
        running = [pool.submit(draws, own_client, plan, one) for one in planners]
        for one in running:
            one.result()
        told = events.next("ver", layer=f"plan:{plan}")["data"]
    assert told["layer"] == f"plan:{plan}"

    whole = get(own_client, f"/plans/{plan}")
    acknowledged = sorted(move for one in planners for move in one.acknowledged)
    conflicts = [problem for one in planners for problem in one.conflicts]
    idle = sum(one.idle for one in planners)
    assert len(acknowledged) + len(conflicts) + idle == PLANNERS * SECONDS
    # each move that changed something is in the log, under the version that its planner was told
    assert [version for version, _, _ in acknowledged] == list(range(1, whole["version"] + 1))
    assert len(whole["strokes"]) == len(acknowledged)
    last = {name: to for _, name, to in acknowledged}
    blocks = get(own_client, f"/plans/{plan}/assignment")["blocks"]
    assert {name: blocks[name] for name in last} == last
    # whoever has seen nothing of it is told, however the others met
    stroke = {"kind": "move", "blocks": [acknowledged[-1][1]], "to": GRID_1}
    status, late = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert status == 409
    # nobody wrote over what they had not seen
    for problem in (*conflicts, late):
        assert (problem["code"], problem["where"]["by"]) == ("plan-changed", "planner")
        assert problem["where"]["both"]
        assert problem["zh"] and problem["en"]


def draws(client: Client, plan: int, one: Planner) -> None:
    """Make a stroke a second; look at the plan only after being told of a conflict."""
    for _ in range(SECONDS):
        started_at = time.monotonic()
        name, to = one.rng.choice(VILLAGE), one.rng.choice((GRID_1, GRID_2))
        stroke = {"kind": "move", "blocks": [name], "to": to}
        answer = client.post(
            f"/api/plans/{plan}/strokes",
            json={"base_version": one.version, "stroke": stroke},
            headers=client.by("planner"),
        )
        body = answer.json()
        if answer.status_code == 200:
            if body["changed"]:
                one.acknowledged.append((body["version"], name, to))
            else:
                one.idle += 1
            one.version = body["version"]
        else:
            assert answer.status_code == 409, answer.text
            one.conflicts.append(body)
            one.version = get(client, f"/plans/{plan}")["version"]
        time.sleep(max(0.0, 1 - (time.monotonic() - started_at)))
