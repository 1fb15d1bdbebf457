"""Strokes along lines and outlines, through HTTP: each one call, logged, answered and undone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from tests.county import HEIGHT_DEG, SOUTH, VILLAGES, WEST, WIDTH_DEG
from tests.gis_service.test_plans import drawn, get, numbers_of, post, refused, source, started
from tests.serving import Client, sqlalchemy_url

GRID_1, GRID_2 = f"{VILLAGES[0]}001", f"{VILLAGES[0]}002"  # of 西社区, blocks 9 10 and 11 12
PEOPLE = 4  # of every block


def at(east: float, north: float) -> list[float]:
    """Return the point some columns east and rows north of the county's corner."""
    return [WEST + east * WIDTH_DEG, SOUTH + north * HEIGHT_DEG]


def rectangle(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [at(west, south), at(east, south), at(east, north), at(west, north), at(west, south)]
    return {"type": "Polygon", "coordinates": [ring]}


def undone(client: Client, plan: int, version: int) -> Any:
    return post(client, f"/{plan}/undo", base_version=version)


def test_a_grid_is_split_along_a_line_in_one_stroke(own_client: Client) -> None:
    plan = started(own_client)
    start = get(own_client, f"/plans/{plan}/assignment")
    line = [at(-0.5, 0.3), at(2.5, 0.3)]  # through blocks 9 and 10, above nobody's home
    told = drawn(own_client, plan, 0, kind="split_grid", grid=GRID_1, line=line, name="南片")
    assert told["version"] == 1
    assert told["gone"] == ["B000009", "B000010"]
    (new,) = {code for code in told["changed"].values() if code != GRID_1}
    assert new.startswith(f"{VILLAGES[0]}~")
    before, after = numbers_of(told, GRID_1)
    made = numbers_of(told, new)[1]
    assert before["people"] == after["people"] + made["people"] == 2 * PEOPLE
    assert made["area_m2"] == pytest.approx(0.3 * before["area_m2"], rel=1e-3)
    assert made["parts"] == after["parts"] == 1
    (stroke,) = get(own_client, f"/plans/{plan}")["strokes"]
    assert stroke["kind"] == "split_grid"
    undone(own_client, plan, 1)
    assert get(own_client, f"/plans/{plan}/assignment") == {**start, "version": 2}


def test_the_side_is_told_along_the_line_and_may_go_to_another_grid(own_client: Client) -> None:
    plan = started(own_client)
    line = [at(1.4, -0.5), at(1.4, 1.5)]  # northward, through block 10
    told = drawn(own_client, plan, 0, kind="split_grid", grid=GRID_1, line=line, side="right",
                 to=GRID_2)  # fmt: skip
    assert told["changed"] == {"B000010.1": GRID_1, "B000010.2": GRID_2}
    assert numbers_of(told, GRID_2)[1]["blocks"] == 3


def test_a_shared_border_is_moved(own_client: Client) -> None:
    plan = started(own_client)
    start = get(own_client, f"/plans/{plan}")["hash"]
    line = [at(1.0, -0.2), at(1.0, 0.5), at(2.5, 0.5), at(2.5, 1.2)]
    told = drawn(own_client, plan, 0, kind="move_border", grids=[GRID_1, GRID_2], line=line)
    assert {name.partition(".")[0] for name in told["changed"]} == {"B000010", "B000011"}
    one, other = numbers_of(told, GRID_1), numbers_of(told, GRID_2)
    assert one[1]["area_m2"] == pytest.approx(one[0]["area_m2"] / 2 * 1.75, rel=1e-3)
    assert one[1]["area_m2"] + other[1]["area_m2"] == pytest.approx(
        one[0]["area_m2"] + other[0]["area_m2"], rel=1e-6
    )
    assert (one[1]["parts"], other[1]["parts"]) == (1, 1)
    undone(own_client, plan, 1)
    assert get(own_client, f"/plans/{plan}")["hash"] == start


def test_a_special_area_is_carved_out_and_absorbed_back(own_client: Client) -> None:
    plan = started(own_client)
    area = rectangle(1.5, 0.2, 2.5, 0.8)
    told = drawn(
        own_client, plan, 0, kind="carve", name="实验中学", special_use="school", area=area
    )
    (special,) = {code for code in told["changed"].values() if "~" in str(code)}
    numbers = numbers_of(told, special)[1]
    assert numbers["blocks"] == 2
    assert numbers["area_m2"] == pytest.approx(0.6 * numbers_of(told, GRID_1)[0]["area_m2"] / 2,
                                               rel=1e-3)  # fmt: skip
    (grid,) = [one for one in get(own_client, f"/plans/{plan}/assignment")["grids"]
               if one["code"] == special]  # fmt: skip
    assert (grid["kind"], grid["special_use"]) == ("special", "school")
    back = drawn(own_client, plan, 1, kind="absorb", grid=special)
    assert set(back["changed"].values()) <= {GRID_1, GRID_2}
    named = drawn(own_client, plan, 2, kind="carve", name="又", special_use="school", area=area)
    (again,) = {code for code in named["changed"].values() if "~" in str(code)}
    told = drawn(own_client, plan, 3, kind="absorb", grid=again, into=GRID_2)
    assert set(told["changed"].values()) == {GRID_2}


def test_a_special_area_is_carved_from_a_places_building(own_client: Client) -> None:
    plan = started(own_client)
    # the place stands at 0.3 of block 9, its house not within ten metres
    stroke = {"kind": "carve", "name": "学校", "special_use": "school", "place": "P9"}
    status, problem = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert (status, problem["code"]) == (404, "no-ground-of-place")
    stroke["place"] = "P99"
    assert refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)[0] == 404


