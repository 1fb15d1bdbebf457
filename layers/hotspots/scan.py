"""The scan statistic: circles, and spans of time, with more cases than chance explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused
from layers.hotspots.circles import circles, distances_m
from layers.hotspots.scan_chance import Search, highest_by_centre, highest_by_chance
from layers.hotspots.scan_search import llr
from layers.hotspots.scan_study import study
from layers.hotspots.spans import spans

Floats = NDArray[np.float64]

AS_HIGH = 1e-9
"""Replicas this close under a cluster's logarithm reach it: sums in another order differ so."""

LEAST_LLR = 1e-9
"""Under this a count is what was expected but for rounding."""


@dataclass(frozen=True)
class Cluster:
    """A circle, and a span of time, with more cases than expected.

    Parameters
    ----------
    members
        Locations inside, ascending.
    centre
        The location it is drawn round.
    radius_m
        To its farthest member, metres.
    start, end
        First and last step, both inside; 0 and 0 where there is no time.
    observed, expected
        Cases inside, and how many the null hypothesis puts there.
    relative_risk
        Cases per expected case inside over that outside; infinite with none outside.
    llr
        Logarithm of the likelihood ratio.
    p
        Rank of `llr` among the highest of the data and of all replicas; 1 without replicas.
    p_gumbel
        Chance of `llr` or more under a Gumbel law with the mean and the deviation of the
        replicas, for p smaller than they can show; NaN with fewer than two.
    """

    members: list[int]
    centre: int
    radius_m: float
    start: int
    end: int
    observed: int
    expected: float
    relative_risk: float
    llr: float
    p: float
    p_gumbel: float

    @property
    def ratio(self) -> float:
        """Observed over expected."""
        return self.observed / self.expected

    @property
    def recurrence_steps(self) -> float:
        """After how many steps chance alone shows the like once, when scanned at every step."""
        return 1.0 / self.p


def scan(
    cases: ArrayLike,
    population: ArrayLike | None,
    xy: ArrayLike,
    *,
    model: str,
    largest_share: float = 0.5,
    largest_radius_m: float | None = None,
    windows: tuple[int, int] | None = None,
    prospective: bool = False,
    great_circle: bool = False,
    repeats: int = 999,
    seed: int,
    controls: ArrayLike | None = None,
    least_cases: int = 2,
) -> list[Cluster]:
    """Return the clusters of high rates by Kulldorff's scan statistic.

    Every circle round a location up to a share of the population, in every span of time up to a
    length, is compared with its outside by the likelihood ratio; the highest of the data is
    ranked among the highest of `repeats` random replicas, so that p holds for the whole map at
    once. Kulldorff (1997), Commun. Stat. 26:1481-1496 (Poisson, Bernoulli); (2001), JRSS A
    164:61-72 (prospective); Kulldorff et al. (2005), PLoS Med 2:e59 (permutation); Abrams,
    Kleinman and Kulldorff (2010), Int J Health Geogr 9:61 (Gumbel).

    Each centre puts forward its highest circle; secondary clusters share no location with a
    higher one, and of equally high ones that with fewer locations comes first. Locations equally
    far from a centre enter one after the other, the lesser coordinate first (x, then y; on the
    sphere those of space); locations at one spot enter together. So does SaTScan, whose figures
    these are. The same seed gives the same clusters on any number of threads.

    Parameters
    ----------
    cases
        Whole cases by location, shape (n,), or by location and step, shape (n, t).
    population
        At risk, shape (n,) or (n, t): for ``poisson`` persons, or expected numbers adjusted for
        covariates (`layers.hotspots.person_time`), in any unit; for ``bernoulli`` cases and
        controls together, where `controls` are not given. ``permutation`` takes no notice of it.
    xy
        Places, shape (n, 2): metres, or longitude and latitude with `great_circle`.
    model
        ``poisson``, ``bernoulli`` or ``permutation`` (space-time; needs cases alone).
    largest_share
        Of the population at risk over all steps that a circle may hold; for ``poisson`` the
        expected numbers, for ``permutation`` the cases.
    largest_radius_m
        Metres; no limit where None.
    windows
        Shortest and longest span in steps; 1 and half of all steps where None.
    prospective
        Only spans that last to the final step.
    great_circle
        `xy` are degrees on a sphere.
    repeats
        Replicas; the smallest p is 1 / (repeats + 1).
    seed
        Of the replicas.
    controls
        Whole controls, shaped as the cases: ``bernoulli`` only.
    least_cases
        A window with fewer cases is no cluster.

    Returns
    -------
    list of Cluster
        The most likely first, then the secondary ones, whatever their p; empty without cases or
        where no circle holds more than expected.

    Raises
    ------
    Refused
        ``scan-model``, ``scan-shape``, ``counts-not-whole``, ``scan-population``,
        ``scan-controls``, ``scan-steps``, ``scan-places``, ``scan-settings``, ``scan-windows``;
        `TooLarge` with more circles or persons than fit into memory.

    Examples
    --------
    >>> found = scan([9, 1, 0], [5, 5, 5], [[0, 0], [1, 0], [9, 0]], model="poisson", seed=1)
    >>> [(cluster.members, cluster.observed, round(cluster.llr, 3)) for cluster in found]
    [([0], 9, 7.042)]
    """
    given = study(cases, population, model, controls)
    steps = spans(given.cases.shape[1], windows, prospective=prospective)
    places = _places(xy, len(given.cases), great_circle=great_circle)
    _refuse_settings(largest_share, largest_radius_m, repeats, least_cases)
    if given.total == 0:
        return []
    around = circles(
        places,
        given.people,
        largest_share=largest_share,
        largest_radius_m=largest_radius_m,
        great_circle=great_circle,
    )
    search = Search(given, around, steps, steps.sums(given.expected), least_cases)
    found = list(_apart_from_each_other(search))
    chance = highest_by_chance(search, repeats, seed) if found else np.empty(0)
    return [_cluster(search, places, one, chance, great_circle=great_circle) for one in found]


