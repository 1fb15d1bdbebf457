"""Sums of what is seen for certain and at most, beside the sums of the figures as stated.

What is stated may be newer than its bounds, because one changed camera is followed at once: each
grid's bounds are held against what is stated and never part from it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func

from grid_boundaries.view import View, narrowed
from layers.coverage.tables import coverage_bounds, grid_coverage

# None as long as they were never computed
BOUNDS = (
    "certain_m2", "possible_m2", "people_certain", "people_possible", "places_certain",
    "places_at_task", "places_possible", "cameras_unsure",
)  # fmt: skip


def bound_sums() -> list[ColumnElement[Any]]:
    """Return the sums of `BOUNDS`, to be selected by a statement `with_bounds`."""
    stated, bound = grid_coverage.c, coverage_bounds.c
    people_seen = stated.people - stated.people_unseen
    held: dict[str, ColumnElement[Any]] = {
        "certain_m2": func.least(bound.certain_m2, stated.seen_m2),
        "possible_m2": func.greatest(bound.possible_m2, stated.seen_m2),
        "people_certain": func.least(bound.people_certain, people_seen),
        "people_possible": func.greatest(bound.people_possible, people_seen),
    }
    # least and greatest pass over nulls; what was never computed must stay unknown
    known = bound.grid_code.is_not(None)
    return [func.sum(held.get(name, bound[name])).filter(known).label(name) for name in BOUNDS]


def with_bounds(statement: Select[Any], view: View) -> Select[Any]:
    """Join the bounds of each grid, where there are any, to its figures in a view."""
    joined = statement.outerjoin(
        coverage_bounds, coverage_bounds.c.grid_code == grid_coverage.c.grid_code
    )
    return narrowed(joined, view, grid_coverage.c.unit_path)
