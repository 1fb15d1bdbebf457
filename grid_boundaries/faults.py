"""Faults of a plan as values: what is wrong or doubtful, whom it concerns, and what mends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from grid_boundaries.codes import CodeProfile
from grid_boundaries.remedies import Remedy, asked_of
from grid_boundaries.rules import SizeRule

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
    thing
        Id of what is cut: a building, a natural village, a group, a special area.
    """

    kind: str
    severity: Severity
    grid: str | None
    blocks: tuple[str, ...]
    people: int
    households: int
    zh: str
    en: str
    remedy: Remedy | None = None
    thing: str | None = None

    @property
    def key(self) -> str:
        """The fault's name within its plan."""
        least = min(self.blocks, default="") if self.kind in _BY_BLOCK else ""
        return ":".join(filter(None, (self.kind, self.grid, self.thing, least)))

    def concerns(self, blocks: Collection[str], grids: Collection[str]) -> bool:
        """Say whether the fault is in one of some blocks or grids."""
        return self.grid in grids or any(block in blocks for block in self.blocks)

    @property
    def wire(self) -> dict[str, Any]:
        """The fault as plain JSON values."""
        names = ("key", "kind", "severity", "grid", "thing", "people", "households", "zh", "en")
        plain: dict[str, Any] = {name: getattr(self, name) for name in names}
        remedy = None if self.remedy is None else asked_of(self.remedy)
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


def fault_frame(faults: list[Fault]) -> pd.DataFrame:
    """Return faults as a table, one row each, with the number of blocks."""
    columns = ["key", "kind", "severity", "grid", "blocks", "people", "households", "zh", "en"]
    rows = [[getattr(fault, name) for name in columns] for fault in faults]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(blocks=[len(fault.blocks) for fault in faults])
