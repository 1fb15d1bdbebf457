"""Past days as they were known: late reports left out, grids of the day, days that may be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from grid_boundaries.errors import Refused
from grid_boundaries.store import block_count, grid
from grid_boundaries.view import View
from layers.hotspots.asked import (
    FIRST_DAY,
    METHODS,
    Question,
    computed_answer,
    moment_of,
    stored_answer,
    within,
)
from layers.hotspots.inputs import Filters
from layers.hotspots.looking import sight
from layers.hotspots.refresh import refresh
from layers.incidents import incident
from layers.people import person
from tests.county import COUNTY_PATH, NOW, TODAY, build
from tests.layers.hotspots.test_refresh import add_incidents

COUNTY = View(actor="tester", scope=(COUNTY_PATH,))
EVENING = NOW.replace(hour=23, minute=59, second=59)


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def counted(connection: Connection, **asked: Any) -> dict[str, Any]:
    return computed_answer(connection, COUNTY, Question(**asked), NOW)


def test_today_is_now_and_a_past_day_its_last_moment() -> None:
    assert moment_of(None, NOW) == NOW
    assert moment_of(TODAY, NOW) == NOW
    before = moment_of(TODAY - timedelta(days=1), NOW)
    assert timedelta(0) < NOW.replace(hour=0, minute=0) - before <= timedelta(microseconds=1)
    assert before.tzinfo is NOW.tzinfo


@pytest.mark.parametrize(
    "day", [TODAY + timedelta(days=1), FIRST_DAY - timedelta(days=1), date.min, date.max]
)
def test_days_to_come_and_days_before_any_register_are_refused(day: date) -> None:
    with pytest.raises(Refused) as caught:
        moment_of(day, NOW)
    assert caught.value.code == "as-of-day"


def test_the_day_is_that_of_the_countys_zone() -> None:
    # 10:00 in Shanghai is still the second of March; 17:00 UTC is the third there
    assert moment_of(TODAY, NOW) == NOW
    late = datetime(2026, 3, 2, 17, 0, tzinfo=UTC).astimezone(NOW.tzinfo)
    assert moment_of(TODAY, late).date() == TODAY


def test_what_was_reported_later_was_not_known(county: Connection) -> None:
    day = TODAY - timedelta(days=5)
    before = counted(county, as_of=day)["incidents"]
    late = incident.c.id.like("I0012")
    county.execute(update(incident).where(late).values(reported_at=NOW - timedelta(days=1)))
    assert counted(county, as_of=day)["incidents"] == before - 1
    assert counted(county, as_of=TODAY)["incidents"] == 48


@pytest.mark.parametrize("cells", ["grid", "village", "hex"])
@pytest.mark.parametrize("window", [7, 90])
def test_a_past_day_is_answered_as_it_was_stored_whatever_came_later(
    county: Connection, cells: str, window: int
) -> None:
    add_incidents(county, 200)
    # places alone are compared, so that there is something hot
    county.execute(delete(person))
    county.execute(update(block_count).values(people=None))
    asked = Question("gi", cells, window)
    refresh(county, COUNTY, EVENING)
    stored = stored_answer(county, COUNTY, asked)
    assert stored is not None
    columns = [column for column in incident.c if not (column.computed or column.identity)]
    row = dict(county.execute(select(*columns).limit(1)).one()._mapping)
    later = {"occurred_at": NOW - timedelta(hours=2), "reported_at": NOW + timedelta(days=2)}
    county.execute(insert(incident), [row | later | {"id": f"late-{n}"} for n in range(40)])
    after = NOW + timedelta(days=9)
    refresh(county, COUNTY, after)
    replayed = computed_answer(county, COUNTY, replace(asked, as_of=TODAY), after)
    del stored["computed_at"], replayed["computed_at"]
    assert replayed == stored
    if cells == "hex" and window == 90:
        assert stored["findings"]


def test_grids_of_the_day_are_looked_at(county: Connection) -> None:
    day = TODAY - timedelta(days=5)
    before = counted(county, as_of=day)["counts"]
    # since yesterday one grid has another code
    code = before[0]["cell"]
    names = [column for column in grid.c if not column.computed]
    row = dict(county.execute(select(*names).where(grid.c.code == code)).one()._mapping)
    yesterday = TODAY - timedelta(days=1)
    county.execute(update(grid).where(grid.c.code == code).values(valid_to=yesterday))
    county.execute(insert(grid), [row | {"code": f"{code[:-3]}999", "valid_from": yesterday}])
    moved = update(incident).where(incident.c.grid_code == code)
    county.execute(moved.values(grid_code=f"{code[:-3]}999"))
    assert counted(county, as_of=day)["counts"] == before
    now = {one["cell"] for one in counted(county)["counts"]}
    assert (code in now, f"{code[:-3]}999" in now) == (False, True)


@pytest.mark.parametrize(
    ("asked", "is_plain"),
    [
        ({}, True), ({"cells": "hex"}, True), ({"as_of": TODAY}, False),
        ({"filters": Filters(kind="event")}, False), ({"hex_width_m": 300.0}, False),
    ],
)  # fmt: skip
def test_only_plain_questions_are_answered_from_the_store(
    county: Connection, asked: dict[str, Any], is_plain: bool
) -> None:
    refresh(county, COUNTY, NOW)
    assert (stored_answer(county, COUNTY, Question(**asked)) is not None) == is_plain


def test_what_was_never_computed_is_not_stored(county: Connection) -> None:
    assert stored_answer(county, COUNTY, Question(window_days=11)) is None


@pytest.mark.parametrize("method", METHODS)
def test_a_county_without_incidents_is_answered(county: Connection, method: str) -> None:
    found = counted(county, method=method, as_of=date(2020, 1, 1))
    assert (found["incidents"], found["tested"], found["findings"]) == (0, False, [])


def test_an_empty_scope_sees_nothing_of_an_answer() -> None:
    rows = [{"unit_path": COUNTY_PATH}]
    answer = {"findings": rows, "counts": rows, "incidents": 1}
    assert within(answer, ()) == {"findings": [], "counts": [], "incidents": 1}
    assert within(answer, (COUNTY_PATH,)) == answer


def test_ages_are_whole_days_of_the_calendar(county: Connection) -> None:
    county.execute(
        update(incident)
        .where(incident.c.id == "I0011")
        .values(occurred_at=NOW.replace(hour=0, minute=0) - timedelta(minutes=1))
    )
    ages = sight(county, COUNTY, NOW).incidents.set_index("id")["age_days"]
    assert (ages["I0011"], ages["I0021"]) == (1, 0)
