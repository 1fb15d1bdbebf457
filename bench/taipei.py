"""What cameras see of a real city: six districts of Taipei, village by village, and what next.

`python -m bench.taipei FOLDER` (make taipei DATA=FOLDER) writes docs/taipei_coverage.md and the
maps and figures in docs/taipei/ anew; FOLDER holds the files of gis_service/datasets/taipei.toml.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from bench._taipei_city import (
    DISTRICTS,
    TASKS_M,
    VIEW_ANGLE_DEG,
    City,
    part_of,
    read_city,
)
from layers.coverage.cover_levels import seen_levels
from layers.coverage.cover_report import village_cover
from layers.coverage.facade_sites import NextCameras, facade_posts, next_cameras
from layers.coverage.figures import is_seen
from layers.coverage.visibility import visible_areas

ROOT = Path(__file__).parent.parent
SITED = "萬華區"
NEXT = 20
PLANNED_M = 40.0
SPACING_M = 25.0
BEARINGS_DEG = np.arange(0, 360, 45.0)
WITHIN_S = 60.0

KNOWN: dict[str, Callable[[GeoDataFrame], GeoDataFrame]] = {
    "as published": lambda cameras: cameras,
    "places surveyed": lambda cameras: cameras.assign(position_error_m=0.0),
    "places and bearings surveyed": lambda cameras: cameras.assign(
        position_error_m=0.0,
        azimuth_error_deg=np.minimum(cameras["azimuth_error_deg"], 5.0).where(
            cameras["azimuth_deg"].notna(), 180.0
        ),
    ),
}
"""What is known of the cameras: now, and after a survey that finds them where they are taken."""


@dataclass(frozen=True)
class Study:
    """What was found, and the seconds (CPU with readers, wall) of each step."""

    city: City
    cover: pd.DataFrame
    standing: GeoSeries
    sites: NextCameras
    site_views: GeoSeries
    anew: np.ndarray
    times_s: dict[str, tuple[float, float]]


def figures() -> dict[str, float | str]:
    """Return seconds and totals of the six districts, where the data are here."""
    folder = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data")) / "taipei"
    if not folder.is_dir():
        return {"note": "no Taipei files at GIS_SHARED_DATA"}
    found = study(folder)
    result: dict[str, float | str] = {}
    for step, (cpu_s, wall_s) in found.times_s.items():
        result |= {f"{step}_cpu_s": round(cpu_s, 2), f"{step}_wall_s": round(wall_s, 2)}
    sums = found.cover.groupby(level=["known", "range_m", "subject"]).sum()
    for (known, range_m, subject), row in sums.iterrows():
        for level in ("certain", "assumed", "possible"):
            name = f"{known}_{range_m:g}_m_{subject}_{level}".replace(" ", "_")
            result[name] = round(float(row[level] / row["total"]), 5)
    sites = found.sites
    result |= {"candidate_views": sites.candidates, "next_20_households": round(sites.added, 1)}
    return result | {"next_20_gap": round(sites.gap, 5)}


def study(folder: Path) -> Study:
    """Return the whole study from the files, from cold."""
    clock, times_s = Clock(), {}
    city = read_city(folder)
    times_s["read"] = clock.lap()
    parts = {}
    for known, as_known in KNOWN.items():
        for town in DISTRICTS:
            parts[known, town] = district_cover(city, town, as_known)
        times_s[f"cover {known}"] = clock.lap()
    cover = pd.concat(parts, names=["known", "town"]).sort_index()
    standing, sites, views, anew = next_sites(city)
    times_s["next cameras"] = clock.lap()
    return Study(city, cover, standing, sites, views, anew, times_s)


def district_cover(
    city: City, town: str, as_known: Callable[[GeoDataFrame], GeoDataFrame]
) -> pd.DataFrame:
    """Return `village_cover` of one district."""
    cameras, buildings, counted = part_of(city, town)
    codes = city.villages["code"][city.villages["town"] == town].to_list()
    known = as_known(cameras)
    # a camera that is known to stand where it stands is drawn at once
    settled = not (known["position_error_m"] > 0).any()
    return village_cover(known, buildings, counted, codes, list(TASKS_M), settled=settled)


def next_sites(city: City) -> tuple[GeoSeries, NextCameras, GeoSeries, np.ndarray]:
    """Return standing views, the next cameras, their views, and which of them see homes anew.

    "Anew" is the weight each brings that no standing camera even possibly sees.
    """
    cameras, buildings, counted = part_of(city, SITED)
    stated = cameras[cameras["azimuth_deg"].notna()].assign(range_m=PLANNED_M)
    standing = visible_areas(stated, buildings)
    own = city.villages[city.villages["town"] == SITED]
    within = shapely.union_all(own.geometry.to_numpy())
    sites = next_cameras(
        facade_posts(buildings, spacing_m=SPACING_M, within=within),
        buildings,
        counted["households"],
        standing,
        cameras=NEXT,
        bearings_deg=BEARINGS_DEG,
        range_m=PLANNED_M,
        view_angle_deg=VIEW_ANGLE_DEG,
        at_most_a_post=2,
        within_s=WITHIN_S,
    )
    views = visible_areas(sites.cameras, buildings)
    return standing, sites, views, _anew(counted["households"], cameras, buildings, views)


def _anew(
    homes: GeoDataFrame, cameras: GeoDataFrame, buildings: GeoSeries, views: GeoSeries
) -> np.ndarray:
    ranged = cameras.assign(range_m=PLANNED_M)
    levels = seen_levels(homes.geometry, ranged, buildings, settled=False)
    left = homes["weight"].where(~levels["possible"].to_numpy(), 0.0).to_numpy(copy=True)
    brought = np.zeros(len(views))
    # each counts what no earlier one sees
    for number in range(len(views)):
        sees = is_seen(homes.geometry, views.iloc[[number]]).to_numpy()
        brought[number] = left[sees].sum()
        left[sees] = 0.0
    return brought


class Clock:
    """Laps in seconds of processor (readers included) and of wall."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = _cpu_s(), perf_counter()

    def lap(self) -> tuple[float, float]:
        """Return the seconds since the last lap."""
        before = self._cpu_s, self._wall_s
        self._cpu_s, self._wall_s = _cpu_s(), perf_counter()
        return self._cpu_s - before[0], self._wall_s - before[1]


def _cpu_s() -> float:
    readers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + readers.ru_utime + readers.ru_stime


def main(folder: Path) -> None:
    """Write the report."""
    from bench._taipei_page import write_report

    write_report(study(folder), ROOT / "docs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
