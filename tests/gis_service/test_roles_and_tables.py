"""Each role's scope on each table, asked of the database itself, against a count made by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.database import Database, enter_scope
from gis_service.migrations.schema import rules, schema
from grid_boundaries.actors import actor
from grid_boundaries.view import View
from tests.county import COUNTY_PATH, ROLES, TOWNS, VILLAGES, path_of
from tests.serving import sqlalchemy_url

WALLED = sorted(name for name, table in schema().tables.items() if "unit_path" in table.c)
UNWALLED = sorted(name for name, table in schema().tables.items() if "unit_path" not in table.c)
ODD_SCOPES = [
    "", " ", "not a path!!", "%", "/%", "_", "/610999", "610999/", "/610999/,", "//",
    "\\", "/610999/%/", "*", "/610999/610999100", "NULL", "{}", "'", "/610998/", "/6109990/",
]  # fmt: skip


@pytest.fixture(scope="module")
def everything(reading_database: Database) -> dict[str, list[str]]:
    """The unit path of every row of every walled table, as the owner sees them."""
    engine = create_engine(sqlalchemy_url(reading_database.owner_url))
    with engine.begin() as connection:
        enter_scope(connection, system_view())
        paths = {
            name: list(connection.scalars(select(schema().tables[name].c.unit_path)))
            for name in WALLED
        }
    engine.dispose()
    return paths


@pytest.fixture(scope="module")
def scopes(reading_database: Database) -> dict[str, tuple[str, ...]]:
    """The scope of each role's actor."""
    engine = create_engine(sqlalchemy_url(reading_database.url))
    with engine.begin() as connection:
        rows = connection.execute(select(actor.c.role, actor.c.scope)).all()
    engine.dispose()
    return {row.role: tuple(row.scope) for row in rows}


@pytest.fixture(scope="module")
def engine(reading_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(reading_database.url))
    yield engine
    engine.dispose()


@pytest.fixture
def asking(engine: Engine) -> Iterator[Connection]:
    """A connection of the service's role, whose transaction is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def table_of(name: str) -> Table:
    return schema().tables[name]


def is_shared(name: str) -> bool:
    found = rules(name)
    return found is not None and found.shared


def seen(connection: Connection, name: str) -> list[str]:
    return list(connection.scalars(select(table_of(name).c.unit_path)))


@pytest.mark.parametrize("name", WALLED)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_the_rows_of_its_units_and_no_other(
    asking: Connection,
    everything: dict[str, list[str]],
    scopes: dict[str, tuple[str, ...]],
    role: str,
    name: str,
) -> None:
    enter_scope(asking, View(role, scopes[role], RIGHTS_OF_ROLE[role]))
    expected = [
        path for path in everything[name] if is_shared(name) or path.startswith(scopes[role])
    ]
    assert sorted(seen(asking, name)) == sorted(expected)


@pytest.mark.parametrize("name", WALLED)
def test_the_villages_of_a_county_add_up_to_it(
    asking: Connection, everything: dict[str, list[str]], name: str
) -> None:
    if is_shared(name):
        pytest.fail("no wall") if seen(asking, name) else None
        return
    found = 0
    for village in VILLAGES:
        enter_scope(asking, View("tester", (path_of(village),)))
        found += len(seen(asking, name))
    above = [path for path in everything[name] if path.count("/") < 4]
    assert found + len(above) == len(everything[name])


@pytest.mark.parametrize("scope", ODD_SCOPES)
def test_a_scope_that_is_no_path_shows_nothing_of_any_unit(asking: Connection, scope: str) -> None:
    asking.execute(text("select set_config('gis.scope', :scope, true)"), {"scope": scope})
    for name in WALLED:
        rows = seen(asking, name)
        inside = [path for path in rows if scope and path.startswith(tuple(scope.split(",")))]
        # a prefix that stops short of a whole path is the database's to follow, and never made
        assert is_shared(name) or rows == inside, name
        if not scope.startswith("/610999"):
            assert is_shared(name) or not rows


@pytest.mark.parametrize("statement", ["reset gis.scope", "set local gis.scope to default"])
def test_a_scope_that_was_taken_away_shows_nothing(asking: Connection, statement: str) -> None:
    enter_scope(asking, system_view())
    assert seen(asking, "camera")
    asking.execute(text(statement))
    assert not [name for name in WALLED if seen(asking, name)]


def test_two_transactions_on_one_connection_share_no_scope(engine: Engine) -> None:
    with engine.connect() as connection:
        for path in (COUNTY_PATH, path_of(VILLAGES[0]), path_of(VILLAGES[3])):
            with connection.begin():
                enter_scope(connection, View("tester", (path,)))
                found = seen(connection, "camera")
                assert found
                assert all(one.startswith(path) for one in found)
            with connection.begin():
                assert seen(connection, "camera") == []


def test_a_savepoint_that_is_rolled_back_leaves_no_wider_scope(asking: Connection) -> None:
    enter_scope(asking, View("chief", (path_of(VILLAGES[0]),)))
    with asking.begin_nested() as inner:
        enter_scope(asking, system_view())
        assert len(seen(asking, "camera")) == 16
        inner.rollback()
    assert set(seen(asking, "camera")) == {path_of(VILLAGES[0])}


@pytest.mark.parametrize("name", [name for name in WALLED if not is_shared(name)])
def test_no_row_is_moved_into_or_out_of_a_scope(asking: Connection, name: str) -> None:
    """A statement that would put a row elsewhere is refused by the policy's own check."""
    table = table_of(name)
    enter_scope(asking, View("chief", (path_of(VILLAGES[0]),)))
    if not seen(asking, name):
        return
    elsewhere = update(table).values(unit_path=path_of(VILLAGES[3]))
    with pytest.raises(DBAPIError) as found, asking.begin_nested():
        asking.execute(elsewhere)
    assert "row-level security" in str(found.value.orig)


