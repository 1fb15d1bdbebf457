"""Blind ground patched in a window, against the whole ground computed plainly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box

from grid_boundaries.crs import lonlat_from_metres, metres_from_lonlat
from layers.coverage.faces import Faces, faces_in, patched, seen_changes
from layers.coverage.windows import LEAST_M2, Counted, Scene, window_of

SRID, EAST, NORTH = 4545, 513_000.0, 3_681_000.0
FEW = settings(derandomize=True, deadline=None, max_examples=40)
NO_SHAPES: NDArray[Any] = np.array([], dtype=object)
NOTHING = Counted(NO_SHAPES, NO_SHAPES, np.zeros((0, 2)))
Shapes = NDArray[Any]


def here(*shapes: Any) -> Shapes:
    """Return shapes moved to where a county's metres are, with as many digits."""
    return np.array([affinity.translate(one, EAST, NORTH) for one in shapes], dtype=object)


def stored(shape: Any) -> Any:
    """Return a shape as it comes back from the tables, which hold degrees."""
    moved = shapely.transform(shape, lambda xy: lonlat_from_metres(xy, SRID))
    return shapely.transform(moved, lambda xy: metres_from_lonlat(xy, SRID))


def left_of(ground: Any, *covers: Any) -> Any:
    """Return ground less covers: the plain computation over the whole of it."""
    return shapely.difference(ground, shapely.union_all(np.array(covers, dtype=object)))


def faces_of(ground: Any, houses: Shapes, before: Shapes, after: Shapes, window: Any) -> Faces:
    scene = Scene({"g": ground}, houses, NO_SHAPES, NOTHING, NOTHING, NOTHING)
    return faces_in(scene, before, after, window)


def new_in(faces: Faces) -> Any:
    """Return the blind ground inside the window; a window may lie beside the grid."""
    return faces.blind("g") if "g" in faces.within else Polygon()


def assert_same(found: Any, plain: Any) -> None:
    """Compare two areas; a slit or a hair along a seam would lengthen the border."""
    assert found.is_valid
    apart_m2 = shapely.area(shapely.symmetric_difference(found, plain, grid_size=1e-6))
    assert apart_m2 <= 1e-6 * plain.area + LEAST_M2
    assert found.area == pytest.approx(plain.area, rel=1e-6, abs=LEAST_M2)
    solid = [part for part in shapely.get_parts(plain) if part.area > LEAST_M2]
    assert shapely.get_num_geometries(found) * (not found.is_empty) == len(solid)
    assert found.length == pytest.approx(sum(part.length for part in solid), abs=0.01)


@st.composite
def slanted_boxes(draw: st.DrawFn, most_m: float = 60.0) -> Any:
    x, y = (draw(st.floats(-80, 80, allow_nan=False)) for _ in range(2))
    wide, deep = (draw(st.floats(1, most_m, allow_nan=False)) for _ in range(2))
    turn_deg = draw(st.sampled_from([0.0, 90.0]) | st.floats(0, 180, allow_nan=False))
    return affinity.rotate(box(x - wide, y - deep, x + wide, y + deep), turn_deg)


GROUNDS = (
    box(-100, -100, 100, 100),
    box(-100, -100, 100, 100) - box(-20, -20, 30, 40),
    MultiPolygon([box(-100, -100, -5, 100), box(5, -100, 100, 100)]),
    box(-100, -100, 0, 0) | box(0, 0, 100, 100),
    Polygon([(-100, -100), (100, -90), (20, 0), (100, 95), (-100, 100), (-30, 3)]),
)


@FEW
@given(
    st.sampled_from(GROUNDS),
    st.lists(slanted_boxes(20.0), max_size=4),
    st.lists(slanted_boxes(), max_size=4),
    slanted_boxes(30.0),
    st.booleans(),
)
def test_a_view_gone_or_come_leaves_what_the_whole_computation_leaves(
    ground: Any, houses: list[Any], others: list[Any], own: Any, gone: bool
) -> None:
    whole, built, near = here(ground)[0], here(*houses), here(*others)
    mine = np.append(near, here(own))
    before, after = (mine, near) if gone else (near, mine)
    window = window_of(mine[-1])
    faces = faces_of(whole, built, before, after, window)
    blind = stored(left_of(whole, *before, *built))
    assert_same(patched(blind, new_in(faces), window), left_of(whole, *after, *built))


@FEW
@given(
    st.sampled_from(GROUNDS),
    st.lists(slanted_boxes(25.0), min_size=2, max_size=5),
    st.lists(slanted_boxes(), max_size=3),
)
def test_patch_after_patch_leaves_no_trace(
    ground: Any, turns: list[Any], others: list[Any]
) -> None:
    """A camera that looks elsewhere again and again, and is stored in between."""
    whole, near, turned = here(ground)[0], here(*others), here(*turns)
    blind = left_of(whole, *near, turned[0])
    for was, now in pairwise(turned):
        window = window_of(was, now)
        faces = faces_of(whole, NO_SHAPES, np.append(near, was), np.append(near, now), window)
        blind = patched(stored(blind), new_in(faces), window)
    assert_same(blind, left_of(whole, *near, turned[-1]))


