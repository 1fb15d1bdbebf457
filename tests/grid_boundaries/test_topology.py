from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries import topology
from grid_boundaries.errors import Refused
from tests.ground import crooked_tiles

BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
RING = box(0, 0, 10, 10) - box(4, 4, 6, 6)
CELLS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20)


def from_cells(cells: set[tuple[int, int]]) -> Polygon | MultiPolygon:
    """Return the union of unit squares, whose every area is a count of squares."""
    union = shapely.union_all([box(x, y, x + 1, y + 1) for x, y in cells])
    assert isinstance(union, Polygon | MultiPolygon) or union.is_empty
    return union if isinstance(union, Polygon | MultiPolygon) else Polygon()


def series(*shapes: BaseGeometry | None, labels: str | None = None) -> GeoSeries:
    array = np.array([*shapes, None], dtype=object)[:-1]
    return GeoSeries(array, index=list(labels) if labels else None, crs=4545)


@given(st.lists(CELLS, max_size=5))
@settings(derandomize=True, deadline=None)
def test_overlaps_are_the_squares_that_two_grids_share(grids: list[set[tuple[int, int]]]) -> None:
    found = topology.overlaps(series(*map(from_cells, grids)))
    expected = {
        (a, b): len(first & second)
        for (a, first), (b, second) in itertools.combinations(enumerate(grids), 2)
        if first & second
    }
    rows = zip(found["a"], found["b"], found["area_m2"].round(9), strict=True)
    assert {(a, b): area for a, b, area in rows} == expected
    assert found["area_m2"].is_monotonic_decreasing
    np.testing.assert_allclose(found.geometry.area, found["area_m2"])


@given(st.lists(CELLS, max_size=5), CELLS)
@settings(derandomize=True, deadline=None)
def test_gaps_are_the_squares_that_no_grid_covers(
    grids: list[set[tuple[int, int]]], within: set[tuple[int, int]]
) -> None:
    found = topology.gaps(series(*map(from_cells, grids)), from_cells(within))
    uncovered = within.difference(*grids)
    assert found.area.sum() == pytest.approx(len(uncovered))
    assert all(found.contains(Point(x + 0.5, y + 0.5)).sum() == 1 for x, y in uncovered)
    assert found.area.is_monotonic_decreasing
    assert (found.geom_type == "Polygon").all()


@given(st.lists(st.tuples(CELLS, st.sampled_from("abz")), max_size=5), CELLS, CELLS)
@settings(derandomize=True, deadline=None)
def test_nesting_faults_are_the_squares_outside_the_parent(
    children: list[tuple[set[tuple[int, int]], str]],
    parent_a: set[tuple[int, int]],
    parent_b: set[tuple[int, int]],
) -> None:
    named = {"a": parent_a, "b": parent_b}
    frame = GeoDataFrame(
        {"parent": [name for _, name in children]},
        geometry=[from_cells(cells) for cells, _ in children],
        crs=4545,
    )
    parents = series(from_cells(parent_a), from_cells(parent_b), labels="ab")
    found = topology.nesting_faults(frame, parents)
    expected = {
        (child, name): len(cells - named.get(name, set()))
        for child, (cells, name) in enumerate(children)
        if cells - named.get(name, set())
    }
    rows = zip(found["child"], found["parent"], found["outside_m2"].round(9), strict=True)
    assert {(child, parent): area for child, parent, area in rows} == expected
    np.testing.assert_allclose(found.geometry.area, found["outside_m2"])


def test_a_tiling_has_neither_gap_nor_overlap() -> None:
    tiles = crooked_tiles(12, 9)
    assert topology.overlaps(tiles).empty
    assert topology.gaps(tiles, shapely.union_all(list(tiles))).empty


def test_a_grid_moved_by_a_centimetre_makes_hairlines_that_the_smallest_area_hides() -> None:
    grids = series(box(0, 0, 100, 100), box(99.99, 0, 200, 99.99))
    assert topology.overlaps(grids)["area_m2"].tolist() == pytest.approx([0.9999])
    assert topology.overlaps(grids, smallest_m2=1.0).empty
    whole = box(0, 0, 200, 100)
    assert topology.gaps(grids, whole).area.tolist() == pytest.approx([1.0])
    assert topology.gaps(grids, whole, smallest_m2=1.01).empty


