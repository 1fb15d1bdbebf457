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
BEGUN = 0.15  # length of the first steps
# shares of the rent: by how much it is moved at first, at least and at most
FIRST_MOVE, LEAST_MOVE, MOST_MOVE = 3e-4, 1e-5, 1e-2
FARTHER, NEARER = 1.5, 0.5  # the next move where it goes on the same way, and where it turns


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
    rent, move
        Of any site, and by how much it was moved last.
    warm
        The last choice of each group.
    """

    groups: Groups
    others: Floats
    course: Course
    rent: float
    move: float
    warm: Whole


@dataclass(frozen=True)
class Offer:
    """What the groups choose at a rent: how many sites, who, and the height that follows."""

    height: float
    count: int
    choice: Whole


def first_joint(net: Net, sites: int, course: Course, most: int, others: Floats) -> Joint:
    """Start from prices that are good for single sites, with groups of so many at most."""
    pay, taken, _ = paid_sites(net, sites, course.best_price)
    rent = float(pay[taken].min()) if 0 < len(taken) == sites else 0.0
    rank = pay - NEARLY * rent + rent * course.often
    groups = grouped(net, course.best_price, rank, most)
    zero = np.zeros(net.demands)
    start = replace(
        course, price=course.best_price, direction=zero, stride=BEGUN, stale=0, bound=np.inf
    )
    none = np.zeros(len(groups.start) - 1, dtype=np.int64)
    return Joint(groups, others, start, rent, FIRST_MOVE * rent, none)


def lowered_jointly(net: Net, sites: int, joint: Joint, floor: float, steps: int) -> Joint:
    """Return the joint ceiling after so many steps towards the weight of a choice at hand.

    Any rent proves a ceiling. One offer is asked for a step: the rent follows the prices by small
    moves towards the one at which as many sites are chosen as there may be.
    """
    work, pay = stack(), np.zeros(len(joint.groups.atom))
    for _ in range(steps):
        _priced(joint.groups, joint.course.price, pay)
        offer = _offer(sites, joint, pay, work)
        height = float((net.weight - joint.course.price).sum()) + offer.height
        course = noted(joint.course, height, _chosen(joint.groups, offer))
        joint = replace(joint, course=course, warm=offer.choice)
        # nothing is gained on the way to a floor that is reached
        if height <= floor:
            break
        joint = _stepped(net, joint, height - floor, offer)
        # even a rent of nothing can rise
        scale = max(joint.rent, 0.01 * height / max(1, sites))
        joint = _with_next_rent(joint, offer.count - sites, scale)
    return joint


def _offer(sites: int, joint: Joint, pay: Floats, work: Stack) -> Offer:
    choice, rent = joint.warm.copy(), joint.rent
    earned, count = _let(joint.groups, pay, rent, choice, work, MOST_BRANCHES)
    beyond = np.maximum(joint.others - rent, 0.0)
    count += np.count_nonzero(beyond)
    return Offer(sites * rent + earned + float(beyond.sum()), count, choice)


def _with_next_rent(joint: Joint, too_many: int, scale: float) -> Joint:
    """Return the joint ceiling with a higher rent where too many were chosen, else a lower one."""
    if too_many == 0:
        return joint
    if too_many * joint.move > 0.0:
        size = min(FARTHER * abs(joint.move), MOST_MOVE * scale)
    else:
        size = max(NEARER * abs(joint.move), LEAST_MOVE * scale)
    move = float(np.copysign(size, too_many))
    return replace(joint, rent=max(0.0, joint.rent + move), move=move)


def _stepped(net: Net, joint: Joint, above: float, offer: Offer) -> Joint:
    """Return the joint ceiling after a step against what the offer visits."""
    course = joint.course
    direction = course.direction * KEPT_COURSE - 1.0
    _served(joint.groups, offer.choice, direction)
    price = course.price.copy()
    square = _blocked(direction, price, net.weight)
    if square < 1e-9:
        return joint
    _moved(price, net.weight, direction, course.stride * above / square)
    return replace(joint, course=replace(course, direction=direction, price=price))


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


def _served_plain(groups: Groups, choice: Whole, visits: Floats) -> None:
    """Count the visits of the groups that chose: a demand is visited once by each."""
    for group in range(choice.size):
        if choice[group]:
            for atom in range(groups.atom_start[group], groups.atom_start[group + 1]):
                if groups.atom[atom] & choice[group]:
                    for at in range(groups.entry_start[atom], groups.entry_start[atom + 1]):
                        visits[groups.demand[at]] += 1.0


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
