"""What people do with alerts: acknowledge them, say what was done; every step is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, insert, select, update

from grid_boundaries.errors import Conflict, NotFound
from grid_boundaries.view import View, narrowed
from layers.alerts.tables import alert, alert_step

NEXT = {"acknowledge": ("raised", "acknowledged"), "measure": ("acknowledged", "measured")}
SAID = (
    "id", "number", "name", "state", "cells", "cell", "window_days", "unit_path", "grid_code",
    "first_hot_on", "last_hot_on", "ended_on", "observed", "expected", "ratio", "p_adjusted",
    "finding", "receiver", "receiver_path", "raised_at", "due_at", "acknowledged_by",
    "acknowledged_at", "measure", "measured_by", "measured_at", "reviewed_at", "review", "version",
)  # fmt: skip
OPEN_FIRST = ("raised", "acknowledged", "measured", "closed", "held")
_ORDER = case({state: at for at, state in enumerate(OPEN_FIRST)}, value=alert.c.state)


@dataclass(frozen=True)
class Act:
    """Somebody's step with an alert that they have seen in a version.

    Parameters
    ----------
    what
        ``acknowledge`` or ``measure``.
    note
        The measure taken.
    """

    what: str
    base_version: int
    note: str | None = None


def take_step(
    connection: Connection, view: View, alert_id: str, act: Act, now: datetime
) -> dict[str, Any]:
    """Take a step with an alert and return it; nobody else changes it meanwhile.

    Raises
    ------
    NotFound
        There is no such alert within the view.
    Conflict
        ``alert-changed`` where it has another version than the asker has seen, ``alert-state``
        where the step does not follow.
    """
    row = _row(connection, view, alert_id, for_update=True)
    if row.version != act.base_version:
        raise _conflict(
            "alert-changed", row, "已被他人更新；请刷新后再试", "was changed; look again"
        )
    needed, state = NEXT[act.what]
    if row.state != needed:
        zh, en = f"处于“{row.state}”，不能这样做", f"is {row.state}, so this cannot be done"
        raise _conflict("alert-state", row, zh, en)
    values: dict[str, Any] = {"state": state, f"{state}_by": view.actor, f"{state}_at": now}
    if act.note is not None:
        values["measure"] = act.note
    statement = update(alert).where(alert.c.id == alert_id)
    connection.execute(statement.values(**values, version=alert.c.version + 1))
    note_step(connection, alert_id, view.actor, now, act.note)
    return told(_row(connection, view, alert_id))


def one_alert(connection: Connection, view: View, alert_id: str) -> dict[str, Any]:
    """Return an alert with its steps, the oldest first.

    Raises
    ------
    NotFound
        There is no such alert within the view.
    """
    row = _row(connection, view, alert_id)
    table = alert_step.c
    columns = (table.version, table.state, table.at, table.actor, table.note)
    statement = select(*columns).where(table.alert_id == alert_id).order_by(table.id)
    steps = connection.execute(narrowed(statement, view, table.unit_path))
    return told(row) | {"steps": [dict(step._mapping) for step in steps]}


def alerts(
    connection: Connection, view: View, *, state: str | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Return the alerts within the view, those that wait for somebody first, then the newest."""
    statement = _alerts(view)
    if state is not None:
        statement = statement.where(alert.c.state == state)
    rows = connection.execute(
        statement.order_by(
            _ORDER, alert.c.raised_at.desc().nulls_last(), alert.c.p_adjusted, alert.c.id
        ).limit(limit)
    )
    return [told(row) for row in rows]


def counted(connection: Connection, view: View) -> dict[str, int]:
    """Return how many alerts within the view are in each state."""
    statement = select(alert.c.state, func.count()).group_by(alert.c.state)
    rows = connection.execute(narrowed(statement, view, alert.c.unit_path))
    return dict.fromkeys(OPEN_FIRST, 0) | {row[0]: row[1] for row in rows}


def told(row: Row[Any]) -> dict[str, Any]:
    """Return an alert as it is answered."""
    return dict(row._mapping)


def note_step(
    connection: Connection, alert_id: str, actor: str, now: datetime, note: str | None = None
) -> None:
    """Keep who brought an alert to the state and version that it has now."""
    columns = ("version", "state", "unit_path")
    current = select(*(alert.c[name] for name in columns)).where(alert.c.id == alert_id)
    row = connection.execute(current).one()
    values = {"alert_id": alert_id, "at": now, "actor": actor, "note": note}
    connection.execute(insert(alert_step).values(**row._mapping, **values))


def _alerts(view: View) -> Select[Any]:
    return narrowed(select(*(alert.c[name] for name in SAID)), view, alert.c.unit_path)


def _row(
    connection: Connection, view: View, alert_id: str, *, for_update: bool = False
) -> Row[Any]:
    statement = _alerts(view).where(alert.c.id == alert_id)
    row = connection.execute(statement.with_for_update() if for_update else statement).one_or_none()
    if row is None:
        raise NotFound(
            "no-such-alert", "在您的辖区内没有这条预警", "There is no such alert within your area"
        )
    return row


def _conflict(code: str, row: Row[Any], zh: str, en: str) -> Conflict:
    return Conflict(
        code,
        f"预警 {row.number} {zh}",
        f"Alert {row.number} {en}",
        version=row.version,
        state=row.state,
    )
