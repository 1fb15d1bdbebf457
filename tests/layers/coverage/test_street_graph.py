"""Streets joined into a graph: junctions, classes, slopes; against networkx and by hand."""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
import pytest
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, box

from layers.coverage.checks import CoverageRefused
from layers.coverage.reach import nearest_staff_s
from layers.coverage.street_graph import StreetGraph, on_slopes, street_graph, tobler_share


def graph_of(*lines: Any, speed: float = 1.0, **more: Any) -> StreetGraph:
    return street_graph(GeoSeries(list(lines)), other_m_per_s=speed, **more)


def node_at(graph: StreetGraph, x_m: float, y_m: float) -> int:
    apart = np.hypot(*(graph.node_xy - (x_m, y_m)).T)
    assert apart.min() < 1e-6
    return int(apart.argmin())


def seconds_between(
    graph: StreetGraph, start: tuple[float, float], end: tuple[float, float]
) -> float:
    times = nearest_staff_s(graph.network, np.array([node_at(graph, *start)]))
    return float(times[node_at(graph, *end)])


def test_a_street_ending_on_another_joins_it_there() -> None:
    graph = graph_of(LineString([(0, 0), (100, 0)]), LineString([(30, 0), (30, 40)]))
    assert sorted(graph.length_m.tolist()) == [30, 40, 70]
    assert seconds_between(graph, (0, 0), (30, 40)) == pytest.approx(70)


def test_streets_that_cross_have_a_junction() -> None:
    graph = graph_of(LineString([(0, 5), (10, 5)]), LineString([(5, 0), (5, 10)]))
    assert graph.node_xy.tolist() == [[0, 5], [5, 0], [5, 5], [5, 10], [10, 5]]
    assert seconds_between(graph, (0, 5), (5, 10)) == pytest.approx(10)


def test_ends_that_miss_each_other_by_a_hair_are_joined_and_by_more_are_not() -> None:
    near = graph_of(LineString([(0, 0), (10, 0)]), LineString([(10.03, 0.02), (20, 0)]))
    assert seconds_between(near, (0, 0), (20, 0)) == pytest.approx(20, abs=0.01)
    far = graph_of(LineString([(0, 0), (10, 0)]), LineString([(10.3, 0), (20, 0)]))
    assert seconds_between(far, (0, 0), (20, 0)) == math.inf
    wide = graph_of(LineString([(0, 0), (10, 0)]), LineString([(10.3, 0), (20, 0)]), joined_m=1.0)
    assert seconds_between(wide, (0, 0), (20, 0)) == pytest.approx(20)


def test_where_streets_lie_on_each_other_the_quickest_counts_once() -> None:
    lines = GeoSeries([LineString([(0, 0), (30, 0)]), LineString([(10, 0), (20, 0)])])
    graph = street_graph(lines, ["lane", "trunk"], speeds_m_per_s={"lane": 1.0, "trunk": 10.0})
    assert sorted(graph.seconds[:, 0].tolist()) == [1, 10, 10]
    assert seconds_between(graph, (0, 0), (30, 0)) == pytest.approx(21)


def test_a_class_sets_the_speed_and_nobody_walks_along_a_railway() -> None:
    lines = GeoSeries([LineString([(0, 0), (0, 100)]), LineString([(0, 0), (50, 0)]),
                       LineString([(0, 0), (-80, 0)])])  # fmt: skip
    graph = street_graph(lines, np.array(["railway", "lane", None]))
    assert sorted(graph.seconds[:, 0].tolist()) == [40, 64]
    assert graph.node_xy[:, 1].max() == 0


def test_two_streets_between_the_same_corners_are_both_kept() -> None:
    straight, round_about = LineString([(0, 0), (10, 0)]), LineString([(0, 0), (5, 20), (10, 0)])
    graph = graph_of(straight, round_about)
    assert len(graph.lines) == 2
    assert graph.network.nnz == 4
    assert seconds_between(graph, (0, 0), (10, 0)) == 10


