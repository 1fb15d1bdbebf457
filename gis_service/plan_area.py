"""Whose plan it is: the unit that is named, or the asker's own."""

from __future__ import annotations

from sqlalchemy import Connection, select

from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.store import unit
from grid_boundaries.view import View, narrowed
from layers.read import the_county


def own_path(connection: Connection, view: View) -> str:
    """Return the path of the asker's area: the county's, or that of the one unit it is.

    Raises
    ------
    Refused
        The area is several units, or none.
    """
    path = the_county(connection).unit_path
    if path.startswith(view.scope):
        return path
    if len(view.scope) == 1:
        return view.scope[0]
    raise Refused(
        "unit-not-named",
        "您的辖区不是单独一个单位，请用 unit 指明方案所属的单位",
        "Your area is not one single unit; say with unit which one is meant",
        field="unit",
    )


def unit_path_of(connection: Connection, view: View, code: str | None) -> str:
    """Return the path of a unit in the view's scope: the asker's own where none is named.

    Raises
    ------
    NotFound
        There is no such unit.
    Refused
        None is named, and the area is several units.
    """
    if code is None:
        return own_path(connection, view)
    statement = select(unit.c.unit_path).where(unit.c.code == code, unit.c.valid_to.is_(None))
    path = connection.scalar(narrowed(statement, view, unit.c.unit_path))
    if path is None:
        raise NotFound(
            "no-such-unit",
            f"在您的辖区内没有单位 {code}",
            f"There is no unit {code} within your area",
            unit=code,
        )
    return str(path)
