"""Fewest: the smallest number of sites that covers every demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, linprog
from scipy.sparse import csr_array

from layers.coverage.sites import search
from layers.coverage.sites.clock import Clock
from layers.coverage.sites.net import (
    Flags,
    Floats,
    Narrow,
    Net,
    Whole,
    compiled,
    covered,
    kept_sites,
    matrix_of,
    net_of,
)
from layers.coverage.sites.proof import solved
from layers.coverage.sites.thinning import merged, undominated

ROUNDS = 400  # of ruin and repair for one site fewer
PROGRAMME_ENTRIES = 1_500_000
NEARLY = 1e-6


@dataclass(frozen=True)
class Fewest:
    """A cover of everything, and how few sites any cover has at least."""

    chosen: Whole
    bound: int

    def decides(self, enough: int | None) -> bool:
        """Whether it is known if `enough` sites do; without it, whether fewer are possible."""
        if self.bound >= len(self.chosen):
            return True
        return enough is not None and (self.bound > enough or len(self.chosen) <= enough)


def fewest_sites(net: Net, clock: Clock, enough: int | None = None) -> Fewest:
    """Return a smallest cover of all demands, each of which some site covers.

    With `enough` the answer is left as soon as it is known whether that many sites do.
    """
    less, origin = core(net)
    chosen = _greedy(less)
    found = Fewest(chosen, _packed(less))
    for better in (_searched, _relaxed, _programmed):
        if not found.decides(enough) and clock.left_s > 0.0:
            found = better(less, found, clock, enough)
    return Fewest(origin[found.chosen], found.bound)


def core(net: Net) -> tuple[Net, Whole]:
    """Return the net without demands that come free with another and without needless sites."""
    less, origin, before = merged(net), np.arange(net.sites), -1
    while before != less.sites + less.demands:
        before = less.sites + less.demands
        stay = undominated(less)
        less, origin = merged(kept_sites(less, stay)), origin[stay]
        less = _hardest(less)
    return less, origin


def _hardest(net: Net) -> Net:
    """Return the net without demands covered whenever a rarer one is."""
    turned = (net.demand_start, net.demand_site, net.site_start, net.site_demand)
    kept: Flags = _needed(*turned)
    return net_of(csr_array(matrix_of(net)[:, kept]), net.weight[kept], net.post, net.room)


def _needed_plain(start: Whole, site: Narrow, site_start: Whole, site_demand: Narrow) -> Flags:
    """Say which demands are not implied by another one whose sites all cover them too."""
    kept = np.ones(start.size - 1, dtype=np.bool_)
    met = np.zeros(start.size - 1, dtype=np.int64)
    seen = np.empty(start.size - 1, dtype=np.int64)
    for demand in range(kept.size):
        size, count = start[demand + 1] - start[demand], 0
        if not kept[demand]:
            continue
        for at in range(start[demand], start[demand + 1]):
            for to in range(site_start[site[at]], site_start[site[at] + 1]):
                other = site_demand[to]
                if met[other] == 0:
                    seen[count] = other
                    count += 1
                met[other] += 1
        for at in range(count):
            if met[seen[at]] == size and seen[at] != demand:
                kept[seen[at]] = False
            met[seen[at]] = 0
    return kept


_needed = compiled(_needed_plain)


def _greedy(net: Net) -> Whole:
    state = search.begun(_plain_weights(net), net.sites)
    return search.chosen_sites(state)


def _plain_weights(net: Net) -> Net:
    return net._replace(weight=np.ones(net.demands))


def _packed(net: Net) -> int:
    """Return how many sites are needed at least: demands share a site's one unit of price."""
    order = np.argsort(np.diff(net.demand_start), kind="stable")
    return _up(float(_packing(net, order)))


def _packing_plain(net: Net, order: Whole) -> float:
    slack = np.ones(net.post.size)
    total = 0.0
    for demand in order:
        price = 1.0
        for at in range(net.demand_start[demand], net.demand_start[demand + 1]):
            price = min(price, slack[net.demand_site[at]])
        for at in range(net.demand_start[demand], net.demand_start[demand + 1]):
            slack[net.demand_site[at]] -= price
        total += price
    return total


_packing = compiled(_packing_plain)


def _up(bound: float) -> int:
    return int(np.ceil(bound - NEARLY))


def _searched(net: Net, found: Fewest, clock: Clock, enough: int | None) -> Fewest:
    """Look for a cover with one site fewer, again and again, while it is found quickly."""
    even = _plain_weights(net)
    while not found.decides(enough) and clock.left_s > 0.0:
        aim = len(found.chosen) - 1
        state = search.put(even, found.chosen[:aim])
        for _ in range(ROUNDS // 20):
            search.improved(even, state, aim, 20)
            if covered(net, search.chosen_sites(state)).all() or clock.left_s <= 0.0:
                break
        if not covered(net, search.chosen_sites(state)).all():
            break
        found = replace(found, chosen=search.chosen_sites(state))
    return found


def _relaxed(net: Net, found: Fewest, clock: Clock, enough: int | None) -> Fewest:
    """Raise the bound to that of the linear programme."""
    if len(net.site_demand) > PROGRAMME_ENTRIES:
        return found
    rows: Any = csr_array(-matrix_of(net).T)
    result = linprog(
        np.ones(net.sites),
        A_ub=rows,
        b_ub=-np.ones(net.demands),
        bounds=(0, 1),
        method="highs",
        options={"time_limit": max(clock.left_s, 0.01)},
    )
    if result.status != 0:
        return found
    # rounding in the solver must not promise too much: its prices are made to fit exactly
    bound = fitted(net, np.maximum(-result.ineqlin.marginals, 0.0))
    return replace(found, bound=max(found.bound, _up(bound)))


def fitted(net: Net, price: Floats) -> float:
    """Return the bound that prices prove once no site earns more than 1."""
    earned = matrix_of(net) @ price
    return float(price.sum() / max(1.0, earned.max(initial=0.0)))


def _programmed(net: Net, found: Fewest, clock: Clock, enough: int | None) -> Fewest:
    """Let HiGHS look for a cover of the fewest sites."""
    if len(net.site_demand) > PROGRAMME_ENTRIES:
        return found
    rows = [LinearConstraint(csr_array(matrix_of(net).T), lb=1.0)]
    ones = np.ones(net.sites)
    point, bound = solved(ones, ones, rows, clock.left_s)
    lower = max(found.bound, _up(bound)) if np.isfinite(bound) else found.bound
    chosen = found.chosen if point is None else np.flatnonzero(point > 0.5)
    fits = len(chosen) < len(found.chosen) and bool(covered(net, chosen).all())
    return Fewest(chosen if fits else found.chosen, lower)
