"""The incidents layer: events, disputes and appeals, where and when they were reported."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Text

from grid_boundaries.tables import code
from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

incident = feature_table(
    "incident",
    "Point",
    Column("number", BigInteger, Identity(), unique=True),  # the server's order
    Column("kind", Text, nullable=False),  # event, dispute, appeal
    Column("category", Text, nullable=False),  # noise, rubbish, neighbours …
    Column("source", Text, nullable=False),  # grid_app, 110, 12345, city_management, camera
    Column("urgency", Text, nullable=False),  # red, yellow, blue
    Column("state", Text, nullable=False),  # reported … closed
    Column("occurred_at", DateTime(timezone=True), nullable=False, index=True),
    Column("reported_at", DateTime(timezone=True), nullable=False),
    Column("dispatched_at", DateTime(timezone=True)),  # the centre sent it to somebody
    Column("received_at", DateTime(timezone=True)),  # who took it up
    Column("due_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("satisfied", Boolean),
    Column("address", Text),
    code("reported_by"),
    code("body_digest"),
)

LAYER = Layer(
    name="incidents",
    title=Title("事件", "Incidents"),
    shape="point",
    style=Style(
        by="urgency",
        marks={
            "red": Mark(Title("红色 · 特急", "Red · urgent"), "red", "alert"),
            "yellow": Mark(Title("黄色 · 紧急", "Yellow · soon"), "yellow", "alert"),
            "blue": Mark(Title("蓝色 · 一般", "Blue · routine"), "blue", "alert"),
        },
        from_zoom=9,
        order=80,
    ),
    features=all_of(incident),
    table=incident,
    tile_attributes=(
        "kind",
        "urgency",
        "state",
    ),
    right="incidents",
    counts_below_zoom=13,
    private=frozenset({"body_digest", "reported_by"}),
)
