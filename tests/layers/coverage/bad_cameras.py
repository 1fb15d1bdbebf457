"""Seeded cameras that stand right along the streets of a county, and a thousand that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from grid_boundaries.crs import (
    bd09_from_wgs84,
    gcj02_from_wgs84,
    lonlat_from_metres,
    metres_from_lonlat,
)
from layers.coverage.camera_ground import CameraGround, distance_m, points_of

Floats = npt.NDArray[np.float64]
SRID = 4545
COUNTY = "610999"
CORNER_M = np.array([520_000.0, 3_690_000.0])
SIDE_M = 12_000.0
SUPPLIERS = ("甲公司", "乙公司", "丙公司")
SHIFTS: dict[str, Callable[[Floats], Floats]] = {
    "gcj-02": gcj02_from_wgs84,
    "bd-09": bd09_from_wgs84,
}
KINDS = (
    "inside-building",
    "on-wall",
    "at-zero",
    "swapped-axes",
    "gcj-02",
    "bd-09",
    "wrong-county-code",
    "no-azimuth",
)


@dataclass(frozen=True)
class Place:
    """A county to stand cameras in: its ground, and the codes of its grids in order."""

    ground: CameraGround
    grids: tuple[str, ...]

    def stated(self, points_m: Floats) -> npt.NDArray[np.object_]:
        """The grid that each point lies in."""
        return _codes_at(points_m, self.grids, self.ground)


def _codes_at(
    points_m: Floats, codes: tuple[str, ...], ground: CameraGround
) -> npt.NDArray[np.object_]:
    tree = shapely.STRtree([ground.areas_m[code] for code in codes])
    point, area = tree.query(shapely.points(points_m), predicate="intersects")
    found = np.full(len(points_m), None, dtype=object)
    found[point[::-1]] = np.array(codes, dtype=object)[area[::-1]]
    return found


@cache
def made_up_place(seed: int = 1) -> Place:
    """A county of 144 km²: a town of bent streets with its houses, hamlets along country roads.

    Towns 610999100 (west) and 610999101 (east); a grid is 300 m wide in town, else 3 km.
    """
    rng = np.random.default_rng(seed)
    town, country = _town_streets(rng), _country_roads(rng)
    streets = np.array([*town, *country], dtype=object)
    houses = _houses(np.array(town, dtype=object), 2_400, rng)
    hamlets = _houses(np.array(country, dtype=object), 900, rng)
    buildings = _clear_of(np.concatenate([houses, hamlets]), streets)
    west, east = (shapely.box(x, 0, x + SIDE_M / 2, SIDE_M) for x in (0.0, SIDE_M / 2))
    areas = {COUNTY + "100": west, COUNTY + "101": east, **_grids()}
    moved = {code: _placed(area) for code, area in areas.items()}
    outline = _placed(shapely.box(0, 0, SIDE_M, SIDE_M))
    ground = CameraGround(
        COUNTY, SRID, outline, _all_placed(buildings), _all_placed(streets), moved
    )
    return Place(ground, tuple(code for code in moved if len(code) == 15))


def _placed(shape: Any) -> Any:
    return shapely.transform(shape, lambda xy: xy + CORNER_M)


def _all_placed(shapes: Any) -> npt.NDArray[Any]:
    return np.asarray(_placed(np.asarray(shapes, dtype=object)), dtype=object)


def _town_streets(rng: np.random.Generator) -> list[Any]:
    """Streets every 70 to 120 m across 2.4 km round the middle, none of them straight."""
    low, high = SIDE_M / 2 - 1_200, SIDE_M / 2 + 1_200
    streets = []
    for turned in (False, True):
        at = low
        while at < high:
            along = np.linspace(low, high, 25)
            bend = 18 * np.sin(along / rng.uniform(150, 400) + rng.uniform(0, 6)) + rng.normal(
                0, 2, 25
            )
            xy = np.column_stack([along, at + bend])
            streets.append(shapely.LineString(xy[:, ::-1] if turned else xy))
            at += rng.uniform(70, 120)
    return streets


def _country_roads(rng: np.random.Generator) -> list[Any]:
    roads = []
    for _ in range(14):
        ends = rng.uniform(0, SIDE_M, (2, 2))
        way = np.linspace(ends[0], ends[1], 60) + np.cumsum(rng.normal(0, 25, (60, 2)), axis=0)
        roads.append(shapely.LineString(np.clip(way, 5, SIDE_M - 5)))
    return roads


def _houses(lines: npt.NDArray[Any], count: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    at, across = along(lines, count, rng)
    middle = at + across * (rng.choice([-1.0, 1.0], count) * rng.uniform(13, 26, count))[:, None]
    half, turn = rng.uniform(4, 8, (count, 2)), np.arctan2(across[:, 1], across[:, 0])
    ahead = np.column_stack([np.cos(turn), np.sin(turn)]) * half[:, :1]
    aside = np.column_stack([-np.sin(turn), np.cos(turn)]) * half[:, 1:]
    corners = [middle + a * ahead + b * aside for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return np.asarray(shapely.polygons(np.stack(corners, axis=1)), dtype=object)


def _clear_of(houses: npt.NDArray[Any], streets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    near, _ = shapely.STRtree(streets).query(houses, predicate="dwithin", distance=7.0)
    return np.delete(houses, np.unique(near))


def _grids() -> dict[str, Any]:
    shapes = [
        shapely.box(x, y, x + 3_000, y + 3_000)
        for x in np.arange(0, SIDE_M, 3_000)
        for y in np.arange(0, SIDE_M, 3_000)
    ]
    low = SIDE_M / 2 - 1_200
    town = shapely.box(low, low, low + 2_400, low + 2_400)
    steps = low + np.arange(0, 2_400, 300)
    shapes = [shapely.difference(shape, town) for shape in shapes]
    shapes += [shapely.box(x, y, x + 300, y + 300) for x in steps for y in steps]
    return {f"{COUNTY}100001{number:03d}": shape for number, shape in enumerate(shapes, start=1)}


def along(lines: npt.NDArray[Any], count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Points on lines, evenly by length, and the direction across the line there."""
    length_m = shapely.length(lines)
    line = rng.choice(len(lines), count, p=length_m / length_m.sum())
    where_m = rng.random(count) * length_m[line]
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], where_m))
    before = shapely.line_interpolate_point(lines[line], np.maximum(where_m - 2.0, 0.0))
    after = shapely.line_interpolate_point(lines[line], np.minimum(where_m + 2.0, length_m[line]))
    step = shapely.get_coordinates(after) - shapely.get_coordinates(before)
    ahead = step / np.hypot(*step.T)[:, None]
    return at, np.column_stack([-ahead[:, 1], ahead[:, 0]])


