"""Candidate views from posts, forbidden places, and who covers what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.candidates import FORBIDDEN, candidate_views, covers_of, is_forbidden
from layers.coverage.checks import CoverageRefused
from layers.coverage.siting import best_sites
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.siting_oracles import ENOUGH_S

CRS = 4545
SQUARE = shapely.box(0, 0, 10, 10)


def points(*xy: tuple[float, float], crs: int | None = CRS) -> GeoSeries:
    """Points in metres."""
    return GeoSeries([shapely.Point(each) for each in xy], crs=crs)


def places(*rows: tuple[str, Any], crs: int = CRS) -> GeoDataFrame:
    """Places with a kind."""
    return GeoDataFrame(
        {"kind": [kind for kind, _ in rows]}, geometry=[g for _, g in rows], crs=crs
    )


def refusal(question: Any, *args: Any, **named: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(CoverageRefused) as caught:
        question(*args, **named)
    return caught.value.code


def test_each_post_gets_each_bearing() -> None:
    posts = points((0, 0), (5, 5))
    posts.index = ["a", "b"]
    views = candidate_views(posts, [0, 90, 450, -90], range_m=30, view_angle_deg=60)
    assert views["post"].tolist() == ["a"] * 4 + ["b"] * 4
    assert views["azimuth_deg"].tolist() == [0, 90, 90, 270] * 2
    assert set(views["range_m"]) == {30.0}
    assert set(views["view_angle_deg"]) == {60.0}
    assert views.index.tolist() == list(range(8))
    assert views.geometry.iloc[4].equals(posts["b"])
    assert views.crs == posts.crs


@pytest.mark.parametrize(("posts", "bearings"), [(points(), [0.0]), (points((0, 0)), [])])
def test_without_posts_or_bearings_there_are_no_views(posts: GeoSeries, bearings: Any) -> None:
    views = candidate_views(posts, bearings, range_m=30, view_angle_deg=60)
    assert len(views) == 0
    assert {"post", "azimuth_deg", "view_angle_deg", "range_m"} <= set(views.columns)


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_no_camera_stands_in_a_forbidden_place(kind: str) -> None:
    posts = points((5, 5), (50, 50))
    views = candidate_views(
        posts, [0, 180], range_m=30, view_angle_deg=60, places=places((kind, SQUARE))
    )
    assert views["post"].tolist() == [1, 1]


@pytest.mark.parametrize("kind", ["school", "hotel", "hospital", "", None])
def test_other_places_forbid_nothing(kind: Any) -> None:
    assert not is_forbidden(points((5, 5)), places((kind, SQUARE)), 100.0).any()


@pytest.mark.parametrize(
    ("xy", "keep_off_m", "forbidden"),
    [
        ((10, 5), 0.0, True),
        ((10, 10), 0.0, True),
        ((10.001, 5), 0.0, False),
        ((13, 5), 3.0, True),
        ((13.001, 5), 3.0, False),
        ((13, 14), 5.0, True),
        ((13, 14.01), 5.0, False),
    ],
)
def test_the_distance_is_to_the_outline(
    xy: tuple[float, float], keep_off_m: float, forbidden: bool
) -> None:
    ward = places(("ward", SQUARE))
    assert is_forbidden(points(xy), ward, keep_off_m).tolist() == [forbidden]


def test_a_courtyard_is_outside_and_an_outlier_part_counts() -> None:
    ring = SQUARE.buffer(20).difference(SQUARE)
    both = shapely.MultiPolygon([*shapely.get_parts(ring), shapely.box(500, 500, 510, 510)])
    posts = points((5, 5), (505, 505), (-5, 5))
    found = is_forbidden(posts, places(("dormitory", both)), 0.0)
    assert found.tolist() == [False, True, True]


def test_a_forbidden_place_may_be_a_point() -> None:
    toilet = places(("toilet", shapely.Point(0, 0)))
    assert is_forbidden(points((3, 4), (3, 4.1)), toilet, 5.0).tolist() == [True, False]


def test_places_without_a_shape_forbid_nothing() -> None:
    nowhere = places(("bath", shapely.Polygon()), ("bath", None))
    assert is_forbidden(points((0, 0)), nowhere, 10.0).tolist() == [False]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), keep_off_m=st.floats(0, 40))
def test_forbidden_is_what_shapely_measures(seed: int, keep_off_m: float) -> None:
    rng = np.random.default_rng(seed)
    posts = points(*[(float(x), float(y)) for x, y in rng.uniform(0, 200, (30, 2))])
    corners = rng.uniform(0, 180, (6, 2))
    kinds = rng.choice(["ward", "school", "hotel_room"], 6)
    shapes = [shapely.box(x, y, x + 15, y + 20) for x, y in corners]
    rooms = places(*zip(kinds.tolist(), shapes, strict=True))
    expected = [
        any(
            post.distance(shape) <= keep_off_m
            for kind, shape in zip(kinds, shapes, strict=True)
            if kind in FORBIDDEN
        )
        for post in posts
    ]
    assert is_forbidden(posts, rooms, keep_off_m).tolist() == expected


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_covers_are_what_shapely_says_pair_by_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0, 100, (6, 2))
    views = GeoSeries([shapely.Point(xy).buffer(rng.uniform(5, 40)) for xy in middles], crs=CRS)
    demands = points(*[(float(x), float(y)) for x, y in rng.uniform(0, 100, (25, 2))])
    covers = covers_of(views, demands)
    expected = [[float(view.intersects(point)) for point in demands] for view in views]
    assert covers.toarray().tolist() == expected


def test_the_edge_of_a_view_is_seen_and_empty_ones_see_nothing() -> None:
    seen: Any = [SQUARE, shapely.Polygon(), None]
    demands: Any = [*points((10, 5), (10.001, 5), (5, 5)), None]
    covers = covers_of(GeoSeries(seen, crs=CRS), GeoSeries(demands, crs=CRS))
    assert covers.toarray().tolist() == [[1, 0, 1, 0], [0] * 4, [0] * 4]


@pytest.mark.parametrize(("views", "demands"), [(0, 0), (0, 2), (2, 0)])
def test_without_views_or_demands_the_table_is_empty(views: int, demands: int) -> None:
    seen = GeoSeries([SQUARE] * views, crs=CRS)
    covers = covers_of(seen, points(*[(0, 0)] * demands))
    assert covers.shape == (views, demands)
    assert covers.nnz == views * demands


def test_from_posts_to_the_next_sites() -> None:
    homes = points((0, 20), (2, 22), (20, 0), (-20, 0))
    wall = GeoSeries([shapely.box(-15, -5, -10, 5)], crs=CRS)
    views = candidate_views(points((0, 0)), [0, 90, 180, 270], range_m=30, view_angle_deg=60)
    covers = covers_of(visible_areas(views, wall), homes)
    assert covers.toarray().sum(axis=1).tolist() == [2, 1, 0, 0]
    post = views["post"].to_numpy()
    found = best_sites(covers, np.ones(4), 3, per_post=(post, 1), within_s=ENOUGH_S)
    assert found.chosen.tolist() == [0]
    assert (found.value, found.bound) == (2.0, 2.0)


SIGHT: dict[str, Any] = {"range_m": 30.0, "view_angle_deg": 60.0}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"range_m": -1.0}, "range-out-of-bounds"),
        ({"range_m": np.inf}, "range-out-of-bounds"),
        ({"range_m": np.nan}, "range-out-of-bounds"),
        ({"view_angle_deg": 0.0}, "view-angle-out-of-bounds"),
        ({"view_angle_deg": 361.0}, "view-angle-out-of-bounds"),
        ({"view_angle_deg": np.nan}, "view-angle-out-of-bounds"),
        ({"bearings_deg": [np.nan]}, "azimuth-missing"),
        ({"bearings_deg": [[0.0]]}, "azimuth-missing"),
        ({"keep_off_m": -0.1}, "keep-off-out-of-bounds"),
        ({"keep_off_m": np.nan}, "keep-off-out-of-bounds"),
        ({"places": GeoDataFrame(geometry=[SQUARE], crs=CRS)}, "column-missing"),
        ({"places": places(("ward", SQUARE), crs=4546)}, "crs-differs"),
        ({"posts": points((0, 0), crs=4490)}, "crs-not-metric"),
        ({"posts": points((0, 0), crs=3857)}, "crs-not-metric"),
        ({"posts": points((0, 0), crs=None)}, "crs-not-metric"),
        ({"posts": GeoSeries([SQUARE], crs=CRS)}, "post-unplaced"),
        ({"posts": GeoSeries([shapely.Point()], crs=CRS)}, "post-unplaced"),
    ],
)
def test_what_cannot_be_a_view_is_refused(changed: dict[str, Any], code: str) -> None:
    asked = {"posts": points((0, 0)), "bearings_deg": [0.0], "places": places(("ward", SQUARE))}
    asked |= SIGHT | changed
    posts, bearings = asked.pop("posts"), asked.pop("bearings_deg")
    assert refusal(candidate_views, posts, bearings, **asked) == code


def test_covers_of_views_in_another_crs_or_shape_are_refused() -> None:
    seen = GeoSeries([SQUARE], crs=CRS)
    assert refusal(covers_of, seen, points((0, 0), crs=4546)) == "crs-differs"
    assert refusal(covers_of, points((0, 0)), points((0, 0))) == "not-a-polygon"
    bow_tie = GeoSeries([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], crs=CRS)
    assert refusal(covers_of, bow_tie, points((0, 0))) == "invalid-polygon"
