"""Circles round each location: shares, radii, equal distances, on the plane and on the globe."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import TooLarge
from layers.hotspots import circles as module
from layers.hotspots.circles import EARTH_RADIUS_M, Circles, circles, distances_m
from tests.layers.hotspots.scan_brute import circles_round, great_circle_m


def sets_round(around: Circles, centre: int) -> list[frozenset[int]]:
    """The circles of one centre, smallest first."""
    places = range(around.starts[centre], around.starts[centre + 1])
    return [frozenset(around.members(centre, i)) for i in places if around.closed[i]]


def some(xy: Any, people: Any = None, **options: Any) -> Circles:
    """Circles over plain lists; one person each and no share limit unless said."""
    spots = np.asarray(xy, dtype=np.float64)
    persons = np.ones(len(spots)) if people is None else np.asarray(people, dtype=np.float64)
    return circles(spots, persons, **{"largest_share": 1.0, **options})


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.1, 0.5, 1.0]),
    radius_m=st.sampled_from([None, 30.0, 50.0]),
)
def test_circles_are_those_of_every_distance(
    seed: int, share: float, radius_m: float | None
) -> None:
    rng = np.random.default_rng(seed)
    # a lattice with corner: distances 30, 40 and 50 m are met exactly, many twice and more
    xy, people = rng.integers(0, 6, (15, 2)) * 10.0, rng.integers(0, 9, 15) * 1.0
    around = some(xy, people, largest_share=share, largest_radius_m=radius_m)
    for centre in range(15):
        theirs = list(circles_round(centre, xy, people, share, radius_m or inf))
        assert sets_round(around, centre) == theirs


def test_a_lattice_of_rounded_metres_keeps_its_equal_distances() -> None:
    # 0.1 m steps are not exact in binary, far from the origin even less
    place = np.arange(49)
    steps = np.column_stack([place % 7, place // 7])
    rounded, whole = some([3.5e6, 5.4e5] + steps * 0.1), some(steps)
    assert rounded.order.tolist() == whole.order.tolist()
    assert rounded.closed.all()
    # west of the centre before south and north, east last
    assert rounded.order[rounded.starts[24] :][:5].tolist() == [24, 23, 17, 31, 25]


def test_places_at_one_spot_enter_together_and_others_as_far_do_not() -> None:
    around = some([[0, 0], [1, 0], [-1, 0], [1, 0], [0, 1]])
    assert sets_round(around, 0) == [{0}, {0, 2}, {0, 2, 4}, {0, 1, 2, 3, 4}]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy, shuffled = rng.integers(0, 5, (14, 2)) * 10.0, rng.permutation(14)
    around, other = some(xy), some(xy[shuffled])
    for new, old in enumerate(shuffled.tolist()):
        theirs = [frozenset(shuffled[list(one)].tolist()) for one in sets_round(other, new)]
        assert sets_round(around, old) == theirs


def test_members_are_ascending_numbers() -> None:
    around = some([[9, 0], [5, 0], [0, 0]])
    assert around.members(0, int(around.starts[1]) - 1) == [0, 1, 2]


def test_a_radius_of_nothing_leaves_the_spot_itself() -> None:
    around = some([[0, 0], [0, 0], [1, 0]], largest_radius_m=0.0)
    assert sets_round(around, 0) == [frozenset({0, 1})]
    assert sets_round(around, 2) == [frozenset({2})]


def test_no_people_anywhere_leaves_every_circle() -> None:
    assert len(sets_round(some([[0, 0], [1, 0]], [0, 0]), 0)) == 2


def test_the_globe_is_measured_round_and_not_through() -> None:
    poles = np.array([[0.0, 90.0], [77.0, -90.0], [10.0, 0.0]])
    away = distances_m(poles, 0, great_circle=True)
    np.testing.assert_allclose(away, np.array([0.0, 1.0, 0.5]) * np.pi * EARTH_RADIUS_M, rtol=1e-12)
    quarter = np.pi / 2 * EARTH_RADIUS_M
    assert len(sets_round(some(poles, great_circle=True, largest_radius_m=quarter), 0)) == 2
    short = some(poles, great_circle=True, largest_radius_m=quarter * 0.999)
    assert len(sets_round(short, 0)) == 1
    farther = some(poles, great_circle=True, largest_radius_m=9e9)
    assert len(sets_round(farther, 0)) == 3


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    a=st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    b=st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
)
def test_great_circles_are_haversines(a: tuple[float, float], b: tuple[float, float]) -> None:
    ours = distances_m(np.array([a, b]), 0, great_circle=True)[1]
    assert ours == pytest.approx(great_circle_m(a, b), rel=1e-7, abs=1e-3)


def test_plane_distances_are_straight() -> None:
    assert distances_m(np.array([[0.0, 0.0], [3.0, 4.0]]), 1, great_circle=False)[0] == 5.0


def test_more_circles_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PLACES", 3)
    with pytest.raises(TooLarge) as refused:
        some([[0, 0], [1, 0], [2, 0]])
    assert refused.value.code == "scan-circles"
