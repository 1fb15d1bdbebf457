"""Plans in force: one transaction, codes by residents, features with their blocks, any date."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.plan_requests import Drawing, Merging, NewPlan
from gis_service.plan_review import merge
from gis_service.planning import Desk, draw, start
from gis_service.publishing import publish_due, publish_on, put_in_force, roll_back
from grid_boundaries import plan_records as records
from grid_boundaries.errors import Conflict, Refused
from grid_boundaries.outbox import outbox
from grid_boundaries.plan_store import plan as plan_table
from grid_boundaries.store import block, block_count, grid, grid_block, lineage
from grid_boundaries.view import View
from layers.block_sums import Counting
from layers.grids_at import counts_at
from layers.people import person
from layers.postings import posting
from layers.reassign import located_tables
from tests.county import COUNTY_PATH, NOW, VILLAGES
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    LOOSE,
    MIDDLE_OF_10,
    drawn,
    get,
    post,
    refused,
    started,
)
from tests.serving import Client, sqlalchemy_url

GRID_3 = f"{VILLAGES[0]}003"
FIRST_DAY = date(2026, 3, 2)
EVERYTHING = system_view("tester")


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    """An engine of the service's role on the test's own county."""
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


@contextmanager
def at(engine: Engine, days: int = 0) -> Iterator[Desk]:
    """A desk of the service some days after the county's today, committed at the end."""
    with engine.begin() as connection:
        enter_scope(connection, EVERYTHING)
        yield Desk(connection, EVERYTHING, NOW + timedelta(days=days))


def planned(desk: Desk, *strokes: dict[str, Any]) -> int:
    """Draw a plan and call it approved."""
    plan = int(start(desk, NewPlan.model_validate({"title": "方案", "rules": LOOSE}))["id"])
    for version, stroke in enumerate(strokes):
        asked = {"base_version": version, "stroke": stroke}
        draw(desk, plan, Drawing.model_validate(asked))
    return plan


def published(engine: Engine, days: int, *strokes: dict[str, Any]) -> int:
    with at(engine, days) as desk:
        plan = planned(desk, *strokes)
        put_in_force(desk, desk.row(plan), desk.now.date())
        return plan


def move(blocks: list[str], to: str | None) -> dict[str, Any]:
    return {"kind": "move", "blocks": blocks, "to": to}


def split(name: str = BLOCK_10) -> dict[str, Any]:
    return {"kind": "split", "block": name, "line": MIDDLE_OF_10}


def in_force(connection: Connection) -> dict[str, set[str]]:
    """Return the blocks of each grid in force."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(grid_block).where(grid_block.c.valid_to.is_(None))):
        found.setdefault(row.grid_code, set()).add(row.block_id)
    return found


def shape_of(connection: Connection, code: str, day: date | None = None) -> Any:
    dated: ColumnElement[bool] = grid.c.valid_to.is_(None)
    if day is not None:
        dated = (grid.c.valid_from <= day) & func.coalesce(grid.c.valid_to > day, True)
    statement = select(func.st_asbinary(grid.c.geom)).where(grid.c.code == code, dated)
    return shapely.from_wkb(bytes(connection.execute(statement).scalar_one()))


def counts(engine: Engine, day: date, basis: str = "present") -> dict[str, Any]:
    with engine.begin() as connection:
        view = View("tester", ("/",), EVERYTHING.rights, as_of=day)
        enter_scope(connection, view)
        return dict(counts_at(connection, Counting(view, basis, NOW)))


def assert_sound(connection: Connection) -> None:
    """Grids in force are the unions of their blocks; every feature has its block's grid."""
    held = in_force(connection)
    codes = select(grid.c.code).where(grid.c.valid_to.is_(None))
    assert set(connection.scalars(codes)) == set(held)
    blocks = select(block.c.id, func.st_asbinary(block.c.geom).label("geom"))
    shapes = {
        row.id: shapely.from_wkb(bytes(row.geom))
        for row in connection.execute(blocks.where(block.c.valid_to.is_(None)))
    }
    assert sorted(shapes) == sorted(name for own in held.values() for name in own)
    assert shapely.coverage_is_valid(list(shapes.values()))
    grids = [shape_of(connection, code) for code in held]
    assert shapely.coverage_is_valid(grids)
    for code, own in held.items():
        union = shapely.union_all([shapes[name] for name in own])
        assert shape_of(connection, code).equals(union)
    of_block = {name: code for code, own in held.items() for name in own}
    for table in (*located_tables(), person):
        for row in connection.execute(select(table.c.block_id, table.c.grid_code)):
            if row.block_id is not None:
                assert of_block[row.block_id] == row.grid_code, table.name


