"""What a printed map of a village shows beside its grids, from the made-up county."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from sqlalchemy import Connection

from gis_service.database import enter_scope
from grid_boundaries.view import View
from layers.village_ground import (
    backdrops,
    grids_of_village,
    office_of,
    unit_names,
    units_above,
)
from tests.county import COUNTY, METRIC_SRID, TOWNS, VILLAGES, path_of

EVERYWHERE = View("tester", ("/",))


@pytest.fixture
def seen(county_connection: Connection) -> Connection:
    """A connection that sees the whole made-up county."""
    enter_scope(county_connection, EVERYWHERE)
    return county_connection


def test_names_of_units_are_known_to_anybody_signed_in(seen: Connection) -> None:
    names = unit_names(seen, EVERYWHERE, [COUNTY, TOWNS[1], VILLAGES[0], "nowhere"])
    assert names == {COUNTY: "试县", TOWNS[1]: "东镇", VILLAGES[0]: "西社区"}
    assert unit_names(seen, EVERYWHERE, []) == {}
    assert unit_names(seen, View("nobody"), [COUNTY]) == {}


def test_units_above_follow_the_tree_and_not_the_digits(seen: Connection) -> None:
    assert units_above(seen, EVERYWHERE, VILLAGES[3]) == [COUNTY, TOWNS[1]]
    assert units_above(seen, EVERYWHERE, COUNTY) == []
    assert units_above(seen, EVERYWHERE, "nowhere") == []


def test_a_backdrop_is_in_metres_and_has_what_crosses_the_village(seen: Connection) -> None:
    (found,) = backdrops(seen, EVERYWHERE, [VILLAGES[0]], METRIC_SRID).values()
    # four blocks of 0.005° by 0.01°
    assert found.outline.area == pytest.approx(2.07e6, rel=0.01)
    (street,) = found.streets
    assert street[0] == "primary"
    assert street[1].length == pytest.approx(3720, rel=0.01)
    assert len(found.waters) == 1
    assert found.waters[0].intersects(found.outline)


def test_each_village_has_its_own_and_towns_and_strangers_have_none(seen: Connection) -> None:
    found = backdrops(seen, EVERYWHERE, [*VILLAGES, TOWNS[0], "nowhere"], METRIC_SRID)
    assert sorted(found) == sorted(VILLAGES)
    outlines = [one.outline for one in found.values()]
    assert shapely.union_all(outlines).area == pytest.approx(
        sum(one.area for one in outlines), rel=1e-6
    )
    assert backdrops(seen, EVERYWHERE, [], METRIC_SRID) == {}


def test_a_village_out_of_scope_has_no_backdrop_grids_or_office(seen: Connection) -> None:
    view = replace(EVERYWHERE, scope=(path_of(VILLAGES[0]),))
    assert list(backdrops(seen, view, VILLAGES, METRIC_SRID)) == [VILLAGES[0]]
    assert grids_of_village(seen, view, VILLAGES[1], METRIC_SRID).empty
    assert office_of(seen, view, VILLAGES[2], METRIC_SRID) is None


def test_the_grids_of_a_village_fill_it(seen: Connection) -> None:
    grids = grids_of_village(seen, EVERYWHERE, VILLAGES[0], METRIC_SRID)
    assert grids["code"].tolist() == [f"{VILLAGES[0]}001", f"{VILLAGES[0]}002"]
    assert set(grids["kind"]) == {"residential"}
    outline = backdrops(seen, EVERYWHERE, [VILLAGES[0]], METRIC_SRID)[VILLAGES[0]].outline
    assert grids.geometry.area.sum() == pytest.approx(outline.area, rel=1e-6)


def test_an_office_stands_in_its_village_and_not_every_village_has_one(seen: Connection) -> None:
    found = office_of(seen, EVERYWHERE, VILLAGES[0], METRIC_SRID)
    assert found is not None
    assert (found["name"], found["address"]) == ("综治中心", None)
    outline = backdrops(seen, EVERYWHERE, [VILLAGES[0]], METRIC_SRID)[VILLAGES[0]].outline
    assert outline.contains(shapely.Point(found["x_m"], found["y_m"]))
    assert office_of(seen, EVERYWHERE, VILLAGES[3], METRIC_SRID) is None
    assert office_of(seen, EVERYWHERE, TOWNS[0], METRIC_SRID) is None
