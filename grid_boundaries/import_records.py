"""Imported layers as rows: kept, read, decided on, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from grid_boundaries.errors import Conflict, NotFound
from grid_boundaries.import_store import boundary_import
from grid_boundaries.view import View, narrowed

Record = Row[Any, Any, Any]
# what is listed; the two large columns are read one by one
SHORT = tuple(column for column in boundary_import.c if column.name not in {"findings", "cover"})


def keep_import(connection: Connection, values: Mapping[str, Any]) -> int:
    """Store a reported layer and return its number."""
    statement = insert(boundary_import).values(**values).returning(boundary_import.c.id)
    return int(connection.execute(statement).scalar_one())


def import_rows(connection: Connection, view: View) -> list[Record]:
    """Return the imports of the view's scope without their bodies, the newest first."""
    statement = select(*SHORT).order_by(boundary_import.c.id.desc())
    return list(connection.execute(narrowed(statement, view, boundary_import.c.unit_path)))


def import_row(
    connection: Connection, view: View, number: int, *, for_update: bool = False
) -> Record:
    """Return an import's row without its bodies; for update, nobody else decides on it meanwhile.

    Raises
    ------
    NotFound
        There is no such import in the view's scope.
    """
    statement = select(*SHORT).where(boundary_import.c.id == number)
    mine = narrowed(statement, view, boundary_import.c.unit_path)
    found = connection.execute(mine.with_for_update() if for_update else mine).one_or_none()
    if found is None:
        raise NotFound(
            "no-such-import",
            f"在您的辖区内没有导入 {number}",
            f"There is no import {number} within your area",
            number=number,
        )
    return found


def import_body(connection: Connection, view: View, number: int, column: str) -> bytes:
    """Return the findings or the cover of an import, compressed as they are kept."""
    statement = select(boundary_import.c[column]).where(boundary_import.c.id == number)
    body = connection.execute(narrowed(statement, view, boundary_import.c.unit_path)).scalar_one()
    return bytes(body)


def decide(connection: Connection, row: Record, **values: Any) -> None:
    """Note what was decided on an import that nobody has decided on yet.

    Raises
    ------
    Conflict
        Somebody has: who and when.
    """
    if row.status != "reported":
        raise Conflict(
            "import-decided",
            f"导入 {row.id} 已由 {row.decided_by} 处理（{row.status}）；请重新上传",
            f"Import {row.id} has been {row.status} by {row.decided_by}; send it anew",
            number=row.id,
            status=row.status,
            by=row.decided_by,
            at=row.decided_at.isoformat(),
        )
    connection.execute(update(boundary_import).where(boundary_import.c.id == row.id).values(values))
