"""Spans of time that a scan looks at: runs of whole steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grid_boundaries.errors import Refused

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LARGEST_SHARE = 2
"""Without a stated length a span takes up to one part in this many of all steps."""


@dataclass(frozen=True)
class Spans:
    """Runs of `shortest` to `longest` of `steps` steps; where `alive`, only up to the last step.

    A table by step is kept as sums from a step to the end, one row for each step where a span
    may begin (`rows` of them) and then a row of zeros: every span is one row less another.
    """

    steps: int
    shortest: int
    longest: int
    alive: bool

    @property
    def first_row_step(self) -> int:
        """The step of row 0; what happened before is in no span."""
        return self.steps - self.longest if self.alive else 0

    @property
    def rows(self) -> int:
        """How many rows there are, not counting the zeros."""
        return self.steps - self.first_row_step - (self.shortest - 1 if self.alive else 0)

    def row_of_step(self) -> Whole:
        """Return the last row whose sums hold each step, shape (steps,), -1 where none does."""
        row = np.arange(self.steps) - self.first_row_step
        return np.where(row < 0, -1, np.minimum(row, self.rows - 1))

    def sums(self, table: Floats) -> Floats:
        """Return the rows of a table by location and step, shape (n, rows + 1)."""
        later = np.cumsum(table[:, ::-1], axis=1)[:, ::-1]
        rows = later[:, self.first_row_step : self.first_row_step + self.rows]
        return np.concatenate([rows, np.zeros((len(table), 1))], axis=1)

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """Go through the spans: first and last step, and the rows whose difference they are."""
        for start in range(self.first_row_step, self.first_row_step + self.rows):
            row = start - self.first_row_step
            if self.alive:
                yield start, self.steps - 1, row, self.rows
                continue
            for end in range(start + self.shortest - 1, min(start + self.longest, self.steps)):
                yield start, end, row, end + 1


def spans(steps: int, windows: tuple[int, int] | None, *, prospective: bool) -> Spans:
    """Return the spans of `steps` steps.

    Parameters
    ----------
    steps
        At least 1.
    windows
        Shortest and longest, in steps; 1 and half of all steps where None.
    prospective
        Only spans that are still going on at the last step.

    Raises
    ------
    Refused
        ``scan-windows`` unless 1 <= shortest <= longest <= steps.
    """
    shortest, longest = windows or (1, max(steps // LARGEST_SHARE, 1))
    if not 1 <= shortest <= longest <= steps:
        raise Refused(
            "scan-windows",
            f"时间窗应满足 1 ≤ 最短 ≤ 最长 ≤ {steps} 个时段",
            f"windows must be 1 <= shortest <= longest <= {steps} steps",
            shortest=shortest,
            longest=longest,
        )
    return Spans(steps, int(shortest), int(longest), prospective)
