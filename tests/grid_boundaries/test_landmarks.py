"""What borders should follow or leave whole: found by hand, with its faults and remedies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, box

from grid_boundaries.along import Lines
from grid_boundaries.blocks import neighbours
from grid_boundaries.checks import Fault, Standards, checks
from grid_boundaries.codes import profile
from grid_boundaries.crs import in_metres
from grid_boundaries.edges import shared_edges
from grid_boundaries.ground import Ground
from grid_boundaries.landmarks import (
    THINGS,
    Landmarks,
    cut_buildings,
    hamlets,
    joined,
    natural_villages,
    street_sides,
)
from grid_boundaries.numbers import Gauge, changes, rule_for
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.plans import changed
from grid_boundaries.remedies import Transfer, asked_of
from grid_boundaries.rules import RULES, custom
from grid_boundaries.strokes import Create, Declare, Merge, Move, Retire
from tests.plan_ground import METRIC_SRID, VILLAGES, board, ground_under, sums_of

STORED, BASE = board()
METRIC = in_metres(STORED, METRIC_SRID)
G1, G2, G3 = sorted(BASE.grids)
GROUND = ground_under(STORED, BASE)
LOOSE = custom("people", 0, 10**6)
TWO = GeoSeries([box(0, 0, 100, 100), box(100, 0, 200, 100)], index=["a", "b"])


def lying(*rows: tuple[str, str, str | None, str], **more: Any) -> Ground:
    """Return the board's ground with things: kind, id, name, block."""
    things = pd.DataFrame(list(rows), columns=list(THINGS))
    return replace(GROUND, landmarks=Landmarks(things, **more))


def found(state: State, ground: Ground, rule: Any = LOOSE) -> list[Fault]:
    rules = dict.fromkeys(("village", "city", "market_town"), rule)
    return checks(state, ground, Standards(rules, "present", profile("cn"), VILLAGES))


def set_in(state: State, setting: str, **more: Any) -> State:
    grids = {code: replace(grid, setting=setting, **more) for code, grid in state.grids.items()}
    return replace(state, grids=grids)


# streets


def test_a_street_between_two_blocks_is_between_them() -> None:
    (row,) = street_sides(TWO, GeoSeries([LineString([(100, 10), (100, 90)])])).to_dict("records")
    assert (row["a"], row["b"], row["street_m"]) == ("a", "b", pytest.approx(80.0))


def test_a_street_inside_a_block_has_it_on_both_sides() -> None:
    (row,) = street_sides(TWO, GeoSeries([LineString([(50, 20), (50, 80)])])).to_dict("records")
    assert (row["a"], row["b"], row["street_m"]) == ("a", "a", pytest.approx(60.0))


def test_a_street_along_the_edge_of_the_county_or_outside_is_between_none() -> None:
    outside = [LineString([(0, 0), (0, 100)]), LineString([(500, 0), (500, 100)])]
    assert street_sides(TWO, GeoSeries(outside)).empty
    assert street_sides(TWO, GeoSeries([], dtype="geometry")).empty


def test_a_street_of_two_lengths_is_added_up_in_either_direction() -> None:
    there, back = LineString([(100, 10), (100, 50)]), LineString([(100, 90), (100, 50)])
    (row,) = street_sides(TWO, GeoSeries([there, back])).to_dict("records")
    assert row["street_m"] == pytest.approx(80.0)


def test_a_built_up_grid_on_both_sides_of_a_main_street_is_told_and_a_rural_one_is_not() -> None:
    # between the first and the second column, both of the first grid
    streets = pd.DataFrame(
        {"a": ["B000001", "B000002", "B000009"], "b": ["B000005", "B000006", "B000013"],
         "street_m": [400.0, 300.0, 60.0]}
    )  # fmt: skip
    ground = replace(GROUND, landmarks=Landmarks(streets=streets))
    assert found(BASE, ground) == []
    (fault,) = found(set_in(BASE, "city"), ground)
    assert (fault.kind, fault.severity, fault.grid) == ("crosses-street", "soft", G1)
    assert "700" in fault.zh and "700" in fault.en
    assert found(set_in(BASE, "city", kind="special"), ground) == []


