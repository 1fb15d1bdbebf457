"""The wedge sweep: which wall, if any, each camera meets first in every direction.

The directions of all wall ends cut a camera's turn into wedges. Walls cross nowhere but at their
ends, so within one wedge the order of the walls is the same everywhere, and one look along the
middle of the wedge tells which is the nearest (the angular sweep of Asano 1985 and Suri & O'Rourke
1986, without its balanced tree: a wall covers a run of sorted wedges, so the pairs are few).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.coverage.walls import Bools, Floats, Ints, Walls, cross, spread

TURN_RAD = 2 * np.pi
# a camera as near as this to a wall stands on it: below a mounting's precision, above rounding
CONTACT_M = 1e-6
# directions as close as this are one direction: 15 nm at 150 m
SAME_DIRECTION_RAD = 1e-10
# rounding may leave a hairline between two buildings that both touch the camera
CRACK_RAD = 1e-8
OPEN, SHUT, PAST = -1, -2, -3


@dataclass(frozen=True)
class Sight:
    """Cameras as arrays: where they stand, from which direction they turn left and how far.

    `start_rad` counts from the x axis, counter-clockwise; `turn_rad` is 2π for an all-round camera.
    """

    xy: Floats
    start_rad: Floats
    turn_rad: Floats
    range_m: Floats

    def some(self, rows: slice | Ints | Bools) -> Sight:
        """Return some of the cameras."""
        return Sight(self.xy[rows], self.start_rad[rows], self.turn_rad[rows], self.range_m[rows])


@dataclass(frozen=True)
class Pieces:
    """Stretches of direction that walls cover, none across the start of a camera's turn.

    ``low_rad`` and ``high_rad`` count from the camera's start. ``low_xy`` and ``high_xy`` are the
    points of the wall there, where ``has_low`` and ``has_high`` say that they are the wall's own
    ends and not cut by the field of view. ``near_xy`` is the wall's start seen from the camera and
    ``along`` its vector.
    """

    camera: Ints
    low_rad: Floats
    high_rad: Floats
    low_xy: Floats
    high_xy: Floats
    has_low: Bools
    has_high: Bools
    near_xy: Floats
    along: Floats


@dataclass(frozen=True)
class Wedges:
    """Knots (sorted directions) of all cameras; wedge i lies between knot i and knot i + 1.

    ``label`` is the piece met first, ``OPEN`` up to the range, ``SHUT`` where the camera touches a
    building, ``PAST`` for the knot that ends a camera's turn. ``low`` and ``high`` are the knots of
    each piece.
    """

    camera: Ints
    angle_rad: Floats
    label: Ints
    low: Ints
    high: Ints


@dataclass(frozen=True)
class Candidates:
    """Pairs of a camera and a wall that might matter, with the wall's ends seen from the camera."""

    camera: Ints
    wall: Ints
    p: Floats
    q: Floats

    def without(self, some: Bools) -> Candidates:
        """Return the pairs that are not marked."""
        kept = ~some
        return Candidates(self.camera[kept], self.wall[kept], self.p[kept], self.q[kept])


def candidates(sight: Sight, walls: Walls, camera: Ints, building: Ints) -> Candidates:
    """Return all walls of the given (camera, building) pairs, sorted by camera and wall."""
    first = np.searchsorted(walls.building, building, side="left")
    past = np.searchsorted(walls.building, building, side="right")
    pair, rank = spread(past - first)
    wall, seer = first[pair] + rank, camera[pair]
    here = sight.xy[seer]
    return Candidates(seer, wall, walls.start[wall] - here, walls.end[wall] - here)


def touching(near: Candidates) -> Bools:
    """Return which candidates come within `CONTACT_M` of their camera."""
    u = near.q - near.p
    # seen from a camera, a wall of one rounding step may shrink to a point
    length2 = np.maximum((u * u).sum(axis=1), np.finfo(np.float64).tiny)
    touch: Bools = cross(near.p, near.q) ** 2 <= CONTACT_M**2 * length2
    some = np.flatnonzero(touch)
    p, u, length2 = near.p[some], u[some], length2[some]
    along = np.clip(-(p * u).sum(axis=1) / length2, 0.0, 1.0)
    touch[some] = np.hypot(*(p + along[:, None] * u).T) <= CONTACT_M
    return touch