def test_a_special_block_is_the_ground_of_the_place_in_it(
    own_client: Client, county_database: Database
) -> None:
    owner = create_engine(sqlalchemy_url(county_database.owner_url))
    with owner.begin() as connection:
        enter_scope(connection, system_view("tester"))
        connection.execute(text("update block set kind = 'special' where id = 'B000009'"))
        connection.execute(
            text("update place set geom = (select st_centroid(geom) from building where id = 'H11')"
                 " where id = 'P11'")
        )  # fmt: skip
    owner.dispose()
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="carve", name="学校", special_use="school", place="P9")
    assert set(told["changed"]) == {"B000009"}
    told = drawn(own_client, plan, 1, kind="carve", name="楼", special_use="school", place="P11")
    (piece,) = [name for name, code in told["changed"].items() if code != GRID_2]
    assert piece.startswith("B000011.")
    (code,) = {told["changed"][piece]}
    assert numbers_of(told, code)[1]["area_m2"] == pytest.approx(0.04 * 0.02 * 5.16e5, rel=0.05)


def test_an_area_is_transferred_to_a_grid(own_client: Client) -> None:
    plan = started(own_client)
    area = rectangle(1.5, -0.5, 2.2, 1.0)
    told = drawn(own_client, plan, 0, kind="transfer", area=area, to=GRID_2)
    assert told["changed"] == {"B000010.1": GRID_1, "B000010.2": GRID_2}
    assert "B000011" not in told["changed"]  # it was in the grid before


def test_a_declared_enclave_is_no_fault(own_client: Client) -> None:
    plan = started(own_client)
    other = f"{VILLAGES[0]}002"
    drawn(own_client, plan, 0, kind="move", blocks=["B000009"], to=other)
    kinds = {one["kind"] for one in get(own_client, f"/plans/{plan}/checks")["faults"]}
    assert "detached" in kinds
    told = drawn(own_client, plan, 1, kind="declare", grid=other, parts=2)
    assert told["changed"] == {}
    kinds = {one["kind"] for one in get(own_client, f"/plans/{plan}/checks")["faults"]}
    assert "detached" not in kinds
    undone(own_client, plan, 2)
    kinds = {one["kind"] for one in get(own_client, f"/plans/{plan}/checks")["faults"]}
    assert "detached" in kinds


