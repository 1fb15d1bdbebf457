"""Times of the nearest worker and reaches in time, against scipy, networkx and by hand."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.csgraph import dijkstra

from layers.coverage import spreading
from layers.coverage.checks import CoverageRefused
from layers.coverage.reach import nearest_staff_s, reached_within
from layers.coverage.spreading import times_from

Network = csr_array[Any, Any]
WEIGHTS = (0.0, 1e-9, 0.1, 1.0, 2.5, 60.0, 899.999, 900.0, 1e6)


def network(nodes: int, ways: list[tuple[int, int, float]]) -> Network:
    """Return a network that keeps ways of no time, and both of two ways between two nodes."""
    ordered = sorted(ways, key=lambda way: way[0])
    first = np.searchsorted([way[0] for way in ordered], np.arange(nodes + 1))
    ends = np.array([way[1] for way in ordered], dtype=np.int32)
    seconds = np.array([way[2] for way in ordered], dtype=np.float64)
    return csr_array((seconds, ends, first.astype(np.int32)), shape=(nodes, nodes))


def street(*seconds: float) -> Network:
    """Return a street walked both ways, with a node after each stretch."""
    there = [(n, n + 1, s) for n, s in enumerate(seconds)]
    return network(len(seconds) + 1, there + [(b, a, s) for a, b, s in there])


def by_networkx(given: Network, staff: list[int]) -> NDArray[np.float64]:
    """Return times found by another program that knows ways of no time and double ways."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(given.shape[0]))
    for row in range(given.shape[0]):
        for way in range(given.indptr[row], given.indptr[row + 1]):
            graph.add_edge(row, int(given.indices[way]), weight=float(given.data[way]))
    found = nx.multi_source_dijkstra_path_length(graph, set(staff)) if staff else {}
    return np.array([found.get(node, np.inf) for node in range(given.shape[0])])


