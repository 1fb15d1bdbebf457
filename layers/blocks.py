"""The blocks layer: the pieces that tile the county and that grids are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from grid_boundaries.store import block
from grid_boundaries.view import View, in_force, narrowed
from layers.layer import Layer
from layers.style import Mark, Style, Title


def features(view: View) -> Select[Any]:
    """Select the blocks in force on the view's date, within its scope."""
    in_date = in_force(view, block.c.valid_from, block.c.valid_to)
    return narrowed(select(block).where(in_date), view, block.c.unit_path)


LAYER = Layer(
    name="blocks",
    title=Title("基础图斑", "Blocks"),
    shape="polygon",
    style=Style(marks={"": Mark(Title("图斑", "Block"), "line-faint")}, from_zoom=14, order=10),
    features=features,
    table=block,
    tile_attributes=("kind",),
    dated=True,
)
