"""Suspects: cameras whose row is likely wrong, why, and where each would stand put right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from grid_boundaries.crs import lonlat_from_metres, metres_from_lonlat
from layers.coverage.batch_shifts import PLAIN
from layers.coverage.camera_ground import Bools, CameraGround, Floats, Shapes, points_of
from layers.coverage.camera_shifts import Batch, ShiftedCameras, shifted_cameras
from layers.coverage.device_codes import texts_of
from layers.coverage.row_faults import (
    Found,
    code_faults,
    column,
    entered_twice,
    is_indoor,
    without_azimuth,
)
from layers.coverage.suspect_words import REASONS, sentences
from layers.coverage.wall_snaps import is_inside, is_on_wall, snapped

COLUMNS = ["reason", "reasons", "lon", "lat", "moved_m", "probability", "facts", "zh", "en"]
ZERO_DEG = 0.001
OUTSIDE_M = 50.0  # outlines of units are drawn no finer
FARTHEST_M = 5_000.0  # a camera further from the county is in no shifted datum either
GROUPS = ("supplier", "town")
REASON_OF = {"GCJ-02": "gcj-02", "BD-09": "bd-09", PLAIN: "moved-as-batch"}


@dataclass(frozen=True)
class Suspects:
    """What was found.

    Parameters
    ----------
    rows
        One row a suspected camera, indexed as the cameras are: `reason`, all `reasons`; `lon`,
        `lat`, the position proposed (NaN where none can be), and `moved_m` to there;
        `probability` of a shift (NaN for a plain fault); `facts`; the sentences `zh` and `en`.
    batches
        Shifts of whole batches.
    """

    rows: pd.DataFrame
    batches: tuple[Batch, ...]


@dataclass
class _Verdicts:
    """What is found row by row, and the positions proposed, metres."""

    proposed_m: Floats
    probability: Floats
    found: dict[str, Found] = field(default_factory=dict)

    def add(
        self, reason: str, rows: Bools, facts: Mapping[int, dict[str, Any]] | None = None
    ) -> None:
        """Note a reason for some rows."""
        own = facts or {}
        self.found[reason] = {row: own.get(row, {}) for row in np.flatnonzero(rows).tolist()}


def suspects(cameras: pd.DataFrame, ground: CameraGround) -> Suspects:
    """Return the cameras whose rows are likely wrong; nothing is changed.

    Parameters
    ----------
    cameras
        `geom`, points in degrees as the file has them, or None. Whatever else is there is used:
        `device_code`, `azimuth_deg`, `view_angle_deg`, `range_m`, `kind`, `indoor`, the `supplier`
        and `town` that batches are told by, and `stated_code`, the unit, grid or block that the
        row says it is in.
    ground
        What they are compared with.

    Notes
    -----
    A single camera in GCJ-02 is told from one that stands right by its stated grid or block, or
    where streets are rare; amid a town, with nothing stated, it may stand as well as any other,
    and is then not suspected. docs/decisions/0024 has the figures.
    """
    lonlat = _lonlat(cameras)
    verdicts = _Verdicts(np.full_like(lonlat, np.nan), np.full(len(lonlat), np.nan))
    judged = _unplaced(lonlat, verdicts, ground)
    points_m = np.full_like(lonlat, np.nan)
    points_m[judged] = metres_from_lonlat(lonlat[judged], ground.metric_srid)
    batches = _shifted(cameras, lonlat, judged, verdicts, ground)
    is_moved = np.isfinite(verdicts.probability)
    standing = judged & ~is_moved & ~is_indoor(cameras)
    _at_walls(points_m, standing, verdicts, ground)
    _elsewhere(cameras, points_m, judged & ~is_moved, verdicts, ground)
    verdicts.found |= code_faults(cameras, ground.county_code)
    verdicts.found["no-azimuth"] = without_azimuth(cameras)
    verdicts.found["duplicate"] = entered_twice(cameras, points_m)
    return Suspects(_rows(cameras, points_m, verdicts, ground), batches)


def _lonlat(cameras: pd.DataFrame) -> Floats:
    points = np.array(cameras["geom"], dtype=object)
    is_point = shapely.get_type_id(points) == shapely.GeometryType.POINT
    is_point &= ~shapely.is_empty(points)
    points[~is_point] = None
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _unplaced(lonlat: Floats, verdicts: _Verdicts, ground: CameraGround) -> Bools:
    """Note the rows without a position, at (0,0) or swapped; return those that have a place."""
    missing = np.asarray(~np.isfinite(lonlat).all(axis=1))
    at_zero = np.asarray((np.abs(lonlat) < ZERO_DEG).all(axis=1))
    verdicts.add("no-position", missing)
    verdicts.add("at-zero", at_zero)
    placed = np.flatnonzero(~missing & ~at_zero)
    straight, turned_m = (
        _metres(pairs, ground) for pairs in (lonlat[placed], lonlat[placed, ::-1])
    )
    near_as_is, near_turned = (_is_near(at_m, ground) for at_m in (straight, turned_m))
    swapped = _at(placed[near_turned & ~near_as_is], len(lonlat))
    verdicts.proposed_m[placed] = np.where(swapped[placed, None], turned_m, np.nan)
    verdicts.add("swapped-axes", swapped)
    judged = _at(placed[np.isfinite(straight).all(axis=1)], len(lonlat)) & ~swapped
    verdicts.add("no-such-place", ~(missing | at_zero | swapped | judged))
    return judged


def _metres(lonlat: Floats, ground: CameraGround) -> Floats:
    """Return metres of degrees; NaN for what lies beyond the poles or in no zone's reach."""
    sound = np.asarray((np.abs(lonlat) <= [180.0, 90.0]).all(axis=1))
    found = metres_from_lonlat(np.where(sound[:, None], lonlat, np.nan), ground.metric_srid)
    return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, np.nan)


