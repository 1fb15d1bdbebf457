"""What tile an address names, and what makes two of them the same."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from starlette.requests import Request

from gis_service.access import RIGHTS
from gis_service.tile_request import LAYERS_LIMIT, Asked, asked_tile
from grid_boundaries.errors import Malformed, NotAllowed, NotFound
from grid_boundaries.view import View
from layers.registry import LAYERS

COUNTY = View("tester", ("/610999/",), RIGHTS)


def asked(path: str, query: str = "", view: View = COUNTY, deepest: int = 22) -> Asked:
    scope = {
        "type": "http", "path": path, "raw_path": quote(path).encode(), "headers": [],
        "query_string": query.encode(), "server": ("127.0.0.1", 80), "scheme": "http",
    }  # fmt: skip
    return asked_tile(Request(scope), view, deepest)


def names(one: Asked) -> tuple[str, ...]:
    return tuple(layer.name for layer in one.layers)


@pytest.mark.parametrize(
    ("path", "layers", "place"),
    [
        ("/tiles/grids/0/0/0", ("grids",), (0, 0, 0)),
        ("/tiles/grids,cameras/13/6560/3291", ("grids", "cameras"), (13, 6560, 3291)),
        ("/tiles/cameras,grids/13/6560/3291", ("cameras", "grids"), (13, 6560, 3291)),
        ("/tiles/grids,grids/1/1/1", ("grids",), (1, 1, 1)),
        ("/tiles/grids/13/6560/3291.mvt", ("grids",), (13, 6560, 3291)),
        ("/tiles/grids/013/06560/3291", ("grids",), (13, 6560, 3291)),
        ("/tiles/grids/22/4194303/4194303", ("grids",), (22, 4194303, 4194303)),
    ],
)
def test_an_address_names_layers_and_a_place(
    path: str, layers: tuple[str, ...], place: tuple[int, int, int]
) -> None:
    one = asked(path)
    assert (names(one), (one.z, one.x, one.y)) == (layers, place)


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/",
        "/tiles/grids",
        "/tiles/grids/",
        "/tiles/grids/1",
        "/tiles/grids/1/0",
        "/tiles/grids/1/0/",
        "/tiles/grids/1/0/0/",
        "/tiles/grids//0/0",
        "/tiles/grids/1/0/0/0",
        "/tiles/grids/-1/0/0",
        "/tiles/grids/1/-0/0",
        "/tiles/grids/+1/0/0",
        "/tiles/grids/1/0/0.png",
        "/tiles/grids/1.0/0/0",
        "/tiles/grids/1e0/0/0",
        "/tiles/grids/0x1/0/0",
        "/tiles/grids/１/0/0",
        "/tiles/grids/²/0/0",
        "/tiles/grids/ 1/0/0",
        "/tiles/grids/1_0/0/0",
        "/tiles/grids/z/x/y",
        "/tiles/grids/1/2/0",
        "/tiles/grids/1/0/2",
        "/tiles/grids/23/0/0",
        "/tiles/grids/0/1/0",
        "/tiles/grids/9999999999/0/0",
        "/tiles/grids/31/2147483648/0",
        "/tiles/grids/1/0/\x00",
    ],
)
def test_no_other_address_is_a_tile(path: str) -> None:
    with pytest.raises(Malformed):
        asked(path)


@pytest.mark.parametrize("name", ["", "secret", "Grids", "grids ", "grids,", "grids,,cameras", "%"])
def test_a_layer_that_is_none_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        asked(f"/tiles/{name}/1/0/0")


def test_a_tile_has_no_more_layers_than_anybody_needs() -> None:
    many = ",".join(f"l{number}" for number in range(LAYERS_LIMIT + 1))
    with pytest.raises(Malformed):
        asked(f"/tiles/{many}/1/0/0")
    assert len(names(asked(f"/tiles/{','.join(LAYERS)}/1/0/0"))) == len(LAYERS) <= LAYERS_LIMIT


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.right])
def test_a_layer_without_its_right_is_refused_even_among_others(name: str) -> None:
    plain = View("tester", ("/610999/",), RIGHTS - {LAYERS[name].right})
    with pytest.raises(NotAllowed) as found:
        asked(f"/tiles/grids,{name}/1/0/0", view=plain)
    assert found.value.where["layer"] == name


@pytest.mark.parametrize(
    ("query", "day"),
    [
        ("", None),
        ("as_of=2026-01-31", date(2026, 1, 31)),
        ("as_of=20260131", date(2026, 1, 31)),
        ("other=1", None),
        ("as_of=0001-01-01", date(1, 1, 1)),
        ("as_of=2024-02-29", date(2024, 2, 29)),
    ],
)
def test_a_date_may_be_asked_for(query: str, day: date | None) -> None:
    assert asked("/tiles/grids/1/0/0", query).view.as_of == day


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "2025-02-29", "2026-13-01", "31.01.2026", "2026-1-1", "1e9", "-1",
     "2026-01-01T00:00:00", "10000-01-01", "2026-01-31;drop", "%00"],
)  # fmt: skip
def test_what_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(Malformed) as found:
        asked("/tiles/grids/1/0/0", f"as_of={text}")
    assert (found.value.code, found.value.where["field"]) == ("bad-date", "as_of")


SAME = ("/tiles/grids/1/0/0", "", COUNTY)
OTHERS = [
    ("/tiles/cameras/1/0/0", "", COUNTY), ("/tiles/grids,cameras/1/0/0", "", COUNTY),
    ("/tiles/grids/2/0/0", "", COUNTY), ("/tiles/grids/1/1/0", "", COUNTY),
    ("/tiles/grids/1/0/1", "", COUNTY), ("/tiles/grids/1/0/0", "as_of=2026-01-01", COUNTY),
    ("/tiles/grids/1/0/0", "", View("tester", ("/610999/610999100/",), RIGHTS)),
    ("/tiles/grids/1/0/0", "", View("tester", ("/610999/", "/7/"), RIGHTS)),
    ("/tiles/grids/1/0/0", "", View("tester", (), RIGHTS)),
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS, ids=range(len(OTHERS)))
def test_what_shows_something_else_has_another_key(other: tuple[str, str, View]) -> None:
    assert asked(*other).key != asked(*SAME).key


def test_who_asks_makes_no_difference_where_the_scope_is_the_same() -> None:
    other = View("somebody else", ("/610999/",), RIGHTS_BUT_COUNTS)
    assert asked("/tiles/grids/1/0/0", view=other).key == asked(*SAME).key


RIGHTS_BUT_COUNTS = RIGHTS - {"counts"}
