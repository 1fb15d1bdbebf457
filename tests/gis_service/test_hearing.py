"""What of an event one asker may know: right by right, scope by scope, box by box."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box as shapely_box

from gis_service.access import RIGHTS, RIGHTS_OF_ROLE
from gis_service.events import INCIDENT_COLUMNS, WORKER_COLUMNS, Event
from gis_service.hearing import Hearing, message
from gis_service.outbox_reader import Box
from grid_boundaries.view import View
from layers.registry import LAYERS
from tests.county import COUNTY_PATH, ROLES, TOWNS, VILLAGES, path_of

AREA: Box = (108.30, 33.30, 108.32, 33.31)
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HERE, THERE = path_of(VILLAGES[0]), path_of(VILLAGES[3])


def ear(*scope: str, rights: frozenset[str] = RIGHTS, box: Box | None = AREA) -> Hearing:
    return Hearing(View("tester", scope or (COUNTY_PATH,), rights), box)


def moved(*paths: str) -> Event:
    rows = tuple((path, (f"W{n}", 108.3, 33.3, AT, "worker")) for n, path in enumerate(paths))
    return Event((7, 3), "pos", rows)


def news(path: str) -> Event:
    values = tuple(f"v{n}" for n, _ in enumerate(INCIDENT_COLUMNS))
    return Event((7, 4), "inc", ((path, values),))


def changed(layer: str, box: Box | None) -> Event:
    return Event((7, 5), "ver", layer=layer, box=box)


def told(line: bytes | None) -> dict[str, Any]:
    """Return the fields of an event as it is sent."""
    assert line is not None
    assert line.endswith(b"\n\n")
    assert line.count(b"\n\n") == 1
    fields = dict(part.split(": ", 1) for part in line.decode().strip().split("\n"))
    return fields | {"data": json.loads(fields["data"])}


def test_a_move_is_told_as_columns_with_the_changes_number() -> None:
    said = told(ear().line(moved(HERE, THERE)))
    assert (said["event"], said["id"]) == ("pos", "7.3")
    assert set(said["data"]) == set(WORKER_COLUMNS)
    assert said["data"]["id"] == ["W0", "W1"]


@pytest.mark.parametrize(
    ("scope", "ids"),
    [
        ((COUNTY_PATH,), ["W0", "W1"]),
        ((HERE,), ["W0"]),
        ((THERE,), ["W1"]),
        ((HERE, THERE), ["W0", "W1"]),
        ((f"{COUNTY_PATH}{TOWNS[0]}/",), ["W0"]),
        (("/",), ["W0", "W1"]),
    ],
)
def test_of_many_moves_those_in_scope_are_told(scope: tuple[str, ...], ids: list[str]) -> None:
    assert told(ear(*scope).line(moved(HERE, THERE)))["data"]["id"] == ids


@pytest.mark.parametrize("event", [moved(HERE), news(HERE), moved()], ids=["pos", "inc", "none"])
def test_an_empty_scope_hears_of_nobody(event: Event) -> None:
    deaf = Hearing(View("nobody", (), RIGHTS), None)
    assert deaf.line(event) is None


def test_a_unit_whose_code_only_begins_alike_is_another() -> None:
    assert ear(HERE[:-2] + "/").line(moved(HERE)) is None
    assert ear(HERE).line(moved(HERE[:-1] + "0/")) is None


@pytest.mark.parametrize("role", ROLES)
def test_each_role_hears_what_its_rights_say(role: str) -> None:
    rights = RIGHTS_OF_ROLE[role]
    own = ear(rights=rights)
    assert (own.line(moved(HERE)) is not None) == ("workers" in rights)
    assert (own.line(news(HERE)) is not None) == ("incidents" in rights)
    assert (own.line(changed("plan:9", None)) is not None) == ("plans" in rights)
    for name, layer in LAYERS.items():
        is_heard = own.line(changed(name, None)) is not None
        assert is_heard == (not layer.right or layer.right in rights), name


def test_an_incident_is_told_by_the_names_of_its_columns() -> None:
    said = told(ear().line(news(HERE)))
    assert list(said["data"]) == list(INCIDENT_COLUMNS)
    assert said["data"]["id"] == "v0"


@pytest.mark.parametrize("layer", ["", "nothing", "tiles:grids", "GRIDS", "plan", "outbox"])
def test_a_layer_that_is_none_is_told_to_nobody(layer: str) -> None:
    assert ear().line(changed(layer, None)) is None


def test_a_change_of_everything_has_no_box() -> None:
    data = told(ear(HERE).line(changed("cameras", None)))["data"]
    assert data == {"layer": "cameras", "version": "7.5", "box": None}


def test_a_change_elsewhere_is_not_told_and_one_across_the_border_is_cut() -> None:
    east: Box = (108.33, 33.30, 108.34, 33.31)
    assert ear(HERE).line(changed("cameras", east)) is None
    across: Box = (108.31, 33.0, 109.0, 33.305)
    data = told(ear(HERE).line(changed("cameras", across)))["data"]
    assert data["box"] == [108.31, 33.30, 108.32, 33.305]


def test_a_change_of_the_base_map_is_told_whole_to_everybody() -> None:
    east: Box = (108.33, 33.30, 108.34, 33.31)
    assert LAYERS["streets"].shared
    assert told(ear(HERE).line(changed("streets", east)))["data"]["box"] == list(east)


def test_a_scope_without_ground_hears_of_no_place() -> None:
    assert ear(HERE, box=None).line(changed("cameras", AREA)) is None
    assert ear(HERE, box=None).line(changed("cameras", None)) is not None


def test_a_touching_corner_is_in_common() -> None:
    corner: Box = (108.32, 33.31, 108.4, 33.4)
    data = told(ear(HERE).line(changed("cameras", corner)))["data"]
    assert data["box"] == [108.32, 33.31, 108.32, 33.31]


_EDGES = st.tuples(*[st.integers(0, 12)] * 4).map(
    lambda n: (
        float(min(n[0], n[2])),
        float(min(n[1], n[3])),
        float(max(n[0], n[2])),
        float(max(n[1], n[3])),
    )
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_EDGES, _EDGES)
def test_the_box_told_is_what_both_have_in_common(touched: Box, area: Box) -> None:
    line = ear(HERE, box=area).line(changed("cameras", touched))
    common = shapely_box(*touched).intersection(shapely_box(*area))
    if not shapely_box(*touched).intersects(shapely_box(*area)):
        assert line is None
    elif common.area > 0:
        assert tuple(told(line)["data"]["box"]) == common.bounds
        # nothing of what lies outside the scope's box can be read from it
        assert shapely_box(*area).covers(shapely_box(*told(line)["data"]["box"]))


@pytest.mark.parametrize("text", ["a\nevent: snap", "\r\n\r\n", "\u2028", "data: x", "\x00", "名"])
def test_no_text_makes_a_second_event(text: str) -> None:
    said = told(message("inc", {"title": text}, "1.2"))
    assert said["data"] == {"title": text}
    assert (said["event"], said["id"]) == ("inc", "1.2")
