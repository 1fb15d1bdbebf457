"""Which columns of a table are sealed on their way in, and the frames in which they are."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Table

from layers.load.seal import Sealer


def sealed_fields(table: Table) -> list[str]:
    """Return the columns that are never stored in plain text: those with a hash beside them."""
    return [column.name for column in table.c if f"{column.name}_hash" in table.c]


def with_sealed_fields(frame: pd.DataFrame, table: Table, sealer: Sealer) -> pd.DataFrame:
    """Return a frame whose plain personal columns are sealed, each with its hash beside it.

    Parameters
    ----------
    frame
        With the column `id`, which a sealed value is bound to. A missing value stays missing.
    """
    ready = frame.copy(deep=False)
    for field in sealed_fields(table):
        if field not in frame.columns:
            continue
        rows = [
            (None, None)
            if pd.isna(value)
            else (sealer.seal(field, row, str(value)), sealer.hash(field, str(value)))
            for row, value in zip(frame["id"], frame[field], strict=True)
        ]
        sealed = pd.DataFrame(rows, columns=["seal", "hash"], index=frame.index, dtype=object)
        ready[field], ready[f"{field}_hash"] = sealed["seal"], sealed["hash"]
    return ready
