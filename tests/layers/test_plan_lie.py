"""How blocks lie, read from a real database: streets, cut buildings, villages, special areas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shapely
from shapely import LineString
from sqlalchemy import Connection, create_engine, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from grid_boundaries.cutting import cut
from grid_boundaries.plan_records import in_force
from grid_boundaries.plan_state import State
from grid_boundaries.view import View
from layers.plan_ground import ground_of_place, shapes_round
from layers.plan_lie import Lie, lie_of, refined_lie
from layers.plan_lines import KeptLines, lines_of
from tests.county import COUNTY_PATH, METRIC_SRID, SOUTH, WEST, WIDTH_DEG
from tests.serving import sqlalchemy_url

VIEW = system_view("tester")
CHANGES = (
    "update street set kind = 'primary'",
    "insert into villagers_group (id, village_code, name, unit_path)"
    " select 'G1', village_code, '河湾组', unit_path from block where id = 'B000009'",
    "update block set group_id = 'G1' where id in ('B000009', 'B000010')",
    "update block set kind = 'special' where id = 'B000012'",
    # a house over the border of blocks 9 and 10, and six small ones in a row beside it
    "update building set geom = st_multi(st_makeenvelope(108.3049, 33.304, 108.3051, 33.3042,"
    " 4490)) where id = 'H9'",
    "update building set geom = st_multi(st_makeenvelope(108.3090 + 0.0004 * n, 33.304,"
    " 108.3091 + 0.0004 * n, 33.3041, 4490)), block_id = case when n < 3 then 'B000010' else"
    " 'B000011' end from (select id as h, row_number() over (order by id) - 1 as n from building"
    " where id in ('H1', 'H2', 'H3', 'H4', 'H5', 'H6')) as houses where building.id = h",
)


@pytest.fixture
def connection(county_database: Database) -> Iterator[Connection]:
    """A connection to a county with all landmarks, rolled back at the end."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    with engine.connect() as connection, connection.begin() as transaction:
        enter_scope(connection, VIEW)
        for change in CHANGES:
            connection.execute(text(change))
        yield connection
        transaction.rollback()
    engine.dispose()


def things(lie: Lie, kind: str) -> set[tuple[str, str]]:
    table = lie.landmarks.things.query("kind == @kind")
    return set(zip(table["thing"], table["block"], strict=True))


def known(connection: Connection) -> tuple[State, Lie]:
    state = in_force(connection, VIEW, COUNTY_PATH)
    return state, lie_of(connection, VIEW, state, METRIC_SRID)


def test_what_stands_in_the_county_is_found(connection: Connection) -> None:
    _, lie = known(connection)
    assert things(lie, "building") == {("H9", "B000009"), ("H9", "B000010")}
    assert lie.landmarks.living["H9"] == (4, 2)
    assert shapely.from_wkb(lie.landmarks.areas["H9"]).bounds == pytest.approx(
        (108.3049, 33.304, 108.3051, 33.3042)
    )
    assert things(lie, "group") == {("G1", "B000009"), ("G1", "B000010")}
    assert set(lie.landmarks.things["name"].dropna()) == {"河湾组", "place12"}
    assert things(lie, "special-area") == {("B000012", "B000012")}
    assert things(lie, "natural-village") == {("~H1", "B000010"), ("~H1", "B000011")}
    # the street runs between the rows
    streets = lie.landmarks.streets
    pairs = set(zip(streets["a"], streets["b"], strict=True))
    assert pairs == {(f"B{n:06d}", f"B{n + 8:06d}") for n in range(1, 9)}
    assert streets["street_m"].sum() == pytest.approx(3720, rel=0.02)


def test_borders_edges_and_boxes_are_those_of_the_lattice(connection: Connection) -> None:
    _, lie = known(connection)
    assert len(lie.touching) == 7 * 2 + 8
    width, height = lie.edge_m["B000002"], lie.edge_m["B000001"] - lie.edge_m["B000002"]
    assert width == pytest.approx(465, rel=0.01)
    assert height == pytest.approx(1109, rel=0.01)
    assert lie.box(["B000009", "B000010"]) == pytest.approx(
        [WEST, SOUTH, WEST + 2 * WIDTH_DEG, SOUTH + 0.01]
    )
    assert lie.box([]) is None


@pytest.mark.parametrize("block", ["B000010", "B000012", "B000001"])
def test_after_a_cut_what_is_known_is_what_would_be_found_anew(
    connection: Connection, block: str
) -> None:
    state, lie = known(connection)
    near = shapes_round(connection, VIEW, state, block)
    west, south, east, north = near[block].bounds
    x = west + 0.4 * (east - west)
    after = cut(near, block, LineString([(x, south - 1), (x, north + 1)])).on(state)
    refined = refined_lie(connection, VIEW, lie, state, after, METRIC_SRID)
    anew = lie_of(connection, VIEW, after, METRIC_SRID)
    for kind in ("building", "group", "special-area", "natural-village"):
        assert things(refined, kind) == things(anew, kind), kind
    pairs = [
        {frozenset((a, b)): pytest.approx(m, abs=0.01) for a, b, m in table.to_numpy().tolist()}
        for table in (refined.touching[["a", "b", "shared_m"]],
                      anew.touching[["a", "b", "shared_m"]])
    ]  # fmt: skip
    assert pairs[0] == pairs[1]
    assert refined.edge_m == pytest.approx(anew.edge_m, abs=0.01)
    assert refined.boxes.keys() >= anew.boxes.keys()
    streets = [one.landmarks.streets.set_index(["a", "b"])["street_m"].to_dict()
               for one in (refined, anew)]  # fmt: skip
    assert streets[0] == pytest.approx(streets[1], abs=25)  # steps about a cut


def test_without_a_cut_what_is_known_stays(connection: Connection) -> None:
    state, lie = known(connection)
    assert refined_lie(connection, VIEW, lie, state, state, METRIC_SRID) is lie


def test_the_ground_of_a_place_is_its_special_block(connection: Connection) -> None:
    state, _ = known(connection)
    ground = ground_of_place(connection, VIEW, state, "P12", METRIC_SRID)
    assert ground.bounds == pytest.approx(
        (WEST + 3 * WIDTH_DEG, SOUTH, WEST + 4 * WIDTH_DEG, SOUTH + 0.01)
    )


def test_streets_and_rivers_are_kept_and_nobody_without_scope_gets_them(
    connection: Connection,
) -> None:
    kept = KeptLines()
    first = kept.of(connection, VIEW, METRIC_SRID)
    assert kept.of(connection, VIEW, METRIC_SRID) is first
    assert set(first) == set(lines_of(connection, VIEW, METRIC_SRID)) == {"street", "river"}
    assert kept.of(connection, View("nobody"), METRIC_SRID) == {}
