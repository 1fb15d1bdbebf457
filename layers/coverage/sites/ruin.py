"""Ruin and repair: a few neighbouring sites are given up and replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.coverage.sites.books import (
    BEST,
    CHOSEN,
    LENGTH,
    LOGGED,
    NOW,
    State,
    add,
    dice,
    drop,
    following,
    keep,
)
from layers.coverage.sites.net import Flags, Net, Whole, compiled
from layers.coverage.sites.swaps import fill, settle


def _near_plain(net: Net, state: State, site: int) -> Any:
    """Walk from a chosen site over a demand, a candidate and its demand to a chosen site, or -1."""
    at = site
    for _ in range(2):
        size = net.site_start[at + 1] - net.site_start[at]
        if size == 0:
            return -1
        demand = net.site_demand[net.site_start[at] + dice(state, size)]
        if at != site and state.visits[demand] == 1:
            return state.sole[demand]
        first = net.demand_start[demand]
        at = net.demand_site[first + dice(state, net.demand_start[demand + 1] - first)]
        if state.chosen[at] and at != site:
            return at
    return -1


def _ruin_plain(net: Net, state: State, barred: Flags, gone: Whole) -> float:
    """Give up some chosen sites near each other, some of them barred; return what is lost."""
    lost = 0.0
    middle = state.order[dice(state, state.ends[CHOSEN])]
    for at in range(gone.size):
        gone[at] = -1
        site = middle if at == 0 else near(net, state, middle)
        if site >= 0 and state.chosen[site] and state.ends[CHOSEN] > 0:
            lost += state.loss[site]
            drop(net, state, site)
            gone[at] = site
            barred[site] = at == 0 or dice(state, 2) == 0
    return lost


def _stray_plain(net: Net, state: State) -> Any:
    """Choose a site by lot, if it adds something and its post has room; return what it adds."""
    site = dice(state, state.gain.size)
    post = net.post[site]
    won = state.gain[site]
    if state.chosen[site] or won <= 0.0 or state.crowd[post] >= net.room[post]:
        return 0.0
    add(net, state, site)
    return won


def _undo_plain(net: Net, state: State) -> None:
    """Take back what the log holds."""
    for at in range(state.ends[LOGGED] - 1, -1, -1):
        entry = state.log[at]
        if entry > 0:
            drop(net, state, entry - 1)
        else:
            add(net, state, -entry - 1)
    while state.ends[LENGTH] > 0:
        following(state)


def _repaired_plain(net: Net, state: State, sites: int, least: float, barred: Flags) -> None:
    """Give some neighbours up, choose others, and swap while that wins."""
    gone = np.empty(1 + dice(state, 4), np.int64)
    ruin(net, state, barred, gone)
    # by greed alone the same few choices would come back
    if dice(state, 2) == 0:
        stray(net, state)
    fill(net, state, sites, barred, 0.0)
    for site in gone:
        if site >= 0:
            barred[site] = False
    settle(net, state, least, state.queue.size * 4)
    fill(net, state, sites, barred, least)


def _rounds_plain(
    net: Net, state: State, sites: int, rounds: int, least: float, barred: Flags, slack: float
) -> None:
    """Ruin and repair so many times; go on from what is a little less than the best, too.

    A choice is left for one that covers less while it stays near the best met (record-to-record
    travel: Dueck 1993).
    """
    keep(state)
    for _ in range(rounds):
        if state.ends[CHOSEN] == 0:
            break
        state.ends[LOGGED] = 0
        before = state.worth[NOW]
        repaired(net, state, sites, least, barred)
        lowest = min(before, state.worth[BEST] - slack) - least
        if state.worth[NOW] < lowest and state.ends[LOGGED] <= state.log.size:
            undo(net, state)
        keep(state)


near: Any = compiled(_near_plain)
ruin: Any = compiled(_ruin_plain)
stray: Any = compiled(_stray_plain)
undo: Any = compiled(_undo_plain)
repaired: Any = compiled(_repaired_plain)
rounds_of: Any = compiled(_rounds_plain)
