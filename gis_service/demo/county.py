"""The made-up county put together: its frames by table and the truth that was planted in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.cameras import camera_frames
from gis_service.demo.chance import chance
from gis_service.demo.grids import Parting, parting
from gis_service.demo.homes import (
    block_counts,
    building_frame,
    house_of_household,
    household_frame,
)
from gis_service.demo.incidents import hotspots, incident_frame
from gis_service.demo.kit import device_frame, part_frame, resource_frame
from gis_service.demo.living import Living
from gis_service.demo.outline import METRIC_SRID, NINGSHAN
from gis_service.demo.people import persons
from gis_service.demo.places import centre_frame, organisation_frame, place_frame, public_houses
from gis_service.demo.plan import Plan, laid_out
from gis_service.demo.raster import Ints
from gis_service.demo.site import Site
from gis_service.demo.sites import hamlet_lanes, houses
from gis_service.demo.size import COUNTY, Size
from gis_service.demo.stored import Placing, placing
from gis_service.demo.territory import Territory, county_row, line_frames, territory
from gis_service.demo.workers import position_frame, posting_frame, visit_frame, worker_frame

Frames = dict[str, pd.DataFrame]
Progress = Callable[[str, int, int], None]
STEPS = 5


@dataclass(frozen=True)
class DemoCounty:
    """A made-up county.

    Parameters
    ----------
    frames
        One frame a table, geometry as shapely objects in EPSG:4490.
    truth
        What was planted: `hotspot`, `misplaced_camera`, `unseen_place`, `unseen_grid`,
        `vacant_grid`, `ended_posting`.
    metric_srid
        The CRS to measure in.
    """

    frames: Frames
    truth: Frames
    metric_srid: int = METRIC_SRID


def made_up(
    seed: int,
    today: date,
    scale: Size = COUNTY,
    site: Site = NINGSHAN,
    *,
    progress: Progress = lambda _step, _done, _in_all: None,
) -> DemoCounty:
    """Return the county of one seed and day; the same pair gives the same bytes.

    Parameters
    ----------
    progress
        Called as ``progress(step, done, in_all)``.
    """
    progress("ground", 0, STEPS)
    units = site.units()
    plan = laid_out(seed, units, scale, site)
    progress("grids", 1, STEPS)
    parts = parting(plan, scale, chance(seed, "grids"))
    at = placing(plan)
    ground = territory(plan, parts, units, at)
    progress("houses", 2, STEPS)
    streets = _streets(seed, plan)
    built = houses(plan, parts, streets, chance(seed, "houses"))
    public = public_houses(plan, built, streets, chance(seed, "public"))
    progress("people", 3, STEPS)
    homes, house = _homes(seed, today, scale, plan, parts, ground, at, built, public)
    frames = {
        "county": county_row(seed, today, site),
        **ground.frames,
        **homes,
        **line_frames(plan, streets, at),
    }
    residents = _residents(homes["person"], house, len(built))
    living = Living(plan, parts, ground, at, scale, today, built, streets, public, residents)
    progress("features", 4, STEPS)
    return DemoCounty(frames, _features(seed, living, frames, house), site.metric_srid)


def _streets(seed: int, plan: Plan) -> pd.DataFrame:
    """Return the streets of the plan and the lanes of its hamlets; none has a name."""
    lanes = hamlet_lanes(plan, chance(seed, "lanes"))
    streets = pd.concat([plan.streets, lanes], ignore_index=True)
    streets["name"] = None
    return streets


def _residents(person: pd.DataFrame, house: Ints, houses: int) -> Ints:
    """Return how many present people live in each house; `house` is that of each household."""
    present = person.groupby("household_id", sort=False)["present"].sum().to_numpy()
    return np.bincount(house, weights=present, minlength=houses).astype(np.int64)


def _features(seed: int, living: Living, frames: Frames, house: Ints) -> Frames:
    """Add what stands and moves in a settled county to its frames; return what was planted."""
    truth: Frames = {}
    _add_places(seed, living, frames, truth)
    _add_workers(seed, living, frames, truth, house)
    planted = hotspots(living, chance(seed, "hotspots"))
    frames["incident"] = incident_frame(living, planted, chance(seed, "incidents"))
    return {**truth, "hotspot": planted.drop(columns="grid")}


def _homes(
    seed: int,
    today: date,
    scale: Size,
    plan: Plan,
    parts: Parting,
    ground: Territory,
    at: Placing,
    built: pd.DataFrame,
    public: pd.DataFrame,
) -> tuple[Frames, Ints]:
    free = np.setdiff1d(np.arange(len(built)), public["house"].to_numpy())
    living_in = built.iloc[free].reset_index(drop=True)
    house = free[house_of_household(plan, parts, living_in, chance(seed, "homes"))]
    building = _buildings(seed, plan, built, public, house, at)
    household = household_frame(plan, ground, built, building, house, at)
    person = persons(household["id"].tolist(), today, scale, chance(seed, "people"))
    counts = block_counts(ground, person, built["block"].to_numpy()[house])
    return {
        "building": building,
        "household": household,
        "person": person,
        "block_count": counts,
    }, house


def _buildings(
    seed: int, plan: Plan, built: pd.DataFrame, public: pd.DataFrame, house: Ints, at: Placing
) -> pd.DataFrame:
    lived = np.bincount(house, minlength=len(built))
    building = building_frame(plan, built, lived, at, chance(seed, "buildings"))
    building.loc[public["house"], "kind"] = "public"
    building.loc[public["house"], "name"] = public["name"].to_numpy()
    return building


def _add_places(seed: int, living: Living, frames: Frames, truth: Frames) -> None:
    frames["place"] = place_frame(living, chance(seed, "places"))
    frames["organisation"] = organisation_frame(living, chance(seed, "organisations"))
    frames["centre"] = centre_frame(living, chance(seed, "centres"))
    frames["part"] = part_frame(living, chance(seed, "parts"))
    frames["device"] = device_frame(living, chance(seed, "devices"))
    frames["resource"] = resource_frame(living, chance(seed, "resources"))
    place_xy = living.at.local(shapely.get_coordinates(frames["place"]["geom"].to_numpy()))
    frames["camera"], planted = camera_frames(
        living, frames["place"], place_xy, chance(seed, "cameras")
    )
    truth |= planted


def _add_workers(seed: int, living: Living, frames: Frames, truth: Frames, house: Ints) -> None:
    postings, posted = posting_frame(living, chance(seed, "postings"))
    workers, home = worker_frame(living, posted, chance(seed, "workers"))
    frames["posting"], frames["worker"] = postings, workers
    frames["position"] = position_frame(living, workers, home, chance(seed, "positions"))
    frames["visit"] = visit_frame(
        living, posted, frames["household"], house, chance(seed, "visits")
    )
    staffed = set(postings.loc[postings["valid_to"].isna(), "grid_code"])
    vacant = [code for code in frames["grid"]["code"] if code not in staffed]
    truth["vacant_grid"] = pd.DataFrame({"grid_code": vacant})
    ended = postings[postings["valid_to"].notna()]
    truth["ended_posting"] = ended[["id", "grid_code"]].reset_index(drop=True)
