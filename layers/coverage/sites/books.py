"""The books of a choice of sites: who covers what alone, what each site adds or would lose."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from layers.coverage.sites.net import Flags, Floats, Net, Whole, compiled


class State(NamedTuple):
    """A choice of sites and what its neighbours would bring, kept up to date swap by swap.

    Attributes
    ----------
    visits, sole
        Of each demand: how many chosen sites cover it; the sum of their numbers, which is the
        site itself where there is one.
    gain, loss
        Of each site: weight that it would add; weight that only it covers.
    chosen, order, place
        Which sites are chosen, the chosen ones in a list, and where each stands in it.
    crowd
        Chosen sites at each post.
    extra, touched
        Work space of the swap that is being weighed.
    waiting, queue
        Sites whose swaps changed since they were last weighed.
    ends
        Chosen sites; head and length of the queue; entries of the log; state of the dice; sites
        of the best choice met.
    best, worth
        The best choice met; what this one and that one cover.
    log
        Sites that came in (site + 1) or went out (-site - 1) since the last accepted choice.
    """

    visits: Whole
    sole: Whole
    gain: Floats
    loss: Floats
    chosen: Flags
    order: Whole
    place: Whole
    crowd: Whole
    extra: Floats
    touched: Whole
    waiting: Flags
    queue: Whole
    ends: Whole
    log: Whole
    best: Whole
    worth: Floats


CHOSEN, HEAD, LENGTH, LOGGED, DICE, KEPT = range(6)
NOW, BEST = range(2)


def start(net: Net, seed: int = 1) -> State:
    """Return the empty choice."""
    sites, demands = net.sites, net.demands
    gain = np.add.reduceat(np.append(net.weight[net.site_demand], 0.0), net.site_start[:-1]) * (
        np.diff(net.site_start) > 0
    )
    whole = np.int64
    return State(
        visits=np.zeros(demands, whole),
        sole=np.zeros(demands, whole),
        gain=gain,
        loss=np.zeros(sites),
        chosen=np.zeros(sites, np.bool_),
        order=np.zeros(sites, whole),
        place=np.zeros(sites, whole),
        crowd=np.zeros(len(net.room), whole),
        extra=np.zeros(sites),
        touched=np.zeros(sites, whole),
        waiting=np.zeros(sites, np.bool_),
        queue=np.zeros(sites, whole),
        ends=np.array([0, 0, 0, 0, 0x2545F491 + seed, 0], whole),
        log=np.zeros(4096, whole),
        best=np.zeros(sites, whole),
        worth=np.zeros(2),
    )


def _dice_plain(state: State, sides: int) -> Any:
    """Throw: a number from 0 to sides - 1 (Marsaglia 2003, xorshift on 63 bits)."""
    x = state.ends[DICE]
    x ^= (x << 13) & 0x7FFFFFFFFFFFFFFF
    x ^= x >> 7
    x ^= (x << 17) & 0x7FFFFFFFFFFFFFFF
    state.ends[DICE] = x
    return x % sides


def _keep_plain(state: State) -> None:
    """Keep this choice where it is the best one met."""
    if state.worth[NOW] > state.worth[BEST]:
        count = state.ends[CHOSEN]
        state.best[:count] = state.order[:count]
        state.ends[KEPT] = count
        state.worth[BEST] = state.worth[NOW]


def _queue_plain(state: State, site: int) -> None:
    """Put a site in the queue, if it does not wait already."""
    if not state.waiting[site]:
        state.waiting[site] = True
        tail = (state.ends[HEAD] + state.ends[LENGTH]) % state.queue.size
        state.queue[tail] = site
        state.ends[LENGTH] += 1


def _wake_plain(net: Net, state: State, demand: int) -> None:
    """Put the sites of a demand in the queue."""
    for at in range(net.demand_start[demand], net.demand_start[demand + 1]):
        queue(state, net.demand_site[at])


def _note_plain(state: State, entry: int) -> None:
    """Write what was done, as far as the log reaches."""
    if state.ends[LOGGED] < state.log.size:
        state.log[state.ends[LOGGED]] = entry
    state.ends[LOGGED] += 1


def _add_plain(net: Net, state: State, site: int) -> None:
    """Choose a site."""
    for at in range(net.site_start[site], net.site_start[site + 1]):
        demand = net.site_demand[at]
        before = state.visits[demand]
        weight = net.weight[demand]
        if before == 0:
            for to in range(net.demand_start[demand], net.demand_start[demand + 1]):
                state.gain[net.demand_site[to]] -= weight
            state.loss[site] += weight
        elif before == 1:
            state.loss[state.sole[demand]] -= weight
        if before <= 1:
            wake(net, state, demand)
        state.visits[demand] = before + 1
        state.sole[demand] += site
    state.worth[NOW] += state.loss[site]
    state.chosen[site] = True
    state.place[site] = state.ends[CHOSEN]
    state.order[state.ends[CHOSEN]] = site
    state.ends[CHOSEN] += 1
    state.crowd[net.post[site]] += 1
    note(state, site + 1)


def _drop_plain(net: Net, state: State, site: int) -> None:
    """Give a chosen site up."""
    state.worth[NOW] -= state.loss[site]
    for at in range(net.site_start[site], net.site_start[site + 1]):
        demand = net.site_demand[at]
        after = state.visits[demand] - 1
        weight = net.weight[demand]
        state.visits[demand] = after
        state.sole[demand] -= site
        if after == 0:
            for to in range(net.demand_start[demand], net.demand_start[demand + 1]):
                state.gain[net.demand_site[to]] += weight
        elif after == 1:
            state.loss[state.sole[demand]] += weight
        if after <= 1:
            wake(net, state, demand)
    state.loss[site] = 0.0
    state.chosen[site] = False
    state.ends[CHOSEN] -= 1
    last = state.order[state.ends[CHOSEN]]
    state.order[state.place[site]] = last
    state.place[last] = state.place[site]
    state.crowd[net.post[site]] -= 1
    note(state, -site - 1)


def _next_plain(state: State) -> Any:
    """Take the first site from the queue."""
    site = state.queue[state.ends[HEAD]]
    state.ends[HEAD] = (state.ends[HEAD] + 1) % state.queue.size
    state.ends[LENGTH] -= 1
    state.waiting[site] = False
    return site


dice: Any = compiled(_dice_plain)
keep: Any = compiled(_keep_plain)
queue: Any = compiled(_queue_plain)
wake: Any = compiled(_wake_plain)
note: Any = compiled(_note_plain)
add: Any = compiled(_add_plain)
drop: Any = compiled(_drop_plain)
following: Any = compiled(_next_plain)
