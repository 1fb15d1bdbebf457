"""The visits layer: calls on households and places, patrols, and no-incident rounds."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Text

from grid_boundaries.tables import code
from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

visit = feature_table(
    "visit",
    "Point",
    code("worker_id", nullable=False),
    Column("kind", Text, nullable=False),  # visit, patrol, no_incident
    code("household_id"),
    code("place_id"),
    Column("visited_at", DateTime(timezone=True), nullable=False, index=True),
    Column("result", Text),
    code("body_digest"),
)

LAYER = Layer(
    name="visits",
    title=Title("走访", "Visits"),
    shape="point",
    style=Style(
        marks={
            "": Mark(Title("走访", "Visit"), "visit", "dot"),
        },
        from_zoom=14,
        order=35,
    ),
    features=all_of(visit),
    table=visit,
    tile_attributes=("kind",),
    right="visits",
    counts_below_zoom=14,
    private=frozenset({"household_id", "body_digest"}),
)
