"""The joint ceiling: prices on demands, paid to groups of sites that never are paid twice.

Sites that overlap make the linear programme promise too much: halves of three sites can cover
what two do. Here each group of neighbours chooses as a whole (Dantzig and Wolfe 1960), every
site paying a rent, so that the ceiling comes below that of the linear programme.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites.ceiling import Course, noted, paid_sites
from layers.coverage.sites.group_choice import Stack, best_choice, stack
from layers.coverage.sites.groups import Groups, grouped
from layers.coverage.sites.net import Floats, Net, Whole, compiled

NEARLY = 0.975  # of the lowest pay: sites that are paid less are not put together
MOST_BRANCHES = 3_000
KEPT_COURSE = 0.8
WIDTH = 3e-4  # of the rent: how near it is brought to the best one
TRIES = 8
BEGUN = 0.15  # length of the first steps


@dataclass(frozen=True)
class Joint:
    """Where the search for better prices and a better rent stands.

    Attributes
    ----------
    groups
        The groups of sites that could be among the best paid.
    others
        Weight of each site that is in no group: it is never paid more.
    course
        The prices and how far they have come.
    rent
        Of any site.
    warm
        The last choice of each group.
    """

    groups: Groups
    others: Floats
    course: Course
    rent: float
    warm: Whole


@dataclass(frozen=True)
class Offer:
    """What the groups choose at a rent: how many sites, who, and the height that follows."""

    rent: float
    height: float
    count: int
    choice: Whole


def first_joint(net: Net, sites: int, course: Course, size: int, others: Floats) -> Joint:
    """Start from prices that are good for single sites, with groups of so many at most."""
    pay, taken, _ = paid_sites(net, sites, course.best_price)
    rent = float(pay[taken].min()) if 0 < len(taken) == sites else 0.0
    rank = pay - NEARLY * rent + rent * course.often
    groups = grouped(net, course.best_price, rank, size)
    zero = np.zeros(net.demands)
    start = replace(
        course, price=course.best_price, direction=zero, stride=BEGUN, stale=0, bound=np.inf
    )
    none = np.zeros(len(groups.start) - 1, dtype=np.int64)
    return Joint(groups, others, start, rent, none)


def lowered_jointly(net: Net, sites: int, joint: Joint, floor: float, steps: int) -> Joint:
    """Return the joint ceiling after so many steps towards the weight of a choice at hand."""
    work, pay = stack(), np.zeros(len(joint.groups.atom))
    for _ in range(steps):
        _priced(joint.groups, joint.course.price, pay)
        few, many = _offers(sites, joint, pay, work)
        best = few if few.height < many.height else many
        height = float((net.weight - joint.course.price).sum()) + best.height
        joint = replace(joint, rent=best.rent, warm=best.choice)
        joint = replace(joint, course=noted(joint.course, height, _chosen(joint.groups, best)))
        # nothing is gained on the way to a floor that is reached
        if height <= floor:
            break
        joint = replace(joint, course=_stepped(net, sites, joint, height - floor, few, many))
    return joint


def _offer(sites: int, joint: Joint, pay: Floats, rent: float, work: Stack) -> Offer:
    choice = joint.warm.copy()
    earned, count = _let(joint.groups, pay, rent, choice, work, MOST_BRANCHES)
    beyond = float(np.maximum(joint.others - rent, 0.0).sum())
    return Offer(rent, sites * rent + earned + beyond, count, choice)


def _offers(sites: int, joint: Joint, pay: Floats, work: Stack) -> tuple[Offer, Offer]:
    """Return offers of no more and of no fewer sites than asked for, their rents near."""
    width = max(WIDTH * joint.rent, 1e-9)
    last = first = _offer(sites, joint, pay, joint.rent, work)
    step = width if first.count > sites else -width
    while (last.count - sites) * step > 0 and (step > 0 or last.rent > 0.0):
        first, last = last, _offer(sites, joint, pay, max(0.0, last.rent + step), work)
        step *= 2.0
    many, few = (first, last) if first.count > last.count else (last, first)
    for _ in range(TRIES):
        if not many.count > sites > few.count or few.rent - many.rent < width:
            break
        middle = _offer(sites, joint, pay, _crossing(sites, few, many), work)
        many, few = (middle, few) if middle.count >= sites else (many, middle)
    return few, many


def _crossing(sites: int, few: Offer, many: Offer) -> float:
    """Return the rent at which the heights of both would meet, well between theirs."""
    apart = few.rent - many.rent
    steep = many.count - few.count
    fall = many.height - few.height + (sites - few.count) * apart
    return many.rent + min(max(fall / steep, 0.05 * apart), 0.95 * apart)


def _stepped(net: Net, sites: int, joint: Joint, above: float, few: Offer, many: Offer) -> Course:
    """Return the course after a step against what the mixture of both offers visits."""
    course = joint.course
    mixed = many.count > few.count
    share = (sites - few.count) / (many.count - few.count) if mixed else 0.0
    share = min(max(share, 0.0), 1.0)
    direction = course.direction * KEPT_COURSE - 1.0
    _served(joint.groups, few.choice, 1.0 - share, many.choice, share, direction)
    price = course.price.copy()
    square = _blocked(direction, price, net.weight)
    if square < 1e-9:
        return course
    _moved(price, net.weight, direction, course.stride * above / square)
    return replace(course, direction=direction, price=price)


def _chosen(groups: Groups, offer: Offer) -> Whole:
    """Return the sites of an offer."""
    sizes = np.diff(groups.start)
    bit = np.arange(len(groups.site)) - np.repeat(groups.start[:-1], sizes)
    chosen: Whole = groups.site[(np.repeat(offer.choice, sizes) >> bit) & 1 > 0]
    return chosen


def _priced_plain(groups: Groups, price: Floats, pay: Floats) -> None:
    """Add up the prices of each atom."""
    for atom in range(pay.size):
        total = 0.0
        for at in range(groups.entry_start[atom], groups.entry_start[atom + 1]):
            total += price[groups.demand[at]]
        pay[atom] = total


def _let_plain(
    groups: Groups, pay: Floats, rent: float, choice: Whole, work: Stack, most: int
) -> tuple[float, int]:
    """Let every group choose; return what they earn at most and how many sites they chose."""
    total, count = 0.0, 0
    for group in range(choice.size):
        earned, here = best_choice(groups, pay, group, rent, choice[group], most, work)
        total += earned
        choice[group] = here
        while here:
            here &= here - 1
            count += 1
    return total, count


def _served_plain(
    groups: Groups, one: Whole, weight: float, other: Whole, weight_other: float, visits: Floats
) -> None:
    """Count the visits of the sites of two choices, each at its weight."""
    for group in range(one.size):
        if one[group] | other[group]:
            for atom in range(groups.atom_start[group], groups.atom_start[group + 1]):
                amount = weight if groups.atom[atom] & one[group] else 0.0
                amount += weight_other if groups.atom[atom] & other[group] else 0.0
                if amount > 0.0:
                    for at in range(groups.entry_start[atom], groups.entry_start[atom + 1]):
                        visits[groups.demand[at]] += amount


def _blocked_plain(direction: Floats, price: Floats, weight: Floats) -> float:
    """Take out what would leave the range of prices; return the square of what is left."""
    square = 0.0
    for demand in range(price.size):
        here = direction[demand]
        if (here > 0.0 and price[demand] <= 0.0) or (
            here < 0.0 and price[demand] >= weight[demand]
        ):
            direction[demand] = 0.0
        square += direction[demand] * direction[demand]
    return square


def _moved_plain(price: Floats, weight: Floats, direction: Floats, length: float) -> None:
    for demand in range(price.size):
        to = price[demand] - length * direction[demand]
        price[demand] = min(max(to, 0.0), weight[demand])


_priced = compiled(_priced_plain)
_let = compiled(_let_plain)
_served = compiled(_served_plain)
_blocked = compiled(_blocked_plain)
_moved = compiled(_moved_plain)
