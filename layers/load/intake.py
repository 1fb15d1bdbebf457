"""The rows of one source on their way into a table, with a verdict on each that falls out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from layers.load.reasons import REASONS
from layers.load.report import FINDING_COLUMNS, findings, joined, load_counts
from layers.load.rows import Rejection, Rows

Facts = Sequence[Mapping[Any, Any]] | None


class Intake:
    """What is left of a source, what was rejected, and what was found on the way.

    Parameters
    ----------
    source, layer
        Words under which findings and counts are kept.
    rows
        As read; its rejections are taken over.

    Attributes
    ----------
    table : DataFrame
        The rows still in, with the source's columns, indexed by row number.
    shapes : Series
        Their geometry, or None each.
    """

    def __init__(self, source: str, layer: str, rows: Rows) -> None:
        self.source, self.layer = source, layer
        self.table = rows.table
        geometry = rows.geometry if rows.geometry is not None else np.full(len(rows.table), None)
        self.shapes = pd.Series(geometry, index=rows.table.index, dtype=object)
        self._rows_in = rows.count
        self._reasons: Counter[str] = Counter()
        self._found: list[pd.DataFrame] = []
        by_code: dict[str, list[Rejection]] = {}
        for rejection in rows.rejected:
            by_code.setdefault(rejection.code, []).append(rejection)
        for code, same in by_code.items():
            self._reasons[code] += len(same)
            self._find([it.row for it in same], code, [it.facts for it in same], None)

    def reject(self, numbers: Iterable[int], code: str, facts: Facts = None) -> None:
        """Take rows out for a reason, each with a finding (at its place, where that is known)."""
        out = list(numbers)
        if not out:
            return
        self._reasons[code] += len(out)
        self.note(out, code, facts)
        self.table = self.table.drop(index=out)
        self.shapes = self.shapes.drop(index=out)

    def note(self, numbers: Iterable[int], code: str, facts: Facts = None) -> None:
        """Say something of rows that stay in."""
        rows = list(numbers)
        self._find(rows, code, facts, [_shown(shape) for shape in self.shapes.loc[rows]])

    def found(self) -> pd.DataFrame:
        """Return the findings so far."""
        return joined(self._found, FINDING_COLUMNS)

    def counts(self) -> pd.DataFrame:
        """Return the row of `load_count`; what is still in counts as loaded."""
        return load_counts(
            self.source,
            self.layer,
            rows_in=self._rows_in,
            loaded=len(self.table),
            reasons=dict(self._reasons),
        )

    def _find(
        self, rows: Sequence[int], code: str, facts: Facts, geom: Sequence[Any] | None
    ) -> None:
        texts = REASONS.get(code, (code, code))
        self._found.append(
            findings(self.source, self.layer, rows, code, texts, facts=facts, geom=geom)
        )


def _shown(shape: Any) -> Any:
    """Return where a faulty geometry is, the middle of its box, if that can be stored at all."""
    west, south, east, north = shapely.bounds(shape)  # NaN for none, an empty one, a missing number
    lon, lat = (west + east) / 2, (south + north) / 2
    return shapely.Point(lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None
