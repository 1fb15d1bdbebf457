"""What rows say of the unit they lie in, against where they do lie."""

from __future__ import annotations

from typing import Any

import pandas as pd

from grid_boundaries.codes import codes_in_path
from layers.load.columns import clean
from layers.load.description import Source, Stated
from layers.load.intake import Intake
from layers.load.reasons import REASONS
from layers.load.report import FINDING_COLUMNS, findings

LEVELS = {"town": 2, "village": 3}  # how many codes of a path a level has


def statements(intake: Intake, source: Source, frame: pd.DataFrame) -> pd.DataFrame:
    """Return `id` and the unit `stated` for the rows that state one, before they are placed.

    The rows of the frame must be those of the intake, in its order.
    """
    if source.stated is None:
        return pd.DataFrame({"id": [], "stated": []}, dtype=object)
    parts = [clean(intake.table[column]) for column in source.stated.columns]
    stated = parts[0].str.cat(pd.concat(parts[1:], axis=1), sep=" ") if len(parts) > 1 else parts[0]
    told = pd.DataFrame({"id": frame["id"].to_numpy(), "stated": stated.to_numpy()})
    return told.dropna()


def differing(
    source: Source, told: pd.DataFrame, placed: pd.DataFrame, units: pd.DataFrame
) -> pd.DataFrame:
    """Return a finding for each row that lies in another unit than it states.

    Rows outside every village are passed over: they lie in no other one. A village is stated
    together with its town, for villages of one name exist.

    Parameters
    ----------
    placed
        The table's frame with `id`, `unit_path` and `geom`.
    units
        The unit frame, for the names.
    """
    if source.stated is None or told.empty:
        return pd.DataFrame(columns=FINDING_COLUMNS, dtype=object)
    rows = placed.merge(told, on="id")
    rows["lies_in"] = _names(rows["unit_path"], source.stated, units)
    wrong = rows[rows["lies_in"].notna() & (rows["lies_in"] != rows["stated"])]
    return findings(
        source.name,
        source.into,
        wrong["id"].tolist(),
        "stated-unit-differs",
        REASONS["stated-unit-differs"],
        facts=wrong[["stated", "lies_in"]].to_dict("records"),
        unit_path=wrong["unit_path"].tolist(),
        geom=wrong["geom"].tolist(),
    )


def _names(paths: pd.Series[Any], stated: Stated, units: pd.DataFrame) -> pd.Series[Any]:
    """Return the names of the units that rows lie in, written as the source states them."""
    depth = LEVELS[stated.level]
    from_level = max(depth - len(stated.columns), 0)
    names = units.set_index("code")["name"]
    codes = [codes_in_path(path) for path in paths]
    texts = [
        " ".join(names[code] for code in path[from_level:depth]) if len(path) >= depth else None
        for path in codes
    ]
    return pd.Series(texts, index=paths.index, dtype=object)
