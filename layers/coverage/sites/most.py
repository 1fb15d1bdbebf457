"""Most covered: search and ceiling taking turns until they meet or the time is up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites import ceiling, search
from layers.coverage.sites.ceiling import Ceiling, Course
from layers.coverage.sites.clock import Clock
from layers.coverage.sites.net import Flags, Net, Whole, covered, kept_sites
from layers.coverage.sites.proof import most_covered_by_programme
from layers.coverage.sites.thinning import merged, thinned

TURN_S = 0.25  # of search, then of the ceiling
SEARCH_SHARE = 0.3  # of the time, before a programme that is small enough is handed to HiGHS
ENTRIES_PER_S = 40_000.0  # of a programme that HiGHS may be expected to settle
WORTH_A_NEW_NET = 0.8


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
    """

    net: Net
    origin: Whole
    state: search.State
    course: Course
    value: float
    bound: float
    unit: float

    @property
    def is_proven(self) -> bool:
        """Whether no choice can be better."""
        return self.bound < self.value + self.unit

    @property
    def chosen(self) -> Whole:
        """The chosen sites by their first numbers."""
        return self.origin[self.state.order[: self.state.ends[search.CHOSEN]]]


def most_covered(net: Net, sites: int, clock: Clock) -> tuple[Whole, float]:
    """Return the sites that cover most, of all found within the time, and the ceiling."""
    less, origin = thinned(net)
    total = float(less.weight.sum())
    whole = bool((less.weight == np.rint(less.weight)).all())
    unit = 1.0 - 1e-6 if whole else 1e-9 * total
    state = search.begun(less, sites)
    first = ceiling.first_course(less)
    standing = _weighed(Standing(less, origin, state, first, 0.0, total, unit))
    standing = _taking_turns(standing, sites, clock, SEARCH_SHARE)
    if not standing.is_proven:
        standing = _by_programme(standing, sites, clock)
    standing = _taking_turns(standing, sites, clock, 1.0)
    bound = np.floor(standing.bound + 1e-6) if whole else standing.bound
    return standing.chosen, float(bound)


def _weighed(standing: Standing) -> Standing:
    """Return the standing with the weight of its choice counted anew and its bound lowered."""
    net, state = standing.net, standing.state
    value = float(net.weight[covered(net, state.order[: state.ends[search.CHOSEN]])].sum())
    bound = min(standing.bound, max(standing.course.best.value, value))
    return replace(standing, value=value, bound=bound)


def _taking_turns(standing: Standing, sites: int, clock: Clock, share: float) -> Standing:
    """Search and lower the ceiling by turns for a share of the time."""
    steps, rounds, stale = 20, 20, 0
    end_s = clock.within_s * (1.0 - share)
    while not standing.is_proven and clock.left_s > end_s:
        before, left_s = standing.bound, clock.left_s
        if stale < 4:
            course = ceiling.lowered(standing.net, sites, standing.course, standing.value, steps)
            standing = _weighed(replace(standing, course=course))
            steps = _paced(steps, left_s - clock.left_s)
        left_s = clock.left_s
        search.improved(standing.net, standing.state, sites, rounds)
        rounds = _paced(rounds, left_s - clock.left_s)
        standing = _weighed(standing)
        stale = stale + 1 if before - standing.bound < 1e-6 * before else 0
        standing = _narrowed(standing, sites)
    return standing


def _paced(count: int, took_s: float) -> int:
    """Return how many steps fill a turn, by the time that the last ones took."""
    return int(np.clip(count * TURN_S / max(took_s, 1e-6), 1, 4 * count))


def could_win(net: Net, sites: int, best: Ceiling, value: float, unit: float) -> Flags:
    """Return the sites without which every choice is worth no more than `value`.

    A site that is not among the best paid lowers the ceiling by what it is paid less than they.
    """
    pay, taken, height = ceiling.paid_sites(net, sites, best.price)
    least = pay[taken].min() if len(taken) == sites else 0.0
    could: Flags = height - (least - pay) >= value + unit
    could[taken] = True
    return could


def _narrowed(standing: Standing, sites: int) -> Standing:
    """Return the standing without sites that no better choice can have."""
    net, state = standing.net, standing.state
    kept = could_win(net, sites, standing.course.best, standing.value, standing.unit)
    kept |= state.chosen
    if kept.sum() > WORTH_A_NEW_NET * net.sites:
        return standing
    less = kept_sites(net, kept)
    small = merged(less)
    place = np.cumsum(kept) - 1
    order = place[state.order[: state.ends[search.CHOSEN]]]
    new_state = search.begun(small, 0)
    search.put(small, new_state, order)
    return replace(
        standing,
        net=small,
        origin=standing.origin[kept],
        state=new_state,
        course=ceiling.first_course(small),
    )


def _by_programme(standing: Standing, sites: int, clock: Clock) -> Standing:
    """Let HiGHS settle what is left, where that is little for the time there is."""
    net = standing.net
    time_s = clock.part_s(0.9)
    if len(net.site_demand) > ENTRIES_PER_S * time_s:
        return standing
    proof = most_covered_by_programme(net, sites, time_s)
    bound = min(standing.bound, max(proof.bound, standing.value))
    standing = replace(standing, bound=bound)
    if proof.chosen is None:
        return standing
    value = float(net.weight[covered(net, proof.chosen)].sum())
    if value <= standing.value:
        return standing
    state = search.begun(net, 0)
    search.put(net, state, proof.chosen)
    return replace(standing, state=state, value=value, bound=max(bound, value))
