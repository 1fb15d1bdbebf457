"""A unit cut anew through HTTP: a draft whose cuts follow new lines and leave the rest alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import shapely
from geopandas import GeoSeries
from shapely.geometry import shape
from sqlalchemy import Connection, create_engine, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.planning import Desk
from gis_service.publishing import put_in_force
from grid_boundaries.recut import recut_ids
from grid_boundaries.tables import STORED_SRID
from tests.county import COUNTY, METRIC_SRID, NOW, TOWNS, VILLAGES, blocks
from tests.gis_service.test_block_cutting import astray_m2, done, run, stored_blocks
from tests.serving import Client, sqlalchemy_url

OLD = GeoSeries({block.id: block.shape for block in blocks()}, crs=STORED_SRID)


@pytest.fixture
def rows(county_database: Database) -> Iterator[Connection]:
    """A connection that sees every row, and every commit anew."""
    engine = create_engine(sqlalchemy_url(county_database.url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("select set_config('gis.scope', '/', false)"))
        yield connection
    engine.dispose()


def recut(client: Client, role: str = "planner", **body: Any) -> httpx.Response:
    asked = {"title": "recut", **body}
    return client.post("/api/plans/recut", json=asked, headers=client.by(role))


def plan(client: Client, number: int, word: str = "") -> dict[str, Any]:
    return done(client.get(f"/api/plans/{number}{word}", headers=client.by("planner")), 200)


def shapes_in(client: Client, number: int) -> GeoSeries:
    """Every block of a plan by id, as the plan has it, degrees."""
    told = plan(client, number, "/assignment")
    shapes = {name: OLD[name] for name in told["blocks"] if name in OLD.index}
    shapes |= {name: shape(wire) for name, wire in told["shapes"].items()}
    return GeoSeries(shapes, crs=STORED_SRID)


def village_united(client: Client, number: int) -> None:
    """No ground is lost or shared: the blocks of a plan tile what the old ones tiled."""
    new = shapes_in(client, number)
    before, after = shapely.union_all(OLD.to_numpy()), shapely.union_all(new.to_numpy())
    assert before.symmetric_difference(after).area * 1e10 < 1
    assert shapely.area(new.to_numpy()).sum() * 1e10 == pytest.approx(before.area * 1e10, abs=1)


def test_a_river_that_no_block_followed_yet_cuts_blocks_in_a_draft(
    own_client: Client, rows: Connection
) -> None:
    told = done(recut(own_client))
    assert told["cuts"] > 0
    row = plan(own_client, told["plan"])
    assert (row["status"], row["title"], row["created_by"]) == ("draft", "recut", "planner")
    assert [(one["kind"], one["actor"]) for one in row["strokes"]] == [("recut", "planner")]
    assert len(told["gone"]) == told["cuts"]
    village_united(own_client, told["plan"])
    stored = rows.execute(text("select count(*) from block where valid_to is null")).scalar_one()
    assert stored == 16  # nothing is in force yet


def test_ids_are_those_of_pieces_and_what_is_not_cut_keeps_id_and_ground(
    own_client: Client,
) -> None:
    told = done(recut(own_client))
    new = shapes_in(own_client, told["plan"])
    named = recut_ids(OLD.to_crs(METRIC_SRID), new.to_crs(METRIC_SRID), tolerance_m=0.2)
    assert sorted(named) == sorted(new.index)
    kept = OLD.index.intersection(new.index)
    assert [name for name in named if name in kept] == [name for name in new.index if name in kept]
    assert len(kept) == 16 - told["cuts"]
    changed = set(plan(own_client, told["plan"], "/assignment")["shapes"])
    for name in kept:
        assert new[name].symmetric_difference(OLD[name]).area < 1e-15
        if name not in changed:
            assert new[name].equals_exact(OLD[name])


def test_people_and_grids_stay_and_the_pieces_add_up(own_client: Client) -> None:
    told = done(recut(own_client))
    assert told["grids"] == []
    for change in told["numbers"]:
        for name in ("people", "households", "incidents", "cameras"):
            assert change["before"][name] == change["after"][name], (change["grid"], name)
    own = plan(own_client, told["plan"], "/assignment")["blocks"]
    assert all(own[piece] == _old_grid(piece) for piece in own)


def _old_grid(piece: str) -> str:
    return next(block.grid for block in blocks() if block.id == piece.partition(".")[0])


def test_undo_takes_all_cuts_back_and_redo_makes_the_same_again(own_client: Client) -> None:
    told = done(recut(own_client))
    number, by = told["plan"], own_client.by("planner")
    row = plan(own_client, number)
    version = {"base_version": row["version"]}
    undone = own_client.post(f"/api/plans/{number}/undo", json=version, headers=by)
    assert undone.status_code == 200, undone.text
    assert plan(own_client, number)["hash"] == row["base_hash"]
    assert plan(own_client, number, "/assignment")["shapes"] == {}
    again = {"base_version": undone.json()["version"]}
    assert own_client.post(f"/api/plans/{number}/redo", json=again, headers=by).status_code == 200
    assert plan(own_client, number)["hash"] == row["hash"]


@pytest.mark.parametrize("most", [3, 9])
def test_a_crowded_block_is_cut_between_its_homes(
    own_client: Client, county_database: Database, most: int
) -> None:
    run(
        county_database,
        "delete from water",
        "update household set geom = st_translate(geom, 0.0003, 0.0002) where id = 'F0011'",
    )
    told = done(recut(own_client, unit=VILLAGES[1], most_people_per_block=most))
    cut = [name for name in told["gone"] if name == "B000001"]
    assert cut == (["B000001"] if most == 3 else [])
    assert told["cuts"] == len(cut)


def test_a_recut_in_force_tiles_the_villages_and_takes_the_features_along(
    own_client: Client, county_database: Database, rows: Connection
) -> None:
    told = done(recut(own_client, most_people_per_block=3))
    engine = create_engine(sqlalchemy_url(county_database.url))
    with engine.begin() as connection:
        view = system_view("tester")
        enter_scope(connection, view)
        desk = Desk(connection, view, NOW)
        put_in_force(desk, desk.row(told["plan"]), NOW.date())
    engine.dispose()
    assert len(stored_blocks(rows)) == 16 - told["cuts"] + told["pieces"]
    assert astray_m2(rows) <= 1.0
    lost = """
        select count(*) from camera c left join block b on b.id = c.block_id and b.valid_to is null
        where b.id is null or not st_intersects(b.geom, c.geom) or c.grid_code is null"""
    assert rows.execute(text(lost)).scalar_one() == 0
    counted = rows.execute(
        text("select sum(people) from block_count c join block b on b.id = c.block_id"
             " where b.valid_to is null")
    )  # fmt: skip
    assert counted.scalar_one() == 64


def test_a_unit_that_needs_no_cut_is_an_empty_draft(
    own_client: Client, county_database: Database
) -> None:
    run(county_database, "delete from water")
    told = done(recut(own_client))
    assert (told["cuts"], told["pieces"], told["changed"], told["gone"]) == (0, 0, {}, [])
    assert plan(own_client, told["plan"])["strokes"] == []


def test_only_the_unit_asked_for_is_cut(own_client: Client) -> None:
    told = done(recut(own_client, unit=TOWNS[0]))
    row = plan(own_client, told["plan"])
    assert row["unit_path"] == f"/{COUNTY}/{TOWNS[0]}/"
    assert told["cuts"] > 0
    own = {block.id for block in blocks() if block.village.startswith(TOWNS[0])}
    assert set(told["gone"]) <= own
    assert {name.partition(".")[0] for name in told["changed"]} <= own


def test_a_second_recut_of_what_the_first_cut_finds_nothing_more(
    own_client: Client, county_database: Database, rows: Connection
) -> None:
    run(county_database, "delete from grid_block", "delete from block_count", "delete from block",
        "delete from grid")  # fmt: skip
    planner = own_client.by("planner")
    body: dict[str, Any] = {"most_people_per_block": 8}
    done(own_client.post("/api/blocks/cut", json=body, headers=planner))
    assert done(recut(own_client, **body))["cuts"] == 0


def test_a_unit_without_blocks_is_refused_and_leaves_no_plan(
    own_client: Client, county_database: Database
) -> None:
    run(county_database, "delete from grid_block", "delete from block_count", "delete from block")
    assert done(recut(own_client), 422)["code"] == "no-blocks"
    assert own_client.get("/api/plans", headers=own_client.by("planner")).json() == []


@pytest.mark.parametrize(
    "body",
    [{"title": ""}, {"most_people_per_block": 0}, {"unit": 7}, {"blocks": []}, {"title": None}],
)
def test_what_makes_no_sense_is_refused(client: Client, body: dict[str, Any]) -> None:
    assert done(recut(client, **body), 422)["code"]


def test_an_unknown_unit_is_refused(client: Client) -> None:
    assert done(recut(client, unit="610999109"), 404)["code"] == "no-such-unit"


@pytest.mark.parametrize("role", ["leader", "worker", "auditor"])
def test_who_may_not_plan_may_not_recut(client: Client, role: str) -> None:
    assert done(recut(client, role), 403)["code"] == "right-missing"


def test_a_planner_of_a_town_recuts_nothing(own_client: Client, county_database: Database) -> None:
    scope = f"array['/{COUNTY}/{TOWNS[0]}/']"
    run(county_database, f"update actor set scope = {scope} where name = 'planner'")
    assert done(recut(own_client, unit=TOWNS[0]), 403)["code"] == "county-scope-needed"