def test_an_area_of_exactly_the_smallest_counts() -> None:
    grids = series(box(0, 0, 6, 10), box(5, 0, 10, 10))
    assert topology.overlaps(grids, smallest_m2=10.0)["area_m2"].tolist() == [10.0]
    assert topology.gaps(grids, box(0, 0, 11, 10), smallest_m2=10.0).area.tolist() == [10.0]


def test_touching_corners_and_borders_are_no_overlap() -> None:
    grids = series(box(0, 0, 5, 5), box(5, 5, 10, 10), box(5, 0, 10, 5))
    assert topology.overlaps(grids).empty
    assert list(topology.overlaps(grids).columns) == ["a", "b", "area_m2", "geometry"]


def test_an_overlap_that_also_touches_keeps_its_polygons_only() -> None:
    comb = Polygon([(0, 0), (9, 0), (9, 4), (6, 4), (6, 2), (3, 2), (3, 4), (0, 4)])
    found = topology.overlaps(series(comb, box(-1, 3, 6, 9)))
    assert found["area_m2"].tolist() == [3.0]
    assert found.geometry.geom_type.tolist() == ["Polygon"]


def test_a_hole_filled_by_another_grid_is_neither_gap_nor_overlap() -> None:
    grids = series(RING, box(4, 4, 6, 6))
    assert topology.overlaps(grids).empty
    assert topology.gaps(grids, box(0, 0, 10, 10)).empty


def test_a_hole_nobody_fills_is_a_gap() -> None:
    found = topology.gaps(series(RING), box(0, 0, 10, 10))
    assert found.area.tolist() == [4.0]
    assert found.crs == "EPSG:4545"


def test_without_grids_the_whole_parent_is_a_gap() -> None:
    parent = MultiPolygon([box(0, 0, 1, 1), box(5, 5, 8, 8)])
    assert topology.gaps(series(), parent).area.tolist() == [9.0, 1.0]
    assert topology.gaps(series(Polygon()), parent).area.tolist() == [9.0, 1.0]


def test_an_empty_parent_has_no_gap() -> None:
    assert topology.gaps(series(box(0, 0, 1, 1)), Polygon()).empty


def test_one_grid_and_no_grid_overlap_nothing() -> None:
    assert topology.overlaps(series()).empty
    assert topology.overlaps(series(box(0, 0, 1, 1))).empty


def test_labels_of_the_grids_come_back() -> None:
    found = topology.overlaps(series(box(0, 0, 2, 2), box(1, 0, 3, 2), labels="yx"))
    assert (found["a"][0], found["b"][0]) == ("y", "x")


def test_a_child_of_an_unknown_parent_is_outside_with_its_whole_area() -> None:
    children = GeoDataFrame({"parent": ["nobody", None]}, geometry=[RING, RING], crs=4545)
    found = topology.nesting_faults(children, series(box(0, 0, 10, 10), labels="a"))
    assert found["outside_m2"].tolist() == [96.0, 96.0]
    assert found["child"].tolist() == [0, 1]


def test_nesting_compares_with_the_own_parent_only() -> None:
    parents = series(box(0, 0, 5, 5), box(5, 0, 10, 5), labels="ab")
    children = GeoDataFrame(
        {"parent": ["a", "a"]}, geometry=[box(0, 0, 5, 5), box(4, 0, 7, 5)], crs=4545
    )
    found = topology.nesting_faults(children, parents)
    assert found["outside_m2"].tolist() == [10.0]
    assert found.geometry[0].equals(box(5, 0, 7, 5))
    assert topology.nesting_faults(children, parents, smallest_m2=11).empty


