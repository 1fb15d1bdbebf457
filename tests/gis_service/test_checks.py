"""The administrator's checks: green on a sound database, red where something was broken."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis_service.checks import Check, checks


def found(engine: Engine) -> dict[str, Check]:
    return {check.name: check for check in checks(engine)}


def test_a_fresh_database_passes_every_check(service_engine: Engine) -> None:
    failed = [check for check in checks(service_engine) if not check.ok]
    assert failed == []


def test_an_empty_database_says_so(service_engine: Engine) -> None:
    assert found(service_engine)["county"].says == "nothing loaded yet"


@pytest.mark.parametrize(
    "damage",
    [
        "alter table camera disable row level security",
        "create policy hole on camera using (true); "
        "insert into camera (id, geom, unit_path, kind, state, online) values"
        " ('a', 'SRID=4490;POINT(108 33)', '/1/', 'fixed', 'built', true)",
    ],
    ids=["switched off", "one more policy"],
)
def test_a_hole_in_the_wall_is_found(
    owner_engine: Engine, service_engine: Engine, damage: str
) -> None:
    with owner_engine.begin() as connection:
        for statement in damage.split("; "):
            connection.execute(text(statement))
    wall = found(service_engine)["row-level security"]
    assert not wall.ok
    assert wall.says == "open: camera"


def test_asking_as_the_owner_is_found(owner_engine: Engine) -> None:
    assert not found(owner_engine)["service role"].ok


def test_a_schema_of_another_version_is_found(owner_engine: Engine, service_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    schema = found(service_engine)["schema"]
    assert not schema.ok
    assert schema.says.startswith("9999")
