"""Warm: compile the inner loops once, before the clock of the first question starts."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.sparse import csr_array

from layers.coverage.sites import ceiling, fewest, floor, interchange, joint, search, thinning
from layers.coverage.sites.clock import Clock
from layers.coverage.sites.net import Net, net_of


@cache
def warm() -> None:
    """Put one little question through every compiled loop.

    What is compiled is kept on disk (NUMBA_CACHE_DIR), so that this takes long only once.
    """
    net = _little_net()
    less, _ = thinning.thinned(net)
    state = search.begun(less, 2)
    search.improved(less, state, 2, 3)
    course = ceiling.lowered(less, 2, ceiling.first_course(less), 0.0, 2)
    together = joint.first_joint(less, 2, course, 3, np.zeros(0))
    joint.lowered_jointly(less, 2, together, 0.0, 2)
    ceiling.paid_sites(less, 2, less.weight)
    fewest.fewest_sites(net, Clock(1.0, 0.0, lambda: 2.0))
    cost = np.ascontiguousarray(np.abs(np.subtract.outer(np.arange(4.0), np.arange(6.0))))
    interchange.improved(cost, interchange.begun(cost, 2), 2, 1)
    floor.raised(cost, 2, floor.first_ascent(cost), 99.0, 2)


def _little_net() -> Net:
    ring = np.eye(6) + np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), 2, axis=1)
    posts = np.zeros(6, dtype=np.int64)
    return net_of(csr_array(ring), np.arange(1.0, 7.0), posts, np.array([6]))


if __name__ == "__main__":
    warm()
