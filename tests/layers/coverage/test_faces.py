"""Faces of a window, against counting on a lattice: every shape is made of whole unit squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from layers.coverage.faces import Faces, faces_in, patched, seen_changes
from layers.coverage.windows import Counted, Scene

SIDE = 12
Box = tuple[int, int, int, int]
Cells = NDArray[np.bool_]
FEW = settings(derandomize=True, deadline=None, max_examples=60)
NO_SHAPES: NDArray[Any] = np.array([], dtype=object)
NOTHING = Counted(NO_SHAPES, NO_SHAPES, np.zeros((0, 2)))
WEST_AND_EAST = {"a": box(0, 0, 6, SIDE), "b": box(6, 0, SIDE, SIDE)}
ALL = box(0, 0, SIDE, SIDE)


def shapes(boxes: Sequence[Any]) -> NDArray[Any]:
    found = [box(*one) if isinstance(one, tuple) else one for one in boxes]
    return np.array(found, dtype=object)


def scene(
    grids: Mapping[str, Any], buildings: Sequence[Any] = (), streets: Sequence[Any] = ()
) -> Scene:
    return Scene(grids, shapes(buildings), shapes(streets), NOTHING, NOTHING, NOTHING)


def cells(boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Return how many boxes hold each unit square."""
    times = np.zeros((SIDE, SIDE), dtype=np.int64)
    for west, south, east, north in boxes:
        times[west:east, south:north] += 1
    return times


def cut(
    grids: Mapping[str, Any],
    before: Sequence[Any],
    after: Sequence[Any],
    window: Any = ALL,
    buildings: Sequence[Any] = (),
    streets: Sequence[Any] = (),
) -> Faces:
    standing = scene(grids, buildings, streets)
    return faces_in(standing, shapes(before), shapes(after), window)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    west, south = draw(st.integers(0, SIDE - 1)), draw(st.integers(0, SIDE - 1))
    return (west, south, draw(st.integers(west + 1, SIDE)), draw(st.integers(south + 1, SIDE)))


SEVERAL = st.lists(boxes(), max_size=4)


@FEW
@given(SEVERAL, SEVERAL, SEVERAL)
def test_areas_by_times_change_as_on_the_lattice(
    others: list[Box], was: list[Box], now: list[Box]
) -> None:
    found = seen_changes(cut(WEST_AND_EAST, [*others, *was], [*others, *now]))
    before, after = cells([*others, *was]), cells([*others, *now])
    for code, part in (("a", slice(0, 6)), ("b", slice(6, SIDE))):
        by_times = found[code].by_times_m2
        for times in range(1, len(by_times) + 1):
            grown = (after[part] == times).sum() - (before[part] == times).sum()
            assert by_times[times - 1] == pytest.approx(grown, abs=1e-4)
        most = max(before[part].max(), after[part].max())
        assert (after[part] > len(by_times)).sum() == (before[part] > len(by_times)).sum()
        assert len(by_times) <= most


@FEW
@given(SEVERAL, SEVERAL, SEVERAL, SEVERAL)
def test_blind_ground_patched_is_that_of_the_lattice(
    others: list[Box], was: list[Box], now: list[Box], built: list[Box]
) -> None:
    before, after, walls = (cells(one) > 0 for one in ([*others, *was], [*others, *now], built))
    faces = cut(WEST_AND_EAST, [*others, *was], [*others, *now], buildings=built)
    for code, part in (("a", slice(0, 6)), ("b", slice(6, SIDE))):
        blind = whole(~before & ~walls, part)
        anew = patched(blind, faces.blind(code), ALL)
        left = ~after[part] & ~walls[part]
        assert anew.area == pytest.approx(left.sum(), abs=1e-4)
        assert shapely.area(shapely.symmetric_difference(anew, whole(~after & ~walls, part))) < 1e-4
        assert anew.is_valid
        # under a building nobody sees: it counts as turned, and its ground stays as it was
        turned = (before != after)[part]
        assert faces.is_blinded(code) == bool(turned.any())


def whole(held: Cells, part: slice) -> Any:
    """Return the union of the squares of a part of the lattice."""
    squares = [box(x, y, x + 1, y + 1) for x, y in zip(*np.nonzero(held), strict=True)
               if part.start <= x < part.stop]  # fmt: skip
    return shapely.union_all(squares)


@FEW
@given(boxes(), SEVERAL, SEVERAL)
def test_outside_the_window_blind_ground_stays_as_it_was(
    window: Box, was: list[Box], now: list[Box]
) -> None:
    grids = {"g": ALL}
    inside = box(*window)
    # views beyond the window are there before and after: only what is inside may differ
    before, after = (shapes([*shapely.intersection(shapes(one), inside)]) for one in (was, now))
    faces = cut(grids, list(before), list(after), inside)
    blind = shapely.difference(ALL, shapely.union_all(shapes(was)))
    anew = patched(blind, faces.blind("g"), inside)
    beyond = shapely.difference(ALL, inside)
    assert shapely.area(shapely.symmetric_difference(
        shapely.intersection(anew, beyond), shapely.intersection(blind, beyond)
    )) < 1e-4  # fmt: skip
    within = shapely.difference(inside, shapely.union_all(after))
    assert shapely.intersection(anew, inside).area == pytest.approx(within.area, abs=1e-4)


@FEW
@given(SEVERAL, SEVERAL, st.integers(0, SIDE - 1))
def test_roads_lost_from_sight_are_those_of_the_lattice(
    was: list[Box], now: list[Box], row: int
) -> None:
    street = LineString([(0, row + 0.5), (SIDE, row + 0.5)])
    found = seen_changes(cut(WEST_AND_EAST, was, now, streets=[street]))
    before, after = cells(was) == 0, cells(now) == 0
    for code, part in (("a", slice(0, 6)), ("b", slice(6, SIDE))):
        lost = after[part, row].sum() - before[part, row].sum()
        assert found[code].road_unseen_m == pytest.approx(lost, abs=0.01)


