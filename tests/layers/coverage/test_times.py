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
from layers.coverage.figures import is_seen
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


def turned(rng: np.random.Generator, boxes: list[Polygon]) -> list[Polygon]:
    """Return boxes all turned by one angle and moved far from zero, so that corners are rounded."""
    angle, shift_m = rng.uniform(0, 90), 500_000 + rng.uniform(-15, 15, 2)
    return [
        shapely.affinity.translate(shapely.affinity.rotate(one, angle, origin=(0, 0)), *shift_m)
        for one in boxes
    ]


@LAW
@given(seeds)
def test_a_lattice_turned_by_rounding_keeps_the_area_of_its_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners, sizes = rng.integers(-6, 6, (25, 2)), rng.integers(1, 4, (25, 2))
    cells = {
        (x, y)
        for (west, south), (wide, high) in zip(corners.tolist(), sizes.tolist(), strict=True)
        for x in range(west, west + wide)
        for y in range(south, south + high)
    }
    flat = [box(*at, *(at + size)) for at, size in zip(corners, sizes, strict=True)]
    found = apart(np.array(turned(rng, flat)))
    assert shapely.area(found).sum() == pytest.approx(len(cells), abs=1e-3)


@LAW
@given(seeds, st.sampled_from([0.0, 1e-9, 1e-7, 1e-4, 0.002, 0.5]))
def test_boxes_that_almost_touch_and_bars_through_one_point_lose_nothing(
    seed: int, gap_m: float
) -> None:
    rng = np.random.default_rng(seed)
    pair = [box(0, 0, 10, 10), box(10 - gap_m, 3, 20, 7)]
    bars = [
        shapely.affinity.rotate(box(30, -3, 70, 3), angle, origin=(50, 0)) for angle in (0, 60, 120)
    ]
    found = apart(np.array(turned(rng, [*pair, *bars])))
    # three bars six wide share a regular hexagon, 6 m between its sides, that counts three times
    star_m2 = 3 * 40 * 6 - 2 * 6**2 * 3**0.5 / 2 - _tips_m2()
    assert shapely.area(found).sum() == pytest.approx(100 + 40 + star_m2, abs=1e-3)
    assert shapely.is_valid(found).all()


def _tips_m2() -> float:
    """Six triangles round the hexagon lie in two bars each."""
    side = 6 / 3**0.5
    return 6 * side**2 * 3**0.5 / 4


@LAW
@given(seeds, st.integers(1, 25))
def test_areas_apart_meet_no_other_and_cover_what_they_did(seed: int, count: int) -> None:
    areas = discs(seed, count).to_numpy()
    found = apart(areas)
    one, other = shapely.STRtree(found).query(found, predicate="intersects")
    assert (one == other).all()
    whole = shapely.union_all(areas, grid_size=1e-6)
    off = shapely.symmetric_difference(shapely.union_all(found), whole)
    assert off.area == pytest.approx(0.0, abs=1e-3)
    assert (
        shapely.covered_by(shapely.centroid(areas)[:, None], found[None]).sum(axis=1) == 1
    ).all()


def test_open_ground_of_grids_without_a_building_or_a_shape_stays() -> None:
    outlines = np.array([box(0, 0, 9, 9), None, Polygon(), box(20, 0, 29, 9)], dtype=object)
    grids = GeoSeries(outlines, crs=CRS)
    ground = open_ground(grids, shapes(box(1, 1, 2, 2), box(1.5, 1.5, 3, 3)))
    assert ground.area.tolist() == pytest.approx([81 - 1 - 2.25 + 0.25, 0, 0, 81])
    assert not ground.isna().any()


@LAW
@given(seeds, st.integers(0, 12))
def test_what_is_seen_is_what_lies_near_a_view_pair_by_pair(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    views = discs(seed, count)
    at = [None, Point(), *(Point(*xy) for xy in rng.uniform(-20, 120, (12, 2)))]
    every = np.array([*at, box(0, 0, 9, 3)], dtype=object)
    places = GeoSeries(every, index=range(100, 115), crs=CRS)
    apart_m = shapely.distance(places.to_numpy()[:, None], views.to_numpy()[None])
    oracle = (apart_m <= 0.05).any(axis=1)
    assert is_seen(places, views).tolist() == oracle.tolist()
    assert is_seen(places, views).index.tolist() == places.index.tolist()


@LAW
@given(seeds, st.integers(1, 12))
def test_metres_of_road_are_those_of_each_piece_alone(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = road_pieces(
        shapes(*(LineString(rng.uniform(-20, 120, (4, 2))) for _ in range(count))), GRIDS
    )
    seen, _ = seen_ground(GRIDS, discs(seed, 5))
    # asked for in another order, and with a grid that has no road
    asked = GeoSeries([seen["b"], Polygon(), seen["a"]], index=["b", "none", "a"], crs=CRS)
    found = road_figures(pieces, asked)
    for code in asked.index:
        own = pieces[pieces["grid_code"] == code].geometry
        assert found.loc[code, "road_m"] == pytest.approx(own.length.sum())
        unseen_m = own.difference(asked[code]).length.sum()
        assert found.loc[code, "road_unseen_m"] == pytest.approx(unseen_m, abs=1e-6)


def test_roads_of_grids_that_nobody_asks_about_are_left_out() -> None:
    pieces = road_pieces(shapes(LineString([(0, 50), (100, 50)])), GRIDS)
    found = road_figures(pieces, GeoSeries([Polygon()], index=["b"], crs=CRS))
    assert found["road_m"].tolist() == pytest.approx([50], abs=0.01)


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
