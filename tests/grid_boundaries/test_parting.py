"""Territories cut into blocks: tiled exactly, owners kept, slivers joined, homes never lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from grid_boundaries.division.corners import corners_of, with_corners
from grid_boundaries.division.parting import LEAST, parted
from grid_boundaries.division.plane import NORTH_M, Plane, plane_of
from grid_boundaries.errors import Refused
from grid_boundaries.incoming.tolerance import are_slivers

WEST, EAST = box(0, 0, 500, 800), box(500, 0, 1000, 800)
VILLAGES = GeoSeries({"v1": WEST, "v2": EAST})
NOBODY = GeoDataFrame({"people": []}, geometry=[])
NOTHING = GeoSeries([], dtype="geometry")
some = settings(derandomize=True, deadline=None, max_examples=50)


def lines(*ends: tuple[float, float, float, float]) -> GeoSeries:
    return GeoSeries([LineString([(a, b), (c, d)]) for a, b, c, d in ends])


def homes(*at: tuple[float, float, int]) -> GeoDataFrame:
    points = [Point(x, y) for x, y, _ in at]
    return GeoDataFrame({"people": [people for *_, people in at]}, geometry=points)


def test_without_lines_each_territory_is_a_block() -> None:
    found = parted(VILLAGES, NOTHING, NOBODY)
    assert found.index.tolist() == ["B000001", "B000002"]
    assert found["owner"].tolist() == ["v1", "v2"]
    assert found["kind"].tolist() == ["open", "open"]
    assert found["people"].tolist() == [0, 0]


def test_a_street_across_two_territories_cuts_both_and_lies_in_neither() -> None:
    found = parted(VILLAGES, lines((-9, 300, 1009, 300)), homes((10, 10, 3), (900, 700, 4)))
    assert found["owner"].tolist() == ["v1", "v1", "v2", "v2"]
    assert found["people"].tolist() == [0, 3, 4, 0]
    assert found.area.tolist() == pytest.approx([250_000, 150_000, 250_000, 150_000])
    assert found["kind"].tolist() == ["open", "street_face", "street_face", "open"]


def test_a_large_face_with_one_hamlet_is_a_hamlet_and_with_two_is_cut_in_two() -> None:
    one = parted(VILLAGES, NOTHING, homes((100, 100, 2), (120, 100, 2)))
    assert one["kind"].tolist() == ["hamlet", "open"]
    two = parted(VILLAGES, NOTHING, homes((100, 100, 2), (100, 700, 2)))
    assert two["owner"].tolist() == ["v1", "v1", "v2"]
    assert two["people"].tolist() == [2, 2, 0]


def test_a_street_beside_a_limit_leaves_no_sliver() -> None:
    beside = lines((501, -9, 501, 809), (-9, 400, 1009, 400))
    found = parted(VILLAGES, beside, NOBODY)
    assert len(found) == 4
    assert found.area.tolist() == pytest.approx([200_000] * 4)


def test_a_sliver_with_a_home_stays_a_block() -> None:
    found = parted(VILLAGES, lines((501, -9, 501, 809)), homes((500.5, 400, 5)))
    assert found["people"].tolist() == [0, 5, 0]


def test_a_sliver_that_is_a_whole_territory_stays_its_block() -> None:
    strip = GeoSeries({"v1": WEST, "strip": box(500, 0, 501, 800), "v2": box(501, 0, 1000, 800)})
    assert parted(strip, NOTHING, NOBODY)["owner"].tolist() == ["v1", "strip", "v2"]


def test_special_ground_is_of_its_own_kind_whoever_lives_there() -> None:
    works = box(100, 100, 200, 200)
    found = parted(
        VILLAGES, GeoSeries([works.exterior]), homes((150, 150, 9)), special=GeoSeries([works])
    )
    assert found["kind"].value_counts().to_dict() == {"open": 2, "special": 1}
    assert found.loc[found["kind"] == "special", "people"].tolist() == [9]
    ring = found[found["owner"] == "v1"].area.max()
    assert ring == pytest.approx(400_000 - 10_000)  # the village around it has a hole


def test_a_territory_of_two_parts_and_one_with_a_hole_are_tiled() -> None:
    enclave = box(600, 100, 700, 200)
    holed = Polygon(EAST.exterior, [enclave.exterior])
    two = MultiPolygon([WEST, enclave])
    found = parted(GeoSeries({"v1": two, "v2": holed}), NOTHING, NOBODY)
    assert found.groupby("owner").size().to_dict() == {"v1": 2, "v2": 1}
    assert found.area.sum() == pytest.approx(800_000)


def test_touching_corners_are_no_shared_border() -> None:
    corner = GeoSeries({"v1": box(0, 0, 10, 10), "v2": box(10, 10, 20, 20)})
    found = parted(corner, NOTHING, NOBODY)
    assert found["owner"].tolist() == ["v1", "v2"]


def test_a_bow_tie_and_a_limit_of_nobody_are_refused() -> None:
    with pytest.raises(Refused):
        parted(GeoSeries([Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])]), NOTHING, NOBODY)
    with pytest.raises(Refused):
        parted(VILLAGES, NOTHING, NOBODY, most_people=0)


ends = st.tuples(
    st.integers(-50, 1050), st.integers(-50, 850), st.integers(-50, 1050), st.integers(-50, 850)
).filter(lambda line: line[:2] != line[2:])
living = st.tuples(st.integers(0, 999), st.integers(0, 799), st.integers(0, 9))


@some
@given(st.lists(ends, max_size=6), st.lists(living, min_size=1, max_size=25), st.integers(9, 40))
def test_any_lines_and_homes_tile_the_territories_and_lose_nobody(
    streets: list[tuple[int, int, int, int]], at: list[tuple[int, int, int]], most: int
) -> None:
    # beside every line through whole numbers, so that no home stands on a border
    known = homes(*((x + np.sqrt(2) / 9, y + np.sqrt(3) / 9, people) for x, y, people in at))
    found = parted(VILLAGES, lines(*streets), known, most_people=most)
    shapes = found.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    for name, outline in VILLAGES.items():
        own = shapely.union_all(shapes[(found["owner"] == name).to_numpy()])
        assert own.symmetric_difference(outline).area < 1e-3
    assert found["people"].sum() == known["people"].sum()
    assert found.index.tolist() == [f"B{n:06d}" for n in range(1, len(found) + 1)]
    assert not (are_slivers(shapes, LEAST) & (found["people"] == 0)).any()
    _crowded_ones_hold_one_point(found, known, most)


def _crowded_ones_hold_one_point(found: GeoDataFrame, known: GeoDataFrame, most: int) -> None:
    for shape in found.geometry[found["people"] > most]:
        inside = known[known.within(shape) & (known["people"] > 0)]
        assert len(set(inside.geometry.to_wkb())) == 1


@some
@given(st.floats(-60, 60), st.lists(st.tuples(st.floats(100, 120), st.floats(20, 40)),
                                   min_size=3, max_size=12, unique=True))  # fmt: skip
def test_stored_corners_come_back_from_the_plane_bit_by_bit(
    latitude_deg: float, at: list[tuple[float, float]]
) -> None:
    line = GeoSeries([LineString(at)], crs=4490)
    plane = Plane(latitude_deg)
    back = plane.stored(plane.flat(line), line)
    assert back.iloc[0].wkb == line.iloc[0].wkb
    near = plane.stored(plane.flat(line), GeoSeries([], crs=4490))
    assert back.iloc[0].hausdorff_distance(near.iloc[0]) < 1e-12


def test_a_unit_of_the_plane_is_about_a_metre_either_way() -> None:
    square = GeoSeries([box(108.3, 33.3, 108.31, 33.31)], crs=4490)
    flat = plane_of(square).flat(square)
    metric = square.to_crs(4545)
    assert flat.area.iloc[0] == pytest.approx(metric.area.iloc[0], rel=0.01)
    assert flat.crs is None
    west, south, east, north = flat.total_bounds
    assert north - south == pytest.approx(0.01 * NORTH_M)
    assert (east - west) / (north - south) == pytest.approx(np.cos(np.radians(33.305)))


def test_the_plane_of_nothing_is_the_equators() -> None:
    assert plane_of(GeoSeries([], crs=4490)) == Plane(0.0)
    assert plane_of(GeoSeries([], crs=4490)).flat(GeoSeries([], crs=4490)).empty


def test_heights_are_left_out() -> None:
    line = GeoSeries([LineString([(108, 33, 500), (109, 33, 600)])], crs=4490)
    assert not plane_of(line).flat(line).has_z.any()


def test_shapes_get_each_others_corners_and_no_others() -> None:
    wide = GeoSeries({"a": box(0, 0, 10, 10), "b": box(10, 0, 20, 5), "c": box(10, 5, 20, 10),
                      "d": box(30, 0, 40, 10)})  # fmt: skip
    found = with_corners(wide, corners_of(wide), snap=1e-6)
    assert not shapely.coverage_is_valid(wide.to_numpy())
    assert shapely.coverage_is_valid(found.to_numpy())
    assert shapely.get_num_coordinates(found.to_numpy()).tolist() == [6, 5, 5, 5]
    assert [found[name] is wide[name] for name in "abcd"] == [False, True, True, True]
    assert found.index.tolist() == wide.index.tolist()


def test_a_corner_beside_a_border_is_not_taken_and_none_changes_nothing() -> None:
    one = GeoSeries([box(0, 0, 10, 10)])
    beside = np.array([[10.001, 5.0], [5.0, 5.0]])
    assert with_corners(one, beside, snap=1e-6).iloc[0] is one.iloc[0]
    assert with_corners(one, np.empty((0, 2)), snap=1e-6).iloc[0] is one.iloc[0]
    assert with_corners(NOTHING, beside, snap=1e-6).empty
    assert corners_of(NOTHING).shape == (0, 2)


def test_a_corner_off_by_a_rounding_is_one_border_afterwards() -> None:
    off = Polygon([(10 + 1e-9, 0), (20, 0), (20, 5), (10 + 1e-9, 5)])
    pair = GeoSeries([box(0, 0, 10, 10), off])
    found = with_corners(pair, corners_of(pair), snap=1e-6)
    corners = pd.Series([tuple(xy) for xy in shapely.get_coordinates(found.iloc[0])])
    assert (10 + 1e-9, 5.0) in set(corners)
