"""The area that a question is about: a unit or a grid, and never more than the asker's own."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from gis_service.asked_area import AskedArea, asked_area
from gis_service.database import enter_scope
from grid_boundaries.errors import NotFound
from grid_boundaries.store import grid
from grid_boundaries.view import View
from tests.county import COUNTY, COUNTY_PATH, TODAY, TOWNS, VILLAGES, blocks, build, path_of

ALL = View("tester", (COUNTY_PATH,))
TOWN = View("tester", (f"{COUNTY_PATH}{TOWNS[0]}/",))
OWN = View("tester", (path_of(VILLAGES[0]),))
TWO = View("tester", (path_of(VILLAGES[0]), path_of(VILLAGES[2])))
NOBODY = View("tester", ())
GRIDS = sorted({one.grid for one in blocks()})


@pytest.fixture
def county(county_connection: Connection) -> Connection:
    return county_connection


def area(connection: Connection, view: View, code: str | None) -> AskedArea:
    enter_scope(connection, view)
    return asked_area(connection, view, code)


def refusal(connection: Connection, view: View, code: str | None) -> str:
    with pytest.raises(NotFound) as caught:
        area(connection, view, code)
    assert caught.value.zh
    return caught.value.code


@pytest.mark.parametrize("view", [ALL, TOWN, OWN, TWO])
def test_where_no_unit_is_named_it_is_all_that_the_asker_has(
    county: Connection, view: View
) -> None:
    found = area(county, view, None)
    assert (set(found.part.scope), found.grid_code) == (set(view.scope), None)


@pytest.mark.parametrize(
    ("view", "code", "scope"),
    [(ALL, COUNTY, (COUNTY_PATH,)), (ALL, TOWNS[1], (f"{COUNTY_PATH}{TOWNS[1]}/",)),
     (ALL, VILLAGES[3], (path_of(VILLAGES[3]),)), (TOWN, COUNTY, TOWN.scope),
     (OWN, TOWNS[0], OWN.scope), (TWO, COUNTY, TWO.scope), (TWO, TOWNS[1], (TWO.scope[1],)),
     (OWN, VILLAGES[0], OWN.scope)],
)  # fmt: skip
def test_a_unit_is_what_of_it_is_the_askers(
    county: Connection, view: View, code: str, scope: tuple[str, ...]
) -> None:
    found = area(county, view, code)
    assert (set(found.part.scope), found.grid_code) == (set(scope), None)


@pytest.mark.parametrize("code", GRIDS)
def test_a_grid_is_asked_about_in_its_village(county: Connection, code: str) -> None:
    found = area(county, ALL, code)
    assert (found.part.scope, found.grid_code) == ((path_of(code[:12]),), code)
    if code[:12] == VILLAGES[0]:
        assert area(county, OWN, code) == AskedArea(OWN, code)
    else:
        assert refusal(county, OWN, code) == "no-such-unit"


@pytest.mark.parametrize(
    "code", ["", "nowhere", "%", "_" * 15, "' or true --", f"{COUNTY}%", "网格", "\u202e", "0" * 64]
)
def test_what_is_neither_is_not_found(county: Connection, code: str) -> None:
    assert refusal(county, ALL, code) == "no-such-unit"


@pytest.mark.parametrize("code", [None, COUNTY, TOWNS[0], GRIDS[0]])
def test_who_sees_nothing_has_no_area(county: Connection, code: str | None) -> None:
    assert refusal(county, NOBODY, code) in {"unit-not-yours", "no-such-unit"}


@pytest.mark.parametrize(("view", "code"), [(TOWN, TOWNS[1]), (OWN, VILLAGES[1])])
def test_a_unit_of_others_is_not_the_askers(county: Connection, view: View, code: str) -> None:
    assert refusal(county, view, code) == "unit-not-yours"


def test_the_rights_of_the_view_stay(county: Connection) -> None:
    view = View("somebody", (COUNTY_PATH,), frozenset({"counts"}))
    found = area(county, view, GRIDS[0]).part
    assert (found.actor, found.rights) == ("somebody", frozenset({"counts"}))


def test_a_grid_that_is_no_longer_in_force_is_not_there(connection: Connection) -> None:
    build(connection)
    gone = update(grid).where(grid.c.code == GRIDS[0]).values(valid_to=TODAY)
    connection.execute(gone)
    assert refusal(connection, ALL, GRIDS[0]) == "no-such-unit"
