"""The buildings layer: footprints, part of the base map; walls for what a camera sees."""

from __future__ import annotations

from sqlalchemy import Column, Double, SmallInteger, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

building = feature_table(
    "building",
    "MultiPolygon",
    Column("kind", Text, nullable=False),  # dwelling, public, commercial, industrial, other
    Column("address", Text),
    Column("floors", SmallInteger),
    Column("height_m", Double),
    Column("area_m2", Double, nullable=False),
)

LAYER = Layer(
    name="buildings",
    title=Title("房屋", "Buildings"),
    shape="polygon",
    style=Style(
        by="kind",
        marks={
            "public": Mark(Title("公共建筑", "Public building"), "building-strong"),
            "": Mark(Title("房屋", "Building"), "building"),
        },
        from_zoom=14,
        order=3,
    ),
    features=all_of(building, shared=True),
    table=building,
    tile_attributes=("kind",),
    shared=True,
)
