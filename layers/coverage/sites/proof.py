"""Proof: the mixed-integer programme of what is left, solved by HiGHS through scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, eye_array, hstack, vstack

from layers.coverage.sites.net import Floats, Net, Whole, matrix_of

NO_POINT = 2  # scipy's word for a programme that cannot be satisfied


def most_covered_by_programme(net: Net, sites: int, time_s: float) -> tuple[Whole | None, float]:
    """Leave as little weight uncovered as possible (Church and ReVelle 1974).

    Returns the best choice found, or None, and what no choice covers more than.
    Only sites are whole numbers; a demand is then uncovered wholly or not at all.
    """
    number, demands = net.sites, net.demands
    left_out = hstack([csr_array(matrix_of(net).T), eye_array(demands)])
    all_sites = csr_array(np.append(np.ones(number), np.zeros(demands))[None, :])
    at_post = hstack([_posts(net), csr_array((len(net.room), demands))])
    rows = [
        LinearConstraint(left_out, lb=1.0),
        LinearConstraint(all_sites, ub=float(sites)),
        LinearConstraint(at_post, ub=net.room.astype(np.float64)),
    ]
    rows = rows if (np.bincount(net.post, minlength=len(net.room)) > net.room).any() else rows[:2]
    cost = np.append(np.zeros(number), net.weight)
    whole = np.append(np.ones(number), np.zeros(demands))
    found = solved(cost, whole, rows, time_s)
    total = float(net.weight.sum())
    chosen = None if found[0] is None else np.flatnonzero(found[0][:number] > 0.5)
    return chosen, total - found[1]


def prices_by_programme(net: Net, sites: int, time_s: float) -> Floats | None:
    """Return the prices of the demands at which the linear programme's bound is reached.

    None where HiGHS needs more time. What the prices prove has to be counted anew.
    """
    number, demands = net.sites, net.demands
    left_out = hstack([csr_array(-matrix_of(net).T), -eye_array(demands)])
    all_sites = csr_array(np.append(np.ones(number), np.zeros(demands))[None, :])
    rows: Any = csr_array(vstack([left_out, all_sites]))
    result = linprog(
        np.append(np.zeros(number), net.weight),
        A_ub=rows,
        b_ub=np.append(-np.ones(demands), float(sites)),
        bounds=(0, 1),
        method="highs-ds",
        options={"time_limit": max(time_s, 0.01)},
    )
    if result.status != 0:
        return None
    return np.clip(-result.ineqlin.marginals[:demands], 0.0, net.weight)


def solved(
    cost: Floats, whole: Floats, rows: list[LinearConstraint], time_s: float
) -> tuple[Floats | None, float]:
    """Return the least-cost 0-1 point found, or None, and what no point can cost less than.

    Where there is no point at all the bound is infinite, where nothing was proven minus infinite.
    """
    result = milp(
        cost,
        integrality=whole.astype(np.int64),
        bounds=Bounds(0.0, 1.0),
        constraints=rows,
        options={"time_limit": max(time_s, 0.01), "mip_rel_gap": 0.0},
    )
    if result.status == NO_POINT:
        return None, np.inf
    bound = result.get("mip_dual_bound")
    proven = -np.inf if bound is None or not np.isfinite(bound) else float(bound)
    return result.x, proven


def _posts(net: Net) -> csr_array:
    sites = np.arange(net.sites)
    shape = (len(net.room), net.sites)
    return csr_array(coo_array((np.ones(net.sites), (net.post, sites)), shape=shape))
