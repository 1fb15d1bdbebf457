"""Who can act: every write carries an actor from the first day."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY

from grid_boundaries.tables import code, metadata

actor = Table(
    "actor",
    metadata,
    code("name", primary_key=True),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("role", Text, nullable=False),  # see gis_service.access
    Column("scope", ARRAY(Text), nullable=False),  # unit paths
    code("worker_id"),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