@FEW
@given(st.lists(slanted_boxes(), max_size=4), slanted_boxes(30.0))
def test_a_patch_of_what_there_was_changes_nothing(others: list[Any], own: Any) -> None:
    whole, near = here(GROUNDS[0])[0], here(*others)
    window = window_of(here(own)[0])
    faces = faces_of(whole, NO_SHAPES, near, near, window)
    assert not faces.turned.any()
    assert not any(one.by_times_m2.any() for one in seen_changes(faces).values())
    blind = left_of(whole, *near)
    assert_same(patched(stored(blind), new_in(faces), window), blind)


# ---- cases that a window may meet

WINDOW = box(10, 10, 20, 20)
MET: dict[str, tuple[Any, Any]] = {
    "covers all": (box(12, 12, 18, 18), box(12, 12, 15, 18)),
    "covers all of two parts": (box(11, 11, 13, 13) | box(15, 15, 18, 18), box(11, 11, 12, 13)),
    "nothing was blind": (Polygon(), box(12, 12, 15, 15)),
    "nothing was blind, nothing is": (Polygon(), Polygon()),
    "all is seen": (box(12, 12, 18, 18), Polygon()),
    "touches a corner": (box(0, 0, 10, 10), Polygon()),
    "touches a corner, and so does what is new": (box(0, 0, 10, 10), box(10, 10, 12, 12)),
    "a side on a side": (box(0, 0, 10, 30), Polygon()),
    "a side on a side, new on both sides of it": (box(0, 0, 10, 30), box(10, 12, 14, 18)),
    "apart": (box(30, 30, 40, 40), box(12, 12, 15, 15)),
    "in a hole": (box(0, 0, 30, 30) - box(5, 5, 25, 25), box(12, 12, 15, 15)),
    "a hole in it": (box(0, 0, 30, 30) - box(14, 14, 16, 16), WINDOW - box(11, 11, 13, 13)),
    "a hole across its side": (box(0, 0, 30, 30) - box(8, 14, 16, 16), WINDOW),
    "a hole that its corner is in": (box(0, 0, 30, 30) - box(5, 5, 12, 12), WINDOW),
    "a hole on its side": (box(0, 0, 30, 30) - box(5, 12, 10, 15), WINDOW),
    "parts that it joins": (box(0, 12, 10, 15) | box(20, 12, 30, 15), box(10, 12, 20, 15)),
    "a part that it cuts in two": (box(0, 12, 30, 15), Polygon()),
}


@pytest.mark.parametrize("what", list(MET))
@pytest.mark.parametrize("is_stored", [False, True])
def test_each_way_to_meet_a_window_is_as_drawn(what: str, is_stored: bool) -> None:
    blind, inside, window = here(*MET[what], WINDOW)
    plain = shapely.union(shapely.difference(blind, window), inside)
    found = patched(stored(blind) if is_stored else blind, inside, window)
    assert_same(found, plain)
    assert found.is_empty == plain.is_empty


def test_what_lies_beyond_the_window_stays_to_the_bit() -> None:
    rng = np.random.default_rng(2)
    corners = np.column_stack([np.cos(np.linspace(0, 6, 9)), np.sin(np.linspace(0, 6, 9))])
    far = Polygon(50 + 20 * corners + rng.normal(0, 1e-8, (9, 2)))
    blind, inside, window = here(far | box(12, 12, 18, 18), box(12, 12, 15, 18), WINDOW)
    found = patched(blind, inside, window)
    corners_found = set(map(tuple, shapely.get_coordinates(found)))
    assert set(map(tuple, shapely.get_coordinates(here(far)))) <= corners_found


def test_hairs_are_left_out() -> None:
    hair = Polygon([(0, 0), (9, 9), (9, 9.00001)])
    blind, inside, window = here(
        MultiPolygon([hair, box(30, 30, 40, 40)]), Polygon([(11, 11), (19, 19), (19, 19.00001)]),
        WINDOW,
    )  # fmt: skip
    assert patched(blind, inside, window).equals(here(box(30, 30, 40, 40))[0])


def test_where_only_hairs_are_left_nothing_is() -> None:
    blind, inside, window = here(Polygon([(0, 0), (9, 9), (9, 9.00001)]), Polygon(), WINDOW)
    assert patched(blind, inside, window).is_empty


def test_what_was_blurred_across_itself_is_mended() -> None:
    crossed = Polygon([(30, 30), (40, 30), (40, 40), (35, 29.9999999), (30, 40)])
    blind, inside, window = here(
        MultiPolygon([crossed, box(12, 12, 18, 18)]), box(12, 12, 15, 18), WINDOW
    )
    assert not blind.is_valid
    found = patched(blind, inside, window)
    assert found.is_valid
    assert found.area == pytest.approx(crossed.area + 18.0, abs=LEAST_M2)
