"""Who asks, and what part of the county they may see; every Select that leaves is narrowed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import Column, ColumnElement, and_, false, or_, true

Window = tuple[datetime, datetime]
Statement = TypeVar("Statement", bound="Narrowable")


class Narrowable(Protocol):
    """A statement that takes conditions; a Select of any columns."""

    def where(self, *conditions: Any) -> Self:
        """Return the statement with conditions added."""
        ...


@dataclass(frozen=True)
class View:
    """One asker's sight of the county.

    Parameters
    ----------
    actor
        Name in the ``actor`` table; every write carries it.
    scope
        Unit paths (``/610923/610923100/``, always with both slashes); empty sees nothing.
    rights
        Words such as ``"persons"`` or ``"ingest"``; see ``gis_service.access``.
    as_of
        The date whose grids are asked for; None is today's.
    window
        Aware start and end of the incidents, visits and hotspots asked for.
    plan
        Draft plan under which the layers are asked for.
    """

    actor: str
    scope: tuple[str, ...] = ()
    rights: frozenset[str] = field(default_factory=frozenset)
    as_of: date | None = None
    window: Window | None = None
    plan: int | None = None


def within_scope(view: View, unit_path: ColumnElement[str]) -> ColumnElement[bool]:
    """Say which rows lie at or under a unit of the view's scope."""
    if not view.scope:
        return false()
    return or_(*(unit_path.startswith(path, autoescape=True) for path in view.scope))


def narrowed(statement: Statement, view: View, unit_path: Column[str] | None) -> Statement:
    """Return the statement with only the rows that the view may see.

    A `unit_path` of None marks what every signed-in person of the county may see
    (streets, water, building footprints): all rows, but none for an empty scope.
    """
    if unit_path is None:
        return statement.where(true() if view.scope else false())
    return statement.where(within_scope(view, unit_path))


def in_force(view: View, valid_from: Column[date], valid_to: Column[date]) -> ColumnElement[bool]:
    """Say which versions were in force on the view's date; open-ended ones when it has none."""
    if view.as_of is None:
        return valid_to.is_(None)
    ended = or_(valid_to.is_(None), valid_to > view.as_of)
    return and_(valid_from <= view.as_of, ended)
