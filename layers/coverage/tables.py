"""Where coverage results are kept, with what they were computed from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from grid_boundaries.tables import code, metadata
from layers.layer import feature_table

# words of `assumed`: ridges may hide more, so until terrain is counted every figure is a ceiling
TERRAIN = "terrain"
# residents taken as spread evenly over their block
EVEN = "people_spread_evenly"

# what a camera sees among the buildings; `id` is the camera's
camera_view = feature_table(
    "camera_view",
    "MultiPolygon",
    Column("area_m2", Double, nullable=False),
    Column("range_m", Double, nullable=False),
    Column("assumed", ARRAY(Text), nullable=False),
)

# open ground of a grid that no working camera sees; `id` is the grid's code
blind_ground = feature_table(
    "blind_ground",
    "MultiPolygon",
    Column("area_m2", Double, nullable=False),
)

# what is seen for certain and at most where bearings or places of cameras are unsure
coverage_bounds = Table(
    "coverage_bounds",
    metadata,
    code("grid_code", primary_key=True),
    code("unit_path", nullable=False),
    Column("certain_m2", Double, nullable=False),
    Column("possible_m2", Double, nullable=False),
    Column("people_certain", Double),  # null where nobody was counted
    Column("people_possible", Double),
    # key places shown as densely as their kind needs
    Column("places_certain", Integer, nullable=False),
    Column("places_at_task", Integer, nullable=False),
    Column("places_possible", Integer, nullable=False),
    Column("cameras_unsure", Integer, nullable=False),  # working ones in the grid
    Column("input_version", BigInteger, nullable=False),
    Column("computed_at", DateTime(timezone=True), nullable=False),
)

grid_coverage = Table(
    "grid_coverage",
    metadata,
    code("grid_code", primary_key=True),
    code("unit_path", nullable=False),
    Column("open_m2", Double, nullable=False),
    Column("seen_m2", Double, nullable=False),
    Column("key_places", Integer, nullable=False),
    Column("key_places_unseen", Integer, nullable=False),
    Column("people", Double),  # null where nobody was counted
    Column("people_unseen", Double),
    Column("households", Double),
    Column("households_unseen", Double),
    Column("cameras_built", Integer, nullable=False),
    Column("cameras_working", Integer, nullable=False),
    Column("cameras_left_out", Integer, nullable=False),  # cannot be projected; findings say why
    Column("seen_by_m2", ARRAY(Double)),  # area seen by just 1, 2, 3 … cameras
    Column("road_m", Double),
    Column("road_unseen_m", Double),
    Column("assumed", ARRAY(Text), nullable=False),
    Column("input_version", BigInteger, nullable=False),
    Column("computed_at", DateTime(timezone=True), nullable=False),
)
