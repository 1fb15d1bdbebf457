"""The parts layer: lamps, manholes, hydrants and other objects of the street (部件)."""

from __future__ import annotations

from sqlalchemy import Column, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

part = feature_table(
    "part",
    "Point",
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # good, damaged, missing
)

LAYER = Layer(
    name="parts",
    title=Title("部件", "Parts"),
    shape="point",
    style=Style(
        by="state",
        marks={
            "good": Mark(Title("完好", "Good"), "part", "dot"),
            "": Mark(Title("损坏或缺失", "Damaged or missing"), "warn", "dot"),
        },
        from_zoom=15,
        order=40,
    ),
    features=all_of(part),
    table=part,
    tile_attributes=(
        "kind",
        "state",
    ),
    counts_below_zoom=15,
)