# ---- what a lattice does not show


def test_nothing_seen_before_or_after_changes_nothing() -> None:
    faces = cut(WEST_AND_EAST, [], [])
    assert not faces.turned.any()
    assert all(not one.by_times_m2.any() for one in seen_changes(faces).values())
    assert faces.blind("a").equals(WEST_AND_EAST["a"])


def test_a_grid_beyond_the_window_is_not_spoken_of() -> None:
    grids = {**WEST_AND_EAST, "far": box(100, 0, 110, 10)}
    assert set(cut(grids, [], [(1, 1, 2, 2)]).within) == {"a", "b"}


def test_a_grid_that_only_touches_the_window_has_no_face() -> None:
    faces = cut(WEST_AND_EAST, [], [(1, 1, 2, 2)], box(0, 0, 6, SIDE))
    assert not faces.is_blinded("b")
    assert faces.blind("b").is_empty


def test_ground_that_another_camera_sees_stays_seen() -> None:
    faces = cut(WEST_AND_EAST, [(0, 0, 4, 4), (1, 1, 3, 3)], [(0, 0, 4, 4)])
    assert not faces.turned.any()
    assert not faces.is_blinded("a")
    assert seen_changes(faces)["a"].by_times_m2.tolist() == pytest.approx([4.0, -4.0])


def test_ground_seen_in_no_grid_counts_in_none() -> None:
    faces = cut({"a": box(0, 0, 2, 2)}, [], [(5, 5, 7, 7)])
    assert faces.turned.any()
    assert not faces.is_blinded("a")


def test_a_hole_in_a_view_stays_blind() -> None:
    ring = Polygon([(0, 0), (6, 0), (6, 6), (0, 6)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    faces = cut({"g": box(0, 0, 6, 6)}, [], [ring])
    assert faces.blind("g").area == pytest.approx(4.0)
    assert patched(box(0, 0, 6, 6), faces.blind("g"), ALL).equals(box(2, 2, 4, 4))


def test_a_view_of_two_parts_that_meet_in_a_point_counts_both() -> None:
    two = MultiPolygon([box(0, 0, 2, 2), box(2, 2, 4, 4)])
    assert seen_changes(cut({"g": ALL}, [], [two]))["g"].by_times_m2.sum() == pytest.approx(8.0)


def test_overlapping_and_repeated_buildings_are_one() -> None:
    houses = [(1, 1, 4, 4), (1, 1, 4, 4), (3, 3, 5, 5)]
    faces = cut({"g": ALL}, [(0, 0, 6, 6)], [], buildings=houses)
    assert faces.blind("g").area == pytest.approx(SIDE * SIDE - 12.0)


def test_a_courtyard_is_ground() -> None:
    house = Polygon([(1, 1), (5, 1), (5, 5), (1, 5)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    faces = cut({"g": box(0, 0, 6, 6)}, [(0, 0, 6, 6)], [], buildings=[house])
    assert faces.blind("g").area == pytest.approx(36.0 - 12.0)


@pytest.mark.parametrize("turned", [False, True])
def test_a_road_along_a_border_belongs_to_the_lowest_code(turned: bool) -> None:
    grids = {"b": WEST_AND_EAST["a"], "a": WEST_AND_EAST["b"]} if turned else WEST_AND_EAST
    street = LineString([(6, 0), (6, SIDE)])
    found = seen_changes(cut(grids, [], [(4, 0, 8, SIDE)], streets=[street]))
    assert found["a"].road_unseen_m == pytest.approx(-SIDE)
    assert found["b"].road_unseen_m == pytest.approx(0.0)


@pytest.mark.parametrize("beside", [(4, 0, 6, SIDE), (6, 0, 8, SIDE)])
def test_a_road_along_a_border_is_seen_from_either_side(beside: Box) -> None:
    street = LineString([(6, 0), (6, SIDE)])
    found = seen_changes(cut(WEST_AND_EAST, [], [beside], streets=[street]))
    before = seen_changes(cut(WEST_AND_EAST, [beside], [], streets=[street]))
    for code in ("a", "b"):
        # the way there and the way back
        assert found[code].road_unseen_m == pytest.approx(-before[code].road_unseen_m, abs=1e-6)


def test_blind_ground_all_seen_is_empty_and_back_again_is_whole() -> None:
    gone = cut({"g": ALL}, [], [(0, 0, SIDE, SIDE)])
    assert patched(ALL, gone.blind("g"), ALL).is_empty
    back = cut({"g": ALL}, [(0, 0, SIDE, SIDE)], [])
    assert patched(Polygon(), back.blind("g"), ALL).equals(ALL)


def test_the_seam_of_a_window_leaves_no_hair() -> None:
    # slanted sides cross the seam where neither has a corner
    slanted = Polygon([(-0.1, 3.3), (12.1, 4.7), (12.1, 7.9), (-0.1, 5.3)])
    window = box(3.21, 1.07, 8.93, 9.41)
    blind = shapely.difference(ALL, slanted)
    faces = cut({"g": ALL}, [slanted], [slanted, (4, 1.5, 5, 9)], window)
    anew = patched(blind, faces.blind("g"), window)
    assert len(shapely.get_parts(anew)) == len(shapely.get_parts(blind)) == 2
    assert shapely.get_num_interior_rings(shapely.get_parts(anew)).sum() <= 2
    seen = shapely.union(slanted, box(4, 1.5, 5, 9))
    assert anew.area == pytest.approx(shapely.difference(ALL, seen).area, abs=1e-4)