def test_published_through_http_after_another_person_approved(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    assert refused(own_client, f"/{plan}/publish", base_version=1)[0] == 409
    post(own_client, f"/{plan}/submit", base_version=1)
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    answer = post(own_client, f"/{plan}/publish", base_version=3)
    assert answer["status"] == "published"
    assert answer["outcome"]["blocks"] == 1
    grids = {one["id"]: one for one in get(own_client, "/grids")["features"]}
    assert grids[GRID_2]["properties"]["people"] == 12
    assert grids[GRID_2]["properties"]["cameras"] == 3
    then = {one["id"]: one for one in get(own_client, "/grids?as_of=2026-03-02")["features"]}
    assert then[GRID_2]["properties"]["people"] == 8
    assert then[GRID_2]["properties"]["cameras"] == 2
    layer = get(own_client, f"/layers/grids/items/{GRID_2}")
    assert layer["geometry"] == grids[GRID_2]["geometry"] != then[GRID_2]["geometry"]
    back = post(own_client, f"/{plan}/rollback", "approver", base_version=4)
    assert back["status"] == "rolled_back"
    grids = {one["id"]: one for one in get(own_client, "/grids")["features"]}
    assert grids[GRID_2]["properties"]["people"] == 8


def test_a_moved_block_takes_its_features_along(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_10], GRID_2))
    with at(engine) as desk:
        assert in_force(desk.connection)[GRID_2] == {BLOCK_10, BLOCK_11, "B000012"}
        assert_sound(desk.connection)


def test_a_grid_that_keeps_half_of_its_residents_keeps_its_code(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_10], GRID_2))  # 4 of 8 people stay
    with at(engine) as desk:
        assert GRID_1 in in_force(desk.connection)
        assert set(desk.connection.scalars(select(lineage.c.how))) == {"moved"}


def test_a_grid_that_keeps_less_is_retired_and_gets_a_new_code(engine: Engine) -> None:
    plan = published(engine, 0, move([BLOCK_9, BLOCK_10], GRID_2), move([BLOCK_11], GRID_1))
    with at(engine) as desk:
        held = in_force(desk.connection)
        assert held[GRID_3] == {BLOCK_11}
        assert GRID_1 not in held
        outcome = desk.row(plan).outcome
        assert outcome["carried"] == {GRID_1: GRID_3}
        rows = desk.connection.execute(select(lineage).order_by(lineage.c.predecessor)).all()
        assert [(row.predecessor, row.successor) for row in rows] == [
            (GRID_1, GRID_2), (GRID_2, GRID_3)
        ]  # fmt: skip
        assert_sound(desk.connection)


def test_a_retired_code_is_never_given_again(engine: Engine) -> None:
    swap = (move([BLOCK_9, BLOCK_10], GRID_2), move([BLOCK_11], GRID_1))
    published(engine, 0, *swap)
    published(engine, 1, {"kind": "merge", "grids": [GRID_3], "into": GRID_2})
    published(engine, 2, {"kind": "create", "name": "新", "blocks": [BLOCK_9]})
    with at(engine, 2) as desk:
        assert sorted(code for code in in_force(desk.connection) if code[:12] == VILLAGES[0]) == [
            GRID_2, f"{VILLAGES[0]}004"
        ]  # fmt: skip


def test_postings_follow_a_grid_under_its_new_code_and_end_with_a_merged_one(
    engine: Engine,
) -> None:
    published(engine, 0, move([BLOCK_9, BLOCK_10], GRID_2), move([BLOCK_11], GRID_1))
    current = posting.c.valid_to.is_(None)
    with at(engine) as desk:
        rows = select(posting.c.worker_id).where(current, posting.c.grid_code == GRID_3)
        assert sorted(desk.connection.scalars(rows)) == ["W000009", "W000010"]
        gone = select(func.count()).where(current, posting.c.grid_code == GRID_1)
        assert desk.connection.scalar(gone) == 0
    plan = published(engine, 1, {"kind": "merge", "grids": [GRID_3], "into": GRID_2})
    with at(engine, 1) as desk:
        assert len(desk.row(plan).outcome["postings_ended"]) == 2
        roll_back(desk, plan, desk.row(plan).version)
    with at(engine, 1) as desk:
        assert len(list(desk.connection.scalars(rows))) == 2


