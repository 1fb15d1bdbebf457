"""Cameras that are moved by one vector as a batch: in a shifted datum, or by a plain offset.

Cameras stand along streets. Every camera votes for the vectors that would put it on a street; what
a batch was moved by is where the votes of its cameras meet, as in the transform of Hough (1962).
The vector is then refined by least squares of the distances across the streets (Chen and Medioni
1992). GCJ-02 and BD-09 bend over a county, so those two are undone exactly and not searched for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from grid_boundaries.crs import metres_from_lonlat
from layers.coverage.camera_ground import CameraGround, Floats, distance_m, points_of
from layers.load.positions import UNSHIFTED

PLAIN = "offset"
FEWEST = 20
LOOKED_AT = 250  # cameras of a batch; more would tell no more
REACH_M = 800.0  # the longest plain offset searched for
CELL_M = 8.0
NEAR_M = 12.0  # from the middle of a street
WINDOW_M = 15.0  # of the least squares
ROUNDS = 20
USUAL = 0.9  # of cameras that stand right are near a street
LEAST_CHANCE, MOST_CHANCE = 0.02, 0.6  # where anything is near a street nothing is told
SAME_POLE_DIGITS = 5  # of degrees: a metre
AROUND_M = (150.0, 350.0, 600.0)  # where chance is looked at
SURE_Z, CLEAR_Z = 6.0, 4.0  # standard errors above chance, and above the next best vector
APART_M = 40.0  # vectors nearer than this are one
LEAST_OFFSET_M = 8.0
MOST = 0.5
FITS = 0.6  # a batch of which so much stands right as it is needs no search


@dataclass(frozen=True)
class Shift:
    """One vector that explains where a batch of cameras stands.

    Parameters
    ----------
    datum
        ``"GCJ-02"``, ``"BD-09"`` or ``"offset"``.
    east_m, north_m
        How far the cameras stand off, on the mean; what is to be taken from them.
    accuracy_m
        Two standard errors in the worst direction; 0 for a datum, whose shift is known.
    near_now, near_then
        Share of cameras near a street as they stand, and with the shift undone.
    share
        Estimated share of the batch that is moved.
    cameras
        How many were looked at.
    """

    datum: str
    east_m: float
    north_m: float
    accuracy_m: float
    near_now: float
    near_then: float
    share: float
    cameras: int


@dataclass(frozen=True)
class Votes:
    """For each vector of a lattice the weight of the cameras that it would put on a street."""

    image: Floats
    chance: Floats  # per camera, the share of vectors that would
    weight: Floats

    @property
    def error(self) -> float:
        """The standard error of a sum of votes where chance alone casts them."""
        return math.sqrt(float((self.weight**2 * self.chance * (1 - self.chance)).sum()))

    def z(self, near: npt.NDArray[np.bool_]) -> float:
        """Return by how many standard errors some cameras near a street exceed chance."""
        return float((self.weight * (near - self.chance)).sum()) / max(self.error, 1e-9)


def undone(lonlat: Floats, shift: Shift, metric_srid: int) -> Floats:
    """Return positions in metres with a shift taken from them.

    Parameters
    ----------
    lonlat
        Degrees as stated, shape (n, 2).
    """
    if shift.datum == PLAIN:
        return metres_from_lonlat(lonlat, metric_srid) - [shift.east_m, shift.north_m]
    return metres_from_lonlat(UNSHIFTED[shift.datum](lonlat), metric_srid)


def batch_shift(lonlat: Floats, ground: CameraGround) -> Shift | None:
    """Return the shift that most cameras of a batch share, or None.

    A shift is named when it brings more cameras to a street than it takes from one, six standard
    errors above chance, and four above any other vector. Fewer than 20 poles tell nothing, nor
    do cameras that stand beside no street, nor streets in one direction only.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2), finite.
    """
    looked_at = _looked_at(lonlat)
    if len(looked_at) < FEWEST or not len(ground.lines_m):
        return None
    here_m = metres_from_lonlat(looked_at, ground.metric_srid)
    now, chance = _near(here_m, ground), _chance(here_m, ground)
    if _share(now, chance) > FITS:
        return _slight(here_m, now, chance, ground)
    if chance.mean() > MOST_CHANCE:
        return None
    votes = votes_of(here_m, chance, ground)
    tried = [*(_datum(looked_at, here_m, name, ground) for name in UNSHIFTED),
             _peak(here_m, votes, ground)]  # fmt: skip
    judged = (_judged(*pair, now, votes, ground) for pair in tried if pair is not None)
    sure = [one for one in judged if one is not None]
    return max(sure, key=lambda one: one[0])[1] if sure else None


def votes_of(here_m: Floats, chance: Floats, ground: CameraGround) -> Votes:
    """Return the votes of cameras for the vectors of a lattice of `CELL_M`, up to `REACH_M`.

    Parameters
    ----------
    chance
        Per camera, how likely a vector is to put it on a street by chance: a vote weighs the more
        the less likely it is.
    """
    samples = ground.samples_m
    cells = 2 * int(REACH_M / CELL_M) + 1
    image = np.zeros((cells, cells))
    weight = np.log((USUAL + (1 - USUAL) * chance) / chance)
    # a camera at a time: all at once would hold an image for each of them
    for at, own_weight in zip(here_m, weight.tolist(), strict=True):
        image += own_weight * _own_votes(at, samples, cells)
    return Votes(image, chance, weight)


def _chance(here_m: Floats, ground: CameraGround) -> Floats:
    """Return how often each camera would be near a street if it were moved anywhere about."""
    turn_rad = np.arange(8) * (math.pi / 4)
    steps = np.column_stack([np.cos(turn_rad), np.sin(turn_rad)])
    around = np.concatenate([radius_m * steps for radius_m in AROUND_M])
    moved = (here_m[:, None, :] + around).reshape(-1, 2)
    near = _near(moved, ground).reshape(len(here_m), -1)
    share = (near.sum(axis=1) + 0.5) / (near.shape[1] + 1)
    return np.asarray(np.maximum(share, LEAST_CHANCE), dtype=np.float64)


def _own_votes(at: Floats, samples: Floats, cells: int) -> npt.NDArray[np.bool_]:
    first, past = np.searchsorted(samples[:, 0], [at[0] - REACH_M, at[0] + REACH_M])
    cell = np.rint((at - samples[first:past]) / CELL_M).astype(np.intp) + cells // 2
    cell = cell[((cell >= 0) & (cell < cells)).all(axis=1)]
    voted = np.zeros((cells + 2, cells + 2), dtype=bool)
    voted[cell[:, 0] + 1, cell[:, 1] + 1] = True
    # the eight neighbours too: a camera stands beside a street, not on its middle
    wide = voted[:-2] | voted[1:-1] | voted[2:]
    return np.asarray(wide[:, :-2] | wide[:, 1:-1] | wide[:, 2:])


def _looked_at(lonlat: Floats) -> Floats:
    # cameras of one pole say one thing, not several
    _, first = np.unique(np.round(lonlat, SAME_POLE_DIGITS), axis=0, return_index=True)
    poles = lonlat[np.sort(first)]
    # evenly through the batch, so that the same file gives the same answer
    places = np.linspace(0, len(poles) - 1, min(len(poles), LOOKED_AT)).astype(np.intp)
    return poles[places]


def _near(points_m: Floats, ground: CameraGround) -> npt.NDArray[np.bool_]:
    return np.isfinite(distance_m(points_m, ground.lines, NEAR_M))


def _share(near: npt.NDArray[np.bool_], chance: Floats) -> float:
    """Return how much of a batch stands right, if the rest is near a street by chance only."""
    by_chance = float(chance.mean())
    return (float(near.mean()) - by_chance) / max(USUAL - by_chance, 0.05)


def _datum(
    lonlat: Floats, here_m: Floats, name: str, ground: CameraGround
) -> tuple[Shift, Floats, float]:
    there_m = metres_from_lonlat(UNSHIFTED[name](lonlat), ground.metric_srid)
    east_m, north_m = (here_m - there_m).mean(axis=0).tolist()
    return Shift(name, east_m, north_m, 0.0, 0.0, 0.0, 0.0, len(lonlat)), there_m, 1.1


def _peak(here_m: Floats, votes: Votes, ground: CameraGround) -> tuple[Shift, Floats, float] | None:
    image = votes.image
    cell = np.array(np.unravel_index(int(image.argmax()), image.shape), dtype=np.float64)
    return _plain(here_m, (cell - image.shape[0] // 2) * CELL_M, ground)


def _plain(
    here_m: Floats, vector_m: Floats, ground: CameraGround
) -> tuple[Shift, Floats, float] | None:
    refined = _refined(here_m, vector_m, ground)
    if refined is None:
        return None
    vector_m, accuracy_m = refined
    east_m, north_m = vector_m.tolist()
    shift = Shift(PLAIN, east_m, north_m, accuracy_m, 0.0, 0.0, 0.0, len(here_m))
    return shift, here_m - vector_m, 1.0


def _refined(here_m: Floats, vector_m: Floats, ground: CameraGround) -> tuple[Floats, float] | None:
    """Return the vector of least squares across streets, and its accuracy; None if undetermined."""
    covariance = np.full((2, 2), np.inf)
    for _ in range(ROUNDS):
        off_m, across = _across(here_m - vector_m, ground)
        normal = across.T @ across
        if len(off_m) < FEWEST // 2 or np.linalg.cond(normal) > 100.0:
            return None
        covariance = np.linalg.inv(normal) * float((off_m**2).mean())
        step = np.linalg.solve(normal, across.T @ off_m)
        vector_m = vector_m + step
        if np.hypot(*step) < 0.01:
            break
    return vector_m, 2.0 * math.sqrt(float(np.linalg.eigvalsh(covariance).max()))


def _across(points_m: Floats, ground: CameraGround) -> tuple[Floats, Floats]:
    """Return the distances of points from the nearest line within reach, and their directions."""
    points = points_of(points_m)
    point, line = ground.lines.query_nearest(points, max_distance=WINDOW_M, all_matches=False)
    lines = ground.lines_m[line]
    foot = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points[point]))
    apart = points_m[point] - shapely.get_coordinates(foot)
    off_m = np.hypot(*apart.T)
    apart, off_m = apart[off_m > 0.05], off_m[off_m > 0.05]
    return off_m, apart / off_m[:, None]


def _judged(
    shift: Shift,
    there_m: Floats,
    favour: float,
    now: npt.NDArray[np.bool_],
    votes: Votes,
    ground: CameraGround,
) -> tuple[float, Shift] | None:
    """Return a shift with its score if it is beyond doubt, else None.

    A known datum is favoured by a tenth: it needs no search.
    """
    then = _near(there_m, ground)
    score = votes.z(then)
    gained = float((votes.weight * (then & ~now)).sum())
    lost = float((votes.weight * (now & ~then)).sum())
    length_m = math.hypot(shift.east_m, shift.north_m)
    others = _best_other(votes, shift) - float((votes.weight * votes.chance).sum())
    clear = score - others / max(votes.error, 1e-9) >= CLEAR_Z
    if gained <= lost or score < SURE_Z or not clear or length_m < LEAST_OFFSET_M:
        return None
    told = (float(now.mean()), float(then.mean()), min(max(_share(then, votes.chance), MOST), 0.98))
    return score * favour, Shift(
        shift.datum, shift.east_m, shift.north_m, shift.accuracy_m, *told, shift.cameras
    )


def _best_other(votes: Votes, shift: Shift) -> float:
    """Return the most votes for a vector that is neither this one nor standing still."""
    middle = votes.image.shape[0] // 2
    steps_m = (np.arange(votes.image.shape[0]) - middle) * CELL_M
    apart = np.ones_like(votes.image, dtype=bool)
    for east_m, north_m in ((shift.east_m, shift.north_m), (0.0, 0.0)):
        away_m = np.hypot(steps_m[:, None] - east_m, steps_m[None, :] - north_m)
        apart &= away_m > APART_M
    return float(votes.image[apart].max())


def _slight(
    here_m: Floats, now: npt.NDArray[np.bool_], chance: Floats, ground: CameraGround
) -> Shift | None:
    """Return an offset that leaves cameras within reach of their streets, or None."""
    found = _plain(here_m, np.zeros(2), ground)
    if found is None:
        return None
    shift, there_m, _ = found
    length_m = math.hypot(shift.east_m, shift.north_m)
    if length_m < LEAST_OFFSET_M or shift.accuracy_m > length_m / 3:
        return None
    then = _near(there_m, ground)
    if then.mean() < now.mean():
        return None
    return Shift(
        PLAIN, shift.east_m, shift.north_m, shift.accuracy_m,
        float(now.mean()), float(then.mean()), min(max(_share(then, chance), MOST), 0.98), len(now),
    )  # fmt: skip
