"""The process beside the service: it answers, tells, refuses, and ends when nobody waits."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest
import shapely
from geopandas import GeoSeries
from shapely import LineString
from starlette.requests import ClientDisconnect

from gis_service.service_post_answers import PostFile
from gis_service.side_process import SideProcess, outcome
from gis_service.site_requests import ServicePostsAsked
from grid_boundaries.errors import NotFound, Refused, TooLarge, Unavailable
from layers.coverage import service_posts
from layers.coverage.street_graph import street_graph

CRS = 4545


@pytest.fixture(scope="module")
def beside() -> Iterator[SideProcess]:
    process = SideProcess()
    yield process
    process.close()


def lattice(side: int, *, sites: int, within_s: float = 5.0, goal: Any = "nearest") -> PostFile:
    """Where posts go in a town of square blocks with a home on each street."""
    ends = range(side)
    rows = [LineString([(0, 100 * n), (100 * (side - 1), 100 * n)]) for n in ends]
    columns = [LineString([(100 * n, 0), (100 * n, 100 * (side - 1))]) for n in ends]
    graph = street_graph(GeoSeries([*rows, *columns], crs=CRS))
    rng = np.random.default_rng(side)
    homes = shapely.line_interpolate_point(graph.lines, rng.uniform(0, 100, len(graph.lines)))
    people = rng.integers(1, 9, len(homes)).astype(float)
    asked = ServicePostsAsked(goal=goal, sites=sites, limit_minutes=1.0, within_s=within_s)
    question = service_posts.Asked(
        graph,
        GeoSeries(homes, crs=CRS),
        people,
        np.arange(len(graph.node_xy)),
        GeoSeries([], crs=CRS),
    )
    return PostFile(asked, question, ("terrain",), CRS)


def silent(step: str, share: float) -> None:
    """Tell nobody."""


def stays() -> bool:
    return False


def children() -> set[int]:
    """Return the processes beside this one that live; one that has ended and waits is none."""
    return {child.pid for child in psutil.Process().children() if is_beside(child)}


def is_beside(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


def test_a_question_is_answered_in_another_process_as_in_this_one(beside: SideProcess) -> None:
    told: list[tuple[str, float]] = []
    file = lattice(4, sites=2)
    found = beside.answer("posts", file, 5.0, lambda *step: told.append(step), stays)
    assert [step for step, _ in told] == ["ways", "choice", "answer"]
    assert outcome("posts", file, silent) == ("answer", found)
    assert len(found["posts"]) == 2


def test_a_refusal_comes_through_whole(beside: SideProcess) -> None:
    file = lattice(3, sites=1, goal="all")
    late = PostFile(file.asked.model_copy(update={"limit_minutes": 0.001}), file.question, (), CRS)
    with pytest.raises(Refused) as caught:
        beside.answer("posts", late, 5.0, silent, stays)
    assert caught.value.code == "out-of-reach"
    assert caught.value.where["people"] > 0
    assert "候选路口" in caught.value.zh
    kind, said = outcome("posts", late, silent)
    assert (kind, said[1]) == ("refused", "out-of-reach")
    assert pickle.loads(pickle.dumps(said))[0] is Refused


@pytest.mark.parametrize("kind", [NotFound, TooLarge, Unavailable])
def test_each_kind_of_refusal_can_be_sent(kind: type[Refused]) -> None:
    # the class and its parts, for an exception is made anew from its sentence alone
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(kind("code", "中", "en", a=1)))
    assert pickle.loads(pickle.dumps(kind)) is kind


def test_the_process_stays_for_the_next_question(beside: SideProcess) -> None:
    beside.answer("posts", lattice(3, sites=1), 5.0, silent, stays)
    before = children()
    beside.answer("posts", lattice(3, sites=2), 5.0, silent, stays)
    assert children() == before


def test_it_ends_when_nobody_waits_and_a_new_one_answers(beside: SideProcess) -> None:
    beside.answer("posts", lattice(3, sites=1), 5.0, silent, stays)
    before = children()
    with pytest.raises(ClientDisconnect):
        beside.answer("posts", lattice(30, sites=40, within_s=30.0), 30.0, silent, lambda: True)
    assert len(before - children()) == 1
    assert beside.answer("posts", lattice(3, sites=1), 5.0, silent, stays)["posts"]


def test_a_process_that_is_killed_is_one_question_lost() -> None:
    before, process = children(), SideProcess()
    process.answer("posts", lattice(3, sites=1), 5.0, silent, stays)
    (child,) = [psutil.Process(number) for number in children() - before]
    with pytest.raises(Unavailable) as caught:
        process.answer(
            "posts", lattice(30, sites=40, within_s=30.0), 30.0, lambda *_step: child.kill(), stays
        )
    assert caught.value.code == "sites-stopped"
    assert process.answer("posts", lattice(3, sites=1), 5.0, silent, stays)["posts"]
    process.close()
    assert children() == before


def test_when_it_is_closed_it_answers_nothing_and_leaves_nothing() -> None:
    process = SideProcess()
    process.answer("posts", lattice(3, sites=1), 5.0, silent, stays)
    before = children()
    process.close()
    assert len(before - children()) == 1
    with pytest.raises(Unavailable):
        process.answer("posts", lattice(3, sites=1), 5.0, silent, stays)


def test_closing_ends_the_question_that_is_being_worked_out() -> None:
    process = SideProcess()
    process.answer("posts", lattice(3, sites=1), 5.0, silent, stays)
    told: list[str] = []

    def close(step: str, share: float) -> None:
        told.append(step)
        Thread(target=process.close, daemon=True).start()

    with pytest.raises(Unavailable):
        process.answer("posts", lattice(30, sites=40, within_s=30.0), 30.0, close, stays)
    assert told
