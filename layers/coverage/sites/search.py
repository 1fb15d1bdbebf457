"""Search for the sites that cover most: greedy start, swaps, and local ruin and repair."""

from __future__ import annotations

import numpy as np

from layers.coverage.sites.books import BEST, KEPT, State, add, keep, start
from layers.coverage.sites.net import Net, Whole
from layers.coverage.sites.ruin import rounds_of
from layers.coverage.sites.swaps import fill, settle

__all__ = ["State", "begun", "chosen_sites", "improved", "put"]

# a swap has to win this share of all weight, else rounding could make swaps go round in circles
HAIR = 1e-11
# how far below the best choice the search may go, in shares of what one site covers
SLACK = 0.02


def begun(net: Net, sites: int) -> State:
    """Return a greedy choice of so many sites at most, improved by swaps."""
    state = start(net)
    barred = np.zeros(net.sites, dtype=np.bool_)
    least = HAIR * float(net.weight.sum())
    fill(net, state, sites, barred, least)
    settle(net, state, least, 40 * net.sites)
    keep(state)
    return state


def improved(net: Net, state: State, sites: int, rounds: int) -> None:
    """Ruin and repair the choice so many times; the best one never gets worse."""
    barred = np.zeros(net.sites, dtype=np.bool_)
    least = HAIR * float(net.weight.sum())
    slack = SLACK * float(state.worth[BEST]) / max(1, sites)
    rounds_of(net, state, sites, rounds, least, barred, slack)


def put(net: Net, chosen: Whole, seed: int = 1) -> State:
    """Return the choice of these sites."""
    state = start(net, seed)
    for site in chosen.tolist():
        add(net, state, site)
    keep(state)
    return state


def chosen_sites(state: State) -> Whole:
    """Return the sites of the best choice met."""
    return state.best[: state.ends[KEPT]].copy()
