"""Ceiling: what no choice of sites can cover more than, from prices on the demands.

A demand's price, from 0 to its weight, is what a chosen site is paid for covering it. For any
prices the weight left unpaid plus the best-paid sites is a ceiling (Lagrangian relaxation: Galvão
and ReVelle 1996); the best prices give that of the linear programme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.coverage.sites.net import Floats, Net, Whole, compiled
from layers.coverage.sites.thinning import weight_of_sites

STALE = 15  # steps without progress after which steps get shorter
SHORTER = 0.7
KEPT_COURSE = 0.8  # share of the last direction that the next one keeps


@dataclass(frozen=True)
class Ceiling:
    """A ceiling of the covered weight and the prices that prove it."""

    value: float
    price: Floats


@dataclass(frozen=True)
class Course:
    """Where the search for better prices stands."""

    price: Floats
    best: Ceiling
    direction: Floats
    stride: Floats  # length of steps, steps without progress


def paid_sites(net: Net, sites: int, price: Floats) -> tuple[Floats, Whole, float]:
    """Return what each site is paid, the best-paid choice and its ceiling."""
    pay = weight_of_sites(net, price)
    taken = _taken(pay, np.argsort(-pay, kind="stable"), net.post, net.room, sites)
    return pay, taken, float((net.weight - price).sum() + pay[taken].sum())


def first_course(net: Net) -> Course:
    """Start where every demand pays its weight to every site."""
    price = net.weight.copy()
    return Course(price, Ceiling(np.inf, price), np.zeros(net.demands), np.array([0.5, 0.0]))


def lowered(net: Net, sites: int, course: Course, floor: float, steps: int) -> Course:
    """Return the course after so many steps of a deflected subgradient method.

    `floor` is the weight of a choice at hand: steps aim at it (Polyak 1969; Camerini, Fratta and
    Maffioli 1975).
    """
    most = weight_of_sites(net, net.weight)
    order = np.argsort(-most, kind="stable")
    price, best_price = course.price.copy(), course.best.price.copy()
    direction, stride = course.direction.copy(), course.stride.copy()
    best = _descend(
        net, sites, (most, order), price, best_price, direction, stride, floor,
        course.best.value, steps,
    )  # fmt: skip
    return Course(price, Ceiling(float(best), best_price), direction, stride)


def _taken_plain(pay: Floats, order: Whole, post: Whole, room: Whole, sites: int) -> Whole:
    """Take sites in order while there are posts with room, so many at most."""
    crowd = np.zeros(room.size, dtype=np.int64)
    taken = np.empty(min(sites, order.size), dtype=np.int64)
    count = 0
    for site in order:
        if count == taken.size:
            break
        if crowd[post[site]] < room[post[site]] and pay[site] > 0.0:
            crowd[post[site]] += 1
            taken[count] = site
            count += 1
    return taken[:count]


def _best_paid_plain(
    net: Net, sites: int, most: tuple[Floats, Whole], price: Floats, pay: Floats, least: float
) -> tuple[Whole, float]:
    """Return the best-paid choice and the lowest pay in it.

    Pay is added up only for sites that could be among them: none is paid more than its weight.
    """
    weight, order = most
    upto = 0
    least *= 0.8
    while True:
        while upto < order.size and weight[order[upto]] > least:
            site = order[upto]
            pay[site] = 0.0
            for at in range(net.site_start[site], net.site_start[site + 1]):
                pay[site] += price[net.site_demand[at]]
            upto += 1
        known = order[:upto]
        taken = _taken(pay, known[np.argsort(-pay[known])], net.post, net.room, sites)
        full = taken.size == sites and taken.size > 0
        least = pay[taken[-1]] if full else -1.0
        if upto == order.size or weight[order[upto]] <= least:
            return taken, max(least, 0.0)


def _turned_plain(
    net: Net, taken: Whole, price: Floats, direction: Floats, visits: Floats
) -> float:
    """Turn the direction towards demands paid for too often or not at all; return its square."""
    visits[:] = 0.0
    for site in taken:
        for at in range(net.site_start[site], net.site_start[site + 1]):
            visits[net.site_demand[at]] += 1.0
    square = 0.0
    for demand in range(price.size):
        way = visits[demand] - 1.0 + KEPT_COURSE * direction[demand]
        at_end = price[demand] <= 0.0 if way > 0.0 else price[demand] >= net.weight[demand]
        direction[demand] = 0.0 if at_end else way
        square += direction[demand] * direction[demand]
    return square


def _descend_plain(
    net: Net,
    sites: int,
    most: tuple[Floats, Whole],
    price: Floats,
    best_price: Floats,
    direction: Floats,
    stride: Floats,
    floor: float,
    best: float,
    steps: int,
) -> float:
    """Step so many times; prices, direction and stride are changed in place."""
    pay, visits, least = np.zeros(net.post.size), np.zeros(price.size), 0.0
    for _ in range(steps):
        taken, least = _best_paid(net, sites, most, price, pay, least)
        height = (net.weight - price).sum() + pay[taken].sum()
        stride[1] = 0.0 if height < best - 1e-5 * abs(best) else stride[1] + 1.0
        if height < best:
            best = height
            best_price[:] = price
        if stride[1] >= STALE:
            stride[0] *= SHORTER
            stride[1] = 0.0
            price[:] = best_price
        square = _turned(net, taken, price, direction, visits)
        length = stride[0] * (height - floor) / square if square > 1e-9 else 0.0
        if length <= 0.0:
            break
        for demand in range(price.size):
            to = price[demand] - length * direction[demand]
            price[demand] = min(max(to, 0.0), net.weight[demand])
    return best


_taken = compiled(_taken_plain)
_best_paid = compiled(_best_paid_plain)
_turned = compiled(_turned_plain)
_descend = compiled(_descend_plain)
