"""Outlines: the polygon round all that a camera sees, from the wedges of its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.coverage.walls import Bools, Floats, Ints, spread
from layers.coverage.wedges import OPEN, PAST, SHUT, TURN_RAD, Pieces, Sight, Wedges, distance_m

# the longest chord of an arc: 72 to a circle, which reach 0.06 % beyond the range; chords of one
# circle drawn from different knots stay within 0.1 % of each other
CHORD_RAD = TURN_RAD / 72
# the radius of chords, in ranges, by the angle of one chord
Arcs = Callable[[Floats], Floats]
# points as close as this are one point of an outline: twice the rounding of zone-prefixed metres
SAME_POINT_M = 1e-8


@dataclass(frozen=True)
class _Runs:
    """Neighbouring wedges with one label: from knot `first` to knot `past`."""

    camera: Ints
    label: Ints
    first: Ints
    past: Ints


def equal_area(step_rad: Floats) -> Floats:
    """Return the radius of chords that enclose just as much as the arc, in ranges."""
    radius: Floats = np.sqrt(step_rad / np.sin(step_rad))
    return radius


WIDEST = float(equal_area(np.array(CHORD_RAD)))
# inside the arc, and inside equal-area chords wherever they begin
INSCRIBED = WIDEST * float(np.cos(CHORD_RAD / 2))


def inscribed(step_rad: Floats) -> Floats:
    """Return the radius of chords inside the arc and inside all its equal-area chords."""
    return np.full_like(step_rad, INSCRIBED)


def circumscribed(step_rad: Floats) -> Floats:
    """Return the radius of chords round the arc and round all its equal-area chords."""
    radius: Floats = WIDEST / np.cos(step_rad / 2)
    return radius


def outlines(sight: Sight, wedges: Wedges, pieces: Pieces, arcs: Arcs = equal_area) -> NDArray[Any]:
    """Return one valid polygon a camera; POLYGON EMPTY where it sees nothing.

    Arcs are drawn as chords between points a little outside the circle (radius
    ``range · sqrt(φ / sin φ)`` for chords of φ radians), so that the polygon has exactly the area
    of the true sector. A camera on a corner where two buildings touch may see two separate parts:
    those come as one MultiPolygon. `inscribed` and `circumscribed` arcs err to one side instead.
    """
    runs = _runs(wedges)
    run, rank, chords = _points_of(runs, wedges)
    xy = sight.xy[runs.camera[run]].copy()
    on_wall = runs.label[run] >= 0
    xy[on_wall] = _wall_points(runs, run[on_wall], rank[on_wall], wedges, pieces, sight)
    in_open = runs.label[run] == OPEN
    xy[in_open] += _arc_points(runs, run[in_open], rank[in_open], chords, wedges, sight, arcs)
    narrow = np.flatnonzero(sight.turn_rad < TURN_RAD)
    camera = np.concatenate([narrow, runs.camera[run]])
    order = np.argsort(camera, kind="stable")
    return _polygons(camera[order], np.concatenate([sight.xy[narrow], xy])[order], len(sight.xy))


def _runs(wedges: Wedges) -> _Runs:
    label = wedges.label
    fresh = np.r_[True, (label[1:] != label[:-1]) | (label[:-1] == PAST)][: len(label)]
    first = np.flatnonzero(fresh)
    past = np.r_[first[1:], len(label)]
    turns = label[first] != PAST
    first, past = first[turns], past[turns]
    return _Runs(wedges.camera[first], label[first], first, past)


def _points_of(runs: _Runs, wedges: Wedges) -> tuple[Ints, Ints, Ints]:
    """Return the run and the rank of every point, and the number of chords of every run."""
    width_rad = wedges.angle_rad[runs.past] - wedges.angle_rad[runs.first]
    # rounding must not make a 73rd chord of a full circle
    chords = np.maximum(np.ceil(width_rad / CHORD_RAD - 1e-9), 1).astype(np.int64)
    points = np.where(runs.label == OPEN, chords + 1, np.where(runs.label == SHUT, 1, 2))
    run, rank = spread(points)
    return run, rank, chords


def _wall_points(
    runs: _Runs, run: Ints, rank: Ints, wedges: Wedges, pieces: Pieces, sight: Sight
) -> Floats:
    """Return where a run on a wall begins (rank 0) and ends (rank 1), at its corner if it can."""
    piece, begins = runs.label[run], rank == 0
    knot = np.where(begins, runs.first[run], runs.past[run])
    at_low = begins & (knot == wedges.low[piece]) & pieces.has_low[piece]
    at_high = ~begins & (knot == wedges.high[piece]) & pieces.has_high[piece]
    camera = pieces.camera[piece]
    angle = wedges.angle_rad[knot] + sight.start_rad[camera]
    ray = np.column_stack([np.cos(angle), np.sin(angle)])
    met = sight.xy[camera] + ray * distance_m(pieces, piece, ray)[:, None]
    corner = np.where(at_low[:, None], pieces.low_xy[piece], pieces.high_xy[piece])
    points: Floats = np.where((at_low | at_high)[:, None], corner, met)
    return points


def _arc_points(
    runs: _Runs,
    run: Ints,
    rank: Ints,
    chords: Ints,
    wedges: Wedges,
    sight: Sight,
    arcs: Arcs,
) -> Floats:
    """Return points of arcs, seen from their camera."""
    camera, low = runs.camera[run], wedges.angle_rad[runs.first[run]]
    step = (wedges.angle_rad[runs.past[run]] - low) / chords[run]
    angle = sight.start_rad[camera] + low + rank * step
    radius_m = sight.range_m[camera] * arcs(step)
    arc: Floats = np.column_stack([np.cos(angle), np.sin(angle)]) * radius_m[:, None]
    return arc


def _polygons(camera: Ints, xy: Floats, cameras: int) -> NDArray[Any]:
    kept = _moves(camera, xy)
    camera, xy = camera[kept], xy[kept]
    closed = (np.bincount(camera, minlength=cameras) >= 3)[camera]
    seen, ring = np.unique(camera[closed], return_inverse=True)
    polygons = np.full(cameras, shapely.Polygon(), dtype=object)
    if len(seen):
        polygons[seen] = shapely.polygons(shapely.linearrings(xy[closed], indices=ring))
    return _repaired(polygons)


def _moves(camera: Ints, xy: Floats) -> Bools:
    """Return which points differ from the one before them in the ring of their camera."""
    fresh = np.r_[True, camera[1:] != camera[:-1]][: len(camera)]
    group = np.cumsum(fresh) - 1
    first = np.flatnonzero(fresh)
    last = np.r_[first[1:], len(camera)][: len(first)] - 1
    before = np.arange(len(camera)) - 1
    before[first] = last
    moved = np.abs(xy - xy[before]).max(axis=1, initial=0.0) > SAME_POINT_M
    # a ring of one repeated point keeps none, which is what it is: nothing seen
    kept: Bools = moved & (last[group] > first[group])
    return kept


def _repaired(polygons: NDArray[Any]) -> NDArray[Any]:
    wrong = np.flatnonzero(~shapely.is_valid(polygons))
    # views that meet themselves at the camera, or in a hairline between two walls
    polygons[wrong] = shapely.make_valid(polygons[wrong], method="structure", keep_collapsed=False)
    return polygons