def test_the_remedy_of_a_crossed_street_gives_the_far_side_to_a_neighbour() -> None:
    pairs = [(f"B00000{n}", f"B00000{n + 4}", 200.0) for n in range(1, 5)]
    streets = pd.DataFrame(pairs, columns=["a", "b", "street_m"])
    ground = replace(GROUND, landmarks=Landmarks(streets=streets))
    state = set_in(BASE, "city")
    (fault,) = found(state, ground)
    # the western column has fewer people, but no neighbour beyond: it becomes a grid
    assert isinstance(fault.remedy, Create)
    assert fault.remedy.blocks == ("B000001", "B000002", "B000003", "B000004")
    assert found(fault.remedy.on(state), ground)[0].kind == "code"
    east = pd.DataFrame([("B000013", "B000009", 500.0), ("B000014", "B000010", 500.0),
                         ("B000011", "B000015", 500.0), ("B000012", "B000016", 500.0)],
                        columns=["a", "b", "street_m"])  # fmt: skip
    ground = replace(GROUND, landmarks=Landmarks(streets=east))
    (fault,) = found(state, ground)
    assert fault.remedy == Move(("B000009", "B000010", "B000011", "B000012"), G1)
    assert found(fault.remedy.on(state), ground) == []


def test_a_street_right_through_a_block_only_a_cut_can_mend() -> None:
    streets = pd.DataFrame({"a": ["B000001"], "b": ["B000001"], "street_m": [500.0]})
    ground = replace(GROUND, landmarks=Landmarks(streets=streets))
    (fault,) = found(set_in(BASE, "city"), ground)
    assert fault.remedy is None


# buildings


def test_a_building_in_two_blocks_is_found_and_one_that_only_touches_is_not() -> None:
    houses = GeoSeries(
        [box(95, 0, 105, 10), box(90, 20, 100, 30), box(10, 10, 20, 20), box(91, 40, 100.5, 50),
         MultiPolygon([box(10, 60, 20, 70), box(110, 60, 120, 70)]), box(150, 0, 260, 10)],
        index=["half", "touching", "inside", "a hair over", "two wings", "over the edge"],
    )  # fmt: skip
    table = cut_buildings(TWO, houses)
    assert sorted(zip(table["thing"], table["block"], strict=True)) == [
        ("half", "a"), ("half", "b"), ("two wings", "a"), ("two wings", "b")
    ]  # fmt: skip
    assert cut_buildings(TWO, GeoSeries(houses.iloc[:0])).empty
    assert set(cut_buildings(TWO, houses, least_share=0.01)["thing"]) == {
        "half", "two wings", "a hair over"
    }  # fmt: skip


def test_a_building_in_two_grids_is_told_with_its_residents_and_an_area_to_transfer() -> None:
    house = shapely.to_wkb(box(0, 0, 1, 1))
    rows = [("building", "H1", None, "B000005"), ("building", "H1", None, "B000009"),
            ("building", "H2", None, "B000001"), ("building", "H2", None, "B000002")]  # fmt: skip
    ground = lying(*rows, areas={"H1": house}, living={"H1": (7, 2)})
    (fault,) = found(BASE, ground)
    assert (fault.kind, fault.key) == ("cuts-building", "cuts-building:H1")
    assert (fault.people, fault.households) == (7, 2)
    assert fault.remedy == Transfer(house, G2)  # block 9 has more people than block 5
    asked = fault.wire["remedy"]
    assert (asked["kind"], asked["to"], asked["area"]["type"]) == ("transfer", G2, "Polygon")
    assert found(Move(("B000005",), G2).on(BASE), ground) == []


def test_a_building_partly_in_no_grid_is_in_one() -> None:
    ground = lying(("building", "H1", None, "B000005"), ("building", "H1", None, "B000009"))
    kinds = {fault.kind for fault in found(Move(("B000009",), None).on(BASE), ground)}
    assert "cuts-building" not in kinds


# hamlets and groups