def test_a_created_grid_gets_a_lasting_code(engine: Engine) -> None:
    plan = published(engine, 0, {"kind": "create", "name": "新网格", "blocks": [BLOCK_10]})
    with at(engine) as desk:
        assert in_force(desk.connection)[GRID_3] == {BLOCK_10}
        name = select(grid.c.name).where(grid.c.code == GRID_3)
        assert desk.connection.scalar(name) == "新网格"
        assert list(desk.row(plan).outcome["codes"].values()) == [GRID_3]
        assert set(desk.connection.scalars(select(lineage.c.how))) == {"split"}


def test_a_cut_block_ends_and_its_pieces_begin_with_their_people(engine: Engine) -> None:
    published(engine, 0, split(), move([f"{BLOCK_10}.2"], GRID_2))
    with at(engine) as desk:
        connection = desk.connection
        whole = connection.execute(select(block).where(block.c.id == BLOCK_10)).one()
        assert whole.valid_to == FIRST_DAY
        pieces = select(block_count).where(block_count.c.block_id.startswith(f"{BLOCK_10}."))
        rows = connection.execute(pieces.order_by(block_count.c.block_id)).all()
        assert [(row.people, row.households, row.usual) for row in rows] == [(4, 2, 3), (0, 0, 0)]
        cameras = select(func.count()).where(person.c.block_id == f"{BLOCK_10}.1")
        assert connection.scalar(cameras) == 4
        assert_sound(connection)


def test_no_resident_is_lost_or_counted_twice(engine: Engine) -> None:
    published(engine, 0, split(), move([f"{BLOCK_10}.2"], GRID_2))
    for day in (FIRST_DAY - timedelta(days=1), FIRST_DAY):
        found = counts(engine, day)
        assert sum(one["people"] for one in found.values()) == 64
        assert sum(one["cameras"] for one in found.values()) == 16


def test_every_earlier_date_is_reproduced_after_five_publications(engine: Engine) -> None:
    days = [FIRST_DAY - timedelta(days=1)]
    kept = [(counts(engine, days[0]), map_of(engine, days[0]))]
    strokes: list[list[dict[str, Any]]] = [
        [move([BLOCK_10], GRID_2)],
        [split(BLOCK_10), move([f"{BLOCK_10}.2"], GRID_1)],
        [{"kind": "create", "name": "新", "blocks": [f"{BLOCK_10}.1"]}],
        [{"kind": "merge", "grids": [GRID_2], "into": GRID_1}],
        [move([BLOCK_9], GRID_3)],
    ]
    for number, drawing in enumerate(strokes):
        published(engine, 2 * number, *drawing)
        days.append(FIRST_DAY + timedelta(days=2 * number))
        kept.append((counts(engine, days[-1]), map_of(engine, days[-1])))
        for day, then in zip(days, kept, strict=True):
            assert (counts(engine, day), map_of(engine, day)) == then
    assert len({str(sorted(one.items())) for _, one in kept}) == 6
    with at(engine) as desk:
        assert_sound(desk.connection)


def test_people_who_come_later_change_no_earlier_dates_counts(engine: Engine) -> None:
    """After every publication a hundred people move in; what was counted before stays."""
    days, kept = [], []
    for number, to in enumerate([GRID_2, GRID_1, GRID_2, GRID_1, GRID_2]):
        day = FIRST_DAY + timedelta(days=2 * number)
        days.append(day - timedelta(days=1))
        kept.append(counts(engine, days[-1]))
        published(engine, 2 * number, move([BLOCK_10], to))
        with at(engine) as desk:
            more = update(block_count).where(block_count.c.block_id == BLOCK_11)
            people = {name: block_count.c[name] + 100 for name in ("people", "usual")}
            desk.connection.execute(more.values(people))
        for earlier, then in zip(days, kept, strict=True):
            assert counts(engine, earlier) == then
    assert [sum(one["people"] for one in found.values()) for found in kept] == [
        64, 164, 264, 364, 464
    ]  # fmt: skip
    assert sum(one["people"] for one in counts(engine, day).values()) == 564


