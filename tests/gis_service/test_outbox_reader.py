"""The outbox as it is followed: every change once and in order, whatever happens to the line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, insert, text, update
from structlog.testing import capture_logs

from gis_service.access import system_view
from gis_service.database import Database, async_pool, enter_scope
from gis_service.events import (
    EVENTS_KEPT,
    INCIDENT_COLUMNS,
    NEWS_LIMIT,
    QUEUE_LIMIT,
    Event,
    Hub,
    position_of,
)
from gis_service.outbox_reader import BATCH, Change, OutboxReader, Position
from gis_service.settings import Settings
from grid_boundaries.outbox import outbox
from layers.incidents import incident
from layers.workers import worker
from tests.county import NOW, blocks
from tests.serving import sqlalchemy_url

Scene = Callable[["Followed"], Awaitable[None]]


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


class Followed:
    """A reader at work, and what it has passed on."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self.engine = engine
        self.taken: list[Change] = []
        self.batches: list[int] = []
        self.reader = OutboxReader(database.url, self._take, replay_minutes=20)

    async def _take(self, changes: Sequence[Change]) -> None:
        self.taken += changes
        self.batches.append(len(changes))

    @property
    def layers(self) -> list[str]:
        return [change.layer for change in self.taken]

    async def until(self, condition: Callable[[], bool], longest_s: float = 60) -> None:
        async with asyncio.timeout(longest_s):
            while not condition():
                await asyncio.sleep(0.02)

    def announce(self, *layers: str) -> None:
        with self.engine.begin() as connection:
            announce(connection, *layers)


def announce(connection: Connection, *layers: str) -> None:
    connection.execute(insert(outbox), [{"layer": layer} for layer in layers])


def follow(database: Database, engine: Engine, scene: Scene) -> Followed:
    """Play a scene while the outbox is followed, and return what was passed on."""

    async def play() -> Followed:
        one = Followed(database, engine)
        running = asyncio.create_task(one.reader.run())
        await asyncio.wait_for(one.reader.caught_up.wait(), 60)
        one.taken.clear()
        one.batches.clear()
        await scene(one)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return one

    return asyncio.run(play())


def test_changes_come_in_the_order_of_their_commits(
    county_database: Database, engine: Engine
) -> None:
    async def scene(one: Followed) -> None:
        for layer in ("a", "b", "c"):
            one.announce(layer)
        await one.until(lambda: len(one.taken) == 3)

    found = follow(county_database, engine, scene)
    assert found.layers == ["a", "b", "c"]
    positions = [change.position for change in found.taken]
    assert positions == sorted(set(positions))


def test_a_change_that_commits_late_is_neither_lost_nor_overtaken(
    county_database: Database, engine: Engine
) -> None:
    async def scene(one: Followed) -> None:
        with one.engine.connect() as slow, slow.begin() as transaction:
            announce(slow, "slow")
            one.announce("quick")
            await asyncio.sleep(1.5)  # more than one reading
            assert one.taken == []
            transaction.commit()
        await one.until(lambda: len(one.taken) == 2)

    assert follow(county_database, engine, scene).layers == ["slow", "quick"]


def test_what_was_rolled_back_is_never_told(county_database: Database, engine: Engine) -> None:
    async def scene(one: Followed) -> None:
        with one.engine.connect() as other, other.begin() as transaction:
            announce(other, "never")
            transaction.rollback()
        one.announce("last")
        await one.until(lambda: bool(one.taken))

    assert follow(county_database, engine, scene).layers == ["last"]


def test_a_lost_notification_costs_a_second_and_no_change(
    county_database: Database, engine: Engine
) -> None:
    async def scene(one: Followed) -> None:
        # a plain row, without the trigger's notify
        one.announce("unheard")
        await one.until(lambda: bool(one.taken))

    assert follow(county_database, engine, scene).layers == ["unheard"]


def test_more_changes_than_a_batch_all_come(county_database: Database, engine: Engine) -> None:
    async def scene(one: Followed) -> None:
        one.announce(*[f"l{number}" for number in range(BATCH + 7)])
        await one.until(lambda: len(one.taken) >= BATCH + 7)

    found = follow(county_database, engine, scene)
    assert found.layers == [f"l{number}" for number in range(BATCH + 7)]
    assert max(found.batches) <= BATCH


_END = text(
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name = 'gis-outbox' and datname = current_database()"
)


def losses(log: Sequence[Mapping[str, Any]]) -> int:
    """Count the connections told as lost; others at work in this process may tell of theirs."""
    return sum(line["event"] == "outbox connection lost" for line in log)


