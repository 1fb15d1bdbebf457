"""What a hotspot method looks at: incidents in cells over a window, counted as it needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from layers.hotspots.areas import Facts, common_unit
from layers.hotspots.findings import Reason, Window
from layers.hotspots.inputs import Cells

LEAST_TOLD = 5
"""Kinds with fewer incidents in an area are not named: they might point at somebody."""

MOST_KINDS = 3


@dataclass(frozen=True)
class Lookout:
    """What a method looks at: incidents in cells over a window, and what they are held against.

    Parameters
    ----------
    incidents
        As `layers.hotspots.inputs.recent_incidents` gives them, of the window and before.
    base_names
        What the residents are called in Chinese and English.
    """

    cells: Cells
    incidents: GeoDataFrame
    window: Window
    base_names: tuple[str, str]

    @property
    def has_base(self) -> bool:
        """Say whether residents are known to compare with."""
        return bool(self.cells.people.any())

    @property
    def base(self) -> tuple[str, str] | None:
        """The names of what incidents are compared with; None for places alone."""
        return self.base_names if self.has_base else None

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which incidents lie in the window, wherever they lie."""
        age = self.incidents["age_days"].to_numpy()
        return np.asarray(age < self.window.days)

    def counts(self, newest_day: int = 0, days: int | None = None) -> NDArray[np.int64]:
        """Return incidents per cell in the days from `newest_day` back; the window's by default."""
        age = self.incidents["age_days"].to_numpy()
        last = newest_day + (self.window.days if days is None else days)
        rows = self.cells.row_of_incident
        wanted = (age >= newest_day) & (age < last) & (rows >= 0)
        return np.bincount(rows[wanted], minlength=len(self.cells.frame)).astype(np.int64)

    def by_week(self, weeks: int) -> NDArray[np.int64]:
        """Return incidents per cell and week, the last one ending with the window."""
        return np.column_stack([self.counts(7 * back, 7) for back in reversed(range(weeks))])

    def codes(self, rows: Iterable[int]) -> list[str]:
        """Return the codes of cells."""
        return [str(code) for code in self.cells.frame["cell"].iloc[list(rows)]]

    def place(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return name, unit, middle and members of an area, told by its cells, middle first."""
        frame = self.cells.frame
        middle = frame.geometry.iloc[rows[0]].centroid
        return {
            "name": frame["name"].iloc[rows[0]],
            "unit_path": common_unit(frame["unit_path"].iloc[list(rows)]),
            "x_m": float(middle.x),
            "y_m": float(middle.y),
            "members": self.codes(rows),
        }

    def facts(self, method: str, reason: Reason | None, **more: Any) -> Facts:
        """Return the facts of the whole map."""
        inside = self.inside
        points = self.incidents.geometry[inside]
        base = self.base
        return {
            "method": method,
            "cells": self.cells.kind,
            "window_days": self.window.days,
            "first_day": self.window.first_day.isoformat(),
            "last_day": self.window.last_day.isoformat(),
            "cells_looked_at": len(self.cells.frame),
            "incidents": int(inside.sum()),
            "located": int((inside & (self.cells.row_of_incident >= 0)).sum()),
            "coincident": int(points.duplicated().sum()),
            "base": None if base is None else {"zh": base[0], "en": base[1]},
            "tested": reason is None,
            "reason": None if reason is None else dict(vars(reason)),
            **more,
        }

    def kinds(
        self, rows: Sequence[int], newest_day: int = 0, days: int | None = None
    ) -> list[Facts]:
        """Return the most frequent kinds of incidents in cells; see `LEAST_TOLD`."""
        age = self.incidents["age_days"].to_numpy()
        last = newest_day + (self.window.days if days is None else days)
        inside = (age >= newest_day) & (age < last)
        inside[inside] = np.isin(self.cells.row_of_incident[inside], list(rows))
        numbers, pairs = self._kinds
        return top_kinds(np.bincount(numbers[inside], minlength=len(pairs)), pairs)

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
        """The kind and category of each incident as a number, and what the numbers mean."""
        both = pd.MultiIndex.from_frame(self.incidents[["kind", "category"]])
        numbers, pairs = both.factorize()
        return numbers.astype(np.int64), list(pairs)


def top_kinds(counts: NDArray[np.int64], pairs: Sequence[tuple[str, str]]) -> list[Facts]:
    """Return the most frequent pairs of kind and category, most first; see `LEAST_TOLD`."""
    told = ((-int(counts[at]), *pairs[at]) for at in np.flatnonzero(counts >= LEAST_TOLD).tolist())
    return [
        {"kind": kind, "category": category, "incidents": -less}
        for less, kind, category in sorted(told)[:MOST_KINDS]
    ]
