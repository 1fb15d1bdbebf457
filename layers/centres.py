"""The centres layer: 综治中心 of county, towns and villages with the six checks (六有)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Text

from grid_boundaries.tables import code
from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

centre = feature_table(
    "centre",
    "Point",
    Column("level", Text, nullable=False),  # county, town, village
    code("unit_code", nullable=False),
    Column("address", Text),
    Column("has_body", Boolean, nullable=False),  # 机构
    Column("has_place", Boolean, nullable=False),  # 场所
    Column("has_staff", Boolean, nullable=False),  # 人员
    Column("has_rules", Boolean, nullable=False),  # 制度
    Column("has_duties", Boolean, nullable=False),  # 职责
    Column("has_systems", Boolean, nullable=False),  # 信息化
)

LAYER = Layer(
    name="centres",
    title=Title("综治中心", "Centres"),
    shape="point",
    style=Style(
        marks={
            "": Mark(Title("综治中心", "Centre"), "centre", "star"),
        },
        from_zoom=9,
        label_from_zoom=12,
        order=60,
    ),
    features=all_of(centre, shared=True),
    table=centre,
    tile_attributes=(
        "name",
        "level",
    ),
    shared=True,
)
