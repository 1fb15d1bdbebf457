"""Uploads of phones that were off-line: late, twice, shuffled, at once; the end is always one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, func, select, text

from gis_service.access import RIGHTS_OF_ROLE, Asker, system_view
from gis_service.database import Database, enter_scope
from gis_service.ingest import ITEMS_LIMIT, Ingest
from gis_service.intakes import DEADLINE_HOURS, Kind
from gis_service.metrics import Metrics
from gis_service.verdicts import Verdict
from grid_boundaries.errors import Malformed, NotAllowed, TooLarge
from grid_boundaries.view import View
from layers.incidents import incident
from layers.postings import position
from layers.visits import visit
from layers.workers import worker
from tests.county import COUNTY_PATH, SOUTH, VILLAGES, WEST, WIDTH_DEG, blocks, path_of
from tests.serving import sqlalchemy_url

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(server: Any, county_template: str) -> Iterator[Engine]:
    """A county of this module's own, which each test finds without any report of its own."""
    name = f"{county_template}_phones"
    server.ensure_database(name, template=county_template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    engine = create_engine(sqlalchemy_url(database.url), pool_size=10)
    yield engine
    engine.dispose()
    server.drop_database(name)


@pytest.fixture(scope="module")
def ingest(engine: Engine) -> Ingest:
    return Ingest(engine, Metrics())


@pytest.fixture(autouse=True)
def cleared(engine: Engine) -> None:
    """Take away what the test before has sent."""
    clear(engine)


def clear(engine: Engine) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(delete(position))
        for table in (incident, visit):
            connection.execute(delete(table).where(table.c.body_digest.is_not(None)))


def by(role: str, *scope: str, worker_id: str | None = None) -> Asker:
    view = View(role, scope or (COUNTY_PATH,), RIGHTS_OF_ROLE[role])
    return Asker(role, worker_id, view, NOW + timedelta(hours=1))


WORKER = by("worker", path_of(VILLAGES[0]), worker_id="W000009")
CENTRE = by("command")


def a_place(minutes: float, east: float = 0.5, **more: Any) -> dict[str, Any]:
    """Return a position that many minutes ago, that far along the southern blocks."""
    return {
        "id": str(uuid.uuid4()), "worker_id": "W000009", "lon": WEST + east * WIDTH_DEG,
        "lat": SOUTH + 0.005, "located_at": (NOW - timedelta(minutes=minutes)).isoformat(), **more,
    }  # fmt: skip


def an_incident(**more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "lon": WEST + 0.5 * WIDTH_DEG,
        "lat": SOUTH + 0.005,
        "title": "噪声",
        "kind": "event",
        "category": "noise",
        "occurred_at": NOW.isoformat(),
        **more,
    }


def take(ingest: Ingest, kind: Kind, items: list[Any], asker: Asker = WORKER) -> list[Verdict]:
    return ingest.take(kind, {"items": items}, asker, NOW)


def stored(engine: Engine) -> tuple[set[str], Any]:
    """Return the ids of the positions that are kept, and where the worker is."""
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        ids = set(connection.scalars(select(position.c.id)))
        columns = (worker.c.block_id, worker.c.located_at, worker.c.on_duty, worker.c.unit_path)
        where = connection.execute(select(*columns).where(worker.c.id == "W000009")).one()
    return ids, where


def place_anew(engine: Engine) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(text("update worker set located_at = null where id = 'W000009'"))


@pytest.mark.parametrize("seed", range(12))
def test_however_uploads_arrive_the_end_is_that_of_one_delivery_in_order(
    engine: Engine, ingest: Ingest, seed: int
) -> None:
    chance = Random(seed)
    walk = [
        a_place(4000 - 50 * step, chance.uniform(0, 8), on_duty=chance.random() < 0.8)
        for step in range(40)
    ]
    place_anew(engine)
    for step in walk:
        take(ingest, "positions", [step])
    in_order = stored(engine)

    clear(engine)
    place_anew(engine)
    sent = [step for step in walk for _ in range(chance.randint(1, 5))]
    chance.shuffle(sent)
    first_told: dict[str, int] = {}
    while sent:
        cut = chance.randint(1, 15)
        part, sent = sent[:cut], sent[cut:]
        for item, verdict in zip(part, take(ingest, "positions", part), strict=True):
            is_first = item["id"] not in first_told
            assert verdict.status == ("stored" if is_first else "already")
            first_told[item["id"]] = 1
    assert stored(engine) == in_order


def test_one_report_from_many_phones_at_once_is_stored_once(engine: Engine, ingest: Ingest) -> None:
    report = an_incident()
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: take(ingest, "incidents", [report], CENTRE)[0], range(24)))
    assert sorted(one.status for one in told) == ["already"] * 23 + ["stored"]
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        own = select(func.count()).where(incident.c.id == report["id"])
        assert connection.scalar(own) == 1


