"""One camera changed: its sight and the figures of the grids it touches, within the transaction.

The result is what the whole county's computation would give; the transaction is noted as answered,
so that the county is not computed again because of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, func, literal, select

from grid_boundaries.crs import metres_from_lonlat
from grid_boundaries.view import View, narrowed
from layers.cameras import camera
from layers.coverage import results
from layers.coverage.faces import faces_in, patched, seen_changes
from layers.coverage.figures import BUILT_STATES, SIGHT_NUMBERS, left_out_words
from layers.coverage.near import Stage, stage_in
from layers.coverage.refresh import NOT_WORKING
from layers.coverage.results import Figures
from layers.coverage.sweep import swept_views
from layers.coverage.visibility import sight_of
from layers.coverage.windows import (
    MARGIN_M,
    NOTHING,
    Scene,
    changed_times,
    counted_change,
    window_of,
)
from layers.read import County

ASSUMED = 7_310_927  # advisory lock of changes after which a value may be assumed no more
Camera = Mapping[str, Any]
Floats = NDArray[np.float64]
Changes = dict[str, Floats]  # by grid code
# of `results.COUNTS`: what is seen, the cameras, the roads
SEEN, OWN, ROADS = slice(0, 3), slice(3, 6), slice(6, 7)


@dataclass(frozen=True)
class End:
    """A camera before or after its change.

    Parameters
    ----------
    xy_m
        Where it stands, ``[1, 2]``.
    numbers
        ``azimuth_deg``, ``view_angle_deg`` and ``range_m``; NaN where missing.
    reason
        Why it sees nothing, as in `left_out`; empty where it does.
    """

    xy_m: Floats
    numbers: Mapping[str, Floats]
    reason: str

    @property
    def reach(self) -> BaseGeometry:
        """The box that all it may see lies in."""
        far_m = MARGIN_M + (0.0 if self.reason else float(self.numbers["range_m"][0]))
        west_south, east_north = self.xy_m[0] - far_m, self.xy_m[0] + far_m
        box: BaseGeometry = shapely.box(*west_south, *east_north)
        return box

    def view(self, buildings: NDArray[Any]) -> BaseGeometry:
        """Return what it sees among buildings; POLYGON EMPTY for nothing."""
        if self.reason:
            return NOTHING
        sight = sight_of(self.xy_m, *(self.numbers[name] for name in SIGHT_NUMBERS))
        seen: BaseGeometry = swept_views(sight, buildings)[0]
        return seen


@dataclass(frozen=True)
class Area:
    """A part of the county where a camera saw something, or now does.

    Parameters
    ----------
    was, now
        What the camera saw here and what it sees; POLYGON EMPTY for nothing.
    """

    stage: Stage
    was: BaseGeometry
    now: BaseGeometry

    @property
    def scene(self) -> Scene:
        """What stands here."""
        return self.stage.scene

    @cached_property
    def window(self) -> BaseGeometry:
        """Where something may change."""
        return window_of(self.was, self.now)


@dataclass(frozen=True)
class Followed:
    """What followed from a camera's change.

    Parameters
    ----------
    figures
        The rows of `grid_coverage` that were computed anew, by grid code.
    view_m2
        What the camera sees now.
    """

    figures: Sequence[Mapping[str, Any]]
    view_m2: float


@dataclass(frozen=True)
class Place:
    """Where results are kept: a connection, a view of the whole county, and the county."""

    connection: Connection
    view: View
    county: County

    @property
    def srid(self) -> int:
        """The county's metric CRS."""
        return self.county.metric_srid


def follow(
    place: Place, before: Camera, row: Camera, now: datetime, *, is_current: bool = True
) -> Followed:
    """Compute anew what one camera's change touches, and store it.

    Parameters
    ----------
    place
        In the transaction that changes the camera. Its scope is the whole county, the camera's row
        is locked, and `results.share_results` was called before anything was read.
    before, row
        The camera's row as it was and as it is now, with ``lon`` and ``lat`` for its geometry.
    now
        Written beside the results, aware.
    is_current
        Whether the results held every other change; if not, they keep the version they had.
    """
    ends = _ends(before, row, place.srid)
    areas = _areas(place, row["id"], *ends)
    changes = _own_counts(zip((before, row), ends, strict=True))
    codes = {*changes, *(code for area in areas for code in area.scene.codes(area.window))}
    gone = _no_longer_assumed(place, {*before["assumed"]} - {*row["assumed"]})
    held = results.locked_grids(place.connection, place.view, None if gone else codes)
    results.forget_assumed(place.connection, gone)
    blind: dict[str, BaseGeometry] = {}
    for area in areas:
        _followed(place, area, row["id"], Stored(held, changes, blind))
    lines = {
        code: Figures(line.tolist(), blind[code].area if code in blind else None, held[code])
        for code, line in changes.items()
        if code in held
    }
    seen = next((area.now for area in areas if not area.now.is_empty), NOTHING)
    paths = {code: path for area in areas for code, path in area.stage.paths.items()}
    left = results.Changed(row, seen, blind, paths, lines)
    figures = results.store(place.connection, left, place.srid, now, is_current=is_current)
    return Followed(figures, float(seen.area))


