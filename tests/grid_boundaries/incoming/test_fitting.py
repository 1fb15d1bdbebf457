"""A layer laid on blocks: whole blocks change hands, and a plan's strokes say so."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from grid_boundaries.incoming.acceptance import LayerGrid, strokes_for
from grid_boundaries.incoming.cover import cover_bytes, cover_from, cover_of
from grid_boundaries.incoming.fitting import divided, fitted
from grid_boundaries.plan_state import Grid, State, state_of
from grid_boundaries.plans import replayed
from grid_boundaries.strokes import Create, Move, Retire
from tests.grid_boundaries.incoming.kit import SRID, layer, repaired

COUNTY = box(0, 0, 100, 100)
VILLAGE = "610999100201"


def four_blocks() -> GeoDataFrame:
    shapes = [box(x, 0, x + 25, 100) for x in (0, 25, 50, 75)]
    counts: dict[str, list[Any]] = {"people": [10, 20, 30, None], "households": [4, 8, 12, None]}
    return GeoDataFrame(counts, geometry=shapes, crs=SRID, index=["B1", "B2", "B3", "B4"])


def laid(**shapes: shapely.Polygon) -> pd.DataFrame:
    return fitted(four_blocks(), repaired(layer(**shapes), COUNTY))


def test_a_block_goes_whole_to_the_grid_with_most_of_it() -> None:
    fit = laid(a=box(0, 0, 60, 100), b=box(60, 0, 100, 100))
    assert fit["code"].tolist() == ["a", "a", "b", "b"]
    assert fit["share"].tolist() == pytest.approx([1, 1, 0.6, 1])
    assert fit.loc["B3", "others"] == ("b", "a")


def test_an_even_half_goes_to_the_lower_code() -> None:
    fit = laid(b=box(0, 0, 12.5, 100), a=box(12.5, 0, 100, 100))
    assert fit.loc["B1", "code"] == "a"


def test_blocks_on_contested_and_unassigned_ground_are_in_none_with_a_proposal() -> None:
    fit = laid(a=box(0, 0, 50, 100), b=box(25, 0, 75, 100))
    assert fit["kind"].tolist() == ["settled", "contested", "settled", "unassigned"]
    assert fit["code"].tolist() == ["a", None, "b", None]
    assert fit["proposed"].tolist() == ["a", fit.loc["B2", "proposed"], "b", "b"]
    assert fit.loc["B2", "proposed"] in {"a", "b"}


def test_blocks_beyond_the_layer_are_outside() -> None:
    fit = fitted(four_blocks(), repaired(layer(a=box(0, 0, 25, 100))))
    assert fit["kind"].tolist() == ["settled", "outside", "outside", "outside"]


def test_no_block_fits_nothing() -> None:
    nothing = four_blocks().iloc[:0]
    assert fitted(nothing, repaired(layer(a=COUNTY))).empty


def test_a_divided_block_is_told_with_the_people_of_its_lesser_part() -> None:
    blocks = four_blocks()
    fit = laid(a=box(0, 0, 60, 100), b=box(60, 0, 100, 100))
    (one,) = divided(blocks, fit)
    assert (one.kind, one.codes, one.repair) == ("block-divided", ("b", "a"), "whole")
    assert (one.people, one.households) == (12.0, 4.8)
    assert one.facts == {"block": "B3", "share": 0.6}
    assert one.area_m2 == pytest.approx(1000)


def test_a_block_with_a_hairline_across_is_not_called_divided() -> None:
    fit = laid(a=box(0, 0, 51, 100), b=box(51, 0, 100, 100))
    assert list(divided(four_blocks(), fit)) == []


def state(grid_of: dict[str, str | None]) -> State:
    codes = sorted({code for code in grid_of.values() if code})
    return state_of(grid_of, [Grid(code, f"格{code}", VILLAGE) for code in codes])


def grids(*codes: str) -> dict[str, LayerGrid]:
    return {code: LayerGrid(code, f"新{code}", VILLAGE) for code in codes}


def fit_of(**codes: str | None) -> pd.DataFrame:
    rows = [("settled" if code else "unassigned", code, code or "a", 1.0, ()) for code in
            codes.values()]  # fmt: skip
    columns = ["kind", "code", "proposed", "share", "others"]
    return pd.DataFrame(rows, index=list(codes), columns=columns, dtype=object)


def new_code(grid: LayerGrid) -> str:
    return f"{grid.village_code}~1.{grid.code}"


def test_a_known_code_takes_blocks_by_a_move_and_a_new_one_is_made() -> None:
    before = state({"B1": "a", "B2": "a", "B3": "b"})
    fit = fit_of(B1="a", B2="c", B3="a")
    strokes = list(strokes_for(before, grids("a", "c"), fit, new_code))
    assert [type(one) for one in strokes] == [Move, Create, Retire]
    after = replayed(before, tuple(strokes))
    made = f"{VILLAGE}~1.c"
    assert after.grid_of == {"B1": "a", "B2": made, "B3": "a"}
    assert (after.grids[made].alias, after.grids[made].name) == ("c", "新c")
    assert set(after.grids) == {"a", made}


def test_what_is_as_it_was_makes_no_stroke() -> None:
    before = state({"B1": "a", "B2": "b"})
    assert list(strokes_for(before, grids("a", "b"), fit_of(B1="a", B2="b"), new_code)) == []


def test_open_ground_is_left_in_none_or_given_as_proposed() -> None:
    before = state({"B1": "a", "B2": "a"})
    fit = fit_of(B1="a", B2=None)
    left = replayed(before, tuple(strokes_for(before, grids("a"), fit, new_code)))
    assert left.grid_of["B2"] is None
    given = strokes_for(before, grids("a"), fit, new_code, take_proposals=True)
    assert list(given) == []


def test_blocks_outside_the_layer_and_unknown_ones_stay_as_they_are() -> None:
    before = state({"B1": "a", "B2": "b"})
    fit = fit_of(B1="c", B9="c")
    fit = pd.concat([fit, fit_of(B2=None).assign(kind="outside")])
    after = replayed(before, tuple(strokes_for(before, grids("c"), fit, new_code)))
    assert after.grid_of == {"B1": f"{VILLAGE}~1.c", "B2": "b"}


codes = st.sampled_from(["a", "b", "c", "d", None])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(codes, codes), min_size=1, max_size=12))
def test_after_the_strokes_each_block_is_where_the_layer_says(
    pairs: list[tuple[str | None, str | None]],
) -> None:
    before = state({f"B{n}": held for n, (held, _) in enumerate(pairs)})
    wanted = {f"B{n}": asked for n, (_, asked) in enumerate(pairs)}
    layer_grids = grids(*{code for code in wanted.values() if code})
    strokes = tuple(strokes_for(before, layer_grids, fit_of(**wanted), new_code))
    after = replayed(before, strokes)
    for block, asked in wanted.items():
        now = after.grid_of[block]
        alias = after.grids[now].alias if now is not None else None
        assert (alias or now) == asked
    assert all(after.blocks_of(code) for code in after.grids)
    assert list(strokes_for(after, {}, fit_of(**after.grid_of), new_code)) == []


def test_a_kept_cover_comes_back_as_it_was() -> None:
    blocks = repaired(
        layer(a=box(500_000, 3_690_000, 500_060, 3_690_100),
              b=box(500_050, 3_690_000, 500_100, 3_690_100)),
        box(500_000, 3_690_000, 500_120, 3_690_100),
    )  # fmt: skip
    kept = cover_of(blocks, grids("a", "b"))
    again = cover_from(cover_bytes(kept))
    assert again.grids == kept.grids
    for name in ("kind", "code", "proposed", "claimants", "lies_in"):
        assert again.blocks[name].tolist() == kept.blocks[name].tolist()
    assert [shape.wkb for shape in again.blocks.geometry] == [
        shape.wkb for shape in kept.blocks.geometry
    ]
    back_m2 = again.in_metres(SRID).geometry.area
    assert back_m2.to_numpy() == pytest.approx(blocks.geometry.area.to_numpy(), abs=1e-4)
    assert shapely.coverage_is_valid(again.blocks.geometry.to_numpy())
