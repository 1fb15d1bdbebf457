"""Hand-over lists against the database itself: what publishing then does is what was listed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, func, select, text, update

from gis_service.database import Database
from grid_boundaries.actors import actor
from grid_boundaries.store import block, grid_block
from layers.buildings import building
from layers.cameras import camera
from layers.incidents import incident
from layers.people import household, person
from layers.places import place
from layers.postings import posting
from tests.county import VILLAGES, path_of
from tests.gis_service.test_plan_papers import asked, of_worker, page
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    get,
    post,
    started,
)
from tests.serving import Client, sqlalchemy_url

LISTED: dict[str, Any] = {
    "building": (building, True),
    "key_place": (place, place.c.is_key),
    "camera": (camera, True),
    "incident": (incident, incident.c.closed_at.is_(None)),
}


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the county that the client's service serves."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


def grids_of(connection: Connection) -> dict[tuple[str, str], str | None]:
    """Return the grid that each listed thing is stored in, by kind and id."""
    connection.execute(text("select set_config('gis.scope', '/', true)"))
    return {
        (kind, row.id): row.grid_code
        for kind, (table, condition) in LISTED.items()
        for row in connection.execute(select(table.c.id, table.c.grid_code).where(condition))
    }


def published(client: Client, plan: int, version: int) -> None:
    """Bring a plan in force, whatever soft faults it has."""
    faults = get(client, f"/plans/{plan}/checks")["faults"]
    soft = [one["key"] for one in faults if one["severity"] == "soft" and not one["inherited"]]
    post(client, f"/{plan}/submit", base_version=version, accept=soft)
    post(client, f"/{plan}/approve", "approver", base_version=version + 1)
    post(client, f"/{plan}/publish", base_version=version + 2)


def listed(found: Any) -> set[tuple[str, str, str | None, str | None]]:
    """Return what all lists name: kind, id, old and new grid."""
    return {
        (item["kind"], item["id"], item["from_grid"], item["to_grid"])
        for one in found["workers"]
        for way in ("gives", "receives")
        for item in one[way]["items"]
    }


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_what_is_listed_is_what_publishing_gives_another_grid(
    own_client: Client, owner: Engine, cut: bool
) -> None:
    plan, version = started(own_client), 0
    moved = [BLOCK_10]
    if cut:
        drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
        moved, version = [f"{BLOCK_10}.2"], 1
    drawn(own_client, plan, version, kind="move", blocks=moved, to=GRID_2)
    said = listed(get(own_client, f"/plans/{plan}/handover"))
    with owner.begin() as connection:
        before = grids_of(connection)
    published(own_client, plan, version + 1)
    with owner.begin() as connection:
        after = grids_of(connection)
    truth = {(*key, old, after[key]) for key, old in before.items() if after[key] != old}
    assert said == truth
    assert len(truth) > (0 if cut else 3)


def moves(rng: random.Random, grid_of: dict[str, str]) -> list[tuple[str, str]]:
    """Return a few random moves of blocks to other grids, of any village."""
    codes = sorted(set(grid_of.values()))
    blocks = rng.sample(sorted(grid_of), 5)
    return [(name, rng.choice([c for c in codes if c != grid_of[name]])) for name in blocks]


def test_for_random_plans_lists_and_diff_are_what_the_rows_say(
    own_client: Client, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        held = select(grid_block.c.block_id, grid_block.c.grid_code)
        grid_of: dict[str, str] = {row.block_id: row.grid_code for row in connection.execute(held)}
        things = {
            (kind, row.id): row.block_id
            for kind, (table, condition) in LISTED.items()
            for row in connection.execute(select(table.c.id, table.c.block_id).where(condition))
        }
        posts: dict[str, set[str]] = {}
        for worker, code in connection.execute(select(posting.c.worker_id, posting.c.grid_code)):
            posts.setdefault(code, set()).add(worker)
        living = select(household.c.block_id, func.count(person.c.id)).join(
            person, person.c.household_id == household.c.id
        )
        rows = connection.execute(living.group_by(household.c.block_id))
        people: dict[str, int] = {row[0]: row[1] for row in rows}
    rng = random.Random(7)
    for _ in range(4):
        plan, to = started(own_client), {}
        for version, (name, code) in enumerate(moves(rng, grid_of)):
            drawn(own_client, plan, version, kind="move", blocks=[name], to=code)
            to[name] = code
        found = get(own_client, f"/plans/{plan}/handover")
        for worker in set().union(*posts.values()):
            for way, mine, other in (("gives", grid_of, to), ("receives", to, grid_of)):
                lost = {name for name, code in to.items()
                        if worker in posts[mine[name]] - posts[other[name]]}  # fmt: skip
                truth = {key for key, at in things.items() if at in lost}
                own = [one for one in found["workers"] if one["worker"] == worker]
                items = own[0][way]["items"] if own else []
                assert {(item["kind"], item["id"]) for item in items} == truth
                total = sum(people[name] for name in lost)
                if own and (total == 0 or total >= 5):
                    assert own[0][way]["people"] == total
        diff = get(own_client, f"/plans/{plan}/diff")
        assert {one["block"]: one["to_grid"] for one in diff["blocks"]} == to
        assert diff["totals"]["people"] == sum(people[name] for name in to)
        gone = {(one["from_grid"], one["to_grid"]) for one in diff["groups"]}
        assert gone == {(grid_of[name], code) for name, code in to.items()}


def test_posts_that_ended_and_village_posts_are_on_no_list(
    own_client: Client, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        ended = posting.c.worker_id == "W000009"
        connection.execute(update(posting).where(ended).values(valid_to="2025-01-01"))
        cadre = posting.c.worker_id == "W000010"
        connection.execute(update(posting).where(cadre).values(role="cadre"))
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    found = get(own_client, f"/plans/{plan}/handover")
    assert [one["worker"] for one in found["workers"]] == ["W000011", "W000012", None]
    assert {item["id"] for item in of_worker(found, None)["gives"]["items"]} >= {"H10", "K10"}


def test_closed_refused_and_rated_incidents_are_nobodys_to_hand_over(
    own_client: Client, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        refused = incident.c.id == "I0101"
        connection.execute(update(incident).where(refused).values(state="refused"))
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
    assert [one["id"] for one in side["items"] if one["kind"] == "incident"] == ["I0102"]


def test_the_basis_of_the_plan_counts(own_client: Client, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        more = person.c.block_id.in_([BLOCK_9, BLOCK_10])
        connection.execute(update(person).where(more).values(household_id="F0101", usual=True))
        connection.execute(
            update(person).where(more, person.c.id.like("%2")).values(registered=False)
        )
    counts = {}
    for basis in ("present", "registered", "usual"):
        plan = started(own_client, basis=basis)
        drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
        side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
        counts[basis] = side["people"]
    assert counts == {"present": 8, "registered": None, "usual": 8}


def test_who_sees_one_village_gets_no_papers_of_another(own_client: Client, owner: Engine) -> None:
    with owner.begin() as connection:
        own = actor.c.name == "approver"
        scope = [path_of(VILLAGES[0])]
        connection.execute(update(actor).where(own).values(scope=scope))
        own_village = block.c.village_code == VILLAGES[0]
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        blocks = set(connection.scalars(select(block.c.id).where(own_village)))
    plan = started(own_client)
    mine = started(own_client, unit=VILLAGES[0])
    drawn(own_client, mine, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    assert asked(own_client, f"/plans/{plan}/report", "approver").status_code == 404
    assert asked(own_client, f"/public/{VILLAGES[2]}/map", "approver").status_code == 404
    assert "西社区" in page(own_client, f"/public/{VILLAGES[0]}/map", "approver")
    found = get(own_client, f"/plans/{mine}/handover", "approver")
    assert {item["block"] for one in found["workers"] for item in one["gives"]["items"]} <= blocks
    assert GRID_1 in page(own_client, f"/plans/{mine}/report", "approver")