def _ends(before: Camera, row: Camera, srid: int) -> tuple[End, End]:
    lonlat = np.array([(one["lon"], one["lat"]) for one in (before, row)])
    xy_m = metres_from_lonlat(lonlat, srid)
    return _end(before, xy_m[:1]), _end(row, xy_m[1:])


def _end(row: Camera, xy_m: Floats) -> End:
    numbers = {name: np.array([row[name]], dtype=np.float64) for name in SIGHT_NUMBERS}
    flags = {
        "built": row["state"] in BUILT_STATES,
        "online": row["online"] is True,
        "indoor": row["indoor"] is True,
        "placed": np.isfinite(xy_m).all(),
    }
    facts = numbers | {name: np.array([flag], dtype=bool) for name, flag in flags.items()}
    return End(xy_m, numbers, str(left_out_words(facts)[0]))


def _add(changes: Changes, at: slice, more: Changes) -> None:
    for code, line in more.items():
        changes.setdefault(code, _ZEROS.copy())[at] += line


def _no_longer_assumed(place: Place, words: Collection[str]) -> list[str]:
    """Return the words that no camera's values are assumed by any more."""
    if not words:
        return []
    # one after another: each of two at once would still find the word with the other
    place.connection.execute(select(func.pg_advisory_xact_lock(ASSUMED)))
    still = narrowed(select(literal(1)), place.view, camera.c.unit_path).limit(1)
    return [
        word
        for word in sorted(words)
        if place.connection.scalar(still.where(camera.c.assumed.contains([word]))) is None
    ]


def _areas(place: Place, key: str, before: End, after: End) -> list[Area]:
    """Return where the camera saw and sees; one area where the two are near each other."""
    box = after.reach
    if box.intersects(before.reach):
        box = shapely.envelope(shapely.union(box, before.reach))
    stage = _stage(place, key, box)
    was, old = stage.own, window_of(stage.own)
    if not (old.is_empty or box.covers(old)):
        if not box.intersects(old):
            away = Area(_stage(place, key, old), was, NOTHING)
            return [away, Area(stage, NOTHING, after.view(stage.scene.buildings))]
        # the results are behind the camera's row
        stage = _stage(place, key, shapely.envelope(shapely.union(box, old)))
    return [Area(stage, was, after.view(stage.scene.buildings))]


def _stage(place: Place, key: str, box: BaseGeometry) -> Stage:
    return stage_in(place.connection, place.view, place.county, box, key)


@dataclass(frozen=True)
class Stored:
    """What is known of the figures of grids while areas are followed one after another.

    Parameters
    ----------
    seen_by_m2
        Of every locked grid.
    counts
        By how much `results.COUNTS` change.
    blind
        The new blind ground.
    """

    seen_by_m2: dict[str, list[float]]
    counts: Changes
    blind: dict[str, BaseGeometry]


def _followed(place: Place, area: Area, key: str, stored: Stored) -> None:
    """Take note of what changes in an area's grids."""
    window, scene = area.window, area.scene
    if window.is_empty:
        return
    met = [code for code, shape in scene.grids.items()
           if code in stored.seen_by_m2 and shape.intersects(window)]  # fmt: skip
    # all that may see a home that meets the window
    near = window_of(window, *scene.homes.meeting(window).shapes)
    views, blind = results.views_and_blind(place.connection, place.view, place.county, near, met)
    views.pop(key, None)
    before, after = (_with(list(views.values()), one) for one in (area.was, area.now))
    faces = faces_in(scene, before, after, window)
    for code in met:
        if faces.is_blinded(code):
            left = stored.blind.get(code, blind[code])
            stored.blind[code] = patched(left, faces.blind(code), window)
    _add(stored.counts, SEEN, counted_change(scene, before, after, window))
    for code, change in seen_changes(faces).items():
        if code in stored.seen_by_m2:
            _add(stored.counts, ROADS, {code: np.array([change.road_unseen_m])})
            stored.seen_by_m2[code] = changed_times(stored.seen_by_m2[code], change.by_times_m2)


def _with(others: list[BaseGeometry], own: BaseGeometry) -> NDArray[Any]:
    return np.array([*others, *([] if own.is_empty else [own])], dtype=object)


def _own_counts(ends: Iterable[tuple[Camera, End]]) -> Changes:
    """Return what the camera itself adds to its new grid and takes from its old one."""
    found: Changes = {}
    for (row, end), sign in zip(ends, (-1.0, 1.0), strict=True):
        # `left_out` says the first that holds: not built, then off line or indoors, then a fault
        works = end.reason not in NOT_WORKING
        line = [end.reason != NOT_WORKING[0], works, works and end.reason != ""]
        if row["grid_code"] is not None:
            _add(found, OWN, {row["grid_code"]: sign * np.array(line, dtype=np.float64)})
    return found


_ZEROS = np.zeros(len(results.COUNTS))
