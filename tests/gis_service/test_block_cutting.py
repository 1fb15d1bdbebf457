"""First blocks through HTTP: looked at, cut, refused; what lies in them is located and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import shapely
from geopandas import GeoSeries
from shapely.geometry import shape
from sqlalchemy import Connection, create_engine, text

from gis_service.database import Database
from grid_boundaries.tables import STORED_SRID
from tests.county import COUNTY, METRIC_SRID, TOWNS, VILLAGES, path_of
from tests.serving import Client, sqlalchemy_url


def run(database: Database, *statements: str) -> None:
    engine = create_engine(sqlalchemy_url(database.owner_url))
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def rows(county_database: Database) -> Iterator[Connection]:
    """A connection that sees every row, and every commit anew."""
    engine = create_engine(sqlalchemy_url(county_database.url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("select set_config('gis.scope', '/', false)"))
        yield connection
    engine.dispose()


FEATURES = (
    "building", "place", "organisation", "part", "device", "resource", "camera", "worker",
    "household", "incident", "visit", "street", "water", "centre",
)  # fmt: skip


@pytest.fixture
def bare(county_database: Database, own_client: Client) -> Client:
    """The county with all it has, but no blocks and no grids."""
    run(
        county_database,
        "delete from grid_block", "delete from block_count", "delete from block",
        "delete from grid",
        *(f"update {table} set block_id = null, grid_code = null, placed = 'outside'"
          for table in FEATURES),
        "update person set block_id = null, grid_code = null",
    )  # fmt: skip
    return own_client


def cut(client: Client, role: str = "planner", **body: Any) -> httpx.Response:
    return client.post("/api/blocks/cut", json=body, headers=client.by(role))


def done(answer: httpx.Response, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stored_blocks(rows: Connection) -> GeoSeries:
    """The blocks in force by id, degrees."""
    found = rows.execute(
        text("select id, st_asbinary(geom) as geom from block where valid_to is null order by id")
    ).all()
    shapes = shapely.from_wkb([bytes(row.geom) for row in found])
    return GeoSeries(shapes, index=[row.id for row in found], crs=STORED_SRID)


def astray_m2(rows: Connection) -> float:
    """The most that blocks leave open, share, or have beyond any village's outline, by PostGIS.

    Laid over one another as stored, where borders are straight in degrees.
    """
    statement = """
        with own as (
            select village_code as code, st_union(geom) as ground, sum(st_area(geom)) as area
            from block where valid_to is null group by village_code
        ), outline as (select code, geom as ground from unit where level = 'village')
        select max(st_area(st_symdifference(own.ground, outline.ground))
                   + abs(own.area - st_area(own.ground))) * 1e10
        from outline left join own using (code)
    """  # a square degree is about 1e10 m2
    return float(rows.execute(text(statement)).scalar_one())


def test_a_county_without_blocks_is_tiled_along_its_street_its_river_and_its_villages(
    bare: Client, rows: Connection
) -> None:
    told = done(cut(bare))
    shapes = stored_blocks(rows)
    assert told["blocks"] == len(shapes) >= len(VILLAGES)
    assert shapes.index.tolist() == [f"B{n:06d}" for n in range(1, len(shapes) + 1)]
    assert astray_m2(rows) <= 1.0
    assert shapely.coverage_is_valid(shapes.to_numpy())
    assert told["area_m2"] == pytest.approx(shapes.to_crs(METRIC_SRID).area.sum(), abs=1)
    assert (told["people"], told["by"]) == (64, "planner")
    assert told["features"] == sum(_count(rows, table, "placed <> 'outside'") for table in FEATURES)


def _count(rows: Connection, table: str, where: str = "true") -> int:
    return int(rows.execute(text(f"select count(*) from {table} where {where}")).scalar_one())


def test_every_feature_and_person_is_in_the_block_that_it_lies_in(
    bare: Client, rows: Connection
) -> None:
    done(cut(bare))
    for table in FEATURES:
        if table in ("building", "street", "water"):
            continue  # these lie where a point inside them does
        astray = f"""
            select count(*) from {table} f left join block b on b.id = f.block_id
            where b.id is null or not st_dwithin(b.geom, f.geom, 1e-6) or f.grid_code is not null
               or f.placed <> 'inside'"""
        assert rows.execute(text(astray)).scalar_one() == 0, table
    strangers = """select count(*) from person p join household h on h.id = p.household_id
                   where p.block_id is distinct from h.block_id"""
    assert rows.execute(text(strangers)).scalar_one() == 0
    assert _count(rows, "person", "block_id is null") == 0


def test_residents_are_counted_in_the_blocks_as_persons_say(bare: Client, rows: Connection) -> None:
    done(cut(bare))
    sums = rows.execute(
        text("select sum(people), sum(households), sum(registered), sum(usual) from block_count")
    ).one()
    assert tuple(sums) == (64, 32, 64, 32)
    differing = """
        select count(*) from block_count c where people <> (
            select count(*) from person p where p.block_id = c.block_id and p.present)"""
    assert rows.execute(text(differing)).scalar_one() == 0
    assert _count(rows, "block_count") == _count(rows, "block")


def test_each_block_lies_in_its_village_and_has_its_path(bare: Client, rows: Connection) -> None:
    done(cut(bare))
    found = rows.execute(text("select village_code, unit_path, valid_from, kind from block")).all()
    assert {row.village_code for row in found} == set(VILLAGES)
    assert all(row.unit_path == path_of(row.village_code) for row in found)
    assert len({row.valid_from for row in found}) == 1
    assert {row.kind for row in found} <= {"open", "hamlet", "street_face"}


def test_ids_go_west_to_east_then_north_to_south(bare: Client, rows: Connection) -> None:
    done(cut(bare))
    inner = stored_blocks(rows).representative_point()
    assert (inner.x.diff().dropna() > -1e-5).all()


@pytest.mark.parametrize("most", [4, 8, 11, 30])
def test_no_block_holds_more_people_than_asked_where_homes_can_be_parted(
    bare: Client, rows: Connection, most: int
) -> None:
    told = done(cut(bare, most_people_per_block=most))
    assert told["crowded"] == []
    assert told["people_per_block"]["most"] <= most
    assert _count(rows, "block_count", f"people > {most}") == 0
    assert astray_m2(rows) <= 1.0


def test_homes_at_one_point_stay_together_and_are_named(bare: Client, rows: Connection) -> None:
    told = done(cut(bare, most_people_per_block=3))
    assert len(told["crowded"]) == 16  # four people at each of sixteen points
    crowded = rows.execute(text("select block_id from block_count where people > 3")).scalars()
    assert sorted(crowded) == told["crowded"]


def test_a_preview_shows_the_blocks_and_changes_nothing(bare: Client, rows: Connection) -> None:
    before = rows.execute(text("select max(id) from outbox")).scalar_one()
    shown = done(cut(bare, preview=True, most_people_per_block=8), 200)
    assert shown["type"] == "FeatureCollection"
    assert (_count(rows, "block"), _count(rows, "block_count")) == (0, 0)
    assert rows.execute(text("select max(id) from outbox")).scalar_one() == before
    told = done(cut(bare, most_people_per_block=8))
    assert shown["summary"] == {name: told[name] for name in shown["summary"]}
    written = stored_blocks(rows)
    for feature in shown["features"]:
        own = written[feature["properties"]["id"]]
        assert shape(feature["geometry"]).symmetric_difference(own).area < 1e-10
    assert sum(one["properties"]["people"] for one in shown["features"]) == 64


def test_the_change_is_announced_and_who_made_it_is_kept(bare: Client, rows: Connection) -> None:
    before = rows.execute(text("select max(id) from outbox")).scalar_one()
    told = done(cut(bare))
    layers = rows.execute(text("select layer from outbox where id > :before"), {"before": before})
    assert {"blocks", "people", "incidents", "cameras"} <= set(layers.scalars())
    facts = rows.execute(text("select facts from county")).scalar_one()
    assert facts["made_up"] is True
    assert facts["blocks_cut"] == [
        {"by": "planner", "at": told["at"], "unit_path": f"/{COUNTY}/", "blocks": told["blocks"],
         "most_people_per_block": None}
    ]  # fmt: skip


def test_a_county_with_blocks_is_refused_with_the_way_to_change_them(
    own_client: Client, rows: Connection
) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"preview": True})
    for body in bodies:
        refused = done(cut(own_client, **body), 409)
        assert refused["code"] == "blocks-exist"
        assert "16" in refused["en"]
        assert "/api/plans/recut" in refused["zh"]
    assert _count(rows, "block") == 16


def test_a_second_cut_is_refused(bare: Client, rows: Connection) -> None:
    told = done(cut(bare))
    assert done(cut(bare), 409)["code"] == "blocks-exist"
    assert _count(rows, "block") == told["blocks"]


def test_a_county_without_villages_is_refused(bare: Client, county_database: Database) -> None:
    run(county_database, "delete from unit where level = 'village'")
    assert done(cut(bare), 422)["code"] == "no-villages"


def test_an_unknown_unit_is_refused(bare: Client) -> None:
    assert done(cut(bare, unit="610999109"), 404)["code"] == "no-such-unit"


def test_villages_that_share_ground_are_refused(
    bare: Client, county_database: Database, rows: Connection
) -> None:
    run(
        county_database,
        f"update unit set geom = st_multi(st_buffer(geom, 0.001)) where code = '{VILLAGES[0]}'",
    )
    refused = done(cut(bare), 422)
    assert refused["code"] == "villages-overlap"
    assert _count(rows, "block") == 0


def test_a_limit_without_residents_is_refused_and_a_cut_without_limit_is_not(
    bare: Client, county_database: Database, rows: Connection
) -> None:
    run(county_database, "delete from person", "delete from household")
    assert done(cut(bare, most_people_per_block=8), 422)["code"] == "nobody-counted"
    told = done(cut(bare))
    assert told["people"] == 0
    assert set(told["kinds"]) == {"open"}
    assert _count(rows, "block_count") == 0  # nobody has counted


def test_a_county_without_streets_and_waters_has_its_hamlets(
    bare: Client, county_database: Database, rows: Connection
) -> None:
    run(county_database, "delete from street", "delete from water")
    told = done(cut(bare))
    assert told["blocks"] == 16  # four hamlets in each of four villages
    assert told["people_per_block"]["most"] == 4
    assert astray_m2(rows) <= 1.0


@pytest.mark.parametrize(
    "body",
    [
        {"most_people_per_block": 0}, {"most_people_per_block": -1}, {"preview": "maybe"},
        {"most_people_per_block": "many"}, {"grids": True}, {"unit": ""},
        {"special_areas": [{"type": "Point", "coordinates": [1, 2]}]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(client: Client, body: dict[str, Any]) -> None:
    assert done(cut(client, **body), 422)["code"]


def test_an_area_that_crosses_itself_is_refused(bare: Client) -> None:
    ring = [[108.3, 33.3], [108.31, 33.31], [108.31, 33.3], [108.3, 33.31], [108.3, 33.3]]
    area = {"type": "Polygon", "coordinates": [ring]}
    assert done(cut(bare, special_areas=[area]), 422)["code"] == "area-is-none"


def test_special_ground_is_a_block_of_its_own(bare: Client, rows: Connection) -> None:
    works = shapely.box(108.301, 33.301, 108.303, 33.304)
    area = {"type": "Polygon", "coordinates": [[list(xy) for xy in works.exterior.coords]]}
    told = done(cut(bare, special_areas=[area]))
    found = rows.execute(
        text("select st_asbinary(st_union(geom)) from block where kind = 'special'")
    ).scalar_one()
    assert shapely.from_wkb(bytes(found)).symmetric_difference(works).area < 1e-12
    assert told["kinds"]["special"] >= 1
    assert astray_m2(rows) <= 1.0


@pytest.mark.parametrize("role", ["leader", "command", "worker", "town_centre", "department"])
def test_who_may_not_plan_may_not_cut(client: Client, role: str) -> None:
    assert done(cut(client, role), 403)["code"] == "right-missing"


def test_nobody_cuts_without_signing_in(client: Client) -> None:
    assert client.post("/api/blocks/cut", json={}).status_code == 401


def test_a_planner_of_a_town_cuts_nothing(
    bare: Client, county_database: Database, rows: Connection
) -> None:
    run(
        county_database,
        f"update actor set scope = array['/{COUNTY}/{TOWNS[0]}/'] where name = 'planner'",
    )
    bodies: tuple[dict[str, Any], ...] = ({"preview": True}, {}, {"unit": TOWNS[0]})
    for body in bodies:
        assert done(cut(bare, **body), 403)["code"] == "county-scope-needed"
    assert _count(rows, "block") == 0


def test_towns_cut_one_after_the_other_are_edge_matched(bare: Client, rows: Connection) -> None:
    first = done(cut(bare, unit=TOWNS[1], most_people_per_block=8))
    assert _count(rows, "block", f"unit_path not like '/{COUNTY}/{TOWNS[1]}/%'") == 0
    assert _count(rows, "household", "block_id is null") == 16
    second = done(cut(bare, unit=TOWNS[0]))
    shapes = stored_blocks(rows)
    assert shapes.index.tolist() == [
        f"B{n:06d}" for n in range(1, first["blocks"] + second["blocks"] + 1)
    ]
    assert shapely.coverage_is_valid(shapes.to_numpy())
    assert astray_m2(rows) <= 1.0
    assert _count(rows, "household", "block_id is null") == 0
    facts = rows.execute(text("select facts from county")).scalar_one()
    assert [one["blocks"] for one in facts["blocks_cut"]] == [first["blocks"], second["blocks"]]


def test_blocks_that_were_cut_can_be_given_to_grids_by_a_plan(bare: Client) -> None:
    told = done(cut(bare))
    by = bare.by("planner")
    plan = done(bare.post("/api/plans", json={"title": "first grids"}, headers=by))
    own = bare.get(f"/api/plans/{plan['id']}/assignment", headers=by).json()
    assert len(own["blocks"]) == told["blocks"]
    stroke = {"kind": "create", "blocks": sorted(own["blocks"])[:2], "name": "一网格"}
    drawn = bare.post(
        f"/api/plans/{plan['id']}/strokes", json={"base_version": 0, "stroke": stroke}, headers=by
    )
    assert drawn.status_code == 200, drawn.text
    assert drawn.json()["numbers"][0]["after"]["people"] >= 0
