"""Least times that spread over a network from where somebody stands, compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Nodes = NDArray[np.int32]
Flags = NDArray[np.bool_]

BUCKETS_A_WAY = 8.0
MOST_BUCKETS = 65_536
LONGEST_COUNTED_S = 1e12
SHORTEST_WIDTH_S = 1e-9
ENTRIES = 65_536
"""Room for what waits in the buckets of one search; a search that wants more goes in order."""
RETRIES = 4
"""A search that takes nodes so many times over goes in order instead."""


@dataclass(frozen=True)
class Ways:
    """A network by the node that each way starts from: ways `first[i]` to `first[i + 1]` leave i.

    Parameters
    ----------
    first
        Shape (nodes + 1,).
    ends, seconds
        Where each way leads and how long it takes, shape (ways,); 0 is a way like any other,
        and infinity is none.
    """

    first: Nodes
    ends: Nodes
    seconds: Floats

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.first) - 1


def times_from(
    ways: Ways, nodes: Nodes, start_s: Floats, *, limit_s: float = np.inf
) -> tuple[Floats, Nodes]:
    """Return the least time to each node from any of some nodes, and the nodes reached.

    Dijkstra (1959) with a heap of four children a node.

    Parameters
    ----------
    nodes, start_s
        Where it starts and after how many seconds, shape (starts,); not negative.
    limit_s
        Times over it are not looked for.

    Returns
    -------
    tuple
        Seconds of shape (nodes,), infinity where nothing comes in time; the nodes reached.
    """
    time_s = np.full(ways.nodes, np.inf)
    reached = np.empty(ways.nodes, dtype=np.int32)
    found = _in_order(ways.first, ways.ends, ways.seconds, nodes, start_s, limit_s, time_s, reached)
    return time_s, reached[:found]


def reached_rows(ways: Ways, nodes: Nodes, *, limit_s: float) -> Flags:
    """Return for each of some nodes which nodes are at most `limit_s` away, shape (len, nodes)."""
    rows = np.zeros((len(nodes), ways.nodes), dtype=np.bool_)
    width_s, buckets = _buckets(ways.seconds)
    _reach_each(ways.first, ways.ends, ways.seconds, nodes, limit_s, 1 / width_s, buckets, rows)
    return rows


def _buckets(seconds: Floats) -> tuple[float, int]:
    """Return the width of a bucket and how many hold the longest way; any width is right."""
    counted = np.minimum(seconds, LONGEST_COUNTED_S)
    positive = counted[counted > 0.0]
    if not positive.size:
        return 1.0, 4
    longest_s = float(seconds[np.isfinite(seconds)].max(initial=0.0))
    width_s = max(
        float(positive.mean()) / BUCKETS_A_WAY, longest_s / (MOST_BUCKETS - 4), SHORTEST_WIDTH_S
    )
    # a power of two, so that the ring of buckets closes by a mask
    return width_s, 1 << int(np.ceil(np.log2(longest_s / width_s + 4.0)))


def _push_plain(heap_s: Floats, heap: Nodes, size: int, key_s: float, node: int) -> None:
    at = size
    while at > 0:
        above = (at - 1) >> 2
        if heap_s[above] <= key_s:
            break
        heap_s[at], heap[at] = heap_s[above], heap[above]
        at = above
    heap_s[at], heap[at] = key_s, node


def _pop_plain(heap_s: Floats, heap: Nodes, size: int) -> None:
    """Take the first node out of the heap, which is `size` long afterwards."""
    key_s, node = heap_s[size], heap[size]
    at, child = 0, 1
    while child < size:
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if heap_s[other] < heap_s[least]:
                least = other
        if heap_s[least] >= key_s:
            break
        heap_s[at], heap[at] = heap_s[least], heap[least]
        at, child = least, 4 * least + 1
    heap_s[at], heap[at] = key_s, node


def _in_order_plain(
    first: Nodes,
    ends: Nodes,
    seconds: Floats,
    nodes: Nodes,
    start_s: Floats,
    limit_s: float,
    time_s: Floats,
    reached: Nodes,
) -> int:
    """Set the least times from the starting nodes and return how many nodes were reached."""
    # a way shortens a time once at most, so no more than this ever stand in the heap
    most = ends.size + nodes.size + 1
    heap_s, heap = np.empty(most), np.empty(most, dtype=np.int32)
    size, found = 0, 0
    for place in range(nodes.size):
        if start_s[place] <= limit_s and start_s[place] < time_s[nodes[place]]:
            time_s[nodes[place]] = start_s[place]
            _push(heap_s, heap, size, start_s[place], nodes[place])
            size += 1
    while size > 0:
        now_s, node = heap_s[0], heap[0]
        size -= 1
        _pop(heap_s, heap, size)
        if now_s > time_s[node]:
            continue  # a quicker way was found since
        reached[found] = node
        found += 1
        for way in range(first[node], first[node + 1]):
            then_s, end = now_s + seconds[way], ends[way]
            if then_s <= limit_s and then_s < time_s[end]:
                time_s[end] = then_s
                _push(heap_s, heap, size, then_s, end)
                size += 1
    return found


def _place_plain(free: int, used: int, after: Nodes) -> tuple[int, int, int]:
    """Return a place for an entry, the next free one, and how many places are in use."""
    if free >= 0:
        return free, after[free], used
    return used, -1, used + 1


def _in_buckets_plain(
    first: Nodes,
    ends: Nodes,
    seconds: Floats,
    start: int,
    limit_s: float,
    per_s: float,
    time_s: Floats,
    reached: Nodes,
    heads: Nodes,
    after: Nodes,
    keys_s: Floats,
    waiting_nodes: Nodes,
) -> tuple[int, bool]:
    """Set the least times from one node; return how many are reached and whether it came through.

    Nodes wait in a ring of buckets by their time (Dial 1969) and are taken bucket by bucket,
    last in first out, and again where a quicker way is found: half the time of a heap where
    ways are much alike. Where they are not, it gives up.
    """
    mask, room = heads.size - 1, after.size
    time_s[start], reached[0], waiting_nodes[0], keys_s[0], after[0] = 0.0, start, start, 0.0, -1
    heads[0] = 0
    found, used, free, waiting, slot, taken = 1, 1, -1, 1, 0, 0
    while waiting > 0:
        entry = heads[slot]
        if entry < 0:
            slot = (slot + 1) & mask
            continue
        heads[slot], after[entry], free = after[entry], free, entry
        node, now_s = waiting_nodes[entry], keys_s[entry]
        waiting -= 1
        taken += 1
        if now_s > time_s[node]:
            continue  # a quicker way was found since
        if used + first[node + 1] - first[node] > room or taken > 1000 + RETRIES * found:
            heads[:] = -1
            return found, False
        for way in range(first[node], first[node + 1]):
            then_s, end = now_s + seconds[way], ends[way]
            before_s = time_s[end]
            if then_s < before_s and then_s <= limit_s:
                if before_s == np.inf:
                    reached[found] = end
                    found += 1
                time_s[end] = then_s
                entry, free, used = _place(free, used, after)
                target = np.int64(then_s * per_s) & mask
                waiting_nodes[entry], keys_s[entry] = end, then_s
                after[entry], heads[target] = heads[target], entry
                waiting += 1
    return found, True


def _reach_each_plain(
    first: Nodes,
    ends: Nodes,
    seconds: Floats,
    nodes: Nodes,
    limit_s: float,
    per_s: float,
    buckets: int,
    rows: Flags,
) -> None:
    """Mark in each node's row the nodes that are at most `limit_s` away."""
    time_s, now_s = np.full(first.size - 1, np.inf), np.zeros(1)
    reached, heads = np.empty(first.size - 1, np.int32), np.full(buckets, -1, np.int32)
    after, waiting = np.empty(ENTRIES, np.int32), np.empty(ENTRIES, np.int32)
    keys_s = np.empty(ENTRIES)
    for place in range(nodes.size):
        found, through = _in_buckets(
            first, ends, seconds, nodes[place], limit_s, per_s, time_s, reached,
            heads, after, keys_s, waiting,
        )  # fmt: skip
        if not through:
            time_s[reached[:found]] = np.inf
            start = nodes[place : place + 1]
            found = _in_order(first, ends, seconds, start, now_s, limit_s, time_s, reached)
        for node in reached[:found]:
            time_s[node] = np.inf
            rows[place, node] = True


_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
_push: Callable[..., None] = _compiled(_push_plain)
_pop: Callable[..., None] = _compiled(_pop_plain)
_place: Callable[..., tuple[int, int, int]] = _compiled(_place_plain)
_in_order: Callable[..., int] = _compiled(_in_order_plain)
_in_buckets: Callable[..., tuple[int, bool]] = _compiled(_in_buckets_plain)
_reach_each: Callable[..., None] = _compiled(_reach_each_plain)
