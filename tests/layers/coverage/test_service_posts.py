"""Service posts: ways along streets worked out by hand, and choices compared with every other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from grid_boundaries.errors import Refused, TooLarge
from layers.coverage import service_posts as module
from layers.coverage.along_streets import reach_from, seconds_at, spots
from layers.coverage.service_posts import (
    Asked,
    Served,
    chosen_posts,
    people_late,
    people_served,
    served,
    times_to,
)
from layers.coverage.street_graph import StreetGraph, street_graph
from tests.layers.coverage.siting_oracles import ENOUGH_S

CRS = 4545
PACE = 1.0
Floats = np.ndarray[Any, np.dtype[np.float64]]


def graph_of(*lines: LineString) -> StreetGraph:
    """Streets on which a metre takes a second."""
    return street_graph(GeoSeries(list(lines), crs=CRS), other_m_per_s=PACE)


def points(*xy: tuple[float, float]) -> GeoSeries:
    return GeoSeries([shapely.Point(each) for each in xy], crs=CRS)


def node_at(graph: StreetGraph, x: float, y: float) -> int:
    return int(np.argmin(np.hypot(*(graph.node_xy - (x, y)).T)))


def asked(
    graph: StreetGraph,
    homes: list[tuple[float, float]],
    people: list[float] | None = None,
    candidates: list[tuple[float, float]] | None = None,
    at: list[tuple[float, float]] | None = None,
) -> Asked:
    nodes = (
        np.arange(len(graph.node_xy))
        if candidates is None
        else np.array([node_at(graph, *xy) for xy in candidates], dtype=np.int64)
    )
    weights = np.ones(len(homes)) if people is None else np.array(people, dtype=float)
    return Asked(graph, points(*homes), weights, nodes, points(*(at or [])))


def ladder() -> StreetGraph:
    """A street of four junctions, 100 m apart, with a dead end of 50 m at each."""
    rungs = [LineString([(x, 0), (x, 50)]) for x in (0, 100, 200, 300)]
    return graph_of(LineString([(0, 0), (300, 0)]), *rungs)


LADDER_HOMES = [(0.0, 50.0), (100.0, 50.0), (200.0, 50.0), (300.0, 50.0)]
JUNCTIONS = [(0.0, 0.0), (100.0, 0.0), (200.0, 0.0), (300.0, 0.0)]


def choose(found: Served, goal: Any, sites: int = 0, limit_s: float = np.inf) -> Any:
    return chosen_posts(found, goal, sites, limit_s=limit_s, within_s=ENOUGH_S)


def refusal(found: Served, goal: Any, sites: int = 0, limit_s: float = np.inf) -> Refused:
    with pytest.raises(Refused) as caught:
        choose(found, goal, sites, limit_s)
    return caught.value


# ------------------------------------------------------------------ ways


def test_ways_run_along_the_streets() -> None:
    found = served(asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS), farthest=False)
    assert found.ways_s.tolist() == [
        [50, 150, 250, 350], [150, 50, 150, 250], [250, 150, 50, 150], [350, 250, 150, 50],
    ]  # fmt: skip
    assert np.isinf(found.now_s).all()
    assert found.people.tolist() == [1, 1, 1, 1]


def test_homes_of_one_stretch_are_served_together_by_their_mean_or_their_farthest() -> None:
    homes = [(100.0, 10.0), (100.0, 40.0), (0.0, 50.0)]
    one = asked(ladder(), homes, people=[3, 1, 2], candidates=[(100.0, 0.0)])
    mean, far = served(one, farthest=False), served(one, farthest=True)
    assert sorted(mean.people.tolist()) == [2, 4]
    of = mean.homes
    assert (of[0], of[1]) == (of[0], of[0])
    assert mean.ways_s[of[0], 0] == pytest.approx((3 * 10 + 40) / 4)
    assert far.ways_s[of[0], 0] == 40


def test_the_way_from_the_house_to_its_street_counts() -> None:
    found = served(asked(ladder(), [(112.5, 50.0)], candidates=[(100.0, 0.0)]), farthest=False)
    # 12.5 m beside the dead end at 1.25 m a second
    assert found.ways_s[0, 0] == pytest.approx(50 + 10)


def test_a_post_that_stands_serves_whoever_is_nearer_to_it() -> None:
    one = asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS, at=[(0.0, 0.0)])
    found = served(one, farthest=False)
    assert found.now_s.tolist() == [50, 150, 250, 350]
    assert found.ways_s[:, 3].tolist() == [50, 150, 150, 50]


def test_a_post_beside_no_street_serves_nobody() -> None:
    one = asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS, at=[(0.0, 5_000.0)])
    assert np.isinf(served(one, farthest=False).now_s).all()


def test_homes_off_the_streets_or_in_another_part_are_left_out() -> None:
    graph = graph_of(LineString([(0, 0), (100, 0)]), LineString([(0, 900), (100, 900)]))
    homes = [(50.0, 0.0), (50.0, 900.0), (50.0, 450.0)]
    found = served(asked(graph, homes, candidates=[(0.0, 0.0)]), farthest=False)
    assert found.homes.tolist() == [0, -1, -1]
    assert found.people.tolist() == [1]
    with_post = asked(graph, homes, candidates=[(0.0, 0.0)], at=[(0.0, 900.0)])
    again = served(with_post, farthest=False)
    assert again.homes.tolist() == [0, 1, -1]
    assert again.now_s[1] == 50


@pytest.mark.parametrize(
    ("homes", "candidates"), [([], JUNCTIONS), (LADDER_HOMES, []), ([], [])]
)  # fmt: skip
def test_nobody_and_no_junction_are_no_fault(homes: Any, candidates: Any) -> None:
    found = served(asked(ladder(), homes, candidates=candidates), farthest=False)
    assert found.ways_s.size == 0
    assert choose(found, "nearest", 2) is None
    assert choose(found, "worst", 2) is None
    assert choose(found, "all", limit_s=60.0) is None


def test_a_county_without_streets_serves_nobody() -> None:
    found = served(asked(graph_of(), LADDER_HOMES, candidates=[]), farthest=True)
    assert (found.homes.tolist(), found.people.size) == ([-1] * 4, 0)


@pytest.mark.parametrize("name", ["MOST_HOMES", "MOST_CANDIDATES", "MOST_STRETCHES"])
def test_more_than_can_be_weighed_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(module, name, 3)
    with pytest.raises(TooLarge) as caught:
        served(asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS), farthest=False)
    assert caught.value.code == "too-many-to-weigh"
    assert (caught.value.where["number"], caught.value.where["limit"]) == (4, 3)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.booleans())
def test_ways_are_those_of_a_reach_from_each_post_alone(seed: int, farthest: bool) -> None:
    rng = np.random.default_rng(seed)
    lines = [LineString(rng.integers(0, 9, (2, 2)) * 40.0) for _ in range(7)]
    graph = graph_of(*[line for line in lines if line.length > 0], LineString([(0, 0), (320, 320)]))
    homes = [(float(x), float(y)) for x, y in rng.uniform(0, 320, (8, 2))]
    people = rng.integers(1, 6, 8).astype(float)
    one = asked(graph, homes, people.tolist(), at=[(5.0, 5.0)])
    found = served(one, farthest=farthest)
    beside = spots(graph, one.homes)
    for column, node in enumerate(one.candidates):
        both = points((5.0, 5.0), tuple(graph.node_xy[node]))
        direct = seconds_at(reach_from(graph, spots(graph, both)), beside)
        for stretch in range(len(found.people)):
            own = found.homes == stretch
            expected = (
                direct[own].max() if farthest else np.average(direct[own], weights=people[own])
            )
            assert found.ways_s[stretch, column] == pytest.approx(expected, rel=1e-9)


# ------------------------------------------------------------------ choices


def test_the_nearest_post_is_where_ways_together_are_shortest() -> None:
    one = asked(ladder(), LADDER_HOMES, people=[1, 9, 1, 1], candidates=JUNCTIONS)
    found = served(one, farthest=False)
    sites = choose(found, "nearest", 1)
    assert sites.chosen.tolist() == [1]
    assert sites.value == sites.bound == 9 * 50 + 150 + 150 + 250
    assert times_to(found, sites.chosen).tolist() == [150, 50, 150, 250]


def test_the_worst_way_is_made_as_short_as_can_be() -> None:
    found = served(asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS), farthest=True)
    assert choose(found, "worst", 1).value == 250
    assert choose(found, "worst", 2).value == 150
    assert choose(found, "worst", 4).value == 50
    assert choose(found, "worst", 400).value == 50


def test_as_few_posts_as_bring_everybody_within_the_limit() -> None:
    found = served(asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS), farthest=True)
    sites = choose(found, "all", limit_s=150.0)
    assert (sites.value, sites.bound) == (2.0, 2.0)
    assert people_late(found, sites.chosen, 150.0) == 0
    assert choose(found, "all", limit_s=50.0).value == 4


def test_who_is_in_time_already_needs_no_post() -> None:
    one = asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS, at=[(150.0, 0.0)])
    found = served(one, farthest=True)
    assert choose(found, "all", limit_s=200.0) is None
    assert choose(found, "all", limit_s=199.0).value == 2
    assert people_late(found, module.NONE, 199.0) == 2


def test_a_limit_that_no_junction_keeps_is_refused_with_how_many_people() -> None:
    one = asked(ladder(), LADDER_HOMES, people=[7, 1, 1, 1], candidates=JUNCTIONS[1:])
    said = refusal(served(one, farthest=True), "all", limit_s=90.0)
    assert (said.code, said.where["people"]) == ("out-of-reach", 7)
    assert "1.5" in said.zh
    assert "1.5" in said.en


@pytest.mark.parametrize("goal", ["nearest", "worst"])
def test_parts_without_a_way_between_them_need_a_post_each(goal: Any) -> None:
    graph = graph_of(*[LineString([(0, y), (100, y)]) for y in (0, 900, 1800)])
    found = served(asked(graph, [(10.0, 0.0), (10.0, 900.0), (10.0, 1800.0)]), farthest=True)
    said = refusal(found, goal, 2)
    assert (said.code, said.where["parts"]) == ("too-few-posts", 3)
    assert choose(found, goal, 3).value <= 30
    with_post = asked(
        graph, [(10.0, 0.0), (10.0, 900.0), (10.0, 1800.0)], at=[(0.0, 1800.0)]
    )  # fmt: skip
    assert choose(served(with_post, farthest=True), goal, 2).value <= 30


def test_each_new_post_is_told_with_whom_it_is_nearest_to() -> None:
    one = asked(ladder(), LADDER_HOMES, people=[1, 2, 4, 8], candidates=JUNCTIONS, at=[(0.0, 0.0)])
    found = served(one, farthest=False)
    # the third home is as near to both, and counts to the first
    assert people_served(found, np.array([1, 3])).tolist() == [6, 8]
    assert people_served(found, np.array([2, 3])).tolist() == [4, 8]
    assert people_served(found, np.array([0])).tolist() == [0]
    assert people_served(found, module.NONE).size == 0


def test_nobody_is_counted_to_a_post_twice() -> None:
    found = served(asked(ladder(), LADDER_HOMES, candidates=JUNCTIONS), farthest=False)
    for chosen in combinations(range(4), 2):
        assert people_served(found, np.array(chosen)).sum() == 4


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_no_other_choice_is_better(seed: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    homes = [(float(x), float(y)) for x, y in rng.uniform(0, 1, (7, 2)) * (300, 50)]
    people = rng.integers(1, 9, 7).astype(float)
    one = asked(ladder(), homes, people.tolist())
    mean, far = served(one, farthest=False), served(one, farthest=True)
    tried = [list(choice) for choice in combinations(range(len(one.candidates)), sites)]
    sums = [float((mean.ways_s[:, choice].min(axis=1) * mean.people).sum()) for choice in tried]
    longest = [float(far.ways_s[:, choice].min(axis=1).max()) for choice in tried]
    assert choose(mean, "nearest", sites).value == pytest.approx(min(sums))
    assert choose(far, "worst", sites).value == pytest.approx(min(longest))
    assert choose(far, "all", limit_s=min(longest)).value <= sites
