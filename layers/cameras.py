"""The cameras layer: every camera of the programme, planned or standing, as a ledger entry."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Double, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY

from grid_boundaries.tables import code
from layers.layer import Layer, all_of, feature_table
from layers.style import Mark, Style, Title

camera = feature_table(
    "camera",
    "Point",
    code("device_code"),  # GB/T 28181, 20 digits
    Column("kind", Text, nullable=False),  # fixed, ptz, dome
    Column("site_class", SmallInteger),  # 1, 2, 3 (一/二/三类点)
    Column("azimuth_deg", Double),  # clockwise from north, centre of view
    Column("view_angle_deg", Double),
    Column("range_m", Double),
    Column("height_m", Double),
    Column("azimuth_error_deg", Double, nullable=False, server_default="0"),
    Column("position_error_m", Double, nullable=False, server_default="0"),
    Column("assumed", ARRAY(Text), nullable=False, server_default="{}"),  # columns we filled in
    Column("indoor", Boolean, nullable=False, server_default="false"),
    Column("state", Text, nullable=False),  # planned, building, built, networked, out_of_service
    Column("online", Boolean, nullable=False),
    Column("builder", Text),
    Column("due", Date),
    Column("address", Text),
    Column("contract", Text),  # that it is built under; planned without one it is proposed
    code("stated_code"),  # unit, grid or block that its row says it is in
)

LAYER = Layer(
    name="cameras",
    title=Title("视频点位", "Cameras"),
    shape="point",
    style=Style(
        by="state",
        marks={
            "networked": Mark(Title("联网", "Networked"), "camera", "camera"),
            "built": Mark(Title("建成", "Built"), "camera", "camera"),
            "building": Mark(
                Title("在建", "Under construction"), "camera-planned", "camera-hollow"
            ),
            "planned": Mark(Title("规划", "Planned"), "camera-planned", "camera-hollow"),
            "out_of_service": Mark(Title("停用", "Out of service"), "offline", "camera-crossed"),
        },
        from_zoom=9,
        order=70,
    ),
    features=all_of(camera),
    table=camera,
    tile_attributes=(
        "state",
        "online",
        "azimuth_deg",
    ),
    right="cameras",
    counts_below_zoom=13,
)
