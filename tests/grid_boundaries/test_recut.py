"""Blocks cut anew: what stayed keeps its id, what was cut gets pieces, no id comes twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from grid_boundaries.blocks import blocks_from_lines, cut_along
from grid_boundaries.division.county_lines import county_lines, hamlet_lines
from grid_boundaries.errors import Refused
from grid_boundaries.recut import recut_ids

CRS = 4545
TOWN = box(0, 0, 1000, 800)
Ends = list[tuple[float, float, float, float]]
NOTHING = GeoSeries([], crs=CRS)
some = settings(derandomize=True, deadline=None, max_examples=60)


def lines(*ends: tuple[float, float, float, float]) -> GeoSeries:
    return GeoSeries([LineString([(a, b), (c, d)]) for a, b, c, d in ends], crs=CRS)


def upright(*xs: float) -> GeoSeries:
    return lines(*((x, -1, x, 801) for x in xs))


def cut_at(*xs: float) -> GeoSeries:
    return blocks_from_lines(TOWN, upright(*xs)).geometry


def test_a_cut_that_changes_nothing_changes_no_id() -> None:
    old = cut_at(300, 600)
    assert recut_ids(old, GeoSeries(old.to_numpy()[::-1], crs=CRS)).tolist() == list(
        old.index[::-1]
    )


def test_a_block_that_a_new_street_cuts_is_its_pieces_and_its_neighbours_stay() -> None:
    old = cut_at(300, 600)
    assert recut_ids(old, cut_at(300, 450, 600)).tolist() == [
        "B000001", "B000002.1", "B000002.2", "B000003"
    ]  # fmt: skip


def test_a_border_that_moves_by_a_hair_is_where_it_was_and_by_a_metre_is_not() -> None:
    old = cut_at(300, 600)
    assert recut_ids(old, cut_at(300.02, 600)).tolist() == ["B000001", "B000002", "B000003"]
    assert recut_ids(old, cut_at(301.0, 600)).tolist() == ["B000004", "B000005", "B000003"]


def test_blocks_joined_are_a_new_block() -> None:
    assert recut_ids(cut_at(300, 600), cut_at(600)).tolist() == ["B000004", "B000003"]


def test_a_part_that_went_elsewhere_leaves_no_piece() -> None:
    old = cut_at(300, 600)
    assert recut_ids(old, cut_at(300, 400)).tolist() == ["B000001", "B000004", "B000005"]


def test_ids_that_were_given_once_are_not_given_again() -> None:
    old = cut_at(300)
    found = recut_ids(old, cut_at(300, 400), given=["B000002.1", "B000009", "X7", "B1x"])
    assert found.tolist() == ["B000001", "B000010", "B000011"]


def test_a_piece_may_be_cut_again() -> None:
    old = GeoSeries([box(0, 0, 10, 10), box(10, 0, 20, 10)], index=["B000001.1", "B000001.2"])
    new = GeoSeries([box(0, 0, 10, 10), box(10, 0, 20, 4), box(10, 4, 20, 10)])
    assert recut_ids(old, new).tolist() == ["B000001.1", "B000001.2.2", "B000001.2.1"]


def test_a_sliver_is_not_taken_for_the_block_beside_it() -> None:
    old = GeoSeries([box(0, 0, 0.05, 100), box(0.05, 0, 50, 100)], index=["B000001", "B000002"])
    new = GeoSeries([box(0, 0, 0.05, 100), box(0.05, 0, 50, 100)])
    assert recut_ids(old, new, tolerance_m=1.0).tolist() == ["B000001", "B000002"]


def test_ground_that_was_not_there_before_is_new_and_none_is_none() -> None:
    old = GeoSeries([box(0, 0, 10, 10)], index=["B000001"])
    new = GeoSeries([box(0, 0, 10, 10), box(10, 0, 20, 10)])
    assert recut_ids(old, new).tolist() == ["B000001", "B000002"]
    assert recut_ids(old, GeoSeries([], crs=CRS)).empty
    assert recut_ids(GeoSeries([], dtype="geometry"), new).tolist() == ["B000001", "B000002"]


def test_what_is_no_polygon_is_refused() -> None:
    with pytest.raises(Refused):
        recut_ids(cut_at(300), GeoSeries([Point(0, 0)]))
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(Refused):
        recut_ids(cut_at(300), GeoSeries([bow_tie]))


corner = st.integers(0, 20).map(lambda n: 50.0 * n)
streets = st.lists(st.tuples(corner, corner, corner, corner), max_size=6)


@some
@given(streets, streets)
def test_whatever_streets_come_and_go(before: Ends, after: Ends) -> None:
    real = [[s for s in some_streets if s[:2] != s[2:]] for some_streets in (before, after)]
    old, new = (blocks_from_lines(TOWN, lines(*own)).geometry for own in real)
    gone = ["B000500", "B000003.1"]
    ids = recut_ids(old, new, given=gone)
    assert ids.is_unique
    assert set(ids).isdisjoint(gone)
    for name, shape in zip(ids, new, strict=True):
        whole = str(name).rpartition(".")[0]
        if name in old.index:  # the same ground
            assert shape.symmetric_difference(old[name]).area <= 0.05 * old[name].length
        elif whole:  # a piece of it
            assert shape.difference(old[whole]).area <= 0.05 * old[whole].length
            assert whole not in ids
        else:
            assert int(str(name)[1:]) > 500
    for stayed, shape in old.items():  # nothing that stayed lost its name
        if any(shape.equals(one) for one in new):
            assert stayed in ids
    order = np.random.default_rng(1).permutation(len(new))
    shuffled = recut_ids(old, GeoSeries(new.to_numpy()[order], crs=CRS), given=gone)
    assert sorted(shuffled) == sorted(ids)


def test_the_lines_of_a_county_are_those_of_all_it_has() -> None:
    found = county_lines(
        streets=GeoSeries([*shapely.from_wkt(["LINESTRING (0 400, 1000 400)", None])], crs=CRS),
        rivers=GeoSeries([LineString([(500, 0), (500, 800)]), box(700, 100, 750, 150)], crs=CRS),
        railways=GeoSeries([LineString()], crs=CRS),
        unit_limits=GeoSeries([box(0, 0, 250, 800), box(250, 0, 1000, 800)], crs=CRS),
        special_areas=GeoSeries([box(20, 20, 40, 40).union(box(60, 20, 80, 40))], crs=CRS),
    )
    assert set(shapely.get_dimensions(found.to_numpy())) == {1}
    faces = cut_along(TOWN, found)
    assert len(faces) == 2 * 3 + 3  # a lake and two yards inside
    assert shapely.area(faces.to_numpy()).sum() == pytest.approx(TOWN.area)


def test_a_county_without_anything_is_one_block() -> None:
    found = county_lines(streets=NOTHING, rivers=NOTHING, railways=NOTHING, unit_limits=NOTHING,
                         special_areas=NOTHING)  # fmt: skip
    assert len(blocks_from_lines(TOWN, found)) == 1


def houses(*at: tuple[float, float]) -> np.ndarray:
    """Return five houses round each place."""
    around = np.array([[0, 0], [20, 0], [0, 20], [-20, 0], [0, -20]])
    return np.concatenate([np.array(place) + around for place in at])


def test_hamlets_get_cells_of_their_own_in_a_large_face() -> None:
    homes = houses((200, 200), (800, 200), (500, 650))
    faces = cut_along(TOWN, NOTHING)
    cells = cut_along(TOWN, hamlet_lines(faces, homes))
    assert len(cells) == 3
    assert shapely.area(cells.to_numpy()).sum() == pytest.approx(TOWN.area)
    for cell in cells:
        held = [bool(cell.covers(Point(xy))) for xy in homes]
        assert sum(held) == 5  # one hamlet, whole


def test_one_hamlet_a_small_face_or_nobody_parts_nothing() -> None:
    faces = cut_along(TOWN, NOTHING)
    assert hamlet_lines(faces, houses((200, 200))).empty
    assert hamlet_lines(faces, np.empty((0, 2))).empty
    assert hamlet_lines(faces, houses((200, 200), (800, 200)), rural_m2=1e6).empty
    assert hamlet_lines(faces, houses((5000, 200), (8000, 200))).empty


@some
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 7)), min_size=2, max_size=7,
                unique=True))  # fmt: skip
def test_cells_of_hamlets_tile_the_face_and_cut_none(places: list[tuple[int, int]]) -> None:
    homes = houses(*((100.0 * x, 100.0 * y) for x, y in places))
    faces = cut_along(TOWN, NOTHING)
    cells = cut_along(TOWN, hamlet_lines(faces, homes, near_m=30.0))
    assert len(cells) == len(places)
    assert shapely.area(cells.to_numpy()).sum() == pytest.approx(TOWN.area)
    home, cell = cells.sindex.query(shapely.points(homes), predicate="intersects")
    table = pd.DataFrame({"hamlet": home // 5, "cell": cell})
    assert len(table.drop_duplicates()) == len(places)
