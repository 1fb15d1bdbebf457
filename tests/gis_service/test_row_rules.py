"""Row policies, grants and the outbox, as the migrations put them into a database."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from gis_service.migrations.schema import schema
from grid_boundaries.outbox import outbox
from grid_boundaries.view import View
from layers.cameras import camera
from layers.streets import street
from tests.conftest import become_service

TOWN = "/610923/610923100/"
OTHER_TOWN = "/610923/610923101/"


def a_camera(name: str, unit_path: str, lon: float = 108.3, lat: float = 33.3) -> dict[str, object]:
    """Return a camera's row; what does not matter here is filled in."""
    return {
        "id": name,
        "geom": f"SRID=4490;POINT({lon} {lat})",
        "unit_path": unit_path,
        "kind": "fixed",
        "state": "built",
        "online": True,
    }


def a_street(name: str, unit_path: str) -> dict[str, object]:
    """Return a street's row; the base map is for everybody with a scope."""
    line = "SRID=4490;LINESTRING(108 33, 108.1 33)"
    return {"id": name, "kind": "lane", "length_m": 1.0, "unit_path": unit_path, "geom": line}


def cameras_seen(connection: Connection) -> set[str]:
    return set(connection.scalars(select(camera.c.id)))


@pytest.fixture
def two_cameras(connection: Connection) -> Connection:
    connection.execute(insert(camera), [a_camera("a", TOWN), a_camera("b", OTHER_TOWN)])
    return connection


def test_a_scope_shows_its_units_rows_only(two_cameras: Connection) -> None:
    become_service(two_cameras, View("chief", (TOWN,)))
    assert cameras_seen(two_cameras) == {"a"}


def test_several_scopes_add_up(two_cameras: Connection) -> None:
    become_service(two_cameras, View("centre", (TOWN, OTHER_TOWN)))
    assert cameras_seen(two_cameras) == {"a", "b"}


def test_a_county_scope_shows_every_town(two_cameras: Connection) -> None:
    become_service(two_cameras, View("centre", ("/610923/",)))
    assert cameras_seen(two_cameras) == {"a", "b"}


def test_an_empty_scope_shows_nothing(two_cameras: Connection) -> None:
    become_service(two_cameras, View("nobody"))
    assert cameras_seen(two_cameras) == set()


@pytest.mark.parametrize("statement", ["reset gis.scope", "set local gis.scope to ''"])
def test_a_scope_that_was_reset_shows_nothing(two_cameras: Connection, statement: str) -> None:
    become_service(two_cameras, View("chief", (TOWN,)))
    two_cameras.execute(text(statement))
    assert cameras_seen(two_cameras) == set()


@pytest.mark.parametrize("scope", [",", ",,", ",,,,", " ,", ", ,", "{}", "{,}", '""', "null"])
def test_a_scope_of_empty_paths_shows_nothing(two_cameras: Connection, scope: str) -> None:
    two_cameras.execute(insert(street), [a_street("s", TOWN)])
    become_service(two_cameras, View("chief", (TOWN,)))
    two_cameras.execute(text("select set_config('gis.scope', :scope, true)"), {"scope": scope})
    assert cameras_seen(two_cameras) == set()
    if not scope.strip(","):
        assert set(two_cameras.scalars(select(street.c.id))) == set()
    with pytest.raises(ProgrammingError, match="row-level security"):
        two_cameras.execute(insert(camera), [a_camera("c", TOWN)])


@pytest.mark.parametrize("scope", [f",{TOWN}", f"{TOWN},", f",,{TOWN},,"])
def test_an_empty_path_beside_another_adds_nothing(two_cameras: Connection, scope: str) -> None:
    become_service(two_cameras, View("chief", (TOWN,)))
    two_cameras.execute(text("select set_config('gis.scope', :scope, true)"), {"scope": scope})
    assert cameras_seen(two_cameras) == {"a"}


def test_every_policy_of_the_database_is_worded_as_the_rules_say(connection: Connection) -> None:
    found = connection.execute(text("select qual, with_check from pg_policies")).all()
    assert len(found) > 20
    assert all("array_remove" in qual and "array_remove" in check for qual, check in found)
    assert len({qual for qual, _ in found}) == 2  # by path, and for whoever has any scope


def test_a_wildcard_in_a_scope_is_a_letter(two_cameras: Connection) -> None:
    become_service(two_cameras, View("chief", ("/6109%/", "/610923/61092310_/")))
    assert cameras_seen(two_cameras) == set()


