"""Cover of one real district, 大同區, beside published counts and lines of sight one by one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries, points_from_xy

from layers.coverage.cover_levels import seen_levels
from layers.coverage.cover_report import (
    homes_of,
    households_placed,
    in_footprints,
    on_facades,
    village_cover,
)
from layers.coverage.facade_sites import facade_posts, next_cameras
from layers.coverage.figures import TOLERANCE_M, is_seen
from layers.coverage.visibility import visible_areas
from tests.taipei import taipei_folder

TWD97 = 3826
TOWN = "63000060"
# the village of the city's second most accidents
BUSY = "玉泉里"
BEARINGS = {
    "北": 0,
    "東北": 45,
    "東": 90,
    "東南": 135,
    "南": 180,
    "西南": 225,
    "西": 270,
    "西北": 315,
}


@cache
def villages() -> GeoDataFrame:
    """The district's villages in metres."""
    rows = pyogrio.read_dataframe(
        taipei_folder() / "boundaries.gpkg", layer="villages", where=f"TOWNCODE = '{TOWN}'"
    )
    return GeoDataFrame(rows.rename(columns={"VILLCODE": "village_code"}).to_crs(TWD97))


@cache
def units() -> GeoDataFrame:
    """Statistical units with their households, of the district's villages."""
    rows = pyogrio.read_dataframe(
        taipei_folder() / "boundaries.gpkg", layer="units", where=f"VILLCODE LIKE '{TOWN}%'"
    )
    named = rows.rename(columns={"VILLCODE": "village_code", "H_CNT": "households"})
    return GeoDataFrame(named.to_crs(TWD97))


@cache
def buildings() -> GeoDataFrame:
    """Valid footprints in and round the district."""
    west, south, east, north = villages().to_crs(4326).total_bounds.tolist()
    around = (west - 0.003, south - 0.003, east + 0.003, north + 0.003)
    rows = pyogrio.read_dataframe(taipei_folder() / "buildings.fgb", bbox=around)
    metres = rows.rename(columns={"height": "height_m"}).to_crs(TWD97)
    return GeoDataFrame(metres[metres.is_valid & ~metres.geometry.duplicated()])


@cache
def cameras() -> GeoDataFrame:
    """Police cameras whose address was found, round the district; 60 degrees assumed."""
    rows = pd.read_csv(taipei_folder() / "cameras_police.csv", dtype=str)
    rows = rows[rows["derived_lon"].notna() & rows["攝影方向"].isin(list(BEARINGS))]
    lon, lat = rows[["derived_lon", "derived_lat"]].astype(float).to_numpy().T
    columns = {
        "azimuth_deg": rows["攝影方向"].map(BEARINGS).astype(float).to_numpy(),
        "view_angle_deg": 60.0,
        "azimuth_error_deg": 22.5,
        "position_error_m": rows["derived_radius_m"].astype(float).to_numpy(),
    }
    found = GeoDataFrame(columns, geometry=points_from_xy(lon, lat, crs=4326)).to_crs(TWD97)
    ground = shapely.union_all(villages().geometry.to_numpy())
    near = shapely.dwithin(ground, found.geometry.to_numpy(), 240.0)
    return GeoDataFrame(found[near].reset_index(drop=True))


@cache
def accidents() -> GeoDataFrame:
    """The year's accidents in one village."""
    rows = pd.read_csv(taipei_folder() / "incidents_accidents_2024.tsv", sep="\t", dtype=str)
    lon, lat = rows[["GoogleLng", "GoogleLat"]].astype(float).to_numpy().T
    points = GeoSeries(points_from_xy(lon, lat, crs=4326)).to_crs(TWD97)
    (busy,) = villages().geometry[villages()["VILLNAME"] == BUSY]
    inside = GeoSeries(points.to_numpy()[shapely.intersects(busy, points.to_numpy())], crs=TWD97)
    columns = {"village_code": [BUSY] * len(inside), "weight": [1.0] * len(inside)}
    return GeoDataFrame(
        columns, geometry=on_facades(inside, buildings().geometry).to_list(), crs=TWD97
    )


def in_sight(camera: pd.Series, point: Any, range_m: float) -> bool:
    """One line of sight, drawn and held against every house it could meet."""
    eye = camera.geometry
    dx, dy = point.x - eye.x, point.y - eye.y
    turned_deg = (np.degrees(np.arctan2(dx, dy)) - camera["azimuth_deg"] + 180) % 360 - 180
    if abs(turned_deg) > camera["view_angle_deg"] / 2 or np.hypot(dx, dy) > range_m:
        return False
    line = shapely.LineString([eye, point])
    shapes = buildings().geometry.to_numpy()
    near = shapes[buildings().sindex.query(line, predicate="intersects")]
    return not any(house.intersection(line).length > TOLERANCE_M for house in near)


def test_the_households_of_most_blocks_find_a_home() -> None:
    homes = homes_of(units(), buildings())
    codes = villages()["village_code"].to_list()
    placed = households_placed(units(), homes, codes).sum()
    assert placed["households"] == pytest.approx(units()["households"].sum())
    # published beside the data: 75 % of the people live in units that hold a building
    assert placed["placed"] / placed["households"] == pytest.approx(0.75, abs=0.02)
    held = set(units().index[units().intersects(shapely.union_all(homes.geometry.to_numpy()))])
    assert set(homes["block"]) <= held


