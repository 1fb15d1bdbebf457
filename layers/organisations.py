"""The organisations layer: enterprises, offices and associations by credit code."""

from __future__ import annotations

from sqlalchemy import Column, Text

from grid_boundaries.tables import code
from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

organisation = feature_table(
    "organisation",
    "Point",
    code("credit_code"),  # GB 32100, 18 characters
    Column("kind", Text, nullable=False),
    Column("address", Text),
)

LAYER = Layer(
    name="organisations",
    title=Title("单位", "Organisations"),
    shape="point",
    style=Style(
        marks={
            "": Mark(Title("单位", "Organisation"), "organisation", "square"),
        },
        from_zoom=14,
        order=45,
    ),
    features=all_of(organisation),
    table=organisation,
    tile_attributes=(
        "name",
        "kind",
    ),
    counts_below_zoom=14,
)
