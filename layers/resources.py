"""The resources layer: supplies, shelters, vehicles and teams that can be called up."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

resource = feature_table(
    "resource",
    "Point",
    Column("kind", Text, nullable=False),  # supplies, shelter, vehicle, team
    Column("amount", Integer),
    Column("capacity", Integer),
)

LAYER = Layer(
    name="resources",
    title=Title("应急资源", "Resources"),
    shape="point",
    style=Style(
        marks={
            "": Mark(Title("应急资源", "Resource"), "resource", "cross"),
        },
        from_zoom=11,
        label_from_zoom=15,
        order=42,
    ),
    features=all_of(resource),
    table=resource,
    tile_attributes=(
        "name",
        "kind",
    ),
    counts_below_zoom=11,
)
