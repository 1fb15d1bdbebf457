"""Next sites and service posts through HTTP, worked out by hand on the made-up county."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from httpx import Response
from shapely import Point
from sqlalchemy import Engine, create_engine, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.site_words import POST_COLUMNS, SITE_COLUMNS
from tests.conftest import Server
from tests.county import COUNTY, ROLES, TOWNS, VILLAGES, blocks
from tests.gis_service.test_leaving import asked as left_behind
from tests.gis_service.test_leaving import until
from tests.gis_service.test_side_process import children
from tests.serving import Client, serving, sqlalchemy_url

NEXT, POSTS = "/api/coverage/next-sites", "/api/coverage/posts"
MAY = {"leader", "command", "planner", "approver", "town_centre", "village_centre", "chief",
       "worker"}  # fmt: skip
# a camera post of a block sees its own house, 212 m off, and none of the next block
ROUND = {"range_m": 250.0, "field_of_view_deg": 360.0}
THREE = {"sites": 3, **ROUND}
FAR = {"goal": "nearest", "sites": 1}
PATIENT_S = 600.0  # a busy machine starts the process beside slowly
GONE_S = 40.0  # sooner than a question that takes too long is given up
Changing = tuple[Client, Engine]
PROBLEM = {"type", "title", "status", "code", "detail", "zh", "en", "where"}


@pytest.fixture(scope="module")
def changing(server: Server, county_template: str, tmp_path_factory: Any) -> Iterator[Changing]:
    """A service over a county whose rows the tests of this module change, each its own."""
    name = f"{county_template}_sites"
    server.ensure_database(name, template=county_template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    engine = create_engine(sqlalchemy_url(database.owner_url))
    folder = tmp_path_factory.mktemp("sites")
    with serving(database, folder, refresh_interval_s=3600) as client:
        yield client, engine
    engine.dispose()
    server.drop_database(name)


def change(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        connection.execute(text(statement), values)


def post(client: Client, way: str, asked: Any, role: str = "command", **query: str) -> Response:
    headers = client.by(role)
    return client.post(way, json=asked, params=query, headers=headers, timeout=PATIENT_S)


def ask(client: Client, way: str, asked: Any, role: str = "command", **query: str) -> Any:
    answer = post(client, way, asked, role, **query)
    assert answer.status_code == 200, answer.text
    assert "private" in answer.headers["cache-control"]
    return answer.json()


def refused(client: Client, way: str, asked: Any, role: str = "command") -> tuple[int, str]:
    answer = post(client, way, asked, role)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) == PROBLEM
    assert body["zh"] != body["en"]
    return answer.status_code, body["code"]


# ------------------------------------------------------------------ who may ask


@pytest.mark.parametrize("way", [NEXT, POSTS])
def test_who_is_not_signed_in_is_refused(client: Client, way: str) -> None:
    assert client.post(way, json=THREE).status_code == 401


@pytest.mark.parametrize(("way", "asked"), [(NEXT, THREE), (POSTS, FAR)])
@pytest.mark.parametrize("role", ROLES)
def test_who_may_ask(client: Client, way: str, asked: Any, role: str) -> None:
    if role in MAY:
        ask(client, way, asked, role)
    else:
        assert refused(client, way, asked, role) == (403, "right-missing")


@pytest.mark.parametrize(("way", "asked"), [(NEXT, THREE), (POSTS, FAR)])
def test_a_unit_or_grid_of_others_is_not_found(client: Client, way: str, asked: Any) -> None:
    foreign = next(one.grid for one in blocks() if one.village == VILLAGES[3])
    for unit in (TOWNS[1], VILLAGES[3], foreign, "nowhere", "' or 1=1--", "\u202e"):
        status, code = refused(client, way, {**asked, "unit": unit}, "village_centre")
        assert (status, code in {"unit-not-yours", "no-such-unit"}) == (404, True)


def test_a_village_centre_gets_sites_in_its_own_village(client: Client) -> None:
    own = ask(client, NEXT, {**THREE, "sites": 100}, "village_centre")
    assert (own["value"], own["total"], len(own["sites"])) == (16.0, 16.0, 4)
    homes = [one for one in blocks() if one.village == VILLAGES[0]]
    for site in own["sites"]:
        assert any(one.shape.buffer(1e-6).covers(at(site)) for one in homes)
    named = ask(client, NEXT, {**THREE, "sites": 100, "unit": VILLAGES[0]})
    assert named["sites"] == own["sites"]


def at(site: Any) -> Point:
    return Point(site["lon"], site["lat"])


def test_a_town_a_village_and_a_grid_have_what_lives_in_them(client: Client) -> None:
    grid = next(one.grid for one in blocks() if one.village == VILLAGES[0])
    totals = [
        ask(client, NEXT, {**THREE, "unit": unit})["total"]
        for unit in (None, COUNTY, TOWNS[0], VILLAGES[0], grid)
    ]
    assert totals == [64.0, 64.0, 32.0, 16.0, 8.0]
    served = [ask(client, POSTS, {**FAR, "unit": unit})["people"] for unit in (TOWNS[0], grid)]
    assert served == [32.0, 8.0]


# ------------------------------------------------------------------ next sites


def test_three_cameras_see_three_houses_and_that_is_proven(client: Client) -> None:
    found = ask(client, NEXT, THREE)
    assert (found["before"], found["value"], found["bound"], found["total"]) == (0, 12, 12, 64)
    assert (found["gap_percent"], found["gap_of_added_percent"]) == (0, 0)
    assert "已证明" in found["says"]["zh"]
    assert "Proven" in found["says"]["en"]
    assert [site["number"] for site in found["sites"]] == [1, 2, 3]
    for site in found["sites"]:
        assert set(site) == {"number", "lon", "lat", "azimuth_deg", "post", "adds", "homes_near"}
        assert (site["adds"]["people"], site["post"]) == (4.0, "pole")
        # a disc of 250 m within the county, without the shadow of a house or what a camera sees
        assert 100_000 < site["adds"]["ground_m2"] < 197_000
    assert found["seen"]["people"] == {"before": 0.0, "after": 12.0, "total": 64.0}
    assert found["seen"]["key_places"]["total"] == 8.0
    assert found["people_known"] is True


def test_assumptions_are_said_in_both_languages(client: Client) -> None:
    found = ask(client, NEXT, THREE)
    assert {"terrain", "range_m"} <= set(found["assumed"])
    assert any("未计地形" in said for said in found["assumptions"]["zh"])
    assert any("Terrain is not counted" in said for said in found["assumptions"]["en"])
    assert len(found["assumptions"]["zh"]) == len(found["assumptions"]["en"])


def test_key_places_and_ground_can_count_instead(client: Client) -> None:
    near = {"range_m": 400.0, "field_of_view_deg": 360.0, "unit": VILLAGES[0]}
    places = ask(client, NEXT, {"sites": 1, "weigh": "key_places", **near})
    assert (places["value"], places["total"]) == (1.0, 2.0)
    assert places["sites"][0]["adds"]["key_places"] == 1.0
    ground = ask(client, NEXT, {"sites": 1, "weigh": "ground", "cell_m": 50.0, **near})
    assert ground["points"] == pytest.approx(4 * 465 * 1109 / 2500, rel=0.03)
    assert ground["value"] - ground["before"] == pytest.approx(
        ground["sites"][0]["adds"]["ground_m2"], rel=0.1
    )


@pytest.mark.parametrize(
    ("asked", "number"),
    [({"budget_yuan": 100_000, "each_yuan": 30_000}, 3), ({"budget_yuan": 5, "each_yuan": 5}, 1),
     ({"budget_yuan": 1e9, "each_yuan": 1}, 16)],
)  # fmt: skip
def test_a_budget_pays_for_so_many(client: Client, asked: Any, number: int) -> None:
    assert len(ask(client, NEXT, {**asked, **ROUND})["sites"]) == number


def test_a_share_is_reached_with_as_few_as_it_takes(client: Client) -> None:
    found = ask(client, NEXT, {"target_share": 0.25, **ROUND})
    assert (len(found["sites"]), found["least_sites"], found["value"]) == (4, 4, 16.0)
    assert found["gap_percent"] == 0
    assert "更少不够" in found["says"]["zh"]


def test_a_share_out_of_reach_is_refused_with_what_is_reached(client: Client) -> None:
    answer = post(client, NEXT, {"target_share": 1.0, "range_m": 5.0})
    assert (answer.status_code, answer.json()["code"]) == (422, "share-out-of-reach")
    assert answer.json()["where"]["reached"] == 0.0


def test_façades_and_junctions_are_told_apart(client: Client) -> None:
    asked = {"sites": 5, "at": ["facades"], "range_m": 30.0, "per_post": 1}
    found = ask(client, NEXT, asked)
    assert {site["post"] for site in found["sites"]} == {"facade"}
    assert found["candidates"] == 16 * 4 * 8
    mixed = ask(client, NEXT, {"sites": 2, "at": ["junctions", "poles", "facades"], **ROUND})
    # all round it is one view a post
    assert mixed["candidates"] >= 16 * 4 + 32
    junction = ask(client, NEXT, {"sites": 1, "at": ["junctions"], "range_m": 500.0})
    assert {site["post"] for site in junction["sites"]} <= {"junction"}


def test_posts_of_ones_own_are_looked_at_and_those_outside_refused(client: Client) -> None:
    house = blocks()[8].at(0.42, 0.415)
    near = [house.x, house.y - 0.0003]
    asked = {"sites": 9, "posts": [near], "range_m": 60.0, "unit": VILLAGES[0]}
    found = ask(client, NEXT, asked)
    assert [site["adds"]["people"] for site in found["sites"]] == [4.0]
    assert found["sites"][0]["azimuth_deg"] in {315.0, 0.0, 45.0}
    assert (found["sites"][0]["lon"], found["sites"][0]["lat"]) == pytest.approx(near, abs=1e-6)
    far = {**asked, "posts": [near, [108.9, 33.9]]}
    assert refused(client, NEXT, far) == (422, "post-outside")
    assert ask(client, NEXT, {**asked, "posts": []})["sites"] == []


@pytest.mark.parametrize(("metres_off", "homes"), [(5, 1), (30, 0)])
def test_a_view_into_homes_is_flagged(client: Client, metres_off: int, homes: int) -> None:
    wall = blocks()[8].at(0.42, 0.4)
    asked = {"sites": 1, "posts": [[wall.x, wall.y - metres_off / 110_900]], "range_m": 60.0}
    assert ask(client, NEXT, asked)["sites"][0]["homes_near"] == homes


@pytest.mark.parametrize(
    ("number", "how"), [(9, "kind = 'toilet'"), (10, "kind = 'ward'"), (11, "name = '女更衣室'")]
)
def test_no_camera_hangs_in_a_forbidden_place(changing: Changing, number: int, how: str) -> None:
    client, engine = changing
    asked = {"sites": 100, "unit": VILLAGES[0], **ROUND}
    before = ask(client, NEXT, asked)
    camera = f"(select geom from camera where id = 'K{number}')"
    change(engine, f"update place set geom = {camera}, {how} where id = 'P{number}'")
    found = ask(client, NEXT, asked)
    assert found["forbidden"] == before["forbidden"] + 1
    assert found["value"] == before["value"] - 4.0
    expected = blocks()[number - 1].at(0.6, 0.6)
    told = [Point(lonlat).distance(expected) for lonlat in found["forbidden_posts"]]
    assert min(told) < 1e-6
    assert all(at(site).distance(expected) > 3e-5 for site in found["sites"])


def test_what_a_working_camera_sees_is_not_sought_again(changing: Changing) -> None:
    client, engine = changing
    asked = {"sites": 100, "unit": VILLAGES[1], **ROUND}
    wide = "set range_m = 250, view_angle_deg = 360"
    change(engine, f"update camera {wide}, state = 'networked', online = true where id = 'K1'")
    found = ask(client, NEXT, asked)
    assert (found["before"], found["value"], len(found["sites"])) == (4.0, 16.0, 3)
    change(engine, "update camera set online = false where id = 'K1'")
    again = ask(client, NEXT, asked)
    assert (again["before"], again["value"], len(again["sites"])) == (0.0, 16.0, 4)
    # a camera takes the one place on its post, off line as K1 or at work as K4
    full = ask(client, NEXT, {**asked, "per_post": 1})
    assert (full["value"], len(full["sites"])) == (8.0, 2)


WRONG: list[Any] = [
    {}, {"sites": 0}, {"sites": 501}, {"sites": "many"}, {"sites": 1, "target_share": 0.5},
    {"target_share": 0}, {"target_share": 1.01}, {"budget_yuan": 5}, {"each_yuan": 5, "sites": 1},
    {"budget_yuan": 5, "each_yuan": 6}, {"sites": 1, "at": []}, {"sites": 1, "at": ["moon"]},
    {"sites": 1, "bearings": 0}, {"sites": 1, "bearings": 17}, {"sites": 1, "range_m": 0},
    {"sites": 1, "range_m": 501}, {"sites": 1, "field_of_view_deg": 361},
    {"sites": 1, "per_post": 0},
    {"sites": 1, "weigh": "beauty"}, {"sites": 1, "cell_m": 1}, {"sites": 1, "within_s": 31},
    {"sites": 1, "within_s": 0}, {"sites": 1, "more": 1}, {"sites": 1, "unit": ""},
    {"sites": 1, "posts": [[181, 0]]}, {"sites": 1, "posts": [[1]]},
    {"sites": 1, "posts": [[108.3, 33.3]], "at": ["facades"]},
]  # fmt: skip


@pytest.mark.parametrize("asked", WRONG)
def test_a_question_that_does_not_fit_is_refused_by_its_field(client: Client, asked: Any) -> None:
    assert refused(client, NEXT, asked) == (422, "bad-field")


def test_more_than_can_be_weighed_is_refused(client: Client) -> None:
    cells = {"sites": 1, "weigh": "ground", "cell_m": 5.0}
    assert refused(client, NEXT, cells) == (413, "too-many-to-weigh")
    many = [[108.30001 + n * 1e-5, 33.30001] for n in range(3001)]
    assert refused(client, NEXT, {"sites": 1, "posts": many}) == (413, "too-many-to-weigh")


# ------------------------------------------------------------------ service posts


@pytest.fixture(scope="module")
def laid(changing: Changing) -> Changing:
    """The same with a lane past the houses of the eight northern blocks in place of its street."""
    row = blocks()[0].at(0.42, 0.41)
    ends = [blocks()[0].at(0.42), blocks()[7].at(0.42)]
    points = ", ".join(f"{end.x} {row.y}" for end in ends)
    _, engine = changing
    change(engine, "delete from street")
    change(
        engine,
        "insert into street (id, kind, length_m, placed, geom, unit_path) values ('S2', 'lane', 1,"
        " 'outside', st_geomfromtext(:line, 4490), :path)",
        line=f"LINESTRING({points})",
        path=f"/{COUNTY}/",
    )
    return changing


def test_the_post_is_where_the_way_is_shortest(laid: Changing) -> None:
    found = ask(laid[0], POSTS, {"goal": "worst", "sites": 2})
    # seven steps of 465 m at 75 m a minute, from one end of the lane
    assert found["value"] == pytest.approx(7 * 465 / 75, rel=0.01)
    assert (found["unit_of_values"], found["gap_percent"]) == ("minutes_most", 0)
    assert (found["people"], found["people_unreached"]) == (64.0, 32.0)
    assert found["candidates"] == 2
    assert sum(post["people"] for post in found["posts"]) == 32.0
    assert any("未计地形" in said for said in found["assumptions"]["zh"])


def test_posts_that_stand_serve_already(laid: Changing) -> None:
    client, engine = laid
    west = "(select st_startpoint(geom) from street where id = 'S2')"
    change(engine, f"update resource set kind = 'aed', geom = {west} where id = 'X1'")
    found = ask(client, POSTS, {"goal": "nearest", "sites": 1, "existing": ["aed"]})
    assert found["standing"] == 1
    assert found["before"] is not None
    assert found["value"] <= found["before"]
    for_all = ask(client, POSTS, {"goal": "all", "limit_minutes": 60, "existing": ["aed"]})
    assert (for_all["posts"], for_all["people_late"], for_all["value"]) == ([], 0.0, 0.0)


def test_everybody_in_time_or_told_why_not(laid: Changing) -> None:
    found = ask(laid[0], POSTS, {"goal": "all", "limit_minutes": 45})
    assert (found["value"], found["bound"], len(found["posts"])) == (1.0, 1.0, 1)
    late = {"goal": "all", "limit_minutes": 1}
    assert refused(laid[0], POSTS, late) == (422, "out-of-reach")


def test_who_lives_beside_no_street_is_said_to_be_unreached(client: Client) -> None:
    found = ask(client, POSTS, FAR)
    assert (found["people"], found["people_unreached"]) == (64.0, 64.0)
    assert found["posts"] == []


@pytest.mark.parametrize(
    "asked",
    [{}, {"goal": "best", "sites": 1}, {"goal": "nearest"}, {"goal": "all"},
     {"goal": "all", "sites": 1}, {"goal": "worst", "sites": 0},
     {"goal": "all", "limit_minutes": 0}, {"goal": "all", "limit_minutes": 1e9},
     {**FAR, "existing": ["A B"]}, {**FAR, "existing": ["a"] * 21}, {**FAR, "within_s": 31},
     {**FAR, "unit": "x" * 65}],
)  # fmt: skip
def test_a_question_about_posts_that_does_not_fit_is_refused(client: Client, asked: Any) -> None:
    assert refused(client, POSTS, asked) == (422, "bad-field")


# ------------------------------------------------------------------ forms and progress


@pytest.mark.parametrize("language", ["zh", "en"])
def test_sites_come_as_a_sheet(client: Client, language: str) -> None:
    answer = post(client, NEXT, THREE, format="csv", lang=language)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert (len(rows), len(rows[0])) == (4, len(SITE_COLUMNS))
    assert rows[0][0] == {"zh": "序号", "en": "no."}[language]
    assert (rows[1][4], rows[1][5]) == ({"zh": "立杆", "en": "pole"}[language], "4.0")
    sheet = post(client, POSTS, FAR, format="csv")
    assert sheet.content.decode("utf-8-sig").count(",") == len(POST_COLUMNS) - 1


def test_sites_come_as_points_on_a_map(client: Client) -> None:
    answer = post(client, NEXT, THREE, format="geojson")
    assert answer.headers["content-type"].startswith("application/geo+json")
    features = answer.json()["features"]
    assert [one["properties"]["number"] for one in features] == [1, 2, 3]
    assert features[0]["properties"]["people"] == 4.0
    assert features[0]["geometry"]["type"] == "Point"


def events(client: Client, way: str, asked: Any) -> list[tuple[str, Any]]:
    headers = client.by("planner") | {"Accept": "text/event-stream"}
    answer = client.post(way, json=asked, headers=headers, timeout=PATIENT_S)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [part.split("\n") for part in answer.text.strip().split("\n\n")]
    return [(one[0].removeprefix("event: "), json.loads(one[1].removeprefix("data: ")))
            for one in told]  # fmt: skip


def test_the_steps_are_told_on_the_way(client: Client) -> None:
    asked = {**THREE, "within_s": 7.5}
    told = events(client, NEXT, asked)
    steps = [what for kind, what in told if kind == "step"]
    assert [step["step"] for step in steps] == ["reading", "views", "sightings", "choice", "answer"]
    assert [step["share"] for step in steps] == sorted(step["share"] for step in steps)
    assert all(step["zh"] and step["en"] for step in steps)
    kind, answer = told[-1]
    assert (kind, answer["value"]) == ("answer", 12.0)
    # what was asked before is told at once
    assert [kind for kind, _ in events(client, NEXT, asked)] == ["answer"]
    assert events(client, POSTS, FAR)[-1][0] == "answer"


def test_a_refusal_on_the_way_is_told_in_both_languages(client: Client) -> None:
    told = events(client, NEXT, {"target_share": 1.0, "range_m": 4.0})
    kind, said = told[-1]
    assert (kind, said["code"]) == ("problem", "share-out-of-reach")
    assert said["zh"] != said["en"]
    assert events(client, NEXT, {**THREE, "unit": "nowhere"})[-1][1]["code"] == "no-such-unit"


def test_the_same_question_of_others_gets_their_own_answer(client: Client) -> None:
    totals = {role: ask(client, NEXT, THREE, role)["total"] for role in ("command", "town_centre")}
    assert totals == {"command": 64.0, "town_centre": 32.0}


def processor_s(processes: set[int]) -> float:
    """Return the seconds of a processor that processes have taken."""
    return sum(float(psutil.Process(number).cpu_times().user) for number in processes)


def test_whoever_leaves_leaves_no_question_behind(client: Client) -> None:
    ask(client, NEXT, {**THREE, "within_s": 6.25})  # a question of its own starts the process
    posts = [[108.301 + n * 1e-4, 33.301 + m * 1e-4] for n in range(30) for m in range(30)]
    # views that overlap: the choice takes all the time it may have
    heavy = {"sites": 60, "posts": posts, "weigh": "ground", "cell_m": 6.0, "within_s": 30,
             "unit": VILLAGES[0], "field_of_view_deg": 80.0, "range_m": 60.0}  # fmt: skip
    before = children()
    worked_s = processor_s(before)
    own = left_behind(client, "POST", NEXT, json.dumps(heavy).encode())
    until(lambda: processor_s(before) > worked_s + 0.5)  # the question is being worked out
    own.close()
    ends_at = time.monotonic() + GONE_S
    while before <= children():
        assert time.monotonic() < ends_at
        time.sleep(0.1)
    # and the next question is answered by a new one
    assert ask(client, NEXT, {**THREE, "sites": 2, "within_s": 6.5})["value"] == 8.0
