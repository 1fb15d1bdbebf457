"""What sites are chosen from, read from the made-up county: ground, posts, façades, junctions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box
from sqlalchemy import Connection, delete, update

from grid_boundaries.crs import metres_from_lonlat
from grid_boundaries.view import View
from layers.buildings import building
from layers.cameras import camera
from layers.coverage import site_inputs as inputs
from layers.coverage.forbidden import KINDS
from layers.coverage.street_graph import street_graph
from layers.devices import device
from layers.places import place
from layers.read import County, the_county
from tests.county import COUNTY_PATH, METRIC_SRID, VILLAGES, add, blocks, build, path_of

ALL = View("tester", (COUNTY_PATH,))
OWN = View("tester", (path_of(VILLAGES[0]),))
NOBODY = View("tester", ())
IN_VILLAGE = 4  # blocks


@pytest.fixture
def county(connection: Connection) -> County:
    build(connection)
    return the_county(connection)


def ground(connection: Connection, county: County, part: View, **more: Any) -> inputs.SiteGround:
    return inputs.site_ground(connection, ALL, part, county, **({"margin_m": 50.0} | more))


def metres(point: Point) -> Point:
    return Point(metres_from_lonlat(np.array([[point.x, point.y]]), METRIC_SRID)[0])


def houses(*walls: Any, paths: list[str] | None = None) -> GeoDataFrame:
    columns = {"kind": "dwelling", "unit_path": paths or [COUNTY_PATH] * len(walls)}
    return GeoDataFrame(columns, geometry=list(walls), crs=METRIC_SRID)


# ------------------------------------------------------------------ ground


def test_the_ground_of_a_village_is_its_outline_with_the_houses_on_it(
    connection: Connection, county: County
) -> None:
    found = ground(connection, county, OWN)
    # two blocks wide and one high a grid; two grids
    assert found.outline.area == pytest.approx(4 * 465 * 1109, rel=0.01)
    assert len(found.buildings) == IN_VILLAGE
    assert set(found.buildings["unit_path"]) == {path_of(VILLAGES[0])}
    assert len(found.private) == 0


def test_houses_round_a_village_hide_as_its_own_do(connection: Connection, county: County) -> None:
    assert len(ground(connection, county, OWN, margin_m=600.0).buildings) > IN_VILLAGE


def test_the_ground_of_a_grid_is_a_part_of_its_village(
    connection: Connection, county: County
) -> None:
    code = next(one.grid for one in blocks() if one.village == VILLAGES[0])
    found = ground(connection, county, OWN, grid_code=code)
    whole = ground(connection, county, OWN).outline
    assert found.outline.area == pytest.approx(whole.area / 2, rel=0.01)
    assert found.outline.difference(shapely.buffer(whole, 0.01)).is_empty


@pytest.mark.parametrize("code", ["", "nowhere", "610999101001001", "' or 1=1 --"])
def test_a_grid_that_is_not_of_the_part_has_no_ground(
    connection: Connection, county: County, code: str
) -> None:
    assert ground(connection, county, OWN, grid_code=code).outline.is_empty


def test_who_sees_nothing_has_no_ground(connection: Connection, county: County) -> None:
    found = inputs.site_ground(connection, NOBODY, NOBODY, county, margin_m=50.0)
    assert found.outline.is_empty
    assert (len(found.buildings), len(found.private)) == (0, 0)
    assert len(inputs.stored_posts(connection, NOBODY, county)) == 0


# ------------------------------------------------------------------ forbidden places


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_place_of_a_forbidden_kind_is_private(
    connection: Connection, county: County, kind: str
) -> None:
    connection.execute(update(place).where(place.c.id == "P9").values(kind=kind))
    found = ground(connection, county, OWN).private
    assert found["kind"].tolist() == [kind]
    assert found.geometry.iloc[0].distance(metres(blocks()[8].at(0.3, 0.3))) < 0.01


@pytest.mark.parametrize(
    ("name", "address"), [("第一医院住院部病房", None), (None, "学校女生宿舍楼"), ("公厕", "")]
)
def test_a_place_that_is_called_so_is_private_whatever_its_kind(
    connection: Connection, county: County, name: str | None, address: str | None
) -> None:
    values = {"name": name, "address": address}
    connection.execute(update(building).where(building.c.id == "H9").values(**values))
    found = ground(connection, county, OWN).private
    assert len(found) == 1
    assert found["kind"].iloc[0] in KINDS
    assert found.geometry.iloc[0].area > 0


# ------------------------------------------------------------------ posts


def test_posts_that_stand_are_those_of_cameras_and_devices(
    connection: Connection, county: County
) -> None:
    found = inputs.stored_posts(connection, OWN, county)
    assert len(found) == 2 * IN_VILLAGE
    assert len(inputs.stored_posts(connection, ALL, county)) == 32


def test_an_indoor_camera_has_no_post_and_two_on_one_post_have_one(
    connection: Connection, county: County
) -> None:
    connection.execute(update(camera).where(camera.c.id == "K9").values(indoor=True))
    at = camera.select().where(camera.c.id == "K10").with_only_columns(camera.c.geom)
    connection.execute(update(device).where(device.c.id == "D10").values(geom=at.scalar_subquery()))
    assert len(inputs.stored_posts(connection, OWN, county)) == 2 * IN_VILLAGE - 2


def test_no_camera_and_no_device_is_no_post(connection: Connection, county: County) -> None:
    connection.execute(delete(camera))
    connection.execute(delete(device))
    assert len(inputs.stored_posts(connection, ALL, county)) == 0


def test_given_posts_are_in_metres_each_once(connection: Connection, county: County) -> None:
    at = blocks()[0].at()
    lonlat = np.array([[at.x, at.y], [at.x, at.y], [at.x + 0.001, at.y]])
    found = inputs.given_posts(lonlat, county)
    assert len(found) == 2
    assert found.iloc[0].distance(metres(at)) < 0.001
    assert len(inputs.given_posts(np.zeros((0, 2)), county)) == 0


@pytest.mark.parametrize(("apart_m", "number"), [(0.0, 1), (0.2, 1), (0.6, 2), (5.0, 2)])
def test_points_of_one_post_are_one_and_keep_the_first(apart_m: float, number: int) -> None:
    both = GeoSeries([Point(0, 0), Point(apart_m, 0)], index=[7, 3], crs=METRIC_SRID)
    found = inputs.once(both)
    assert (len(found), found.index[0]) == (number, 7)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), max_size=30))
def test_once_is_once(xy: list[tuple[float, float]]) -> None:
    points = GeoSeries([Point(one) for one in xy], crs=METRIC_SRID)
    found = inputs.once(points)
    assert inputs.once(found).equals(found)
    assert set(found.index) <= set(points.index)
    for point in points:  # each has a kept one on its post, the half metre being a square's
        assert found.distance(point).min() <= 0.5 * np.sqrt(2)


# ------------------------------------------------------------------ façades


def test_a_post_stands_before_the_middle_of_each_wall() -> None:
    found = inputs.facade_posts(houses(box(0, 0, 10, 20)), (COUNTY_PATH,))
    expected = {(5.0, -0.2), (10.2, 10.0), (5.0, 20.2), (-0.2, 10.0)}
    assert set(map(tuple, np.round(shapely.get_coordinates(found), 6).tolist())) == expected


@pytest.mark.parametrize("turned", [False, True])
def test_the_outside_is_outside_whichever_way_the_ring_runs(turned: bool) -> None:
    ring = [(0, 0), (10, 0), (10, 20), (0, 20), (0, 0)]
    house = shapely.Polygon(ring[::-1] if turned else ring)
    found = inputs.facade_posts(houses(house), (COUNTY_PATH,))
    assert len(found) == 4
    assert not found.intersects(house).any()
    assert (found.distance(house) < 0.21).all()


def test_short_walls_and_walls_between_houses_bear_none() -> None:
    assert len(inputs.facade_posts(houses(box(0, 0, 2.9, 2.9)), (COUNTY_PATH,))) == 0
    two = houses(box(0, 0, 10, 10), box(10, 0, 20, 10))
    found = inputs.facade_posts(two, (COUNTY_PATH,))
    assert len(found) == 6
    assert (np.abs(shapely.get_coordinates(found)[:, 0] - 10) > 1).all()


def test_courtyards_bear_none_and_parts_bear_their_own() -> None:
    yard = Polygon(box(0, 0, 30, 30).exterior, [box(10, 10, 20, 20).exterior])
    two = MultiPolygon([yard, box(100, 0, 110, 10)])
    found = inputs.facade_posts(houses(two), (COUNTY_PATH,))
    assert len(found) == 8
    assert not found.within(box(5, 5, 25, 25)).any()


def test_houses_of_other_units_bear_none_and_hide_all_the_same() -> None:
    both = houses(box(0, 0, 10, 10), box(10, 0, 20, 10), paths=["/1/2/", "/1/3/"])
    assert len(inputs.facade_posts(both, ("/1/2/",))) == 3
    assert len(inputs.facade_posts(both, ())) == 0
    assert len(inputs.facade_posts(both.iloc[:0], ("/1/2/",))) == 0


# ------------------------------------------------------------------ junctions and kinds


def test_junctions_are_the_nodes_within_the_outline_or_a_metre_off() -> None:
    lines = GeoSeries([LineString([(0, 0), (100, 0)]), LineString([(50, -50), (50, 50)])])
    graph = street_graph(lines)
    inside = inputs.junction_posts(graph, box(49, -10, 100.5, 10))
    assert sorted(map(tuple, graph.node_xy[inside].tolist())) == [(50, 0), (100, 0)]
    assert len(inputs.junction_posts(graph, shapely.Polygon())) == 0
    assert len(inputs.junction_posts(street_graph(GeoSeries([])), box(0, 0, 9, 9))) == 0


@pytest.mark.parametrize(("x", "is_in"), [(9.0, True), (10.9, True), (11.1, False)])
def test_a_point_on_the_rim_is_in(x: float, is_in: bool) -> None:
    points = GeoSeries([Point(x, 5)], crs=METRIC_SRID)
    assert inputs.is_within(points, box(0, 0, 10, 10)).tolist() == [is_in]


@pytest.mark.parametrize(
    ("kinds", "number"),
    [((), 0), (("smoke",), 16), (("team", "smoke"), 32), (("school",), 16), (("nothing",), 0)],
)
def test_posts_that_serve_already_are_found_by_kind(
    connection: Connection, county: County, kinds: tuple[str, ...], number: int
) -> None:
    assert len(inputs.standing_posts(connection, ALL, county, kinds)) == number
    if number:
        assert len(inputs.standing_posts(connection, OWN, county, kinds)) == number // 4


def test_a_room_added_by_somebody_is_there(connection: Connection, county: County) -> None:
    one = blocks()[8]
    row = {"id": "PX", "name": "警务室", "kind": "police_room", "is_key": True}
    add(connection, place, [one.placed(geom=one.at(0.5, 0.5), **row)])
    found = inputs.standing_posts(connection, OWN, county, ("police_room",))
    assert found.iloc[0].distance(metres(one.at(0.5, 0.5))) < 0.01