def test_a_lost_connection_is_opened_again_and_nothing_is_missed(
    county_database: Database, engine: Engine
) -> None:
    service = create_engine(sqlalchemy_url(county_database.url))

    async def scene(one: Followed) -> None:
        one.announce("before")
        await one.until(lambda: one.layers == ["before"])
        with service.begin() as connection:
            assert connection.scalar(_END) == 1
        one.announce("while away")
        await one.until(lambda: len(one.taken) == 2)
        one.announce("after")
        await one.until(lambda: len(one.taken) == 3)

    with capture_logs() as log:
        found = follow(county_database, engine, scene)
    service.dispose()
    assert found.layers == ["before", "while away", "after"]
    assert losses(log) == 1


def test_without_a_database_nothing_is_current(county_database: Database) -> None:
    async def play() -> bool:
        one = OutboxReader("postgresql:///?host=/nowhere", never, replay_minutes=20)
        running = asyncio.create_task(one.run())
        async with asyncio.timeout(60):
            while not losses(log):
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return one.is_current or one.caught_up.is_set()

    async def never(_changes: Sequence[Change]) -> None:
        raise AssertionError

    with capture_logs() as log:
        assert asyncio.run(play()) is False


def test_a_start_tells_the_last_minutes_and_not_the_whole_past(
    county_database: Database, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(update(outbox).values(at=text("now() - interval '1 hour'")))
        announce(connection, "recent")

    async def play() -> list[str]:
        one = Followed(county_database, engine)
        running = asyncio.create_task(one.reader.run())
        await asyncio.wait_for(one.reader.caught_up.wait(), 60)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return one.layers

    assert asyncio.run(play()) == ["recent"]


@pytest.mark.parametrize(
    ("text_of_id", "position"),
    [("7.3", (7, 3)), ("0.0", (0, 0)), ("", None), (".", None), ("7", None), ("7.", None),
     (".3", None), ("7.3.1", None), ("-7.3", None), ("7.-3", None), ("7,3", None), (" 7.3", None),
     ("7.3\n", None), ("a.b", None), ("1e3.1", None), ("9" * 39 + ".1", None), ("٣.٣", (3, 3))],
)  # fmt: skip
def test_an_event_id_names_a_position_or_nothing(
    text_of_id: str, position: Position | None
) -> None:
    assert position_of(text_of_id) == position


def changes_of(engine: Engine, after: Position = (0, 0)) -> list[Change]:
    """Return everything that was announced after a position, as a reader would pass it on."""
    statement = text(
        "select xid::text::bigint, id, layer, st_xmin(touched), st_ymin(touched),"
        " st_xmax(touched), st_ymax(touched) from outbox order by xid, id"
    )
    with engine.begin() as connection:
        rows = connection.execute(statement).all()
    found = [
        Change(
            row[0],
            row[1],
            row[2],
            False,
            None if row[3] is None else (row[3], row[4], row[5], row[6]),
        )
        for row in rows
    ]
    return [change for change in found if change.position > after]


def heard(database: Database, scene: Callable[[Hub], Awaitable[Any]]) -> Any:
    """Return what a scene with a hub over the database gives."""

    async def play() -> Any:
        pool = async_pool(database.url, Settings(database_url=database.url))
        await pool.open()
        try:
            return await scene(Hub(pool))
        finally:
            await pool.close()

    return asyncio.run(play())


def newest(engine: Engine) -> Position:
    return changes_of(engine)[-1].position


def put_incidents(engine: Engine, count: int) -> None:
    block = blocks()[8]
    rows = [
        {
            "id": f"N{number}", "name": "新", "kind": "event", "category": "noise", "source": "110",
            "urgency": "red", "state": "reported", "occurred_at": NOW, "reported_at": NOW,
            **block.placed(), "geom": f"SRID=4490;{block.at(0.1 + number / 1000, 0.5).wkt}",
        }
        for number in range(count)
    ]  # fmt: skip
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(insert(incident), rows)


@pytest.mark.parametrize(
    ("count", "told"), [(1, 1), (3, 3), (NEWS_LIMIT, NEWS_LIMIT), (NEWS_LIMIT + 1, 0)]
)
def test_new_incidents_are_news_and_a_load_is_none(
    county_database: Database, engine: Engine, count: int, told: int
) -> None:
    last = newest(engine)
    put_incidents(engine, count)

    async def scene(hub: Hub) -> list[Event]:
        with hub.subscribed() as own:
            await hub.take(changes_of(engine, last))
            return [own.queue.get_nowait() for _ in range(own.queue.qsize())]

    events = heard(county_database, scene)
    news = [event for event in events if event.kind == "inc"]
    assert len(news) == told
    assert all(len(event.rows) == 1 for event in news)
    assert {event.rows[0][1][0] for event in news} == {f"N{n}" for n in range(told)}
    assert all(len(event.rows[0][1]) == len(INCIDENT_COLUMNS) for event in news)
    assert [event.layer for event in events if event.kind == "ver"] == ["incidents"]


def test_rows_that_nobody_touched_are_not_news(county_database: Database, engine: Engine) -> None:
    """The box of a change holds more rows than the change wrote."""
    last = newest(engine)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(worker).where(worker.c.id == "W000001").values(on_duty=False))
        connection.execute(update(worker).where(worker.c.id == "W000009").values(post="chief"))

    async def scene(hub: Hub) -> list[Event]:
        await hub.take(changes_of(engine, last))
        return hub.since(last) or list(hub._kept)

    (moves,) = (event for event in heard(county_database, scene) if event.kind == "pos")
    told = {values[0]: values for _, values in moves.rows}
    assert set(told) == {"W000001", "W000009"}
    assert told["W000001"][1:3] == (None, None)  # off duty: no place
    assert told["W000009"][1] is not None


