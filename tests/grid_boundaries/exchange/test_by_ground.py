"""Which polygon a block lies in: by its interior point, within a stated tolerance."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import chosen
from grid_boundaries.errors import Refused, TooLarge
from grid_boundaries.exchange import by_ground
from grid_boundaries.exchange.by_ground import LEAST_SHARE, lying, refuse_unclear
from tests.ground import METRIC_SRID, crooked_tiles


def blocks(*shapes: BaseGeometry) -> GeoSeries:
    return GeoSeries(list(shapes), index=[f"B{n}" for n in range(1, 1 + len(shapes))],
                     crs=METRIC_SRID)  # fmt: skip


def polygons(**shapes: BaseGeometry) -> GeoSeries:
    return GeoSeries(list(shapes.values()), index=list(shapes), crs=METRIC_SRID)


ROW = blocks(*(shapely.box(100 * n, 0, 100 * n + 100, 100) for n in range(4)))
WEST, EAST = shapely.box(0, 0, 200, 100), shapely.box(200, 0, 400, 100)


def refused(found_of: tuple[GeoSeries, GeoSeries], *, partial: bool = False) -> Refused:
    found = lying(*found_of)
    with pytest.raises(Refused) as refusal:
        refuse_unclear(found, least_share=LEAST_SHARE, partial=partial)
    return refusal.value


def test_blocks_go_to_the_polygons_that_they_tile() -> None:
    found = lying(ROW, polygons(w=WEST, e=EAST))
    assert found.grid_of == {"B1": "w", "B2": "w", "B3": "e", "B4": "e"}
    assert (found.shared, found.outside) == ({}, ())


@pytest.mark.parametrize("off_m", [0.001, 0.04, 0.9])
def test_a_border_that_is_a_little_off_is_the_same_border(off_m: float) -> None:
    found = lying(ROW, polygons(w=shapely.box(0, 0, 200 + off_m, 100), e=EAST))
    assert found.grid_of == {"B1": "w", "B2": "w", "B3": "e", "B4": "e"}


def test_a_block_that_two_polygons_share_is_refused_with_the_shares() -> None:
    shared = polygons(w=shapely.box(0, 0, 230, 100), e=shapely.box(230, 0, 400, 100))
    found = refused((ROW, shared))
    assert (found.code, found.where["names"]) == ("block-shared", ["B3"])
    assert found.where["shares"] == {"B3": {"e": 0.7, "w": 0.3}}
    assert "B3" in found.zh and "99%" in found.zh and "99%" in found.en


def test_a_block_in_two_polygons_that_lie_over_one_another_is_shared() -> None:
    found = refused((ROW, polygons(w=WEST, e=EAST, over=shapely.box(100, 0, 200, 100))))
    assert (found.code, found.where["names"]) == ("block-shared", ["B2"])


def test_a_block_that_reaches_into_open_ground_is_shared_with_it() -> None:
    found = refused((ROW, polygons(w=WEST, e=shapely.box(200, 0, 350, 100))))
    assert found.where["names"] == ["B4"]
    assert found.where["shares"] == {"B4": {"e": 0.5}}
    assert refused((ROW, polygons(w=WEST, e=shapely.box(200, 0, 350, 100))), partial=True)


def test_a_block_in_none_is_refused_unless_the_file_is_of_a_part() -> None:
    found = refused((ROW, polygons(w=WEST)))
    assert (found.code, found.where["names"]) == ("block-in-none", ["B3", "B4"])
    assert "partial=true" in found.zh and "partial=true" in found.en
    lies = lying(ROW, polygons(w=WEST))
    refuse_unclear(lies, least_share=LEAST_SHARE, partial=True)
    assert lies.outside == ("B3", "B4")


def test_the_share_that_is_asked_for_counts() -> None:
    shared = polygons(w=shapely.box(0, 0, 210, 100), e=shapely.box(210, 0, 400, 100))
    assert lying(ROW, shared).shared.keys() == {"B3"}
    assert lying(ROW, shared, least_share=0.9).grid_of["B3"] == "e"
    assert lying(ROW, shared, least_share=0.91).shared.keys() == {"B3"}


def test_a_touching_corner_is_no_share() -> None:
    corner = polygons(w=WEST, e=EAST, north=shapely.box(400, 100, 500, 200))
    assert lying(ROW, corner).shared == {}


def test_a_polygon_round_another_holds_nothing_of_its_hole() -> None:
    inner = shapely.box(100, 100, 200, 200)
    ring = shapely.box(0, 0, 300, 300).difference(inner)
    found = lying(blocks(ring, inner), polygons(outer=ring, inner=inner))
    assert found.grid_of == {"B1": "outer", "B2": "inner"}


def test_a_grid_of_two_parts_holds_the_blocks_of_both() -> None:
    parts = shapely.union_all([ROW["B1"], ROW["B4"]])
    found = lying(ROW, polygons(far=parts, middle=shapely.box(100, 0, 300, 100)))
    assert found.grid_of == {"B1": "far", "B4": "far", "B2": "middle", "B3": "middle"}


def test_a_grid_in_several_rows_holds_the_blocks_of_all() -> None:
    rows = GeoSeries(
        [shapely.box(0, 0, 150, 100), shapely.box(150, 0, 250, 100), EAST.buffer(0), EAST],
        index=["a", "a", "b", "b"],
        crs=METRIC_SRID,
    )
    found = lying(ROW, rows)
    assert found.grid_of == {"B1": "a", "B2": "a", "B4": "b"}
    assert found.shared.keys() == {"B3"}  # half of it is in a's second row


def test_very_many_polygons_over_one_another_are_refused_at_once() -> None:
    many = blocks(*(shapely.box(n % 100, n // 100, n % 100 + 1, n // 100 + 1) for n in range(5000)))
    whole = shapely.box(0, 0, 100, 50)
    piled = GeoSeries([whole] * 5000, index=[f"g{n}" for n in range(5000)], crs=METRIC_SRID)
    with pytest.raises(TooLarge) as found:
        lying(many, piled)
    assert (found.value.code, found.value.where["times"]) == ("ground-piled-up", 5000.0)
    assert len(lying(many, chosen(piled, ["g0"])).grid_of) == 5000


def test_polygons_outside_the_county_count_for_nothing() -> None:
    far = GeoSeries(
        [shapely.box(1e6 + n, 0, 2e6, 1e6) for n in range(3000)] + [WEST, EAST],
        index=[*(f"far{n}" for n in range(3000)), "w", "e"],
        crs=METRIC_SRID,
    )
    assert set(lying(ROW, far).grid_of.values()) == {"w", "e"}


def test_intricate_polygons_that_do_not_fit_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(by_ground, "MOST_VERTICES", 1_000_000)
    teeth = np.arange(1_000)
    x = (
        -10_000
        + np.repeat(teeth, 4) * (20_000 / len(teeth))
        + np.tile([0, 0, 0.4, 0.4], len(teeth))
    )
    y = np.tile([-9_000, 10_000, 10_000, -9_000], len(teeth))
    corners = [(10_000, -10_000), (-10_000, -10_000)]
    comb = shapely.Polygon([*zip(x.tolist(), y.tolist(), strict=True), *corners])
    assert comb.is_valid
    side = 20_000 / 40
    many = blocks(*(shapely.box(x, y, x + side, y + side)
                    for x in np.arange(-10_000, 10_000, side)
                    for y in np.arange(-10_000, 10_000, side)))  # fmt: skip
    with pytest.raises(TooLarge) as found:
        lying(many, polygons(comb=comb))
    assert found.value.code == "ground-too-intricate"


def star(points: int, radius_m: float) -> shapely.Polygon:
    """A valid star with spikes that lie over one another's boxes."""
    turns = np.linspace(0, 2 * np.pi, points + 1)[:-1]
    far_m = np.where(np.arange(points) % 2, radius_m, radius_m / 30)
    return shapely.Polygon(np.column_stack([far_m * np.cos(turns), far_m * np.sin(turns)]))


