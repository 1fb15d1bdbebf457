"""Floor: what no choice of medians can cost less than, from what each demand would pay.

For any payments, what is paid less what the sites that earn most would give back is a floor
(Lagrangian relaxation of the assignment: Cornuéjols, Fisher and Nemhauser 1977).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.coverage.sites.net import Flags, Floats, Whole, compiled

STALE = 20
SHORTER = 0.7
KEPT_COURSE = 0.7


@dataclass(frozen=True)
class Descent:
    """Where the search for better payments stands: now, the best, the direction, the stride."""

    pay: Floats
    best: float
    best_pay: Floats
    direction: Floats
    stride: Floats


def first(cost: Floats) -> Descent:
    """Start where every demand pays a little more than its nearest site costs."""
    few = min(2, cost.shape[0] - 1)
    pay = np.partition(cost, few, axis=0)[few] if cost.size else np.zeros(cost.shape[1])
    zero = np.zeros(cost.shape[1])
    return Descent(pay, -np.inf, pay, zero, np.array([1.0, 0.0]))


def raised(cost: Floats, sites: int, course: Descent, aim: float, steps: int) -> Descent:
    """Return the course after so many steps towards the cost of a choice at hand."""
    pay, best_pay = course.pay.copy(), course.best_pay.copy()
    direction, stride = course.direction.copy(), course.stride.copy()
    best = _ascend(cost, sites, pay, best_pay, direction, stride, aim, course.best, steps)
    return Descent(pay, float(best), best_pay, direction, stride)


def earnings(cost: Floats, pay: Floats) -> Floats:
    """Return what each site would give back: the sum of costs under the payment, less it."""
    return np.minimum(cost - pay[None, :], 0.0).sum(axis=1)


def _earn_plain(cost: Floats, pay: Floats, earned: Floats) -> None:
    for site in range(cost.shape[0]):
        total = 0.0
        for demand in range(pay.size):
            total += min(cost[site, demand] - pay[demand], 0.0)
        earned[site] = total


def _ascend_plain(
    cost: Floats,
    sites: int,
    pay: Floats,
    best_pay: Floats,
    direction: Floats,
    stride: Floats,
    aim: float,
    best: float,
    steps: int,
) -> float:
    """Step so many times; payments, direction and stride are changed in place."""
    earned = np.empty(cost.shape[0])
    for _ in range(steps):
        _earn(cost, pay, earned)
        taken = np.argsort(earned)[:sites]
        height = pay.sum() + earned[taken].sum()
        stride[1] = 0.0 if height > best + 1e-6 * abs(best) else stride[1] + 1.0
        if height > best:
            best = height
            best_pay[:] = pay
        if stride[1] >= STALE:
            stride[0] *= SHORTER
            stride[1] = 0.0
            pay[:] = best_pay
        square = 0.0
        for demand in range(pay.size):
            served = 0.0
            for site in taken:
                served += 1.0 if cost[site, demand] < pay[demand] else 0.0
            direction[demand] = 1.0 - served + KEPT_COURSE * direction[demand]
            square += direction[demand] * direction[demand]
        length = stride[0] * (aim - height) / square if square > 1e-9 else 0.0
        if length <= 0.0:
            break
        for demand in range(pay.size):
            pay[demand] += length * direction[demand]
    return best


_earn = compiled(_earn_plain)
_ascend = compiled(_ascend_plain)


def could_save(
    cost: Floats, sites: int, pay: Floats, value: float, unit: float
) -> tuple[Whole, Flags]:
    """Return sites that a cheaper choice could have, and of each the demands it could serve."""
    earned = earnings(cost, pay)
    order = np.argsort(earned, kind="stable")
    last = earned[order[sites - 1]]
    height = float(pay.sum() + earned[order[:sites]].sum())
    more = np.maximum(earned - last, 0.0)
    could = np.flatnonzero(height + more <= value - unit)
    serves: Flags = (
        height + more[could, None] + np.maximum(cost[could] - pay[None, :], 0.0) <= value - unit
    )
    return could, serves
