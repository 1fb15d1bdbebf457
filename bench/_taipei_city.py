"""Taipei as its cover is reckoned: files to frames in metres, and all that is assumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.cover_report import homes_of, in_footprints, on_facades
from layers.coverage.snaps import proposed_snap
from layers.load.run import load_dataset

ROOT = Path(__file__).parent.parent
DESCRIPTION = ROOT / "gis_service" / "datasets" / "taipei.toml"
METRIC_SRID = 3826
DISTRICTS = ("萬華區", "大同區", "中山區", "士林區", "北投區", "南港區")
"""Those where most people live among known buildings."""

VIEW_ANGLE_DEG = 60.0
PIXELS = 1920
TASKS_M = {20.0: "discern", 40.0: "outline", 80.0: "overview"}
"""Ranges, rounded down, to which 1,920 pixels over 60 degrees serve a task of IEC 62676-4:2025."""

UNKNOWN_DEG = 180.0
FARTHEST_M = 80.0 + 150.0 + 20.0
"""From a district's border within which a camera may see into it: range, error and snap."""


@dataclass(frozen=True)
class City:
    """Frames in metres; every thing to be counted has ``village_code`` and ``weight``.

    Attributes
    ----------
    villages
        ``code``, ``name``, ``town`` of the six districts.
    cameras
        With the columns of `seen_levels` but the range, ``source`` and ``town``.
    counted
        By subject: households, places, key places, accidents.
    blocks
        ``village_code`` and ``households``.
    register
        Rows of the police register and how many of them have no position, by precinct.
    """

    villages: GeoDataFrame
    buildings: GeoDataFrame
    cameras: GeoDataFrame
    counted: dict[str, GeoDataFrame]
    blocks: GeoDataFrame
    snapped_m: pd.Series
    register: pd.DataFrame


def read_city(folder: Path) -> City:
    """Return the city's six districts from its files."""
    frames = load_dataset(DESCRIPTION, folder).frames
    units = frames["unit"]
    towns = units[units["level"] == "town"].set_index("code")["name"]
    villages = _metres(units[units["level"] == "village"])
    villages = villages.assign(town=villages["parent_code"].map(towns))
    villages = villages[villages["town"].isin(DISTRICTS)].reset_index(drop=True)
    ground = shapely.union_all(villages.geometry.to_numpy())
    shapely.prepare(ground)
    buildings = _near(_metres(frames["building"]), ground, 2 * FARTHEST_M)
    cameras, snapped_m = _cameras(_near(_metres(frames["camera"]), ground, FARTHEST_M), buildings)
    counts = frames["block_count"].set_index("block_id")["households"]
    blocks = _metres(frames["block"])
    blocks = blocks[blocks["village_code"].isin(villages["code"])]
    blocks = blocks.assign(households=blocks["id"].map(counts)).reset_index(drop=True)
    return City(
        villages[["code", "name", "town", "geometry"]],
        buildings,
        cameras.assign(town=_codes(cameras, 2).map(towns).to_numpy()),
        {"households": homes_of(blocks, buildings), **_points(frames, buildings.geometry)},
        blocks,
        snapped_m,
        _register(folder),
    )


def part_of(city: City, town: str) -> tuple[GeoDataFrame, GeoSeries, dict[str, GeoDataFrame]]:
    """Return the cameras that may see into a district, the buildings there, and what is counted."""
    own = city.villages[city.villages["town"] == town]
    ground = shapely.union_all(own.geometry.to_numpy())
    shapely.prepare(ground)
    counted = {
        subject: things[things["village_code"].isin(own["code"])].reset_index(drop=True)
        for subject, things in city.counted.items()
    }
    cameras = _near(city.cameras, ground, FARTHEST_M)
    return cameras, _near(city.buildings, ground, 2 * FARTHEST_M).geometry, counted


def _cameras(cameras: GeoDataFrame, buildings: GeoDataFrame) -> tuple[GeoDataFrame, pd.Series]:
    """Return police and traffic cameras, out of the houses that addresses put them in.

    The disc of positions grows by the way a camera is moved, so it holds the old one.
    """
    source = cameras["id"].str.partition("-")[0]
    kept = cameras[source != "speed"].assign(source=source).reset_index(drop=True)
    snaps = proposed_snap(kept, buildings.geometry)
    points = kept.geometry.to_numpy().copy()
    points[snaps.index] = snaps.geometry.to_numpy()
    error_m = kept["position_error_m"].astype(float).add(snaps["moved_m"], fill_value=0.0)
    # a dome turns: where it looks is told by nobody
    turns = kept["source"] == "traffic"
    changed = {
        "position_error_m": error_m,
        "view_angle_deg": VIEW_ANGLE_DEG,
        "azimuth_deg": kept["azimuth_deg"].astype(float).where(~turns),
        "azimuth_error_deg": kept["azimuth_error_deg"].astype(float).mask(turns, UNKNOWN_DEG),
    }
    moved = kept.assign(**changed).set_geometry(GeoSeries(points, crs=kept.crs))
    return GeoDataFrame(moved), snaps["moved_m"]


def _points(frames: dict[str, pd.DataFrame], buildings: GeoSeries) -> dict[str, GeoDataFrame]:
    places = _metres(frames["place"])
    places = places[places["kind"] != "evacuation_gate"]
    places = places.set_geometry(in_footprints(places.geometry, buildings))
    accidents = _metres(frames["incident"])
    accidents = accidents.set_geometry(on_facades(accidents.geometry, buildings))
    found = {"places": places, "key places": places[places["is_key"]], "accidents": accidents}
    return {
        subject: GeoDataFrame(
            {"village_code": _codes(some, 3), "weight": 1.0}, geometry=some.geometry
        ).reset_index(drop=True)
        for subject, some in found.items()
    }


def _register(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "cameras_police.csv", dtype=str, encoding_errors="replace")
    precinct = table["所屬單位"].str.strip().str.partition("分局")[0].str.strip() + "分局"
    unplaced = (table["derived_method"] == "none").groupby(precinct)
    return pd.DataFrame({"rows": unplaced.size(), "unplaced": unplaced.sum()})


def _metres(table: pd.DataFrame) -> GeoDataFrame:
    shapes = GeoSeries(table["geom"].to_list(), index=table.index, crs=4490).to_crs(METRIC_SRID)
    made = GeoDataFrame(table.drop(columns="geom"), geometry=shapes)
    return made[made.geometry.notna()]


def _near(some: GeoDataFrame, ground: shapely.Geometry, distance_m: float) -> GeoDataFrame:
    near = shapely.dwithin(ground, some.geometry.to_numpy(), distance_m)
    return GeoDataFrame(some[np.asarray(near)].reset_index(drop=True))


def _codes(some: pd.DataFrame, level: int) -> pd.Series:
    return pd.Series(some["unit_path"].str.split("/").str[level])
