"""One camera changed: its sight and the figures of the grids it touches, within the transaction.

The result is what the whole county's computation would give; the transaction is noted as answered,
so that the county is not computed again because of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, literal, select

from grid_boundaries.crs import metres_from_lonlat
from grid_boundaries.view import View, narrowed
from layers.cameras import camera
from layers.coverage import results
from layers.coverage.faces import faces_in, patched, seen_changes
from layers.coverage.figures import left_out
from layers.coverage.near import scene_in
from layers.coverage.refresh import NOT_WORKING
from layers.coverage.results import Figures
from layers.coverage.visibility import visible_areas
from layers.coverage.windows import (
    MARGIN_M,
    Scene,
    changed_times,
    counted_change,
    window_of,
)
from layers.read import County

NOTHING: BaseGeometry = shapely.Polygon()
BEFORE, AFTER = "before", "after"
# columns of a camera that its sight and its counts are made of
DRAWN = (
    "grid_code", "state", "online", "indoor", "azimuth_deg", "view_angle_deg", "range_m",
)  # fmt: skip
Camera = Mapping[str, Any]
Changes = dict[str, NDArray[np.float64]]  # by grid code
# of `results.COUNTS`: what is seen, the cameras, the roads
SEEN, OWN, ROADS = slice(0, 3), slice(3, 6), slice(6, 7)


@dataclass(frozen=True)
class Area:
    """A part of the county where a camera saw something, or now does.

    Parameters
    ----------
    paths
        Unit path of each grid of the scene.
    was, now
        What the camera saw here and what it sees; POLYGON EMPTY for nothing.
    """

    scene: Scene
    paths: dict[str, str]
    was: BaseGeometry
    now: BaseGeometry

    @property
    def window(self) -> BaseGeometry:
        """Where something may change."""
        return window_of(self.was, self.now)


@dataclass(frozen=True)
class Followed:
    """What followed from a camera's change.

    Parameters
    ----------
    grids
        Codes of the grids whose figures were computed anew, sorted.
    view_m2
        What the camera sees now.
    """

    grids: Sequence[str]
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
    connection, view = place.connection, place.view
    pair = _pair(before, row, place.srid)
    was = results.stored_view(connection, view, row["id"], place.county)
    reasons = left_out(pair)
    areas = _areas(place, was, pair, looks=AFTER not in reasons.index)
    changes = _own_counts(pair, reasons)
    codes = {*changes, *(code for area in areas for code in area.scene.codes(area.window))}
    lost = {*before["assumed"]} - {*row["assumed"]}
    gone = _no_longer_assumed(connection, view, lost)
    held = results.locked_grids(connection, view, None if gone else codes)
    blind_m2: dict[str, float] = {}
    for area in areas:
        _followed(place, area, row["id"], Stored(held, changes, blind_m2))
    seen = next((area.now for area in areas if not area.now.is_empty), NOTHING)
    results.store_view(connection, row, seen, place.srid, had=not was.is_empty)
    lines = {
        code: Figures(changes.get(code, _ZEROS).tolist(), blind_m2.get(code), held[code])
        for code in sorted({*changes, *blind_m2} & held.keys())
    }
    results.store_figures(connection, lines, now, is_current=is_current)
    results.forget_assumed(connection, gone)
    results.note_answered(connection)
    return Followed(list(lines), float(seen.area))


def _pair(before: Camera, after: Camera, srid: int) -> GeoDataFrame:
    """Return what counts of two rows of a camera, in metres, indexed "before" and "after"."""
    lonlat = np.array([[row["lon"], row["lat"]] for row in (before, after)])
    places = shapely.points(metres_from_lonlat(lonlat, srid))
    columns = {name: [before[name], after[name]] for name in DRAWN}
    return GeoDataFrame(columns, geometry=places, crs=srid, index=[BEFORE, AFTER])


def _add(changes: Changes, at: slice, more: Changes) -> None:
    for code, line in more.items():
        changes.setdefault(code, _ZEROS.copy())[at] += line


def _no_longer_assumed(connection: Connection, view: View, words: Collection[str]) -> list[str]:
    """Return the words that no camera's values are assumed by any more."""
    still = narrowed(select(literal(1)), view, camera.c.unit_path).limit(1)
    return [
        word
        for word in sorted(words)
        if connection.scalar(still.where(camera.c.assumed.contains([word]))) is None
    ]


