"""Alerts follow the hotspots: raised once, held back over the week's limit, ended, reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from shapely import MultiPolygon
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from grid_boundaries.actors import actor
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.alerts.refresh import COOL_DAYS, DUE_DAYS, refresh
from layers.alerts.tables import alert, alert_step
from layers.hotspots.tables import hotspot, hotspot_finding, hotspot_run
from layers.incidents import incident
from layers.postings import posting
from tests.conftest import become_service
from tests.county import COUNTY_PATH, NOW, TOWNS, Block, add, blocks, build

COUNTY = View(actor="service", scope=(COUNTY_PATH,))
GRIDS = sorted({block.grid: block for block in blocks()}.items())


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    for table in (alert, hotspot, hotspot_run):
        connection.execute(delete(table))
    return connection


def hot(connection: Connection, grids: int, at: datetime = NOW, window_days: int = 30) -> None:
    """Make the first so many grids hot, the first the surest."""
    for table in (hotspot, hotspot_finding, hotspot_run):
        connection.execute(delete(table))
    rows = [_hot(code, block, number, window_days) for number, (code, block) in enumerate(GRIDS)]
    if grids:
        add(connection, hotspot, rows[:grids])
        connection.execute(insert(hotspot_finding), [_finding(row) for row in rows[:grids]])
    run = {
        "cells": "grid", "window_days": window_days, "incidents": 90, "located": 90,
        "coincident": 0, "tested": True, "says": {}, "input_version": 0, "computed_at": at,
    }  # fmt: skip
    connection.execute(insert(hotspot_run), [run])


def _hot(code: str, block: Block, number: int, window_days: int) -> dict[str, Any]:
    placed = block.placed(block_id=None, grid_code=code)
    return {
        "id": f"grid:{window_days}:{code}", "cells": "grid", "window_days": window_days,
        "cell": code, "name": f"网格{number}", "incidents": 9, "observed": 12, "expected": 4.0,
        "z": 4.0, "p": 0.001 * (number + 1), "p_adjusted": 0.002 * (number + 1), "hot": True,
        "says": {"zh": "热", "en": "hot"}, "geom": MultiPolygon([block.shape]), **placed,
    }  # fmt: skip


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": "gi", "cells": "grid", "window_days": row["window_days"],
        "rank": int(row["p"] * 1000), "unit_path": row["unit_path"],
        "body": {"cell": row["cell"], "zh": "热", "en": "hot", "phase": "new"},
    }  # fmt: skip


def rows(connection: Connection) -> list[Row[Any]]:
    return list(connection.execute(select(alert).order_by(alert.c.p_adjusted)))


def states(connection: Connection) -> list[str]:
    return [row.state for row in rows(connection)]


def test_a_new_hotspot_is_raised_with_its_finding_and_a_deadline(county: Connection) -> None:
    hot(county, 1)
    assert refresh(county, COUNTY, NOW)["raised"] == 1
    (row,) = rows(county)
    assert (row.state, row.cell, row.version) == ("raised", GRIDS[0][0], 1)
    assert row.due_at - row.raised_at == timedelta(days=DUE_DAYS)
    assert row.ratio == 3.0
    assert row.finding["phase"] == "new"


def test_the_same_data_twice_raise_nothing_twice(county: Connection) -> None:
    hot(county, 3)
    refresh(county, COUNTY, NOW)
    before = rows(county)
    again = refresh(county, COUNTY, NOW)
    assert again == {"new": 0, "raised": 0, "held": 0, "ended": 0, "reviewed": 0}
    assert rows(county) == before


def test_a_second_run_announces_nothing(county: Connection) -> None:
    hot(county, 3)
    refresh(county, COUNTY, NOW)
    announced = select(func.count()).where(outbox.c.layer == "alerts")
    first = county.scalar(announced)
    assert first
    refresh(county, COUNTY, NOW)
    assert county.scalar(announced) == first


def test_without_hotspots_there_is_nothing_to_tell(county: Connection) -> None:
    assert refresh(county, COUNTY, NOW)["raised"] == 0
    hot(county, 0)
    assert refresh(county, COUNTY, NOW)["raised"] == 0


def test_other_windows_raise_no_alert(county: Connection) -> None:
    hot(county, 3, window_days=90)
    assert refresh(county, COUNTY, NOW)["new"] == 0


def test_over_the_weeks_limit_the_surest_are_raised_and_the_others_held(county: Connection) -> None:
    hot(county, 5)
    found = refresh(county, COUNTY, NOW, a_week=2)
    assert (found["raised"], found["held"]) == (2, 3)
    assert states(county) == ["raised", "raised", "held", "held", "held"]


def test_a_limit_of_none_holds_all_back(county: Connection) -> None:
    hot(county, 2)
    assert refresh(county, COUNTY, NOW, a_week=0) == {
        "new": 2, "raised": 0, "held": 2, "ended": 0, "reviewed": 0
    }  # fmt: skip


def test_who_was_held_back_comes_when_the_week_is_over(county: Connection) -> None:
    hot(county, 3)
    refresh(county, COUNTY, NOW, a_week=2)
    almost = NOW + timedelta(days=7, seconds=-1)
    hot(county, 3, at=almost)
    assert refresh(county, COUNTY, almost, a_week=2)["raised"] == 0
    later = NOW + timedelta(days=7)
    hot(county, 3, at=later)
    assert refresh(county, COUNTY, later, a_week=2)["raised"] == 1
    assert states(county) == ["raised"] * 3


def test_in_no_seven_days_are_more_raised_than_the_limit(county: Connection) -> None:
    for day in range(0, 30, 2):
        at = NOW + timedelta(days=day)
        hot(county, 8, at=at)
        refresh(county, COUNTY, at, a_week=2)
    raised = sorted(row.raised_at for row in rows(county) if row.raised_at)
    assert len(raised) == 8
    assert all(b - a >= timedelta(days=7) for a, b in zip(raised, raised[2:], strict=False))


def test_a_hotspot_that_lasts_stays_one_alert(county: Connection) -> None:
    for day in range(0, 60, 3):
        hot(county, 1, at=NOW + timedelta(days=day))
        refresh(county, COUNTY, NOW + timedelta(days=day))
    (row,) = rows(county)
    assert (row.last_hot_on - row.first_hot_on).days == 57
    assert row.version == 1


def test_one_that_flickers_stays_one_alert(county: Connection) -> None:
    for day in range(COOL_DAYS):
        hot(county, day % 2, at=NOW + timedelta(days=day + 1))
        refresh(county, COUNTY, NOW + timedelta(days=day + 1))
    assert len(rows(county)) == 1


def test_one_that_cooled_down_and_comes_back_is_another_alert(county: Connection) -> None:
    hot(county, 1)
    refresh(county, COUNTY, NOW)
    cold = NOW + timedelta(days=COOL_DAYS + 1)
    hot(county, 0, at=cold)
    assert refresh(county, COUNTY, cold)["ended"] == 1
    hot(county, 1, at=cold + timedelta(days=1))
    assert refresh(county, COUNTY, cold + timedelta(days=1))["raised"] == 1
    assert len({row.id for row in rows(county)}) == 2
    assert [row.ended_on is None for row in sorted(rows(county), key=lambda one: one.id)] == [
        False,
        True,
    ]


def test_who_cooled_down_while_held_back_is_not_raised(county: Connection) -> None:
    hot(county, 2)
    refresh(county, COUNTY, NOW, a_week=1)
    later = NOW + timedelta(days=7)
    hot(county, 1, at=later)
    assert refresh(county, COUNTY, later, a_week=1)["raised"] == 0


@pytest.mark.parametrize(
    ("posts", "centres", "receiver", "depth"),
    [
        (("worker", "chief"), True, "worker", 3), (("chief",), True, "chief", 3),
        ((), True, "village_centre", 3), ((), False, "command", 1),
    ],
)  # fmt: skip
def test_the_nearest_who_is_there_is_told(
    county: Connection, posts: tuple[str, ...], centres: bool, receiver: str, depth: int
) -> None:
    code, block = GRIDS[0]
    county.execute(delete(posting))
    for role in posts:
        row = {
            "id": role, "worker_id": role, "grid_code": code, "unit_path": block.path,
            "role": role, "valid_from": NOW.date(), "valid_to": None,
        }  # fmt: skip
        county.execute(insert(posting), [row])
    if not centres:
        county.execute(update(actor).values(active=False))
    hot(county, 1)
    refresh(county, COUNTY, NOW)
    (found,) = rows(county)
    assert found.receiver == receiver
    assert found.receiver_path.count("/") == depth + 1


def test_a_vacant_grid_without_a_village_centre_is_the_towns(county: Connection) -> None:
    county.execute(delete(posting))
    county.execute(update(actor).where(actor.c.role == "village_centre").values(active=False))
    hot(county, 1)
    refresh(county, COUNTY, NOW)
    (found,) = rows(county)
    assert (found.receiver, found.receiver_path) == ("town_centre", f"{COUNTY_PATH}{TOWNS[0]}/")


def measured(connection: Connection, before: int, after: int) -> datetime:
    """Raise an alert, measure it a day later, strew incidents; return the day of the review."""
    connection.execute(delete(incident))
    hot(connection, 1)
    refresh(connection, COUNTY, NOW)
    done = NOW + timedelta(days=1)
    connection.execute(update(alert).values(state="measured", measured_at=done))
    block = GRIDS[0][1]
    moments = [NOW - timedelta(days=number % 30) for number in range(before)]
    moments += [done + timedelta(days=1 + number % 30) for number in range(after)]
    # elsewhere, and before and after what is looked at: none of these counts
    moments += [NOW - timedelta(days=30), done, done + timedelta(days=31)]
    made = [_incident(block, number, at) for number, at in enumerate(moments)]
    made += [_incident(blocks()[-1], 10_000 + number, NOW) for number in range(20)]
    add(connection, incident, made)
    return done + timedelta(days=31)


def _incident(block: Block, number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"r-{number}", "geom": block.at(0.3, 0.3), "kind": "event", "category": "noise",
        "source": "12345", "urgency": "blue", "state": "reported", "occurred_at": at,
        "reported_at": at, **block.placed(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(60, 20, "fell"), (40, 38, "not_fallen"), (3, 1, "too_few"), (0, 0, "too_few")],
)
def test_thirty_days_after_the_measure_the_figure_is_looked_at(
    county: Connection, before: int, after: int, verdict: str
) -> None:
    day = measured(county, before, after)
    assert refresh(county, COUNTY, day - timedelta(days=1))["reviewed"] == 0
    assert refresh(county, COUNTY, day)["reviewed"] == 1
    (row,) = rows(county)
    assert (row.state, row.version, row.reviewed_at) == ("closed", 2, day)
    assert row.review["verdict"] == verdict
    assert (row.review["before"], row.review["after"]) == (before, after)
    assert refresh(county, COUNTY, day)["reviewed"] == 0


def test_a_closed_alert_whose_place_is_still_hot_is_not_raised_anew(county: Connection) -> None:
    day = measured(county, 40, 40)
    for _ in range(2):
        hot(county, 1, at=day)
        refresh(county, COUNTY, day)
    assert states(county) == ["closed"]


def test_every_step_is_kept_with_who_and_when(county: Connection) -> None:
    day = measured(county, 40, 40)
    refresh(county, COUNTY, day)
    steps = county.execute(select(alert_step).order_by(alert_step.c.id)).all()
    assert [(step.state, step.actor, step.version) for step in steps] == [
        ("raised", "service", 1),
        ("closed", "service", 2),
    ]


def test_the_service_itself_may_do_it(county: Connection) -> None:
    hot(county, 2)
    become_service(county, COUNTY)
    assert refresh(county, COUNTY, NOW)["raised"] == 2
