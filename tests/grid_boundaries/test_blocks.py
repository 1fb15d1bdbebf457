from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box

from grid_boundaries import blocks
from grid_boundaries.errors import Refused
from tests.ground import METRIC_SRID, crooked_tiles

ABOVE_BELOW = GeoSeries(
    [box(0, 50, 300, 100), box(0, 0, 300, 50)], index=["v2", "v1"], crs=METRIC_SRID
)
CELLS = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=15)


def series(*shapes: Polygon | MultiPolygon) -> GeoSeries:
    return GeoSeries(list(shapes), crs=METRIC_SRID)


def test_blocks_are_flat_though_a_street_has_heights() -> None:
    street = LineString([(50, -1, 400.0), (50, 101, 410.0)])
    made = blocks.blocks_from_lines(box(0, 0, 100, 100), GeoSeries([street], crs=METRIC_SRID))
    assert len(made) == 2
    assert not made.has_z.any()


def test_polygons_become_blocks_of_the_village_they_overlap_most() -> None:
    polygons = series(box(200, 0, 250, 50), box(0, 40, 100, 100), box(100, 20, 150, 60))
    made = blocks.block_frame(polygons, ABOVE_BELOW)
    assert made.blocks["id"].tolist() == ["B000003", "B000001", "B000002"]
    assert made.blocks["village_code"].tolist() == ["v1", "v2", "v1"]
    assert made.blocks["village_share"].tolist() == pytest.approx([1.0, 50 / 60, 0.75])
    assert made.blocks["area_m2"].tolist() == [2500.0, 6000.0, 2000.0]
    assert made.blocks.crs == polygons.crs


def test_blocks_that_lie_between_villages_are_findings_lowest_share_first() -> None:
    polygons = series(
        box(0, 40, 100, 100), box(0, 0, 10, 50), box(0, 500, 9, 509), box(20, 0, 60, 51)
    )
    found = blocks.block_frame(polygons, ABOVE_BELOW).findings
    assert found["fault"].tolist() == ["outside-villages", "between-villages"]
    assert found["village_share"].tolist() == pytest.approx([0.0, 50 / 60])
    assert found["village_code"].tolist()[1] == "v2"
    assert "83.3%" in found["zh"][1]
    strict = blocks.block_frame(polygons, ABOVE_BELOW, smallest_share=0.99)
    assert len(strict.findings) == 3


def test_equal_shares_go_to_the_lower_village_code() -> None:
    made = blocks.block_frame(series(box(0, 40, 10, 60)), ABOVE_BELOW)
    assert made.blocks["village_code"].tolist() == ["v1"]


def test_touching_a_village_is_not_lying_in_it() -> None:
    made = blocks.block_frame(series(box(0, 100, 10, 110)), ABOVE_BELOW)
    assert made.blocks["village_code"].tolist() == [None]
    assert made.findings["fault"].tolist() == ["outside-villages"]


def test_no_polygons_make_no_blocks() -> None:
    made = blocks.block_frame(series(), ABOVE_BELOW)
    assert made.blocks.empty
    assert made.findings.empty


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (Polygon(), "0 is empty"),
        (Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), "0 is invalid"),
    ],
)
def test_what_cannot_be_a_block_is_refused(shape: Polygon, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        blocks.block_frame(series(shape), ABOVE_BELOW)


def test_grid_polygons_are_the_union_of_their_blocks() -> None:
    tiles = crooked_tiles(8, 6)
    codes = pd.Series(np.arange(len(tiles)) % 5, index=tiles.index).map("g{}".format)
    grids = blocks.grid_polygons(tiles, codes)
    assert grids.index.tolist() == ["g0", "g1", "g2", "g3", "g4"]
    assert grids.is_valid.all()
    for code, grid in grids.items():
        members = GeoSeries(tiles[codes == code])
        assert grid.area == pytest.approx(members.area.sum(), rel=1e-12)
        assert grid.symmetric_difference(members.union_all()).area < 1e-6
    assert shapely.coverage_is_valid(np.asarray(grids.array, dtype=object))


def test_blocks_in_no_grid_are_left_out_and_one_part_is_a_polygon() -> None:
    grids = blocks.grid_polygons(
        series(box(0, 0, 1, 1), box(1, 0, 2, 1), box(9, 0, 10, 1)), pd.Series(["g", "g", None])
    )
    assert grids.geom_type.to_dict() == {"g": "Polygon"}
    assert grids["g"].equals(box(0, 0, 2, 1))
    assert blocks.grid_polygons(series(), pd.Series([], dtype=str)).empty


def squares(cells: set[tuple[int, int]]) -> GeoSeries:
    order = sorted(cells)
    index = pd.Index([f"{x}{y}" for x, y in order], dtype=object)
    return GeoSeries([box(x, y, x + 1, y + 1) for x, y in order], index=index, crs=METRIC_SRID)


def flood(cells: set[tuple[int, int]]) -> int:
    """Return into how many pieces squares fall, by walking from one to the next."""
    left, count = set(cells), 0
    while left:
        count += 1
        waiting = [left.pop()]
        while waiting:
            x, y = waiting.pop()
            beside = left & {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)}
            left -= beside
            waiting.extend(beside)
    return count


