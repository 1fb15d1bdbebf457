"""From what a file says to strokes: what moves, what is made, what goes, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from shapely import LineString

from grid_boundaries.crs import gcj02_from_wgs84, wgs84_from_gcj02
from grid_boundaries.cutting import chosen, current_shapes, cut
from grid_boundaries.errors import Refused, TooLarge
from grid_boundaries.exchange import understood as understanding
from grid_boundaries.exchange.same_ground import refuse_other_ground
from grid_boundaries.exchange.told import Told
from grid_boundaries.exchange.understood import Base, Understood, strokes_to, understood
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.plans import replayed
from grid_boundaries.strokes import Create, Move, Retire
from tests.exchanging import villages
from tests.plan_ground import METRIC_SRID, VILLAGES, board

SHAPES, BASE = board()
HELD = Base(BASE, SHAPES, villages(BASE), METRIC_SRID)
NOTHING = GeoSeries([], index=[], crs=4490)
FIRST, SECOND = sorted(BASE.grids)[:2]
MOVING = sorted(BASE.blocks_of(FIRST))


def of_blocks(
    grid_of: Mapping[str, str | None],
    *grids: Grid,
    ground: GeoSeries = NOTHING,
    base: State = BASE,
) -> Told:
    """Return what a file says that names blocks; the grids of the base are among its own."""
    known = {
        code: base.grids[code] for code in filter(None, grid_of.values()) if code in base.grids
    }
    return Told("blocks", grid_of, ground, {**known, **{grid.code: grid for grid in grids}})


def kinds(found: Understood) -> list[type]:
    return [type(stroke) for stroke in found.strokes]


def refused(file: Told, held: Base = HELD, **how: bool) -> Refused:
    with pytest.raises(Refused) as found:
        understood(file, held, **how)
    return found.value


def test_a_file_of_one_block_moves_one_block() -> None:
    found = understood(of_blocks({MOVING[0]: SECOND}), HELD)
    assert found.strokes == (Move((MOVING[0],), SECOND),)
    assert found.assigned == 1
    assert len(found.untouched) == len(BASE.grid_of) - 1
    assert found.after == replayed(BASE, found.strokes)


def test_blocks_for_one_grid_move_in_one_stroke() -> None:
    found = understood(of_blocks(dict.fromkeys(MOVING[:3], SECOND)), HELD)
    assert found.strokes == (Move(tuple(MOVING[:3]), SECOND),)


def test_a_block_for_no_grid_is_in_none() -> None:
    found = understood(of_blocks({MOVING[0]: None}), HELD)
    assert found.after.grid_of[MOVING[0]] is None
    assert found.after.blocks_of(None) == {MOVING[0]}


def test_an_unknown_code_makes_a_grid_with_the_facts_of_the_file() -> None:
    grid = Grid("610999100201009", "新", VILLAGES[0], "special", "学校", "city", "x")
    found = understood(of_blocks({MOVING[0]: grid.code}, grid), HELD)
    assert found.strokes == (Create(grid, (MOVING[0],)),)
    assert found.after.grids[grid.code] == grid


@pytest.mark.parametrize("stated", ["", "999999999999", "610999100201x"])
def test_a_new_grid_lies_in_the_village_of_most_of_its_blocks(stated: str) -> None:
    east = [block for block in BASE.grid_of if HELD.villages[block] == VILLAGES[1]][:2]
    file = of_blocks(dict.fromkeys([*east, MOVING[0]], "new"), Grid("new", "新", stated))
    assert understood(file, HELD).after.grids["new"].village_code == VILLAGES[1]


def test_a_new_grid_without_a_block_needs_a_village() -> None:
    file = of_blocks({}, Grid("new", "新", "999999999999"))
    assert refused(file).code == "grids-without-village"
    file = of_blocks({}, Grid("new", "新", VILLAGES[1]))
    assert kinds(understood(file, HELD)) == [Create]


def test_a_grid_in_force_keeps_its_facts_and_the_file_is_told_of() -> None:
    other = replace(BASE.grids[SECOND], name="别名", kind="special")
    found = understood(of_blocks({MOVING[0]: SECOND}, other), HELD)
    assert found.after.grids[SECOND] == BASE.grids[SECOND]
    assert found.differing == {
        SECOND: {"name": (BASE.grids[SECOND].name, "别名"), "kind": ("residential", "special")}
    }


def test_a_grid_that_loses_all_its_blocks_goes_unless_the_file_keeps_it() -> None:
    file = of_blocks(dict.fromkeys(MOVING, SECOND))
    assert kinds(understood(file, HELD)) == [Move, Retire]
    kept = of_blocks(dict.fromkeys(MOVING, SECOND), BASE.grids[FIRST])
    assert kinds(understood(kept, HELD)) == [Move]


def test_an_empty_grid_goes_only_where_the_whole_county_is_spoken_of() -> None:
    base = Create(Grid("empty", "空", VILLAGES[0]), ()).on(BASE)
    held = replace(HELD, state=base)
    assert understood(of_blocks({MOVING[0]: SECOND}), held).after.grids.keys() == base.grids.keys()
    whole = understood(of_blocks(dict(base.grid_of), base=base), held)
    assert whole.strokes == (Retire("empty"),)


def test_pieces_that_the_county_has_follow_the_block_of_an_older_file() -> None:
    block = "B000010"
    west, south, east, north = SHAPES[block].bounds
    x = (west + east) / 2
    line = LineString([(x, south - 1e-4), (x, north + 1e-4)])
    finer = cut(SHAPES, block, line).on(BASE)
    held = replace(HELD, state=finer, shapes=current_shapes(finer, SHAPES))
    found = understood(of_blocks({block: FIRST}, ground=chosen(SHAPES, [block]), base=finer), held)
    assert found.after.grid_of[f"{block}.1"] == found.after.grid_of[f"{block}.2"] == FIRST
    assert found.assigned == 2


def test_nothing_said_is_nothing_done() -> None:
    found = understood(of_blocks({}), HELD)
    assert (found.strokes, found.assigned, found.after) == ((), 0, BASE)
    assert len(found.untouched) == len(BASE.grid_of)


def test_very_many_new_grids_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert understanding.MOST_GRIDS >= 3000
    grids = {f"n{n}": Grid(f"n{n}", "x", VILLAGES[0]) for n in range(understanding.MOST_GRIDS + 1)}
    with pytest.raises(TooLarge) as found:
        strokes_to(BASE, {}, grids)
    assert found.value.code == "too-many-grids"


def test_strokes_lead_from_any_state_to_any_other() -> None:
    rng = np.random.default_rng(5)
    codes = [*BASE.grids, None]
    for _ in range(50):
        wanted = {block: codes[rng.integers(len(codes))] for block in BASE.grid_of}
        strokes, after = strokes_to(BASE, wanted, BASE.grids)
        assert dict(after.grid_of) == wanted
        assert after == replayed(BASE, strokes)
        assert len(strokes) <= len(codes)


# ground


def shifted(ground: GeoSeries, lon_deg: float = 0.0, lat_deg: float = 0.0) -> GeoSeries:
    return GeoSeries(
        shapely.transform(ground.to_list(), lambda xy: xy + np.array([lon_deg, lat_deg])),
        index=ground.index,
        crs=4490,
    )


def as_gcj02(ground: GeoSeries) -> GeoSeries:
    moved = shapely.transform(ground.to_list(), gcj02_from_wgs84)
    return GeoSeries(moved, index=ground.index, crs=4490)


def of_grids(ground: GeoSeries) -> Told:
    return Told("grids", {}, ground, {code: BASE.grids[code] for code in ground.index if code})


def ground_of_grids() -> GeoSeries:
    unions = {
        code: shapely.union_all([SHAPES[block] for block in BASE.blocks_of(code)])
        for code in sorted(BASE.grids)
    }
    return GeoSeries(list(unions.values()), index=list(unions), crs=4490)


def test_blocks_at_their_place_are_taken() -> None:
    refuse_other_ground(SHAPES, SHAPES)
    refuse_other_ground(SHAPES, shifted(SHAPES, 1e-6, -1e-6))
    refuse_other_ground(SHAPES, NOTHING)
    refuse_other_ground(NOTHING, SHAPES)


@pytest.mark.parametrize(("lon_deg", "lat_deg", "shift_m"), [(0.0, 1e-4, 11.1), (1e-3, 0.0, 93.0)])
def test_blocks_elsewhere_are_refused_with_the_shift(
    lon_deg: float, lat_deg: float, shift_m: float
) -> None:
    with pytest.raises(Refused) as found:
        refuse_other_ground(SHAPES, shifted(SHAPES, lon_deg, lat_deg))
    assert found.value.code == "blocks-elsewhere"
    assert found.value.where["shift_m"] == pytest.approx(shift_m, rel=0.01)
    assert "gcj02" not in found.value.zh


def test_one_block_elsewhere_is_named() -> None:
    moved = SHAPES.copy()
    moved["B000003"] = shapely.transform(SHAPES["B000003"], lambda xy: xy + 1e-3)
    with pytest.raises(Refused) as found:
        refuse_other_ground(SHAPES, moved)
    assert found.value.where["names"] == ["B000003"]


def test_a_block_that_was_cut_otherwise_is_refused() -> None:
    west, south, east, north = SHAPES["B000003"].bounds
    half = SHAPES["B000003"].intersection(shapely.box(west, south, (west + east) / 2, north))
    with pytest.raises(Refused):
        refuse_other_ground(SHAPES, GeoSeries([half], index=["B000003"], crs=4490))


def test_coordinates_in_gcj02_that_do_not_say_so_are_recognised() -> None:
    found = refused(of_blocks(dict(BASE.grid_of), ground=as_gcj02(SHAPES)))
    assert found.code == "blocks-elsewhere"
    assert "crs=gcj02" in found.zh and "crs=gcj02" in found.en
    assert 300 < found.where["shift_m"] < 900


def test_coordinates_that_were_unshifted_once_too_often_are_recognised() -> None:
    back = shapely.transform(SHAPES.to_list(), wgs84_from_gcj02)
    ground = GeoSeries(back, index=SHAPES.index, crs=4490)
    found = refused(of_blocks(dict(BASE.grid_of), ground=ground))
    assert "crs=4490" in found.zh and "crs=4490" in found.en


def test_grids_in_gcj02_that_do_not_say_so_are_recognised() -> None:
    assert understood(of_grids(ground_of_grids()), HELD).strokes == ()
    found = refused(of_grids(as_gcj02(ground_of_grids())))
    assert found.code == "looks-like-gcj02"
    assert "crs=gcj02" in found.zh and "crs=gcj02" in found.en


def test_grids_that_are_merely_elsewhere_are_not_taken_for_gcj02() -> None:
    assert refused(of_grids(shifted(ground_of_grids(), 1e-3))).code == "block-shared"
    assert refused(of_grids(shifted(ground_of_grids(), 1.0))).code == "block-in-none"


def test_a_part_of_the_grids_leaves_the_rest_alone() -> None:
    part = chosen(ground_of_grids(), [FIRST, SECOND])
    assert refused(of_grids(part)).code == "block-in-none"
    found = understood(of_grids(part), HELD, partial=True)
    assert (found.strokes, found.assigned) == ((), 8 * 2)
    assert len(found.untouched) == len(BASE.grid_of) - 16


def test_ground_in_no_grid_takes_blocks_out_of_theirs() -> None:
    ground = ground_of_grids().rename(index={SECOND: ""})
    found = understood(of_grids(ground), HELD)
    assert found.after.blocks_of(None) == BASE.blocks_of(SECOND)
    assert SECOND not in found.after.grids