def test_two_bodies_under_one_id_at_once_leave_one_and_refuse_the_other(ingest: Ingest) -> None:
    reports = [an_incident(title=title) for title in ("甲", "乙")]
    reports[1]["id"] = reports[0]["id"]
    with ThreadPoolExecutor(8) as pool:
        told = list(
            pool.map(lambda n: take(ingest, "incidents", [reports[n % 2]], CENTRE)[0], range(16))
        )
    kinds = {
        status: sum(one.status == status for one in told)
        for status in ("stored", "already", "rejected")
    }
    assert kinds == {"stored": 1, "already": 7, "rejected": 8}


def test_batches_that_cross_do_not_wait_for_each_other_for_ever(ingest: Ingest) -> None:
    reports = [an_incident() for _ in range(30)]

    def send(number: int) -> list[str]:
        own = list(reports)
        Random(number).shuffle(own)
        return [one.status for one in take(ingest, "incidents", own, CENTRE)]

    with ThreadPoolExecutor(6) as pool:
        told = [status for statuses in pool.map(send, range(12)) for status in statuses]
    assert (told.count("stored"), told.count("already")) == (30, 330)


def test_a_bad_item_costs_no_other(engine: Engine, ingest: Ingest) -> None:
    items: list[Any] = [
        a_place(1),
        None,
        7,
        [],
        "x",
        {},
        a_place(2, lat=95.0),
        a_place(3, worker_id="W9"),
    ]
    told = take(ingest, "positions", [*items, a_place(4)])
    assert [one.status for one in told] == ["stored", *["rejected"] * 7, "stored"]
    codes = [one.refused.code for one in told if one.refused]
    assert codes[:5] == ["bad-field"] * 5
    assert codes[6] == "not-your-worker"
    assert len(stored(engine)[0]) == 2


@pytest.mark.parametrize("body", [None, 7, "x", [], [{}], True])
def test_what_is_no_object_is_refused_whole(ingest: Ingest, body: Any) -> None:
    with pytest.raises(Malformed):
        ingest.take("positions", body, WORKER, NOW)


@pytest.mark.parametrize("items", [None, {}, "x", 7])
def test_items_that_are_no_list_are_refused_whole(ingest: Ingest, items: Any) -> None:
    with pytest.raises(Malformed) as found:
        ingest.take("positions", {"items": items}, WORKER, NOW)
    assert found.value.where["field"] == "items"


def test_a_thousand_at_once_are_taken_and_one_more_is_too_many(ingest: Ingest) -> None:
    with pytest.raises(TooLarge) as found:
        take(ingest, "positions", [{}] * (ITEMS_LIMIT + 1))
    assert found.value.where == {"items": ITEMS_LIMIT + 1}
    told = take(ingest, "positions", [a_place(number / 10) for number in range(ITEMS_LIMIT)])
    assert {one.status for one in told} == {"stored"}


