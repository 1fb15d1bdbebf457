"""Who is told of an alert: the nearest to the place who is there to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from grid_boundaries.actors import actor
from grid_boundaries.view import View, narrowed
from layers.alerts.tables import alert
from layers.postings import posting

POSTS = ("worker", "chief")
CENTRES = ("village_centre", "town_centre", "command")


def receivers(
    connection: Connection, view: View, alert_ids: Sequence[str]
) -> Mapping[str, tuple[str, str]]:
    """Return role and unit path of who is told of each alert.

    The grid's worker where there is one, else its chief; for a vacant grid the centre of the
    village, of the town, and at last the command centre of the county.
    """
    table = alert.c
    columns = (table.id, table.grid_code, table.unit_path)
    own = narrowed(select(*columns).where(table.id.in_(alert_ids)), view, table.unit_path)
    rows: Sequence[Any] = connection.execute(own).all()
    held = _posts(connection, view, [row.grid_code for row in rows])
    centres = _centres(connection)
    return {row.id: _receiver(row, held, centres) for row in rows}


def _posts(connection: Connection, view: View, codes: Sequence[str]) -> set[tuple[str, str]]:
    """Return grid and role of the posts that somebody holds."""
    table = posting.c
    in_force = (table.grid_code.in_(codes), table.role.in_(POSTS), table.valid_to.is_(None))
    statement = select(table.grid_code, table.role).where(*in_force)
    rows = connection.execute(narrowed(statement, view, table.unit_path))
    return {(row.grid_code, row.role) for row in rows}


def _centres(connection: Connection) -> set[tuple[str, str]]:
    """Return role and unit path of the centres that can sign in."""
    statement = select(actor.c.role, actor.c.scope).where(actor.c.active, actor.c.role.in_(CENTRES))
    return {(row.role, path) for row in connection.execute(statement) for path in row.scope}


def _receiver(
    row: Row[Any], held: set[tuple[str, str]], centres: set[tuple[str, str]]
) -> tuple[str, str]:
    for role in POSTS:
        if (row.grid_code, role) in held:
            return role, row.unit_path
    steps = row.unit_path.strip("/").split("/")
    for role, depth in zip(CENTRES, (3, 2, 1), strict=True):
        path = "/" + "/".join(steps[:depth]) + "/"
        if (role, path) in centres:
            return role, path
    return "command", f"/{steps[0]}/"
