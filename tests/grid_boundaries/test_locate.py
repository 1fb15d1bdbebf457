from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.codes import split_block_ids
from grid_boundaries.errors import Refused
from grid_boundaries.locate import BlockIndex, Place
from tests.ground import METRIC_SRID, by_brute_force, crooked_tiles, trying_points


def blocks(**shapes: BaseGeometry) -> GeoSeries:
    return GeoSeries(list(shapes.values()), index=list(shapes), crs=METRIC_SRID)


def two_blocks() -> BlockIndex:
    return BlockIndex(blocks(B2=box(0, 0, 10, 10), B1=box(10, 0, 20, 10)), {"B1": "g1", "B2": "g2"})


def in_step(index: BlockIndex, tiles: GeoSeries, points: np.ndarray) -> None:
    """Assert that the index answers as asking every polygon does."""
    for point in points:
        block_id, how = by_brute_force(point, tiles, list(tiles.index))
        place = index.place(*point)
        assert (place.block_id, place.how) == (block_id, how), point


def test_a_point_is_in_its_block_and_the_grid_of_the_block() -> None:
    assert two_blocks().place(3, 3) == Place("B2", "g2", "inside")


def test_a_point_on_a_border_belongs_to_the_lowest_block_id() -> None:
    index = two_blocks()
    assert index.place(10, 5) == Place("B1", "g1", "inside")
    assert index.place(0, 5) == Place("B2", "g2", "inside")
    assert index.place(20, 10) == Place("B1", "g1", "inside")


def test_a_redraw_does_not_move_a_border_point_between_blocks() -> None:
    index = two_blocks()
    index.assign({"B1": "g9"})
    assert index.place(10, 5) == Place("B1", "g9", "inside")


def test_a_point_within_one_metre_of_nothing_else_is_near() -> None:
    index = two_blocks()
    assert index.place(-1.0, 5) == Place("B2", "g2", "near")
    assert index.place(-1.0000001, 5) == Place(None, None, "outside")
    assert index.place(10, 10.5) == Place("B1", "g1", "near")  # as far from both
    assert index.place(9.9, 10.5) == Place("B2", "g2", "near")


