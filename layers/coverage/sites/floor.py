"""Floor: what no choice of medians can cost less than, from what each demand would pay.

For any payments, what is paid less what the sites that earn most would give back is a floor
(Lagrangian relaxation of the assignment: Cornuéjols, Fisher and Nemhauser 1977).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites.net import Flags, Floats, Whole, compiled

STALE = 20
SHORTER = 0.7
KEPT_COURSE = 0.7
FADING = 0.9


@dataclass(frozen=True)
class Ascent:
    """Where the search for better payments stands.

    Attributes
    ----------
    pay, direction
        Of each demand: what it would pay now, and where that is going.
    bound, best_pay
        The highest floor so far and the payments that prove it.
    stride, stale
        Length of steps; steps without progress.
    often
        Of each site: how often it was among those that earn most lately.
    """

    pay: Floats
    direction: Floats
    bound: float
    best_pay: Floats
    stride: float
    stale: int
    often: Floats


def first_ascent(cost: Floats) -> Ascent:
    """Start where every demand pays what its second or third nearest site costs."""
    few = min(2, len(cost) - 1)
    pay = np.partition(cost, few, axis=0)[few]
    return Ascent(pay, np.zeros(len(pay)), -np.inf, pay, 1.0, 0, np.zeros(len(cost)))


def ascent_within(ascent: Ascent, sites: Whole) -> Ascent:
    """Return the ascent from its best payments on, for some of the sites."""
    pay = ascent.best_pay
    return Ascent(pay, np.zeros(len(pay)), -np.inf, pay, 0.3, 0, ascent.often[sites])


def raised(
    cost: Floats, sites: int, ascent: Ascent, aim: float, steps: int, held: int = 0
) -> Ascent:
    """Return the ascent after so many steps towards the cost of a choice at hand.

    `cost` is sites by demands. The first `held` sites are in every choice.
    """
    for _ in range(steps):
        earned = _earned(cost, ascent.pay)
        taken = _most_earning(earned, sites, held)
        height = float(ascent.pay.sum() + earned[taken].sum())
        ascent = _noted(ascent, height, taken)
        if height >= aim:
            break
        ascent = _stepped(cost, ascent, aim - height, taken)
    return ascent


def _most_earning(earned: Floats, sites: int, held: int) -> Whole:
    free = np.argsort(earned[held:], kind="stable")[: sites - held] + held
    return np.concatenate([np.arange(held), free])


def _noted(ascent: Ascent, height: float, taken: Whole) -> Ascent:
    """Keep the payments where they are the best; shorten the stride where nothing happens."""
    stale = 0 if height > ascent.bound + 1e-6 * abs(ascent.bound) else ascent.stale + 1
    often = FADING * ascent.often
    often[taken] += 1.0 - FADING
    ascent = replace(ascent, stale=stale, often=often)
    if height > ascent.bound:
        ascent = replace(ascent, bound=height, best_pay=ascent.pay)
    if ascent.stale < STALE:
        return ascent
    return replace(ascent, stale=0, stride=ascent.stride * SHORTER, pay=ascent.best_pay)


def _stepped(cost: Floats, ascent: Ascent, below: float, taken: Whole) -> Ascent:
    direction = 1.0 + KEPT_COURSE * ascent.direction
    _serve(cost, taken, ascent.pay, direction)
    square = float(direction @ direction)
    if square < 1e-9:
        return ascent
    to = ascent.pay + ascent.stride * below / square * direction
    return replace(ascent, direction=direction, pay=to)


def _earned_plain(cost: Floats, pay: Floats) -> Floats:
    """Return what each site would give back: costs less the payments that exceed them."""
    earned = np.zeros(cost.shape[0])
    for site in range(cost.shape[0]):
        total = 0.0
        for demand in range(pay.size):
            total += min(cost[site, demand] - pay[demand], 0.0)
        earned[site] = total
    return earned


def _serve_plain(cost: Floats, taken: Whole, pay: Floats, direction: Floats) -> None:
    """Take one off for every site that serves the demand."""
    for site in taken:
        for demand in range(pay.size):
            if cost[site, demand] < pay[demand]:
                direction[demand] -= 1.0


_earned = compiled(_earned_plain)
_serve = compiled(_serve_plain)


def could_save(cost: Floats, sites: int, ascent: Ascent, most_cost: float, held: int = 0) -> Flags:
    """Return the sites without which no choice costs as little as `most_cost`.

    A site that is not among those that earn most raises the floor by what it earns less.
    """
    earned = _earned(cost, ascent.best_pay)
    taken = _most_earning(earned, sites, held)
    last = earned[taken[held:]].max(initial=-np.inf)
    height = float(ascent.best_pay.sum() + earned[taken].sum())
    could: Flags = height + np.maximum(earned - last, 0.0) <= most_cost
    could[taken] = True
    return could