def lattice(side: int, low_s: float, high_s: float, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    number = np.arange(side * side).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    seconds = rng.uniform(low_s, high_s, 2 * len(a))
    ways = (seconds, (np.concatenate([a, b]), np.concatenate([b, a])))
    return csr_array(coo_array(ways, shape=(side * side, side * side)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, list[int]]:
    nodes = draw(st.integers(1, 12))
    node = st.integers(0, nodes - 1)
    seconds = st.one_of(st.sampled_from(WEIGHTS), st.floats(0, 1000))
    ways = draw(st.lists(st.tuples(node, node, seconds), max_size=40))
    return network(nodes, ways), draw(st.lists(node, max_size=5))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(cases())
def test_times_are_those_of_networkx(case: tuple[Network, list[int]]) -> None:
    ways, staff = case
    found = nearest_staff_s(ways, np.array(staff, dtype=np.int64))
    np.testing.assert_allclose(found, by_networkx(ways, staff), rtol=0, atol=1e-6)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(cases(), st.one_of(st.sampled_from((0.0, 60.0, 900.0, np.inf)), st.floats(0, 2000)))
def test_a_worker_reaches_what_it_alone_is_near_enough_to(
    case: tuple[Network, list[int]], limit_s: float
) -> None:
    ways, staff = case
    found = reached_within(ways, np.array(staff, dtype=np.int64), limit_s=limit_s)
    assert (found.shape, found.dtype) == ((ways.shape[0], len(staff)), np.dtype(bool))
    for column, node in enumerate(staff):
        alone = nearest_staff_s(ways, np.array([node]))
        # infinity is no time, however long the limit
        assert found[:, column].tolist() == ((alone <= limit_s) & np.isfinite(alone)).tolist()


@settings(derandomize=True, deadline=None, max_examples=200)
@given(cases(), st.floats(0, 1000))
def test_somebody_reaches_a_node_exactly_where_the_nearest_does(
    case: tuple[Network, list[int]], limit_s: float
) -> None:
    ways, staff = case
    nodes = np.array(staff, dtype=np.int64)
    anybody = reached_within(ways, nodes, limit_s=limit_s).any(axis=1)
    assert anybody.tolist() == (nearest_staff_s(ways, nodes) <= limit_s).tolist()


@settings(derandomize=True, deadline=None, max_examples=200)
@given(cases(), st.floats(0, 1000), st.floats(0, 1000))
def test_more_time_or_more_staff_never_reach_less(
    case: tuple[Network, list[int]], one_s: float, other_s: float
) -> None:
    ways, staff = case
    nodes = np.array(staff, dtype=np.int64)
    short, long = sorted((one_s, other_s))
    less, more = (reached_within(ways, nodes, limit_s=limit) for limit in (short, long))
    assert not (less & ~more).any()
    assert (nearest_staff_s(ways, nodes) <= nearest_staff_s(ways, nodes[:1])).all()


@pytest.mark.parametrize(
    ("low_s", "high_s", "limit_s"), [(40, 100, 900), (5, 15, 300), (0.01, 20, 60), (7, 7, 70)]
)
def test_a_town_agrees_with_scipy_to_the_last_bit(
    low_s: float, high_s: float, limit_s: float
) -> None:
    ways = lattice(60, low_s, high_s, seed=3)
    staff = np.random.default_rng(4).choice(3600, 25, replace=False)
    truth = np.atleast_2d(dijkstra(ways, indices=staff))
    assert np.array_equal(nearest_staff_s(ways, staff), truth.min(axis=0))
    assert np.array_equal(reached_within(ways, staff, limit_s=limit_s), limit_s >= truth.T)


@pytest.mark.parametrize("exponent", [4.0, 12.0])
def test_ways_of_very_unlike_times_are_searched_right(exponent: float) -> None:
    ways = lattice(40, 0.0, 1.0, seed=5)
    ways.data = 10.0 ** (exponent * (ways.data - 0.5))
    staff = np.array([0, 800, 1599, 800])
    truth = np.atleast_2d(dijkstra(ways, indices=staff))
    limit_s = float(np.median(truth))
    assert np.array_equal(nearest_staff_s(ways, staff), truth.min(axis=0))
    assert np.array_equal(reached_within(ways, staff, limit_s=limit_s), limit_s >= truth.T)


def test_a_ladder_that_makes_a_hasty_search_turn_back_gives_up_and_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # each rung is first reached by the way that a step later proves to be the slower one
    rungs = 12
    ways = [(2 * n, 2 * n + 2, 1e-3 * 2.0 ** (rungs - n)) for n in range(rungs)]
    ways += [(2 * n, 2 * n + 1, 1e-9) for n in range(rungs)]
    ways += [(2 * n + 1, 2 * n + 2, 1e-9) for n in range(rungs)]
    tail = [(2 * rungs + n, 2 * rungs + n + 1, 1e-6) for n in range(300)]
    given_ways = network(2 * rungs + 301, [*ways, *tail, (0, 0, 1e4)])
    truth = np.atleast_2d(dijkstra(given_ways, indices=[0]))[0]
    found = reached_within(given_ways, np.array([0, 0]), limit_s=1.0)
    assert found[:, 0].tolist() == found[:, 1].tolist() == (truth <= 1.0).tolist()


def test_more_ways_from_a_square_than_the_search_has_room_for() -> None:
    ends = spreading.ENTRIES + 10
    ways = network(ends + 1, [(0, n, 30.0) for n in range(1, ends + 1)] + [(1, 0, 5.0)])
    found = reached_within(ways, np.array([0, 1, 2]), limit_s=33.0)
    assert found.sum(axis=0).tolist() == [ends + 1, 2, 1]
    assert nearest_staff_s(ways, np.array([1])).tolist() == [5.0, 0.0, *[35.0] * (ends - 1)]


def test_a_street_worked_out_by_hand() -> None:
    ways = street(60, 60, 300, 60)
    assert nearest_staff_s(ways, np.array([0, 4])).tolist() == [0, 60, 120, 60, 0]
    reached = reached_within(ways, np.array([0, 4]), limit_s=120)
    assert reached.tolist() == [[True, False], [True, False], [True, False], [False, True],
                                [False, True]]  # fmt: skip


def test_ways_of_no_time_are_ways() -> None:
    ways = street(0, 60, 0)
    assert nearest_staff_s(ways, np.array([0])).tolist() == [0, 0, 60, 60]
    reached = reached_within(ways, np.array([0]), limit_s=0).ravel()
    assert reached.tolist() == [True, True, False, False]
    nowhere = street(0, 0)
    assert reached_within(nowhere, np.array([1]), limit_s=0).all()


def test_a_ring_of_no_time_ends() -> None:
    ring = network(3, [(0, 1, 0.0), (1, 2, 0.0), (2, 0, 0.0)])
    assert nearest_staff_s(ring, np.array([1])).tolist() == [0, 0, 0]


def test_a_way_is_gone_in_its_own_direction_only() -> None:
    one_way = network(2, [(0, 1, 60.0)])
    assert nearest_staff_s(one_way, np.array([1])).tolist() == [np.inf, 0]
    assert nearest_staff_s(one_way, np.array([0])).tolist() == [0, 60]


def test_of_two_ways_between_two_nodes_the_quicker_counts() -> None:
    for seconds in ((60.0, 90.0), (90.0, 60.0)):
        ways = network(2, [(0, 1, second) for second in seconds])
        assert nearest_staff_s(ways, np.array([0])).tolist() == [0, 60]


def test_an_infinite_way_leads_nowhere_however_long_one_waits() -> None:
    ways = network(3, [(0, 1, np.inf), (0, 2, 1e308)])
    assert nearest_staff_s(ways, np.array([0])).tolist() == [0, np.inf, 1e308]
    assert reached_within(ways, np.array([0]), limit_s=np.inf).ravel().tolist() == [
        True, False, True,
    ]  # fmt: skip


def test_times_beyond_all_numbers_warn_nobody() -> None:
    far = street(1e308, 1e308, 1e-300)
    assert nearest_staff_s(far, np.array([0])).tolist() == [0, 1e308, np.inf, np.inf]
    assert reached_within(far, np.array([0]), limit_s=np.inf).sum() == 2


def test_the_limit_itself_still_counts() -> None:
    ways = street(450, 450)
    assert reached_within(ways, np.array([0]), limit_s=900)[2, 0]
    assert not reached_within(ways, np.array([0]), limit_s=np.nextafter(900, 0))[2, 0]


def test_where_nobody_works_nobody_comes() -> None:
    ways = street(60, 60)
    assert nearest_staff_s(ways, np.array([], dtype=np.int64)).tolist() == [np.inf] * 3
    assert nearest_staff_s(ways, np.array([])).tolist() == [np.inf] * 3
    assert reached_within(ways, np.array([], dtype=np.int64), limit_s=60).shape == (3, 0)


def test_a_county_without_streets() -> None:
    nothing: Network = csr_array((0, 0), dtype=np.float64)
    assert nearest_staff_s(nothing, np.array([])).shape == (0,)
    assert reached_within(nothing, np.array([]), limit_s=60).shape == (0, 0)
    lone: Network = csr_array((2, 2), dtype=np.float64)
    assert nearest_staff_s(lone, np.array([1])).tolist() == [np.inf, 0]


def test_workers_at_one_node_have_a_column_each() -> None:
    reached = reached_within(street(60, 60), np.array([2, 0, 2]), limit_s=60)
    assert reached[:, 0].tolist() == reached[:, 2].tolist() == [False, True, True]
    assert reached[:, 1].tolist() == [True, True, False]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_node_numbers_of_any_width(kind: type[np.integer[Any]]) -> None:
    assert nearest_staff_s(street(60), np.array([1], dtype=kind)).tolist() == [60, 0]


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.uint16, np.bool_])
def test_seconds_of_any_kind_of_number(kind: Any) -> None:
    ways = street(1, 1)
    ways.data = ways.data.astype(kind)
    assert nearest_staff_s(ways, np.array([0])).tolist() == [0, 1, 2]


