"""Findings: what is wrong with an imported layer, where, in two languages, and what repair does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pandas as pd
from shapely.geometry.base import BaseGeometry

NO_FACTS: Mapping[str, Any] = MappingProxyType({})

# what the repair will do, by its word
REPAIRS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "merge": (
            "并入共享边界最长的相邻网格",
            "it is merged into the neighbour with the longest shared border",
        ),
        "contest": (
            "成为争议图斑，由规划员裁定",
            "it becomes a contested block for a planner to settle",
        ),
        "unassign": (
            "成为未归属图斑，由规划员划入网格",
            "it becomes an unassigned block for a planner to give to a grid",
        ),
        "clip": ("裁去，不计入任何网格", "it is cut off and counted in no grid"),
        "part": (
            "单独成为一个图斑，仍归该网格，待规划员确认",
            "it becomes a block of its own in that grid, for a planner to confirm",
        ),
        "mend": ("按其结构修成有效图形", "it is made valid by its structure"),
        "drop": ("该行不用", "the row is not used"),
        "unite": ("各行合为一个网格", "the rows are united to one grid"),
        "provisional": ("先给临时编码，待规划员改正", "it gets a provisional code until corrected"),
        "alias": (
            "原编码存为别名，发布时另给编码",
            "the code is kept as an alias, and a lasting one is given on publication",
        ),
        "correct": ("按此改正", "it is corrected so"),
        "whole": (
            "图斑整块归面积占比最大的网格",
            "the block goes whole to the grid with the largest part of it",
        ),
        "keep": ("保持原样", "it is left as it is"),
        "confirm": ("须确认坐标系后才能采纳", "the CRS must be confirmed before acceptance"),
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that a planner should know of.

    Parameters
    ----------
    kind
        Word of the fault, e.g. "overlap", "gap", "outside-unit", "invalid-polygon".
    codes
        Grids concerned.
    zh, en
        What is wrong, one sentence each, without what repair does.
    repair
        Key of `REPAIRS`.
    geometry
        Where, in the county's metric CRS; None where it has no place.
    people, households
        Who lives there by the block sums, by share of area; None where none were given.
    facts
        Plain JSON values: row, width, place of an invalid ring, proposed owner.
    """

    kind: str
    codes: tuple[str, ...]
    zh: str
    en: str
    repair: str
    geometry: BaseGeometry | None = None
    area_m2: float = 0.0
    people: float | None = None
    households: float | None = None
    facts: Mapping[str, Any] = field(default_factory=lambda: NO_FACTS)

    @property
    def wire(self) -> dict[str, Any]:
        """The finding as plain JSON values, without its geometry."""
        repair_zh, repair_en = REPAIRS[self.repair]
        return {
            "kind": self.kind, "codes": list(self.codes), "area_m2": round(self.area_m2, 3),
            "people": self.people, "households": self.households,
            "zh": f"{self.zh}；{repair_zh}", "en": f"{self.en}; {repair_en}",
            "repair": self.repair, "facts": dict(self.facts),
        }  # fmt: skip


def with_people(findings: Sequence[Finding], people: pd.DataFrame | None) -> list[Finding]:
    """Return findings with the people and households that `concerned` counted for each.

    Parameters
    ----------
    people
        Columns people and households, one row for each finding that has a geometry, in order;
        None leaves the findings as they are.
    """
    if people is None:
        return list(findings)
    counts = iter(people[["people", "households"]].round(1).to_numpy().tolist())
    return [one if one.geometry is None else _counted(one, *next(counts)) for one in findings]


def _counted(one: Finding, people: float, households: float) -> Finding:
    return replace(one, people=people, households=households)


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each kind, and of them how many are slivers."""
    found: dict[str, int] = {}
    for one in findings:
        found[one.kind] = found.get(one.kind, 0) + 1
        if one.facts.get("sliver"):
            found["slivers"] = found.get("slivers", 0) + 1
    return dict(sorted(found.items()))


def area_words(area_m2: float) -> str:
    """Return an area as a sentence shows it: two decimals under 100 m², else whole."""
    return f"{area_m2:.2f} m²" if area_m2 < 100 else f"{area_m2:,.0f} m²"
