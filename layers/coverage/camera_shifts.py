"""Which cameras are moved by a shift, batch by batch and one by one, and where they stand then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from grid_boundaries.crs import metres_from_lonlat
from layers.coverage.batch_shifts import Shift, batch_shift, undone
from layers.coverage.camera_ground import Bools, CameraGround, Floats, Shapes
from layers.coverage.standing import Standing, standing
from layers.load.positions import UNSHIFTED

DATUMS = tuple(UNSHIFTED)
BY_ALL = "all"
# the share of single cameras that are in a shifted datum amid good ones is learned from them
FIRST_PRIOR, FIRST_WEIGHT, MOST_PRIOR = 0.005, 100.0, 0.2  # before any, for how many it counts
ROUNDS = 20
DECOYS = 1_000  # cameras that are moved as decoys
MOST_BY_CHANCE = 0.2
SURE = 0.6  # probability from which a camera is suspected


@dataclass(frozen=True)
class Batch:
    """Cameras moved together.

    Parameters
    ----------
    by, name
        What they have in common: ``"all"``, ``"supplier"`` or ``"town"``, and which.
    rows
        Positions of its cameras, moved or not.
    """

    by: str
    name: str
    shift: Shift
    rows: npt.NDArray[np.intp]

    @property
    def purity(self) -> float:
        """Return the share of its cameras that are moved, to a tenth."""
        return round(self.shift.share, 1)


@dataclass(frozen=True)
class ShiftedCameras:
    """A verdict for each camera.

    Parameters
    ----------
    datum
        ``""`` for a camera that stands where it says, else as in `Shift`.
    there_m
        Where it stands with that undone, metres.
    probability
        That it is moved at all.
    batches
        The shifts recognised.
    """

    datum: npt.NDArray[np.object_]
    there_m: Floats
    probability: Floats
    batches: tuple[Batch, ...]


def shifted_cameras(
    lonlat: Floats, groups: Mapping[str, pd.Series[Any]], areas: Shapes, ground: CameraGround
) -> ShiftedCameras:
    """Judge which cameras are in GCJ-02, in BD-09 or moved with their batch.

    A batch shift is found first, for all cameras, then by group. Each camera is then weighed on
    its own: how it stands as stated against how it would stand with a shift undone (`Standing`),
    with the share of its batch that is moved as what was to be expected before, or that of all
    single cameras, which is learned from them (expectation–maximisation).

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2), finite, somewhere near the county.
    groups
        By what batches have in common, one label a camera; None for a camera in no group.
    areas
        The area that each row states, None where none, metres.
    """
    here_m = metres_from_lonlat(lonlat, ground.metric_srid)
    batches = tuple(_batches(lonlat, groups, ground))
    right_m = here_m.copy()
    for batch in batches:
        right_m[batch.rows] = undone(lonlat[batch.rows], batch.shift, ground.metric_srid)
    usual = standing(right_m, ground)
    options = _options(lonlat, here_m, areas, usual, batches)
    chosen, probability = _weighed(options, batches)
    names = np.array(["", *DATUMS, *(batch.shift.datum for batch in batches)], dtype=object)
    there_m = np.stack([here_m, *(option.there_m for option in options)])
    return ShiftedCameras(
        names[chosen], there_m[chosen, np.arange(len(here_m))], probability, batches
    )


@dataclass(frozen=True)
class _Option:
    """One shift that cameras may have: where they stand with it undone, and the log-odds of it."""

    there_m: Floats
    log_odds: Floats


def _batches(
    lonlat: Floats, groups: Mapping[str, pd.Series[Any]], ground: CameraGround
) -> Iterator[Batch]:
    """Yield batches: of all cameras, or else of each group, no camera in two of them."""
    left = [
        (by, name, np.flatnonzero(member)) for by, name, member in _candidates(len(lonlat), groups)
    ]
    found = [_batch(lonlat, one, ground) for one in left]
    while any(found):
        # what half of all cameras share may be what all of one town share
        best = max((one for one in found if one), key=lambda one: (one.purity, len(one.rows)))
        yield best
        rest = [(by, name, np.setdiff1d(rows, best.rows)) for by, name, rows in left]
        found = [
            one if len(mine) == len(rows) else _batch(lonlat, (by, name, mine), ground)
            for one, (by, name, mine), (_, _, rows) in zip(found, rest, left, strict=True)
        ]
        left = rest


def _batch(
    lonlat: Floats, member: tuple[str, str, npt.NDArray[np.intp]], ground: CameraGround
) -> Batch | None:
    by, name, rows = member
    shift = batch_shift(lonlat[rows], ground)
    return None if shift is None else Batch(by, name, _over_all(shift, lonlat[rows], ground), rows)


def _candidates(
    count: int, groups: Mapping[str, pd.Series[Any]]
) -> Iterator[tuple[str, str, Bools]]:
    yield BY_ALL, "", np.ones(count, dtype=bool)
    for by, labels in groups.items():
        for name in sorted(set(labels.dropna().astype(str))):
            yield by, name, np.asarray(labels.astype(str) == name)


def _over_all(shift: Shift, lonlat: Floats, ground: CameraGround) -> Shift:
    """Return a shift with the mean over all cameras of its batch, not those looked at alone."""
    if shift.datum not in UNSHIFTED:
        return shift
    srid = ground.metric_srid
    east_m, north_m = (metres_from_lonlat(lonlat, srid) - undone(lonlat, shift, srid)).mean(axis=0)
    return replace(shift, east_m=float(east_m), north_m=float(north_m))


def _options(
    lonlat: Floats,
    here_m: Floats,
    areas: Shapes,
    usual: Standing,
    batches: tuple[Batch, ...],
) -> list[_Option]:
    """Return the known datums for every camera, then each batch's shift for its own cameras."""
    srid = usual.ground.metric_srid
    options = []
    for name in DATUMS:
        there_m = metres_from_lonlat(UNSHIFTED[name](lonlat), srid)
        odds = usual.log_odds(here_m, there_m, areas)
        least = least_odds(odds, *_decoys(here_m, there_m, areas, usual))
        options.append(_Option(there_m, np.where(odds >= least, odds, -np.inf)))
    for batch in batches:
        own, odds = here_m.copy(), np.full(len(here_m), -np.inf)
        own[batch.rows] = undone(lonlat[batch.rows], batch.shift, srid)
        odds[batch.rows] = usual.log_odds(here_m[batch.rows], own[batch.rows], areas[batch.rows])
        options.append(_Option(own, odds))
    return options