def test_a_scope_does_not_reach_a_unit_whose_code_starts_alike(connection: Connection) -> None:
    connection.execute(insert(camera), [a_camera("a", "/610923/6109231000/")])
    become_service(connection, View("chief", (TOWN,)))
    assert cameras_seen(connection) == set()


def test_a_comma_in_a_scope_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="comma"):
        become_service(connection, View("chief", (f"{TOWN},/",)))


def test_even_the_owner_sees_nothing_without_a_scope(two_cameras: Connection) -> None:
    two_cameras.execute(text("reset gis.scope"))
    assert cameras_seen(two_cameras) == set()


def test_a_row_outside_the_scope_is_not_taken(connection: Connection) -> None:
    become_service(connection, View("chief", (TOWN,)))
    with pytest.raises(ProgrammingError, match="row-level security"):
        connection.execute(insert(camera), [a_camera("b", OTHER_TOWN)])


def test_a_row_cannot_be_moved_out_of_the_scope(two_cameras: Connection) -> None:
    become_service(two_cameras, View("chief", (TOWN,)))
    with pytest.raises(ProgrammingError, match="row-level security"):
        two_cameras.execute(update(camera).values(unit_path=OTHER_TOWN))


def test_another_units_row_is_not_deleted(two_cameras: Connection) -> None:
    become_service(two_cameras, View("chief", (TOWN,)))
    assert two_cameras.execute(delete(camera)).rowcount == 1


@pytest.mark.parametrize(
    ("scope", "seen"), [((OTHER_TOWN,), {"s"}), ((), set())], ids=["any scope", "no scope"]
)
def test_the_base_map_is_for_everybody_with_a_scope(
    connection: Connection, scope: tuple[str, ...], seen: set[str]
) -> None:
    connection.execute(insert(street), [a_street("s", TOWN)])
    become_service(connection, View("chief", scope))
    assert set(connection.scalars(select(street.c.id))) == seen


def test_every_table_with_a_unit_path_is_walled(connection: Connection) -> None:
    walled = set(
        connection.scalars(
            text("select relname from pg_class where relrowsecurity and relforcerowsecurity")
        )
    )
    tables = schema().tables.values()
    assert walled == {table.name for table in tables if "unit_path" in table.c}


def test_the_service_owns_no_table_and_bypasses_nothing(connection: Connection) -> None:
    owned = "select count(*) from pg_tables where tableowner = 'gis_service'"
    assert connection.scalar(text(owned)) == 0
    flags = text("select rolsuper, rolbypassrls from pg_roles where rolname = 'gis_service'")
    assert tuple(connection.execute(flags).one()) == (False, False)


def test_the_service_may_not_truncate(connection: Connection) -> None:
    become_service(connection, View("chief", ("/",)))
    with pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("truncate camera"))


def announced(connection: Connection) -> list[tuple[str, str | None]]:
    rows = select(outbox.c.layer, func.st_astext(outbox.c.touched)).order_by(outbox.c.id)
    return [tuple(row) for row in connection.execute(rows)]


def test_a_change_announces_its_layer_and_the_box_it_touched(connection: Connection) -> None:
    both = [a_camera("a", TOWN, 108, 33), a_camera("b", TOWN, 109, 34)]
    connection.execute(insert(camera).values(both))
    assert announced(connection) == [("cameras", "POLYGON((108 33,108 34,109 34,109 33,108 33))")]


def test_a_move_announces_where_it_was_and_where_it_is(connection: Connection) -> None:
    connection.execute(insert(camera), [a_camera("a", TOWN, 108, 33)])
    connection.execute(delete(outbox))
    connection.execute(update(camera).values(geom="SRID=4490;POINT(109 33)"))
    assert announced(connection) == [("cameras", "POLYGON((108 33,108 33,109 33,109 33,108 33))")]


def test_a_deletion_announces_where_it_was(connection: Connection) -> None:
    connection.execute(insert(camera), [a_camera("a", TOWN, 108, 33)])
    connection.execute(delete(outbox))
    connection.execute(delete(camera))
    assert [layer for layer, _ in announced(connection)] == ["cameras"]


def test_a_statement_that_touches_no_row_announces_nothing(connection: Connection) -> None:
    connection.execute(update(camera).values(online=False))
    connection.execute(delete(camera))
    assert announced(connection) == []


def test_the_service_announces_its_own_writes(connection: Connection) -> None:
    become_service(connection, View("chief", (TOWN,)))
    connection.execute(insert(camera), [a_camera("a", TOWN)])
    assert [layer for layer, _ in announced(connection)] == ["cameras"]
