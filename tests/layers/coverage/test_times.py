"""How often ground is seen, and whose the roads are: sums hold, and agree with plain counting."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.coverage.checks import CoverageRefused
from layers.coverage.ground import apart, blind_ground, k_coverage, open_ground
from layers.coverage.roads import road_figures, road_pieces
from layers.coverage.times import seen_ground
from layers.coverage.windows import changed_times, window_of

CRS = 4545
GRIDS = GeoSeries([box(0, 0, 50, 100), box(50, 0, 100, 100)], index=["a", "b"], crs=CRS)
LAW = settings(derandomize=True, deadline=None, max_examples=40)
seeds = st.integers(0, 10_000)


def shapes(*geometries: BaseGeometry) -> GeoSeries:
    return GeoSeries(np.array(geometries, dtype=object), crs=CRS)


def discs(seed: int, count: int) -> GeoSeries:
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-10, 110, (count, 2))
    return shapes(*(Point(*at).buffer(rng.uniform(3, 40), 6) for at in middles))


@LAW
@given(seeds, st.integers(1, 14))
def test_areas_by_times_add_up_to_the_views_inside(seed: int, count: int) -> None:
    views = discs(seed, count)
    _, times = seen_ground(GRIDS, views)
    inside = shapely.intersection(views.to_numpy(), box(0, 0, 100, 100))
    weighed = (times.to_numpy() * times.columns.to_numpy()).sum()
    assert weighed == pytest.approx(shapely.area(inside).sum(), rel=1e-9, abs=1e-4)


@LAW
@given(seeds, st.integers(1, 14))
def test_each_time_agrees_with_counting_on_the_whole(seed: int, count: int) -> None:
    views = discs(seed, count)
    _, times = seen_ground(GRIDS, views)
    inside = shapely.intersection(views.to_numpy(), box(0, 0, 100, 100))
    whole = k_coverage(GeoSeries(inside, crs=CRS))
    found = times.sum().to_numpy()
    for k, area_m2 in zip(whole["k"].astype(int), whole["area_m2"], strict=True):
        assert found[k - 1] == pytest.approx(area_m2, abs=1e-4)


@LAW
@given(seeds, st.integers(0, 14))
def test_what_is_seen_is_the_union_of_the_views(seed: int, count: int) -> None:
    views = discs(seed, count)
    seen, times = seen_ground(GRIDS, views)
    for code, outline in zip(("a", "b"), GRIDS, strict=True):
        union = shapely.union_all(views.to_numpy())
        mine = shapely.intersection(seen.loc[code], outline)
        assert mine.area == pytest.approx(shapely.intersection(union, outline).area, abs=1e-4)
        row = times.loc[code].sum() if times.shape[1] else 0.0
        assert row == pytest.approx(mine.area, abs=1e-4)


@LAW
@given(seeds, st.integers(1, 10))
def test_open_ground_by_groups_is_open_ground_by_one_union(seed: int, count: int) -> None:
    buildings = discs(seed, count)
    ours = open_ground(GRIDS, buildings)
    union = shapely.union_all(buildings.to_numpy())
    oracle = shapely.difference(GRIDS.to_numpy(), union)
    assert shapely.area(ours.to_numpy()) == pytest.approx(shapely.area(oracle), abs=1e-4)
    assert shapely.is_valid(ours.to_numpy()).all()


def test_groups_that_touch_at_a_corner_or_an_edge_become_one_and_others_stay() -> None:
    parts = np.array([box(0, 0, 1, 1), box(1, 1, 2, 2), box(2, 1, 3, 2), box(9, 9, 10, 10)])
    found = apart(parts)
    assert sorted(shapely.area(found)) == [1.0, 3.0]
    assert len(apart(parts[:0])) == 0


def test_a_view_with_a_hole_leaves_the_hole_unseen() -> None:
    ring = box(10, 10, 40, 40).difference(box(20, 20, 30, 30))
    seen, times = seen_ground(GRIDS, shapes(ring, ring))
    assert seen.area.iloc[0] == pytest.approx(800)
    assert times.to_numpy()[0] == pytest.approx([0.0, 800.0])
    assert times.to_numpy()[1] == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("views", [shapes(), shapes(Polygon()), shapes(box(300, 300, 301, 301))])
def test_where_nobody_looks_nothing_is_seen(views: GeoSeries) -> None:
    seen, times = seen_ground(GRIDS, views)
    assert seen.is_empty.all()
    assert times.to_numpy().sum() == 0


def test_no_grids_is_no_answer() -> None:
    seen, times = seen_ground(GeoSeries([], crs=CRS), discs(1, 3))
    assert len(seen) == len(times) == 0


def test_degrees_and_bow_ties_are_refused() -> None:
    with pytest.raises(CoverageRefused):
        seen_ground(GRIDS.set_crs(4490, allow_override=True), discs(1, 2))
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(CoverageRefused):
        seen_ground(GRIDS, shapes(bow))


def test_a_road_along_a_border_belongs_to_the_lowest_code_alone() -> None:
    streets = shapes(LineString([(50, -20), (50, 120)]))
    pieces = road_pieces(streets, GRIDS)
    assert pieces["grid_code"].tolist() == ["a"]
    assert pieces.length.sum() == pytest.approx(100, abs=0.01)


@LAW
@given(seeds, st.integers(1, 12))
def test_every_metre_of_road_inside_belongs_to_one_grid(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    lines = shapes(*(LineString(rng.uniform(-20, 120, (4, 2))) for _ in range(count)))
    pieces = road_pieces(lines, GRIDS)
    inside = shapely.length(shapely.intersection(lines.to_numpy(), box(0, 0, 100, 100))).sum()
    assert pieces.length.sum() == pytest.approx(inside, abs=0.05 * count)


def test_seen_and_unseen_metres_worked_out_by_hand() -> None:
    streets = shapes(LineString([(0, 50), (100, 50)]), LineString([(0, 200), (9, 200)]))
    seen, _ = seen_ground(GRIDS, shapes(box(20, 40, 70, 60), box(30, 0, 40, 100)))
    found = road_figures(road_pieces(streets, GRIDS), seen)
    assert found["road_m"].tolist() == pytest.approx([50, 50], abs=0.01)
    assert found["road_unseen_m"].tolist() == pytest.approx([20, 30], abs=0.01)


def test_a_county_without_streets_has_no_metres() -> None:
    seen, _ = seen_ground(GRIDS, shapes(box(20, 40, 70, 60)))
    found = road_figures(road_pieces(GeoSeries([], crs=CRS), GRIDS), seen)
    assert found.to_numpy().sum() == 0


def test_times_change_and_end_where_nothing_is_left() -> None:
    assert changed_times([5.0, 2.0], np.array([1.0, -2.0])) == [6.0]
    assert changed_times([], np.array([0.0, 3.0])) == [0.0, 3.0]
    assert changed_times([1.0], np.array([-1.0000001])) == []


def test_a_window_is_whole_centimetres_round_its_views() -> None:
    window = window_of(box(0.123456, 0, 1, 1), Polygon())
    assert window.bounds == (-0.88, -1.0, 2.0, 2.0)
    assert window_of(Polygon()).is_empty


@LAW
@given(seeds, st.integers(1, 8))
def test_blind_and_seen_make_up_open_ground(seed: int, count: int) -> None:
    views, buildings = discs(seed, count), discs(seed + 1, 3)
    ground = open_ground(GRIDS, buildings)
    seen, _ = seen_ground(GRIDS, views)
    blind = shapely.difference(ground.to_numpy(), seen.to_numpy())
    oracle = blind_ground(GRIDS, views, buildings)
    assert shapely.area(blind) == pytest.approx(oracle.area.to_numpy(), abs=1e-4)
