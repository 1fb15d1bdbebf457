"""The grids layer: level-3 grids in force, each a union of blocks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from grid_boundaries.store import grid
from grid_boundaries.view import View, in_force, narrowed
from layers.layer import Layer
from layers.style import Mark, Style, Title


def features(view: View) -> Select[Any]:
    """Select the grids in force on the view's date, within its scope."""
    in_date = in_force(view, grid.c.valid_from, grid.c.valid_to)
    statement = select(grid.c.code.label("id"), grid).where(in_date)
    return narrowed(statement, view, grid.c.unit_path)


LAYER = Layer(
    name="grids",
    title=Title("网格", "Grids"),
    shape="polygon",
    style=Style(
        by="kind",
        marks={
            "residential": Mark(Title("网格", "Grid"), "grid", width_px=1),
            "special": Mark(Title("专属网格", "Special grid"), "grid-special", "dashed", 1.5),
        },
        label_from_zoom=14,
        order=20,
    ),
    features=features,
    table=grid,
    tile_attributes=("name", "kind"),
    dated=True,
)
