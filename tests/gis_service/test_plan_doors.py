"""What a plan takes at its door: villages and grids that are there, strokes that change things."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text, update

from gis_service.database import Database
from gis_service.migrations import configuration
from grid_boundaries.actors import actor
from tests.county import COUNTY_PATH, SOUTH, TOWNS, VILLAGES, WEST, WIDTH_DEG
from tests.gis_service.test_plan_papers import page, rows_of
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    drawn,
    get,
    post,
    refused,
    started,
)
from tests.serving import Client, sqlalchemy_url

IN_BLOCK_9 = [
    [WEST + x * WIDTH_DEG, SOUTH + y * WIDTH_DEG / 2]
    for x, y in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.1))
]


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the county that `own_client` serves."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


# ---- villages of new grids


@pytest.mark.parametrize(
    "village", ["999999999999", "nowhere", TOWNS[0], GRID_1, "%", f"{VILLAGES[0]}%", "' OR 1=1--"]
)
def test_a_new_grid_lies_in_a_village_that_is_there(own_client: Client, village: str) -> None:
    plan = started(own_client)
    for stroke in (
        {"kind": "create", "name": "新", "blocks": [BLOCK_10]},
        {"kind": "carve", "name": "新", "special_use": "学校",
         "area": {"type": "Polygon", "coordinates": [IN_BLOCK_9]}},
    ):  # fmt: skip
        made = {**stroke, "village_code": village}
        status, problem = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=made)
        assert problem["code"] in ("no-such-village", "takes-nothing"), problem
        assert status in (404, 422)
    assert get(own_client, f"/plans/{plan}")["version"] == 0


def test_a_new_grid_lies_in_a_village_of_the_plans_own_unit(own_client: Client) -> None:
    inside = next(one for one in VILLAGES if one.startswith(TOWNS[0]))
    outside = next(one for one in VILLAGES if one.startswith(TOWNS[1]))
    plan = started(own_client, unit=TOWNS[0])
    block = min(get(own_client, f"/plans/{plan}/assignment")["blocks"])
    stroke: dict[str, Any] = {
        "kind": "create", "name": "新", "blocks": [block], "village_code": outside,
    }  # fmt: skip
    status, problem = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert (status, problem["code"], problem["where"]["village"]) == (
        404, "no-such-village", outside,
    )  # fmt: skip
    told = drawn(own_client, plan, 0, **{**stroke, "village_code": inside})
    assert {grid["village_code"] for grid in told["grids"]} == {inside}


def test_a_village_that_was_abolished_takes_no_new_grid(own_client: Client, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        gone = text("update unit set valid_to = current_date where code = :code")
        connection.execute(gone, {"code": VILLAGES[2]})
    plan = started(own_client)
    stroke = {"kind": "create", "name": "新", "blocks": [BLOCK_9], "village_code": VILLAGES[2]}
    assert refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)[0] == 404


# ---- locks


@pytest.mark.parametrize("grids", [["nowhere"], [GRID_1, "nowhere"], ["%"], [BLOCK_9]])
def test_a_grid_that_is_not_there_is_not_locked(own_client: Client, grids: list[str]) -> None:
    plan = started(own_client)
    status, problem = refused(own_client, f"/{plan}/locks", grids=grids)
    assert (status, problem["code"]) == (404, "no-such-grid")
    assert get(own_client, f"/plans/{plan}")["locks"] == []


def test_a_grid_of_the_plan_alone_is_locked_and_one_it_retired_is_not(own_client: Client) -> None:
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="create", name="新", blocks=[BLOCK_10])
    (made,) = [grid["code"] for grid in told["grids"]]
    drawn(own_client, plan, 1, kind="retire", grid=GRID_2)
    assert post(own_client, f"/{plan}/locks", grids=[made])["grids"] == [made]
    assert refused(own_client, f"/{plan}/locks", grids=[GRID_2])[0] == 404
    post(own_client, f"/{plan}/undo", base_version=2)
    assert post(own_client, f"/{plan}/locks", grids=[GRID_2])["grids"] == [GRID_2]


# ---- strokes that change nothing

NOTHING: dict[str, dict[str, Any]] = {
    "a block to its own grid": {"kind": "move", "blocks": [BLOCK_9], "to": GRID_1},
    "all blocks of a grid to it": {"kind": "move", "blocks": [BLOCK_9, BLOCK_10], "to": GRID_1},
    "the parts that it has": {"kind": "declare", "grid": GRID_1, "parts": 1},
}


@pytest.mark.parametrize("what", NOTHING)
def test_a_stroke_that_changes_nothing_is_answered_and_not_logged(
    own_client: Client, what: str
) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_11], to=GRID_1)
    before = get(own_client, f"/plans/{plan}")
    told = drawn(own_client, plan, 1, **NOTHING[what])
    assert (told["version"], told["cursor"]) == (1, 1)
    assert (told["changed"], told["gone"], told["shapes"], told["numbers"]) == ({}, [], {}, [])
    after = get(own_client, f"/plans/{plan}")
    assert after == before
    # undo takes back the stroke that was seen last
    assert post(own_client, f"/{plan}/undo", base_version=1)["changed"] == {BLOCK_11: GRID_2}


def test_a_block_in_none_moved_to_none_changes_nothing(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9], to=None)
    told = drawn(own_client, plan, 1, kind="move", blocks=[BLOCK_9], to=None)
    assert (told["version"], told["changed"]) == (1, {})


def test_a_brush_over_blocks_of_which_some_are_there_already_is_logged(own_client: Client) -> None:
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9, BLOCK_10, BLOCK_11], to=GRID_1)
    assert (told["version"], told["changed"]) == (1, {BLOCK_11: GRID_1})


def test_a_stroke_that_changes_nothing_is_held_to_version_and_locks_all_the_same(
    own_client: Client,
) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    again = {"kind": "move", "blocks": [BLOCK_10], "to": GRID_2}
    status, problem = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=again)
    assert (status, problem["code"]) == (409, "plan-changed")
    post(own_client, f"/{plan}/locks", "approver", grids=[GRID_2])
    status, problem = refused(own_client, f"/{plan}/strokes", base_version=1, stroke=again)
    assert (status, problem["code"]) == (409, "grid-locked")


# ---- when it was handed in and approved


def handed_in(client: Client) -> int:
    plan = started(client)
    drawn(client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    soft = [one["key"] for one in get(client, f"/plans/{plan}/checks")["faults"]
            if one["severity"] == "soft"]  # fmt: skip
    post(client, f"/{plan}/submit", base_version=1, accept=soft)
    return plan


def test_the_times_of_submission_and_approval_stay_when_more_is_done(own_client: Client) -> None:
    plan = handed_in(own_client)
    submitted = get(own_client, f"/plans/{plan}")
    assert submitted["submitted_at"] == submitted["changed_at"] and not submitted["approved_at"]
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    approved = get(own_client, f"/plans/{plan}")
    assert approved["submitted_at"] == submitted["submitted_at"] < approved["approved_at"]
    post(own_client, f"/{plan}/publish", base_version=3)
    done = get(own_client, f"/plans/{plan}")
    assert [done[name] for name in ("submitted_at", "approved_at")] == [
        approved[name] for name in ("submitted_at", "approved_at")
    ]
    rows = rows_of(page(own_client, f"/plans/{plan}/report"))
    times = [row[2] for row in rows if row and row[0] in ("起草", "提交", "批准", "发布")]
    assert len(times) == 4 and "—" not in times
    assert times == sorted(times)


def test_a_plan_that_is_taken_back_was_neither_handed_in_nor_approved(own_client: Client) -> None:
    plan = handed_in(own_client)
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    post(own_client, f"/{plan}/withdraw", base_version=3)
    found = get(own_client, f"/plans/{plan}")
    assert (found["submitted_at"], found["approved_at"]) == (None, None)
    assert (found["submitted_by"], found["approved_by"]) == (None, None)


def test_the_last_change_is_the_last_stroke_and_not_what_came_after(own_client: Client) -> None:
    plan = handed_in(own_client)
    (stroke,) = get(own_client, f"/plans/{plan}")["strokes"]
    at = datetime.fromisoformat(stroke["at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    rows = rows_of(page(own_client, f"/plans/{plan}/report"))
    (changed,) = [row for row in rows if row and row[0] == "最近修改"]
    assert changed[:3] == ["最近修改", "planner", f"{at:%Y-%m-%d %H:%M}"]


# ---- what plans start from


def scoped(owner: Engine, role: str, path: str) -> None:
    with owner.begin() as connection:
        connection.execute(update(actor).where(actor.c.name == role).values(scope=[path]))


def emptied(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for table in ("grid_block", "grid", "block_count", "block"):
            connection.execute(text(f"delete from {table}"))


def test_two_units_that_say_the_same_have_a_base_each(own_client: Client, owner: Engine) -> None:
    emptied(owner)
    roles = dict(zip(("planner", "approver"), TOWNS, strict=False))
    for role, town in roles.items():
        scoped(owner, role, f"{COUNTY_PATH}{town}/")
    plans = {role: int(post(own_client, "", role, title="空")["id"]) for role in roles}
    found = {role: get(own_client, f"/plans/{plan}", role) for role, plan in plans.items()}
    assert len({one["base_hash"] for one in found.values()}) == 1
    assert len({one["unit_path"] for one in found.values()}) == 2
    for role, plan in plans.items():
        assert get(own_client, f"/plans/{plan}/assignment", role)["blocks"] == {}
        assert get(own_client, f"/plans/{plan}/diff", role)["totals"]["blocks"] == 0
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        assert connection.scalar(text("select count(*) from plan_base")) == 2


def test_plans_of_one_unit_share_their_base(own_client: Client, owner: Engine) -> None:
    for _ in range(3):
        started(own_client)
    started(own_client, unit=TOWNS[0])
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        assert connection.scalar(text("select count(*) from plan_base")) == 2


OLD_PLAN = text(
    "insert into plan (title, status, unit_path, basis, rules, base_hash, created_by, changed_by,"
    " changed_what, changed_at) values ('x', :status, :path, 'present', '{}', 'h', 'a', 'a',"
    " :status, '2026-01-02T03:04:05Z')"
)


def before_the_bases(connection: Connection) -> str:
    script = ScriptDirectory.from_config(configuration(connection))
    found = script.get_revision("0010")
    assert found is not None
    return str(found.down_revision)


def test_plans_whose_base_another_unit_had_stored_get_one_of_their_own(
    owner_engine: Engine,
) -> None:
    with owner_engine.begin() as connection:
        command.downgrade(configuration(connection), before_the_bases(connection))
    with owner_engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        connection.execute(text("insert into plan_base values ('h', '/1/2/', 'body')"))
        for path, status in (("/1/2/", "submitted"), ("/1/3/", "approved"), ("/1/3/", "draft")):
            connection.execute(OLD_PLAN, {"path": path, "status": status})
    with owner_engine.begin() as connection:
        command.upgrade(configuration(connection), "head")
    with owner_engine.begin() as connection:
        assert connection.scalar(text("select count(*) from plan")) == 0  # no scope is left open
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        bases = text("select unit_path, hash, convert_from(body, 'UTF8') from plan_base order by 1")
        assert [tuple(row) for row in connection.execute(bases)] == [
            ("/1/2/", "h", "body"), ("/1/3/", "h", "body"),
        ]  # fmt: skip
        times = text("select submitted_at is null, approved_at is null from plan order by id")
        assert [tuple(row) for row in connection.execute(times)] == [
            (False, True), (True, False), (True, True),
        ]  # fmt: skip
    with owner_engine.begin() as connection:
        command.downgrade(configuration(connection), before_the_bases(connection))
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        assert connection.scalar(text("select count(*) from plan_base")) == 1