def shut_directions(
    near: Candidates, touch: Bools, walls: Walls, sight: Sight
) -> tuple[Ints, Floats, Floats]:
    """Return camera, first direction and width of each cone into a building that is touched.

    Standing on the ring at a run of touching walls, the building fills the directions from the
    run's end, turning left, to the run's beginning.
    """
    camera, wall = near.camera[touch], near.wall[touch]
    key = camera * len(walls.ring) + wall
    following = walls.next_in_ring(wall)
    goes_on = np.isin(camera * len(walls.ring) + following, key)
    has_before = np.isin(wall, following[goes_on]) & np.isin(
        key, camera[goes_on] * len(walls.ring) + following[goes_on]
    )
    enter, leave = np.flatnonzero(~has_before), np.flatnonzero(~goes_on)
    enter = enter[_partner(camera[enter], walls.ring[wall[enter]], enter, leave)]
    who = camera[leave]
    low = _direction(near.q[touch][leave], sight.start_rad[who])
    width = np.mod(_direction(near.p[touch][enter], sight.start_rad[who]) - low, TURN_RAD)
    several = np.bincount(who, minlength=len(sight.range_m))[who] > 1
    return who, np.mod(low - CRACK_RAD * several, TURN_RAD), width + 2 * CRACK_RAD * several


def _partner(camera: Ints, ring: Ints, enter: Ints, leave: Ints) -> Ints:
    """Return, for each leaving wall, the place in `enter` where its run began."""
    fresh = np.r_[True, (camera[1:] != camera[:-1]) | (ring[1:] != ring[:-1])][: len(camera)]
    group = np.cumsum(fresh) - 1
    first, size = np.flatnonzero(fresh), np.bincount(group)
    # a run that passes the ring's first wall leaves before it enters
    wraps = (leave[first] < enter[first])[group].astype(np.int64)
    rank = np.arange(len(camera)) - first[group]
    place: Ints = first[group] + np.mod(rank - wraps, size[group])
    return place


def _direction(xy: Floats, start_rad: Floats) -> Floats:
    direction: Floats = np.mod(np.arctan2(xy[:, 1], xy[:, 0]) - start_rad, TURN_RAD)
    return direction


def facing_pieces(near: Candidates, sight: Sight) -> Pieces:
    """Return the directions covered by walls that face their camera within its range."""
    front = np.flatnonzero(cross(near.p, near.q) < 0)
    camera, p, q = near.camera[front], near.p[front], near.q[front]
    u = q - p
    length2 = (u * u).sum(axis=1)
    reach2 = (sight.range_m[camera] ** 2 - cross(p, q) ** 2 / length2) / length2
    foot, half = -(p * u).sum(axis=1) / length2, np.sqrt(np.maximum(reach2, 0.0))
    t0, t1 = np.maximum(foot - half, 0.0), np.minimum(foot + half, 1.0)
    kept = (reach2 > 0) & (t0 < t1)
    camera, p, q, u, t0, t1 = (a[kept] for a in (camera, p, q, u, t0, t1))
    # turning left, a facing wall is met at its end first
    low = np.where((t1 == 1.0)[:, None], q, p + t1[:, None] * u)
    high = np.where((t0 == 0.0)[:, None], p, p + t0[:, None] * u)
    return _pieces(camera, low, high, p, u, sight)


def _pieces(
    camera: Ints, low: Floats, high: Floats, near_xy: Floats, along: Floats, sight: Sight
) -> Pieces:
    start_rad = sight.start_rad[camera]
    low_rad = _direction(low, start_rad)
    width = np.mod(_direction(high, start_rad) - low_rad, TURN_RAD)
    # a wall seen end-on may turn the wrong way by rounding; nothing facing fills half a turn
    width[width > np.pi] = 0.0
    row, lo, hi, own_lo, own_hi = _within_turn(low_rad, width, sight.turn_rad[camera])
    here = sight.xy[camera[row]]
    return Pieces(
        camera[row], lo, hi, low[row] + here, high[row] + here,
        own_lo, own_hi, near_xy[row], along[row],
    )  # fmt: skip


