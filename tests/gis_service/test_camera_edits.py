"""A camera changed over HTTP: who may, what is refused, what follows, what is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from httpx import Response
from sqlalchemy import Engine, create_engine, func, select, update

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.database import Database, enter_scope
from gis_service.metrics import Metrics
from gis_service.refresh import is_stale, job_named, refresh_all, refresh_stale
from layers.camera_changes import camera_change
from layers.cameras import camera
from layers.coverage.results import own_results
from layers.coverage.tables import camera_view, grid_coverage
from layers.coverage.windows import LEAST_M2
from layers.places import place
from layers.refreshed import answered
from tests.county import NOW, ROLES, Block, add, blocks
from tests.serving import Client, serving, sqlalchemy_url

WORKING = ("K4", "K8", "K12", "K16")  # networked and on line in the made-up county
Json = dict[str, Any]


@pytest.fixture
def engine(computed_database: Database) -> Iterator[Engine]:
    """The county with all that is computed from it."""
    engine = create_engine(sqlalchemy_url(computed_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def calm(engine: Engine, computed_database: Database, tmp_path: Any) -> Iterator[Client]:
    """A client of a service that computes nothing anew by itself."""
    assert engine is not None
    with serving(computed_database, tmp_path, refresh_interval_s=3600) as client:
        yield client


def patch(client: Client, key: str, body: Any, role: str = "command", **headers: str) -> Response:
    return client.patch(f"/api/cameras/{key}", json=body, headers=client.by(role) | headers)


def block_of(key: str) -> Block:
    return blocks()[int(key[1:]) - 1]


def figures(engine: Engine) -> dict[str, Json]:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        rows = connection.execute(select(grid_coverage)).mappings()
        return {row["grid_code"]: dict(row) for row in rows}


def view_m2(engine: Engine, key: str) -> float | None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        own = select(camera_view.c.area_m2).where(camera_view.c.id == key)
        found = connection.scalar(own)
        return None if found is None else float(found)


def comparable(rows: dict[str, Json]) -> dict[str, list[float]]:
    left = {"grid_code", "unit_path", "assumed", "input_version", "computed_at", "seen_by_m2"}
    return {
        code: [float(value or 0) for name, value in row.items() if name not in left]
        for code, row in rows.items()
    }


def test_a_camera_taken_off_line_sees_nothing_and_its_grid_is_blinder(
    calm: Client, engine: Engine
) -> None:
    before = figures(engine)
    answer = patch(calm, "K4", {"online": False})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["view_m2"] == 0
    assert told["camera"]["online"] is False
    after = figures(engine)
    own = block_of("K4").grid
    assert view_m2(engine, "K4") is None
    assert after[own]["seen_m2"] < before[own]["seen_m2"]
    assert after[own]["cameras_working"] == before[own]["cameras_working"] - 1
    assert {one["grid_code"]: one["seen_m2"] for one in told["grids"]}[own] == pytest.approx(
        after[own]["seen_m2"]
    )


def test_of_ground_that_nobody_sees_any_more_no_hair_counts_as_seen(
    calm: Client, engine: Engine
) -> None:
    rng = np.random.default_rng(11)
    here = block_of("K4")
    for _ in range(6):
        at = here.at(*rng.uniform(0.05, 0.95, 2))
        body = {"lon": at.x, "lat": at.y, "azimuth_deg": float(rng.uniform(0, 360))}
        assert patch(calm, "K4", body).status_code == 200
    for key in WORKING:
        assert patch(calm, key, {"online": False}).status_code == 200
    assert all(row["seen_m2"] < 1e-9 for row in figures(engine).values())
    assert all(not row["seen_by_m2"] for row in figures(engine).values())


def test_what_followed_is_what_the_whole_county_computed_anew_gives(
    calm: Client, engine: Engine
) -> None:
    place = block_of("K5").at(0.05, 0.02)
    for key, body in (
        ("K4", {"azimuth_deg": 200}), ("K8", {"lon": place.x, "lat": place.y, "range_m": 180}),
        ("K12", {"online": False}), ("K16", {"view_angle_deg": 360}), ("K12", {"online": True}),
    ):  # fmt: skip
        assert patch(calm, key, body).status_code == 200
    live = comparable(figures(engine))
    refresh_all(engine, NOW, names=frozenset({"coverage"}))
    whole = comparable(figures(engine))
    assert live.keys() == whole.keys()
    for code, row in whole.items():
        assert live[code] == pytest.approx(row, rel=1e-6, abs=LEAST_M2)


def test_an_answered_change_does_not_compute_the_county_again(calm: Client, engine: Engine) -> None:
    refresh_stale(engine, NOW, Metrics())
    assert patch(calm, "K4", {"azimuth_deg": 10}).status_code == 200
    done = refresh_stale(engine, NOW, Metrics())
    assert "coverage" not in done
    assert "counts:cameras" in done


def test_a_change_from_elsewhere_still_computes_the_county_again(
    calm: Client, engine: Engine
) -> None:
    refresh_stale(engine, NOW, Metrics())
    assert patch(calm, "K4", {"azimuth_deg": 10}).status_code == 200
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(camera).where(camera.c.id == "K8").values(online=False))
    assert "coverage" in refresh_stale(engine, NOW, Metrics())
    assert view_m2(engine, "K8") is None


def test_what_a_run_of_the_county_may_have_missed_is_not_taken_as_answered(
    calm: Client, engine: Engine
) -> None:
    refresh_stale(engine, NOW, Metrics())
    assert patch(calm, "K4", {"azimuth_deg": 10}).status_code == 200
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        # as a run does that began before the change and puts its results in place after it
        own_results(connection)
    with engine.begin() as connection:
        assert is_stale(connection, job_named("coverage"))


def test_answered_changes_are_not_looked_through_for_ever(calm: Client, engine: Engine) -> None:
    refresh_stale(engine, NOW, Metrics())
    for bearing in range(3):
        assert patch(calm, "K4", {"azimuth_deg": bearing}).status_code == 200
    assert notes(engine) == 3
    refresh_stale(engine, NOW, Metrics())
    assert notes(engine) == 0
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        assert not is_stale(connection, job_named("coverage"))
        connection.execute(update(camera).where(camera.c.id == "K8").values(online=False))
    assert "coverage" in refresh_stale(engine, NOW, Metrics())


def test_the_note_of_an_answered_change_stays_while_the_county_is_stale(
    calm: Client, engine: Engine
) -> None:
    refresh_stale(engine, NOW, Metrics())
    assert patch(calm, "K4", {"azimuth_deg": 3}).status_code == 200
    with engine.connect() as slow, slow.begin():
        enter_scope(slow, system_view())
        slow.execute(update(camera).where(camera.c.id == "K8").values(online=False))
        # not committed, so nothing after it is settled
        assert patch(calm, "K12", {"azimuth_deg": 3}).status_code == 200
        assert "coverage" not in refresh_stale(engine, NOW, Metrics())
        assert notes(engine) == 1
    assert "coverage" in refresh_stale(engine, NOW, Metrics())


def notes(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.scalar(select(func.count()).select_from(answered)) or 0)


def test_results_of_a_stale_county_keep_their_version(calm: Client, engine: Engine) -> None:
    refresh_stale(engine, NOW, Metrics())
    version = {row["input_version"] for row in figures(engine).values()}
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(update(camera).where(camera.c.id == "K8").values(online=False))
    patch(calm, "K4", {"azimuth_deg": 10})
    assert {row["input_version"] for row in figures(engine).values()} == version
    refresh_stale(engine, NOW, Metrics())
    patch(calm, "K4", {"azimuth_deg": 20})
    assert figures(engine)[block_of("K4").grid]["input_version"] > max(version)


def test_the_outbox_tells_the_wall_where(calm: Client, engine: Engine) -> None:
    def versions() -> dict[str, str]:
        listed = calm.get("/api/layers", headers=calm.by("command")).json()
        return {one["name"]: one["version"] for one in listed}

    before = versions()
    patch(calm, "K4", {"azimuth_deg": 10})
    after = versions()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"cameras", "views", "blind", "coverage"}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_cameras(calm: Client, role: str) -> None:
    answer = patch(calm, "K12", {"azimuth_deg": 5}, role)
    if "maintain" not in RIGHTS_OF_ROLE[role]:
        assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")
    else:
        assert answer.status_code in {200, 404}


def test_a_camera_of_another_area_is_not_found_and_stays(calm: Client, engine: Engine) -> None:
    before = figures(engine)
    foreign = next(key for key in WORKING if block_of(key).village != blocks()[8].village)
    answer = patch(calm, foreign, {"online": False}, "village_centre")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-camera")
    assert figures(engine) == before
    assert patch(calm, "none", {"online": False}, "village_centre").json() == answer.json()


def test_a_camera_is_not_moved_out_of_the_askers_area(calm: Client, engine: Engine) -> None:
    own = next(one for one in blocks() if one.village == blocks()[8].village)
    away = next(one for one in blocks() if one.village[:9] != own.village[:9]).at()
    before = figures(engine)
    answer = patch(calm, f"K{own.number}", {"lon": away.x, "lat": away.y}, "village_centre")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-area")
    assert figures(engine) == before


def test_figures_of_foreign_grids_are_computed_and_not_told(calm: Client, engine: Engine) -> None:
    own = next(one for one in blocks() if one.village == blocks()[8].village)
    # at the village's border, looking over it
    edge = max((one for one in blocks() if one.village == own.village), key=lambda b: b.number)
    at = edge.at(0.98, 0.5)
    key = f"K{own.number}"
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        on = {"online": True, "state": "networked"}
        connection.execute(update(camera).where(camera.c.id == key).values(on))
    refresh_stale(engine, NOW, Metrics())
    before = figures(engine)
    answer = patch(calm, key, {"lon": at.x, "lat": at.y, "azimuth_deg": 90}, "village_centre")
    assert answer.status_code == 200, answer.text
    changed = {c for c, row in figures(engine).items() if row["seen_m2"] != before[c]["seen_m2"]}
    told = {one["grid_code"] for one in answer.json()["grids"]}
    assert any(not code.startswith(own.village) for code in changed)
    assert told
    assert all(code.startswith(own.village) for code in told)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422), ({"online": None}, 422), ({"azimuth_deg": None}, 422), ({"lon": 108.31}, 422),
        ({"lon": "108.31", "lat": 33.31}, 422), ({"lon": 999, "lat": 33.31}, 422),
        ({"lon": 33.31, "lat": 108.31}, 422), ({"lon": 0, "lat": 0}, 422),
        ({"azimuth_deg": 1e400}, 422), ({"azimuth_deg": True}, 422), ({"azimuth_deg": 1e9}, 422),
        ({"view_angle_deg": 0}, 422), ({"view_angle_deg": 361}, 422), ({"range_m": 0}, 422),
        ({"range_m": -5}, 422), ({"range_m": 1e12}, 422), ({"height_m": -1}, 422),
        ({"online": "yes"}, 422), ({"online": 1}, 422), ({"state": "gone"}, 422),
        ({"id": "K5"}, 422), ({"unit_path": "/"}, 422), ({"grid_code": "x"}, 422),
        ({"assumed": []}, 422), ([], 422), ("x", 422), (1, 422), ({"state": "planned"}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(
    calm: Client, engine: Engine, body: Any, status: int
) -> None:
    before = figures(engine)
    if body == {"azimuth_deg": 1e400}:
        raw = {"Content-Type": "application/json"} | calm.by("command")
        answer = calm.patch("/api/cameras/K4", content=b'{"azimuth_deg": 1e400}', headers=raw)
    else:
        answer = patch(calm, "K4", body)
    assert answer.status_code == status, answer.text
    assert {"code", "zh", "en"} <= answer.json().keys()
    assert figures(engine) == before


@pytest.mark.parametrize("kind", ["toilet", "school"])
def test_no_camera_is_moved_to_a_forbidden_place(calm: Client, engine: Engine, kind: str) -> None:
    here = block_of("K4")
    name = {"toilet": "一号门", "school": "学生宿舍"}[kind]
    row = here.placed(id="PX", kind=kind, name=name, is_key=False, geom=here.at(0.7, 0.7))
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        add(connection, place, [row])
    spot = here.at(0.7, 0.7)
    answer = patch(calm, "K4", {"lon": spot.x, "lat": spot.y})
    assert (answer.status_code, answer.json()["code"]) == (422, "forbidden-place")
    away = here.at(0.75, 0.7)
    assert patch(calm, "K4", {"lon": away.x, "lat": away.y}).status_code == 200


def test_a_version_that_is_not_the_last_is_refused(calm: Client, engine: Engine) -> None:
    seen = calm.get("/api/cameras/K4", headers=calm.by("command")).json()["version"]
    first = patch(calm, "K4", {"azimuth_deg": 11, "base_version": seen})
    assert first.status_code == 200
    late = patch(calm, "K4", {"azimuth_deg": 12, "base_version": seen})
    assert (late.status_code, late.json()["code"]) == (409, "version-differs")
    again = first.json()["camera"]["version"]
    assert patch(calm, "K4", {"azimuth_deg": 12, "base_version": again}).status_code == 200


def test_every_change_is_written_down_and_nothing_else_is(calm: Client, engine: Engine) -> None:
    patch(calm, "K4", {"azimuth_deg": 370})
    patch(calm, "K4", {"range_m": -1})
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        rows = connection.execute(select(camera_change)).all()
    assert [(row.camera_id, row.actor, row.changed) for row in rows] == [
        ("K4", "command", {"azimuth_deg": [90.0, 10.0]})
    ]


def test_a_value_that_is_given_is_no_longer_assumed(calm: Client, engine: Engine) -> None:
    answer = patch(calm, "K4", {"range_m": 60})
    assert answer.json()["camera"]["assumed"] == []
    assert all("range_m" in row["assumed"] for row in figures(engine).values())
    for number in range(1, 17):
        assert patch(calm, f"K{number}", {"range_m": 61}).status_code == 200
    assert all("range_m" not in row["assumed"] for row in figures(engine).values())


def test_changes_at_once_of_two_cameras_over_one_grid_lose_none(
    calm: Client, engine: Engine
) -> None:
    here = block_of("K4")
    keys = [f"K{number}" for number in range(1, 9)]
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        on = {"online": True, "state": "networked", "view_angle_deg": 360.0}
        connection.execute(update(camera).where(camera.c.id.in_(keys)).values(on))
    refresh_stale(engine, NOW, Metrics())

    def move(number: int) -> int:
        at = here.at(0.1 + 0.02 * (number % 40), 0.3)
        body = {"lon": at.x, "lat": at.y, "range_m": 40 + number % 7}
        return patch(calm, keys[number % len(keys)], body).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(move, range(48))) == {200}
    live = comparable(figures(engine))
    refresh_all(engine, NOW, names=frozenset({"coverage"}))
    for code, row in comparable(figures(engine)).items():
        assert live[code] == pytest.approx(row, rel=1e-6, abs=LEAST_M2)
