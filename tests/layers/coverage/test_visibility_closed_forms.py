"""Views whose area a pencil can work out."""

from __future__ import annotations

from math import acos, atan2, pi, radians, sqrt, tan

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import view

EXACT = 1e-9
HERE = Camera(0.0, 0.0, range_m=100.0)
HALF_DISC_M2 = pi * 100**2 / 2
COURT = shapely.box(-30, -30, 30, 30).difference(shapely.box(-10, -10, 10, 10))


def look(azimuth_deg: float, view_angle_deg: float, range_m: float = 100.0) -> Camera:
    return Camera(0.0, 0.0, azimuth_deg, view_angle_deg, range_m)


def segment_m2(range_m: float, distance_m: float) -> float:
    """Area of a disc beyond a chord at this distance from its middle."""
    half_angle = acos(distance_m / range_m)
    return range_m**2 * half_angle - distance_m * sqrt(range_m**2 - distance_m**2)


@pytest.mark.parametrize("view_angle_deg", [0.5, 1.0, 59.9, 90.0, 180.0, 270.0, 359.9, 360.0])
def test_open_ground_gives_half_r_squared_theta(view_angle_deg: float) -> None:
    seen = view(look(33.0, view_angle_deg))
    assert seen.area == pytest.approx(0.5 * 100**2 * radians(view_angle_deg), rel=EXACT)


@pytest.mark.parametrize("range_m", [1.0, 37.5, 150.0, 5_000.0])
def test_an_all_round_view_of_open_ground_is_a_full_disc(range_m: float) -> None:
    seen = view(look(0.0, 360.0, range_m))
    assert seen.area == pytest.approx(pi * range_m**2, rel=EXACT)
    assert (
        shapely.hausdorff_distance(seen, shapely.Point(0, 0).buffer(range_m, 256)) < range_m / 500
    )


def test_an_arc_overshoots_the_range_by_at_most_a_thousandth() -> None:
    for angle_deg in (3.0, 60.0, 90.0, 200.0, 360.0):
        reach = max(map(shapely.Point(0, 0).distance, shapely.points(corners(angle_deg))))
        assert 100.0 <= reach <= 100.1


def corners(view_angle_deg: float) -> list[tuple[float, ...]]:
    xy = shapely.get_coordinates(view(look(0.0, view_angle_deg)))
    return [tuple(row) for row in xy.tolist()]


def test_an_endless_wall_cuts_the_disc_at_its_chord() -> None:
    seen = view(HERE, shapely.box(-1000, 20, 1000, 30))
    assert seen.area == pytest.approx(2 * HALF_DISC_M2 - segment_m2(100, 20), rel=EXACT)


def test_a_wall_segment_hides_the_ring_sector_behind_it() -> None:
    seen = view(HERE, shapely.box(-20, 40, 20, 41))
    hidden = 0.5 * 100**2 * 2 * atan2(20, 40) - 20 * 40
    assert seen.area == pytest.approx(2 * HALF_DISC_M2 - hidden, rel=EXACT)


def test_a_corridor_is_seen_up_to_the_range_both_ways() -> None:
    walls = shapely.box(-1000, 5, 1000, 9), shapely.box(-1000, -12, 1000, -5)
    seen = view(HERE, *walls)
    assert seen.area == pytest.approx(2 * HALF_DISC_M2 - 2 * segment_m2(100, 5), rel=EXACT)


def test_a_camera_in_a_square_court_sees_just_the_court() -> None:
    seen = view(HERE, COURT)
    assert seen.area == pytest.approx(400.0, rel=EXACT)
    assert seen.symmetric_difference(shapely.box(-10, -10, 10, 10)).area < 1e-9


def test_a_sector_in_a_court_sees_its_triangle() -> None:
    seen = view(look(90.0, 60.0), COURT)
    assert seen.area == pytest.approx(10 * 10 * tan(radians(30)), rel=EXACT)


def test_a_camera_on_a_wall_looks_outward() -> None:
    seen = view(HERE, shapely.box(-200, -5, 200, 0))
    assert seen.area == pytest.approx(HALF_DISC_M2, rel=EXACT)
    assert seen.bounds[1] == pytest.approx(0.0, abs=1e-9)


def test_a_short_wall_under_a_camera_hides_a_half_disc_all_the_same() -> None:
    seen = view(HERE, shapely.box(-1, -2, 1, 0))
    assert seen.area == pytest.approx(HALF_DISC_M2, rel=EXACT)


def test_a_camera_on_a_corner_sees_three_quarters() -> None:
    seen = view(HERE, shapely.box(-8, -8, 0, 0))
    assert seen.area == pytest.approx(1.5 * HALF_DISC_M2, rel=EXACT)


def test_a_camera_in_an_inner_corner_sees_one_quarter() -> None:
    block = shapely.box(-200, -200, 200, 200).difference(shapely.box(0, 0, 200, 200))
    assert view(HERE, block).area == pytest.approx(HALF_DISC_M2 / 2, rel=EXACT)


