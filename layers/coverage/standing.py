"""Where cameras stand: how much likelier one position is than another, by streets, walls, areas.

Cameras stand beside streets and walls, not inside houses, and in the area that their row states. A
position is judged by a likelihood ratio: how often cameras stand like that, against how often a
point moved as far in any other direction does, so that a town, where anything is near a street,
tells less than open country.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from layers.coverage.camera_ground import (
    Bools,
    CameraGround,
    Floats,
    Shapes,
    distance_m,
    points_of,
)

Ints = npt.NDArray[np.intp]

STREET_BINS_M = np.array([4.0, 8.0, 13.0, 20.0, 35.0, 60.0])
WALL_BINS_M = np.array([1e-9, 1.0, 8.0, 20.0, 45.0])  # the first is inside
# what is expected before any camera was looked at
BY_STREET = np.array([0.25, 0.4, 0.15, 0.07, 0.05, 0.04, 0.04])
BY_WALL = np.array([0.005, 0.095, 0.35, 0.25, 0.15, 0.15])
EXPECTED = np.outer(BY_STREET, BY_WALL).ravel()
CLASSES = len(EXPECTED)
EXPECTED_WEIGHT = 30.0  # cameras that the expectation counts for
LOCAL_WEIGHT = 6.0  # points that the whole county counts for beside the seven round a camera
TURNS_RAD = np.arange(1, 8) * (np.pi / 4)
BORDER_M = 50.0  # outlines of areas are drawn no finer
IN_STATED = 0.99  # of rows that state the right area


@dataclass(frozen=True)
class Standing:
    """How cameras of one county stand where they stand right.

    Parameters
    ----------
    usual
        Share of cameras in each class of position.
    """

    ground: CameraGround
    usual: Floats

    def log_odds(self, here_m: Floats, there_m: Floats, areas: Shapes) -> Floats:
        """Return by how much likelier each camera stands at `there_m` than at `here_m`.

        Parameters
        ----------
        here_m, there_m
            Metres, shape (n, 2): as stated, and with a shift undone.
        areas
            The area that each row states; None where it states none.

        Returns
        -------
        ndarray
            Natural logarithms of the likelihood ratio.
        """
        ring = _ring(here_m, there_m)
        gain = self._by_class(here_m, there_m, ring)
        return gain + _by_area(here_m, there_m, ring, _owed(areas, self.ground))

    def _by_class(self, here_m: Floats, there_m: Floats, ring: Floats) -> Floats:
        count = len(here_m)
        around = position_class(ring.reshape(-1, 2), self.ground).reshape(count, len(TURNS_RAD))
        everywhere = (np.bincount(around.ravel(), minlength=CLASSES) + EXPECTED) / (around.size + 1)
        row = np.arange(count)
        score = []
        for points_m in (here_m, there_m):
            own = position_class(points_m, self.ground)
            local = (around == own[:, None]).sum(axis=1)
            chance = (local + LOCAL_WEIGHT * everywhere[own]) / (len(TURNS_RAD) + LOCAL_WEIGHT)
            score.append(np.log(self.usual[own]) - np.log(chance[row]))
        return np.asarray(score[1] - score[0])


def standing(here_m: Floats, ground: CameraGround) -> Standing:
    """Return how cameras stand, learned of those at `here_m`, most of which stand right."""
    counted = np.bincount(position_class(here_m, ground), minlength=CLASSES)
    total = counted.sum() + EXPECTED_WEIGHT
    return Standing(ground, (counted + EXPECTED_WEIGHT * EXPECTED) / total)


def position_class(points_m: Floats, ground: CameraGround) -> Ints:
    """Return the class of each position: how far from a street's middle, and from a wall."""
    street = np.digitize(distance_m(points_m, ground.lines, STREET_BINS_M[-1]), STREET_BINS_M)
    wall = np.digitize(distance_m(points_m, ground.buildings, WALL_BINS_M[-1]), WALL_BINS_M)
    return np.asarray(street * len(BY_WALL) + wall, dtype=np.intp)


def is_in(points_m: Floats, areas: Shapes) -> Bools:
    """Return which points lie in their own area or within `BORDER_M` of it; None holds nothing."""
    return np.asarray(shapely.dwithin(points_of(points_m), areas, BORDER_M), dtype=bool)


def _ring(here_m: Floats, there_m: Floats) -> Floats:
    """Return the points as far from `here_m` as `there_m` is, in seven other directions."""
    step = there_m - here_m
    cos, sin = np.cos(TURNS_RAD), np.sin(TURNS_RAD)
    east = step[:, :1] * cos - step[:, 1:] * sin
    north = step[:, :1] * sin + step[:, 1:] * cos
    return np.asarray(here_m[:, None, :] + np.stack([east, north], axis=2), dtype=np.float64)


def _owed(areas: Shapes, ground: CameraGround) -> Shapes:
    """Return the area each camera should be in: what it states, or else the county."""
    found = np.array(areas, dtype=object)
    found[shapely.is_missing(found)] = ground.outline_m
    return found


def _by_area(here_m: Floats, there_m: Floats, ring: Floats, areas: Shapes) -> Floats:
    times = len(TURNS_RAD)
    around = is_in(ring.reshape(-1, 2), np.repeat(areas, times)).reshape(-1, times).sum(axis=1)
    chance = (around + 0.5) / (times + 1)
    inside, outside = np.log(IN_STATED / chance), np.log((1 - IN_STATED) / (1 - chance))
    score = [np.where(is_in(at, areas), inside, outside) for at in (here_m, there_m)]
    return np.asarray(score[1] - score[0])
