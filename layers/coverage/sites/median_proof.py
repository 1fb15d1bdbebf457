"""The mixed-integer programme of the median, after the bound has struck out what cannot be."""

from __future__ import annotations

import numpy as np
from scipy.optimize import LinearConstraint
from scipy.sparse import coo_array, csr_array

from layers.coverage.sites.floor import Descent, could_save
from layers.coverage.sites.net import Floats, Whole
from layers.coverage.sites.proof import solved


def nearest_by_programme(
    cost: Floats,
    sites: int,
    ascent: Descent,
    value: float,
    unit: float,
    time_s: float,
    most_pairs: int,
) -> tuple[Whole | None, float]:
    """Return a choice that saves `unit` at least, or None, and what none can cost less than.

    A pair of site and demand is left out where the bound says that no cheaper choice has it. The
    sites of the answer are numbers of rows of `cost`.
    """
    could, serves = could_save(cost, sites, ascent.best_pay, value, unit)
    if len(could) < sites or not serves.any(axis=0).all():
        return None, value
    if serves.sum() > most_pairs:
        return None, -np.inf
    site, demand = np.nonzero(serves)
    rows = _rows(site, demand, len(could), cost.shape[1], sites)
    price = np.append(np.zeros(len(could)), cost[could[site], demand])
    whole = np.append(np.ones(len(could)), np.zeros(len(site)))
    point, bound = solved(price, whole, rows, time_s)
    # what was struck out costs at least `value`
    chosen = None if point is None else could[point[: len(could)] > 0.5]
    return chosen, min(bound, value)


def _rows(
    site: Whole, demand: Whole, sites: int, demands: int, count: int
) -> list[LinearConstraint]:
    """Each demand is served once, only by chosen sites, and so many are chosen."""
    pairs = len(site)
    pair = np.arange(pairs)
    ones, width = np.ones(pairs), sites + pairs
    served = coo_array((ones, (demand, sites + pair)), shape=(demands, width))
    open_sites = coo_array((-ones, (pair, site)), shape=(pairs, width))
    used = coo_array((ones, (pair, sites + pair)), shape=(pairs, width))
    number = csr_array(np.append(np.ones(sites), np.zeros(pairs))[None, :])
    return [
        LinearConstraint(csr_array(served), lb=1.0, ub=1.0),
        LinearConstraint(csr_array(used + open_sites), ub=0.0),
        LinearConstraint(number, lb=float(count), ub=float(count)),
    ]
