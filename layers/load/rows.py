"""The rows of a file as they were read, with those that could not be, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class Rejection:
    """One row that was not taken.

    Parameters
    ----------
    row
        Number of the record, the first after the header (or the first feature) being 1.
    code
        Word of `layers.load.reasons`.
    facts
        What was seen; plain JSON values.
    """

    row: int
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """What a reader gives: every record is in `table` or in `rejected`, none in both.

    Parameters
    ----------
    table
        The source's own columns, indexed by row number; text as text.
    geometry
        Shapely objects in the order of `table` (None where a row has none), as the file has
        them; None for a file without geometry.
    crs
        What the file says its coordinates are, e.g. ``"EPSG:4326"``; empty when it does not.
    """

    table: pd.DataFrame
    rejected: tuple[Rejection, ...] = ()
    geometry: npt.NDArray[np.object_] | None = None
    crs: str = ""

    @property
    def count(self) -> int:
        """Return the number of records in the file."""
        return len(self.table) + len(self.rejected)
