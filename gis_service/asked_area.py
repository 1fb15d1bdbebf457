"""The area that a question is about: a unit or a grid within the asker's own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from gis_service.access import at_unit
from grid_boundaries.store import grid
from grid_boundaries.view import View, in_force, narrowed
from layers.duty.wall import unit_path_of
from layers.read import the_county


@dataclass(frozen=True)
class AskedArea:
    """What of the asker's area is asked about.

    Parameters
    ----------
    part
        The view of the unit, of the village for a grid.
    grid_code
        None for a whole unit.
    """

    part: View
    grid_code: str | None


def asked_area(connection: Connection, view: View, code: str | None) -> AskedArea:
    """Return the area of a unit's or grid's code; the asker's whole area for None.

    Raises
    ------
    NotFound
        There is no such unit or grid, or nothing of it is the asker's.
    """
    if code is None:
        return AskedArea(at_unit(view, the_county(connection).unit_path), None)
    current = in_force(view, grid.c.valid_from, grid.c.valid_to)
    own = select(grid.c.unit_path).where(grid.c.code == code, current)
    path = connection.scalar(narrowed(own, view, grid.c.unit_path))
    if path is not None:
        return AskedArea(at_unit(view, str(path)), code)
    return AskedArea(at_unit(view, unit_path_of(connection, view, code)), None)
