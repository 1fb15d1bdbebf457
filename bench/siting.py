"""Where the next sites go: weight, certified gap and time on places made up after published kinds.

The data of the published instances are not shipped: towns of 324 to 7,700 nodes stand for the
maximal covering ones, random graphs with nodes²/50 edges for the OR-Library's medians. spopt is
put beside it where it is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench._siting_scenes import camera_views, graph_lengths, nodes_cover
from layers.coverage.siting import Sites, best_sites, p_center, p_median

TOWNS = ((324, 5, 400.0), (324, 20, 200.0), (818, 5, 400.0), (818, 10, 400.0), (818, 20, 200.0))
CITIES = ((2_700, 30, 500.0, 30.0), (7_700, 60, 400.0, 30.0))
GRAPHS = ((100, 5), (200, 10), (400, 5), (400, 40), (600, 60), (900, 5), (900, 90))


def figures() -> dict[str, float]:
    """Return CPU and wall seconds, values and gaps in percent, by the scene."""
    # compiles the inner loops, which is not part of any figure
    best_sites(nodes_cover(1, 20, 500.0)[0], np.ones(20), 2, within_s=5.0)
    found: dict[str, float] = {}
    found |= camera_figures()
    for nodes, sites, radius_m in TOWNS:
        found |= covering_figures(nodes, sites, radius_m, 5.0)
    for nodes, sites, radius_m, within_s in CITIES:
        found |= covering_figures(nodes, sites, radius_m, within_s)
    for nodes, sites in GRAPHS:
        found |= graph_figures(nodes, sites)
    return found | peer_figures()


def camera_figures() -> dict[str, float]:
    """24,000 views of 430,000 points, 200 new sites beside 248 that stand."""
    covers, weights, post = camera_views(1, 3_000, 430_000)
    old = np.arange(0, 24_000, 97)
    name = "camera views 24,000 x 430,000, 200 sites"
    return measured(
        name, best_sites, covers, weights, 200, fixed=old, per_post=(post, 3), within_s=8.0
    )


def covering_figures(nodes: int, sites: int, radius_m: float, within_s: float) -> dict[str, float]:
    """Figures of a town of nodes that may all be sites."""
    covers, weights = nodes_cover(1, nodes, radius_m)
    name = f"covering {nodes} nodes, {sites} sites"
    return measured(name, best_sites, covers, weights, sites, within_s=within_s)


def graph_figures(nodes: int, sites: int) -> dict[str, float]:
    """Figures of medians and centres of one graph."""
    ways = graph_lengths(nodes + sites, nodes)
    median = f"median {nodes} nodes, {sites} sites"
    centre = f"centre {nodes} nodes, {sites} sites"
    return measured(median, p_median, ways, np.ones(nodes), sites, within_s=30.0) | measured(
        centre, p_center, ways, sites, within_s=30.0
    )


def measured(
    name: str, question: Callable[..., Sites], *args: Any, **named: Any
) -> dict[str, float]:
    """Ask once and take the time."""
    wall_s, cpu_s = perf_counter(), process_time()
    found = question(*args, **named)
    return {
        f"{name}: value": found.value,
        f"{name}: certified gap, %": 100.0 * found.gap,
        f"{name}: CPU s": process_time() - cpu_s,
        f"{name}: wall s": perf_counter() - wall_s,
    }


def peer_figures() -> dict[str, float]:
    """Return spopt's value and time on one town, or that it is left out."""
    name = "spopt, covering 818 nodes, 5 sites"
    if find_spec("spopt") is None or find_spec("pulp") is None:
        return {f"{name}: left out, not installed": 1.0}
    from pulp import PULP_CBC_CMD
    from spopt.locate import MCLP

    covers, weights = nodes_cover(1, 818, 400.0)
    ways = np.where(covers.toarray().T > 0, 0.0, 1.0)
    # the solver is a process of its own
    wall_s = perf_counter()
    solver = PULP_CBC_CMD(msg=False, timeLimit=60)
    peer = MCLP.from_cost_matrix(ways, weights, 0.5, p_facilities=5).solve(solver)
    value = float(peer.problem.objective.value())
    return {f"{name}: value": value, f"{name}: wall s": perf_counter() - wall_s}
