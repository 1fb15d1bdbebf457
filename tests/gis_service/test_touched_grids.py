"""Papers of a plan speak of the grids that it touches, and of no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from gis_service.plan_reports import touched_grids, union_of
from grid_boundaries.plan_state import Grid, State, state_of

VILLAGE = "610923100001"
CODES = ("G1", "G2", "G3")
BLOCKS = tuple(f"B{number}" for number in range(6))
assignments = st.fixed_dictionaries({name: st.sampled_from([*CODES, None]) for name in BLOCKS})
names_drawn = st.fixed_dictionaries({code: st.sampled_from(["甲", "乙"]) for code in CODES})
some = settings(derandomize=True, deadline=None, max_examples=200)
CELLS = GeoSeries(
    {f"B{x}{y}": box(x * 10, y * 10, x * 10 + 10, y * 10 + 10) for x in range(4) for y in range(4)}
)


def state(grid_of: Mapping[str, str | None], names: Mapping[str, str]) -> State:
    """Return a state with a grid for each name."""
    return state_of(grid_of, [Grid(code, name, VILLAGE) for code, name in names.items()])


@given(assignments, assignments, names_drawn, names_drawn)
@some
def test_touched_is_what_reads_otherwise_afterwards(
    old: dict[str, str | None],
    new: dict[str, str | None],
    old_names: dict[str, str],
    new_names: dict[str, str],
) -> None:
    otherwise = set()
    for code in CODES:
        before = (old_names[code], [name for name in BLOCKS if old[name] == code])
        after = (new_names[code], [name for name in BLOCKS if new[name] == code])
        if before != after:
            otherwise.add(code)
    assert touched_grids(state(old, old_names), state(new, new_names)) == otherwise


@given(assignments, names_drawn)
@some
def test_a_plan_that_changes_nothing_touches_nothing(
    grid_of: dict[str, str | None], names: dict[str, str]
) -> None:
    same = state(dict(reversed(grid_of.items())), names)
    assert touched_grids(state(grid_of, names), same) == set()


@given(assignments, assignments, names_drawn)
@some
def test_the_way_back_touches_the_same_grids(
    old: dict[str, str | None], new: dict[str, str | None], names: dict[str, str]
) -> None:
    there, back = state(old, names), state(new, names)
    assert touched_grids(there, back) == touched_grids(back, there)


def test_a_block_that_goes_over_touches_both_grids() -> None:
    old = dict.fromkeys(BLOCKS, "G1") | {"B5": "G2"}
    names = dict.fromkeys(CODES, "甲")
    assert touched_grids(state(old, names), state(old | {"B0": "G2"}, names)) == {"G1", "G2"}


def test_a_block_out_of_none_touches_only_its_new_grid() -> None:
    old = dict.fromkeys(BLOCKS, "G1") | {"B0": None}
    names = dict.fromkeys(CODES, "甲")
    assert touched_grids(state(old, names), state(old | {"B0": "G3"}, names)) == {"G3"}


def test_a_grid_that_comes_or_goes_is_touched_even_without_a_block() -> None:
    old = state(dict.fromkeys(BLOCKS, "G1"), dict.fromkeys(CODES, "甲"))
    new = replace(old, grids={**old.grids, "G9": Grid("G9", "丙", VILLAGE)})
    assert touched_grids(old, new) == touched_grids(new, old) == {"G9"}


@pytest.mark.parametrize(
    "other",
    [
        Grid("G2", "甲", VILLAGE, kind="special"),
        Grid("G2", "甲", VILLAGE, special_use="school"),
        Grid("G2", "甲", VILLAGE, setting="city"),
        Grid("G2", "甲", VILLAGE, alias="旧 1"),
        Grid("G2", "甲", VILLAGE, expected_parts=2),
        Grid("G2", "甲", "610923100002"),
        Grid("G2", "乙", VILLAGE),
    ],
)
def test_any_fact_that_differs_touches_the_grid(other: Grid) -> None:
    old = state(dict.fromkeys(BLOCKS, "G1"), dict.fromkeys(CODES, "甲"))
    assert touched_grids(old, replace(old, grids={**old.grids, "G2": other})) == {"G2"}


def test_empty_states_touch_nothing() -> None:
    assert touched_grids(state_of({}, []), state_of({}, [])) == set()


@given(st.sets(st.sampled_from(sorted(CELLS.index)), min_size=1))
@some
def test_the_ground_of_blocks_has_their_area_and_holds_each(chosen: set[str]) -> None:
    ground = union_of(CELLS, sorted(chosen))
    assert ground.is_valid
    assert ground.area == pytest.approx(100.0 * len(chosen))
    inner = shapely.point_on_surface(CELLS.to_numpy())
    held = {name for name, point in zip(CELLS.index, inner, strict=True) if ground.covers(point)}
    assert held == chosen


def test_blocks_round_a_hole_keep_it() -> None:
    ring = [f"B{x}{y}" for x in range(3) for y in range(3) if (x, y) != (1, 1)]
    ground = union_of(CELLS, ring)
    assert isinstance(ground, Polygon)
    assert [Polygon(hole).area for hole in ground.interiors] == [100.0]


def test_blocks_that_touch_at_a_corner_are_two_parts() -> None:
    ground = union_of(CELLS, ["B00", "B11"])
    assert isinstance(ground, MultiPolygon)
    assert np.allclose([part.area for part in ground.geoms], 100.0)