def test_what_is_gone_is_no_news(county_database: Database, engine: Engine) -> None:
    last = newest(engine)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(delete(incident).where(incident.c.id == "I0011"))

    async def scene(hub: Hub) -> list[Event]:
        await hub.take(changes_of(engine, last))
        return list(hub._kept)

    assert {event.kind for event in heard(county_database, scene)} == {"ver"}


def version(number: int) -> Change:
    return Change(number, 1, "grids", False, None)


def test_a_replay_is_whole_or_refused(county_database: Database) -> None:
    async def scene(hub: Hub) -> dict[Position, list[str] | None]:
        assert hub.since((5, 1)) is None
        for number in (5, 6, 7):
            await hub.take([version(number)])
        asked = [(4, 1), (5, 0), (5, 1), (6, 1), (6, 9), (7, 1), (7, 2), (8, 1), (10**30, 0)]
        found = {place: hub.since(place) for place in asked}
        return {
            place: None if events is None else [event.id for event in events]
            for place, events in found.items()
        }

    assert heard(county_database, scene) == {
        (4, 1): None, (5, 0): None, (5, 1): ["6.1", "7.1"], (6, 1): ["7.1"], (6, 9): ["7.1"],
        (7, 1): [], (7, 2): None, (8, 1): None, (10**30, 0): None,
    }  # fmt: skip


def test_of_a_long_past_only_the_end_is_kept(county_database: Database) -> None:
    async def scene(hub: Hub) -> tuple[int, Any]:
        for number in range(1, EVENTS_KEPT + 3):
            await hub.take([version(number)])
        return len(hub._kept), hub.since((1, 1))

    assert heard(county_database, scene) == (EVENTS_KEPT, None)


def test_a_stream_that_does_not_keep_up_is_lost_and_others_are_not(
    county_database: Database,
) -> None:
    async def scene(hub: Hub) -> tuple[bool, bool, int]:
        with hub.subscribed() as slow, hub.subscribed() as quick:
            for number in range(QUEUE_LIMIT + 1):
                await hub.take([version(number)])
                quick.queue.get_nowait()
            return slow.lost, quick.lost, hub.streams

    assert heard(county_database, scene) == (True, False, 2)


def test_the_end_wakes_who_waits_and_lets_nobody_in(county_database: Database) -> None:
    async def scene(hub: Hub) -> tuple[bool, bool, str, int]:
        with hub.subscribed() as early:
            waiting = asyncio.create_task(early.queue.get())
            await asyncio.sleep(0)
            hub.end()
            event = await asyncio.wait_for(waiting, 60)
            with hub.subscribed() as late:
                return early.lost, late.lost, event.layer, hub.streams

    assert heard(county_database, scene) == (True, True, "", 2)


def test_changes_of_one_layer_are_told_as_one_box(county_database: Database) -> None:
    boxes = [(0.0, 0.0, 1.0, 1.0), (5.0, -2.0, 6.0, 0.5), None]

    async def scene(hub: Hub) -> list[Event]:
        await hub.take([Change(1, n, "parts", False, box) for n, box in enumerate(boxes[:2])])
        await hub.take([Change(2, n, "parts", False, box) for n, box in enumerate(boxes)])
        return list(hub._kept)

    first, second = heard(county_database, scene)
    assert (first.box, first.id) == ((0.0, -2.0, 6.0, 1.0), "1.1")
    assert (second.box, second.id) == (None, "2.2")
