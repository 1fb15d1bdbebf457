"""The devices layer: sensors and intercoms with their state."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

device = feature_table(
    "device",
    "Point",
    Column("kind", Text, nullable=False),  # smoke, water_level, intercom, broadcast …
    Column("online", Boolean, nullable=False),
)

LAYER = Layer(
    name="devices",
    title=Title("物联设备", "Devices"),
    shape="point",
    style=Style(
        by="online",
        marks={
            "true": Mark(Title("在线", "On-line"), "device", "triangle"),
            "": Mark(Title("离线", "Off-line"), "offline", "triangle"),
        },
        from_zoom=13,
        order=41,
    ),
    features=all_of(device),
    table=device,
    tile_attributes=(
        "kind",
        "online",
    ),
    counts_below_zoom=14,
)
