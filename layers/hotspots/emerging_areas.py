"""Cells over the weeks as areas: which became, stayed or stopped being hot or cold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from layers.hotspots.areas import Answer, Area
from layers.hotspots.findings import Reason, Window, too_thin
from layers.hotspots.lookout import Lookout
from layers.hotspots.phases import PHASE_OF_CATEGORY
from layers.hotspots.sentences import emerging_sentences
from layers.hotspots.trend import emerging

METHOD = "emerging"
MOST_WEEKS = 104
FEWEST_WEEKS = 8
WINDOW_DAYS = 7 * MOST_WEEKS


def emerging_answer(look: Lookout, table: pd.DataFrame | None = None) -> Answer:
    """Return the cells with a category other than none, the surest first.

    Parameters
    ----------
    look
        Its window is `WINDOW_DAYS` long; weeks before the first incident do not count.
    table
        As `emerging_table` gives it, where known.
    """
    found = emerging_table(look) if table is None else table
    weeks = weeks_known(look)
    counts = look.counts(0, 7 * weeks) if weeks else look.counts()
    reason = _reason(look)
    first_day = look.window.last_day - timedelta(days=max(7 * weeks, 1) - 1)
    window = Window(first_day, look.window.last_day)
    told = [] if found is None else np.flatnonzero(found["category"] != "none").tolist()
    areas = [_area(look, window, found, row) for row in told if found is not None]
    facts = look.facts(METHOD, reason, weeks=weeks, first_day=first_day.isoformat())
    ranked = sorted(areas, key=lambda area: (area.p_adjusted, area.p, area.id))
    return Answer(METHOD, look.cells, look.window, facts, ranked, counts)


def emerging_table(look: Lookout) -> pd.DataFrame | None:
    """Return the table of `layers.hotspots.trend.emerging` by week; None where it is too thin."""
    if _reason(look) is not None:
        return None
    base = look.cells.people if look.has_base else None
    return emerging(look.by_week(weeks_known(look)), look.cells.neighbours, base=base)


def weeks_window(last_day: date) -> Window:
    """Return the window of all weeks up to a day."""
    return Window(last_day - timedelta(days=WINDOW_DAYS - 1), last_day)


def weeks_known(look: Lookout) -> int:
    """Return how many whole weeks there are since the first incident, at most `MOST_WEEKS`."""
    ages = look.incidents["age_days"]
    return 0 if ages.empty else int(min((ages.max() + 1) // 7, MOST_WEEKS))


def _reason(look: Lookout) -> Reason | None:
    weeks = weeks_known(look)
    if weeks < FEWEST_WEEKS:
        return Reason(
            "few-weeks",
            f"事件记录仅 {weeks} 周，少于 {FEWEST_WEEKS} 周，不判趋势",
            f"incidents are known for {weeks} weeks, fewer than {FEWEST_WEEKS}: no categories",
        )
    counts = look.counts(0, 7 * weeks)
    alike = np.ones(counts.size, dtype=np.bool_)
    lived_in = look.cells.people > 0 if look.has_base else alike
    return too_thin(int(counts[lived_in].sum()), int(lived_in.sum()))


def _area(look: Lookout, window: Window, table: pd.DataFrame, row: int) -> Area:
    figures: Any = table.iloc[row]
    beside = look.cells.neighbours[[row]].indices.tolist()
    rows = [row, *sorted(set(beside) - {row})]
    place = look.place(rows)
    code = place["members"][0]
    place["unit_path"] = look.cells.frame["unit_path"].iloc[row]
    observed, expected = int(figures["observed"]), float(figures["expected"])
    zh, en = emerging_sentences(figures, len(rows) - 1, look.base)
    return Area(
        id=f"emerging:{look.cells.kind}:{look.window.days}:{code}",
        method=METHOD,
        window=window,
        observed=observed,
        expected=expected,
        ratio=observed / expected if expected > 0.0 else float("nan"),
        p=float(figures["p"]),
        p_adjusted=float(figures["p_adjusted"]),
        zh=zh,
        en=en,
        kinds=look.kinds(rows, days=window.days),
        category=str(figures["category"]),
        phase=PHASE_OF_CATEGORY.get(str(figures["category"])),
        more={
            "cell": code,
            **{name: int(figures[name]) for name in ("hot_steps", "cold_steps", "steps")},
            **{name: float(figures[name]) for name in ("z", "trend_z", "trend_p")},
        },
        **place,
    )
