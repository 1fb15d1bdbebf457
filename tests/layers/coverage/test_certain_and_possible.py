"""Certain and possible views: closed forms, bounds of sampled truths, and how tight they are.

`GIS_SIGHT_CASES` says how many seeded cases are tried.
"""

from __future__ import annotations

import os
from dataclasses import replace
from math import pi, radians, sin

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from shapely import affinity

from layers.coverage.checks import CoverageRefused
from layers.coverage.visibility import certain_areas, possible_areas, visible_areas
from tests.layers.coverage.scenes import CRS, areas
from tests.layers.coverage.unsure import Unsure, dense_case, escaped_m2, tightness, unsure_case

CASES = int(os.environ.get("GIS_SIGHT_CASES", "45"))
TIGHT_CASES = max(60, CASES // 10)
KINDS = ((True, False), (False, True), (True, True))
# edges of views carry the rounding of coordinates: a square millimetre
ESCAPE_M2 = 1e-6
# what drawn arcs add or take, in shares of an area
ARCS = 0.004
OPEN = Unsure(0.0, 0.0, 0.0, 360.0, 100.0, 0.0, 0.0, areas())
HOUSE = shapely.box(-10, 30, 10, 40)


@pytest.mark.parametrize("first", range(0, CASES, 15))
def test_certain_is_in_every_truth_and_every_truth_in_possible(first: int) -> None:
    for seed in range(first, min(first + 15, CASES)):
        azimuth, position = KINDS[seed % 3]
        case = unsure_case(seed, azimuth=azimuth, position=position)
        truths = case.truths(np.random.default_rng(seed))
        assert escaped_m2(case, truths) < ESCAPE_M2, seed


def test_with_an_azimuth_error_alone_both_are_exact() -> None:
    for seed in range(12):
        case = unsure_case(seed, azimuth=True, position=False)
        narrow = max(case.view_angle_deg - 2 * case.azimuth_error_deg, 0)
        wide = min(case.view_angle_deg + 2 * case.azimuth_error_deg, 360)
        if case.view_angle_deg == 360:
            narrow = 360
        frame = case.frame()
        for angle_deg, found in ((narrow, case.certain()), (wide, case.possible())):
            if angle_deg == 0:
                assert found.is_empty
                continue
            exact = visible_areas(frame.assign(view_angle_deg=angle_deg), case.buildings).iloc[0]
            assert found.area == pytest.approx(exact.area, rel=ARCS)


def tight_case(seed: int) -> Unsure:
    return dense_case(seed) if seed % 2 else unsure_case(seed, azimuth=False, position=True)


def test_with_a_position_error_95_percent_of_cases_are_tight() -> None:
    found = []
    for seed in range(100, 100 + TIGHT_CASES):
        case = tight_case(seed)
        truths = case.spread_truths(np.random.default_rng(seed))
        assert escaped_m2(case, truths) < ESCAPE_M2, seed
        if len(truths):
            found.append(tightness(case, truths))
    certain, possible = np.array(found).T
    assert len(found) > 0.9 * TIGHT_CASES
    assert (certain <= 1 + 1e-6).all()
    assert (possible >= 1 - 1e-6).all()
    assert (certain >= 0.8).mean() >= 0.95
    assert (possible <= 1.25).mean() >= 0.95


@pytest.mark.parametrize("seed", [25, 46, 51, 59])
def test_what_random_positions_miss_is_hidden_from_their_outline(seed: int) -> None:
    # among houses, with an apex or a range hardly longer than the error: what few positions lose
    case = dense_case(seed)
    rng = np.random.default_rng(seed)
    by_chance, _ = tightness(case, case.truths(rng))
    certain, _ = tightness(case, case.spread_truths(rng, 400))
    assert by_chance <= certain + 1e-6
    assert certain >= 0.95


@pytest.mark.parametrize("seed", [8, 16, 239])
def test_halving_edges_takes_strips_from_what_is_possible(seed: int) -> None:
    case = dense_case(seed)
    _, possible = tightness(case, case.spread_truths(np.random.default_rng(seed), 400))
    assert 1 <= possible <= 1.15


def test_a_narrow_gap_far_away_is_not_widened_much() -> None:
    # 0.3 m between two blocks, behind which a strip is seen: edges of 1 m would see 1 m more
    blocks = areas(shapely.box(-60, 20, -0.15, 24), shapely.box(0.15, 20, 60, 24))
    case = replace(OPEN, position_error_m=10.0, buildings=blocks)
    behind = shapely.box(-60, 24, 60, 120)
    truths = case.spread_truths(np.random.default_rng(3), 400)
    seen = shapely.intersection(shapely.union_all(truths, grid_size=1e-7), behind).area
    assert seen <= shapely.intersection(case.possible(), behind).area <= 2 * seen


@pytest.mark.parametrize("error_m", [0.001, 1.0, 15.0, 60.0])
def test_on_open_ground_a_disc_of_positions_wears_and_grows_the_circle(error_m: float) -> None:
    case = replace(OPEN, position_error_m=error_m)
    inner, outer = pi * (100 - error_m) ** 2, pi * (100 + error_m) ** 2
    assert inner * (1 - 0.006) <= case.certain().area <= inner
    assert outer <= case.possible().area <= outer * (1 + 0.006)


def test_an_error_as_large_as_the_range_leaves_nothing_certain() -> None:
    for error_m in (100.0, 250.0):
        case = replace(OPEN, position_error_m=error_m)
        assert case.certain().is_empty
        assert case.possible().area >= pi * (100 + error_m) ** 2


def test_on_open_ground_an_azimuth_error_narrows_and_widens_the_sector() -> None:
    case = replace(OPEN, view_angle_deg=60.0, azimuth_error_deg=10.0)
    assert case.certain().area == pytest.approx(0.5 * 1e4 * radians(40), rel=ARCS)
    assert case.possible().area == pytest.approx(0.5 * 1e4 * radians(80), rel=ARCS)
    assert case.certain().area <= 0.5 * 1e4 * radians(40)
    assert case.possible().area >= 0.5 * 1e4 * radians(80)


def test_one_of_eight_directions_is_an_error_of_half_a_step() -> None:
    case = replace(OPEN, view_angle_deg=45.0, azimuth_error_deg=22.5)
    assert case.certain().is_empty
    assert case.possible().area == pytest.approx(0.5 * 1e4 * radians(90), rel=ARCS)


def test_a_worn_sector_has_its_apex_moved_ahead() -> None:
    case = replace(OPEN, view_angle_deg=60.0, position_error_m=10.0)
    apex_m = 10 / sin(radians(30))
    certain = case.certain()
    assert certain.bounds[1] == pytest.approx(apex_m, rel=0.01)
    assert certain.bounds[3] == pytest.approx(90.0, rel=0.01)


def test_the_field_of_a_grown_sector_is_rounded_behind() -> None:
    possible = replace(OPEN, view_angle_deg=60.0, position_error_m=10.0).possible()
    assert possible.bounds[1] == pytest.approx(-10.0, rel=0.02)
    assert possible.bounds[3] == pytest.approx(110.0, rel=0.01)


def test_a_sector_over_half_a_turn_is_worn_and_grown_too() -> None:
    case = replace(OPEN, view_angle_deg=270.0, position_error_m=10.0)
    behind = shapely.Point(0, -12)
    assert not case.certain().intersects(behind)
    assert not case.possible().contains(shapely.Point(0, -40))
    assert case.possible().contains(behind)
    assert case.certain().contains(shapely.Point(0, 80))
    assert escaped_m2(case, case.truths(np.random.default_rng(1))) < ESCAPE_M2


def test_the_penumbra_of_a_wall_is_not_certain_and_its_umbra_not_possible() -> None:
    case = replace(OPEN, position_error_m=5.0, buildings=areas(HOUSE))
    certain, possible = case.certain(), case.possible()
    # the tangents that part the disc from the corner (10, 30), and those that do not
    for point, is_certain, is_possible in (
        ((0.0, 50.0), False, False),
        ((22.0, 60.0), False, True),
        ((45.0, 60.0), True, True),
        ((0.0, 29.9), True, True),
    ):
        assert certain.contains(shapely.Point(point)) == is_certain, point
        assert possible.contains(shapely.Point(point)) == is_possible, point


def test_a_house_in_the_disc_leaves_nothing_certain() -> None:
    house = shapely.box(-2, -2, 2, 2)
    case = replace(OPEN, x_m=6.0, position_error_m=15.0, buildings=areas(house))
    assert case.certain().is_empty
    assert case.possible().area > 0.9 * pi * 100**2


def test_a_wall_across_the_disc_keeps_positions_on_both_sides() -> None:
    wall = shapely.box(-300, 3, 300, 3.2)
    case = replace(OPEN, position_error_m=10.0, buildings=areas(wall))
    assert case.certain().is_empty
    possible = case.possible()
    assert possible.contains(shapely.Point(0, 80))
    assert possible.contains(shapely.Point(0, -80))


def test_a_facade_beside_the_camera_cuts_the_positions_and_both_views() -> None:
    facade = shapely.box(-300, 3, 300, 60)
    case = replace(OPEN, position_error_m=10.0, buildings=areas(facade))
    certain, possible = case.certain(), case.possible()
    assert certain.area > 0.9 * (pi * 90**2 / 2)
    rim_m = 0.001 * case.range_m
    assert possible.intersection(facade.buffer(-rim_m)).is_empty
    assert not certain.intersects(facade.buffer(-1e-6))


def test_a_camera_drawn_inside_a_house_stands_somewhere_outside_it() -> None:
    house = shapely.box(-4, -4, 4, 4)
    case = replace(OPEN, position_error_m=10.0, buildings=areas(house))
    assert visible_areas(case.frame(), case.buildings).iloc[0].is_empty
    assert case.certain().is_empty
    assert case.possible().area > 0.9 * pi * 100**2


def test_where_every_position_is_inside_nothing_is_certain_or_possible() -> None:
    house = shapely.box(-40, -40, 40, 40)
    case = replace(OPEN, position_error_m=10.0, buildings=areas(house))
    assert case.certain().is_empty
    assert case.possible().is_empty


def test_positions_in_a_court_see_the_court_alone() -> None:
    court = shapely.box(-40, -40, 40, 40).difference(shapely.box(-6, -6, 6, 6))
    case = replace(OPEN, position_error_m=20.0, buildings=areas(court))
    assert case.certain().area == pytest.approx(144.0, rel=1e-4)
    assert case.possible().intersection(court.buffer(-0.2)).is_empty
    assert case.possible().area == pytest.approx(144.0, rel=0.05)


def test_an_island_between_two_lines_of_sight_still_costs_certain_ground() -> None:
    # thinner than the edges of the disc's polygon, so no view from a corner meets all of it
    post = shapely.box(-0.05, 20, 0.05, 20.1)
    wall = shapely.box(-9, -20, -3, -2)
    case = replace(OPEN, position_error_m=12.0, buildings=areas(post, wall))
    assert escaped_m2(case, case.truths(np.random.default_rng(2), 400)) < ESCAPE_M2


@pytest.mark.parametrize("thickness_m", [0.01, 0.3])
def test_a_thin_wall_keeps_its_umbra(thickness_m: float) -> None:
    wall = shapely.box(-60, 30, 60, 30 + thickness_m)
    case = replace(OPEN, position_error_m=10.0, buildings=areas(wall))
    assert not case.possible().intersects(shapely.Point(0, 45))


def test_houses_that_touch_leak_no_sight_between_them() -> None:
    row = [shapely.box(x, 30, x + 10, 42) for x in range(-60, 60, 10)]
    case = replace(OPEN, position_error_m=5.0, buildings=areas(*row))
    behind = shapely.box(-20, 45, 20, 70)
    assert case.possible().intersection(behind).area < 0.05 * behind.area


@pytest.mark.parametrize("shift_m", [-1e4, 500_000.0, 3_700_000.0])
def test_a_shift_of_the_scene_shifts_both(shift_m: float) -> None:
    case = unsure_case(7, azimuth=True, position=True)
    shapes = [affinity.translate(shape, shift_m, -shift_m) for shape in case.buildings]
    moved = replace(case, x_m=case.x_m + shift_m, y_m=case.y_m - shift_m, buildings=areas(*shapes))
    assert moved.certain().area == pytest.approx(case.certain().area, rel=1e-4, abs=1e-2)
    assert moved.possible().area == pytest.approx(case.possible().area, rel=1e-4)


def test_more_error_is_less_certain_and_more_possible() -> None:
    for seed in range(6):
        case = unsure_case(seed, azimuth=True, position=True)
        more = replace(
            case,
            azimuth_error_deg=case.azimuth_error_deg + 4,
            position_error_m=case.position_error_m * 1.3,
        )
        assert more.certain().difference(case.certain().buffer(0.1)).area < 1e-6
        # what is added beyond the truth need not nest, but truths must
        truths = case.truths(np.random.default_rng(seed), 40)
        assert escaped_m2(replace(more, buildings=case.buildings), truths) < ESCAPE_M2


def test_cameras_of_all_kinds_keep_their_order_and_index() -> None:
    cases = [unsure_case(seed, azimuth=seed % 2 == 0, position=seed % 3 == 0) for seed in range(6)]
    frame = cases[0].frame()
    for case in cases[1:]:
        frame.loc[len(frame)] = case.frame().loc[0]
    frame.index = frame.index + 40
    houses = cases[0].buildings
    for areas_of in (certain_areas, possible_areas):
        together = areas_of(frame, houses)
        assert together.index.tolist() == frame.index.tolist()
        assert together.crs == frame.crs
        for row, found in together.items():
            alone = areas_of(GeoDataFrame(frame.loc[[row]]), houses).iloc[0]
            assert found.equals_exact(alone, 1e-9)


def test_missing_columns_and_values_count_as_no_error() -> None:
    case = unsure_case(3, azimuth=False, position=False)
    bare = case.frame().drop(columns=["azimuth_error_deg", "position_error_m"])
    blank = case.frame().assign(azimuth_error_deg=np.nan, position_error_m=None)
    for frame in (bare, blank):
        found = certain_areas(frame, case.buildings).iloc[0]
        assert found.equals_exact(case.certain(), 1e-9)


def test_an_unknown_bearing_is_an_error_of_180_degrees() -> None:
    case = replace(OPEN, azimuth_deg=np.nan, view_angle_deg=60.0, azimuth_error_deg=180.0)
    assert case.certain().is_empty
    assert case.possible().area == pytest.approx(pi * 1e4, rel=ARCS)
    with pytest.raises(CoverageRefused, match="azimuth_deg"):
        replace(case, azimuth_error_deg=170.0).possible()


@pytest.mark.parametrize("error", [-1.0, np.inf])
@pytest.mark.parametrize("name", ["azimuth_error_deg", "position_error_m"])
def test_an_error_out_of_bounds_is_refused_by_its_index(name: str, error: float) -> None:
    frame = OPEN.frame().assign(**{name: error})
    frame.index = frame.index + 9
    with pytest.raises(CoverageRefused, match="9") as refused:
        certain_areas(frame, areas())
    assert refused.value.code == "error-out-of-bounds"
    assert refused.value.where == {"index": [9]}


def test_empty_frames_and_ranges_of_nothing_give_nothing() -> None:
    nobody = OPEN.frame().iloc[:0]
    assert len(certain_areas(nobody, areas())) == 0
    assert possible_areas(nobody, areas(HOUSE)).crs == CRS
    short = replace(OPEN, range_m=0.0, position_error_m=5.0)
    assert short.certain().is_empty
    assert short.possible().is_empty
