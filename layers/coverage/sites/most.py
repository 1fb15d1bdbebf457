"""Most covered: search and ceiling taking turns until they meet or the time is up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites import search
from layers.coverage.sites.branching import settled
from layers.coverage.sites.ceiling import Course, could_win, first_course, lowered
from layers.coverage.sites.clock import Clock, paced, started
from layers.coverage.sites.most_branch import MostBranch
from layers.coverage.sites.net import Net, Whole, covered, kept_sites
from layers.coverage.sites.proof import most_covered_by_programme
from layers.coverage.sites.thinning import merged_with_prices, thinned

SEARCH_SHARE = 0.25  # of the time, before what is left is proven, where that is little
BRANCH_SHARE, PROGRAMME_SHARE = 0.5, 0.7  # of what is left
ENTRIES_PER_S = 30_000.0  # of a programme that HiGHS may be expected to settle
BRANCH_ENTRIES = 400_000
PROGRAMME_FIRST = 10_000  # entries up to which HiGHS is faster than branching
WORTH_A_NEW_NET = 0.8
PATIENCE = 4  # turns without a lower ceiling after which only the search goes on
NEVER = 10**9


@dataclass(frozen=True)
class Standing:
    """A net, the best choice known in it, and the course of its ceiling.

    Attributes
    ----------
    net, origin
        What is left, and the number each of its sites had at first.
    state
        The search on it.
    course
        The ceiling of it.
    value, bound
        Weight of the choice; what no choice of the whole problem can beat.
    unit
        What a better choice wins at least.
    sites
        How many sites may be chosen.
    """

    net: Net
    origin: Whole
    state: search.State
    course: Course
    value: float
    bound: float
    unit: float
    sites: int

    @property
    def is_proven(self) -> bool:
        """Whether no choice can be better."""
        return self.bound < self.value + self.unit

    @property
    def chosen(self) -> Whole:
        """The chosen sites by their first numbers."""
        return self.origin[search.chosen_sites(self.state)]


def most_covered(net: Net, sites: int, clock: Clock) -> tuple[Whole, float]:
    """Return the sites that cover most, of all found within the time, and the ceiling."""
    less, origin = thinned(net)
    total = float(less.weight.sum())
    whole = bool((less.weight == np.rint(less.weight)).all())
    unit = 1.0 - 1e-6 if whole else 1e-9 * total
    state = search.begun(less, sites)
    standing = Standing(less, origin, state, first_course(less), 0.0, total, unit, sites)
    standing = _taking_turns(_weighed(standing), clock, SEARCH_SHARE, PATIENCE)
    steps = (_by_branching, _by_programme)
    little = len(standing.net.site_demand) <= PROGRAMME_FIRST
    for settle in reversed(steps) if little else steps:
        standing = standing if standing.is_proven else settle(standing, clock)
    standing = _taking_turns(standing, clock, 1.0, NEVER)
    bound = np.floor(standing.bound + 1e-6) if whole else standing.bound
    return standing.chosen, float(bound)


def _weighed(standing: Standing) -> Standing:
    """Return the standing with the weight of its choice counted anew and its bound lowered."""
    net = standing.net
    seen = covered(net, search.chosen_sites(standing.state))
    value = float(net.weight[seen].sum())
    bound = min(standing.bound, max(standing.course.bound, value))
    return replace(standing, value=value, bound=bound)


def _taking_turns(standing: Standing, clock: Clock, share: float, turns: int) -> Standing:
    """Search and lower the ceiling by turns until a share of the time is used.

    It ends before when the ceiling has not come down for so many turns.
    """
    steps, rounds, stale = 20, 20, 0
    end_s = clock.within_s * (1.0 - share)
    while not standing.is_proven and clock.left_s > end_s and stale < turns:
        if stale < PATIENCE:
            before, left_s = standing.bound, clock.left_s
            course = lowered(standing.net, standing.sites, standing.course, standing.value, steps)
            standing = _narrowed(_weighed(replace(standing, course=course)))
            steps = paced(steps, left_s - clock.left_s, clock)
            stale = stale + 1 if before - standing.bound < 1e-5 * before else 0
        left_s = clock.left_s
        search.improved(standing.net, standing.state, standing.sites, rounds)
        rounds = paced(rounds, left_s - clock.left_s, clock)
        standing = _weighed(standing)
    return standing


def _narrowed(standing: Standing) -> Standing:
    """Return the standing without sites that no better choice can have."""
    net, chosen = standing.net, search.chosen_sites(standing.state)
    least = standing.value + standing.unit
    kept = could_win(net, standing.sites, standing.course, least)
    kept[chosen] = True
    if kept.sum() > WORTH_A_NEW_NET * net.sites:
        return standing
    small, price = merged_with_prices(kept_sites(net, kept), standing.course.best_price)
    place = np.cumsum(kept) - 1
    course = replace(
        first_course(small),
        price=price,
        best_price=price,
        stride=standing.course.stride,
        often=standing.course.often[kept],
    )
    state = search.put(small, place[chosen])
    return replace(standing, net=small, origin=standing.origin[kept], state=state, course=course)


def _by_programme(standing: Standing, clock: Clock) -> Standing:
    """Let HiGHS settle what is left, where that is little for the time there is."""
    net = standing.net
    time_s = PROGRAMME_SHARE * clock.left_s
    if len(net.site_demand) > ENTRIES_PER_S * time_s:
        return standing
    chosen, bound = most_covered_by_programme(net, standing.sites, time_s)
    return _with_choice(standing, chosen, bound)


def _by_branching(standing: Standing, clock: Clock) -> Standing:
    """Branch until the time is up, where branches are small enough to be many."""
    net = standing.net
    if len(net.site_demand) > BRANCH_ENTRIES or clock.left_s <= 0.0:
        return standing
    none = np.zeros(0, dtype=np.int64)
    course = lowered(net, standing.sites, standing.course, standing.value, 1)
    first = MostBranch(net, np.arange(net.sites), standing.sites, none, 0.0, course)
    part = started(BRANCH_SHARE * clock.left_s)
    found = settled(first, standing.value, standing.unit, part)
    return _with_choice(standing, found.chosen, found.bound)


def _with_choice(standing: Standing, chosen: Whole | None, bound: float) -> Standing:
    """Return the standing with what a proof found out."""
    net, value = standing.net, standing.value
    bound = min(standing.bound, max(bound, value))
    standing = replace(standing, bound=bound)
    if chosen is None or float(net.weight[covered(net, chosen)].sum()) <= value:
        return standing
    return _weighed(replace(standing, state=search.put(net, chosen)))
