"""What a plan's grids would see, told before it is published, is what they see once it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select, update

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.database import Database, enter_scope
from gis_service.refresh import refresh_all
from layers.cameras import camera
from layers.coverage.gaps import SUMMED
from layers.coverage.tables import grid_coverage
from layers.people import household
from tests.conftest import Server
from tests.county import (
    COUNTY_PATH,
    NOW,
    ROLES,
    SOUTH,
    TOWNS,
    WEST,
    WIDTH_DEG,
    add,
    blocks,
    path_of,
)
from tests.county_fixtures import copied, database_name
from tests.gis_service.test_handover_truth import published
from tests.gis_service.test_plan_doors import scoped
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    get,
    post,
    refused,
    started,
)
from tests.serving import Client, serving, sqlalchemy_url

COVERAGE = frozenset({"coverage"})
Json = dict[str, Any]


@pytest.fixture(scope="module")
def seen_template(server: Server, county_template: str) -> Iterator[str]:
    """The county with a camera that looks all round in every block, and what follows from it."""
    for database in copied(server, county_template, "seen"):
        engine = create_engine(sqlalchemy_url(database.url))
        with engine.begin() as connection:
            enter_scope(connection, system_view())
            on = {"online": True, "state": "networked", "view_angle_deg": 360.0}
            connection.execute(update(camera).values(on))
        refresh_all(engine, NOW)
        engine.dispose()
        yield database_name(database)


@pytest.fixture
def county_database(server: Server, seen_template: str) -> Iterator[Database]:
    """Such a county of the test's own."""
    yield from copied(server, seen_template, "own")


@pytest.fixture
def engine(county_database: Database) -> Iterator[Engine]:
    """An engine of the service on the county."""
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the county that the client's service serves."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine: Engine, county_database: Database, tmp_path: Any) -> Iterator[Client]:
    """A client of a service that computes nothing anew by itself."""
    assert engine is not None
    with serving(county_database, tmp_path, refresh_interval_s=3600) as client:
        yield client


def stored(engine: Engine) -> dict[str, Json]:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        rows = connection.execute(select(grid_coverage)).mappings()
        return {row["grid_code"]: dict(row) for row in rows}


def told(client: Client, plan: int) -> dict[str, Json]:
    return {one["grid"]: one for one in get(client, f"/plans/{plan}/coverage")["grids"]}


def assert_same(side: Json, row: Json) -> None:
    for name in SUMMED:
        assert side[name] == pytest.approx(float(row[name] or 0), rel=1e-6, abs=1e-3), name
    pairs = itertools.zip_longest(side["seen_by_m2"], row["seen_by_m2"] or [], fillvalue=0.0)
    assert all(ours == pytest.approx(theirs, rel=1e-6, abs=1e-2) for ours, theirs in pairs)


def assert_as_once_published(client: Client, engine: Engine, plan: int, version: int) -> None:
    """Publish a plan; what was told of it is what is stored before and after."""
    before, found = stored(engine), told(client, plan)
    assert found
    for code, one in found.items():
        if one["before"] is not None:
            assert_same(one["before"], before[code])
    published(client, plan, version)
    lasting = get(client, f"/plans/{plan}")["outcome"]["codes"]
    refresh_all(engine, NOW, names=COVERAGE)
    after = stored(engine)
    for code, one in found.items():
        if one["after"] is not None:
            assert_same(one["after"], after[lasting.get(code, code)])
        else:
            assert lasting.get(code, code) not in after
    untouched = set(after) & set(before) - set(found)
    for code in untouched:
        assert_same({name: before[code][name] for name in (*SUMMED, "seen_by_m2")}, after[code])


def test_a_plan_that_changes_nothing_touches_nothing(desk: Client) -> None:
    plan = started(desk)
    answer = get(desk, f"/plans/{plan}/coverage")
    assert answer["grids"] == []
    assert answer["totals"]["before"] == answer["totals"]["after"]
    assert answer["totals"]["after"]["open_m2"] == 0
    assert (answer["plan"], answer["version"], answer["status"]) == (plan, 0, "draft")


