"""People and workers beside streets, and reaches drawn on them, against networkx and sampling."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import LineString, Point

from layers.coverage.along_streets import (
    Spots,
    reach_from,
    reached_streets,
    seconds_at,
    spots,
)
from layers.coverage.checks import CoverageRefused
from layers.coverage.street_graph import StreetGraph, on_slopes, street_graph

STREET = street_graph(GeoSeries([LineString([(0, 0), (100, 0)])]), other_m_per_s=1.0)
TOWN = street_graph(
    GeoSeries([LineString([(x, 0), (x, 40)]) for x in (0, 10, 20, 40)]
              + [LineString([(0, y), (40, y)]) for y in (0, 20, 40)]
              + [LineString([(40, 40), (60, 60), (80, 40), (60, 30), (40, 40)])]),
    other_m_per_s=2.0,
)  # fmt: skip
HILLY = on_slopes(TOWN, TOWN.node_xy[:, 0] * 0.2)


def beside(graph: StreetGraph, *xy: tuple[float, float], **more: float) -> Spots:
    return spots(graph, GeoSeries([Point(one) for one in xy]), **more)


def on(stretch: list[int], share: list[float], off_s: list[float] | None = None) -> Spots:
    off = np.zeros(len(stretch)) if off_s is None else np.array(off_s)
    return Spots(np.array(stretch, dtype=np.int64), np.array(share, dtype=float), off)


def by_networkx(graph: StreetGraph, workers: Spots, people: Spots) -> NDArray[np.float64]:
    """Return times in a graph in which workers and people are nodes and stretches are cut there."""
    known = nx.MultiDiGraph()
    known.add_nodes_from(range(len(graph.node_xy)))
    on_it: dict[int, list[tuple[float, str]]] = {n: [] for n in range(len(graph.lines))}
    for word, some in (("w", workers), ("p", people)):
        for number in np.flatnonzero(some.is_beside):
            name = f"{word}{number}"
            known.add_edge(f"{name}-off", name, weight=some.off_s[number])
            known.add_edge(name, f"{name}-off", weight=some.off_s[number])
            on_it[int(some.stretch[number])].append((float(some.share[number]), name))
    for stretch, ((start, end), (there_s, back_s)) in enumerate(
        zip(graph.ends.tolist(), graph.seconds, strict=True)
    ):
        stops = [(0.0, start), *sorted(on_it[stretch]), (1.0, end)]
        for (low, a), (high, b) in pairwise(stops):
            known.add_edge(a, b, weight=(high - low) * there_s)
            known.add_edge(b, a, weight=(high - low) * back_s)
    begin = {f"w{n}-off" for n in np.flatnonzero(workers.is_beside)}
    found = nx.multi_source_dijkstra_path_length(known, begin) if begin else {}
    return np.array([found.get(f"p{n}-off", math.inf) for n in range(len(people.stretch))])


@st.composite
def some_spots(draw: st.DrawFn, most: int = 6) -> Spots:
    places = draw(st.lists(st.tuples(
        st.integers(-1, len(TOWN.lines) - 1), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]),
        st.sampled_from([0.0, 3.0, 11.5])), max_size=most))  # fmt: skip
    off_s = [math.inf if stretch < 0 else off for stretch, _, off in places]
    return on([p[0] for p in places], [p[1] for p in places], off_s)


@pytest.mark.parametrize("graph", [TOWN, HILLY], ids=["level", "hilly"])
@settings(derandomize=True, deadline=None, max_examples=150)
@given(some_spots(), some_spots())
def test_times_are_those_of_a_graph_cut_where_somebody_stands(
    graph: StreetGraph, workers: Spots, people: Spots
) -> None:
    found = seconds_at(reach_from(graph, workers), people)
    np.testing.assert_allclose(found, by_networkx(graph, workers, people), rtol=0, atol=1e-6)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(some_spots(), some_spots(), st.floats(0, 60))
def test_a_limit_hides_later_times_and_changes_no_other(
    workers: Spots, people: Spots, limit_s: float
) -> None:
    free = seconds_at(reach_from(HILLY, workers), people)
    limited = seconds_at(reach_from(HILLY, workers, limit_s=limit_s), people)
    assert limited.tolist() == np.where(free <= limit_s, free, math.inf).tolist()


@pytest.mark.parametrize("graph", [TOWN, HILLY], ids=["level", "hilly"])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(some_spots(4), st.floats(0, 40))
def test_what_is_drawn_is_where_somebody_is_in_time(
    graph: StreetGraph, workers: Spots, limit_s: float
) -> None:
    reach = reach_from(graph, workers, limit_s=limit_s)
    drawn = reached_streets(reach)
    shares = np.linspace(0.013, 0.987, 17)
    stretch = np.repeat(np.arange(len(graph.lines)), len(shares))
    asked = on(stretch.tolist(), np.tile(shares, len(graph.lines)).tolist())
    seconds = seconds_at(reach_from(graph, workers), asked)
    inside = np.zeros(len(stretch), dtype=bool)
    for at, low, high in drawn[["stretch", "from_share", "to_share"]].to_numpy():
        inside |= (stretch == at) & (asked.share >= low) & (asked.share <= high)
    clear = np.abs(seconds - limit_s) > 1e-6
    assert inside[clear].tolist() == (seconds <= limit_s)[clear].tolist()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(some_spots(4), st.floats(0, 40))
def test_parts_drawn_of_a_stretch_lie_apart_and_on_it(workers: Spots, limit_s: float) -> None:
    drawn = reached_streets(reach_from(TOWN, workers, limit_s=limit_s))
    for stretch in drawn["stretch"].unique().tolist():
        parts = drawn[drawn["stretch"] == stretch]
        ends = parts[["from_share", "to_share"]].to_numpy()
        assert (ends[:, 0] < ends[:, 1]).all()
        assert (ends[1:, 0] > ends[:-1, 1]).all()
        whole = TOWN.lines[stretch]
        assert parts.length.sum() == pytest.approx((ends[:, 1] - ends[:, 0]).sum() * whole.length)
        assert parts.geometry.within(whole.buffer(1e-6)).all()


def test_a_point_is_put_on_the_nearest_place_of_the_nearest_street() -> None:
    here = beside(STREET, (30, 40), (-3, 4), (100, 0), off_street_m_per_s=2.0)
    assert here.stretch.tolist() == [0, 0, 0]
    assert here.share.tolist() == pytest.approx([0.3, 0.0, 1.0])
    assert here.off_s.tolist() == pytest.approx([20, 2.5, 0])


def test_a_point_too_far_from_every_street_or_without_a_place_is_beside_none() -> None:
    points: list[Any] = [Point(50, 300), Point(50, 300.01), None, Point()]
    here = spots(STREET, GeoSeries(points), off_street_m=300)
    assert here.is_beside.tolist() == [True, False, False, False]
    assert here.off_s[1:].tolist() == [math.inf] * 3
    exactly = spots(STREET, GeoSeries([Point(50, 0), Point(50, 1)]), off_street_m=0)
    assert exactly.is_beside.tolist() == [True, False]


def test_at_a_corner_the_first_of_the_streets_is_taken() -> None:
    corner = beside(TOWN, (10, 20))
    touching = [n for n, line in enumerate(TOWN.lines) if line.distance(Point(10, 20)) == 0]
    assert len(touching) == 4
    assert corner.stretch.tolist() == [min(touching)]


def test_a_walk_that_is_not_to_count_takes_no_time() -> None:
    assert beside(STREET, (30, 40), off_street_m_per_s=math.inf).off_s.tolist() == [0.0]


def test_people_between_worker_and_corner_worked_out_by_hand() -> None:
    worker = beside(STREET, (40, 5), off_street_m_per_s=1.0)
    people = beside(STREET, (40, 5), (10, 0), (90, 20), off_street_m_per_s=1.0)
    found = seconds_at(reach_from(STREET, worker), people)
    # there and back across to the street: nobody is known to walk straight over
    assert found.tolist() == pytest.approx([10, 35, 75])


def test_nobody_reaches_without_workers_and_nobody_is_reached_without_streets() -> None:
    none, someone = on([], []), on([0], [0.5])
    assert seconds_at(reach_from(STREET, none), someone).tolist() == [math.inf]
    assert len(reached_streets(reach_from(STREET, none, limit_s=60))) == 0
    empty = street_graph(GeoSeries([]))
    lost = beside(empty, (1, 1))
    assert lost.stretch.tolist() == [-1]
    assert seconds_at(reach_from(empty, lost), lost).tolist() == [math.inf]


def test_a_reach_inside_one_stretch_is_drawn_about_the_worker() -> None:
    reach = reach_from(STREET, on([0], [0.5]), limit_s=20)
    (line,) = reached_streets(reach).geometry
    assert [round(x, 9) for x, _ in line.coords] == [30, 70]
    assert np.isinf(reach.node_s).all()


def test_two_reaches_that_meet_are_one_part_and_that_do_not_are_two() -> None:
    meet = reach_from(STREET, on([0, 0], [0.4, 0.6]), limit_s=10)
    assert reached_streets(meet)[["from_share", "to_share"]].to_numpy().tolist() == [
        pytest.approx([0.3, 0.7])
    ]
    apart = reach_from(STREET, on([0, 0], [0.3, 0.7]), limit_s=10)
    assert len(reached_streets(apart)) == 2


def test_a_whole_street_is_drawn_as_it_is() -> None:
    drawn = reached_streets(reach_from(STREET, on([0], [0.5]), limit_s=50))
    assert drawn.geometry.iloc[0].equals(STREET.lines[0])
    assert STREET.lines[0].length == 100


def test_without_a_limit_all_that_hangs_together_is_drawn() -> None:
    drawn = reached_streets(reach_from(TOWN, on([0], [0.5])))
    assert drawn.length.sum() == pytest.approx(TOWN.length_m.sum())


def test_a_worker_too_far_off_the_street_for_the_limit_reaches_nothing() -> None:
    reach = reach_from(STREET, on([0], [0.5], [61.0]), limit_s=60)
    assert len(reached_streets(reach)) == 0


@pytest.mark.parametrize("limit_s", [-1.0, math.nan])
def test_a_limit_that_is_no_time_is_refused(limit_s: float) -> None:
    with pytest.raises(CoverageRefused) as refused:
        reach_from(STREET, on([0], [0.5]), limit_s=limit_s)
    assert refused.value.code == "limit-not-positive"


@pytest.mark.parametrize("wrong", [{"off_street_m": -1}, {"off_street_m": math.nan},
                                   {"off_street_m_per_s": 0}])  # fmt: skip
def test_a_distance_or_speed_off_the_street_that_is_none_is_refused(
    wrong: dict[str, float],
) -> None:
    with pytest.raises(CoverageRefused) as refused:
        beside(STREET, (0, 0), **wrong)
    assert refused.value.code == "off-street"


def test_points_in_another_crs_are_refused() -> None:
    street = street_graph(GeoSeries([LineString([(0, 0), (9, 0)])], crs=4545))
    with pytest.raises(CoverageRefused) as refused:
        spots(street, GeoSeries([Point(0, 0)], crs=4546))
    assert refused.value.code == "crs-differs"