@pytest.mark.parametrize("basis", ["present", "registered", "usual"])
def test_an_earlier_dates_people_are_counted_on_every_basis(engine: Engine, basis: str) -> None:
    day = FIRST_DAY - timedelta(days=1)
    before = counts(engine, day, basis)
    published(engine, 0, move([BLOCK_10], GRID_2))
    assert counts(engine, day, basis) == before


def test_two_publications_on_one_day_keep_what_was_counted_before_both(engine: Engine) -> None:
    day = FIRST_DAY - timedelta(days=1)
    before = counts(engine, day)
    published(engine, 0, move([BLOCK_10], GRID_2))
    published(engine, 0, move([BLOCK_11], GRID_1))
    assert counts(engine, day) == before


def test_a_roll_back_keeps_the_counts_of_what_it_replaces(engine: Engine) -> None:
    plan = published(engine, 0, move([BLOCK_10], GRID_2))
    redrawn = counts(engine, FIRST_DAY)
    with at(engine, 3) as desk:
        roll_back(desk, plan, desk.row(plan).version)
        desk.connection.execute(update(block_count).values(people=0))
    assert counts(engine, FIRST_DAY) == redrawn
    assert sum(one["people"] for one in counts(engine, FIRST_DAY + timedelta(days=3)).values()) == 0


def test_counts_of_an_earlier_date_are_seen_in_scope_only(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_10], GRID_2))
    day = FIRST_DAY - timedelta(days=1)
    with engine.begin() as connection:
        view = View("tester", ("/610923/610923101/",), EVERYTHING.rights, as_of=day)
        enter_scope(connection, view)
        seen = counts_at(connection, Counting(view, "present", NOW))
    assert set(seen) < set(counts(engine, day))
    assert not {GRID_1, GRID_2} & set(seen)


def map_of(engine: Engine, day: date) -> dict[str, float]:
    """Return the area of each grid of a day, square degrees."""
    with at(engine) as desk:
        dated = (grid.c.valid_from <= day) & func.coalesce(grid.c.valid_to > day, True)
        codes = list(desk.connection.scalars(select(grid.c.code).where(dated)))
        return {code: round(shape_of(desk.connection, code, day).area, 15) for code in codes}


def test_two_publications_on_one_day_leave_the_later_one(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_10], GRID_2))
    published(engine, 0, move([BLOCK_11], GRID_1), move([BLOCK_10], GRID_1))
    with at(engine) as desk:
        assert in_force(desk.connection)[GRID_1] == {BLOCK_9, BLOCK_10, BLOCK_11}
        assert_sound(desk.connection)


def test_a_roll_back_restores_grids_codes_and_features(engine: Engine) -> None:
    before = map_of(engine, FIRST_DAY)
    plan = published(
        engine, 0, split(), move([f"{BLOCK_10}.1", BLOCK_9], GRID_2), move([BLOCK_11], GRID_1)
    )
    with at(engine, 3) as desk:
        assert GRID_1 not in in_force(desk.connection)
        roll_back(desk, plan, desk.row(plan).version)
        assert desk.row(plan).status == "rolled_back"
    with at(engine, 3) as desk:
        held = in_force(desk.connection)
        assert held[GRID_1] == {BLOCK_9, f"{BLOCK_10}.1", f"{BLOCK_10}.2"}
        assert_sound(desk.connection)
    day = FIRST_DAY + timedelta(days=3)
    assert map_of(engine, day) == before
    assert counts(engine, day)[GRID_1]["people"] == 8


def test_only_the_latest_publication_is_rolled_back(engine: Engine) -> None:
    first = published(engine, 0, move([BLOCK_10], GRID_2))
    published(engine, 1, move([BLOCK_10], GRID_1))
    with at(engine, 1) as desk, pytest.raises(Conflict) as refused:
        roll_back(desk, first, desk.row(first).version)
    assert refused.value.code == "not-the-latest"


