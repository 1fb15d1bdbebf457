"""Centre: sites from which the longest way to any demand is as short as possible."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from layers.coverage.sites.clock import Clock, started
from layers.coverage.sites.fewest import fewest_sites
from layers.coverage.sites.net import Floats, Net, Whole, net_of

QUICK_SHARE = 0.08  # of the time, for one distance, before the hard ones are gone into


@dataclass(frozen=True)
class Centre:
    """The best choice known, its longest way, and the way that none can be shorter than."""

    chosen: Whole
    value: float
    bound: float


def central_sites(travel_cost: Floats, sites: int, clock: Clock) -> Centre:
    """Return the choice, by halving the list of ways that may be the longest.

    For each way in question: do so many sites cover everything within it (Minieka 1970)?
    """
    best = _farthest_first(travel_cost, sites)
    lowest = float(np.sort(travel_cost.min(axis=1))[-1])
    best = replace(best, bound=min(lowest, best.value))
    for share in (QUICK_SHARE, 1.0):
        best = _halved(travel_cost, sites, best, clock, share)
    return best


def _halved(travel_cost: Floats, sites: int, best: Centre, clock: Clock, share: float) -> Centre:
    """Halve while each way is decided in its share of the time."""
    ways = np.unique(travel_cost[(travel_cost >= best.bound) & (travel_cost < best.value)])
    while len(ways) and clock.left_s > 0.0:
        middle = len(ways) // 2
        way = float(ways[middle])
        found = fewest_sites(_within(travel_cost, way), started(clock.part_s(share)), sites)
        if len(found.chosen) <= sites:
            chosen = _filled(travel_cost, found.chosen, sites)
            longest = float(travel_cost[:, chosen].min(axis=1).max())
            best = replace(best, chosen=chosen, value=longest)
            ways = ways[:middle]
            ways = ways[ways < longest]
        elif found.bound > sites:
            ways = ways[middle + 1 :]
            best = replace(best, bound=float(ways[0]) if len(ways) else best.value)
        else:
            break
    return replace(best, bound=best.value) if not len(ways) else best


def _within(travel_cost: Floats, way: float) -> Net:
    near = csr_array((travel_cost <= way).T.astype(np.float64))
    demands, sites = travel_cost.shape
    return net_of(near, np.ones(demands), np.zeros(sites, dtype=np.int64), np.array([sites]))


def _farthest_first(travel_cost: Floats, sites: int) -> Centre:
    """Choose the best single site, then again and again the site nearest to who is farthest."""
    first = int(travel_cost.max(axis=0).argmin())
    chosen = _filled(travel_cost, np.array([first]), sites)
    value = float(travel_cost[:, chosen].min(axis=1).max())
    return Centre(chosen, value, 0.0)


def _filled(travel_cost: Floats, chosen: Whole, sites: int) -> Whole:
    """Add the site nearest to who is farthest until there are so many."""
    taken = chosen.tolist()
    way = travel_cost[:, taken].min(axis=1)
    while len(taken) < sites:
        free = np.setdiff1d(np.arange(travel_cost.shape[1]), taken)
        site = int(free[travel_cost[way.argmax(), free].argmin()])
        taken.append(site)
        way = np.minimum(way, travel_cost[:, site])
    return np.asarray(taken, dtype=np.int64)