def _areas(place: Place, was: BaseGeometry, pair: GeoDataFrame, *, looks: bool) -> list[Area]:
    """Return where the camera saw and sees; one area where the two are near each other."""
    old = window_of(was)
    reach = _reach(pair) if looks else NOTHING
    boxes = [box for box in (old, reach) if not box.is_empty]
    if len(boxes) == 2 and old.intersects(reach):
        boxes = [shapely.envelope(shapely.union(old, reach))]
    return [_area(place, box, was if box.covers(old) else NOTHING, reach, pair) for box in boxes]


def _area(
    place: Place, box: BaseGeometry, was: BaseGeometry, reach: BaseGeometry, pair: GeoDataFrame
) -> Area:
    scene, paths = scene_in(place.connection, place.view, place.county, box)
    if not box.covers(reach):
        return Area(scene, paths, was, NOTHING)
    buildings = GeoSeries(scene.buildings, crs=pair.crs)
    return Area(scene, paths, was, visible_areas(pair.loc[[AFTER]], buildings).iloc[0])


def _reach(pair: GeoDataFrame) -> BaseGeometry:
    (x, y), reach_m = shapely.get_coordinates(pair.geometry.iloc[1])[0], pair["range_m"].iloc[1]
    far_m = float(reach_m) + MARGIN_M
    box: BaseGeometry = shapely.box(x - far_m, y - far_m, x + far_m, y + far_m)
    return box


@dataclass(frozen=True)
class Stored:
    """What is known of the figures of grids while areas are followed one after another.

    Parameters
    ----------
    seen_by_m2
        Of every locked grid.
    counts
        By how much `results.COUNTS` change.
    blind_m2
        The new sizes of blind ground.
    """

    seen_by_m2: dict[str, list[float]]
    counts: Changes
    blind_m2: dict[str, float]


def _followed(place: Place, area: Area, key: str, stored: Stored) -> None:
    """Store an area's blind ground and take note of what changes in its grids."""
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
    anew = {code: patched(blind[code], faces.blind(code), window)
            for code in met if faces.is_blinded(code)}  # fmt: skip
    results.store_blind(place.connection, anew, area.paths, place.srid)
    stored.blind_m2.update((code, shape.area) for code, shape in anew.items())
    _add(stored.counts, SEEN, counted_change(scene, before, after, window))
    for code, change in seen_changes(faces).items():
        if code in stored.seen_by_m2:
            _add(stored.counts, ROADS, {code: np.array([change.road_unseen_m])})
            stored.seen_by_m2[code] = changed_times(stored.seen_by_m2[code], change.by_times_m2)


def _with(others: list[BaseGeometry], own: BaseGeometry) -> NDArray[Any]:
    return np.array([*others, *([] if own.is_empty else [own])], dtype=object)


def _own_counts(pair: GeoDataFrame, reasons: Series[str]) -> Changes:
    """Return what the camera itself adds to its new grid and takes from its old one."""
    words = [reasons.get(name) for name in pair.index]
    # `left_out` says the first that holds: not built, then off line or indoors, then a fault
    works = np.array([word not in NOT_WORKING for word in words])
    built = np.array([word != NOT_WORKING[0] for word in words])
    faulty = works & np.array([word is not None for word in words])
    counts = np.column_stack([built, works, faulty]).astype(float)
    found: Changes = {}
    for code, line, sign in zip(pair["grid_code"], counts, (-1.0, 1.0), strict=True):
        if code is not None:
            _add(found, OWN, {code: sign * line})
    return found


_ZEROS = np.zeros(len(results.COUNTS))