@pytest.mark.parametrize(
    ("stroke", "status", "code"),
    [
        ({"kind": "split_grid", "grid": "nowhere", "line": [[0, 0], [1, 1]]}, 404, "no-such-grid"),
        ({"kind": "split_grid", "grid": GRID_1, "line": [[0, 0], [1, 1]]}, 422,
         "line-does-not-part"),
        ({"kind": "split_grid", "grid": GRID_1, "line": [[0, 0], [0, 0]]}, 422,
         "line-does-not-part"),
        ({"kind": "split_grid", "grid": GRID_1, "line": [at(-1, 0.5), at(3, 0.5)],
          "to": "nowhere"}, 404, "no-such-grid"),
        ({"kind": "split_grid", "grid": GRID_1, "line": [[0, 0], [1, 1]], "side": "top"}, 422,
         "bad-field"),
        ({"kind": "move_border", "grids": [GRID_1], "line": [[0, 0], [1, 1]]}, 422, "bad-field"),
        ({"kind": "move_border", "grids": [GRID_1, GRID_1], "line": [[0, 0], [1, 1]]}, 422,
         "line-does-not-part"),
        ({"kind": "transfer", "area": rectangle(9, 9, 10, 10), "to": GRID_1}, 422,
         "takes-nothing"),
        ({"kind": "transfer", "area": rectangle(0, 0, 1, 1), "to": "nowhere"}, 404,
         "no-such-grid"),
        ({"kind": "transfer", "to": GRID_1, "area": {"coordinates": [
            [at(0, 0), at(1, 1), at(1, 0), at(0, 1), at(0, 0)]]}}, 422, "area-is-none"),
        ({"kind": "transfer", "to": GRID_1, "area": {"coordinates": [
            [at(0, 0), at(1, 0), at(1, 1), at(0, 1)]]}}, 422, "area-is-none"),
        ({"kind": "transfer", "to": GRID_1, "area": {"type": "Point", "coordinates": [0, 0]}}, 422,
         "bad-field"),
        ({"kind": "carve", "name": "x", "special_use": "school"}, 422, "bad-field"),
        ({"kind": "carve", "name": "x", "special_use": "school", "place": "P1",
          "area": rectangle(0, 0, 1, 1)}, 422, "bad-field"),
        ({"kind": "absorb", "grid": "nowhere"}, 404, "no-such-grid"),
        ({"kind": "absorb", "grid": GRID_1, "into": "nowhere"}, 404, "no-such-grid"),
        ({"kind": "declare", "grid": GRID_1, "parts": 0}, 422, "bad-field"),
        ({"kind": "declare", "grid": "nowhere", "parts": 2}, 404, "no-such-grid"),
    ],
)  # fmt: skip
def test_a_stroke_that_cannot_be_made_is_refused_and_nothing_changes(
    own_client: Client, stroke: dict[str, Any], status: int, code: str
) -> None:
    plan = started(own_client)
    answer = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert get(own_client, f"/plans/{plan}")["version"] == 0


def test_a_merge_takes_a_split_grid_over_as_it_was_cut(own_client: Client) -> None:
    mine, theirs = started(own_client), started(own_client)
    line = [at(-0.5, 0.3), at(2.5, 0.35)]
    drawn(own_client, theirs, 0, kind="split_grid", grid=GRID_1, line=line)
    drawn(own_client, theirs, 1, kind="declare", grid=GRID_2, parts=2)
    told = post(own_client, f"/{mine}/merge", base_version=0, **source(theirs))
    assert told["conflicts"] == []
    hashes = {get(own_client, f"/plans/{plan}")["hash"] for plan in (mine, theirs)}
    assert len(hashes) == 1  # to the byte


def test_a_declared_number_of_parts_is_published(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="declare", grid=GRID_2, parts=2)
    accept = [f"fewer-parts:{GRID_2}"]  # a part to come
    post(own_client, f"/{plan}/submit", base_version=1, accept=accept)
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    post(own_client, f"/{plan}/publish", base_version=3)
    later = get(own_client, f"/plans/{started(own_client)}/assignment")
    assert {one["code"] for one in later["grids"] if one["expected_parts"] == 2} == {GRID_2}
