"""Median: sites from which all ways together, weighted, are as short as possible."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites import floor as floors
from layers.coverage.sites import interchange
from layers.coverage.sites.branching import settled
from layers.coverage.sites.clock import Clock, paced
from layers.coverage.sites.floor import Ascent, ascent_within, could_save
from layers.coverage.sites.median_branch import MedianBranch
from layers.coverage.sites.net import Floats, Whole

SEARCH_SHARE = 0.35
PATIENCE = 3


@dataclass(frozen=True)
class Middle:
    """The best choice known and the cost that none can be below.

    Attributes
    ----------
    chosen, value
        The sites and what all ways cost together.
    ascent
        The course of the bound.
    unit
        What a better choice saves at least.
    bound
        What no choice can cost less than.
    """

    chosen: Whole
    value: float
    ascent: Ascent
    unit: float
    bound: float

    @property
    def is_proven(self) -> bool:
        """Whether no choice can be better."""
        return self.bound > self.value - self.unit


def median_sites(cost: Floats, sites: int, clock: Clock) -> tuple[Whole, float]:
    """Return the sites of least cost found within the time, and what none can cost less than.

    Parameters
    ----------
    cost
        Sites by demands: weight times way, finite, each row in one piece of memory.
    """
    if not cost.shape[1]:
        return np.arange(sites), 0.0
    whole = bool((cost == np.rint(cost)).all())
    unit = 1.0 - 1e-6 if whole else 1e-9 * float(cost.max(initial=0.0))
    chosen = interchange.begun(cost, sites)
    value = interchange.cost_of(cost, chosen)
    middle = Middle(chosen, value, floors.first_ascent(cost), unit, 0.0)
    middle = _taking_turns(cost, middle, sites, clock, SEARCH_SHARE)
    if not middle.is_proven and clock.left_s > 0.0:
        middle = _by_branching(cost, middle, sites, clock)
    middle = _taking_turns(cost, middle, sites, clock, 1.0)
    bound = np.ceil(middle.bound - 1e-6) if whole else middle.bound
    return middle.chosen, min(float(bound), middle.value)


def _taking_turns(cost: Floats, middle: Middle, sites: int, clock: Clock, share: float) -> Middle:
    """Search and raise the bound by turns for a share of the time, or while the bound rises."""
    steps, rounds, seed, stale = 50, 5, 1, 0
    end_s = clock.within_s * (1.0 - share)
    while not middle.is_proven and clock.left_s > end_s and (share == 1.0 or stale < PATIENCE):
        left_s = clock.left_s
        ascent = floors.raised(cost, sites, middle.ascent, middle.value, steps)
        steps = paced(steps, left_s - clock.left_s, clock)
        stale = stale + 1 if ascent.bound < middle.bound * (1 + 1e-7) else 0
        middle = replace(middle, ascent=ascent, bound=max(middle.bound, ascent.bound))
        left_s, seed = clock.left_s, seed + 1
        chosen = interchange.improved(cost, middle.chosen, rounds, seed)
        rounds = paced(rounds, left_s - clock.left_s, clock)
        middle = replace(middle, chosen=chosen, value=interchange.cost_of(cost, chosen))
    return middle


def _by_branching(cost: Floats, middle: Middle, sites: int, clock: Clock) -> Middle:
    """Branch over the sites that the bound leaves until the time is up."""
    could = could_save(cost, sites, middle.ascent, middle.value - middle.unit)
    rows = np.flatnonzero(could)
    if len(rows) == sites:
        # the only choice that could be cheaper
        return _settled(cost, middle, rows, np.inf)
    ascent = replace(ascent_within(middle.ascent, rows), bound=middle.ascent.bound)
    first = MedianBranch(np.ascontiguousarray(cost[rows]), rows, sites, 0, ascent)
    found = settled(first, -middle.value, middle.unit, clock)
    return _settled(cost, middle, found.chosen, -found.bound)


def _settled(cost: Floats, middle: Middle, chosen: Whole | None, bound: float) -> Middle:
    """Return the middle with what branching found out."""
    if chosen is not None and interchange.cost_of(cost, chosen) < middle.value:
        middle = replace(middle, chosen=chosen, value=interchange.cost_of(cost, chosen))
    return replace(middle, bound=max(middle.bound, min(bound, middle.value)))