def _is_near(points_m: Floats, ground: CameraGround) -> Bools:
    away_m = _away_m(points_m, np.full(len(points_m), ground.outline_m, dtype=object))
    return np.asarray(away_m <= FARTHEST_M)


def _away_m(points_m: Floats, areas: Shapes) -> Floats:
    """Return how far points lie outside their areas; inf where either is missing."""
    found = np.full(len(points_m), np.inf)
    known = np.asarray(np.isfinite(points_m).all(axis=1) & ~shapely.is_missing(areas))
    found[known] = shapely.distance(points_of(points_m[known]), areas[known])
    return found


def _shifted(
    cameras: pd.DataFrame,
    lonlat: Floats,
    judged: Bools,
    verdicts: _Verdicts,
    ground: CameraGround,
) -> tuple[Batch, ...]:
    """Note the cameras in a shifted datum or moved with their batch; return the batches."""
    near = judged.copy()
    near[judged] = _is_near(metres_from_lonlat(lonlat[judged], ground.metric_srid), ground)
    rows = np.flatnonzero(near & ~is_indoor(cameras))
    groups = {name: cameras[name].iloc[rows] for name in GROUPS if name in cameras}
    found = shifted_cameras(lonlat[rows], groups, _stated_areas(cameras, ground)[rows], ground)
    moved = found.datum != ""
    verdicts.proposed_m[rows[moved]] = found.there_m[moved]
    verdicts.probability[rows[moved]] = found.probability[moved]
    for datum, reason in REASON_OF.items():
        verdicts.add(reason, _at(rows[found.datum == datum], len(lonlat)))
    return tuple(_renumbered(found, rows))


def _renumbered(found: ShiftedCameras, rows: npt.NDArray[np.intp]) -> list[Batch]:
    return [Batch(one.by, one.name, one.shift, rows[one.rows]) for one in found.batches]


def _at(rows: npt.NDArray[np.intp], count: int) -> Bools:
    marked = np.zeros(count, dtype=bool)
    marked[rows] = True
    return marked


def _stated_areas(cameras: pd.DataFrame, ground: CameraGround) -> Shapes:
    codes = texts_of(column(cameras, "stated_code"))
    areas = np.empty(len(cameras), dtype=object)
    areas[:] = [ground.areas_m.get(code) for code in codes]
    return areas


def _at_walls(points_m: Floats, standing: Bools, verdicts: _Verdicts, ground: CameraGround) -> None:
    own = points_m[standing]
    for reason, is_hit in (("inside-building", is_inside), ("on-wall", is_on_wall)):
        hit = standing.copy()
        hit[standing] = is_hit(own, ground)
        verdicts.proposed_m[hit] = snapped(points_m[hit], ground)
        verdicts.add(reason, hit)


def _elsewhere(
    cameras: pd.DataFrame,
    points_m: Floats,
    standing: Bools,
    verdicts: _Verdicts,
    ground: CameraGround,
) -> None:
    """Note the cameras that stand outside the county, or away from where their row says."""
    stated = _stated_areas(cameras, ground)
    county = np.full(len(stated), ground.outline_m, dtype=object)
    codes = texts_of(column(cameras, "stated_code"))
    for reason, areas in (("outside-county", county), ("outside-stated-area", stated)):
        away_m = _away_m(points_m, areas)
        is_out = standing & ~shapely.is_missing(areas) & (away_m > OUTSIDE_M)
        facts = {
            row: {"away_m": float(away_m[row]), "stated": codes.iloc[row][:40]}
            for row in np.flatnonzero(is_out).tolist()
        }
        verdicts.add(reason, is_out, facts)


def _rows(
    cameras: pd.DataFrame, points_m: Floats, verdicts: _Verdicts, ground: CameraGround
) -> pd.DataFrame:
    reasons: dict[int, list[str]] = {}
    for reason in REASONS:
        for row in verdicts.found.get(reason, {}):
            reasons.setdefault(row, []).append(reason)
    rows = sorted(reasons)
    lonlat = lonlat_from_metres(verdicts.proposed_m, ground.metric_srid)
    moved_m = np.hypot(*(verdicts.proposed_m - points_m).T)
    told = [_told(row, reasons[row], lonlat[row], moved_m[row], verdicts) for row in rows]
    return pd.DataFrame(told, columns=COLUMNS, index=cameras.index[rows])


def _told(
    row: int, reasons: list[str], lonlat: Floats, moved_m: np.float64, verdicts: _Verdicts
) -> tuple[Any, ...]:
    lon, lat = lonlat.tolist()
    probability = float(verdicts.probability[row])
    facts = {"lon": lon, "lat": lat, "moved_m": float(moved_m), "probability": probability}
    for reason in reversed(reasons):
        facts |= verdicts.found[reason][row]
    zh, en = sentences(reasons[0], facts)
    own = verdicts.found[reasons[0]][row]
    return reasons[0], tuple(reasons), lon, lat, float(moved_m), probability, own, zh, en