def test_a_plan_whose_base_is_no_longer_in_force_is_merged_into_a_new_one(engine: Engine) -> None:
    with at(engine) as desk:
        late = planned(desk, move([BLOCK_11], GRID_1))
    published(engine, 0, split(), move([f"{BLOCK_10}.2"], GRID_2))
    with at(engine, 1) as desk, pytest.raises(Conflict) as refused:
        publish_on(desk, desk.row(late), desk.now.date())
    assert refused.value.code == "base-not-in-force"
    with at(engine, 1) as desk:
        new = planned(desk)
        asked = Merging.model_validate({"base_version": 0, "from": late})
        told = merge(desk, new, asked)
        assert told["changed"] == {BLOCK_11: GRID_1}
        put_in_force(desk, desk.row(new), desk.now.date())
    with at(engine, 1) as desk:
        assert in_force(desk.connection)[GRID_1] == {BLOCK_9, f"{BLOCK_10}.1", BLOCK_11}
        assert_sound(desk.connection)


def test_a_publication_that_fails_changes_nothing(engine: Engine) -> None:
    with at(engine) as desk:
        plan = planned(desk, move([BLOCK_10], GRID_2))
        before = in_force(desk.connection)
    with pytest.raises(RuntimeError), at(engine) as desk:
        publish_on(desk, desk.row(plan), desk.now.date())
        raise RuntimeError("the power goes")
    with at(engine) as desk:
        assert in_force(desk.connection) == before
        assert desk.row(plan).status == "draft"
        assert_sound(desk.connection)


def test_killed_at_any_moment_a_publication_is_whole_or_not_at_all(engine: Engine) -> None:
    rng, outcomes = random.Random(7), set()
    with at(engine) as desk:
        strokes = (split(), move([f"{BLOCK_10}.2", BLOCK_9], GRID_2))
        old = in_force(desk.connection)
        plans = [planned(desk, *strokes) for _ in range(6)]
    for plan in plans:
        thread = threading.Thread(target=quietly_published, args=(engine, plan), daemon=True)
        thread.start()
        time.sleep(rng.uniform(0.0, 0.25))
        with at(engine) as desk:
            others = "select pg_terminate_backend(pid) from pg_stat_activity where"
            mine = " datname = current_database() and pid <> pg_backend_pid()"
            desk.connection.execute(text(others + mine))
        thread.join()
        engine.dispose()
        with at(engine) as desk:
            assert_sound(desk.connection)
            is_new = desk.row(plan).status == "published"
            assert (in_force(desk.connection) != old) is is_new
            outcomes.add(is_new)
        if is_new:
            break  # the others started from grids that are not in force any more
    assert outcomes


def quietly_published(engine: Engine, plan: int) -> None:
    """Publish until somebody ends the connection."""
    with suppress(DBAPIError), at(engine) as desk:
        put_in_force(desk, desk.row(plan), desk.now.date())


def test_a_publication_is_announced(engine: Engine) -> None:
    with at(engine) as desk:
        last = desk.connection.scalar(select(func.max(outbox.c.id)))
    plan = published(engine, 0, move([BLOCK_10], GRID_2))
    with at(engine) as desk:
        new = select(outbox.c.layer).where(outbox.c.id > last)
        told = set(desk.connection.scalars(new))
    assert {"grids", "cameras", "incidents", f"plan:{plan}"} <= told


def scheduled(engine: Engine, day: date) -> int:
    with at(engine) as desk:
        plan = planned(desk, move([BLOCK_10], GRID_2))
        row = desk.row(plan)
        records.change_plan(desk.connection, row, "tester", NOW, "scheduled",
                            status="scheduled", publish_on=day)  # fmt: skip
        return plan


def test_a_plan_comes_in_force_when_its_day_has_come(engine: Engine) -> None:
    day = FIRST_DAY + timedelta(days=5)
    plan = scheduled(engine, day)
    assert publish_due(engine, NOW) == []
    assert publish_due(engine, NOW + timedelta(days=5)) == [plan]
    assert publish_due(engine, NOW + timedelta(days=5)) == []
    assert counts(engine, day - timedelta(days=1))[GRID_2]["people"] == 8
    assert counts(engine, day)[GRID_2]["people"] == 12


