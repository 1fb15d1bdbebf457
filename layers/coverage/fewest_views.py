"""Fewest views: how few new cameras reach a share, and with how few no choice can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from grid_boundaries.errors import Refused
from layers.coverage.next_sites import Floats, NextSites, Offer, next_sites

ROUNDING = 1e-9
LEAST_TURN_S = 0.05


@dataclass(frozen=True)
class Fewest:
    """Views that reach what was asked for.

    Parameters
    ----------
    found
        The views; ``bound`` is of their number.
    least
        No choice with fewer than this many reaches it.
    """

    found: NextSites
    least: int


def fewest_views(
    offer: Offer, weights: Floats, share: float, most: int, *, within_s: float
) -> Fewest:
    """Return as few views as were found that bring the share of the weight seen to a target.

    The number is doubled until it is enough and then halved in on; what a choice's bound rules
    out is ruled out for every choice.

    Parameters
    ----------
    share
        Of the weight of all demands, 0 … 1.
    most
        Views at most.
    within_s
        Seconds for all choices together.

    Raises
    ------
    Refused
        ``share-out-of-reach``: as many views as may be do not reach it.
    """
    search = _Search(offer, weights, share * float(weights.sum()) * (1.0 - ROUNDING), within_s)
    number, most = 0, min(most, offer.sees.shape[0])
    while not search.is_enough(number):
        if number >= most:
            raise _out_of_reach(search, share, number)
        number = min(max(1, 2 * number), most)
    while search.failed + 1 < len(search.best.chosen):
        search.is_enough((search.failed + len(search.best.chosen)) // 2)
    return Fewest(search.best, search.least)


class _Search:
    """What is known by now: the smallest choice that does, the largest number that did not."""

    def __init__(self, offer: Offer, weights: Floats, enough: float, within_s: float) -> None:
        self._offer, self._enough = offer, enough
        self.weights = weights
        self._until_s = perf_counter() + within_s
        self._turns = 2 * int(offer.sees.shape[0]).bit_length() + 2
        self.failed = -1
        self.least = 0

    def is_enough(self, number: int) -> bool:
        """Say whether a choice of that many was found that does, and keep what it taught."""
        left_s = (self._until_s - perf_counter()) / max(self._turns, 1)
        self._turns -= 1
        turn_s = max(left_s, LEAST_TURN_S)
        self.last = next_sites(self._offer, self.weights, number, within_s=turn_s)
        if self.last.after >= self._enough:
            self.best = _shortest(self.last, self._enough)
            return True
        self.failed = max(self.failed, number)
        if self.last.bound < self._enough:
            self.least = max(self.least, number + 1)
        return False


def _shortest(found: NextSites, enough: float) -> NextSites:
    """Return the first views of a choice that do alone."""
    reached = found.before + np.concatenate([[0.0], np.cumsum(found.adds)])
    number = int(np.argmax(reached >= enough)) if (reached >= enough).any() else len(found.adds)
    adds = found.adds[:number]
    after = found.before + float(adds.sum())
    return replace(found, chosen=found.chosen[:number], adds=adds, after=after)


def _out_of_reach(search: _Search, share: float, number: int) -> Refused:
    whole = float(search.weights.sum()) or 1.0
    reached = 100.0 * search.last.after / whole
    return Refused(
        "share-out-of-reach",
        f"{number} 台新点位至多找到 {reached:.1f} %，达不到 {100 * share:g} %；"
        "请降低目标，或放宽候选、每杆台数、视距",
        f"{number} new cameras were found to reach {reached:.1f} % and not {100 * share:g} %; ask"
        " for less, or allow more candidates, more a post, or a longer range",
        field="target_share",
        reached=search.last.after / whole,
        bound=min(1.0, search.last.bound / whole),
    )
