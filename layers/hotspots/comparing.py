"""Week on week and year on year (环比、同比): a unit's incidents against those of before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from grid_boundaries.store import unit
from grid_boundaries.view import View, narrowed
from layers.hotspots.change import changes
from layers.hotspots.inputs import EVERY, Filters, recent_incidents
from layers.hotspots.sentences import change_sentences
from layers.hotspots.wire import LEAST_COUNTED
from layers.read import the_county

YEAR_DAYS = 364
"""The same weekdays of the year before."""

PERIODS_DAYS = (7, 30)
READ_DAYS = YEAR_DAYS + max(PERIODS_DAYS)
PREVIOUS = {7: ("前一周", "the week before"), 30: ("前 30 天", "the 30 days before")}
YEAR_BEFORE = ("去年同期", "the same days of the year before")
Wire = dict[str, Any]


def comparisons(
    connection: Connection, view: View, path: str, now: datetime, filters: Filters = EVERY
) -> Wire:
    """Return how the incidents of a unit and of the units right below it changed.

    Of some kind of incidents, counts under `LEAST_COUNTED` are left out, with what would tell
    them.

    Parameters
    ----------
    path
        Of a unit within the view.
    now
        Aware; the periods end with its day.
    """
    incidents = recent_incidents(
        connection, view, the_county(connection), now, days=READ_DAYS, filters=filters
    )
    known_days = int(incidents["age_days"].max()) + 1 if len(incidents) else 0
    least = 0 if filters == EVERY else LEAST_COUNTED
    rows = [
        row
        for one in _units(connection, view, path)
        for row in _of_unit(one, incidents, known_days, least)
    ]
    return {"last_day": now.date().isoformat(), "known_days": known_days, "trends": rows}


def _units(connection: Connection, view: View, path: str) -> list[Any]:
    """Return a unit and those right below it."""
    table = unit.c
    columns = (table.code, table.name, table.level, table.unit_path)
    below = select(*columns).where(
        table.valid_to.is_(None),
        table.unit_path.startswith(path, autoescape=True),
    )
    rows = connection.execute(narrowed(below, view, table.unit_path).order_by(table.unit_path))
    depth = path.count("/")
    return [row for row in rows if row.unit_path.count("/") <= depth + 1]


def _of_unit(one: Any, incidents: pd.DataFrame, known_days: int, least: int) -> Iterator[Wire]:
    own = incidents["unit_path"].str.startswith(one.unit_path)
    ages = incidents["age_days"].to_numpy()[own.to_numpy(dtype=np.bool_)]
    for days in PERIODS_DAYS:
        for compare, back in (("previous", days), ("year_before", YEAR_DAYS)):
            than = YEAR_BEFORE if compare == "year_before" else PREVIOUS[days]
            told = {
                "unit": one.code, "name": one.name, "level": one.level,
                "unit_path": one.unit_path, "period_days": days, "compare": compare,
            }  # fmt: skip
            if back + days > known_days:
                yield told | _unknown(known_days)
            else:
                yield told | _compared(_count(ages, 0, days), _count(ages, back, days), than, least)


def _count(ages: np.ndarray[Any, np.dtype[np.int64]], newest_day: int, days: int) -> int:
    return int(np.count_nonzero((ages >= newest_day) & (ages < newest_day + days)))


def _compared(now: int, before: int, than: tuple[str, str], least: int) -> Wire:
    if min(now, before) < least:
        return _hidden(least)
    found = changes([now], [before])
    low, high = float(found.low[0]), float(found.high[0])
    zh, en = change_sentences(now, before, (low, high), than)
    numbers = {"ratio": float(found.ratio[0]), "low": low, "high": high, "p": float(found.p[0])}
    plain = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
    return {"now": now, "before": before, **plain, "zh": zh, "en": en}


_NONE = dict.fromkeys(("now", "before", "ratio", "low", "high", "p"))


def _hidden(least: int) -> Wire:
    return {
        **_NONE,
        "zh": f"件数少于 {least}，不显示。",
        "en": f"Fewer than {least} incidents: not shown.",
    }


def _unknown(known_days: int) -> Wire:
    return {
        **_NONE,
        "zh": f"事件记录仅 {known_days} 天，无从比较。",
        "en": f"Incidents are known for {known_days} days only: nothing to compare with.",
    }
