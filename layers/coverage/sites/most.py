"""Most covered: search and ceiling taking turns until they meet or the time is up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from layers.coverage.sites import search
from layers.coverage.sites.branching import settled
from layers.coverage.sites.ceiling import (
    Course,
    could_win,
    first_course,
    lowered,
    paid_sites,
)
from layers.coverage.sites.clock import Clock, paced, started
from layers.coverage.sites.hunt import (
    Hunt,
    covered_alone,
    hunt_among,
    is_due,
    likely_sites,
    share_at,
    value_of,
)
from layers.coverage.sites.joint import Joint, first_joint, lowered_jointly
from layers.coverage.sites.most_branch import MostBranch
from layers.coverage.sites.net import Flags, Floats, Net, Whole, kept_sites, matrix_of
from layers.coverage.sites.proof import most_covered_by_programme, prices_by_programme
from layers.coverage.sites.thinning import merged_with_prices, thinned

SEARCH_SHARE = 0.2  # of the time, before what is left is proven, where that is little
BRANCH_SHARE, PROGRAMME_SHARE = 0.5, 0.7  # of what is left
ENTRIES_PER_S = 30_000.0  # of a programme that HiGHS may be expected to settle
BRANCH_ENTRIES = 400_000
PRICED_ENTRIES, PRICED_SHARE = 200_000, 0.5  # of a linear programme; of the time left
PROGRAMME_FIRST = 10_000  # entries up to which HiGHS is faster than branching
WORTH_A_NEW_NET = 0.8
PATIENCE = 4  # turns without a lower ceiling after which only the search goes on
FEW_ENTRIES = 200_000  # up to which the search looks at every site from the first
LASTING = 3  # times that patience for prices while the search goes on anyway
NEVER = 10**9
FIRST_ROUNDS = 20  # of a search, whose pace is not known yet
HOPELESS = 0.9  # of what a chosen site covers alone: sites of less weight are left aside
GROUP = 24  # sites at most that are priced together
CROWDED = 30.0  # sites a demand that make whole groups too slow to price, where entries are many
ROUGH = 40  # steps after which prices are good enough to tell neighbours by


@dataclass(frozen=True)
class Standing:
    """A net, the best choice known in it, and the course of its ceiling.

    Attributes
    ----------
    net, origin
        What is left, and the number each of its sites had at first.
    choice
        The best sites known in it.
    course, joint
        The ceiling of it; that of neighbours together, where it has been begun.
    value, bound
        Weight of the choice; what no choice of the whole problem can beat.
    unit
        What a better choice wins at least.
    sites
        How many sites may be chosen.
    others
        Weight of each site that was left aside, for it hardly could be chosen.
    """

    net: Net
    origin: Whole
    choice: Whole
    course: Course
    value: float
    bound: float
    unit: float
    sites: int
    others: Floats
    joint: Joint | None = None

    @property
    def is_proven(self) -> bool:
        """Whether no choice can be better."""
        return self.bound < self.value + self.unit

    @property
    def chosen(self) -> Whole:
        """The chosen sites by their first numbers."""
        return self.origin[self.choice]


def most_covered(net: Net, sites: int, clock: Clock) -> tuple[Whole, float]:
    """Return the sites that cover most, of all found within the time, and the ceiling."""
    less, origin = thinned(net)
    total = float(less.weight.sum())
    whole = bool((less.weight == np.rint(less.weight)).all())
    unit = 1.0 - 1e-6 if whole else 1e-9 * total
    choice = search.chosen_sites(search.begun(less, sites))
    none = np.zeros(0)
    # the heaviest sites: known at once, where there is time for nothing else
    heaviest = paid_sites(less, sites, less.weight)[2]
    standing = Standing(less, origin, choice, first_course(less), 0.0, total, unit, sites, none)
    standing = _weighed(standing)
    if _has_neighbours_together(less):
        standing = _roughly(_hopeful(standing), clock)
    else:
        standing = _taking_turns(standing, clock, SEARCH_SHARE, PATIENCE)
        standing = _priced(standing, clock)
    steps = (_by_branching, _by_programme)
    little = len(standing.net.site_demand) <= PROGRAMME_FIRST
    for settle in reversed(steps) if little else steps:
        if not standing.is_proven and not len(standing.others):
            standing = settle(standing, clock)
    if _has_neighbours_together(less) or len(less.site_demand) <= BRANCH_ENTRIES:
        standing = _jointly(standing)
    standing = _taking_turns(standing, clock, 1.0, NEVER)
    bound = min(standing.bound, max(heaviest, standing.value))
    bound = np.floor(bound + 1e-6) if whole else bound
    return standing.chosen, float(bound)


def _has_neighbours_together(net: Net) -> bool:
    """Say whether sites are too many to branch on, and few enough at each demand for groups."""
    entries = len(net.site_demand)
    return entries > BRANCH_ENTRIES and entries <= CROWDED * len(net.weight)


def _weighed(standing: Standing) -> Standing:
    """Return the standing with the weight of its choice counted anew and its bound lowered."""
    value = value_of(standing.net, standing.choice)
    # the ceiling of single sites does not count on those left aside
    bound = standing.bound if len(standing.others) else standing.course.bound
    if standing.joint is not None:
        bound = min(bound, standing.joint.course.bound)
    return replace(standing, value=value, bound=min(standing.bound, max(bound, value)))


def _roughly(standing: Standing, clock: Clock) -> Standing:
    """Lower the ceiling of single sites by some steps, while the time lasts."""
    done = 0
    while done < ROUGH and clock.left_s > 0.0:
        standing, done = _lower(standing, 10), done + 10
    return _weighed(standing)


def _jointly(standing: Standing) -> Standing:
    """Begin the ceiling of neighbours together, where it could be lower."""
    net, course = standing.net, standing.course
    if standing.is_proven or standing.sites == 0:
        return standing
    joint = first_joint(net, standing.sites, course, GROUP, standing.others)
    return replace(standing, joint=joint)


def _lower(standing: Standing, steps: int) -> Standing:
    """Return the standing with the ceiling that is at work lowered by so many steps."""
    net, sites, joint = standing.net, standing.sites, standing.joint
    if joint is not None:
        return replace(standing, joint=lowered_jointly(net, sites, joint, standing.value, steps))
    return replace(standing, course=lowered(net, sites, standing.course, standing.value, steps))


def _taking_turns(standing: Standing, clock: Clock, share: float, turns: int) -> Standing:
    """Search and lower the ceiling side by side until a share of the time is used.

    It ends before when the ceiling has not come down for so many turns.
    """
    steps, rounds, stale, turn = 5, FIRST_ROUNDS, 0, 0
    end_s = clock.within_s * (1.0 - share)
    hunt = _hunt(standing, turn)
    with ThreadPoolExecutor(1) as helper:
        while not standing.is_proven and clock.left_s > end_s and stale < turns:
            searched = helper.submit(_hunted, hunt, rounds, clock)
            before = standing.bound
            if stale < LASTING * PATIENCE:
                left_s = clock.left_s
                standing = _lower(standing, steps)
                steps = paced(steps, left_s - clock.left_s, clock)
            rounds = paced(rounds, searched.result(), clock)
            standing = _narrowed(_weighed(_with_found(standing, hunt)))
            stale = stale + 1 if before - standing.bound < 1e-5 * before else 0
            turn += 1
            large = len(standing.net.site_demand) > FEW_ENTRIES
            if (large and is_due(turn)) or standing.net is not hunt.whole:
                # a round among more sites takes longer than those before
                hunt, rounds = _hunt(standing, turn), FIRST_ROUNDS
    return standing


def _hunt(standing: Standing, turn: int) -> Hunt:
    """Begin a search among the sites that are likely at the prices so far."""
    net, sites, course = standing.net, standing.sites, standing.course
    if len(net.site_demand) <= FEW_ENTRIES:
        every = np.ones(net.sites, dtype=np.bool_)
        return hunt_among(net, sites, standing.choice, every, turn + 1)
    if standing.joint is not None:
        course, rent = standing.joint.course, standing.joint.rent
    else:
        pay, taken, _ = paid_sites(net, sites, course.best_price)
        rent = float(pay[taken].min(initial=np.inf)) if len(taken) == sites else 0.0
    price, often = course.best_price, course.often
    likely = likely_sites(net, sites, price, rent, often, share_at(turn))
    return hunt_among(net, sites, standing.choice, likely, turn + 1)


def _hunted(hunt: Hunt, rounds: int, clock: Clock) -> float:
    """Search so many rounds; return the time it took."""
    left_s = clock.left_s
    hunt.goes_on(rounds)
    return left_s - clock.left_s


def _with_found(standing: Standing, hunt: Hunt) -> Standing:
    """Return the standing with what the search found, where that covers more."""
    choice = hunt.choice
    better = value_of(standing.net, choice) > standing.value
    return replace(standing, choice=choice) if better else standing


def _narrowed(standing: Standing) -> Standing:
    """Return the standing without sites that no better choice can have."""
    net, chosen = standing.net, standing.choice
    least = standing.value + standing.unit
    # no site is paid so much that being without it could make that difference
    if (standing.course.bound - least) * standing.sites > standing.course.bound:
        return standing
    kept = could_win(net, standing.sites, standing.course, least, standing.others)
    kept[chosen] = True
    return standing if kept.sum() > WORTH_A_NEW_NET * net.sites else _of_sites(standing, kept)


def _hopeful(standing: Standing) -> Standing:
    """Return the standing without sites of less weight than any chosen one covers alone.

    They are counted on in the joint ceiling, which alone is lowered from then on.
    """
    net, chosen = standing.net, standing.choice
    if standing.is_proven or not 0 < len(chosen) == standing.sites:
        return standing
    most = matrix_of(net) @ net.weight
    kept: Flags = most >= HOPELESS * covered_alone(net, chosen).min()
    return replace(_of_sites(standing, kept), others=most[~kept])


def _of_sites(standing: Standing, kept: Flags) -> Standing:
    """Return the standing of some of its sites, all chosen ones among them."""
    was = standing.course
    small, price = merged_with_prices(kept_sites(standing.net, kept), was.best_price)
    place = np.cumsum(kept) - 1
    course = replace(
        first_course(small),
        price=price,
        best_price=price,
        stride=was.stride,
        often=was.often[kept],
    )
    choice, origin = place[standing.choice], standing.origin[kept]
    small_standing = replace(standing, net=small, origin=origin, choice=choice, course=course)
    return replace(small_standing, joint=None)


def _priced(standing: Standing, clock: Clock) -> Standing:
    """Take the prices of the linear programme, where HiGHS finds them soon, and narrow by them."""
    net, sites, course = standing.net, standing.sites, standing.course
    if standing.is_proven or len(net.site_demand) > PRICED_ENTRIES:
        return standing
    price = prices_by_programme(net, sites, PRICED_SHARE * clock.left_s)
    if price is None:
        return standing
    height = paid_sites(net, sites, price)[2]
    if height >= course.bound:
        return standing
    course = replace(course, price=price, best_price=price, bound=height)
    return _narrowed(_weighed(replace(standing, course=course)))


def _by_programme(standing: Standing, clock: Clock) -> Standing:
    """Let HiGHS settle what is left, where that is little for the time there is."""
    net = standing.net
    time_s = PROGRAMME_SHARE * clock.left_s
    # on larger ones HiGHS does not keep to its time
    if len(net.site_demand) > min(ENTRIES_PER_S * time_s, BRANCH_ENTRIES):
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
    value = standing.value
    bound = min(standing.bound, max(bound, value))
    standing = replace(standing, bound=bound)
    if chosen is None or value_of(standing.net, chosen) <= value:
        return standing
    return _weighed(replace(standing, choice=chosen))