def by_hand(points: np.ndarray, near_m: float) -> list[int]:
    """Single linkage the slow way: spread each label until nothing changes."""
    labels = list(range(len(points)))
    while True:
        before = list(labels)
        for i, one in enumerate(points):
            for j, other in enumerate(points):
                if np.hypot(*(one - other)) <= near_m:
                    labels[i] = labels[j] = min(labels[i], labels[j])
        if labels == before:
            return labels


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=25))
def test_hamlets_are_single_linkage(places: list[tuple[int, int]]) -> None:
    points = 20.0 * np.array(places, dtype=float).reshape(-1, 2)
    assert hamlets(points, near_m=60.0).tolist() == pd.factorize(
        np.array(by_hand(points, 60.0), dtype=int)
    )[0].tolist()  # fmt: skip


def test_a_natural_village_is_a_hamlet_of_five_houses_named_for_the_least() -> None:
    xy = [(0, 0), (50, 0), (100, 0), (150, 0), (200, 0), (1000, 0), (1050, 0)]
    houses = GeoDataFrame(
        {"block": ["a", "a", "b", "b", "b", "c", "c"]},
        geometry=[Point(p) for p in xy], index=["H3", "H2", "H5", "H4", "H9", "H1", "H0"],
    )  # fmt: skip
    table = natural_villages(houses)
    assert table.index.tolist() == ["H3", "H2", "H5", "H4", "H9"]
    assert table.to_dict("list") == {"thing": ["~H2"] * 5, "block": list("aabbb")}
    assert len(natural_villages(houses, least_houses=2)) == 7
    assert natural_villages(houses.iloc[:0]).empty


@pytest.mark.parametrize(
    ("kind", "fault_kind"), [("natural-village", "cuts-natural-village"), ("group", "cuts-group")]
)
def test_a_village_or_group_in_two_rural_grids_goes_to_the_one_with_more_people(
    kind: str, fault_kind: str
) -> None:
    rows = [(kind, "T1", "河湾", block) for block in ("B000005", "B000006", "B000009")]
    ground = lying(*rows)
    (fault,) = found(BASE, ground)
    assert (fault.kind, fault.key, fault.severity) == (fault_kind, f"{fault_kind}:T1", "soft")
    assert "河湾" in fault.zh and "河湾" in fault.en
    assert fault.remedy == Move(("B000009",), G1)
    assert found(fault.remedy.on(BASE), ground) == []
    assert found(set_in(BASE, "city"), ground) == []  # towns have neither


def test_what_lies_in_another_village_is_not_moved_out_of_it() -> None:
    rows = [("group", "T1", "河湾", block) for block in ("B000005", "B000006", "B000009")]
    elsewhere = {**GROUND.village_of, "B000009": "610999101001"}
    ground = replace(lying(*rows), village_of=elsewhere)
    faults = {fault.kind: fault for fault in found(BASE, ground)}
    assert faults["cuts-group"].remedy is None
    assert faults["not-nested"].blocks == ("B000009",)


def test_a_village_larger_than_a_grid_may_be_is_not_looked_at() -> None:
    rows = [("group", "T1", None, block) for block in ("B000005", "B000006", "B000009")]
    held = GROUND.concerned(["B000005", "B000006", "B000009"])[0]
    kinds = [f.kind for f in found(BASE, lying(*rows), custom("people", 0, held - 1))]
    assert "cuts-group" not in kinds
    kinds = [f.kind for f in found(BASE, lying(*rows), custom("people", 0, held))]
    assert "cuts-group" in kinds


def test_a_special_area_in_a_residential_grid_is_carved_out_by_its_remedy() -> None:
    ground = lying(("special-area", "B000006", "县一中", "B000006"))
    (fault,) = found(BASE, ground)
    assert (fault.kind, fault.grid, fault.blocks) == ("special-not-own", G1, ("B000006",))
    assert isinstance(fault.remedy, Create)
    asked = asked_of(fault.remedy)
    assert (asked["grid_kind"], asked["name"], asked["blocks"]) == ("special", "县一中",
                                                                    ["B000006"])  # fmt: skip
    after = fault.remedy.on(BASE)
    assert [f.kind for f in found(after, ground)] == ["code"]  # it gets its code at publication


def test_landmarks_can_be_joined_and_blocks_left_out() -> None:
    streets = pd.DataFrame({"a": ["a", "a"], "b": ["b", "c"], "street_m": [10.0, 20.0]})
    one = Landmarks(lying(("group", "T", None, "a")).landmarks.things, streets, {"H": b"1"})
    both = joined(one, one, Landmarks())
    assert len(both.things) == 1
    assert both.streets["street_m"].tolist() == [20.0, 40.0]
    left = one.without({"c"})
    assert (len(left.things), len(left.streets)) == (1, 1)
    assert one.without({"a"}).things.empty


