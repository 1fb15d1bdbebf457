"""Who may see what, role by role."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gis_service.access import (
    RIGHTS,
    RIGHTS_OF_ROLE,
    Asker,
    at_unit,
    may_see,
    on_date,
    seen_layer,
    seen_layers,
    system_view,
    writing_view,
)
from grid_boundaries.errors import NotAllowed, NotFound
from grid_boundaries.view import View
from layers.registry import LAYERS
from map_ui.texts import LANGUAGES, text
from tests.county import COUNTY, ROLES, TOWNS, VILLAGES, path_of
from tests.serving import Client

TOWN = View("town", (f"/{COUNTY}/{TOWNS[0]}/",), RIGHTS)
READS = [
    "/api/layers", "/api/layers/{layer}/items", "/api/layers/{layer}/items/none",
    "/tiles/{layer}/13/6560/3291",
]  # fmt: skip
MATRIX = [(role, name) for role in ROLES for name in LAYERS]


def test_every_role_of_the_county_has_its_rights_written_down() -> None:
    assert set(ROLES) == set(RIGHTS_OF_ROLE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_has_a_name_for_the_first_page(language: str) -> None:
    assert all(text(language, f"role.{role}") for role in RIGHTS_OF_ROLE)


def test_no_role_has_a_right_that_does_not_exist() -> None:
    assert set().union(*RIGHTS_OF_ROLE.values()) <= RIGHTS


def test_a_planner_sees_no_persons_and_an_auditor_no_layer_with_a_right() -> None:
    assert "persons" not in RIGHTS_OF_ROLE["planner"]
    auditor = View("auditor", ("/",), RIGHTS_OF_ROLE["auditor"])
    assert all(not layer.right for layer in seen_layers(auditor))


@pytest.mark.parametrize(("role", "name"), MATRIX)
def test_the_matrix_of_roles_and_layers_holds_on_every_way_in(
    client: Client, role: str, name: str
) -> None:
    layer = LAYERS[name]
    is_seen = not layer.right or layer.right in RIGHTS_OF_ROLE[role]
    headers = client.by(role)
    listed = {one["name"] for one in client.get("/api/layers", headers=headers).json()}
    items = client.get(f"/api/layers/{name}/items", headers=headers)
    one = client.get(f"/api/layers/{name}/items/none", headers=headers)
    tile = client.get(f"/tiles/{name}/13/6560/3291", headers=headers)
    assert (name in listed) is is_seen
    statuses = (items.status_code, one.status_code, tile.status_code)
    assert statuses == ((200, 404, 200) if is_seen else (403, 403, 403))


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if not layer.shared])
@pytest.mark.parametrize("role", ["village_centre", "chief", "worker"])
def test_ids_of_another_village_are_not_found(client: Client, role: str, name: str) -> None:
    everything = client.get(
        f"/api/layers/{name}/items?limit=1000", headers=client.by(_reader_of(name))
    ).json()["features"]
    others = [
        one["id"] for one in everything if one["properties"]["unit_path"] != path_of(VILLAGES[0])
    ]
    for key in others[:4]:
        answer = client.get(f"/api/layers/{name}/items/{key}", headers=client.by(role))
        assert answer.status_code == (404 if may_read(role, name) else 403)
        assert key not in answer.text


def may_read(role: str, name: str) -> bool:
    return LAYERS[name].right in RIGHTS_OF_ROLE[role] | {""}


def _reader_of(name: str) -> str:
    county_wide = ("command", "planner", "town_centre")
    return next(role for role in county_wide if may_read(role, name))


@pytest.mark.parametrize("unit", [VILLAGES[1], VILLAGES[3], TOWNS[0], TOWNS[1]])
def test_a_wall_beside_or_above_ones_own_shows_no_more(client: Client, unit: str) -> None:
    answer = client.get(f"/api/wall/{unit}", headers=client.by("chief"))
    if path_of(VILLAGES[0]).find(f"/{unit}/") < 0:
        assert answer.status_code == 404
    else:
        assert {one["grid_code"][:12] for one in answer.json()["incidents"]} == {VILLAGES[0]}


def test_a_unit_inside_the_scope_narrows_to_it() -> None:
    assert at_unit(TOWN, path_of(VILLAGES[0])).scope == (path_of(VILLAGES[0]),)


def test_a_unit_above_the_scope_keeps_the_scope() -> None:
    assert at_unit(TOWN, f"/{COUNTY}/").scope == TOWN.scope


def test_a_unit_beside_the_scope_is_not_found() -> None:
    with pytest.raises(NotFound):
        at_unit(TOWN, f"/{COUNTY}/{TOWNS[1]}/")
    with pytest.raises(NotFound):
        at_unit(View("nobody"), f"/{COUNTY}/")


def test_a_layer_needs_its_right() -> None:
    plain = replace(TOWN, rights=frozenset())
    with pytest.raises(NotAllowed):
        seen_layer(plain, "cameras")
    assert seen_layer(plain, "grids").name == "grids"
    with pytest.raises(NotFound):
        seen_layer(plain, "nothing")


def test_layers_come_in_drawing_order() -> None:
    orders = [layer.style.order for layer in seen_layers(system_view())]
    assert orders == sorted(orders)
    assert len(orders) == len(LAYERS)


def test_another_date_shows_no_more() -> None:
    today = on_date(TOWN, None)
    assert (today.scope, today.rights) == (TOWN.scope, TOWN.rights)
    assert all(may_see(today, layer) == may_see(TOWN, layer) for layer in LAYERS.values())


def test_what_is_sent_in_is_written_under_the_senders_name() -> None:
    asker = Asker("chief", None, TOWN, datetime.now(UTC) + timedelta(hours=1))
    assert writing_view(asker).actor == "town"
    assert writing_view(asker).rights == TOWN.rights
