"""Checks of a plan: what is wrong or doubtful, whom it concerns, and a stroke that mends it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from grid_boundaries import remedies
from grid_boundaries.codes import level, parent
from grid_boundaries.faults import Fault as Fault  # public names of this module
from grid_boundaries.faults import Standards as Standards
from grid_boundaries.faults import fault_frame as fault_frame
from grid_boundaries.ground import Ground
from grid_boundaries.landmark_checks import landmark_checks
from grid_boundaries.plan_state import State
from grid_boundaries.rules import MEASURES, SizeRule
from grid_boundaries.strokes import Declare, Merge

LEAST_EDGE_M = 1.0  # a border shorter than this to no block at all is a rounding


def checks(state: State, ground: Ground, standards: Standards) -> list[Fault]:
    """Return every fault of a state, hard ones first, then by the people concerned.

    Parameters
    ----------
    ground
        What is known of the blocks: counts, neighbours, villages; covers every block.
    """
    found = [
        *hard_faults(state, ground, standards),
        *_code_faults(state, ground, standards),
        *_sizes(state, ground, standards),
        *_unmanned(state, ground),
        *_enclosed(state, ground),
        *_fewer_parts(state, ground),
        *landmark_checks(state, ground, standards),
    ]
    return sorted(found, key=lambda fault: (fault.severity, -fault.people, fault.key))


def hard_faults(state: State, ground: Ground, standards: Standards) -> list[Fault]:
    """Return the faults of a state that stop a publication; they need no landmarks."""
    return [
        *_unassigned(state, ground),
        *_detached(state, ground),
        *_not_nested(state, ground),
        *_without_grid(state, ground, standards),
    ]


def _unassigned(state: State, ground: Ground) -> Iterator[Fault]:
    for block in sorted(state.blocks_of(None)):
        people, households = ground.concerned([block])
        yield Fault(
            "unassigned", "hard", None, (block,), people, households,
            f"图斑 {block} 不属于任何网格，涉及 {people} 人；请划入相邻网格",
            f"Block {block} is in no grid ({people} people); give it to a neighbour",
            remedies.to_neighbour(state, ground, (block,)),
        )  # fmt: skip


def _detached(state: State, ground: Ground) -> Iterator[Fault]:
    for code, part in ground.loose_parts(state):
        people, households = ground.concerned(part)
        yield Fault(
            "detached", "hard", code, part, people, households,
            f"网格 {code} 有 {len(part)} 个图斑与主体不相连，涉及 {people} 人；请划入相邻网格",
            f"{len(part)} blocks of grid {code} are detached from it ({people} people);"
            " give them to a neighbour",
            remedies.to_neighbour(state, ground, part),
        )  # fmt: skip


def _not_nested(state: State, ground: Ground) -> Iterator[Fault]:
    for code, grid in state.grids.items():
        foreign: dict[str, list[str]] = {}
        for block in sorted(state.blocks_of(code)):
            village = ground.village_of[block]
            if village != grid.village_code:
                foreign.setdefault(village, []).append(block)
        for village, blocks in foreign.items():
            people, households = ground.concerned(blocks)
            yield Fault(
                "not-nested", "hard", code, tuple(blocks), people, households,
                f"网格 {code} 有 {len(blocks)} 个图斑在村(社区) {village} 内，涉及 {people} 人；"
                "网格只能属于一个村(社区)",
                f"{len(blocks)} blocks of grid {code} lie in village {village} ({people} people);"
                " a grid belongs to one village",
                remedies.home_to_village(state, ground, tuple(blocks), village),
            )  # fmt: skip


def _without_grid(state: State, ground: Ground, standards: Standards) -> Iterator[Fault]:
    held = {grid.village_code for code, grid in state.grids.items() if state.blocks_of(code)}
    for village in sorted(set(standards.villages) - held):
        blocks = tuple(sorted(ground.blocks_in(village)))
        people, households = ground.concerned(blocks)
        yield Fault(
            "no-grid-in-village", "hard", village, blocks, people, households,
            f"村(社区) {village} 没有网格，涉及 {people} 人；请为它新建网格",
            f"Village {village} has no grid ({people} people); make one for it",
            remedies.grid_for_village(state, village, blocks),
        )  # fmt: skip


def _code_faults(state: State, ground: Ground, standards: Standards) -> Iterator[Fault]:
    profile = standards.profile
    for code, grid in state.grids.items():
        if code in standards.new_codes:
            continue
        if level(code, profile) == "grid" and parent(code, profile) == grid.village_code:
            continue
        people, households = ground.concerned(state.blocks_of(code))
        yield Fault(
            "code", "soft", code, (), people, households,
            f"网格编码 {code} 不是村(社区) {grid.village_code} 下的有效编码；请核对",
            f"{code} is not a grid code of village {grid.village_code}; check it",
        )  # fmt: skip


def _sizes(state: State, ground: Ground, standards: Standards) -> Iterator[Fault]:
    for code, grid in state.grids.items():
        rule = standards.rules.get(grid.setting) if grid.kind == "residential" else None
        blocks = state.blocks_of(code)
        if rule is None or not blocks:
            continue
        people, households = ground.concerned(blocks)
        count = {"people": people, "households": households}[rule.measure]
        band = rule.band(count)
        if band != "within":
            yield _size_fault(state, ground, standards, (code, rule, band, people, households))


def _size_fault(
    state: State,
    ground: Ground,
    standards: Standards,
    found: tuple[str, SizeRule, str, int, int],
) -> Fault:
    code, rule, band, people, households = found
    count = {"people": people, "households": households}[rule.measure]
    zh, en = rule.says(standards.basis)
    unit_zh, unit_en = MEASURES[rule.measure]
    word_zh, word_en = {"under": ("低于", "under"), "over": ("超过", "over")}[band]
    mend = remedies.merge_small if band == "under" else remedies.relieve
    return Fault(
        f"{band}-band", "soft", code, (), people, households,
        f"网格 {code} 有 {count} {unit_zh}，{word_zh}标准：{zh}",
        f"Grid {code} has {count} {unit_en}, {word_en} the rule: {en}",
        mend(state, ground, code, rule),
    )  # fmt: skip


def _unmanned(state: State, ground: Ground) -> Iterator[Fault]:
    """Yield the grids without anybody posted, and those without a chief."""
    manned, chiefs = ground.manned, ground.chiefs
    for code in state.grids:
        if not state.blocks_of(code):
            continue
        people, households = ground.concerned(state.blocks_of(code))
        if manned is not None and code not in manned:
            yield Fault(
                "no-worker", "soft", code, (), people, households,
                f"网格 {code} 没有网格员或网格长，涉及 {people} 人；请安排人员",
                f"Grid {code} has neither worker nor chief ({people} people); post somebody",
            )  # fmt: skip
        elif chiefs is not None and code not in chiefs:
            yield Fault(
                "no-chief", "soft", code, (), people, households,
                f"网格 {code} 没有网格长，涉及 {people} 人；请指定网格长",
                f"Grid {code} has no chief ({people} people); name one",
            )  # fmt: skip


def _enclosed(state: State, ground: Ground) -> Iterator[Fault]:
    """Yield the residential grids that lie wholly inside one other grid."""
    if not ground.edge_m:
        return
    borders = ground.across(state).fillna("")
    borders = borders[borders["a"] != borders["b"]]
    turned = borders.rename(columns={"a": "b", "b": "a"})
    around = pd.concat([borders, turned]).groupby("a")["b"].agg(["nunique", "first"])
    at_edge = {state.grid_of.get(block) for block, length_m in ground.edge_m.items()
               if length_m > LEAST_EDGE_M}  # fmt: skip
    for code, outer in around.loc[around["nunique"] == 1, "first"].items():
        grid = state.grids.get(str(code))
        if grid is None or not outer or code in at_edge or grid.kind != "residential":
            continue
        people, households = ground.concerned(state.blocks_of(grid.code))
        yield Fault(
            "enclosed", "soft", grid.code, (), people, households,
            f"网格 {code} 完全被网格 {outer} 包围，涉及 {people} 人；请核对，或并入外围网格",
            f"Grid {code} lies wholly inside grid {outer} ({people} people); check it, or merge it",
            Merge((grid.code,), str(outer)),
        )  # fmt: skip


def _fewer_parts(state: State, ground: Ground) -> Iterator[Fault]:
    """Yield the grids of which more parts were declared than there are."""
    declared = {code for code, grid in state.grids.items() if grid.expected_parts > 1}
    parts = ground.parts(state) if declared else {}
    for code in sorted(declared):
        count, wanted = len(parts.get(code, ())), state.grids[code].expected_parts
        if 0 < count < wanted:
            people, households = ground.concerned(state.blocks_of(code))
            yield Fault(
                "fewer-parts", "soft", code, (), people, households,
                f"网格 {code} 声明有 {wanted} 个部分，实际 {count} 个；请更正声明",
                f"Grid {code} is declared to have {wanted} parts and has {count}; declare anew",
                Declare(code, count),
            )  # fmt: skip
