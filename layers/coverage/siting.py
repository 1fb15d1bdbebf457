"""Siting: where the next sites go, and how far from the best possible the choice is at most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from layers.coverage.sites import checks
from layers.coverage.sites.answer import Sites, nearest_of
from layers.coverage.sites.centre import central_sites
from layers.coverage.sites.clock import Clock, started
from layers.coverage.sites.fewest import fewest_sites
from layers.coverage.sites.median import median_sites
from layers.coverage.sites.most import most_covered
from layers.coverage.sites.net import Flags, Floats, Net, Whole, net_of
from layers.coverage.sites.warm import warm

__all__ = ["Sites", "best_sites", "cover_all", "p_center", "p_median"]


def best_sites(
    covers: csr_array,
    weights: ArrayLike,
    sites: int,
    *,
    fixed: ArrayLike | None = None,
    per_post: tuple[ArrayLike, int] | None = None,
    within_s: float,
) -> Sites:
    """Return the sites that cover the greatest weight (maximal covering: Church, ReVelle 1974).

    Parameters
    ----------
    covers
        Sites by demands; a stored entry other than 0 means that the site covers the demand.
    weights
        Of each demand, 0 or more.
    sites
        How many sites may be added to the fixed ones. Fewer are given where more add nothing.
    fixed
        Numbers of sites that stand already. They are chosen for nothing and come first in
        ``chosen``; what they cover counts in ``value`` and ``bound``.
    per_post
        The post of each site and how many sites one post may carry. Fixed ones take up room;
        a post that already carries more keeps them.
    within_s
        Seconds to be used at most; less where the choice is proven best before. What the first
        question of an installation has to compile does not count.

    Returns
    -------
    Sites
        ``value`` is the weight covered, ``bound`` what no choice can exceed; ``assigned`` is a
        site that covers the demand, or -1.

    Raises
    ------
    SitingRefused
        A ValueError: shapes that do not match, negative or missing weights, a number of sites
        below 0 or above that of the candidates, fixed sites that there are not, no time.

    Examples
    --------
    >>> covers = csr_array([[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    >>> found = best_sites(covers, [3, 1, 2], 1, within_s=1.0)
    >>> found.chosen.tolist(), found.value, found.bound
    ([0], 4.0, 4.0)
    """
    clock = _clock(within_s)
    read = checks.read_covers(covers)
    weight = checks.read_weights(weights, read.shape[1])
    count = checks.require_count(sites, 0, read.shape[0])
    old = checks.read_fixed(fixed, read.shape[0])
    post, at_most = checks.read_posts(per_post, read.shape[0])
    unseen, free = _unseen(read, weight, old, post, at_most)
    new, bound = most_covered(unseen, count, clock)
    chosen = np.concatenate([old, free[new]])
    seen = _seen(read, chosen)
    value = float(weight[seen >= 0].sum())
    held = float(weight[_seen(read, old) >= 0].sum())
    return Sites(chosen, seen, value, max(value, held + bound))


def p_median(travel_cost: ArrayLike, weights: ArrayLike, sites: int, *, within_s: float) -> Sites:
    """Return the sites to which all ways together, weighted, are shortest (Hakimi 1964).

    Parameters
    ----------
    travel_cost
        Demands by sites, 0 or more, in any one unit; infinite where there is no way.
    weights
        Of each demand, 0 or more.
    sites
        How many sites there shall be, 1 or more.
    within_s
        Seconds to be used at most; less where the choice is proven best before.

    Returns
    -------
    Sites
        ``assigned`` is the nearest chosen site, ``value`` the weighted cost of all ways and
        ``bound`` what no choice can cost less than.

    Raises
    ------
    SitingRefused
        As `best_sites`; also demands that no site reaches, or that so few sites cannot reach.

    Examples
    --------
    >>> found = p_median([[0, 4], [1, 3], [9, 0]], [1, 1, 1], 2, within_s=1.0)
    >>> found.assigned.tolist(), found.value, found.bound
    ([0, 0, 1], 1.0, 1.0)
    """
    clock = _clock(within_s)
    way, count = _ways(travel_cost, sites)
    weight = checks.read_weights(weights, len(way))
    asked = np.flatnonzero(weight > 0)
    cost = np.ascontiguousarray((way[asked] * weight[asked, None]).T)
    chosen, bound = median_sites(_finite(cost), count, clock)
    assigned = nearest_of(way, chosen)
    served = way[np.arange(len(way)), assigned]
    reached: Flags = np.isfinite(served) | (weight == 0)
    checks.require_reachable(reached)
    value = float((served[asked] * weight[asked]).sum())
    return Sites(chosen, assigned, value, min(bound, value))


def p_center(travel_cost: ArrayLike, sites: int, *, within_s: float) -> Sites:
    """Return the sites from which the longest way to any demand is shortest (Hakimi 1964).

    Parameters
    ----------
    travel_cost
        Demands by sites, 0 or more, in any one unit; infinite where there is no way.
    sites
        How many sites there shall be, 1 or more.
    within_s
        Seconds to be used at most; less where the choice is proven best before.

    Returns
    -------
    Sites
        ``assigned`` is the nearest chosen site, ``value`` the longest of their ways and
        ``bound`` what no choice can make shorter.

    Raises
    ------
    SitingRefused
        As `p_median`.

    Examples
    --------
    >>> found = p_center([[0, 4], [1, 3], [9, 0]], 1, within_s=1.0)
    >>> found.chosen.tolist(), found.value, found.bound
    ([1], 4.0, 4.0)
    """
    clock = _clock(within_s)
    way, count = _ways(travel_cost, sites)
    if not len(way):
        return Sites(np.arange(count), np.zeros(0, dtype=np.int64), 0.0, 0.0)
    best = central_sites(way, count, clock)
    assigned = nearest_of(way, best.chosen)
    served: Floats = way[np.arange(len(way)), assigned]
    reached: Flags = np.asarray(np.isfinite(served), dtype=np.bool_)
    checks.require_reachable(reached)
    return Sites(best.chosen, assigned, best.value, best.bound)


def cover_all(covers: csr_array, *, within_s: float) -> Sites:
    """Return the fewest sites that cover every demand (set covering: Toregas et al. 1971).

    Parameters
    ----------
    covers
        Sites by demands; a stored entry other than 0 means that the site covers the demand.
    within_s
        Seconds to be used at most; less where the choice is proven best before.

    Returns
    -------
    Sites
        ``assigned`` is a site that covers the demand, ``value`` the number of sites and
        ``bound`` the number that no choice can do with less than.

    Raises
    ------
    SitingRefused
        As `best_sites`; also demands that no site covers.

    Examples
    --------
    >>> found = cover_all(csr_array([[1, 1, 0], [0, 1, 1], [0, 0, 1]]), within_s=1.0)
    >>> found.chosen.tolist(), found.value, found.bound
    ([0, 1], 2.0, 2.0)
    """
    clock = _clock(within_s)
    read = checks.read_covers(covers)
    checks.require_reachable(np.bincount(read.indices, minlength=read.shape[1]) > 0)
    number, demands = read.shape
    posts = np.zeros(number, dtype=np.int64)
    found = fewest_sites(net_of(read, np.ones(demands), posts, np.array([number])), clock)
    chosen = np.sort(found.chosen)
    return Sites(chosen, _seen(read, chosen), float(len(chosen)), float(found.bound))


def _clock(within_s: float) -> Clock:
    """Start the clock of a question, after what has to be compiled is."""
    checks.require_time(within_s)
    warm()
    return started(within_s)


def _ways(travel_cost: ArrayLike, sites: int) -> tuple[Floats, int]:
    """Read ways and the number of sites; refuse demands that no site reaches."""
    way = checks.read_costs(travel_cost)
    count = checks.require_count(sites, 1, way.shape[1])
    checks.require_reachable(np.asarray(np.isfinite(way).any(axis=1), dtype=np.bool_))
    return way, count


def _finite(cost: Floats) -> Floats:
    """Return costs with a cost in place of no way that no choice would rather pay."""
    known = np.isfinite(cost)
    # more than every demand's longest way together
    far = float(np.where(known, cost, 0.0).max(axis=0, initial=0.0).sum()) + 1.0
    return np.where(known, cost, far)


def _unseen(
    covers: csr_array, weight: Floats, old: Whole, post: Whole, at_most: int
) -> tuple[Net, Whole]:
    """Return the net of what the fixed sites leave unseen, and the sites that are in it."""
    room = at_most - np.bincount(post[old], minlength=int(post.max(initial=0)) + 1)
    room = np.maximum(room, 0)
    open_demands = (_seen(covers, old) < 0) & (weight > 0)
    free = (room[post] > 0) & ~np.isin(np.arange(covers.shape[0]), old)
    left = csr_array(covers[np.flatnonzero(free)][:, np.flatnonzero(open_demands)])
    return net_of(left, weight[open_demands], post[free], room), np.flatnonzero(free)


def _seen(covers: csr_array, chosen: Whole) -> Whole:
    """Return for each demand the first chosen site that covers it, or -1."""
    seen = np.full(covers.shape[1], -1, dtype=np.int64)
    for site in chosen[::-1].tolist():
        seen[covers.indices[covers.indptr[site] : covers.indptr[site + 1]]] = site
    return seen