# posts, enclaves, declared parts


def test_a_grid_with_a_worker_and_without_a_chief_is_doubtful() -> None:
    ground = replace(GROUND, manned={G1, G2, G3}, chiefs={G1, G2})
    (fault,) = found(BASE, ground)
    assert (fault.kind, fault.grid, fault.severity) == ("no-chief", G3, "soft")
    nobody = replace(GROUND, manned={G1, G2}, chiefs={G1, G2})
    assert [fault.kind for fault in found(BASE, nobody)] == ["no-worker"]


def enclave() -> State:
    """Return the board with a grid of one inner block of the first grid's ground."""
    new = Create(Grid(f"{VILLAGES[0]}009", "飞地", VILLAGES[0]), ("B000006",))
    return Move(("B000009", "B000010", "B000011"), G1).on(new.on(BASE))


def edges_of(ground: Ground) -> Ground:
    shared = pd.concat([ground.touching.set_index(side)["shared_m"] for side in ("a", "b")])
    edge_m = METRIC.length - shared.groupby(level=0).sum()
    return replace(ground, edge_m={str(name): float(m) for name, m in edge_m.items()})


def test_a_grid_inside_one_other_is_told_and_a_special_one_is_not() -> None:
    ground = edges_of(GROUND)
    (fault,) = [f for f in found(enclave(), ground) if f.kind == "enclosed"]
    assert fault.grid == f"{VILLAGES[0]}009"
    assert fault.remedy == Merge((f"{VILLAGES[0]}009",), G1)
    special = replace(enclave().grids[f"{VILLAGES[0]}009"], kind="special")
    state = replace(enclave(), grids={**enclave().grids, special.code: special})
    assert "enclosed" not in [f.kind for f in found(state, ground)]


def test_a_grid_at_the_edge_or_beside_unassigned_ground_is_not_inside_another() -> None:
    ground = edges_of(GROUND)
    at_edge = Create(Grid(f"{VILLAGES[0]}009", "角", VILLAGES[0]), ("B000001",)).on(BASE)
    assert "enclosed" not in [f.kind for f in found(at_edge, ground)]
    beside_none = Move(("B000005",), None).on(enclave())
    assert "enclosed" not in [f.kind for f in found(beside_none, ground)]


def test_declared_parts_are_no_fault_and_a_part_too_many_or_too_few_is() -> None:
    state = Move(("B000005",), G3).on(BASE)
    declared = Declare(G3, 2).on(state)
    assert "detached" in [f.kind for f in found(state, GROUND)]
    assert "detached" not in [f.kind for f in found(declared, GROUND)]
    third = Move(("B000004",), G3).on(declared)
    assert [f.blocks for f in found(third, GROUND) if f.kind == "detached"] == [("B000004",)]
    (fault,) = [f for f in found(Declare(G3, 3).on(state), GROUND) if f.kind == "fewer-parts"]
    assert fault.remedy == Declare(G3, 2)
    assert asked_of(fault.remedy) == {"kind": "declare", "grid": G3, "parts": 2}


