"""The streets layer: roads and lanes, part of the base map."""

from __future__ import annotations

from sqlalchemy import Column, Double, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

street = feature_table(
    "street",
    "LineString",
    Column("kind", Text, nullable=False),  # trunk, primary, secondary, street, lane, track, railway
    Column("length_m", Double, nullable=False),
)

LAYER = Layer(
    name="streets",
    title=Title("道路", "Streets"),
    shape="line",
    style=Style(
        by="kind",
        marks={
            "trunk": Mark(Title("国省道", "Trunk road"), "road-strong", width_px=3),
            "primary": Mark(Title("县道", "Primary road"), "road-strong", width_px=2.2),
            "secondary": Mark(Title("乡道", "Secondary road"), "road", width_px=1.6),
            "railway": Mark(Title("铁路", "Railway"), "rail", "dashed", width_px=1.5),
            "": Mark(Title("街巷", "Street"), "road", from_zoom=11),
        },
        from_zoom=9,
        label_from_zoom=13,
        order=5,
    ),
    features=all_of(street, shared=True),
    table=street,
    tile_attributes=(
        "name",
        "kind",
    ),
    shared=True,
)
