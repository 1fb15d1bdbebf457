"""Cells into values: text cleaned, numbers and dates read, words looked up in a table."""

from __future__ import annotations

import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from grid_boundaries.errors import Refused
from layers.load.description import ColumnRule, Source
from layers.load.intake import Intake

ROC_OFFSET_YEARS = 1911  # year 1 of the Republic is 1912
LAST_YEAR = 9_999  # that Python and the database can both write
TIME_PARTS = ("year", "month", "day", "hour", "minute")


def clean(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return text without outer space and line noise, None where nothing is left.

    Runs of white space, line breaks and full-width spaces among them, become one space.
    """
    return pd.Series([_clean(cell) for cell in cells], index=cells.index, dtype=object)


def numbers(cells: pd.Series[Any]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Return numbers (NaN where there is none), and which cells hold something else.

    Full-width digits are read; infinite and NaN literals are not numbers.
    """
    text = clean(cells)
    plain = text.map(lambda cell: unicodedata.normalize("NFKC", cell), na_action="ignore")
    values = pd.to_numeric(plain, errors="coerce").astype(float)
    values = values.where(values.abs() < float("inf"))
    return values, text.notna() & values.isna()


def check_columns(intake: Intake, source: Source) -> None:
    """Refuse a file that lacks columns which its description speaks of."""
    missing = sorted(source.wanted() - set(intake.table.columns))
    if missing:
        raise Refused(
            "missing-column",
            f"{source.name} 缺少列：{'、'.join(missing)}",
            f"{source.name} lacks the columns {', '.join(missing)}",
            source=source.name,
            columns=missing,
        )


def reject_by_rules(intake: Intake, source: Source) -> None:
    """Take out the rows that the description's reject rules name."""
    for rule in source.reject:
        cells = clean(intake.table[rule.column])
        out = cells.isin(rule.is_one_of)
        facts = [{rule.column: cell} for cell in cells[out]]
        intake.reject(out.index[out], rule.code, facts)


def values_of(intake: Intake, source: Source, time_zone: str) -> pd.DataFrame:
    """Return our columns of the rows; rows without a needed value leave the intake."""
    read: dict[str, pd.Series[Any]] = {}
    for ours, rule in source.rules.items():
        read[ours], unreadable, code = _column(intake.table, rule, time_zone)
        bad = unreadable[unreadable].index
        theirs = [{"column": ours, "seen": seen} for seen in _seen(intake.table.loc[bad], rule)]
        if rule.needed:
            intake.reject(bad, code, theirs)
            empty = read[ours].loc[intake.table.index].isna()
            intake.reject(empty[empty].index, "missing-value", [{"column": ours}] * empty.sum())
        else:
            intake.note(bad, code, theirs)
        read = {name: column.loc[intake.table.index] for name, column in read.items()}
    return pd.DataFrame(read, index=intake.table.index)


def _column(
    table: pd.DataFrame, rule: ColumnRule, time_zone: str
) -> tuple[pd.Series[Any], pd.Series[bool], str]:
    """Return values, which cells could not be read, and the word for that."""
    parts = table[list(rule.sources)]
    match rule.read:
        case "roc_time":
            return *_roc_times(parts, time_zone), "not-a-date"
        case "time":
            return *_times(clean(parts.iloc[:, 0]), time_zone), "not-a-date"
        case "number":
            return *numbers(parts.iloc[:, 0]), "not-a-number"
    return *_words(_joined(parts), rule), "unknown-value"


def _joined(parts: pd.DataFrame) -> pd.Series[Any]:
    """Return the cleaned text of columns that are read together, empty ones passed over."""
    text = clean(parts.iloc[:, 0])
    for name in parts.columns[1:]:
        text = text.str.cat(clean(parts[name]), sep=" ", na_rep="").str.strip()
    return text


def _words(text: pd.Series[Any], rule: ColumnRule) -> tuple[pd.Series[Any], pd.Series[bool]]:
    """Return text as it stands, or what the rule's table has for it and where it has nothing."""
    if not rule.values:
        return text, pd.Series(False, index=text.index)
    looked_up = [rule.values.get(cell, rule.otherwise) for cell in text]
    unknown = ~text.isin(list(rule.values)) & text.notna() & (rule.otherwise is None)
    return pd.Series(looked_up, index=text.index, dtype=object), unknown


def _times(text: pd.Series[Any], time_zone: str) -> tuple[pd.Series[Any], pd.Series[bool]]:
    """Return aware times of ISO 8601 text (local without an offset), and which cells are none."""
    zone = ZoneInfo(time_zone)
    # pandas would also read "now" and "today"
    written = text.astype(object).where(text.str.match(r"\d", na=False))
    read = pd.to_datetime(written, errors="coerce", format="ISO8601", utc=True)
    has_offset = text.str.contains(r"(?:[zZ]|[+-]\d\d:?\d\d)$", regex=True).eq(True)
    local = read.dt.tz_localize(None).dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    times = read.dt.tz_convert(zone).where(has_offset, local)
    return times, text.notna() & times.isna()


def _roc_times(parts: pd.DataFrame, time_zone: str) -> tuple[pd.Series[Any], pd.Series[bool]]:
    values = pd.DataFrame(
        {
            name: numbers(parts[column])[0]
            for name, column in zip(TIME_PARTS, parts.columns, strict=True)
        }
    )
    values["year"] += ROC_OFFSET_YEARS
    # pandas would carry hour 25 over into the next day
    on_the_clock = values["hour"].between(0, 23) & values["minute"].between(0, 59)
    in_time = on_the_clock & values["year"].between(1, LAST_YEAR)
    local = pd.to_datetime(values.where(in_time), errors="coerce")
    times = local.dt.tz_localize(ZoneInfo(time_zone), ambiguous="NaT", nonexistent="NaT")
    return times, times.isna()


def _seen(table: pd.DataFrame, rule: ColumnRule) -> list[str]:
    rows = table[list(rule.sources)].to_numpy(dtype=object).tolist()
    return [" ".join("" if pd.isna(cell) else str(cell) for cell in cells)[:80] for cells in rows]


def _clean(cell: Any) -> Any:
    if isinstance(cell, str):
        return " ".join(cell.split()) or None
    if cell is None or cell != cell:
        return None
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
