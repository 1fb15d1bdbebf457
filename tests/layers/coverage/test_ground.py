"""Overlap of views and blind ground of grids."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries

from layers.coverage.checks import CoverageRefused
from layers.coverage.ground import blind_ground, k_coverage, open_ground
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.scenes import CRS, areas, camera_frame, random_cameras, turned_boxes

SQUARE = shapely.box(0, 0, 10, 10)
BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def as_pairs(views: GeoSeries) -> list[tuple[int, float]]:
    table = k_coverage(views)
    return [
        (int(k), round(float(m2), 5)) for k, m2 in zip(table["k"], table["area_m2"], strict=True)
    ]


def test_ground_seen_once_and_twice_is_told_apart() -> None:
    assert as_pairs(areas(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1))) == [(1, 2.0), (2, 1.0)]


def test_one_view_many_times_is_seen_that_many_times() -> None:
    assert as_pairs(areas(SQUARE, SQUARE, SQUARE)) == [(3, 100.0)]


def test_views_that_touch_do_not_overlap() -> None:
    assert as_pairs(areas(SQUARE, shapely.box(10, 0, 20, 10))) == [(1, 200.0)]


def test_a_hole_in_a_view_is_not_seen() -> None:
    ring = SQUARE.difference(shapely.box(4, 4, 6, 6))
    assert as_pairs(areas(ring)) == [(1, 96.0)]
    assert as_pairs(areas(ring, shapely.box(4, 4, 6, 6))) == [(1, 100.0)]


def test_no_views_and_empty_views_cover_nothing() -> None:
    assert as_pairs(areas()) == []
    assert as_pairs(areas(shapely.Polygon(), None)) == []


def test_k_times_its_area_adds_up_to_all_views() -> None:
    rng = np.random.default_rng(21)
    shapes = areas(*turned_boxes(rng, 60, 400))
    views = visible_areas(camera_frame(random_cameras(rng, 60, 400)), shapes)
    table = k_coverage(views)
    assert (table["k"] * table["area_m2"]).sum() == pytest.approx(views.area.sum(), rel=1e-8)
    assert table["area_m2"].sum() == pytest.approx(views.union_all().area, rel=1e-8)
    assert table["k"].is_monotonic_increasing


def test_blind_ground_is_the_grid_less_buildings_and_views() -> None:
    grids = GeoSeries([SQUARE, shapely.box(10, 0, 20, 10)], index=["A", "B"], crs=CRS)
    blind = blind_ground(grids, areas(shapely.box(-5, 0, 4, 10)), areas(shapely.box(8, 0, 12, 10)))
    assert blind.index.tolist() == ["A", "B"]
    assert blind.area.round(6).tolist() == [40.0, 80.0]
    assert blind.loc["A"].equals_exact(shapely.box(4, 0, 8, 10), 1e-6) or (
        blind.loc["A"].symmetric_difference(shapely.box(4, 0, 8, 10)).area < 1e-5
    )


def test_a_grid_all_seen_is_an_empty_polygon() -> None:
    blind = blind_ground(areas(SQUARE, None, shapely.Polygon()), areas(SQUARE.buffer(1)), None)
    assert [shape.wkt for shape in blind] == ["POLYGON EMPTY"] * 3


def test_a_grid_nobody_looks_at_stays_whole() -> None:
    far = areas(shapely.box(100, 100, 101, 101))
    assert blind_ground(areas(SQUARE), far, None).iloc[0].equals(SQUARE)
    assert blind_ground(areas(SQUARE), areas(), areas()).iloc[0].equals(SQUARE)


def test_parts_of_the_county_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(22)
    shapes = areas(*turned_boxes(rng, 80, 400))
    views = visible_areas(camera_frame(random_cameras(rng, 30, 400)), shapes)
    county = shapely.box(0, 0, 400, 400)
    x, y = (side.ravel() * 80.0 for side in np.mgrid[0:5, 0:5])
    grids = areas(*shapely.box(x, y, x + 80, y + 80))
    whole = blind_ground(areas(county), views, shapes).area.sum()
    blind = blind_ground(grids, views, shapes)
    assert blind.area.sum() == pytest.approx(whole, rel=1e-8)
    seen = shapely.union_all(views.to_numpy()).intersection(county)
    inside = shapely.union_all(shapes.to_numpy()).intersection(county)
    unseen_m2 = county.area - seen.union(inside).area
    assert whole == pytest.approx(unseen_m2, rel=1e-8)
    assert blind.is_valid.all()


def test_open_ground_is_the_grid_less_buildings() -> None:
    assert open_ground(areas(SQUARE), areas(shapely.box(0, 0, 5, 5))).area.round(6).tolist() == [
        75.0
    ]
    assert open_ground(areas(SQUARE), None).area.tolist() == [100.0]


def test_no_footprint_is_lost_among_touching_ones_turned_by_rounding() -> None:
    # a plain floating union of such a lattice loses footprints of some shifts
    rng = np.random.default_rng(5)
    corners, sizes = rng.integers(-15, 15, (90, 2)), rng.integers(1, 4, (90, 2))
    flat = [shapely.box(*xy, *(xy + size)) for xy, size in zip(corners, sizes, strict=True)]
    county = shapely.box(-40, -40, 40, 40)
    expected = county.difference(shapely.union_all(flat)).area
    for shift_m in rng.uniform(-15, 15, (12, 2)):
        shapes = [
            shapely.affinity.translate(shapely.affinity.rotate(s, 17.3, origin=(0, 0)), *shift_m)
            for s in [county, *flat]
        ]
        blind = blind_ground(areas(shapes[0]), areas(), areas(*shapes[1:]))
        assert blind.area.iloc[0] == pytest.approx(expected, abs=1e-3)


def test_faults_are_refused_by_the_layer_they_are_in() -> None:
    good, bad = areas(SQUARE), areas(SQUARE, BOW_TIE)
    with pytest.raises(CoverageRefused, match="grids must be valid"):
        blind_ground(bad, good, None)
    with pytest.raises(CoverageRefused, match="views must be valid"):
        blind_ground(good, bad, None)
    with pytest.raises(CoverageRefused, match="footprints must be valid"):
        blind_ground(good, good, bad)
    with pytest.raises(CoverageRefused, match="views must be valid"):
        k_coverage(bad)
    with pytest.raises(CoverageRefused, match="not in metres"):
        k_coverage(GeoSeries([SQUARE], crs=4490))
    with pytest.raises(CoverageRefused, match="different CRS"):
        blind_ground(good, GeoSeries([SQUARE], crs=4546), None)


def test_plain_coordinates_are_taken_as_metres_unless_one_layer_states_a_crs() -> None:
    plain = GeoSeries([SQUARE], index=["A"])
    assert k_coverage(plain).to_numpy().tolist() == [[1, 100]]
    west = GeoSeries([shapely.box(0, 0, 4, 10)])
    assert blind_ground(plain, west).area.to_dict() == {"A": 60.0}
    with pytest.raises(CoverageRefused, match="CRS is missing"):
        blind_ground(plain, areas(SQUARE), None)
