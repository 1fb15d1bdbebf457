"""Changes of cameras: who changed what of which camera, and when; rows are only ever added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import code, metadata

camera_change = Table(
    "camera_change",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    code("camera_id", nullable=False),
    code("actor", nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("changed", JSONB, nullable=False),  # {column: [before, after]}
    code("unit_path", nullable=False),  # where the camera stands since
)
Index("ix_camera_change_camera_id", camera_change.c.camera_id, camera_change.c.id)