def test_a_loop_comes_back_to_its_junction() -> None:
    loop = LineString([(10, 0), (20, 10), (30, 0), (20, -10), (10, 0)])
    graph = graph_of(LineString([(0, 0), (10, 0)]), loop)
    loops = graph.ends[:, 0] == graph.ends[:, 1]
    assert graph.length_m[loops].tolist() == pytest.approx([4 * math.hypot(10, 10)])
    assert seconds_between(graph, (0, 0), (10, 0)) == 10


def test_lines_of_many_parts_heights_and_nothing_are_taken() -> None:
    lines: list[Any] = [
        MultiLineString([[(0, 0), (10, 0)], [(50, 0), (60, 0)]]), LineString(), None,
        LineString([(10, 0, 500), (20, 0, 700)]), LineString([(3, 3), (3, 3)]),
    ]  # fmt: skip
    graph = street_graph(GeoSeries(lines), other_m_per_s=1.0)
    assert graph.length_m.tolist() == [10, 10, 10]
    assert seconds_between(graph, (0, 0), (20, 0)) == 20


@pytest.mark.parametrize("lines", [[], [None], [LineString()]])
def test_no_street_is_an_empty_graph(lines: list[Any]) -> None:
    graph = street_graph(GeoSeries(lines))
    assert (graph.network.shape, len(graph.lines)) == ((0, 0), 0)


def test_the_order_of_the_streets_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    lines = [LineString(rng.uniform(0, 100, (3, 2))) for _ in range(20)]
    one, other = graph_of(*lines), graph_of(*lines[::-1])
    assert np.array_equal(one.node_xy, other.node_xy)
    assert np.sum(one.length_m) == pytest.approx(np.sum(other.length_m))
    start = np.array([0])
    np.testing.assert_allclose(
        nearest_staff_s(one.network, start), nearest_staff_s(other.network, start)
    )


def test_stretches_run_from_their_first_node_to_their_second() -> None:
    graph = graph_of(LineString([(0, 0), (10, 0), (10, 20)]), LineString([(5, 0), (5, 9)]))
    for line, (start, end) in zip(graph.lines, graph.ends, strict=True):
        assert line.coords[0] == tuple(graph.node_xy[start])
        assert line.coords[-1] == tuple(graph.node_xy[end])


