"""Swaps: one site for another while that wins weight, and free sites while there is room."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.coverage.sites.books import CHOSEN, LENGTH, State, add, drop, following, queue
from layers.coverage.sites.net import Flags, Net, compiled


def _cheapest_plain(net: Net, state: State, post: int) -> int:
    """Return the chosen site that loses least (of one post where it is full), or -1."""
    best = -1
    for at in range(state.ends[CHOSEN]):
        site = state.order[at]
        if (post < 0 or net.post[site] == post) and (
            best < 0 or state.loss[site] < state.loss[best]
        ):
            best = site
    return best


def _swap_plain(net: Net, state: State, site: int, cheapest: int) -> tuple[float, int]:
    """Return what the best swap for a site wins, and the chosen site that goes."""
    post = net.post[site]
    full = state.crowd[post] >= net.room[post]
    out = cheapest_of(net, state, post) if full else cheapest
    if out < 0:
        return -np.inf, -1
    wins = -state.loss[out]
    touched = 0
    for at in range(net.site_start[site], net.site_start[site + 1]):
        demand = net.site_demand[at]
        if state.visits[demand] == 1:
            sole = state.sole[demand]
            if state.extra[sole] == 0.0:
                state.touched[touched] = sole
                touched += 1
            state.extra[sole] += net.weight[demand]
    for at in range(touched):
        other = state.touched[at]
        won = state.extra[other] - state.loss[other]
        state.extra[other] = 0.0
        if won > wins and (not full or net.post[other] == post):
            wins, out = won, other
    return state.gain[site] + wins, out


def _richest_plain(net: Net, state: State, barred: Flags) -> int:
    """Return the free site that adds most, where its post has room; -1 where none adds."""
    best, most = -1, 0.0
    for site in range(state.gain.size):
        if state.gain[site] > most and not state.chosen[site] and not barred[site]:
            post = net.post[site]
            if state.crowd[post] < net.room[post]:
                best, most = site, state.gain[site]
    return best


def _fill_plain(net: Net, state: State, sites: int, barred: Flags, least: float) -> float:
    """Choose greedily up to so many sites; return what they add."""
    won = 0.0
    while state.ends[CHOSEN] < sites:
        site = richest(net, state, barred)
        if site < 0 or state.gain[site] <= least:
            break
        won += state.gain[site]
        add(net, state, site)
    return won


def _wake_rich_plain(state: State, more: float) -> None:
    """Put the free sites in the queue that add more, wherever they are."""
    for site in range(state.gain.size):
        if state.gain[site] > more and not state.chosen[site]:
            queue(state, site)


def _settle_plain(net: Net, state: State, least: float, steps: int) -> tuple[float, int]:
    """Swap while a waiting site wins by it, at most so many weighings; return weight and steps."""
    won, done, swapped = 0.0, 0, True
    cheapest = cheapest_of(net, state, -1)
    while done < steps and cheapest >= 0:
        if state.ends[LENGTH] == 0:
            if not swapped:
                break
            swapped = False
            wake_rich(state, state.loss[cheapest] + least)
            continue
        done += 1
        site = following(state)
        if state.chosen[site] or state.gain[site] <= least:
            continue
        wins, out = swap(net, state, site, cheapest)
        if wins > least:
            drop(net, state, out)
            add(net, state, site)
            won += wins
            swapped = True
            cheapest = cheapest_of(net, state, -1)
    return won, done


cheapest_of: Any = compiled(_cheapest_plain)
swap: Any = compiled(_swap_plain)
richest: Any = compiled(_richest_plain)
fill: Any = compiled(_fill_plain)
wake_rich: Any = compiled(_wake_rich_plain)
settle: Any = compiled(_settle_plain)