# borders


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return rectangles that tile a square without common corners."""
    tiles = [box(0, 0, 64, 64)]
    while len(tiles) < count:
        one = tiles.pop(int(rng.integers(len(tiles))))
        west, south, east, north = one.bounds
        share = float(rng.uniform(0.2, 0.8))
        if east - west > north - south:
            x = west + share * (east - west)
            tiles += [box(west, south, x, north), box(x, south, east, north)]
        else:
            y = south + share * (north - south)
            tiles += [box(west, south, east, y), box(west, y, east, north)]
    return np.array(tiles, dtype=object)


@pytest.mark.parametrize("seed", range(12))
def test_borders_are_those_of_pairwise_intersection_where_corners_do_not_match(seed: int) -> None:
    tiles = boxes(np.random.default_rng(seed), 3 + 4 * seed)
    expected = {}
    for i in range(len(tiles)):
        for j in range(i + 1, len(tiles)):
            length = tiles[i].boundary.intersection(tiles[j].boundary).length
            if length > 1e-9:
                expected[i, j] = pytest.approx(length)
    edges = shared_edges(tiles)
    edges = edges[edges["length"] > 1e-9]
    assert dict(zip(zip(edges["a"], edges["b"], strict=True), edges["length"], strict=True)) == (
        expected
    )


def test_borders_of_holes_and_islands_are_found_and_of_nothing_none() -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    shapes = GeoSeries([ring, box(10, 10, 20, 20), box(40, 0, 50, 10)], index=["r", "i", "far"])
    table = neighbours(shapes)
    assert table.to_dict("list") == {"a": ["r"], "b": ["i"], "shared_m": [pytest.approx(40.0)]}
    assert shared_edges(np.array([box(0, 0, 1, 1)], dtype=object)).empty


# shares of the boundary, rules and bases


def test_the_share_on_streets_is_the_length_near_one() -> None:
    square = box(0, 0, 1000, 1000)
    south = Lines(GeoSeries([LineString([(-500, 5), (1500, 5)])]))
    # the southern side, and two steps of both sides that end there
    assert south.share(square) == pytest.approx((1000 + 2 * 20) / 4000)
    assert Lines(GeoSeries([square.boundary])).share(square) == 1.0
    assert Lines(GeoSeries([LineString([(0, 500), (1000, 500)])])).share(square) == pytest.approx(
        2 * 40 / 4000
    )
    assert Lines(GeoSeries([], dtype="geometry")).share(square) == 0.0
    assert south.share(MultiPolygon()) is None


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(0, 1000), st.floats(-0.5, 0.5))
def test_the_share_is_that_of_a_buffer_within_a_step(height: float, slope: float) -> None:
    square = box(0, 0, 1000, 1000)
    line = LineString([(-100, height), (1100, height + 1200 * slope)])
    expected = square.boundary.intersection(line.buffer(15.0)).length / 4000
    assert Lines(GeoSeries([line])).share(square) == pytest.approx(expected, abs=4 * 10 / 4000)


def test_a_hole_along_a_river_counts() -> None:
    ring = box(0, 0, 300, 300).difference(box(100, 100, 200, 200))
    lake = Lines(GeoSeries([box(100, 100, 200, 200)]))
    assert lake.share(ring) == pytest.approx(400 / 1600)


def test_numbers_tell_the_share_of_the_boundary_where_lines_are_known() -> None:
    along = {"street": Lines(GeoSeries([METRIC.union_all().boundary]))}
    gauge = Gauge(sums_of(BASE), METRIC, along)
    numbers = gauge.numbers(BASE.blocks_of(G1))
    assert numbers.street_share is not None and 0.5 < numbers.street_share < 0.9
    assert numbers.river_share is None
    assert gauge.numbers(frozenset()).street_share is None


def test_a_change_says_the_rule_the_band_and_the_population_basis() -> None:
    state = Retire(G2).on(BASE)
    gauge = Gauge(sums_of(BASE), METRIC)
    told = {change.grid: change for change in changes(BASE, state, gauge, [G1, G2])}
    plain = told[G2].against(RULES["village"], "registered")
    assert plain["basis"] == {"name": "registered", "zh": "户籍人口", "en": "registered population"}
    assert plain["rule"]["band"] == {"before": "over"}  # it is no more
    assert "户籍人口" in plain["rule"]["says"]["zh"]
    assert told[G1].against(None, "present")["rule"] is None
    assert rule_for(BASE.grids[G1], RULES) is RULES["village"]
    assert rule_for(replace(BASE.grids[G1], kind="special"), RULES) is None
    assert rule_for(None, RULES) is None


def test_what_a_plan_changes_are_blocks_that_move_and_grids_made_gone_or_declared() -> None:
    state = Declare(G1, 2).on(Move(("B000017",), G2).on(BASE))
    assert changed(BASE, state) == (frozenset({"B000017"}), frozenset({G1, G2, G3}))
    assert changed(BASE, BASE) == (frozenset(), frozenset())
    assert changed(BASE, Retire(G1).on(BASE)) == (BASE.blocks_of(G1), frozenset({G1}))
