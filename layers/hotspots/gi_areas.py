"""Hot cells by Gi* as areas: each with its neighbours, its phase and its kinds of incidents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.hotspots.areas import Answer, Area
from layers.hotspots.findings import METHOD, Base, Findings, Window, hotspots
from layers.hotspots.lookout import Lookout
from layers.hotspots.phases import phase_by_window, phase_of

LEVEL = 0.05


def gi_answer(look: Lookout, categories: pd.Series[str] | None = None) -> tuple[Answer, Findings]:
    """Return the hot cells of a window, surest first, and the figures of all cells.

    Parameters
    ----------
    categories
        Category of each cell over the weeks (`layers.hotspots.trend.emerging`), where known: it
        decides the phase; else the window before does.
    """
    counts = look.counts()
    found = hotspots(counts, look.cells.neighbours, window=look.window, base=_base(look))
    hot = np.flatnonzero(found.cells["hot"].to_numpy())
    rows = zip(hot.tolist(), _phases(look, hot, found), strict=True)
    areas = [_area(look, found, row, _named(categories, row), phase) for row, phase in rows]
    facts = look.facts(METHOD, found.reason, level=found.level, set_aside=found.set_aside)
    ranked = sorted(areas, key=lambda area: (area.p_adjusted, area.p, area.id))
    return Answer("gi", look.cells, look.window, facts, ranked, counts), found


def _named(categories: pd.Series[str] | None, row: int) -> str | None:
    category = "none" if categories is None else str(categories.iloc[row])
    return None if category == "none" else category


def _base(look: Lookout) -> Base | None:
    return Base(look.cells.people, *look.base_names) if look.has_base else None


def _phases(look: Lookout, hot: NDArray[np.intp], found: Findings) -> list[str | None]:
    """Return the phase of the hot cells by the window before; None where that was too thin."""
    days = look.window.days
    counts = look.counts(newest_day=days)
    start = look.window.first_day
    window = Window(start - timedelta(days=days), start - timedelta(days=1))
    before = hotspots(counts, look.cells.neighbours, window=window, base=_base(look))
    if before.reason is not None:
        return [None] * hot.size
    now, then = found.cells.iloc[hot], before.cells.iloc[hot]
    pair = now["observed"].to_numpy(), then["observed"].to_numpy()
    return [str(phase) for phase in phase_by_window(*pair, then["hot"].to_numpy(dtype=np.bool_))]


def _area(
    look: Lookout, found: Findings, row: int, category: str | None, phase: str | None
) -> Area:
    figures: Any = found.cells.iloc[row]
    beside = look.cells.neighbours[[row]].indices.tolist()
    rows = [row, *sorted(set(beside) - {row})]
    place = look.place(rows)
    code = place["members"][0]
    # a hot cell is its own: those around it may lie in other units
    place["unit_path"] = look.cells.frame["unit_path"].iloc[row]
    return Area(
        id=f"gi:{look.cells.kind}:{look.window.days}:{code}",
        method=METHOD,
        window=look.window,
        observed=int(figures["observed"]),
        expected=float(figures["expected"]),
        ratio=float(figures["ratio"]),
        p=float(figures["p"]),
        p_adjusted=float(figures["p_adjusted"]),
        zh=figures["zh"],
        en=figures["en"],
        kinds=look.kinds(rows),
        category=category,
        phase=phase_of(category, phase),
        more={"cell": code, "incidents": int(figures["count"]), "z": float(figures["z"])},
        **place,
    )
