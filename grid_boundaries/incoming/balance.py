"""Evening out: slivers that border two grids alike go where grids keep the area they had drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PASSES = 20
LEAST_GAIN = 1e-12

Regions = NDArray[np.intp]
Choices = Mapping[int, Sequence[int]]


@dataclass
class Balance:
    """How much ground each grid has, and how much it should.

    Parameters
    ----------
    target_m2
        By region; regions beyond are no grid's and take anything.
    held_m2
        What each has now; changes as faces are given away.
    """

    target_m2: NDArray[np.float64]
    held_m2: NDArray[np.float64]

    def off(self) -> NDArray[np.float64]:
        """Return by what part of its own area each grid is too large (or, below 0, too small)."""
        wanted = np.maximum(self.target_m2, 1e-9)
        return np.asarray((self.held_m2 - self.target_m2) / wanted, dtype=float)

    def gain(self, area_m2: float, giver: int, taker: int) -> float:
        """Return by how much the squares of what grids are off sink when ground changes hands."""
        return self._loss(giver, -area_m2) + self._loss(taker, area_m2)

    def give(self, area_m2: float, giver: int, taker: int) -> None:
        """Note that ground changed hands."""
        for region, more_m2 in ((giver, -area_m2), (taker, area_m2)):
            if region < len(self.held_m2):
                self.held_m2[region] += more_m2

    def _loss(self, region: int, more_m2: float) -> float:
        if region >= len(self.held_m2):
            return 0.0
        wanted_m2 = max(float(self.target_m2[region]), 1e-9)
        before = (float(self.held_m2[region]) - wanted_m2) / wanted_m2
        return before**2 - (before + more_m2 / wanted_m2) ** 2


def balanced(
    region: Regions, area_m2: NDArray[np.float64], choices: Choices, balance: Balance
) -> Regions:
    """Return regions of faces after giving each to the one of its choices that evens out most.

    A local search: it ends where no single face's change of hands makes it better.

    Parameters
    ----------
    region, area_m2
        Of each face.
    choices
        Regions that may have a face, by face; the others stay where they are.
    balance
        As `region` says; afterwards as the result says.
    """
    region = region.copy()
    for _ in range(PASSES):
        is_better = False
        for face, takers in choices.items():  # each gift changes what the next one gains
            own, size_m2 = int(region[face]), float(area_m2[face])
            gains = [(balance.gain(size_m2, own, other), -other) for other in takers
                     if other != own]  # fmt: skip
            best, other = max(gains, default=(0.0, 0))
            if best > LEAST_GAIN:
                balance.give(size_m2, own, -other)
                region[face] = -other
                is_better = True
        if not is_better:
            break
    return region