def test_a_scheduled_plan_that_cannot_be_published_says_why(engine: Engine) -> None:
    plan = scheduled(engine, FIRST_DAY + timedelta(days=5))
    published(engine, 1, move([BLOCK_9], GRID_2))
    assert publish_due(engine, NOW + timedelta(days=5)) == []
    with at(engine) as desk:
        row = desk.row(plan)
        assert (row.status, row.changed_what) == ("approved", "base-not-in-force")
        assert "merge" in row.outcome["refused"]["en"]


def test_a_day_is_noted_or_refused_when_it_is_past(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    post(own_client, f"/{plan}/submit", base_version=1)
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    past = refused(own_client, f"/{plan}/publish", base_version=3, on="2020-01-01")
    assert (past[0], past[1]["code"]) == (422, "day-is-past")
    later = (datetime.now(tz=NOW.tzinfo) + timedelta(days=40)).date().isoformat()
    answer = post(own_client, f"/{plan}/publish", base_version=3, on=later)
    assert (answer["status"], answer["publish_on"]) == ("scheduled", later)


def test_a_town_planner_neither_sees_nor_changes_another_towns_plans(engine: Engine) -> None:
    with at(engine) as desk:
        planned(desk)
    town = View("town", (f"{COUNTY_PATH}{VILLAGES[0][:9]}/",), EVERYTHING.rights)
    with engine.begin() as connection:
        enter_scope(connection, town)
        assert connection.scalar(select(func.count()).select_from(plan_table)) == 0
        assert connection.scalar(text("select count(*) from plan_base")) == 0


def publishing_of(engine: Engine, days: int, *strokes: dict[str, Any]) -> None:
    with at(engine, days) as desk:
        plan = planned(desk, *strokes)
        publish_on(desk, desk.row(plan), desk.now.date())


@pytest.mark.parametrize(
    ("stroke", "fault"),
    [
        (move([BLOCK_9], None), f"unassigned:{BLOCK_9}"),
        (move([BLOCK_9], GRID_2), f"detached:{GRID_2}:{BLOCK_9}"),
        (move([BLOCK_10], f"{VILLAGES[1]}001"), f"not-nested:{VILLAGES[1]}001:{BLOCK_10}"),
    ],
)
def test_a_hard_fault_that_the_plan_makes_stops_its_publication(
    engine: Engine, stroke: dict[str, Any], fault: str
) -> None:
    with pytest.raises(Refused) as refused:
        publishing_of(engine, 0, stroke)
    assert refused.value.code == "plan-faulty"
    assert fault in refused.value.where["faults"]
    with at(engine) as desk:
        assert in_force(desk.connection)[GRID_1] == {BLOCK_9, BLOCK_10}


def test_a_hard_fault_elsewhere_does_not_stop_a_publication(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_9], None))  # as an imported division may have it
    other = f"{VILLAGES[2]}00"
    block = "B000014"
    publishing_of(engine, 1, move([block], f"{other}2"))
    with at(engine, 1) as desk:
        assert block in in_force(desk.connection)[f"{other}2"]


def test_a_hard_fault_where_the_plan_works_is_to_be_mended_or_declared(engine: Engine) -> None:
    published(engine, 0, move([BLOCK_9], GRID_2))
    with pytest.raises(Refused, match="detached"):
        publishing_of(engine, 1, move([BLOCK_11], GRID_1))
    declared = {"kind": "declare", "grid": GRID_2, "parts": 2}
    publishing_of(engine, 1, move([BLOCK_11], GRID_1), declared)
    with at(engine, 1) as desk:
        parts = select(grid.c.expected_parts).where(grid.c.code == GRID_2,
                                                    grid.c.valid_to.is_(None))  # fmt: skip
        assert desk.connection.scalar(parts) == 2


def test_a_scheduled_plan_with_a_hard_fault_says_so_on_its_day(engine: Engine) -> None:
    day = FIRST_DAY + timedelta(days=5)
    with at(engine) as desk:
        plan = planned(desk, move([BLOCK_9], None))
        row = desk.row(plan)
        records.change_plan(desk.connection, row, "tester", NOW, "scheduled", status="scheduled",
                            publish_on=day)  # fmt: skip
    assert publish_due(engine, NOW + timedelta(days=5)) == []
    with at(engine) as desk:
        row = desk.row(plan)
        assert (row.status, row.changed_what) == ("approved", "plan-faulty")
        assert BLOCK_9 in row.outcome["refused"]["zh"]
