"""Interchange: one chosen site for another while that shortens the ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.coverage.sites.net import Floats, Whole, compiled

HAIR = 1e-12


def begun(cost: Floats, sites: int) -> Whole:
    """Return a greedy choice, improved by interchanges."""
    chosen = _greedy(cost, sites)
    _settle(cost, chosen, HAIR * float(cost.max(initial=0.0)))
    return np.asarray(chosen)


def improved(cost: Floats, chosen: Whole, rounds: int, seed: int) -> Whole:
    """Shake and settle the choice so many times; what comes out costs no more."""
    rng = np.random.default_rng(seed)
    luck = rng.random((rounds, 2 * 8 + 1))
    best: Whole = _shaken(cost, chosen.copy(), luck, HAIR * float(cost.max(initial=0.0)))
    return best


def cost_of(cost: Floats, chosen: Whole) -> float:
    """Return what the ways from each demand to its nearest chosen site cost together."""
    return float(cost[chosen].min(axis=0).sum())


def _greedy_plain(cost: Floats, sites: int) -> Whole:
    """Choose again and again the site that saves most (Kuehn and Hamburger 1963)."""
    near = np.full(cost.shape[1], np.inf)
    used = np.zeros(cost.shape[0], dtype=np.bool_)
    chosen = np.empty(sites, dtype=np.int64)
    for at in range(sites):
        best, least = -1, np.inf
        for site in range(cost.shape[0]):
            if used[site]:
                continue
            total = 0.0
            for demand in range(near.size):
                total += min(near[demand], cost[site, demand])
            if best < 0 or total < least:
                best, least = site, total
        used[best] = True
        chosen[at] = best
        for demand in range(near.size):
            near[demand] = min(near[demand], cost[best, demand])
    return chosen


def _nearest_two_plain(
    cost: Floats,
    chosen: Whole,
    first: Whole,
    near: Floats,
    second: Floats,
    base: Floats,
    far: float,
) -> None:
    """Find for each demand the place of its nearest chosen site and the two least costs.

    `base` becomes what each place would cost if it went; `far` stands for no second site.
    """
    near[:] = np.inf
    second[:] = np.inf
    base[:] = 0.0
    for at in range(chosen.size):
        for demand in range(near.size):
            here = cost[chosen[at], demand]
            if here < near[demand]:
                second[demand] = near[demand]
                near[demand] = here
                first[demand] = at
            elif here < second[demand]:
                second[demand] = here
    for demand in range(near.size):
        second[demand] = min(second[demand], far)
        base[first[demand]] += second[demand] - near[demand]


def _weighed_plain(
    row: Floats, first: Whole, near: Floats, second: Floats, lost: Floats, base: Floats
) -> tuple[float, Any]:
    """Return what taking a site in saves at best and the place that goes (Whitaker 1983)."""
    lost[:] = base
    saved = 0.0
    for demand in range(near.size):
        if row[demand] < near[demand]:
            saved += near[demand] - row[demand]
            lost[first[demand]] -= second[demand] - near[demand]
        elif row[demand] < second[demand]:
            lost[first[demand]] -= second[demand] - row[demand]
    out = np.argmin(lost)
    return saved - lost[out], out


def _settle_plain(cost: Floats, chosen: Whole, least: float) -> Any:
    """Interchange in place while something is saved; return the cost."""
    demands = cost.shape[1]
    first = np.zeros(demands, dtype=np.int64)
    near, second = np.empty(demands), np.empty(demands)
    lost, base = np.empty(chosen.size), np.empty(chosen.size)
    used = np.zeros(cost.shape[0], dtype=np.bool_)
    used[chosen] = True
    far = np.max(cost)
    _nearest_two(cost, chosen, first, near, second, base, far)
    since, site = 0, 0
    while since < cost.shape[0] and chosen.size > 0:
        since += 1
        site = (site + 1) % cost.shape[0]
        if used[site]:
            continue
        saved, out = _weighed(cost[site], first, near, second, lost, base)
        if saved > least:
            used[chosen[out]], used[site] = False, True
            chosen[out] = site
            _nearest_two(cost, chosen, first, near, second, base, far)
            since = 0
    return near.sum()


def _shaken_plain(cost: Floats, best: Whole, luck: Floats, least: float) -> Whole:
    """Put other sites in place of some, settle, and keep what is better."""
    chosen = best.copy()
    value = _settle(cost, best, least)
    for turn in range(luck.shape[0]):
        chosen[:] = best
        moves = 1 + int(luck[turn, 0] * min(8, chosen.size))
        for move in range(moves):
            out = int(luck[turn, 1 + 2 * move] * chosen.size)
            site = int(luck[turn, 2 + 2 * move] * cost.shape[0])
            if not (chosen == site).any():
                chosen[out] = site
        now = _settle(cost, chosen, least)
        if now <= value:
            value = now
            best[:] = chosen
    return best


_greedy = compiled(_greedy_plain)
_nearest_two = compiled(_nearest_two_plain)
_weighed = compiled(_weighed_plain)
_settle = compiled(_settle_plain)
_shaken = compiled(_shaken_plain)
