"""Ceiling: what no choice of sites can cover more than, from prices on the demands.

A demand's price, from 0 to its weight, is what a chosen site is paid for covering it. For any
prices the weight left unpaid plus the best-paid sites is a ceiling (Lagrangian relaxation: Galvão
and ReVelle 1996); the best prices give that of the linear programme.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites.net import Flags, Floats, Net, Whole, compiled, matrix_of

STALE = 15  # steps without progress after which steps get shorter
SHORTER = 0.7
KEPT_COURSE = 0.8  # share of the last direction that the next one keeps
FADING = 0.9  # share that the record of who is taken keeps a step


@dataclass(frozen=True)
class Course:
    """Where the search for better prices stands.

    Attributes
    ----------
    price, direction
        Of each demand: the price now, and where it is going.
    bound, best_price
        The lowest ceiling so far and the prices that prove it.
    stride, stale
        Length of steps; steps without progress.
    often
        Of each site: how often it was among the best paid lately.
    """

    price: Floats
    direction: Floats
    bound: float
    best_price: Floats
    stride: float
    stale: int
    often: Floats


def first_course(net: Net) -> Course:
    """Start where every demand pays its weight to every site."""
    price, zero = net.weight.copy(), np.zeros(net.demands)
    return Course(price, zero, np.inf, price, 0.5, 0, np.zeros(net.sites))


def course_within(course: Course, sites: Flags, demands: Flags) -> Course:
    """Return the course from its best prices on, for some of the sites and demands."""
    price = course.best_price[demands]
    zero = np.zeros(len(price))
    return Course(price, zero, np.inf, price, 0.3, 0, course.often[sites])


def paid_sites(net: Net, sites: int, price: Floats) -> tuple[Floats, Whole, float]:
    """Return what each site is paid, the best-paid choice and its ceiling."""
    pay = matrix_of(net) @ price
    taken = _taken(pay, np.argsort(-pay, kind="stable"), net.post, net.room, sites)
    return pay, taken, float((net.weight - price).sum() + pay[taken].sum())


def lowered(net: Net, sites: int, course: Course, floor: float, steps: int) -> Course:
    """Return the course after so many steps of a deflected subgradient method.

    `floor` is the weight of a choice at hand: steps aim at it (Polyak 1969; Camerini, Fratta and
    Maffioli 1975).
    """
    payroll = Payroll(net, sites)
    for _ in range(steps):
        taken, pay = payroll.best_paid(course.price)
        height = float((net.weight - course.price).sum() + pay)
        course = noted(course, height, taken)
        # nothing is gained on the way to a floor that is reached
        if height <= floor:
            break
        course = _stepped(net, course, height - floor, taken)
    return course


def noted(course: Course, value: float, taken: Whole) -> Course:
    """Keep the prices where they are the best, and shorten the stride where nothing happens."""
    stale = 0 if value < course.bound - 1e-5 * abs(course.bound) else course.stale + 1
    often = FADING * course.often
    often[taken] += 1.0 - FADING
    course = replace(course, stale=stale, often=often)
    if value < course.bound:
        course = replace(course, bound=value, best_price=course.price)
    if course.stale < STALE:
        return course
    return replace(course, stale=0, stride=course.stride * SHORTER, price=course.best_price)


def _stepped(net: Net, course: Course, above: float, taken: Whole) -> Course:
    direction = course.direction * KEPT_COURSE - 1.0
    _visit(net.site_start, net.site_demand, taken, direction)
    blocked = np.where(direction > 0.0, course.price <= 0.0, course.price >= net.weight)
    direction[blocked] = 0.0
    square = float(direction @ direction)
    if square < 1e-9:
        return course
    to = course.price - course.stride * above / square * direction
    return replace(course, direction=direction, price=np.clip(to, 0.0, net.weight))


class Payroll:
    """Who is paid best, added up only for sites that could be among them.

    No site is paid more than the weight of its demands, so sites of less weight than the lowest
    pay of the best need not be looked at.
    """

    def __init__(self, net: Net, sites: int) -> None:
        self.net, self.sites = net, sites
        most = matrix_of(net) @ net.weight
        self.order = np.argsort(-most, kind="stable")
        self.most = most[self.order]
        self.pay = np.zeros(net.sites)
        self.least = 0.0

    def best_paid(self, price: Floats) -> tuple[Whole, float]:
        """Return the best-paid choice at these prices and what it is paid together."""
        net, seen, least = self.net, 0, 0.8 * self.least
        while True:
            upto = int(np.searchsorted(-self.most, -least))
            _pay(net.site_start, net.site_demand, self.order[seen:upto], price, self.pay)
            seen = max(seen, upto)
            known = self.order[:seen]
            ranked = known[np.argsort(-self.pay[known], kind="stable")]
            taken = _taken(self.pay, ranked, net.post, net.room, self.sites)
            full = 0 < len(taken) == self.sites
            least = float(self.pay[taken[-1]]) if full else -1.0
            if seen == net.sites or self.most[seen] <= least:
                self.least = max(least, 0.0)
                return taken, float(self.pay[taken].sum())


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


def _pay_plain(start: Whole, demand: Whole, sites: Whole, price: Floats, pay: Floats) -> None:
    """Add up what these sites are paid."""
    for site in sites:
        total = 0.0
        for at in range(start[site], start[site + 1]):
            total += price[demand[at]]
        pay[site] = total


def _visit_plain(start: Whole, demand: Whole, taken: Whole, visits: Floats) -> None:
    """Count the visits of these sites."""
    for site in taken:
        for at in range(start[site], start[site + 1]):
            visits[demand[at]] += 1.0


_taken = compiled(_taken_plain)
_pay = compiled(_pay_plain)
_visit = compiled(_visit_plain)


def could_win(
    net: Net, sites: int, course: Course, least_value: float, others: Floats | None = None
) -> Flags:
    """Return the sites without which no choice reaches `least_value`.

    A site that is not among the best paid lowers the ceiling by what it is paid less than they.
    `others` is the weight of sites that are not in the net, but could be chosen as well.
    """
    pay, taken, height = paid_sites(net, sites, course.best_price)
    least = pay[taken].min() if 0 < len(taken) == sites else 0.0
    could: Flags = height - (least - pay) >= least_value
    could[taken] = True
    if others is not None and others.max(initial=0.0) > least:
        could[:] = True
    return could
