"""The places layer: schools, stations, markets …, with the key places of GB 37300-2018."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Text

from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

place = feature_table(
    "place",
    "Point",
    Column("kind", Text, nullable=False),  # school, hospital, station …
    Column("is_key", Boolean, nullable=False),  # a key place: cover is owed to it
    Column("address", Text),
)

LAYER = Layer(
    name="places",
    title=Title("场所", "Places"),
    shape="point",
    style=Style(
        by="is_key",
        marks={
            "true": Mark(Title("重点场所", "Key place"), "key-place", "diamond"),
            "": Mark(Title("场所", "Place"), "place", "dot"),
        },
        from_zoom=9,
        label_from_zoom=15,
        order=50,
    ),
    features=all_of(place),
    table=place,
    tile_attributes=(
        "name",
        "kind",
        "is_key",
    ),
    counts_below_zoom=12,
)