def test_a_parent_named_twice_and_two_crs_are_refused() -> None:
    children = GeoDataFrame({"parent": ["a"]}, geometry=[RING], crs=4545)
    with pytest.raises(Refused, match="a comes twice"):
        topology.nesting_faults(children, series(RING, RING, labels="aa"))
    with pytest.raises(Refused, match="two CRS"):
        topology.nesting_faults(
            children, series(RING, labels="a").set_crs(4544, allow_override=True)
        )


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (BOW_TIE, r"Self-intersection\[1 1\]"),
        (Point(0, 0), "Point, not a polygon"),
        (shapely.LineString([(0, 0), (1, 1)]), "LineString"),
        (None, "no geometry"),
        (MultiPolygon([box(0, 0, 2, 2), box(2, 0, 4, 2)]), "Self-intersection"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_index_with_the_reason(
    shape: BaseGeometry | None, reason: str
) -> None:
    grids = series(box(0, 0, 1, 1), shape, labels="pq")
    parents = series(box(0, 0, 9, 9), labels="a")
    children = GeoDataFrame({"parent": ["a", "a"]}, index=grids.index, geometry=grids)
    for check in (
        lambda: topology.overlaps(grids),
        lambda: topology.gaps(grids, box(0, 0, 9, 9)),
        lambda: topology.nesting_faults(children, parents),
        lambda: topology.slivers(grids, narrower_than_m=1.0),
        lambda: topology.detached_parts(grids),
    ):
        with pytest.raises(Refused, match=f"q .*{reason}") as refused:
            check()
        assert refused.value.where["index"] == "q"


def test_a_parent_may_be_given_as_a_series_of_its_parts() -> None:
    grids = GeoSeries([box(0, 0, 6, 10)], crs=4545)
    halves = GeoSeries([box(0, 0, 5, 10), box(5, 0, 10, 10)], index=["w", "e"], crs=4545)
    assert topology.gaps(grids, halves).area.tolist() == [40.0]
    with pytest.raises(Refused, match="two CRS"):
        topology.gaps(grids, halves.set_crs(4546, allow_override=True))


def test_an_invalid_parent_is_refused() -> None:
    with pytest.raises(Refused, match="within is invalid"):
        topology.gaps(series(), BOW_TIE)


def test_degrees_are_refused_and_a_missing_crs_is_taken_as_metres() -> None:
    with pytest.raises(Refused, match="degrees"):
        topology.overlaps(GeoSeries([RING], crs=4490))
    assert topology.overlaps(GeoSeries([RING])).empty


@pytest.mark.parametrize("smallest_m2", [-1.0, math.nan, math.inf])
def test_a_smallest_area_without_meaning_is_refused(smallest_m2: float) -> None:
    with pytest.raises(Refused, match="smallest area"):
        topology.gaps(series(), RING, smallest_m2=smallest_m2)


def test_slivers_are_told_by_their_mean_width() -> None:
    grids = series(
        box(0, 0, 100, 100),
        MultiPolygon([box(200, 0, 300, 100), box(400, 0, 400.5, 1000)]),
        box(500, 0, 502, 1000),
        Polygon(),
        labels="abcd",
    )
    found = topology.slivers(grids, narrower_than_m=3.0)
    assert found["grid"].tolist() == ["b", "c"]
    assert found["width_m"].tolist() == pytest.approx([0.5, 2.0], rel=3e-3)
    assert found["area_m2"].tolist() == [500.0, 2000.0]
    assert topology.slivers(grids, narrower_than_m=0.1).empty


def test_parts_beyond_the_largest_are_detached_even_when_corners_touch() -> None:
    grids = series(
        MultiPolygon([box(0, 0, 1, 1), box(1, 1, 4, 4)]),
        RING,
        MultiPolygon([box(10, 0, 11, 1), box(12, 0, 14, 2), box(15, 0, 18, 3)]),
        labels="abc",
    )
    found = topology.detached_parts(grids)
    assert found["grid"].tolist() == ["a", "c", "c"]
    assert found["area_m2"].tolist() == [1.0, 4.0, 1.0]
    assert topology.detached_parts(grids, expected_parts=2)["area_m2"].tolist() == [1.0]
    assert topology.detached_parts(series()).empty


@given(CELLS)
@settings(derandomize=True, deadline=None)
def test_the_largest_part_and_the_detached_ones_are_the_whole(
    cells: set[tuple[int, int]],
) -> None:
    grid = from_cells(cells)
    detached = topology.detached_parts(series(grid))
    largest = max((part.area for part in shapely.get_parts(grid)), default=0.0)
    assert detached["area_m2"].sum() + largest == pytest.approx(len(cells))
