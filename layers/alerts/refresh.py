"""Alerts kept in step with the hotspots: raised, held back, ended and reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from grid_boundaries.view import View, narrowed
from layers.alerts.choice import WEEK_DAYS, Candidate, told_of
from layers.alerts.receivers import receivers
from layers.alerts.steps import note_step
from layers.alerts.tables import alert
from layers.alerts.verdict import REVIEW_DAYS, review_of
from layers.hotspots.tables import hotspot, hotspot_finding, hotspot_run
from layers.incidents import incident

CELLS = "grid"
WINDOW_DAYS = 30
COOL_DAYS = 7
"""A place that was not hot for longer is another alert when it becomes hot again."""

DUE_DAYS = 3
A_WEEK = 10


def refresh(
    connection: Connection, view: View, now: datetime, *, a_week: int = A_WEEK
) -> dict[str, int]:
    """Bring the alerts up to what the hotspots of grids over 30 days are.

    Done twice, it does nothing the second time.

    Parameters
    ----------
    view
        The whole county.
    now
        Aware.
    a_week
        How many alerts may be raised in any seven days.

    Returns
    -------
    dict
        How many were ``new``, ``raised``, ``held``, ``ended`` and ``reviewed``.
    """
    seen_at = _computed_at(connection)
    new = ended = 0
    raised: list[str] = []
    if seen_at is not None:
        day = seen_at.astimezone(now.tzinfo).date()
        _go_on(connection, view, day)
        ended = _end(connection, view, day)
        new = _note_new(connection, view, day)
        raised = _raise(connection, view, now, day, a_week)
    reviewed = _review(connection, view, now)
    held = connection.scalar(_of(view, alert.c.state == "held", alert.c.ended_on.is_(None)))
    return {
        "new": new, "raised": len(raised), "held": int(held or 0), "ended": ended,
        "reviewed": reviewed,
    }  # fmt: skip


def _of(view: View, *conditions: ColumnElement[bool]) -> Any:
    """Select how many alerts of the view meet conditions."""
    return narrowed(select(func.count()).where(*conditions), view, alert.c.unit_path)


def _computed_at(connection: Connection) -> datetime | None:
    table = hotspot_run.c
    own = and_(table.cells == CELLS, table.window_days == WINDOW_DAYS)
    return connection.scalar(select(table.computed_at).where(own))


def _hot(view: View) -> Any:
    """Select the codes of the cells that are hot."""
    table = hotspot.c
    own = (table.hot, table.cells == CELLS, table.window_days == WINDOW_DAYS)
    return narrowed(select(table.cell).where(*own), view, table.unit_path)


def _go_on(connection: Connection, view: View, day: Any) -> None:
    lasting = (alert.c.ended_on.is_(None), alert.c.last_hot_on < day, alert.c.cell.in_(_hot(view)))
    connection.execute(update(alert).where(*lasting).values(last_hot_on=day))


def _end(connection: Connection, view: View, day: Any) -> int:
    over = (alert.c.ended_on.is_(None), alert.c.last_hot_on < day - timedelta(days=COOL_DAYS))
    statement = update(alert).where(*over, ~alert.c.cell.in_(_hot(view)))
    return connection.execute(statement.values(ended_on=day)).rowcount


def _note_new(connection: Connection, view: View, day: Any) -> int:
    """Keep every hotspot that is new, held back until it is chosen; return how many."""
    table, found = hotspot.c, hotspot_finding.c
    explained = and_(
        found.method == "gi", found.cells == table.cells, found.window_days == table.window_days,
        found.body["cell"].astext == table.cell,
    )  # fmt: skip
    some = case((table.expected > 0, table.observed / table.expected), else_=null())
    values: dict[str, Any] = {
        "id": table.cells + ":" + table.cell + ":" + str(day), "name": table.name,
        "geom": table.geom, "unit_path": table.unit_path, "grid_code": table.grid_code,
        "state": literal("held"), "cells": table.cells, "cell": table.cell,
        "window_days": table.window_days, "first_hot_on": cast(literal(str(day)), Date),
        "last_hot_on": cast(literal(str(day)), Date), "observed": table.observed,
        "expected": table.expected, "ratio": some, "p_adjusted": table.p_adjusted,
        "finding": func.coalesce(found.body, cast(table.says, JSONB)),
        "receiver": cast(literal("village_centre"), Text), "receiver_path": table.unit_path,
    }  # fmt: skip
    lasting = select(alert.c.cell).where(alert.c.ended_on.is_(None), alert.c.cells == CELLS)
    rows = (
        select(*(value.label(name) for name, value in values.items()))
        .outerjoin_from(hotspot, hotspot_finding, explained)
        .where(table.hot, table.cells == CELLS, table.window_days == WINDOW_DAYS)
        .where(table.cell.not_in(lasting))
        .order_by(table.cell)
    )
    statement = upsert(alert).from_select(list(values), narrowed(rows, view, table.unit_path))
    made = connection.scalars(statement.on_conflict_do_nothing().returning(alert.c.id))
    return len(made.all())


def _raise(connection: Connection, view: View, now: datetime, day: Any, a_week: int) -> list[str]:
    """Raise the surest of those held back that are hot today, as many as the week bears."""
    table = alert.c
    waiting = (table.state == "held", table.ended_on.is_(None), table.last_hot_on == day)
    columns = (table.id, table.p_adjusted, table.ratio)
    rows = connection.execute(narrowed(select(*columns).where(*waiting), view, table.unit_path))
    since = now - timedelta(days=WEEK_DAYS)
    told = connection.scalar(_of(view, table.raised_at > since))
    chosen = told_of(
        (Candidate(*row) for row in rows), told_this_week=int(told or 0), a_week=a_week
    )
    whom = receivers(connection, view, chosen)
    for one in chosen:
        due = now + timedelta(days=DUE_DAYS)
        receiver, path = whom[one]
        values = {
            "state": "raised", "raised_at": now, "due_at": due, "receiver": receiver,
            "receiver_path": path,
        }  # fmt: skip
        connection.execute(update(alert).where(table.id == one).values(**values))
        note_step(connection, one, view.actor, now)
    return chosen


def _review(connection: Connection, view: View, now: datetime) -> int:
    """Close what was measured long enough ago, with what became of the figure."""
    table = alert.c
    day_of_measure = cast(func.timezone(str(now.tzinfo), table.measured_at), Date)
    due = (table.state == "measured", day_of_measure < now.date() - timedelta(days=REVIEW_DAYS))
    columns = (table.id, table.raised_at, table.measured_at)
    rows = connection.execute(
        narrowed(select(*columns).where(*due), view, table.unit_path).order_by(table.id)
    ).all()
    for row in rows:
        raised, measured = (at.astimezone(now.tzinfo).date() for at in row[1:])
        before = _incidents(connection, view, row.id, now, raised)
        after = _incidents(connection, view, row.id, now, measured + timedelta(days=REVIEW_DAYS))
        values = {"state": "closed", "reviewed_at": now, "review": review_of(before, after)}
        statement = update(alert).where(table.id == row.id)
        connection.execute(statement.values(**values, version=table.version + 1))
        note_step(connection, row.id, view.actor, now)
    return len(rows)


def _incidents(
    connection: Connection, view: View, alert_id: str, now: datetime, last_day: Any
) -> int:
    """Return the incidents on an alert's ground in the 30 days up to and with a day."""
    day = cast(func.timezone(str(now.tzinfo), incident.c.occurred_at), Date)
    inside = and_(alert.c.id == alert_id, func.st_covers(alert.c.geom, incident.c.geom))
    statement = (
        select(func.count())
        .select_from(incident)
        .join(alert, inside)
        .where(day <= last_day, day > last_day - timedelta(days=REVIEW_DAYS))
    )
    found = connection.scalar(narrowed(statement, view, incident.c.unit_path))
    return int(found or 0)
