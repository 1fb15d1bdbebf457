"""The wall's figures counted by hand, and reports written once however often they come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select, update

from grid_boundaries.errors import NotFound, Refused, Unavailable
from grid_boundaries.store import unit
from grid_boundaries.view import View
from layers.cameras import camera
from layers.coverage.tables import grid_coverage
from layers.duty import intake, wall
from layers.duty.kpis import Kpi, kpis
from layers.duty.locating import Locator
from layers.incidents import incident
from layers.read import the_county
from layers.visits import visit
from layers.workers import worker
from tests.county import (
    COUNTY,
    COUNTY_PATH,
    HEIGHT_DEG,
    NOW,
    SOUTH,
    TOWNS,
    VILLAGES,
    WEST,
    WIDTH_DEG,
    blocks,
    build,
    path_of,
)

RIGHTS = frozenset({"incidents", "workers", "cameras", "counts"})
EVERYTHING = View("tester", (COUNTY_PATH,), RIGHTS)
VILLAGE = View("tester", (path_of(VILLAGES[0]),), RIGHTS)
NOBODY = View("tester", (), RIGHTS)


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def figures(connection: Connection, view: View = EVERYTHING, now: datetime = NOW) -> dict[str, Kpi]:
    return {one.key: one for one in kpis(connection, view, now)}


def both(one: Kpi) -> tuple[float | None, float | None]:
    return one.numerator, one.denominator


def test_every_figure_is_the_one_counted_by_hand(county: Connection) -> None:
    found = figures(county)
    # three incidents a block: an hour, ten and twenty days ago; the oldest is closed in time
    assert both(found["incidents_today"]) == (16, 32)
    assert both(found["incidents_overdue"]) == (16, 32)
    assert both(found["closed_rate"]) == (16, 32)
    assert both(found["satisfaction"]) == (16, 16)
    assert both(found["dispatch_in_time"]) == (16, 16)
    # every fourth worker is off duty, every fourth camera is networked and on-line
    assert both(found["on_duty"]) == (12, 16)
    assert both(found["cameras_online"]) == (4, 8)
    # eight grids, each of 8 people of whom 2 are unseen, and one key place that is seen
    assert both(found["people_unseen"]) == (16, 64)
    assert both(found["key_places_seen"]) == (8, 8)
    assert both(found["report_coverage"]) == (8, 8)


def test_a_village_has_a_quarter_of_everything(county: Connection) -> None:
    found = figures(county, VILLAGE)
    assert both(found["incidents_today"]) == (4, 8)
    assert both(found["on_duty"])[1] == 4
    assert both(found["people_unseen"]) == (4, 16)
    assert both(found["report_coverage"]) == (2, 2)


def test_nobody_counts_nothing_and_divides_by_nothing(county: Connection) -> None:
    for one in figures(county, NOBODY).values():
        assert not one.numerator
        assert one.value is None or one.value == 0


@pytest.mark.parametrize(
    ("rights", "keys"),
    [
        (set(), set()),
        ({"workers"}, {"on_duty"}),
        ({"cameras"}, {"cameras_online"}),
        ({"counts"}, {"people_unseen", "key_places_seen"}),
        ({"people"}, set()),
    ],
)
def test_a_right_opens_its_own_figures_only(
    county: Connection, rights: set[str], keys: set[str]
) -> None:
    view = View("tester", (COUNTY_PATH,), frozenset(rights))
    assert set(figures(county, view)) == keys


def test_today_begins_at_midnight(county: Connection) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    one = incident.c.id == "I0011"
    for moment, counted in ((midnight, 16), (midnight - timedelta(seconds=1), 15)):
        county.execute(update(incident).where(one).values(occurred_at=moment))
        assert figures(county)["incidents_today"].numerator == counted


def test_a_grid_that_only_said_nothing_happened_has_reported(county: Connection) -> None:
    county.execute(delete(incident))
    assert both(figures(county)["report_coverage"]) == (8, 8)
    county.execute(delete(visit).where(visit.c.grid_code != blocks()[0].grid))
    assert both(figures(county)["report_coverage"]) == (1, 8)
    county.execute(delete(visit))
    assert both(figures(county)["report_coverage"]) == (0, 8)


@pytest.mark.parametrize("state", ["planned", "building", "out_of_service"])
def test_a_camera_that_does_not_stand_is_in_neither_number(county: Connection, state: str) -> None:
    county.execute(update(camera).values(state=state, online=True))
    assert both(figures(county)["cameras_online"]) == (0, 0)
    assert figures(county)["cameras_online"].value is None


def test_before_coverage_was_computed_its_figures_are_unknown(county: Connection) -> None:
    county.execute(delete(grid_coverage))
    assert both(figures(county)["people_unseen"]) == (None, None)
    assert figures(county)["people_unseen"].value is None


@settings(derandomize=True, deadline=None)
@given(st.none() | st.integers(0, 99), st.none() | st.integers(0, 99))
def test_a_share_is_a_quotient_or_unknown_and_never_more(
    numerator: int | None, denominator: int | None
) -> None:
    one = Kpi("x", numerator, denominator, "share")
    if numerator is None or not denominator:
        assert one.value is None
    else:
        assert one.value == numerator / denominator
    assert Kpi("x", numerator, denominator, "count").value == numerator


def row(county: Connection, table: Any, key: str) -> dict[str, Any]:
    found = county.execute(select(table).where(table.c.id == key)).mappings().one()
    return {name: value for name, value in found.items() if name not in ("geom_3857",)}


def test_what_is_sent_again_is_stored_once(county: Connection) -> None:
    first = {**row(county, visit, "V1"), "id": "new"}
    again = {**first, "result": "another"}
    assert intake.store(county, visit, [first]) == {"new"}
    assert intake.store(county, visit, [again, {**first, "id": "newer"}]) == {"newer"}
    assert row(county, visit, "new")["result"] == first["result"]
    assert intake.store(county, visit, []) == set()


def test_of_two_reports_with_one_id_in_one_call_the_first_is_taken(county: Connection) -> None:
    first = {**row(county, visit, "V1"), "id": "new", "result": "first"}
    assert intake.store(county, visit, [first, {**first, "result": "second"}]) == {"new"}
    assert row(county, visit, "new")["result"] == "first"


def place(worker_id: str, minutes: int, **columns: Any) -> dict[str, Any]:
    at = blocks()[5].at()
    return {
        "worker_id": worker_id, "geom": f"SRID=4490;{at.wkt}", "on_duty": True,
        "located_at": NOW + timedelta(minutes=minutes), **blocks()[5].placed(), **columns,
    }  # fmt: skip


def located(county: Connection, key: str) -> tuple[datetime, bool]:
    found = row(county, worker, key)
    return found["located_at"], found["on_duty"]


def test_a_worker_is_where_the_newest_report_says_however_they_are_shuffled(
    county: Connection,
) -> None:
    places = [place("W000001", minutes, on_duty=minutes != 3) for minutes in (1, 3, 2)]
    for order in (places, places[::-1], [places[1], places[0], places[2]]):
        intake.move_workers(county, order)
        assert located(county, "W000001") == (NOW + timedelta(minutes=3), False)


def test_a_report_that_comes_late_moves_nobody_back(county: Connection) -> None:
    intake.move_workers(county, [place("W000001", 5)])
    intake.move_workers(county, [place("W000001", 4, on_duty=False)])
    assert located(county, "W000001") == (NOW + timedelta(minutes=5), True)


def test_of_two_reports_of_one_moment_the_first_counts(county: Connection) -> None:
    intake.move_workers(county, [place("W000001", 1), place("W000001", 1, on_duty=False)])
    assert located(county, "W000001") == (NOW + timedelta(minutes=1), True)


def test_others_stay_where_they_are_and_strangers_are_nobody(county: Connection) -> None:
    before = row(county, worker, "W000002")
    intake.move_workers(county, [place("W000001", 1), place("nobody", 1)])
    assert row(county, worker, "W000002") == before
    assert intake.known_workers(county, ["W000001", "nobody"]) == {"W000001": blocks()[0].path}


@pytest.fixture
def locator(county: Connection) -> Locator:
    return Locator(county, EVERYTHING)


@pytest.mark.parametrize("number", range(16))
def test_the_middle_of_a_block_is_placed_in_it(locator: Locator, number: int) -> None:
    block = blocks()[number]
    found = locator.place(block.at().x, block.at().y)
    assert (found.unit_path, found.block_id, found.grid_code, found.placed) == (
        block.path, block.id, block.grid, "inside",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (SOUTH, WEST, "looks-swapped"),
        (0, 0, "outside-county"),
        (WEST - 0.001, SOUTH, "outside-county"),
        (float("nan"), SOUTH, "outside-county"),
        (float("inf"), SOUTH, "outside-county"),
        (WEST, float("-inf"), "outside-county"),
        (999, 95, "outside-county"),
    ],
)
def test_a_point_elsewhere_is_refused_with_numbers_that_json_can_say(
    locator: Locator, lon: float, lat: float, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        locator.place(lon, lat)
    assert refused.value.code == code
    assert all(abs(value) < 1e9 for value in refused.value.where.values())


def test_within_a_metre_of_the_county_is_near_it(locator: Locator) -> None:
    half_metre_deg = 0.5 / 93_000
    found = locator.place(WEST - half_metre_deg, SOUTH + HEIGHT_DEG / 2)
    assert found.placed == "near"
    assert found.block_id == "B000009"
    with pytest.raises(Refused):
        locator.place(WEST - 4 * half_metre_deg, SOUTH + HEIGHT_DEG / 2)


def test_a_border_belongs_to_the_lowest_block(locator: Locator) -> None:
    _, south, east, _ = blocks()[0].shape.bounds
    found = locator.place(east, south)
    assert found.block_id == "B000001"


def test_without_a_county_nothing_can_be_located(connection: Connection) -> None:
    with pytest.raises(Unavailable):
        Locator(connection, EVERYTHING)
    with pytest.raises(Unavailable):
        the_county(connection)


def test_a_unit_says_its_way_up_and_its_children(county: Connection) -> None:
    facts = wall.unit_facts(county, EVERYTHING, TOWNS[0])
    assert [step["code"] for step in facts["path"]] == [COUNTY, TOWNS[0]]
    assert [child["code"] for child in facts["children"]] == sorted(VILLAGES[:2])
    west, south, east, north = facts["bbox"]
    assert (west, south) == pytest.approx((WEST, SOUTH))
    assert (east, north) == pytest.approx((WEST + 4 * WIDTH_DEG, SOUTH + 2 * HEIGHT_DEG))


def test_a_village_has_its_grids_as_children(county: Connection) -> None:
    children = wall.unit_facts(county, EVERYTHING, VILLAGES[0])["children"]
    assert [child["code"] for child in children] == [f"{VILLAGES[0]}00{n}" for n in (1, 2)]


@pytest.mark.parametrize("code", ["", "610998", "' or 1=1--", "{{7*7}}", "610999 ", "x" * 500])
def test_a_unit_that_is_not_there_is_refused_briefly(county: Connection, code: str) -> None:
    with pytest.raises(NotFound) as refused:
        wall.unit_path_of(county, EVERYTHING, code)
    assert len(str(refused.value.where["unit"])) <= 20


def test_a_unit_that_is_no_more_is_not_found(county: Connection) -> None:
    county.execute(update(unit).where(unit.c.code == TOWNS[1]).values(valid_to=NOW.date()))
    with pytest.raises(NotFound):
        wall.unit_path_of(county, EVERYTHING, TOWNS[1])


def test_children_are_ranked_by_what_was_done_in_time_and_never_by_volume(
    county: Connection,
) -> None:
    facts = wall.unit_facts(county, EVERYTHING, COUNTY)
    late = incident.c.unit_path.startswith(f"{COUNTY_PATH}{TOWNS[0]}/")
    county.execute(update(incident).where(late).values(closed_at=None))
    ranked = wall.ranking(county, EVERYTHING, facts, NOW)
    assert [one["code"] for one in ranked] == [TOWNS[1], TOWNS[0]]
    county.execute(delete(incident).where(~late))
    ranked = wall.ranking(county, EVERYTHING, facts, NOW)
    assert [(one["code"], one["value"]) for one in ranked] == [(TOWNS[0], 0.0), (TOWNS[1], None)]


def test_bounds_are_those_of_the_scope(county: Connection) -> None:
    assert wall.bounds(county, NOBODY) is None
    whole = wall.bounds(county, EVERYTHING)
    assert whole == pytest.approx((WEST, SOUTH, WEST + 8 * WIDTH_DEG, SOUTH + 2 * HEIGHT_DEG))
    own = wall.bounds(county, VILLAGE)
    assert own is not None
    assert own[2] - own[0] == pytest.approx(4 * WIDTH_DEG)