def test_a_star_of_many_spikes_is_refused_before_it_is_laid_over_blocks() -> None:
    many = blocks(*(shapely.box(x, y, x + 10, y + 10)
                    for x in range(-200, 200, 10) for y in range(-200, 200, 10)))  # fmt: skip
    start = time.process_time()
    with pytest.raises(TooLarge) as found:
        lying(many, polygons(star=star(4_000, 300)))
    assert time.process_time() - start < 30
    assert found.value.code == "ground-too-intricate"


def test_a_round_outline_of_many_points_is_laid_over_blocks() -> None:
    many = blocks(*(shapely.box(x, 0, x + 10, 10) for x in range(-400, 400, 10)))
    round_one = shapely.Point(0, 0).buffer(300, quad_segs=10_000)
    assert len(lying(many, polygons(round=round_one)).grid_of) > 50


def test_a_block_narrower_than_the_tolerance_still_has_a_place() -> None:
    hair = blocks(shapely.box(0, 0, 100, 0.05), shapely.box(0, 0.05, 100, 0.10))
    found = lying(hair, polygons(s=hair["B1"], n=hair["B2"]))
    assert found.grid_of == {"B1": "s", "B2": "n"}


def test_no_blocks_and_no_polygons_give_nothing() -> None:
    nothing = GeoSeries([], crs=METRIC_SRID)
    assert lying(nothing, polygons(w=WEST)).grid_of == {}
    assert lying(ROW, nothing).outside == tuple(ROW.index)


def test_degrees_and_bow_ties_are_refused() -> None:
    with pytest.raises(Refused):
        lying(ROW.set_crs(4490, allow_override=True), polygons(w=WEST))
    tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(Refused) as refusal:
        lying(ROW, polygons(tie=tie))
    assert refusal.value.where["index"] == "tie"


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), grids=st.integers(1, 12))
def test_any_division_is_found_again_by_brute_force(seed: int, grids: int) -> None:
    tiles = crooked_tiles(8, 6, seed=seed)
    rng = np.random.default_rng(seed)
    held = {name: f"g{rng.integers(grids)}" for name in tiles.index}
    merged = {
        code: shapely.union_all([tiles[name] for name in held if held[name] == code])
        for code in sorted(set(held.values()))
    }
    jittered = {
        code: shapely.transform(shape, lambda xy: xy + 0.02 * np.sin(1e4 * xy))
        for code, shape in merged.items()
    }
    found = lying(tiles, polygons(**jittered))
    oracle = {
        name: max(jittered, key=lambda code: tile.intersection(jittered[code]).area)
        for name, tile in tiles.items()
    }
    assert dict(found.grid_of) == oracle == held
