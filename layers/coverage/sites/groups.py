"""Groups: sites that see much of the same, put together, and what they see by who sees it.

An atom is all demands that the very same sites of a group cover. A group's choice is a whole
number whose bit i says whether its site i is in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from layers.coverage.sites.net import Flags, Floats, Narrow, Net, Whole, compiled, matrix_of

LARGEST = 62  # sites that the bits of a whole number can tell apart
PAIRED = 1_500  # sites whose overlaps are looked at


class Groups(NamedTuple):
    """Groups of sites and the atoms of each.

    Attributes
    ----------
    start, site, post
        The members of group g are ``site[start[g]:start[g + 1]]``; the post of each.
    room
        How many sites each post may carry.
    atom_start, atom
        The atoms of group g, as bits of its sites.
    entry_start, demand
        The demands of each atom.
    member_start, member_atom
        The atoms of each member.
    """

    start: Whole
    site: Whole
    post: Whole
    room: Whole
    atom_start: Whole
    atom: Whole
    entry_start: Whole
    demand: Narrow
    member_start: Whole
    member_atom: Whole


def grouped(net: Net, price: Floats, rank: Floats, most: int) -> Groups:
    """Return groups of at most so many sites, those that overlap most by price together.

    Only the highest of `rank`, one number a site, are put together, where that is over 0; the
    rest stay alone.
    """
    best = np.argsort(-rank, kind="stable")[:PAIRED]
    best = best[rank[best] > 0.0]
    mine = matrix_of(net)[best]
    shared = csr_array((mine * price[None, :]) @ mine.T).tocoo()
    upper = shared.row < shared.col
    row, col, weight = shared.row[upper], shared.col[upper], shared.data[upper]
    order = np.argsort(-weight, kind="stable")
    label = _joined(row[order].astype(np.int64), col[order].astype(np.int64), len(best), most)
    alone = np.setdiff1d(np.arange(net.sites), best)
    member = np.concatenate([best[np.argsort(label, kind="stable")], alone])
    sizes = np.unique(label, return_counts=True)[1]
    starts = np.cumsum(np.concatenate([[0], sizes, np.ones(len(alone), dtype=np.int64)]))
    return _with_atoms(net, starts, member)


def _joined_plain(row: Whole, col: Whole, number: int, size: int) -> Whole:
    """Join pair by pair while the groups hold at most so many; return the group of each."""
    head = np.arange(number)
    count = np.ones(number, dtype=np.int64)
    for at in range(row.size):
        a, b = row[at], col[at]
        while head[a] != a:
            head[a] = head[head[a]]
            a = head[a]
        while head[b] != b:
            head[b] = head[head[b]]
            b = head[b]
        if a != b and count[a] + count[b] <= size:
            head[b] = a
            count[a] += count[b]
    for at in range(number):
        while head[at] != head[head[at]]:
            head[at] = head[head[at]]
    return head


def _with_atoms(net: Net, start: Whole, site: Whole) -> Groups:
    """Return the groups with their atoms."""
    group, demand, bits = _bits(net.site_start, net.site_demand, start, site, net.demands)
    order = np.lexsort((bits, group))
    group, demand, bits = group[order], demand[order], bits[order]
    first = np.ones(len(bits), dtype=np.bool_)
    first[1:] = (bits[1:] != bits[:-1]) | (group[1:] != group[:-1])
    atom, atom_group = bits[first], group[first]
    member, of_atom = _members(atom, atom_group, start)
    order = np.argsort(member, kind="stable")
    return Groups(
        start,
        site,
        net.post[site],
        net.room,
        np.searchsorted(atom_group, np.arange(len(start))),
        atom,
        np.append(np.flatnonzero(first), len(bits)),
        demand,
        np.searchsorted(member[order], np.arange(len(site) + 1)),
        of_atom[order],
    )


def _members(atom: Whole, atom_group: Whole, start: Whole) -> tuple[Whole, Whole]:
    """Return pairs of a member and one of its atoms."""
    widest = int(np.diff(start).max(initial=0))
    hits: list[Flags] = [(atom >> bit) & 1 > 0 for bit in range(widest)]
    pairs = [np.flatnonzero(hit) for hit in hits]
    member = [start[atom_group[pair]] + bit for bit, pair in enumerate(pairs)]
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *member]), np.concatenate([none, *pairs])


def _bits_plain(
    site_start: Whole, site_demand: Narrow, start: Whole, site: Whole, demands: int
) -> tuple[Whole, Narrow, Whole]:
    """Return group, demand and covering members as bits, each demand once a group."""
    most = 0
    for at in range(site.size):
        most += site_start[site[at] + 1] - site_start[site[at]]
    group, bits = np.empty(most, np.int64), np.empty(most, np.int64)
    demand = np.empty(most, np.int32)
    seen = np.zeros(demands, np.int64)
    count = 0
    for g in range(start.size - 1):
        begun = count
        for at in range(start[g], start[g + 1]):
            for to in range(site_start[site[at]], site_start[site[at] + 1]):
                here = site_demand[to]
                if seen[here] == 0:
                    group[count], demand[count] = g, here
                    count += 1
                seen[here] |= 1 << (at - start[g])
        for at in range(begun, count):
            bits[at] = seen[demand[at]]
            seen[demand[at]] = 0
    return group[:count], demand[:count], bits[:count]


_joined = compiled(_joined_plain)
_bits = compiled(_bits_plain)
