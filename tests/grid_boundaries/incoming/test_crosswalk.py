"""Cross-walks: every row adds up to 1 exactly as shown, and the best match is the best."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from grid_boundaries.incoming.crosswalk import MEASURES, as_shown, crosswalk, matches
from tests.grid_boundaries.incoming.kit import SRID, layer
from tests.ground import crooked_tiles

HALVES = layer(x=box(0, 0, 50, 100), y=box(50, 0, 100, 100))


def counted(*blocks: tuple[float, float, float, float, int, int]) -> GeoDataFrame:
    people = {"people": [one[4] for one in blocks], "households": [one[5] for one in blocks]}
    return GeoDataFrame(people, geometry=[box(*one[:4]) for one in blocks], crs=SRID)


def test_a_grid_in_two_others_is_split_by_area_people_and_households() -> None:
    blocks = counted((0, 0, 40, 100, 30, 9), (40, 0, 60, 100, 20, 4), (60, 0, 100, 100, 0, 0))
    table = crosswalk(layer(a=box(0, 0, 60, 100)), HALVES, blocks)
    rows = table[["other", "area_share", "people_share", "households_share"]].to_numpy().tolist()
    assert rows == [["x", 0.8333, 0.8, 0.8462], ["y", 0.1667, 0.2, 0.1538]]
    assert table["people"].tolist() == [40, 10]
    assert table["is_best"].tolist() == [True, False]
    assert table["is_split"].tolist() == [True, True]


def test_ground_in_none_of_the_others_has_a_row() -> None:
    table = crosswalk(layer(a=box(0, 0, 50, 200)), HALVES)
    assert table["other"].isna().tolist() == [False, True]
    assert table["area_share"].tolist() == [0.5, 0.5]
    assert table["is_best"].tolist() == [True, False]


def test_a_grid_in_none_has_none_as_its_match() -> None:
    table = crosswalk(layer(a=box(500, 0, 600, 100)), HALVES)
    assert (table["other"].isna().tolist(), table["area_share"].tolist()) == ([True], [1.0])
    assert table["is_best"].tolist() == [True]


def test_most_people_make_the_best_match_and_not_most_ground() -> None:
    blocks = counted((0, 0, 50, 100, 10, 3), (50, 0, 100, 100, 90, 30))
    table = crosswalk(layer(a=box(0, 0, 60, 100)), HALVES, blocks)
    assert table[table["is_best"]]["other"].tolist() == ["y"]


def test_where_nobody_lives_shares_of_people_are_those_of_ground() -> None:
    table = crosswalk(layer(a=box(0, 0, 60, 100)), HALVES, counted((0, 0, 100, 100, 0, 0)))
    assert table["people_share"].tolist() == table["area_share"].tolist()


def test_a_hairline_in_a_neighbour_is_no_row() -> None:
    table = crosswalk(layer(a=box(0, 0, 50.0000001, 100)), HALVES)
    assert table["other"].tolist() == ["x"]
    assert table["is_split"].tolist() == [False]


def test_matches_say_the_best_and_over_how_many_a_grid_is_split() -> None:
    table = crosswalk(layer(a=box(0, 0, 60, 100), b=box(60, 0, 100, 100)), HALVES)
    best = matches(table)
    assert best.index.tolist() == ["a", "b"]
    assert best["other"].tolist() == ["x", "y"]
    assert best["others"].tolist() == [2, 1]
    assert best["is_split"].tolist() == [True, False]


def test_no_grid_gives_no_row_and_no_other_gives_none() -> None:
    nothing = layer(a=box(0, 0, 1, 1)).iloc[:0]
    assert crosswalk(nothing, HALVES).empty
    assert crosswalk(HALVES, nothing)["other"].isna().all()


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40), st.integers(0, 6))
def test_shares_as_shown_add_up_to_one_and_are_off_by_one_unit_at_most(
    amounts: list[float], decimals: int
) -> None:
    values = np.array(amounts)
    if values.sum() < 1e-6:
        return
    shown = as_shown(values, decimals)
    exact = [Fraction(f"{share:.{decimals}f}") for share in shown]
    assert sum(exact) == 1
    assert np.abs(shown - values / values.sum()).max() <= 10.0**-decimals * 1.000001
    assert (shown >= 0).all()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_every_row_of_two_departments_grids_adds_up_exactly(seed: int, other_seed: int) -> None:
    mine = crooked_tiles(5, 4, side_m=100, seed=seed)
    theirs = crooked_tiles(4, 5, side_m=110, seed=other_seed)
    tiles = crooked_tiles(9, 8, side_m=60, seed=seed + 1)
    rng = np.random.default_rng(seed)
    counts = {"people": rng.integers(0, 60, len(tiles)), "households": rng.integers(0, 9, 72)}
    blocks = GeoDataFrame(counts, geometry=tiles.to_numpy(), crs=SRID)
    grids, others = (GeoDataFrame({"code": one.index}, geometry=one.to_numpy(), crs=SRID)
                     for one in (mine, theirs))  # fmt: skip
    table = crosswalk(grids, others, blocks)
    for name in MEASURES:
        exact = table[f"{name}_share"].map(lambda share: Fraction(f"{share:.4f}"))
        assert set(exact.groupby(table["code"]).sum()) == {Fraction(1)}
    assert table.groupby("code")["is_best"].sum().tolist() == [1] * len(mine)
    assert table["people"].sum() <= counts["people"].sum() + 1e-6
    for code, other, area_m2 in zip(table["code"], table["other"], table["area_m2"], strict=True):
        if isinstance(other, str):
            common = shapely.intersection(mine[code], theirs[other]).area
            assert area_m2 == pytest.approx(common, abs=1e-6)
