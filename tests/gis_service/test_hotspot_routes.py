"""Hotspots through the API: stored and computed answers, past days, rights and scope."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving import Client

WITHOUT_RIGHT = ("planner", "approver", "auditor", "integration")
WAYS = ("/api/hotspots", "/api/hotspots/forecast", "/api/hotspots/trends")


def asked(client: Client, way: str, role: str = "command", **query: Any) -> dict[str, Any]:
    answer = client.get(way, params=query, headers=client.by(role))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", WITHOUT_RIGHT)
def test_who_may_not_see_incidents_sees_no_hotspots(client: Client, way: str, role: str) -> None:
    answer = client.get(way, headers=client.by(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize("method", ["gi", "scan", "emerging", "near-repeat"])
@pytest.mark.parametrize("cells", ["grid", "village", "block", "hex"])
def test_every_method_answers_on_every_kind_of_cells(
    client: Client, method: str, cells: str
) -> None:
    answer = client.get(
        "/api/hotspots",
        params={"method": method, "cells": cells, "window": 30},
        headers=client.by("command"),
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["cells"] == cells
    # three incidents in each of sixteen blocks, all within the last month
    assert found["incidents"] == 48
