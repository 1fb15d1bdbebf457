"""The waters layer: rivers, streams and reservoirs, part of the base map."""

from __future__ import annotations

from sqlalchemy import Column, Double, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

water = feature_table(
    "water",
    "Geometry",
    Column("kind", Text, nullable=False),  # river, stream, reservoir, canal
    Column("width_m", Double),
)

LAYER = Layer(
    name="waters",
    title=Title("水系", "Waters"),
    shape="line",
    style=Style(
        by="kind",
        marks={
            "river": Mark(Title("河流", "River"), "water", width_px=3),
            "": Mark(Title("溪流", "Stream"), "water"),
        },
        from_zoom=8,
        label_from_zoom=12,
        order=1,
    ),
    features=all_of(water, shared=True),
    table=water,
    tile_attributes=(
        "name",
        "kind",
    ),
    shared=True,
)