def test_a_camera_on_a_wall_that_looks_into_it_sees_nothing() -> None:
    assert view(look(180.0, 90.0), shapely.box(-8, -8, 8, 0)).is_empty


def test_a_sector_half_into_its_own_wall_keeps_the_other_half() -> None:
    seen = view(look(90.0, 90.0), shapely.box(-8, -8, 8, 0))
    assert seen.area == pytest.approx(0.5 * 100**2 * radians(45), rel=EXACT)


def test_a_building_beyond_the_range_hides_nothing() -> None:
    seen = view(HERE, shapely.box(101, -50, 150, 50))
    assert seen.area == pytest.approx(2 * HALF_DISC_M2, rel=EXACT)


def test_a_building_larger_than_the_range_without_a_corner_in_it_hides_its_segment() -> None:
    seen = view(HERE, shapely.box(60, -5_000, 9_000, 5_000))
    assert seen.area == pytest.approx(2 * HALF_DISC_M2 - segment_m2(100, 60), rel=EXACT)


def test_a_camera_strictly_inside_sees_nothing() -> None:
    for depth_m in (4.0, 0.1, 1e-3, 1e-5):
        assert view(HERE, shapely.box(-8, -8, 8, depth_m)).is_empty


def test_a_camera_on_a_wall_shared_by_two_buildings_stands_inside_both() -> None:
    assert view(HERE, shapely.box(-8, -8, 8, 0), shapely.box(-8, 0, 8, 8)).is_empty


def test_a_camera_on_a_wall_that_another_building_covers_stands_inside() -> None:
    assert view(HERE, shapely.box(-8, -8, 8, 0), shapely.box(-3, -3, 3, 3)).is_empty


def test_between_two_buildings_that_touch_at_the_camera_it_sees_two_parts() -> None:
    seen = view(HERE, shapely.box(0, 0, 200, 200), shapely.box(-200, -200, 0, 0))
    assert seen.geom_type == "MultiPolygon"
    assert seen.is_valid
    assert seen.area == pytest.approx(HALF_DISC_M2, rel=1e-7)


@pytest.mark.parametrize(
    "pair",
    [
        (shapely.box(-20, 40, 5, 50), shapely.box(-5, 40, 20, 50)),
        (shapely.box(-20, 40, 0, 50), shapely.box(0, 40, 20, 50)),
        (shapely.box(-20, 40, 20, 50), shapely.box(-20, 40, 20, 50)),
    ],
    ids=["overlapping", "touching", "repeated"],
)
def test_footprints_that_overlap_or_touch_count_as_one(
    pair: tuple[BaseGeometry, BaseGeometry],
) -> None:
    one = view(HERE, shapely.box(-20, 40, 20, 50))
    both = view(HERE, *pair)
    assert both.area == pytest.approx(one.area, rel=EXACT)
    assert both.symmetric_difference(one).area < 1e-6


def test_crossing_buildings_are_seen_up_to_where_they_cross() -> None:
    cross = shapely.box(-40, 48, 40, 52), shapely.box(-2, 20, 2, 80)
    merged = view(HERE, shapely.union_all(cross))
    assert view(HERE, *cross).area == pytest.approx(merged.area, rel=EXACT)


def test_a_multipolygon_is_all_of_its_parts() -> None:
    parts = [shapely.box(-20, 40, 20, 41), shapely.box(40, -20, 41, 20)]
    together = view(HERE, shapely.MultiPolygon(parts))
    assert together.area == pytest.approx(view(HERE, *parts).area, rel=EXACT)


def test_a_wall_seen_end_on_hides_only_its_thickness() -> None:
    seen = view(HERE, shapely.box(10, 0, 60, 1e-3))
    hidden = 0.5 * 100**2 * atan2(1e-3, 10) - 10 * 1e-3 / 2
    assert seen.is_valid
    assert seen.area == pytest.approx(2 * HALF_DISC_M2 - hidden, rel=EXACT)


def test_a_sector_has_its_apex_at_the_camera() -> None:
    assert any(xy == (0.0, 0.0) for xy in corners(75.0))
    assert all(xy != (0.0, 0.0) for xy in corners(360.0))


def test_north_is_up_and_azimuth_turns_clockwise() -> None:
    for azimuth_deg, ahead in ((0, (0, 50)), (90, (50, 0)), (180, (0, -50)), (270, (-50, 0))):
        seen = view(look(float(azimuth_deg), 60.0))
        assert seen.contains(shapely.Point(ahead))
        assert not seen.contains(shapely.Point(-ahead[0], -ahead[1]))


def test_a_range_of_nothing_sees_nothing() -> None:
    assert view(look(0.0, 360.0, 0.0), shapely.box(5, 5, 6, 6)).is_empty
