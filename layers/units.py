"""The units layer: outlines of county, towns and villages with their names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from grid_boundaries.store import unit
from grid_boundaries.view import View, in_force, narrowed
from layers.layer import Layer
from layers.style import Mark, Style, Title


def features(view: View) -> Select[Any]:
    """Select the units in force; outlines are no secret, so everybody of the county sees all."""
    in_date = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code.label("id"), unit).where(in_date)
    return narrowed(statement, view, None)


LAYER = Layer(
    name="units",
    title=Title("行政区划", "Units"),
    shape="polygon",
    style=Style(
        by="level",
        marks={
            "county": Mark(Title("县", "County"), "line-strong", width_px=3),
            "town": Mark(Title("镇（街道）", "Town"), "line-strong", width_px=2),
            "village": Mark(Title("村（社区）", "Village"), "line", width_px=1),
        },
        label_from_zoom=9,
        order=30,
    ),
    features=features,
    table=unit,
    tile_attributes=("name", "level"),
    shared=True,
    dated=True,
)