@pytest.mark.parametrize("x_m", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_lies_outside(x_m: float) -> None:
    assert two_blocks().place(x_m, 5).how == "outside"
    assert two_blocks().place(5, x_m).how == "outside"


def test_a_block_in_no_grid_is_found_without_one() -> None:
    index = two_blocks()
    index.unassign(["B2"])
    assert index.place(3, 3) == Place("B2", None, "inside")


def test_an_index_of_nothing_answers_nothing_and_can_be_filled() -> None:
    index = BlockIndex(GeoSeries([], crs=METRIC_SRID))
    assert index.place(0, 0).how == "outside"
    index.replace([], blocks(B1=box(0, 0, 2, 2)), {"B1": "g"})
    assert index.place(1, 1) == Place("B1", "g", "inside")
    index.replace(["B1"], blocks())
    assert index.place(1, 1).how == "outside"
    assert len(index) == 0


def test_an_empty_polygon_claims_nothing() -> None:
    index = BlockIndex(blocks(B1=Polygon(), B2=box(0, 0, 1, 1)))
    assert index.place(0, 0).block_id == "B2"
    index.replace(["B1"], blocks())
    assert len(index) == 1


def test_holes_and_several_parts_are_seen() -> None:
    ring = box(0, 0, 10, 10) - box(3, 3, 7, 7)
    index = BlockIndex(
        blocks(B1=ring, B2=shapely.union_all([box(4.5, 4.5, 5, 5), box(20, 0, 21, 1)]))
    )
    assert index.place(4.6, 4.6).block_id == "B2"
    assert index.place(20.5, 0.5).block_id == "B2"
    assert index.place(3.5, 5) == Place("B1", None, "near")
    assert index.place(3, 5) == Place("B1", None, "inside")


def test_the_index_answers_as_brute_force_does() -> None:
    tiles = crooked_tiles(7, 6)
    in_step(BlockIndex(tiles), tiles, trying_points(tiles, 150))


def test_the_index_stays_in_step_through_random_changes() -> None:
    rng = np.random.default_rng(5)
    tiles = crooked_tiles(5, 5, seed=3)
    index = BlockIndex(tiles, dict.fromkeys(tiles.index, "g"))
    grids = dict.fromkeys(tiles.index, "g")
    for change in range(25):
        chosen = str(rng.choice(tiles.index))
        if change % 5 == 4:  # lost and never put back
            parts = GeoSeries([], crs=METRIC_SRID)
        else:
            parts = halves(chosen, tiles[chosen], rng)
        tiles = GeoSeries({**tiles.drop(chosen), **parts}, crs=METRIC_SRID)
        new = dict.fromkeys(parts.index, f"g{change}")
        grids = {**{k: v for k, v in grids.items() if k != chosen}, **new}
        index.replace([chosen], parts, new)
        points = trying_points(tiles, 5, seed=change)
        in_step(index, tiles, rng.choice(points, 40))
    assert len(index) == len(tiles)
    for block_id, shape in tiles.items():
        middle = shape.representative_point()
        assert index.place(middle.x, middle.y).grid_code == grids[str(block_id)]


def halves(block_id: str, shape: BaseGeometry, rng: np.random.Generator) -> GeoSeries:
    """Return a block cut in two along a line through its middle."""
    middle, (dx, dy) = shape.representative_point(), rng.normal(size=2) * 1e3
    west, east = (middle.x - dx, middle.y - dy), (middle.x + dx, middle.y + dy)
    aside = (middle.x - dy, middle.y + dx)
    side = Polygon([west, east, aside])
    parts = shapely.get_parts([shape & side, shape - side])
    centres = shapely.get_coordinates(shapely.point_on_surface(parts))
    return GeoSeries(parts, index=split_block_ids(block_id, centres), crs=METRIC_SRID)


def test_a_block_may_be_replaced_under_its_own_id() -> None:
    index = two_blocks()
    index.replace(["B1"], blocks(B1=box(100, 0, 110, 10)))
    assert index.place(105, 5) == Place("B1", None, "inside")
    assert index.place(15, 5).how == "outside"


@pytest.mark.parametrize(
    ("removed", "added", "grids", "sentence"),
    [
        (["B9"], {}, {}, "B9 is not there"),
        ([], {"B1": box(0, 0, 1, 1)}, {}, "B1 is there already"),
        (["B1"], {"B3": box(0, 0, 1, 1)}, {"B1": "g"}, "B1 is not there"),
        (["B1"], {"B3": Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])}, {}, "B3 is invalid"),
    ],
)
def test_a_refused_change_changes_nothing(
    removed: list[str], added: dict[str, BaseGeometry], grids: dict[str, str], sentence: str
) -> None:
    index = two_blocks()
    with pytest.raises(Refused, match=sentence):
        index.replace(removed, blocks(**added), grids)
    assert index.place(15, 5) == Place("B1", "g1", "inside")
    assert index.place(3, 3) == Place("B2", "g2", "inside")
    assert len(index) == 2


def test_grids_of_unknown_blocks_and_blocks_that_come_twice_are_refused() -> None:
    index = two_blocks()
    with pytest.raises(Refused, match="B7 is not there"):
        index.assign({"B7": "g"})
    with pytest.raises(Refused, match="B7 is not there"):
        index.unassign(["B7"])
    with pytest.raises(Refused, match="B1 comes twice"):
        BlockIndex(GeoSeries([box(0, 0, 1, 1)] * 2, index=["B1", "B1"]))


def test_threads_may_ask_while_another_changes() -> None:
    tiles = crooked_tiles(6, 6)
    index = BlockIndex(tiles, dict.fromkeys(tiles.index, "g"))
    first = GeoSeries(tiles.iloc[:1])
    middles = shapely.get_coordinates(shapely.point_on_surface(list(tiles.iloc[1:])))

    def ask(_: int) -> set[str | None]:
        return {index.place(*middle).grid_code for middle in middles}

    def change(_: int) -> None:
        index.replace(list(first.index), first, dict.fromkeys(first.index, "g"))

    with ThreadPoolExecutor(4) as threads:
        changed = threads.map(change, range(100))
        answers = list(threads.map(ask, range(20)))
        list(changed)
    assert all(answer == {"g"} for answer in answers)