def test_other_sparse_forms_and_wide_indices_are_taken() -> None:
    ways = street(60, 0, 30)
    wide = csr_array((ways.data, ways.indices.astype(np.int64), ways.indptr.astype(np.int64)),
                     shape=ways.shape)  # fmt: skip
    others: list[Any] = [wide, csc_array(ways), coo_array(ways)]
    for other in others:
        assert nearest_staff_s(other, np.array([0])).tolist() == [0, 60, 60, 90]


def test_what_is_given_stays_as_it_is() -> None:
    ways, staff = street(60, 0), np.array([1])
    before = (ways.data.copy(), ways.indices.copy(), ways.indptr.copy())
    nearest_staff_s(ways, staff)
    reached_within(ways, staff, limit_s=60)
    after = (ways.data, ways.indices, ways.indptr)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert staff.tolist() == [1]


def test_the_same_question_has_the_same_answer() -> None:
    ways, staff = lattice(30, 1, 9, seed=6), np.array([5, 77, 800])
    first = reached_within(ways, staff, limit_s=40)
    assert all(np.array_equal(first, reached_within(ways, staff, limit_s=40)) for _ in range(3))


def test_a_start_after_some_seconds_is_added_and_the_earliest_counts() -> None:
    ways = spreading.Ways(
        np.array([0, 1, 2], np.int32), np.array([1, 0], np.int32), np.full(2, 9.0)
    )
    at = np.array([0, 0, 1], dtype=np.int32)
    time_s, reached = times_from(ways, at, np.array([5.0, 3.0, 20.0]))
    assert time_s.tolist() == [3, 12]
    assert reached.tolist() == [0, 1]
    assert times_from(ways, at, np.array([5.0, 3.0, 20.0]), limit_s=2)[1].tolist() == []


