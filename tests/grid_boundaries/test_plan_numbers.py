"""Live numbers, size rules and checks: by hand, against geopandas, and by remedies that mend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries import measures
from grid_boundaries.blocks import grid_polygons, neighbours, pieces
from grid_boundaries.checks import Fault, Standards, checks, fault_frame
from grid_boundaries.codes import profile
from grid_boundaries.crs import in_metres
from grid_boundaries.edges import shared_edges
from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.numbers import SUMS, Gauge, changes, frame_of
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.remedies import Ground
from grid_boundaries.rules import DEFAULT_RULES, RULES, custom, rule_from, rules_from
from grid_boundaries.strokes import Create, Merge, Move, Retire, Stroke
from tests.plan_ground import METRIC_SRID, VILLAGES, board, ground_under, sums_of

STORED, BASE = board()
METRIC = in_metres(STORED, METRIC_SRID)
G1, G2, G3 = sorted(BASE.grids)
GROUND = ground_under(STORED, BASE)


def found(state: State, ground: Ground | None = None, **more: Any) -> list[Fault]:
    rule = custom("people", 0, 10**6)
    standards: dict[str, Any] = {"rules": dict.fromkeys(("village",), rule), "basis": "present",
                 "profile": profile("cn"), "villages": VILLAGES} | more  # fmt: skip
    return checks(state, ground or GROUND, Standards(**standards))


def kinds(faults: list[Fault]) -> list[str]:
    return sorted(fault.kind for fault in faults)


def test_numbers_of_a_grid_are_sums_and_measures_of_its_union() -> None:
    gauge = Gauge(sums_of(BASE), METRIC)
    one = frame_of({code: gauge.numbers(BASE.blocks_of(code)) for code in BASE.grids})
    sums = sums_of(BASE).groupby(BASE.assignment()).sum()
    assert (one[list(SUMS)] == sums).all().all()
    grids = grid_polygons(METRIC, BASE.assignment())
    np.testing.assert_allclose(one["area_m2"], grids.area)
    for name in ("polsby_popper", "reock", "hull_ratio"):
        np.testing.assert_allclose(one[name], getattr(measures, name)(grids), rtol=1e-12)


def test_parts_are_those_of_rook_contiguity() -> None:
    state = Move(("B000001", "B000006"), G3).on(BASE)
    gauge = Gauge(sums_of(BASE), METRIC)
    counted = pieces(state.assignment(), GROUND.touching)
    for code in state.grids:
        assert gauge.numbers(state.blocks_of(code)).parts == counted[code]
    assert counted[G3] == 3  # the two corners meet in a point only


def test_no_block_has_no_compactness() -> None:
    nothing = Gauge(sums_of(BASE), METRIC).numbers(frozenset())
    assert (nothing.blocks, nothing.people, nothing.area_m2, nothing.parts) == (0, 0, 0.0, 0)
    assert nothing.reock is None


def test_a_block_without_counts_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="B9"):
        Gauge(sums_of(BASE), METRIC).numbers(frozenset({"B9"}))


def test_bare_ratios_equal_the_published_functions_and_an_empty_shape_has_none() -> None:
    shapes = GeoSeries([*METRIC, METRIC.iloc[0].difference(METRIC.iloc[0])])
    bare = measures.compactness(shapes.to_numpy())
    for column, name in enumerate(("polsby_popper", "reock", "hull_ratio")):
        np.testing.assert_allclose(bare[:, column], getattr(measures, name)(shapes))


def test_changes_tell_before_and_after_of_the_touched_grids() -> None:
    state = Create(Grid("new", "新", G1[:12]), ("B000001",)).on(BASE)
    gauge = Gauge(sums_of(BASE), METRIC)
    told = {change.grid: change for change in changes(BASE, state, gauge, [G1, "new"])}
    assert told["new"].before is None
    one, before, left = told["new"].after, told[G1].before, told[G1].after
    assert one is not None and before is not None and left is not None
    assert one.people == 2
    assert before.people - left.people == 2
    assert before.area_m2 == pytest.approx(one.area_m2 + left.area_m2)
    assert told[G1].wire["after"]["people"] == left.people


def test_size_rules_are_those_of_the_division_plans() -> None:
    bands = {name: (rule.measure, rule.at_least, rule.at_most) for name, rule in RULES.items()}
    assert bands == {
        "city": ("people", 1000, 2000),
        "market_town": ("households", 48, 112),
        "village": ("households", 30, 70),
        "households_300_500": ("households", 300, 500),
    }


@pytest.mark.parametrize(
    ("count", "band"), [(29, "under"), (30, "within"), (70, "within"), (71, "over")]
)
def test_both_ends_belong_to_the_band(count: int, band: str) -> None:
    assert RULES["village"].band(count) == band


def test_a_rule_prints_its_population_basis() -> None:
    zh, en = RULES["city"].says("registered")
    assert "户籍人口" in zh and "1000–2000" in zh
    assert "registered population" in en


def test_rules_are_read_by_name_or_band() -> None:
    rules = rules_from({"village": "households_300_500",
                        "city": {"measure": "people", "at_least": 5, "at_most": 9}})  # fmt: skip
    assert rules["village"] is RULES["households_300_500"]
    assert rules["city"].at_most == 9
    assert rules["market_town"] is DEFAULT_RULES["market_town"]
    assert rule_from(rules["city"].wire) == rules["city"]
    assert rule_from(RULES["city"].wire) is RULES["city"]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ({"village": "huge"}, "no-such-rule"),
        ({"moon": "city"}, "no-such-setting"),
        ({"city": {"measure": "dogs", "at_least": 1, "at_most": 2}}, "bad-size-rule"),
        ({"city": {"measure": "people", "at_least": 3, "at_most": 2}}, "bad-size-rule"),
    ],
)
def test_a_rule_that_is_none_is_refused(wire: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        rules_from(wire)
    assert refused.value.code == code


def test_a_sound_plan_has_no_fault() -> None:
    assert found(BASE) == []


def test_an_unassigned_block_is_a_hard_fault_with_its_people() -> None:
    (fault,) = found(Move(("B000001",), None).on(BASE))
    assert (fault.kind, fault.severity, fault.blocks) == ("unassigned", "hard", ("B000001",))
    assert (fault.people, fault.households) == (2, 3)
    assert fault.key == "unassigned:B000001"
    assert fault.remedy == Move(("B000001",), G1)


def test_a_detached_part_is_the_one_with_fewer_people() -> None:
    state = Move(("B000005",), G3).on(BASE)
    faults = [fault for fault in found(state) if fault.kind == "detached"]
    assert [(fault.grid, fault.blocks) for fault in faults] == [(G3, ("B000005",))]
    assert faults[0].remedy == Move(("B000005",), G1)


def test_a_block_in_a_grid_of_another_village_is_not_nested() -> None:
    state = Move(("B000017",), G2).on(BASE)
    faults = [fault for fault in found(state) if fault.kind == "not-nested"]
    assert [fault.blocks for fault in faults] == [("B000017",)]
    assert isinstance(faults[0].remedy, Move)
    assert "not-nested" not in kinds(found(faults[0].remedy.on(state)))


def test_a_village_without_a_grid_gets_one() -> None:
    state = Merge(tuple(c for c in BASE.grids if c[:12] == VILLAGES[1]), G1).on(BASE)
    (fault,) = [fault for fault in found(state) if fault.kind == "no-grid-in-village"]
    assert isinstance(fault.remedy, Create)
    mended = found(fault.remedy.on(state), new_codes={fault.remedy.grid.code})
    assert mended == []


def test_a_village_without_a_block_has_no_remedy() -> None:
    faults = found(BASE, villages=[*VILLAGES, "610999100999"])
    assert [(fault.kind, fault.remedy, fault.people) for fault in faults] == [
        ("no-grid-in-village", None, 0)
    ]


def test_a_code_of_another_village_is_doubtful_and_a_new_one_is_not() -> None:
    state = Create(Grid("610999100202777", "新", VILLAGES[0]), ("B000001",)).on(BASE)
    assert kinds(found(state)) == ["code"]
    assert found(state, new_codes={"610999100202777"}) == []


def test_a_small_grid_is_merged_with_the_neighbour_that_brings_it_into_the_band() -> None:
    blocks = ("B000001", "B000002")
    state = Create(Grid(f"{VILLAGES[0]}009", "小", VILLAGES[0]), blocks).on(BASE)
    rule = custom("people", 20, 300)
    (fault,) = found(state, rules={"village": rule})
    assert (fault.kind, fault.severity, fault.people) == ("under-band", "soft", 5)
    assert "实有人口" in fault.zh and "20–300" in fault.en
    assert fault.remedy == Merge((f"{VILLAGES[0]}009",), G1)


def test_a_grid_that_is_too_large_gives_a_border_block_away() -> None:
    own = GROUND.concerned(BASE.blocks_of(G1))[0]
    small = Create(Grid(f"{VILLAGES[0]}009", "小", VILLAGES[0]), ("B000001",)).on(BASE)
    size = GROUND.concerned(small.blocks_of(G1))[0]
    faults = found(small, rules={"village": custom("people", 0, size - 1)})
    (fault,) = [fault for fault in faults if fault.grid == G1]
    assert fault.kind == "over-band" and own > size
    assert isinstance(fault.remedy, Move)
    assert "over-band" not in [f.kind for f in found(
        fault.remedy.on(small), rules={"village": custom("people", 0, size - 1)}
    ) if f.grid == G1]  # fmt: skip


def test_special_grids_have_no_band() -> None:
    grids = {code: Grid(code, "", code[:12], kind="special") for code in BASE.grids}
    state = State(BASE.grid_of, grids, members=BASE.members)
    assert found(state, rules={"village": custom("people", 10**6, 10**7)}) == []


def test_a_grid_without_anybody_posted_is_doubtful() -> None:
    ground = replace(GROUND, manned={G1, G2})
    (fault,) = found(BASE, ground)
    assert (fault.kind, fault.severity, fault.grid) == ("no-worker", "soft", G3)


def test_hard_faults_come_first_then_those_with_more_people() -> None:
    state = Retire(G2).on(BASE)
    faults = found(state, rules={"village": custom("people", 10**6, 10**7)})
    assert [fault.severity for fault in faults] == sorted(fault.severity for fault in faults)
    hard = [fault.people for fault in faults if fault.severity == "hard"]
    assert hard == sorted(hard, reverse=True)
    assert fault_frame(faults)["blocks"].sum() == sum(len(fault.blocks) for fault in faults)
    assert faults[0].wire["remedy"]["kind"] == "move"


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.data())
def test_remedies_of_unassigned_blocks_lead_to_none(data: st.DataObject) -> None:
    blocks = data.draw(st.lists(st.sampled_from(sorted(BASE.grid_of)), min_size=1, max_size=8))
    state = Move(tuple(blocks), None).on(BASE)
    for _ in range(len(blocks)):
        remedies: list[Stroke] = [
            fault.remedy
            for fault in found(state)
            if fault.kind == "unassigned" and isinstance(fault.remedy, Move)
        ]
        state = remedies[0].on(state) if remedies else state
    assert not state.blocks_of(None)


def test_edges_of_multipolygons_are_shared_as_borders_are() -> None:
    edges = shared_edges(METRIC.to_numpy())
    borders = neighbours(METRIC, shortest_m=0.01)
    names = METRIC.index.to_numpy()
    found = dict(zip(zip(names[edges["a"]], names[edges["b"]], strict=True), edges["length"],
                     strict=True))  # fmt: skip
    pairs = zip(borders["a"], borders["b"], strict=True)
    assert found == pytest.approx(dict(zip(pairs, borders["shared_m"], strict=True)))
