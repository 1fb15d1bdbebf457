"""The moment that figures are as of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert

from grid_boundaries.store import county
from layers.reference_time import reference_time

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def county_with(connection: Connection, facts: dict[str, Any]) -> None:
    connection.execute(
        insert(county).values(
            code="610923", name="县", profile="cn", metric_srid=4545, dataset="x",
            centre_lon=108.3, centre_lat=33.3, population_basis="present", facts=facts,
        )
    )  # fmt: skip


def test_an_empty_database_is_as_of_now(connection: Connection) -> None:
    assert reference_time(connection, NOW) == NOW


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"historic": True},
        {"historic": False, "latest_incident_at": "2024-12-31 23:00:00+08:00"},
        {"latest_incident_at": "2024-12-31 23:00:00+08:00"},
        {"historic": True, "latest_incident_at": "2030-01-01 00:00:00+08:00"},
    ],
)
def test_a_living_county_is_as_of_now(connection: Connection, facts: dict[str, Any]) -> None:
    county_with(connection, facts)
    assert reference_time(connection, NOW) == NOW


def test_a_register_of_the_past_is_as_of_its_newest_incident(connection: Connection) -> None:
    county_with(connection, {"historic": True, "latest_incident_at": "2024-12-31 23:00:00+08:00"})
    as_of = reference_time(connection, NOW)
    assert as_of == datetime(2024, 12, 31, 15, 0, tzinfo=UTC)
    assert as_of.tzinfo == NOW.tzinfo