def pieces_within(
    camera: Ints, low_rad: Floats, width_rad: Floats, near_xy: Floats, along: Floats, sight: Sight
) -> Pieces:
    """Return stretches of walls by their directions (from the x axis), cut to the field of view."""
    low = np.mod(low_rad - sight.start_rad[camera], TURN_RAD)
    row, lo, hi, _, _ = _within_turn(low, width_rad, sight.turn_rad[camera])
    nowhere, no = np.zeros((len(row), 2)), np.zeros(len(row), dtype=np.bool_)
    return Pieces(camera[row], lo, hi, nowhere, nowhere, no, no, near_xy[row], along[row])


def _within_turn(
    low_rad: Floats, width_rad: Floats, turn_rad: Floats
) -> tuple[Ints, Floats, Floats, Bools, Bools]:
    """Cut arcs to the field of view: row, low, high, and whether low and high are the arc's own."""
    row = np.tile(np.arange(len(low_rad)), 2)
    shift = np.repeat([0.0, TURN_RAD], len(low_rad))
    low, high = low_rad[row] - shift, (low_rad + width_rad)[row] - shift
    lo, hi = np.maximum(low, 0.0), np.minimum(high, turn_rad[row])
    kept = lo < hi
    return row[kept], lo[kept], hi[kept], (lo == low)[kept], (hi == high)[kept]


def wedges(sight: Sight, pieces: Pieces, shut: tuple[Ints, Floats, Floats]) -> Wedges:
    """Return the wedges of all cameras and what closes each of them.

    Parameters
    ----------
    sight
        The cameras.
    pieces
        The walls they face.
    shut
        Camera, first direction and width (rad) of cones that open into a touched building.
    """
    who, low_rad, width_rad = shut
    row, shut_lo, shut_hi, _, _ = _within_turn(low_rad, width_rad, sight.turn_rad[who])
    everyone = np.arange(len(sight.range_m))
    owner = [everyone, everyone, pieces.camera, pieces.camera, who[row], who[row]]
    rad = [0 * sight.turn_rad, sight.turn_rad, pieces.low_rad, pieces.high_rad, shut_lo, shut_hi]
    camera, angle_rad, knot = _knots(np.concatenate(owner), np.concatenate(rad))
    parts = np.cumsum([len(part) for part in rad])
    _, ends, low, high, closed, opened = np.split(knot, parts[:-1])
    label = _nearest(sight, pieces, camera, angle_rad, low, high)
    pair, rank = spread(opened - closed)
    label[closed[pair] + rank] = SHUT
    label[ends] = PAST
    return Wedges(camera, angle_rad, label, low, high)


def _knots(owner: Ints, rad: Floats) -> tuple[Ints, Floats, Ints]:
    """Sort directions by camera and angle, one knot a direction; each input's knot comes last."""
    order = np.lexsort((rad, owner))
    camera, angle = owner[order], rad[order]
    fresh = np.r_[
        True, (camera[1:] != camera[:-1]) | (angle[1:] - angle[:-1] > SAME_DIRECTION_RAD)
    ][: len(camera)]
    knot = np.empty(len(order), dtype=np.int64)
    knot[order] = np.cumsum(fresh) - 1
    return camera[fresh], angle[fresh], knot


def _nearest(
    sight: Sight, pieces: Pieces, camera: Ints, angle_rad: Floats, low: Ints, high: Ints
) -> Ints:
    middle = (angle_rad + np.r_[angle_rad[1:], angle_rad[-1:]]) / 2 + sight.start_rad[camera]
    ray = np.column_stack([np.cos(middle), np.sin(middle)])
    piece, rank = spread(high - low)
    wedge = low[piece] + rank
    along = pieces.along[piece]
    nearness = cross(along, ray[wedge]) / cross(along, pieces.near_xy[piece])
    best = np.full(len(camera), -np.inf)
    np.maximum.at(best, wedge, nearness)
    first = nearness == best[wedge]
    label = np.full(len(camera), OPEN, dtype=np.int64)
    label[wedge[first]] = piece[first]
    return label


def distance_m(pieces: Pieces, piece: Ints, ray: Floats) -> Floats:
    """Return how far along unit vectors `ray` the line of each piece's wall is met."""
    along = pieces.along[piece]
    met: Floats = cross(along, pieces.near_xy[piece]) / cross(along, ray)
    return met
