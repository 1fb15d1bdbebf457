"""Public maps put together from the database: empty villages, parts, enclaves, hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, create_engine, text

from gis_service.database import Database
from tests.county import TOWNS, VILLAGES
from tests.gis_service.test_plan_papers import asked, page, pdf
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    started,
)
from tests.map_ui.test_hard_villages import HOSTILE
from tests.serving import Client, sqlalchemy_url

VILLAGE = VILLAGES[0]
LISTED = re.compile(r'<li><b>(.*?)</b> <span class="code">(.*?)</span>')


@pytest.fixture
def owner(county_database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner on the county that `own_client` serves."""
    engine = create_engine(sqlalchemy_url(county_database.owner_url))
    yield engine
    engine.dispose()


def done(owner: Engine, *statements: str, **values: str) -> None:
    with owner.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for statement in statements:
            connection.execute(text(statement), values)


def svg_of(html: str) -> ElementTree.Element:
    found = re.search(r'<svg class="map".*?</svg>', html, re.DOTALL)
    assert found is not None
    return ElementTree.fromstring(found[0])


def test_a_village_whose_grids_are_gone_has_a_map_of_its_ground(
    own_client: Client, owner: Engine
) -> None:
    done(owner, "delete from grid where village_code = :village", village=VILLAGE)
    html = page(own_client, f"/public/{VILLAGE}/map")
    assert LISTED.findall(html) == []
    svg_of(html)
    assert len(pdf(own_client, f"/public/{VILLAGE}/map.pdf").pages) == 1


def test_a_draft_that_leaves_a_village_without_grids_has_no_map_of_it(own_client: Client) -> None:
    plan = started(own_client)
    for version, code in enumerate((GRID_1, GRID_2)):
        drawn(own_client, plan, version, kind="retire", grid=code)
    answer = asked(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-village")


def test_a_grid_in_two_parts_is_one_of_the_list(own_client: Client) -> None:
    plan = started(own_client)
    # blocks lie in a row: 9 and 11 are apart when 10 goes to the other grid
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_11], to=GRID_1)
    drawn(own_client, plan, 1, kind="move", blocks=[BLOCK_10], to=GRID_2)
    html = page(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    assert [code for _, code in LISTED.findall(html)] == [GRID_1, GRID_2]
    svg_of(html)


def test_a_piece_of_a_block_given_to_the_neighbour_is_drawn(own_client: Client) -> None:
    plan = started(own_client)
    before = page(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    after = page(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    paths = [[path.attrib["d"] for path in svg_of(html).iter() if path.tag.endswith("path")]
             for html in (before, after)]  # fmt: skip
    assert paths[0] != paths[1]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_a_grid_is_text(own_client: Client, owner: Engine, name: str) -> None:
    done(owner, "update grid set name = :name where code = :code", name=name, code=GRID_1)
    html = page(own_client, f"/public/{VILLAGE}/map")
    svg = svg_of(html)
    assert "<script" not in html
    assert {one.tag.rpartition("}")[2] for one in svg.iter()} <= {
        "svg", "title", "defs", "clipPath", "rect", "g", "path", "polygon", "text", "pattern",
    }  # fmt: skip


def test_names_as_long_as_they_may_be_fit_one_sheet(own_client: Client, owner: Engine) -> None:
    done(owner, "update grid set name = repeat('网', 200) where village_code = :v", v=VILLAGE)
    html = page(own_client, f"/public/{VILLAGE}/map")
    assert [len(name) for name, _ in LISTED.findall(html)] == [200, 200]
    assert len(pdf(own_client, f"/public/{VILLAGE}/map.pdf?paper=a3").pages) == 1


def test_a_village_where_nobody_lives_has_the_same_map(own_client: Client, owner: Engine) -> None:
    before = page(own_client, f"/public/{VILLAGE}/map")
    done(owner, "delete from person", "delete from household", "delete from block_count")
    assert page(own_client, f"/public/{VILLAGE}/map") == before
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9], to=GRID_2)
    report = page(own_client, f"/plans/{plan}/report")
    assert "None" not in report and "nan" not in report


def test_a_village_without_an_office_has_no_star(own_client: Client, owner: Engine) -> None:
    done(owner, "delete from centre")
    assert "<polygon" not in page(own_client, f"/public/{VILLAGE}/map")


@pytest.mark.parametrize("village", [TOWNS[0], "610999", "%", "610999100%", "x" * 64, "'--"])
def test_what_is_no_village_has_no_map(client: Client, village: str) -> None:
    answer = asked(client, f"/public/{village.replace('%', '%25')}/map")
    assert answer.status_code == 404
    assert answer.json()["code"] == "no-such-village"
