from __future__ import annotations

import math
import re

import numpy as np
import pyproj
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries import crs
from grid_boundaries.errors import Refused

INSIDE_LON = st.floats(*crs.SHIFTED_LON_DEG)
INSIDE_LAT = st.floats(*crs.SHIFTED_LAT_DEG)

# lon, lat in WGS 84 and GCJ-02: the check points that implementations of the shift share
PUBLISHED_GCJ02 = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
PUBLISHED_BD09 = [((116.404, 39.915), (116.41662724378733, 39.922699552216216))]
SHIFTS = [
    (crs.gcj02_from_wgs84, crs.wgs84_from_gcj02),
    (crs.bd09_from_wgs84, crs.wgs84_from_bd09),
]


@pytest.mark.parametrize(
    ("longitude_deg", "srid"),
    [
        (108.3, 4545),
        (106.4999, 4544),
        (106.5, 4545),  # a tie goes east
        (109.5, 4546),
        (73.5, 4534),
        (76.5, 4535),
        (133.5, 4554),
        (136.5, 4554),  # no zone follows
    ],
)
def test_the_metric_crs_is_the_zone_around_a_longitude(longitude_deg: float, srid: int) -> None:
    assert crs.metric_crs(longitude_deg).to_epsg() == srid


@given(longitude_deg=st.floats(73.5, 136.5))
@settings(derandomize=True, deadline=None)
def test_the_central_meridian_is_never_further_than_half_a_zone(longitude_deg: float) -> None:
    zone = crs.metric_crs(longitude_deg).name
    name = re.fullmatch(r"CGCS2000 / 3-degree Gauss-Kruger CM (\d+)E", zone)
    assert name is not None
    assert abs(int(name[1]) - longitude_deg) <= 1.5