@pytest.mark.parametrize("seconds", [-1.0, -1e-300, np.nan, -np.inf])
def test_a_way_that_takes_a_negative_time_or_none_is_refused_by_its_place(seconds: float) -> None:
    ways = network(3, [(0, 1, 5.0), (1, 2, seconds), (2, 1, seconds)])
    for ask in (nearest_staff_s, lambda w, s: reached_within(w, s, limit_s=60)):
        with pytest.raises(CoverageRefused) as refused:
            ask(ways, np.array([0]))
        assert refused.value.code == "network-seconds"
        assert refused.value.where == {"start": 1, "end": 2}
        assert "2 ways" in refused.value.en


def test_times_that_are_no_numbers_are_refused() -> None:
    ways = csr_array(([1j], ([0], [1])), shape=(2, 2))
    with pytest.raises(CoverageRefused, match="node 0"):
        nearest_staff_s(ways, np.array([0]))


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (0, 1)])
def test_a_network_that_is_not_square_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(CoverageRefused) as refused:
        nearest_staff_s(csr_array(shape, dtype=np.float64), np.array([0]))
    assert (refused.value.code, refused.value.where["shape"]) == ("network-not-square", [*shape])


def test_a_full_matrix_or_a_flat_one_is_refused() -> None:
    full: Any = np.array([[0.0, 60.0], [60.0, 0.0]])
    with pytest.raises(CoverageRefused) as refused:
        nearest_staff_s(full, np.array([0]))
    assert refused.value.code == "network-not-sparse"
    flat: Any = coo_array(np.array([1.0, 2.0]))
    with pytest.raises(CoverageRefused) as refused:
        nearest_staff_s(flat, np.array([0]))
    assert refused.value.code == "network-not-square"


@pytest.mark.parametrize("node", [-1, 3, 2**40])
def test_a_worker_outside_the_network_is_refused_by_number(node: int) -> None:
    with pytest.raises(CoverageRefused) as refused:
        reached_within(street(60, 60), np.array([0, node]), limit_s=60)
    assert (refused.value.code, refused.value.where) == ("staff-outside", {"index": 1})


@pytest.mark.parametrize(
    "staff",
    [np.array([0.0]), np.array([True, False]), np.array([[0]]), np.array(0), np.array(["0"])],
)
def test_staff_that_are_not_node_numbers_are_refused(staff: NDArray[Any]) -> None:
    with pytest.raises(CoverageRefused) as refused:
        nearest_staff_s(street(60), staff)
    assert refused.value.code == "staff-not-nodes"


@pytest.mark.parametrize("limit_s", [-1.0, np.nan, -np.inf])
def test_a_limit_that_is_no_time_is_refused(limit_s: float) -> None:
    with pytest.raises(CoverageRefused) as refused:
        reached_within(street(60), np.array([0]), limit_s=limit_s)
    assert refused.value.code == "limit-not-positive"
