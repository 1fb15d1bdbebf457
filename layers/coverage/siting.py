"""Siting: where the next sites go, and how far from the best possible the choice is at most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from layers.coverage.sites import checks
from layers.coverage.sites.answer import Sites
from layers.coverage.sites.clock import started
from layers.coverage.sites.most import most_covered
from layers.coverage.sites.net import Net, Whole, net_of

__all__ = ["Sites", "best_sites"]


def best_sites(
    covers: csr_array,
    weights: ArrayLike,
    sites: int,
    *,
    fixed: ArrayLike | None = None,
    per_post: tuple[ArrayLike, int] | None = None,
    within_s: float,
) -> Sites:
    """Return the sites that cover the greatest weight (maximal covering: Church, ReVelle 1974).

    Parameters
    ----------
    covers
        Sites by demands; a stored entry other than 0 means that the site covers the demand.
    weights
        Of each demand, 0 or more.
    sites
        How many sites may be added to the fixed ones. Fewer are given where more add nothing.
    fixed
        Numbers of sites that stand already. They are chosen for nothing and come first in
        ``chosen``; what they cover counts in ``value`` and ``bound``.
    per_post
        The post of each site and how many sites one post may carry. Fixed ones take up room;
        a post that already carries more keeps them.
    within_s
        Seconds to be used at most; less where the choice is proven best before.

    Returns
    -------
    Sites
        ``value`` is the weight covered, ``bound`` what no choice can exceed; ``assigned`` is a
        site that covers the demand, or -1.

    Raises
    ------
    SitingRefused
        A ValueError: shapes that do not match, negative or missing weights, a number of sites
        below 0 or above that of the candidates, fixed sites that there are not, no time.

    Examples
    --------
    >>> covers = csr_array([[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    >>> found = best_sites(covers, [3, 1, 2], 1, within_s=1.0)
    >>> found.chosen.tolist(), found.value, found.bound
    ([0], 4.0, 4.0)
    """
    checks.require_time(within_s)
    clock = started(within_s)
    read = checks.read_covers(covers)
    weight = checks.read_weights(weights, read.shape[1])
    count = checks.require_count(sites, 0, read.shape[0])
    old = checks.read_fixed(fixed, read.shape[0])
    post, at_most = checks.read_posts(per_post, read.shape[0])
    unseen, free = _unseen(read, weight, old, post, at_most)
    new, bound = most_covered(unseen, count, clock)
    chosen = np.concatenate([old, free[new]])
    seen = _seen(read, chosen)
    value = float(weight[seen >= 0].sum())
    held = float(weight[_seen(read, old) >= 0].sum())
    return Sites(chosen, seen, value, max(value, held + bound))


def _unseen(
    covers: csr_array, weight: np.ndarray, old: Whole, post: Whole, at_most: int
) -> tuple[Net, Whole]:
    """Return the net of what the fixed sites leave unseen, and the sites that are in it."""
    room = at_most - np.bincount(post[old], minlength=int(post.max(initial=0)) + 1)
    room = np.maximum(room, 0)
    open_demands = (_seen(covers, old) < 0) & (weight > 0)
    free = (room[post] > 0) & ~np.isin(np.arange(covers.shape[0]), old)
    left = csr_array(covers[np.flatnonzero(free)][:, np.flatnonzero(open_demands)])
    return net_of(left, weight[open_demands], post[free], room), np.flatnonzero(free)


def _seen(covers: csr_array, chosen: Whole) -> Whole:
    """Return for each demand the first chosen site that covers it, or -1."""
    seen = np.full(covers.shape[1], -1, dtype=np.int64)
    for site in chosen[::-1].tolist():
        seen[covers.indices[covers.indptr[site] : covers.indptr[site + 1]]] = site
    return seen
