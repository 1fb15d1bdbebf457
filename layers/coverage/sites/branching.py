"""Branching: with a site and without it, until no branch can hold a better choice."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol, Self

from layers.coverage.sites.clock import Clock
from layers.coverage.sites.net import Whole


class Branch(Protocol):
    """What is left of a question once some sites are in and some are out."""

    @property
    def bound(self) -> float:
        """What no choice of this branch is worth more than."""

    @property
    def choice(self) -> tuple[Whole, float]:
        """A choice of this branch and what it is worth."""

    def parts(self, above: float) -> Iterator[Self]:
        """Give two branches that hold every choice of this one worth more than `above`."""


@dataclass(frozen=True)
class Settled:
    """The best choice met, if it is better than the one at hand, and a bound of all branches."""

    chosen: Whole | None
    value: float
    bound: float


def settled(first: Branch, value: float, unit: float, clock: Clock) -> Settled:
    """Look into the branch with the highest bound first (Land and Doig 1960).

    `value` is the worth of the choice at hand, `unit` what a better one wins at least.
    """
    chosen, number = None, count()
    heap = [(-first.bound, next(number), first)]
    while heap and clock.left_s > 0.0 and -heap[0][0] >= value + unit:
        _, _, branch = heapq.heappop(heap)
        # a branch that is being looked into bounds its parts as well
        for part in branch.parts(value + unit):
            sites, worth = part.choice
            if worth > value:
                chosen, value = sites, worth
            if part.bound >= value + unit:
                bound = min(part.bound, branch.bound)
                heapq.heappush(heap, (-bound, next(number), part))
    # what is left wins less than the least there is to win, so nothing
    bound = -heap[0][0] if heap and -heap[0][0] >= value + unit else value
    return Settled(chosen, value, bound)
