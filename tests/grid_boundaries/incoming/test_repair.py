"""The repaired layer tiles its ground, and each piece of noise goes where it should."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from bench._dirty_layer import METRIC_SRID, dirty_layer, jittered, jittered_layer
from grid_boundaries.incoming.faces import faces
from grid_boundaries.incoming.owners import NONE, shares
from grid_boundaries.incoming.parting import parted
from grid_boundaries.incoming.preview import preview
from grid_boundaries.incoming.tolerance import Tolerance
from grid_boundaries.topology import gaps, overlaps
from tests.grid_boundaries.incoming.kit import areas, faces_of, layer, repaired
from tests.ground import crooked_tiles

COUNTY = box(0, 0, 100, 100)


def assert_tiles(blocks: GeoDataFrame, ground: BaseGeometry) -> None:
    """By difference and intersection, pair by pair, not by how the blocks were made."""
    shapes = blocks.geometry.to_numpy()
    a, b = np.triu_indices(len(shapes), 1)
    common = shapely.area(shapely.intersection(shapes[a], shapes[b]))
    assert common.max(initial=0.0) <= 1e-6
    assert shapely.difference(ground, shapely.union_all(shapes)).area <= 1e-6
    assert shapely.difference(shapely.union_all(shapes), ground).area <= 1e-6
    assert blocks.geometry.is_valid.all()


def test_sound_outlines_are_their_own_repair() -> None:
    blocks = repaired(layer(a=box(0, 0, 40, 100), b=box(40, 0, 100, 100)), COUNTY)
    assert areas(blocks) == {("settled", "a"): 4000, ("settled", "b"): 6000}
    assert_tiles(blocks, COUNTY)


def test_a_wide_overlap_is_contested_and_a_wide_gap_is_unassigned() -> None:
    outlines = layer(a=box(0, 0, 60, 100), b=box(50, 0, 90, 100))
    blocks = repaired(outlines, COUNTY)
    assert areas(blocks) == {
        ("settled", "a"): 5000, ("contested", None): 1000,
        ("settled", "b"): 3000, ("unassigned", None): 1000,
    }  # fmt: skip
    assert_tiles(blocks, COUNTY)
    open_ground = blocks[blocks["code"].isna()].set_index("kind")
    assert open_ground.loc["contested", "claimants"] == ("a", "b")
    assert open_ground.loc["contested", "proposed"] in {"a", "b"}
    assert open_ground.loc["unassigned", "proposed"] == "b"


def test_a_sliver_goes_to_a_neighbour_and_its_ground_is_not_lost() -> None:
    outlines = layer(a=box(0, 0, 50.4, 100), b=box(50, 0, 99.5, 100))
    blocks = repaired(outlines, COUNTY)
    assert set(blocks["kind"]) == {"settled"}
    assert blocks.geometry.area.sum() == pytest.approx(10_000)
    assert_tiles(blocks, COUNTY)


def test_of_three_neighbours_the_longest_border_decides() -> None:
    # the gap of 1 m lies along all of c, and only shortly along a and b
    outlines = layer(
        a=box(0, 51, 20, 100), b=box(20, 51, 40, 100), d=box(40, 51, 100, 100), c=box(0, 0, 100, 50)
    )
    found = areas(repaired(outlines, COUNTY))
    assert found["settled", "c"] + found["settled", "d"] == pytest.approx(5000 + 60 * 49 + 100)
    assert found["settled", "a"] == 980
    assert found["settled", "b"] == 980


def test_a_sliver_that_two_claim_goes_to_none_but_them() -> None:
    outlines = layer(a=box(0, 0, 50.5, 50), b=box(50, 0, 100, 50), c=box(0, 50, 100, 100))
    assert areas(repaired(outlines, COUNTY))["settled", "c"] == 5000


def test_ground_outside_the_county_is_cut_off() -> None:
    blocks = repaired(layer(a=box(-20, 0, 100, 100)), COUNTY)
    assert areas(blocks) == {("settled", "a"): 10_000}


def test_without_a_county_everything_claimed_stays() -> None:
    blocks = repaired(layer(a=box(-20, 0, 100, 100), b=box(200, 0, 300, 50)))
    assert areas(blocks) == {("settled", "a"): 12_000, ("settled", "b"): 5000}


def test_no_outline_leaves_the_county_unassigned_and_nothing_leaves_nothing() -> None:
    nothing = layer(a=COUNTY).iloc[:0]
    blocks = repaired(nothing, COUNTY)
    assert areas(blocks) == {("unassigned", None): 10_000}
    assert blocks["proposed"].tolist() == [None]
    assert repaired(nothing).empty


def test_a_grid_of_two_parts_is_one_block() -> None:
    blocks = repaired(layer(a=MultiPolygon([box(0, 0, 30, 100), box(70, 0, 100, 100)]),
                            b=box(30, 0, 70, 100)), COUNTY)  # fmt: skip
    assert areas(blocks) == {("settled", "a"): 6000, ("settled", "b"): 4000}
    assert len(blocks) == 2


def test_a_twin_is_contested_as_a_whole() -> None:
    blocks = repaired(layer(a=COUNTY, b=COUNTY), COUNTY)
    assert areas(blocks) == {("contested", None): 10_000}
    assert blocks["proposed"].tolist() == ["a"]


def test_a_hole_that_another_grid_fills_is_no_gap() -> None:
    hole = box(20, 20, 60, 60)
    blocks = repaired(layer(a=COUNTY.difference(hole), b=hole), COUNTY)
    assert areas(blocks) == {("settled", "a"): 8400, ("settled", "b"): 1600}


def test_squares_that_touch_in_a_corner_only_keep_their_ground() -> None:
    outlines = layer(a=box(0, 0, 50, 50), b=box(50, 50, 100, 100))
    found = areas(repaired(outlines, COUNTY))
    assert found == {("settled", "a"): 2500, ("settled", "b"): 2500, ("unassigned", None): 5000}


def test_wide_ground_in_another_unit_is_a_block_of_its_own() -> None:
    outlines = layer(a=box(0, 0, 60, 100), b=box(60, 0, 100, 100))
    foreign = GeoDataFrame({"unit": ["v2"]}, geometry=[box(50, 0, 60, 100)], crs=4545)
    found = faces(outlines, within=COUNTY, bounds=Tolerance(), foreign=foreign)
    blocks = preview(shares(found))
    assert areas(blocks) == {
        ("settled", "a"): 5000, ("foreign", "a"): 1000, ("settled", "b"): 4000,
    }  # fmt: skip
    assert blocks.set_index("kind").loc["foreign", "lies_in"] == "v2"
    assert set(blocks.loc[blocks["kind"] == "settled", "lies_in"]) == {None}


def test_blocks_come_west_to_east_then_north_to_south() -> None:
    blocks = repaired(layer(a=box(50, 0, 100, 100), b=box(0, 0, 50, 50), c=box(0, 50, 50, 100)))
    assert blocks["code"].tolist() == ["c", "b", "a"]


def test_the_same_layer_in_another_order_is_repaired_alike() -> None:
    dirty = jittered_layer(3)
    grids = GeoDataFrame(dirty.rows[["code", "geometry"]])
    turned = GeoDataFrame(grids.iloc[::-1].reset_index(drop=True))
    first, second = repaired(grids, dirty.county), repaired(turned, dirty.county)
    one, other = (blocks.set_index("code").geometry.area for blocks in (first, second))
    assert np.abs(one - other.reindex(one.index)).max() <= 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_drawing_noise_on_660_grids_leaves_no_gap_no_overlap_and_no_grid_half_a_percent_off(
    seed: int,
) -> None:
    dirty = jittered_layer(seed)
    grids = GeoDataFrame(dirty.rows[["code", "geometry"]])
    found = faces_of(grids, dirty.county)
    assert (found.claims_of == 0).sum() > 500
    assert (found.claims_of > 1).sum() > 1500
    blocks = preview(shares(found))
    assert set(blocks["kind"]) == {"settled"}
    assert len(overlaps(blocks.geometry)) == 0
    assert len(gaps(blocks.geometry, dirty.county, smallest_m2=1e-6)) == 0
    assert shapely.coverage_is_valid(blocks.geometry.to_numpy())
    was = shapely.intersection(grids.geometry.to_numpy(), dirty.county)
    drawn_m2 = dict(zip(grids["code"], shapely.area(was), strict=True))
    off = [abs(area / drawn_m2[code] - 1) for code, area in
           zip(blocks["code"], blocks.geometry.area, strict=True)]  # fmt: skip
    assert max(off) <= 0.005


def test_small_grids_share_their_slivers_by_cutting_them_across() -> None:
    tiles = crooked_tiles(8, 8, side_m=120.0)
    shapes = jittered(tiles.to_numpy(), np.random.default_rng(5), 0.5)
    county = shapely.union_all(tiles.to_numpy())
    grids = GeoDataFrame({"code": tiles.index}, geometry=shapes, crs=METRIC_SRID)
    found = faces_of(grids, county)
    shared = shares(found)
    assert len(shared.faces.table) > len(found.table)
    blocks = preview(shared)
    assert_tiles(blocks, county)
    drawn_m2 = dict(zip(grids["code"], shapely.area(shapely.intersection(shapes, county)),
                        strict=True))  # fmt: skip
    off = [abs(area / drawn_m2[code] - 1) for code, area in
           zip(blocks["code"], blocks.geometry.area, strict=True)]  # fmt: skip
    assert max(off) <= 0.006


def test_a_planted_gap_and_overlap_in_the_noise_stay_for_the_planner() -> None:
    dirty = dirty_layer(4)
    sound = dirty.rows[dirty.rows.geometry.notna()]
    sound = sound[sound.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    sound = sound[sound.geometry.is_valid].dropna(subset="code")
    blocks = repaired(GeoDataFrame(sound[["code", "geometry"]]), dirty.county)
    assert_tiles_quickly(blocks, dirty.county)
    for one in dirty.planted:
        if one.kind in {"gap", "overlap"} and one.where is not None and one.where.area >= 9:
            inner = one.where.centroid
            (block,) = blocks[blocks.geometry.intersects(inner)].to_dict("records")
            assert block["kind"] == {"gap": "unassigned", "overlap": "contested"}[one.kind]
            assert block["proposed"] is not None


def assert_tiles_quickly(blocks: GeoDataFrame, ground: BaseGeometry) -> None:
    assert len(overlaps(blocks.geometry)) == 0
    assert blocks.geometry.area.sum() == pytest.approx(ground.area, abs=1e-3)
    assert len(gaps(blocks.geometry, ground, smallest_m2=1e-6)) == 0


coordinate = st.integers(0, 12)
rectangles = st.tuples(coordinate, coordinate, st.integers(1, 8), st.integers(1, 8))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(rectangles, min_size=1, max_size=7), st.sampled_from([0.0, 2.0, 12.0]))
def test_any_layer_becomes_blocks_that_tile_the_county(
    drawn: list[tuple[int, int, int, int]], narrower_than_m: float
) -> None:
    shapes = {f"g{n}": box(5 * x, 5 * y, 5 * (x + w), 5 * (y + h)) for n, (x, y, w, h) in
              enumerate(drawn)}  # fmt: skip
    blocks = repaired(layer(**shapes), COUNTY, Tolerance(narrower_than_m, 1.0))
    assert_tiles(blocks, COUNTY)
    codes = {code for code in blocks["code"] if code is not None}
    assert codes <= set(shapes)
    for kind, code, proposed, claimants, block in zip(
        blocks["kind"], blocks["code"], blocks["proposed"], blocks["claimants"], blocks.geometry,
        strict=True,
    ):  # fmt: skip
        inside = block.representative_point()
        truly = tuple(name for name, shape in shapes.items() if shape.intersects(inside))
        if narrower_than_m == 0.0:  # nothing is noise: every piece is as drawn
            assert claimants == truly
            assert (
                kind
                == ("settled", "unassigned", "contested")[
                    0 if len(truly) == 1 else 1 if not truly else 2
                ]
            )
        assert (code is None) == (kind in {"contested", "unassigned"})
        assert code is None or code == proposed
        assert kind != "contested" or proposed in claimants


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_faces_with_slivers_cut_across_tile_the_same_ground(seed: int, pieces: int) -> None:
    tiles = crooked_tiles(3, 2, side_m=60.0, seed=seed)
    shapes = jittered(tiles.to_numpy(), np.random.default_rng(seed), 0.5)
    if not shapely.is_valid(shapes).all():
        return
    grids = GeoDataFrame({"code": tiles.index}, geometry=shapes, crs=METRIC_SRID)
    found = faces_of(grids, shapely.union_all(tiles.to_numpy()))
    slivers = np.flatnonzero(found.table["is_sliver"] & (found.table["area_m2"] > 3))
    cut, origin = parted(found, {int(face): pieces for face in slivers})
    before, after = found.table.geometry.to_numpy(), cut.table.geometry.to_numpy()
    for face, whole in enumerate(before):
        own = after[origin == face]
        assert shapely.area(own).sum() == pytest.approx(whole.area, abs=1e-6)
        assert shapely.union_all(own).symmetric_difference(whole).area <= 1e-6
    assert shapely.coverage_is_valid(after) == shapely.coverage_is_valid(before)
    assert cut.table["claimants"].tolist() == [found.table["claimants"][at] for at in origin]


def test_nothing_to_cut_leaves_faces_alone() -> None:
    found = faces_of(layer(a=box(0, 0, 50.5, 100), b=box(50, 0, 100, 100)), COUNTY)
    same, origin = parted(found, {})
    assert origin.tolist() == list(range(len(found.table)))
    assert same.table.geometry.equals(found.table.geometry)


def test_ground_outside_belongs_to_no_region() -> None:
    shared = shares(faces_of(layer(a=box(-50, 0, 100, 100)), COUNTY))
    outside = shared.faces.table["is_outside"].to_numpy(dtype=bool)
    assert (shared.region[outside] == NONE).all()
    assert (shared.region[~outside] >= 0).all()


def test_a_crumb_of_a_grid_beyond_its_neighbour_goes_to_the_neighbour() -> None:
    # b crosses a's border and comes back: a is left a thin strip beyond b
    a = Polygon([(0, 0), (50, 0), (50, 100), (0, 100)])
    b = Polygon([(50, 0), (100, 0), (100, 100), (50, 100), (50, 60), (49.2, 59), (49.2, 41),
                 (50, 40)])  # fmt: skip
    blocks = repaired(layer(a=a, b=b), COUNTY)
    assert all(isinstance(shape, Polygon) for shape in blocks.geometry)
    assert_tiles(blocks, COUNTY)
