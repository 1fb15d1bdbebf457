"""A described dataset into frames: the tree first, then what lies in it, all of it placed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID
from layers.coverage.suspect_frames import camera_ground, suspect_findings
from layers.load.datum_shift import bearings, shift_findings
from layers.load.description import TREE, Description, Source
from layers.load.features import Ground, feature_rows, taken_in
from layers.load.intake import Intake
from layers.load.place import placed
from layers.load.report import COUNT_COLUMNS, FINDING_COLUMNS, joined
from layers.load.stated import differing, statements
from layers.load.tree import block_frames, grid_frames, unit_frame

Progress = Callable[[str, int, int], None]  # step, steps done, steps in all


@dataclass
class _Load:
    """What has been read so far."""

    plan: Description
    folder: Path
    progress: Progress | None
    ground: Ground
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    intakes: list[Intake] = field(default_factory=list)
    parts: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    told: list[tuple[Source, pd.DataFrame]] = field(default_factory=list)
    located: list[tuple[Source, pd.DataFrame]] = field(default_factory=list)

    def tell(self, step: str) -> None:
        """Report a step that begins."""
        if self.progress is not None:
            self.progress(step, len(self.intakes), len(self.plan.sources) + 1)


def dataset_frames(
    plan: Description, folder: Path, *, progress: Progress | None = None
) -> dict[str, pd.DataFrame]:
    """Return every table's frame of a dataset, placed, with its findings and counts.

    Parameters
    ----------
    plan
        The dataset's description.
    folder
        Where its files are; they stay there.
    progress
        Called as ``progress(step, steps_done, steps_in_all)``.

    Raises
    ------
    Refused
        A file is missing, bad as a whole, or lacks a column; a source goes into no known table.
    """
    metric = crs_of(plan.metric_srid)
    load = _Load(plan, folder, progress, Ground(metric, plan.time_zone))
    _read_tree(load)
    for source in plan.sources:
        if source.into not in TREE:
            _read_features(load, source)
    load.tell("placement")
    tables = {name: joined(parts, list(parts[0].columns)) for name, parts in load.parts.items()}
    load.frames |= tables
    load.frames["county"] = _county(plan, load.frames)
    load.frames["finding"] = joined([i.found() for i in load.intakes], FINDING_COLUMNS)
    load.frames = placed(load.frames, metric)
    _compare_stated(load)
    _suspect_shifts(load)
    _suspect_cameras(load)
    load.frames["load_count"] = joined([i.counts() for i in load.intakes], COUNT_COLUMNS)
    return load.frames


def _read_tree(load: _Load) -> None:
    plan, metric = load.plan, load.ground.metric_crs
    towns, villages = (_outlines(load, level) for level in ("town", "village"))
    county = (plan.county.code, plan.county.name)
    load.frames["unit"] = units = unit_frame(county, towns, villages, plan.valid_from)
    outline = gpd.GeoSeries(units["geom"].iloc[:1].to_numpy(), crs=STORED_SRID).to_crs(metric)[0]
    shapely.prepare(outline)
    for source in plan.sources_into("block"):
        load.tell(source.name)
        intake, values = taken_in(load.folder / source.file, source, "MultiPolygon", load.ground)
        load.intakes.append(intake)
        load.frames |= block_frames(intake, values, units, metric, plan.valid_from)
        blocks = load.frames["block"]
        load.frames |= grid_frames(blocks, units, metric, plan.profile, plan.grid_setting)
    load.ground = replace(
        load.ground, outline_m=outline, farthest_outside_m=plan.farthest_outside_m
    )


def _outlines(load: _Load, level: str) -> pd.DataFrame:
    parts = []
    for source in load.plan.sources_into(level):
        load.tell(source.name)
        intake, frame = taken_in(load.folder / source.file, source, "MultiPolygon", load.ground)
        load.intakes.append(intake)
        parts.append(frame.assign(**source.constants, geom=intake.shapes))
    if not parts:
        raise Refused(
            "no-outlines",
            f"说明中没有 {level} 级界线",
            f"The description names no outlines of level {level}",
            level=level,
        )
    return pd.concat(parts, ignore_index=True)


def _read_features(load: _Load, source: Source) -> None:
    load.tell(source.name)
    intake, frame = feature_rows(load.folder / source.file, source, load.ground)
    load.intakes.append(intake)
    load.parts.setdefault(source.into, []).append(frame)
    load.located.append((source, frame))
    load.told.append((source, statements(intake, source, frame)))


def _compare_stated(load: _Load) -> None:
    found = [
        differing(source, told, load.frames[source.into], load.frames["unit"])
        for source, told in load.told
    ]
    load.frames["finding"] = joined([load.frames["finding"], *found], FINDING_COLUMNS)


def _suspect_shifts(load: _Load) -> None:
    """Add a finding for each source of points that a shifted datum would explain."""
    metric = load.ground.metric_crs
    known_m = bearings(load.frames, metric)
    everywhere = f"/{load.plan.county.code}/"
    found = [
        shift_findings(source.name, source.into, rows["geom"], known_m, metric).assign(
            unit_path=everywhere
        )
        for source, rows in load.located
        if source.into not in ("building", "street")
    ]
    load.frames["finding"] = joined([load.frames["finding"], *found], FINDING_COLUMNS)


def _suspect_cameras(load: _Load) -> None:
    """Add a finding for each camera whose row is likely wrong; it is loaded as it is."""
    of_cameras = [(source, rows) for source, rows in load.located if source.into == "camera"]
    if not of_cameras:
        return
    ground = camera_ground(load.frames, load.ground.metric_crs)
    placed_rows = load.frames["camera"]
    found = [
        suspect_findings(source.name, placed_rows[placed_rows["id"].isin(rows["id"])], ground)
        for source, rows in of_cameras
    ]
    load.frames["finding"] = joined([load.frames["finding"], *found], FINDING_COLUMNS)


def _county(plan: Description, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    whole = frames["unit"]["geom"].iloc[0].centroid
    facts: dict[str, Any] = {**plan.facts, "assumed": _assumed(plan)}
    if len(frames.get("incident", ())):
        facts["latest_incident_at"] = str(frames["incident"]["occurred_at"].max())
    return pd.DataFrame(
        {
            "code": [plan.county.code],
            "name": plan.county.name,
            "profile": plan.profile,
            "metric_srid": plan.metric_srid,
            "dataset": plan.name,
            "centre_lon": whole.x,
            "centre_lat": whole.y,
            "population_basis": plan.population_basis,
            "facts": [facts],
        }
    )


def _assumed(plan: Description) -> dict[str, dict[str, Any]]:
    """Return what was assumed per source, to be printed beside whatever rests on it."""
    return {source.name: dict(source.assumed) for source in plan.sources if source.assumed}