def test_a_block_moved_takes_what_is_seen_of_it_along(desk: Client, engine: Engine) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    found = told(desk, plan)
    assert set(found) == {GRID_1, GRID_2}
    assert found[GRID_1]["after"]["open_m2"] < found[GRID_1]["before"]["open_m2"]
    assert found[GRID_1]["after"]["cameras_built"] == found[GRID_1]["before"]["cameras_built"] - 1
    assert_as_once_published(desk, engine, plan, 1)


def test_a_block_cut_in_two_is_told_as_once_published(desk: Client, engine: Engine) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(desk, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    assert_as_once_published(desk, engine, plan, 2)


def test_grids_merged_leave_one_without_figures_after(desk: Client, engine: Engine) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="merge", grids=[GRID_1], into=GRID_2)
    found = told(desk, plan)
    assert found[GRID_1]["after"] is None
    assert found[GRID_1]["before"]["open_m2"] > 0
    assert_as_once_published(desk, engine, plan, 1)


def test_a_block_given_to_no_grid_counts_nowhere(desk: Client) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_9], to=None)
    totals = get(desk, f"/plans/{plan}/coverage")["totals"]
    assert totals["after"]["open_m2"] < totals["before"]["open_m2"]
    assert totals["after"]["people"] == totals["before"]["people"] - 4


def test_totals_are_the_sums_of_the_grids(desk: Client) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    answer = get(desk, f"/plans/{plan}/coverage")
    for side in ("before", "after"):
        for name in (*SUMMED, "twice_m2"):
            each = [one[side][name] for one in answer["grids"] if one[side] is not None]
            assert answer["totals"][side][name] == pytest.approx(sum(each)), name
    # moving a block between grids changes neither the ground nor what is seen of it
    for name in ("open_m2", "seen_m2", "people", "people_unseen", "road_m", "road_unseen_m"):
        before, after = (answer["totals"][side][name] for side in ("before", "after"))
        assert before == pytest.approx(after, abs=1e-3), name


def test_where_homes_are_unknown_people_are_spread_over_their_blocks(
    desk: Client, engine: Engine
) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(household).values(building_id=None))
    refresh_all(engine, NOW, names=COVERAGE)
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    answer = get(desk, f"/plans/{plan}/coverage")
    assert "people_spread_evenly" in answer["assumed"]
    assert_as_once_published(desk, engine, plan, 1)


def test_what_is_stale_is_told(desk: Client, engine: Engine) -> None:
    plan = started(desk)
    assert get(desk, f"/plans/{plan}/coverage")["stale"] is False
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(camera).where(camera.c.id == "K4").values(online=False))
    assert get(desk, f"/plans/{plan}/coverage")["stale"] is True


# ---- with cameras that might be hung


def hung(client: Client, plan: int, cameras: Any) -> Json:
    return dict(post(client, f"/{plan}/coverage", cameras=cameras))


def test_a_proposed_camera_sees_what_it_sees_once_it_hangs(desk: Client, engine: Engine) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(camera).values(online=False))
    refresh_all(engine, NOW, names=COVERAGE)
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    here = blocks()[10]
    at = here.at(0.5, 0.45)
    answer = hung(desk, plan, [{"lon": at.x, "lat": at.y, "range_m": 150.0}])
    found = {one["grid"]: one for one in answer["grids"]}
    assert answer["cameras"] == 1
    assert answer["totals"]["before"]["seen_m2"] == pytest.approx(0.0, abs=1e-6)
    assert answer["totals"]["after"]["seen_m2"] > 1000
    place = f"SRID=4490;POINT({at.x!r} {at.y!r})"
    row = here.placed(
        id="new", geom=place, kind="dome", azimuth_deg=0.0, view_angle_deg=360.0, range_m=150.0,
        state="planned", online=False,
    )  # fmt: skip
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        add(connection, camera, [row])
        on = {"state": "networked", "online": True}
        connection.execute(update(camera).where(camera.c.id == "new").values(on))
    published(desk, plan, 1)
    refresh_all(engine, NOW, names=COVERAGE)
    after = stored(engine)
    for code, one in found.items():
        for name in ("seen_m2", "people_unseen", "key_places_unseen", "road_unseen_m"):
            assert one["after"][name] == pytest.approx(after[code][name], rel=1e-6, abs=1e-3), name


