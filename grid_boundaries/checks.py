"""Checks of a plan: what is wrong or doubtful, whom it concerns, and a stroke that mends it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from grid_boundaries import remedies
from grid_boundaries.codes import CodeProfile, level, parent
from grid_boundaries.plan_state import State
from grid_boundaries.remedies import Ground
from grid_boundaries.rules import MEASURES, SizeRule
from grid_boundaries.strokes import Stroke, wire_of

Severity = Literal["hard", "soft"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong (hard: it stops publication) or doubtful (soft).

    Parameters
    ----------
    key
        The same for the same fault of another state: kind, grid and the least of its blocks.
    blocks
        Where it is; with `grid` the place on the map.
    remedy
        A stroke that mends it; None where only a planner can say.
    """

    kind: str
    severity: Severity
    grid: str | None
    blocks: tuple[str, ...]
    people: int
    households: int
    zh: str
    en: str
    remedy: Stroke | None = None

    @property
    def key(self) -> str:
        """The fault's name within its plan."""
        least = min(self.blocks, default="") if self.kind in _BY_BLOCK else ""
        return ":".join(filter(None, (self.kind, self.grid, least)))

    @property
    def wire(self) -> dict[str, Any]:
        """The fault as plain JSON values."""
        names = ("key", "kind", "severity", "grid", "people", "households", "zh", "en")
        plain: dict[str, Any] = {name: getattr(self, name) for name in names}
        remedy = None if self.remedy is None else wire_of(self.remedy)
        return {**plain, "blocks": list(self.blocks), "remedy": remedy}


_BY_BLOCK = frozenset({"unassigned", "detached", "not-nested"})


@dataclass(frozen=True)
class Standards:
    """What grids are held to.

    Parameters
    ----------
    rules
        Size rule by the grid's setting; grids of other settings, and special ones, have none.
    basis
        Population basis of the sums: "present", "registered" or "usual".
    villages
        Codes of the villages that must have a grid.
    new_codes
        Codes of grids that the plan makes; they get lasting ones when it is published.
    """

    rules: Mapping[str, SizeRule]
    basis: str
    profile: CodeProfile
    villages: Collection[str]
    new_codes: Collection[str] = ()


def checks(state: State, ground: Ground, standards: Standards) -> list[Fault]:
    """Return every fault of a state, hard ones first, then by the people concerned.

    Parameters
    ----------
    ground
        What is known of the blocks: counts, neighbours, villages; covers every block.
    """
    found = [
        *_unassigned(state, ground),
        *_detached(state, ground),
        *_not_nested(state, ground),
        *_without_grid(state, ground, standards),
        *_code_faults(state, ground, standards),
        *_sizes(state, ground, standards),
        *_unmanned(state, ground),
    ]
    return sorted(found, key=lambda fault: (fault.severity, -fault.people, fault.key))


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
    if ground.manned is None:
        return
    for code in state.grids:
        if code not in ground.manned and state.blocks_of(code):
            people, households = ground.concerned(state.blocks_of(code))
            yield Fault(
                "no-worker", "soft", code, (), people, households,
                f"网格 {code} 没有网格员或网格长，涉及 {people} 人；请安排人员",
                f"Grid {code} has neither worker nor chief ({people} people); post somebody",
            )  # fmt: skip


def fault_frame(faults: list[Fault]) -> pd.DataFrame:
    """Return faults as a table, one row each, with the number of blocks."""
    columns = ["key", "kind", "severity", "grid", "blocks", "people", "households", "zh", "en"]
    rows = [[getattr(fault, name) for name in columns] for fault in faults]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(blocks=[len(fault.blocks) for fault in faults])