@given(cells=CELLS, grid_count=st.integers(1, 3))
@settings(derandomize=True, deadline=None)
def test_pieces_are_counted_as_by_walking(cells: set[tuple[int, int]], grid_count: int) -> None:
    tiles = squares(cells)
    codes = pd.Series({f"{x}{y}": f"g{(x * y) % grid_count}" for x, y in sorted(cells)}, dtype=str)
    touching = blocks.neighbours(tiles)
    found = blocks.pieces(codes, touching)
    for code in set(codes):
        members = {(x, y) for x, y in cells if f"g{(x * y) % grid_count}" == code}
        assert found[code] == flood(members)
    assert len(found) == codes.nunique()
    assert blocks.is_contiguous(list(tiles.index), touching) == (flood(cells) <= 1)


def test_neighbours_share_a_border_and_not_a_corner() -> None:
    tiles = series(box(0, 0, 10, 10), box(10, 5, 20, 20), box(20, 20, 30, 30), box(0, 10, 10, 20))
    found = blocks.neighbours(tiles)
    pairs = {(a, b): m for a, b, m in found.itertuples(index=False)}
    assert pairs == pytest.approx({(0, 1): 5.0, (1, 3): 10.0, (0, 3): 10.0})
    assert len(blocks.neighbours(tiles, shortest_m=5.0)) == 2


def test_an_unassigned_block_joins_no_pieces() -> None:
    tiles = squares({(0, 0), (1, 0), (2, 0)})
    codes = pd.Series(["g", None, "g"], index=tiles.index)
    assert blocks.pieces(codes, blocks.neighbours(tiles)).to_dict() == {"g": 2}
    nobody = pd.Series([None, None, None], index=tiles.index, dtype=object)
    assert blocks.pieces(nobody, blocks.neighbours(tiles)).empty


def test_faces_of_a_cut_tile_what_was_cut() -> None:
    rng = np.random.default_rng(3)
    within = (box(0, 0, 1000, 800) - box(300, 300, 400, 380)) | box(1100, 0, 1200, 50)
    heights = rng.uniform(-50, 850, (12, 2))
    lines = GeoSeries([LineString([(-9, west), (1209, east)]) for west, east in heights])
    faces = blocks.cut_along(within, lines)
    assert len(faces) > 40
    assert faces.is_valid.all()
    assert faces.area.sum() == pytest.approx(within.area, rel=1e-9)
    assert faces.union_all().symmetric_difference(within).area < 1e-3
    assert shapely.coverage_is_valid(np.asarray(faces.array, dtype=object))
    # no face is crossed by a line any more
    crossing = [faces.buffer(-1e-6).intersects(line).any() for line in lines]
    assert not any(crossing)


def test_a_cut_is_ordered_west_to_east_then_north_to_south() -> None:
    cross = GeoSeries([LineString([(5, -1), (5, 11)]), LineString([(-1, 5), (11, 5)])])
    faces = blocks.cut_along(box(0, 0, 10, 10), cross)
    assert [shape.bounds[:2] for shape in faces] == [(0, 5), (0, 0), (5, 5), (5, 0)]


def test_lines_that_end_inside_cut_nothing() -> None:
    missing = np.array([None], dtype=object)
    lines = GeoSeries([LineString([(-1, 5), (6, 5)]), LineString([(2, 2), (3, 3)]), *missing])
    faces = blocks.cut_along(box(0, 0, 10, 10), lines)
    assert faces.area.tolist() == [100.0]
    assert blocks.cut_along(box(0, 0, 1, 1), GeoSeries([])).area.tolist() == [1.0]


def test_no_face_is_made_of_a_hole() -> None:
    ring = box(0, 0, 10, 10) - box(4, 4, 6, 6)
    faces = blocks.cut_along(ring, GeoSeries([LineString([(5, -1), (5, 11)])]))
    assert faces.area.tolist() == [48.0, 48.0]