lattice_lines = st.lists(
    st.tuples(*[st.integers(0, 6)] * 4).filter(lambda line: line[:2] != line[2:]), max_size=8
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(lattice_lines)
def test_times_between_junctions_are_those_of_networkx(lines: list[tuple[int, ...]]) -> None:
    graph = graph_of(*[LineString([line[:2], line[2:]]) for line in lines], joined_m=1e-6)
    known = nx.MultiGraph()
    known.add_nodes_from(range(len(graph.node_xy)))
    known.add_weighted_edges_from(
        (int(a), int(b), length) for (a, b), length in zip(graph.ends, graph.length_m, strict=True)
    )
    for start in range(min(3, len(graph.node_xy))):
        truth = nx.single_source_dijkstra_path_length(known, start)
        found = nearest_staff_s(graph.network, np.array([start]))
        assert found.tolist() == pytest.approx([truth.get(n, math.inf) for n in known.nodes])


@settings(derandomize=True, deadline=None, max_examples=150)
@given(lattice_lines)
def test_stretches_cover_the_streets_once_and_meet_only_at_nodes(
    lines: list[tuple[int, ...]],
) -> None:
    drawn = GeoSeries([LineString([line[:2], line[2:]]) for line in lines])
    graph = street_graph(drawn, joined_m=1e-6)
    ground = drawn.union_all()
    assert graph.length_m.sum() == pytest.approx(ground.length, abs=1e-4)
    junctions = GeoSeries([Point(xy) for xy in graph.node_xy]).union_all().buffer(1e-4)
    for n, one in enumerate(graph.lines):
        for other in graph.lines[n + 1 :]:
            assert one.intersection(other).difference(junctions).is_empty


def test_tobler_by_hand() -> None:
    # 6 exp(-3.5 |s + 0.05|) km/h: 5.0367 on the level, 6 at 5 % down, 3.5494 at 10 % up
    level = 6 * math.exp(-3.5 * 0.05)
    shares = tobler_share([0.0, -0.05, 0.10, -0.10]) * level
    truth = [6 * math.exp(-3.5 * abs(s + 0.05)) for s in (0.0, -0.05, 0.10, -0.10)]
    assert shares.tolist() == pytest.approx(truth)
    assert shares[0] == pytest.approx(5.0367, abs=1e-4)


def test_walking_up_takes_longer_than_down_and_level_takes_as_long_as_before() -> None:
    graph = graph_of(LineString([(0, 0), (100, 0)]), LineString([(0, 0), (0, 50)]))
    height_m = np.where(graph.node_xy[:, 0] == 100, 10.0, 0.0)
    sloped = on_slopes(graph, height_m)
    assert seconds_between(sloped, (0, 0), (0, 50)) == pytest.approx(50)
    up = seconds_between(sloped, (0, 0), (100, 0))
    down = seconds_between(sloped, (100, 0), (0, 0))
    assert up == pytest.approx(100 * math.exp(0.35))
    # 10 % down is 5 % steeper than the easiest, as level is: as quick
    assert down == pytest.approx(100)
    assert seconds_between(graph, (0, 0), (100, 0)) == 100


def test_a_cliff_is_walked_in_the_end_and_a_missing_height_is_level() -> None:
    graph = graph_of(LineString([(0, 0), (1, 0)]))
    assert np.isfinite(on_slopes(graph, [0.0, 1e9]).seconds).all()
    assert on_slopes(graph, [0.0, np.nan]).seconds.tolist() == graph.seconds.tolist()


def test_heights_must_be_one_a_node() -> None:
    with pytest.raises(CoverageRefused) as refused:
        on_slopes(graph_of(LineString([(0, 0), (1, 0)])), [0.0])
    assert refused.value.code == "heights-per-node"


@pytest.mark.parametrize(
    "shape", [Point(0, 0), box(0, 0, 1, 1), LineString([(0, 0), (math.inf, 1)])]
)
def test_what_is_no_line_is_refused_by_its_row(shape: Any) -> None:
    lines = GeoSeries([LineString([(0, 0), (1, 0)]), shape], index=["a", "b"])
    with pytest.raises(CoverageRefused) as refused:
        street_graph(lines)
    assert (refused.value.code, refused.value.where["index"]) == ("not-a-line", ["b"])


def test_degrees_are_refused() -> None:
    with pytest.raises(CoverageRefused) as refused:
        street_graph(GeoSeries([LineString([(108, 33), (108.1, 33)])], crs=4490))
    assert refused.value.code == "crs-not-metric"


@pytest.mark.parametrize("speed", [-1.0, math.nan, math.inf])
def test_a_speed_that_is_none_is_refused_by_its_class(speed: float) -> None:
    lines = GeoSeries([LineString([(0, 0), (1, 0)])])
    with pytest.raises(CoverageRefused) as refused:
        street_graph(lines, ["lane"], speeds_m_per_s={"lane": speed})
    assert refused.value.where["kinds"] == ["lane"]
    with pytest.raises(CoverageRefused):
        street_graph(lines, other_m_per_s=speed)


def test_classes_must_be_one_a_street_and_joining_over_nothing() -> None:
    lines = GeoSeries([LineString([(0, 0), (1, 0)])])
    with pytest.raises(CoverageRefused) as refused:
        street_graph(lines, ["lane", "lane"])
    assert refused.value.code == "street-kinds"
    for joined_m in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(CoverageRefused) as refused:
            street_graph(lines, joined_m=joined_m)
        assert refused.value.code == "joined-not-positive"
