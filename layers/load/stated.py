"""What rows say of the unit they lie in, against where they do lie."""

from __future__ import annotations

import pandas as pd

from grid_boundaries.codes import codes_in_path
from layers.load.columns import clean
from layers.load.description import Source
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
    depth = LEVELS[source.stated.level]
    names = units.set_index("code")["name"].to_dict()
    rows = placed.merge(told, on="id")
    codes = rows["unit_path"].map(codes_in_path)
    inside = codes.map(len) >= depth
    width = len(source.stated.columns)
    lies_in = codes.map(
        lambda path: " ".join(str(names[code]) for code in path[max(depth - width, 0) : depth])
    )
    wrong = rows[inside & (lies_in != rows["stated"])]
    facts = [
        {"stated": stated, "lies_in": actual}
        for stated, actual in zip(wrong["stated"], lies_in[wrong.index], strict=True)
    ]
    return findings(
        source.name, source.into, wrong["id"].tolist(), "stated-unit-differs",
        REASONS["stated-unit-differs"], facts=facts,
        unit_path=wrong["unit_path"].tolist(), geom=wrong["geom"].tolist(),
    )  # fmt: skip