def good_cameras(place: Place, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Cameras beside streets, 3 to 7 m from their middle, measured to 1.5 m; none in a house.

    Two of three stand within 60 m of a house. Every row states its grid.
    """
    ground = place.ground
    at, across = along(ground.streets_m, 6 * count, rng)
    side = rng.choice([-1.0, 1.0], len(at)) * rng.uniform(3, 7, len(at))
    at = at + across * side[:, None] + rng.normal(0, 1.5, at.shape)
    clear = ~np.isfinite(distance_m(at, ground.buildings, 0.3))
    near = np.isfinite(distance_m(at, ground.buildings, 60.0)) | (rng.random(len(at)) < 0.2)
    inside = shapely.contains_xy(ground.outline_m, at)
    rows = np.flatnonzero(clear & near & inside)[:count]
    azimuth_deg = np.degrees(np.arctan2(across[rows, 0], across[rows, 1])) + 90.0
    return _described(place, at[rows], azimuth_deg % 360.0, rng)


def _described(
    place: Place, points_m: Floats, azimuth_deg: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    count = len(points_m)
    all_round = rng.random(count) < 0.2
    code = place.ground.county_code
    town = np.where(points_m[:, 0] < CORNER_M[0] + SIDE_M / 2, code + "100", code + "101")
    return pd.DataFrame(
        {
            "geom": shapely.points(np.round(lonlat_from_metres(points_m, SRID), 8)),
            "device_code": [f"{code}00001320{n:06d}" for n in range(1, count + 1)],
            "azimuth_deg": np.where(all_round, np.nan, np.round(azimuth_deg, 1)),
            "view_angle_deg": np.where(all_round, 360.0, 70.0),
            "range_m": 80.0,
            "indoor": False,
            "supplier": rng.choice(SUPPLIERS, count),
            "town": town,
            "stated_code": place.stated(points_m),
        },
        index=[f"V{n:05d}" for n in range(1, count + 1)],
    )


def points_m(cameras: pd.DataFrame) -> Floats:
    """Where cameras say they stand, metres."""
    return metres_from_lonlat(shapely.get_coordinates(cameras["geom"].to_numpy()), SRID)


def spoiled(
    cameras: pd.DataFrame, place: Place, rng: np.random.Generator, each: int
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """The cameras with `each` of them spoiled in each way of `KINDS`, and how, by their index."""
    bad, truth = cameras, dict[str, str]()
    free = rng.permutation(np.flatnonzero(cameras["azimuth_deg"].notna().to_numpy()))
    for number, kind in enumerate(KINDS):
        rows = free[number * each : (number + 1) * each]
        bad = _with_fault(bad, rows, kind, place, rng)
        truth |= dict.fromkeys(cameras.index[rows], kind)
    return bad, pd.Series(truth, dtype=str)


def moved_to(cameras: pd.DataFrame, rows: npt.NDArray[np.intp], lonlat: Floats) -> pd.DataFrame:
    """The cameras with those at some positions moved."""
    points = cameras["geom"].to_numpy().copy()
    points[rows] = shapely.points(lonlat)
    return cameras.assign(geom=points)


def _with_fault(
    cameras: pd.DataFrame,
    rows: npt.NDArray[np.intp],
    kind: str,
    place: Place,
    rng: np.random.Generator,
) -> pd.DataFrame:
    is_bad = cameras.index.isin(cameras.index[rows])
    if kind == "no-azimuth":
        return cameras.assign(azimuth_deg=cameras["azimuth_deg"].mask(is_bad))
    if kind == "wrong-county-code":
        codes = cameras["device_code"]
        return cameras.assign(device_code=codes.mask(is_bad, "6101" + codes.str[4:]))
    lonlat = shapely.get_coordinates(cameras["geom"].to_numpy()[rows])
    return moved_to(cameras, rows, _wrong(lonlat, kind, place, rng))


def _wrong(lonlat: Floats, kind: str, place: Place, rng: np.random.Generator) -> Floats:
    if kind == "at-zero":
        return np.zeros_like(lonlat)
    if kind == "swapped-axes":
        return lonlat[:, ::-1]
    if kind in SHIFTS:
        return SHIFTS[kind](lonlat)
    at = points_of(metres_from_lonlat(lonlat, SRID))
    buildings = place.ground.buildings_m
    nearest = buildings[shapely.STRtree(buildings).nearest(at)]
    if kind == "on-wall":
        walls = shapely.boundary(nearest)
        hit = shapely.line_interpolate_point(walls, rng.random(len(at)), normalized=True)
    else:
        hit = shapely.centroid(nearest)
    return np.round(lonlat_from_metres(shapely.get_coordinates(hit), SRID), 8)