@pytest.mark.parametrize(
    ("kind", "field", "days", "taken"),
    [
        ("positions", "located_at", 29.99, True), ("positions", "located_at", 30.01, False),
        ("positions", "located_at", -0.006, True), ("positions", "located_at", -0.008, False),
        ("visits", "visited_at", 365, True), ("visits", "visited_at", 367, False),
        ("incidents", "occurred_at", 365, True), ("incidents", "occurred_at", 367, False),
        ("incidents", "occurred_at", 20_000, False), ("incidents", "occurred_at", -30_000, False),
    ],
)  # fmt: skip
def test_a_clock_may_be_a_little_wrong_and_a_report_a_little_late(
    ingest: Ingest, kind: Kind, field: str, days: float, taken: bool
) -> None:
    bodies = {
        "positions": a_place(1),
        "visits": a_place(1) | {"kind": "patrol"},
        "incidents": an_incident(),
    }
    body = {
        name: value
        for name, value in bodies[kind].items()
        if name != "located_at" or kind == "positions"
    }
    asker = CENTRE if kind == "incidents" else WORKER
    (told,) = take(ingest, kind, [body | {field: (NOW - timedelta(days=days)).isoformat()}], asker)
    assert told.status == ("stored" if taken else "rejected")
    assert taken or (told.refused is not None and told.refused.code == "clock-wrong")


@pytest.mark.parametrize(("urgency", "hours"), DEADLINE_HOURS.items())
def test_an_incident_is_due_by_its_urgency_from_when_it_came_in(
    engine: Engine, ingest: Ingest, urgency: str, hours: int
) -> None:
    body = an_incident(urgency=urgency, occurred_at=(NOW - timedelta(days=3)).isoformat())
    take(ingest, "incidents", [body], CENTRE)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        row = connection.execute(select(incident).where(incident.c.id == body["id"])).one()
    assert (row.reported_at, row.due_at) == (NOW, NOW + timedelta(hours=hours))
    assert (row.reported_by, row.state, row.source) == ("command", "reported", "grid_app")


EVERY_BLOCK = [(block.number, block.at(0.5, 0.5), block) for block in blocks()]


@pytest.mark.parametrize(
    ("number", "at", "block"), EVERY_BLOCK, ids=[str(n) for n, *_ in EVERY_BLOCK]
)
@pytest.mark.parametrize("village", VILLAGES)
def test_a_village_centre_is_heard_in_its_own_village_and_nowhere_else(
    ingest: Ingest, number: int, at: Any, block: Any, village: str
) -> None:
    asker = by("village_centre", path_of(village))
    (told,) = take(ingest, "incidents", [an_incident(lon=at.x, lat=at.y)], asker)
    assert (told.status == "stored") == (block.village == village), number


def test_who_may_send_nothing_in_is_refused_before_anything_is_read(ingest: Ingest) -> None:
    for role in set(RIGHTS_OF_ROLE) - {
        r for r, rights in RIGHTS_OF_ROLE.items() if "ingest" in rights
    }:
        with pytest.raises(NotAllowed):
            ingest.take("incidents", "not even an object", by(role), NOW)


def test_an_asker_without_a_scope_reports_nothing(ingest: Ingest) -> None:
    nobody = Asker("chief", None, View("chief", (), RIGHTS_OF_ROLE["chief"]), NOW)
    assert [one.status for one in take(ingest, "incidents", [an_incident()], nobody)] == [
        "rejected"
    ]
    assert [one.status for one in take(ingest, "positions", [a_place(1)], nobody)] == ["rejected"]


def test_what_was_taken_is_counted_by_kind_and_verdict(engine: Engine) -> None:
    metrics = Metrics()
    counting = Ingest(engine, metrics)
    one = an_incident()
    counting.take("incidents", {"items": [one, one, {}]}, CENTRE, NOW)
    told = metrics.text().decode()
    for status in ("stored", "already", "rejected"):
        assert f'gis_ingested_total{{kind="incidents",status="{status}"}} 1.0' in told


def test_blocks_that_changed_are_seen_by_the_next_report(engine: Engine, ingest: Ingest) -> None:
    """A locator keeps the county in memory, until its blocks, grids or units change."""
    take(ingest, "incidents", [an_incident()], CENTRE)
    before = ingest._locator
    take(ingest, "incidents", [an_incident()], CENTRE)
    assert ingest._locator is before
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(text("update unit set name = name where level = 'village'"))
    take(ingest, "incidents", [an_incident()], CENTRE)
    assert ingest._locator is not before