@dataclass(frozen=True)
class _Found:
    """The highest circle of one centre."""

    centre: int
    members: list[int]
    start: int
    end: int


def _apart_from_each_other(search: Search) -> Iterator[_Found]:
    """Yield each centre's highest circle, highest first, without any that meets one before."""
    highest, last, span_of = highest_by_centre(search)
    taken: set[int] = set()
    size = last - search.around.starts[:-1]
    # round, so that one circle found from two centres is not ordered by the noise of its sums
    for centre in np.lexsort((np.arange(highest.size), size, -np.round(highest, 9))).tolist():
        if highest[centre] < LEAST_LLR:
            return
        members = search.around.members(centre, int(last[centre]))
        if taken.isdisjoint(members):
            taken.update(members)
            start, end, _, _ = next(islice(search.spans, int(span_of[centre]), None))
            yield _Found(centre, members, start, end)


def _cluster(
    search: Search, places: Floats, found: _Found, chance: Floats, *, great_circle: bool
) -> Cluster:
    """Describe a circle that was found, its sums made anew."""
    inside = np.ix_(found.members, range(found.start, found.end + 1))
    total, controls = search.totals
    observed = int(search.study.cases[inside].sum())
    expected = float(search.study.expected[inside].sum())
    value = llr(float(observed), expected, total, controls)
    away_m = distances_m(places, found.centre, great_circle=great_circle)[found.members]
    outside = (total - observed) * expected
    return Cluster(
        members=found.members,
        centre=found.centre,
        radius_m=float(away_m.max()),
        start=found.start,
        end=found.end,
        observed=observed,
        expected=expected,
        relative_risk=observed * (total - expected) / outside if outside > 0.0 else np.inf,
        llr=value,
        p=(1 + int(np.count_nonzero(chance >= value * (1.0 - AS_HIGH)))) / (chance.size + 1),
        p_gumbel=_gumbel_tail(value, chance),
    )


def _gumbel_tail(value: float, chance: Floats) -> float:
    """Return the chance of `value` or more, the law fitted by mean and deviation."""
    if chance.size < 2 or not chance.std() > 0.0:
        return float("nan")
    scale = float(chance.std(ddof=1)) * 6.0**0.5 / np.pi
    middle = float(chance.mean()) - np.euler_gamma * scale
    return float(-np.expm1(-np.exp(-(value - middle) / scale)))


def _places(xy: ArrayLike, locations: int, *, great_circle: bool) -> Floats:
    """Read a finite place for each location."""
    places = np.asarray(xy, dtype=np.float64)
    fine = places.shape == (locations, 2) and bool(np.isfinite(places).all())
    if not (fine and (not great_circle or bool((np.abs(places) <= (360.0, 90.0)).all()))):
        raise Refused(
            "scan-places",
            "每个地点需要一个完整的坐标；大圆距离需要经度、纬度（度）",
            "every location needs a place, none missing; longitude and latitude in degrees "
            "for great circles",
            locations=locations,
            shape=list(places.shape),
        )
    return places


def _refuse_settings(
    largest_share: float, largest_radius_m: float | None, repeats: int, least_cases: int
) -> None:
    """Refuse shares and radii that leave no circle, and fewer than no replicas or one case."""
    radius_m = 0.0 if largest_radius_m is None else largest_radius_m
    fine = 0.0 < largest_share <= 1.0 and radius_m >= 0.0 and repeats >= 0 and least_cases >= 1
    if not fine:
        raise Refused(
            "scan-settings",
            "人口比例上限应在 0 与 1 之间，半径与重复次数不得为负，最少事件数不小于 1",
            "the largest share must be over 0 and up to 1, radius and repeats not negative, "
            "the least cases 1 or more",
            largest_share=str(largest_share),
            largest_radius_m=str(largest_radius_m),
            repeats=repeats,
            least_cases=least_cases,
        )
