"""Findings and counts of a load, as the frames that the tables `finding` and `load_count` take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FINDING_COLUMNS = ["source", "layer", "row", "code", "zh", "en", "facts", "unit_path", "geom"]
COUNT_COLUMNS = ["source", "layer", "rows_in", "loaded", "rejected", "reasons"]


def findings(
    source: str,
    layer: str,
    rows: Sequence[Any],
    code: str,
    texts: tuple[str, str],
    *,
    facts: Sequence[Mapping[Any, Any]] | None = None,
    unit_path: str | Sequence[str] = "",
    geom: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Return one finding per row of a source that shares one fault.

    Parameters
    ----------
    source, layer
        File or check that found it, and the layer or table it concerns.
    rows
        Key or number of each row; one finding each.
    code
        Kebab-case word of the fault.
    texts
        Chinese and English sentence.
    facts
        Per row what was seen: plain JSON values.
    unit_path
        Where it lies, one for all or per row; an empty one is filled at placing.
    geom
        Per row a geometry in EPSG:4490 or None.
    """
    count = len(rows)
    same = {"source": source, "layer": layer, "code": code, "zh": texts[0], "en": texts[1]}
    own: dict[str, Sequence[Any]] = {
        "row": [str(row) for row in rows],
        "facts": [dict(fact) for fact in facts or [{}] * count],
        "unit_path": [unit_path] * count if isinstance(unit_path, str) else unit_path,
        "geom": geom if geom is not None else [None] * count,
    }
    columns = {name: pd.Series(list(values), dtype=object) for name, values in own.items()}
    return pd.DataFrame({**same, **columns}, columns=FINDING_COLUMNS, index=range(count))


def joined(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return frames of the same columns one after the other; an empty frame for none."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns), dtype=object)
    return pd.concat(filled, ignore_index=True)


def load_counts(
    source: str, layer: str, *, rows_in: int, loaded: int, reasons: Mapping[str, int]
) -> pd.DataFrame:
    """Return one row that says how many rows came, were loaded, and were rejected for what.

    Raises
    ------
    ArithmeticError
        The rows do not add up; a reader that lost a row is a fault of ours, not of the file.
    """
    rejected = sum(reasons.values())
    if rows_in != loaded + rejected:
        raise ArithmeticError(
            f"{source} → {layer}: {rows_in} rows in are not {loaded} + {rejected}"
        )
    row = [source, layer, rows_in, loaded, rejected, dict(reasons)]
    return pd.DataFrame([row], columns=COUNT_COLUMNS)
