"""The question of new sites, read from the made-up county: all of it, and no more than is asked."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import Point
from sqlalchemy import Connection, delete, text, update

from gis_service.asked_area import asked_area
from gis_service.site_answers import next_sites_answer
from gis_service.site_question import SiteQuestion, site_question
from gis_service.site_requests import NextSitesAsked
from grid_boundaries.errors import Refused
from grid_boundaries.view import View
from layers.cameras import camera
from layers.coverage.camera_sight import camera_sight
from layers.coverage.reach_figures import read_streets
from layers.places import place
from layers.read import the_county
from tests.county import COUNTY_PATH, VILLAGES, add, blocks, build, path_of

ALL = View("tester", (COUNTY_PATH,))
NAMES = ("people", "key_places")


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def question(connection: Connection, view: View = ALL, **asked: Any) -> SiteQuestion:
    given: dict[str, Any] = {"sites": 3, "range_m": 250.0, "field_of_view_deg": 360.0}
    wanted = NextSitesAsked.model_validate(given | asked)
    known = the_county(connection)
    return site_question(
        connection,
        view,
        asked_area(connection, view, wanted.unit),
        known,
        read_streets(connection, ALL, known) if "junctions" in wanted.at else None,
        camera_sight(connection, ALL, known),
        wanted,
    )


def silent(step: str, share: float) -> None:
    """Tell nobody."""


def works(connection: Connection, *keys: str) -> None:
    wide = {"state": "networked", "online": True, "range_m": 250.0, "view_angle_deg": 360.0}
    connection.execute(update(camera).where(camera.c.id.in_(keys)).values(**wide))


def test_a_county_is_read_whole(county: Connection) -> None:
    found = question(county)
    assert (len(found.posts), set(found.posts["kind"])) == (32, {"pole"})
    assert (found.people.weights.sum(), found.key_places.weights.sum()) == (64.0, 8.0)
    assert len(found.standing) == len(found.views) == 8
    assert found.people.sees.shape == (8, 16)


def test_a_question_can_be_sent_and_is_answered_the_same(county: Connection) -> None:
    works(county, "K9")
    found = question(county)
    sent = pickle.loads(pickle.dumps(found))
    assert next_sites_answer(sent, silent) == next_sites_answer(found, silent)


def test_only_cameras_that_stand_out_of_doors_count(county: Connection) -> None:
    stands = {"state": "built", "indoor": False}
    county.execute(update(camera).values(**stands))
    assert len(question(county).standing) == 16
    county.execute(update(camera).where(camera.c.id == "K3").values(indoor=True))
    county.execute(update(camera).where(camera.c.id == "K4").values(state="planned"))
    assert len(question(county).standing) == 14


def test_a_camera_that_does_not_work_has_an_empty_view(county: Connection) -> None:
    works(county, "K9", "K10")
    county.execute(update(camera).where(camera.c.id == "K10").values(online=False))
    found = question(county, unit=VILLAGES[0])
    at = {key: found.standing.index.get_loc(key) for key in ("K9", "K10")}
    assert found.views.area.iloc[at["K9"]] > 0
    assert found.views.area.iloc[at["K10"]] == 0
    seen = found.people.sees.toarray().sum(axis=1)
    assert (seen[at["K9"]], seen[at["K10"]]) == (1, 0)
    assert found.people.sees.nnz == int(seen.sum())


def test_a_camera_across_the_border_that_sees_in_counts(county: Connection) -> None:
    rim = next(one for one in blocks() if one.village == VILLAGES[2])
    beyond = rim.at(0.01, 0.5)
    values = {"geom": f"SRID=4490;{beyond.wkt}"}
    works(county, "K1")
    county.execute(update(camera).where(camera.c.id == "K1").values(**values))
    assert "K1" in question(county, unit=VILLAGES[0]).standing.index
    assert "K1" not in question(county, unit=VILLAGES[1], range_m=50.0).standing.index


@pytest.mark.parametrize("unit", [VILLAGES[0], VILLAGES[3]])
def test_a_village_has_its_own_posts_homes_and_places(county: Connection, unit: str) -> None:
    found = question(county, unit=unit)
    assert (len(found.posts), found.people.weights.sum()) == (8, 16.0)
    assert len(found.key_places.weights) == 2
    assert shapely.dwithin(found.posts.geometry.to_numpy(), found.ground.outline, 1.0).all()


def test_a_grid_has_its_own_alone(county: Connection) -> None:
    code = next(one.grid for one in blocks() if one.village == VILLAGES[0])
    found = question(county, unit=code)
    assert (len(found.posts), found.people.weights.sum()) == (4, 8.0)
    assert len(found.key_places.weights) == 1
    assert found.ground.outline.area == pytest.approx(2 * 465 * 1109, rel=0.01)


def test_posts_of_all_kinds_come_once_each_the_first_kind_first(county: Connection) -> None:
    corner = blocks()[8].at(0.6, 0.6)  # where K9 hangs
    asked: dict[str, Any] = {"at": ["poles", "facades", "junctions"], "unit": VILLAGES[0]}
    found = question(county, **asked)
    kinds = found.posts["kind"].value_counts().to_dict()
    assert (kinds["pole"], kinds["facade"]) == (8, 16)
    given = question(county, posts=[[corner.x, corner.y], [corner.x, corner.y]], **asked)
    assert given.posts["kind"].value_counts().to_dict()["pole"] == 1
    assert given.posts.index.tolist() == list(range(len(given.posts)))


def test_posts_given_outside_are_refused_and_on_the_rim_taken(county: Connection) -> None:
    west, south, _, _ = blocks()[8].shape.bounds
    assert len(question(county, unit=VILLAGES[0], posts=[[west, south]]).posts) == 1
    with pytest.raises(Refused) as caught:
        question(county, unit=VILLAGES[0], posts=[[west - 0.001, south]])
    assert (caught.value.code, caught.value.where["field"]) == ("post-outside", "posts")


def test_no_posts_no_homes_no_cameras_are_answered(county: Connection) -> None:
    assert len(question(county, posts=[]).posts) == 0
    county.execute(delete(camera))
    county.execute(text("delete from person"))
    found = question(county)
    assert (len(found.standing), len(found.people.weights)) == (0, 0)
    told = next_sites_answer(found, silent)
    assert (told["sites"], told["value"], told["people_known"]) == ([], 0.0, False)
    assert told["gap_percent"] == 0.0


def test_houses_of_others_hide_and_nobody_in_them_counts(county: Connection) -> None:
    own = View("tester", (path_of(VILLAGES[0]),))
    found = question(county, own)
    assert {path_of(VILLAGES[0]), path_of(VILLAGES[2])} == set(found.ground.buildings["unit_path"])
    assert (len(found.posts), found.people.weights.sum()) == (8, 16.0)


# ------------------------------------------------------------------ the answer's sums


@pytest.mark.parametrize("weigh", ["people", "key_places", "ground"])
@pytest.mark.parametrize("sites", [1, 4, 9])
def test_what_is_added_is_what_is_seen_after_less_before(
    county: Connection, weigh: str, sites: int
) -> None:
    works(county, "K9", "K12")
    asked: dict[str, Any] = {
        "weigh": weigh, "sites": sites, "unit": VILLAGES[0], "cell_m": 40.0
    }  # fmt: skip
    told = next_sites_answer(question(county, **asked), silent)
    for name in NAMES:
        seen = told["seen"][name]
        added = sum(site["adds"][name] for site in told["sites"])
        assert seen["after"] == pytest.approx(seen["before"] + added)
        assert seen["after"] <= seen["total"]
    if weigh != "ground":
        assert told["seen"][weigh]["after"] == pytest.approx(told["value"])
    assert told["before"] <= told["value"] <= told["bound"] <= told["total"] + 1e-6
    assert [site["number"] for site in told["sites"]] == list(range(1, len(told["sites"]) + 1))


def test_ground_that_is_added_is_the_area_that_nobody_saw(county: Connection) -> None:
    works(county, "K9")
    found = question(county, unit=VILLAGES[0], weigh="ground", sites=4, cell_m=40.0)
    told = next_sites_answer(found, silent)
    again = question(county, unit=VILLAGES[0], weigh="ground", sites=1, cell_m=40.0)
    first = next_sites_answer(again, silent)["sites"][0]
    assert first["adds"]["ground_m2"] >= max(s["adds"]["ground_m2"] for s in told["sites"]) * 0.9
    free = found.ground.outline.area - shapely.union_all(found.views.to_numpy()).area
    assert 0 < sum(site["adds"]["ground_m2"] for site in told["sites"]) <= free


def test_forbidden_posts_are_told_and_chosen_never(county: Connection) -> None:
    at = blocks()[8].at(0.6, 0.6)
    row = {"id": "PB", "name": "公共浴室", "kind": "bath", "is_key": False}
    add(county, place, [blocks()[8].placed(geom=at, **row)])
    told = next_sites_answer(question(county, unit=VILLAGES[0], sites=100), silent)
    assert (told["forbidden"], told["value"]) == (1, 12.0)
    chosen = [Point(site["lon"], site["lat"]) for site in told["sites"]]
    assert min(point.distance(at) for point in chosen) > 3 / 111_000
    assert np.allclose(told["forbidden_posts"], [[at.x, at.y]], atol=1e-6)
