"""The hunt: the search goes among the sites that prices make likely, at last among all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.coverage.sites import search
from layers.coverage.sites.net import Flags, Floats, Net, Whole, covered, kept_sites, matrix_of
from layers.coverage.sites.thinning import merged

# shares of the rent that a likely site is paid, each for twice as many turns as the one before
LIKELY = (0.97, 0.97, 0.97, 0.97, 0.9, 0.97, 0.0)
FIRST_TURNS = 8
LATELY = 0.02  # of the record of who is paid best: a site above it is likely, too
SETTLED = 0.9  # of that record when it is full: before, prices tell nothing


@dataclass(frozen=True)
class Hunt:
    """A search among some of the sites of a net.

    Attributes
    ----------
    whole, sites
        The net, and how many of its sites may be chosen.
    net, origin
        The net of the sites looked at; the number each of them has in the whole net.
    state
        The search.
    """

    whole: Net
    sites: int
    net: Net
    origin: Whole
    state: search.State

    @property
    def choice(self) -> Whole:
        """The sites of the best choice met, as the whole net counts them."""
        return self.origin[search.chosen_sites(self.state)]

    def goes_on(self, rounds: int) -> None:
        """Search so many rounds."""
        search.improved(self.net, self.state, self.sites, rounds)


def hunt_among(net: Net, sites: int, choice: Whole, likely: Flags, seed: int = 1) -> Hunt:
    """Return a search that goes on from a choice, among the likely sites and those chosen."""
    kept = likely.copy()
    kept[choice] = True
    origin = np.flatnonzero(kept)
    less = net if len(origin) == net.sites else merged(kept_sites(net, kept))
    place = np.cumsum(kept) - 1
    return Hunt(net, sites, less, origin, search.put(less, place[choice], seed))


def likely_sites(
    net: Net, sites: int, price: Floats, rent: float, often: Floats, share: float
) -> Flags:
    """Return the sites that are paid a share of the rent at least, or were taken lately.

    Before prices have settled all are likely.
    """
    if float(often.sum()) < SETTLED * sites:
        return np.ones(net.sites, dtype=np.bool_)
    likely: Flags = (matrix_of(net) @ price >= share * rent) | (often > LATELY)
    return likely


def is_due(turn: int) -> bool:
    """Say whether another hunt begins with this turn: the first, the 8th, 16th, 32nd and so on."""
    return turn == 0 or (turn >= FIRST_TURNS and turn & (turn - 1) == 0)


def share_at(turn: int) -> float:
    """Return the share of the rent that a likely site is paid at a turn."""
    stage = max(0, (turn // FIRST_TURNS).bit_length())
    return LIKELY[min(stage, len(LIKELY) - 1)]


def covered_alone(net: Net, choice: Whole) -> Floats:
    """Return the weight that each site of a choice covers alone."""
    mine = matrix_of(net)[choice]
    alone = mine.sum(axis=0) == 1
    weight: Floats = mine @ np.where(alone, net.weight, 0.0)
    return weight


def value_of(net: Net, choice: Whole) -> float:
    """Return the weight that a choice covers."""
    return float(net.weight[covered(net, choice)].sum())
