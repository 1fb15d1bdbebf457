"""Coordinate systems: the county's metric CRS, stored degrees, and the shifted GCJ-02 and BD-09."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from geopandas import GeoSeries
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID

Coordinates = npt.NDArray[np.float64]
Shift = Callable[[Coordinates], Coordinates]

WEST_DEG, EAST_DEG = 73.5, 136.5  # where CGCS2000 3-degree zones are defined
FIRST_BY_MERIDIAN, FIRST_BY_NUMBER = 4534, 4513  # EPSG: CM 75E, and its twin with zone 25 in x
FIRST_ZONE, LAST_ZONE = 25, 45
FALSE_EASTING_M, FARTHEST_FROM_MERIDIAN_M = 500_000.0, 450_000.0

# Outside this rectangle map services publish unshifted coordinates.
SHIFTED_LON_DEG = (72.004, 137.8347)
SHIFTED_LAT_DEG = (0.8293, 55.8271)

# Krasovsky 1940, on which the shift is defined
KRASOVSKY_A_M = 6_378_245.0
KRASOVSKY_E2 = 0.00669342162296594323
BD_WAVE = math.pi * 3000.0 / 180.0
LARGEST_SHIFT_DEG = 0.05
CLOSE_ENOUGH_DEG = 1e-12  # 0.1 µm; each round of the inverse gains about two digits
MOST_ROUNDS = 30


def metric_crs(longitude_deg: float) -> CRS:
    """Return the CGCS2000 3-degree zone, without zone prefix, that a longitude lies in.

    Parameters
    ----------
    longitude_deg
        East of Greenwich. On a line between two zones the eastern one is taken; at
        136.5°, where none follows, the last.

    Returns
    -------
    CRS
        One of EPSG:4534 (central meridian 75°E) to EPSG:4554 (135°E), metres.

    Raises
    ------
    Refused
        Outside 73.5–136.5°, or not a number.

    Examples
    --------
    >>> metric_crs(108.3).to_epsg()
    4545
    """
    if not WEST_DEG <= longitude_deg <= EAST_DEG:
        raise Refused(
            "no-metric-crs",
            f"经度 {longitude_deg}° 不在 CGCS2000 三度带范围 73.5–136.5° 内；请检查坐标或指定投影",
            f"longitude {longitude_deg}° is outside the CGCS2000 3-degree zones (73.5–136.5°); "
            "check the coordinates or state a projection",
            longitude_deg=str(longitude_deg),
        )
    zone = min(math.floor((longitude_deg - WEST_DEG) / 3), LAST_ZONE - FIRST_ZONE)
    return crs_of(FIRST_BY_MERIDIAN + zone)


@lru_cache(maxsize=64)
def crs_of(srid: int) -> CRS:
    """Return the CRS of an EPSG number, read once per process."""
    return CRS.from_epsg(srid)


def named_crs(name: str) -> CRS:
    """Return the CRS of a name such as ``EPSG:4490`` or of a WKT text.

    Raises
    ------
    Refused
        There is no CRS of that name.
    """
    try:
        return CRS.from_user_input(name)
    except CRSError:
        raise Refused(
            "no-such-crs",
            f"没有名为 {name[:60]} 的坐标系；请用 EPSG 编号，如 EPSG:4490",
            f"there is no CRS {name[:60]}; give an EPSG number such as EPSG:4490",
            crs=name[:60],
        ) from None


@lru_cache(maxsize=64)
def transformer(from_srid: int, to_srid: int) -> Transformer:
    """Return the transformation between two EPSG numbers, x (or longitude) always first."""
    return Transformer.from_crs(crs_of(from_srid), crs_of(to_srid), always_xy=True)


def is_metric_crs(crs: CRS) -> bool:
    """Say whether a CRS is projected and its unit the metre."""
    return bool(crs.is_projected and crs.axis_info[0].unit_name == "metre")


def in_metres(geometries: GeoSeries, metric_srid: int) -> GeoSeries:
    """Return geometries in a county's metric CRS; those without a CRS are taken as stored degrees.

    Raises
    ------
    Refused
        `metric_srid` is not projected in metres.
    """
    target = crs_of(metric_srid)
    if not is_metric_crs(target):
        raise Refused(
            "crs-not-metric",
            f"EPSG:{metric_srid} 不是以米为单位的投影坐标系；请为本县指定投影坐标系",
            f"EPSG:{metric_srid} is not projected in metres; state a projected CRS for the county",
            srid=metric_srid,
        )
    known = geometries.set_crs(STORED_SRID) if geometries.crs is None else geometries
    return known.to_crs(target)


def in_degrees(geometries: GeoSeries) -> GeoSeries:
    """Return geometries in stored degrees (EPSG:4490), whatever CRS they state.

    Raises
    ------
    Refused
        They state none: metres of an unknown zone cannot be told apart.
    """
    if geometries.crs is None:
        raise Refused(
            "crs-missing",
            "图形没有坐标系说明，无法换算；请注明坐标系",
            "the geometries state no CRS and cannot be converted; state one",
        )
    return geometries.to_crs(crs_of(STORED_SRID))


def metres_from_lonlat(lonlat: Coordinates, metric_srid: int) -> Coordinates:
    """Return x, y in metres, shape (n, 2), of CGCS2000 longitudes and latitudes; NaN stays NaN."""
    return _transformed(lonlat, transformer(STORED_SRID, metric_srid))


def lonlat_from_metres(points_xy: Coordinates, metric_srid: int) -> Coordinates:
    """Return CGCS2000 longitude, latitude, shape (n, 2), of x, y in metres; NaN stays NaN."""
    return _transformed(points_xy, transformer(metric_srid, STORED_SRID))


def _transformed(coordinates: Coordinates, change: Transformer) -> Coordinates:
    pairs = _pairs(coordinates)
    known = np.isfinite(pairs).all(axis=1)
    if known.all():  # as nearly always: nothing to pick out and put back
        return np.column_stack(change.transform(pairs[:, 0], pairs[:, 1]))
    result = np.full_like(pairs, np.nan)
    result[known] = np.column_stack(change.transform(pairs[known, 0], pairs[known, 1]))
    return result


def prefixed_zone(easting_m: Coordinates) -> int | None:
    """Return the zone number written in front of projected x, or None where there is none.

    EPSG:4513–4533 write zone 36 as 36 500 000 m, their twins 4534–4554 as 500 000 m;
    files often state one and hold the other. Values that are not finite are passed over.

    Returns
    -------
    int or None
        25 to 45 when every x carries that same prefix and lies within 450 km of the
        central meridian; None for plain x, mixed zones and no values.
    """
    known = np.asarray(easting_m, dtype=float).ravel()
    known = known[np.isfinite(known)]
    zones = np.floor(known / 1e6)
    off_meridian_m = np.abs(known - zones * 1e6 - FALSE_EASTING_M)
    if len(known) == 0 or (zones != zones[0]).any():
        return None
    is_zone = FIRST_ZONE <= zones[0] <= LAST_ZONE
    return int(zones[0]) if is_zone and off_meridian_m.max() <= FARTHEST_FROM_MERIDIAN_M else None


def zone_crs(zone: int, *, prefixed: bool) -> CRS:
    """Return the CRS of 3-degree zone 25 to 45, with the zone number in x or without.

    Raises
    ------
    Refused
        No such zone.
    """
    if not FIRST_ZONE <= zone <= LAST_ZONE:
        raise Refused(
            "no-such-zone",
            f"三度带带号 {zone} 不存在；应为 25–45",
            f"there is no 3-degree zone {zone}; it must be 25 to 45",
            zone=zone,
        )
    first = FIRST_BY_NUMBER if prefixed else FIRST_BY_MERIDIAN
    return crs_of(first + zone - FIRST_ZONE)


def gcj02_from_wgs84(lonlat: Coordinates) -> Coordinates:
    """Return GCJ-02 longitude and latitude of WGS 84 ones.

    Identity outside 72.004–137.8347°E / 0.8293–55.8271°N. The shift is the sum of sines
    published in 2010 from map software, evaluated on the Krasovsky 1940 ellipsoid.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2); a row with NaN comes back as NaN.

    Raises
    ------
    Refused
        Another shape than (n, 2).
    """
    return _shifted(lonlat, _gcj02)


def bd09_from_wgs84(lonlat: Coordinates) -> Coordinates:
    """Return BD-09 longitude and latitude of WGS 84 ones; see `gcj02_from_wgs84`."""
    return _shifted(lonlat, _bd09)


def wgs84_from_gcj02(lonlat: Coordinates) -> Coordinates:
    """Return WGS 84 longitude and latitude of GCJ-02 ones, iterated to 1e-12 degrees.

    What `gcj02_from_wgs84` did inside the rectangle is undone everywhere in it. All shifts
    point north-east (under 2 km), so just outside the northern and eastern rim a point
    may be a shifted one or an unshifted one: it is taken as shifted. All other points
    outside are themselves.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2); a row with NaN comes back as NaN.

    Raises
    ------
    Refused
        Another shape than (n, 2).
    """
    return _unshifted(lonlat, _gcj02)


def wgs84_from_bd09(lonlat: Coordinates) -> Coordinates:
    """Return WGS 84 longitude and latitude of BD-09 ones; see `wgs84_from_gcj02`."""
    return _unshifted(lonlat, _bd09)


def _pairs(coordinates: Coordinates) -> Coordinates:
    pairs = np.asarray(coordinates, dtype=float)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise Refused(
            "not-coordinate-pairs",
            f"坐标数组应为 n 行 2 列，实为 {pairs.shape}",
            f"coordinates must have shape (n, 2), not {pairs.shape}",
            shape=list(pairs.shape),
        )
    return pairs


def _is_shifted(pairs: Coordinates, *, margin_deg: float = 0.0) -> npt.NDArray[np.bool_]:
    south_west = np.array([SHIFTED_LON_DEG[0], SHIFTED_LAT_DEG[0]]) - margin_deg
    north_east = np.array([SHIFTED_LON_DEG[1], SHIFTED_LAT_DEG[1]]) + margin_deg
    inside = (pairs >= south_west) & (pairs <= north_east)
    return np.asarray(inside.all(axis=1), dtype=bool)


def _shifted(lonlat: Coordinates, shift: Shift) -> Coordinates:
    pairs = _pairs(lonlat)
    result = np.where(np.isnan(pairs).any(axis=1, keepdims=True), np.nan, pairs)
    inside = _is_shifted(pairs)
    result[inside] = shift(pairs[inside])
    return result


def _unshifted(lonlat: Coordinates, shift: Shift) -> Coordinates:
    pairs = _pairs(lonlat)
    result = np.where(np.isnan(pairs).any(axis=1, keepdims=True), np.nan, pairs)
    near = np.flatnonzero(_is_shifted(pairs, margin_deg=LARGEST_SHIFT_DEG))
    origins = _inverse(pairs[near], shift)
    came_from_inside = _is_shifted(origins, margin_deg=1e-9)
    undone = came_from_inside | _is_shifted(pairs[near])
    result[near[undone]] = origins[undone]
    on_rim = near[came_from_inside]
    # rounding must not push a point of the rim out, where it would no longer be shifted
    south_west, north_east = np.column_stack([SHIFTED_LON_DEG, SHIFTED_LAT_DEG])
    result[on_rim] = np.clip(result[on_rim], south_west, north_east)
    return result


def _inverse(target: Coordinates, shift: Shift) -> Coordinates:
    """Solve shift(w) = target by w ← w − (shift(w) − target); a shift stretches by 3 % at most."""
    guess = target.copy()
    for _ in range(MOST_ROUNDS):
        miss = shift(guess) - target
        guess -= miss
        if np.abs(miss).max(initial=0.0) <= CLOSE_ENOUGH_DEG:
            break
    return guess


def _waves(value: Coordinates, terms: tuple[tuple[float, float], ...]) -> Coordinates:
    """Return the sum of amplitude · sin(value · π / period), times 2/3."""
    total = np.zeros_like(value)
    for amplitude_m, period in terms:
        total += amplitude_m * np.sin(value * (math.pi / period))
    return total * (2.0 / 3.0)


def _gcj02(lonlat: Coordinates) -> Coordinates:
    lon, lat = lonlat.T
    x, y = lon - 105.0, lat - 35.0
    ripple_m = _waves(x, ((20.0, 1 / 6), (20.0, 1 / 2)))
    bend = np.sqrt(np.abs(x))
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * bend + ripple_m
    north_m += _waves(y, ((20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0)))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * bend + ripple_m
    east_m += _waves(x, ((20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0)))
    latitude = np.radians(lat)
    w2 = 1.0 - KRASOVSKY_E2 * np.sin(latitude) ** 2
    meridian_radius_m = KRASOVSKY_A_M * (1.0 - KRASOVSKY_E2) / (w2 * np.sqrt(w2))
    parallel_radius_m = KRASOVSKY_A_M / np.sqrt(w2) * np.cos(latitude)
    shift = np.degrees(np.column_stack([east_m / parallel_radius_m, north_m / meridian_radius_m]))
    return np.asarray(lonlat + shift, dtype=float)


def _bd09(lonlat: Coordinates) -> Coordinates:
    x, y = _gcj02(lonlat).T
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BD_WAVE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_WAVE)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])