@pytest.mark.parametrize("longitude_deg", [73.4999, 136.5001, -108.0, math.nan, math.inf])
def test_longitudes_without_a_zone_are_refused(longitude_deg: float) -> None:
    with pytest.raises(ValueError, match="zones") as refused:
        crs.metric_crs(longitude_deg)
    assert "73.5" in str(refused.value)


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED_GCJ02)
def test_gcj02_agrees_with_published_points(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    np.testing.assert_allclose(crs.gcj02_from_wgs84(np.array([wgs84])), [gcj02], atol=1e-12)
    np.testing.assert_allclose(crs.wgs84_from_gcj02(np.array([gcj02])), [wgs84], atol=1e-9)


@pytest.mark.parametrize(("wgs84", "bd09"), PUBLISHED_BD09)
def test_bd09_agrees_with_published_points(
    wgs84: tuple[float, float], bd09: tuple[float, float]
) -> None:
    np.testing.assert_allclose(crs.bd09_from_wgs84(np.array([wgs84])), [bd09], atol=1e-9)
    np.testing.assert_allclose(crs.wgs84_from_bd09(np.array([bd09])), [wgs84], atol=1e-9)


def test_the_shift_at_the_county_seat_is_471_metres() -> None:
    seat = np.array([[108.3143, 33.3103]])
    shifted = crs.gcj02_from_wgs84(seat)
    _, _, distance_m = pyproj.Geod(ellps="GRS80").inv(*seat[0], *shifted[0])
    assert distance_m == pytest.approx(471, abs=3)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
@given(lon=INSIDE_LON, lat=INSIDE_LAT)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_shift_is_undone_everywhere_in_the_rectangle(
    there: crs.Shift, back: crs.Shift, lon: float, lat: float
) -> None:
    point = np.array([[lon, lat]])
    np.testing.assert_allclose(back(there(point)), point, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
def test_a_shift_is_undone_on_the_rim_itself(there: crs.Shift, back: crs.Shift) -> None:
    lon, lat = np.meshgrid([*crs.SHIFTED_LON_DEG, 90.0, 105.0], [*crs.SHIFTED_LAT_DEG, 20.0, 35.0])
    rim = np.column_stack([lon.ravel(), lat.ravel()])
    np.testing.assert_allclose(back(there(rim)), rim, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
def test_outside_the_rectangle_both_ways_are_the_identity(
    there: crs.Shift, back: crs.Shift
) -> None:
    outside = np.array(
        [[72.0039, 30.0], [100.0, 0.8292], [137.9, 35.0], [110.0, 55.9], [-0.1, 51.5], [0.0, 0.0]]
    )
    np.testing.assert_array_equal(there(outside), outside)
    np.testing.assert_array_equal(back(outside), outside)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
@given(along=st.floats(0, 1), side=st.sampled_from(["west", "south", "east", "north"]))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_point_anywhere_on_the_rim_comes_back_within_a_centimetre(
    there: crs.Shift, back: crs.Shift, along: float, side: str
) -> None:
    west, east = crs.SHIFTED_LON_DEG
    south, north = crs.SHIFTED_LAT_DEG
    lon = {"west": west, "east": east}.get(side, min(west + along * (east - west), east))
    lat = {"south": south, "north": north}.get(side, min(south + along * (north - south), north))
    rim = np.array([[lon, lat]])
    np.testing.assert_allclose(back(there(rim)), rim, rtol=0, atol=9e-8)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
def test_past_the_northern_and_eastern_rim_one_number_stands_for_two_places(
    there: crs.Shift, back: crs.Shift
) -> None:
    inside = np.array(
        [[crs.SHIFTED_LON_DEG[1] - 1e-3, 35.0], [100.0, crs.SHIFTED_LAT_DEG[1] - 1e-4]]
    )
    beyond = there(inside)
    north_east = [crs.SHIFTED_LON_DEG[1], crs.SHIFTED_LAT_DEG[1]]
    assert (beyond > north_east).any(axis=1).all()
    # unshifted there already, and yet the shifted form of another place: no inverse fits both
    np.testing.assert_array_equal(there(beyond), beyond)
    np.testing.assert_allclose(back(beyond), inside, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
@given(off=st.floats(0.02, 40), side=st.sampled_from(["west", "south", "east", "north"]))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_two_kilometres_outside_nothing_moves_either_way(
    there: crs.Shift, back: crs.Shift, off: float, side: str
) -> None:
    lon = {"west": crs.SHIFTED_LON_DEG[0] - off, "east": crs.SHIFTED_LON_DEG[1] + off}.get(
        side, 105.0
    )
    lat = {"south": crs.SHIFTED_LAT_DEG[0] - off, "north": crs.SHIFTED_LAT_DEG[1] + off}.get(
        side, 35.0
    )
    point = np.array([[lon, lat]])
    np.testing.assert_array_equal(there(point), point)
    np.testing.assert_array_equal(back(point), point)


@pytest.mark.parametrize(
    "name", ["EPSG:4490", "epsg:4326", "EPSG:4545", "urn:ogc:def:crs:EPSG::4490"]
)
def test_a_named_crs_is_found(name: str) -> None:
    assert crs.named_crs(name).to_epsg() == int(name[-4:])


@pytest.mark.parametrize(
    "name", ["", "EPSG:", "EPSG:999999", "{{7*7}}", "GCJ-02", "x" * 500, "+proj=nothing"]
)
def test_a_crs_that_nobody_knows_is_refused_with_a_sentence_of_bounded_length(name: str) -> None:
    with pytest.raises(Refused) as refused:
        crs.named_crs(name)
    assert refused.value.code == "no-such-crs"
    assert len(refused.value.en) < 200


@pytest.mark.parametrize(
    ("srid", "metric"), [(4545, True), (3826, True), (4490, False), (4326, False), (2222, False)]
)
def test_only_projected_metres_are_metric(srid: int, metric: bool) -> None:
    assert crs.is_metric_crs(crs.crs_of(srid)) is metric


@pytest.mark.parametrize("shift", [way for pair in SHIFTS for way in pair])
def test_rows_without_a_number_stay_so_and_disturb_no_other(shift: crs.Shift) -> None:
    point = np.array([[108.3, 33.3]])
    mixed = np.array([[108.3, 33.3], [math.nan, 33.3], [108.3, math.nan]])
    result = shift(mixed)
    np.testing.assert_array_equal(result[:1], shift(point))
    assert np.isnan(result[1:]).all()


@pytest.mark.parametrize("shift", [way for pair in SHIFTS for way in pair])
def test_no_points_give_no_points(shift: crs.Shift) -> None:
    assert shift(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("shape", [(2,), (3, 3), (1, 2, 2), (0,)])
@pytest.mark.parametrize("shift", [way for pair in SHIFTS for way in pair])
def test_other_shapes_than_pairs_are_refused(shift: crs.Shift, shape: tuple[int, ...]) -> None:
    with pytest.raises(Refused, match="shape"):
        shift(np.zeros(shape))


def test_the_input_is_left_as_it_was() -> None:
    points = np.array([[108.3, 33.3], [0.0, 0.0]])
    before = points.copy()
    for there, back in SHIFTS:
        there(points)
        back(points)
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("zone", [25, 36, 45])
def test_a_zone_in_front_of_x_is_seen(zone: int) -> None:
    easting_m = np.array([zone * 1e6 + 512_345.6, zone * 1e6 + 480_000.0, math.nan])
    assert crs.prefixed_zone(easting_m) == zone
    plain = pyproj.Transformer.from_crs(
        crs.zone_crs(zone, prefixed=True), crs.zone_crs(zone, prefixed=False), always_xy=True
    )
    x, _ = plain.transform(easting_m[0], 3_600_000.0)
    assert x == pytest.approx(512_345.6, abs=1e-6)


@pytest.mark.parametrize(
    "easting_m",
    [
        [512_345.6],
        [36_500_000.0, 37_500_000.0],
        [24_500_000.0],
        [46_500_000.0],
        [36_980_000.0],  # too far from any central meridian
        [math.nan],
        [],
    ],
)
def test_x_without_one_zone_in_front_has_none(easting_m: list[float]) -> None:
    assert crs.prefixed_zone(np.array(easting_m)) is None


def test_unknown_zones_are_refused() -> None:
    with pytest.raises(Refused, match="25 to 45"):
        crs.zone_crs(24, prefixed=True)


def test_degrees_go_to_metres_and_back() -> None:
    lonlat = np.array([[108.0, 33.0], [math.nan, 33.0], [108.5, 33.4]])
    metres = crs.metres_from_lonlat(lonlat, 4545)
    # on the central meridian x is the false easting, and y the arc from the equator
    assert metres[0, 0] == pytest.approx(500_000.0, abs=1e-6)
    _, _, arc_m = pyproj.Geod(ellps="GRS80").inv(108.0, 0.0, 108.0, 33.0)
    assert metres[0, 1] == pytest.approx(arc_m, abs=0.001)
    assert np.isnan(metres[1]).all()
    back = crs.lonlat_from_metres(metres, 4545)
    np.testing.assert_allclose(back[[0, 2]], lonlat[[0, 2]], rtol=0, atol=1e-10)
    assert np.isnan(back[1]).all()


def test_geometries_go_to_metres_and_back() -> None:
    place = GeoSeries([shapely.Point(108.0, 33.0)], index=["seat"])
    metres = crs.in_metres(place, 4545)
    assert metres.crs is not None
    assert metres.crs.to_epsg() == 4545
    degrees = crs.in_degrees(metres)
    assert degrees.crs is not None
    assert degrees.crs.to_epsg() == 4490
    assert degrees["seat"].distance(place["seat"]) < 1e-9


def test_a_county_is_not_measured_in_degrees() -> None:
    with pytest.raises(Refused, match="4490"):
        crs.in_metres(GeoSeries([shapely.Point(108, 33)]), 4490)


def test_metres_of_no_stated_zone_are_refused() -> None:
    with pytest.raises(Refused, match="CRS"):
        crs.in_degrees(GeoSeries([shapely.Point(500_000, 3_600_000)]))
