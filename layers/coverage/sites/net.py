"""The net of who covers what: sites and demands, read both ways, as plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Narrow = NDArray[np.int32]
Flags = NDArray[np.bool_]
compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(
    cache=True, nogil=True, error_model="numpy"
)


class Net(NamedTuple):
    """Who covers what, and which sites share a post.

    Attributes
    ----------
    site_start, site_demand
        The demands of site i are ``site_demand[site_start[i]:site_start[i + 1]]``.
    demand_start, demand_site
        The same the other way round: the sites that cover a demand.
    weight
        Of each demand, over 0.
    post
        Of each site, counted from 0.
    room
        How many sites may still be chosen at each post.
    """

    site_start: Whole
    site_demand: Narrow
    demand_start: Whole
    demand_site: Narrow
    weight: Floats
    post: Whole
    room: Whole

    @property
    def sites(self) -> int:
        """How many candidates there are."""
        return len(self.site_start) - 1

    @property
    def demands(self) -> int:
        """How many demands there are."""
        return len(self.weight)


def net_of(covers: csr_array, weight: Floats, post: Whole, room: Whole) -> Net:
    """Return the net of a matrix of sites by demands whose stored entries all mean covered."""
    turned = csr_array(covers.T)
    return Net(
        covers.indptr.astype(np.int64),
        covers.indices.astype(np.int32),
        turned.indptr.astype(np.int64),
        turned.indices.astype(np.int32),
        weight.astype(np.float64),
        post.astype(np.int64),
        room.astype(np.int64),
    )


def matrix_of(net: Net) -> csr_array:
    """Return the net as a matrix of ones, sites by demands."""
    ones = np.ones(len(net.site_demand))
    return csr_array((ones, net.site_demand, net.site_start), shape=(net.sites, net.demands))


def kept_sites(net: Net, kept: Flags) -> Net:
    """Return the net of some of its sites, all demands staying, also those without a site."""
    return net_of(csr_array(matrix_of(net)[kept]), net.weight, net.post[kept], net.room)


def covered(net: Net, sites: Whole) -> Flags:
    """Return which demands some of the sites cover."""
    seen = np.zeros(net.demands, dtype=np.bool_)
    for site in sites.tolist():
        seen[net.site_demand[net.site_start[site] : net.site_start[site + 1]]] = True
    return seen
