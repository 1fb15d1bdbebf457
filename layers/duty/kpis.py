"""The figures of a unit's wall, each with the two numbers it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, union

from grid_boundaries.store import grid
from grid_boundaries.view import View, in_force, narrowed
from layers.cameras import camera
from layers.coverage.tables import grid_coverage
from layers.incidents import incident
from layers.visits import visit
from layers.workers import worker

RATE_DAYS = 30  # incidents dispatched, due, closed and rated are counted over this many days
# in clock time: a county without a calendar of holidays has no other
DISPATCH_WITHIN = timedelta(minutes=30)
RECEIVE_WITHIN = timedelta(minutes=60)
ENDED = ("refused", "closed", "rated")

KpiUnit = Literal["count", "share"]


@dataclass(frozen=True)
class Kpi:
    """One figure.

    Parameters
    ----------
    numerator, denominator
        What is counted and out of what; None where nothing is recorded to count it by.
    unit
        "count" where the numerator is the figure, "share" where their quotient is.
    """

    key: str
    numerator: float | None
    denominator: float | None
    unit: KpiUnit

    @property
    def value(self) -> float | None:
        """The figure; None without a denominator: nothing due is not 100 %."""
        if self.unit == "count":
            return self.numerator
        return (
            self.numerator / self.denominator
            if self.numerator is not None and (self.denominator)
            else None
        )


def kpis(connection: Connection, view: View, now: datetime) -> list[Kpi]:
    """Return the figures that the view's rights allow, in the order of the wall.

    `now` is aware and in the county's time zone: "today" begins at its midnight. Every
    figure counts the view's scope only.
    """
    figures: list[Kpi] = []
    if "incidents" in view.rights:
        figures += _incident_figures(connection, view, now)
        figures.append(_report_coverage(connection, view, now))
    if "workers" in view.rights:
        row = connection.execute(_on_duty(view)).one()
        figures.append(Kpi("on_duty", row[0], row[1], "share"))
    if "cameras" in view.rights:
        row = connection.execute(_cameras_online(view)).one()
        figures.append(Kpi("cameras_online", row[0], row[1], "share"))
    if "counts" in view.rights:
        row = connection.execute(_unseen(view)).one()
        figures.append(Kpi("people_unseen", row.people_unseen, row.people, "share"))
        figures.append(Kpi("key_places_seen", row.key_places_seen, row.key_places, "share"))
    return figures


def _incident_figures(connection: Connection, view: View, now: datetime) -> list[Kpi]:
    row = connection.execute(_incidents(view, now)).one()
    return [
        Kpi("incidents_today", row.today, row.open, "count"),
        Kpi("incidents_overdue", row.overdue, row.open, "count"),
        Kpi("dispatch_in_time", row.in_time, row.dispatched, "share"),
        Kpi("closed_rate", row.closed, row.due, "share"),
        Kpi("satisfaction", row.satisfied, row.answered, "share"),
    ]


def _incidents(view: View, now: datetime) -> Select[*tuple[Any, ...]]:
    table = incident.c
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    recent = table.occurred_at >= now - timedelta(days=RATE_DAYS)
    # a register may tell that a case was closed and not when
    is_open = and_(table.closed_at.is_(None), table.state.not_in(ENDED))
    is_due = and_(recent, table.due_at <= now)
    # what came without a time of dispatch, as from another register, counts on neither side
    is_dispatched = and_(recent, table.dispatched_at <= now)
    numbers = {
        "today": table.occurred_at >= midnight,
        "open": is_open,
        "overdue": and_(is_open, table.due_at < now),
        "dispatched": is_dispatched,
        "in_time": and_(is_dispatched, *_in_time()),
        "due": is_due,
        "closed": and_(is_due, table.closed_at <= now),
        "answered": and_(recent, table.satisfied.is_not(None)),
        "satisfied": and_(recent, table.satisfied),
    }
    happened = table.occurred_at <= now
    return narrowed(select(*_counts(numbers)).where(happened), view, table.unit_path)


def _in_time() -> Iterator[ColumnElement[bool]]:
    yield incident.c.dispatched_at - incident.c.reported_at <= DISPATCH_WITHIN
    yield incident.c.received_at - incident.c.dispatched_at <= RECEIVE_WITHIN


def _counts(numbers: dict[str, ColumnElement[bool]]) -> list[ColumnElement[int]]:
    return [func.count().filter(condition).label(name) for name, condition in numbers.items()]


def _report_coverage(connection: Connection, view: View, now: datetime) -> Kpi:
    """Return how many grids reported anything today, were it only that nothing happened."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    reports = select(incident.c.grid_code).where(incident.c.occurred_at.between(midnight, now))
    rounds = select(visit.c.grid_code).where(visit.c.visited_at.between(midnight, now))
    heard = union(
        narrowed(reports, view, incident.c.unit_path), narrowed(rounds, view, visit.c.unit_path)
    ).subquery()
    active = narrowed(
        select(grid.c.code).where(in_force(view, grid.c.valid_from, grid.c.valid_to)),
        view,
        grid.c.unit_path,
    ).subquery()
    statement = select(func.count(heard.c.grid_code), func.count()).select_from(
        active.outerjoin(heard, heard.c.grid_code == active.c.code)
    )
    row = connection.execute(statement).one()
    return Kpi("report_coverage", row[0], row[1], "share")


def _on_duty(view: View) -> Select[*tuple[Any, ...]]:
    counted = select(func.count().filter(worker.c.on_duty), func.count())
    return narrowed(counted, view, worker.c.unit_path)


def _cameras_online(view: View) -> Select[*tuple[Any, ...]]:
    standing = camera.c.state.in_(["built", "networked"])
    online = func.count().filter(and_(standing, camera.c.online))
    return narrowed(select(online, func.count().filter(standing)), view, camera.c.unit_path)


def _unseen(view: View) -> Select[*tuple[Any, ...]]:
    table = grid_coverage.c
    seen_places = func.sum(table.key_places - table.key_places_unseen)
    sums = select(
        func.sum(table.people_unseen).label("people_unseen"),
        func.sum(table.people).label("people"),
        seen_places.label("key_places_seen"),
        func.sum(table.key_places).label("key_places"),
    )
    return narrowed(sums, view, table.unit_path)
