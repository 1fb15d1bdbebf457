"""Who has moved, was blocked or got another role is that from the next request on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, update
from starlette.requests import HTTPConnection

from gis_service.access import RIGHTS_OF_ROLE, Access, at_unit
from gis_service.auth import Signer
from gis_service.database import Database
from grid_boundaries.actors import actor
from grid_boundaries.errors import NotFound, NotSignedIn
from grid_boundaries.view import View
from tests.county import COUNTY_PATH, ROLES, TOWNS, VILLAGES, path_of
from tests.serving import sqlalchemy_url

SIGNER = Signer(b"k" * 32, 12)
TOWN = f"{COUNTY_PATH}{TOWNS[0]}/"


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


@pytest.fixture
def access(county_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Access]:
    monkeypatch.setattr("gis_service.access.FRESH_S", 0.0)
    engine = create_engine(sqlalchemy_url(county_database.url))
    yield Access(engine, SIGNER)
    engine.dispose()


def request(role: str, scheme: str = "Bearer") -> HTTPConnection:
    value = f"{scheme} {SIGNER.token(role)}".encode()
    return HTTPConnection({"type": "http", "headers": [(b"authorization", value)]})


def change(owner: Engine, name: str, **values: Any) -> None:
    with owner.begin() as connection:
        connection.execute(update(actor).where(actor.c.name == name).values(**values))


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("role", ROLES)
def test_each_role_asks_with_its_own_rights_and_scope(access: Access, role: str, way: str) -> None:
    asked = request(role)
    asker = access.asker(asked) if way == "sync" else asyncio.run(access.asker_async(asked))
    assert (asker.role, asker.view.actor) == (role, role)
    assert asker.view.rights == RIGHTS_OF_ROLE[role]
    assert all(path.startswith(COUNTY_PATH) for path in asker.view.scope)
    assert (asker.worker_id == "W000009") is (role == "worker")


def test_a_moved_chief_is_at_the_new_place_with_the_next_request(
    access: Access, owner: Engine
) -> None:
    assert access.asker(request("chief")).view.scope == (path_of(VILLAGES[0]),)
    change(owner, "chief", scope=[path_of(VILLAGES[3])])
    assert access.asker(request("chief")).view.scope == (path_of(VILLAGES[3]),)


@pytest.mark.parametrize("role", ["nothing", "", "LEADER", "leader ", "admin", "root"])
def test_a_role_that_is_none_has_no_right(access: Access, owner: Engine, role: str) -> None:
    change(owner, "leader", role=role)
    assert access.asker(request("leader")).view.rights == frozenset()


def test_a_blocked_actor_is_nobody_and_is_somebody_again(access: Access, owner: Engine) -> None:
    change(owner, "chief", active=False)
    with pytest.raises(NotSignedIn) as found:
        access.asker(request("chief"))
    assert found.value.code == "no-such-actor"
    change(owner, "chief", active=True)
    assert access.asker(request("chief")).role == "chief"


def test_for_some_seconds_what_was_read_is_believed(
    access: Access, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    access.asker(request("chief"))
    monkeypatch.setattr("gis_service.access.FRESH_S", 3600.0)
    change(owner, "chief", scope=[TOWN])
    assert access.asker(request("chief")).view.scope == (path_of(VILLAGES[0]),)
    monkeypatch.setattr("gis_service.access.FRESH_S", 0.0)
    assert access.asker(request("chief")).view.scope == (TOWN,)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_word_before_a_token_may_be_written_anyhow(access: Access, scheme: str) -> None:
    assert access.asker(request("leader", scheme)).role == "leader"


PATHS = (COUNTY_PATH, TOWN, f"{COUNTY_PATH}{TOWNS[1]}/", *map(path_of, VILLAGES))


@pytest.mark.parametrize("unit", PATHS)
@pytest.mark.parametrize(
    "scope",
    [(), *[(path,) for path in PATHS], ("/",), PATHS[3:5], (PATHS[3], PATHS[6]), (TOWN, PATHS[3])],
    ids=lambda scope: "+".join(scope) or "none",
)
def test_a_unit_on_screen_shows_what_it_and_the_scope_have_in_common(
    unit: str, scope: tuple[str, ...]
) -> None:
    villages = {path_of(village) for village in VILLAGES}
    in_scope = {path for path in villages if path.startswith(scope)} if scope else set()
    common = {path for path in in_scope if path.startswith(unit)}
    view = View("tester", scope)
    if not common:
        with pytest.raises(NotFound):
            at_unit(view, unit)
        return
    found = at_unit(view, unit)
    assert {path for path in villages if path.startswith(found.scope)} == common
    assert (found.actor, found.rights) == (view.actor, view.rights)