def test_grids_in_reach_of_a_proposed_camera_are_told_though_no_plan_touches_them(
    desk: Client,
) -> None:
    plan = started(desk)
    at = blocks()[0].at(0.5, 0.5)
    answer = hung(desk, plan, [{"lon": at.x, "lat": at.y, "range_m": 40.0}])
    assert blocks()[0].grid in {one["grid"] for one in answer["grids"]}
    assert answer["totals"]["after"]["seen_m2"] >= answer["totals"]["before"]["seen_m2"]
    assert get(desk, f"/plans/{plan}")["version"] == 0


@pytest.mark.parametrize(
    "cameras",
    [[], {}, "x", None, [{}], [{"lon": 0, "lat": 0, "range_m": 50}],
     [{"lon": 33.31, "lat": 108.31, "range_m": 50}],
     [{"lon": WEST + WIDTH_DEG, "lat": SOUTH, "range_m": 1e12}],
     [{"lon": "108.31", "lat": 33.31, "range_m": 50}]],
)  # fmt: skip
def test_what_cannot_hang_is_refused(desk: Client, cameras: Any) -> None:
    plan = started(desk)
    assert refused(desk, f"/{plan}/coverage", cameras=cameras)[0] == 422


# ---- who may


@pytest.mark.parametrize("role", ROLES)
def test_who_reads_plans_reads_their_coverage(desk: Client, role: str) -> None:
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_11], to=GRID_1)
    both = (
        desk.get(f"/api/plans/{plan}{rest}", headers=desk.by(role)).status_code
        for rest in ("", "/coverage")
    )
    plain, ours = both
    assert plain == ours
    assert (ours == 200) == ("plans" in RIGHTS_OF_ROLE[role])


def test_a_plan_that_is_not_there_or_of_another_area_is_not_found(
    desk: Client, owner: Engine
) -> None:
    scoped(owner, "approver", f"{COUNTY_PATH}{TOWNS[1]}/")
    plan = started(desk, unit=TOWNS[0])
    for role, number in (("planner", 999), ("approver", plan)):
        answer = desk.get(f"/api/plans/{number}/coverage", headers=desk.by(role))
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-plan")
        body = {"cameras": [{"lon": WEST + WIDTH_DEG, "lat": SOUTH + 0.001, "range_m": 50.0}]}
        headers = desk.by(role)
        assert (
            desk.post(f"/api/plans/{number}/coverage", json=body, headers=headers).status_code
            == 404
        )


def test_cameras_beyond_the_planners_area_look_in_and_only_own_grids_are_told(
    desk: Client, engine: Engine, owner: Engine
) -> None:
    own, foreign = blocks()[8], blocks()[0]
    assert own.village != foreign.village
    # hung in the other village, right at the border
    at = own.at(0.5, 0.97)
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        place = f"SRID=4490;POINT({at.x!r} {at.y!r})"
        connection.execute(update(camera).where(camera.c.id == "K1").values(geom=place))
    refresh_all(engine, NOW)
    scoped(owner, "planner", path_of(own.village))
    plan = started(desk)
    drawn(desk, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    for answer in (
        get(desk, f"/plans/{plan}/coverage"),
        hung(desk, plan, [{"lon": at.x, "lat": at.y, "range_m": 400.0}]),
    ):
        codes = {one["grid"] for one in answer["grids"]}
        assert codes
        assert all(code.startswith(own.village) for code in codes)
    before = stored(engine)
    for code, one in told(desk, plan).items():
        assert_same(one["before"], before[code])
    assert before[own.grid]["seen_m2"] > 0
