"""Writing: what was in the frame is in the table, personal fields sealed; all of it or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
from shapely import LineString, Point, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Engine, func, select

from gis_service.database import enter_scope
from grid_boundaries.errors import Conflict, Refused
from grid_boundaries.store import unit
from layers.cameras import camera
from layers.incidents import incident
from layers.load.findings import finding
from layers.load.seal import Sealer
from layers.load.write import ORDER, clear, write_frames
from layers.people import household, person
from layers.places import place
from layers.streets import street
from tests.conftest import EVERYWHERE

SEALER = Sealer(b"k" * 32)
HOSTILE = '{{7*7}}\'; DROP TABLE place;--\t\\N\n</script>\u2028 \\. ,"x"'


def places(*ids: str, name: str = "学校") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": list(ids),
            "name": name,
            "geom": [Point(108.3, 33.3)] * len(ids),
            "unit_path": "/610923/",
            "kind": "school",
            "is_key": True,
        }
    )


def row(connection: Connection, table: Any) -> dict[str, Any]:
    return dict(connection.execute(select(table)).mappings().one())


def count(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_values_of_every_kind_come_back(connection: Connection) -> None:
    frame = pd.DataFrame(
        {
            "id": ["C1"],
            "name": [HOSTILE],
            "geom": [Point(108.25, 33.5)],
            "unit_path": "/1/",
            "kind": "fixed",
            "site_class": [2.0],
            "azimuth_deg": [np.nan],
            "view_angle_deg": np.float32(60.5),
            "assumed": [["view_angle_deg", "range_m"]],
            "indoor": [np.bool_(True)],
            "state": "built",
            "online": [False],
            "due": [pd.Timestamp("2024-12-31")],
        }
    )
    assert write_frames(connection, {"camera": frame}, SEALER) == {"camera": 1}
    stored = row(connection, camera)
    assert stored["name"] == HOSTILE
    assert (stored["site_class"], stored["azimuth_deg"]) == (2, None)
    assert stored["view_angle_deg"] == 60.5
    assert stored["assumed"] == ["view_angle_deg", "range_m"]
    assert (stored["indoor"], stored["online"]) == (True, False)
    assert stored["due"] == date(2024, 12, 31)
    assert stored["placed"] == "inside"  # the column's default


def test_geometry_is_stored_in_4490_and_drawn_in_3857(connection: Connection) -> None:
    write_frames(connection, {"place": places("P1")}, SEALER)
    measured = select(
        func.st_srid(place.c.geom),
        func.st_x(place.c.geom),
        func.st_y(place.c.geom),
        func.st_srid(place.c.geom_3857),
    )
    assert tuple(connection.execute(measured).one()) == (4490, 108.3, 33.3, 3857)


@pytest.mark.parametrize("shape", [box(108, 33, 109, 34), box(108, 33, 109, 34).boundary])
def test_a_shape_of_another_kind_is_refused_unless_it_can_be_made_one(
    connection: Connection, shape: BaseGeometry
) -> None:
    frame = pd.DataFrame(
        {
            "code": ["1"],
            "level": "county",
            "kind": "county",
            "name": "县",
            "unit_path": "/1/",
            "geom": [shape],
            "valid_from": date(2024, 1, 1),
        }
    )
    if shape.geom_type == "Polygon":
        write_frames(connection, {"unit": frame}, SEALER)
        kind = connection.execute(select(func.st_geometrytype(unit.c.geom))).scalar_one()
        assert kind == "ST_MultiPolygon"
    else:
        with pytest.raises(Exception, match="MultiPolygon"):
            write_frames(connection, {"unit": frame}, SEALER)


def test_facts_and_missing_geometry_of_a_finding(connection: Connection) -> None:
    facts = {"at": [1.5, 2], "seen": "行", "none": None}
    frame = pd.DataFrame(
        {
            "source": "a.csv",
            "layer": "place",
            "row": "7",
            "code": "x",
            "zh": "中",
            "en": "e",
            "facts": [facts],
            "unit_path": "/1/",
            "geom": [None],
        }
    )
    write_frames(connection, {"finding": frame}, SEALER)
    stored = row(connection, finding)
    assert stored["facts"] == facts
    assert stored["geom"] is None
    assert isinstance(stored["found_at"], datetime)


def homes() -> dict[str, pd.DataFrame]:
    home = pd.DataFrame({"id": ["H1"], "geom": [Point(108.3, 33.3)], "unit_path": "/1/"})
    people = pd.DataFrame(
        {
            "id": ["P1", "P2"],
            "household_id": "H1",
            "name": ["张三", "李四"],
            "present": True,
            "registered": True,
            "usual": False,
            "unit_path": "/1/",
            "id_number": ["999999199001011234", None],
            "phone": [None, "10000000001"],
        }
    )
    return {"person": people, "household": home}


def test_personal_fields_are_sealed_and_can_be_looked_up(connection: Connection) -> None:
    write_frames(connection, homes(), SEALER)
    sought = person.c.id_number_hash == SEALER.hash("id_number", "999999199001011234")
    found = connection.execute(select(person).where(sought)).mappings().one()
    assert found["id"] == "P1"
    assert b"19900101" not in bytes(found["id_number"])
    assert SEALER.open("id_number", "P1", bytes(found["id_number"])) == "999999199001011234"
    assert found["phone"] is None
    assert found["phone_hash"] is None


def test_the_dump_of_a_table_holds_no_plain_number(connection: Connection) -> None:
    write_frames(connection, homes(), SEALER)
    dump = str(connection.execute(select(person)).all())
    assert "999999199001011234" not in dump
    assert "10000000001" not in dump


def test_frames_may_come_in_any_order_and_empty(connection: Connection) -> None:
    frames = {**homes(), "street": pd.DataFrame()}
    assert list(write_frames(connection, frames, SEALER)) == ["household", "person"]
    assert count(connection, household) == 1


def test_progress_ends_at_all_rows(connection: Connection) -> None:
    told: list[tuple[str, int, int]] = []
    frames = {"place": places(*map(str, range(12_000))), **homes()}
    write_frames(connection, frames, SEALER, progress=lambda *step: told.append(step))
    assert told[-1] == ("person", 12_003, 12_003)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert len(told) >= 5


@pytest.mark.parametrize(
    ("change", "code", "columns"),
    [
        ({"colour": "red"}, "unknown-column", ["colour"]),
        ({"geom_3857": None}, "unknown-column", ["geom_3857"]),
        ({"kind": None}, "missing-column", ["kind"]),
    ],
)
def test_columns_are_checked_by_name_before_anything_is_written(
    connection: Connection, change: dict[str, Any], code: str, columns: list[str]
) -> None:
    frame = places("P1").assign(**change)
    if code == "missing-column":
        frame = frame.drop(columns=columns)
    with pytest.raises(Refused) as refused:
        write_frames(connection, {"place": frame, **homes()}, SEALER)
    assert (refused.value.code, refused.value.where["columns"]) == (code, columns)
    assert count(connection, household) == 0


def test_an_unknown_table_is_refused(connection: Connection) -> None:
    with pytest.raises(Refused) as refused:
        write_frames(connection, {"pg_authid": places("P1")}, SEALER)
    assert refused.value.where["tables"] == ["pg_authid"]


def test_half_a_number_is_no_whole_number(connection: Connection) -> None:
    frame = places("P1").drop(columns=["is_key"]).assign(capacity=1.5)
    with pytest.raises(Refused) as refused:
        write_frames(connection, {"resource": frame}, SEALER)
    assert refused.value.code == "not-a-whole-number"


def test_a_load_that_fails_leaves_what_was_there_and_the_transaction_usable(
    connection: Connection,
) -> None:
    write_frames(connection, {"place": places("P1")}, SEALER)
    road = LineString([(108, 33), (109, 34)])
    broken = pd.DataFrame(
        {"id": ["S1"], "geom": [road], "unit_path": "/1/", "kind": [None], "length_m": 1.0}
    )
    with pytest.raises(Exception, match="kind"):
        write_frames(connection, {"place": places("P2"), "street": broken}, SEALER)
    assert count(connection, place) == 1
    assert count(connection, street) == 0


def test_the_same_file_twice_is_a_conflict_that_names_the_table(connection: Connection) -> None:
    write_frames(connection, {"place": places("P1", "P2")}, SEALER)
    with pytest.raises(Conflict) as refused:
        write_frames(connection, {"place": places("P2", "P3")}, SEALER)
    assert refused.value.where == {"table": "place", "constraint": "pk_place"}
    assert count(connection, place) == 2


def test_a_nul_never_gets_into_a_text(connection: Connection) -> None:
    with pytest.raises(Exception, match="NUL"):
        write_frames(connection, {"place": places("P1", name="a\x00b")}, SEALER)
    assert count(connection, place) == 0


def test_what_is_committed_is_seen_by_others(owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        enter_scope(connection, EVERYWHERE)
        write_frames(connection, {"place": places("P1")}, SEALER)
    with owner_engine.begin() as connection:
        enter_scope(connection, EVERYWHERE)
        assert count(connection, place) == 1


def test_clear_empties_every_table_that_loads_fill(connection: Connection) -> None:
    write_frames(connection, {"place": places("P1"), **homes()}, SEALER)
    clear(connection)
    assert all(count(connection, table) == 0 for table in ORDER)


def test_times_keep_their_instant(connection: Connection) -> None:
    instant = pd.Timestamp("2024-01-01 08:22", tz="Asia/Taipei")
    frame = places("I1").drop(columns=["is_key"])
    frame = frame.assign(
        kind="event", category="accident", source="x", urgency="blue", state="closed",
        occurred_at=instant, reported_at=instant,
    )  # fmt: skip
    write_frames(connection, {"incident": frame}, SEALER)
    assert row(connection, incident)["occurred_at"] == datetime(2024, 1, 1, 0, 22, tzinfo=UTC)


def test_a_service_role_out_of_scope_writes_nothing(service_engine: Engine) -> None:
    with (
        service_engine.connect() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        write_frames(connection, {"place": places("P1")}, SEALER)
