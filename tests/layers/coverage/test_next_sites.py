"""Next sites: compared with every choice tried, and what each adds in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from grid_boundaries.errors import TooLarge
from layers.coverage import next_sites as module
from layers.coverage.candidates import candidate_views
from layers.coverage.next_sites import (
    NextSites,
    Offer,
    Standing,
    next_sites,
    sees_of,
    views_of,
)
from layers.coverage.sightings import sightings
from tests.layers.coverage.scenes import CRS, areas
from tests.layers.coverage.siting_oracles import ENOUGH_S, most_weight, random_covers

Flags = np.ndarray[Any, np.dtype[np.bool_]]
AWAY = 1_000.0


def points(*xy: tuple[float, float]) -> GeoSeries:
    return GeoSeries([shapely.Point(each) for each in xy], crs=CRS)


def standing(covers: Any, demands: int, at: list[tuple[float, float]] | None = None) -> Standing:
    """Cameras that stand far from every post, unless it is said where."""
    rows = np.asarray(covers, dtype=np.float64).reshape(len(covers), demands)
    where = at or [(AWAY + number, AWAY) for number in range(len(rows))]
    return Standing(points(*where), csr_array(rows))


def offer(
    covers: Any, posts: list[int] | None = None, old: Standing | None = None, per_post: int = 9
) -> Offer:
    """Candidates by demands; each on a post of its own 10 m from the next, unless it is said."""
    rows = np.asarray(covers, dtype=np.float64)
    of = np.arange(len(rows)) if posts is None else np.array(posts)
    at = points(*[(10.0 * number, 0.0) for number in range(int(of.max(initial=-1)) + 1)])
    return Offer(csr_array(rows), of, at, old or standing([], rows.shape[1]), per_post)


def chosen(found: NextSites) -> list[int]:
    return [int(one) for one in found.chosen]


def best(one: Offer, weights: list[float], sites: int) -> NextSites:
    return next_sites(one, np.array(weights, dtype=float), sites, within_s=ENOUGH_S)


# ------------------------------------------------------------------ the choice


def test_the_view_that_adds_most_comes_first_and_the_next_adds_what_is_left() -> None:
    found = best(offer([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 0]]), [5, 1, 3, 3], 2)
    assert (chosen(found), found.adds.tolist()) == ([1, 0], [7.0, 5.0])
    assert (found.before, found.after, found.bound) == (0.0, 12.0, 12.0)


def test_what_standing_cameras_see_needs_no_more() -> None:
    found = best(offer([[1, 0], [0, 1]], old=standing([[1, 0]], 2)), [9, 1], 1)
    assert (chosen(found), found.adds.tolist()) == ([1], [1.0])
    assert (found.before, found.after) == (9.0, 10.0)


def test_a_camera_off_line_sees_nothing_and_takes_its_place_on_the_post() -> None:
    old = standing([[0, 0]], 2, at=[(0.5, 0.0)])
    found = best(offer([[1, 1], [0, 1]], old=old, per_post=1), [1, 1], 2)
    assert (chosen(found), found.before, found.after) == ([1], 0.0, 1.0)


@pytest.mark.parametrize(("east_m", "is_full"), [(0.0, True), (1.0, True), (1.01, False)])
def test_a_camera_hangs_on_a_post_within_a_metre(east_m: float, is_full: bool) -> None:
    old = standing([[0]], 1, at=[(-east_m, 0.0)])
    found = best(offer([[1]], old=old, per_post=1), [1], 1)
    assert len(found.chosen) == (0 if is_full else 1)


def test_two_cameras_between_two_posts_hang_on_the_nearer() -> None:
    one = offer([[1, 0], [0, 1]], old=standing([[0, 0]] * 2, 2, at=[(0.4, 0), (9.8, 0)]))
    assert len(best(Offer(one.sees, one.posts, one.at, one.standing, 1), [1, 1], 2).chosen) == 0
    assert len(best(Offer(one.sees, one.posts, one.at, one.standing, 2), [1, 1], 2).chosen) == 2


def test_a_post_carries_so_many_and_no_more() -> None:
    covers = np.eye(4)
    found = best(offer(covers, posts=[0, 0, 0, 1], per_post=2), [4, 3, 2, 1], 4)
    assert sorted(chosen(found)) == [0, 1, 3]


def test_more_sites_than_candidates_are_no_fault_and_those_that_add_nothing_are_left_out() -> None:
    assert chosen(best(offer([[1], [1]]), [2], 400)) in ([0], [1])


@pytest.mark.parametrize("sites", [0, 3])
def test_nothing_to_choose_from_changes_nothing(sites: int) -> None:
    found = best(offer(np.zeros((0, 2)), old=standing([[1, 0]], 2)), [3, 4], sites)
    assert (chosen(found), found.before, found.after, found.bound) == ([], 3.0, 3.0, 3.0)


def test_nothing_to_be_seen_chooses_nothing() -> None:
    found = best(offer(np.zeros((3, 0))), [], 2)
    assert (chosen(found), found.after, found.bound) == ([], 0.0, 0.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_the_choice_is_the_best_of_all_and_its_parts_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, old = random_covers(rng, 7, 9, 0.3), random_covers(rng, 2, 9, 0.2)
    posts, per_post = rng.integers(0, 4, 7), int(rng.integers(1, 3))
    weights = rng.integers(0, 9, 9).astype(float)
    number = int(rng.integers(0, 5))
    one = offer(covers, posts=posts.tolist(), old=standing(old, 9), per_post=per_post)
    found = next_sites(one, weights, number, within_s=ENOUGH_S)
    both, own = np.vstack([old, covers]), np.concatenate([[50, 51], posts])
    best_of_all = most_weight(both, weights, number, [0, 1], (own, per_post))
    assert found.after == pytest.approx(max(best_of_all, found.before))
    assert found.bound >= found.after - 1e-9
    assert found.before + found.adds.sum() == pytest.approx(found.after)
    assert (np.diff(found.adds) <= 1e-9).all()
    assert (found.adds > 0).all()
    assert len(found.chosen) <= number
    assert (np.bincount(posts[found.chosen], minlength=4) <= per_post).all()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_one_camera_more_never_loses_and_one_that_stands_never_adds_work(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = random_covers(rng, 8, 12, 0.25), rng.uniform(0, 5, 12)
    values = [next_sites(offer(covers), weights, n, within_s=ENOUGH_S).after for n in range(5)]
    assert values == sorted(values)
    old = standing(random_covers(rng, 1, 12, 0.3), 12)
    with_old = next_sites(offer(covers, old=old), weights, 3, within_s=ENOUGH_S)
    assert with_old.after >= values[3] - 1e-9


# ------------------------------------------------------------------ views and sightings


def test_a_candidate_in_a_house_sees_nothing_and_one_before_it_sees_no_way_through() -> None:
    house = areas(shapely.box(0, 0, 10, 10))
    views = views_of(
        candidate_views(points((5, 5), (5, -1)), [0], range_m=30, view_angle_deg=90), house
    )
    assert views.area.iloc[0] == 0
    assert views.iloc[1].area > 0
    assert not views.iloc[1].intersects(shapely.Point(5, 20))


def test_no_candidate_has_no_view() -> None:
    none = candidate_views(points(), [0], range_m=30, view_angle_deg=90)
    assert len(views_of(none, areas())) == 0
    assert isinstance(none, GeoDataFrame)


def test_views_taken_in_parts_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    views = areas(*[shapely.Point(*rng.uniform(0, 100, 2)).buffer(20) for _ in range(23)])
    demands = points(*rng.uniform(0, 100, (60, 2)).tolist())
    monkeypatch.setattr(module, "VIEWS_AT_ONCE", 5)
    found = sees_of(views, demands)
    assert np.array_equal(found.toarray(), sightings(views, demands).toarray())
    assert found.shape == (23, 60)


def test_of_nothing_nothing_is_seen() -> None:
    assert sees_of(areas(), points((0, 0))).shape == (0, 1)
    assert sees_of(areas(shapely.box(0, 0, 1, 1)), points()).shape == (1, 0)


@pytest.mark.parametrize(("most", "is_refused"), [(6, False), (5, True)])
def test_more_sightings_than_memory_holds_are_refused(most: int, is_refused: bool) -> None:
    views = areas(*[shapely.box(0, 0, 10, 10)] * 3)
    demands = points((1, 1), (9, 9), (50, 50))
    if not is_refused:
        assert sees_of(views, demands, most_pairs=most).nnz == 6
        return
    with pytest.raises(TooLarge) as caught:
        sees_of(views, demands, most_pairs=most)
    assert (caught.value.code, caught.value.where["limit"]) == ("too-many-sightings", 5)
    assert "更小" in caught.value.zh or "缩小" in caught.value.zh
