"""Thinning: equal demands become one, and sites go that another one can stand in for."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from layers.coverage.sites.net import (
    Flags,
    Floats,
    Net,
    Whole,
    compiled,
    kept_sites,
    matrix_of,
    net_of,
)


def equal_columns(covers: csr_array, seed: int = 1) -> Whole:
    """Return for each demand the first demand with exactly the same sites.

    Sums of random 64-bit numbers of the sites put the demands in groups; the groups are then
    compared entry by entry, so that chance decides nothing.
    """
    turned = csr_array(covers.T)
    turned.sort_indices()
    luck = np.random.default_rng(seed).integers(0, 2**63, covers.shape[0], dtype=np.uint64)
    degree = np.diff(turned.indptr)
    key = np.add.reduceat(np.append(luck[turned.indices], np.uint64(0)), turned.indptr[:-1])
    key[degree == 0] = 0
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    like: Whole = first[group].astype(np.int64)
    same = _same_sites(turned.indptr.astype(np.int64), turned.indices.astype(np.int64), like)
    return np.where(same, like, np.arange(len(like)))


def _same_sites_plain(begin: Whole, site: Whole, like: Whole) -> Flags:
    """Say whether each demand has the very sites of the one it is like."""
    same = np.ones(like.size, dtype=np.bool_)
    for demand in range(like.size):
        a, b = begin[demand], begin[like[demand]]
        size = begin[demand + 1] - a
        same[demand] = size == begin[like[demand] + 1] - b
        at = 0
        while same[demand] and at < size:
            same[demand] = site[a + at] == site[b + at]
            at += 1
    return same


def merged(net: Net) -> Net:
    """Return the net with equal demands as one and without demands that no site covers."""
    return merged_with_prices(net, net.weight)[0]


def merged_with_prices(net: Net, price: Floats) -> tuple[Net, Floats]:
    """Return the net with equal demands as one, as `merged` does, and their prices summed.

    Demands come in the order of their first site: neighbours stand together in memory.
    """
    covers = matrix_of(net)
    like = equal_columns(covers)
    heavy = np.bincount(like, net.weight, minlength=net.demands).astype(np.float64)
    degree = np.diff(net.demand_start)
    kept = np.flatnonzero((like == np.arange(net.demands)) & (degree > 0) & (heavy > 0))
    first = net.demand_site[net.demand_start[kept]]
    kept = kept[np.argsort(first, kind="stable")]
    less = net_of(csr_array(covers[:, kept]), heavy[kept], net.post, net.room)
    prices = np.bincount(like, price, minlength=net.demands).astype(np.float64)
    return less, prices[kept]


def undominated(net: Net) -> Flags:
    """Return the sites that no other site of the same post can stand in for.

    A site whose demands another one covers too is left out; of equal sites the first stays.
    """
    flags: Flags = _undominated(
        net.site_start, net.site_demand, net.demand_start, net.demand_site, net.post
    )
    return flags


def _within_plain(start: Whole, demand: Whole, a: int, b: int) -> bool:
    """Say whether all demands of site a are demands of site b; both lists ascend."""
    at = start[b]
    for mine in range(start[a], start[a + 1]):
        while at < start[b + 1] and demand[at] < demand[mine]:
            at += 1
        if at == start[b + 1] or demand[at] != demand[mine]:
            return False
    return True


def _rarest_plain(site_start: Whole, site_demand: Whole, demand_start: Whole, site: int) -> Any:
    """Return the demand of a site that the fewest sites cover."""
    rare = site_demand[site_start[site]]
    for at in range(site_start[site] + 1, site_start[site + 1]):
        demand = site_demand[at]
        here = demand_start[demand + 1] - demand_start[demand]
        if here < demand_start[rare + 1] - demand_start[rare]:
            rare = demand
    return rare


def _undominated_plain(
    site_start: Whole, site_demand: Whole, demand_start: Whole, demand_site: Whole, post: Whole
) -> Flags:
    """Look among the sites of each site's rarest demand."""
    kept = np.ones(site_start.size - 1, dtype=np.bool_)
    for site in range(kept.size):
        size = site_start[site + 1] - site_start[site]
        kept[site] = size > 0
        if size == 0:
            continue
        rare = _rarest(site_start, site_demand, demand_start, site)
        for at in range(demand_start[rare], demand_start[rare + 1]):
            other = demand_site[at]
            larger = site_start[other + 1] - site_start[other]
            stands_in = larger > size or (larger == size and other < site)
            stands_in = stands_in and post[other] == post[site]
            if stands_in and _within(site_start, site_demand, site, other):
                kept[site] = False
                break
    return kept


_same_sites = compiled(_same_sites_plain)
_within = compiled(_within_plain)
_rarest: Any = compiled(_rarest_plain)
_undominated = compiled(_undominated_plain)


def thinned(net: Net) -> tuple[Net, Whole]:
    """Return the net with less in it and the same best value, and the sites that are left."""
    less = merged(net)
    stay = undominated(less)
    return merged(kept_sites(less, stay)), np.flatnonzero(stay)