def test_a_filter_that_fails_on_hidden_rows_tells_nothing_of_them(asking: Connection) -> None:
    """An error on a row that is not seen would say that the row is there."""
    enter_scope(asking, View("chief", (path_of(VILLAGES[0]),)))
    trap = "select count(*) from camera where 1 / (case when id = :key then 0 else 1 end) = 1"
    own = asking.scalar(text("select min(id) from camera"))
    with pytest.raises(DBAPIError, match="division by zero"), asking.begin_nested():
        asking.execute(text(trap), {"key": own})
    for hidden in ("K16", "K8", "nothing"):
        assert asking.scalar(text(trap), {"key": hidden}) == len(seen(asking, "camera"))


@pytest.mark.parametrize(
    "statement",
    [
        "truncate camera",
        "drop table camera",
        "alter table camera disable row level security",
        "alter table camera no force row level security",
        "drop policy camera_in_scope on camera",
        "create policy open on camera using (true)",
        "set role gis_owner",
        "set session authorization postgres",
        "reset session authorization; set role postgres",
        "create table mine (id int)",
        "create function f() returns int language sql as 'select 1'",
        "alter role gis_service bypassrls",
        "update outbox set layer = 'x'",
        "copy camera to program 'id'",
        "select pg_read_file('/etc/passwd')",
        "load 'dblink'",
        "create extension dblink",
        "alter table camera disable trigger all",
        "set session_replication_role = replica",
        "select lo_import('/etc/passwd')",
        "delete from alembic_version",
    ],
)
def test_the_service_can_do_nothing_to_the_wall(asking: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError) as found, asking.begin_nested():
        asking.execute(text(statement))
    told = str(found.value.orig).lower()
    assert any(
        word in told for word in ("permission denied", "must be", "owner", "cannot", "not allowed")
    ), told


def test_row_security_cannot_be_switched_off_to_see_more(asking: Connection) -> None:
    enter_scope(asking, View("chief", (path_of(VILLAGES[0]),)))
    with pytest.raises(DBAPIError, match="row-level security"), asking.begin_nested():
        asking.execute(text("set local row_security = off"))
        seen(asking, "camera")


@pytest.mark.parametrize("name", UNWALLED)
def test_a_table_without_a_wall_holds_nothing_of_one_unit(name: str) -> None:
    """What stands outside the wall is about the county or the service; no place of anybody."""
    personal = {"id_number", "phone", "lon", "lat", "address", "household_id", "person_id"}
    assert not personal & set(table_of(name).c.keys())


def test_a_town_centre_writes_in_its_own_town_only(asking: Connection) -> None:
    enter_scope(asking, View("town_centre", (f"{COUNTY_PATH}{TOWNS[0]}/",)))
    row = {
        "id": "new",
        "kind": "fixed",
        "state": "built",
        "online": True,
        "geom": "SRID=4490;POINT(1 1)",
    }
    asking.execute(insert(table_of("camera")), row | {"unit_path": path_of(VILLAGES[1])})
    for path in (path_of(VILLAGES[2]), COUNTY_PATH, "/", ""):
        with pytest.raises(DBAPIError, match="row-level security"), asking.begin_nested():
            asking.execute(insert(table_of("camera")), row | {"id": "x", "unit_path": path})
    assert asking.scalar(select(func.count()).select_from(table_of("camera"))) == 9