def test_accidents_assumed_seen_are_those_with_a_line_of_sight() -> None:
    happened = accidents()
    assert len(happened) == 240
    (busy,) = villages().geometry[villages()["VILLNAME"] == BUSY]
    near = cameras()[shapely.dwithin(busy, cameras().geometry.to_numpy(), 45.0)]
    range_m = 40.0
    found = seen_levels(
        happened.geometry, near.assign(range_m=range_m, position_error_m=0.0), buildings().geometry
    )
    expected = np.array(
        [
            any(in_sight(camera, point, range_m) for _, camera in near.iterrows())
            for point in happened.geometry
        ]
    )
    # a shadow line or the rim of a sector within the tolerance may tip a point either way
    assert (found["assumed"].to_numpy() != expected).mean() <= 0.02
    assert expected.sum() > 20


def test_sampled_truths_of_the_cameras_lie_between_certain_and_possible() -> None:
    happened, rng = accidents(), np.random.default_rng(8)
    (busy,) = villages().geometry[villages()["VILLNAME"] == BUSY]
    near = cameras()[shapely.dwithin(busy, cameras().geometry.to_numpy(), 30.0)].iloc[:40]
    ranged = near.assign(range_m=40.0)
    houses = buildings().geometry
    found = seen_levels(happened.geometry, ranged, houses)
    assert found["certain"].sum() <= found["assumed"].sum() <= found["possible"].sum()
    for _ in range(5):
        turn, share = rng.uniform(0, 2 * np.pi, len(near)), np.sqrt(rng.uniform(0, 1, len(near)))
        away_m = (ranged["position_error_m"] * share).to_numpy()
        x, y = near.geometry.x + away_m * np.cos(turn), near.geometry.y + away_m * np.sin(turn)
        bearing = ranged["azimuth_deg"] + rng.uniform(-22.5, 22.5, len(near))
        truth = ranged.assign(azimuth_deg=bearing).set_geometry(
            GeoSeries(shapely.points(x, y), index=near.index, crs=TWD97)
        )
        seen = is_seen(happened.geometry, visible_areas(truth, houses))
        assert not (seen & ~found["possible"]).any()
        assert not (found["certain"] & ~seen).any()


def test_cover_grows_with_range_and_stays_within_what_there_is() -> None:
    homes = homes_of(units(), buildings())
    some = villages()["village_code"].to_list()[:3]
    ground = shapely.union_all(villages().geometry.to_numpy()[:3])
    near = cameras()[shapely.dwithin(ground, cameras().geometry.to_numpy(), 60.0)]
    own = homes[homes["village_code"].isin(some)]
    around = buildings()[shapely.dwithin(ground, buildings().geometry.to_numpy(), 300.0)]
    found = village_cover(
        near.assign(position_error_m=0.0), around.geometry, {"homes": own}, some, [20.0, 40.0, 80.0]
    )
    levels = found[["certain", "assumed", "possible", "total"]].to_numpy()
    assert (np.diff(levels, axis=1) >= -1e-6).all()
    by_range = found.groupby(level="range_m")[["certain", "assumed", "possible"]].sum()
    assert (np.diff(by_range.to_numpy(), axis=0) >= -1e-6).all()
    assert by_range["assumed"].iloc[-1] > 0


def test_a_point_of_a_place_mostly_lies_in_its_house() -> None:
    rows = pd.read_csv(taipei_folder() / "places_medical.csv")
    points = GeoSeries(points_from_xy(rows["longitude"], rows["latitude"], crs=4326)).to_crs(TWD97)
    ground = shapely.union_all(villages().geometry.to_numpy())
    here = GeoSeries(points[shapely.intersects(ground, points.to_numpy())])
    placed = in_footprints(here, buildings().geometry)
    assert (shapely.get_dimensions(placed.to_numpy()) == 2).mean() > 0.4
    assert (placed.distance(here) == 0).all()


def test_the_next_cameras_of_a_village_come_with_a_bound() -> None:
    homes = homes_of(units(), buildings())
    (busy,) = villages().geometry[villages()["VILLNAME"] == BUSY]
    near = buildings()[shapely.dwithin(busy, buildings().geometry.to_numpy(), 60.0)].geometry
    code = villages()["village_code"][villages()["VILLNAME"] == BUSY].iloc[0]
    found = next_cameras(
        facade_posts(near, spacing_m=40.0, within=busy),
        near,
        homes[homes["village_code"] == code],
        visible_areas(cameras().assign(range_m=40.0), near),
        cameras=5,
        bearings_deg=np.arange(0, 360, 45.0),
        range_m=40.0,
        view_angle_deg=60.0,
        at_most_a_post=1,
        within_s=60.0,
    )
    assert len(found.cameras) == 5
    assert 0 < found.added <= found.bound + 1e-6
    assert found.gap <= 0.05
    assert shapely.dwithin(busy, found.cameras.geometry.to_numpy(), 1.0).all()
