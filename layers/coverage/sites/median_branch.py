"""A branch of the question from which sites all ways together are shortest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from layers.coverage.sites.floor import Ascent, ascent_within, could_save, raised
from layers.coverage.sites.interchange import cost_of
from layers.coverage.sites.net import Floats, Whole

STEPS = 60


@dataclass(frozen=True)
class MedianBranch:
    """Sites that are in, sites that may come in, and the floor of their costs.

    Worth is the cost with its sign turned, so that more is better.

    Attributes
    ----------
    cost, origin
        Sites by demands, those that are in first; the first number of each site.
    sites, held
        How many sites there shall be, and how many of them are in.
    ascent
        The course of the floor.
    """

    cost: Floats
    origin: Whole
    sites: int
    held: int
    ascent: Ascent

    @property
    def bound(self) -> float:
        """What no choice of this branch is worth more than."""
        return -self.ascent.bound

    @property
    def choice(self) -> tuple[Whole, float]:
        """The choice of the sites that were taken most often, and its worth."""
        rank = np.argsort(-self.ascent.often[self.held :], kind="stable") + self.held
        rows = np.concatenate([np.arange(self.held), rank[: self.sites - self.held]])
        return self.origin[rows], -cost_of(self.cost, rows)

    def parts(self, above: float) -> Iterator[MedianBranch]:
        """Give the branch without the least certain site and the one with it."""
        if len(self.cost) == self.sites or self.held == self.sites:
            return
        fits = could_save(self.cost, self.sites, self.ascent, -above, self.held)
        doubt = np.abs(self.ascent.often - 0.5)
        doubt[: self.held] = np.inf
        site = int(np.argmin(np.where(fits, doubt, np.inf)))
        if not fits[self.held :].any():
            return
        fits[site] = False
        without = np.flatnonzero(fits)
        if len(without) >= self.sites:
            yield self._part(without, self.held, -above)
        yield self._part(np.insert(without, self.held, site), self.held + 1, -above)

    def _part(self, rows: Whole, held: int, aim: float) -> MedianBranch:
        cost = self.cost[rows]
        # a little beyond, so that what is hopeless is seen to be
        aim += 1e-4 * abs(self.ascent.bound)
        ascent = raised(cost, self.sites, ascent_within(self.ascent, rows), aim, STEPS, held)
        return MedianBranch(cost, self.origin[rows], self.sites, held, ascent)
