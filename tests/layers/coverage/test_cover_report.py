"""Cover of villages at stated ranges; homes from blocks and footprints; points and their houses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.checks import CoverageRefused
from layers.coverage.cover_levels import LEVELS, seen_levels
from layers.coverage.cover_report import (
    SMALLEST_HOME_M2,
    homes_of,
    households_placed,
    in_footprints,
    on_facades,
    village_cover,
)
from tests.layers.coverage.scenes import CRS, areas, turned_boxes
from tests.layers.coverage.test_cover_levels import camera, crowd

HOUSE = shapely.box(-5, 20, 5, 30)
FAR_HOUSE = shapely.box(-5, 60, 5, 70)


def things(*rows: tuple[Any, Any, float], crs: int = CRS) -> GeoDataFrame:
    """Shapes with village and weight."""
    columns = {"village_code": [row[1] for row in rows], "weight": [row[2] for row in rows]}
    return GeoDataFrame(columns, geometry=[row[0] for row in rows], crs=crs)


def blocks(*rows: tuple[Any, str, float]) -> GeoDataFrame:
    """Blocks with village and households."""
    columns = {"village_code": [row[1] for row in rows], "households": [row[2] for row in rows]}
    return GeoDataFrame(columns, geometry=[row[0] for row in rows], crs=CRS)


def buildings(*rows: tuple[Any, float]) -> GeoDataFrame:
    """Footprints with heights in metres."""
    return GeoDataFrame(
        {"height_m": [float(row[1]) for row in rows]}, geometry=[row[0] for row in rows], crs=CRS
    )


def refusal(question: Any, *args: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(CoverageRefused) as caught:
        question(*args)
    return caught.value.code


# ------------------------------------------------------------------ cover of villages


def test_each_range_subject_and_village_has_its_row() -> None:
    homes = things((HOUSE, "v1", 40.0), (FAR_HOUSE, "v2", 10.0))
    shops = things((shapely.Point(0, 10), "v1", 1.0))
    found: Any = village_cover(
        camera(), areas(HOUSE), {"homes": homes, "shops": shops}, ["v1", "v2"], [40.0, 15.0]
    )
    assert found.index.names == ["range_m", "subject", "village_code"]
    assert list(found.columns) == ["total", *LEVELS]
    assert found.loc[(15.0, "homes", "v1")].tolist() == [40.0, 0.0, 0.0, 0.0]
    assert found.loc[(40.0, "homes", "v1")].tolist() == [40.0] * 4
    assert found.loc[(40.0, "homes", "v2")].tolist() == [10.0, 0.0, 0.0, 0.0]
    assert found.loc[(15.0, "shops", "v1")].tolist() == [1.0] * 4
    assert found.loc[(15.0, "shops", "v2")].tolist() == [0.0] * 4
    assert len(found) == 8


def test_the_range_of_the_cameras_themselves_is_not_asked() -> None:
    homes = {"homes": things((HOUSE, "v", 1.0))}
    found = village_cover(camera(range_m=1e4), areas(HOUSE), homes, ["v"], [10.0])
    assert found["possible"].sum() == 0
    bare = camera().drop(columns="range_m")
    assert village_cover(bare, areas(HOUSE), homes, ["v"], [30.0])["certain"].sum() == 1.0


def test_what_lies_in_no_village_of_the_list_counts_nowhere() -> None:
    homes = {"homes": things((HOUSE, "elsewhere", 5.0), (HOUSE, None, 5.0))}
    found = village_cover(camera(), areas(HOUSE), homes, ["v"], [30.0])
    assert found.to_numpy().tolist() == [[0.0] * 4]


@pytest.mark.parametrize(
    ("counted", "ranges_m"), [({}, [10.0]), ({"homes": things((HOUSE, "v", 1.0))}, [])]
)
def test_without_subjects_or_ranges_there_are_no_rows(counted: Any, ranges_m: Any) -> None:
    found = village_cover(camera(), areas(HOUSE), counted, ["v"], ranges_m)
    assert list(found.columns) == ["total", *LEVELS]
    assert len(found) == 0


def test_a_village_without_anything_and_a_subject_without_rows_are_zero() -> None:
    none = things((HOUSE, "v", 1.0)).iloc[:0]
    found = village_cover(camera(), areas(HOUSE), {"homes": none}, ["v", "w"], [30.0])
    assert found.to_numpy().tolist() == [[0.0] * 4] * 2


@settings(derandomize=True, deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_sums_are_those_of_a_loop_over_all_things(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 12, 200.0)
    cameras, codes = crowd(rng, 5), ["a", "b", "c"]
    counted = {
        "homes": things(*[(h, str(rng.choice(codes)), float(rng.integers(0, 9))) for h in houses]),
        "points": things(
            *[
                (shapely.Point(xy), str(rng.choice(codes)), 1.0)
                for xy in rng.uniform(0, 200, (15, 2))
            ]
        ),
    }
    ranges_m = [45.0, 20.0, 70.0]
    found: Any = village_cover(cameras, areas(*houses), counted, codes, ranges_m)
    for range_m in ranges_m:
        for subject, some in counted.items():
            seen = seen_levels(some.geometry, cameras.assign(range_m=range_m), areas(*houses))
            for code in codes:
                row = found.loc[(range_m, subject, code)]
                own = some["village_code"] == code
                assert row["total"] == some["weight"][own].sum()
                for level in LEVELS:
                    assert row[level] == some["weight"][own & seen[level]].sum()


@settings(derandomize=True, deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_levels_and_ranges_nest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses = turned_boxes(rng, 15, 200.0)
    homes = {"homes": things(*[(house, "v", 1.0) for house in houses])}
    found = village_cover(crowd(rng, 6), areas(*houses), homes, ["v"], [15.0, 40.0, 90.0])
    levels = found[[*LEVELS, "total"]].to_numpy()
    assert (np.diff(levels, axis=1) >= 0).all()
    assert (np.diff(found[list(LEVELS)].to_numpy(), axis=0) >= 0).all()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"weight": [-1.0]}, "weight-out-of-bounds"),
        ({"weight": [np.nan]}, "weight-out-of-bounds"),
        ({"weight": [np.inf]}, "weight-out-of-bounds"),
        ({"weight": [None]}, "weight-out-of-bounds"),
    ],
)
def test_weights_that_are_none_are_refused(changed: Any, code: str) -> None:
    homes = things((HOUSE, "v", 1.0)).assign(**changed)
    assert refusal(village_cover, camera(), areas(HOUSE), {"h": homes}, ["v"], [30.0]) == code


@pytest.mark.parametrize("column", ["village_code", "weight"])
def test_things_without_village_or_weight_are_refused(column: str) -> None:
    homes = {"h": things((HOUSE, "v", 1.0)).drop(columns=column)}
    assert refusal(village_cover, camera(), areas(HOUSE), homes, ["v"], [1.0]) == "column-missing"


def test_a_range_that_is_none_and_things_elsewhere_are_refused() -> None:
    homes = {"h": things((HOUSE, "v", 1.0))}
    asked = (camera(), areas(HOUSE), homes, ["v"])
    assert refusal(village_cover, *asked, [-1.0]) == "range-out-of-bounds"
    assert refusal(village_cover, *asked, [np.inf]) == "range-out-of-bounds"
    other = {"h": things((HOUSE, "v", 1.0), crs=4546)}
    found = refusal(village_cover, camera(), areas(HOUSE), other, ["v"], [1.0])
    assert found == "crs-differs"


# ------------------------------------------------------------------ homes


def test_households_go_by_volume() -> None:
    plot = blocks((shapely.box(0, 0, 100, 100), "v", 70.0))
    low, high = shapely.box(10, 10, 20, 20), shapely.box(30, 10, 40, 30)
    homes = homes_of(plot, buildings((low, 6.0), (high, 18.0)))
    # 600 m3 and 3,600 m3
    assert homes["weight"].tolist() == pytest.approx([10.0, 60.0])
    assert homes["village_code"].tolist() == ["v", "v"]
    assert homes.crs == plot.crs


def test_a_house_on_a_border_is_parted_along_it() -> None:
    plots = blocks((shapely.box(0, 0, 50, 50), "v", 30.0), (shapely.box(50, 0, 99, 50), "w", 8.0))
    plots.index = ["left", "right"]
    across = buildings((shapely.box(40, 10, 60, 20), 9.0), (shapely.box(5, 5, 15, 25), 9.0))
    across.index = ["across", "own"]
    homes = homes_of(plots, across).set_index(["block", "building"]).sort_index()
    assert homes.index.tolist() == [("left", "across"), ("left", "own"), ("right", "across")]
    assert homes["weight"].tolist() == pytest.approx([10.0, 20.0, 8.0])
    assert homes.geometry.area.tolist() == pytest.approx([100.0, 200.0, 100.0])
    assert homes["village_code"].tolist() == ["v", "v", "w"]


def test_a_sliver_over_the_border_is_no_home() -> None:
    plots = blocks((shapely.box(0, 0, 50, 50), "v", 30.0), (shapely.box(50, 0, 99, 50), "w", 8.0))
    thin_m = 0.9 * SMALLEST_HOME_M2 / 10
    over = buildings((shapely.box(30, 10, 50 + thin_m, 20), 9.0))
    homes = homes_of(plots, over)
    assert homes["village_code"].tolist() == ["v"]
    placed = households_placed(plots, homes, ["v", "w"])
    assert placed["placed"].tolist() == [30.0, 0.0]
    assert placed["households"].tolist() == [30.0, 8.0]


@pytest.mark.parametrize(
    ("heights", "weights"),
    [
        ((10.0, np.nan, 30.0), (10.0, 20.0, 30.0)),
        ((10.0, 0.0, 30.0), (10.0, 20.0, 30.0)),
        ((10.0, -4.0, 30.0), (10.0, 20.0, 30.0)),
        ((10.0, np.inf, 30.0), (10.0, 20.0, 30.0)),
        ((np.nan, np.nan, np.nan), (20.0, 20.0, 20.0)),
    ],
)
def test_unknown_heights_are_as_high_as_the_middle_one(heights: Any, weights: Any) -> None:
    plot = blocks((shapely.box(0, 0, 100, 100), "v", 60.0))
    rows = [(shapely.box(20 * n, 0, 20 * n + 10, 10), h) for n, h in enumerate(heights)]
    assert homes_of(plot, buildings(*rows))["weight"].tolist() == pytest.approx(weights)


def test_a_block_with_a_hole_and_one_of_two_parts_hold_what_is_on_them() -> None:
    hole = shapely.box(0, 0, 90, 90).difference(shapely.box(30, 30, 60, 60))
    two = shapely.MultiPolygon([shapely.box(30, 30, 60, 60), shapely.box(200, 0, 230, 30)])
    plots = blocks((hole, "v", 10.0), (two, "w", 20.0))
    rows = [shapely.box(40, 40, 50, 50), shapely.box(210, 10, 220, 20), shapely.box(5, 5, 15, 15)]
    homes = homes_of(plots, buildings(*[(row, 3.0) for row in rows]))
    by_village: Any = homes.groupby("village_code")["weight"].agg(["count", "sum"])
    assert by_village.loc["v"].tolist() == [1, 10.0]
    assert by_village.loc["w"].tolist() == [2, 20.0]


@pytest.mark.parametrize("households", [np.nan, None, 0.0])
def test_a_block_without_a_count_gives_homes_of_no_weight(households: Any) -> None:
    plot = blocks((shapely.box(0, 0, 50, 50), "v", households))
    homes = homes_of(plot, buildings((shapely.box(1, 1, 9, 9), 5.0)))
    assert homes["weight"].tolist() == [0.0]


def test_without_blocks_or_buildings_there_are_no_homes() -> None:
    plot, house = (
        blocks((shapely.box(0, 0, 9, 9), "v", 5.0)),
        buildings((shapely.box(1, 1, 5, 5), 3.0)),
    )
    assert len(homes_of(plot.iloc[:0], house)) == 0
    none = homes_of(plot, house.iloc[:0])
    assert {"block", "building", "village_code", "weight"} <= set(none.columns)
    assert households_placed(plot, none, ["v"]).to_numpy().tolist() == [[5.0, 0.0]]


def test_a_house_that_only_touches_a_block_is_not_in_it() -> None:
    plots = blocks((shapely.box(0, 0, 50, 50), "v", 6.0), (shapely.box(50, 0, 99, 50), "w", 8.0))
    homes = homes_of(plots, buildings((shapely.box(50, 10, 60, 20), 3.0)))
    assert homes["village_code"].tolist() == ["w"]


@settings(derandomize=True, deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_homes_are_those_of_a_loop_over_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tiles = [
        (shapely.box(50 * x, 50 * y, 50 * x + 50, 50 * y + 50), f"v{x}", float(rng.integers(0, 90)))
        for x in range(4)
        for y in range(4)
    ]
    plots = blocks(*tiles)
    houses = buildings(*[(h, float(rng.uniform(3, 40))) for h in turned_boxes(rng, 20, 200.0)])
    homes = homes_of(plots, houses)
    expected: dict[tuple[int, int], float] = {}
    for block, (tile, _, households) in enumerate(tiles):
        parts = {
            row: tile.intersection(shape)
            for row, shape in enumerate(houses.geometry)
            if tile.intersection(shape).area >= SMALLEST_HOME_M2
        }
        volume = {row: part.area * houses["height_m"][row] for row, part in parts.items()}
        for row in parts:
            expected[block, row] = households * volume[row] / sum(volume.values())
    got = dict(
        zip(zip(homes["block"], homes["building"], strict=True), homes["weight"], strict=True)
    )
    assert got.keys() == expected.keys()
    assert [got[key] for key in expected] == pytest.approx(list(expected.values()))
    placed = households_placed(plots, homes, ["v0", "v1", "v2", "v3", "none"])
    assert (placed["placed"] <= placed["households"] + 1e-9).all()
    assert placed.to_numpy()[-1].tolist() == [0.0, 0.0]


def test_bad_blocks_and_footprints_are_refused() -> None:
    bow_tie = shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    plot, house = blocks((shapely.box(0, 0, 9, 9), "v", 5.0)), buildings((HOUSE, 3.0))
    assert refusal(homes_of, plot, buildings((bow_tie, 3.0))) == "invalid-polygon"
    assert refusal(homes_of, blocks((bow_tie, "v", 1.0)), house) == "invalid-polygon"
    assert refusal(homes_of, plot, house.set_crs(4546, allow_override=True)) == "crs-differs"
    degrees = plot.set_crs(4490, allow_override=True)
    assert refusal(homes_of, degrees, house.set_crs(4490, allow_override=True)) == "crs-not-metric"


# ------------------------------------------------------------------ points and their houses


def points(*xy: tuple[float, float]) -> GeoSeries:
    """Points in metres, with an index of their own."""
    return GeoSeries(
        [shapely.Point(each) for each in xy], index=[f"p{n}" for n in range(len(xy))], crs=CRS
    )


def test_a_place_in_a_house_is_the_house() -> None:
    found = in_footprints(points((0, 25), (0, 0), (5, 25)), areas(HOUSE))
    assert found.index.tolist() == ["p0", "p1", "p2"]
    assert found["p0"].equals(HOUSE)
    # on the outline it stays a point: the street's side may see it
    assert found["p1"].equals(shapely.Point(0, 0))
    assert found["p2"].equals(shapely.Point(5, 25))


def test_of_overlapping_houses_it_is_the_first() -> None:
    wide = HOUSE.buffer(3)
    assert in_footprints(points((0, 25)), areas(wide, HOUSE)).iloc[0].equals(wide)
    assert in_footprints(points((0, 25)), areas(HOUSE, wide)).iloc[0].equals(HOUSE)


def test_an_accident_in_a_house_was_at_its_nearest_front() -> None:
    found: Any = on_facades(points((4, 25), (0, 0)), areas(HOUSE))
    assert (found["p0"].x, found["p0"].y) == pytest.approx((5.0, 25.0))
    assert found["p1"].equals(shapely.Point(0, 0))


def test_the_front_of_a_courtyard_is_a_front_too() -> None:
    ring = shapely.box(0, 0, 40, 40).difference(shapely.box(15, 15, 25, 25))
    found: Any = on_facades(points((14, 20)), areas(ring)).iloc[0]
    assert (found.x, found.y) == pytest.approx((15.0, 20.0))


@pytest.mark.parametrize("question", [in_footprints, on_facades])
def test_without_points_or_houses_all_stays(question: Any) -> None:
    assert len(question(points(), areas(HOUSE))) == 0
    here = points((0, 25))
    assert question(here, areas()).iloc[0].equals(here.iloc[0])


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_points_are_where_a_loop_over_all_houses_puts_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    houses: list[Any] = list(turned_boxes(rng, 15, 100.0))
    there: Any = points(*[(float(x), float(y)) for x, y in rng.uniform(0, 100, (30, 2))])
    placed: Any = in_footprints(there, areas(*houses))
    fronts: Any = on_facades(there, areas(*houses))
    for name, point in there.items():
        holders = [house for house in houses if point.within(house)]
        if holders:
            assert placed[name].equals(holders[0])
            front_m = holders[0].exterior.distance(point)
            assert fronts[name].distance(point) == pytest.approx(front_m)
            assert fronts[name].distance(holders[0].exterior) < 1e-9
        else:
            assert placed[name].equals(point)
            assert fronts[name].equals(point)


def test_a_place_is_seen_by_its_front_where_its_point_is_not() -> None:
    point = points((0, 25))
    codes = {"village_code": ["v"], "weight": [1.0]}
    bare = GeoDataFrame(codes, geometry=point.to_list(), crs=CRS)
    house = GeoDataFrame(codes, geometry=in_footprints(point, areas(HOUSE)).to_list(), crs=CRS)
    front = GeoDataFrame(codes, geometry=[shapely.Point(0, 20)], crs=CRS)
    counted = {"bare": bare, "house": house, "front": front}
    found = village_cover(camera(), areas(HOUSE), counted, ["v"], [30.0])
    assert found["certain"].to_dict() == {
        (30.0, "bare", "v"): 0.0,
        (30.0, "house", "v"): 1.0,
        (30.0, "front", "v"): 1.0,
    }
    assert isinstance(found, pd.DataFrame)