def _decoys(
    here_m: Floats, there_m: Floats, areas: Shapes, usual: Standing
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return rows, and their log-odds of being moved as far in directions that mean nothing."""
    rows = np.linspace(0, len(here_m) - 1, min(len(here_m), DECOYS)).astype(np.intp)
    own, step = here_m[rows], (there_m - here_m)[rows]
    turned = (step[:, ::-1] * [-1.0, 1.0], -step, step[:, ::-1] * [1.0, -1.0])
    return rows, np.stack([usual.log_odds(own, own + way, areas[rows]) for way in turned])


def least_odds(odds: Floats, rows: npt.NDArray[np.intp], decoys: Floats) -> float:
    """Return the log-odds from which at most a fifth of those suspected are so by chance.

    How many are by chance is told by decoys (Elias and Gygi 2007): the same cameras moved as far
    in directions that mean nothing, where that fits a camera better than the datum does. So a
    county whose cameras stand unlike what is expected is not taken for a shifted one.

    Parameters
    ----------
    odds
        Of the datum, per camera.
    rows, decoys
        The cameras looked at, and their odds in each direction, shape (directions, rows).
    """
    wins = np.sort(decoys[decoys > np.maximum(odds[rows], 0.0)])
    found = np.sort(odds[odds > 0.0])
    if not len(found):
        return np.inf
    beyond = len(found) - np.arange(len(found))
    by_chance = len(wins) - np.searchsorted(wins, found)
    share = by_chance * (len(odds) / max(decoys.size, 1)) / beyond
    fit = np.flatnonzero(share <= MOST_BY_CHANCE)
    return float(found[fit[0]]) if len(fit) else np.inf


def _weighed(
    options: list[_Option], batches: tuple[Batch, ...]
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return which option each camera takes, 0 for none, and how probable any is."""
    odds = np.stack([np.zeros_like(options[0].log_odds), *(o.log_odds for o in options)])
    single = np.ones(odds.shape[1], dtype=bool)
    for batch in batches:
        single[batch.rows] = False
    prior = np.zeros_like(odds)
    prior[: len(DATUMS) + 1] = _single_prior(odds[: len(DATUMS) + 1, single])[:, None]
    for number, batch in enumerate(batches, start=len(DATUMS) + 1):
        prior[:, batch.rows] *= 1.0 - batch.shift.share
        prior[number, batch.rows] = batch.shift.share
    posterior = _posterior(odds, prior)
    moved = 1.0 - posterior[0]
    return np.where(moved >= SURE, 1 + posterior[1:].argmax(axis=0), 0), moved


def _single_prior(odds: Floats) -> Floats:
    """Return the shares of cameras that stand right and in each datum."""
    shares = np.full(len(odds) - 1, FIRST_PRIOR)
    for _ in range(ROUNDS if odds.shape[1] else 0):
        prior = np.concatenate([[1.0 - shares.sum()], shares])
        moved = _posterior(odds, prior[:, None])[1:].sum(axis=1)
        shares = (moved + FIRST_PRIOR * FIRST_WEIGHT) / (odds.shape[1] + FIRST_WEIGHT)
        shares = np.minimum(shares, MOST_PRIOR)
    return np.concatenate([[1.0 - shares.sum()], shares])


def _posterior(odds: Floats, prior: Floats) -> Floats:
    # odds are shifted by their largest, so that none overflows
    likely = np.exp(odds - odds.max(axis=0)) * prior
    return np.asarray(likely / likely.sum(axis=0), dtype=np.float64)
