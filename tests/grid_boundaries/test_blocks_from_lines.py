"""Blocks from lines: they tile the territory, and none is crowded."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from grid_boundaries.blocks import blocks_from_lines, claims
from grid_boundaries.errors import Refused

TOWN = box(0, 0, 1000, 1000)
NO_LINES = GeoSeries([], crs=4545)
CROSS = GeoSeries(
    [LineString([(500, -9), (500, 1009)]), LineString([(-9, 500), (1009, 500)])], crs=4545
)


def homes(xy: list[tuple[float, float]], people: list[int]) -> GeoDataFrame:
    return GeoDataFrame({"people": people}, geometry=[Point(*at) for at in xy], crs=4545)


def test_without_lines_the_territory_is_one_block() -> None:
    blocks = blocks_from_lines(TOWN, NO_LINES)
    assert blocks.index.tolist() == ["B000001"]
    assert blocks.area.sum() == pytest.approx(1e6)


def test_a_crossing_makes_four_blocks_named_west_to_east_then_north_to_south() -> None:
    blocks = blocks_from_lines(TOWN, CROSS)
    assert len(blocks) == 4
    assert blocks.geometry["B000001"].contains(Point(1, 999))
    assert blocks.geometry["B000002"].contains(Point(1, 1))


def test_people_are_counted_in_their_block() -> None:
    blocks = blocks_from_lines(
        TOWN, CROSS, points=homes([(10, 10), (20, 20), (900, 900)], [3, 4, 5])
    )
    assert blocks["people"].sum() == 12
    assert blocks["people"]["B000002"] == 7


def test_a_home_on_a_street_is_counted_once() -> None:
    blocks = blocks_from_lines(TOWN, CROSS, points=homes([(500, 500)], [9]))
    assert blocks["people"].sum() == 9


def test_a_crowded_face_is_cut_between_its_homes() -> None:
    blocks = blocks_from_lines(
        TOWN, NO_LINES, points=homes([(100, 500), (900, 500)], [60, 60]), most_people_per_block=100
    )
    assert blocks["people"].tolist() == [60, 60]
    assert blocks.area.tolist() == pytest.approx([5e5, 5e5])


def test_homes_at_one_point_are_never_parted() -> None:
    blocks = blocks_from_lines(
        TOWN, NO_LINES, points=homes([(5, 5), (5, 5)], [60, 60]), most_people_per_block=100
    )
    assert blocks["people"].tolist() == [120]


def test_a_limit_without_homes_is_refused() -> None:
    with pytest.raises(Refused, match="homes"):
        blocks_from_lines(TOWN, NO_LINES, most_people_per_block=100)
    with pytest.raises(Refused, match="over 0"):
        blocks_from_lines(TOWN, NO_LINES, points=homes([], []), most_people_per_block=0)


def test_claims_is_a_public_name_here() -> None:
    assert claims(GeoDataFrame({"code": ["a"]}, geometry=[TOWN]))["claimants"].tolist() == [("a",)]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(5, 120), st.integers(10, 60))
def test_blocks_tile_a_dented_town_and_none_is_crowded(
    seed: int, count: int, most_people: int
) -> None:
    rng = np.random.default_rng(seed)
    town = Polygon([(0, 0), (1000, 0), (1000, 400), (400, 420), (380, 1000), (0, 1000)])
    inside = [tuple(at) for at in rng.uniform(1, 379, (count, 2))]
    points = homes(inside, rng.integers(1, 9, count).tolist())
    streets = GeoSeries([LineString(rng.uniform(-100, 1100, (2, 2))) for _ in range(3)], crs=4545)
    blocks = blocks_from_lines(town, streets, points=points, most_people_per_block=most_people)
    assert blocks["people"].max() <= most_people
    assert blocks["people"].sum() == points["people"].sum()
    assert blocks.area.sum() == pytest.approx(town.area, rel=1e-9)
    assert shapely.coverage_is_valid(blocks.geometry.to_numpy())
