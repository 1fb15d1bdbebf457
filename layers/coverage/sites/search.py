"""Search for the sites that cover most: greedy start, swaps, and local ruin and repair."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from layers.coverage.sites.net import Flags, Floats, Net, Whole, compiled

# a swap has to win this share of all weight, else rounding could make swaps go round in circles
HAIR = 1e-11


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
        Chosen sites; head and length of the queue; entries of the log; state of the dice.
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


CHOSEN, HEAD, LENGTH, LOGGED, DICE = range(5)


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
        ends=np.array([0, 0, 0, 0, 0x2545F491 + seed], whole),
        log=np.zeros(4096, whole),
    )


def _dice_plain(state: State, sides: int) -> Any:
    """Throw: a number from 0 to sides - 1 (Marsaglia 2003, xorshift on 63 bits)."""
    x = state.ends[DICE]
    x ^= (x << 13) & 0x7FFFFFFFFFFFFFFF
    x ^= x >> 7
    x ^= (x << 17) & 0x7FFFFFFFFFFFFFFF
    state.ends[DICE] = x
    return x % sides


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
        _queue(state, net.demand_site[at])


def _wake_rich_plain(state: State, more: float) -> None:
    """Put the free sites in the queue that add more, wherever they are."""
    for site in range(state.gain.size):
        if state.gain[site] > more and not state.chosen[site]:
            _queue(state, site)


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
            _wake(net, state, demand)
        state.visits[demand] = before + 1
        state.sole[demand] += site
    state.chosen[site] = True
    state.place[site] = state.ends[CHOSEN]
    state.order[state.ends[CHOSEN]] = site
    state.ends[CHOSEN] += 1
    state.crowd[net.post[site]] += 1
    _note(state, site + 1)


def _drop_plain(net: Net, state: State, site: int) -> None:
    """Give a chosen site up."""
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
            _wake(net, state, demand)
    state.loss[site] = 0.0
    state.chosen[site] = False
    state.ends[CHOSEN] -= 1
    last = state.order[state.ends[CHOSEN]]
    state.order[state.place[site]] = last
    state.place[last] = state.place[site]
    state.crowd[net.post[site]] -= 1
    _note(state, -site - 1)


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
    out = _cheapest(net, state, post) if full else cheapest
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


def _next_plain(state: State) -> Any:
    """Take the first site from the queue."""
    site = state.queue[state.ends[HEAD]]
    state.ends[HEAD] = (state.ends[HEAD] + 1) % state.queue.size
    state.ends[LENGTH] -= 1
    state.waiting[site] = False
    return site


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
        site = _richest(net, state, barred)
        if site < 0 or state.gain[site] <= least:
            break
        won += state.gain[site]
        _add(net, state, site)
    return won


def _settle_plain(net: Net, state: State, least: float, steps: int) -> tuple[float, int]:
    """Swap while a waiting site wins by it, at most so many weighings; return weight and steps."""
    won, done, swapped = 0.0, 0, True
    cheapest = _cheapest(net, state, -1)
    while done < steps and cheapest >= 0:
        if state.ends[LENGTH] == 0:
            if not swapped:
                break
            swapped = False
            _wake_rich(state, state.loss[cheapest] + least)
            continue
        done += 1
        site = _next(state)
        if state.chosen[site] or state.gain[site] <= least:
            continue
        wins, out = _swap(net, state, site, cheapest)
        if wins > least:
            _drop(net, state, out)
            _add(net, state, site)
            won += wins
            swapped = True
            cheapest = _cheapest(net, state, -1)
    return won, done


def _near_plain(net: Net, state: State, site: int) -> Any:
    """Walk from a chosen site over a demand, a candidate and its demand to a chosen site, or -1."""
    at = site
    for _ in range(2):
        size = net.site_start[at + 1] - net.site_start[at]
        if size == 0:
            return -1
        demand = net.site_demand[net.site_start[at] + _dice(state, size)]
        if at != site and state.visits[demand] == 1:
            return state.sole[demand]
        first = net.demand_start[demand]
        at = net.demand_site[first + _dice(state, net.demand_start[demand + 1] - first)]
        if state.chosen[at] and at != site:
            return at
    return -1


def _ruin_plain(net: Net, state: State, barred: Flags, gone: Whole) -> float:
    """Give up some chosen sites near each other, some of them barred; return what is lost."""
    lost = 0.0
    middle = state.order[_dice(state, state.ends[CHOSEN])]
    for at in range(gone.size):
        gone[at] = -1
        site = middle if at == 0 else _near(net, state, middle)
        if site >= 0 and state.chosen[site] and state.ends[CHOSEN] > 0:
            lost += state.loss[site]
            _drop(net, state, site)
            gone[at] = site
            barred[site] = at == 0 or _dice(state, 2) == 0
    return lost


def _stray_plain(net: Net, state: State) -> Any:
    """Choose a site by lot, if it adds something and its post has room; return what it adds."""
    site = _dice(state, state.gain.size)
    post = net.post[site]
    won = state.gain[site]
    if state.chosen[site] or won <= 0.0 or state.crowd[post] >= net.room[post]:
        return 0.0
    _add(net, state, site)
    return won


def _undo_plain(net: Net, state: State) -> None:
    """Take back what the log holds."""
    for at in range(state.ends[LOGGED] - 1, -1, -1):
        entry = state.log[at]
        if entry > 0:
            _drop(net, state, entry - 1)
        else:
            _add(net, state, -entry - 1)
    while state.ends[LENGTH] > 0:
        _next(state)


def _rounds_plain(
    net: Net, state: State, sites: int, rounds: int, least: float, barred: Flags
) -> float:
    """Ruin and repair so many times, keeping what is no worse; return the weight won."""
    won = 0.0
    for _ in range(rounds):
        if state.ends[CHOSEN] == 0:
            break
        state.ends[LOGGED] = 0
        gone = np.empty(1 + _dice(state, 4), np.int64)
        balance = -_ruin(net, state, barred, gone)
        # by greed alone the same few choices would come back
        if _dice(state, 2) == 0:
            balance += _stray(net, state)
        balance += _fill(net, state, sites, barred, 0.0)
        for site in gone:
            if site >= 0:
                barred[site] = False
        balance += _settle(net, state, least, state.queue.size * 4)[0]
        balance += _fill(net, state, sites, barred, least)
        if balance < -least and state.ends[LOGGED] <= state.log.size:
            _undo(net, state)
        else:
            won += balance
    return won


_dice: Any = compiled(_dice_plain)
_queue: Any = compiled(_queue_plain)
_wake: Any = compiled(_wake_plain)
_wake_rich: Any = compiled(_wake_rich_plain)
_note: Any = compiled(_note_plain)
_add: Any = compiled(_add_plain)
_drop: Any = compiled(_drop_plain)
_cheapest: Any = compiled(_cheapest_plain)
_swap: Any = compiled(_swap_plain)
_next: Any = compiled(_next_plain)
_richest: Any = compiled(_richest_plain)
_fill: Any = compiled(_fill_plain)
_settle: Any = compiled(_settle_plain)
_near: Any = compiled(_near_plain)
_ruin: Any = compiled(_ruin_plain)
_stray: Any = compiled(_stray_plain)
_undo: Any = compiled(_undo_plain)
_rounds: Any = compiled(_rounds_plain)


def begun(net: Net, sites: int) -> State:
    """Return a greedy choice of so many sites at most, improved by swaps."""
    state = start(net)
    barred = np.zeros(net.sites, dtype=np.bool_)
    least = HAIR * float(net.weight.sum())
    _fill(net, state, sites, barred, least)
    _settle(net, state, least, 40 * net.sites)
    return state


def improved(net: Net, state: State, sites: int, rounds: int) -> None:
    """Ruin and repair the choice so many times; it never gets worse."""
    barred = np.zeros(net.sites, dtype=np.bool_)
    _rounds(net, state, sites, rounds, HAIR * float(net.weight.sum()), barred)


def put(net: Net, chosen: Whole) -> State:
    """Return the choice of these sites."""
    state = start(net)
    for site in chosen.tolist():
        _add(net, state, site)
    return state


def chosen_sites(state: State) -> Whole:
    """Return the chosen sites."""
    return state.order[: state.ends[CHOSEN]].copy()
