"""What a wall shows beside its map, worked out by hand on the made-up county."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from grid_boundaries.view import View
from layers.cameras import camera
from layers.duty import wall
from layers.duty.kpis import kpis
from layers.incidents import incident
from tests.county import COUNTY_PATH, NOW, build

COUNTY = View("tester", (COUNTY_PATH,), frozenset({"incidents", "counts"}))
NOWHERE = View("tester")


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def test_assumed_values_stand_with_their_range(county: Connection) -> None:
    assert wall.assumed_values(county, COUNTY) == {"range_m": (100.0, 100.0)}
    one = camera.c.id == "K1"
    county.execute(
        update(camera).where(one).values(assumed=["range_m", "view_angle_deg"], range_m=30.0)
    )
    found = wall.assumed_values(county, COUNTY)
    assert found == {"range_m": (30.0, 100.0), "view_angle_deg": (60.0, 60.0)}


def test_nothing_assumed_is_said_by_nothing(county: Connection) -> None:
    county.execute(update(camera).values(assumed=[]))
    assert wall.assumed_values(county, COUNTY) == {}
    assert wall.coverage(county, COUNTY)["assumed_values"] == {}


def test_who_sees_nothing_is_told_no_value(county: Connection) -> None:
    assert wall.assumed_values(county, NOWHERE) == {}


def test_coverage_adds_up_over_the_grids(county: Connection) -> None:
    sums = wall.coverage(county, COUNTY)
    assert (sums["people"], sums["people_unseen"]) == (8 * 8.0, 8 * 2.0)
    assert (sums["cameras_built"], sums["cameras_working"]) == (16, 8)
    assert sums["terrain"] is False


def test_incidents_of_later_today_are_not_told_yet(county: Connection) -> None:
    newest = wall.latest_incidents(county, COUNTY, NOW)[0]["id"]
    county.execute(
        update(incident).where(incident.c.id == newest).values(occurred_at=NOW + timedelta(hours=1))
    )
    told = [one["id"] for one in wall.latest_incidents(county, COUNTY, NOW)]
    assert newest not in told
    assert told


def test_an_incident_closed_without_an_hour_is_not_open(county: Connection) -> None:
    def still_open() -> float | None:
        return next(k for k in kpis(county, COUNTY, NOW) if k.key == "incidents_today").denominator

    before = still_open()
    assert before
    county.execute(update(incident).values(state="closed", closed_at=None))
    assert still_open() == 0


def dispatch(connection: Connection) -> tuple[float | None, float | None]:
    figure = next(k for k in kpis(connection, COUNTY, NOW) if k.key == "dispatch_in_time")
    return figure.numerator, figure.denominator


def test_what_was_sent_and_taken_up_soon_counts_as_dispatched_in_time(county: Connection) -> None:
    assert dispatch(county) == (16, 16)


@pytest.mark.parametrize(
    ("sent_min", "taken_min", "in_time"),
    [(30, 60, 16), (31, 60, 0), (30, 61, 0), (0, 0, 16), (30, None, 0)],
)
def test_both_limits_of_a_dispatch_belong_to_the_time_allowed(
    county: Connection, sent_min: int, taken_min: int | None, in_time: int
) -> None:
    sent = incident.c.reported_at + timedelta(minutes=sent_min)
    taken = None if taken_min is None else sent + timedelta(minutes=taken_min)
    county.execute(
        update(incident)
        .where(incident.c.dispatched_at.is_not(None))
        .values(dispatched_at=sent, received_at=taken)
    )
    assert dispatch(county) == (in_time, 16)


def test_what_was_never_dispatched_counts_on_neither_side(county: Connection) -> None:
    county.execute(update(incident).values(dispatched_at=None, received_at=None))
    assert dispatch(county) == (0, 0)
