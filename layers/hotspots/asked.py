"""What somebody asks of the hotspots: a method, cells, a window, a past day, some incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from grid_boundaries.errors import Refused
from grid_boundaries.view import View, narrowed
from layers.hotspots import emerging_areas
from layers.hotspots.areas import Answer
from layers.hotspots.emerging_areas import emerging_answer, emerging_table
from layers.hotspots.gi_areas import gi_answer
from layers.hotspots.inputs import EVERY, HEX_WIDTH_M, Filters
from layers.hotspots.looking import sight
from layers.hotspots.lookout import Lookout
from layers.hotspots.refresh import OVER_WEEKS
from layers.hotspots.repeat_areas import repeat_answer
from layers.hotspots.scan_areas import scan_answer
from layers.hotspots.tables import hotspot, hotspot_answer, hotspot_finding
from layers.hotspots.wire import LEAST_COUNTED, counts, findings, told

FIRST_DAY = date(1990, 1, 1)
"""No register of incidents is older."""


@dataclass(frozen=True)
class Question:
    """What is asked.

    Parameters
    ----------
    method
        ``gi``, ``scan``, ``emerging`` or ``near-repeat``.
    cells
        ``grid``, ``village``, ``block`` or ``hex``.
    as_of
        The day whose answer is wanted; None is now.
    """

    method: str = "gi"
    cells: str = "grid"
    window_days: int = 90
    as_of: date | None = None
    filters: Filters = EVERY
    hex_width_m: float = HEX_WIDTH_M

    @property
    def is_plain(self) -> bool:
        """Say whether the refresh may have the answer: of now, of all incidents."""
        return self == replace(self, as_of=None, filters=EVERY, hex_width_m=HEX_WIDTH_M)

    @property
    def days(self) -> int:
        """The window under which the answer is stored."""
        return emerging_areas.WINDOW_DAYS if self.method == "emerging" else self.window_days


def moment_of(as_of: date | None, now: datetime) -> datetime:
    """Return the last moment of a day, now at the latest.

    Raises
    ------
    Refused
        ``as-of-day`` for a day to come, or one before any register.
    """
    if as_of is None or as_of == now.date():
        return now
    if not FIRST_DAY <= as_of < now.date():
        raise Refused(
            "as-of-day",
            f"回放日期应在 {FIRST_DAY} 与 {now.date()} 之间",
            f"the day must lie between {FIRST_DAY} and {now.date()}",
            field="as_of",
        )
    return datetime.combine(as_of, time.max, now.tzinfo)


def stored_answer(connection: Connection, view: View, asked: Question) -> dict[str, Any] | None:
    """Return what the refresh stored, within the view; None where it has no such answer."""
    key = {"method": asked.method, "cells": asked.cells, "window_days": asked.days}
    table = hotspot_answer.c
    of_answer = [table[name] == value for name, value in key.items()]
    row = connection.execute(select(table.facts, table.computed_at).where(*of_answer)).one_or_none()
    if row is None or not asked.is_plain or not _is_whole(asked, row.facts):
        return None
    of_findings = [hotspot_finding.c[name] == value for name, value in key.items()]
    found = select(hotspot_finding.c.body).where(*of_findings).order_by(hotspot_finding.c.rank)
    bodies = connection.scalars(narrowed(found, view, hotspot_finding.c.unit_path)).all()
    counted = _stored_counts(connection, view, asked) if not row.facts["tested"] else []
    return told(row.facts, list(bodies), counted) | {"computed_at": row.computed_at}


def _is_whole(asked: Question, facts: Mapping[str, Any]) -> bool:
    """Say whether all of an answer is stored: counts over all the weeks are not."""
    return asked.method != "emerging" or bool(facts["tested"])


def _stored_counts(connection: Connection, view: View, asked: Question) -> list[dict[str, Any]]:
    table = hotspot.c
    columns = (table.cell, table.name, table.unit_path, table.incidents)
    own = (table.cells == asked.cells, table.window_days == asked.days, table.incidents > 0)
    statement = narrowed(select(*columns).where(*own), view, table.unit_path)
    return [dict(row._mapping) for row in connection.execute(statement.order_by(table.cell))]


def computed_answer(
    connection: Connection, view: View, asked: Question, now: datetime
) -> dict[str, Any]:
    """Return the answer to a question, computed from the incidents within the view.

    Parameters
    ----------
    view
        The whole county: a place is held against all others. Who may see what of it, is for
        `within` to say.
    now
        Aware.

    Raises
    ------
    Refused
        ``as-of-day``; `TooLarge` for more cells than the method takes.
    """
    moment = moment_of(asked.as_of, now)
    seen = sight(connection, replace(view, as_of=asked.as_of), moment, asked.filters)
    cells = seen.cut(asked.cells, asked.hex_width_m)
    answer = METHODS[asked.method](seen.look(cells, asked.days))
    least = 1 if asked.filters == EVERY else LEAST_COUNTED
    counted = sorted(counts(answer, least=least), key=lambda one: str(one["cell"]))
    return told(answer.facts, findings(answer), counted) | {"computed_at": moment}


def within(answer: Mapping[str, Any], scope: tuple[str, ...]) -> dict[str, Any]:
    """Return an answer with only what lies in a scope."""

    def seen(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["unit_path"].startswith(scope)] if scope else []

    return {**answer, "findings": seen(answer["findings"]), "counts": seen(answer["counts"])}


def _gi(look: Lookout) -> Answer:
    table = None
    if look.cells.kind in OVER_WEEKS:
        weeks = replace(look, window=emerging_areas.weeks_window(look.window.last_day))
        table = emerging_table(weeks)
    return gi_answer(look, None if table is None else table["category"])[0]


METHODS: Mapping[str, Callable[[Lookout], Answer]] = MappingProxyType(
    {"gi": _gi, "scan": scan_answer, "emerging": emerging_answer, "near-repeat": repeat_answer}
)
